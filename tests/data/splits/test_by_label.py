import numpy as np
import pytest
import xarray as xr
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from diffhydro.data.places import Places
from diffhydro.data.splits import ByContinent, ByRegion
from diffhydro.errors import InputError
from tests.data.splits.sites import check_sites, sites


@settings(deadline=None)
@given(sites(), st.integers(2, 4), st.floats(0.0, 100.0), st.integers(0, 99))
def test_regions_leak_nothing_and_are_tested_once(places, regions, buffer, seed):
    labels = np.random.default_rng(seed).integers(0, regions, len(places))
    assume(len(set(labels.tolist())) > 1)
    try:
        folds = list(ByRegion(labels.tolist(), buffer).of(places))
    except InputError as error:
        assume("nothing to train" not in str(error))
        raise
    assert [fold.name for fold in folds] == [str(label) for label in np.unique(labels)]
    for fold, label in zip(folds, np.unique(labels), strict=True):
        np.testing.assert_array_equal(fold.test.sites, np.flatnonzero(labels == label))
        assert not np.isin(labels[fold.train.sites], label).any()
        check_sites(fold, places, buffer)


def test_a_twin_beyond_the_border_is_in_no_part():
    places = Places(tuple("abcd"), np.array([0.0, 0.02, 5.0, 9.0]), np.zeros(4))
    west, east = ByRegion(["west", "east", "east", "west"]).of(places)
    assert west.name == "east"
    assert (west.test.names, west.train.names) == (("b", "c"), ("d",))
    assert (east.test.names, east.train.names) == (("a", "d"), ("c",))


def test_continents_are_left_out_one_after_the_other():
    places = xr.Dataset(
        {
            "latitude": ("site", [36.1, 52.5, -33.9, 61.2, 36.2, 21.3]),
            "longitude": ("site", [-97.1, 13.4, 18.4, -149.9, -97.9, -157.9]),
        },
        {"site": ["stillwater", "berlin", "cape", "anchorage", "enid", "honolulu"]},
    )
    folds = {fold.name: fold for fold in ByContinent().of(places)}
    assert set(folds) == {"CONUS", "Europe", "southern Africa", "Alaska", "rest"}
    assert folds["CONUS"].test.names == ("stillwater", "enid")
    assert folds["CONUS"].train.names == ("berlin", "cape", "anchorage", "honolulu")
    assert folds["rest"].test.names == ("honolulu",)


def test_labels_have_to_fit():
    places = Places(("a", "b"), np.array([0.0, 9.0]), np.zeros(2))
    with pytest.raises(InputError, match="3 labels for 2 sites"):
        list(ByRegion([1, 2, 3]).of(places))
    with pytest.raises(InputError, match="all sites are in 1"):
        list(ByRegion([1, 1]).of(places))
