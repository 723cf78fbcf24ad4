import numpy as np
import pytest

from diffhydro.data.readers.ismn import KEEP, read_ismn, read_ismn_hourly
from diffhydro.errors import InputError
from tests.data.readers.ismn.made import HEAD, NAME, ceop, named, records, station, write

MOISTURE = np.round(0.2 + 0.01 * np.arange(30), 4)


def moisture(path, **options):
    return read_ismn_hourly(path, **options)["soil_moisture"].values.squeeze()


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", " \r\n", "\n\r"])
def test_header_and_values_whatever_ends_their_lines(tmp_path, end):
    write(tmp_path, records(MOISTURE), end=end)
    found = read_ismn_hourly(tmp_path)
    assert found["site"].item() == "NET_A-1"
    assert (found["latitude"].item(), found["longitude"].item()) == (48.1, 16.2)
    assert found["elevation"].item() == 150.0
    assert found["depth"].item() == 50.0
    assert found["time"].values[0] == np.datetime64("2020-01-01T00")
    assert found["soil_moisture"].attrs["stamp"] == "instant"
    np.testing.assert_allclose(moisture(tmp_path), MOISTURE, rtol=1e-6)


def test_a_first_record_that_begins_with_the_rest_of_the_header_s_line_end(tmp_path):
    path = write(tmp_path, [])
    path.write_bytes((HEAD + "\n\r" + "\r\n".join(records(MOISTURE))).encode())
    np.testing.assert_allclose(moisture(tmp_path), MOISTURE, rtol=1e-6)


def test_what_the_provider_says_may_be_absent_or_a_sentence(tmp_path):
    for said in ("", "M", "Frozen soil,DLT >= 1.5,OK,OK", "a b c d e f g"):
        write(tmp_path, records(MOISTURE, provider=said))
        np.testing.assert_allclose(moisture(tmp_path), MOISTURE, rtol=1e-6)


def test_names_of_sensors_with_blanks_underscores_and_brackets(tmp_path):
    for sensor, written in (
        ("Hydraprobe-Analog-(2.5-Volt)", "Hydraprobe-Analog-(2.5-Volt)"),
        ("Meter-5TM_1_1", "'Meter-5TM'"),
        ("Hydraprobe-II-Sdi-12_A", "Hydraprobe II Sdi-12_A"),
    ):
        path = write(
            tmp_path,
            records(MOISTURE),
            name=named("sm", 0.0508, sensor=sensor),
            head=HEAD.replace("Probe", written),
        )
        found = read_ismn_hourly(path)
        assert found["depth"].item() == 50.8
        np.testing.assert_allclose(moisture(path), MOISTURE, rtol=1e-6)


def test_ceop_by_sensor_is_the_same(tmp_path):
    write(tmp_path / "header", records(MOISTURE))
    write(tmp_path / "ceop", ceop(MOISTURE), head="")
    header, other = read_ismn(tmp_path / "header"), read_ismn(tmp_path / "ceop")
    assert other.identical(header)


def test_ceop_cuts_a_long_name_that_the_file_has_whole(tmp_path):
    name = named("sm", station="A_very_long_name_of_a_station")
    write(tmp_path, ceop(MOISTURE, station="A_very_long_nam"), name=name, head="")
    assert read_ismn(tmp_path)["site"].item() == "NET_A_very_long_name_of_a_station"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("apart", [True, False])
def test_ceop_by_station_has_all_depths_and_two_variables(tmp_path, end, apart):
    lines = station(6)
    if not apart:
        lines = [line.replace("-   ", "   -") for line in lines]
    write(tmp_path, lines, name="NET_NET_A-1_20200101_20201231.stm", end=end, head="")
    found = read_ismn_hourly(tmp_path).isel(site=0)
    assert found["depth"].values.tolist() == [100.0, 1000.0]
    for hour in range(6):
        for depth, metres in ((100.0, 0.1), (1000.0, 1.0)):
            here = found.isel(time=hour).sel(depth=depth)
            if hour == 2:
                assert np.isnan(here["soil_moisture"])
                assert np.isnan(here["soil_temperature"])
            else:
                assert here["soil_moisture"].item() == pytest.approx(0.1 + 0.1 * metres)
                assert here["soil_temperature"].item() == pytest.approx(10 * metres + hour)


