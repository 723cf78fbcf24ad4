import csv

import numpy as np
import pytest

from diffhydro.data.readers.gridmet.days import looks_like_gridmet, read_gridmet
from diffhydro.errors import InputError
from tests.data.damage import survive, survive_apart
from tests.data.readers.map_files import grid, write, write_classic

ROWS, COLUMNS = [49.396, 49.354333, 49.312667], [-124.76667, -124.725]
DIMENSIONS = ("day", "lat", "lon")
DAYS = {"units": "days since 1900-01-01 00:00:00", "calendar": "gregorian"}
# Of native files: the variable's long name, scale, offset, unit, description.
NATIVE = {
    "pr": ("precipitation_amount", 0.1, 0.0, "mm", "Daily Accumulated Precipitation"),
    "tmmx": ("air_temperature", 0.1, 220.0, "K", "Daily Maximum Temperature (2m)"),
    "tmmn": ("air_temperature", 0.1, 210.0, "K", "Daily Minimum Temperature (2m)"),
    "rmax": ("relative_humidity", 0.1, 0.0, "%", "Daily Maximum Relative Humidity"),
    "sph": ("specific_humidity", 1e-5, 0.0, "kg/kg", "Daily mean specific humidity"),
    "vpd": ("mean_vapor_pressure_deficit", 0.01, 0.0, "kPa", "Mean Vapor Pressure Deficit"),
    "vs": ("wind_speed", 0.1, 0.0, "m/s", "Daily Mean Wind Speed (10m)"),
    "eto": ("potential_evapotranspiration", 0.1, 0.0, "mm", "Daily reference grass ET"),
    "etr": ("potential_evapotranspiration", 0.1, 0.0, "mm", "Daily reference alfalfa ET"),
}
HEADER = "id,longitude,latitude,timestamp,doy,pr,rmax,srad,tmmn,tmmx,vs,eto"


def native(folder, short, stored, year=2018, describe=True, name=None):
    long, scale, offset, unit, description = NATIVE[short]
    about = {"units": unit, "scale_factor": scale, "add_offset": offset}
    about |= {"_FillValue": np.uint16(32767), "missing_value": np.uint16(32767)}
    about |= {"description": description, "long_name": short} if describe else {}
    first = (np.datetime64(f"{year}-01-01") - np.datetime64("1900-01-01")).astype(int)
    variables = {
        **grid(ROWS, COLUMNS, dtype=np.float64),
        "day": (("day",), np.float64(first + np.arange(len(stored))), DAYS),
        "crs": (("crs",), np.array([3], np.uint16), {"grid_mapping_name": "latitude_longitude"}),
        long: (DIMENSIONS, stored.astype(np.uint16), about),
    }
    return write(folder / (name or f"{short}_{year}.nc"), variables)


def numbers(seed=0, least=0, most=900, days=4):
    return np.random.default_rng(seed).integers(least, most, (days, 3, 2))


def test_packed_years_of_every_variable(tmp_path):
    stored = {s: numbers(i, 200, 900) for i, s in enumerate(NATIVE)}
    stored["pr"][0, 0, 0] = 32767
    for short in NATIVE:
        native(tmp_path, short, stored[short])
    native(tmp_path, "pr", numbers(9), 2019)
    found = read_gridmet(tmp_path).load()
    assert found.sizes["time"] == 8
    assert np.isnan(found["temperature_max"].values[4:]).all()
    for name, short, factor, offset in (
        ("precipitation", "pr", 0.1, 0.0),
        ("temperature_max", "tmmx", 0.1, 220.0 - 273.15),
        ("temperature_min", "tmmn", 0.1, 210.0 - 273.15),
        ("relative_humidity_max", "rmax", 0.001, 0.0),
        ("specific_humidity", "sph", 1e-5, 0.0),
        ("vapour_pressure_deficit", "vpd", 10.0, 0.0),
        ("wind_10m", "vs", 0.1, 0.0),
        ("potential_evaporation", "eto", 0.1, 0.0),
    ):
        expected = stored[short] * factor + offset
        expected = np.where(stored[short] == 32767, np.nan, expected)
        limits = found[name].attrs["valid_range"]
        expected = np.where((expected >= limits[0]) & (expected <= limits[1]), expected, np.nan)
        np.testing.assert_allclose(found[name].values[:4], expected, rtol=1e-5, atol=1e-5)
    assert found["time"].values[4] == np.datetime64("2019-01-01")
    assert "07 UTC" in found.attrs["day_ends"]
    assert found["latitude"].values[0] == 49.396


