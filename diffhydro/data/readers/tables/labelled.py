"""Tables whose labels are the schema's, with units in brackets, in a second row, or said apart."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path

from diffhydro.data.readers.tables.delimited import Table, read_delimited, under
from diffhydro.data.readers.tables.labels import Label, label
from diffhydro.data.schema import VARIABLES
from diffhydro.errors import InputError


def read_labelled(
    path: Path, units: Mapping[str, str], depth_unit: str
) -> tuple[Table, list[Label]]:
    """Read a table, and what the label of every column says.

    Args:
        units: By column; they come before those of the file.
        depth_unit: Of depths without one.
    """
    (_, header), *rows = read_delimited(path, expected="a table of text")
    labels = [label(name, depth_unit) for name in header]
    if rows and _is_units(labels, rows[0][1]):
        labels = [
            replace(one, unit=one.unit or _bare(unit) or None)
            for one, unit in zip_longest(labels, rows[0][1][: len(labels)], fillvalue="")
            if isinstance(one, Label)
        ]
        rows = rows[1:]
    table = under(path, header, rows)
    unknown = [name for name in units if name not in table.header]
    if unknown:
        raise InputError(
            f"units name {unknown[0]!r}, which is no column of {path.name}; it has "
            f"{', '.join(table.header[:12])}"
        )
    labels = [
        replace(one, unit=units.get(one.text.strip(), one.unit), name=_known(table, i, one.name))
        for i, one in enumerate(labels[: len(table.header)])
    ]
    return table, labels


def _known(table: Table, at: int, name: str | None) -> str | None:
    """Give the schema's name, but for classes that are spelled out, which are codes there."""
    is_code = name is not None and VARIABLES[name].kind == "code"
    return None if is_code and not table.is_number(at) else name


def _is_units(labels: Sequence[Label], cells: Sequence[str]) -> bool:
    """Tell a row of units from records: no cell is a number or a date, and one is a unit."""
    if any(cell.strip().lstrip("+-.")[:1].isdigit() for cell in cells):
        return False
    bracketed = [cell for cell in cells if cell.strip()[:1] in ("(", "[")]
    return bool(bracketed) or any(
        one.name is not None and _bare(cell) and _is_unit_of(one.name, _bare(cell))
        for one, cell in zip(labels, cells, strict=False)
    )


def _bare(unit: str) -> str:
    return unit.strip().strip("()[]").strip()


def _is_unit_of(name: str, unit: str) -> bool:
    try:
        VARIABLES[name].conversion(unit, name)
    except InputError:
        return False
    return True
