"""`diffhydro data check` says what is there, what is missing, and who could use it."""

import numpy as np
import pytest

from diffhydro.app.data_check import check, usable
from diffhydro.data.embedded import embedded_weather
from diffhydro.errors import InputError


def test_numbers_gaps_and_models(tmp_path, capsys):
    found = embedded_weather(days=40)
    rain = found["precipitation"].values.copy()
    rain[2, 5:12] = np.nan
    rain[:, 30] = 1e6  # no rain on Earth
    found["precipitation"] = (("site", "time"), rain, found["precipitation"].attrs)
    found.to_netcdf(tmp_path / "w.nc", engine="h5netcdf")
    check(tmp_path / "w.nc")
    said = capsys.readouterr().out
    (line,) = [x for x in said.splitlines() if x.strip().startswith("precipitation")]
    words = line.split()
    missing = (7 + 12) / (12 * 40)
    assert words[1:5] == ["mm", "day-1", "site×time", f"{100 * missing:.1f}"]
    assert words[-1] == "7"
    assert float(words[-2]) < 300.0  # what is impossible is not the most
    assert "wbm, column: can be run" in said
    assert "calibration: lacks soil_moisture" in said


def test_what_a_model_lacks_is_named():
    there = {"precipitation", "temperature", "shortwave", "relative_humidity", "latitude"}
    lacks = usable(there)
    assert lacks["wbm, column"] == ["leaf_area", "sand", "clay"]
    assert lacks["hbv"] == []
    assert usable({"precipitation"})["hbv"] != []
    assert usable(there | {"leaf_area", "sand_profile", "clay"})["wbm, column"] == []


def test_a_file_of_nothing_known_is_refused(tmp_path):
    (tmp_path / "x.txt").write_text("hello")
    with pytest.raises(InputError, match="no known product"):
        check(tmp_path / "x.txt")


# What only travels with others: no values, or read beside the file that it describes.
BESIDE = ("Metadata.xml", "_static_variables.csv", "geolocation_subset.nc4", ".md")
TOLD = {
    "dem_30m_mongon.tif": "dem",
    "srtm_zion_west.tif": "dem",
    "nlcd2011_zion_west.tif": "nlcd",
    "MOD15A2H_Lai_500m_arcachon_2004-01-01_2004-06-25.tif": "modis-geotiff",
}


@pytest.mark.exhaustive
@pytest.mark.slow
def test_every_real_file_is_read_without_a_warning(real_data, capsys):
    files = [p for p in sorted(real_data.rglob("*")) if p.is_file()]
    files = [p for p in files if not p.name.endswith(BESIDE)]
    assert len(files) > 25
    for path in files:
        check(path, TOLD.get(path.name))
        said = capsys.readouterr().out
        assert "missing" in said, path
        assert "%" in said, path


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("uscrn_daily_30sites_2012_2020.nc", "30 site"),
        ("raw/uscrn_daily01", "USCRN"),
        ("raw/apsim/Ames.met", "shortwave"),
        ("raw/era5_netcdf_2024_layout", "precipitation"),
        ("raw/gridmet/gridmet_pr_subset_west.nc", "precipitation"),
        ("raw/ismn_ceop/Data_ceop_20070101_20070131", "soil_moisture"),
        ("raw/koppen_beck2023/1991_2020/koppen_geiger_1p0.tif", "climate"),
    ],
)
def test_real_files(real_data, capsys, name, words):
    check(real_data / name)
    assert words in capsys.readouterr().out
