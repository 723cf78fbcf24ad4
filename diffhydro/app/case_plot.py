"""Draw what a case run found: profiles against depth, amounts and storage against time.

Times run through cividis, series take a colour and a dash pattern each; points are the reference.
"""

import csv
import re
from pathlib import Path
from textwrap import shorten
from typing import Any

import numpy as np

from diffhydro.app.case import MM_PER_M, Case
from diffhydro.picture import COLOURS, DASHES, blank_figure, save

__all__ = ["draw"]

_REFERENCE_POINTS = 20  # per line; all of them would hide it
_MOST_PROFILES = 8
_WIDEST_LINEAR_HEAD = 20.0  # m; beyond it heads are drawn on a symmetric logarithm
_AMOUNTS = {
    "cum_net_infiltration": "infiltration",
    "cum_runoff": "runoff",
    "cum_evaporation": "evaporation",
    "cum_transpiration": "transpiration",
    "cum_bottom_outflow": "outflow at the foot",
}


def draw(
    spec: Case,
    reference: Path | None,
    found: dict[str, np.ndarray],
    totals: dict[str, np.ndarray],
    target: Path,
) -> None:
    """Draw one run into `target`, whole or not at all.

    Args:
        reference: A folder; its `<id>_profiles.csv` and `<id>_series.csv`, if there, become points.
        found: Profiles in metres, as `case_report.profiles` gives them.
        totals: Series in metres, as `case_report.series` gives them.
    """
    figure, context = blank_figure((10.5, 5.6))
    with context:
        axes = figure.subplot_mosaic(
            [["theta", "head", "amounts"], ["theta", "head", "storage"]],
            width_ratios=[1.0, 1.0, 1.25],
        )
        points = _reference(reference, f"{spec.id}_profiles.csv")
        times = _chosen(np.unique(found["t"]))
        _profiles(axes["theta"], "theta", times, found, points)
        _profiles(axes["head"], "h", times, found, points)
        axes["theta"].set(ylabel="depth, m", xlabel="water content θ, m³/m³")
        axes["head"].set(xlabel="pressure head h, m")
        axes["head"].tick_params(labelleft=False)
        _head_scale(axes["head"], found["h"])
        for name in ("theta", "head"):
            axes[name].set_ylim(spec.depth, 0.0)
        totals = _with_start(totals)
        points = _reference(reference, f"{spec.id}_series.csv")
        _series(axes["amounts"], _AMOUNTS, totals, points)
        stores = {"storage": "water in the soil", "pond": "pond on it"}
        _series(axes["storage"], stores, totals, points)
        axes["amounts"].set(ylabel="total since t = 0, mm")
        axes["amounts"].tick_params(labelbottom=False)
        axes["storage"].set(ylabel="storage, mm", xlabel="time, days")
        for name in ("amounts", "storage"):
            axes[name].set_xlim(0.0, 1.02 * float(totals["t"][-1]))
        lines = axes["theta"].get_lines()
        figure.legend(
            handles=[line for line in lines if not line.get_label().startswith("_")],
            loc="outside lower left",
            ncols=len(times) + 1,
            handlelength=1.6,
            columnspacing=1.3,
        )
        figure.suptitle(_title(spec, points is not None), x=0.01, ha="left", fontsize=11)
        save(figure, target)


def _profiles(axes: Any, name: str, times: np.ndarray, found: dict, points: dict | None) -> None:
    from matplotlib import colormaps

    shades = colormaps["cividis"](np.linspace(0.0, 0.88, len(times)))
    for time, shade in zip(times, shades, strict=True):
        rows = found["t"] == time
        axes.plot(found[name][rows], found["z"][rows], color=shade, lw=1.6, label=f"{time:g} d")
        if points is not None:
            rows = np.flatnonzero(np.isclose(points["t"], time, rtol=1e-9))
            rows = rows[:: max(1, len(rows) // _REFERENCE_POINTS)]
            axes.plot(points[name][rows], points["z"][rows], "o", ms=3.8, mfc="none", mec=shade)
    if points is not None:
        axes.plot([], [], "o", ms=3.8, mfc="none", mec="0.3", label="reference")


def _chosen(times: np.ndarray) -> np.ndarray:
    """Keep the first, the last and as many between as can be told apart."""
    if len(times) <= _MOST_PROFILES:
        return times
    return times[np.linspace(0, len(times) - 1, _MOST_PROFILES).round().astype(int)]


def _with_start(totals: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Put t = 0 in front; the water then in the soil follows from the balance."""
    gained = (
        totals["cum_net_infiltration"] - totals["cum_transpiration"] - totals["cum_bottom_outflow"]
    )
    first = {"storage": totals["storage"][0] - gained[0]}
    return {name: np.concatenate([[first.get(name, 0.0)], x]) for name, x in totals.items()}


def _head_scale(axes: Any, heads: np.ndarray) -> None:
    if heads.min() < -_WIDEST_LINEAR_HEAD:
        axes.set_xscale("symlog", linthresh=1.0)
        axes.tick_params(axis="x", labelsize=8)


def _series(axes: Any, names: dict[str, str], totals: dict, points: dict | None) -> None:
    pens = zip(COLOURS, DASHES, strict=False)
    # What never leaves zero says nothing; storage always says something.
    shown = [name for name in names if name == "storage" or np.any(np.abs(totals[name]) > 1e-7)]
    for name, (colour, dash) in zip(shown, pens, strict=False):
        amounts = totals[name] * MM_PER_M
        axes.plot(totals["t"], amounts, color=colour, ls=dash, lw=1.6, label=names[name])
        if points is not None:
            step = max(1, len(points["t"]) // _REFERENCE_POINTS)
            at, given = points["t"][::step], points[name][::step] * MM_PER_M
            axes.plot(at, given, "o", ms=3.8, mfc="none", mec=colour)
    if shown:
        axes.legend(loc="best", handlelength=2.4)


def _title(spec: Case, with_points: bool) -> str:
    words = re.split("[:;(]", spec.source)[0].strip()
    title = shorten(f"{spec.id}: {words}" if words else spec.id, 80, placeholder=" …")
    return title + (" (points: reference)" if with_points else "")


def _reference(folder: Path | None, name: str) -> dict[str, np.ndarray] | None:
    if folder is None or not (folder / name).is_file():
        return None
    with (folder / name).open(newline="", encoding="utf-8") as stream:
        rows = list(csv.reader(stream))
    values = np.asarray(rows[1:], float)
    return {column: values[:, i] for i, column in enumerate(rows[0])}
