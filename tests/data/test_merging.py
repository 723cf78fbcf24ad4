import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from diffhydro.data.grids import RegularGrid
from diffhydro.data.merging import merge_by_priority, overlap_bias
from diffhydro.data.readers.uscrn.daily import read_uscrn
from diffhydro.errors import InputError

quick = settings(deadline=None, max_examples=12)
DAY = np.datetime64("2020-01-01", "ns")
PLACES = {name: (30.0 + i, -100.0 - i) for i, name in enumerate("abcdef")}


def series(seed, names="abc", first=0, days=6, holes=0.4, name="temperature", **attrs):
    rng = np.random.default_rng(seed)
    values = rng.random((len(names), days)).astype(np.float32)
    values[rng.random(values.shape) < holes] = np.nan
    made = xr.Dataset(
        {name: (("site", "time"), values, {"units": "degC", "source_name": "T"})},
        {
            "site": list(names),
            "time": DAY + np.timedelta64(1, "D") * (first + np.arange(days)),
            "latitude": ("site", [PLACES[n][0] for n in names], {"units": "degree"}),
            "longitude": ("site", [PLACES[n][1] for n in names]),
        },
        attrs,
    )
    return made


def maps(seed, grid=None, days=3, first=0, dtype=np.float32):
    grid = grid or RegularGrid.globe(30.0)
    rng = np.random.default_rng(seed)
    values = rng.random((days, len(grid.latitude), len(grid.longitude))).astype(dtype)
    values[rng.random(values.shape) < 0.4] = np.nan
    return xr.Dataset(
        {"soil_moisture": (("time", "y", "x"), values)},
        {
            "time": DAY + np.timedelta64(1, "D") * (first + np.arange(days)),
            "latitude": ("y", grid.latitude),
            "longitude": ("x", grid.longitude),
        },
    )


def table(found, name="temperature"):
    """Every value by site and day."""
    sites, days = found["site"].values.tolist(), found["time"].values.tolist()
    return {
        (site, day): value
        for site, row in zip(sites, found[name].values.tolist(), strict=True)
        for day, value in zip(days, row, strict=True)
    }


@quick
@given(st.integers(0, 2**32), st.integers(-8, 8), st.permutations("abcdef"))
def test_the_first_value_there_is_wins_and_is_named(seed, later, names):
    sources = {
        "A": series(seed, names[:3]),
        "B": series(seed + 1, names[1:5], later),
        "C": series(seed + 2, names[4:], 3, days=9),
    }
    merged = merge_by_priority(sources)
    assert set(merged["site"].values) == set(names)
    every = set().union(*(s["time"].values.tolist() for s in sources.values()))
    assert merged["time"].values.tolist() == sorted(every)
    said = [table(source) for source in sources.values()]
    got, code = table(merged), table(merged, "temperature_source")
    for key in got:
        values = [one.get(key, np.nan) for one in said]
        first = next((i for i, v in enumerate(values) if not np.isnan(v)), None)
        assert code[key] == (0 if first is None else first + 1)
        assert np.isnan(got[key]) if first is None else got[key] == values[first]


@quick
@given(st.integers(0, 2**32), st.integers(-3, 3))
def test_alone_or_with_itself_a_source_stays_what_it_is(seed, later):
    one = series(seed)
    alone = merge_by_priority({"A": one})
    np.testing.assert_array_equal(alone["temperature"], one["temperature"])
    twice = merge_by_priority({"A": one, "B": one})
    xr.testing.assert_equal(twice["temperature"], alone["temperature"])
    assert set(np.unique(twice["temperature_source"])) <= {0, 1}
    # Where both are whole, order decides; where one is empty, it does not.
    empty = series(seed, first=later, holes=1.1)
    for sources in ({"A": one, "E": empty}, {"E": empty, "A": one}):
        merged = merge_by_priority(sources)["temperature"].sel(time=one["time"])
        np.testing.assert_array_equal(merged, one["temperature"])


def test_what_is_said_of_the_result():
    a, b = series(1, "ab", product="X", time_zone="UTC"), series(2, "bc", time_zone="UTC")
    b = b.assign_coords(network=("site", ["", "N"]), elevation=("site", [7.0, np.nan]))
    merged = merge_by_priority({"A": a, "B": b})
    number = merged["temperature_source"]
    assert number.dtype == np.uint8
    assert number.attrs["flag_values"].tolist() == [0, 1, 2]
    assert number.attrs["flag_meanings"] == "none A B"
    assert merged["temperature"].dtype == np.float32
    assert merged["temperature"].attrs == {"units": "degC"}
    assert merged.attrs["product"] == "A: X; B: unknown"
    assert merged.attrs["time_zone"] == "UTC"
    assert merged["site"].values.tolist() == ["a", "b", "c"]
    assert merged["network"].values.tolist() == ["", "", "N"]
    np.testing.assert_array_equal(merged["elevation"], [np.nan, 7.0, np.nan])
    assert merged["latitude"].values.tolist() == [30.0, 31.0, 32.0]
    assert merged["latitude"].attrs == {"units": "degree"}


