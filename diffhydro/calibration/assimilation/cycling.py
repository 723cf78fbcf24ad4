"""From window to window, with a file after each from which another process goes on, bit for bit.

What a scheme carries (a state and a model's arrays, or an ensemble with its noise) is written,
whole or not at all, before the result of a window is handed out. The file tells which scheme, model
and window it belongs to, and holds a digest of the weather and the observations that went into it.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from diffhydro.calibration.assimilation.observation import Observation, check
from diffhydro.calibration.assimilation.scheme import AbstractScheme, Carry, Result
from diffhydro.core.states import layout, load, named, rebuilt, save
from diffhydro.errors import InputError
from diffhydro.land.forcing import Forcing
from diffhydro.land.model import AbstractModel, State
from diffhydro.typing import Array, Key, PyTree

_PAST = "past"


def cycle(
    scheme: AbstractScheme[Carry, Result],
    model: AbstractModel,
    forcing: Forcing,
    observations: Sequence[Observation],
    *,
    days: int,
    file: Path | None = None,
    state: State | None = None,
    key: Key[Array, ""] | None = None,
) -> Iterator[Result]:
    """Assimilate a record, and hand out the result of one window after the other.

    Equal to one process that never stopped when the same key is given again and what went before
    ended at the end of a window; a record may have grown since.

    Args:
        scheme: `Variational` or `EnsembleKalman`.
        model: As before the first window, also when going on.
        forcing: The whole record, from its first day.
        observations: On the same days.
        days: Of a window; the last one may be shorter.
        file: Where to write what is carried; if it exists, windows go on from it.
        state: Before the first day; by default `init_state()`.
        key: For an ensemble.
    """
    if days < 1:
        raise InputError(f"a window has {days} days; give one or more")
    check(observations, forcing.length)
    like: Any = eqx.filter_eval_shape(scheme.start, model, state, key=key)
    description = {
        "scheme": f"{scheme.name} {_digest(scheme)}",
        "model": f"{type(model).__name__} {_digest(model)}",
        "window": days,
        "layout": layout(like),
    }
    if file is not None and file.exists():
        carry = _gone_on(file, description, like, forcing, observations)
    else:
        carry = scheme.start(model, state, key=key)

    def window(carry: Any, here: slice) -> tuple[Result, Any]:
        cut = [one[here] for one in observations]
        result, carry = scheme.window(model, forcing[here], cut, carry, key=key)
        arrays = named(carry)
        if file is not None:
            past = _past(forcing, observations, here.stop)
            save(file, description, {**arrays, _PAST: past})
        # What goes on in this process is what another would read.
        return result, _put(like, arrays)

    return _windows(window, carry, forcing.length, days)


def _windows(
    window: Callable[[Any, slice], tuple[Result, Any]], carry: Any, length: int, days: int
) -> Iterator[Result]:
    for first in range(int(carry.day), length, days):
        result, carry = window(carry, slice(first, min(first + days, length)))
        yield result


def _gone_on(
    file: Path,
    description: dict[str, Any],
    like: PyTree,
    forcing: Forcing,
    observations: Sequence[Observation],
) -> Any:
    arrays = load(file, description)
    carry = _put(like, arrays)
    done = int(carry.day)
    if done > forcing.length:
        raise InputError(
            f"{file} has gone {done} days, the weather has {forcing.length}; give the record from "
            "its first day"
        )
    if arrays[_PAST].tobytes() != _past(forcing, observations, done).tobytes():
        raise InputError(
            f"{file} comes from other weather or observations in its first {done} days; give the "
            "same record, or another file to start afresh"
        )
    return carry


def _put(like: PyTree, arrays: dict[str, np.ndarray]) -> Any:
    return jax.tree.map(jnp.asarray, rebuilt(like, arrays))


def _past(forcing: Forcing, observations: Sequence[Observation], done: int) -> np.ndarray:
    parts = [(one.name, one.values[:done], one.error[:done]) for one in observations]
    text = _digest((forcing[:done], parts))
    return np.frombuffer(text.encode(), np.uint8)


def _digest(tree: PyTree) -> str:
    """Give a short text that differs where numbers or names of a tree do."""
    told = hashlib.sha256()
    for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
        if isinstance(leaf, jax.Array | np.ndarray):
            x = np.asarray(leaf)
            told.update(f"{jax.tree_util.keystr(path)} {x.dtype} {x.shape}".encode() + x.tobytes())
        elif isinstance(leaf, str | int | float | bool):
            told.update(f"{jax.tree_util.keystr(path)} {leaf!r}".encode())
    return told.hexdigest()[:16]
