"""Weather files: units and names of others are understood; what is wrong is said with its place."""

import numpy as np
import pytest
import xarray as xr

from diffhydro.data.embedded import embedded_weather
from diffhydro.data.weather import Weather, open_weather
from diffhydro.errors import InputError

pytest.importorskip("h5py", reason="the data extra is not installed")
ALL = ("precipitation", "temperature", "vapour_pressure", "shortwave", "daylight", "pressure")


@pytest.fixture
def source():
    return embedded_weather(60)


def block(source, wanted=ALL, sites=slice(0, 12)):
    return Weather(source, "w.nc").block(sites, slice(None), wanted, np.dtype("float64"))


def test_the_embedded_weather_is_the_same_every_time():
    xr.testing.assert_identical(embedded_weather(30), embedded_weather(30))
    other = embedded_weather(30, seed=1)
    assert not np.array_equal(other["precipitation"], embedded_weather(30)["precipitation"])


def test_names_and_units_of_others(source):
    """The same weather as CMIP would write it gives the same forcing."""
    other = xr.Dataset(
        {
            "pr": (source["precipitation"] / 86400.0).assign_attrs(units="kg m-2 s-1"),
            "tas": (source["temperature"] + 273.15).assign_attrs(units="K"),
            "vp": (source["vapour_pressure"] / 100.0).assign_attrs(units="hPa"),
            "rsds": source["shortwave"],
            "lat": source["latitude"],
            "elev": source["elevation"],
        }
    ).transpose("time", "site")
    ours, theirs = block(source), block(other)
    for name in ALL:
        wanted = getattr(ours, name)
        np.testing.assert_allclose(getattr(theirs, name), wanted, rtol=1e-12, atol=1e-9)


def test_vapour_pressure_from_humidity(source):
    warmth, vapour = source["temperature"], source["vapour_pressure"]
    humid = 100.0 * vapour / (610.8 * np.exp(17.27 * warmth / (warmth + 237.3)))
    other = source.drop_vars("vapour_pressure").assign(hurs=humid.assign_attrs(units="%"))
    np.testing.assert_allclose(block(other).vapour_pressure, vapour, rtol=1e-12)


@pytest.mark.parametrize("name", ["w.nc", "w.zarr"])
def test_files_and_stores_are_read_in_blocks(source, tmp_path, name):
    path = tmp_path / name
    if name.endswith("nc"):
        source.to_netcdf(path, engine="h5netcdf")
    else:
        source.to_zarr(path, consolidated=False)
    weather = open_weather(path)
    part = weather.block(slice(2, 5), slice(10, 20), ALL, np.dtype("float32"))
    np.testing.assert_array_equal(
        part.precipitation, source["precipitation"][2:5, 10:20].astype("float32")
    )
    assert list(weather.sites[:2]) == ["tundra", "boreal forest"]


def spoil(source, name, value):
    changed = source.copy(deep=True)
    changed[name][3, 17] = value
    return changed


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("precipitation", np.nan, ("missing", "fill the gaps")),
        ("precipitation", -1.0, ("negative", "-1")),
        ("temperature", 290.0, ("outside", "kelvin")),
        ("vapour_pressure", 90_000.0, ("outside", "hPa")),
    ],
)
def test_a_bad_value_is_named_by_site_and_day(source, name, value, words):
    with pytest.raises(InputError) as caught:
        block(spoil(source, name, value))
    for word in ("site oceanic meadow", "2001-01-18", name, "w.nc", *words):
        assert word in str(caught.value)


def test_vapour_pressure_in_the_wrong_unit_is_found_by_its_range(source):
    source["vapour_pressure"] = source["vapour_pressure"] / 100.0  # without saying so
    with pytest.raises(InputError, match="relative humidity"):
        block(source)


@pytest.mark.parametrize(
    ("days", "words"),
    [
        ([0, 1, 1, 2], "is there twice at 2001-01-02"),
        ([0, 1, 3, 4], "has a gap at 2001-01-04, after 2001-01-02"),
        ([0, 2, 1, 3], "goes back"),
    ],
)
def test_bad_time_is_said_with_its_place(source, days, words):
    with pytest.raises(InputError, match=words):
        Weather(source.isel(time=days), "w.nc")


def test_hourly_time_is_refused(source):
    hours = source["time"].values[0] + np.arange(60) * np.timedelta64(1, "h")
    with pytest.raises(InputError, match="not daily"):
        Weather(source.assign_coords(time=("time", hours)), "w.nc")


def test_what_is_missing_is_said(source, tmp_path):
    with pytest.raises(InputError, match="no precipitation"):
        _ = Weather(source.drop_vars("precipitation"), "w.nc")
    with pytest.raises(InputError, match="latitude"):
        block(source.drop_vars("latitude"), ("precipitation", "extraterrestrial"))
    with pytest.raises(InputError, match="no weather at"):
        open_weather(tmp_path / "none.nc")
    (tmp_path / "junk.nc").write_bytes(b"not a file of numbers")
    with pytest.raises(InputError, match="neither NetCDF-4 nor zarr"):
        open_weather(tmp_path / "junk.nc")
    source["temperature"].attrs["units"] = "furlong"
    with pytest.raises(InputError, match="can be read in"):
        block(source)
    maps = xr.Dataset(
        {"pr": (("time", "lat", "lon"), np.zeros((60, 2, 2)))}, {"time": source["time"]}
    )
    with pytest.raises(InputError, match="stack"):
        Weather(maps, "w.nc")
