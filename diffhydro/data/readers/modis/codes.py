"""What the bytes of MODIS leaf area mean: scales, codes for what has none, quality.

Leaf area is the byte times 0.1, FPAR times 0.01, both from 0 to 100. Above are codes (249 not
classified, 250 urban, 251 wetland, 252 snow, 253 barren, 254 water, 255 nothing), which must be
gone before the scale is applied. In `FparLai_QC` bits 3 and 4 tell of clouds, bits 5 to 7 of the
method (Myneni and Park 2015, MOD15 user's guide).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from diffhydro.data.conform import Source
from diffhydro.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

LEAF_AREA, FPAR, QUALITY = "Lai_500m", "Fpar_500m", "FparLai_QC"
SCALES = {LEAF_AREA: 0.1, FPAR: 0.01}
SOURCES = {LEAF_AREA: Source("leaf_area", "m2 m-2"), FPAR: Source("fpar", "1")}
_MOST = 100  # the largest byte that is a value


class Method(IntEnum):
    """How a value was found: bits 5 to 7 of the quality."""

    MAIN = 0
    MAIN_SATURATED = 1
    BACKUP_GEOMETRY = 2
    BACKUP_OTHER = 3
    NONE = 4


class Cloud(IntEnum):
    """Clouds over the pixel: bits 3 and 4 of the quality."""

    CLEAR = 0
    SIGNIFICANT = 1
    MIXED = 2
    NOT_DEFINED = 3


@dataclass(frozen=True)
class Keep:
    """Which values are kept; by default those of the main method under a sky that is clear.

    Where the quality is not at hand, all are kept.
    """

    methods: tuple[int, ...] = (Method.MAIN, Method.MAIN_SATURATED)
    clouds: tuple[int, ...] = (Cloud.CLEAR, Cloud.NOT_DEFINED)

    def __post_init__(self) -> None:
        """Refuse numbers that the bits cannot hold."""
        if not set(self.methods) <= set(range(8)) or not set(self.clouds) <= set(range(4)):
            raise InputError(
                f"methods are {self.methods} and clouds {self.clouds}; expected numbers of Method "
                "(0 to 7) and of Cloud (0 to 3)"
            )

    def good(self, quality: NDArray) -> NDArray:
        """Tell which bytes of quality are kept; NaN is not."""
        bytes_ = np.arange(256)
        table = np.isin(bytes_ >> 5, self.methods) & np.isin(bytes_ >> 3 & 3, self.clouds)
        known = np.isfinite(quality) & (quality >= 0) & (quality <= 255)
        return known & table[np.where(known, quality, 0).astype(np.int64)]


def scaled(codes: NDArray, scale: float) -> NDArray:
    """Give the values of bytes, NaN for a code."""
    with np.errstate(invalid="ignore"):
        valid = (codes >= 0) & (codes <= _MOST)
    return np.where(valid, codes * np.float32(scale), np.nan).astype(np.float32)


def decoded(layers: Mapping[str, Any], keep: Keep) -> "dict[str, xr.DataArray]":
    """Give leaf area and FPAR of bytes `[time, y, x]`, lazily where these are.

    Args:
        layers: By the names of MODIS' fields; bytes as numbers, NaN where there are none.
    """
    import xarray as xr

    def made(kernel: Any, *bytes_: Any, **fixed: Any) -> Any:
        kinds: dict[str, Any] = {"dask": "parallelized", "output_dtypes": [np.float32]}
        return xr.apply_ufunc(kernel, *bytes_, kwargs=fixed, **kinds)

    found = {name: xr.DataArray(v, dims=("time", "y", "x")) for name, v in layers.items()}
    values = {
        name: made(scaled, found[name], scale=s) for name, s in SCALES.items() if name in found
    }
    if QUALITY not in found:
        return values
    return {name: made(_kept, v, found[QUALITY], keep=keep) for name, v in values.items()}


def _kept(values: NDArray, quality: NDArray, keep: Keep) -> NDArray:
    return np.where(keep.good(quality), values, np.float32(np.nan))


def said(keep: Keep, has_quality: bool) -> dict[str, str]:
    """Give what the attributes of a data set say of its quality."""
    if not has_quality:
        return {"quality": "unknown: no FparLai_QC was given, and all values are kept"}
    methods, clouds = (" ".join(map(str, map(int, v))) for v in (keep.methods, keep.clouds))
    return {"quality": f"methods {methods} and clouds {clouds} of FparLai_QC"}
