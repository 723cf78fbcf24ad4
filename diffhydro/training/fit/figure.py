"""Training curves: losses and scores, the rates below, the best marked."""

from pathlib import Path
from typing import Any

import numpy as np

from diffhydro.errors import InputError
from diffhydro.picture import COLOURS, DASHES, blank_figure, save
from diffhydro.training.fit.history import History
from diffhydro.training.fit.optimizer import GROUPS
from diffhydro.training.fit.state import TOTAL

_BLACK = COLOURS[-1]
_VALIDATION = "validation.total"


def draw_training(
    history: History, target: Path, *, metric: str | None = None, is_high: bool = False
) -> None:
    """Draw a run into a PNG; of an ensemble all members pale, and their median.

    Args:
        metric: What the best is judged by; `validation.total`, or `training.total` where there is
            none, if not given.
        is_high: Whether its high values are good.
    """
    if not len(history):
        raise InputError("there is nothing to draw: the table has no rows")
    metric = metric or (_VALIDATION if _VALIDATION in history.columns else TOTAL)
    history.column(metric)
    figure, context = blank_figure((8.6, 5.6))
    with context:
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        members = history.members()
        shown = _losses(history, metric)
        for number, name in enumerate(shown):
            style = {"color": _colour(number), "ls": DASHES[number // (len(COLOURS) - 1) % 5]}
            _curve(upper, members, name, style, name == metric)
        _best(upper, members, metric, is_high)
        _scale(upper, history, shown)
        upper.set_ylabel("loss")
        upper.set_title(_title(members))
        upper.legend(loc="lower left", bbox_to_anchor=(1.01, 0.0), borderaxespad=0.0)
        for number, group in enumerate(GROUPS):
            style = {"color": _colour(number), "ls": DASHES[number]}
            _curve(lower, members, f"rate.{group}", style, False)
        lower.set_ylabel("learning rate")
        lower.set_xlabel("epoch")
        lower.set_ylim(bottom=0.0)
        lower.legend(loc="lower left", bbox_to_anchor=(1.01, 0.0), borderaxespad=0.0)
        save(figure, target)


def _losses(history: History, metric: str) -> list[str]:
    """Name what is drawn: the metric first, and a single term not beside its own sum."""
    terms = [name for name in history.columns if name.startswith(("training.", "validation."))]
    for kind in ("training", "validation"):
        mine = [name for name in terms if name.startswith(f"{kind}.")]
        if len(mine) == 2 and mine[1] != metric:
            terms.remove(mine[1])
    return sorted(terms, key=lambda name: name != metric)


def _curve(axes: Any, members: list[History], name: str, style: Any, is_metric: bool) -> None:
    width = 2.2 if is_metric else 1.4
    series = [(one.column("epoch") + 1.0, one.column(name)) for one in members]
    if len(series) == 1:
        axes.plot(*_there(*series[0]), lw=width, label=name, **style)
        return
    for x, y in series:
        axes.plot(*_there(x, y), lw=0.6, alpha=0.25, **style)
    epochs = np.unique(np.concatenate([x for x, _ in series]))
    middle = [_median([y[x == epoch] for x, y in series]) for epoch in epochs]
    axes.plot(*_there(epochs, np.array(middle)), lw=width, label=name, **style)


def _best(axes: Any, members: list[History], metric: str, is_high: bool) -> None:
    words = f"best {metric}"
    for one in members:
        x, y = _there(one.column("epoch") + 1.0, one.column(metric))
        if len(y):
            i = int(np.argmax(y) if is_high else np.argmin(y))
            size = 7.0 if len(members) == 1 else 3.5
            label = words if one is members[0] else None
            axes.plot(x[i], y[i], "o", ms=size, mfc="none", mew=1.4, color=_BLACK, label=label)


def _scale(axes: Any, history: History, shown: list[str]) -> None:
    values = np.concatenate([history.column(name) for name in shown])
    values = values[np.isfinite(values)]
    # Over a decade of positive values the end of a curve lies on the axis of a linear scale.
    if len(values) and values.min() > 0 and values.max() > 10.0 * values.min():
        axes.set_yscale("log")


def _title(members: list[History]) -> str:
    epochs = max(int(one.column("epoch")[-1]) + 1 for one in members)
    if len(members) == 1:
        return f"Training over {epochs} epochs"
    return f"Training of {len(members)} members over {epochs} epochs, each pale, their median bold"


def _there(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    known = np.isfinite(y)
    return x[known], y[known]


def _median(values: list[np.ndarray]) -> float:
    known = np.concatenate(values)
    known = known[np.isfinite(known)]
    return float(np.median(known)) if len(known) else np.nan


def _colour(number: int) -> str:
    return COLOURS[number % (len(COLOURS) - 1)]
