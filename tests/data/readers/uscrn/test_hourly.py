import numpy as np
import pytest

from diffhydro.data.readers.heights import wind_to_two_metres
from diffhydro.data.readers.uscrn.hourly import (
    looks_like_uscrn_hourly,
    read_uscrn_hourly,
    read_uscrn_hourly_as_days,
)
from diffhydro.errors import InputError
from tests.data.damage import survive

# The columns' widths are those of the network's description.
HOUR = (
    "53131 {utc:%Y%m%d %H%M} {local:%Y%m%d %H%M}  3.002 -111.17   32.24 {calc:7.1f} {mean:7.1f} "
    "{most:7.1f} {least:7.1f} {rain:7.1f} {sun:6d} {flag} {sun:6d} 0 {sun:6d} 0 C    11.5 0    12.5"
    " 0    10.5 0 {damp:5d} 0   0.100   0.120 -99.000 -99.000 -99.000    15.0    16.0 -9999.0 "
    "-9999.0 -9999.0"
)
FIVE = (
    "53131 {utc:%Y%m%d %H%M} {local:%Y%m%d %H%M}      3 -111.17   32.24 {mean:7.1f} {rain:7.1f} "
    "{sun:6d} 0    11.5 C 0 {damp:5d} 0   0.100    15.0   120 0 {wind:6.2f} {flag}"
)
HOURS_BEHIND = 7


def write(folder, hours, name="CRNH0203-2019-AZ_Tucson_11_W.txt", line=HOUR, step=60, **values):
    """Write hours from local midnight on; `values` are functions of the number of the record."""
    from datetime import datetime, timedelta

    lines = []
    for i in range(hours):
        local = datetime(2019, 3, 1) + timedelta(minutes=step * (i + 1))
        given = {
            "utc": local + timedelta(hours=HOURS_BEHIND), "local": local,
            "calc": 1.0, "mean": i % 24, "most": i % 24 + 1.0, "least": i % 24 - 1.0, "rain": 0.0,
            "sun": 500, "damp": 40, "flag": 0, "wind": 2.0,
        }  # fmt: skip
        given |= {key: value(i) for key, value in values.items()}
        lines.append(line.format(**given))
    path = folder / name
    path.write_text("\n".join(lines) + "\n")
    return path


def test_hours_as_they_are(tmp_path):
    found = read_uscrn_hourly(write(tmp_path, 24, rain=lambda i: 2.5 if i == 3 else 0.0))
    assert found.attrs["time_zone"] == "UTC"
    assert found["time"].values[0] == np.datetime64("2019-03-01T08:00")
    assert found["utc_offset"].item() == -HOURS_BEHIND
    hour = found.isel(site=0, time=3)
    assert hour["precipitation"].item() == pytest.approx(60.0)  # 2.5 mm in an hour
    assert hour["temperature"].item() == 3.0
    assert hour["temperature_max"].item() == 4.0
    assert hour["relative_humidity"].item() == pytest.approx(0.4)
    assert hour["shortwave"].attrs["stamp"] == "end"
    np.testing.assert_allclose(hour["soil_moisture"][:2], [0.1, 0.12], rtol=1e-6)
    assert np.isnan(hour["soil_moisture"][2:]).all()
    assert found["depth"].values.tolist() == [50.0, 100.0, 200.0, 500.0, 1000.0]


def test_the_hour_that_ends_at_midnight_belongs_to_the_day_before(tmp_path):
    path = write(tmp_path, 48, rain=lambda i: 4.8 if i == 23 else 0.0)
    days = read_uscrn_hourly_as_days(path).isel(site=0)
    assert days["time"].values.tolist() == [
        np.datetime64(day, "ns").astype(int) for day in ("2019-03-01", "2019-03-02")
    ]
    np.testing.assert_allclose(days["precipitation"], [4.8, 0.0], rtol=1e-6)
    np.testing.assert_allclose(days["temperature"], [11.5, 11.5])
    np.testing.assert_allclose(days["temperature_max"], [24.0, 24.0])
    np.testing.assert_allclose(days["temperature_min"], [-1.0, -1.0])
    assert days.attrs["time_zone"] == "local standard time"
    assert days["precipitation"].attrs["stamp"] == "start"


def test_flags_and_missing_codes_mask(tmp_path):
    path = write(
        tmp_path,
        24,
        flag=lambda i: 3 if i == 5 else 0,
        sun=lambda i: -99999 if i == 6 else 700,
        mean=lambda i: -9999.0 if i < 7 else 10.0,
    )
    hours = read_uscrn_hourly(path).isel(site=0)
    assert np.flatnonzero(np.isnan(hours["shortwave"])).tolist() == [5, 6]
    assert read_uscrn_hourly(path, good=(0.0, 3.0))["shortwave"][0, 5].item() == 700.0
    days = read_uscrn_hourly_as_days(path).isel(site=0)
    assert np.isnan(days["temperature"]).all()  # 17 of 24 hours are less than three quarters
    assert read_uscrn_hourly_as_days(path, least=0.7)["temperature"][0, 0].item() == 10.0


