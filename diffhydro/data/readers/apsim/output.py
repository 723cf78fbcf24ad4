"""Output of APSIM: classic `.out`, the `.db` of Next Generation, and its CSV.

`.out` has lines `name = value`, a line of names, a line of units in brackets, then one line a day;
`?` is missing. See `apsim_database.py` for `.db`; CSV has the same columns.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from diffhydro.data.conform import Origin
from diffhydro.data.readers.apsim.database import read_database
from diffhydro.data.readers.apsim.report import Output, dataset, sites_of
from diffhydro.data.readers.files import text
from diffhydro.data.readers.tables.dates import DAY_FIRST, MONTH_FIRST
from diffhydro.data.readers.tables.delimited import read_delimited, under
from diffhydro.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

PRODUCT = "APSIM output"


def read_apsim(
    path: Path,
    *,
    thickness: Sequence[float] | None = None,
    report: str | None = None,
    dates: str | None = None,
) -> "xr.Dataset":
    """Read daily output; simulations become sites.

    Args:
        thickness: Of the layers, mm, from the top; needed where the output has layers.
        report: The table of a `.db`, where it has several.
        dates: `"dd/mm/yyyy"` or `"mm/dd/yyyy"`, where the file leaves it open.
    """
    origin = Origin(PRODUCT, (path,), {"state": "at the end of the day"})
    if path.suffix == ".db":
        return dataset(read_database(path, report), thickness, dates, origin)
    output = _csv(path) if path.suffix == ".csv" else _classic(path)
    said = next((unit for unit in output.units.values() if unit in (DAY_FIRST, MONTH_FIRST)), None)
    return dataset(output, thickness, dates or said, origin)


def _classic(path: Path) -> Output:
    lines = text(path, expected=PRODUCT).splitlines()
    numbered = [(n, line) for n, line in enumerate(lines, 1) if line.strip()]
    body = [(n, line.split()) for n, line in numbered if "=" not in line]
    if len(body) < 2 or not all(cell.startswith("(") for cell in body[1][1]):
        raise InputError(
            f"{path} is no {PRODUCT}: expected a line of names and a line of units in brackets"
        )
    (_, names), (_, units), *rows = body
    if len(names) != len(units):
        raise InputError(f"{path} has {len(names)} names and {len(units)} units; expected as many")
    table = under(path, names, rows)
    return Output(table, _units(names, units), [path.stem] * len(table.lines))


def _units(names: Sequence[str], units: Sequence[str]) -> dict[str, str]:
    return {name: unit.strip("() ") for name, unit in zip(names, units, strict=True)}


def _csv(path: Path) -> Output:
    (_, header), *rows = read_delimited(path, expected=PRODUCT)
    units = {}
    if rows and all(cell.strip()[:1] in ("", "(") for cell in rows[0][1]):
        names = [name.strip() for name in header]
        units = _units(names, [*rows[0][1], *[""] * len(names)][: len(names)])
        rows = rows[1:]
    table = under(path, header, rows)
    return Output(table, units, sites_of(table, path.stem))
