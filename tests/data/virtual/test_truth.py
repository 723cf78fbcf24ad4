"""What is true closes its books, and cracks lose nothing."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.data.virtual.cracked import Cracked
from diffhydro.data.virtual.places import describe, live
from diffhydro.data.virtual.weather import Calendar
from diffhydro.land.budget import budget
from diffhydro.land.forcing import Forcing
from diffhydro.land.upland import Upland
from diffhydro.soil.pedotransfer import cosby


def test_cracks_take_strong_rain_and_lose_nothing():
    ground = Upland(soil=cosby(sand=43.0, clay=18.0))
    rain = jnp.asarray([0.0, 8.0, 60.0, 0.0, 25.0])
    forcing = Forcing(rain, jnp.full(5, 2.0), transpiration=jnp.full(5, 1.0))
    plain = ground.run(forcing)
    cracked = Cracked(ground, share=0.4, threshold=10.0).run(forcing)
    np.testing.assert_allclose(cracked.fluxes.precipitation, rain)
    assert float(jnp.abs(budget(cracked).residual).max()) < 1e-9
    passing = 0.4 * np.maximum(np.asarray(rain) - 10.0, 0.0)
    assert float(cracked.fluxes.drainage.sum()) > float(plain.fluxes.drainage.sum())
    assert (np.asarray(cracked.fluxes.drainage) >= passing).all()
    whole = Cracked(ground, share=0.0).run(forcing)
    jax.tree.map(np.testing.assert_array_equal, whole.fluxes, plain.fluxes)


@pytest.mark.exhaustive
@pytest.mark.slow
def test_a_season_of_truth():
    latitude = np.array([2.0, 24.0, 41.0, 52.0, 64.0, -34.0, 10.0, 60.0])
    longitude = np.array([-60.0, 10.0, -100.0, 20.0, 100.0, 148.0, 5.0, -110.0])
    with jax.numpy_dtype_promotion("standard"):
        places = describe(0, latitude, longitude, scattered=True)
        calendar = Calendar(np.datetime64("2015-03-01"), 150)
        lived = live(0, calendar, places)
    course = lived.truth
    assert np.abs(course.residual).max() < 0.02  # mm in 150 days, single precision
    assert course.forced.sum() == 0
    assert course.theta.shape == (8, 150, 5)
    assert (course.theta > 0.02).all()
    assert (course.theta < 0.61).all()
    wet, dry = course.skin[0].mean(), course.skin[1].mean()
    assert wet > dry
    rise = np.diff(course.skin, axis=1)
    rained = lived.true["precipitation"][:, 1:] > 10.0
    assert rise[rained].mean() > 0.01
