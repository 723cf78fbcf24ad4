import numpy as np
import pytest

from diffhydro.data.readers.tables.labels import label
from diffhydro.data.readers.tables.table import read_table
from diffhydro.errors import InputError
from tests.data.damage import survive

LONG = """site,date,pr (mm),Tmax [degF],sm_5 (%),Soil moisture 20cm (%),lat,lon,elev (ft),note
A,2012-02-28,1.5,68,20,30,40.5,-100.25,1000,dry
A,2012-02-29,,50,NA,31,40.5,-100.25,1000,
B,2012-02-29,3.0,-9999,22,?,41.0,-99.0,,
"""
WIDE = """Date;Time;precipitation;srad;rh
;;mm;W m-2;%
01/02/2012;00:00;0.5;0;80
01/02/2012;01:00;1.0;0;90
25/02/2012;02:00;2.0;900;50
"""


def write(folder, text=LONG, name="table.csv"):
    path = folder / name
    path.write_text(text)
    return path


def test_long_tables_with_units_in_their_labels(tmp_path):
    found = read_table(write(tmp_path))
    assert found["site"].values.tolist() == ["A", "B"]
    assert [str(day)[:10] for day in found["time"].values] == ["2012-02-28", "2012-02-29"]
    np.testing.assert_allclose(found["precipitation"], [[1.5, np.nan], [np.nan, 3.0]])
    np.testing.assert_allclose(
        found["temperature_max"], [[20.0, 10.0], [np.nan, np.nan]], rtol=1e-6
    )
    assert found["depth"].values.tolist() == [50.0, 200.0]
    np.testing.assert_allclose(found["soil_moisture"][0], [[0.2, 0.3], [np.nan, 0.31]], rtol=1e-6)
    assert found["latitude"].values.tolist() == [40.5, 41.0]
    assert found["elevation"].values[0] == pytest.approx(304.8)
    assert found.attrs["not_read"] == "note"
    assert found["soil_moisture"].attrs["source_name"] == "sm_5 (%), Soil moisture 20cm (%)"
    assert found["soil_moisture"].attrs["source_unit"] == "%"


def test_hours_of_one_site_with_units_in_the_second_row(tmp_path):
    found = read_table(write(tmp_path, WIDE, "here.csv"), stamp="end", time_zone="UTC")
    assert found["site"].values.tolist() == ["here"]
    assert found["time"].values[1] == np.datetime64("2012-02-01T01:00")  # by the 25th below
    assert found["time"].values[-1] == np.datetime64("2012-02-25T02:00")
    rain = found["precipitation"].sel(time=["2012-02-01T00", "2012-02-25T02"]).values[0]
    np.testing.assert_allclose(rain, [12.0, 48.0])
    assert found["shortwave"][0, -1].item() == 900.0
    assert found["relative_humidity"][0, 0].item() == pytest.approx(0.8)
    assert found["precipitation"].attrs["stamp"] == "end"
    assert found.attrs["time_zone"] == "UTC"
    assert read_table(tmp_path / "here.csv", site="X")["site"].item() == "X"


def test_days_at_noon_and_years_with_days(tmp_path):
    noon = "timestamp,tas\n2012-01-01 12:00,1\n2012-01-02 12:00,2\n"
    assert read_table(write(tmp_path, noon))["time"].values[0] == np.datetime64("2012-01-01")
    days = "year,doy,tas\n2012,366,1\n2013,1,2\n"
    found = read_table(write(tmp_path, days))
    assert found["temperature"].values.tolist() == [[1.0, 2.0]]
    assert found["time"].values[0] == np.datetime64("2012-12-31")
    months = "year,month,day,tas\n2012,2,29,1\n"
    assert read_table(write(tmp_path, months))["time"].values[0] == np.datetime64("2012-02-29")


def test_units_may_be_said(tmp_path):
    text = "date,vpd,tas\n2012-01-01,0.5,280\n"
    found = read_table(write(tmp_path, text), units={"vpd": "kPa", "tas": "K"})
    assert found["vapour_pressure_deficit"].item() == pytest.approx(500.0)
    assert found["temperature"].item() == pytest.approx(6.85, abs=1e-5)
    with pytest.raises(InputError, match="units name 'vp'"):
        read_table(tmp_path / "table.csv", units={"vp": "kPa"})


