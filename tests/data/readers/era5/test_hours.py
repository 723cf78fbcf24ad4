import zipfile

import numpy as np
import pytest

from diffhydro.data.daily_maps import daily_map
from diffhydro.data.readers.era5.hours import looks_like_era5, read_era5
from diffhydro.data.readers.era5.land import looks_like_era5_land
from diffhydro.errors import InputError
from tests.data.damage import survive_apart
from tests.data.readers.map_files import grid, values, write, write_classic

ROWS, COLUMNS = [45.5, 45.25, 45.0], [359.5, 359.75]
NAMES = ("latitude", "longitude")
SHAPE = (24, 3, 2)
HOURS = ("time", *NAMES)
VALID = ("valid_time", *NAMES)
SCALE, OFFSET = 1.186542177150111e-05, 0.37369499895739583
PACKED = {"_FillValue": np.int16(-32767), "missing_value": np.int16(-32767)}


def old(folder, name="download.nc", fields=None, hours=24, to=write_classic):
    """Write the layout until 2024: int16, latitudes down, longitudes from 0 to 360."""
    about = {"units": "hours since 1900-01-01 00:00:00.0", "calendar": "gregorian"}
    time = np.arange(964248, 964248 + hours, dtype=np.int32)  # from 2010-01-01
    packed = {"scale_factor": SCALE, "add_offset": OFFSET, "units": "m**3 m**-3", **PACKED}
    stored = np.arange(hours * 6, dtype=np.int16).reshape(hours, 3, 2) * 50
    soil = {"swvl1": (HOURS, stored, packed)}
    axes = grid(ROWS, COLUMNS, NAMES) | {"time": (("time",), time, about)}
    return to(folder / name, axes | (soil if fields is None else fields))


def new(path, fields, hours=24, start="2025-01-15"):
    """Write the layout since 2024: float32, valid_time, a number, versions as texts."""
    seconds = np.datetime64(start, "s").astype(np.int64) + 3600 * np.arange(hours)
    about = {"units": "seconds since 1970-01-01", "calendar": "proleptic_gregorian"}
    nothing = {"_FillValue": np.float32(np.nan)}
    made = {n: (VALID, v, {"units": u, **nothing, "GRIB_stepType": s})
            for n, (v, u, s) in fields.items()}  # fmt: skip
    axes = grid(ROWS, COLUMNS, NAMES, np.float64)
    extra = {
        "number": ((), np.int64(0), {"units": "1"}),
        "expver": (("valid_time",), np.array([b"0001"] * hours), {}),
        "valid_time": (("valid_time",), seconds, about),
    }
    return write(path, axes | extra | made)


def weather(hours=24):
    shape = (hours, 3, 2)
    return {
        "instant": {
            "t2m": (values(shape, 270.0, 300.0), "K", "instant"),
            "d2m": (values(shape, 260.0, 270.0, 1), "K", "instant"),
            "u10": (np.full(shape, 3.0, np.float32), "m s**-1", "instant"),
            "v10": (np.full(shape, -4.0, np.float32), "m s**-1", "instant"),
        },
        "accum": {
            "tp": (np.full(shape, 0.0005, np.float32), "m", "accum"),
            "e": (np.full(shape, -0.0001, np.float32), "m of water equivalent", "accum"),
            "ssrd": (np.full(shape, 3.6e6, np.float32), "J m**-2", "accum"),
        },
        "max": {"mx2t": (np.full(shape, 300.15, np.float32), "K", "max")},
    }


def packed_as_zip(folder, hours=24):
    path = folder / "6c4f.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for kind, fields in weather(hours).items():
            name = f"data_stream-oper_stepType-{kind}.nc"
            archive.write(new(folder / name, fields, hours), name)
            (folder / name).unlink()
    return path


@pytest.mark.parametrize("to", [write, write_classic])
def test_packed_numbers_longitudes_from_zero_and_layers(tmp_path, to):
    found = read_era5(old(tmp_path, to=to))
    assert found["soil_moisture"].dims == ("time", "depth", "y", "x")
    assert found["longitude"].values.tolist() == [-0.5, -0.25]
    assert found["latitude"].values.tolist() == ROWS
    layer = found["depth"]
    assert (layer.item(), layer["top"].item(), layer["bottom"].item()) == (35.0, 0.0, 70.0)
    expected = np.arange(144).reshape(SHAPE) * 50 * SCALE + OFFSET
    np.testing.assert_allclose(found["soil_moisture"].values[:, 0], expected, rtol=1e-6)
    assert found["time"].values[6] == np.datetime64("2010-01-01T06")
    assert found.attrs["product"] == "ERA5"


