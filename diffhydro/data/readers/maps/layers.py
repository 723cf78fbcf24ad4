"""Layers of soil that a file has as so many variables: one variable over depth.

A depth is the middle of a layer, in mm, between its `top` and its `bottom`. Of water in kg m⁻² (mm)
the share of the layer's volume is

    θ = w/(z_bottom − z_top)
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from diffhydro.data.readers.maps.product import expect_unit

if TYPE_CHECKING:
    import xarray as xr

# By the file's name of a variable the top and the bottom of its layer, mm.
Layers = Mapping[str, tuple[float, float]]


def profile(found: "xr.Dataset", layers: Layers, unit: str) -> "xr.DataArray":
    """Stack the layers that are there, from the top down; each is in `unit`, if it says any."""
    import xarray as xr

    here = sorted((bounds, label) for label, bounds in layers.items() if label in found)
    for _, label in here:
        expect_unit(found, label, unit)
    tops, bottoms = zip(*(bounds for bounds, _ in here), strict=True)
    middles = [(top + bottom) / 2.0 for top, bottom in zip(tops, bottoms, strict=True)]
    depth = xr.IndexVariable("depth", middles, {"units": "mm", "positive": "down"})
    stacked = xr.concat(
        [found[label] for _, label in here],
        depth,
        coords="minimal",
        compat="override",
        join="override",
        combine_attrs="drop",
    )
    placed = stacked.assign_coords(top=("depth", list(tops)), bottom=("depth", list(bottoms)))
    return placed.assign_attrs(units=unit)


def water_content(found: "xr.Dataset", layers: Layers) -> "xr.DataArray":
    """Give the volumetric water of layers whose water is in kg m⁻²."""
    water = profile(found, layers, "kg m-2")
    content = water / (water["bottom"] - water["top"])
    return content.assign_attrs(units="m3 m-3")


def over_one_depth(profiles: Mapping[str, "xr.DataArray"]) -> dict[str, "xr.DataArray"]:
    """Give profiles the layers of all of them; what one lacks is missing there."""
    depths = sorted(
        {
            (float(d), float(top), float(bottom))
            for one in profiles.values()
            for d, top, bottom in zip(one["depth"], one["top"], one["bottom"], strict=True)
        }
    )
    middles, tops, bottoms = (list(part) for part in zip(*depths, strict=True))
    return {
        name: one.reindex(depth=middles).assign_coords(
            depth=("depth", middles, one["depth"].attrs),
            top=("depth", tops),
            bottom=("depth", bottoms),
        )
        for name, one in profiles.items()
    }
