"""What measurements add to the true series: errors that grow with it and last.

    e = σ a,   σ = σ_0 + g |s|,   a_t = φ a_{t−1} + √(1 − φ²) ε_t,   a_0 from the stationary law

as in `training/likelihood.py`, forwards.
"""

import jax
import jax.numpy as jnp

from diffhydro.training.likelihood import Gaussian
from diffhydro.typing import Array, Float

Series = Float[Array, " time"]


def error_spread(law: Gaussian, simulated: Series) -> Series:
    """Return the standard deviation of the error at every time."""
    dtype = simulated.dtype
    return law.sigma.astype(dtype) + law.growth.astype(dtype) * jnp.abs(simulated)


def draw_errors(law: Gaussian, simulated: Series, *, key: Array) -> Series:
    """Draw the errors of one record of measurements."""
    fresh = jax.random.normal(key, simulated.shape, simulated.dtype)
    memory = law.memory.astype(simulated.dtype)
    share = jnp.sqrt(1.0 - memory**2)

    def step(last: Array, fresh: Array) -> tuple[Array, Array]:
        now = memory * last + share * fresh
        return now, now

    _, rest = jax.lax.scan(step, fresh[0], fresh[1:])
    return error_spread(law, simulated) * jnp.concatenate([fresh[:1], rest])
