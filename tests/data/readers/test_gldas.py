import numpy as np
import pytest

from diffhydro.data.daily_maps import daily_map
from diffhydro.data.readers.gldas import looks_like_gldas, read_gldas
from diffhydro.errors import InputError
from tests.data.damage import survive_apart
from tests.data.readers.map_files import grid, values, write

ROWS, COLUMNS = [-0.375, -0.125, 0.125], [9.875, 10.125]
DIMENSIONS = ("time", "lat", "lon")
FILL = {"_FillValue": np.float32(-9999.0), "missing_value": np.float32(-9999.0)}
FILL |= {"scale_factor": np.float32(1.0), "add_offset": np.float32(0.0)}
# What fields hold everywhere, their units, and how they are of time.
FIELDS = {
    "Rainf_f_tavg": (2e-4, "kg m-2 s-1", "mean"),
    "Evap_tavg": (5e-5, "kg m-2 s-1", "mean"),
    "PotEvap_tavg": (250.1, "W m-2", "mean"),
    "Qs_acc": (0.5, "kg m-2", "sum"),
    "Qsb_acc": (0.25, "kg m-2", "sum"),
    "SWdown_f_tavg": (900.0, "W m-2", "mean"),
    "Tair_f_inst": (293.15, "K", "point"),
    "Qair_f_inst": (0.01, "kg kg-1", "point"),
    "Psurf_f_inst": (100_000.0, "Pa", "point"),
    "Albedo_inst": (20.0, "%", "point"),
    "SWE_inst": (12.0, "kg m-2", "point"),
    "SoilMoi0_10cm_inst": (30.0, "kg m-2", "point"),
    "SoilMoi10_40cm_inst": (60.0, "kg m-2", "point"),
    "SoilMoi40_100cm_inst": (90.0, "kg m-2", "point"),
    "SoilMoi100_200cm_inst": (100.0, "kg m-2", "point"),
    "SoilTMP0_10cm_inst": (283.15, "K", "point"),
    "SoilTMP100_200cm_inst": (288.15, "K", "point"),
}


def granule(folder, stamp="20150101.0300", fields=FIELDS, changes=None):
    """Write a file; the first cell in the south-west is sea."""
    day, hour = stamp.split(".")
    at = np.datetime64(f"{day[:4]}-{day[4:6]}-{day[6:]}T{hour[:2]}", "m")
    minutes = float((at - np.datetime64("2000-01-01T03:00", "m")).astype(int))
    about = {"units": " minutes since 2000-01-01 03:00:00", "time_increment": "180"}
    made = {"time": (("time",), np.array([minutes]), about)}
    for name, (value, unit, method) in fields.items():
        stored = np.full((1, 3, 2), value, np.float32)
        stored[0, 0, 0] = -9999.0
        made[name] = (
            DIMENSIONS,
            stored,
            {"units": unit, "cell_methods": f"time: {method}", **FILL},
        )
    variables = grid(ROWS, COLUMNS) | made | (changes or {})
    return write(folder / f"GLDAS_NOAH025_3H.A{stamp}.021.nc4", variables, unlimited=("time",))


def test_every_unit_stamp_and_layer(tmp_path):
    found = read_gldas(granule(tmp_path))
    north = {"time": 0, "y": 0, "x": 0}
    for name, value, stamp in (
        ("precipitation", 2e-4 * 86_400.0, "end"),
        ("evaporation", 5e-5 * 86_400.0, "end"),
        ("potential_evaporation", 250.1 / 2.501e6 * 86_400.0, "end"),
        ("runoff", 0.75 * 8.0, "end"),
        ("shortwave", 900.0, "end"),
        ("temperature", 20.0, "instant"),
        ("vapour_pressure", 0.01 * 100_000.0 / (0.6219 + 0.3781 * 0.01), "instant"),
        ("albedo", 0.2, "instant"),
        ("snow_water", 12.0, "instant"),
    ):
        assert float(found[name].isel(north)) == pytest.approx(value, rel=1e-5), name
        assert found[name].attrs["stamp"] == stamp
    np.testing.assert_allclose(found["soil_moisture"].isel(north), [0.3, 0.2, 0.15, 0.1], rtol=1e-6)
    assert found["depth"].values.tolist() == [50.0, 250.0, 700.0, 1500.0]
    assert found["bottom"].values.tolist() == [100.0, 400.0, 1000.0, 2000.0]
    np.testing.assert_allclose(
        found["soil_temperature"].isel(north), [10.0, np.nan, np.nan, 15.0], rtol=1e-5
    )


def test_rows_are_turned_and_the_sea_is_missing(tmp_path):
    found = read_gldas(granule(tmp_path))
    assert found["latitude"].values.tolist() == ROWS[::-1]
    missing = np.isnan(found["temperature"].values[0])
    assert missing.tolist() == [[False, False], [False, False], [True, False]]
    assert found["time"].values[0] == np.datetime64("2015-01-01T03")


