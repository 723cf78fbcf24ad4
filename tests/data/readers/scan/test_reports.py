import numpy as np
import pytest

from diffhydro.data.readers.scan.labels import scan_label
from diffhydro.data.readers.scan.reports import read_scan, read_scan_hourly
from diffhydro.errors import InputError
from tests.data.damage import survive

OLD = """
SCAN Site 2057, AAMU-jtg, Alabama: daily report, provisional data, subject to revision

Site Id,Date,Time,PRCP.D-1 (in) ,PREC.I-1 (in) ,TOBS.I-1 (degC) ,TMAX.D-1 (degC) ,TAVG.D-1 (degC) ,\
SMS.I-1:-2 (pct)  (loam),SMS.I-1:-8 (pct)  (loam),SMS.I-2:-8 (pct)  (loam),STO.I-1:-2 (degC) ,\
SAL.I-1:-2 (gram) ,SRADV.D-1 (watt/m2) ,WSPDV.D-1:118 (mph) ,RHUM.I-1 (pct) ,SNWD.I-1 (in) ,
2057,2012-10-01,,0.50,0.5,9.1,30.0,20.5,12.0,30.0,40.0,21.5,3,250,10,88,2,
2057,2012-10-02,,-99.9,0.7,9.2,-99.9,20.0,12.5,31.0,-99.9,-99.9,3,,5,88,-99.9,

"""
NEW = """#------------------------------------------------- WARNING --------------------------------
# Provisional data, subject to revision. Soil Climate Analysis Network, Station 2057
#
Date,Station Id,Air Temperature Average (degF),Precipitation Increment (in),\
Soil Moisture Percent -2in (pct) Mean of Hourly Values,\
Soil Moisture Percent -2in (pct) Start of Day Values,\
Soil Moisture Percent -40in (pct) Start of Day Values,\
Solar Radiation/langley Total (langley),Wind Speed Average (mph) Mean of Hourly Values,\
Wind Speed Maximum (mph) Max of Hourly Values,Relative Humidity (pct) Mean of Hourly Values,\
Relative Humidity (pct) Max of Hourly Values,Relative Humidity (pct) Start of Day Values,\
Vapor Pressure - Partial (inch_Hg) Mean of Hourly Values
2012-10-01,2057,50.0,1.00,20.0,19.0,35.0,500,10,25,60,95,99,0.300
2012-10-02,2057,,,,19.5,,,,,,,,
"""


def write(folder, text, name="report.csv"):
    path = folder / name
    path.write_text(text)
    return path


def test_the_older_generation(tmp_path):
    found = read_scan(write(tmp_path, OLD))
    assert found["site"].values.tolist() == ["2057"]
    assert found["depth"].values.tolist() == [50.8, 203.2]
    day = found.isel(site=0, time=0)
    for name, value in (
        ("precipitation", 12.7), ("temperature", 20.5), ("temperature_max", 30.0),
        ("shortwave", 250.0), ("snow_depth", 50.8),
        ("wind", 10 * 0.44704 * 4.87 / np.log(67.8 * 2.9972 - 5.42)),
    ):  # fmt: skip
        assert day[name].item() == pytest.approx(value, rel=1e-5), name
    np.testing.assert_allclose(day["soil_moisture"], [0.12, 0.35], rtol=1e-6)
    next_day = found.isel(site=0, time=1)
    np.testing.assert_allclose(next_day["soil_moisture"], [0.125, 0.31], rtol=1e-6)
    for name in ("precipitation", "temperature_max", "shortwave", "snow_depth"):
        assert np.isnan(next_day[name]), name
    assert np.isnan(next_day["soil_temperature"]).all()
    # Instants at midnight are no days of air; the salt is not the schema's.
    assert found.attrs["not_read"] == (
        "PREC.I-1 (in), TOBS.I-1 (degC), SAL.I-1:-2 (gram), RHUM.I-1 (pct)"
    )
    assert found["soil_moisture"].attrs["stamp"] == "instant"
    assert found["soil_moisture"].attrs["source_unit"] == "%"


def test_the_newer_generation(tmp_path):
    found = read_scan(write(tmp_path, NEW))
    day = found.isel(site=0, time=0)
    for name, value in (
        ("temperature", 10.0), ("precipitation", 25.4), ("shortwave", 500 * 41840 / 86400),
        ("wind", 4.4704), ("relative_humidity", 0.6), ("relative_humidity_max", 0.95),
        ("vapour_pressure", 0.3 * 3386.389),
    ):  # fmt: skip
        assert day[name].item() == pytest.approx(value, rel=1e-5), name
    np.testing.assert_allclose(day["soil_moisture"], [0.20, 0.35], rtol=1e-6)
    assert np.isnan(found.isel(time=1)["soil_moisture"]).all()
    assert np.isnan(found.isel(time=1)["temperature"]).all()


def hourly(hours=48, skip=()):
    lines = ["Site Id,Date,Time,PREC.I-1 (in) ,TOBS.I-1 (degC) ,TMAX.H-1 (degC) ,"
             "SRADV.H-1 (watt) ,SMS.I-1:-4 (pct) ,LRADT.H-1 (langley) ,"]  # fmt: skip
    for i in range(hours):
        stamp = np.datetime64("2013-09-30T01:00") + np.timedelta64(i, "h")
        total = 30.0 + 0.1 * i if i < 23 else 0.1 * (i - 23)  # starts anew on 1 October
        day, time = str(stamp).split("T")
        if i not in skip:
            sun = 900 if 6 <= i % 24 < 15 else 0
            warm = f"{i % 24},{i % 24 + 0.5}"
            lines.append(f"2057,{day},{time},{total:.1f},{warm},{sun},25,1.0,")
    return "\n".join(lines) + "\n"


