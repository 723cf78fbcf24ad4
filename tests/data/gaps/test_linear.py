import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diffhydro.data.gaps import Linear, Method, gap_lengths
from tests.data.gaps.series import check_law, days, holed


@settings(deadline=None)
@given(holed(), st.integers(0, 12))
def test_fills_inner_gaps_up_to_the_limit_along_a_line(values, limit):
    filled = Linear(limit).fill(values, days(values.shape[1]))
    check_law(filled, values)
    lengths = gap_lengths(np.isnan(values))
    at = np.arange(values.shape[1])
    for row, made, length in zip(values, filled.values, lengths, strict=True):
        there = np.flatnonzero(~np.isnan(row))
        inside = np.zeros(len(row), bool)
        if len(there):
            inside[there[0] : there[-1]] = True
        expected = inside & (length > 0) & (length <= limit)
        np.testing.assert_array_equal(np.isnan(made), np.isnan(row) & ~expected)
        if expected.any():
            line = np.interp(at, at[there], row[there].astype(float))
            np.testing.assert_allclose(made[expected], line[expected], rtol=1e-6, atol=1e-7)
    assert set(np.unique(filled.methods)) <= {Method.AS_FOUND, Method.LINEAR}


def test_the_limit_is_in_days_whatever_the_step():
    hours = np.datetime64("2020-01-01T00", "h") + 6 * np.arange(8)
    values = np.array([[0.0, np.nan, np.nan, np.nan, 0.4, np.nan, np.nan, 1.0]])
    made = Linear(limit=0.5).fill(values, hours).values[0]
    assert np.isnan(made[1:4]).all()
    np.testing.assert_allclose(made[5:7], [0.6, 0.8])
    made = Linear(limit=0.75).fill(values, hours).values[0]
    assert made[1:4] == pytest.approx([0.1, 0.2, 0.3])


def test_nothing_in_nothing_out():
    empty = np.full((2, 5), np.nan)
    filled = Linear(10.0).fill(empty, days(5))
    assert np.isnan(filled.values).all()
    assert not filled.filled.any()
