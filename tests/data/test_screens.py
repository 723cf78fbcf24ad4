import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from diffhydro.data import screens
from diffhydro.data.reasons import Found, Reason
from diffhydro.errors import InputError


def drying(length=120, every=40):
    """A soil that dries exponentially, and is wetted now and then."""
    t = np.arange(length)
    return 0.12 + 0.2 * np.exp(-(t % every) / 15.0)


def where(found, reason):
    return np.flatnonzero(found.reasons & reason).tolist()


def test_a_soil_that_is_wetted_and_dries_has_nothing_against_it():
    x = drying()
    rain = np.where(np.arange(120) % 40 == 0, 20.0, 0.0)
    wetted = screens.wet_records(rain)
    broken = screens.breaks(x, wetted)
    assert not screens.spikes(x, wetted).bad.any()
    assert not broken.bad.any()
    assert not screens.plateaus(x, broken.bad).bad.any()


@pytest.mark.parametrize("height", [0.08, -0.08])
def test_a_spike_is_found_and_nothing_beside_it(height):
    x = drying()
    x[70] += height
    assert where(screens.spikes(x), Reason.SPIKE) == [70]
    assert where(screens.spikes(x, wetted=True), Reason.SPIKE) == ([70] if height < 0 else [])


def test_spikes_need_every_condition():
    x = drying()
    x[70] += 0.012  # less than 15 % of 0.147
    assert where(screens.spikes(x), Reason.SPIKE) == []
    assert where(screens.spikes(x, change=0.05), Reason.SPIKE) == [70]
    x = np.full(60, 0.02)
    x[30] += 0.008
    assert where(screens.spikes(x), Reason.SPIKE) == []
    assert where(screens.spikes(x, least=0.005), Reason.SPIKE) == [30]
    x = drying()
    x[70] += 0.08
    x[71] += 0.03  # does not come back at once
    assert where(screens.spikes(x), Reason.SPIKE) == []
    rng = np.random.default_rng(0)
    wild = np.where(rng.random(60) < 0.2, 1.0, 0.02)
    wild[28:33] = 0.02, 0.02, 0.3, 0.02, 0.02
    assert 30 not in where(screens.spikes(wild), Reason.SPIKE)
    assert 30 in where(screens.spikes(wild, variation=10.0), Reason.SPIKE)


def test_a_spike_does_not_count_as_its_own_surroundings():
    x = np.full(60, 0.02)
    x[30] = 0.9
    assert where(screens.spikes(x), Reason.SPIKE) == [30]


def test_breaks_are_told_from_spikes_and_by_their_sign():
    x = drying(120, every=200)
    x[60:90] += 0.1
    found = screens.breaks(x)
    assert where(found, Reason.JUMP) == [60]
    assert where(found, Reason.DROP) == [90]
    assert where(screens.breaks(x, wetted=True), Reason.JUMP) == []
    assert where(screens.breaks(x, wetted=True), Reason.DROP) == [90]
    assert not screens.spikes(x).bad.any()
    spike = drying()
    spike[70] += 0.08
    assert 70 not in where(screens.breaks(spike), Reason.JUMP)


def test_breaks_need_every_condition():
    x = drying(120, every=200)
    x[60:] += 0.1
    for option in (
        {"change": 0.6},
        {"least": 0.2},
        {"factor": 50.0},
        {"evenness": 1e-4},
        {"calm": 1e4},
    ):
        assert not screens.breaks(x, **option).bad.any(), option


def test_a_plateau_at_saturation():
    x = np.concatenate([drying(40, 200), np.full(20, 0.45), 0.2 + 0.2 * np.exp(-np.arange(40) / 9)])
    none = np.zeros(100, bool)
    assert where(screens.plateaus(x, none), Reason.SATURATED_PLATEAU) == list(range(40, 60))
    assert not screens.plateaus(x, none, length=21).bad.any()
    assert not screens.plateaus(x, none, steep=0.2).bad.any()
    higher = np.append(x, 0.5)
    assert not screens.plateaus(higher, np.append(none, False)).bad.any()
    assert screens.plateaus(higher, np.append(none, False), full=0.85).bad.any()


def test_a_low_plateau_follows_a_drop():
    x = np.concatenate([drying(40, 200), np.full(25, 0.03), drying(40, 200)])
    broken = screens.breaks(x)
    assert where(broken, Reason.DROP) == [40]
    low = screens.plateaus(x, (broken.reasons & Reason.DROP) > 0)
    assert where(low, Reason.LOW_PLATEAU) == list(range(40, 65))
    assert not screens.plateaus(x, np.zeros(105, bool)).bad.any()


