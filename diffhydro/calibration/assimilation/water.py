"""The books of an analysis: water that it put in or took away is a term of its own.

    residual = precipitation + added − evaporation − transpiration − runoff − drainage − Δstores

`added` is the water of an analysis less that of its background, store by store, positive where the
analysis put water in. No other term changes, so that an analysis neither hides a model's error in
the balance nor makes one. Rain that an analysis corrects counts as rain.
"""

from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from diffhydro.land.budget import Budget, budget
from diffhydro.land.model import AbstractModel, State
from diffhydro.land.trajectory import Trajectory
from diffhydro.typing import Array, Float


class Books(eqx.Module):
    """A budget, and the water that came and went by analysis, mm.

    Args:
        moved: Fluxes and stores, from before the first analysis to after the last.
        added: By store; one number, or one for each member.
    """

    moved: Budget
    added: dict[str, Float[Any, "*member"]]

    @property
    def total(self) -> Any:
        """Water added to all stores."""
        return sum(self.added.values())

    @property
    def residual(self) -> Any:
        """Water that is missing at the end."""
        return self.moved.residual + self.total

    def __str__(self) -> str:
        """Give the table, in mm; means of many members."""
        lines = str(self.moved).replace(" sites", " members").splitlines()[:-1]
        lines += [f"added to {name:<11}{np.mean(x):>14.4f} mm" for name, x in self.added.items()]
        worst = np.max(np.abs(self.residual))
        return "\n".join([*lines, f"{'residual':<20}{worst:>14.3g} mm"])


def added(
    model: AbstractModel, before: State, after: State, model_after: AbstractModel | None = None
) -> dict[str, Float[Array, ""]]:
    """Return the water by which two states of one site differ, mm, by store."""
    old, new = model.stores(before), (model if model_after is None else model_after).stores(after)
    return {name: jnp.sum(new[name] - old[name]) for name in new}


def books(run: Trajectory, water: Mapping[str, Array]) -> Books:
    """Add up a run whose stores jump by `water` at its analyses.

    Args:
        run: With its stores before the first analysis.
        water: By store: a number, or of an ensemble `[member, time]`.
    """
    return Books(budget(run), {name: _total(x) for name, x in water.items()})


def starting(run: Trajectory, stores: Mapping[str, Array]) -> Trajectory:
    """Return the run with other stores before its first step."""
    return eqx.tree_at(lambda r: r.stores_before, run, dict(jax.tree.map(jnp.asarray, stores)))


def _total(x: Array) -> np.ndarray:
    wide = np.asarray(x, np.float64)
    return wide.sum(axis=-1) if wide.ndim else wide
