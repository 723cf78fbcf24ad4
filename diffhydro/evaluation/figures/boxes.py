"""Boxes: how scores spread over places, model by model, stratum by stratum."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from diffhydro.errors import InputError
from diffhydro.evaluation.figures.maps import label_of
from diffhydro.picture import COLOURS, blank_figure, save

if TYPE_CHECKING:
    import xarray as xr

_POINTS = 40  # places up to which each is drawn
_LETTERS, _KEY = 13.0, 6  # of a legend: to an inch, and what its key takes of them


def draw_boxes(
    values: Mapping[str, "xr.DataArray"],
    target: Path,
    *,
    by: "xr.DataArray | None" = None,
    label: str = "",
    limits: tuple[float, float] | None = None,
) -> None:
    """Draw a score of several models over places; boxes hold half of them, whiskers 90 %.

    Args:
        values: By model, over the same places.
        by: The stratum of each place; a group of boxes each. If not given, one box for each model,
            with its name beside it.
        label: What the values are, with their unit.
        limits: Of the axis.
    """
    groups = _groups(values, by)
    said = label or label_of(next(iter(values.values())))
    if by is None:
        _draw_rows(values, target, said, limits)
    else:
        _draw_groups(values, groups, target, said, limits)


def box_rows(axes: Any, values: Mapping[str, np.ndarray], label: str) -> None:
    """Draw a box for each model, one below the other, with its name beside it."""
    for place, one in enumerate(values.values()):
        found = np.asarray(one, np.float64)
        found = found[np.isfinite(found)]
        look = {"orientation": "horizontal", **_look(place)}
        _box(axes, place, 0.7, found, look)
        if len(found) <= _POINTS:
            axes.plot(*_aside(place, 0.7, found)[::-1], ".", ms=3, color=look["color"])
    axes.set_yticks(range(len(values)), list(values))
    axes.set_ylim(len(values) - 0.4, -0.6)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel(label)


def _draw_rows(
    values: Mapping[str, "xr.DataArray"],
    target: Path,
    label: str,
    limits: tuple[float, float] | None,
) -> None:
    figure, context = blank_figure((7.0, 1.0 + 0.34 * len(values)))
    with context:
        axes = figure.subplots()
        box_rows(axes, {name: one.values for name, one in values.items()}, label)
        if limits is not None:
            axes.set_xlim(*limits)
        save(figure, target)


def _draw_groups(
    values: Mapping[str, "xr.DataArray"],
    groups: list[tuple[str, np.ndarray]],
    target: Path,
    label: str,
    limits: tuple[float, float] | None,
) -> None:
    breadth = max(4.5, 1.6 + len(groups) * (0.5 + 0.42 * len(values)))
    figure, context = blank_figure((breadth, 4.2))
    with context:
        axes = figure.subplots()
        wide = 0.8 / len(values)
        for place, (name, one) in enumerate(values.items()):
            look = _look(place)
            for number, (_, inside) in enumerate(groups):
                at = number + (place - (len(values) - 1) / 2.0) * wide
                found = np.asarray(one.values, np.float64)[inside]
                found = found[np.isfinite(found)]
                _box(axes, at, 0.82 * wide, found, look)
                if len(found) <= _POINTS:
                    axes.plot(*_aside(at, wide, found), ".", ms=3, color=look["color"], alpha=0.8)
            axes.bar(
                np.nan, np.nan, color=look["color"], alpha=0.55, hatch=look["hatch"], label=name
            )
        axes.set_xticks(range(len(groups)), [_title(n, int(i.sum())) for n, i in groups])
        axes.set_xlim(-0.55, len(groups) - 0.45)
        axes.grid(visible=False, axis="x")
        axes.set_ylabel(label)
        if limits is not None:
            axes.set_ylim(*limits)
        longest = max(map(len, values)) + _KEY
        columns = max(1, min(len(values), int(breadth * _LETTERS / longest)))
        figure.legend(loc="outside upper center", ncols=columns)
        save(figure, target)


def _look(place: int) -> dict[str, Any]:
    """Give a model its colour, and hatching when all colours are taken."""
    turn, number = divmod(place, len(COLOURS))
    return {"color": COLOURS[number], "hatch": "///" * turn or None}


def _groups(
    values: Mapping[str, "xr.DataArray"], by: "xr.DataArray | None"
) -> list[tuple[str, np.ndarray]]:
    shapes = {name: (one.dims, one.shape) for name, one in values.items()}
    if not shapes or any(len(dims) != 1 for dims, _ in shapes.values()):
        raise InputError("boxes are of one model or more, each with one number a place")
    if len(set(shapes.values())) > 1:
        said = ", ".join(f"{name} {shape}" for name, (_, shape) in shapes.items())
        raise InputError(f"the models are scored at other places: {said}")
    first = next(iter(values.values()))
    if by is None:
        return [("all", np.ones(first.shape, bool))]
    if by.dims != first.dims or by.shape != first.shape:
        raise InputError(f"{by.sizes} strata for {first.sizes} places; give each place one")
    there = [str(n) for n in np.unique(by.values.astype(str)) if n]
    order = [n for n in by.attrs.get("order", ()) if n in there]
    return [(n, by.values == n) for n in (*order, *(n for n in there if n not in order))]


def _title(name: str, number: int) -> str:
    return f"{name}\n{number} place{'s' if number != 1 else ''}"


def _box(axes: Any, at: float, wide: float, values: np.ndarray, look: dict[str, Any]) -> None:
    if not len(values):
        return
    colour = look["color"]
    axes.boxplot(
        values, positions=[at], widths=wide, whis=(5, 95), showfliers=False, patch_artist=True,
        manage_ticks=False, orientation=look.get("orientation", "vertical"),
        boxprops={"facecolor": colour, "alpha": 0.35, "edgecolor": colour, "hatch": look["hatch"]},
        medianprops={"color": "black", "lw": 1.6}, whiskerprops={"color": colour},
        capprops={"color": colour},
    )  # fmt: skip


def _aside(at: float, wide: float, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lay points beside each other within a box."""
    return at + np.linspace(-0.25, 0.25, len(values)) * wide, np.sort(values)
