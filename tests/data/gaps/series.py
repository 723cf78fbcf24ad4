"""Series with holes, for tests of what fills them."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

START = np.datetime64("2018-11-15", "D")


def days(length):
    return START + np.arange(length)


def holed(sites=3, length=40):
    """Arrays `[site, time]` in either precision, of which about half is missing."""
    values = st.one_of(st.just(np.nan), st.floats(0.0, 1.0, width=32))
    return st.sampled_from([np.float32, np.float64]).flatmap(
        lambda dtype: hnp.arrays(dtype, (sites, length), elements=values)
    )


def weather(sites, length, seed=0, shared=0.9):
    """Series that share a season and much of their noise."""
    rng = np.random.default_rng(seed)
    season = 0.1 * np.cos(2.0 * np.pi * np.arange(length) / 365.25)

    def noise(rows):
        steps = rng.normal(0.0, 0.02, (rows, length))
        for t in range(1, length):
            steps[:, t] += 0.8 * steps[:, t - 1]
        return steps

    level = rng.uniform(0.2, 0.4, (sites, 1))
    return level + season + np.sqrt(shared) * noise(1) + np.sqrt(1.0 - shared) * noise(sites)


def check_law(filled, values):
    """What was observed is as it was; the methods say what was filled, and nothing else was."""
    there = ~np.isnan(values)
    np.testing.assert_array_equal(filled.values[there], values[there])
    assert filled.values.dtype == values.dtype
    assert filled.methods.dtype == np.uint8
    np.testing.assert_array_equal(filled.filled, ~there & ~np.isnan(filled.values))
