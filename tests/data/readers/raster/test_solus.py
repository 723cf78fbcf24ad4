import numpy as np
import pytest

from diffhydro.data.readers.raster.solus import looks_like_solus, read_solus
from diffhydro.errors import InputError
from tests.data.readers.raster.tiff import write

PLACE = {"crs": "EPSG:5070", "left": -1e5, "top": 1.8e6, "size": 100.0, "nodata": -32768}


def layer(folder, name, value):
    return write(folder / name, np.full((8, 9), value, np.int16), **PLACE)


@pytest.fixture
def folder(tmp_path):
    layer(tmp_path, "dbovendry_0_cm_p.tif", 142)
    layer(tmp_path, "dbovendry_30_cm_p.tif", 155)
    layer(tmp_path, "dbovendry_0_cm_h.tif", 170)
    layer(tmp_path, "soc_0_cm_p.tif", 2140)
    layer(tmp_path, "claytotal_100_cm_p.tif", 31)
    layer(tmp_path, "resdept_all_cm_p.tif", 120)
    return tmp_path


INDEX = """filename,property,depth,filetype,scalar,units
dbovendry_0_cm_p.tif,dbovendry,0_cm,prediction,100,g/cm3
dbovendry_30_cm_p.tif,dbovendry,30_cm,prediction,100,g/cm3
soc_0_cm_p.tif,soc,0_cm,prediction,1000,%
claytotal_100_cm_p.tif,claytotal,100_cm,prediction,1,%
"""


def test_scalars_from_the_index_and_from_an_argument(folder, tmp_path):
    index = tmp_path / "index.csv"
    index.write_text(INDEX)
    given = {"dbovendry": 100, "soc": 1000, "claytotal": 1}
    for found in (read_solus(folder, scalars=index), read_solus(folder, scalars=given)):
        found = found.load()
        assert found["depth"].values.tolist() == [0.0, 300.0, 1000.0]
        assert "top" not in found.coords
        np.testing.assert_allclose(found["bulk_density"].values[:2, 0, 0], [1.42, 1.55], rtol=1e-6)
        assert found["organic_carbon"].values[0, 0, 0] == pytest.approx(2.14)
        assert found["clay"].values[2, 7, 8] == 31.0
        assert np.isnan(found["clay"].values[0]).all()
        assert found.attrs["crs"] == "EPSG:5070"
        assert found["x"].values[0] == -1e5 + 50.0
        assert found["y"].values[0] == 1.8e6 - 50.0


def test_no_scalar_is_guessed(folder, tmp_path):
    with pytest.raises(InputError, match=r"the scalar of soc_0_cm_p\.tif is None"):
        read_solus(folder, scalars={"dbovendry": 100, "claytotal": 1})
    with pytest.raises(InputError, match=r"scalar of claytotal_100_cm_p\.tif is 0"):
        read_solus(folder, scalars={"dbovendry": 100, "claytotal": 0, "soc": 1000})
    index = tmp_path / "index.csv"
    for text, match in (
        (INDEX.replace("scalar", "factor"), "the index of SOLUS100 has filename and scalar"),
        (INDEX.replace("1000", "x"), "line 4: the scalar of soc_0_cm_p.tif is 'x'"),
        ("", "has the columns none"),
        (
            INDEX.replace("soc_0_cm_p.tif,soc,0_cm,prediction,1000,%\n", ""),
            "soc_0_cm_p.tif is None",
        ),
    ):
        index.write_text(text)
        with pytest.raises(InputError, match=match):
            read_solus(folder, scalars=index)


def test_a_file_with_a_scale_of_its_own_is_refused(tmp_path):
    values = np.full((8, 9), 142, np.int16)
    path = write(tmp_path / "dbovendry_0_cm_p.tif", values, scale=0.01, **PLACE)
    with pytest.raises(InputError, match="was it converted"):
        read_solus(path, scalars={"dbovendry": 100})
    path = write(tmp_path / "dbovendry_0_cm_p.tif", np.full((8, 9), 1.42, np.float32), **PLACE)
    with pytest.raises(InputError, match="cells of float32"):
        read_solus(path, scalars={"dbovendry": 100})


def test_estimates_and_names(folder):
    high = read_solus(folder, scalars={"dbovendry": 100}, estimate="h")
    assert high["bulk_density"].values[0, 0, 0] == pytest.approx(1.7)
    assert set(high.data_vars) == {"bulk_density"}
    with pytest.raises(InputError, match="estimate is 'rpi'"):
        read_solus(folder, scalars={}, estimate="rpi")
    with pytest.raises(InputError, match="no file of estimate l"):
        read_solus(folder, scalars={}, estimate="l")
    with pytest.raises(InputError, match="the same layer"):
        read_solus([folder, folder / "soc_0_cm_p.tif"], scalars={})
    with pytest.raises(InputError, match="is not named like"):
        read_solus(layer(folder, "bulk.tif", 1), scalars={})
    assert looks_like_solus(folder / "soc_0_cm_p.tif")
    assert not looks_like_solus(folder / "bulk.tif")


def test_a_box_in_degrees_on_a_projected_map(folder):
    from rasterio.warp import transform

    longitude, latitude = transform("EPSG:5070", "EPSG:4326", [-1e5 + 450.0], [1.8e6 - 350.0])
    half = 0.0011
    box = (longitude[0] - half, latitude[0] - half, longitude[0] + half, latitude[0] + half)
    found = read_solus(folder, scalars={"dbovendry": 100, "soc": 1000, "claytotal": 1}, box=box)
    assert found.sizes["x"] in (2, 3)
    assert found.sizes["y"] in (3, 4)
    assert found["x"].values[0] <= -1e5 + 450.0 <= found["x"].values[-1]
    with pytest.raises(InputError, match="no cell of"):
        read_solus(folder, scalars={"dbovendry": 1, "soc": 1, "claytotal": 1}, box=(0, 0, 1, 1))
