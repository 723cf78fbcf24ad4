"""What places are like: a table with one row a site, and how it joins series by the site's name.

Columns are labelled as in `table.py`. `sand_5`, `sand_10` … become a profile over (site, depth); a
column `sand` beside them, which says no depth, is then `sand_profile`. `lai_01` … `lai_12` become
`leaf_area_monthly` over (site, month). What the schema does not have keeps name, unit and values.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from diffhydro.data.conform import Origin, Source, attributes, conform
from diffhydro.data.readers.tables.columns import refuse_nonsense
from diffhydro.data.readers.tables.delimited import Table
from diffhydro.data.readers.tables.labelled import read_labelled
from diffhydro.data.readers.tables.labels import Label, plain
from diffhydro.data.readers.tables.table import SITES
from diffhydro.data.schema import VARIABLES
from diffhydro.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

_TEXTURE = ("sand", "silt", "clay")
_PLACE = ("latitude", "longitude")
_MONTHS = range(1, 13)


def read_attributes(
    path: Path,
    *,
    units: Mapping[str, str] | None = None,
    depth_unit: str = "cm",
    missing: tuple[float, ...] = (-9999.0,),
) -> "xr.Dataset":
    """Read a table of sites.

    Args:
        units: By column, for those that do not say theirs.
        depth_unit: Of depths without one: mm, cm, m or in.
        missing: Codes for nothing, beside empty cells, NA, NaN and `?`.
    """
    import xarray as xr

    table, labels = read_labelled(path, units or {}, depth_unit)
    at, sites = _sites(table)
    groups = _groups(path, labels, at)
    depths = sorted(
        {labels[i].depth or 0.0 for columns in groups.values() for i in columns} - {0.0}
    )
    coordinates: dict[str, Any] = {"site": sites}
    if depths:
        coordinates["depth"] = ("depth", depths, {"units": "mm", "positive": "down"})
    if any(len(columns) > 1 and labels[columns[0]].month for columns in groups.values()):
        coordinates["month"] = list(_MONTHS)
    made = {
        name: _variable(table, [labels[i] for i in columns], columns, depths, missing)
        for name, columns in groups.items()
    }
    whole = xr.Dataset(made, coordinates, Origin("a table of sites", (path,)).attributes())
    _refuse_shares(whole, path)
    return whole.set_coords([name for name in _PLACE if name in whole])


def _sites(table: Table) -> tuple[int, list[str]]:
    at = next((i for i, name in enumerate(table.header) if plain(name) in SITES), None)
    if at is None:
        raise InputError(
            f"{table.path} has no column of sites ({', '.join(SITES)}); it has "
            f"{', '.join(table.header[:12])}"
        )
    names = table.column(at)
    seen: set[str] = set()
    for name, line in zip(names, table.lines, strict=True):
        if not name or name in seen:
            what = f"has {name} a second time" if name else "names no site"
            raise InputError(f"{table.path} line {line} {what}; a site has one row, with its name")
        seen.add(name)
    return at, names


def _groups(path: Path, labels: Sequence[Label], skip: int) -> dict[str, list[int]]:
    """Give the columns of every variable that is made."""
    deep = {one.name for one in labels if one.depth is not None}
    months = {one.name: [] for one in labels if one.month is not None}
    for one in labels:
        if one.month is not None:
            months[one.name].append(one.month)
    groups: dict[str, list[int]] = {}
    for i, one in enumerate(labels):
        if i == skip:
            continue
        name = one.name or one.text.strip()
        if one.month is not None:
            whole = sorted(months[one.name]) == list(_MONTHS)
            name = f"{one.name}_monthly" if whole else one.text.strip()
        elif one.depth is None and one.name in deep:
            name = f"{one.name}_profile"
        groups.setdefault(name, []).append(i)
    for name, columns in groups.items():
        places = [(labels[i].depth, labels[i].month) for i in columns]
        if len(set(places)) < len(places):
            same = " and ".join(labels[i].text.strip() for i in columns[:2])
            raise InputError(f"{path} has {same} for {name}; leave one out, or rename it")
        columns.sort(key=lambda i: (labels[i].depth or 0.0, labels[i].month or 0))
    return groups


def _variable(
    table: Table,
    labels: Sequence[Label],
    columns: Sequence[int],
    depths: Sequence[float],
    missing: tuple[float, ...],
) -> "xr.Variable":
    """Make a variable of the columns at its depths or months, in the schema's unit if it has it."""
    import xarray as xr

    first = labels[0]
    if first.name is None and not table.is_number(columns[0]):
        return xr.Variable("site", np.array(table.column(columns[0])))
    values = np.stack([table.numbers(i, missing) for i in columns], axis=1)
    if first.depth is not None:
        full = np.full((len(values), len(depths)), np.nan)
        full[:, [depths.index(one.depth) for one in labels if one.depth is not None]] = values
        found = xr.Variable(("site", "depth"), full)
    elif len(columns) > 1:
        found = xr.Variable(("site", "month"), values)
    else:
        found = xr.Variable("site", values[:, 0])
    if first.name is None:
        return _as_it_is(found, first.unit)
    if first.name in _PLACE:  # a hundred metres in single precision, so not by `conform`
        return _place(table, first, found)
    label = ", ".join(one.text.strip() for one in labels)
    units = {one.unit for one in labels}
    if len(units) > 1:
        raise InputError(f"{label} in {table.path} have the units {units}; expected one for all")
    origin = Origin("a table of sites", (table.path,))
    made = conform(xr.Dataset({label: found}), {label: Source(first.name, first.unit)}, origin)
    refuse_nonsense(made, table.path.name)
    return made[first.name].variable


def _as_it_is(found: "xr.Variable", unit: str | None) -> "xr.Variable":
    """Keep what the schema does not have; whole numbers, such as those of stations, whole."""
    import xarray as xr

    values = found.values
    if np.isfinite(values).all() and (values == np.floor(values)).all() and values.size:
        values = values.astype(np.int64)
    return xr.Variable(found.dims, values, {} if unit is None else {"units": unit})


def _place(table: Table, label: Label, found: "xr.Variable") -> "xr.Variable":
    import xarray as xr

    assert label.name is not None
    variable = VARIABLES[label.name]
    where = f"{label.text.strip()} in {table.path.name}"
    factor, offset = variable.conversion(label.unit, where)
    values = found.values * factor + offset
    outside = (values < variable.least) | (values > variable.most)
    if outside.any():
        at = int(np.flatnonzero(outside)[0])
        raise InputError(
            f"{where} is {values[at]:g} in line {table.lines[at]}; expected {variable.least:g} … "
            f"{variable.most:g} {variable.unit}"
        )
    return xr.Variable(found.dims, values, attributes(variable))


def _refuse_shares(found: "xr.Dataset", path: Path) -> None:
    """Refuse sand, silt and clay that add up to one: they are shares, and not per cent."""
    parts = [found[name] for name in _TEXTURE if name in found]
    if len(parts) == len(_TEXTURE) and float((parts[0] + parts[1] + parts[2]).max()) <= 1.5:
        raise InputError(
            f"sand, silt and clay in {path} add up to one, not to 100 %; say their unit: "
            "sand (1), or units={'sand': '1'}"
        )