def test_flags_decide_and_all_of_several_must_be_kept(tmp_path):
    flags = ["G", "U", "M", "C01", "D03", "C03,D02", "G,U", "D02,G", "D11", "G"]
    write(tmp_path, records(MOISTURE[:10], flags))
    for keep, there in (
        (KEEP, [1, 1, 0, 0, 0, 0, 1, 0, 0, 1]),
        ({"G"}, [1, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
        (["G", "D02"], [1, 0, 0, 0, 0, 0, 0, 1, 0, 1]),
        ({"G", "C03", "D02", "D03"}, [1, 0, 0, 0, 1, 1, 0, 1, 0, 1]),
    ):
        values = moisture(tmp_path, keep=keep)
        assert np.isfinite(values).astype(int).tolist() == there, keep
        np.testing.assert_allclose(values[there == 1], MOISTURE[:10][there == 1])
    assert read_ismn(tmp_path, keep={"U", "G"}).attrs["quality_flags_kept"] == "G, U"


def test_flags_that_no_one_knows_are_refused(tmp_path):
    path = write(tmp_path, records(MOISTURE))
    for keep, match in (
        ({"C1"}, "keep has 'C1'.*did you mean 'C01'"),
        ([], "keep is empty"),
    ):
        with pytest.raises(InputError, match=match):
            read_ismn(path, keep=keep)


def test_numbers_that_stand_for_nothing(tmp_path):
    codes = [-9999.0, -999.99, -99.99, -99.9, -99.0, np.nan]
    for variable, good in (("ta", -12.5), ("ts", -12.5), ("p", 0.5)):
        values = [good, *codes, good]
        path = write(tmp_path, records(values), name=named(variable, 0.05))
        (found,) = read_ismn_hourly(path).data_vars.values()
        assert np.isfinite(found.values.squeeze()).tolist() == [True] + [False] * 6 + [True]


@pytest.mark.parametrize(
    ("lines", "match"),
    [
        (["2020/01/01 00:00"], "line 2 has 2 words; expected at least 4"),
        (["2020/01/01 00:00 0.1"], "line 2 has 3 words; expected at least 4"),
        (["2020/01/01 00:00 0.1 G M2020/01/01 01:00 0.1 G M"], "line 2 has 2 dates; expected 1"),
        (["2020/01/01 00:00 0.1x G M"], "line 2 has '0.1x' where a number is expected"),
        (["2020/01/01 25:00 0.1 G M"], "line 2 has '2020/01/01 25:00' where a time"),
        (["2020/01/01 00:00 0.1 g M"], "line 2 has 'g' where a quality flag"),
        (["2020/01/01 00:00 0.1 0.1 G"], "line 2 has '0.1' where a quality flag"),
        (["2020/01/01 00:00 0.1 G", "2020/01/01 01:00 0.1 CC M"], "line 3 has 'CC' where a qual"),
    ],
)
def test_broken_lines_are_refused_with_file_and_line(tmp_path, lines, match):
    write(tmp_path, lines)
    with pytest.raises(InputError, match=f"{NAME} {match}"):
        read_ismn(tmp_path)


@pytest.mark.parametrize(
    ("head", "match"),
    [
        ("NET NET A-1 48.1", "line 1 has 4 words; expected a station and where it is"),
        ("NET NET A-1 48.1 x 150.0 0.05 0.05 Probe", "line 1 has '48.1 x 150.0' for a place"),
        ("NET NET A-1 98.1 16.2 150.0 0.05 0.05 Probe", "line 1 has latitude 98.1"),
        ("NET NET A-1 nan 16.2 150.0 0.05 0.05 Probe", "line 1 has latitude nan"),
    ],
)
def test_broken_headers_are_refused(tmp_path, head, match):
    write(tmp_path, records(MOISTURE), head=head)
    with pytest.raises(InputError, match=match):
        read_ismn(tmp_path)


def test_broken_lines_of_ceop_are_refused(tmp_path):
    for lines, name, match in (
        (["x" + line for line in ceop(MOISTURE[:1])], NAME, "line 1 has 'x2020/01/01 00:00'"),
        ([*ceop(MOISTURE), *ceop(MOISTURE, station="B")], NAME, "line 31 is of 'B', the lines"),
        (
            [*ceop(MOISTURE), *ceop(MOISTURE, depth="0.05    0.10")],
            NAME,
            "line 31 is of '0.10', the lines before of '0.05'",
        ),
        (
            [*ceop(MOISTURE)[:2], ceop(MOISTURE)[2][:90]],
            NAME,
            "line 3 has 8 words; expected at least 14",
        ),
        ([station(2)[0], station(2)[1][:-5]], "NET_NET_A-1_20200101_20201231.stm", "line 2 has"),
        (ceop(MOISTURE), "NET_NET_A-1_20200101_20201231.stm", "not named like"),
    ):
        path = write(tmp_path, lines, name=name, head="")
        with pytest.raises(InputError, match=match):
            read_ismn(path)


def test_a_file_that_holds_nothing_is_refused_and_one_without_records_left_out(tmp_path):
    write(tmp_path, []).write_bytes(b"\r\n \r\n")
    with pytest.raises(InputError, match="is empty"):
        read_ismn(tmp_path)
    write(tmp_path, [])
    with pytest.raises(InputError, match="no station has a single record"):
        read_ismn(tmp_path)
    write(tmp_path, records(MOISTURE), name=named("sm", 0.1))
    assert read_ismn(tmp_path)["depth"].values.tolist() == [100.0]