@pytest.mark.parametrize(
    ("text", "match"),
    [
        (LONG.replace("2012-02-29,3.0", "03/04/2012,3.0").replace("2012-02-2", "04/05/201"),
         "say dates="),
        (LONG.replace("B,2012", "A,2012"), "line 4: 2012-02-29 is there twice for A"),
        (LONG.replace("B,", ","), "line 4 names no site"),
        (LONG.replace("(mm)", "(furlong)"), "is in 'furlong'"),
        (LONG.replace("1.5", "1.5mm"), r"line 2, pr \(mm\) is '1.5mm'"),
        (LONG.replace("3.0,-9999", "3.0"), "line 4 has 9 fields; its header has 10"),
        (LONG.replace("note", "prcp"), "two columns of precipitation"),
        (LONG.replace("sm_5", "sm"), "has no depth"),
        (LONG.replace("41.0", "141.0"), "expected -90 … 90"),
        (LONG.replace("2012-02-29,,50,NA,31,40.5", "2012-02-29,,50,NA,31,40.6"), "a site has one"),
        ("site,day of the week\nA,3\n", "has no dates"),
        ("date,colour\n2012-01-01,3\n", "has no series"),
        ("date,pr,pr\n2012-01-01,3,3\n", "twice"),
        ("date,pr\n2012-01-01 00:00,3\n2012-01-01 01:00,3\n", "an amount or a rate"),
        ("date,pr\n2012-01-01,3\n2012-02-01,3\n2012-03-01,3\n", "29 days apart"),
        ("date,rh\n2012-01-01,60\n2012-01-02,70\n", "2 values are outside 0 … 1.1"),
        ("date,tas\n2012-01-01 00:00,1\n2012-01-01 00:50,2\n2012-01-01 01:30,3\n", "one at"),
        ("date,pr (mm)\n2012-01-01,1\n2012-01-02,2\n2012-01-02 12:00,3\n2012-01-04,3\n"
         "2012-01-05,3\n",
         "mostly 86400 seconds apart, and one at 2012-01-02T12"),
        ("site,date,tas\nA,2012-01-01 00:00,1\nA,2012-01-01 01:00,1\nB,2012-01-01 00:30,1\n"
         "B,2012-01-01 01:30,1\n", "expected one step"),
        ("date,tas\n1990-01-01 00:00,1\n1990-01-01 00:01,2\n2012-01-01 01:30,3\n", "equal steps"),
        ("", "is empty"),
        ("date,pr\n", "no rows"),
    ],
)  # fmt: skip
def test_what_is_not_right_is_refused(tmp_path, text, match):
    with pytest.raises(InputError, match=match):
        read_table(write(tmp_path, text))


def test_classes_that_are_spelled_out_are_no_codes(tmp_path):
    text = "date,tas,koppen,climate_zone\n2012-01-01,1,Cfa,x\n"
    assert read_table(write(tmp_path, text)).attrs["not_read"] == "koppen, climate_zone"
    found = read_table(write(tmp_path, text.replace("Cfa", "14")))
    assert found["climate"].item() == 14.0
    for options, match in (({"stamp": "middle"}, "stamp is 'middle'"),
                           ({"time_zone": "CET"}, "time_zone is 'CET'")):  # fmt: skip
        with pytest.raises(InputError, match=match):
            read_table(tmp_path / "table.csv", **options)


def test_labels():
    for text, name, unit, depth, month in (
        ("pr", "precipitation", None, None, None),
        (" T2M (K)", "temperature", "K", None, None),
        ("relative-humidity max [%]", "relative_humidity_max", "%", None, None),
        ("st_0.1m", "soil_temperature", None, 100.0, None),
        ("sand_5", "sand", None, 50.0, None),
        ("sand 12 in", "sand", None, 304.8, None),
        ("lai_07", "leaf_area", None, None, 7),
        ("lai_13", None, None, None, None),
        ("sand_nldas", None, None, None, None),
        ("pr_5", None, None, None, None),
        ("wind_10m", "wind_10m", None, None, None),
        ("swvl1", None, None, None, None),
    ):
        found = label(text)
        assert (found.name, found.unit, found.depth, found.month) == (name, unit, depth, month)
    assert label("sm_50", "mm").depth == 50.0
    with pytest.raises(InputError, match="depth_unit is 'km'"):
        label("sm_50", "km")


# Without sun and rain, whose hours may exceed the range of a day that `survive` holds them against.
CALM = WIDE.replace("precipitation;srad", "tas;x").replace(";mm;", ";degC;")


@pytest.mark.parametrize("text", [LONG, CALM], ids=["long", "hours"])
def test_damaged_copies(tmp_path, text):
    (tmp_path / "copies").mkdir()
    assert survive(read_table, write(tmp_path, text), tmp_path / "copies") > 0


def test_a_real_table(real_data):
    path = real_data / "raw" / "gridmet" / "gridmet_point_Johnson_Kansas_2011_2020.csv"
    units = {"vpd": "kPa", "rmax": "%", "rmin": "%", "srad": "MJ/m2"}
    found = read_table(path, site="Johnson", units=units)
    header, *lines = path.read_text().splitlines()
    names = header.split(",")
    assert found.sizes == {"site": 1, "time": len(lines)}
    for line in lines[::300]:
        raw = dict(zip(names, line.split(","), strict=True))
        day = found.sel(site="Johnson", time=raw["timestamp"])
        for name, column, factor in (
            ("precipitation", "pr", 1.0), ("temperature_max", "tmmx", 1.0),
            ("vapour_pressure_deficit", "vpd", 1000.0), ("relative_humidity_max", "rmax", 0.01),
            ("shortwave", "srad", 1 / 0.0864), ("potential_evaporation", "eto", 1.0),
        ):  # fmt: skip
            assert day[name].item() == pytest.approx(float(raw[column]) * factor, rel=1e-5)
    assert found["latitude"].item() == 38.88376123
    assert found.attrs["not_read"] == "id, sph, th, vs, erc, bi, fm100, fm1000, etr"
    with pytest.raises(InputError, match="most of them"):
        read_table(path)  # per cent without saying so
