"""Which step was the best, and when to stop: by any number that is logged."""

from collections.abc import Iterable
from dataclasses import replace
from difflib import get_close_matches

import equinox as eqx
import jax
import jax.numpy as jnp

from diffhydro.core.ensembles import AbstractMap
from diffhydro.errors import InputError
from diffhydro.training.fit.members import over
from diffhydro.training.fit.optimizer import choose
from diffhydro.training.fit.state import PATIENT, RunState
from diffhydro.typing import Array, Float


class Stop(eqx.Module):
    """What is watched.

    Every new value of the metric is a score: after each epoch, or after each validation.

    Args:
        metric: A column of `metrics.csv`, such as `validation.total`; if not given that one where
            there is a validation, and `training.total` where there is none.
        patience: Scores without a gain after which a run ends; None to go on to the last epoch.
        least: What counts as a gain.
        is_high: Whether high values are good, as they are of an efficiency.
    """

    metric: str | None = None
    patience: int | None = None
    least: float = 0.0
    is_high: bool = False

    def __check_init__(self):
        """Refuse what would stop at once, or never."""
        if self.patience is not None and self.patience < 1:
            raise InputError(f"a patience of {self.patience}; it takes at least 1 score, or None")
        if not self.least >= 0:
            raise InputError(f"least is {self.least}; expected a gain of 0 or more")

    def watched(self, names: Iterable[str], is_validated: bool) -> str:
        """Give the metric, which has to be one of those that will be there."""
        names = list(names)
        name = self.metric or ("validation.total" if is_validated else "training.total")
        if name not in names:
            near = get_close_matches(name, names, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise InputError(f"there is no metric {name}{hint} There are {', '.join(names)}")
        return name


@eqx.filter_jit
def judge(
    how: AbstractMap | None, stop: Stop, state: RunState, value: Float[Array, " member"]
) -> RunState:
    """Keep what is the best so far, and end what has not gained for long."""

    def one(state: RunState, value: Array) -> RunState:
        score = (value if stop.is_high else -value).astype(state.best_score.dtype)
        # What is no number is no gain: comparisons with it are false.
        is_best, is_gain = score > state.best_score, score > state.mark + stop.least
        since = jnp.where(is_gain, 0, state.since_best + 1).astype(jnp.int32)
        over = False if stop.patience is None else since >= stop.patience
        walk = state.walk
        ending = jnp.where(over, PATIENT, walk.ending).astype(jnp.int32)
        after = replace(
            state,
            walk=replace(walk, ending=ending),
            best=choose(is_best, walk.descent.outcome, state.best),
            best_score=jnp.where(is_best, score, state.best_score),
            mark=jnp.where(is_gain, score, state.mark),
            since_best=since,
        )
        return _where(walk.is_running, after, state)

    return over(one, how)(state, value)


@eqx.filter_jit
def next_epoch(how: AbstractMap | None, state: RunState) -> RunState:
    """Empty the sums of members that go on."""

    def one(state: RunState) -> RunState:
        walk = state.walk
        empty = replace(
            walk,
            sums=jax.tree.map(jnp.zeros_like, walk.sums),
            amount=jnp.zeros_like(walk.amount),
        )
        return replace(state, walk=choose(walk.is_running, empty, walk))

    return over(one, how)(state)


def _where(which: Array, yes: RunState, no: RunState) -> RunState:
    return replace(choose(which, replace(yes, key=None), replace(no, key=None)), key=no.key)
