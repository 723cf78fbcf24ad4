"""An archive of the network as a data set, by days or by hours."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from diffhydro.data.conform import Origin, Source, conform
from diffhydro.data.daily import LEAST
from diffhydro.data.readers.ismn.archive import Archive, groups, opened
from diffhydro.data.readers.ismn.flags import KEEP, wanted
from diffhydro.data.readers.ismn.harvest import Harvest, Progress, Wish, harvests
from diffhydro.data.readers.ismn.names import PATTERN
from diffhydro.data.readers.ismn.records import agreed
from diffhydro.data.readers.ismn.selection import among
from diffhydro.data.readers.ismn.steps import days, hours
from diffhydro.data.readers.ismn.variables import SOURCES, chosen
from diffhydro.data.readers.stations import Station, side_by_side
from diffhydro.data.readers.steps import conform_steps
from diffhydro.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

PRODUCT = "International Soil Moisture Network"
_DAY, _HOUR = np.timedelta64(1, "D"), np.timedelta64(1, "h")


def read_ismn(
    path: Path | str,
    *,
    keep: Iterable[str] = KEEP,
    variables: Iterable[str] | None = None,
    networks: Collection[str] | None = None,
    stations: Collection[str] | None = None,
    least: float = LEAST,
    progress: Progress | None = None,
    workers: int = 1,
) -> "xr.Dataset":
    """Read an archive as daily means (UTC).

    Args:
        path: A folder, the zip as it was ordered, or a single file.
        keep: Quality flags (`CODES`) of records that count; one with several flags counts if all of
            them are kept. The rest is missing.
        variables: Names of the schema, or the network's codes; all when not given.
        networks: All when not given.
        stations: All when not given; by the network's names, or as sites are called.
        least: Share of a day's records that makes a day.
        progress: Called with the stations that are done, and with all.
        workers: Processes that share the stations. Above 1 a script needs its calls below
            `if __name__ == "__main__":`, for every worker imports it.

    Returns:
        Sites called `<NETWORK>_<Station>`, with place, ground and climate as coordinates. Depth is
        the middle of a sensor's layer; sensors of one station that share it are averaged.
    """
    if not 0.0 <= least <= 1.0:
        raise InputError(f"least is {least}; expected a share of the day's records, 0 to 1")
    wish = Wish(wanted(keep), chosen(variables), partial(days, least=least))
    sources = {code: replace(source, stamp="start") for code, source in SOURCES.items()}
    return _read(Path(path), wish, (networks, stations), _DAY, sources, progress, workers)


def read_ismn_hourly(
    path: Path | str,
    *,
    keep: Iterable[str] = KEEP,
    variables: Iterable[str] | None = None,
    networks: Collection[str] | None = None,
    stations: Collection[str] | None = None,
    progress: Progress | None = None,
    workers: int = 1,
) -> "xr.Dataset":
    """Read an archive by hours (UTC), with the arguments of `read_ismn`.

    A decade of a thousand stations fills some gigabytes for every depth; choose.
    """
    wish = Wish(wanted(keep), chosen(variables), hours)
    return _read(Path(path), wish, (networks, stations), _HOUR, SOURCES, progress, workers)


def _read(
    path: Path,
    wish: Wish,
    asked: tuple[Collection[str] | None, Collection[str] | None],
    step: np.timedelta64,
    sources: Mapping[str, Source],
    progress: Progress | None,
    workers: int,
) -> "xr.Dataset":
    if workers < 1:
        raise InputError(f"workers is {workers}; expected 1 or more")
    with opened(path) as archive:
        found = groups(archive, wish.codes)
        if not found:
            raise InputError(
                f"{path} has no file of the network that measures one of "
                f"{', '.join(SOURCES[code].name for code in sorted(wish.codes))}; expected files "
                f"{PATTERN}"
            )
        found = among(archive, found, *asked)
        files = _files(archive, [name.path for group in found for name in group.files])
    read = list(harvests(path, found, wish, progress, workers))
    together = _with_reaches(side_by_side(_stations(read), step), read)
    notes = {
        "time_zone": "UTC",
        "quality_flags_kept": ", ".join(sorted(wish.keep)),
        "references": "Dorigo et al. 2021, doi:10.5194/hess-25-5749-2021",
    }
    conformed = conform if step == _DAY else conform_steps
    return conformed(together, sources, Origin(PRODUCT, files, notes))


def _files(archive: Archive, names: Sequence[str]) -> tuple[Path, ...]:
    """Give the files on disk."""
    if archive.path.is_dir():
        return tuple(archive.path / name for name in names)
    return (archive.path,)


def _stations(read: Sequence[Harvest]) -> list[Station]:
    """Join what was read of one station in several folders, as of several periods."""
    parts: dict[str, list[Harvest]] = {}
    for part in read:
        if part.series:
            parts.setdefault(part.place.site, []).append(part)
    return [_station(parts[site]) for site in sorted(parts)]


def _station(parts: Sequence[Harvest]) -> Station:
    place = agreed([part.place for part in parts])
    attributes: dict[str, Any] = {
        "latitude": place.latitude,
        "longitude": place.longitude,
        "elevation": place.elevation,
        "network": place.network,
        "station": place.station,
    }
    for part in parts:
        attributes |= part.ground
    return Station(place.site, [one for part in parts for one in part.series], attributes)


def _with_reaches(together: "xr.Dataset", read: Sequence[Harvest]) -> "xr.Dataset":
    """Add the top and bottom of layers, where all sensors with the same middle share them."""
    reaches = set().union(*(part.reaches for part in read))
    if all(top == bottom for top, bottom in reaches):
        return together
    sides = np.full((2, together.sizes["depth"]), np.nan)
    for i, depth in enumerate(together["depth"].values):
        same = {reach for reach in reaches if round(sum(reach) / 2.0, 3) == depth}
        if len(same) == 1:
            sides[:, i] = same.pop()
    top, bottom = (("depth", side, {"units": "mm"}) for side in sides)
    return together.assign_coords(top=top, bottom=bottom)
