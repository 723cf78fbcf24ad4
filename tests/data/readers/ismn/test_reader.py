import numpy as np
import pytest

from diffhydro.data.readers.ismn import read_ismn, read_ismn_hourly
from diffhydro.errors import InputError
from tests.data.readers.ismn.made import HEAD, NAME, STATIC, named, records, write

HOURS = np.arange(72)
MOISTURE = np.round(0.2 + 0.001 * HOURS, 4)
STATIC_NAME = "NET_NET_A-1_static_variables.csv"


def site(folder, network, station, latitude="48.10000", **options):
    head = HEAD.replace("NET", network).replace("A-1", station).replace("48.10000", latitude)
    name = named(options.pop("variable", "sm"), station=station, network=network)
    place = f"{network}/{station}"
    return write(folder, options.pop("lines", records(MOISTURE)), name, head=head, place=place)


def test_a_day_is_the_mean_of_its_hours_and_needs_three_quarters_of_them(tmp_path):
    flags = ["D01"] * 6 + ["G"] * 18 + ["D01"] * 7 + ["G"] * 17 + ["G"] * 24
    write(tmp_path, records(MOISTURE, flags))
    found = read_ismn(tmp_path)
    assert [str(t)[:10] for t in found["time"].values] == [f"2020-01-0{d}" for d in (1, 2, 3)]
    assert found.attrs["time_zone"] == "UTC"
    moisture = found["soil_moisture"]
    assert (moisture.dims, moisture.dtype) == (("site", "time", "depth"), np.float32)
    assert (moisture.attrs["units"], moisture.attrs["stamp"]) == ("m3 m-3", "start")
    expected = [MOISTURE[6:24].mean(), np.nan, MOISTURE[48:].mean()]
    np.testing.assert_allclose(moisture.values.squeeze(), expected, rtol=1e-6)
    every = read_ismn(tmp_path, least=0.5)["soil_moisture"].values.squeeze()
    np.testing.assert_allclose(every[1], MOISTURE[31:48].mean(), rtol=1e-6)


def test_precipitation_of_a_day_is_what_fell_in_the_24_hours_that_end_in_it(tmp_path):
    fell = np.where(HOURS % 24 == 0, 2.0, 0.0)  # at midnight is written what fell before
    write(tmp_path, records(fell), name=named("p", -1.0))
    found = read_ismn(tmp_path, least=0.0)["precipitation"]
    assert found.dims == ("site", "time")
    assert found["time"].values[0] == np.datetime64("2019-12-31")
    # A single hour stands for the first day; the last lacks its last hour, of zero here.
    np.testing.assert_allclose(found.values[0], [48.0, 2.0 / 24 * 24, 2.0, 0.0], rtol=1e-6)
    assert np.isnan(read_ismn(tmp_path)["precipitation"][0, 0])
    hourly = read_ismn_hourly(tmp_path)["precipitation"]
    assert (hourly.attrs["units"], hourly.attrs["stamp"]) == ("mm day-1", "end")
    np.testing.assert_allclose(hourly.values[0], fell * 24.0)


@pytest.mark.parametrize(
    ("code", "value", "name", "expected"),
    [
        ("ts", -3.5, "soil_temperature", -3.5),
        ("su", 33.0, "soil_suction", 33.0),
        ("ta", -40.0, "temperature", -40.0),
        ("tsf", 50.0, "surface_temperature", 50.0),
        ("sd", 250.0, "snow_depth", 250.0),
        ("swe", 80.0, "snow_water", 80.0),
        ("sweq", 80.0, "snow_water", 80.0),
        ("p", 1.5, "precipitation", 36.0),
    ],
)
def test_variables_and_their_units(tmp_path, code, value, name, expected):
    write(tmp_path, records([value] * 30), name=named(code, 0.05))
    found = read_ismn_hourly(tmp_path)
    assert list(found.data_vars) == [name]
    np.testing.assert_allclose(found[name].values, expected)
    assert ("depth" in found.dims) == (code in ("ts", "su"))


