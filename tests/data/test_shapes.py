import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from diffhydro.data.shapes import first_derivative, ratio, second_derivative, shifted, window

series = hnp.arrays(
    np.float64,
    st.tuples(st.just(2), st.integers(1, 30)),
    elements=st.one_of(st.just(np.nan), st.floats(-1.0, 1.0)),
)


@settings(deadline=None)
@given(series, st.integers(0, 8), st.integers(0, 8), st.booleans())
def test_windows_hold_what_is_there(values, before, after, itself):
    found = window(values, before, after, itself=itself)
    for i, row in enumerate(values):
        for t in range(len(row)):
            near = list(range(max(t - before, 0), min(t + after + 1, len(row))))
            if not itself:
                near.remove(t)
            there = row[near][~np.isnan(row[near])]
            assert found.number[i, t] == len(there)
            if len(there):
                np.testing.assert_allclose(found.mean[i, t], there.mean(), atol=1e-12)
                np.testing.assert_allclose(found.variance[i, t], there.var(), atol=1e-12)
            else:
                assert np.isnan(found.mean[i, t])
                assert np.isnan(found.variance[i, t])


@settings(deadline=None)
@given(series, st.integers(-3, 3))
def test_shifts(values, by):
    by = max(min(by, values.shape[1]), -values.shape[1])
    moved = shifted(values, by)
    for t in range(values.shape[1]):
        expected = values[:, t - by] if 0 <= t - by < values.shape[1] else np.nan
        np.testing.assert_array_equal(moved[:, t], expected)


def test_derivatives_of_a_parabola_are_exact():
    t = np.arange(10.0)
    parabola = 3.0 - 0.5 * t + 0.25 * t**2
    np.testing.assert_allclose(first_derivative(parabola)[1:-1], (-0.5 + 0.5 * t)[1:-1])
    np.testing.assert_allclose(second_derivative(parabola)[1:-1], 0.5)
    assert np.isnan(first_derivative(parabola)[[0, -1]]).all()


def test_ratios_of_next_to_nothing():
    found = ratio(np.array([1.0, 1.0, 0.0, np.nan]), np.array([5e-324, 0.0, 2.0, 1.0]))
    np.testing.assert_array_equal(found, [np.inf, np.nan, 0.0, np.nan])
