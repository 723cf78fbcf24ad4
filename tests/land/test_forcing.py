import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.errors import InputError
from diffhydro.land.forcing import Forcing

DRY = np.zeros(5)


def test_a_slice_is_a_forcing_and_so_is_an_instant():
    forcing = Forcing(np.arange(5.0), DRY, step=0.5)
    part = forcing[1:3]
    assert (part.length, part.step) == (2, 0.5)
    assert part.precipitation.tolist() == [1.0, 2.0]
    assert forcing[-1].precipitation.shape == ()
    assert part.transpiration is None


def test_time_is_sliced_at_all_sites():
    forcing = Forcing(np.ones((3, 5)), np.ones((3, 5)))
    assert forcing.length == 5
    assert forcing[:2].precipitation.shape == (3, 2)


def test_an_instant_outside_is_an_index_error():
    with pytest.raises(IndexError, match="step 5 of a forcing that has 5"):
        Forcing(DRY, DRY)[5]


@pytest.mark.parametrize(
    ("series", "message"),
    [
        ({"precipitation": [0, np.nan, 1, np.nan, 0]}, r"not finite at 2 of 5 steps \(first: 1\)"),
        ({"precipitation": [0.0, 0, 0, -1, 0]}, r"precipitation is negative at 1 of 5 .*first: 3"),
        ({"transpiration": [0.0, 0, -1, 0, 0]}, "transpiration is negative"),
        ({"base": [0.0, np.inf, 0, 0, 0]}, "base is not finite"),
        ({"potential_evaporation": np.zeros(4)}, r"one shape.*\(5,\).*\(4,\)"),
        ({"precipitation": "rain"}, "give a number"),
        ({"step": 0.0}, "must be positive"),
    ],
)
def test_bad_series_are_refused(series, message):
    with pytest.raises(InputError, match=message):
        Forcing(**({"precipitation": DRY, "potential_evaporation": DRY} | series))


def test_dew_is_allowed():
    assert Forcing(DRY, DRY - 1.0).length == 5


def test_tracers_pass():
    def total(rain):
        return jnp.sum(Forcing(rain, rain).precipitation)

    assert jax.jit(total)(-jnp.ones(3)) == -3.0
