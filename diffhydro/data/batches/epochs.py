"""The order in which windows are seen, epoch after epoch, and where a run can go on.

Everything is a function of the seed and the position: a run that stops and goes on at the position
it had saved sees what it would have seen.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from diffhydro.data.batches.batch import Batch, stack
from diffhydro.data.batches.source import Source
from diffhydro.data.batches.windows import Cut, Windows
from diffhydro.errors import InputError


class Position(NamedTuple):
    """The next batch: its epoch, and its number in it. Two plain numbers."""

    epoch: int = 0
    batch: int = 0


START = Position()


class AbstractOrder(Protocol):
    """Decides the order of windows in an epoch."""

    def of(self, number: int, epoch: int, member: int) -> np.ndarray:
        """Give a permutation of so many windows."""
        ...


@dataclass(frozen=True)
class Shuffled:
    """Another random order in every epoch, and for every member."""

    seed: int = 0

    def of(self, number: int, epoch: int, member: int) -> np.ndarray:
        """Give a permutation of so many windows."""
        return np.random.default_rng([self.seed, epoch, member]).permutation(number)


@dataclass(frozen=True)
class InOrder:
    """As they were cut, site by site, such as for a test."""

    def of(self, number: int, epoch: int, member: int) -> np.ndarray:
        """Give a permutation of so many windows."""
        return np.arange(number)


class AbstractBatches(Protocol):
    """Batches of epochs of one length."""

    def __len__(self) -> int:
        """Count the batches of an epoch."""
        ...

    def epoch(self, number: int) -> np.ndarray:
        """Give the windows of all batches of an epoch, batch first; −1 fills up."""
        ...

    def read(self, which: np.ndarray) -> Batch:
        """Read one batch of those."""
        ...


@dataclass(frozen=True, eq=False)
class Batches:
    """Batches of `size` windows; in every epoch each window once, the last batch filled up."""

    source: Source
    windows: Windows
    cut: Cut
    size: int
    order: AbstractOrder

    @classmethod
    def of(
        cls, source: Source, windows: Windows, size: int, order: AbstractOrder | None = None
    ) -> "Batches":
        """Cut the windows of a source; shuffled with seed 0 if no order is given."""
        cut = source.cut(windows)
        _check(cut, size, f"{cut.thin} have too few observations, {cut.broken} miss forcing")
        return cls(source, windows, cut, size, order or Shuffled())

    def __len__(self) -> int:
        """Count the batches of an epoch."""
        return (len(self.cut) + self.size - 1) // self.size

    def epoch(self, number: int) -> np.ndarray:
        """Give the windows of all batches of an epoch, `[batch, window]`; −1 fills up."""
        return _filled_up(self.order.of(len(self.cut), number, 0), len(self), self.size)

    def read(self, which: np.ndarray) -> Batch:
        """Read windows by their number."""
        return self.source.read(self.cut, self.windows, which)


@dataclass(frozen=True, eq=False)
class ClusteredBatches:
    """Batches for several models at once, each with the windows of its cluster of sites.

    The clusters differ in size. An epoch is as long as the largest needs; a smaller one that is
    through gets batches of weight 0.
    """

    source: Source
    windows: Windows
    cuts: tuple[Cut, ...]
    size: int
    order: AbstractOrder

    @classmethod
    def of(
        cls,
        source: Source,
        windows: Windows,
        size: int,
        clusters: Sequence[np.ndarray],
        order: AbstractOrder | None = None,
    ) -> "ClusteredBatches":
        """Cut the windows of a source.

        Args:
            clusters: Indices of the sites of each.
            size: Windows of a cluster in a batch.
        """
        cut = source.cut(windows)
        cuts = tuple(cut.only(np.asarray(sites)) for sites in clusters)
        for i, one in enumerate(cuts):
            _check(one, size, f"cluster {i} has {len(clusters[i])} sites, none of them a whole one")
        return cls(source, windows, cuts, size, order or Shuffled())

    def __len__(self) -> int:
        """Count the batches of an epoch."""
        return (max(len(cut) for cut in self.cuts) + self.size - 1) // self.size

    def epoch(self, number: int) -> np.ndarray:
        """Give the windows of all batches of an epoch, `[batch, member, window]`; −1 fills up."""
        orders = (self.order.of(len(cut), number, i) for i, cut in enumerate(self.cuts))
        return np.stack([_filled_up(order, len(self), self.size) for order in orders], axis=1)

    def read(self, which: np.ndarray) -> Batch:
        """Read windows by their number, `[member, window]`."""
        return stack(
            [
                self.source.read(cut, self.windows, mine)
                for cut, mine in zip(self.cuts, which, strict=True)
            ]
        )


def stream(
    batches: AbstractBatches, position: Position = START, epochs: int | None = None
) -> Iterator[tuple[Batch, Position]]:
    """Give batch after batch, each with the position to save once it is used.

    Args:
        position: The first to be given.
        epochs: How many there are, counted from the very first; without end if not given.
    """
    number, first = position
    if not 0 <= first < len(batches) or number < 0:
        raise InputError(
            f"position {tuple(position)}: an epoch has {len(batches)} batches, counted from 0; the "
            "data or the size of a batch are not those that it was saved with"
        )
    while epochs is None or number < epochs:
        every = batches.epoch(number)
        for i in range(first, len(every)):
            after = Position(number, i + 1) if i + 1 < len(every) else Position(number + 1, 0)
            yield batches.read(every[i]), after
        number, first = number + 1, 0


def _filled_up(order: np.ndarray, batches: int, size: int) -> np.ndarray:
    which = np.full(batches * size, -1, np.int64)
    which[: len(order)] = order
    return which.reshape(batches, size)


def _check(cut: Cut, size: int, why: str) -> None:
    if size < 1:
        raise InputError(f"batches of {size} windows; a batch has at least 1")
    if len(cut) == 0:
        raise InputError(f"no window can be used: {why}")
