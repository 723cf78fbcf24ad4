"""Maps as channels: one for every variable, or for every depth of one that has depths."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from diffhydro.data.conform import attributes
from diffhydro.data.grids.grid import Grid, shape
from diffhydro.data.grids.maps import maps_of
from diffhydro.data.schema import VARIABLES
from diffhydro.errors import InputError

if TYPE_CHECKING:
    import xarray as xr


class Channel(NamedTuple):
    """What a channel holds.

    Args:
        depth: Of the middle of the layer, mm; None for what has no depth.
    """

    name: str
    depth: float | None = None

    def __str__(self) -> str:
        """Write it as `sand_25`, or `elevation`."""
        return self.name if self.depth is None else f"{self.name}_{self.depth:g}"


def channels_of(found: "xr.Dataset") -> "dict[Channel, xr.Variable]":
    """Split maps of one time into channels, in the order of the variables; nothing is read."""
    if found.sizes.get("time") == 1:
        found = found.isel(time=0, drop=True)
    made = {}
    for name in maps_of(found):
        variable = found[name].variable
        extra = sorted(map(str, set(variable.dims) - {"y", "x", "depth"}))
        if extra:
            raise InputError(
                f"{name} has the dimension {', '.join(extra)}; a channel is one map: choose, as in "
                "found.sel(time=…), or make a variable of each"
            )
        if "depth" in variable.dims:
            for i, depth in enumerate(found["depth"].values):
                made[Channel(name, float(depth))] = variable.isel(depth=i).transpose("y", "x")
        else:
            made[Channel(name)] = variable.transpose("y", "x")
    return made


def as_maps(values: np.ndarray, channels: Sequence[Channel], grid: Grid) -> "xr.Dataset":
    """Turn `[channel, y, x]` into a data set; the inverse of `channels_of`."""
    import xarray as xr

    if values.shape != (len(channels), *shape(grid)):
        raise InputError(
            f"values have the shape {values.shape}; expected {(len(channels), *shape(grid))}"
        )
    layers = dict(zip(channels, values, strict=True))
    depths = sorted({channel.depth for channel in channels if channel.depth is not None})
    made: dict[str, Any] = {}
    for name in dict.fromkeys(channel.name for channel in channels):
        known = attributes(VARIABLES[name]) if name in VARIABLES else {}
        if Channel(name) in layers:
            made[name] = (("y", "x"), layers[Channel(name)], known)
        else:
            nothing = np.full(shape(grid), np.nan, values.dtype)
            stack = [layers.get(Channel(name, depth), nothing) for depth in depths]
            made[name] = (("depth", "y", "x"), np.stack(stack), known)
    coordinates: dict[str, Any] = {
        "latitude": ("y", grid.latitude, {"units": "degree", "standard_name": "latitude"}),
        "longitude": ("x", grid.longitude, {"units": "degree", "standard_name": "longitude"}),
    }
    if depths:
        coordinates["depth"] = ("depth", np.array(depths), {"units": "mm", "positive": "down"})
    return xr.Dataset(made, coordinates)
