import csv

import numpy as np
import pytest

from diffhydro.data.readers.modis import read_modis_geotiff, read_modis_table
from diffhydro.errors import InputError
from tests.data.damage import survive

HEADER = (
    "xllcorner,yllcorner,cellsize,nrows,ncols,band,units,scale,latitude,longitude,site,product,"
    "start,end,complete,modis_date,calendar_date,tile,proc_date,pixel,value"
)
ROW = (
    "-111658.35,4946789.87,463.312716528,2,3,{band},m^2/m^2,0.1,44.656286,-1.174748,arcachon,"
    "MOD15A2H,2004-01-01,2004-12-30,True,A2004{day:03d},x,h17v04,2015085012715,{pixel},{value}"
)


def table(folder, rows, name="a.csv"):
    lines = [ROW.format(**{"band": "Lai_500m", "day": 1, **row}) for row in rows]
    path = folder / name
    path.write_text("\n".join([HEADER, *lines]) + "\n")
    return path


def test_pixels_count_from_the_upper_left(tmp_path):
    rows = [{"pixel": pixel, "value": 10 * pixel} for pixel in (1, 2, 3, 4, 6)]
    rows += [{"pixel": 5, "value": 7, "day": 9}, {"pixel": 1, "value": 254, "day": 9}]
    found = read_modis_table(table(tmp_path, rows))
    np.testing.assert_allclose(
        found["leaf_area"].values[0], [[1.0, 2.0, 3.0], [4.0, np.nan, 6.0]], rtol=1e-6
    )
    np.testing.assert_allclose(
        found["leaf_area"].values[1], [[np.nan] * 3, [np.nan, 0.7, np.nan]], rtol=1e-6
    )
    size = 463.312716528
    assert found["y"].values.tolist() == pytest.approx(
        [4946789.87 + 1.5 * size, 4946789.87 + size / 2]
    )
    assert found["x"].values[0] == pytest.approx(-111658.35 + size / 2)
    assert found.attrs["site"] == "arcachon"
    assert found.attrs["quality"].startswith("unknown")


def test_fields_and_quality_of_several_tables(tmp_path):
    lai = table(tmp_path, [{"pixel": p, "value": 50} for p in range(1, 7)])
    fpar = table(tmp_path, [{"pixel": 1, "value": 50, "band": "Fpar_500m"}], "b.csv")
    bits = [{"pixel": p, "value": (p - 1) << 5, "band": "FparLai_QC"} for p in range(1, 6)]
    found = read_modis_table([lai, fpar, table(tmp_path, bits, "c.csv")])
    kept = np.isfinite(found["leaf_area"].values[0]).ravel().tolist()
    assert kept == [True, True, False, False, False, False]
    assert found["fpar"].values[0, 0, 0] == pytest.approx(0.5)


def test_what_is_refused(tmp_path):
    one = {"pixel": 1, "value": 5}
    for rows, match in (
        ([{"pixel": 7, "value": 5}], "line 2: pixel 7 is outside"),
        ([one, {"pixel": "x", "value": 5}], "line 3, pixel: 'x' is no whole number"),
        ([one, {"pixel": 2, "value": 10**40}], "line 3, value"),
        ([one, one], "given twice for a date"),
        ([{**one, "day": 367}], "has no date"),
        ([], "no rows"),
        ([{**one, "band": "Lai"}], "none of the variables"),
    ):
        with pytest.raises(InputError, match=match):
            read_modis_table(table(tmp_path, rows))
    path = table(tmp_path, [one])
    for old, new, match in (
        (",2,3,Lai", ",200000,300000,Lai", "a window of 200000 × 300000"),
        ("463.312716528", "nan", "pixels of nan m"),
        ("4946789.87", "south", "could not convert"),
        ("modis_date,", "date,", "no column modis_date"),
        (",1,5", "", "cut short"),
    ):
        path.write_text(path.with_name("a.csv").read_text().replace(old, new))
        with pytest.raises(InputError, match=match):
            read_modis_table(path)
        path = table(tmp_path, [one])
    other = table(tmp_path, [{**one, "pixel": 2}], "b.csv")
    other.write_text(other.read_text().replace("arcachon", "landes"))
    with pytest.raises(InputError, match="read one window at a time"):
        read_modis_table([path, other])


def test_damaged_copies(tmp_path):
    whole = table(
        tmp_path, [{"pixel": p, "value": 5, "day": d} for p in range(1, 7) for d in (1, 9)]
    )
    (tmp_path / "copies").mkdir()
    assert survive(read_modis_table, whole, tmp_path / "copies") > 0


def test_the_real_table(real_data):
    folder = real_data / "raw" / "modis_lai"
    (path,), (stack,) = folder.glob("*.csv"), folder.glob("*.tif")
    found = read_modis_table(path)
    values = found["leaf_area"].values
    assert found.sizes == {"time": 2, "y": 81, "x": 81}
    with path.open() as table:
        rows = list(csv.DictReader(table))
    known = {(int(r["pixel"]) - 1, r["calendar_date"]): int(r["value"]) for r in rows}
    assert np.isfinite(values).sum() == sum(value <= 100 for value in known.values())
    for (pixel, date), raw in list(known.items())[::20]:
        value = values[["2004-01-01", "2004-01-09"].index(date), pixel // 81, pixel % 81]
        assert np.isnan(value) if raw > 100 else value == pytest.approx(raw * 0.1)
    same = read_modis_geotiff(stack).isel(time=slice(0, 2))
    np.testing.assert_allclose(found["x"], same["x"], atol=1e-3)
    np.testing.assert_allclose(found["y"], same["y"], atol=1e-3)
    np.testing.assert_array_equal(values[:, :10], same["leaf_area"].values[:, :10])
