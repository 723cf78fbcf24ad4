"""Silhouettes of places: how much nearer a place is to its own cluster than to the next one.

s = (b − a) / max(a, b), where a is the mean distance to the others of its own cluster and b the
least mean distance to another cluster (Rousseeuw 1987); 0 in a cluster of one.

All pairs are needed, n² distances. They are made a block at a time and at once summed by cluster,
a product of the block with a matrix of ones and zeros, so memory grows with n and not with n². Many
labelings share the pass over the distances: they are further columns of that matrix.

Distances are roots of summed squared differences, and not |x|² + |y|² − 2x·y by a matrix product:
that is two to three times as fast, but in single precision takes near places to be a thousandth
apart or not at all, and both are fast enough (`benchmarks/silhouette.py`).
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from diffhydro.errors import InputError
from diffhydro.typing import Array, Float, Int

_ROWS, _COLUMNS = 512, 2048  # of a block: it fits the cache
_WIDE = 512  # columns of the matrix of ones and zeros: labelings times clusters


class Mean(NamedTuple):
    """Mean silhouettes, and their standard errors where not all places were looked at."""

    value: np.ndarray
    error: np.ndarray


def silhouettes(points: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Give the silhouette of every place, exactly.

    >>> silhouettes(np.array([[0.0], [1.0], [10.0], [12.0]]), np.array([0, 0, 1, 1])).round(3)
    array([0.909, 0.9  , 0.789, 0.826])
    """
    labels = np.asarray(labels)[None]
    return _of_rows(points, labels, np.arange(len(points)))[0]


def mean_silhouettes(points: np.ndarray, labelings: np.ndarray, rows: np.ndarray) -> Mean:
    """Average over the places `rows`, each held against all places, for several labelings.

    The average is an unbiased estimate for all places, and its error √(s²/m · (1 − m/n)) with s²
    the variance among the m of n places. Rows that were not drawn by chance have no such error.

    Args:
        labelings: `[labeling, place]`, whole numbers from 0.
    """
    found = _of_rows(points, labelings, rows)
    left_out = 1.0 - len(rows) / len(points)
    spread = found.var(axis=1, ddof=1) if len(rows) > 1 else np.zeros(len(found))
    return Mean(found.mean(axis=1), np.sqrt(spread / len(rows) * left_out))


def sample_rows(places: int, size: int, seed: int) -> np.ndarray:
    """Draw places to look at, all of them if there are no more than `size`."""
    if places <= size:
        return np.arange(places)
    return np.sort(np.random.default_rng((seed, places)).choice(places, size, replace=False))