@settings(deadline=None)
@given(hnp.arrays(np.float64, 40, elements=st.sampled_from([0.1, 0.2, np.nan])), st.integers(2, 10))
def test_stuck_series_are_counted_by_hand(x, length):
    found = screens.stuck(x, length).bad
    for t in range(len(x)):
        first = last = t
        while first > 0 and x[first - 1] == x[t]:
            first -= 1
        while last + 1 < len(x) and x[last + 1] == x[t]:
            last += 1
        assert found[t] == (not np.isnan(x[t]) and last - first + 1 >= length)


def test_ranges_and_pores():
    x = np.array([[-0.01, 0.0, 0.6, 0.61, np.nan], [0.1, 0.2, 0.3, 0.4, 0.5]])
    assert screens.outside(x, 0.0, 0.6).bad.tolist() == [
        [True, False, False, True, False],
        [False] * 5,
    ]
    pores = np.array([np.nan, 0.4])
    assert screens.above_porosity(x, pores).bad.tolist() == [[False] * 5, [False] * 4 + [True]]
    assert not screens.above_porosity(x, pores, tolerance=0.1).bad.any()


@settings(deadline=None)
@given(hnp.arrays(np.float64, (2, 30), elements=st.one_of(st.just(np.nan), st.floats(0.0, 1.0))))
def test_nothing_is_said_of_what_is_missing(x):
    broken = screens.breaks(x)
    found = screens.spikes(x) | broken | screens.plateaus(x, broken.bad) | screens.stuck(x, 3)
    assert not found.bad[np.isnan(x)].any()


def test_reasons_add_up():
    both = Found.where(np.array([True, True, False]), Reason.SPIKE) | Found.where(
        np.array([False, True, False]), Reason.STUCK
    )
    assert both.count() == {"spike": 2, "stuck": 1}
    cleaned = both.clean(np.array([1.0, 2.0, 3.0], np.float32))
    assert cleaned.dtype == np.float32
    np.testing.assert_array_equal(cleaned, [np.nan, np.nan, 3.0])


def dataset():
    x = np.stack([drying(), drying()]).astype(np.float32)
    x[0, 70] = 0.4
    x[1, 70] = 0.4
    x[1, 5] = 0.55
    rain = np.zeros((2, 120))
    rain[1, 69] = 20.0
    rain[:, [0, 40, 80]] = 20.0
    return xr.Dataset(
        {
            "soil_moisture": (("time", "site", "depth"), x.T[..., None], {"units": "m3 m-3"}),
            "precipitation": (("site", "time"), rain),
            "theta_s": (("site", "depth"), np.array([[0.5], [0.5]])),
        },
        {"site": ["dry", "rained"], "depth": [50.0]},
    )


def test_a_data_set_loses_what_is_bad_and_says_why():
    found = screens.screen_soil_moisture(dataset())
    values, why = found["soil_moisture"], found["soil_moisture_screened"]
    assert values.dims == why.dims == ("time", "site", "depth")
    assert values.dtype == np.float32
    assert values.attrs["units"] == "m3 m-3"
    assert np.argwhere(np.isnan(values.values[..., 0])).tolist() == [[5, 1], [70, 0]]
    assert why.values[70, 0, 0] == Reason.SPIKE
    assert why.values[5, 1, 0] & Reason.ABOVE_POROSITY
    names = why.attrs["flag_meanings"].split()
    assert names[why.attrs["flag_masks"].tolist().index(Reason.SPIKE)] == "spike"


def test_porosity_of_other_layers_is_refused():
    found = dataset()
    found["soil_moisture"] = found["soil_moisture"].isel(depth=0, drop=True)
    with pytest.raises(InputError, match="theta_s varies over site, depth, the water over site"):
        screens.screen_soil_moisture(found)


def test_real_probes(real_data):
    """Rain explains nearly all rises at 5 cm; what is left is under 0.2 % of the values."""
    found = xr.open_dataset(real_data / "uscrn_daily_30sites_2012_2020.nc").isel(depth=0)
    x = found["sm"].transpose("site", "time").values.astype(float)
    wetted = screens.wet_records(found["pr"].transpose("site", "time").values)
    number = np.count_nonzero(~np.isnan(x))
    plain, excused = screens.spikes(x).bad.sum(), screens.spikes(x, wetted).bad.sum()
    assert excused < 0.25 * plain
    assert excused < 0.001 * number
    jumps, left = screens.breaks(x), screens.breaks(x, wetted)
    assert len(where(left, Reason.JUMP)) < 0.1 * len(where(jumps, Reason.JUMP))
    assert left.bad.sum() < 0.001 * number
