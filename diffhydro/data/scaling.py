"""Scaling: from numbers with units to numbers near one that networks like, and back.

y = (g(x) − offset) / scale, where g is x itself, or log(1 + x) for amounts such as rain, whose few
large values would else outweigh the rest. Offset and scale come from training data and nothing
else, by one of three laws:

- `z_score`: mean and standard deviation;
- `min_max`: smallest value and range, so that training data lie in 0 … 1;
- `log_z_score`: mean and standard deviation of log(1 + x).

What does not vary in training is divided by 1: there it becomes 0, and elsewhere it keeps its unit.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from diffhydro.errors import InputError
from diffhydro.typing import Array, Float

__all__ = ["Scaler", "log_z_score", "min_max", "z_score"]

FORMAT = "diffhydro scaler 1"


class Line(NamedTuple):
    """What a law makes of one variable; `spread` may be zero."""

    offset: float
    spread: float
    is_log: bool = False


Law = Callable[[np.ndarray], Line]


def z_score(values: np.ndarray) -> Line:
    """Fit mean and standard deviation to values without gaps."""
    return Line(float(values.mean()), float(values.std()))


def min_max(values: np.ndarray) -> Line:
    """Fit the smallest value and the range to values without gaps."""
    return Line(float(values.min()), float(np.ptp(values)))


def log_z_score(values: np.ndarray) -> Line:
    """Fit mean and standard deviation of log(1 + x) to values without gaps, none below 0."""
    if values.min() < 0.0:
        raise InputError(f"a value is {values.min():g}; the logarithm is for amounts, from 0 up")
    return z_score(np.log1p(values))._replace(is_log=True)


class Scaler(eqx.Module):
    """Scales variables that lie along the last axis, in the order of `names`.

    >>> rain = np.array([0.0, 0.0, np.nan, 12.0])
    >>> warmth = np.array([10.0, 14.0, 12.0, 16.0])
    >>> laws = {"precipitation": log_z_score}
    >>> scaler = Scaler.fit({"precipitation": rain, "temperature": warmth}, laws)
    >>> scaler.transform(np.array([[0.0, 13.0]])).round(2)
    array([[-0.71,  0.  ]])
    >>> scaler.of("temperature").inverse(np.array([-1.0, 0.0])).round(2)
    array([10.76, 13.  ])

    Takes NumPy arrays and JAX arrays, and gives the same kind, in their own precision. Missing
    stays missing. Gradients are finite where x > −1 for what is scaled by its logarithm, and
    everywhere for the rest; at missing values they are those of a straight line.
    """

    names: tuple[str, ...] = eqx.field(static=True)
    is_log: tuple[bool, ...] = eqx.field(static=True)
    offset: Float[Array, "*feature"] | np.ndarray
    scale: Float[Array, "*feature"] | np.ndarray

    @staticmethod
    def fit(
        training: Mapping[str, np.ndarray],
        laws: Mapping[str, Law] | None = None,
        default: Law = z_score,
    ) -> "Scaler":
        """Fit every variable to its training values, of any shape; what is missing is passed over.

        Args:
            laws: By variable; of the others `default`.
        """
        laws = laws or {}
        unknown = [name for name in laws if name not in training]
        if unknown or not training:
            raise InputError(
                f"laws for {', '.join(unknown) or 'nothing'}; the training data have "
                f"{', '.join(training) or 'no variables'}"
            )
        lines = [_fit(name, x, laws.get(name, default)) for name, x in training.items()]
        return Scaler(
            names=tuple(training),
            is_log=tuple(line.is_log for line in lines),
            offset=np.array([line.offset for line in lines]),
            scale=np.array([line.spread for line in lines]),
        )

    def transform(self, x: Any) -> Any:
        """Scale `[..., feature]`; of a scaler made by `of`, an array of any shape."""
        x, offset, scale, logs = self._fitted(x)
        return (_curved(x, logs, "log1p") - offset) / scale

    def inverse(self, y: Any) -> Any:
        """Undo `transform`."""
        y, offset, scale, logs = self._fitted(y)
        return _curved(y * scale + offset, logs, "expm1")

    def of(self, name: str) -> "Scaler":
        """Give the scaler of one variable, which takes arrays of any shape."""
        i = self._place(name)
        return Scaler((name,), (self.is_log[i],), self.offset[i], self.scale[i])

    def select(self, names: Sequence[str]) -> "Scaler":
        """Give the scaler of some variables, in that order."""
        at = [self._place(name) for name in names]
        logs = tuple(self.is_log[i] for i in at)
        return Scaler(tuple(names), logs, self.offset[np.array(at)], self.scale[np.array(at)])

    def to_json(self) -> str:
        """Write as text, with all digits."""
        told = {
            "format": FORMAT,
            "names": list(self.names),
            "is_log": list(self.is_log),
            "offset": np.asarray(self.offset, np.float64).tolist(),
            "scale": np.asarray(self.scale, np.float64).tolist(),
        }
        return json.dumps(told, allow_nan=False)

    @staticmethod
    def from_json(told: str) -> "Scaler":
        """Read what `to_json` wrote."""
        try:
            return _read(json.loads(told))
        except (KeyError, TypeError, ValueError, RecursionError) as error:
            said = f"no {error}" if isinstance(error, KeyError) else str(error)
            raise InputError(f"the text is not {FORMAT!r}: {said}") from error

    def _place(self, name: str) -> int:
        if name not in self.names or self.offset.ndim == 0:
            raise InputError(f"no variable {name} to choose; there is {', '.join(self.names)}")
        return self.names.index(name)

    def _fitted(self, x: Any) -> tuple[Any, Any, Any, np.ndarray]:
        """Give `x`, offset and scale as arrays of one kind, precision and rank; which are logs."""
        if isinstance(x, jax.Array) or isinstance(self.offset, jax.Array):
            x = jnp.asarray(x)
        if self.offset.ndim and (x.ndim == 0 or x.shape[-1] != len(self.names)):
            raise InputError(
                f"got shape {x.shape}; expected on the last axis the {len(self.names)} variables "
                f"{', '.join(self.names)}"
            )
        if not jnp.issubdtype(x.dtype, jnp.floating):
            raise InputError(f"got {x.dtype}; scaling is for floating-point numbers")
        shape = (1,) * (x.ndim - self.offset.ndim) + self.offset.shape
        kind = _kind(x)
        offset, scale = (kind.asarray(p, x.dtype).reshape(shape) for p in (self.offset, self.scale))
        return x, offset, scale, np.array(self.is_log).reshape(shape)


def _fit(name: str, values: np.ndarray, law: Law) -> Line:
    values = np.asarray(values)
    precision = values.dtype if values.dtype.kind == "f" else np.float64
    known = values[~np.isnan(values)].astype(np.float64)
    if not known.size or np.isinf(known).any():
        what = "infinite somewhere" if known.size else "missing everywhere"
        raise InputError(f"{name} is {what} in the training data; leave it out or mend it")
    try:
        line = law(known)
    except InputError as error:
        raise InputError(f"{name}: {error}") from error
    # What varies no more than by the rounding of the values that came in is taken for constant.
    rounding = 4.0 * float(np.finfo(precision).eps) * np.abs(known).max()
    varies = np.ptp(known) > rounding and line.spread > 0.0
    return line if varies else line._replace(spread=1.0)


def _curved(x: Any, logs: np.ndarray, curve: str) -> Any:
    """Bend what is scaled by its logarithm; what is missing is not touched, for its gradient."""
    if not logs.any():
        return x
    kind = _kind(x)
    bent = logs & ~kind.isnan(x)
    return kind.where(bent, getattr(kind, curve)(kind.where(bent, x, kind.zeros_like(x))), x)


def _kind(x: Any) -> Any:
    return jnp if isinstance(x, jax.Array) else np


def _read(told: Any) -> Scaler:
    if not isinstance(told, dict) or told.get("format") != FORMAT:
        raise ValueError("it does not say so")
    names, logs = tuple(told["names"]), tuple(told["is_log"])
    offset, scale = (np.asarray(told[key], np.float64) for key in ("offset", "scale"))
    if not all(isinstance(name, str) for name in names) or not {*map(type, logs)} <= {bool}:
        raise ValueError("names are words, and is_log true or false")
    if offset.shape != scale.shape or offset.size != len(names) or len(logs) != len(names):
        raise ValueError("names, is_log, offset and scale are of one length")
    if not (np.isfinite(offset).all() and np.isfinite(scale).all() and (scale > 0.0).all()):
        raise ValueError("offsets are finite, and scales above zero")
    return Scaler(names, logs, offset, scale)
