import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from diffhydro.data.places import Places
from diffhydro.data.splits import ByPeriod, BySeason, ByTimeBlocks, LeaveOneSiteOut, SpaceByTime
from diffhydro.data.splits.by_season import SEASONS
from diffhydro.errors import InputError
from tests.data.splits.sites import check_sites, check_times, sites

TWO = Places(("a", "b"), np.array([0.0, 9.0]), np.zeros(2))


def with_times(days, start="2016-02-20"):
    return Places(TWO.names, TWO.latitude, TWO.longitude, np.datetime64(start) + np.arange(days))


@settings(deadline=None)
@given(st.integers(10, 300), st.integers(2, 6), st.integers(0, 20))
def test_blocks_leak_nothing_and_test_every_date_once(days, k, gap):
    places = with_times(days)
    try:
        folds = list(ByTimeBlocks(k, gap).of(places))
    except InputError as error:
        assume("nothing to train" not in str(error))
        raise
    assert (np.stack([fold.test.times for fold in folds]).sum(axis=0) == 1).all()
    lengths = [fold.test.times.sum() for fold in folds]
    assert max(lengths) - min(lengths) <= 1
    for fold in folds:
        check_times(fold, places.times, gap)
        edges = np.abs(np.diff(fold.test.times.astype(int))).sum()
        assert edges <= 2  # one block
        missing = ~fold.train.times & ~fold.test.times
        assert missing.sum() <= 2 * gap


def test_no_warm_up_of_a_training_date_reaches_the_test():
    places = with_times(400)
    for fold in ByTimeBlocks(4, gap=30).of(places):
        trained = np.flatnonzero(fold.train.times)
        for t in trained:
            assert not fold.test.times[max(t - 30, 0) : t + 1].any()


def test_hours_of_a_day_stay_together():
    hours = np.datetime64("2020-01-01T00", "h") + np.arange(10 * 24)
    places = Places(TWO.names, TWO.latitude, TWO.longitude, hours)
    for fold in ByTimeBlocks(3, gap=1).of(places):
        for mask in (fold.train.times, fold.test.times):
            assert set(mask.reshape(10, 24).sum(axis=1).tolist()) <= {0, 24}


def test_periods_of_gsm3_and_convlstm():
    """Temporal test of Liu et al. 2023; years of Rabiei et al. 2025."""
    places = with_times(2102, "2015-04-01")
    (fold,) = ByPeriod(("2016-04-01", "2020-12-31"), ("2015-04-01", "2016-03-31")).of(places)
    assert (fold.test.times.sum(), fold.train.times.sum()) == (366, 1736)
    assert fold.name == "2015-04-01/2016-03-31"
    places = with_times(1826, "2018-01-01")
    (fold,) = ByPeriod(
        ("2018-01-01", "2020-12-31"), ("2022-01-01", "2022-12-31"), ("2021-01-01", "2021-12-31"), 10
    ).of(places)
    check_times(fold, places.times, 10)
    counts = [part.times.sum() for part in (fold.train, fold.validation, fold.test)]
    assert counts == [1096 - 10, 365 - 10, 365]


def test_periods_that_overlap_are_refused():
    places = with_times(900, "2018-01-01")
    with pytest.raises(InputError, match="2018-06-01 lies in two of the periods"):
        list(ByPeriod(("2018-01-01", "2018-12-31"), ("2018-06-01", "2019-12-31")).of(places))
    with pytest.raises(InputError, match="2018-06-01 lies in two of the periods"):
        list(
            ByPeriod(
                ("2018-01-01", "2018-12-31"),
                ("2019-06-01", "2019-12-31"),
                ("2018-06-01", "2019-05-31"),
            ).of(places)
        )
    with pytest.raises(InputError, match="ends before it begins"):
        list(ByPeriod(("2018-12-31", "2018-01-01"), ("2019-06-01", "2019-12-31")).of(places))
    with pytest.raises(InputError, match="nothing to test with"):
        list(ByPeriod(("2018-01-01", "2018-12-31"), ("2030-01-01", "2030-12-31")).of(places))


