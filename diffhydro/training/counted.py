"""What counts in a batch, and harmless numbers wherever nothing does.

A place counts where its weight is above 0 and something finite was observed. Everywhere else
predictions, observations and whatever else enters a loss are replaced **before** the first
arithmetic, and the results are dropped after it: what stands there, NaN included, changes neither a
value nor a gradient.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from diffhydro.errors import InputError
from diffhydro.training.sample import Sample
from diffhydro.typing import Array, Float, PyTree


class Counted(NamedTuple):
    """Arrays of one shape, all 0 where nothing counts."""

    predicted: Float[Array, "window time ..."]
    observed: Float[Array, "window time ..."]
    weight: Float[Array, "window time ..."]


def counted(prediction: Any, sample: Sample, source: str, output: str | None) -> Counted:
    """Give what counts of an output beside a source."""
    predicted = array_of(prediction, output)
    observed, weight = observed_of(sample, source, predicted.dtype)
    check_same(predicted.shape, observed.shape, output, source)
    predicted = jnp.where(weight > 0, predicted, 0.0)
    return Counted(predicted, jnp.where(weight > 0, observed, 0.0), weight)


def observed_of(sample: Sample, source: str, dtype: Any) -> tuple[Array, Array]:
    """Give what a source saw, and weights that are 0 where that is nothing."""
    observed = entry(sample.observed, source, "the source")
    weight = entry(sample.weights, source, "the weights of")
    if jnp.shape(weight) != jnp.shape(observed):
        raise InputError(
            f"{source} has observations of shape {jnp.shape(observed)} and weights of shape "
            f"{jnp.shape(weight)}; every observation needs its own weight"
        )
    observed, weight = jnp.asarray(observed, dtype), jnp.asarray(weight, dtype)
    return observed, jnp.where((weight > 0) & jnp.isfinite(observed), weight, 0.0)


def part(prediction: Any, output: str | None) -> Any:
    """Give an output of a prediction.

    Args:
        output: A key of a dictionary or a name of a value, such as the `mean` of a distribution;
            `theta.mean` is a value of an entry. A dictionary of one entry needs none.
    """
    names = [] if output is None else output.split(".")
    if isinstance(prediction, Mapping):
        if output is None and len(prediction) == 1:
            return next(iter(prediction.values()))
        if output is None:
            listed = ", ".join(map(str, prediction))
            raise InputError(f"the model predicts {listed}; say which is compared: output=...")
    for name in names:
        if isinstance(prediction, Mapping):
            prediction = entry(prediction, name, "the output")
        elif hasattr(prediction, name) and not hasattr(prediction, "dtype"):
            prediction = getattr(prediction, name)
        else:
            kind = type(prediction).__name__
            what = "one array" if hasattr(prediction, "dtype") else f"a {kind}"
            raise InputError(f"the output {output!r} is asked for; the model predicts {what}")
    return prediction


def array_of(prediction: Any, output: str | None) -> Float[Array, "window time ..."]:
    """Give an output that is an array of windows and times."""
    found = part(prediction, output)
    if not hasattr(found, "dtype"):
        kind = type(found).__name__
        raise InputError(
            f"an array is compared; the model predicts a {kind}. Name one of its values, such as "
            "output='mean', or take a loss of distributions"
        )
    found = jnp.asarray(found)
    if found.ndim < 2:
        raise InputError(f"predictions are [window, time, ...]; this one has shape {found.shape}")
    return found


def check_same(found: tuple[int, ...], wanted: Sequence[int], output: Any, source: str) -> None:
    """Raise where a prediction and its observations have different shapes."""
    if tuple(found) != tuple(wanted):
        named = "the prediction" if output is None else f"the prediction {output!r}"
        raise InputError(
            f"{named} has shape {tuple(found)} and {source} has {tuple(wanted)}; a loss compares "
            "like with like, [window, time, ...]"
        )


def entry(held: Mapping[str, Any], name: str, kind: str) -> Any:
    """Look something up, or say what there is."""
    if name not in held:
        listed = ", ".join(map(str, held)) or "none"
        raise InputError(f"{kind} {name!r} is asked for; there is {listed}")
    return held[name]


def real(sample: Sample, where: str, shape: tuple[int, ...], dtype: Any) -> Array:
    """Give the weight of every place that is no filling, 0 elsewhere, over a whole shape.

    Args:
        where: An entry of the weights: `[window]`, `[window, time]` or more axes of the shape.
    """
    known = jnp.asarray(
        entry(sample.weights, where, "for what is real and no filling, the weights")
    )
    if known.shape != shape[: known.ndim]:
        raise InputError(
            f"the weights {where!r} have shape {known.shape}; predictions of shape {shape} need "
            "the first of their axes, [window] or [window, time] or more"
        )
    known = known.astype(dtype)
    known = jnp.where(known > 0, known, 0.0)
    return jnp.broadcast_to(_with_axes(known, len(shape)), shape)


def filled(tree: PyTree, counts: Array) -> PyTree:
    """Put what stands at a place that counts where nothing does, in all arrays that have places.

    What counts is in the domain of whatever is computed next. Where nothing counts at all the
    numbers are ones, and no more is promised than that no gradient comes back.
    """
    first = jnp.argmax(counts.reshape(-1))

    def fill(leaf: Any) -> Any:
        if not _has_places(leaf, counts):
            return leaf
        rows = leaf.reshape(counts.size, -1)
        other = jnp.where(jnp.any(counts), jax.lax.stop_gradient(rows[first]), 1.0)
        return jnp.where(counts.reshape(-1, 1), rows, other[None]).reshape(leaf.shape)

    return jax.tree.map(fill, tree)


def mean(values: Array, weight: Array) -> Float[Array, ""]:
    """Give the weighted mean of what counts; 0 where nothing does."""
    total = jnp.sum(weight)
    kept = jnp.where(weight > 0, weight * jnp.where(weight > 0, values, 0.0), 0.0)
    return jnp.sum(kept) / jnp.where(total > 0, total, 1.0)


def _has_places(leaf: Any, counts: Array) -> bool:
    if not hasattr(leaf, "dtype") or not jnp.issubdtype(leaf.dtype, jnp.inexact):
        return False
    return leaf.shape[: counts.ndim] == counts.shape


def _with_axes(x: Array, ndim: int) -> Array:
    return x.reshape(x.shape + (1,) * (ndim - x.ndim))
