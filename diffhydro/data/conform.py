"""From a file's variables to the schema's: renamed, converted, masked, with where they came from.

Every reader ends here, so that everything after it sees one kind of data set:

- variables of `schema.VARIABLES`, in their unit, single precision, NaN where nothing is known;
- dimensions `site` or `y`, `x`, and `time`, `depth` (mm, the middle of a layer, or of a probe);
- rows from north to south, longitudes from −180 to 180;
- attributes that say the product, the files, and for each variable its name and unit in them.

Works lazily on what is chunked.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from diffhydro._version import __version__
from diffhydro.data.schema import VARIABLES, Variable
from diffhydro.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

_LISTED = 20  # files named in the attributes; of more the first and the last


@dataclass(frozen=True)
class Source:
    """What one variable of a file is.

    Args:
        name: The schema's name.
        unit: The file's unit; None for what its attribute `units` says, or else the package's own.
        missing: Values that stand for nothing, beside those that the file's attributes declare.
        stamp: What a time means: the `"start"` or the `"end"` of its interval, or an `"instant"`.
    """

    name: str
    unit: str | None = None
    missing: tuple[float, ...] = ()
    stamp: str = "start"


@dataclass(frozen=True)
class Origin:
    """Where a data set comes from."""

    product: str
    files: tuple[Path, ...]
    notes: Mapping[str, str] = field(default_factory=dict)

    def attributes(self) -> dict[str, str]:
        """Give what a data set says of itself; no date, no folder: it can be repeated."""
        names = [path.name for path in self.files]
        if len(names) > _LISTED:
            names = [names[0], f"… {len(names) - 2} more …", names[-1]]
        return {
            "Conventions": "CF-1.8",
            "product": self.product,
            "files": ", ".join(names),
            "history": f"read by diffhydro {__version__}",
            **self.notes,
        }


def conform(found: "xr.Dataset", sources: Mapping[str, Source], origin: Origin) -> "xr.Dataset":
    """Keep the variables that `sources` knows, as the schema has them; of none, refuse the file.

    Args:
        found: With the schema's dimensions, but the file's variables and units.
        sources: By the file's name of a variable.
    """
    import xarray as xr

    here = {name: source for name, source in sources.items() if name in found.variables}
    where = origin.files[0].name if origin.files else origin.product
    if not here:
        raise InputError(
            f"{where} has none of the variables of {origin.product} ({_some(sources)}); it has "
            f"{_some(map(str, found.data_vars))}"
        )
    made = {s.name: _conformed(found[name], name, s, where) for name, s in here.items()}
    coordinates = {name: found[name] for name in found.coords if str(name) not in {*made, *here}}
    return xr.Dataset(made, coordinates, origin.attributes())


def _conformed(found: "xr.DataArray", label: str, source: Source, where: str) -> "xr.DataArray":
    import xarray as xr

    variable = VARIABLES[source.name]
    unit = source.unit if source.unit is not None else found.attrs.get("units")
    factor, offset = variable.conversion(unit, f"{label} in {where}")
    is_there = found.notnull()
    for value in source.missing:
        is_there &= found != value
    kind = np.float64 if variable.most > 2**24 else np.float32  # keys exceed single precision
    values = found.astype(np.float64) * factor + offset
    good = is_there & (values >= variable.least) & (values <= variable.most)
    with xr.set_options(keep_attrs=False):
        values = values.where(good).astype(kind)  # masked first: what is absurd overflows
    values.attrs = attributes(variable) | {
        "source_name": label,
        "source_unit": str(unit) if unit is not None else variable.unit,
        "stamp": source.stamp,
    }
    if found.chunks is None:
        masked = int((is_there & ~good).sum())
        if masked:
            values.attrs["masked_outside_range"] = masked
    return values


def attributes(variable: Variable) -> dict[str, Any]:
    """Give the CF attributes of a variable of the schema."""
    given: dict[str, Any] = {"units": variable.unit, "valid_range": [variable.least, variable.most]}
    if variable.standard_name:
        given["standard_name"] = variable.standard_name
    return given


def upright(found: "xr.Dataset") -> "xr.Dataset":
    """Turn a map so that rows go from north to south and longitudes from −180 to 180.

    Coordinates `latitude` (over `y`) and `longitude` (over `x`) decide. Nothing is computed.
    """
    rows, columns = found["latitude"].values, found["longitude"].values
    if rows.size > 1 and rows[0] < rows[-1]:
        found = found.isel(y=slice(None, None, -1))
    wrapped = (columns + 180.0) % 360.0 - 180.0
    if (wrapped != columns).any():
        order = np.argsort(wrapped, kind="stable")
        found = found.assign_coords(longitude=("x", wrapped)).isel(x=order)
    return found


def _some(names: Iterable[str], most: int = 12) -> str:
    names = list(names)
    shown = ", ".join(names[:most]) or "nothing"
    return shown if len(names) <= most else f"{shown}, … {len(names) - most} more"
