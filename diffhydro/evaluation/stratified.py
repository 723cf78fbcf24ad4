"""Scores by stratum: how they spread over the places of each, and scores of parts of the time."""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING

import numpy as np

from diffhydro.errors import InputError
from diffhydro.evaluation.metrics import LEAST
from diffhydro.evaluation.scoring import score
from diffhydro.evaluation.strata import UNKNOWN

if TYPE_CHECKING:
    import xarray as xr

QUANTILES = (0.25, 0.5, 0.75)


def stratify(
    scores: "xr.Dataset",
    by: "xr.DataArray",
    *,
    strata: Sequence[str] | None = None,
    quantiles: Sequence[float] = QUANTILES,
    least: int = 1,
) -> "xr.Dataset":
    """Give quantiles of scores over the places of each stratum, and how many have a score.

    Args:
        scores: Of places, such as `score` gives them.
        by: The stratum of each place (`strata.py` makes them); places of none are passed over.
        strata: Those wanted, in this order; all that there are if not given.
        least: Places with a score that quantiles need.
    """
    import xarray as xr

    axis = _axis(scores, by)
    wanted = _wanted(by, strata)
    if not all(0.0 <= q <= 1.0 for q in quantiles):
        raise InputError(f"quantiles lie between 0 and 1, not {tuple(quantiles)}")
    parts = [scores.isel({axis: np.flatnonzero(by.values == name)}) for name in wanted]
    made = {}
    for name, values in scores.data_vars.items():
        if axis not in values.dims or values.dtype.kind not in "fiu":
            continue
        counts = xr.concat([part[name].notnull().sum(axis) for part in parts], "stratum")
        spread = xr.concat([_quantiles(part[name], axis, quantiles) for part in parts], "stratum")
        made[name] = spread.where(counts >= least)
        made[f"{name}_count"] = counts
    if not made:
        raise InputError(f"the scores have no number over {axis}")
    return xr.Dataset(made).assign_coords(stratum=list(wanted), quantile=list(quantiles))


def score_parts(
    simulated: "xr.DataArray",
    observed: "xr.DataArray",
    parts: "xr.DataArray",
    *,
    over: str = "time",
    least: int = LEAST,
) -> "xr.Dataset":
    """Score each part of the time by itself, such as each season, along an axis `stratum`.

    Anomalies are from the mean of the days of the same part.

    Args:
        parts: The stratum of each step, over the same steps as `observed`.
    """
    import xarray as xr

    if parts.dims != (over,):
        raise InputError(f"parts are over {', '.join(map(str, parts.dims))}, not {over} alone")
    if over not in observed.dims or parts.sizes[over] != observed.sizes[over]:
        raise InputError(
            f"{parts.sizes[over]} steps have a part, but {dict(observed.sizes)} are observed"
        )
    wanted = _wanted(parts, None)
    chosen = (observed.isel({over: np.flatnonzero(parts.values == name)}) for name in wanted)
    found = [score(simulated, part, over=over, least=least) for part in chosen]
    return xr.concat(found, "stratum").assign_coords(stratum=list(wanted))


def _quantiles(values: "xr.DataArray", axis: str, quantiles: Sequence[float]) -> "xr.DataArray":
    found = values.astype(np.float64)
    if not found.sizes[axis] or not bool(found.notnull().any()):
        return found.isel({axis: []}).sum(axis).expand_dims(quantile=list(quantiles)) * np.nan
    # Where one model has no score at a stratum and another has, numpy warns of the empty column.
    known = found.notnull().any(axis)
    return found.where(known, 0.0).quantile(list(quantiles), axis).where(known)


def _axis(scores: "xr.Dataset", by: "xr.DataArray") -> str:
    if by.ndim != 1 or by.dims[0] not in scores.dims:
        raise InputError(
            f"strata are over one axis of the scores ({', '.join(map(str, scores.dims))}), not "
            f"over {', '.join(map(str, by.dims)) or 'none'}"
        )
    axis = str(by.dims[0])
    if by.sizes[axis] != scores.sizes[axis] or scores.sizes[axis] == 0:
        raise InputError(f"{by.sizes[axis]} places have a stratum, {scores.sizes[axis]} a score")
    if axis in by.indexes and axis in scores.indexes and not by.indexes[axis].equals(
        scores.indexes[axis]
    ):  # fmt: skip
        raise InputError(f"strata and scores are of other values of {axis}, or in another order")
    return axis


def _wanted(by: "xr.DataArray", strata: Sequence[str] | None) -> tuple[str, ...]:
    there = {str(name) for name in np.unique(by.values.astype(str))} - {UNKNOWN}
    if not there:
        raise InputError("no place has a stratum")
    if strata is None:
        order = [str(name) for name in by.attrs.get("order", ())]
        return (*(n for n in order if n in there), *sorted(there - set(order)))
    for name in strata:
        if name not in there:
            near = get_close_matches(str(name), sorted(there), 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise InputError(
                f"there is no stratum {name!r}; there are {', '.join(sorted(there))}{hint}"
            )
    return tuple(strata)