def test_what_cannot_be_is_dropped_before_it_spoils_a_mean(tmp_path):
    values = np.where(HOURS % 24 == 5, 3.0, MOISTURE)
    write(tmp_path, records(values, "U"))
    found = read_ismn(tmp_path)["soil_moisture"].values.squeeze()
    expected = [np.delete(MOISTURE[day : day + 24], 5).mean() for day in (0, 24, 48)]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_sensors_at_one_depth_are_averaged_over_those_that_work(tmp_path):
    write(tmp_path, records(MOISTURE[:48]), name=named("sm", 0.1, sensor="Probe-A"))
    write(tmp_path, records(MOISTURE + 0.1), name=named("sm", 0.1, sensor="Probe-B"))
    write(tmp_path, records(MOISTURE + 0.2), name=named("sm", 0.2, sensor="Probe-C"))
    found = read_ismn_hourly(tmp_path)["soil_moisture"].isel(site=0)
    np.testing.assert_allclose(found.sel(depth=100.0)[:48], MOISTURE[:48] + 0.05, rtol=1e-6)
    np.testing.assert_allclose(found.sel(depth=100.0)[48:], MOISTURE[48:] + 0.1, rtol=1e-6)
    np.testing.assert_allclose(found.sel(depth=200.0), MOISTURE + 0.2, rtol=1e-6)


def test_layers_say_their_top_and_bottom_where_sensors_agree(tmp_path):
    write(tmp_path, records(MOISTURE), name=named("sm", 0.0, 0.19))
    write(tmp_path, records(MOISTURE), name=named("sm", 0.05))
    write(tmp_path, records(MOISTURE), name=named("sm", 0.0, 0.4, sensor="Layer"))
    write(tmp_path, records(MOISTURE), name=named("sm", 0.2, sensor="Point"))
    found = read_ismn(tmp_path)
    assert found["depth"].values.tolist() == [50.0, 95.0, 200.0]
    np.testing.assert_array_equal(found["top"], [50.0, 0.0, np.nan])
    np.testing.assert_array_equal(found["bottom"], [50.0, 190.0, np.nan])


def test_odd_minutes_twice_given_and_unordered_records_become_hours(tmp_path):
    lines = records([0.1, 0.2, 0.3, 0.4], start="2020-01-01T00:10", step=20)
    write(tmp_path, [lines[3], lines[0], lines[2], lines[1], lines[1]])
    found = read_ismn_hourly(tmp_path)["soil_moisture"].squeeze()
    assert found["time"].values.astype("M8[h]").astype(int).tolist() == [438288, 438289]
    np.testing.assert_allclose(found, [(0.1 + 0.2 + 0.2 + 0.3) / 4, 0.4], rtol=1e-6)
    write(tmp_path / "p", lines, name=named("p", 0.0))
    found = read_ismn_hourly(tmp_path / "p")["precipitation"].squeeze()
    np.testing.assert_allclose(found, 24.0 * np.array([0.2, 0.4]), rtol=1e-6)
    assert found["time"].values[0] == np.datetime64("2020-01-01T01")


