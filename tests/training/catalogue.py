"""Every loss of batches, and one batch that all of them can read."""

from functools import cache

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from diffhydro.coupling.inputs import Inputs
from diffhydro.networks.distributions import Mixture, Normal, Quantiles
from diffhydro.soil.hydraulics import VanGenuchten
from diffhydro.training.batch_losses import (
    ByWindow,
    Pooled,
    huber,
    kge,
    mae,
    mse,
    nse,
    rmse,
)
from diffhydro.training.coherence import VerticalCoherence
from diffhydro.training.likelihood import Gaussian
from diffhydro.training.losses import MeanSquare
from diffhydro.training.penalties import BeyondBounds, SuctionConsistency
from diffhydro.training.physics_losses import log_suction_misfit
from diffhydro.training.probabilistic import NegativeLogLikelihood, OwnLoss, Pinball
from diffhydro.training.sample import Sample
from diffhydro.training.series_losses import MeanAbsolute, Uncorrelated
from diffhydro.training.water_penalties import ClosedBalance, DryingOnly

WINDOWS, TIMES, DEPTHS = 3, 16, 3
LEVELS = (0.1, 0.5, 0.9)
THICKNESS = (100.0, 300.0, 600.0)
FLUXES = {"gains": ("inflow",), "losses": ("evaporation", "transpiration")}
SPELL = {"inflow": "inflow", "evaporation": ("evaporation",), "least": 3.0}

MISFITS = {
    "mse": mse("stations", "theta"),
    "rmse": rmse("stations", "theta"),
    "mae": mae("satellite", "theta"),
    "huber": huber("stations", 0.02, "theta"),
    "nse": nse("stations", "theta"),
    "kge": kge("stations", "theta"),
    "nse of a profile": nse("probes", "profile"),
    "mse by window": ByWindow(MeanSquare(), "stations", "theta"),
    "mae by window": ByWindow(MeanAbsolute(), "probes", "profile"),
    "correlation": Pooled(Uncorrelated(), "satellite", "theta"),
    "likelihood": ByWindow(Gaussian(sigma=0.05, growth=0.1, memory=0.6), "stations", "theta"),
    "mean of a distribution": mse("stations", "normal.mean"),
    "normal": NegativeLogLikelihood("stations", "normal"),
    "normal with one scale": NegativeLogLikelihood("stations", "shared"),
    "mixture": OwnLoss("stations", "mixture"),
    "quantiles": OwnLoss("satellite", "quantiles"),
    "pinball": Pinball("stations", LEVELS, "quantiles.values"),
}
PENALTIES = {
    "bounds": BeyondBounds("theta"),
    "bounds of a profile": BeyondBounds("profile", soil="layers"),
    "suction": SuctionConsistency(("stations", "satellite"), "theta"),
    "pF": SuctionConsistency(("probes",), "profile", misfit=log_suction_misfit),
    "balance": ClosedBalance(THICKNESS, **FLUXES, output="profile"),
    "balance of one depth": ClosedBalance((200.0,), **FLUXES, output="theta", seepage=1.0),
    "sources": ClosedBalance((200.0,), **FLUXES, output="theta", seepage=np.inf),
    "drying": DryingOnly(**SPELL, output="theta"),
    "drying as seen": DryingOnly(**SPELL, thickness=THICKNESS, output="profile", source="stations"),
    "coherence": VerticalCoherence((3.0, 12.0), "profile"),
}
LOSSES = MISFITS | PENALTIES
QUICK = {"xla_backend_optimization_level": 0}  # to compile; there is little to run


