"""Maps of classes on coarser grids: the class with the most area, and the share of each.

Classes are never averaged; what is averaged is whether a place is of a class. Shares are of the
area whose class is known.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from diffhydro.data.grids.area import overlap
from diffhydro.data.grids.grid import Grid
from diffhydro.data.grids.maps import Kernel, floating, is_code, maps_of, on_grid
from diffhydro.data.grids.recognise import grid_of
from diffhydro.data.grids.separable import LEAST, SLIVER, WeightedMean
from diffhydro.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

_MOST = 1000  # classes; more are keys, such as map units, and one pass over the map for each


def majority_on(found: "xr.Dataset", grid: Grid, *, least: float = LEAST) -> "xr.Dataset":
    """Give every cell the class that has most of its area; of equal ones the lowest number.

    Args:
        least: Share of a cell's area whose class must be known.
    """
    kernel = _Majority(WeightedMean(overlap(grid_of(found), grid), least))

    def kernel_of(variable: "xr.DataArray") -> tuple[Kernel, np.dtype]:
        _refuse_numbers(variable)
        return kernel, floating(variable.dtype)

    return on_grid(found, grid, kernel_of, "mode")


def shares_on(
    found: "xr.Dataset",
    grid: Grid,
    codes: Sequence[int] | None = None,
    *,
    least: float = LEAST,
) -> "xr.Dataset":
    """Give the share of every class in every cell, along a new dimension `class`.

    Args:
        found: One map of classes.
        codes: The classes to count; None for those of the attribute `flag_values`, or else for
            those that occur, for which the map is read once.
            Of a cell whose classes are not all among them, the shares add up to less than one.
        least: Share of a cell's area whose class must be known.
    """
    names = maps_of(found)
    if len(names) != 1:
        raise InputError(f"expected one map of classes; found {', '.join(names)}")
    (name,) = names
    _refuse_numbers(found[name])
    counted = _declared(found[name]) if codes is None else np.asarray(codes, np.float64)
    kernel = _Shares(WeightedMean(overlap(grid_of(found), grid), least), counted)

    def kernel_of(variable: "xr.DataArray") -> tuple[Kernel, np.dtype]:
        return kernel, np.dtype(np.float32)

    made = on_grid(found, grid, kernel_of, "mean", {"class": len(counted)})
    made[name].attrs = {"units": "1", "long_name": f"share of area of each class of {name}"}
    made = made.rename({name: f"{name}_share"})
    return made.assign_coords(
        {"class": counted.astype(np.int64), **_meanings(found[name], counted)}
    )


@dataclass(frozen=True, eq=False)
class _Shares:
    """The share of every class, for blocks `[..., y, x]`; gives `[..., class, y, x]`."""

    mean: WeightedMean
    codes: np.ndarray

    def __call__(self, block: np.ndarray) -> np.ndarray:
        """Count a block."""
        maps = block.reshape(-1, *block.shape[-2:])
        out = np.empty((len(maps), len(self.codes), *self.mean.weights.target), np.float32)
        for i, map_ in enumerate(maps):
            for j, share in enumerate(self.mean.means(_indicators(map_, self.codes))):
                out[i, j] = share
        return out.reshape(*block.shape[:-2], len(self.codes), *self.mean.weights.target)


@dataclass(frozen=True, eq=False)
class _Majority:
    """The class of most area, for blocks `[..., y, x]`."""

    mean: WeightedMean

    def __call__(self, block: np.ndarray) -> np.ndarray:
        """Choose for every map of a block."""
        maps = block.reshape(-1, *block.shape[-2:])
        out = np.full((len(maps), *self.mean.weights.target), np.nan, floating(block.dtype))
        for i, map_ in enumerate(maps):
            codes = _present(map_)
            most = np.zeros(self.mean.weights.target)
            shares = self.mean.means(_indicators(map_, codes))
            for code, share in zip(codes, shares, strict=True):
                is_more = share > most + SLIVER
                out[i][is_more], most[is_more] = code, share[is_more]
        return out.reshape(*block.shape[:-2], *self.mean.weights.target)


def _indicators(map_: np.ndarray, codes: np.ndarray) -> Iterator[np.ndarray]:
    """Yield for every class 1 where it is, 0 where another is, NaN where none is known."""
    known = ~np.isnan(map_)
    for code in codes:
        yield np.where(known, (map_ == code).astype(np.float32), np.float32(np.nan))


def _declared(variable: "xr.DataArray") -> np.ndarray:
    """List the classes that a variable may have, by its attributes, or else by its values."""
    if "flag_values" in variable.attrs:
        return np.sort(np.atleast_1d(variable.attrs["flag_values"]).astype(np.float64))
    return _present(variable.values)


def _meanings(variable: "xr.DataArray", codes: np.ndarray) -> dict[str, Any]:
    """Say in words what classes are, as a coordinate, where attributes tell."""
    words = str(variable.attrs.get("flag_meanings", "")).split()
    values = np.atleast_1d(variable.attrs.get("flag_values", ())).tolist()
    if not words or len(words) != len(values):
        return {}
    told = dict(zip(values, words, strict=True))
    return {"meaning": ("class", [told.get(code, "") for code in codes])}


def _present(values: np.ndarray) -> np.ndarray:
    """List the classes in values, in order."""
    codes = np.unique(values[~np.isnan(values)]).astype(np.float64)
    if len(codes) > _MOST:
        raise InputError(
            f"the map has {len(codes)} classes; expected {_MOST} at most: bring keys, such as map "
            "units, onto a grid with nearest_on, or turn them into what they stand for first"
        )
    return codes


def _refuse_numbers(variable: "xr.DataArray") -> None:
    if not is_code(variable):
        raise InputError(
            f"{variable.name} holds numbers, not classes; use mean_on for it, and leave it out "
            f"here: found.drop_vars({str(variable.name)!r})"
        )