def test_a_zip_a_folder_and_a_list_give_the_same(tmp_path):
    zipped = read_era5(packed_as_zip(tmp_path)).load()
    (tmp_path / "folder").mkdir()
    with zipfile.ZipFile(tmp_path / "6c4f.zip") as archive:
        archive.extractall(tmp_path / "folder")
    folder = read_era5(tmp_path / "folder").load()
    listed = read_era5(sorted((tmp_path / "folder").iterdir()), chunks=None)
    for other in (folder, listed):
        for name in zipped.data_vars:
            np.testing.assert_array_equal(other[name], zipped[name])
    assert looks_like_era5(tmp_path / "6c4f.zip")
    assert looks_like_era5(tmp_path / "folder")
    assert not looks_like_era5_land(tmp_path / "6c4f.zip")


def test_members_of_a_zip_are_told_apart(tmp_path):
    path = tmp_path / "months.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for month in (1, 2):
            warm = {"t2m": (np.full(SHAPE, 273.15 + month, np.float32), "K", "instant")}
            name = f"data_{month}.nc"
            archive.write(new(tmp_path / name, warm, start=f"2025-{month:02d}-01"), name)
    warmth = read_era5(path)["temperature"].values
    np.testing.assert_allclose(warmth[:24], 1.0, atol=1e-4)
    np.testing.assert_allclose(warmth[24:], 2.0, atol=1e-4)


def test_pieces_may_be_of_any_size(tmp_path):
    path = old(tmp_path)
    whole = read_era5(path)["soil_moisture"]
    small = read_era5(path, chunks={"time": 5, "y": 2, "x": 1})["soil_moisture"]
    assert small.chunks is not None
    assert len(small.chunks[0]) == 5
    np.testing.assert_array_equal(small.values, whole.values)


def test_units_signs_and_stamps(tmp_path):
    found = read_era5(packed_as_zip(tmp_path))
    raw = weather()
    at = {"time": 5, "y": 1, "x": 0}
    kelvin = raw["instant"]["d2m"][0][5, 1, 0]
    dew = float(kelvin) - 273.15
    for name, value, stamp in (
        ("precipitation", 0.5 * 24.0, "end"),
        ("evaporation", 0.1 * 24.0, "end"),
        ("shortwave", 1000.0, "end"),
        ("temperature_max", 27.0, "end"),
        ("temperature", raw["instant"]["t2m"][0][5, 1, 0] - 273.15, "instant"),
        ("dew_point", dew, "instant"),
        ("vapour_pressure", 610.8 * np.exp(17.27 * dew / (dew + 237.3)), "instant"),
        ("wind_10m", 5.0, "instant"),
    ):
        assert float(found[name].isel(at)) == pytest.approx(value, rel=1e-5), name
        assert found[name].attrs["stamp"] == stamp
    day = daily_map(found)
    assert day.sizes["time"] == 1
    # 00:00 ends the hour of the day before: 23 hours of the day are here, and their mean is its.
    np.testing.assert_allclose(day["precipitation"].values, 12.0, rtol=1e-6)


def test_only_what_is_asked_for_is_read(tmp_path):
    path = packed_as_zip(tmp_path)
    found = read_era5(path, variables=["vapour_pressure", "precipitation"])
    assert set(found.data_vars) == {"vapour_pressure", "precipitation"}
    with pytest.raises(InputError, match="ERA5 has no snowfall; it has precipitation, potential"):
        read_era5(path, variables=["snowfall"])
    with pytest.raises(InputError, match="has none of what is read of ERA5"):
        read_era5(path, variables=["leaf_area"])


def test_preliminary_values_fill_in_where_final_ones_end(tmp_path):
    final = np.full((24, 2, 3, 2), -32767, np.int16)
    final[:12, 0], final[12:, 1] = 50, 60
    about = {"scale_factor": 0.5, "add_offset": 250.0, "units": "K", **PACKED}
    fields = {
        "expver": (("expver",), np.array([1, 5], np.int32), {}),
        "t2m": (("time", "expver", *NAMES), final, about),
    }
    found = read_era5(old(tmp_path, fields=fields))["temperature"].values
    np.testing.assert_allclose(found[:12], 275.0 - 273.15, rtol=1e-5)
    np.testing.assert_allclose(found[12:], 280.0 - 273.15, rtol=1e-5)
    assert found.shape == SHAPE