def test_depths_are_united_and_variables_of_one_source_kept():
    a, b = series(1, name="soil_moisture"), series(2, name="soil_moisture")
    a["soil_moisture"] = a["soil_moisture"].expand_dims(depth=[50.8, 100.0]).transpose(..., "depth")
    b = b.expand_dims(depth=np.array([50.8, 200.0], np.float32))
    b["soil_moisture"] = b["soil_moisture"].transpose("time", "site", "depth")
    b["elevation"] = ("site", [1.0, 2.0, 3.0])
    merged = merge_by_priority({"A": a, "B": b})
    assert merged["depth"].values.tolist() == [50.8, 100.0, 200.0]
    assert merged["soil_moisture"].dims == ("site", "time", "depth")
    assert set(np.unique(merged["soil_moisture_source"].isel(depth=0))) == {0, 1, 2}
    assert set(np.unique(merged["soil_moisture_source"].isel(depth=2))) == {0, 2}
    assert merged["elevation"].values.tolist() == [1.0, 2.0, 3.0]
    assert merged["elevation_source"].values.tolist() == [2, 2, 2]


def test_edges_of_layers_are_kept_where_all_sources_have_them():
    probes = series(1, name="soil_moisture").expand_dims(depth=[50.0])
    layers = series(2, name="soil_moisture").expand_dims(depth=[50.0, 250.0])
    layers = layers.assign_coords(top=("depth", [0.0, 100.0]), bottom=("depth", [100.0, 400.0]))
    alone = merge_by_priority({"L": layers})
    assert alone["bottom"].values.tolist() == [100.0, 400.0]
    for sources in ({"P": probes, "L": layers}, {"L": layers, "P": probes}):
        mixed = merge_by_priority(sources)
        np.testing.assert_array_equal(mixed["top"], [np.nan, 100.0])
    other = layers.assign_coords(top=("depth", [25.0, 100.0]), bottom=("depth", [75.0, 400.0]))
    with pytest.raises(InputError, match=r"B has a layer from 25\.0 to 75\.0 mm, another .* 0\.0"):
        merge_by_priority({"A": layers, "B": other})


def test_a_site_in_two_places_is_refused():
    a, b = series(1), series(2)
    b["latitude"] = b["latitude"] + 0.02
    with pytest.raises(InputError, match=r"A has a at 30\.0000, -100\.0000, B .* 2\.2 km away"):
        merge_by_priority({"A": a, "B": b})
    merged = merge_by_priority({"A": a, "B": b}, apart=3.0)
    assert merged["latitude"].values.tolist() == [30.0, 31.0, 32.0]
    b["latitude"] = a["latitude"]
    b["longitude"] = b["longitude"] + 360.0
    assert merge_by_priority({"A": a, "B": b}).sizes["site"] == 3


def test_times_that_do_not_fit_are_refused():
    daily = series(1)
    hourly = series(2).assign_coords(time=DAY + np.timedelta64(1, "h") * np.arange(6))
    noon = series(2).assign_coords(time=daily["time"] + np.timedelta64(12, "h"))
    weekly = series(2).assign_coords(time=DAY + np.timedelta64(7, "D") * np.arange(6))
    for other in (hourly, noon, weekly):
        with pytest.raises(InputError, match=r"different steps, or stamps of different hours: A"):
            merge_by_priority({"A": daily, "B": other})
    gappy = series(2).assign_coords(time=DAY + np.timedelta64(3, "D") * np.arange(6))
    assert merge_by_priority({"A": daily, "B": gappy}).sizes["time"] == 10
    with pytest.raises(InputError, match="times of A do not increase"):
        merge_by_priority({"A": daily.isel(time=[1, 0])})
    ends = daily.copy()
    ends["temperature"] = daily["temperature"].assign_attrs(stamp="end")
    starts = daily.copy()
    starts["temperature"] = daily["temperature"].assign_attrs(stamp="start")
    with pytest.raises(InputError, match="at the start and at the end of their steps"):
        merge_by_priority({"A": ends, "B": starts})
    fixed = series(2, time_zone="local standard time").isel(time=0, drop=True)
    fixed = fixed.rename(temperature="elevation")
    with_fixed = merge_by_priority({"A": series(1, time_zone="UTC"), "B": fixed})
    assert with_fixed.attrs["time_zone"] == "UTC"
    assert with_fixed["elevation"].dims == ("site",)
    with pytest.raises(InputError, match="time_zone: A in UTC, B in local standard time"):
        merge_by_priority(
            {"A": series(1, time_zone="UTC"), "B": series(2, time_zone="local standard time")}
        )


