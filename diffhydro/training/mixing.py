"""Each step a batch of one source or another, at random: study B's two kinds of labels.

(Khandelwal et al. 2026: a batch of simulated labels with probability p, else one of stations.)
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from diffhydro.data.batches import AbstractBatches
from diffhydro.errors import InputError

_ROUNDING = 1e-9  # of a sum of probabilities
_OF_MIXING = 0x6D6978  # sets the draws apart from an order with the same seed


@dataclass(frozen=True, eq=False)
class MixedBatches:
    """Batches of several sources.

    What is drawn depends on the seed, the epoch and the batch alone, so that a run can go on at any
    position. Every source walks through its own epochs, batch after batch as they are drawn: none
    of its windows comes again before all have been seen.

    >>> from diffhydro.training.fit.arrays import ArrayBatches
    >>> simulated, stations = (ArrayBatches.of(np.arange(8.0), size=2) for _ in range(2))
    >>> mixed = MixedBatches.of({"simulated": simulated, "stations": stations}, {"simulated": 0.8})
    >>> len(mixed), mixed.share("stations")
    (8, 0.2)

    Args:
        names: Of the sources.
        sources: In the same order.
        probabilities: Of each to be drawn.
        length: Batches of an epoch.
    """

    names: tuple[str, ...]
    sources: tuple[AbstractBatches, ...]
    probabilities: tuple[float, ...]
    length: int
    seed: int
    # What was worked out before: draws of each source in the first epochs, and the epoch that a
    # source is in. Neither says anything that seed and position do not.
    _drawn: list[np.ndarray] = field(default_factory=list, repr=False)
    _walked: dict[int, tuple[int, np.ndarray]] = field(default_factory=dict, repr=False)

    @classmethod
    def of(
        cls,
        sources: Mapping[str, AbstractBatches],
        probability: Mapping[str, float],
        *,
        length: int | None = None,
        seed: int = 0,
    ) -> "MixedBatches":
        """Mix sources.

        Args:
            probability: Of each source; one may be left out, and gets what is left.
            length: Batches of an epoch; as many as all the sources have together if not given,
                those that are never drawn left out.
        """
        shares = _shares(tuple(sources), probability)
        used = [source for source, p in zip(sources.values(), shares, strict=True) if p > 0]
        for name, source in sources.items():
            _check_source(name, source)
        length = sum(len(source) for source in used) if length is None else length
        if length < 1:
            raise InputError(f"an epoch of {length} batches; it takes at least 1")
        return cls(tuple(sources), tuple(sources.values()), shares, length, seed)

    def share(self, name: str) -> float:
        """Give the probability of a source."""
        return self.probabilities[self.names.index(name)]

    def __len__(self) -> int:
        """Count the batches of an epoch."""
        return self.length

    def epoch(self, number: int) -> np.ndarray:
        """Give source, its epoch and its batch there, of each batch of an epoch, `[batch, 3]`."""
        drawn = self._draw(number)
        before = self._before(number)
        which = np.empty((self.length, 3), np.int64)
        for i, source in enumerate(self.sources):
            mine = drawn == i
            count = before[i] + np.arange(mine.sum())
            which[mine] = np.stack(
                [np.full(len(count), i), count // len(source), count % len(source)], axis=1
            )
        return which

    def read(self, which: np.ndarray) -> Any:
        """Read a batch of the source that was drawn."""
        source, number, batch = (int(x) for x in which)
        if self._walked.get(source, (-1,))[0] != number:
            self._walked[source] = number, self.sources[source].epoch(number)
        return self.sources[source].read(self._walked[source][1][batch])

    def _draw(self, number: int) -> np.ndarray:
        rng = np.random.default_rng([_OF_MIXING, self.seed, number])
        edges = np.cumsum(self.probabilities)
        # What rounding leaves of one belongs to the last source that can be drawn at all.
        edges[np.flatnonzero(self.probabilities)[-1] :] = np.inf
        return np.searchsorted(edges, rng.random(self.length), "right")

    def _before(self, number: int) -> np.ndarray:
        """Count the batches of each source in all epochs before one."""
        while len(self._drawn) < number:
            drawn = self._draw(len(self._drawn))
            self._drawn.append(np.bincount(drawn, minlength=len(self.sources)))
        return sum(self._drawn[:number], np.zeros(len(self.sources), np.int64))


def _shares(names: tuple[str, ...], probability: Mapping[str, float]) -> tuple[float, ...]:
    listed = ", ".join(names)
    if not names:
        raise InputError("there are no sources to mix; give at least one, by name")
    if strange := [name for name in probability if name not in names]:
        raise InputError(f"there is no source {strange[0]!r}; there are {listed}")
    for name, p in probability.items():
        if not 0.0 <= p <= 1.0:
            raise InputError(f"the probability of {name} is {p}; expected 0 to 1")
    left = [name for name in names if name not in probability]
    if len(left) > 1:
        raise InputError(f"{' and '.join(left)} have no probability; at most one may be left out")
    rest = 1.0 - sum(probability.values())
    if rest < -_ROUNDING or (not left and rest > _ROUNDING):
        raise InputError(f"probabilities add up to {1.0 - rest:g}; expected 1")
    rest = max(round(rest, 12), 0.0)
    return tuple(float(probability.get(name, rest)) for name in names)


def _check_source(name: str, source: AbstractBatches) -> None:
    if len(source) == 0:
        raise InputError(f"the source {name} is empty: it has no windows")
    batch = source.read(source.epoch(0)[0])
    counts = np.asarray(batch.is_real).sum(axis=-1)
    size = np.asarray(batch.is_real).shape[-1]
    if not counts.any():
        raise InputError(f"the source {name} is empty: it has no windows")
    if len(source) == 1 and counts.max() < size:
        raise InputError(
            f"a batch of {size} windows is larger than the source {name}, which has "
            f"{counts.max()}; make it {counts.max()} or smaller"
        )
