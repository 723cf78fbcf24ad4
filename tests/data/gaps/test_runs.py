import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diffhydro.data.gaps import days_per_step, gap_lengths
from diffhydro.errors import InputError


@settings(deadline=None)
@given(st.lists(st.booleans(), max_size=60))
def test_gap_lengths_are_those_counted_by_hand(missing):
    found = gap_lengths(np.array([missing], bool))[0]
    for t, one in enumerate(missing):
        first, last = t, t
        while one and first > 0 and missing[first - 1]:
            first -= 1
        while one and last + 1 < len(missing) and missing[last + 1]:
            last += 1
        assert found[t] == (last - first + 1 if one else 0)


def test_steps_have_to_be_equal():
    hours = np.datetime64("2020-01-01T00", "h") + np.array([0, 6, 12])
    assert days_per_step(hours) == 0.25
    assert days_per_step(hours[:1]) == 1.0
    with pytest.raises(InputError, match=r"2020-01-01T06.* is followed by 2020-01-01T18"):
        days_per_step(hours[0] + np.array([0, 6, 18]))
    with pytest.raises(InputError, match="equal steps"):
        days_per_step(hours[[0, 0, 0]])
