"""Soils that change with depth.

Two ways. One form with parameters per horizon: keep its arrays `[horizon]` and take the soil of
each node with `at`. Different forms in one column: put a soil per horizon into `Horizons`.
"""

from typing import TYPE_CHECKING, TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from diffhydro.errors import InputError
from diffhydro.soil.hydraulics.curves import AbstractHydraulics, Curves
from diffhydro.typing import Array, Float

__all__ = ["Horizons", "at"]

Soil = TypeVar("Soil", bound=AbstractHydraulics)


def at(soil: Soil, horizon: int | tuple[int, ...] | np.ndarray) -> Soil:
    """Take the soil of one horizon, or of many nodes at once, along the first axis.

    Args:
        soil: Parameters with a leading axis `horizon`, or scalars, which all horizons share.
        horizon: One index, or the horizon of each node. Static.
    """
    index = horizon if isinstance(horizon, int) else np.asarray(horizon)

    def take(x: Float[Array, "horizon ..."]) -> Float[Array, "..."]:
        if jnp.ndim(x) == 0:
            return x
        if np.min(index) < 0 or np.max(index) >= x.shape[0]:
            # An array would clamp the index and quietly answer with the deepest horizon.
            raise IndexError(f"horizon {horizon} asked of a soil that has {x.shape[0]}")
        return x[index]

    return jax.tree.map(take, soil)


class Horizons(AbstractHydraulics):
    """A column of several soils, each for the next `counts` nodes from the surface down.

    The first axis of ψ is `node`, and has `sum(counts)` entries. Parameters of the soils are
    scalars, or have ψ's rank with a first axis of 1 or their own count. θ_r, θ_s, k_sat and air
    entry have the axes `node`, and `column` where some parameter has it.
    """

    soils: tuple[AbstractHydraulics, ...]
    counts: tuple[int, ...] = eqx.field(static=True)

    def __check_init__(self) -> None:
        if len(self.soils) != len(self.counts) or not self.soils or min(self.counts) < 1:
            raise InputError(
                f"Horizons has {len(self.soils)} soils and counts {self.counts}; give one soil "
                "and at least one node for every horizon."
            )

    if TYPE_CHECKING:
        # What is derived is no argument of the constructor, which a property does not tell pyright.
        theta_r: Float[Array, "..."] = eqx.field(init=False)
        theta_s: Float[Array, "..."] = eqx.field(init=False)
        k_sat: Float[Array, "..."] = eqx.field(init=False)
    else:

        @property
        def theta_r(self) -> Float[Array, "..."]:
            """Give θ_r node by node."""
            return self._stack([soil.theta_r for soil in self.soils])

        @property
        def theta_s(self) -> Float[Array, "..."]:
            """Give θ_s node by node."""
            return self._stack([soil.theta_s for soil in self.soils])

        @property
        def k_sat(self) -> Float[Array, "..."]:
            """Give k_sat node by node."""
            return self._stack([soil.k_sat for soil in self.soils])

    @property
    def air_entry(self) -> Float[Array, "..."]:
        """Give the air-entry head node by node."""
        dtype = jnp.result_type(*[soil.k_sat for soil in self.soils])
        return self._stack([jnp.asarray(soil.air_entry, dtype) for soil in self.soils])

    def curves(self, psi: Float[Array, "..."]) -> Curves:
        """Evaluate each horizon's own curves on its slice of the column."""
        parts = [soil.curves(x) for soil, x in zip(self.soils, self._slices(psi), strict=True)]
        return jax.tree.map(lambda *xs: jnp.concatenate(xs), *parts)

    def psi(self, theta: Float[Array, "..."]) -> Float[Array, "..."]:
        """Give the head at which each node holds its `theta`."""
        parts = [soil.psi(x) for soil, x in zip(self.soils, self._slices(theta), strict=True)]
        return jnp.concatenate(parts)

    def _slices(self, x: Float[Array, "..."]) -> list[Float[Array, "..."]]:
        if x.shape[0] != sum(self.counts):
            raise ValueError(
                f"the first axis has {x.shape[0]} nodes, but the horizons count {self.counts}"
            )
        return jnp.split(x, np.cumsum(self.counts)[:-1].tolist())

    def _stack(self, values: list[Float[Array, "..."]]) -> Float[Array, "..."]:
        """Repeat values over nodes, and over columns where any parameter has them."""
        shapes = [jnp.shape(leaf)[1:] for leaf in jax.tree.leaves(self.soils)]
        columns = np.broadcast_shapes(*shapes)
        return jnp.concatenate(
            [
                jnp.broadcast_to(value, (count, *columns))
                for value, count in zip(values, self.counts, strict=True)
            ]
        )
