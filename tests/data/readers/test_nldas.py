import importlib.util

import numpy as np
import pytest

from diffhydro.data.daily_maps import daily_map
from diffhydro.data.readers.nldas import looks_like_nldas, read_nldas
from diffhydro.errors import InputError
from tests.data.damage import survive_apart
from tests.data.readers.grib_files import message
from tests.data.readers.map_files import grid, values, write

ROWS, COLUMNS = [25.0625, 25.1875, 25.3125], [-124.9375, -124.8125]
DIMENSIONS = ("time", "lat", "lon")
FILL = {"_FillValue": np.float32(-9999.0)}
FORCING = {
    "Tair": (293.15, "K"),
    "Qair": (0.01, "kg kg-1"),
    "PSurf": (100_000.0, "Pa"),
    "Wind_E": (3.0, "m s-1"),
    "Wind_N": (-4.0, "m s-1"),
    "LWdown": (300.0, "W m-2"),
    "SWdown": (900.0, "W m-2"),
    "Rainf": (1.5, "kg m-2"),
    "PotEvap": (0.5, "kg m-2"),
    "CAPE": (10.0, "J kg-1"),
}
NOAH = {
    "Rainf": (1.0, "kg m-2"),
    "Snowf": (0.25, "kg m-2"),
    "Evap": (0.1, "kg m-2"),
    "Qs": (0.2, "kg m-2"),
    "Qsb": (0.05, "kg m-2"),
    "PotEvap": (250.1, "W m-2"),
    "SWdown": (850.0, "W m-2"),
    "SoilM_0_10cm": (25.0, "kg m-2"),
    "SoilM_10_40cm": (60.0, "kg m-2"),
    "SoilM_40_100cm": (90.0, "kg m-2"),
    "SoilM_100_200cm": (100.0, "kg m-2"),
    "SoilM_0_200cm": (275.0, "kg m-2"),
    "SoilT_0_10cm": (283.15, "K"),
}
needs_grib = pytest.mark.skipif(
    importlib.util.find_spec("eccodes") is None or importlib.util.find_spec("cfgrib") is None,
    reason="needs the extra grib",
)


def granule(folder, kind="FORA", stamp="20200101.0100", fields=None, methods=None):
    """Write a file of version 2.0: one hour, rows from the south."""
    at = np.datetime64(f"{stamp[:4]}-{stamp[4:6]}-{stamp[6:8]}T{stamp[9:11]}", "m")
    minutes = float((at - np.datetime64("1979-01-01", "m")).astype(int))
    made = {"time": (("time",), np.array([minutes]), {"units": "minutes since 1979-01-01 00:00"})}
    for name, (value, unit) in (fields or {"FORA": FORCING, "NOAH": NOAH}[kind]).items():
        stored = np.full((1, 3, 2), value, np.float32)
        stored[0, 0, 0] = -9999.0
        said = {"cell_methods": f"time: {methods}"} if methods else {}
        made[name] = (DIMENSIONS, stored, {"units": unit, **FILL, **said})
    path = folder / f"NLDAS_{kind}0125_H.A{stamp}.020.nc"
    return write(path, grid(ROWS, COLUMNS) | made, unlimited=("time",))


def test_forcing_is_of_the_hour_before_or_of_the_moment(tmp_path):
    found = read_nldas(granule(tmp_path))
    for name, value, stamp in (
        ("precipitation", 36.0, "end"),
        ("potential_evaporation", 12.0, "end"),
        ("temperature", 20.0, "instant"),
        ("shortwave", 900.0, "instant"),
        ("wind_10m", 5.0, "instant"),
        ("vapour_pressure", 0.01 * 1e5 / (0.6219 + 0.3781 * 0.01), "instant"),
    ):
        assert float(found[name][0, 0, 0]) == pytest.approx(value, rel=1e-5), name
        assert found[name].attrs["stamp"] == stamp
        assert np.isnan(found[name].values[0, -1, 0])
    assert found["latitude"].values.tolist() == ROWS[::-1]


def test_noah_adds_snow_to_rain_and_shares_out_water(tmp_path):
    found = read_nldas(granule(tmp_path, "NOAH"))
    for name, value, stamp in (
        ("precipitation", 30.0, "end"),
        ("evaporation", 2.4, "end"),
        ("runoff", 6.0, "end"),
        ("potential_evaporation", 250.1 / 2.501e6 * 86_400.0, "end"),
        ("shortwave", 850.0, "end"),
    ):
        assert float(found[name][0, 0, 0]) == pytest.approx(value, rel=1e-5), name
        assert found[name].attrs["stamp"] == stamp
    np.testing.assert_allclose(
        found["soil_moisture"][0, :, 0, 0], [0.25, 0.2, 0.15, 0.1], rtol=1e-6
    )
    assert found["depth"].values.tolist() == [50.0, 250.0, 700.0, 1500.0]


def test_together_the_forcing_goes_first(tmp_path):
    granule(tmp_path, "FORA")
    granule(tmp_path, "NOAH")
    found = read_nldas(tmp_path)
    assert float(found["precipitation"][0, 0, 0]) == pytest.approx(36.0)
    assert float(found["shortwave"][0, 0, 0]) == 900.0
    assert float(found["soil_moisture"][0, 0, 0, 0]) == pytest.approx(0.25)
    assert float(found["potential_evaporation"][0, 0, 0]) == pytest.approx(12.0)


def test_what_a_file_says_of_its_times_goes_before(tmp_path):
    found = read_nldas(granule(tmp_path, fields={"SWdown": (900.0, "W m-2")}, methods="mean"))
    assert found["shortwave"].attrs["stamp"] == "end"


