"""Time programs against each other, and hold the results beside their targets.

The machine is shared, so seconds mean little and ratios within one run mean something. Programs
that are compared take turns (A B A B …) and the ratio is the median over turns. The clock is the
processor time of this process, which does not run while another process has the core; what remains
of its neighbours is the cache they share.
"""

import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax


class Row(NamedTuple):
    """One figure of the table."""

    what: str
    value: float
    target: float | None = None  # None: for information
    more_is_better: bool = False
    unit: str = "×"

    @property
    def passes(self) -> bool | None:
        """Tell whether the target is met, None where there is none."""
        if self.target is None:
            return None
        if self.more_is_better:
            return self.value >= self.target
        return self.value <= self.target


class Report(NamedTuple):
    """What one measurement found."""

    rows: list[Row]
    notes: list[str]
    compile_seconds: dict[str, float]


class Scale(NamedTuple):
    """How much to run: all of it, or a minute's version."""

    quick: bool

    def pick(self, full: int, quick: int) -> int:
        """Choose a size."""
        return quick if self.quick else full


class Times(dict[str, list[float]]):
    """Seconds of every turn, by name."""

    def ratio(self, above: str, below: str) -> float:
        """Median over turns of the ratio within the turn."""
        pairs = zip(self[above], self[below], strict=True)
        return statistics.median(a / b for a, b in pairs)

    def least(self, name: str) -> float:
        """Return the least disturbed turn."""
        return min(self[name])

    def median(self, name: str) -> float:
        """Return the middle turn."""
        return statistics.median(self[name])


def compiled(function: Callable[..., Any], *args: Any) -> tuple[jax.stages.Compiled, float]:
    """Compile ahead of time, and say how many wall-clock seconds that took."""
    start = time.perf_counter()
    program = jax.jit(function).lower(*args).compile()
    return program, time.perf_counter() - start


def take_turns(turns: int, programs: Mapping[str, Callable[[int], Any]]) -> Times:
    """Run all programs once unwatched, then in alternation; each is given the turn's number."""
    for program in programs.values():
        jax.block_until_ready(program(0))
    times = Times({name: [] for name in programs})
    for turn in range(turns):
        for name, program in programs.items():
            start = time.process_time()
            jax.block_until_ready(program(turn))
            times[name].append(time.process_time() - start)
    return times
