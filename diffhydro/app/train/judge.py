"""How good a training is where it was not trained: scores, water, gradients."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import equinox as eqx
import numpy as np

from diffhydro import evaluation
from diffhydro.app.train.config import TrainConfig
from diffhydro.app.train.predicting import predict
from diffhydro.app.train.table import OBSERVED, Table
from diffhydro.app.train.training import Outcome
from diffhydro.coupling import AbstractPredictor, Coupled, OutputCorrection, PhysicsGuided, simulate
from diffhydro.coupling import Observed as Seen
from diffhydro.data.splits import Fold
from diffhydro.evaluation import score
from diffhydro.evaluation.baselines import BoostedTrees, Climatology, Persistence, SiteMean
from diffhydro.land.budget import budget

if TYPE_CHECKING:
    import xarray as xr

MODEL, TREES, USUAL = "model", "boosted trees", "climatology"
MEAN, LAST = "site mean", "persistence"
_SOME, _DAYS = 2, 120  # sites and days of the gradient check


@dataclass(frozen=True)
class Judged:
    """What came out, at sites and days that were not trained on.

    Attributes:
        predictions: `[model, site, time]`, the baselines among the models; NaN where not tested.
        scores: Of all models at every site.
        residual: mm of water that the worst test site cannot account for; None without physics.
        gradient: Relative difference of a gradient and central differences, in double precision.
    """

    predictions: "xr.DataArray"
    observed: "xr.DataArray"
    scores: "xr.Dataset"
    residual: float | None
    gradient: float


def judge(config: TrainConfig, table: Table, outcome: Outcome) -> Judged:
    """Score every fold at its own test; of several seeds, their mean."""
    import xarray as xr

    start, shape = config.windows.warm_up, table.observed.shape
    names = [MODEL, TREES, USUAL, MEAN, LAST]
    sums, counts = np.zeros((len(names), *shape)), np.zeros((len(names), *shape))
    observed = np.full(shape, np.nan, np.float32)
    worst = None
    for i, one in enumerate(outcome.members):
        test = one.fold.test
        days = np.ones(shape[1], bool) if test.times is None else test.times
        days = days & (np.arange(shape[1]) >= start)
        series = {MODEL: predict(outcome.model(i), table, test.sites, start)}
        series |= _baselines(table, one.fold, start)
        for number, name in enumerate(names):
            there = np.isfinite(series[name]) & days
            sums[number, test.sites] += np.where(there, series[name], 0.0)
            counts[number, test.sites] += there
        observed[test.sites] = np.where(days, table.observed.values[test.sites], np.nan)
        lost = residual(outcome.model(i), table, test.sites)
        worst = lost if worst is None or (lost is not None and lost > worst) else worst
    means = np.divide(sums, counts, out=np.full(sums.shape, np.nan), where=counts > 0)
    axes = {"site": table.data["site"].values, "time": table.data["time"].values}
    predictions = xr.DataArray(
        means.astype(np.float32), dims=("model", "site", "time"), coords={"model": names, **axes}
    )
    seen = xr.DataArray(observed, dims=("site", "time"), coords=axes)
    slope = gradient_error(outcome.model(0), table, outcome.members[0].fold.test.sites)
    return Judged(predictions, seen, score(predictions, seen), worst, slope)


def residual(model: AbstractPredictor, table: Table, sites: np.ndarray) -> float | None:
    """Give the water that a physics cannot account for, mm, at the worst site."""
    physics = _physics(model)
    if physics is None:
        return None
    run = eqx.filter_jit(simulate)(physics, table.inputs(sites))
    return float(np.max(np.abs(np.asarray(budget(run).residual))))


def gradient_error(model: AbstractPredictor, table: Table, sites: np.ndarray) -> float:
    """Compare a directional derivative of the misfit with central differences, in float64."""
    some = sites[:_SOME]
    inputs = table.inputs(some).between(0, _DAYS)
    return evaluation.gradient_error(model, inputs, table.observed.values[some, :_DAYS])


def _physics(model: AbstractPredictor) -> Any:
    if isinstance(model, Seen):
        return model.physics
    if isinstance(model, OutputCorrection):
        return model.observed.physics
    if isinstance(model, PhysicsGuided) and isinstance(model.fluxes, Coupled):
        return model.fluxes.physics
    return None


def _baselines(table: Table, fold: Fold, start: int) -> dict[str, np.ndarray]:
    """Give what anyone would try first, learnt from the training side of the fold."""
    days = np.ones(table.data.sizes["time"], bool) if fold.train.times is None else fold.train.times
    import xarray as xr

    # All days stay: sums of past weather reach over those that are not learnt from.
    training = table.data.isel(site=fold.train.sites)
    training = training.assign(
        {OBSERVED: training[OBSERVED].where(xr.DataArray(days, dims="time"))}
    )
    test = table.data.isel(site=fold.test.sites)
    kinds = {
        TREES: BoostedTrees(depth=None),
        USUAL: Climatology(depth=None),
        MEAN: SiteMean(depth=None),
        LAST: Persistence(window=start, depth=None),
    }
    return {name: one.fit(training).predict(test).values for name, one in kinds.items()}
