"""Matching of distributions: a series that gets the climatology of another (Reichle & Koster 2004).

Quantiles of both, in pairs, are the corners of a broken line from source to reference; beyond the
extremes its last pieces go on. Quantiles are Hazen's: of n sorted values the i-th (from 0) stands
at (i + ½)/n. Where several quantiles of one of both are equal, as with values of few digits, they
are spread evenly up to the next one.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from diffhydro.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

PERCENTILES = (0.0, 5.0, 10.0, 30.0, 50.0, 70.0, 90.0, 95.0, 100.0)
LEAST = 20  # values of a series


@dataclass(frozen=True, eq=False)
class CdfMatch:
    """A fitted match; `apply` needs no reference any more.

    >>> rng = np.random.default_rng(0)
    >>> probe = rng.normal(0.3, 0.05, 500)
    >>> satellite = 0.4 * probe + 0.1
    >>> match = CdfMatch.fit(satellite, probe)
    >>> bool(np.allclose(match.apply(satellite), probe))
    True

    Args:
        source: Quantiles of what is matched, all different.
        reference: Those of what it is matched to.
    """

    source: np.ndarray
    reference: np.ndarray

    @classmethod
    def fit(
        cls, source: Any, reference: Any, *, percentiles: tuple[float, ...] = PERCENTILES
    ) -> "CdfMatch":
        """Fit to all values of two arrays, NaN left out; they need not be of the same days.

        Values of the training only: what is matched later must not have been seen here.
        """
        levels = np.asarray(percentiles, np.float64)
        if len(levels) < 2 or levels[0] < 0 or levels[-1] > 100 or (np.diff(levels) <= 0).any():
            raise InputError("percentiles are two or more numbers from 0 to 100 that grow")
        found = []
        for name, values in (("source", source), ("reference", reference)):
            flat = np.asarray(values, np.float64).ravel()
            flat = flat[np.isfinite(flat)]
            if len(flat) < LEAST:
                raise InputError(f"the {name} has {len(flat)} values; a match needs {LEAST}")
            found.append(_quantiles(flat, levels))
        if (np.diff(found[0]) <= 0).any():
            raise InputError("the source does not vary; there is nothing to match")
        return cls(*found)

    def apply(self, values: Any) -> Any:
        """Give values the distribution of the reference; a DataArray keeps its coordinates."""
        if hasattr(values, "copy") and hasattr(values, "dims"):
            array: xr.DataArray = values
            return array.copy(data=self._mapped(np.asarray(array.values, np.float64)))
        return self._mapped(np.asarray(values, np.float64))

    def _mapped(self, x: np.ndarray) -> np.ndarray:
        piece = np.clip(np.searchsorted(self.source, x) - 1, 0, len(self.source) - 2)
        low, high = self.source[piece], self.source[piece + 1]
        start, end = self.reference[piece], self.reference[piece + 1]
        return start + (x - low) * (end - start) / (high - low)


def _quantiles(values: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Give quantiles, equal ones spread up to the next; equal ones at the end, from the last."""
    found = np.quantile(values, levels / 100.0, method="hazen")
    different, first = np.unique(found, return_index=True)
    if 1 < len(different) < len(found):
        places = levels[first]
        places[-1] = levels[-1]
        return np.interp(levels, places, different)
    return found
