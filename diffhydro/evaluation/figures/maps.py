"""A map of numbers at places or in cells, with means over latitude beside it."""

from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from diffhydro.data.virtual.outlines import OUTLINES
from diffhydro.errors import InputError
from diffhydro.picture import COLOURS, blank_figure, save

if TYPE_CHECKING:
    import xarray as xr

_FALLING = "viridis"
_AROUND_ZERO = "RdBu"
_BAND = 5.0  # degrees of latitude that a mean is over
_SHAPE = 2.45  # width of the map over its height
_SPARSE = 4  # cells of the bounding grid per place; beyond it places are drawn as points


def draw_map(
    values: "xr.DataArray",
    target: Path,
    *,
    label: str = "",
    limits: tuple[float, float] | None = None,
    around_zero: float | None = None,
    band: float = _BAND,
) -> None:
    """Draw values that have coordinates `latitude` and `longitude`, over places or a grid.

    Land is outlined coarsely, to find one's way; it is no border of the data.

    Args:
        label: What the values are, with their unit; their own name and unit by default.
        limits: Of the colours; the middle 96 % of the values by default.
        around_zero: Half the range of colours of two hues that meet at 0, for a bias; instead of
            `limits`.
        band: Degrees of latitude that the means beside the map are over.
    """
    latitude, longitude, flat = _points(values)
    words = label or label_of(values)
    low, high = _limits(flat, limits, around_zero)
    hues = _FALLING if around_zero is None else _AROUND_ZERO
    figure, context = blank_figure((10.0, 4.8))
    with context:
        axes, beside = figure.subplots(1, 2, sharey=True, width_ratios=[5.0, 1.0])
        _outline(axes)
        shades = {"cmap": hues, "vmin": low, "vmax": high, "zorder": 2}
        image = _image(latitude, longitude, flat)
        if image is None:
            drawn = axes.scatter(longitude, latitude, c=flat, s=30, ec="0.2", lw=0.4, **shades)
        else:
            drawn = axes.pcolormesh(*image, shading="nearest", rasterized=True, **shades)
        figure.colorbar(drawn, ax=axes, label=words, shrink=0.75, extend="both", location="bottom")
        _frame(axes, latitude, longitude)
        _means(beside, latitude, flat, band, words)
        save(figure, target)


def label_of(values: "xr.DataArray") -> str:
    """Say what values are, with their unit."""
    words = str(values.attrs.get("long_name", values.name or "value")).replace("_", " ")
    unit = str(values.attrs.get("units", ""))
    return words if unit in ("", "1") else f"{words}, {pretty(unit)}"


def pretty(unit: str) -> str:
    """Write a unit as it is read."""
    return {"m3 m-3": "m³/m³", "mm day-1": "mm/day", "degC": "°C"}.get(unit, unit)


def _points(values: "xr.DataArray") -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    import xarray as xr

    lacking = [name for name in ("latitude", "longitude") if name not in values.coords]
    if lacking:
        raise InputError(f"the values have no {' and no '.join(lacking)}; a map needs both")
    spread = xr.broadcast(values, values["latitude"], values["longitude"])
    flat, latitude, longitude = (np.asarray(x.values, np.float64).ravel() for x in spread)
    if spread[0].size != values.size:
        raise InputError(
            f"a map is of one number a place; the values are over {dict(values.sizes)}"
        )
    known = np.isfinite(flat)
    if not known.any():
        raise InputError("there is no value to draw on the map")
    longitude = (longitude[known] + 180.0) % 360.0 - 180.0
    return latitude[known], longitude, flat[known]


def _limits(
    flat: np.ndarray, limits: tuple[float, float] | None, around_zero: float | None
) -> tuple[float, float]:
    if around_zero is not None:
        return -around_zero, around_zero
    low, high = limits or tuple(np.quantile(flat, (0.02, 0.98)))
    return (float(low), float(high)) if high > low else (float(low) - 0.5, float(low) + 0.5)


def _image(
    latitude: np.ndarray, longitude: np.ndarray, flat: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Lay places out as an image where they fill a grid; None where they are scattered."""
    rows, columns = (_regular(x) for x in (latitude, longitude))
    if rows is None or columns is None or len(rows) * len(columns) > _SPARSE * len(flat):
        return None
    image = np.full((len(rows), len(columns)), np.nan)
    at = [
        np.rint((x - g[0]) / (g[1] - g[0])).astype(int)
        for x, g in ((latitude, rows), (longitude, columns))
    ]
    image[at[0], at[1]] = flat
    return columns, rows, image


def _regular(values: np.ndarray) -> np.ndarray | None:
    """Give the even grid that values lie on, or None."""
    found = np.unique(np.round(values, 6))
    if len(found) < 2:
        return None
    step = np.diff(found).min()
    number = round(float(np.ptp(found) / step)) + 1
    grid = found[0] + step * np.arange(number)
    nearest = grid[np.rint((found - found[0]) / step).astype(int)]
    return grid if np.allclose(nearest, found, atol=0.05 * step) else None


def _outline(axes: Any) -> None:
    for corners in OUTLINES.values():
        x, y = np.array([*corners, corners[0]], float).T
        axes.fill(x, y, facecolor="0.94", edgecolor="0.75", lw=0.6, zorder=0)


def _frame(axes: Any, latitude: np.ndarray, longitude: np.ndarray) -> None:
    low, high = (np.array([x.min(), x.max()]) for x in (longitude, latitude))
    wide, tall = (0.56 * np.ptp(x) + 1.5 for x in (low, high))
    # Degrees of longitude shrink towards the poles; a map of half the globe is drawn plain.
    short = float(np.cos(np.radians(high.mean()))) if tall < 30.0 else 0.0
    if short > 0.0:
        wide, tall = max(wide, _SHAPE * tall / short), max(tall, wide * short / _SHAPE)
    for put, middle, half, most in (
        (axes.set_xlim, low.mean(), wide, 180.0),
        (axes.set_ylim, high.mean(), tall, 90.0),
    ):
        put(max(middle - half, -most), min(middle + half, most))
    axes.set(xlabel="longitude, °E", ylabel="latitude, °N")


def _means(axes: Any, latitude: np.ndarray, flat: np.ndarray, band: float, words: str) -> None:
    number = np.floor(latitude / band).astype(int)
    bands = np.unique(number)
    count = np.array([(number == b).sum() for b in bands])
    mean = np.array([flat[number == b].mean() for b in bands])
    spread = np.array([flat[number == b].std() for b in bands])
    middle = (bands + 0.5) * band
    axes.errorbar(mean, middle, xerr=spread, fmt="o", ms=4, lw=1.0, color=COLOURS[0], capsize=2)
    axes.set_title(f"mean ± s.d. of {band:g}°", fontsize=9)
    axes.set_xlabel(fill(words, 24), fontsize=8.5)
    axes.locator_params(axis="x", nbins=3)
    for x, y, n in zip(mean + spread, middle, count, strict=True):
        if len(bands) <= 12:
            axes.annotate(f"{n}", (x, y), (4, 0), textcoords="offset points", fontsize=7.5,
                          va="center", color="0.35")  # fmt: skip
    axes.margins(x=0.25)
