"""The pictures of a calibration."""

from pathlib import Path
from typing import Any

import numpy as np

from diffhydro.app.calibrate_output import AFTER, BEFORE, USUAL, Outcome
from diffhydro.app.page import Picture
from diffhydro.calibration.coordinates import position
from diffhydro.core.bijections import interval
from diffhydro.picture import COLOURS, blank_figure, save

_BLUE, _RED, _GREEN = COLOURS[:3]
_KINDS = {BEFORE: ("0.55", "-"), USUAL: (_GREEN, "--"), AFTER: (_BLUE, "-")}
_LINES = 400  # searches that are drawn


def draw_all(folder: Path, outcome: Outcome) -> dict[str, Picture]:
    """Draw all pictures into a folder; give them by name."""
    pictures = {
        "parameters": (_parameters, "Where every parameter of every site lies between its bounds, "
                       "before and after."),
        "series": (_series, "Observed and simulated series at three sites."),
        "residuals": (_residuals, "Fitted against observed, residuals, and their autocorrelation."),
        "scores": (_scores, "Distributions of RMSE and correlation over sites: before, fitted, and "
                   "climatology."),
        "correlation": (_correlation, "Correlations between fitted parameters."),
        "convergence": (_convergence, "Loss by round of every start, and how far starts end above "
                        "the best."),
    }  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    found = {}
    for name, (draw, told) in pictures.items():
        found[name] = Picture(folder / f"{name}.png", told)
        draw(outcome, found[name].path)
    return found


def short(name: str) -> str:
    """Give the last words of a path that tell parameters apart."""
    return ".".join(name.split(".")[-2:])


def worst(outcome: Outcome, name: str) -> np.ndarray:
    """Give sites from the best to the worst of a series; sites without a score last."""
    return np.argsort(outcome.scores[name, outcome.judged, AFTER].rmse, kind="stable")


def _parameters(outcome: Outcome, target: Path) -> None:
    fitted, problem = outcome.fitted, outcome.fitting.problem
    before, after = position(np.asarray(problem.before())), fitted.positions
    names, specs = fitted.names, problem.coordinates.specs
    figure, looks = blank_figure((8.0, 0.9 + 0.55 * len(names)))
    with looks:
        axes = figure.subplots()
        jitter = np.linspace(-0.25, 0.25, problem.sites) if problem.sites > 1 else np.zeros(1)
        for row, spec in enumerate(specs):
            height = row + jitter
            sits = fitted.on_bound[:, row] != 0
            axes.plot(before[:, row], height, "|", color="0.6", ms=7, mew=1.3)
            axes.plot(after[~sits, row], height[~sits], "o", color=_BLUE, ms=3.5, alpha=0.8)
            axes.plot(after[sits, row], height[sits], "D", color=_RED, ms=4)
            if outcome.fitting.truth is not None:
                true = position(outcome.fitting.truth[:, row])
                axes.plot(true, height, "x", color="k", ms=4, mew=0.8)
            ends = [f"{x:.3g}" for x in interval(spec.bounds)]
            axes.text(-0.01, row + 0.38, ends[0], ha="left", va="center", fontsize=7, color="0.4")
            axes.text(1.01, row + 0.38, ends[1], ha="right", va="center", fontsize=7, color="0.4")
        axes.set_yticks(
            range(len(names)),
            [f"{short(n)}\n{s.unit}" for n, s in zip(names, specs, strict=True)],
            fontsize=8,
        )
        axes.set_xlim(-0.02, 1.02)
        axes.set_ylim(len(names) - 0.4, -0.6)
        axes.set_xlabel("place between the bounds, in the parameter's own scale")
        marks = [("|", "0.6", "before"), ("o", _BLUE, "fitted"), ("D", _RED, "on a bound")]
        marks += [("x", "k", "truth")] if outcome.fitting.truth is not None else []
        for mark, colour, label in marks:
            axes.plot([], [], mark, color=colour, label=label, ls="none", ms=5)
        figure.legend(loc="outside upper center", ncols=4)
        save(figure, target)


