"""What a calibration leaves behind: a data set of parameters and series, and a table of scores."""

import csv
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from diffhydro.app.config import Config
from diffhydro.app.fitting import Fitting
from diffhydro.atomic import whole
from diffhydro.calibration import Fitted
from diffhydro.calibration.fitted import correlation
from diffhydro.calibration.search import ENDINGS
from diffhydro.core.bijections import interval
from diffhydro.data.gaps import Climatology, day_of_year
from diffhydro.evaluation.metrics import Scores, scores
from diffhydro.training.losses import KlingGupta

if TYPE_CHECKING:
    import xarray as xr

BEFORE, AFTER, USUAL = "before", "fitted", "climatology"


@dataclass(frozen=True)
class Outcome:
    """A calibration that has ended, and its series `[site, time]` by target before and after."""

    fitting: Fitting
    fitted: Fitted
    before: dict[str, np.ndarray]
    after: dict[str, np.ndarray]

    @property
    def periods(self) -> dict[str, np.ndarray]:
        """The days that are scored, by name."""
        found = {"train": self.fitting.train, "test": self.fitting.test}
        return {name: days for name, days in found.items() if days.any()}

    @property
    def judged(self) -> str:
        """The period that counts: held-out days where there are some."""
        return "test" if "test" in self.periods else "train"

    @cached_property
    def usual(self) -> dict[str, np.ndarray]:
        """The mean course of the year of the days of the fit, by target."""
        times, days = self.fitting.times, self.fitting.train
        found = {}
        for name, observed in self.fitting.observed.items():
            course = Climatology().course(np.where(days, observed, np.nan), times)
            found[name] = course[:, day_of_year(times)]
        return found

    @cached_property
    def scores(self) -> dict[tuple[str, str, str], Scores]:
        """Scores by target, period and what was scored."""
        kinds = {BEFORE: self.before, AFTER: self.after, USUAL: self.usual}
        return {
            (name, period, kind): scores(series[name][:, days], observed[:, days])
            for name, observed in self.fitting.observed.items()
            for period, days in self.periods.items()
            for kind, series in kinds.items()
        }

    @cached_property
    def correlation(self) -> np.ndarray:
        """Correlations of fitted parameters of every site; NaN where a loss has no residuals."""
        losses = [target.loss for target in self.fitting.problem.targets]
        if any(isinstance(loss, KlingGupta) for loss in losses):
            entries = len(self.fitted.names)
            return np.full((self.fitting.problem.sites, entries, entries), np.nan)
        return correlation(self.fitted.curvature())


def write_outcome(out: Path, config: Config, outcome: Outcome) -> None:
    """Write fitted.nc, scores.csv and parameters.csv."""
    with whole(out / "fitted.nc") as part:
        _dataset(config, outcome).to_netcdf(part, engine="h5netcdf")
    _write_table(out / "scores.csv", _score_rows(outcome))
    _write_table(out / "parameters.csv", _parameter_rows(outcome))


def _dataset(config: Config, outcome: Outcome) -> "xr.Dataset":
    import xarray as xr

    fitted, problem = outcome.fitted, outcome.fitting.problem
    specs = problem.coordinates.specs
    before = problem.coordinates.table(np.asarray(problem.before()))
    found = xr.Dataset(
        {
            "value": (("site", "parameter"), fitted.values),
            "value_before": (("site", "parameter"), before),
            "lower": ("parameter", [interval(spec.bounds)[0] for spec in specs]),
            "upper": ("parameter", [interval(spec.bounds)[1] for spec in specs]),
            "on_bound": (("site", "parameter"), fitted.on_bound.astype(np.int8)),
            "correlation": (("site", "parameter", "other"), outcome.correlation),
            "free": (("site", "start", "parameter"), fitted.z),
            "loss": (("site", "start"), fitted.loss),
            "ending": (("site", "start"), fitted.status.astype(np.int8)),
            "evaluations": (("site", "start"), fitted.evaluations),
            "course": (("site", "start", "round"), fitted.course),
        },
        coords={
            "site": list(problem.names),
            "parameter": list(fitted.names),
            "unit": ("parameter", [spec.unit for spec in specs]),
            "time": outcome.fitting.times.astype("datetime64[ns]"),
        },
    )
    found["on_bound"].attrs["comment"] = "-1 on the lower bound, 1 on the upper"
    found["ending"].attrs["flag_meanings"] = " ".join(ENDINGS)
    found["ending"].attrs["flag_values"] = np.arange(len(ENDINGS), dtype=np.int8)
    for name, observed in outcome.fitting.observed.items():
        kinds = {"observed": observed, BEFORE: outcome.before[name], AFTER: outcome.after[name]}
        for kind, series in kinds.items():
            found[f"{name}_{kind}"] = ("site", "time"), series.astype(np.float32)
    if outcome.fitting.truth is not None:
        truth = problem.coordinates.table(outcome.fitting.truth)
        found["value_true"] = ("site", "parameter"), truth
    found.attrs["model"] = config.model
    return found


def _score_rows(outcome: Outcome) -> list[list[str]]:
    rows = [["site", "series", "period", "of", *Scores._fields]]
    for (name, period, kind), found in outcome.scores.items():
        for i, site in enumerate(outcome.fitting.problem.names):
            numbers = [f"{float(column[i]):.5g}" for column in found]
            rows.append([site, name, period, kind, *numbers])
    return rows


def _parameter_rows(outcome: Outcome) -> list[list[str]]:
    fitted, coordinates = outcome.fitted, outcome.fitting.problem.coordinates
    before = coordinates.table(np.asarray(outcome.fitting.problem.before()))
    words = {-1: "lower", 0: "", 1: "upper"}
    rows = [["site", "parameter", "unit", "before", "fitted", "lower", "upper", "on_bound"]]
    for i, site in enumerate(outcome.fitting.problem.names):
        for j, (name, spec) in enumerate(zip(fitted.names, coordinates.specs, strict=True)):
            ends = interval(spec.bounds)
            numbers = [before[i, j], fitted.values[i, j], *ends]
            told = [f"{float(x):.6g}" for x in numbers]
            rows.append([site, name, spec.unit, *told, words[int(fitted.on_bound[i, j])]])
    return rows


def _write_table(target: Path, rows: list[list[str]]) -> None:
    with whole(target) as part, part.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
