"""Scores of all models at every site: a file that keeps its coordinates, and one for any eye."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from diffhydro.atomic import whole
from diffhydro.evaluation import score

if TYPE_CHECKING:
    import xarray as xr

SCORES, METRICS = "scores.nc", "metrics.csv"  # in the folder of a run


def write_scores(
    predicted: Mapping[str, "xr.DataArray"], observed: "xr.DataArray", out: Path
) -> None:
    """Score models `[site, time]`, and write `[model, site]` into the folder of a run.

    The table has a row for each model and site, and a column for each score.
    """
    import xarray as xr

    each = [score(one, observed) for one in predicted.values()]
    names = xr.DataArray(list(predicted), dims="model", name="model")
    found = xr.concat(each, names)
    with whole(out / SCORES) as part:
        found.to_netcdf(part, engine="h5netcdf")
    with whole(out / METRICS) as part:
        found.to_dataframe(dim_order=["model", "site"]).to_csv(part)
