"""What a run of the study gives back, and the clock that it goes by."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Outcome:
    """What a run found.

    Args:
        tables: Rows by name; also `<name>.csv`.
        checks: Claims, and whether they hold.
        words: What to know beside the numbers.
    """

    tables: dict[str, Rows]
    figures: list[Path]
    checks: dict[str, bool]
    words: list[str] = field(default_factory=list)


class Clock:
    """Tells what is done, and remembers how long it took."""

    def __init__(self, report: Callable[[str], None]) -> None:
        self._report = report
        self._marks: list[tuple[str, float]] = []

    def __call__(self, words: str) -> None:
        self._marks.append((words, time.perf_counter()))
        self._report(words)

    def rows(self) -> Rows:
        """Give seconds by step."""
        pairs = zip(self._marks, self._marks[1:], strict=False)
        return [{"step": words, "seconds": round(end - at, 1)} for (words, at), (_, end) in pairs]
