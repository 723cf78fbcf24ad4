import numpy as np
import pytest

from diffhydro.data.readers.apsim.weather import read_apsim_weather
from diffhydro.errors import InputError
from tests.data.damage import survive

MET = """[weather.met.weather]
!station number = 1234
site = nosite
latitude = -27.18 (DECIMAL DEGREES)
Longitude = 151.26
tav = 19.09 (oC) ! annual average ambient temperature
amp = 14.63 (oC) ! annual amplitude in mean monthly temperature

year  day  radn   maxt  mint rain  evap  vp   code
 ()    ()  (MJ/m^2) (oC) (oC) (mm) (mm) (hPa) ()
2012  59  17.28   30.0  10.0  0.0  8.0  12.5 222222
2012  60  8.64    25.0  15.0 12.5  ?    20.0 222222
2012  61  ?       ?     15.0  0.0  4.0  20.0 222222 ! a comment
"""


def write(folder, text=MET, name="Dalby.met"):
    path = folder / name
    path.write_text(text)
    return path


def test_units_and_the_middle_of_the_day(tmp_path):
    found = read_apsim_weather(write(tmp_path))
    assert found["site"].values.tolist() == ["Dalby"]
    assert found["latitude"].item() == -27.18
    assert found["longitude"].item() == 151.26
    assert found["tav"].item() == 19.09
    np.testing.assert_allclose(found["shortwave"][0], [200.0, 100.0, np.nan], rtol=1e-6)
    np.testing.assert_allclose(found["temperature"][0], [20.0, 20.0, np.nan])
    np.testing.assert_allclose(found["precipitation"][0], [0.0, 12.5, 0.0])
    np.testing.assert_allclose(found["vapour_pressure"][0], [1250.0, 2000.0, 2000.0])
    assert found["time"].values[1] == np.datetime64("2012-02-29")
    assert "middle" in found["temperature"].attrs["comment"]
    assert found.attrs["not_read"] == "evap, code"


def test_a_column_of_dates(tmp_path):
    text = MET.replace("year  day", "date").replace(" ()    ()  (MJ", " ()  (MJ")
    for day, date in (("2012  59", "28/02/2012"), ("2012  60", "29/02/2012"),
                      ("2012  61", "01/03/2012")):  # fmt: skip
        text = text.replace(day, date)
    found = read_apsim_weather(write(tmp_path, text))
    assert found["time"].values[2] == np.datetime64("2012-03-01")


def test_several_sites(tmp_path):
    there = write(tmp_path, MET.replace("2012", "2013").replace(" 60 ", " 60 "), "There.met")
    found = read_apsim_weather([write(tmp_path), there])
    assert found["site"].values.tolist() == ["Dalby", "There"]
    assert found.sel(site="There", time="2013-03-01")["precipitation"].item() == 12.5


def test_what_is_not_right_is_refused(tmp_path):
    for text, match in (
        (MET.replace("2012  60", "2012  367"), "line 12: year 2012 and day 367"),
        (MET.replace("2012  60", "2012  59"), "is not after the last"),
        (MET.replace(" ()    ()  (MJ/m^2)", " ()    () "), "9 names and 8 units"),
        (MET.replace("-27.18", "south"), "latitude is 'south"),
        (MET.replace("-27.18", "127.18"), "expected -90 … 90"),
        (MET.replace("(MJ/m^2)", "(cal)"), "radn in Dalby.met is in 'cal'"),
        (MET.replace("20.0 222", "2000 222"), "most of them"),
        ("[weather.met.weather]\nyear day\n() ()\n2012 1\n", "has no radn"),
        ("nothing\n", "expected a line of names"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=match):
            read_apsim_weather(write(tmp_path, text))


def test_damaged_copies(tmp_path):
    (tmp_path / "copies").mkdir()
    assert survive(read_apsim_weather, write(tmp_path), tmp_path / "copies") > 0


def test_the_real_file(real_data):
    path = real_data / "raw" / "apsim" / "Ames.met"
    found = read_apsim_weather(path)
    lines = path.read_text().splitlines()[8:]
    assert found["latitude"].item() == 42.03
    for line in lines[::500]:
        year, day, radn, maxt, mint, rain = map(float, line.split())
        date = np.datetime64(f"{year:.0f}-01-01") + np.timedelta64(int(day) - 1, "D")
        at = found.sel(site="Ames", time=date)
        assert at["shortwave"].item() == pytest.approx(radn / 0.0864, rel=1e-6)
        assert at["temperature"].item() == pytest.approx((maxt + mint) / 2, abs=1e-4)
        assert at["precipitation"].item() == pytest.approx(rain, rel=1e-6)
