"""Several imputers in order: each fills what those before it left."""

from dataclasses import dataclass

import numpy as np

from diffhydro.data.gaps.filled import AbstractImputer, Filled, Method, put


@dataclass(frozen=True)
class Chain:
    """Apply imputers one after the other, the most trusted first.

    Each sees the observations and not what others have put in: a gap keeps its length, and nothing
    is learned from an estimate.

    >>> from diffhydro.data.gaps.climatology import Climatology
    >>> from diffhydro.data.gaps.linear import Linear
    >>> both = Chain((Linear(limit=5), Climatology()))
    """

    imputers: tuple[AbstractImputer, ...]

    def fill(self, values: np.ndarray, times: np.ndarray) -> Filled:
        """Fill series `[site, time]`."""
        done = put(values, np.full(np.shape(values), np.nan), Method.AS_FOUND)
        for imputer in self.imputers:
            new = imputer.fill(values, times)
            still = np.isnan(done.values) & new.filled
            done = Filled(
                np.where(still, new.values, done.values), np.where(still, new.methods, done.methods)
            )
        return done
