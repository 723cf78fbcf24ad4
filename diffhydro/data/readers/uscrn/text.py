"""What the text products of the U.S. Climate Reference Network share.

One file for a station and a year, `<prefix>-<year>-<station>.txt`, without a header: fields between
blanks, a fixed number of them a line.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from diffhydro.data.readers.files import text
from diffhydro.errors import InputError


@dataclass(frozen=True)
class Layout:
    """One product.

    Args:
        prefix: Of its files' names.
        fields: In every line.
        words: Fields, counted from 0, that are not numbers.
    """

    product: str
    prefix: str
    fields: int
    words: frozenset[int]

    def named(self, path: Path) -> tuple[str, str]:
        """Give year and station of a file's name."""
        found = re.search(rf"{self.prefix}-(\d{{4}})-(.+)\.txt$", path.name)
        if not found:
            raise InputError(f"{path.name} is not named like {self.prefix}-<year>-<station>.txt")
        return found[1], found[2]

    def looks_like(self, path: Path) -> bool:
        """Tell by the name, or by that of a file inside a folder."""
        if path.is_dir():
            return next(path.rglob(f"{self.prefix}-*.txt"), None) is not None
        return re.search(rf"{self.prefix}-\d{{4}}-.+\.txt$", path.name) is not None

    def files(self, paths: Path | Iterable[Path]) -> list[Path]:
        """List the files; a folder stands for all such files below it."""
        given = [paths] if isinstance(paths, Path) else list(paths)
        found = []
        for path in given:
            found += sorted(path.rglob(f"{self.prefix}-*.txt")) if path.is_dir() else [path]
        if not found:
            raise InputError(
                f"no file {self.prefix}-<year>-<station>.txt in {', '.join(map(str, given))}"
            )
        return found

    def table(self, path: Path) -> np.ndarray:
        """Give all lines as numbers; NaN for the fields that are words."""
        rows = []
        for number, line in enumerate(text(path, expected=self.product).splitlines(), 1):
            # Loggers that failed left runs of NUL before records, or in their place.
            fields = line.lstrip("\0").split()
            if not fields:
                continue
            if len(fields) != self.fields:
                raise InputError(
                    f"{path} line {number} has {len(fields)} fields; {self.product} has "
                    f"{self.fields}: the file is cut short or of another product"
                )
            rows.append([self._number(path, number, i, field) for i, field in enumerate(fields)])
        if not rows:
            raise InputError(f"{path} has no records")
        return np.array(rows)

    def _number(self, path: Path, line: int, column: int, field: str) -> float:
        if column in self.words:
            return np.nan
        try:
            return float(field)
        except ValueError as error:
            raise InputError(
                f"{path} line {line}, field {column + 1} is {field!r}; expected a number"
            ) from error


def days(path: Path, stamps: np.ndarray, years: tuple[str, ...]) -> np.ndarray:
    """Turn numbers like 20120131 into days, which must be in one of the years."""
    unique, at = np.unique(stamps, return_inverse=True)
    return np.array([_day(path, stamp, years) for stamp in unique], "datetime64[D]")[at]


def _day(path: Path, stamp: float, years: tuple[str, ...]) -> str:
    digits = f"{stamp:.0f}"
    try:
        if not digits.startswith(years):
            raise ValueError
        return str(np.datetime64(f"{digits[:4]}-{digits[4:6]}-{digits[6:]}", "D"))
    except ValueError as error:
        raise InputError(
            f"{path} has the date {digits}; expected YYYYMMDD in {' or '.join(years)}"
        ) from error


def in_order(
    name: str, parts: list[tuple[np.ndarray, np.ndarray]]
) -> tuple[np.ndarray, np.ndarray]:
    """Join the years of a station, first to last; a time twice is refused."""
    times = np.concatenate([times for times, _ in parts])
    table = np.concatenate([table for _, table in parts])
    order = np.argsort(times, kind="stable")
    times, table = times[order], table[order]
    twice = np.flatnonzero(times[1:] == times[:-1])
    if len(twice):
        raise InputError(f"station {name} has {times[twice[0]]} twice; give every year once")
    return times, table
