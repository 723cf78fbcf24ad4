import h5py
import numpy as np
import pytest

from diffhydro.data.daily_maps import daily_map
from diffhydro.data.readers.imerg import looks_like_imerg, read_imerg
from diffhydro.errors import InputError
from tests.data.damage import survive_apart
from tests.data.readers.map_files import grid, values, write

ROWS, COLUMNS = [-0.05, 0.05, 0.15], [-10.05, -9.95]
DIMENSIONS = ("time", "lon", "lat")
FILL = {"_FillValue": np.float32(-9999.9), "CodeMissingValue": "-9999.9"}
EPOCHS = {"V06B": "1970-01-01", "V07B": "1980-01-06"}
NAMES = {"V06B": "precipitationCal", "V07B": "precipitation"}


def granule(folder, when="2020-07-01T00:00", version="V07B", rain=None, quality=None):
    """Write a half hour as its makers do: longitude before latitude, from the south-west."""
    time = np.datetime64(when, "s")
    seconds = (time - np.datetime64(EPOCHS[version], "s")).astype(np.int32)
    about = {
        "units": f"seconds since {EPOCHS[version]} 00:00:00 UTC",
        "calendar": "julian",
    }
    stored = np.zeros((1, 2, 3), np.float32) if rain is None else rain.astype(np.float32)
    index = np.ones((1, 2, 3), np.float32) if quality is None else quality.astype(np.float32)
    words = {"DimensionNames": "time,lon,lat"}
    variables = {
        **grid(ROWS, COLUMNS),
        "time": (("time",), np.array([seconds]), about),
        NAMES[version]: (DIMENSIONS, stored, {"units": "mm/hr", **FILL, **words}),
        "precipitationQualityIndex": (DIMENSIONS, index, {**FILL, **words}),
        "probabilityLiquidPrecipitation": (
            DIMENSIONS, np.full((1, 2, 3), 100, np.int16), {"_FillValue": np.int16(-9999)}
        ),
    }  # fmt: skip
    text = str(time).replace("-", "").replace(":", "").replace("T", "-S")
    name = f"3B-HHR.MS.MRG.3IMERG.{text}-E002959.0000.{version}.HDF5"
    return write(folder / name, variables, group="Grid")


@pytest.mark.parametrize("version", ["V06B", "V07B"])
def test_axes_are_turned_and_epochs_believed(tmp_path, version):
    rain = np.arange(6.0).reshape(1, 2, 3)
    rain[0, 1, 2] = -9999.9
    found = read_imerg(granule(tmp_path, "2020-07-01T13:30", version, rain))
    assert found["precipitation"].dims == ("time", "y", "x")
    assert found["time"].values[0] == np.datetime64("2020-07-01T13:30")
    assert found["latitude"].values.tolist() == ROWS[::-1]
    expected = np.array([[2.0, np.nan], [1.0, 4.0], [0.0, 3.0]]) * 24.0
    np.testing.assert_array_equal(found["precipitation"].values[0], expected)
    assert found["precipitation"].attrs["stamp"] == "start"


def test_both_versions_make_one_day(tmp_path):
    rain = np.full((1, 2, 3), 2.0)
    for i in range(48):
        time = np.datetime64("2020-07-01T00:00") + np.timedelta64(30 * i, "m")
        granule(tmp_path, str(time), "V06B" if i < 24 else "V07B", rain * (i % 2))
    day = daily_map(read_imerg(tmp_path))
    assert day.sizes["time"] == 1
    # 0.5 · Σ of mm per hour over 48 half hours, half of them dry.
    np.testing.assert_allclose(day["precipitation"].values, 0.5 * 2.0 * 24)


def test_rain_of_a_cloudburst_is_kept(tmp_path):
    found = read_imerg(granule(tmp_path, rain=np.full((1, 2, 3), 150.0)))
    assert (found["precipitation"].values == 3600.0).all()


def test_quality_is_masked_on_demand(tmp_path):
    rain, quality = np.ones((1, 2, 3)), np.array([[[0.3, 0.6, 0.9], [0.2, -9999.9, 0.59]]])
    path = granule(tmp_path, rain=rain, quality=quality)
    assert np.isfinite(read_imerg(path)["precipitation"].values).all()
    good = read_imerg(path, least_quality=0.6)
    assert np.isfinite(good["precipitation"].values).sum() == 2
    assert good.attrs["least_quality"] == "0.6"
    with h5py.File(path, "a") as file:
        del file["Grid/precipitationQualityIndex"]
    with pytest.raises(InputError, match="has no precipitationQualityIndex"):
        read_imerg(path, least_quality=0.6)


@pytest.mark.parametrize(
    ("name", "unit"), [("precipitationCal", "mm"), ("precipitation", "mm/day")]
)
def test_daily_files_have_no_group_and_amounts_of_a_day(tmp_path, name, unit):
    rain = np.arange(6.0, dtype=np.float32).reshape(1, 2, 3)
    about = {"units": "days since 1970-01-01 00:00:00Z", "calendar": "standard"}
    variables = {
        **grid(ROWS, COLUMNS),
        "time": (("time",), np.array([18_444]), about),
        name: (DIMENSIONS, rain, {"units": unit, **FILL}),
    }
    path = tmp_path / "3B-DAY.MS.MRG.3IMERG.20200701-S000000-E235959.V07B.nc4"
    found = read_imerg(write(path, variables))
    assert found["time"].values[0] == np.datetime64("2020-07-01")
    np.testing.assert_array_equal(found["precipitation"].values[0], rain[0].T[::-1])
    with pytest.raises(InputError, match="read them apart"):
        read_imerg([path, granule(tmp_path)])


def test_names(tmp_path):
    for name in (
        "3B-HHR.MS.MRG.3IMERG.20000601-S000000-E002959.0000.V07A.HDF5",
        "3B-HHR-L.MS.MRG.3IMERG.20200101-S120000-E122959.0720.V06C.HDF5.nc4",
        "3B-DAY-E.MS.MRG.3IMERG.20200101-S000000-E235959.V06.nc4",
    ):
        assert looks_like_imerg(tmp_path / name)
    assert not looks_like_imerg(
        tmp_path / "3B-MO.MS.MRG.3IMERG.20200101-S000000-E235959.01.V07B.HDF5"
    )
    with pytest.raises(InputError, match="is not named like 3B-HHR"):
        read_imerg(granule(tmp_path).rename(tmp_path / "a.HDF5"))


def damaged(path):
    return daily_map(read_imerg(path), per_day=1)


@pytest.mark.exhaustive
@pytest.mark.slow
def test_damaged_copies(tmp_path):
    whole = granule(tmp_path, rain=values((1, 2, 3), 0.0, 9.0))
    (tmp_path / "copies").mkdir()
    reader = "tests.data.readers.test_imerg:damaged"
    assert survive_apart(reader, whole, tmp_path / "copies", seconds=900) > 0


def test_a_real_granule(real_data):
    folder = real_data / "raw" / "imerg"
    found = read_imerg(folder).load()
    (path,) = folder.iterdir()
    with h5py.File(path) as file:
        raw = file["Grid/precipitation"][0]
        expected = np.where(raw == np.float32(-9999.9), np.nan, raw * 24.0)
        latitude = np.float64(file["Grid/lat"][-1])
    np.testing.assert_array_equal(found["precipitation"].values[0], expected.T[::-1])
    assert found["time"].values[0] == np.datetime64("2000-06-01")
    assert found["latitude"].values[0] == pytest.approx(latitude, abs=1e-5)
