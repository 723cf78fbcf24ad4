"""Map a free number z ∈ ℝ to a parameter p inside its bounds, and back.

    linear:   p = lo + (hi − lo) σ(z)
    log:      p = o + exp(ln(lo − o) + (ln(hi − o) − ln(lo − o)) σ(z)),   o the offset, 0 by default
    log, p<o: the same for |p − o|, mirrored so that p still increases with z
    one bound missing (linear only): p = lo + softplus(z)  or  p = hi − softplus(−z)
    no bounds (linear only):         p = z

Two rules keep every value and every gradient finite in float32. Each map is written from its nearer
bound, so that neither end suffers cancellation and rounding never leaves [lo, hi]. And the inverse
moves a fraction nearer than ε (`jnp.finfo(dtype).eps`) to a bound out to ε: a parameter that starts
on its bound is moved by at most ε times the range, and keeps a gradient.
"""

import abc
import dataclasses
import math

import jax
import jax.numpy as jnp

from diffhydro.errors import InputError
from diffhydro.typing import Array, ArrayLike, Float

Bounds = tuple[float | None, float | None]


class AbstractScale(abc.ABC):
    """The shape of the map between ℝ and a bounded interval."""

    @abc.abstractmethod
    def check(self, bounds: Bounds) -> None:
        """Raise InputError where this scale has no map onto these bounds."""

    @abc.abstractmethod
    def constrain(self, z: Float[ArrayLike, "..."], bounds: Bounds) -> Float[Array, "..."]:
        """Return p inside the bounds; increases with z."""

    @abc.abstractmethod
    def free(self, p: Float[ArrayLike, "..."], bounds: Bounds) -> Float[Array, "..."]:
        """Return z of p; a p outside the bounds counts as on them."""


@dataclasses.dataclass(frozen=True)
class Linear(AbstractScale):
    """Equal steps in p; either bound may be missing."""

    def __str__(self) -> str:
        return "linear"

    def check(self, bounds: Bounds) -> None:
        _ordered(bounds)

    def constrain(self, z: Float[ArrayLike, "..."], bounds: Bounds) -> Float[Array, "..."]:
        lo, hi = _ordered(bounds)
        z = jnp.asarray(z)
        if math.isinf(lo) and math.isinf(hi):
            return z
        if math.isinf(hi):
            return lo + jax.nn.softplus(z)
        if math.isinf(lo):
            return hi - jax.nn.softplus(-z)
        lower, upper = jax.nn.sigmoid(z), jax.nn.sigmoid(-z)
        return jnp.where(z < 0, lo + (hi - lo) * lower, hi - (hi - lo) * upper)

    def free(self, p: Float[ArrayLike, "..."], bounds: Bounds) -> Float[Array, "..."]:
        lo, hi = _ordered(bounds)
        p = jnp.asarray(p)
        if math.isinf(lo) and math.isinf(hi):
            return p
        if math.isinf(hi):
            return _inverse_softplus(p - lo, scale=max(1.0, abs(lo)))
        if math.isinf(lo):
            return -_inverse_softplus(hi - p, scale=max(1.0, abs(hi)))
        return _logit((p - lo) / (hi - lo), (hi - p) / (hi - lo))


@dataclasses.dataclass(frozen=True)
class Log(AbstractScale):
    """Equal ratios of |p − offset|; needs two finite bounds on one side of the offset."""

    offset: float = 0.0

    def __str__(self) -> str:
        if self.offset == 0.0:
            return "log"
        return f"log(p {'−' if self.offset > 0 else '+'} {abs(self.offset):g})"

    def check(self, bounds: Bounds) -> None:
        lo, hi = _ordered(bounds)
        if math.isinf(lo) or math.isinf(hi):
            raise InputError(f"a log scale needs two finite bounds, got {bounds}; use LINEAR")
        if lo <= self.offset <= hi:
            raise InputError(
                f"a log scale needs both bounds on one side of {self.offset:g}, got {bounds}; "
                "move the bound, use log_above(offset), or use LINEAR"
            )
        if min(abs(lo - self.offset), abs(hi - self.offset)) < 1e-5 * abs(self.offset):
            raise InputError(
                f"a bound of {bounds} is too near the offset {self.offset:g} of its log scale to "
                "be told from it in float32; move it out by at least 1e-5 of the offset"
            )

    def constrain(self, z: Float[ArrayLike, "..."], bounds: Bounds) -> Float[Array, "..."]:
        z = jnp.asarray(z)
        lo, hi = _ordered(bounds)
        if hi < self.offset:
            return -Log(-self.offset).constrain(-z, (-hi, -lo))
        span = math.log((hi - self.offset) / (lo - self.offset))
        from_below = (lo - self.offset) * jnp.exp(span * jax.nn.sigmoid(z))
        from_above = (hi - self.offset) * jnp.exp(-span * jax.nn.sigmoid(-z))
        return _absorb_rounding(self.offset + jnp.where(z < 0, from_below, from_above), lo, hi)

    def free(self, p: Float[ArrayLike, "..."], bounds: Bounds) -> Float[Array, "..."]:
        p = jnp.asarray(p)
        lo, hi = _ordered(bounds)
        if hi < self.offset:
            return -Log(-self.offset).free(-p, (-hi, -lo))
        span = math.log((hi - self.offset) / (lo - self.offset))
        p = jnp.clip(p, lo, hi)  # outside the bounds the logarithm may not exist
        above_lo = jnp.log1p((p - lo) / (lo - self.offset))
        below_hi = jnp.log1p((hi - p) / (p - self.offset))
        return _logit(above_lo / span, below_hi / span)


LINEAR = Linear()
LOG = Log()


def log_above(offset: float) -> Log:
    """Return the scale with equal ratios of p − offset, e.g. `log_above(1.0)` for n > 1."""
    return Log(offset)


def interval(bounds: Bounds) -> tuple[float, float]:
    """Return the bounds as floats, a missing one as ∓∞."""
    lo, hi = bounds
    return (-math.inf if lo is None else float(lo)), (math.inf if hi is None else float(hi))


def _ordered(bounds: Bounds) -> tuple[float, float]:
    lo, hi = interval(bounds)
    if not lo < hi:
        raise InputError(f"bounds must be (lower, upper) with lower < upper, got {bounds}")
    return lo, hi


def _absorb_rounding(p: Array, lo: float, hi: float) -> Array:
    # Adding an offset can round p past its bound. The gradient must survive that: a plain clip has
    # slope zero there, and a parameter near its bound could not leave it.
    return p + jax.lax.stop_gradient(jnp.clip(p, lo, hi) - p)


def _logit(above: Array, below: Array) -> Array:
    """Return ln(f / (1 − f)) from f and 1 − f, each taken from its own bound."""
    eps = float(jnp.finfo(above.dtype).eps)
    return jnp.log(jnp.clip(above, eps, 1.0)) - jnp.log(jnp.clip(below, eps, 1.0))


def _inverse_softplus(y: Array, scale: float) -> Array:
    y = jnp.maximum(y, float(jnp.finfo(y.dtype).eps) * scale)
    return y + jnp.log(-jnp.expm1(-y))
