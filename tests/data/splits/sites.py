"""Random sites, some of them twins, and what no fold may do to them."""

import numpy as np
from hypothesis import strategies as st

from diffhydro.data.places import Places, distance


@st.composite
def sites(draw, least=6, days=0):
    """Sites within some hundred kilometres; a third of them beside another one."""
    number = draw(st.integers(least, 20))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    latitude, longitude = rng.uniform(40.0, 46.0, number), rng.uniform(-100.0, -94.0, number)
    for i in range(2, number, 3):
        latitude[i] = latitude[i - 1] + rng.uniform(-0.03, 0.03)
        longitude[i] = longitude[i - 1] + rng.uniform(-0.03, 0.03)
    order = rng.permutation(number)
    times = np.datetime64("2015-03-05") + np.arange(days) if days else None
    names = tuple(f"site{i}" for i in range(number))
    return Places(names, latitude[order], longitude[order], times)


def apart(places, some, others):
    """Smallest distance between two sets of sites, km."""
    lat, lon = places.latitude, places.longitude
    return distance(lat[some][:, None], lon[some][:, None], lat[others], lon[others]).min()


def check_sites(fold, places, buffer=0.0, twins=5.0):
    """No site on two sides, no twin either, and a buffer between training and test."""
    parts = [fold.train, fold.test, *([fold.validation] if fold.validation else [])]
    for i, one in enumerate(parts):
        assert [places.names[s] for s in one.sites] == list(one.names)
        for other in parts[i + 1 :]:
            assert not set(one.sites.tolist()) & set(other.sites.tolist())
            assert apart(places, one.sites, other.sites) > twins
    assert apart(places, fold.train.sites, fold.test.sites) >= buffer * (1.0 - 1e-9)


def check_times(fold, dates, gap=0):
    """No date on two sides, and none of the training near enough to look back at the test."""
    tested = dates[fold.test.times]
    for date in dates[fold.train.times]:
        assert np.abs((tested - date).astype(int)).min() > gap
    if fold.validation is not None:
        kept = dates[fold.validation.times]
        for date in kept:
            assert np.abs((tested - date).astype(int)).min() > gap
        assert not np.isin(dates[fold.train.times], kept).any()
