import numpy as np
import xarray as xr
from hypothesis import given, settings

from diffhydro.data.places import Places, distance
from diffhydro.data.splits import LeaveOneSiteOut, Twins
from tests.data.splits.sites import sites


@settings(deadline=None)
@given(sites())
def test_groups_are_the_connected_parts(places):
    groups = Twins(40.0).groups(places)
    lat, lon = places.latitude, places.longitude
    linked = distance(lat[:, None], lon[:, None], lat, lon) <= 40.0
    reached = np.linalg.matrix_power(linked.astype(float), len(places)) > 0
    np.testing.assert_array_equal(groups[:, None] == groups, reached)
    firsts = [np.flatnonzero(groups == g)[0] for g in range(groups.max() + 1)]
    assert firsts == sorted(firsts)


def test_chains_are_one_group_and_named_pairs_whatever_their_distance():
    line = Places(tuple("abcde"), np.array([0.0, 0.04, 0.08, 9.0, 50.0]), np.zeros(5))
    assert Twins().groups(line).tolist() == [0, 0, 0, 1, 2]
    assert Twins(within=3.0).groups(line).tolist() == [0, 1, 2, 3, 4]
    assert Twins(pairs=(("a", "e"), ("a", "not there"))).groups(line).tolist() == [0, 0, 0, 1, 0]


def test_the_stillwater_pair_is_tested_together(real_data):
    found = xr.open_dataset(real_data / "uscrn_daily_30sites_2012_2020.nc")
    found = found.rename(lat="latitude", lon="longitude")
    folds = list(LeaveOneSiteOut().of(found))
    assert len(folds) == 29
    assert folds[0].test.names == ("OK_Stillwater_5_WNW", "OK_Stillwater_2_W")
    assert folds[0].name == "OK_Stillwater_5_WNW+OK_Stillwater_2_W"
    assert folds[0].train.take(found).sizes["site"] == 28
