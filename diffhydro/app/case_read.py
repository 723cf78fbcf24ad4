"""Read a case file and the forcing table beside it, and say in one paragraph what is wrong."""

import csv
import json
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from diffhydro.app.case import Case
from diffhydro.errors import InputError


class Weather(BaseModel):
    """Forcing rows: each value holds from the end of the row before to `t_end`."""

    model_config = ConfigDict(arbitrary_types_allowed=True)
    t_end: np.ndarray
    columns: dict[str, np.ndarray]


def read_case(path: Path) -> tuple[Case, Weather]:
    """Read and check a case file and the forcing beside it."""
    if not path.is_file():
        raise InputError(f"case file {path} does not exist or is not a file")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not readable as JSON: {error}") from error
    try:
        case = Case.model_validate(content)
    except ValidationError as error:
        raise InputError(_first_problem(path, error, content)) from error
    return case, _weather(path, case)


def _first_problem(path: Path, error: ValidationError, content: object) -> str:
    problems = error.errors()
    first = problems[0]
    where = ".".join(str(part) for part in first["loc"]) or "the file"
    value = first.get("input")
    shown = json.dumps(value, default=str) if not isinstance(value, dict | list) else ""
    more = f" ({len(problems) - 1} more problems in the file)" if len(problems) > 1 else ""
    kind = first["type"]
    if kind == "extra_forbidden":
        return f"{path}: unknown key '{where}'; remove it or check its spelling{more}"
    if kind == "missing":
        return f"{path}: key '{where}' is missing{more}"
    given = f", got {shown}" if shown else ""
    return f"{path}: key '{where}': {first['msg'].removeprefix('Value error, ')}{given}{more}"


def _weather(path: Path, case: Case) -> Weather:
    needed = _needed_columns(case)
    if case.forcing_file is None:
        if needed:
            raise InputError(
                f"{path}: {_listed(needed)} needed, but the file gives neither a constant value "
                "nor a 'forcing_file'"
            )
        last = max(case.output_times[-1], case.profile_times[-1])
        return Weather(t_end=np.asarray([last]), columns={})
    name = Path(case.forcing_file)
    if name.is_absolute() or ".." in name.parts:
        raise InputError(f"{path}: forcing_file must lie beside the case file, got '{name}'")
    return _read_forcing(path.parent / name, needed, case)


def _needed_columns(case: Case) -> list[str]:
    needed = []
    if case.top.type == "flux" and case.top.value is None:
        needed.append("top")
    if case.top.type == "head" and case.top.value is None:
        needed.append("htop")
    if case.top.type == "atmosphere":
        needed += [k for k in ("P", "Epot") if getattr(case.top, k) is None]
    if case.bottom.type == "head" and case.bottom.value is None:
        needed.append("hbot")
    if case.bottom.type == "flux" and case.bottom.value is None:
        needed.append("bottom")
    if case.roots is not None:
        needed.append("Tpot")
    return needed


_OPTIONAL_COLUMNS = {"P", "Epot", "Tpot", "top", "htop", "hbot", "bottom"}


def _read_forcing(path: Path, needed: list[str], case: Case) -> Weather:
    if not path.is_file():
        raise InputError(f"forcing file {path} does not exist")
    with path.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.reader(stream))
    header = [name.strip() for name in rows[0]] if rows else []
    missing = [name for name in ("t_end", *needed) if name not in header]
    if missing:
        raise InputError(f"{path}: missing {_listed(missing)}; the header reads {header}")
    unknown = [name for name in header if name not in _OPTIONAL_COLUMNS | {"t_end"}]
    if unknown:
        raise InputError(f"{path}: unknown {_listed(unknown)}; known: {sorted(_OPTIONAL_COLUMNS)}")
    table = _numbers(path, header, rows[1:])
    t_end = table["t_end"]
    _check_forcing(path, t_end, table)
    last = max(case.output_times[-1], case.profile_times[-1])
    if t_end[-1] < last - 1e-9 * last:
        raise InputError(f"{path} ends at day {t_end[-1]:g}, but output is asked until {last:g}")
    return Weather(t_end=t_end, columns={k: v for k, v in table.items() if k != "t_end"})


def _numbers(path: Path, header: list[str], rows: list[list[str]]) -> dict[str, np.ndarray]:
    rows = [row for row in rows if row]
    if not rows:
        raise InputError(f"{path} has a header but no rows")
    values = np.empty((len(rows), len(header)))
    for number, row in enumerate(rows, start=2):
        if len(row) != len(header):
            raise InputError(f"{path}, line {number}: {len(row)} values for {len(header)} columns")
        try:
            values[number - 2] = [float(cell) for cell in row]
        except ValueError as error:
            raise InputError(f"{path}, line {number}: not a number ({error})") from error
    return {name: values[:, i] for i, name in enumerate(header)}


def _check_forcing(path: Path, t_end: np.ndarray, table: dict[str, np.ndarray]) -> None:
    for name, values in table.items():
        wrong = ~np.isfinite(values)
        if name in {"P", "Epot", "Tpot"}:
            wrong |= values < 0
        if wrong.any():
            first = int(np.argmax(wrong))
            raise InputError(
                f"{path}: {name} is {values[first]} at {int(wrong.sum())} of {len(values)} rows "
                f"(first: line {first + 2}, t_end {t_end[first]}); it must be a finite number"
                + (" and not negative" if name in {"P", "Epot", "Tpot"} else "")
            )
    steps = np.diff(t_end, prepend=0.0)
    if (steps <= 0).any():
        first = int(np.argmax(steps <= 0))
        raise InputError(f"{path}, line {first + 2}: t_end {t_end[first]} does not increase")


def _listed(names: list[str]) -> str:
    return ("columns " if len(names) > 1 else "column ") + ", ".join(f"'{name}'" for name in names)
