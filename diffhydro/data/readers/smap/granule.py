"""Granules of SMAP level 3: finding them, checking what they hold, reading windows of a dataset."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from diffhydro.data.ease import EaseGrid, grid_of
from diffhydro.data.readers.files import reading
from diffhydro.data.readers.heaps import check_heaps
from diffhydro.errors import InputError

if TYPE_CHECKING:
    import h5py

OVERPASSES = ("AM", "PM")
_EXPECTED = "SMAP SPL3SMP"
_NAME = re.compile(r"^SMAP_L3_SM_P_(?:E_)?(\d{4})(\d{2})(\d{2})_R\d{5}_\d{3}\.h5$")
_MISSING, _NO_FLAG = -9999.0, 65534
_FIRST, _LAST = np.datetime64("2015-01-01"), np.datetime64("2100-01-01")


def looks_like_smap(path: Path) -> bool:
    """Tell by the name, or by that of a file inside a folder."""
    if path.is_dir():
        return any(_NAME.match(found.name) for found in path.rglob("SMAP_L3_SM_P_*.h5"))
    return _NAME.match(path.name) is not None


@dataclass(frozen=True)
class File:
    """A granule whose groups have been checked."""

    path: Path
    grid: EaseGrid

    def values(self, name: str, overpass: str, rows: slice, columns: slice) -> NDArray:
        """Read numbers; NaN where there are none."""
        with _opened(self.path) as file:
            raw = _dataset(file, name, overpass, self.grid, "f")[rows, columns]
        return np.where(raw != np.float32(_MISSING), raw, np.nan).astype(np.float64)

    def flags(
        self, name: str, overpass: str, rows: slice, columns: slice
    ) -> tuple[NDArray, NDArray]:
        """Read bits, and where there are any: the mark of a missing flag has bits as well."""
        with _opened(self.path) as file:
            raw = _dataset(file, name, overpass, self.grid, "u")[rows, columns]
        return raw, raw != _NO_FLAG

    def names(self, overpass: str) -> set[str]:
        """List the datasets of a group, without their suffix."""
        with _opened(self.path) as file:
            return {str(name).removesuffix(_suffix(overpass)) for name in _group(file, overpass)}

    def check_cells(self, overpass: str) -> None:
        """Hold the file's own numbers of rows and columns against where its values stand."""
        everywhere = (slice(0, self.grid.rows), slice(0, self.grid.columns))
        numbers = np.meshgrid(
            np.arange(self.grid.rows), np.arange(self.grid.columns), indexing="ij"
        )
        for name, number in zip(("EASE_row_index", "EASE_column_index"), numbers, strict=True):
            if name in self.names(overpass):
                said, known = self.flags(name, overpass, *everywhere)
                if (known & (said != number)).any():
                    raise InputError(
                        f"{name} of {self.path} does not count the cells of its grid; a global "
                        "map of EASE-Grid 2.0 was expected, not a cut or a polar one"
                    )


@dataclass(frozen=True)
class Days:
    """Granules by day.

    Args:
        times: Every day from the first to the last.
        files: None for a day that has none.
        names: Datasets that the first granule has.
    """

    times: NDArray
    files: tuple[File | None, ...]
    grid: EaseGrid
    names: frozenset[str]


def open_days(paths: Path | Iterable[Path], overpasses: tuple[str, ...]) -> Days:
    """Order granules by day, and check that they are of one grid and have the overpasses."""
    by_day = _by_day(paths)
    times = np.arange(min(by_day), max(by_day) + np.timedelta64(1, "D"))
    found = {day: _checked(path, overpasses) for day, path in sorted(by_day.items())}
    first = next(iter(found.values()))
    for file in found.values():
        if file.grid != first.grid:
            raise InputError(f"{first.path} and {file.path} have different grids; read them apart")
    names = first.names(overpasses[0])
    first.check_cells(overpasses[0])
    files = tuple(found.get(day) for day in times)
    return Days(times.astype("datetime64[ns]"), files, first.grid, frozenset(names))


def _by_day(paths: Path | Iterable[Path]) -> dict[np.datetime64, Path]:
    given = [paths] if isinstance(paths, Path) else list(paths)
    files = [
        file
        for path in given
        for file in (sorted(path.rglob("SMAP_L3_SM_P_*.h5")) if path.is_dir() else [path])
    ]
    if not files:
        raise InputError(f"no file SMAP_L3_SM_P_….h5 in {', '.join(map(str, given)) or 'nothing'}")
    by_day: dict[np.datetime64, Path] = {}
    for path in files:
        day = _day(path)
        if day in by_day:
            raise InputError(f"{by_day[day]} and {path} are the same day; give one of them")
        by_day[day] = path
    return by_day


def _day(path: Path) -> np.datetime64:
    found = _NAME.match(path.name)
    try:
        if not found:
            raise ValueError
        day = np.datetime64("-".join(found.groups()), "D")
        if not _FIRST <= day < _LAST:
            raise ValueError
    except ValueError as error:
        raise InputError(
            f"{path.name} is not named like SMAP_L3_SM_P_<YYYYMMDD>_R<release>_<number>.h5"
        ) from error
    return day


def _checked(path: Path, overpasses: tuple[str, ...]) -> File:
    with _opened(path) as file:
        name = f"soil_moisture{_suffix(overpasses[0])}"
        found = _group(file, overpasses[0]).get(name)
        grid = grid_of(tuple(getattr(found, "shape", ())), f"{name} of {path}")
        for overpass in overpasses:
            _dataset(file, "soil_moisture", overpass, grid, "f")
            _dataset(file, "retrieval_qual_flag", overpass, grid, "u")
    return File(path, grid)


@contextmanager
def _opened(path: Path) -> Iterator["h5py.File"]:
    with reading(path, _EXPECTED):
        import h5py

        if not path.is_file():
            raise FileNotFoundError(path)
        check_heaps(path)
        with h5py.File(path, "r") as file:
            yield file


def _suffix(overpass: str) -> str:
    return "_pm" if overpass == "PM" else ""


def _group(file: "h5py.File", overpass: str) -> Any:
    name = f"Soil_Moisture_Retrieval_Data_{overpass}"
    found = file.get(name) if _is_inside(file, name) else None
    if found is None or not hasattr(found, "keys"):
        raise InputError(f"{file.filename} has no group {name}; is it {_EXPECTED}?")
    return found


def _dataset(file: "h5py.File", name: str, overpass: str, grid: EaseGrid, kind: str) -> Any:
    """Give a dataset that is a plain map of the grid, stored in the file itself."""
    name = name + _suffix(overpass)
    group, shape = _group(file, overpass), (grid.rows, grid.columns)
    found: Any = group.get(name) if _is_inside(group, name) else None
    if found is None:
        raise InputError(
            f"{file.filename} has no {name} in {group.name}; read files of one release together"
        )
    plain = not found.is_virtual and found.external is None
    blocks = all(a <= b for a, b in zip(found.chunks or shape, shape, strict=True))
    if found.shape != shape or found.dtype.kind != kind or not plain or not blocks:
        raise InputError(
            f"{name} of {file.filename} is {found.dtype} of shape {found.shape}; expected "
            f"{'numbers' if kind == 'f' else 'flags'} of shape {shape}, stored in the file"
        )
    return found


def _is_inside(group: Any, name: str) -> bool:
    """Tell whether a name is an object of this file, not a link to another."""
    import h5py

    return isinstance(group.get(name, getlink=True), h5py.HardLink)
