import warnings
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from diffhydro.data.readers.cf.reader import read_cf
from diffhydro.data.readers.files import reading
from diffhydro.errors import InputError
from tests.data.damage import COPIES, check, damaged, survive_apart

DAY = np.timedelta64(1, "D")
HERE = Path(__file__).parents[4]


def load(path, **options):
    """Read all values as well, which come later, when they are used, with the library's errors."""
    found = read_cf(path, **options)
    try:
        with reading(path, "CF"):
            return found.load()
    except SystemError as error:  # of zarr's codecs
        raise InputError(str(error)) from error


def stations(folder, name="sites.nc", days=4, step=DAY, **more):
    """Write three stations as networks publish them."""
    time = np.datetime64("2015-01-01") + step * np.arange(days)
    shape, deep = (3, days), (3, days, 2)
    rain = ("site", "time")
    data = {
        "pr": (rain, np.full(shape, 2.0, "f4"), {"units": "mm day-1"}),
        "airt": (rain, np.full(shape, 290.15, "f4"), {
            "units": "K", "standard_name": "air_temperature", "cell_methods": "time: mean"}),
        "hottest": (rain, np.full(shape, 300.15, "f4"), {
            "units": "K", "standard_name": "air_temperature", "cell_methods": "time: maximum"}),
        "hurs": (rain, np.full(shape, 55.0, "f4"), {"units": "%"}),
        "vp": (rain, np.full(shape, 12.0, "f4"), {"units": "hPa"}),
        "sm": ((*rain, "z"), np.arange(np.prod(deep), dtype="f4").reshape(deep) / 100, {
            "units": "m3 m-3"}),
        "koppen": ("site", np.array([14, 7, 26], "i1"), {"long_name": "class"}),
        "owner": ("site", np.array(["a", "b", "c"])),
        "ws": (rain, np.full(shape, 3.0, "f4"), {"units": "m s-1", "standard_name": "wind_speed"}),
        "odd": (rain, np.ones(shape, "f4")),
    }  # fmt: skip
    coordinates = {
        "time": time,
        "z": ("z", [0.05, 0.2], {"units": "m", "standard_name": "depth", "positive": "down"}),
        "lat": ("site", [36.1, 35.4, 46.3], {"units": "degrees_north"}),
        "lon": ("site", [-97.1, -82.6, -86.9], {"units": "degrees_east"}),
        "height": ("site", [271.0, 641.0, 267.0], {
            "units": "m", "standard_name": "surface_altitude"}),
        "station": ("site", np.array(["OK_1", "NC_1", "MI_1"]), {"cf_role": "timeseries_id"}),
    }  # fmt: skip
    path = folder / name
    xr.Dataset(data | more, coordinates, {"title": "three"}).to_netcdf(path, engine="h5netcdf")
    return path


def grid(folder, south_up=True, east=True):
    lat = np.array([-45.0, 0.0, 45.0]) if south_up else np.array([45.0, 0.0, -45.0])
    lon = np.array([0.0, 90.0, 180.0, 270.0]) if east else np.array([-180.0, -90.0, 0.0, 90.0])
    field = 100 * np.arange(3)[:, None] + np.arange(4) + np.zeros((2, 1, 1))
    path = folder / "map.nc"
    xr.Dataset(
        {"tasmin": (("time", "lat", "lon"), field.astype("f4") / 100, {"units": "degC"})},
        {
            "time": np.datetime64("2015-01-01T12") + np.timedelta64(1, "D") * np.arange(2),
            "lat": ("lat", lat, {"standard_name": "latitude"}),
            "lon": ("lon", lon, {"standard_name": "longitude"}),
        },
    ).to_netcdf(path, engine="h5netcdf", encoding={"tasmin": {"_FillValue": 1e20}})
    return path


