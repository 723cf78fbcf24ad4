import numpy as np
import pytest

from diffhydro.data.readers.raster.points import at_points
from diffhydro.data.readers.raster.polaris import looks_like_polaris, read_polaris
from diffhydro.errors import InputError
from tests.data.readers.raster.tiff import write

DEPTHS = ("0_5", "5_15", "15_30", "30_60", "60_100", "100_200")


def tile(folder, variable, value, depth="0_5", statistic="mean", west=-97, cells=36):
    """Write a tile of a degree as POLARIS has it, but for coarser cells."""
    values = np.broadcast_to(np.float32(value), (cells, cells)).copy()
    name = f"lat3738_lon{west}{west + 1}.tif"
    path = folder / variable / statistic / depth / name
    return write(path, values, left=west, top=38.0, size=1.0 / cells, nodata=-9999.0)


def test_logarithms_units_and_layers(tmp_path):
    stored = {"sand": 40.0, "silt": 35.0, "clay": 25.0, "bd": 1.4, "theta_s": 0.45, "theta_r": 0.05,
              "n": 1.4, "ksat": 0.5, "om": -0.3, "alpha": -1.2}  # fmt: skip
    for variable, value in stored.items():
        for depth in DEPTHS if variable in ("sand", "ksat") else ("0_5",):
            tile(tmp_path, variable, value, depth)
    tile(tmp_path, "ph", 6.0)
    found = read_polaris(tmp_path)
    assert found["depth"].values.tolist() == [25.0, 100.0, 225.0, 450.0, 800.0, 1500.0]
    assert found["top"].values.tolist() == [0.0, 50.0, 150.0, 300.0, 600.0, 1000.0]
    assert found["bottom"].values.tolist() == [50.0, 150.0, 300.0, 600.0, 1000.0, 2000.0]
    here = at_points(found, 37.5, -96.5).isel(site=0).load()
    cm_per_hour, per_cm = 10.0**0.5, 10.0**-1.2 * 0.0980665
    for name, value in {
        "sand": 40.0, "silt": 35.0, "clay": 25.0, "bulk_density": 1.4, "theta_s": 0.45,
        "theta_r": 0.05, "n": 1.4, "organic_matter": 10.0**-0.3,
        "k_sat": cm_per_hour * 240.0, "alpha": per_cm / 10.0,
    }.items():  # fmt: skip
        assert here[name].values[0] == pytest.approx(value, rel=2e-6), name
    assert set(found.data_vars) == {*here.data_vars}
    assert np.isfinite(here["k_sat"].values).all()
    assert np.isfinite(here["clay"].values).tolist() == [True] + 5 * [False]
    assert found["alpha"].attrs["units"] == "mm-1"
    assert found.attrs["crs"] == "EPSG:4326"


def test_tiles_join_and_missing_cells_stay_missing(tmp_path):
    ramp = np.arange(36, dtype=np.float32)
    left, right = np.tile(ramp, (36, 1)), np.tile(36.0 + ramp, (36, 1)).astype(np.float32)
    left[3, 4] = -9999.0
    tile(tmp_path, "sand", left)
    tile(tmp_path, "sand", right, west=-96)
    sand = read_polaris(tmp_path)["sand"].values[0]
    assert sand.shape == (36, 72)
    np.testing.assert_array_equal(sand[0], np.arange(72))
    assert np.isnan(sand[3, 4])
    assert np.isnan(sand).sum() == 1
    boxed = read_polaris(tmp_path, box=(-96.1, 37.2, -95.9, 37.4))
    assert boxed["longitude"].values[0] < -96.0 < boxed["longitude"].values[-1]
    np.testing.assert_array_equal(np.diff(boxed["sand"].values[0], axis=1), 1.0)


def test_the_statistic_is_an_argument(tmp_path):
    tile(tmp_path, "clay", 20.0)
    tile(tmp_path, "clay", 31.0, statistic="p95")
    assert (read_polaris(tmp_path, statistic="p95")["clay"].values == 31.0).all()
    assert (read_polaris(tmp_path)["clay"].values == 20.0).all()
    with pytest.raises(InputError, match=r"no tile of statistic mode.*there is mean, p95"):
        read_polaris(tmp_path, statistic="mode")
    with pytest.raises(InputError, match="POLARIS has mean"):
        read_polaris(tmp_path, statistic="median")


def test_impossible_values_are_missing(tmp_path):
    tile(tmp_path, "ksat", 1e30)
    tile(tmp_path, "ksat", 38.0, "5_15")
    tile(tmp_path, "theta_s", 4.5)
    found = read_polaris(tmp_path).load()
    assert np.isnan(found["k_sat"].values).all()
    assert np.isnan(found["theta_s"].values).all()


def test_folders_and_memory(tmp_path):
    path = tile(tmp_path, "clay", 20.0)
    assert looks_like_polaris(path)
    assert looks_like_polaris(tmp_path)
    loose = write(tmp_path / "lat3738_lon-97-96.tif", np.zeros((3, 3), np.float32))
    with pytest.raises(InputError, match="is not in folders as POLARIS has them"):
        read_polaris([loose])
    two = [path, tile(tmp_path, "clay", 20.0, "5_15")]
    with pytest.raises(InputError, match="bytes are allowed"):
        read_polaris(two, memory=2 * 5184.0 - 1.0)
    assert read_polaris(two, memory=2 * 5184.0).sizes["x"] == 36
