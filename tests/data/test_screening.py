import numpy as np
import pytest
import xarray as xr

from diffhydro.data.screening import Rules, judge, screen_sites
from diffhydro.errors import InputError

TIMES = np.datetime64("2016-01-01", "ns") + np.arange(1827).astype("timedelta64[D]")
NAMES = ("good", "many", "gap", "edge", "drift", "flat")


def series():
    rng = np.random.default_rng(0)
    x = 0.3 + 0.05 * rng.normal(size=(6, 1827))
    x[0, 100:130] = np.nan  # 30 days: allowed
    x[1, 5:1827:10] = np.nan  # 183 days, never more than one in a row
    x[2, 100:131] = np.nan
    x[3, :31] = np.nan
    x[4] += 0.02 * np.arange(1827) / 365.0
    x[5] = 0.25
    return x


def test_each_rule_drops_its_site():
    found = judge(series(), TIMES, NAMES, Rules(steepest=0.01, least_spread=0.001))
    assert [one.site for one in found if one.is_kept] == ["good"]
    against = {one.site: one.against for one in found}
    assert against["many"] == ("183 days missing, 182 allowed",)
    assert against["gap"] == ("a gap of 31 days, 30 allowed",)
    assert against["edge"] == ("a gap of 31 days, 30 allowed",)
    assert against["drift"][0].startswith("changes by 0.02")
    assert against["flat"] == ("standard deviation 0, 0.001 wanted",)
    good = found[0]
    assert (good.missing, good.gap) == (30.0, 30.0)


def test_the_defaults_are_those_of_the_study():
    assert [one.site for one in judge(series(), TIMES, NAMES, Rules()) if one.is_kept] == [
        "good",
        "drift",
        "flat",
    ]


def test_sites_that_another_source_does_not_see_are_dropped():
    seen = np.array([False, True, True, True, True, True])
    found = judge(series(), TIMES, NAMES, Rules(), seen)
    assert found[0].against == ("not seen by the other source",)
    with pytest.raises(InputError, match="6 series, 2 names"):
        judge(series(), TIMES, NAMES[:2], Rules())


def test_days_are_counted_whatever_the_step():
    hours = np.datetime64("2020-01-01T00", "ns") + np.arange(240).astype("timedelta64[h]")
    x = np.full((1, 240), 0.2)
    x[0, 24:60] = np.nan
    (one,) = judge(x, hours, ("a",), Rules(longest_gap=1.0))
    assert (one.missing, one.gap) == (1.5, 1.5)
    assert one.against == ("a gap of 1.5 days, 1 allowed",)


def dataset():
    x = np.stack([series(), series()], axis=-1)
    x[0, :, 1] = np.nan
    return xr.Dataset(
        {"soil_moisture": (("site", "time", "depth"), x)},
        {"site": list(NAMES), "time": TIMES, "depth": [50.0, 100.0]},
    )


def test_what_is_kept_is_filled_and_marked():
    kept, verdicts = screen_sites(dataset(), depth=50.0)
    assert kept["site"].values.tolist() == ["good", "drift", "flat"]
    assert len(verdicts) == 6
    made = kept["soil_moisture"].values[0, 99:131, 0]
    np.testing.assert_allclose(made, np.linspace(made[0], made[-1], 32))
    assert (kept["soil_moisture_filled"].values[0, 100:130, 0] == 1).all()
    assert int((kept["soil_moisture_filled"] > 0).sum()) == 30
    other, _ = screen_sites(dataset(), depth=100.0)
    assert other["site"].values.tolist() == ["drift", "flat"]


def test_what_cannot_be_decided_is_refused():
    with pytest.raises(InputError, match="has depths 50, 100; say which one decides"):
        screen_sites(dataset())
    with pytest.raises(InputError, match="no probe at 70 mm; soil_moisture has 50, 100"):
        screen_sites(dataset(), depth=70.0)
    with pytest.raises(InputError, match="none of 6 sites is kept; good: standard deviation"):
        screen_sites(dataset(), depth=50.0, rules=Rules(least_spread=1.0))


def test_real_sites(real_data):
    """At 10 cm, 2012 to 2020: the best sites of the table pass, those without winters do not."""
    found = xr.open_dataset(real_data / "uscrn_daily_30sites_2012_2020.nc")
    found = found.rename(sm="soil_moisture", depth="d").isel(d=[1]).rename(d="depth")
    kept, verdicts = screen_sites(found)
    names = set(kept["site"].values.tolist())
    assert {"OK_Stillwater_5_WNW", "NC_Asheville_13_S", "AZ_Tucson_11_W"} <= names
    dropped = {one.site: one for one in verdicts if not one.is_kept}
    assert "SD_Pierre_24_S" in dropped
    x = found["soil_moisture"].sel(site="SD_Pierre_24_S").values
    assert dropped["SD_Pierre_24_S"].missing == np.isnan(x).sum()
