"""Windows through time: which there are, and how much of each counts.

A window has a warm-up, in which a model forgets where it started and nothing is scored, and after
it a part that is scored. With `stride` left out the scored parts follow each other without overlap,
so every observation after the first warm-up counts exactly once. The last window of a run of times
ends with it, and is filled up with steps of weight 0.
"""

from dataclasses import dataclass

import numpy as np

from diffhydro.errors import InputError


@dataclass(frozen=True, eq=False)
class Cut:
    """Windows by site, first time and the time after the last real one, all `[window]`.

    Args:
        thin: Windows that were left out for too few observations.
        broken: Windows that were left out for missing forcing.
    """

    sites: np.ndarray
    starts: np.ndarray
    stops: np.ndarray
    thin: int = 0
    broken: int = 0

    def __len__(self) -> int:
        """Count the windows."""
        return len(self.sites)

    def only(self, sites: np.ndarray) -> "Cut":
        """Keep the windows of some sites, such as those of a cluster; indices."""
        mine = np.isin(self.sites, sites)
        return Cut(self.sites[mine], self.starts[mine], self.stops[mine])


@dataclass(frozen=True)
class Windows:
    """How to cut, counted in steps.

    Args:
        length: Of a window with its warm-up.
        stride: From one window to the next; the length of the scored part if not given.
        least: Observations that a scored part needs.
    """

    length: int
    warm_up: int = 0
    stride: int | None = None
    least: int = 1

    def __post_init__(self):
        """Refuse windows of which nothing is scored, and windows that do not move on."""
        if not 0 <= self.warm_up < self.length:
            raise InputError(
                f"a warm-up of {self.warm_up} steps leaves nothing of windows of {self.length}"
            )
        if self.stride is not None and self.stride < 1:
            raise InputError(f"windows that move on by {self.stride} steps; it takes at least 1")

    def cut(
        self,
        scored: np.ndarray,
        usable: np.ndarray | None = None,
        readable: np.ndarray | None = None,
    ) -> Cut:
        """Cut all windows, those of the first site first.

        >>> cut = Windows(length=4, warm_up=1).cut(np.ones((1, 8), bool))
        >>> cut.starts.tolist(), cut.stops.tolist()
        ([0, 3, 6], [4, 7, 8])

        Args:
            scored: `[site, time]`, where there is something to be scored.
            usable: `[site, time]`, where the forcing is complete; everywhere if not given.
            readable: `[time]`, where a window may be at all, its warm-up included.
        """
        starts, stops = self._places(
            np.ones(scored.shape[1], bool) if readable is None else readable
        )
        enough = _between(scored, starts + self.warm_up, stops) >= self.least
        whole = np.ones_like(enough)
        if usable is not None:
            whole = _between(~usable, starts, stops) == 0
        sites, windows = np.nonzero(enough & whole)
        return Cut(
            sites.astype(np.int32),
            starts[windows],
            stops[windows],
            thin=int((~enough).sum()),
            broken=int((enough & ~whole).sum()),
        )

    def _places(self, readable: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Give the first time of each window, and the time after its last."""
        edges = np.diff(np.concatenate([[False], readable, [False]]).astype(np.int8))
        runs = zip(np.flatnonzero(edges > 0), np.flatnonzero(edges < 0), strict=True)
        stride = self.stride or self.length - self.warm_up
        starts, stops = [np.zeros(0, int)], [np.zeros(0, int)]
        for first, after in runs:
            here = np.arange(first, after - self.warm_up, stride)
            starts.append(here)
            stops.append(np.minimum(here + self.length, after))
        return np.concatenate(starts), np.concatenate(stops)


def _between(there: np.ndarray, starts: np.ndarray, stops: np.ndarray) -> np.ndarray:
    """Count what is there from each start to before its stop, `[site, window]`."""
    sums = np.zeros((there.shape[0], there.shape[1] + 1), np.int32)
    np.cumsum(there, axis=1, out=sums[:, 1:])
    return sums[:, stops] - sums[:, starts]
