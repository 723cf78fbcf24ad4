"""Dates and tiles in the names of MODIS files."""

import re
from pathlib import Path

import numpy as np

from diffhydro.errors import InputError

_DATE = re.compile(r"(?:^|[._])(?:A|doy)(\d{4})(\d{3})(?=[._]|$)")
_TILE = re.compile(r"(?:^|[._])h(\d{2})v(\d{2})(?=[._]|$)")
_FIRST, _LAST = np.datetime64("2000-01-01"), np.datetime64("2100-01-01")


def date_in(name: str, where: Path) -> np.datetime64:
    """Give the first day of a composite, from `A2004001` or `doy2004001`."""
    found = _DATE.search(name)
    if found:
        first = np.datetime64(found[1], "Y").astype("datetime64[D]")
        day = first + np.timedelta64(int(found[2]) - 1, "D")
        if _FIRST <= day < _LAST and day >= first and str(day)[:4] == found[1]:
            return day
    raise InputError(
        f"{where} has no date in {name!r}; expected AYYYYDDD or doyYYYYDDD with a day of the year"
    )


def tile_in(path: Path) -> tuple[int, int]:
    """Give the tile's place across and down."""
    found = _TILE.search(path.name)
    if not found or int(found[1]) > 35 or int(found[2]) > 17:
        raise InputError(f"{path.name} names no tile h00v00 to h35v17")
    return int(found[1]), int(found[2])
