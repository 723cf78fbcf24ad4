"""Every real file finds its reader, and what finds none says so."""

import pytest

from diffhydro.data.readers.recognise import READERS, recognise
from diffhydro.errors import InputError

REAL = {
    "uscrn_daily_small_5sites_2015_2018.nc": "cf",
    "uscrn_attributes_30sites.csv": "attributes",
    "raw/uscrn_daily01": "uscrn",
    "raw/uscrn_daily01/2012/CRND0103-2012-KS_Manhattan_6_SSW.txt": "uscrn",
    "raw/apsim/Maize.out": "apsim",
    "raw/apsim/Ames.met": "apsim-weather",
    "raw/era5_netcdf/ERA5_AN_20100101_0000.nc": "era5",
    "raw/era5_netcdf_2024_layout": "era5",
    "raw/era5_netcdf_packed/era5_packed_namerica.nc": "era5",
    "raw/era5_grib/era5-single-level-scalar-time.grib": "era5",
    "raw/gldas_noah/GLDAS_NOAH025_3H.A20160101.0300.021.nc4": "gldas",
    "raw/gridmet/gridmet_pr_subset_west.nc": "gridmet",
    "raw/gridmet/gridmet_point_Johnson_Kansas_2011_2020.csv": "gridmet",
    "raw/imerg/3B-HHR.MS.MRG.3IMERG.20000601-S000000-E002959.0000.V07A.HDF5": "imerg",
    "raw/ismn_header_values/Data_header_20070101_20131231": "ismn",
    "raw/ismn_ceop/Data_ceop_20070101_20070131": "ismn",
    "raw/koppen_beck2023/1991_2020/koppen_geiger_1p0.tif": "koppen",
    "raw/modis_lai/MOD15A2H_subset_table_2004-01-01.csv": "modis-table",
}


@pytest.mark.parametrize("name", REAL)
def test_real_files_find_their_reader(real_data, name):
    assert recognise(real_data / name).name == REAL[name]


def test_a_map_of_no_name_must_be_told(real_data):
    path = real_data / "raw" / "geotiff" / "nlcd2011_zion_west.tif"
    with pytest.raises(InputError, match="no known product; say which"):
        recognise(path)
    assert recognise(path, "nlcd") is READERS["nlcd"]


def test_what_is_not_there_or_not_known_is_said(tmp_path):
    with pytest.raises(InputError, match="no file at"):
        recognise(tmp_path / "nothing.nc")
    (tmp_path / "notes.txt").write_text("dear diary")
    with pytest.raises(InputError, match="no known product"):
        recognise(tmp_path / "notes.txt")
    with pytest.raises(InputError, match="did you mean uscrn"):
        recognise(tmp_path / "notes.txt", "uscm")


def test_tables_of_days_and_tables_of_sites_differ_by_a_date(tmp_path):
    for text, expected in (
        ("site,date,pr (mm)\na,2020-01-01,1.0\n", "table"),
        ("site,lat,lon,sand\na,1,2,3\n", "attributes"),
    ):
        path = tmp_path / f"{expected}.csv"
        path.write_text(text)
        assert recognise(path).name == expected
