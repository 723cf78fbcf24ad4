"""Random daily weather for many columns, float32: what the land models are timed on."""

import jax.numpy as jnp
import numpy as np

from diffhydro.land.forcing import Forcing


def random_weather(columns: int, days: int, seed: int = 0) -> Forcing:
    """Draw weather of a temperate climate."""
    rng = np.random.default_rng(seed)
    shape = (columns, days)
    season = np.sin(2.0 * np.pi * (np.arange(days) - 100.0) / 365.0)
    wet = rng.random(shape) < 0.3
    temperature = 9.0 + 11.0 * season + rng.normal(0.0, 3.0, shape)
    saturated = 610.8 * np.exp(17.27 * temperature / (temperature + 237.3))
    series = {
        "precipitation": np.where(wet, rng.exponential(8.0, shape), 0.0),
        "potential_evaporation": np.maximum(0.15 * temperature, 0.0),
        "temperature": temperature,
        "shortwave": (150.0 + 100.0 * season) * rng.uniform(0.6, 1.2, shape),
        "vapour_pressure": 0.65 * saturated,
        "leaf_area": np.broadcast_to(2.0 + 1.5 * season, shape),
    }
    return Forcing(**{name: jnp.asarray(x, "float32") for name, x in series.items()})
