"""Noise taken off series: a Kalman smoother for a level that wanders (local level model).

    level(t) = level(t−1) + w,  w ~ N(0, step)        observed(t) = level(t) + v,  v ~ N(0, noise)

with nothing known of the level beforehand. `smooth` gives the mean and the variance of the level
given all observations, before and after (Kalman 1960; Rauch, Tung & Striebel 1965). `fit_noise`
finds both variances where the likelihood of the innovations is highest (Harvey 1989, §4.1.2): their
sum is concentrated out, and log(step / noise) is searched for within ±`WIDEST`.

A smoothed value knows its future. It is a label to learn from, not a value to be scored against.
"""

from typing import TYPE_CHECKING, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from diffhydro.errors import InputError
from diffhydro.typing import Array, ArrayLike, Float, Scalar

if TYPE_CHECKING:
    import xarray as xr

WIDEST = 16.0  # |log(step / noise)|; beyond it one of them has no trace in the likelihood
_GRID = 33  # ratios that are tried before the best is refined, for the likelihood can have two tops
_GOLDEN = (5.0**0.5 - 1.0) / 2.0
_REFINEMENTS = 30  # 0.618³⁰ of a bracket of 2: a millionth of the ratio
_FEWEST = 3  # observations that tell noise from steps


class Noise(NamedTuple):
    """Variances of single observations and of the steps of the level, `[site]`."""

    noise: Float[Array, " site"]
    step: Float[Array, " site"]


class Smoothed(NamedTuple):
    """The level given all observations, at all times, also where nothing was observed."""

    mean: Float[Array, "site time"]
    variance: Float[Array, "site time"]


def smooth(values: ArrayLike, noise: ArrayLike, step: ArrayLike) -> Smoothed:
    """Smooth series `[site, time]` of which NaN is missing; a series of nothing stays so.

    Without noise the observations come back, with a line between them where some are missing; with
    infinite noise, or no steps, a flat line at their mean.

    Args:
        noise: Variance of an observation; one, or one for each site.
        step: Variance of a step of the level; likewise.
    """
    values = _series(values)
    sites = (values.shape[0],)
    noise = jnp.broadcast_to(jnp.asarray(noise, values.dtype), sites)
    step = jnp.broadcast_to(jnp.asarray(step, values.dtype), sites)
    bad = ~((noise >= 0.0) & (step >= 0.0) & (noise + step > 0.0) & jnp.isfinite(step))
    if bad.any():
        i = int(jnp.argmax(bad))
        raise InputError(
            f"series {i} has noise {noise[i]} and step {step[i]}; variances are not negative, and "
            "one of them is positive"
        )
    return Smoothed(*_smooth(values, noise, step))


def fit_noise(values: ArrayLike) -> Noise:
    """Fit both variances to each of the series `[site, time]`, of which NaN is missing.

    A constant series has neither. With fewer than three observations both are NaN.
    """
    return Noise(*_fit(_series(values)))


def smoothed(dataset: "xr.Dataset", name: str) -> "xr.Dataset":
    """Add `<name>_smoothed` and `<name>_smoothed_variance`, with variances fitted to each series.

    Only what is there is smoothed: gaps stay. So does a series that is constant (of variance 0), or
    too short to be fitted (of variance NaN). Values that were filled in count as observed; smooth
    before filling to leave them out.
    """
    import xarray as xr

    if name not in dataset or "time" not in dataset[name].dims:
        listed = ", ".join(str(n) for n, v in dataset.data_vars.items() if "time" in v.dims)
        raise InputError(f"there is no series {name} to smooth; the data set has {listed}")
    found = dataset[name]
    order = (*(d for d in found.dims if d != "time"), "time")
    values = np.asarray(found.transpose(*order).values)
    series = values.reshape(-1, values.shape[-1])
    noise, step = (np.asarray(fitted) for fitted in fit_noise(series))
    usable = noise + step > 0.0
    mean = series.copy()
    variance = np.where(np.isnan(noise)[:, None], np.nan, np.zeros_like(series))
    if usable.any():
        made = smooth(series[usable], noise[usable], step[usable])
        mean[usable], variance[usable] = np.asarray(made.mean), np.asarray(made.variance)
    there = ~np.isnan(values)

    unit = found.attrs.get("units", "1")

    def variable(made: np.ndarray, unit: str, said: str) -> "xr.Variable":
        made = np.where(there, made.reshape(values.shape), np.nan).astype(values.dtype)
        told = {"units": unit, "long_name": said}
        return xr.Variable(order, made, told).transpose(*found.dims)

    level, spread = f"{name}_smoothed", f"{name}_smoothed_variance"
    return dataset.assign(
        {
            level: variable(mean, unit, f"{name} without noise, Kalman smoother"),
            spread: variable(variance, f"({unit})2", f"variance of {level}"),
        }
    )


def _series(values: ArrayLike) -> Float[Array, "site time"]:
    values = jnp.asarray(values)
    if values.ndim != 2 or not jnp.issubdtype(values.dtype, jnp.floating):
        raise InputError(
            f"expected series [site, time] of floats; got {values.dtype}{values.shape}"
        )
    return values


class _Filter(NamedTuple):
    """The level after the observations so far, its variance over the sum of both variances."""

    mean: Scalar
    variance: Scalar
    started: Scalar


