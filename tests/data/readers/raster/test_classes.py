import numpy as np
import pytest

from diffhydro.data.koppen import CLASSES as CLIMATES
from diffhydro.data.readers.raster.classes import class_shares
from diffhydro.data.readers.raster.koppen import letters, looks_like_koppen, read_koppen
from diffhydro.data.readers.raster.nlcd import CLASSES, read_nlcd
from diffhydro.data.readers.raster.points import at_points
from diffhydro.errors import InputError
from tests.data.damage import survive_apart
from tests.data.readers.raster.tiff import write


def test_what_is_no_class_is_missing(tmp_path):
    cells = np.array([[11, 95, 0, 250], [82, 255, 33, 41]], np.uint8)
    path = write(
        tmp_path / "a.tif", cells, crs="EPSG:5070", size=30.0, left=0.0, top=2e6, nodata=250
    )
    found = read_nlcd(path)["land_cover"]
    np.testing.assert_array_equal(
        found.values, [[11, 95, np.nan, np.nan], [82, np.nan, np.nan, 41]]
    )
    meanings = dict(
        zip(found.attrs["flag_values"], found.attrs["flag_meanings"].split(), strict=True)
    )
    assert meanings == CLASSES
    with pytest.raises(InputError, match="has cells of int16"):
        read_nlcd(write(tmp_path / "b.tif", cells.astype(np.int16)))


def test_shares_count_what_is_known(tmp_path):
    rng = np.random.default_rng(3)
    cells = rng.choice(np.array([11, 41, 82, 0], np.uint8), (50, 63))
    cells[:10, :10] = 0
    codes = read_nlcd(write(tmp_path / "a.tif", cells, tiled=True, blockxsize=16, blockysize=16))
    shares = class_shares(codes["land_cover"], 10)
    assert shares.sizes == {"class": 20, "y": 5, "x": 6}
    assert np.isnan(shares.values[:, 0, 0]).all()
    for row, column in ((1, 0), (4, 5), (2, 3)):
        part = cells[10 * row : 10 * row + 10, 10 * column : 10 * column + 10]
        known = np.isin(part, list(CLASSES)).sum()
        for code in (11, 41, 82, 95):
            share = shares.sel({"class": code}).values[row, column]
            assert share == pytest.approx((part == code).sum() / known)
    np.testing.assert_allclose(shares.sum("class").values[1:], 1.0, rtol=1e-6)
    np.testing.assert_allclose(shares["latitude"][0], 38.0 - 0.5, atol=1e-9)
    assert shares["meaning"].values[list(CLASSES).index(82)] == "cultivated_crops"
    with pytest.raises(InputError, match="do not fit"):
        class_shares(codes["land_cover"], 51)
    with pytest.raises(InputError, match="no attribute flag_values"):
        class_shares(codes["land_cover"].drop_attrs(), 5)


def test_real_land_cover(real_data):
    import rasterio

    path = real_data / "raw" / "geotiff" / "nlcd2011_zion_west.tif"
    with rasterio.open(path) as source:
        raw = source.read(1)
    found = read_nlcd(path)["land_cover"].values
    known = np.isin(raw, list(CLASSES))
    np.testing.assert_array_equal(np.isfinite(found), known)
    np.testing.assert_array_equal(found[known], raw[known])
    values, counts = np.unique(raw[known], return_counts=True)
    whole = class_shares(read_nlcd(path)["land_cover"], min(raw.shape)).load()
    part = raw[: min(raw.shape)]
    for value in values[counts > 1000]:
        expected = (part == value).sum() / np.isin(part, list(CLASSES)).sum()
        assert whole.sel({"class": value}).values[0, 0] == pytest.approx(expected, rel=1e-5)


def test_climates(tmp_path):
    cells = np.array([[0, 1, 7], [14, 30, 31]], np.uint8)
    path = write(tmp_path / "2041_2070" / "ssp245" / "koppen_geiger_0p1.tif", cells, nodata=0)
    found = read_koppen(path)
    np.testing.assert_array_equal(found["climate"].values, [[np.nan, 1, 7], [14, 30, np.nan]])
    assert letters(found["climate"].values).tolist() == [["", "Af", "BSk"], ["Cfa", "EF", ""]]
    assert found.attrs["period"] == "2041_2070 ssp245"
    assert looks_like_koppen(path)
    with pytest.raises(InputError, match="from 1 to 30"):
        letters([31])
    with pytest.raises(InputError, match="from 1 to 30"):
        letters([1.5])


def test_real_climates_of_stations(real_data):
    """The stations' own table was made from this map."""
    import xarray as xr

    sites = xr.open_dataset(real_data / "uscrn_daily_30sites_2012_2020.nc", engine="h5netcdf")
    path = real_data / "raw" / "koppen_beck2023" / "1991_2020" / "koppen_geiger_0p1.tif"
    found = at_points(read_koppen(path), sites["lat"].values, sites["lon"].values)
    assert letters(found["climate"].values).tolist() == sites["koppen_name"].values.tolist()
    assert read_koppen(path).attrs["period"] == "1991_2020"
    assert len(CLIMATES) == 30
    sites.close()


@pytest.mark.slow
def test_damaged_copies(real_data, tmp_path):
    path = real_data / "raw" / "koppen_beck2023" / "1991_2020" / "koppen_geiger_1p0.tif"
    (tmp_path / "copies").mkdir()
    reader = "diffhydro.data.readers.raster.koppen:read_koppen"
    assert survive_apart(reader, path, tmp_path / "copies") > 0
