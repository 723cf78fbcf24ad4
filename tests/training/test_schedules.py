"""Schedules at their ends, between them, and compiled."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.errors import InputError
from diffhydro.training.schedules import (
    CosineSchedule,
    LinearSchedule,
    OneMinus,
    StepSchedule,
    one_minus,
    times,
)

SCHEDULES = {
    "linear": LinearSchedule(0.9, 0.1, steps=10, begin=5),
    "rising": LinearSchedule(0.0, 1.0, steps=10, begin=5),
    "cosine": CosineSchedule(0.9, 0.1, steps=10, begin=5),
    "stairs": StepSchedule((0.9, 0.4, 0.1), at=(5, 15)),
}
WAY = np.arange(21)


def along(schedule):
    """Give a schedule at all steps, compiled."""
    return np.asarray(jax.jit(jax.vmap(schedule))(jnp.asarray(WAY, jnp.int32)))


@pytest.mark.parametrize("name", ["linear", "cosine", "rising"])
def test_both_ends_are_exact_and_held(name):
    schedule = SCHEDULES[name]
    values = along(schedule)
    np.testing.assert_allclose(values[:6], schedule.start, atol=1e-16)
    np.testing.assert_allclose(values[15:], schedule.end, atol=1e-16)
    assert (np.sign(np.diff(values[5:16])) == np.sign(schedule.end - schedule.start)).all()
    assert float(schedule(10**9)) == pytest.approx(schedule.end, abs=1e-16)


def test_the_middles():
    np.testing.assert_allclose(along(SCHEDULES["linear"])[7], 0.9 - 0.8 * 0.2, rtol=1e-14)
    quarter = 0.1 + 0.8 * 0.5 * (1.0 + np.cos(np.pi * 0.2))
    np.testing.assert_allclose(along(SCHEDULES["cosine"])[7], quarter, rtol=1e-14)
    expected = np.select([WAY < 5, WAY < 15], [0.9, 0.4], 0.1)
    np.testing.assert_array_equal(along(SCHEDULES["stairs"]), expected)


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_schedule_and_its_rest_are_one_and_compiled_is_plain(name):
    schedule = SCHEDULES[name]
    np.testing.assert_allclose(along(schedule) + along(one_minus(schedule)), 1.0, rtol=1e-15)
    plain = [float(schedule(int(step))) for step in WAY]
    np.testing.assert_allclose(along(schedule), plain, rtol=1e-15)
    np.testing.assert_allclose(along(times(schedule, 3.0)), 3.0 * along(schedule), rtol=1e-15)
    assert max(plain) <= schedule.highest


def test_numbers_are_schedules_that_stay():
    assert one_minus(0.3) == 0.7
    assert times(0.3, 2.0) == 0.6
    for wrong in (-0.1, 1.1, np.nan):
        with pytest.raises(InputError, match="between 0 and 1"):
            one_minus(wrong)


def test_any_callable_has_a_rest():
    rest = one_minus(lambda step: 0.25 * step)
    assert isinstance(rest, OneMinus)
    assert float(rest(1)) == 0.75


def test_shares_outside_zero_and_one_are_refused():
    for wrong in (-0.1, 1.1, float("nan")):
        for make in (
            lambda x: LinearSchedule(x, 0.0, 10),
            lambda x: CosineSchedule(0.0, x, 10),
            lambda x: StepSchedule((0.5, x), at=(10,)),
        ):
            with pytest.raises(InputError, match="α is a share between 0 and 1"):
                make(wrong)
    with pytest.raises(InputError, match=r"reaches 10\.0"):
        one_minus(times(LinearSchedule(1.0, 0.0, 10), 10.0))


def test_ways_that_lead_nowhere_are_refused():
    for kind in (LinearSchedule, CosineSchedule):
        with pytest.raises(InputError, match="over 0 steps"):
            kind(1.0, 0.0, steps=0)
    for at in ((), (1, 2), (5, 5, 6)):
        with pytest.raises(InputError, match="rising steps"):
            StepSchedule((1.0, 0.5) if len(at) < 3 else (1.0, 0.5, 0.2, 0.1), at)
    for factor in (-1.0, float("nan"), float("inf")):
        with pytest.raises(InputError, match="weights are 0 or more"):
            times(LinearSchedule(1.0, 0.0, 10), factor)
