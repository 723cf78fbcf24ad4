import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from diffhydro.data.batches import Windows
from diffhydro.errors import InputError

masks = hnp.arrays(bool, (3, 40))


@st.composite
def windows(draw):
    length = draw(st.integers(1, 15))
    return Windows(length, draw(st.integers(0, length - 1)), draw(st.none() | st.integers(1, 9)))


@settings(deadline=None)
@given(windows(), masks, masks, hnp.arrays(bool, 40), st.integers(0, 6))
def test_windows_keep_every_rule(how, scored, usable, readable, least):
    how = Windows(how.length, how.warm_up, how.stride, least)
    cut = how.cut(scored, usable, readable)
    for site, start, stop in zip(cut.sites, cut.starts, cut.stops, strict=True):
        assert how.warm_up < stop - start <= how.length
        assert readable[start:stop].all()
        assert usable[site, start:stop].all()
        assert scored[site, start + how.warm_up : stop].sum() >= least
        # A window is shorter only where its run of times ends.
        assert stop - start == how.length or stop == 40 or not readable[stop]


@settings(deadline=None)
@given(windows(), masks, hnp.arrays(bool, 40))
def test_without_overlap_every_observation_counts_once(how, scored, readable):
    how = Windows(how.length, how.warm_up)
    cut = how.cut(scored, readable=readable)
    counted = np.zeros(scored.shape, int)
    for site, start, stop in zip(cut.sites, cut.starts, cut.stops, strict=True):
        counted[site, start + how.warm_up : stop] += 1
    first = np.zeros(40, int)  # how long it has been readable, this time included
    for t in range(40):
        first[t] = readable[t] * (1 + (first[t - 1] if t else 0))
    np.testing.assert_array_equal(
        counted[scored], np.broadcast_to(first > how.warm_up, (3, 40))[scored]
    )


def test_what_is_left_out_is_counted():
    scored = np.ones((2, 12), bool)
    scored[0, :6] = False
    usable = np.ones((2, 12), bool)
    usable[1, 8] = False
    cut = Windows(6).cut(scored, usable)
    assert (cut.thin, cut.broken) == (1, 1)
    assert cut.sites.tolist() == [0, 1]
    assert cut.starts.tolist() == [6, 0]
    assert cut.only(np.array([1])).starts.tolist() == [0]


def test_windows_that_score_nothing_are_refused():
    with pytest.raises(InputError, match="a warm-up of 5 steps leaves nothing of windows of 5"):
        Windows(5, 5)
    with pytest.raises(InputError, match="move on by 0 steps"):
        Windows(5, 1, 0)