def test_a_day_of_hours(tmp_path):
    for hour in range(1, 24):
        granule(tmp_path, stamp=f"20200101.{hour:02d}00", fields={"Rainf": (1.0, "kg m-2")})
    granule(tmp_path, stamp="20200102.0000", fields={"Rainf": (25.0, "kg m-2")})
    day = daily_map(read_nldas(tmp_path))["precipitation"]
    assert day.sizes["time"] == 1
    assert float(day[0, 0, 0]) == pytest.approx(48.0)


def test_short_names_of_files_made_of_grib(tmp_path):
    fields = {"TMP": (293.15, "K"), "APCP": (1.5, "kg m-2"), "UGRD": (3.0, "m s-1")}
    fields |= {"VGRD": (4.0, "m s-1")}
    found = read_nldas(granule(tmp_path, fields=fields))
    assert float(found["precipitation"][0, 0, 0]) == pytest.approx(36.0)
    assert float(found["temperature"][0, 0, 0]) == pytest.approx(20.0, rel=1e-5)
    assert float(found["wind_10m"][0, 0, 0]) == pytest.approx(5.0)


def test_names_and_units_that_are_others_are_refused(tmp_path):
    with pytest.raises(InputError, match="Rainf is in 'mm'; expected kg m-2"):
        read_nldas(granule(tmp_path, fields={"Rainf": (1.0, "mm")}))
    with pytest.raises(InputError, match="which tells forcing from model"):
        read_nldas(granule(tmp_path).rename(tmp_path / "a.nc"))
    assert looks_like_nldas(tmp_path / "NLDAS_FORA0125_H.A20200101.0000.020.nc.SUB.nc4")
    assert looks_like_nldas(tmp_path / "NLDAS_NOAH0125_H.A20200101.0000.002.grb")
    assert not looks_like_nldas(tmp_path / "NLDAS_MOS0125_H.A20200101.0000.002.grb")


@needs_grib
def test_numbers_of_table_130(tmp_path):
    """What ecCodes calls unknown, and 228 wrongly: forcing at an hour, sums of the hour before."""
    nldas = {"centre": 7, "subcentre": 12, "table": 130}
    base = np.arange(6.0).reshape(3, 2)
    base[0, 0] = np.nan
    wind = {"level_kind": 105, "level": (10, 10)}
    parts = [
        message(base + 280.0, **nldas, parameter=11, level_kind=105, level=(2, 2)),
        message(base + 3.0, **nldas, parameter=33, **wind),
        message(base * 0.0 + 4.0, **nldas, parameter=34, **wind),
        message(base + 900.0, **nldas, parameter=204),
        message(base / 10.0, **nldas, parameter=61, date="2010-06-30T23", hours=1),
        message(base / 100.0, **nldas, parameter=228, date="2010-06-30T23", hours=1),
        message(base, **nldas, parameter=153),
    ]
    path = tmp_path / "NLDAS_FORA0125_H.A20100701.0000.002.grb"
    path.write_bytes(b"".join(parts))
    found = read_nldas(path).load()
    assert found["time"].values.tolist() == [np.datetime64("2010-07-01", "ns").astype(int)]
    np.testing.assert_allclose(found["latitude"], [25.313, 25.188, 25.063])
    up = base[::-1]
    for name, expected in (
        ("temperature", up + 280.0 - 273.15),
        ("shortwave", up + 900.0),
        ("precipitation", up / 10.0 * 24.0),
        ("potential_evaporation", up / 100.0 * 24.0),
        ("wind_10m", np.hypot(up + 3.0, 4.0)),
    ):
        np.testing.assert_allclose(found[name][0], expected, atol=1e-4, err_msg=name)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@needs_grib
def test_layers_of_table_130(tmp_path):
    noah = {"centre": 7, "subcentre": 12, "table": 130, "level_kind": 112}
    layers = ((0, 10), (10, 40), (40, 100), (100, 200), (0, 100), (0, 200))
    water = np.full((3, 2), 30.0)
    parts = [message(water, **noah, parameter=86, level=layer) for layer in layers]
    path = tmp_path / "NLDAS_NOAH0125_H.A20100701.0000.002.grb"
    path.write_bytes(b"".join(parts))
    soil = read_nldas(path)["soil_moisture"]
    np.testing.assert_allclose(soil.values[0, :, 0, 0], [0.3, 0.1, 0.05, 0.03], rtol=1e-6)


def damaged(path):
    return daily_map(read_nldas(path), per_day=1)


@pytest.mark.slow
def test_damaged_copies(tmp_path):
    fields = {"Rainf": (1.0, "kg m-2"), "Tair": (290.0, "K"), "Qair": (0.01, "kg kg-1")}
    whole = granule(tmp_path, fields=fields | {"PSurf": (1e5, "Pa")})
    (tmp_path / "copies").mkdir()
    reader = "tests.data.readers.test_nldas:damaged"
    assert survive_apart(reader, whole, tmp_path / "copies", seconds=900) > 0


def test_random_numbers_come_through(tmp_path):
    raw = values((1, 3, 2), 250.0, 310.0)
    path = granule(tmp_path, fields={"AvgSurfT": (0.0, "K")}, kind="NOAH")
    import h5py

    with h5py.File(path, "a") as file:
        file["AvgSurfT"][...] = raw
    np.testing.assert_allclose(
        read_nldas(path)["surface_temperature"].values, raw[:, ::-1] - 273.15, atol=2e-5
    )
