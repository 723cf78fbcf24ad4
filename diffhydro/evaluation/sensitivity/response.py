"""An output as a function of positions: from points of the unit cube to numbers.

All global methods ask no more of a model than this, so that they are tested on functions whose
indices are known.
"""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from diffhydro.errors import InputError
from diffhydro.typing import Array, Float

Points = Float[np.ndarray, "member entry"]


class Response(eqx.Module):
    """A function of k positions, evaluated for many points side by side.

    Example:
        >>> response = Response(("a", "b"), lambda u: u[0] + u[1] ** 2)
        >>> response.at(np.asarray([[0.0, 1.0], [1.0, 0.5]])).tolist()
        [1.0, 1.25]

    Args:
        names: Of what the positions belong to.
        of: From positions `[k]` to a number.
        columns: Most points to compute side by side; more are taken in batches, one after the
            other. None is no limit.
    """

    names: tuple[str, ...] = eqx.field(static=True, converter=tuple)
    of: Callable[[Float[Array, " entry"]], Float[Array, ""]]
    columns: int | None = eqx.field(static=True, default=256)

    def __check_init__(self) -> None:
        if self.columns is not None and self.columns < 1:
            raise InputError(f"columns is {self.columns}; at least one, or None for no limit")

    def at(self, points: Points) -> Float[np.ndarray, " member"]:
        """Return the outputs at some points."""
        found = self._in_batches(_values, points)
        return self._finite(points, found)

    def slopes(self, points: Points) -> tuple[Float[np.ndarray, " member"], Points]:
        """Return the outputs at some points, and their derivatives with each position.

        In reverse mode: the cost does not grow with the number of positions.
        """
        found, slopes = self._in_batches(_values_and_slopes, points)
        self._finite(points, found)
        self._finite(points, slopes.sum(axis=-1), "the gradient")
        return found, slopes

    def _in_batches(self, evaluate: Callable, points: Points) -> Any:
        """Evaluate batches of a few sizes only, so that few programs serve all samples."""
        points = self._checked(points)
        count = len(points)
        size = 1 << (count - 1).bit_length()
        size = min(size, self.columns or size)
        missing = -count % size
        full = np.concatenate([points, np.broadcast_to(points[-1:], (missing, points.shape[1]))])
        found = [
            evaluate(self.of, jnp.asarray(full[start : start + size], dtype=float))
            for start in range(0, count, size)
        ]
        return jax.tree.map(lambda *x: np.concatenate(x).astype(np.float64)[:count], *found)

    def _checked(self, points: Points) -> Points:
        points = np.asarray(points)
        if points.ndim != 2 or points.shape[1] != len(self.names) or len(points) == 0:
            raise InputError(
                f"points need the shape [member, {len(self.names)}], got {points.shape}"
            )
        if not ((points >= 0.0) & (points <= 1.0)).all():
            raise InputError("points are positions between bounds, 0 to 1; some lie outside")
        return points

    def _finite(self, points: Points, found: np.ndarray, what: str = "the output") -> np.ndarray:
        bad = ~np.isfinite(found)
        if not bad.any():
            return found
        first = np.asarray(points)[np.argmax(bad)]
        places = ", ".join(f"{n} {100 * u:.3g} %" for n, u in zip(self.names, first, strict=True))
        raise InputError(
            f"{what} is not finite at {bad.sum()} of {bad.size} points (first, in shares of the "
            f"way between the bounds: {places}); narrow the bounds"
        )


@eqx.filter_jit
def _values(of: Callable, points: Array) -> Array:
    return jax.vmap(lambda u: _one_number(of(u)))(points)


@eqx.filter_jit
def _values_and_slopes(of: Callable, points: Array) -> tuple[Array, Array]:
    return jax.vmap(jax.value_and_grad(lambda u: _one_number(of(u))))(points)


def _one_number(found: Array) -> Array:
    if jnp.shape(found) != ():
        raise InputError(
            f"an output is one number of a run, got shape {jnp.shape(found)}; take a mean over "
            "time, or one time"
        )
    return found