def test_the_sea_has_no_soil_moisture(tmp_path):
    stored = np.full(SHAPE, 0.3, np.float32)
    stored[:, 0, 0], stored[:, 0, 1] = 2e-6, -1e-6
    fields = {"swvl1": (HOURS, stored, {"units": "m**3 m**-3"})}
    soil = read_era5(old(tmp_path, fields=fields))["soil_moisture"].values[:, 0]
    assert np.isnan(soil[:, 0]).all()
    assert (soil[:, 1:] == np.float32(0.3)).all()
    land = np.broadcast_to(np.float32([[1, 1], [0, 1], [0.4, 0.6]]), SHAPE)
    fields |= {
        "stl1": (HOURS, np.full(SHAPE, 280.0, np.float32), {"units": "K"}),
        "lsm": (HOURS, land, {"units": "(0 - 1)"}),
    }
    found = read_era5(old(tmp_path, fields=fields))
    expected = [[False, False], [True, False], [True, False]]
    np.testing.assert_array_equal(np.isnan(found["soil_temperature"].values[7, 0]), expected)


def test_a_mask_of_land_from_another_year_adds_no_time(tmp_path):
    soil = new(tmp_path / "soil.nc", {"stl1": (np.full(SHAPE, 280.0, np.float32), "K", "instant")})
    land = np.ones((1, 3, 2), np.float32)
    land[0, 0, 0] = 0.0
    mask = new(tmp_path / "land.nc", {"lsm": (land, "(0 - 1)", "instant")}, 1, "1979-01-01")
    found = read_era5([soil, mask])["soil_temperature"]
    assert found.sizes["time"] == 24
    assert np.isnan(found.values[:, 0, 0, 0]).all()
    assert np.isnan(found.values).sum() == 24


def test_rounding_makes_no_rain_of_nothing_nor_misses_it(tmp_path):
    dry = np.full(SHAPE, -4e-7, np.float32)
    dry[0] = -1.0
    fields = {"tp": (HOURS, dry, {"units": "m"})}
    rain = read_era5(old(tmp_path, fields=fields))["precipitation"].values
    assert np.isnan(rain[0]).all()
    assert (rain[1:] == 0.0).all()


def test_leaves_of_high_and_low_vegetation_are_weighted_by_their_cover(tmp_path):
    parts = {"cvh": 0.25, "lai_hv": 4.0, "cvl": 0.5, "lai_lv": 2.0}
    fields = {n: (HOURS, np.full(SHAPE, v, np.float32), {}) for n, v in parts.items()}
    assert (read_era5(old(tmp_path, fields=fields))["leaf_area"].values == 2.0).all()


@pytest.mark.parametrize(
    ("fields", "match"),
    [
        ({"tp": (HOURS, np.zeros(SHAPE), {"units": "mm"})}, "tp is in 'mm'; expected m or m of"),
        ({"t2m": (("number", *HOURS), np.zeros((2, *SHAPE)), {"units": "K"})}, "2 members of an"),
        ({"t2m": (("step", *HOURS), np.zeros((2, *SHAPE)), {"units": "K"})}, "dimension step"),
        (
            {"tp": (HOURS, np.zeros(SHAPE), {"units": "m", "GRIB_stepType": "avgad"})},
            "means of months",
        ),
        ({"slt": (HOURS, np.zeros(SHAPE), {})}, r"none of what is read .* it has .*slt"),
    ],
)
def test_what_would_be_misread_is_refused(tmp_path, fields, match):
    with pytest.raises(InputError, match=match):
        read_era5(old(tmp_path, fields=fields, to=write))


def test_cells_of_a_tenth_of_a_degree_are_the_other_product(tmp_path):
    axes = grid([45.5, 45.4, 45.3], [359.5, 359.6], NAMES)
    fields = {"tp": (HOURS, np.zeros(SHAPE, np.float32), {"units": "m"}), **axes}
    path = old(tmp_path, fields=fields)
    assert looks_like_era5_land(path)
    assert not looks_like_era5(path)
    with pytest.raises(InputError, match="it is ERA5-Land, whose sums grow"):
        read_era5(path)


