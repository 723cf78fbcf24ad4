"""GRIB of ERA5: what is mixed in one file comes apart, and a broken file says so.

Real files are read in a process of their own, which ecCodes may bring down.
"""

import importlib.util
import subprocess
import sys

import numpy as np
import pytest

from diffhydro.data.readers.era5.grib import centre_of
from diffhydro.data.readers.era5.grib_messages import check_messages
from diffhydro.data.readers.era5.hours import looks_like_era5, read_era5
from diffhydro.errors import InputError
from tests.data.damage import survive_apart
from tests.data.readers.grib_files import message

needs_grib = pytest.mark.skipif(
    importlib.util.find_spec("eccodes") is None or importlib.util.find_spec("cfgrib") is None,
    reason="needs the extra grib",
)
ERA5 = {"centre": 98, "table": 128, "first": (50.0, 0.0), "spacing": 0.25, "northward": False}
SOIL = {"level_kind": 112}
SHAPE = (3, 2)


def download(folder, hours=3, name="download.grib"):
    """Write temperature at instants, rain of hours, and soil at two depths, hour by hour."""
    parts = []
    for hour in range(hours):
        now, before = f"2020-01-01T{hour + 1:02d}", f"2020-01-01T{hour:02d}"
        field = np.arange(6.0).reshape(SHAPE) + 10.0 * hour
        parts += [
            message(field + 250.0, **ERA5, parameter=167, date=now),
            message(field * 1e-4, **ERA5, parameter=228, date=before, hours=1),
            message(field * 0.0 + 0.3, **ERA5, parameter=39, **SOIL, level=(0, 7), date=now),
            message(field * 0.0 + 0.2, **ERA5, parameter=40, **SOIL, level=(7, 28), date=now),
        ]
    path = folder / name
    path.write_bytes(b"".join(parts))
    return path


@needs_grib
def test_levels_and_steps_of_one_file(tmp_path):
    path = download(tmp_path)
    found = read_era5(path)
    assert found["temperature"].chunks is not None
    found = found.load()
    assert found["time"].values[[0, -1]].astype("datetime64[h]").astype(str).tolist() == [
        "2020-01-01T01", "2020-01-01T03"
    ]  # fmt: skip
    for hour in range(3):
        field = np.arange(6.0).reshape(SHAPE) + 10.0 * hour
        np.testing.assert_allclose(found["temperature"][hour], field - 23.15, atol=1e-4)
        np.testing.assert_allclose(found["precipitation"][hour], field * 2.4, atol=1e-3)
    np.testing.assert_allclose(found["soil_moisture"][1, :, 0, 0], [0.3, 0.2], rtol=1e-5)
    assert found["depth"].values.tolist() == [35.0, 175.0]
    assert [p.name for p in tmp_path.iterdir()] == ["download.grib"]  # and no index beside it


@needs_grib
def test_what_is_asked_for_and_is_not_there(tmp_path):
    path = download(tmp_path, hours=1)
    assert set(read_era5(path, variables=["precipitation"]).data_vars) == {"precipitation"}
    with pytest.raises(InputError, match="no file has any of the variables that are asked for"):
        read_era5(path, variables=["wind_10m"])


@needs_grib
def test_large_messages_and_the_second_edition_are_framed(tmp_path):
    import eccodes

    handle = eccodes.codes_grib_new_from_samples("regular_ll_sfc_grib1")
    size = {
        "Ni": 2400,
        "Nj": 1201,
        "iDirectionIncrementInDegrees": 0.15,
        "bitsPerValue": 24,
        "jDirectionIncrementInDegrees": 0.15,
        "latitudeOfFirstGridPointInDegrees": 90.0,
        "latitudeOfLastGridPointInDegrees": -90.0,
        "longitudeOfLastGridPointInDegrees": 359.85,
    }
    for key, value in size.items():  # fmt: skip
        eccodes.codes_set(handle, key, value)
    eccodes.codes_set_values(handle, np.arange(2400.0 * 1201.0))
    large = eccodes.codes_get_message(handle)
    assert large[4] & 0x80
    second = eccodes.codes_get_message(eccodes.codes_grib_new_from_samples("regular_ll_sfc_grib2"))
    path = tmp_path / "a.grib"
    path.write_bytes(large + second + large)
    check_messages(path)
    path.write_bytes(large + second[:-9] + second[-8:] + large)
    with pytest.raises(ValueError, match=f"the message at byte {len(large)}"):
        check_messages(path)


