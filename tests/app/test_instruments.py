"""What is seen of a run, and how it is compared."""

from types import SimpleNamespace

import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.app.config import ObservedConfig
from diffhydro.app.instruments import loss_of, observer
from diffhydro.errors import InputError
from diffhydro.land.forcing import Forcing
from diffhydro.land.hbv import Hbv
from diffhydro.training.likelihood import Gaussian
from diffhydro.training.losses import Huber, KlingGupta, MeanSquare, NashSutcliffe


def words(**given):
    return ObservedConfig.model_validate({"variable": "runoff"} | given)


def test_evapotranspiration_is_all_that_leaves_for_the_air():
    """A tower measures what evaporates from leaves and snow too."""
    series = {"evaporation": 1.0, "transpiration": 2.0, "interception": 0.5, "sublimation": 0.25}
    fluxes = {name: jnp.full(3, x) for name, x in series.items()}
    see = observer(words(variable="evapotranspiration"))
    np.testing.assert_array_equal(see(SimpleNamespace(fluxes=SimpleNamespace(**fluxes))), 3.75)
    bare = SimpleNamespace(**(fluxes | {"interception": None, "sublimation": None}))
    np.testing.assert_array_equal(see(SimpleNamespace(fluxes=bare)), 3.0)


def test_runoff_is_runoff_and_a_bucket_has_no_probe():
    weather = Forcing([20.0, 0.0, 5.0], [2.0, 3.0, 1.0], temperature=[8.0, 10.0, 3.0])
    run = Hbv().run(weather)
    np.testing.assert_array_equal(observer(words())(run), run.fluxes.runoff)
    with pytest.raises(InputError, match="no soil layers"):
        observer(words(variable="soil_moisture", depth=50))(run)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("mse", MeanSquare),
        ("nse", NashSutcliffe),
        ("kge", KlingGupta),
        ("huber", Huber),
        ("gaussian", Gaussian),
    ],
)
def test_every_name_has_its_loss(name, kind):
    found = loss_of(words(loss=name, limit=0.2, sigma=0.3, growth=0.1, memory=0.5), np.float32)
    assert type(found) is kind
    if name == "huber":
        assert float(found.limit) == np.float32(0.2)
    if name == "gaussian":
        numbers = [float(x) for x in (found.sigma, found.growth, found.memory)]
        np.testing.assert_allclose(numbers, [0.3, 0.1, 0.5], rtol=1e-6)
