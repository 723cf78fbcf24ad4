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
        by: The stratum of each place; a group of boxes each. One group if not given.
        label: What the values are, with their unit.
        limits: Of the axis.
    """
    groups = _groups(values, by)
    first = next(iter(values.values()))
    breadth = 1.6 + len(groups) * (0.5 + 0.42 * len(values))
    figure, context = blank_figure((max(4.5, breadth), 4.2))
    with context:
        axes = figure.subplots()
        wide = 0.8 / len(values)
        for place, (name, one) in enumerate(values.items()):
            colour = COLOURS[place % len(COLOURS)]
            for number, (_, inside) in enumerate(groups):
                at = number + (place - (len(values) - 1) / 2.0) * wide
                found = np.asarray(one.values, np.float64)[inside]
                _box(axes, at, 0.82 * wide, found[np.isfinite(found)], colour)
            axes.plot([], [], "s", color=colour, alpha=0.55, label=name)
        axes.set_xticks(range(len(groups)), [_title(n, int(i.sum())) for n, i in groups])
        axes.set_xlim(-0.55, len(groups) - 0.45)
        axes.grid(visible=False, axis="x")
        axes.set_ylabel(label or label_of(first))
        if limits is not None:
            axes.set_ylim(*limits)
        figure.legend(loc="outside upper center", ncols=min(len(values), 5))
        save(figure, target)


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


def _box(axes: Any, at: float, wide: float, values: np.ndarray, colour: str) -> None:
    if not len(values):
        return
    axes.boxplot(
        values, positions=[at], widths=wide, whis=(5, 95), showfliers=False, patch_artist=True,
        manage_ticks=False, boxprops={"facecolor": colour, "alpha": 0.35, "edgecolor": colour},
        medianprops={"color": "black", "lw": 1.6}, whiskerprops={"color": colour},
        capprops={"color": colour},
    )  # fmt: skip
    if len(values) <= _POINTS:
        aside = np.linspace(-0.25, 0.25, len(values)) * wide
        axes.plot(at + aside, np.sort(values), ".", ms=3, color=colour, alpha=0.8)
