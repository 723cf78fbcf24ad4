"""Scores on all days with an observation after a site's start window."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from diffhydro.atomic import whole
from diffhydro.data.start_windows import StartWindows
from diffhydro.evaluation import score
from experiments.global_pgdl.outcome import Rows
from experiments.global_pgdl.real.networks import CONTROL, DL, FED, GUIDED, UNGUIDED, with_means
from experiments.global_pgdl.real.places import OBSERVED
from experiments.global_pgdl.real.settings import Settings

if TYPE_CHECKING:
    import xarray as xr

SCORES = ("rmse", "ubrmse", "r", "bias")


@dataclass(frozen=True, eq=False)
class Found:
    """Soil moisture as predicted, and what was observed on the days that are judged.

    Args:
        predicted: `[site, time]`, by model, without the spin-up.
        observed: NaN on days that are not judged.
    """

    predicted: "dict[str, xr.DataArray]"
    observed: "xr.DataArray"

    def write(self, target: Path) -> None:
        """Write all series to a NetCDF file."""
        import xarray as xr

        with whole(target) as part:
            every = {**self.predicted, "observed": self.observed}
            xr.Dataset({name.replace(" ", "_"): x for name, x in every.items()}).to_netcdf(
                part, engine="h5netcdf"
            )

    def scores(self) -> "dict[str, xr.Dataset]":
        """Score every model at every site; NaN at sites with fewer than 60 such days."""
        return {name: score(one, self.observed) for name, one in self.predicted.items()}


def found_of(sites: "xr.Dataset", how: Settings, said: Mapping[str, np.ndarray]) -> Found:
    """Cut off the spin-up, and what was given away in start windows.

    No soil holds less than nothing: what a network says below 0 is 0, of all models alike.
    """
    windows = StartWindows(OBSERVED, (), how.start.days, how.start.least)
    days = sites.sizes["time"]
    judged = windows.after(windows.first(sites), days)
    real = slice(how.spin_up, None)
    seen = sites[OBSERVED]
    return Found(
        {
            name: seen.copy(data=np.maximum(x, 0.0).astype(np.float32))[:, real]
            for name, x in with_means(said).items()
        },
        seen.where(judged)[:, real],
    )


def medians(scores: "Mapping[str, xr.Dataset]") -> Rows:
    """Give the median over sites of each score, by model; of the bias its size."""
    rows: Rows = []
    for name, one in scores.items():
        row = {key: float(one[key].median()) for key in ("rmse", "ubrmse", "r")}
        sites = int(np.isfinite(one["rmse"]).sum())
        size = {"abs_bias": float(np.abs(one["bias"]).median())}
        mean = {"mean_rmse": float(one["rmse"].mean()), "mean_ubrmse": float(one["ubrmse"].mean())}
        rows.append({"model": name, "sites": sites, **row, **size, **mean})
    return rows


def by_station(scores: "Mapping[str, xr.Dataset]") -> Rows:
    """Give the scores of every station, a row for each model."""
    return [
        {
            "station": str(site),
            "model": name,
            **{key: float(one[key].sel(site=site)) for key in SCORES},
            "days": int(one["days"].sel(site=site)),
        }
        for site in next(iter(scores.values()))["site"].values
        for name, one in scores.items()
    ]


def rmse_by_station(scores: "Mapping[str, xr.Dataset]") -> Rows:
    """Give the RMSE of every station, a column for each model."""
    return [
        {"station": str(site), **{n: float(x["rmse"].sel(site=site)) for n, x in scores.items()}}
        for site in next(iter(scores.values()))["site"].values
    ]


def claims(rows: Rows) -> dict[str, bool]:
    """Tell what the physics-guided model reaches: the mean of two, or fed where that is alone.

    It is held against the best that there is without physics.
    """
    at = {row["model"]: row for row in rows}
    best = at.get(GUIDED, at[FED])
    without = min(at[name]["rmse"] for name in (DL, CONTROL, UNGUIDED) if name in at)
    return {
        "PGDL: median r ≥ 0.86": best["r"] >= 0.86,
        "PGDL: median ubRMSE ≤ 0.044": best["ubrmse"] <= 0.044,
        "PGDL: median RMSE ≤ 0.062": best["rmse"] <= 0.062,
        "PGDL: RMSE ≤ 0.95 × the best DL": best["rmse"] <= 0.95 * without,
        "PGDL: RMSE ≤ 0.85 × PB": best["rmse"] <= 0.85 * at["PB"]["rmse"],
    }
