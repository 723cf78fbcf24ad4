"""Step 6: gradients and water, of the models that learned from all stations."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from diffhydro.core.ensembles import member as member_of
from diffhydro.coupling import AbstractPredictor, Inputs, Observed, OutputCorrection
from diffhydro.coupling.hybrid import simulate
from diffhydro.evaluation import gradient_error
from diffhydro.land.budget import budget
from experiments.global_pgdl.real.bench import Bench, told
from experiments.global_pgdl.real.networks import Kind
from experiments.global_pgdl.real.places import FORCING, OBSERVED

_RIGHT = 1e-4  # relative, in double precision
_CLOSED = 0.1  # mm in some years of single precision
_SITES, _DAYS = 2, 120  # at which gradients are checked


@dataclass(frozen=True)
class Checked:
    """What was found.

    Args:
        gradients: Relative difference from central differences, by kind.
        missing: mm that no flux explains at the worst station, by kind that has stores.
    """

    gradients: Mapping[str, float]
    missing: Mapping[str, float]

    def rows(self) -> list[dict[str, Any]]:
        """Give a row for each model."""
        names = dict.fromkeys((*self.missing, *self.gradients))
        return [
            {
                "model": name,
                "gradient_off_by": self.gradients.get(name),
                "water_missing_mm": self.missing.get(name),
            }
            for name in names
        ]

    def claims(self) -> dict[str, bool]:
        """Tell what holds."""
        return {
            "gradients equal central differences (1e-4)": max(self.gradients.values()) <= _RIGHT,
            "no model with stores loses water (0.1 mm)": max(self.missing.values()) <= _CLOSED,
        }


def checked(bench: Bench, trained: Mapping[Kind, Any]) -> Checked:
    """Check a model of each kind."""
    last = len(bench.members) - 1
    each = {kind: member_of(models, last) for kind, models in trained.items()}
    series = {name: jnp.asarray(bench.sites[name].values) for name in FORCING}
    missing = {"PB": _missing(member_of(bench.pb, last), Inputs(series, {}))}
    gradients = {}
    for kind, model in each.items():
        water = {name: x[last] for name, x in bench.water.items()}
        gradients[kind.name] = _gradient(bench, kind, model, water)
        if isinstance(model, Observed | OutputCorrection):
            known = told(kind, bench.sites, water, bench.start)
            missing[kind.name] = _missing(model, known)
    return Checked(gradients, missing)


def _missing(model: AbstractPredictor, inputs: Inputs) -> float:
    store = model.observed if isinstance(model, OutputCorrection) else model
    assert isinstance(store, Observed)
    run = eqx.filter_jit(simulate)(store.physics, inputs)
    return float(np.max(np.abs(np.asarray(budget(run).residual))))


def _gradient(bench: Bench, kind: Kind, model: AbstractPredictor, water: dict[str, Any]) -> float:
    some = bench.sites.isel(site=slice(_SITES))
    seen = some[OBSERVED].values
    since = int(np.isfinite(seen).any(axis=0).argmax())
    mine = {name: x[:_SITES] for name, x in water.items()}
    inputs = told(kind, some, mine, bench.start).between(since, since + _DAYS)
    return gradient_error(model, inputs, seen[:, since : since + _DAYS])
