"""Tables of the soil survey, exported as CSV with their column names: columns of numbers."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from diffhydro.data.readers.files import reading
from diffhydro.errors import InputError

Table = dict[str, NDArray]
_WORDS = {"majcompflag"}


def table_file(folder: Path, name: str) -> Path:
    """Find `<name>.csv`, in any case of letters."""
    found = [path for path in sorted(folder.glob("*")) if path.name.lower() == f"{name}.csv"]
    if not found:
        raise InputError(
            f"no {name}.csv in {folder}; export the tables mapunit, component and chorizon as CSV"
        )
    return found[0]


def table(path: Path, needed: Iterable[str], optional: Iterable[str] = ()) -> Table:
    """Read columns; numbers, NaN where a field is empty, but for flags, which are words."""
    wanted = {*needed, *optional}
    with reading(path, "a table of the soil survey"):
        import pandas as pd

        raw = pd.read_csv(
            path,
            dtype=str,
            usecols=lambda column: column.strip().lower() in wanted,
            encoding_errors="replace",
        )
        found: Table = {
            str(name).strip().lower(): raw[name].fillna("").to_numpy(object) for name in raw
        }
    missing = [name for name in needed if name not in found]
    if missing:
        raise InputError(f"{path} has no column {', '.join(missing)}")
    return {n: c if n in _WORDS else _numbers(path, n, c) for n, c in found.items()}


def _numbers(path: Path, name: str, words: NDArray) -> NDArray:
    import pandas as pd

    values = np.asarray(pd.to_numeric(words, errors="coerce"), np.float64)
    wrong = [i for i in np.flatnonzero(~np.isfinite(values)) if str(words[i]).strip()]
    if wrong:
        raise InputError(f"{path} row {wrong[0] + 1}, {name}: {words[wrong[0]]!r} is no number")
    return values
