"""Pictures of what is known: parameters, how they go together, bands, and whether bands hold.

`show_…` draws into axes of a larger figure, `plot_…` writes a PNG that is whole or absent.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np

from diffhydro.calibration.posterior.bands import Bands, Interval
from diffhydro.calibration.posterior.coverage import Coverage
from diffhydro.calibration.posterior.posterior import LEVEL, Posterior
from diffhydro.core.bijections import interval
from diffhydro.errors import InputError
from diffhydro.picture import COLOURS, DASHES, blank_figure, save

_PRIOR, _INK = "0.86", "0.25"
_WIDE = 3.0  # standard deviations of the prior to each side, where a parameter has no bounds
_FEW = 10  # entries whose correlations are written as numbers
_SPREAD = (0.1, 0.9)  # of groups, about a pooled curve


def plot_intervals(
    posterior: Posterior,
    target: Path,
    *,
    site: int = 0,
    level: float = LEVEL,
    truth: np.ndarray | None = None,
) -> Path:
    """Draw the parameters of a site, with bounds and prior.

    Args:
        level: Probability of the intervals.
        truth: Values `[entry]`, where they are known.
    """
    figure, context = blank_figure((8.6, 1.0 + 0.34 * len(posterior.names)))
    with context:
        show_intervals(figure.subplots(), posterior, site=site, level=level, truth=truth)
        save(figure, target)
    return target


def plot_correlation(posterior: Posterior, target: Path, *, site: int = 0) -> Path:
    """Draw how errors of a site's parameters go together."""
    size = 2.6 + 0.42 * len(posterior.names)
    figure, context = blank_figure((size + 0.7, size))
    with context:
        _require(posterior, site)
        axes = figure.subplots()
        show_correlation(axes, posterior.correlation[site], posterior.names)
        axes.set_title(f"correlations · {posterior.problem.names[site]}")
        save(figure, target)
    return target


def plot_bands(
    bands: Bands,
    target: Path,
    *,
    site: int = 0,
    level: float = LEVEL,
    times: np.ndarray | None = None,
    training: np.ndarray | None = None,
    held_out: np.ndarray | None = None,
    label: str = "",
) -> Path:
    """Draw the bands of a series with what was observed.

    Args:
        level: One of the bands' own.
        times: For the abscissa; numbers of days by default.
        training: Observations `[time]` that were calibrated to, NaN elsewhere.
        held_out: Observations `[time]` that were not.
        label: Of the ordinate.
    """
    figure, context = blank_figure((9.5, 3.4))
    with context:
        axes = figure.subplots()
        seen = {"calibrated to": training, "held out": held_out}
        show_bands(axes, bands, site=site, level=level, times=times, seen=seen)
        axes.set_ylabel(label)
        save(figure, target)
    return target


def plot_reliability(found: Mapping[str, Coverage], target: Path) -> Path:
    """Draw curves of reliability, by name."""
    figure, context = blank_figure((4.4, 4.2))
    with context:
        show_reliability(figure.subplots(), found)
        save(figure, target)
    return target


def show_intervals(
    axes: Any,
    posterior: Posterior,
    *,
    site: int = 0,
    level: float = LEVEL,
    truth: np.ndarray | None = None,
) -> None:
    """Draw a row for every parameter, from bound to bound on its scale."""
    _require(posterior, site)
    rows = np.arange(len(posterior.names))
    before, after = posterior.prior_interval(level), posterior.interval(level)
    known = posterior.is_identified(level)[site]
    colours = np.where(known, COLOURS[0], COLOURS[5])
    old, new = (_along(posterior, _of_site(x, site), site) for x in (before, after))
    axes.barh(rows, old.width, left=old.low, height=0.62, color=_PRIOR, label="prior")
    axes.barh(rows, new.width, left=new.low, height=0.3, color=colours)
    middle = _along(posterior, Interval(*2 * (posterior.values[site],)), site).low
    axes.scatter(middle, rows, c=colours, s=26, ec="white", lw=0.8, zorder=3)
    if truth is not None:
        at = _along(posterior, Interval(*2 * (np.asarray(truth, float),)), site).low
        axes.plot(at, rows + 0.36, "^", color="black", ms=4.5, label="truth", clip_on=False)
    for name, which, colour in (
        ("identified", known, COLOURS[0]),
        ("not identified", ~known, COLOURS[5]),
    ):
        if which.any():
            axes.barh([0], [0], color=colour, label=name)
    _write_numbers(axes, posterior, _of_site(after, site), site)
    axes.set_yticks(rows, [_short(name) for name in posterior.names])
    axes.set(xlim=(0.0, 1.0), ylim=(len(rows) - 0.4, -0.6), xlabel="place between bounds")
    axes.grid(False, axis="y")
    axes.set_title(f"{_number(100 * level)} % intervals · {posterior.problem.names[site]}")
    axes.legend(loc="lower left", bbox_to_anchor=(1.0, 1.0), ncols=2, borderpad=0.0)


