import csv

import numpy as np
import pytest

from diffhydro.data.readers.modis import Keep, read_modis_geotiff
from diffhydro.data.readers.raster.points import at_points
from diffhydro.data.sinusoidal import CRS
from diffhydro.errors import InputError
from tests.data.readers.raster.tiff import write

PLACE = {"crs": CRS, "left": -111658.35, "top": 4984318.2, "size": 463.312716528}
LABELS = ("2004-01-01", "2004-01-09")


def stack(folder, cells, labels=LABELS, name="lai.tif", **options):
    return write(folder / name, np.asarray(cells, np.uint8), labels=labels, **PLACE, **options)


def test_a_stack_and_its_quality(tmp_path):
    cells = np.full((2, 3, 4), 20)
    cells[0, 0] = [0, 100, 249, 255]
    bits = np.zeros((2, 3, 4))
    bits[1, 2, 3] = 0b01000000
    path = stack(tmp_path / "lai", cells, nodata=255)
    found = read_modis_geotiff(path)
    assert found["time"].values.astype("datetime64[D]").astype(str).tolist() == list(LABELS)
    np.testing.assert_allclose(found["leaf_area"].values[0, 0], [0.0, 10.0, np.nan, np.nan])
    assert found["leaf_area"].values[1, 2, 3] == pytest.approx(2.0)
    assert found.attrs["quality"].startswith("unknown")
    assert found.attrs["crs"] == CRS
    quality = stack(tmp_path / "qc", bits, name="qc.tif")
    masked = read_modis_geotiff(path, quality=quality)
    assert np.isnan(masked["leaf_area"].values[1, 2, 3])
    assert np.isfinite(masked["leaf_area"].values[1, 2, 2])
    all_ = read_modis_geotiff(path, quality=quality, keep=Keep(methods=(0, 1, 2)))
    assert all_["leaf_area"].values[1, 2, 3] == pytest.approx(2.0)
    late = stack(tmp_path / "late", bits, ("2004-01-09", "2004-01-17"), name="qc.tif")
    with pytest.raises(InputError, match=r"the quality lacks 1 of 2 dates \(first: 2004-01-01\)"):
        read_modis_geotiff(path, quality=late)
    share = read_modis_geotiff(path, variable="fpar")
    assert share["fpar"].values[0, 0, 1] == 1.0


def test_files_for_dates_in_their_names(tmp_path):
    for day, value in (("009", 20), ("001", 10)):
        name = f"MOD15A2H.061_Lai_500m_x_A2004{day}.tif".replace("_x_", ".")
        write(tmp_path / name, np.full((3, 4), value, np.uint8))
    found = read_modis_geotiff(tmp_path)
    np.testing.assert_allclose(found["leaf_area"].values[:, 0, 0], [1.0, 2.0])
    assert found.attrs["crs"] == "EPSG:4326"


def test_a_mark_that_would_hide_a_code_is_not_believed(tmp_path):
    cells = np.full((2, 3, 4), 20)
    found = read_modis_geotiff(stack(tmp_path, cells, nodata=20))
    assert np.isfinite(found["leaf_area"].values).all()


def test_what_is_refused(tmp_path):
    cells = np.full((2, 3, 4), 20)
    for labels, match in ((("a", "b"), "has no date in 'a'"), (LABELS[:1] * 2, "once")):
        with pytest.raises(InputError, match=match):
            read_modis_geotiff(stack(tmp_path, cells, labels))
    with pytest.raises(InputError, match="MODIS' bytes as they are"):
        read_modis_geotiff(stack(tmp_path, cells, scale=0.1))
    with pytest.raises(InputError, match="MODIS' bytes as they are"):
        read_modis_geotiff(write(tmp_path / "a.tif", cells.astype(np.float32), labels=LABELS))
    with pytest.raises(InputError, match="expected leaf_area or fpar"):
        read_modis_geotiff(stack(tmp_path, cells), variable="lai")


def test_the_real_stack_matches_the_table_of_the_service(real_data):
    folder = real_data / "raw" / "modis_lai"
    (path,) = folder.glob("*.tif")
    found = read_modis_geotiff(path)
    assert found.sizes == {"time": 23, "y": 81, "x": 81}
    assert found["time"].values[-1] == np.datetime64("2004-06-25")
    assert found.attrs["crs"] == CRS
    values = found["leaf_area"].values
    with next(folder.glob("*.csv")).open() as table:
        for row in csv.DictReader(table):
            time = int(
                np.flatnonzero(found["time"].values == np.datetime64(row["calendar_date"]))[0]
            )
            pixel, raw = int(row["pixel"]) - 1, int(row["value"])
            value = values[time, pixel // 81, pixel % 81]
            assert np.isnan(value) if raw > 100 else value == pytest.approx(raw * 0.1), row
            place = float(row["latitude"]), float(row["longitude"])
    middle = at_points(found, *place)["leaf_area"].values[:, 0]
    np.testing.assert_array_equal(middle, values[:, 40, 40])
