"""Stations out of an archive: the files of each read, and every series reduced before the next.

What is kept of a station is as long as its days, so that a large archive never lies in memory as it
lies on disk.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from diffhydro.data.readers.ismn import layouts
from diffhydro.data.readers.ismn.archive import Archive, Group, opened, read
from diffhydro.data.readers.ismn.layouts import first_place
from diffhydro.data.readers.ismn.records import Place, Records, agreed
from diffhydro.data.readers.ismn.static import static
from diffhydro.data.readers.ismn.variables import IN_SOIL
from diffhydro.data.readers.ismn.words import words
from diffhydro.data.readers.stations import Series
from diffhydro.errors import InputError

Reduce = Callable[[Records], tuple[np.ndarray, np.ndarray]]
Progress = Callable[[int, int], None]
_PIECES = 8  # that a worker's share comes in: the last to end then waits for an eighth of it


@dataclass(frozen=True)
class Wish:
    """What is wanted of every station.

    Args:
        keep: Quality flags of records that count.
        codes: Of variables.
        reduce: From records to the steps that are kept.
    """

    keep: frozenset[str]
    codes: frozenset[str]
    reduce: Reduce


@dataclass(frozen=True)
class Harvest:
    """A station as it was read.

    Args:
        reaches: Top and bottom of the sensors in its soil, mm.
    """

    place: Place
    series: tuple[Series, ...]
    reaches: frozenset[tuple[float, float]]
    ground: dict[str, Any]


def harvest(archive: Archive, group: Group, wish: Wish) -> Harvest:
    """Read the files of one station."""
    series, reaches, places = [], set(), []
    for name in group.files:
        text = words(read(archive, name.path), str(archive.where(name.path)))
        places.append(first_place(text, name))
        for records in layouts.records(text, name, wish.keep):
            if records.code not in wish.codes or not len(records.times):
                continue
            depth = None
            if records.code in IN_SOIL:
                depth = round((records.top + records.bottom) / 2.0, 3)
                reaches.add((records.top, records.bottom))
            series.append(Series(records.code, *wish.reduce(records), depth))
    ground = {}
    if group.static:
        ground = static(read(archive, group.static), str(archive.where(group.static)))
    return Harvest(agreed(places), tuple(series), frozenset(reaches), ground)


def harvests(
    path: Path,
    chosen: Sequence[Group],
    wish: Wish,
    progress: Progress | None = None,
    workers: int = 1,
) -> Iterator[Harvest]:
    """Yield stations in order, read by this process or, where there are many, by several."""
    alone = workers == 1 or len(chosen) < 2 * workers
    pieces = _alone(path, chosen, wish) if alone else _shared(path, chosen, wish, workers)
    done = 0
    for piece in pieces:
        done += len(piece)
        if progress:
            progress(done, len(chosen))
        yield from piece


def _alone(path: Path, chosen: Sequence[Group], wish: Wish) -> Iterator[list[Harvest]]:
    with opened(path) as archive:
        for group in chosen:
            yield [harvest(archive, group, wish)]


def _shared(
    path: Path, chosen: Sequence[Group], wish: Wish, workers: int
) -> Iterator[list[Harvest]]:
    size = -(-len(chosen) // (_PIECES * workers))
    pieces = [chosen[start : start + size] for start in range(0, len(chosen), size)]
    # A fork would copy the locks of jax's threads; a new interpreter has none.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        try:
            yield from pool.map(_piece, repeat(path), pieces, repeat(wish))
        except BrokenProcessPool as error:
            raise InputError(
                "a worker process ended before its work; a script that asks for workers needs its "
                "calls below `if __name__ == '__main__':`, for every worker imports it; workers=1 "
                "needs nothing"
            ) from error


def _piece(path: Path, chosen: Sequence[Group], wish: Wish) -> list[Harvest]:
    with opened(path) as archive:
        return [harvest(archive, group, wish) for group in chosen]
