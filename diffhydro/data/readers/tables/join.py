"""Attributes of places beside their series, site by site."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import TYPE_CHECKING

import numpy as np

from diffhydro.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

APART = 0.02  # degrees; one station's coordinates differ less between tables
_SHOWN = 8


def join_attributes(dataset: "xr.Dataset", attributes: "xr.Dataset") -> "xr.Dataset":
    """Give the sites of a data set their attributes, in its order.

    Sites that only the attributes have are left out. What both have must agree, and is the data
    set's. A depth that one of the two lacks is missing there.
    """
    import xarray as xr

    for one, what in ((dataset, "the data set"), (attributes, "the attributes")):
        if "site" not in one.dims or "site" not in one.coords:
            raise InputError(
                f"{what} has no sites with names; it has {', '.join(map(str, one.dims))}"
            )
    ours, theirs = ([str(name) for name in one["site"].values] for one in (dataset, attributes))
    _refuse_strangers(ours, theirs)
    chosen = attributes.isel(site=[theirs.index(name) for name in ours])
    both = [
        name for name in chosen.variables if name in dataset.variables and name not in chosen.dims
    ]
    for name in both:
        _refuse_difference(str(name), dataset[name], chosen[name])
    kept = chosen.drop_vars(both)
    return xr.merge([dataset, kept], join="outer", compat="no_conflicts", combine_attrs="override")


def _refuse_strangers(ours: list[str], theirs: list[str]) -> None:
    lacking = [name for name in ours if name not in set(theirs)]
    if not lacking:
        return
    spare = [name for name in theirs if name not in set(ours)]
    near = {name: get_close_matches(name, spare, 1, 0.6) for name in lacking}
    said = [f"{name} (near: {near[name][0]})" if near[name] else name for name in lacking]
    raise InputError(
        f"{len(lacking)} of {len(ours)} sites have no attributes: {_some(said)}; attributes "
        f"without a series: {_some(spare)}"
    )


def _refuse_difference(name: str, ours: "xr.DataArray", theirs: "xr.DataArray") -> None:
    if ours.dims != theirs.dims or ours.shape != theirs.shape:
        raise InputError(
            f"{name} lies over ({', '.join(map(str, ours.dims))}) in the data set and over "
            f"({', '.join(map(str, theirs.dims))}) in the attributes; drop or rename one"
        )
    a, b = ours.values, theirs.values
    if a.dtype.kind in "iuf" and b.dtype.kind in "iuf":
        slack = APART if name in ("latitude", "longitude") else 1e-3 * np.abs(a).astype(float)
        same = ~(np.abs(a.astype(float) - b) > slack)  # what one of them lacks does not differ
    else:
        same = (a.astype(str) == b.astype(str)) | (a.astype(str) == "") | (b.astype(str) == "")
    if not same.all():
        at = np.argwhere(~same)[0]
        raise InputError(
            f"{name} of {ours['site'].values[at[0]]} is {a[tuple(at)]} in the data set and "
            f"{b[tuple(at)]} in the attributes: are they of one place? drop or mend one"
        )


def _some(names: Iterable[str]) -> str:
    names = list(names)
    shown = ", ".join(names[:_SHOWN]) or "none"
    return shown if len(names) <= _SHOWN else f"{shown}, … {len(names) - _SHOWN} more"
