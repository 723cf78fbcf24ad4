"""Several sources of one variable merged by priority: the first that has a value wins.

Where each value came from is kept beside it, as `<name>_source`: 0 for none, 1 for the first
source, 2 for the second, and so on. Times, depths and sites become those of all sources together
(`uniting`). Nothing is filled, shifted or rescaled: `overlap_bias` tells how far sources differ.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from diffhydro._version import __version__
from diffhydro.data.schema import VARIABLES
from diffhydro.data.uniting import APART, OF_AXIS, unite
from diffhydro.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

_OF_ONE_FILE = ("source_name", "source_unit", "masked_outside_range")


def merge_by_priority(sources: "Mapping[str, xr.Dataset]", *, apart: float = APART) -> "xr.Dataset":
    """Merge data sets of the schema, the most trusted first.

    Args:
        sources: By a word for each, such as `"USCRN"`, in the order of priority.
        apart: How far, in km, two sources may place a site of one name.
    """
    import xarray as xr

    united = unite(sources, apart=apart)
    made = {}
    for name in dict.fromkeys(str(n) for source in united.values() for n in source.data_vars):
        having = {label: s[name] for label, s in united.items() if name in s.data_vars}
        _check_alike(having)
        made[name], made[f"{name}_source"] = _first(having, tuple(sources))
    coordinates = next(iter(united.values())).coords
    told = {
        what: source.attrs[what]
        for source in sources.values()
        for what, axis in OF_AXIS.items()
        if what in source.attrs and axis in source.dims
    }
    products = [f"{label}: {s.attrs.get('product', 'unknown')}" for label, s in sources.items()]
    history = f"merged by diffhydro {__version__}, first wins: {', '.join(sources)}"
    attributes = {"Conventions": "CF-1.8", "product": "; ".join(products), "history": history}
    return xr.Dataset(made, coordinates, attributes | told)


def overlap_bias(
    sources: "Mapping[str, xr.Dataset]", name: str, *, apart: float = APART
) -> "xr.Dataset":
    """Compare every two sources of a variable, over the times at which both have a value.

    Returns:
        Along `source` and `other`, for every site and depth or every cell: `bias`, the mean of
        source less other, and `count`, the times that they share.
    """
    import xarray as xr

    if name in VARIABLES and VARIABLES[name].kind == "code":
        raise InputError(f"{name} holds classes, which have no difference")
    having = {label: s[[name]] for label, s in sources.items() if name in s.data_vars}
    if len(having) < 2:
        raise InputError(f"{name} is in {', '.join(having) or 'none'}; expected two sources of it")
    united = {label: s[name] for label, s in unite(having, apart=apart).items()}
    _check_alike(united)
    labels = list(united)
    rows = [
        xr.concat([one - other for other in united.values()], "other") for one in united.values()
    ]
    difference = xr.concat(rows, "source").assign_coords(source=labels, other=labels)
    over = [axis for axis in difference.dims if axis == "time"]
    count = difference.notnull().sum(over)
    bias = difference.sum(over) / count.where(count > 0)
    bias.attrs = {"units": VARIABLES[name].unit} if name in VARIABLES else {}
    return xr.Dataset({"bias": bias, "count": count})


def _first(
    having: "Mapping[str, xr.DataArray]", labels: tuple[str, ...]
) -> "tuple[xr.DataArray, xr.DataArray]":
    """Take the first value there is, and the number of the source that it is from."""
    import xarray as xr

    (label, merged), *others = having.items()
    number = xr.where(merged.notnull(), np.uint8(labels.index(label) + 1), np.uint8(0))
    told = {k: v for k, v in merged.attrs.items() if k not in _OF_ONE_FILE}
    for label, values in others:
        values = values.transpose(*merged.dims)
        is_next = merged.isnull() & values.notnull()
        number = xr.where(is_next, np.uint8(labels.index(label) + 1), number)
        merged = merged.where(~is_next, values)
    merged = merged.copy(deep=False)
    merged.attrs = told
    number.attrs = {
        "long_name": f"source of {merged.name}",
        "flag_values": np.arange(len(labels) + 1, dtype=np.uint8),
        "flag_meanings": " ".join(("none", *labels)),
    }
    return merged, number


def _check_alike(having: "Mapping[str, xr.DataArray]") -> None:
    """Refuse values whose axes, units or intervals differ."""
    (label, one), *others = having.items()
    for other_label, other in others:
        pair = f"{one.name} of {label} and of {other_label}"
        if set(one.dims) != set(other.dims):
            raise InputError(
                f"{pair} have the dimensions {one.dims} and {other.dims}; give both the same, a "
                "depth for example with expand_dims"
            )
        units = one.attrs.get("units"), other.attrs.get("units")
        if units[0] != units[1]:
            raise InputError(f"{pair} are in {units[0]} and {units[1]}; read both by the schema")
        if {one.attrs.get("stamp"), other.attrs.get("stamp")} == {"start", "end"}:
            raise InputError(
                f"{pair} are stamped at the start and at the end of their steps; shift one by a "
                "step and correct its attribute stamp"
            )
