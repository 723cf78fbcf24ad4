"""Scores as rows of text, the head first: a row for each model, or for each site."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import xarray as xr

Rows = list[tuple[str, ...]]
SHOWN = ("rmse", "ubrmse", "bias", "r", "nse")


def of_models(scores: "xr.Dataset") -> dict[str, "xr.Dataset"]:
    """Take scores apart by model; those without such an axis are of one."""
    if "model" not in scores.dims:
        return {"model": scores}
    return {str(name): scores.sel(model=name) for name in scores["model"].values}


def medians(scores: Mapping[str, "xr.Dataset"], title: str = "median over sites") -> Rows:
    """Give a row for each model, and how many sites have a score.

    Args:
        scores: Of each model `[site]`, by name.
    """
    rows: Rows = [(title, *SHOWN, "sites")]
    for name, one in scores.items():
        count = int(np.isfinite(one["rmse"].values).sum())
        rows.append((name, *(median(one[score].values) for score in SHOWN), str(count)))
    return rows


def by_site(scores: "xr.Dataset") -> Rows:
    """Give a row for each site, the best first."""
    rows: Rows = [("site", *SHOWN, "days")]
    for i in np.argsort(scores["rmse"].values):
        one = scores.isel(site=int(i))
        cells = [median(one[score].values) for score in SHOWN]
        rows.append((str(one["site"].values), *cells, str(int(one["days"]))))
    return rows


def median(values: np.ndarray) -> str:
    """Give the median of what is there."""
    there = np.asarray(values)[np.isfinite(values)]
    return f"{np.median(there):.3f}" if there.size else "–"
