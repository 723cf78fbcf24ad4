import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from diffhydro.data.places import Places
from diffhydro.data.splits import KFoldBySite, LeaveOneSiteOut, Twins, WithValidation
from diffhydro.data.splits.by_site import deal
from diffhydro.errors import InputError
from tests.data.splits.sites import check_sites, sites


def folds_of(split, places):
    try:
        return list(split.of(places))
    except InputError as error:
        assume("nothing to train" not in str(error) and "lies between" not in str(error))
        raise


def check_once(folds, places):
    tested = np.concatenate([fold.test.sites for fold in folds])
    assert sorted(tested.tolist()) == list(range(len(places)))


@settings(deadline=None)
@given(sites(), st.floats(0.0, 200.0))
def test_leaving_one_out_leaks_nothing(places, buffer):
    folds = folds_of(LeaveOneSiteOut(buffer), places)
    check_once(folds, places)
    for fold in folds:
        check_sites(fold, places, buffer)
    if buffer == 0.0:
        assert all(len(f.train.sites) + len(f.test.sites) == len(places) for f in folds)


@settings(deadline=None)
@given(sites(least=10), st.integers(2, 5), st.floats(0.0, 100.0), st.integers(0, 3))
def test_folds_leak_nothing_are_even_and_repeat(places, k, buffer, seed):
    split = KFoldBySite(k, buffer, seed)
    folds = folds_of(split, places)
    assert len(folds) == k
    check_once(folds, places)
    for fold in folds:
        check_sites(fold, places, buffer)
    largest = np.bincount(Twins().groups(places)).max()
    counts = [len(fold.test.sites) for fold in folds]
    assert max(counts) - min(counts) <= largest
    again = [fold.test.names for fold in split.of(places)]
    assert again == [fold.test.names for fold in folds]


def test_another_seed_is_another_split():
    places = Places(tuple(map(str, range(40))), np.linspace(-40.0, 40.0, 40), np.zeros(40))
    one, other = (list(KFoldBySite(4, seed=seed).of(places)) for seed in (0, 1))
    assert [f.test.names for f in one] != [f.test.names for f in other]
    assert {len(f.test.sites) for f in one} == {10}


@settings(deadline=None)
@given(st.lists(st.integers(1, 5), min_size=3, max_size=30), st.integers(1, 3), st.integers(0, 99))
def test_hands_are_dealt_evenly(sizes, hands, seed):
    hand = deal(np.array(sizes), hands, np.random.default_rng(seed))
    held = np.bincount(hand, weights=sizes, minlength=hands)
    assert held.max() - held.min() <= max(sizes)


@settings(deadline=None)
@given(sites(least=10), st.floats(0.05, 0.5))
def test_sites_set_aside_leak_nothing(places, share):
    folds = folds_of(WithValidation(LeaveOneSiteOut(), share), places)
    check_once(folds, places)
    for fold in folds:
        check_sites(fold, places)
        aside = len(fold.validation.sites)
        learned = aside + len(fold.train.sites)
        assert learned + len(fold.test.sites) == len(places)
        largest = np.bincount(Twins().groups(places)).max()
        assert share * learned <= aside <= share * learned + largest


def test_what_cannot_be_split_is_refused():
    two = Places(("a", "b"), np.array([0.0, 0.01]), np.zeros(2))
    with pytest.raises(InputError, match=r"fold a\+b has nothing to train with"):
        list(LeaveOneSiteOut().of(two))
    with pytest.raises(InputError, match="2 folds of 2 sites, which are 1 places"):
        list(KFoldBySite(2).of(two))
    three = Places(tuple("abc"), np.array([0.0, 1.0, 2.0]), np.zeros(3))
    with pytest.raises(InputError, match="a smaller buffer"):
        list(LeaveOneSiteOut(buffer=500.0).of(three))
    with pytest.raises(InputError, match=r"a share of 0\.9 leaves none"):
        list(WithValidation(LeaveOneSiteOut(), 0.9).of(three))
