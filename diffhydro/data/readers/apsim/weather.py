"""Weather files of APSIM, `.met`: lines `name = value (unit)`, names, units, one line a day.

The warmth of a day is the middle between its maximum and minimum, which is all that the file has;
`!` begins a comment. Pan evaporation is not read: it is no potential evaporation of a surface.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from diffhydro.data.conform import Origin, attributes
from diffhydro.data.readers.apsim.report import column_of
from diffhydro.data.readers.files import text
from diffhydro.data.readers.stations import Station
from diffhydro.data.readers.steps import DAY
from diffhydro.data.readers.tables.clock import CLOCK, times_of
from diffhydro.data.readers.tables.columns import assembled, refuse_nonsense
from diffhydro.data.readers.tables.delimited import Table, under
from diffhydro.data.readers.tables.labels import plain
from diffhydro.data.schema import VARIABLES
from diffhydro.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

PRODUCT = "APSIM weather"
_PLACE = ("latitude", "longitude", "tav", "amp")


def read_apsim_weather(paths: Path | Iterable[Path], *, dates: str | None = None) -> "xr.Dataset":
    """Read weather files, one a site, called as the file is.

    Args:
        dates: `"dd/mm/yyyy"` or `"mm/dd/yyyy"`, where a column of dates leaves it open.
    """
    files = [paths] if isinstance(paths, Path) else list(paths)
    stations, columns, lost = [], [], {}
    for path in files:
        table, units, place = _opened(path)
        found = {
            i: column
            for i, name in enumerate(table.header)
            if (column := column_of(name, units.get(name) or None)) is not None
        }
        times = _times(table, dates)
        stations.append(
            Station(
                path.stem,
                [c.series(times, table.numbers(i), DAY, path.name) for i, c in found.items()],
                place,
            )
        )
        columns += found.values()
        lost |= dict.fromkeys(
            n for i, n in enumerate(table.header) if i not in found and plain(n) not in CLOCK
        )
    if not columns:
        raise InputError(f"{files[0]} has no radn, maxt, mint or rain: is it {PRODUCT}?")
    notes = {"time_zone": "local standard time"} | ({"not_read": ", ".join(lost)} if lost else {})
    made = assembled(stations, columns, DAY, Origin(PRODUCT, tuple(files), notes))
    refuse_nonsense(made, files[0].name)
    return _with_middle(made)


def _opened(path: Path) -> tuple[Table, dict[str, str], dict[str, float]]:
    """Take a file apart: its table, the units by column, what it says of the place."""
    lines = enumerate(text(path, expected=PRODUCT).splitlines(), 1)
    told = [(number, line.split("!")[0].strip()) for number, line in lines]
    body = [(number, line) for number, line in told if line and not line.startswith("[")]
    said = dict(line.split("=", 1) for _, line in body if "=" in line)
    rows = [(number, line.split()) for number, line in body if "=" not in line]
    if len(rows) < 2 or not all(cell.startswith("(") for cell in rows[1][1]):
        raise InputError(
            f"{path} is no {PRODUCT}: expected a line of names and a line of units in brackets"
        )
    (_, names), (_, units), *values = rows
    if len(names) != len(units):
        raise InputError(f"{path} has {len(names)} names and {len(units)} units; expected as many")
    place = {
        name.strip().lower(): _number(path, name.strip(), value)
        for name, value in said.items()
        if name.strip().lower() in _PLACE
    }
    spelled = {name: unit.strip("()") for name, unit in zip(names, units, strict=True)}
    return under(path, names, values), spelled, place


def _number(path: Path, name: str, value: str) -> float:
    first = (value.split() or [""])[0]
    try:
        number = float(first)
    except ValueError as error:
        raise InputError(f"{path}: {name} is {value.strip()!r}; expected a number") from error
    variable = VARIABLES.get(name.lower())
    if variable is not None and not variable.least <= number <= variable.most:
        raise InputError(
            f"{path}: {name} is {number:g}; expected {variable.least:g} … {variable.most:g}"
        )
    return number


def _times(table: Table, dates: str | None) -> np.ndarray:
    times = times_of(table, dates).astype("datetime64[D]")
    wrong = np.flatnonzero(np.diff(times) <= np.timedelta64(0, "D"))
    if len(wrong):
        line = table.lines[int(wrong[0]) + 1]
        raise InputError(f"{table.path} line {line}: {times[wrong[0] + 1]} is not after the last")
    return times


def _with_middle(found: "xr.Dataset") -> "xr.Dataset":
    """Add a temperature where there is none: the middle of maximum and minimum."""
    if "temperature" in found or not {"temperature_max", "temperature_min"} <= set(found):
        return found
    middle = (found["temperature_max"] + found["temperature_min"]) / np.float32(2.0)
    middle.attrs = attributes(VARIABLES["temperature"]) | {
        "source_name": "maxt, mint",
        "source_unit": found["temperature_max"].attrs["source_unit"],
        "stamp": "start",
        "comment": "the middle of maximum and minimum",
    }
    return found.assign(temperature=middle)
