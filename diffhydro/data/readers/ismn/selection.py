"""Which stations of an archive are wanted; what is asked for must be there."""

from collections.abc import Collection, Sequence
from difflib import get_close_matches
from pathlib import Path

import numpy as np

from diffhydro.data.readers.ismn.archive import Archive, Group, head
from diffhydro.data.readers.ismn.layouts import first_place
from diffhydro.data.readers.ismn.records import Place
from diffhydro.data.readers.ismn.words import words
from diffhydro.errors import InputError

_ENOUGH = 2**11  # bytes, for a first line
_LISTED = 12


def among(
    archive: Archive,
    groups: Sequence[Group],
    networks: Collection[str] | None,
    stations: Collection[str] | None,
) -> tuple[Group, ...]:
    """Leave out stations that are not asked for; None asks for all."""
    if networks is None and stations is None:
        return tuple(groups)
    places = [_place(archive, group) for group in groups]
    fits = np.ones(len(groups), bool)
    for what, asked, called in (
        ("networks", networks, [{place.network} for place in places]),
        ("stations", stations, [{place.station, place.site} for place in places]),
    ):
        if asked is not None:
            names = {asked} if isinstance(asked, str) else set(asked)
            _check_there(what, names, set().union(*called), archive.path)
            fits &= [bool(names & own) for own in called]
    if not fits.any():
        raise InputError(f"none of the stations {stations} is in one of the networks {networks}")
    return tuple(group for group, fit in zip(groups, fits, strict=True) if fit)


def _place(archive: Archive, group: Group) -> Place:
    name = group.files[0]
    begin = head(archive, name.path, _ENOUGH)
    return first_place(words(begin, str(archive.where(name.path))), name)


def _check_there(what: str, names: set[str], there: set[str], path: Path) -> None:
    every = sorted(there)
    for name in sorted(names - there):
        near = get_close_matches(name, every, n=1)
        more = f", … {len(every) - _LISTED} more" if every[_LISTED:] else ""
        raise InputError(
            f"{what} has {name!r}, which {path} does not have"
            f"{f'; did you mean {near[0]!r}?' if near else ''}; there are "
            f"{', '.join(every[:_LISTED])}{more}"
        )
