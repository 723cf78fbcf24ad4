"""Pictures of an assimilation: reports against observations, water added, the cost by term."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from diffhydro.calibration.assimilation.observation import Observation
from diffhydro.calibration.assimilation.variational import Analysis
from diffhydro.errors import InputError
from diffhydro.picture import COLOURS, DASHES, blank_figure, save

BAND = (5.0, 95.0)  # percentiles
_DOT = "0.15"


def draw_reports(
    target: Path,
    observations: Sequence[Observation],
    courses: Mapping[str, Any],
    *,
    days: Any = None,
    unit: str = "m³/m³",
) -> None:
    """Draw what instruments report in several runs against what was observed.

    Args:
        target: A PNG file.
        observations: One panel each.
        courses: By name, reports `[series, time]`, or `[series, member, time]`, which are drawn as
            mean and band of 5 to 95 %.
        days: Dates or numbers of the days; from 1 on by default.
        unit: Of the reports.
    """
    if not observations:
        raise InputError("there is nothing to draw: give at least one observation")
    days = np.arange(1, len(observations[0].values) + 1) if days is None else np.asarray(days)
    figure, context = blank_figure((8.0, 0.8 + 1.7 * len(observations)))
    with context:
        panels = figure.subplots(len(observations), 1, sharex=True, squeeze=False)[:, 0]
        for number, (axes, one) in enumerate(zip(panels, observations, strict=True)):
            for place, (name, course) in enumerate(courses.items()):
                _course(axes, days, name, np.asarray(course)[number], place)
            _points(axes, days, one)
            axes.set(title=one.name, ylabel=unit)
        panels[-1].set_xlabel("day" if np.issubdtype(days.dtype, np.number) else "")
        panels[-1].margins(x=0.01)
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=len(labels))
        save(figure, target)


def draw_water(
    target: Path, water: Mapping[str, Any], *, days: Any = None, title: str = "water added"
) -> None:
    """Draw the water that analyses added, by day and since the start.

    Args:
        target: A PNG file.
        water: By store, `[time]` or `[member, time]`, of which the mean is drawn; mm. Stores that
            got none are left out.
        days: Dates or numbers of the days; from 1 on by default.
        title: Of the picture.
    """
    daily = {name: np.atleast_2d(np.asarray(x, float)) for name, x in water.items()}
    daily = {name: x for name, x in daily.items() if np.any(x)}
    if not daily:
        raise InputError("no water was added, so there is nothing to draw")
    length = next(iter(daily.values())).shape[-1]
    days = np.arange(1, length + 1) if days is None else np.asarray(days)
    figure, context = blank_figure((9.0, 5.0))
    with context:
        upper, lower = figure.subplots(2, 1, sharex=True)
        for place, (name, x) in enumerate(daily.items()):
            _bars(upper, days, x.mean(axis=0), COLOURS[place], name)
            _course(lower, days, name, np.cumsum(x, axis=1), place)
        for axes, words in ((upper, "mm/day"), (lower, "mm")):
            axes.axhline(0.0, color="0.4", lw=0.8)
            axes.set_ylabel(words)
        several = any(len(x) > 1 for x in daily.values())
        upper.set_title(title)
        lower.set_title("sum, mean of the members and 5 to 95 % of them" if several else "sum")
        upper.legend(loc="best")
        lower.set_xlabel("day" if np.issubdtype(days.dtype, np.number) else "")
        save(figure, target)


def draw_cost(target: Path, analysis: Analysis) -> None:
    """Draw the terms of J after every step of the search."""
    figure, context = blank_figure((9.0, 3.8))
    with context:
        axes = figure.subplots()
        steps = np.arange(analysis.iterations + 1)
        axes.plot(steps, analysis.cost, color="black", lw=2.2, label="J")
        for place, (name, term) in enumerate(analysis.terms.items()):
            # A term that is still zero has no place on a logarithmic axis.
            shown = np.where(term > 0, term, np.nan)
            dash = DASHES[place % len(DASHES)]
            axes.plot(steps, shown, color=COLOURS[place % 6], ls=dash, lw=1.6, label=name)
        values = sum(int(one.known.sum()) for one in analysis.window.observations)
        axes.axhline(0.5 * values, color="0.5", lw=0.8)
        axes.annotate(
            f"½ × {values} observations",
            (1.0, 0.5 * values),
            xycoords=("axes fraction", "data"),
            xytext=(-4, -3),
            va="top",
            textcoords="offset points",
            ha="right",
            color="0.35",
            fontsize=8.5,
        )
        ended = "converged" if analysis.converged else "not converged"
        axes.set(
            yscale="log", xlabel="step of the search", ylabel="cost", title=f"cost by term, {ended}"
        )
        # Below a thousandth of one observation nothing is worth a decade.
        axes.set_ylim(bottom=max(1e-3, axes.get_ylim()[0]))
        axes.legend(loc="upper right", ncols=2)
        save(figure, target)


def _course(axes: Any, days: np.ndarray, name: str, series: np.ndarray, place: int) -> None:
    colour, dash = COLOURS[place % len(COLOURS)], DASHES[place % len(DASHES)]
    middle = series
    if series.ndim == 2 and len(series) > 1:
        middle = series.mean(axis=0)
        low, high = np.percentile(series, BAND, axis=0)
        axes.fill_between(days, low, high, color=colour, alpha=0.2, lw=0)
    axes.plot(days, np.ravel(middle), color=colour, ls=dash, lw=1.6, label=name)


def _points(axes: Any, days: np.ndarray, one: Observation) -> None:
    there = np.asarray(one.known)
    axes.errorbar(
        days[there],
        np.asarray(one.values)[there],
        yerr=np.asarray(one.error)[there],
        fmt="o",
        ms=3.0,
        lw=0.8,
        color=_DOT,
        label="observed",
        zorder=3,
    )


def _bars(axes: Any, days: np.ndarray, height: np.ndarray, colour: str, name: str) -> None:
    axes.bar(days, height, width=0.9, color=colour, label=name, alpha=0.85)
