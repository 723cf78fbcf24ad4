"""Noise of the weather: right in the mean, related from day to day, within what can be."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.calibration.assimilation.perturbation import Factor, Perturbations, Shift
from diffhydro.errors import InputError
from diffhydro.land.forcing import Forcing

KEY = jax.random.key(5)
MEMBERS, DAYS = 4000, 30


def course(wrong):
    """Noise `[time, member]` of every series."""
    first = wrong.first(MEMBERS, jnp.float64, key=KEY)

    def day(noise, key):
        after = wrong.next(noise, 1.0, key=key)
        return after, after

    return jax.lax.scan(day, first, jax.random.split(jax.random.key(6), DAYS))[1]


def test_noise_is_standard_and_remembers_as_long_as_it_should():
    noise = course(Perturbations(precipitation=Factor(0.4, days=3.0), temperature=Shift(1.0)))
    for name, days in (("precipitation", 3.0), ("temperature", 0.0)):
        x = np.asarray(noise[name])
        np.testing.assert_allclose(x.std(axis=1), 1.0, atol=5.0 / np.sqrt(2 * MEMBERS))
        for lag in (1, 4):
            found = np.mean(x[lag:] * x[:-lag])
            wanted = np.exp(-lag / days) if days else 0.0
            assert found == pytest.approx(wanted, abs=5.0 / np.sqrt(MEMBERS))
    together = np.mean(np.asarray(noise["precipitation"]) * np.asarray(noise["temperature"]))
    assert abs(together) < 5.0 / np.sqrt(MEMBERS)


def test_weather_keeps_its_mean_and_its_dry_days():
    wrong = Perturbations(precipitation=Factor(0.5), temperature=Shift(2.0), shortwave=Shift(60.0))
    now = Forcing(4.0, temperature=10.0, shortwave=30.0, melt=1.0)
    noise = wrong.first(MEMBERS, jnp.float64, key=KEY)
    seen = jax.vmap(lambda n: wrong.weather(now, n))(noise)
    rain = np.asarray(seen.precipitation)
    assert rain.mean() == pytest.approx(4.0, abs=5.0 * rain.std() / np.sqrt(MEMBERS))
    assert np.log(rain).std() == pytest.approx(0.5, rel=0.06)
    np.testing.assert_allclose(seen.melt / seen.precipitation, 0.25)
    assert np.asarray(seen.temperature).std() == pytest.approx(2.0, rel=0.06)
    # Light has a floor, below which no noise takes it.
    assert np.asarray(seen.shortwave).min() == -0.5
    dry = jax.vmap(lambda n: wrong.weather(Forcing(0.0, temperature=1.0, shortwave=9.0), n))(noise)
    assert (np.asarray(dry.precipitation) == 0).all()


def test_bad_input_teaches():
    with pytest.raises(InputError, match="did you mean precipitation"):
        Perturbations(precipitaton=Factor(0.3))
    with pytest.raises(InputError, match="a Shift rains every day"):
        Perturbations(precipitation=Shift(1.0))
    for spread, days in ((0.0, 1.0), (0.3, -1.0)):
        with pytest.raises(InputError, match="a standard deviation above zero"):
            Factor(spread, days)
