"""What was observed: what is taken, and what is not."""

import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.calibration.assimilation.observation import Observation, seen, stacked
from diffhydro.errors import InputError
from tests.calibration.assimilation import linear
from tests.calibration.assimilation.reservoirs import lower, upper

NAN = float("nan")


def test_scattered_days_become_a_series():
    one = Observation.scattered("probe", upper, [1, 3], [0.2, 0.3], 0.02, length=5)
    np.testing.assert_array_equal(one.values, [NAN, 0.2, NAN, 0.3, NAN])
    np.testing.assert_array_equal(one.known, [False, True, False, True, False])
    assert one.error.shape == (5,)
    # A stretch of it may have nothing in it.
    assert int(one[4:].known.sum()) == 0


def test_an_observation_keeps_its_floating_type_until_it_is_used():
    one = Observation("probe", upper, np.zeros(3, np.float32), 0.1)
    assert one.values.dtype == jnp.float32
    values, errors = stacked([one], jnp.zeros(3))
    assert values.dtype == errors.dtype == jnp.float64


def test_several_instruments_report_side_by_side():
    forcing, _ = linear.record()
    run = linear.MODEL.run(forcing)
    both = [Observation(n, f, np.zeros(linear.DAYS), 1.0) for n, f in (("a", upper), ("b", lower))]
    np.testing.assert_array_equal(seen(both, run), [run.states.upper, run.states.lower])
    assert seen([], run).shape == (0, linear.DAYS)
    wrong = Observation("sum", lambda run: run.states.upper.sum(), np.zeros(linear.DAYS), 1.0)
    with pytest.raises(InputError, match="expected a number for each time"):
        seen([wrong], run)


@pytest.mark.parametrize(
    ("values", "error", "match"),
    [
        ([NAN, NAN, NAN], 0.1, "all 3 values are missing"),
        ([0.1, np.inf, NAN], 0.1, "infinite"),
        ([0.1, 0.2, NAN], -0.1, "error is -0.1 at 3 of 3"),
        ([0.1, 0.2, NAN], [0.1, 0.0, 0.1], "error is 0 at 1 of 3"),
        ([0.1, 0.2, NAN], [0.1, NAN, 0.1], "error is nan at 1 of 3"),
        ([0.1, 0.2, NAN], [0.1, 0.1], "one for each of the values"),
        ([[0.1, 0.2]], 0.1, r"expected \[time\]"),
    ],
)
def test_bad_values_teach(values, error, match):
    with pytest.raises(InputError, match=match):
        Observation("probe", upper, values, error)


def test_days_outside_the_window_teach():
    with pytest.raises(InputError, match=r"2 of 3 observations lie outside the window .*day 60"):
        Observation.scattered("probe", upper, [5, 60, -1], [0.1, 0.2, 0.3], 0.1, length=60)
    with pytest.raises(InputError, match="3 days for 2 values"):
        Observation.scattered("probe", upper, [5, 6, 7], [0.1, 0.2], 0.1, length=60)
