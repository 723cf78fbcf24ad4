"""Weights that are a product of rows and columns, applied to maps with holes.

On grids whose rows depend on latitude only and columns on longitude only, the weights of area means
and of bilinear interpolation are products of two sparse matrices, R over rows and C over columns.
A map X with the mask V of what is there becomes

    Y = (R X Cᵀ) / (R V Cᵀ)   where   R V Cᵀ ≥ the least share,   else missing

and since the weights of a whole cell add up to one, R V Cᵀ is the share of it that has a value.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from diffhydro.data.grids.maps import floating
from diffhydro.errors import InputError

if TYPE_CHECKING:
    from scipy.sparse import csr_array

LEAST = 0.5  # share of a cell that must have a value
SLIVER = 1e-9  # share of a cell; less than this is rounding of edges, not a value


@dataclass(frozen=True, eq=False)
class Weights:
    """Of cells of the target (rows of a matrix) on cells of the source (its columns).

    Args:
        source: Rows and columns of the source.
        target: Of the target.
    """

    rows: "csr_array"
    columns: "csr_array"
    source: tuple[int, int]
    target: tuple[int, int]

    def sums(self, map_: np.ndarray, between: np.ndarray) -> np.ndarray:
        """Give R X Cᵀ of one map, in double precision.

        Args:
            between: Room for (R X)ᵀ. Fresh memory for every map takes longer than the products.
        """
        np.copyto(between, (self.rows @ map_).T)
        return (self.columns @ between).T

    def room(self) -> np.ndarray:
        """Make room for (R X)ᵀ."""
        return np.empty((self.source[1], self.target[0]))


def check_share(least: float) -> None:
    """Refuse what is not a share."""
    if not 0.0 <= least <= 1.0:
        raise InputError(f"the least valid share is {least}; expected 0 to 1")


def sparse(
    values: np.ndarray, target: np.ndarray, source: np.ndarray, shape: tuple[int, int]
) -> "csr_array":
    """Build a matrix of weights; what falls on one place is added."""
    from scipy.sparse import coo_array

    return coo_array((values, (target, source)), shape=shape).tocsr()


@dataclass(frozen=True, eq=False)
class WeightedMean:
    """The weighted mean of what is there, for blocks `[..., y, x]`.

    Args:
        least: Share of the weight that must have a value, from 0 to 1.
    """

    weights: Weights
    least: float = LEAST

    def __post_init__(self) -> None:
        """Refuse a share that is none."""
        check_share(self.least)

    def __call__(self, block: np.ndarray) -> np.ndarray:
        """Average a block."""
        maps = block.reshape(-1, *block.shape[-2:])
        out = np.empty((len(maps), *self.weights.target), floating(block.dtype))
        for i, mean in enumerate(self.means(maps)):
            out[i] = mean
        return out.reshape(*block.shape[:-2], *self.weights.target)

    def means(self, maps: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """Average map by map, in double precision; maps with the same holes share their weights.

        Every mean lies where the one before it lay: use it before asking for the next.
        """
        weights, between = self.weights, self.weights.room()
        filled = np.empty(weights.source)
        mean = np.empty(self.weights.target)
        holes, share, enough = None, mean, np.zeros(self.weights.target, bool)
        for map_ in maps:
            now = np.isnan(map_)
            if holes is None or not np.array_equal(now, holes):
                holes = now
                share = weights.sums((~holes).astype(np.float64), between)
                enough = share >= max(self.least - SLIVER, SLIVER)
                mean = np.full(self.weights.target, np.nan)
            np.copyto(filled, map_)
            filled[holes] = 0.0
            np.divide(weights.sums(filled, between), share, out=mean, where=enough)
            yield mean