def _update(
    state: _Filter, observed: Scalar, noise: Scalar, step: Scalar
) -> tuple[_Filter, Scalar, Scalar]:
    """Go one step and take in an observation; give its innovation and the innovation's variance.

    The first observation of all is the level, with the variance of the noise: the limit of an
    unbounded variance before it.
    """
    there = ~jnp.isnan(observed)
    value = jnp.where(there, observed, 0.0)
    before = state.variance + step
    spread = before + noise
    gain = jnp.where(state.started, before / jnp.where(spread > 0.0, spread, 1.0), 1.0)
    innovation = value - state.mean
    after = _Filter(
        jnp.where(there, (1.0 - gain) * state.mean + gain * value, state.mean),
        jnp.where(there, gain * noise, jnp.where(state.started, before, 0.0)),
        state.started | there,
    )
    counts = there & state.started
    return after, jnp.where(counts, innovation, 0.0), jnp.where(counts, spread, 1.0)


def _empty(values: Float[Array, " time"]) -> _Filter:
    zero = jnp.zeros((), values.dtype)
    return _Filter(zero, zero, jnp.zeros((), bool))


def _smooth_one(
    values: Float[Array, " time"], noise: Scalar, step: Scalar
) -> tuple[Float[Array, " time"], Float[Array, " time"]]:
    centre = _mean(values)
    total = noise + step
    # The mean depends on the ratio only, which keeps both ends of it finite.
    share = jnp.where(jnp.isinf(noise), 1.0, noise / total)
    rest = jnp.where(jnp.isinf(noise), 0.0, step / total)

    def forward(state, observed):
        after, _, _ = _update(state, observed, share, rest)
        return after, after

    def backward(later, now):
        mean, variance = later
        ahead = jnp.where(now.started, now.variance + rest, 1.0)
        gain = jnp.where(now.started, now.variance / ahead, 1.0)
        # Algebraically P + C²(V − P − q), without its differences of nearly equal numbers. Before
        # the first observation P is unbounded, and C is 1.
        made = ((1.0 - gain) * now.mean + gain * mean, gain**2 * variance + gain * rest)
        return made, made

    last, states = jax.lax.scan(forward, _empty(values), values - centre)
    earlier = jax.tree.map(lambda series: series[:-1], states)
    end = (last.mean, last.variance)
    _, (means, variances) = jax.lax.scan(backward, end, earlier, reverse=True)
    mean = jnp.append(means, end[0]) + centre
    nothing = ~last.started
    variance = jnp.append(variances, end[1]) * total
    return jnp.where(nothing, jnp.nan, mean), jnp.where(nothing, jnp.nan, variance)


def _mean(values: Float[Array, " time"]) -> Scalar:
    there = ~jnp.isnan(values)
    count = jnp.maximum(there.sum(), 1).astype(values.dtype)
    return jnp.where(there, values, 0.0).sum() / count


def _profile(values: Float[Array, " time"], ratio: Scalar) -> tuple[Scalar, Scalar]:
    """Give the concentrated log-likelihood at log(step / noise), and the sum of both variances."""
    share, rest = jax.nn.sigmoid(-ratio), jax.nn.sigmoid(ratio)

    def forward(carry, observed):
        state, squares, logs, count = carry
        after, innovation, spread = _update(state, observed, share, rest)
        counts = ~jnp.isnan(observed) & state.started
        return (
            after,
            squares + innovation**2 / spread,
            logs + jnp.log(spread),
            count + counts.astype(values.dtype),
        ), None

    zero = jnp.zeros((), values.dtype)
    (_, squares, logs, count), _ = jax.lax.scan(forward, (_empty(values), zero, zero, zero), values)
    count = jnp.maximum(count, 1.0)
    total = squares / count
    tiny = jnp.finfo(values.dtype).tiny
    return -0.5 * (count * jnp.log(jnp.maximum(total, tiny)) + logs), total


def _fit_one(values: Float[Array, " time"]) -> tuple[Scalar, Scalar]:
    values = values - _mean(values)

    def height(ratio):
        return _profile(values, ratio)[0]

    grid = jnp.linspace(-WIDEST, WIDEST, _GRID, dtype=values.dtype)
    best = grid[jnp.argmax(jax.vmap(height)(grid))]
    apart = grid[1] - grid[0]
    ratio = _highest(height, jnp.maximum(best - apart, -WIDEST), jnp.minimum(best + apart, WIDEST))
    _, total = _profile(values, ratio)
    few = (~jnp.isnan(values)).sum() < _FEWEST
    noise, step = total * jax.nn.sigmoid(-ratio), total * jax.nn.sigmoid(ratio)
    return jnp.where(few, jnp.nan, noise), jnp.where(few, jnp.nan, step)


def _highest(height, low: Scalar, high: Scalar) -> Scalar:
    """Search for the maximum of a function of one top between two points (Kiefer 1953)."""

    def narrow(_, state):
        low, high, left, right, at_left, at_right = state
        down = at_left >= at_right
        low, high = jnp.where(down, low, left), jnp.where(down, right, high)
        new_left, new_right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        new = height(jnp.where(down, new_left, new_right))
        kept, at_kept = jnp.where(down, left, right), jnp.where(down, at_left, at_right)
        return (
            low,
            high,
            jnp.where(down, new_left, kept),
            jnp.where(down, kept, new_right),
            jnp.where(down, new, at_kept),
            jnp.where(down, at_kept, new),
        )

    left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    state = (low, high, left, right, height(left), height(right))
    low, high, *_ = jax.lax.fori_loop(0, _REFINEMENTS, narrow, state)
    return 0.5 * (low + high)


_smooth = jax.jit(jax.vmap(_smooth_one))
_fit = jax.jit(jax.vmap(_fit_one))