def _of_rows(points: np.ndarray, labelings: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Give silhouettes `[labeling, row]`."""
    labelings = np.asarray(labelings)
    _check(points, labelings)
    clusters = int(labelings.max()) + 1
    together = max(1, min(len(labelings), _WIDE // clusters))
    scaled = _scaled(points)
    found = []
    for first in range(0, len(labelings), together):
        some = labelings[first : first + together]
        missing = together - len(some)  # one shape, one program
        some = np.concatenate([some, np.repeat(some[-1:], missing, axis=0)])
        found.append(_of_some(scaled, some, rows, clusters)[: together - missing])
    return np.concatenate(found)


def _of_some(
    points: np.ndarray, labelings: np.ndarray, rows: np.ndarray, clusters: int
) -> np.ndarray:
    """Give silhouettes `[labeling, row]` of labelings that go side by side."""
    width = min(_COLUMNS, len(points))
    blocks = -(-len(points) // width)
    fill = blocks * width - len(points)
    columns = jnp.asarray(np.pad(points, ((0, fill), (0, 0))).reshape(blocks, width, -1))
    # A label of −1 is in no cluster.
    padded = np.pad(labelings.astype(np.int32), ((0, 0), (0, fill)), constant_values=-1)
    labels = jnp.asarray(padded.reshape(len(labelings), blocks, width).swapaxes(0, 1))
    counts = np.stack([np.bincount(one, minlength=clusters) for one in labelings])
    height = min(_ROWS, len(rows))
    found = np.empty((len(labelings), len(rows)))
    for first in range(0, len(rows), height):
        some = rows[first : first + height]
        wanted = np.resize(some, height)  # the last block is filled with repetitions
        sums = np.asarray(_sums(jnp.asarray(points[wanted]), columns, labels, clusters))
        here = slice(first, first + len(some))
        found[:, here] = _silhouette(sums[: len(some)], labelings[:, some], counts)
    return found


@partial(jax.jit, static_argnames="clusters")
def _sums(
    rows: Float[Array, "row feature"],
    columns: Float[Array, "block place feature"],
    labels: Int[Array, "block labeling place"],
    clusters: int,
) -> Float[Array, "row labeling cluster"]:
    """Sum the distances from some places to all places by cluster."""
    kinds = jnp.arange(clusters, dtype=labels.dtype)

    def add(total: Array, block: tuple[Array, Array]) -> tuple[Array, None]:
        places, own = block
        belongs = own.T[:, :, None] == kinds[None, None, :]
        matrix = belongs.reshape(len(places), -1).astype(rows.dtype)
        distance = _distances(rows, places)
        return total + jnp.dot(distance, matrix, precision=jax.lax.Precision.HIGHEST), None

    start = jnp.zeros((len(rows), labels.shape[1] * clusters), rows.dtype)
    total, _ = jax.lax.scan(add, start, (columns, labels))
    return total.reshape(len(rows), labels.shape[1], clusters)


def _distances(
    rows: Float[Array, "row feature"], places: Float[Array, "place feature"]
) -> Float[Array, "row place"]:
    squares = jnp.zeros((len(rows), len(places)), rows.dtype)
    for feature in range(rows.shape[1]):
        squares += jnp.square(rows[:, feature, None] - places[None, :, feature])
    return jnp.sqrt(squares)


def _silhouette(sums: np.ndarray, own: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Turn sums of distances `[row, labeling, cluster]` into silhouettes `[labeling, row]`."""
    sums = sums.swapaxes(0, 1).astype(np.float64)
    own = own.astype(np.intp)
    size = np.take_along_axis(counts, own, axis=1)
    inside = np.take_along_axis(sums, own[:, :, None], axis=2)[:, :, 0] / np.maximum(size - 1, 1)
    means = np.where(counts[:, None, :] > 0, sums / np.maximum(counts, 1)[:, None, :], np.inf)
    np.put_along_axis(means, own[:, :, None], np.inf, axis=2)
    beside = means.min(axis=2)
    larger = np.maximum(inside, beside)
    alone_or_all_equal = (size == 1) | (larger == 0.0)
    ratio = (beside - inside) / np.where(larger == 0.0, 1.0, larger)
    return np.where(alone_or_all_equal, 0.0, ratio)


def _scaled(points: np.ndarray) -> np.ndarray:
    """Centre and shrink to ±1, which no silhouette notices, so that single precision suffices."""
    centred = np.asarray(points, np.float64) - np.mean(points, axis=0, dtype=np.float64)
    extent = np.abs(centred).max(initial=0.0)
    return (centred / (extent if extent > 0.0 else 1.0)).astype(np.float32)


def _check(points: np.ndarray, labelings: np.ndarray) -> None:
    if labelings.ndim != 2 or labelings.shape[1] != len(points):
        raise InputError(f"labels of shape {labelings.shape[1:]} do not fit {len(points)} places")
    if not np.isfinite(points).all():
        raise InputError("a place without all its features has no silhouette; leave it out")
    if not np.issubdtype(labelings.dtype, np.integer) or labelings.min(initial=0) < 0:
        raise InputError("labels are whole numbers from 0")
    if any((one == one[0]).all() for one in labelings):
        raise InputError("silhouettes compare clusters: there must be at least two")