def test_the_extreme_is_told_by_words_or_by_the_name(tmp_path):
    for describe, name in ((True, "a.nc"), (False, "tmmn_2018.nc"), (False, "my_tmmn_cut.nc")):
        path = native(tmp_path, "tmmn", numbers(), describe=describe, name=name)
        assert set(read_gridmet(path).data_vars) == {"temperature_min"}
        assert looks_like_gridmet(path)
    with pytest.raises(InputError, match=r"air_temperature of b\.nc is a daily maximum or minimum"):
        read_gridmet(native(tmp_path, "tmmn", numbers(), describe=False, name="b.nc"))


def test_reference_evaporation_of_alfalfa_is_left_alone(tmp_path):
    with pytest.raises(InputError, match="none of what is read"):
        read_gridmet(native(tmp_path, "etr", numbers()))


def test_unpacked_subsets_mark_nothing(tmp_path):
    rain = np.array([[[1.5, -3276.7], [3276.7, 0.0], [2.0, 3.0]]], np.float32)
    variables = {
        **grid(ROWS, COLUMNS, dtype=np.float64),
        "day": (("day",), np.array([43_000.0]), DAYS),
        "precipitation_amount": (DIMENSIONS, rain, {"units": "mm"}),
    }
    found = read_gridmet(write_classic(tmp_path / "subset.nc", variables))["precipitation"]
    expected = [[[1.5, np.nan], [np.nan, 0.0], [2.0, 3.0]]]
    np.testing.assert_array_equal(found.values, expected)


def test_names_of_the_aggregated_server(tmp_path):
    variables = {
        **grid(ROWS, COLUMNS, dtype=np.float64),
        "day": (("day",), np.array([43_000.0]), DAYS),
        "daily_maximum_temperature": (DIMENSIONS, np.full((1, 3, 2), 300.15), {"units": "K"}),
        "daily_mean_shortwave_radiation_at_surface": (
            DIMENSIONS, np.full((1, 3, 2), 250.0), {"units": "W m-2"}
        ),
    }  # fmt: skip
    found = read_gridmet(write(tmp_path / "agg.nc", variables))
    assert float(found["temperature_max"][0, 0, 0]) == pytest.approx(27.0, abs=1e-4)
    assert float(found["shortwave"][0, 0, 0]) == 250.0
    assert looks_like_gridmet(tmp_path / "agg.nc")


def table(folder, rows, name="points.csv", header=HEADER):
    path = folder / name
    path.write_text("\r\n".join([header, *rows]) + "\r\n")
    return path


def row(day, place="-94.8,38.9", sun=18.0, cold=-3.0, warm=9.0):
    return f"2011,{place},2011-01-{day:02d},{day},1.5,80,{sun},{cold},{warm},4.0,2.5"


def test_point_tables_in_either_units(tmp_path):
    days = range(1, 31)
    one = table(tmp_path, [row(d) for d in days], "one.csv")
    two = table(tmp_path, [row(d, sun=208.333, cold=270.15, warm=282.15) for d in days], "two.csv")
    found = read_gridmet([one, two])
    assert found["site"].values.tolist() == ["one", "two"]
    for name, value in (
        ("temperature_min", -3.0),
        ("temperature_max", 9.0),
        ("shortwave", 18.0 / 0.0864),
        ("relative_humidity_max", 0.8),
        ("precipitation", 1.5),
        ("potential_evaporation", 2.5),
        ("wind_10m", 4.0),
    ):
        np.testing.assert_allclose(found[name].values, value, rtol=1e-5, err_msg=name)
    assert found["latitude"].values.tolist() == [38.9, 38.9]


