"""Is a predicted uncertainty as large as the errors are? Shares of intervals, and ranks.

With a predictive distribution F, what is observed has F(o) uniform between 0 and 1 if F is right:
the probability integral transform (Dawid 1984). Central intervals of a level then hold just that
share of the observations; fewer, and the prediction is too sure of itself.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from diffhydro.errors import InputError
from diffhydro.picture import COLOURS, DASHES, blank_figure, save
from diffhydro.typing import ArrayLike

_BINS = 20
LEVELS = np.linspace(0.0, 1.0, 41)


def draw_calibration(transforms: Mapping[str, ArrayLike], target: Path) -> None:
    """Draw shares held by central intervals, and histograms of F(o).

    Args:
        transforms: F(o) of every observation, by model: `transform_members` makes them of an
            ensemble, a normal distribution's are its cumulative probability.
    """
    given = {name: _checked(name, x) for name, x in transforms.items()}
    if not given:
        raise InputError("give at least one model")
    figure, context = blank_figure((8.6, 4.0))
    with context:
        left, right = figure.subplots(1, 2)
        left.plot([0, 100], [0, 100], color="black", lw=0.9, ls="--", label="right")
        right.axhline(1.0, color="black", lw=0.9, ls="--")
        for place, (name, values) in enumerate(given.items()):
            style = {"color": COLOURS[place % len(COLOURS)], "ls": DASHES[place % len(DASHES)]}
            held = coverage(values, LEVELS)
            left.plot(
                100 * LEVELS, 100 * held, lw=1.7, label=f"{name}, {len(values):,} values", **style
            )
            counts, edges = np.histogram(values, _BINS, (0.0, 1.0))
            right.stairs(counts * _BINS / len(values), edges, lw=1.7, **style)
        _words(left, right)
        figure.legend(loc="outside upper center", ncols=min(len(given) + 1, 4))
        save(figure, target)


def coverage(transforms: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Give the share of observations that central intervals of some levels hold.

    >>> coverage(np.array([0.05, 0.4, 0.5, 0.7]), np.array([0.5, 0.95])).tolist()
    [0.75, 1.0]
    """
    off = np.sort(np.abs(2.0 * np.asarray(transforms) - 1.0))
    return np.searchsorted(off, levels + 1e-12, side="right") / len(off)


def transform_members(members: np.ndarray, observed: np.ndarray, *, seed: int) -> np.ndarray:
    """Give F(o) of an ensemble `[member, …]`, where something was observed.

    The rank of what was observed among the members, spread at random over its own step, so that
    few members do not show as bars. Ties are broken at random too.
    """
    members, observed = np.asarray(members, np.float64), np.asarray(observed, np.float64)
    if members.ndim != observed.ndim + 1 or members.shape[1:] != observed.shape:
        raise InputError(
            f"members {members.shape} are not [member, …] of observed {observed.shape}"
        )
    known = np.isfinite(observed) & np.isfinite(members).all(axis=0)
    m, o = members[:, known], observed[known]
    below, same = (m < o).sum(axis=0), (m == o).sum(axis=0)
    lot = np.random.default_rng(seed).random(o.shape)
    return (below + lot * (same + 1)) / (len(m) + 1)


def _checked(name: str, values: Any) -> np.ndarray:
    values = np.asarray(values, np.float64).ravel()
    values = values[np.isfinite(values)]
    if not len(values) or values.min() < 0.0 or values.max() > 1.0:
        raise InputError(f"F(o) of {name} are probabilities, one or more; these are not")
    return values


def _words(left: Any, right: Any) -> None:
    left.set(
        xlabel="level of the central interval, %", ylabel="observations that it holds, %",
        xlim=(0, 100), ylim=(0, 100), title="how sure it is", aspect="equal",
    )  # fmt: skip
    right.set(
        xlabel="F(observed), probability", ylabel="density, 1 if it is right", xlim=(0, 1),
        title="where observations fall",
    )  # fmt: skip
    right.set_ylim(bottom=0.0)