def test_times_twice_and_zips_of_other_things_are_refused(tmp_path):
    path = old(tmp_path)
    with pytest.raises(InputError, match=r"swvl1 has 2010-01-01T00:00 twice, in download\.nc"):
        read_era5([path, path])
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("../../evil.txt", "no map")
    with pytest.raises(InputError, match="holds no NetCDF file"):
        read_era5(tmp_path / "a.zip")
    with pytest.raises(InputError, match="no file of ERA5"):
        read_era5([])
    with pytest.raises(InputError, match="no file at"):
        read_era5(tmp_path / "nothing.nc")
    assert not looks_like_era5(tmp_path / "a.zip")


def damaged(path):
    """Read hours into days, whose ranges are the schema's, which damage is held against."""
    return daily_map(read_era5(path), per_day=1)


@pytest.mark.slow
@pytest.mark.parametrize("layout", ["old", "new", "zip"])
def test_damaged_copies(tmp_path, layout):
    whole = old(tmp_path, hours=3)
    if layout != "old":
        fields = {"t2m": weather(3)["instant"]["t2m"], "tp": weather(3)["accum"]["tp"]}
        whole = new(tmp_path / "a.nc", fields, 3)
    if layout == "zip":
        with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.write(whole, "a.nc")
        whole = tmp_path / "a.zip"
    (tmp_path / "copies").mkdir()
    reader = "tests.data.readers.era5.test_hours:damaged"
    assert survive_apart(reader, whole, tmp_path / "copies", seconds=900) > 0


def test_the_packed_real_file_is_its_stored_numbers(real_data):
    from scipy.io import netcdf_file

    path = real_data / "raw" / "era5_netcdf_packed" / "era5_packed_namerica.nc"
    found = read_era5(path).load()
    with netcdf_file(str(path), "r", mmap=False) as file:
        for layer, name in enumerate(("swvl1", "swvl2")):
            raw = file.variables[name]
            land = file.variables["lsm"]
            is_land = (land.data * land.scale_factor + land.add_offset).max(axis=0) > 0.5
            expected = raw.data * raw.scale_factor + raw.add_offset
            expected = np.where(is_land & (expected > 1e-4), expected, np.nan)
            np.testing.assert_allclose(found["soil_moisture"][:, layer], expected, rtol=2e-5)
    assert found["longitude"].values[[0, -1]].tolist() == [-125.0, -65.0]


def test_the_global_real_file_is_turned(real_data):
    import h5py

    path = real_data / "raw" / "era5_netcdf"
    found = read_era5(path)["soil_moisture"].isel(time=0, depth=1).load()
    with h5py.File(path / "ERA5_AN_20100101_0000.nc") as file:
        raw, land = file["swvl2"][:], file["lsm"][:]
    assert found["longitude"].values[[0, -1]].tolist() == [-180.0, 179.75]
    expected = np.where((land > 0.5) & (raw > 1e-4), raw, np.nan)
    np.testing.assert_array_equal(found.values, np.roll(expected, 720, axis=1))
    # Oklahoma, 36 N 97 W, is at row 216 and column 1052 of the file.
    place = {"y": int(np.flatnonzero(found["latitude"] == 36.0)[0]),
             "x": int(np.flatnonzero(found["longitude"] == -97.0)[0])}  # fmt: skip
    assert found.isel(place).item() == raw[216, 1052]


def test_the_real_layout_of_2024(real_data):
    import h5py

    folder = real_data / "raw" / "era5_netcdf_2024_layout"
    found = read_era5(folder).load()
    assert set(found.data_vars) == {"precipitation", "temperature"}
    with h5py.File(folder / "data_stream-oper_stepType-accum.nc") as file:
        raw = file["tp"][:]
        np.testing.assert_allclose(found["precipitation"], raw * 24_000.0, rtol=1e-6, atol=1e-9)
    with h5py.File(folder / "data_stream-oper_stepType-instant.nc") as file:
        np.testing.assert_allclose(found["temperature"], file["t2m"][:] - 273.15, atol=2e-5)
        first = np.datetime64(int(file["valid_time"][0]), "s")
    assert found["time"].values[0] == first == np.datetime64("2014-01-01T12")
    assert found["latitude"].values.tolist() == [23.0, 22.75, 22.5, 22.25, 22.0]