def test_noon_and_cloudbursts_exceed_the_range_of_a_day(tmp_path):
    path = write(
        tmp_path,
        24,
        sun=lambda i: {12: 1100, 13: 1700}.get(i, 300),
        rain=lambda i: {4: 180.0, 20: 1e300}.get(i, 0.0),
    )
    hours = read_uscrn_hourly(path).isel(site=0)
    assert np.flatnonzero(np.isnan(hours["precipitation"])).tolist() == [20]
    assert hours["shortwave"][12].item() == 1100.0
    assert np.isnan(hours["shortwave"][13])
    assert hours["shortwave"].attrs["masked_outside_range"] == 1
    assert hours["precipitation"][4].item() == pytest.approx(4320.0)
    days = read_uscrn_hourly_as_days(path).isel(site=0)
    assert days["precipitation"][0].item() == pytest.approx(180.0 * 24 / 23)
    assert days["shortwave"][0].item() == pytest.approx((22 * 300 + 1100) / 23)


def test_five_minutes_have_wind_which_is_taken_to_two_metres(tmp_path):
    name = "CRNS0101-05-2019-AZ_Tucson_11_W.txt"
    path = write(
        tmp_path, 288, name, FIVE, 5,
        mean=lambda i: 20.0, rain=lambda i: 15.0 if i == 7 else 0.0,
        wind=lambda i: -99.0 if i == 8 else 3.0, flag=lambda i: 3 if i == 9 else 0,
    )  # fmt: skip
    found = read_uscrn_hourly(path).isel(site=0)
    assert found["time"].values[1] - found["time"].values[0] == np.timedelta64(5, "m")
    assert found["precipitation"][7].item() == pytest.approx(15.0 * 288)
    assert found["wind"][0].item() == pytest.approx(3.0 * 4.87 / np.log(67.8 * 1.5 - 5.42))
    assert np.isnan(found["wind"][8:10]).all()
    assert found["depth"].values.tolist() == [50.0]
    days = read_uscrn_hourly_as_days(path).isel(site=0)
    assert days["precipitation"][0].item() == pytest.approx(15.0)
    assert wind_to_two_metres(2.0) == pytest.approx(1.0, abs=1e-3)


def test_stations_of_two_zones_share_one_time(tmp_path):
    here = write(tmp_path, 24)
    there = tmp_path / "CRNH0203-2019-KS_Manhattan_6_SSW.txt"
    text = here.read_text()
    for hour in range(24, 0, -1):  # an hour ahead of the first
        stamp = np.datetime64("2019-03-01T00:00") + np.timedelta64(hour, "h")
        old, new = (str(t).replace("-", "").replace(":", "").replace("T", " ") for t in (
            stamp, stamp + np.timedelta64(1, "h"),
        ))  # fmt: skip
        text = text.replace(f" {old}  3.002", f" {new}  3.002")
    there.write_text(text)
    found = read_uscrn_hourly([here, there])
    assert found["utc_offset"].values.tolist() == [-7.0, -6.0]
    assert found.sizes["time"] == 24
    days = read_uscrn_hourly_as_days([here, there], least=0.1)
    np.testing.assert_allclose(days["temperature"][:, 0], [11.5, 11.0])


def test_what_is_not_right_is_refused(tmp_path):
    path = write(tmp_path, 3)
    lines = path.read_text().splitlines()
    for broken, match in (
        ([lines[0].replace(" 0800 ", " 0861 ")], "has the time 861"),
        ([lines[0].replace(" 0800 ", " 0830 ")], "every 60 minutes"),
        ([lines[0].replace(" 0800 ", " 0900 "), lines[1]], "ahead of UTC"),
        ([lines[0], lines[0]], "twice"),
        ([lines[0].replace("20190301", "20120301")], "2018 or 2019 or 2020"),
        ([" ".join(lines[0].split()[:37])], "line 1 has 37 fields; USCRN hourly02 has 38"),
    ):
        path.write_text("\n".join(broken))
        with pytest.raises(InputError, match=match):
            read_uscrn_hourly(path)
    with pytest.raises(InputError, match="one product"):
        read_uscrn_hourly([path, tmp_path / "CRNS0101-05-2019-AZ_Tucson_11_W.txt"])
    with pytest.raises(InputError, match=r"at 0\.1 m"):
        wind_to_two_metres(0.1)
    assert looks_like_uscrn_hourly(tmp_path)
    assert not looks_like_uscrn_hourly(tmp_path / "CRND0103-2019-AZ_Tucson_11_W.txt")


def test_runs_of_nul_are_no_records(tmp_path):
    path = write(tmp_path, 4)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([lines[0], b"\0" * 50 + b"\n", b"\0" * 9 + lines[2], lines[3]]))
    found = read_uscrn_hourly(path)
    np.testing.assert_allclose(found["temperature"][0], [0.0, np.nan, 2.0, 3.0])


def test_damaged_copies(tmp_path):
    whole = write(tmp_path, 48)
    (tmp_path / "copies").mkdir()
    assert survive(read_uscrn_hourly_as_days, whole, tmp_path / "copies") > 0