def test_what_cannot_be_one_is_refused():
    a = series(1)
    deep = a.expand_dims(depth=[50.0])
    kelvin = a.copy()
    kelvin["temperature"] = a["temperature"].assign_attrs(units="K")
    with pytest.raises(InputError, match="temperature of A and of B have the dimensions"):
        merge_by_priority({"A": a, "B": deep})
    with pytest.raises(InputError, match="are in degC and K"):
        merge_by_priority({"A": a, "B": kelvin})
    with pytest.raises(InputError, match="some sources are maps"):
        merge_by_priority({"A": a, "B": maps(1)})
    with pytest.raises(InputError, match="lie on different grids"):
        merge_by_priority({"A": maps(1), "B": maps(1, RegularGrid.globe(45.0))})
    with pytest.raises(InputError, match="it was merged before"):
        merge_by_priority({"A": merge_by_priority({"A": a})})
    for label in ("", "two words", "none"):
        with pytest.raises(InputError, match="expected one word"):
            merge_by_priority({label: a})
    with pytest.raises(InputError, match="got 0"):
        merge_by_priority({})


@quick
@given(st.integers(0, 2**32), st.integers(-2, 2))
def test_maps_are_merged_cell_by_cell_and_lazily(seed, later):
    a, b = maps(seed), maps(seed + 1, first=later)
    b["longitude"] = b["longitude"].astype(np.float32)
    merged = merge_by_priority({"A": a, "B": b})
    lazy = merge_by_priority({"A": a.chunk(time=1), "B": b.chunk(y=3)})
    assert lazy["soil_moisture"].chunks is not None
    xr.testing.assert_identical(lazy.compute(), merged)
    for day in merged["time"].values:
        one = a["soil_moisture"].reindex(time=[day]).values[0]
        other = b["soil_moisture"].reindex(time=[day]).values[0]
        got = merged.sel(time=day)
        np.testing.assert_array_equal(got["soil_moisture"], np.where(np.isnan(one), other, one))
        expected = np.where(~np.isnan(one), 1, np.where(~np.isnan(other), 2, 0))
        np.testing.assert_array_equal(got["soil_moisture_source"], expected)
    np.testing.assert_array_equal(merged["longitude"], a["longitude"])


@quick
@given(st.integers(0, 2**32), st.integers(-4, 4), st.floats(-3, 3))
def test_bias_is_the_mean_over_days_that_both_have(seed, later, shift):
    a = series(seed)
    b = series(seed + 1, first=later)
    b["temperature"] = b["temperature"] + np.float32(shift)
    found = overlap_bias({"A": a, "B": b, "C": a + np.float32(1.0)}, "temperature")
    both = xr.align(a["temperature"], b["temperature"], join="inner")
    difference = (both[0] - both[1]).mean("time").values if both[0].size else np.full(3, np.nan)
    got = found.sel(source="A", other="B")
    np.testing.assert_allclose(got["bias"], difference, atol=1e-5)
    np.testing.assert_array_equal(got["count"], (both[0].notnull() & both[1].notnull()).sum("time"))
    np.testing.assert_allclose(found["bias"].sel(source="C", other="A").fillna(1.0), 1.0, atol=1e-5)
    np.testing.assert_allclose(found["bias"], -found["bias"].transpose("other", "source", "site"))
    assert found["bias"].attrs == {"units": "degC"}


def test_bias_of_what_does_not_change_in_time_and_of_maps():
    a, b = maps(1).isel(time=0, drop=True), maps(2).isel(time=0, drop=True)
    found = overlap_bias({"A": a, "B": b}, "soil_moisture").sel(source="A", other="B")
    np.testing.assert_allclose(found["bias"], (a - b)["soil_moisture"])
    np.testing.assert_array_equal(found["count"], (a - b)["soil_moisture"].notnull())
    with pytest.raises(InputError, match="is in A; expected two sources"):
        overlap_bias({"A": maps(1)}, "soil_moisture")
    with pytest.raises(InputError, match="holds classes"):
        overlap_bias({"A": a, "B": b}, "land_cover")


def test_real_years_of_stations_fit_together(real_data):
    folder = real_data / "raw" / "uscrn_daily01"
    whole = read_uscrn(folder)
    name = "OK_Stillwater_5_WNW"
    files = sorted(folder.rglob("*.txt"))
    one = read_uscrn([f for f in files if name in f.name])
    rest = read_uscrn([f for f in files if name not in f.name])
    merged = merge_by_priority({"one": one, "rest": rest})
    for variable in ("precipitation", "soil_moisture"):
        ordered = merged[variable].sel(site=whole["site"]).reindex(time=whole["time"])
        np.testing.assert_array_equal(ordered, whole[variable])
    assert merged["precipitation_source"].sel(site=name).max() == 1
    assert merged.attrs["time_zone"] == "local standard time"
