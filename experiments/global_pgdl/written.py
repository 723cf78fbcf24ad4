"""Scores of all models at every site, as a file that keeps its coordinates."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from diffhydro.atomic import whole
from diffhydro.evaluation import score

if TYPE_CHECKING:
    import xarray as xr

SCORES = "scores.nc"  # in the folder of a run


def write_scores(
    predicted: Mapping[str, "xr.DataArray"], observed: "xr.DataArray", out: Path
) -> None:
    """Score models `[site, time]`, and write `[model, site]` into the folder of a run."""
    import xarray as xr

    each = [score(one, observed) for one in predicted.values()]
    names = xr.DataArray(list(predicted), dims="model", name="model")
    with whole(out / SCORES) as part:
        xr.concat(each, names).to_netcdf(part, engine="h5netcdf")
