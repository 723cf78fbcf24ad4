import numpy as np
import pytest

from diffhydro.data.embedded import embedded_weather
from diffhydro.data.sites import Sites, open_sites
from diffhydro.data.splits import KFoldBySite
from diffhydro.errors import InputError


@pytest.fixture
def sites():
    found = embedded_weather(days=60)
    rng = np.random.default_rng(0)
    moisture = rng.uniform(0.1, 0.4, (12, 60, 2)).astype("f4")
    moisture[3, 5:9] = np.nan
    found["soil_moisture"] = (("site", "time", "depth"), moisture, {"units": "m3 m-3"})
    return Sites(found.assign_coords(depth=[50.0, 200.0]), "here")


def test_choosing_gives_the_same_as_reading_all(sites):
    some = sites.choose(["desert", "tundra"])
    everything, two = sites.forcing(), some.forcing()
    at = [list(sites.names).index(name) for name in ("desert", "tundra")]
    np.testing.assert_array_equal(two.temperature, np.asarray(everything.temperature)[at])
    np.testing.assert_array_equal(two.daylight, np.asarray(everything.daylight)[at])
    np.testing.assert_array_equal(some.observed(depth=200.0), sites.observed()[at, :, 1])
    assert len(some) == 2
    mask = np.isin(sites.names, ["desert", "tundra"])
    assert set(sites.where(mask).names) == {"desert", "tundra"}


def test_days_and_one_site(sites):
    part = sites.between("2001-01-11", "2001-01-20")
    assert part.forcing().length == 10
    one = part.site("prairie")
    whole = sites.forcing()
    row = list(sites.names).index("prairie")
    np.testing.assert_array_equal(one.forcing.shortwave, np.asarray(whole.shortwave)[row, 10:20])
    assert one.soil_moisture.shape == (10, 2)
    assert one.name == "prairie"
    assert one.attribute("sand") == 30.0


def test_a_fold_cuts_both_sides(sites):
    split = KFoldBySite(k=3)
    tested = []
    for fold in split.of(sites.source):
        train, test = sites.part(fold.train), sites.part(fold.test)
        assert set(train.names).isdisjoint(test.names)
        assert len(train) + len(test) == len(sites)
        tested += list(test.names)
    assert sorted(tested) == sorted(sites.names)


def test_missing_observations_stay_missing(sites):
    assert np.isnan(sites.observed()[3, 5:9]).all()
    assert np.isfinite(sites.observed()[2]).all()


def test_attributes_are_in_the_order_asked_for(sites):
    both = sites.attributes(["clay", "latitude"])
    assert both.dtype == np.float32
    np.testing.assert_allclose(both[:, 1], sites.latitude, rtol=1e-6)
    assert both[8, 0] == 6.0


@pytest.mark.parametrize(
    ("ask", "match"),
    [
        (lambda s: s.choose(["dessert"]), "no site dessert .* near: desert"),
        (lambda s: s.between("1999-01-01", "1999-02-01"), "runs from 2001-01-01 to 2001-03-01"),
        (lambda s: s.observed("snow_depth"), "no snow_depth; it has"),
        (lambda s: s.observed(depth=100.0), "no probe at 100 mm; depths are 50, 200"),
        (lambda s: s.observed("temperature", depth=100.0), "temperature of here has no depths"),
        (lambda s: s.attributes(["slope"]), "no slope; known of a site: .*sand"),
        (lambda s: s.forcing(["wind"]), "no wind"),
        (lambda s: s.where(np.array([True])), "expected 12 truth values"),
        (lambda s: Sites(s.source.isel(time=0)), "no dimension time"),
    ],
)
def test_what_is_not_there_is_said(sites, ask, match):
    with pytest.raises(InputError, match=match):
        ask(sites)


def test_real_stations_with_their_attributes(real_data):
    sites = open_sites(
        real_data / "uscrn_daily_30sites_2012_2020.nc", real_data / "uscrn_attributes_30sites.csv"
    )
    assert len(sites) == 30
    row = list(sites.names).index("OK_Stillwater_5_WNW")
    assert sites.attributes(["sand"])[row, 0] == pytest.approx(63.3)
    surface = sites.observed(depth=50.0)
    assert 0.95 < np.isfinite(surface[row]).mean() < 1.0