def batch(seed=0, dtype=np.float64):
    """Make a prediction and a sample with gaps, dry spells, and times that only fill up."""
    rng = np.random.default_rng(seed)
    shape, deep = (WINDOWS, TIMES), (WINDOWS, TIMES, DEPTHS)
    day = np.arange(TIMES)
    course = 0.25 + 0.06 * np.sin(day / 3.0 + rng.uniform(0, 6, (WINDOWS, 1)))

    def near(scale, like=course):
        return like + rng.normal(0.0, scale, like.shape)

    is_real = np.ones(shape)
    is_real[1, -3:] = 0.0
    is_real[2, :2] = 0.0
    profile = np.stack([np.roll(course, lag, axis=1) for lag in range(DEPTHS)], axis=-1)
    prediction = {
        "theta": near(0.05),
        "profile": near(0.03, profile),
        "transpiration": rng.exponential(0.5, shape),
        "normal": Normal(near(0.03), rng.uniform(0.02, 0.1, shape)),
        "shared": Normal(near(0.03), np.asarray(0.05)),
        "mixture": Mixture(
            np.log(np.broadcast_to([0.3, 0.7], (*shape, 2))),
            near(0.03)[..., None] + np.asarray([-0.02, 0.03]),
            rng.uniform(0.02, 0.1, (*shape, 2)),
        ),
        "quantiles": Quantiles(near(0.02)[..., None] + np.asarray([-0.05, 0.0, 0.05]), LEVELS),
    }
    weights = {
        name: rng.uniform(0.5, 2.0, size) * (rng.random(size) < 0.7)
        for name, size in (("stations", shape), ("satellite", shape), ("probes", deep))
    }
    weights = {
        name: x * is_real.reshape(shape + (1,) * (x.ndim - 2)) for name, x in weights.items()
    }
    observed = {"stations": near(0.04), "satellite": near(0.05), "probes": near(0.04, profile)}
    wet = np.broadcast_to(day % 8 < 2, shape)
    series = {
        "inflow": np.where(wet, rng.exponential(8.0, shape), 0.0),
        "evaporation": rng.exponential(2.0, shape),
    }
    sample = Sample(
        Inputs(series),
        observed,
        weights | {"real": is_real},
        {"soil": soil(rng, (WINDOWS,)), "layers": soil(rng, (WINDOWS, DEPTHS))},
    )
    return jax.tree.map(lambda x: np.asarray(x, dtype), (prediction, sample))


def soil(rng, shape):
    """Draw soils whose bounds predictions sometimes leave."""
    lows_highs = {
        "theta_r": (0.05, 0.15),
        "theta_s": (0.3, 0.4),
        "alpha": (5e-4, 5e-3),
        "n": (1.2, 2.0),
        "k_sat": (50.0, 500.0),
        "l": (0.5, 0.5),
    }
    return VanGenuchten(**{name: rng.uniform(*ends, shape) for name, ends in lows_highs.items()})


def quick(function):
    """Compile a function, or a module that cannot be hashed, in little time."""

    def run(*given):
        return function(*given)

    return jax.jit(run, compiler_options=QUICK)


@cache
def _program():
    """Compile all losses and their gradients, with respect to predictions, soils and series."""

    def one(loss):
        def of(free, sample):
            prediction, extra, series = free
            inputs = Inputs(series, sample.inputs.attributes)
            return loss(prediction, Sample(inputs, sample.observed, sample.weights, extra))

        return jax.value_and_grad(of)

    def every(prediction, sample):
        free = prediction, sample.extra, sample.inputs.series
        return {name: one(loss)(free, sample) for name, loss in LOSSES.items()}

    return quick(every)


@cache
def _value(name):
    return quick(LOSSES[name])


def value(name, prediction, sample):
    """Give one loss."""
    prediction, sample = jax.tree.map(jnp.asarray, (prediction, sample))
    return np.asarray(_value(name)(prediction, sample))


def found(prediction, sample):
    """Give all losses and their gradients by name."""
    prediction, sample = jax.tree.map(jnp.asarray, (prediction, sample))
    return jax.tree.map(np.asarray, _program()(prediction, sample))


def free_of(prediction, sample):
    """Give what gradients are with respect to."""
    return prediction, sample.extra, sample.inputs.series


def with_free(free, sample):
    """Put it back."""
    prediction, extra, series = free
    return prediction, Sample(Inputs(series), sample.observed, sample.weights, extra)


def replace(sample, **changed):
    """Give a sample with other observations, weights or extras."""
    for name, value in changed.items():
        sample = eqx.tree_at(lambda s, name=name: getattr(s, name), sample, value)
    return sample