def test_hours_as_they_are_and_as_days(tmp_path):
    path = write(tmp_path, hourly(skip=(3,)))
    found = read_scan_hourly(path).isel(site=0)
    rain = found["precipitation"].values
    assert found["time"].values[0] == np.datetime64("2013-09-30T01:00")
    assert np.flatnonzero(np.isnan(rain)).tolist() == [0, 3, 4, 23]  # nothing before, a gap, anew
    np.testing.assert_allclose(rain[5:23], 0.1 * 25.4 * 24, rtol=1e-4)
    assert found["shortwave"][8].item() == 900.0
    assert found["shortwave"].attrs["stamp"] == "end"
    assert found["temperature"].attrs["stamp"] == "instant"
    days = read_scan(path).isel(site=0)
    assert days["time"].values[0] == np.datetime64("2013-09-30")
    np.testing.assert_allclose(days["precipitation"][:2], [60.96, 60.96], rtol=1e-4)
    assert days["temperature_max"][0].item() == 23.5
    assert days["soil_moisture"][0, 0].item() == pytest.approx(0.25)
    assert days["temperature"].attrs["stamp"] == "start"
    assert days["shortwave"][0].item() == pytest.approx(900 * 9 / 23)  # one hour is missing


def test_langleys_of_an_hour(tmp_path):
    text = hourly().replace("SRADV.H-1 (watt)", "NTRDV.H-1 (watt)")
    found = read_scan_hourly(write(tmp_path, text))
    assert found["shortwave"][0, 0].item() == pytest.approx(41840 / 3600)


def test_rain_from_the_total_of_a_daily_report(tmp_path):
    lines = ["Site Id,Date,Time,PREC.I-1 (in) ,"]
    for day, total in (("28", 30.0), ("29", 30.2), ("30", 30.2)):
        lines.append(f"2057,2012-09-{day},,{total},")
    lines += ["2057,2012-10-01,,0.0,", "2057,2012-10-02,,0.5,", "2057,2012-10-04,,0.9,"]
    found = read_scan(write(tmp_path, "\n".join(lines)))
    rain = found["precipitation"].values[0]
    np.testing.assert_allclose(rain[:2], [5.08, 0.0], atol=1e-5)
    assert np.isnan(rain[2])  # the total starts anew on 1 October
    assert rain[3] == pytest.approx(12.7)
    assert np.isnan(rain[4:]).all()  # over the gap, and after the last


def test_two_years_of_one_station_and_another_station(tmp_path):
    a = write(tmp_path, OLD, "a.csv")
    b = write(tmp_path, OLD.replace("2012-", "2013-"), "b.csv")
    c = write(tmp_path, NEW.replace(",2057,", ",2060,"), "c.csv")
    found = read_scan([a, b, c])
    assert found["site"].values.tolist() == ["2057", "2060"]
    assert found.sel(site="2057", time="2013-10-01")["precipitation"].item() == pytest.approx(12.7)
    assert found.sel(site="2060", time="2012-10-01")["temperature"].item() == pytest.approx(10.0)


def test_labels():
    for text, name, unit, height in (
        ("STO.I-1:-20 (degC)", "soil_temperature", "degC", -508.0),
        ("WSPDV.H-1:144 (mph) ", "wind", "mph", 3657.6),
        ("Snow Depth (in) Start of Day Values", "snow_depth", "in", None),
        ("Air Temperature Observed (degF) Max of Hourly Values", "temperature_max", "degF", None),
    ):
        found = scan_label(text)
        assert found is not None
        assert (found.name, found.unit, found.height) == (name, unit, height)
    for text in (
        "BATT.I-1 (volt)",
        "Date",
        "Wind Speed Average (mph) Max of Hourly Values",
        "x (y",
    ):
        assert scan_label(text) is None


def test_what_is_not_right_is_refused(tmp_path):
    for text, match in (
        ("hello\nworld\n", "no header with a column Date"),
        (OLD.replace("20.5", "2o.5"), r"TAVG.D-1 \(degC\) is '2o.5'"),
        (OLD.replace("2012-10-02", "2012-10-01"), "twice"),
        (OLD.replace("(degC)", "(rankine)"), "is in 'rankine'"),
        (NEW.replace("2012-10-01", "03/04/2012").replace("2012-10-02", "04/04/2012"), "say dates="),
        (OLD.replace(",88,2,", ",88,2,7,8"), "has 19 fields; its header has 17"),
        ("Site Id,Date,BATT.I-1 (volt)\n1,2012-01-01,12\n", "nothing to read; it has BATT"),
    ):
        with pytest.raises(InputError, match=match):
            read_scan(write(tmp_path, text))
    with pytest.raises(InputError, match="whole hours"):
        read_scan(write(tmp_path, hourly().replace(":00,", ":30,")))
    with pytest.raises(InputError, match="is a daily report"):
        read_scan_hourly(write(tmp_path, OLD))


@pytest.mark.parametrize("text", [OLD, NEW, hourly()], ids=["older", "newer", "hours"])
def test_damaged_copies(tmp_path, text):
    whole = write(tmp_path, text)
    (tmp_path / "copies").mkdir()
    assert survive(read_scan, whole, tmp_path / "copies") > 0