def _series(outcome: Outcome, target: Path) -> None:
    """Draw the best, the middle and the worst site of the first series."""
    from matplotlib.dates import ConciseDateFormatter

    name = outcome.fitting.problem.targets[0].name
    order = worst(outcome, name)
    order = order[np.isfinite(outcome.scores[name, outcome.judged, AFTER].rmse[order])]
    picks = dict.fromkeys([order[0], order[len(order) // 2], order[-1]]) if len(order) else {}
    figure, looks = blank_figure((9.0, 0.6 + 2.3 * max(len(picks), 1)))
    with looks:
        rows = figure.subplots(max(len(picks), 1), squeeze=False, sharex=True)[:, 0]
        for axes, site in zip(rows, picks, strict=False):
            _one_series(axes, outcome, name, int(site))
        if picks:
            rows[0].legend(ncols=4, loc="lower left", bbox_to_anchor=(0.0, 1.08))
        else:
            rows[0].set_title(f"no site has enough days of {name} for a score")
        rows[-1].xaxis.set_major_formatter(ConciseDateFormatter(rows[-1].xaxis.get_major_locator()))
        save(figure, target)


def _one_series(axes: Any, outcome: Outcome, name: str, site: int) -> None:
    fitting = outcome.fitting
    times = fitting.times
    axes.plot(times, fitting.observed[name][site], ".", color="k", ms=1.5, label="observed")
    axes.plot(times, outcome.before[name][site], color="0.6", lw=0.8, label="before")
    axes.plot(times, outcome.after[name][site], color=_BLUE, lw=0.9, label="fitted")
    if fitting.test.any():
        days = times[fitting.test]
        axes.axvspan(days[0], days[-1], color=COLOURS[5], alpha=0.12, lw=0, label="held out")
    found = outcome.scores[name, outcome.judged, AFTER]
    axes.set_title(
        f"{fitting.problem.names[site]}: RMSE {found.rmse[site]:.3g}, r {found.r[site]:.2f} "
        f"({outcome.judged})"
    )
    axes.set_ylabel(name, fontsize=8)


def _residuals(outcome: Outcome, target: Path) -> None:
    name = outcome.fitting.problem.targets[0].name
    days = outcome.periods[outcome.judged]
    seen, made = outcome.fitting.observed[name][:, days], outcome.after[name][:, days]
    there = np.isfinite(seen)
    error = np.where(there, made - seen, np.nan)
    figure, looks = blank_figure((9.0, 3.2))
    with looks:
        left, middle, right = figure.subplots(1, 3)
        if there.any():
            left.hexbin(seen[there], made[there], gridsize=45, bins="log", cmap="Blues", mincnt=1)
            ends = [
                min(seen[there].min(), made[there].min()),
                max(seen[there].max(), made[there].max()),
            ]
            left.plot(ends, ends, color="0.3", lw=0.8)
            middle.hist(error[there], bins=60, color=_BLUE, alpha=0.85)
            lags = np.arange(1, min(60, error.shape[1] - 1))
            right.plot(lags, _memory(error, lags), color=_BLUE)
        left.set(xlabel="observed", ylabel="fitted", title=f"{name}, {outcome.judged}")
        middle.set(xlabel="fitted − observed", ylabel="days", title="residuals")
        right.set(xlabel="lag, days", ylabel="autocorrelation", title="their memory, median site")
        right.set_ylim(-0.2, 1.0)
        save(figure, target)


def _memory(error: np.ndarray, lags: np.ndarray) -> np.ndarray:
    """Give the median over sites of the autocorrelation of residuals; NaN where none has any."""
    there = np.isfinite(error)
    off = np.where(there, error, 0.0)
    off = np.where(there, off - _mean(off, there)[:, None], 0.0)
    spread = _mean(off**2, there)
    found = []
    for lag in lags:
        both = there[:, lag:] & there[:, :-lag]
        alike = _mean(off[:, lag:] * off[:, :-lag], both)
        known = np.isfinite(alike) & (spread > 0)
        found.append(np.median(alike[known] / spread[known]) if known.any() else np.nan)
    return np.array(found)


def _mean(values: np.ndarray, there: np.ndarray) -> np.ndarray:
    """Average what is there of every site; NaN where nothing is."""
    count = there.sum(axis=1)
    return np.where(there, values, 0.0).sum(axis=1) / np.where(count > 0, count, np.nan)


def _scores(outcome: Outcome, target: Path) -> None:
    names = [one.name for one in outcome.fitting.problem.targets]
    figure, looks = blank_figure((8.0, 2.9 * len(names)))
    with looks:
        grid = figure.subplots(len(names), 2, squeeze=False)
        for row, name in zip(grid, names, strict=True):
            for axes, score in zip(row, ("rmse", "r"), strict=True):
                for kind, (colour, dash) in _KINDS.items():
                    values = getattr(outcome.scores[name, outcome.judged, kind], score)
                    values = np.sort(values[np.isfinite(values)])
                    share = (np.arange(len(values)) + 0.5) / max(len(values), 1)
                    axes.plot(values, share, dash, color=colour, label=kind, drawstyle="default")
                axes.set(xlabel=f"{score} of {name}", ylabel="share of sites", ylim=(0, 1))
            row[0].set_title(f"{outcome.judged} days")
            row[0].legend()
        save(figure, target)


def _correlation(outcome: Outcome, target: Path) -> None:
    """Draw the median over sites of the correlations of fitted parameters."""
    found, names = outcome.correlation, [short(n) for n in outcome.fitted.names]
    known = np.isfinite(found).any(axis=0)
    middle = np.full(found.shape[1:], np.nan)
    middle[known] = np.nanmedian(found[:, known], axis=0)
    size = 2.6 + 0.5 * len(names)
    figure, looks = blank_figure((size + 1.0, size))
    with looks:
        axes = figure.subplots()
        axes.grid(visible=False)
        image = axes.imshow(middle, vmin=-1, vmax=1, cmap="RdBu_r")
        for (i, j), value in np.ndenumerate(middle):
            if i != j and np.isfinite(value):
                colour = "w" if abs(value) > 0.6 else "k"
                axes.text(j, i, f"{value:.1f}", ha="center", va="center", fontsize=8, color=colour)
        axes.set_xticks(range(len(names)), names, rotation=60, ha="right", fontsize=8)
        axes.set_yticks(range(len(names)), names, fontsize=8)
        axes.set_title("correlation of fitted parameters, median site")
        figure.colorbar(image, shrink=0.8)
        save(figure, target)


def _convergence(outcome: Outcome, target: Path) -> None:
    fitted = outcome.fitted
    lowest = np.where(np.isfinite(fitted.best_loss), fitted.best_loss, np.nan)[:, None, None]
    # Of a likelihood, which may be negative, only differences mean something.
    excess = np.where(np.isfinite(fitted.course), fitted.course, np.nan) - lowest
    scale = np.where(lowest == 0.0, 1.0, np.abs(lowest))
    relative = excess / scale
    lines = relative.reshape(-1, relative.shape[-1])[:_LINES]
    figure, looks = blank_figure((8.0, 3.2))
    with looks:
        left, right = figure.subplots(1, 2)
        rounds = np.arange(1, lines.shape[1] + 1)
        for line in lines:
            left.plot(rounds, np.maximum(line, 1e-6), color=_BLUE, lw=0.7, alpha=0.35)
        left.set_yscale("log")
        left.set(xlabel="round", ylabel="loss above the site's best, relative", title="every start")
        last = np.where(fitted.ended_well, fitted.loss, np.nan) - lowest[..., 0]
        near = np.sort((last / scale[..., 0]).ravel())
        near = np.maximum(near[np.isfinite(near)], 1e-6)
        right.plot(near, (np.arange(len(near)) + 0.5) / max(len(near), 1), color=_BLUE)
        right.set_xscale("log")
        right.axvline(0.01, color="0.5", lw=0.8, ls="--")
        right.set(xlabel="end above the best, relative", ylabel="share of starts", ylim=(0, 1))
        save(figure, target)