def test_eight_files_make_a_day_that_ends_with_the_next(tmp_path):
    for hour in range(3, 24, 3):
        granule(tmp_path, f"20150101.{hour:02d}00")
    granule(tmp_path, "20150102.0000")
    (tmp_path / "notes.txt").write_text("no data")
    day = daily_map(read_gldas(tmp_path))
    assert day.sizes["time"] == 1
    assert float(day["precipitation"][0, 0, 0]) == pytest.approx(17.28, rel=1e-5)
    with pytest.raises(InputError, match="has 2015-01-02T00:00 twice, in GLDAS_NOAH"):
        read_gldas([*sorted(tmp_path.glob("*.nc4")), granule(tmp_path, "20150102.0000")])


def test_rain_and_snow_stand_in_for_what_falls(tmp_path):
    fields = {
        "Rainf_tavg": (1e-4, "kg m-2 s-1", "mean"),
        "Snowf_tavg": (5e-5, "kg m-2 s-1", "mean"),
    }
    found = read_gldas(granule(tmp_path, fields=fields))
    np.testing.assert_allclose(found["precipitation"].values[0, 0], 12.96, rtol=1e-5)
    with pytest.raises(InputError, match=r"none of what is read .* it has .*Rainf_tavg"):
        read_gldas(granule(tmp_path, fields={"Rainf_tavg": fields["Rainf_tavg"]}))


def test_other_units_and_names_are_refused(tmp_path):
    wrong = {"SoilMoi0_10cm_inst": (0.3, "m3 m-3", "point")}
    with pytest.raises(InputError, match="SoilMoi0_10cm_inst is in 'm3 m-3'; expected kg m-2"):
        read_gldas(granule(tmp_path, fields=wrong))
    with pytest.raises(InputError, match="GLDAS-2 Noah has no leaf_area"):
        read_gldas(granule(tmp_path), variables=["leaf_area"])
    assert looks_like_gldas(tmp_path)
    assert not looks_like_gldas(tmp_path / "GLDAS_NOAH025_M.A201501.021.nc4")


def damaged(path):
    return daily_map(read_gldas(path), per_day=1)


@pytest.mark.slow
def test_damaged_copies(tmp_path):
    fields = {n: FIELDS[n] for n in ("Rainf_f_tavg", "Tair_f_inst", "SoilMoi0_10cm_inst")}
    noise = values((1, 3, 2), 270.0, 300.0)
    whole = granule(tmp_path, fields=fields, changes={"noise": (DIMENSIONS, noise, FILL)})
    (tmp_path / "copies").mkdir()
    reader = "tests.data.readers.test_gldas:damaged"
    assert survive_apart(reader, whole, tmp_path / "copies", seconds=900) > 0


def test_all_fields_of_a_real_file(real_data):
    import h5py

    path = real_data / "raw" / "gldas_noah" / "GLDAS_NOAH025_3H.A20150101.0000.021.namerica.nc4"
    found = read_gldas(path).load()
    with h5py.File(path) as file:
        raw = {n: np.where(v[0] == -9999.0, np.nan, v[0]) for n, v in file.items() if v.ndim == 3}
    place = (60, 120)  # 37.6 N, 99.9 W, from the south
    row = len(found["latitude"]) - 1 - place[0]
    here = found.isel(time=0, y=row, x=place[1])
    assert (float(here["latitude"]), float(here["longitude"])) == (37.625, -99.875)
    for name, value in (
        ("precipitation", raw["Rainf_f_tavg"][place] * 86_400.0),
        ("temperature", raw["Tair_f_inst"][place] - 273.15),
        ("runoff", (raw["Qs_acc"] + raw["Qsb_acc"])[place] * 8.0),
        ("longwave", raw["LWdown_f_tavg"][place]),
    ):
        assert float(here[name]) == pytest.approx(value, rel=1e-5, abs=1e-5), name
    layers = ("0_10", "10_40", "40_100", "100_200")
    thickness = (100.0, 300.0, 600.0, 1000.0)
    for i, (layer, thick) in enumerate(zip(layers, thickness, strict=True)):
        expected = raw[f"SoilMoi{layer}cm_inst"][::-1] / thick
        np.testing.assert_allclose(found["soil_moisture"][0, i], expected, rtol=1e-6)
    # The file's own water of the root zone is that of all layers at most, and in most cells, where
    # one vegetation prevails, that of the upper one to four.
    water = (found["soil_moisture"][0] * (found["bottom"] - found["top"])).cumsum("depth").values
    roots = raw["RootMoist_inst"][::-1]
    there = np.isfinite(roots) & (roots > 0.0)
    assert there.sum() > 10_000
    assert (roots <= water[-1] + 0.01)[there].all()
    assert np.median(np.abs(water - roots).min(axis=0)[there]) < 0.01


def test_the_world_of_a_real_file(real_data):
    import h5py

    path = real_data / "raw" / "gldas_noah" / "GLDAS_NOAH025_3H.A20160101.0300.021.nc4"
    found = read_gldas(path)["soil_moisture"].load()
    assert found.shape == (1, 2, 600, 1440)
    with h5py.File(path) as file:
        raw = file["SoilMoi10_40cm_inst"][0][::-1]
    expected = np.where(raw == -9999.0, np.nan, raw / 300.0)
    np.testing.assert_allclose(found.values[0, 1], expected, rtol=1e-6)
