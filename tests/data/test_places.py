import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from diffhydro.data.places import EARTH_RADIUS, Places, distance, is_near, pairs_within
from diffhydro.errors import InputError

coordinates = st.tuples(st.floats(-90.0, 90.0), st.floats(-180.0, 180.0))


def spread(points):
    latitude, longitude = np.array(points).T
    return Places(tuple(f"s{i}" for i in range(len(points))), latitude, longitude)


def test_distances_known():
    """Quarter of a meridian; Berlin to Paris 878 km; over the dateline; to the antipodes."""
    quarter = np.pi / 2 * EARTH_RADIUS
    assert distance(0.0, 0.0, 90.0, 123.0) == pytest.approx(quarter)
    assert distance(52.517, 13.389, 48.857, 2.352) == pytest.approx(878.0, abs=2.0)
    assert distance(10.0, 179.9, 10.0, -179.9) == pytest.approx(distance(10.0, 0.0, 10.0, 0.2))
    assert distance(30.0, 10.0, -30.0, -170.0) == pytest.approx(2 * quarter)
    assert distance(10.0, 190.0, 10.0, -170.0) == pytest.approx(0.0, abs=1e-9)


@settings(deadline=None)
@given(st.lists(coordinates, min_size=1, max_size=12), st.floats(0.1, 25_000.0))
def test_searches_agree_with_distances(points, reach):
    places = spread(points)
    lat, lon = places.latitude, places.longitude
    apart = distance(lat[:, None], lon[:, None], lat, lon)
    close = np.abs(apart - reach) < 1e-3  # where rounding decides
    pairs = {tuple(pair) for pair in pairs_within(places, reach).tolist()}
    for i in range(len(points)):
        for j in range(i + 1, len(points)):
            assert close[i, j] or ((i, j) in pairs) == (apart[i, j] <= reach)
    others = np.arange(0, len(points), 2)
    near = is_near(places, others, reach)
    for i in range(len(points)):
        assert close[i, others].any() or near[i] == (apart[i, others] < reach).any()


def test_places_are_checked():
    good = {"latitude": ("site", [1.0, 2.0]), "longitude": ("site", [3.0, 4.0])}
    found = Places.of(xr.Dataset(good, {"site": ["a", "b"]}))
    assert found.names == ("a", "b")
    assert found.times is None
    assert Places.of(found) is found
    with pytest.raises(InputError, match="more than one site is called a"):
        Places.of(xr.Dataset(good, {"site": ["a", "a"]}))
    with pytest.raises(InputError, match="site b lies at latitude nan"):
        Places(("a", "b"), np.array([1.0, np.nan]), np.zeros(2))
    with pytest.raises(InputError, match="2 names, 2 latitudes and 1 longitudes"):
        Places(("a", "b"), np.zeros(2), np.zeros(1))
    with pytest.raises(InputError, match="has no latitude, longitude"):
        Places.of(xr.Dataset(coords={"site": ["a"]}))
