"""Köppen–Geiger climates of Beck et al. (2023), present and future, from 1° to 30 arc-seconds.

`<period>/koppen_geiger_<resolution>.tif`, one byte, EPSG:4326: 1 to 30 in the order of
`data.koppen.CLASSES`, 0 where there is no land.
"""

import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diffhydro.data.box import Box
from diffhydro.data.koppen import CLASSES
from diffhydro.data.readers.raster.classes import read_classes
from diffhydro.data.readers.raster.geotiff import MEMORY
from diffhydro.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

PRODUCT = "Köppen–Geiger, Beck et al. 2023"
_NAME = re.compile(r"^koppen_geiger_[0-9]+p[0-9]+\.tif$")
_PERIOD = re.compile(r"(?:^|/)(\d{4}_\d{4})(?:/(ssp\d+))?/[^/]+$")


def looks_like_koppen(path: Path) -> bool:
    """Tell by the name."""
    return _NAME.match(path.name) is not None


def read_koppen(
    path: Path,
    *,
    box: Box | None = None,
    step: int = 1,
    memory: float = MEMORY,
) -> "xr.Dataset":
    """Read `climate`, the codes 1 to 30, lazily; `letters` gives their names.

    Args:
        box: West, south, east, north in degrees; None for the whole map.
        step: Every how many cells one is kept.
        memory: Bytes that the map may take when it is loaded.
    """
    meanings = dict(enumerate(CLASSES, 1))
    found = _PERIOD.search(path.absolute().as_posix())
    notes = {"period": " ".join(part for part in found.groups() if part)} if found else {}
    return read_classes(
        path, PRODUCT, "climate", meanings, box=box, step=step, memory=memory, notes=notes
    )


def letters(codes: ArrayLike) -> NDArray:
    """Give the letters of climates; an empty word where there is none.

    >>> letters([7, float("nan"), 14]).tolist()
    ['BSk', '', 'Cfa']
    """
    values = np.asarray(codes, np.float64)
    known = np.isfinite(values)
    whole = np.where(known, values, 0.0)
    if ((whole < 0) | (whole > len(CLASSES)) | (whole != np.floor(whole))).any():
        raise InputError(f"climates are whole numbers from 1 to {len(CLASSES)}, NaN or 0 for none")
    return np.array(["", *CLASSES])[whole.astype(np.int64)]