def test_names_aliases_standard_names_and_units(tmp_path):
    found = read_cf(stations(tmp_path))
    assert all(v.chunks is not None for v in found.data_vars.values())
    assert found["site"].values.tolist() == ["OK_1", "NC_1", "MI_1"]
    day = found.load().isel(site=1, time=2)
    for name, value in (
        ("precipitation", 2.0), ("temperature", 17.0), ("temperature_max", 27.0),
        ("relative_humidity", 0.55), ("vapour_pressure", 1200.0), ("climate", 7.0),
        ("elevation", 641.0),
    ):  # fmt: skip
        assert day[name].item() == pytest.approx(value, rel=1e-5), name
    assert found["depth"].values.tolist() == [50.0, 200.0]
    np.testing.assert_allclose(day["soil_moisture"], [0.12, 0.13], rtol=1e-5)
    assert found["latitude"].values.tolist() == [36.1, 35.4, 46.3]
    assert found["owner"].values.tolist() == ["a", "b", "c"]
    assert found.attrs["not_read"] == "ws (wind_speed is wind or wind_10m), odd (unknown)"
    assert found.attrs["title"] == "three"
    assert found.attrs["time_zone"] == "UTC"


def test_names_are_said_and_left_out(tmp_path):
    path = stations(tmp_path)
    found = load(path, names={"ws": "wind", "odd": "leaf_area", "hottest": None})
    assert found["wind"].dtype == np.float32
    assert found["leaf_area"][0, 0].item() == 1.0
    assert "temperature_max" not in found
    for names, match in (
        ({"nothing": "wind"}, "names has 'nothing'"),
        ({"ws": "gale"}, "'gale'"),
        ({"ws": "temperature"}, "airt and ws for temperature"),
        ({"ws": "snow_depth"}, r"ws in sites.nc is in 'm s-1'"),
    ):
        with pytest.raises(InputError, match=match):
            read_cf(path, names=names)


@pytest.mark.parametrize("south_up", [True, False])
@pytest.mark.parametrize("east", [True, False])
def test_maps_lie_upright_and_days_begin_at_midnight(tmp_path, south_up, east):
    found = load(grid(tmp_path, south_up, east))
    field = found["temperature_min"]
    assert field.dims == ("time", "y", "x")
    assert found["latitude"].values.tolist() == [45.0, 0.0, -45.0]
    assert found["longitude"].values.tolist() == [-180.0, -90.0, 0.0, 90.0]
    assert found["time"].values[0] == np.datetime64("2015-01-01")
    row = 2 if south_up else 0
    column = 0 if east else 2
    greenwich = field[0, 0, 2].item()  # 45 °N, 0 °E
    assert greenwich == pytest.approx(row + column / 100)


@pytest.mark.parametrize("version", [2, 3])
def test_zarr_reads_like_netcdf(tmp_path, version):
    path = stations(tmp_path)
    with xr.open_dataset(path, engine="h5netcdf") as opened, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zarr's, of strings without a specification
        opened.load().drop_encoding().to_zarr(tmp_path / "sites.zarr", zarr_format=version)
    a, b = read_cf(path), read_cf(tmp_path / "sites.zarr")
    xr.testing.assert_equal(a.load(), b.load())
    assert b["precipitation"].attrs == a["precipitation"].attrs


def test_amounts_of_hours_become_rates_and_noon_is_let_through(tmp_path):
    sun = np.zeros((3, 24), "f4")
    sun[:, 12] = 1000.0
    path = stations(
        tmp_path, days=24, step=np.timedelta64(1, "h"),
        pr=(("site", "time"), np.full((3, 24), 0.5, "f4"), {"units": "mm"}),
        rsds=(("site", "time"), sun, {"units": "W m-2"}),
    )  # fmt: skip
    found = load(path)
    assert found["precipitation"][0, 0].item() == pytest.approx(12.0)
    assert found["shortwave"][0, 12].item() == 1000.0
    assert found["time"].values[1] - found["time"].values[0] == np.timedelta64(1, "h")


def test_bounds_of_time_say_what_a_stamp_is(tmp_path):
    path = stations(tmp_path)
    with xr.open_dataset(path, engine="h5netcdf") as opened:
        found = opened.load()
    ends = found["time"].values + np.timedelta64(1, "D")
    found = found.assign(edges=(("time", "nv"), np.stack([ends - np.timedelta64(1, "D"), ends], 1)))
    found = found.assign_coords(time=("time", ends, {"bounds": "edges"}))
    units = {"time": {"units": "hours since 2000-01-01"}}
    found.drop_encoding().to_netcdf(tmp_path / "ends.nc", engine="h5netcdf", encoding=units)
    days = load(tmp_path / "ends.nc")
    assert days["time"].values[0] == np.datetime64("2015-01-01")
    assert "edges" not in days.attrs["not_read"]