def test_several_places_in_a_table_are_sites(tmp_path):
    places = ("-94.8,38.9", "-95.0,39.0")
    path = table(tmp_path, [row(d, p, sun=200.0) for d in (2, 1) for p in places])
    found = read_gridmet(path)
    assert found["site"].values.tolist() == ["points 38.9 -94.8", "points 39.0 -95.0"]
    assert found["time"].values[0] == np.datetime64("2011-01-01")


@pytest.mark.parametrize(
    ("rows", "match"),
    [
        ([row(1), row(1)], "has 2011-01-01 twice at one place"),
        ([row(1)[:-4]], "line 2 has 11 fields; its header has 12"),
        ([row(1, sun=200.0).replace("80,", "wet,")], "line 2, rmax is 'wet'; expected a number"),
        ([row(1).replace("2011-01-01", "Jan 1")], "line 2 has the date 'Jan 1'"),
        ([row(d) for d in (1, 2)], "at most 18 on 2 days, in W m-2 or in MJ"),
        ([], "has no records"),
    ],
)
def test_tables_that_are_wrong_say_where(tmp_path, rows, match):
    with pytest.raises(InputError, match=match):
        read_gridmet(table(tmp_path, rows))


def test_tables_and_maps_apart(tmp_path):
    both = [table(tmp_path, [row(1, sun=200.0)]), native(tmp_path, "pr", numbers())]
    with pytest.raises(InputError, match="read them apart"):
        read_gridmet(both)
    assert not looks_like_gridmet(tmp_path / "nothing.csv")
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    assert not looks_like_gridmet(tmp_path / "other.csv")


@pytest.mark.slow
def test_damaged_copies(tmp_path):
    (tmp_path / "copies").mkdir()
    whole = native(tmp_path, "tmmx", numbers(0, 300, 800))
    reader = "diffhydro.data.readers.gridmet.days:read_gridmet"
    assert survive_apart(reader, whole, tmp_path / "copies", seconds=900) > 0
    rows = [row(d, sun=150.0 + d) for d in range(1, 31)]
    assert survive(read_gridmet, table(tmp_path, rows), tmp_path / "copies") > 0


def test_the_real_subset(real_data):
    from scipy.io import netcdf_file

    path = real_data / "raw" / "gridmet" / "gridmet_pr_subset_west.nc"
    found = read_gridmet(path)["precipitation"].load()
    with netcdf_file(str(path), "r", mmap=False) as file:
        raw = file.variables["precipitation_amount"].data
    assert (raw < -3000.0).sum() > 10_000
    np.testing.assert_array_equal(found.values, np.where(raw < 0.0, np.nan, raw))
    assert found["time"].values.astype("datetime64[D]").astype(str).tolist() == [
        f"2018-09-{day}" for day in range(12, 17)
    ]


def test_the_real_table(real_data):
    path = real_data / "raw" / "gridmet" / "gridmet_point_Johnson_Kansas_2011_2020.csv"
    found = read_gridmet(path).isel(site=0)
    assert found.sizes["time"] == 3653
    with path.open() as file:
        rows = list(csv.DictReader(file))
    for line in rows[::200]:
        day = found.sel(time=line["timestamp"])
        for name, column, factor in (
            ("temperature_max", "tmmx", 1.0),
            ("precipitation", "pr", 1.0),
            ("shortwave", "srad", 1.0 / 0.0864),
            ("vapour_pressure_deficit", "vpd", 1000.0),
            ("potential_evaporation", "eto", 1.0),
        ):
            assert day[name].item() == pytest.approx(float(line[column]) * factor, rel=1e-5)
    # Kansas: a mean of the year between 150 and 220 W/m², not 16.
    assert 150.0 < float(found["shortwave"].mean()) < 220.0
