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
    forcing = path.parent / name
    if not forcing.resolve().is_relative_to(path.parent.resolve()):
        raise InputError(f"{path}: forcing_file '{name}' leads out of the folder of the case file")
    return _read_forcing(forcing, needed, case)


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
        raise InputError(f"forcing file {path} does not exist or is not a file")
    table, lines = read_table(path, ["t_end", *needed])
    unknown = [name for name in table if name not in _OPTIONAL_COLUMNS | {"t_end"}]
    if unknown:
        raise InputError(f"{path}: unknown {_listed(unknown)}; known: {sorted(_OPTIONAL_COLUMNS)}")
    t_end = table["t_end"]
    _check_forcing(path, t_end, table, lines)
    last = max(case.output_times[-1], case.profile_times[-1])
    if t_end[-1] < last - 1e-9 * last:
        raise InputError(f"{path} ends at day {t_end[-1]:g}, but output is asked until {last:g}")
    return Weather(t_end=t_end, columns={k: v for k, v in table.items() if k != "t_end"})


def read_table(path: Path, needed: list[str]) -> tuple[dict[str, np.ndarray], list[int]]:
    """Read a CSV of numbers: its columns, and the line of the file each row stands on."""
    try:
        with path.open(newline="", encoding="utf-8") as stream:
            reader = csv.reader(stream)
            numbered = [(reader.line_num, row) for row in reader if row]
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} is not readable as CSV text: {error}") from error
    header = [name.strip() for name in numbered[0][1]] if numbered else []
    missing = [name for name in needed if name not in header]
    if missing:
        raise InputError(f"{path}: missing {_listed(missing)}; the header reads {header}")
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise InputError(f"{path}: {_listed(twice)} given more than once; keep one")
    if len(numbered) == 1:
        raise InputError(f"{path} has a header but no rows")
    values = np.asarray([_numbers(path, line, header, row) for line, row in numbered[1:]])
    return dict(zip(header, values.T, strict=True)), [line for line, _ in numbered[1:]]


def _numbers(path: Path, line: int, header: list[str], row: list[str]) -> list[float]:
    if len(row) != len(header):
        raise InputError(f"{path}, line {line}: {len(row)} values for {len(header)} columns")
    numbers = []
    for name, cell in zip(header, row, strict=True):
        try:
            numbers.append(float(cell))
        except ValueError:
            raise InputError(f"{path}, line {line}: {name} is '{cell}', not a number") from None
    return numbers


def _check_forcing(
    path: Path, t_end: np.ndarray, table: dict[str, np.ndarray], lines: list[int]
) -> None:
    for name, values in table.items():
        wrong = ~np.isfinite(values)
        if name in {"P", "Epot", "Tpot"}:
            wrong |= values < 0
        if wrong.any():
            first = int(np.argmax(wrong))
            raise InputError(
                f"{path}: {name} is {values[first]} at {int(wrong.sum())} of {len(values)} rows "
                f"(first: line {lines[first]}, t_end {t_end[first]}); it must be a finite number"
                + (" and not negative" if name in {"P", "Epot", "Tpot"} else "")
            )
    steps = np.diff(t_end, prepend=0.0)
    if (steps <= 0).any():
        first = int(np.argmax(steps <= 0))
        raise InputError(f"{path}, line {lines[first]}: t_end {t_end[first]} does not increase")


def _listed(names: list[str]) -> str:
    return ("columns " if len(names) > 1 else "column ") + ", ".join(f"'{name}'" for name in names)