def show_correlation(axes: Any, correlation: np.ndarray, names: tuple[str, ...]) -> None:
    """Draw a matrix of correlations."""
    image = axes.imshow(correlation, cmap="RdBu_r", vmin=-1.0, vmax=1.0)
    axes.grid(False)
    ticks, short = np.arange(len(names)), [_short(name) for name in names]
    axes.set_xticks(ticks, short, rotation=60, ha="right", rotation_mode="anchor")
    axes.set_yticks(ticks, short)
    if len(names) <= _FEW:
        for (i, j), x in np.ndenumerate(correlation):
            ink = "white" if abs(x) > 0.6 else _INK
            axes.text(j, i, _signed(x), ha="center", va="center", fontsize=7.5, color=ink)
    axes.figure.colorbar(image, ax=axes, shrink=0.8, label="correlation of free numbers")


def show_bands(
    axes: Any,
    bands: Bands,
    *,
    site: int = 0,
    level: float = LEVEL,
    times: np.ndarray | None = None,
    seen: Mapping[str, np.ndarray | None] | None = None,
) -> None:
    """Draw bands of a site, and observations `[time]` by what they are called."""
    number = bands.level(level)
    times = np.arange(bands.centre.shape[1]) if times is None else np.asarray(times)
    pairs = (("observations", bands.observed, 0.18), ("model", bands.model, 0.5))
    for name, band, shade in pairs:
        low, high = band.low[number, site], band.high[number, site]
        label = f"{name}, {_number(100 * level)} %"
        axes.fill_between(times, low, high, color=COLOURS[0], alpha=shade, lw=0, label=label)
    axes.plot(times, bands.centre[site], color=COLOURS[0], lw=1.0)
    for (name, series), colour in zip((seen or {}).items(), ("0.35", COLOURS[1]), strict=False):
        if series is not None:
            axes.plot(times, np.asarray(series), ".", color=colour, ms=3.2, label=name)
    axes.set_xlim(times[0], times[-1])
    axes.legend(ncols=4, loc="lower left", bbox_to_anchor=(0.0, 1.0), borderpad=0.2)


def show_reliability(axes: Any, found: Mapping[str, Coverage]) -> None:
    """Draw actual over nominal shares, pooled, and what most groups have."""
    axes.plot([0, 1], [0, 1], color="0.5", lw=1.0)
    looks = zip(COLOURS, DASHES, strict=False)
    for (name, coverage), (colour, dash) in zip(found.items(), looks, strict=False):
        order = np.argsort(coverage.levels)
        levels = np.array(coverage.levels)[order]
        share = coverage.share[order][:, coverage.count > 0]
        if share.shape[1] > 1:
            low, high = np.quantile(share, _SPREAD, axis=1)
            axes.fill_between(levels, low, high, color=colour, alpha=0.15, lw=0)
        look = {"color": colour, "ls": dash, "marker": "o", "ms": 3.5}
        axes.plot(levels, coverage.pooled[order], label=name, **look)
    axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
    axes.set(xlabel="nominal share", ylabel="share inside")
    axes.legend(loc="upper left")


def _require(posterior: Posterior, site: int) -> None:
    sites = len(posterior.z)
    if not 0 <= site < sites:
        raise InputError(f"there is no site {site}; there are 0 to {sites - 1}")
    if not posterior.is_there[site]:
        reason = posterior.reasons.get(site, "it was not fitted")
        raise InputError(f"{posterior.problem.names[site]} has no posterior: {reason}")


def _of_site(found: Interval, site: int) -> Interval:
    return Interval(found.low[site], found.high[site])


def _along(posterior: Posterior, values: Interval, site: int) -> Interval:
    """Place values `[entry]` on the rows: 0 at the lower bound, 1 at the upper.

    Where a bound is missing, three standard deviations of the prior take its place.
    """
    placed = posterior.placed(values)
    wide = 2.0 * _WIDE * posterior.prior_deviation[site]
    coordinates = posterior.problem.coordinates
    for i in np.flatnonzero(~coordinates.is_bounded):
        for end, value in zip(placed, values, strict=True):
            free = float(coordinates.specs[i].free(jnp.asarray(value[i])))
            end[i] = 0.5 + (free - posterior.prior_mean[site, i]) / wide[i]
    return placed


def _write_numbers(axes: Any, posterior: Posterior, after: Interval, site: int) -> None:
    specs = posterior.problem.coordinates.specs
    numbers = zip(posterior.values[site], *after, specs, strict=True)
    for row, (middle, low, high, spec) in enumerate(numbers):
        for x, bound in enumerate(interval(spec.bounds)):
            if np.isfinite(bound):
                axes.annotate(
                    f" {_number(bound)} ", (x, row), ha=("left", "right")[x], va="center",
                    fontsize=6.5, color="0.5",
                )  # fmt: skip
        unit = "" if spec.unit == "-" else f" {spec.unit}"
        axes.annotate(
            f"{_number(middle)}  ({_number(low)} … {_number(high)}){unit}", (1.015, row),
            xycoords=("axes fraction", "data"), va="center", fontsize=8, color=_INK,
        )  # fmt: skip


def _number(x: float) -> str:
    return f"{x:.4g}".replace("-", "−")


def _signed(x: float) -> str:
    return f"{round(x, 2) + 0.0:.2f}".replace("-", "−")


def _short(name: str) -> str:
    return ".".join(name.split(".")[-2:])
