"""Real files, against their text as Python reads it line by line, and damaged copies."""

import numpy as np
import pytest

from diffhydro.data.readers.ismn import list_ismn, read_ismn, read_ismn_hourly
from tests.data.damage import survive, survive_apart
from tests.data.readers.ismn.made import NAME, STATIC, ceop, named, packed, records, station, write

READER = "diffhydro.data.readers.ismn:read_ismn"


def lines_of(path):
    """Give time, value and flag of every record."""
    lines = [line.split() for line in path.read_text().splitlines() if line.strip()]
    value = 12 if ":" in lines[0][1] else 2
    for words in lines if value == 12 else lines[1:]:
        time = np.datetime64(f"{words[0].replace('/', '-')}T{words[1]}", "h")
        yield time, float(words[value]), words[value + 1]


@pytest.mark.parametrize(
    "folder", [pytest.param("ismn_header_values", marks=pytest.mark.slow), "ismn_ceop"]
)
def test_real_hours_and_days_match_their_text(real_data, folder):
    root = real_data / "raw" / folder
    hourly, daily = read_ismn_hourly(root), read_ismn(root)
    for sensor in list_ismn(root):
        at = {"site": f"{sensor.network}_{sensor.station}"}
        at["depth"] = (sensor.top + sensor.bottom) / 2
        hours = hourly["soil_moisture"].sel(at)
        expected = dict.fromkeys(hours["time"].values.astype("M8[h]"), np.nan)
        days = {}
        for time, value, flag in lines_of(root / sensor.file):
            if set(flag.split(",")) <= {"G", "U"} and 0 <= value <= 1:
                expected[time] = value
                days.setdefault(time.astype("M8[D]"), []).append(value)
        np.testing.assert_allclose(hours, list(expected.values()), rtol=1e-6)
        assert sensor.start == hours.dropna("time")["time"].values[0].astype("M8[D]")
        for day, values in list(days.items())[::10]:
            found = daily["soil_moisture"].sel(at).sel(time=day).item()
            mean = np.mean(values) if len(values) >= 18 else np.nan
            assert found == pytest.approx(mean, rel=1e-6, nan_ok=True)


def test_one_station_in_two_layouts_is_one_data_set(real_data):
    one = read_ismn(real_data / "raw/ismn_header_values", networks=["COSMOS"])
    other = read_ismn(real_data / "raw/ismn_ceop", networks=["COSMOS"])
    assert one.identical(other)
    assert one["theta_s"].item() == 0.46
    assert one["clay_subsoil"].item() == 29.0
    assert one["climate_class"].item() == "Cfa"
    assert (one["top"].item(), one["bottom"].item()) == (0.0, 190.0)


MOISTURE = np.round(0.2 + 0.001 * np.arange(30), 4)
FLAGS = ["G", "U", "C03,D02"] * 10


@pytest.mark.parametrize("end", ["\r\n", "\r"])
@pytest.mark.parametrize("layout", ["header", "ceop", "station"])
def test_damaged_copies_of_text(tmp_path, layout, end):
    name = "NET_NET_A-1_20200101_20201231.stm" if layout == "station" else NAME
    head = {} if layout == "header" else {"head": ""}
    lines = {
        "header": records(MOISTURE, FLAGS),
        "ceop": ceop(MOISTURE, FLAGS),
        "station": station(15),
    }[layout]
    whole = write(tmp_path, lines, name=name, end=end, **head)
    (tmp_path / "copies").mkdir()
    assert survive(read_ismn, whole, tmp_path / "copies") > 0
    survive(lambda path: (list_ismn(path), read_ismn_hourly(path))[1], whole, tmp_path / "copies")


def test_damaged_copies_of_the_table(tmp_path):
    path = write(tmp_path, records(MOISTURE))
    whole = tmp_path / "NET_NET_A-1_static_variables.csv"
    whole.write_bytes(STATIC.encode())
    assert survive(lambda copy: read_ismn(copy.parent), whole, path.parent) > 0


@pytest.mark.slow
def test_damaged_copies_of_a_zip(tmp_path):
    tree = tmp_path / "tree"
    path = write(tree, records(MOISTURE, FLAGS))
    write(tree, ceop(MOISTURE), name=named("ts", 0.05), head="")
    (path.parent / "NET_NET_A-1_static_variables.csv").write_bytes(STATIC.encode())
    whole = packed(tree, tmp_path / "a.zip")
    (tmp_path / "copies").mkdir()
    assert survive_apart(READER, whole, tmp_path / "copies") > 0