def test_one_station_without_a_dimension_of_its_own(tmp_path):
    path = tmp_path / "here.nc"
    xr.Dataset(
        {"pr": ("time", [1.0, 2.0], {"units": "mm"})},
        {"time": np.array(["2015-01-01", "2015-01-02"], "M8[ns]"), "lat": 40.0, "lon": 5.0},
    ).to_netcdf(path, engine="h5netcdf")
    found = read_cf(path)
    assert found["site"].values.tolist() == ["here"]
    assert found["precipitation"].values.tolist() == [[1.0, 2.0]]


def test_layers_with_bounds_above_one_another(tmp_path):
    path = tmp_path / "layers.nc"
    xr.Dataset(
        {"sand": (("site", "layer"), [[10.0, 20.0]], {"units": "%"}),
         "depth_bnds": (("layer", "nv"), [[-0.1, -0.3], [0.0, -0.1]])},
        {"depth": ("layer", [-0.2, -0.05], {"units": "m", "bounds": "depth_bnds"}), "site": ["A"]},
    ).to_netcdf(path, engine="h5netcdf")  # fmt: skip
    found = load(path)
    assert found["depth"].values.tolist() == [50.0, 200.0]
    assert found["top"].values.tolist() == [0.0, 100.0]
    assert found["bottom"].values.tolist() == [100.0, 300.0]
    assert found["sand"].values.tolist() == [[20.0, 10.0]]


def test_a_probe_whose_depth_is_a_scalar(tmp_path):
    path = tmp_path / "probe.nc"
    xr.Dataset(
        {"sm": (("site", "time"), [[0.1, 0.2]], {"units": "1"})},
        {"time": np.array(["2015-01-01", "2015-01-02"], "M8[ns]"), "site": ["A"],
         "depth": ((), 5.0, {"units": "cm"})},
    ).to_netcdf(path, engine="h5netcdf")  # fmt: skip
    found = load(path)["soil_moisture"]
    assert found.dims == ("site", "time", "depth")
    assert found["depth"].values.tolist() == [50.0]


def test_what_cannot_be_understood_is_refused(tmp_path):
    days = np.array(["2015-01-01", "2015-01-02"], "M8[ns]")
    months = np.array(["2015-01-01", "2015-02-01", "2015-03-01"], "M8[ns]")
    rain = {"units": "mm"}
    depth = ("depth", [5.0, 10.0])
    for data, coordinates, match in (
        ({"pr": ("time", [1.0, 2.0])}, {"time": days}, "pr in it.nc has no units"),
        ({"pr": ("time", [1.0] * 3, rain)}, {"time": months}, "over more than a day"),
        ({"pr": ("time", [1.0, 2.0], rain)}, {"time": [1, 2]}, "expected dates"),
        ({"pr": ("time", [1.0, 2.0], rain)}, {"time": days[[0, 0]]}, "twice"),
        ({"pr": ("swath", [1.0, 2.0], rain)}, {}, "dimension swath"),
        ({"what": ("time", [1.0, 2.0])}, {"time": days}, "no variable of the schema"),
        ({"sm": ("depth", [0.1, 0.2])}, {"depth": depth}, "depth in it.nc has the unit"),
        ({"sm": ("depth", [0.1, 0.2])}, {}, "no depths"),
        ({"pr": (("y", "x"), [[1.0]], rain)}, {
            "lat": (("y", "x"), [[1.0]]), "lon": (("y", "x"), [[1.0]])}, "rotated or projected"),
        ({"pr": (("lat", "lon"), np.ones((3, 1)), rain)}, {
            "lat": [1.0, 3.0, 2.0], "lon": [0.0]}, "neither rises nor falls"),
    ):  # fmt: skip
        path = tmp_path / "it.nc"
        xr.Dataset(data, coordinates).to_netcdf(path, engine="h5netcdf")
        with pytest.raises(InputError, match=match):
            read_cf(path)
    with pytest.raises(InputError, match="no file at"):
        read_cf(tmp_path / "none.nc")
    (tmp_path / "text.nc").write_text("<html>")
    with pytest.raises(InputError, match="not readable as NetCDF-4"):
        read_cf(tmp_path / "text.nc")


