"""Files of the U.S. Climate Reference Network (daily01), brought from NOAA's server.

    fetch_uscrn(["OK_Stillwater_*", "KS_Manhattan_6_SSW"], range(2012, 2021), folder)

They come to `<folder>/<year>/`, as on the server. A file is checked line by line before it gets its
name. What is there and complete is not asked for again; a year that has not ended is, by its
length. An interrupted run is continued by the next one.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase
from functools import cache, partial
from pathlib import Path
from urllib.parse import unquote

import numpy as np

from diffhydro.data.download import WAITS, NotThereError, Progress, download, length, page
from diffhydro.data.readers.uscrn.daily import LAYOUT, station_year
from diffhydro.errors import InputError

NCEI = "https://www.ncei.noaa.gov/pub/data/uscrn/products/daily01"
_SITE = re.compile(r"[A-Za-z0-9_.\-]+")
_PATTERN = re.compile(r"[A-Za-z0-9_.\-*?\[\]!]+")
_FIRST_YEAR = 2000
_SHOWN = 5


def fetch_uscrn(
    sites: str | Iterable[str],
    years: int | Iterable[int],
    folder: Path,
    *,
    base: str = NCEI,
    progress: Progress | None = None,
    waits: Sequence[float] = WAITS,
) -> list[Path]:
    """Bring the station-years that are not there yet; give the paths of all of them.

    Args:
        sites: Names such as `KS_Manhattan_6_SSW`; `*`, `?` and `[…]` stand for several that the
            server lists for a year.
        base: The folder of the years.
        progress: Is told the file, its bytes so far and in all, as they come.
        waits: Seconds before each new try.
    """
    patterns = [sites] if isinstance(sites, str) else list(sites)
    wanted_years = [years] if isinstance(years, int) else list(years)
    _check_arguments(patterns, wanted_years)

    @cache
    def listed(year: int) -> tuple[str, ...]:
        return tuple(list_uscrn(year, base=base, waits=waits))

    found, missing = [], []
    for year, site in _resolved(patterns, wanted_years, listed):
        name = f"{LAYOUT.prefix}-{year}-{site}.txt"
        target, url = folder / str(year) / name, f"{base}/{year}/{name}"
        try:
            if not _is_complete(target, year, url, waits):
                check = partial(_check, year=year)
                download(url, target, check, waits=waits, progress=progress)
        except NotThereError:
            missing.append((site, year))
        else:
            found.append(target)
    if missing:
        raise InputError(_absent(missing, base, listed, len(found)))
    return found


def list_uscrn(year: int, *, base: str = NCEI, waits: Sequence[float] = WAITS) -> list[str]:
    """List the sites of a year, from the server's page of its folder."""
    try:
        shown = page(f"{base}/{year}/", waits)
    except NotThereError as error:
        raise NotThereError(f"{base} has no folder for {year}; give other years") from error
    names = re.findall(rf'href="[^"]*?{LAYOUT.prefix}-{year}-([^"/]+)\.txt"', shown)
    return sorted({name for name in map(unquote, names) if _SITE.fullmatch(name)})


def _check_arguments(patterns: list[str], years: list[int]) -> None:
    if not patterns or not years:
        raise InputError("nothing to fetch: give at least one site and one year")
    for pattern in patterns:
        if not _PATTERN.fullmatch(pattern):
            raise InputError(
                f"{pattern!r} is no name of a site; expected one like KS_Manhattan_6_SSW, or OK_*"
            )
    for year in years:
        if not (_FIRST_YEAR <= year < 2200):
            raise InputError(f"year {year}; the network began in {_FIRST_YEAR}")


def _resolved(
    patterns: list[str], years: list[int], listed: Callable[[int], tuple[str, ...]]
) -> list[tuple[int, str]]:
    """Give the station-years that names and patterns stand for, each once."""
    found: dict[tuple[int, str], None] = {}
    for pattern in patterns:
        if _SITE.fullmatch(pattern):
            found |= dict.fromkeys((year, pattern) for year in years)
            continue
        matching = [
            (year, site) for year in years for site in listed(year) if fnmatchcase(site, pattern)
        ]
        if not matching:
            near = _near(pattern.strip("*?[]!"), [site for year in years for site in listed(year)])
            raise InputError(f"no site is like {pattern} in {', '.join(map(str, years))}{near}")
        found |= dict.fromkeys(matching)
    return sorted(found)


def _is_complete(target: Path, year: int, url: str, waits: Sequence[float]) -> bool:
    """Tell whether a file is whole, up to the last day of its year or of the server's."""
    if not target.is_file():
        return False
    try:
        last = _check(target, year)
    except InputError:
        return False  # it is fetched again, and replaced in one step
    if last == np.datetime64(f"{year}-12-31"):
        return True
    return length(url, waits) == target.stat().st_size


def _check(path: Path, year: int) -> np.datetime64:
    """Raise if a file is not a station-year, whole lines in order; give its last day."""
    content = path.read_bytes()
    if content.lstrip()[:1] == b"<":
        raise InputError(f"the server sent a web page for {path.name}; expected {LAYOUT.product}")
    if not content.endswith(b"\n"):
        raise InputError(f"{path.name} ends in the middle of a line; it is cut short")
    days, _ = station_year(path, str(year))
    wrong = np.flatnonzero(np.diff(days) <= np.timedelta64(0, "D"))
    if len(wrong):
        raise InputError(f"{path.name} has {days[wrong[0] + 1]} after {days[wrong[0]]}")
    return days[-1]


def _absent(
    missing: list[tuple[str, int]],
    base: str,
    listed: Callable[[int], tuple[str, ...]],
    found: int,
) -> str:
    """Say what the server does not have, and what it has that is spelled alike."""
    said = []
    for site, year in missing[:_SHOWN]:
        try:
            said.append(f"{site} in {year}{_near(site, listed(year))}")
        except InputError:
            said.append(f"{site} in {year} (its folder cannot be listed)")
    more = f", … {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
    return f"{base} has no file for {', '.join(said)}{more}; {found} others are here"


def _near(site: str, listed: Sequence[str]) -> str:
    folded: Mapping[str, str] = {name.lower(): name for name in listed}
    near = get_close_matches(site.lower(), folded, 3, 0.6)
    return f" (near: {', '.join(folded[name] for name in near)})" if near else ""
