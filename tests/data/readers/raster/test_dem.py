import numpy as np
import pytest

from diffhydro.data.readers.raster.dem import read_dem
from diffhydro.errors import InputError
from tests.data.damage import survive_apart
from tests.data.readers.raster.tiff import write


def test_heights_of_all_types(tmp_path):
    for kind, mark in (("int16", -32768), ("uint16", 65535), ("float32", -9999.0)):
        cells = np.arange(12).reshape(3, 4).astype(kind)
        cells[0, 0] = mark
        found = read_dem(write(tmp_path / "a.tif", cells, nodata=mark))["elevation"]
        assert found.dtype == np.float32
        assert np.isnan(found.values[0, 0])
        np.testing.assert_array_equal(found.values[1:], cells[1:])
        assert found.attrs["units"] == "m"


def test_feet_become_metres_and_other_units_are_refused(tmp_path):
    path = write(tmp_path / "a.tif", np.full((3, 4), 100, np.int16), unit="ft")
    assert read_dem(path)["elevation"].values[0, 0] == pytest.approx(30.48)
    with pytest.raises(InputError, match="is in 'fathom'"):
        read_dem(write(path, np.full((3, 4), 100, np.int16), unit="fathom"))
    other = write(tmp_path / "b.tif", np.full((3, 4), 100, np.int16), unit="m", left=-96.6)
    with pytest.raises(InputError, match="different units: fathom, m"):
        read_dem([path, other])


def test_a_file_that_says_where_it_lies_is_believed(tmp_path):
    path = write(tmp_path / "N10W010.tif", np.zeros((12, 12), np.int16), left=-97.0, top=38.0)
    assert read_dem(path)["longitude"].values[0] == pytest.approx(-96.95)


@pytest.mark.parametrize(
    ("name", "cells", "west", "north"),
    [
        ("N37W114.tif", 1201, -114.0 - 0.5 / 1200, 38.0 + 0.5 / 1200),
        ("S10E020.tif", 1200, 20.0, -9.0),
        ("USGS_1_n40w106.tif", 1212, -106.0 - 6 / 1200, 40.0 + 6 / 1200),
    ],
)
def test_names_place_what_says_nothing(tmp_path, name, cells, west, north):
    """SRTM names the south-west corner, 3DEP the north-west; both tiles reach over their degree."""
    path = write(tmp_path / name, np.zeros((cells, cells), np.int16), crs=None)
    found = read_dem(path)
    assert found.attrs["crs"] == "EPSG:4326"
    assert found["longitude"].values[0] == pytest.approx(west + 0.5 / 1200, abs=1e-9)
    assert found["latitude"].values[0] == pytest.approx(north - 0.5 / 1200, abs=1e-9)
    assert np.diff(found["longitude"].values).mean() == pytest.approx(1 / 1200)
    assert found["elevation"].values.max() == 0.0


def test_neighbours_placed_by_name_share_their_edge(tmp_path):
    size, rng = 1201, np.random.default_rng(0)
    whole = rng.integers(0, 3000, (size, 2 * size - 1)).astype(np.int16)
    write(tmp_path / "N37W114.tif", whole[:, :size], crs=None)
    write(tmp_path / "N37W113.tif", whole[:, size - 1 :], crs=None)
    np.testing.assert_array_equal(read_dem(tmp_path)["elevation"].values, whole)


def test_other_names_that_say_nothing_are_refused(tmp_path):
    for name, shape in (
        ("a.tif", (1201, 1201)),
        ("N37W114.tif", (1201, 1200)),
        ("N37W114.tif", (9, 9)),
    ):
        path = write(tmp_path / name, np.zeros(shape, np.int16), crs=None)
        with pytest.raises(InputError, match="does not say where it lies, and its name"):
            read_dem(path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no GeoTIFF of digital elevation model"):
        read_dem(tmp_path / "empty")


def test_real_heights(real_data):
    import rasterio

    for name in ("srtm_zion_west.tif", "dem_30m_mongon.tif"):
        path = real_data / "raw" / "geotiff" / name
        found = read_dem(path)
        with rasterio.open(path) as source:
            raw, mark = source.read(1), np.array(source.nodata).astype(source.dtypes[0])
            x, y = source.xy(5, 7)
        expected = np.where(raw == mark, np.nan, raw.astype(np.float64))
        np.testing.assert_array_equal(found["elevation"].values, expected.astype(np.float32))
        here = found.coords["longitude" if "longitude" in found.coords else "x"].values[7]
        up = found.coords["latitude" if "latitude" in found.coords else "y"].values[5]
        assert (here, up) == pytest.approx((x, y))
    assert read_dem(path).attrs["crs"] == "EPSG:32717"


@pytest.mark.exhaustive
@pytest.mark.slow
def test_damaged_copies(tmp_path):
    rng = np.random.default_rng(0)
    cells = rng.integers(0, 3000, (60, 50)).astype(np.int16)
    whole = write(tmp_path / "a.tif", cells, nodata=-32768, compress="deflate", tiled=True,
                  blockxsize=16, blockysize=16)  # fmt: skip
    (tmp_path / "copies").mkdir()
    reader = "diffhydro.data.readers.raster.dem:read_dem"
    assert survive_apart(reader, whole, tmp_path / "copies") > 0
