import numpy as np
import pytest

from diffhydro.data.readers.uscrn.daily import looks_like_uscrn, read_uscrn
from diffhydro.errors import InputError
from tests.data.damage import survive

LINE = (
    "53974 2012{month:02d}{day:02d}  2.402  -96.61   39.10     8.1    -2.6     2.7     2.8     0.0"
    "     9.77 R    12.0    -4.1     2.4    74.7    26.4    50.2   0.371   0.405   0.473 -99.000"
    " -99.000     3.8     4.3     4.8     6.8 -9999.0"
)


def write(folder, days=3, name="CRND0103-2012-KS_Manhattan_6_SSW.txt"):
    path = folder / name
    path.write_text("\n".join(LINE.format(month=1, day=d + 1) for d in range(days)) + "\n")
    return path


def test_units_depths_and_both_codes_for_missing(tmp_path):
    found = read_uscrn(write(tmp_path))
    day = found.isel(site=0, time=0)
    assert found.sizes == {"site": 1, "time": 3, "depth": 5}
    assert day["temperature"].item() == pytest.approx(2.8)
    assert day["shortwave"].item() == pytest.approx(9.77 / 0.0864, rel=1e-6)
    assert day["relative_humidity"].item() == pytest.approx(0.502)
    np.testing.assert_allclose(day["soil_moisture"][:3], [0.371, 0.405, 0.473], rtol=1e-6)
    assert np.isnan(day["soil_moisture"][3:]).all()
    assert np.isnan(day["soil_temperature"][4])
    assert day["longitude"].item() == -96.61


def test_a_cut_line_is_refused_with_its_number(tmp_path):
    path = write(tmp_path)
    *lines, last = path.read_text().splitlines()
    path.write_text("\n".join([*lines, " ".join(last.split()[:23])]))
    with pytest.raises(InputError, match="line 3 has 23 fields; USCRN daily01 has 28"):
        read_uscrn(path)


def test_a_day_twice_a_wrong_year_and_no_number_are_refused(tmp_path):
    path = write(tmp_path)
    lines = path.read_text().splitlines()
    for broken, match in (
        (lines + lines[-1:], "2012-01-03 twice"),
        ([lines[0].replace("20120101", "20130101")], "expected YYYYMMDD in 2012"),
        ([lines[0].replace("-96.61", "-96..1")], "field 4 is '-96..1'"),
        ([], "no records"),
    ):
        path.write_text("\n".join(broken))
        with pytest.raises(InputError, match=match):
            read_uscrn(path)


def test_other_names_and_empty_folders_are_refused(tmp_path):
    with pytest.raises(InputError, match="no file CRND0103"):
        read_uscrn(tmp_path)
    with pytest.raises(InputError, match="is not named like"):
        read_uscrn(write(tmp_path, name="something.txt"))
    assert not looks_like_uscrn(tmp_path / "something.txt")


def test_damaged_copies(tmp_path):
    whole = write(tmp_path, days=28)
    (tmp_path / "copies").mkdir()
    assert survive(read_uscrn, whole, tmp_path / "copies") > 0


def test_real_stations_match_their_text(real_data):
    folder = real_data / "raw" / "uscrn_daily01"
    found = read_uscrn(folder)
    assert set(found["site"].values) == {
        "KS_Manhattan_6_SSW", "NM_Las_Cruces_20_N", "OK_Stillwater_5_WNW", "SD_Pierre_24_S"
    }  # fmt: skip
    lines = (folder / "2018" / "CRND0103-2018-OK_Stillwater_5_WNW.txt").read_text().splitlines()
    for line in lines[::30]:
        fields = line.split()
        date = f"{fields[1][:4]}-{fields[1][4:6]}-{fields[1][6:]}"
        day = found.sel(site="OK_Stillwater_5_WNW", time=date)
        for name, column, factor in (
            ("precipitation", 9, 1.0), ("temperature", 8, 1.0), ("shortwave", 10, 1 / 0.0864)
        ):  # fmt: skip
            raw = float(fields[column])
            if raw != -9999.0:
                assert day[name].item() == pytest.approx(raw * factor, rel=1e-6), (name, date)
        for i in range(5):
            raw, value = float(fields[18 + i]), day["soil_moisture"][i].item()
            assert np.isnan(value) if raw == -99.0 else value == pytest.approx(raw, rel=1e-6)