@pytest.mark.slow
def test_damaged_copies(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(HERE))
    whole = stations(tmp_path)
    (tmp_path / "copies").mkdir()
    reader = "tests.data.readers.cf.test_reader:load"
    assert survive_apart(reader, whole, tmp_path / "copies", seconds=1500.0) > 0


def test_lengths_of_packed_chunks_are_checked_before_they_are_unpacked(tmp_path):
    from zarr.codecs import BloscCodec

    with xr.open_dataset(stations(tmp_path), engine="h5netcdf") as opened:
        whole = opened.load().drop_encoding().drop_vars(["owner", "station"])
    newer = {"pr": {"compressors": [BloscCodec()]}}
    whole.to_zarr(tmp_path / "3.zarr", zarr_format=3, encoding=newer, consolidated=False)
    whole.to_zarr(tmp_path / "2.zarr", zarr_format=2)
    for store, chunk in (("2.zarr", "pr/0.0"), ("3.zarr", "pr/c/0/0")):
        assert load(tmp_path / store)["precipitation"][0, 0].item() == 2.0
        path = tmp_path / store / chunk
        sound = path.read_bytes()
        for broken in (
            sound[:-1],
            sound[:4] + b"\0" + sound[5:],
            sound[:8] + b"\xff" + sound[9:],
            b"",
        ):
            path.write_bytes(broken)
            with pytest.raises(InputError, match="its lengths are not"):
                read_cf(tmp_path / store)


@pytest.mark.slow
def test_damaged_stores(tmp_path):
    whole = tmp_path / "sites.zarr"
    with xr.open_dataset(stations(tmp_path), engine="h5netcdf") as opened:
        opened.load().drop_encoding().drop_vars(["owner", "station"]).to_zarr(whole, zarr_format=2)
    refused = 0
    for name in (".zmetadata", "pr/0.0", "sm/0.0.0", "time/0", "lat/0"):
        kept = (whole / name).read_bytes()
        for broken in damaged(kept, max(2, COPIES // 5)):
            (whole / name).write_bytes(broken)
            try:
                check(load(whole))
            except InputError:
                refused += 1
        (whole / name).write_bytes(kept)
    assert refused > 0


@pytest.mark.parametrize(
    "name", ["uscrn_daily_small_5sites_2015_2018.nc", "uscrn_daily_30sites_2012_2020.nc"]
)
def test_real_stations(real_data, name):
    path = real_data / name
    found = read_cf(path)
    assert "not_read" not in found.attrs
    assert found.attrs["time_zone"] == "local standard time"
    with xr.open_dataset(path, engine="h5netcdf") as raw:
        for label, named, factor in (
            ("pr", "precipitation", 1.0), ("tas", "temperature", 1.0),
            ("vp", "vapour_pressure", 100.0), ("tasmin", "temperature_min", 1.0),
            ("tasmax", "temperature_max", 1.0),
            ("hurs", "relative_humidity", 0.01), ("hursmax", "relative_humidity_max", 0.01),
            ("rsds", "shortwave", 1.0), ("ts", "surface_temperature", 1.0),
            ("sm", "soil_moisture", 1.0), ("st", "soil_temperature", 1.0),
            ("elevation", "elevation", 1.0), ("koppen", "climate", 1.0),
        ):  # fmt: skip
            np.testing.assert_allclose(
                found[named].values, raw[label].values * factor, rtol=1e-6, err_msg=label
            )
        assert found["koppen_name"].values.tolist() == raw["koppen_name"].values.tolist()
        assert found["wbanno"].values.tolist() == raw["wbanno"].values.tolist()
        np.testing.assert_allclose(found["depth"], raw["depth"] * 1000)
        assert found["latitude"].values.tolist() == raw["lat"].values.tolist()