@pytest.mark.parametrize("step", [60, 180, 360, 720, 1440, 14400])
def test_a_series_of_longer_steps_has_days_of_its_own(tmp_path, step):
    write(tmp_path, records(MOISTURE[:20], step=step))
    found = read_ismn(tmp_path)["soil_moisture"].values.ravel()
    there = found[np.isfinite(found)]
    per_day = max(1440 // step, 1)
    whole = 20 // per_day * per_day
    expected = MOISTURE[:whole].reshape(-1, per_day).mean(1)
    if 20 % per_day >= 0.75 * per_day:
        expected = np.append(expected, MOISTURE[whole:20].mean())
    np.testing.assert_allclose(there, expected, rtol=1e-6)


def test_the_ground_of_a_station_becomes_coordinates(tmp_path):
    path = write(tmp_path, records(MOISTURE))
    (path.parent / STATIC_NAME).write_bytes(STATIC.encode())
    site(tmp_path, "NET", "B")
    found = read_ismn(tmp_path).sel(site="NET_A-1")
    expected = {
        "theta_s": 0.46, "clay": 23.0, "sand": 36.0, "silt": 41.0, "organic_carbon": 1.27,
        "sand_subsoil": 29.0, "land_cover": 130.0,
    }  # fmt: skip
    for name, value in expected.items():
        assert found[name].item() == pytest.approx(value), name
    assert found["climate_class"].item() == "Dfb"
    assert found["network"].item() == "NET"
    other = read_ismn(tmp_path).sel(site="NET_B")
    assert np.isnan(other["sand"])
    assert other["climate_class"].item() == ""


def test_tables_without_head_with_impossible_and_with_no_values(tmp_path):
    path = write(tmp_path, records(MOISTURE))
    lines = STATIC.splitlines()[1:]
    lines[0] = lines[0].replace("0.46", "-9999.00")
    lines[1] = lines[1].replace("23.00", "230.00")
    lines[2] = lines[2].replace("36.00", "")
    (path.parent / STATIC_NAME).write_text("\n".join(lines))
    found = read_ismn(tmp_path)
    assert found["silt"].item() == 41.0
    assert not {"theta_s", "clay", "sand"} & set(found.coords)


def test_broken_tables_are_refused_with_their_line(tmp_path):
    path = write(tmp_path, records(MOISTURE))
    for old, new, match in (
        ("23.00", "23..0", "line 3 has '23..0' where a number"),
        ("130", "grass", "line 9 has 'grass' where a number"),
        ("m^3*m^-3", "mm", "line 2 is in 'mm'"),
        (";value;", ";number;", "has no column value"),
        (';23.00;;HWSD;World Soil;30";', "", "line 3 has 4 fields"),
    ):
        (path.parent / STATIC_NAME).write_text(STATIC.replace(old, new))
        with pytest.raises(InputError, match=f"{STATIC_NAME} {match}"):
            read_ismn(tmp_path)


def test_variables_networks_and_stations_may_be_chosen(tmp_path):
    site(tmp_path, "ONE", "A")
    site(tmp_path, "ONE", "A", variable="ta", lines=records(MOISTURE))
    site(tmp_path, "ONE", "B")
    site(tmp_path, "TWO", "A")
    # What is not asked for is not read.
    site(tmp_path, "TWO", "A", variable="p", lines=["nonsense"])
    sm = {"variables": ["soil_moisture"]}
    for options, sites in (
        (sm, ["ONE_A", "ONE_B", "TWO_A"]),
        (sm | {"networks": ["ONE"]}, ["ONE_A", "ONE_B"]),
        (sm | {"stations": ["A"]}, ["ONE_A", "TWO_A"]),
        (sm | {"stations": ["B", "TWO_A"]}, ["ONE_B", "TWO_A"]),
        (sm | {"networks": "TWO", "stations": "A"}, ["TWO_A"]),
        ({"networks": ["ONE"], "variables": "ta"}, ["ONE_A"]),
    ):
        assert read_ismn(tmp_path, **options)["site"].values.tolist() == sites
    assert list(read_ismn(tmp_path, variables=["sm"]).data_vars) == ["soil_moisture"]
    for options, match in (
        ({"networks": ["THREE"]}, "networks has 'THREE'.*there are ONE, TWO"),
        ({"stations": ["a"]}, "stations has 'a'"),
        ({"networks": ["TWO"], "stations": ["B"]}, "none of the stations"),
        ({"variables": ["soil_moistur"]}, "did you mean 'soil_moisture'"),
        ({"variables": ["snow_depth"]}, "no file of the network that measures one of snow_depth"),
        ({"least": 1.5}, "least is 1.5"),
        ({"workers": 0}, "workers is 0"),
    ):
        with pytest.raises(InputError, match=match):
            read_ismn(tmp_path, **options)


def test_periods_of_one_station_in_several_folders_are_joined(tmp_path):
    write(tmp_path / "first", records(MOISTURE[:24]))
    write(tmp_path / "second", records(MOISTURE[24:], start="2020-01-02T00:00"))
    write(tmp_path / "whole", records(MOISTURE))
    joined = read_ismn(tmp_path / "whole")
    (tmp_path / "whole" / "NET/A-1" / NAME).unlink()
    np.testing.assert_array_equal(read_ismn(tmp_path)["soil_moisture"], joined["soil_moisture"])


def test_stations_that_cannot_be_one_are_not_joined(tmp_path):
    site(tmp_path / "first", "NET", "A")
    site(tmp_path / "second", "NET", "A", latitude="49.10000")
    with pytest.raises(
        InputError, match=r"NET_A .* at 48.1, 16.2 .* at 49.1, 16.2; read them apart"
    ):
        read_ismn(tmp_path)
    other = site(tmp_path / "third", "NET", "A", variable="ts")
    other.write_text(other.read_text().replace("NET ", "NEX ").replace("A ", "B "))
    other.rename(tmp_path / "first/NET/A" / other.name)
    with pytest.raises(InputError, match=r"files of station NET_A .* of NEX_B"):
        read_ismn(tmp_path / "first")


def test_progress_counts_stations(tmp_path):
    for station in "ABC":
        site(tmp_path, "NET", station)
    seen = []
    read_ismn(tmp_path, progress=lambda done, every: seen.append((done, every)))
    assert seen == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.slow
def test_workers_change_nothing(tmp_path):
    for i in range(9):
        site(tmp_path, "NET", f"S{i}", lines=records(MOISTURE + 0.01 * i))
    seen = []
    shared = read_ismn(tmp_path, workers=2, progress=lambda *counts: seen.append(counts))
    assert shared.identical(read_ismn(tmp_path))
    assert seen[-1] == (9, 9)