def season_of(dates):
    return (dates.astype("datetime64[M]").astype(int) % 12 + 1) // 3 % 4


@settings(deadline=None)
@given(st.integers(400, 1500), st.integers(1, 9), st.integers(0, 2), st.integers(0, 5))
def test_seasons_leak_nothing_and_keep_their_shares(days, block, gap, seed):
    places = with_times(days)
    split = BySeason(block=block, gap=gap, seed=seed)
    try:
        (fold,) = split.of(places)
    except InputError as error:
        assume("nothing to" not in str(error))
        raise
    check_times(fold, places.times, gap)
    dates, sides = places.times, split.sides(places.times)
    for season in range(4):
        mine = season_of(dates) == season
        for side, share in enumerate((0.7, 0.1, 0.2)):
            # Half a block from rounding, and blocks at the ends of a season that are shorter.
            off = abs((sides[mine] == side).sum() - share * mine.sum())
            assert off <= block * (1.0 + days / 365.0) + 1.0
    np.testing.assert_array_equal(fold.test.times, sides == 2)


def test_single_dates_are_split_exactly():
    dates = with_times(4 * 365 + 1, "2017-03-01").times
    sides = BySeason().sides(dates)
    for season, name in enumerate(SEASONS):
        mine = season_of(dates) == season
        shares = [int((sides[mine] == side).sum()) for side in range(3)]
        number = mine.sum()
        assert shares == [round(0.7 * number), round(0.8 * number) - round(0.7 * number),
                          number - round(0.8 * number)], name  # fmt: skip


def test_blocks_of_a_season_stay_together_and_end_with_it():
    dates = with_times(800).times
    sides = BySeason(block=7).sides(dates)
    changes = np.flatnonzero(np.diff(sides)) + 1
    season = season_of(dates)
    starts = {0: "12-01", 1: "03-01", 2: "06-01", 3: "09-01"}
    for t in changes:
        date = dates[t]
        year = int(str(date)[:4]) - (1 if season[t] == 0 and str(date)[5:7] != "12" else 0)
        first = np.datetime64(f"{year:04d}-{starts[season[t]]}")
        assert (date - first).astype(int) % 7 == 0


def test_shares_without_validation_and_bad_ones():
    (fold,) = BySeason((0.8, 0.0, 0.2)).of(with_times(400))
    assert fold.validation is None
    with pytest.raises(InputError, match="shares add up to 1"):
        list(BySeason((0.8, 0.1, 0.2)).of(with_times(400)))
    with pytest.raises(InputError, match="MAM has 2 blocks of 60 days, too few"):
        list(BySeason(block=60).of(with_times(95, "2019-03-01")))
    with pytest.raises(InputError, match="needs sites with times"):
        list(BySeason().of(TWO))


@settings(deadline=None, max_examples=40)
@given(sites(days=120), st.integers(2, 4), st.integers(0, 5))
def test_space_by_time_leaks_neither(places, k, gap):
    try:
        folds = list(SpaceByTime(LeaveOneSiteOut(30.0), ByTimeBlocks(k, gap)).of(places))
    except InputError as error:
        assume("nothing to train" not in str(error))
        raise
    tested = np.zeros((len(places), 120), int)
    for fold in folds:
        check_sites(fold, places, 30.0)
        check_times(fold, places.times, gap)
        tested[np.ix_(fold.test.sites, fold.test.times)] += 1
    assert (tested == 1).all()


def test_a_validation_of_either_goes_along():
    places = with_times(900, "2018-01-01")
    period = ByPeriod(
        ("2018-01-01", "2018-12-31"), ("2020-01-01", "2020-06-01"), ("2019-01-01", "2019-12-31")
    )
    fold, _ = SpaceByTime(LeaveOneSiteOut(), period).of(places)
    assert fold.name == "a, 2020-01-01/2020-06-01"
    assert fold.validation.names == fold.train.names == ("b",)
    assert fold.validation.times.sum() == 365