@needs_grib
def test_sections_that_do_not_fill_their_message_are_refused(tmp_path):
    path = download(tmp_path, hours=1)
    whole = bytearray(path.read_bytes())
    check_messages(path)
    pds, gds, bms = 8, 8 + 52, 8 + 52 + 32  # the centre adds 24 bytes of its own to the first
    for at, value, match in (
        (pds + 2, 200, "for a length of the grid|has no grid"),
        (pds + 7, 0x40, "at byte 0 has no grid"),
        (pds + 7, 0x80, "do not fill it|section 4|not packed simply"),
        (pds + 17, 17, "in units of code 17"),
        (gds + 3, 4, "4 for vertical levels"),
        (gds + 5, 50, "50 for a grid"),
        (gds + 7, 200, "shorter than its grid"),
        (bms + 5, 1, "1 for a bitmap"),
        (bms + 8 + 3, 0x50, "not packed simply"),
        (bms + 8 + 10, 1, "values for 6 cells"),
        (6, whole[6] + 1, "do not fill it"),
        (7, 3, "of edition 3; expected 1 or 2"),
    ):
        broken = bytearray(whole)
        assert broken[at] != value
        broken[at] = value
        path.write_bytes(broken)
        with pytest.raises(ValueError, match=match):
            check_messages(path)
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(ValueError, match="there is no message"):
        check_messages(path)


@needs_grib
def test_a_time_twice_and_other_grids_are_refused(tmp_path):
    path = download(tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole + whole)
    with pytest.raises(InputError, match="6 messages of t2m for 3 times"):
        read_era5(path)


def test_the_centre_is_in_the_first_bytes(tmp_path):
    for edition, at in ((1, 12), (2, 22)):
        head = bytearray(30)
        head[:4], head[7], head[at] = b"GRIB", edition, 98
        (tmp_path / "a.grib").write_bytes(head)
        assert centre_of(tmp_path / "a.grib") == 98
        assert looks_like_era5(tmp_path / "a.grib")
    (tmp_path / "a.grib").write_bytes(b"GRIB")
    assert centre_of(tmp_path / "a.grib") is None
    assert not looks_like_era5(tmp_path / "a.grib")


@needs_grib
@pytest.mark.slow
def test_damaged_copies(tmp_path):
    whole = download(tmp_path)
    (tmp_path / "copies").mkdir()
    reader = "tests.data.readers.era5.test_grib:damaged"
    assert survive_apart(reader, whole, tmp_path / "copies", seconds=900) > 0


def damaged(path):
    """Read all but rain, whose range for an hour is beyond that of the schema."""
    return read_era5(path, variables=["temperature", "soil_moisture"])


REAL = """
import sys, warnings
from pathlib import Path
import eccodes, numpy as np
from diffhydro.data.readers.era5.hours import read_era5

folder = Path(sys.argv[1])
found = read_era5(folder / "soil-surface-level-mix.grib").load()
raw = {}
with open(folder / "soil-surface-level-mix.grib", "rb") as file:
    while (handle := eccodes.codes_grib_new_from_file(file)) is not None:
        name = eccodes.codes_get(handle, "shortName")
        raw[name] = eccodes.codes_get_values(handle).reshape(6, 6)
np.testing.assert_allclose(found["temperature"][0], raw["2t"] - 273.15, atol=1e-4)
for layer in range(4):
    water, warmth = raw[f"swvl{layer + 1}"], raw[f"stl{layer + 1}"] - 273.15
    np.testing.assert_allclose(found["soil_temperature"][0, layer], warmth, atol=1e-4)
    expected = np.where(water > 1e-4, water, np.nan)
    np.testing.assert_allclose(found["soil_moisture"][0, layer], expected, rtol=1e-4)
assert found["bottom"].values.tolist() == [70.0, 280.0, 1000.0, 2890.0]
one = read_era5(folder / "era5-single-level-scalar-time.grib")["temperature"].load()
assert one.shape == (1, 121, 201)
assert one["time"].values[0] == np.datetime64("2017-01-01T12")
"""


@needs_grib
@pytest.mark.slow
def test_real_files_and_nothing_is_said(real_data):
    folder = real_data / "raw" / "era5_grib"
    command = [sys.executable, "-W", "error", "-c", REAL, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout + done.stderr == ""
    assert {p.suffix for p in folder.iterdir()} == {".grib"}
