"""Matching distributions: monotone, exact where it can be, fitted apart from applied."""

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from diffhydro.errors import InputError
from diffhydro.evaluation import CdfMatch
from tests.evaluation.series import named

FINE = tuple(np.linspace(0.0, 100.0, 101))


def two(n=5000):
    rng = np.random.default_rng(0)
    return rng.gamma(4.0, 0.05, n), rng.beta(2.0, 5.0, n)


def test_what_is_matched_has_the_distribution_of_the_reference():
    source, reference = two()
    found = CdfMatch.fit(source, reference, percentiles=FINE).apply(source)
    assert stats.ks_2samp(found, reference).statistic < 0.01
    assert stats.ks_2samp(source, reference).statistic > 0.2


def test_order_is_kept():
    source, reference = two()
    match = CdfMatch.fit(source, reference)
    wide = np.linspace(-0.5, 3.0, 400)
    assert (np.diff(match.apply(wide)) > 0).all()


def test_a_straight_line_is_found_exactly_and_goes_on_beyond_the_data():
    source, _ = two(200)
    match = CdfMatch.fit(source, 0.1 + 2.0 * source)
    x = np.array([-1.0, 0.2, 5.0])
    np.testing.assert_allclose(match.apply(x), 0.1 + 2.0 * x, rtol=1e-9)


def test_a_match_to_itself_changes_nothing_and_matches_undo_each_other():
    source, reference = two(300)
    np.testing.assert_allclose(CdfMatch.fit(source, source).apply(source), source, rtol=1e-12)
    there, back = CdfMatch.fit(source, reference), CdfMatch.fit(reference, source)
    np.testing.assert_allclose(back.apply(there.apply(source)), source, rtol=1e-9)


def test_days_need_not_be_common_and_gaps_stay():
    source, reference = two(300)
    holed = np.where(np.arange(300) % 3 == 0, np.nan, source)
    match = CdfMatch.fit(holed, reference[:100])
    kept = match.source.copy()
    found = match.apply(holed)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(holed))
    np.testing.assert_array_equal(match.source, kept)
    np.testing.assert_allclose(match.apply(holed[1:2]), found[1:2], rtol=0.0)


def test_a_labelled_array_keeps_its_labels():
    source, reference = two(300)
    array = named(source[None]).astype(np.float32)
    found = CdfMatch.fit(array, reference).apply(array)
    assert isinstance(found, xr.DataArray)
    np.testing.assert_array_equal(found.time, array.time)


@pytest.mark.parametrize(
    ("source", "reference", "percentiles", "message"),
    [
        (np.arange(5.0), np.arange(50.0), (0.0, 100.0), "the source has 5 values"),
        (np.arange(50.0), np.full(50, np.nan), (0.0, 100.0), "the reference has 0 values"),
        (np.full(50, 0.3), np.arange(50.0), (0.0, 100.0), "does not vary"),
        (np.arange(50.0), np.arange(50.0), (0.0, 50.0, 50.0), "that grow"),
        (np.arange(50.0), np.arange(50.0), (0.0, 101.0), "from 0 to 100"),
    ],
)
def test_what_cannot_be_matched(source, reference, percentiles, message):
    with pytest.raises(InputError, match=message):
        CdfMatch.fit(source, reference, percentiles=percentiles)
