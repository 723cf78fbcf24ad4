from pathlib import Path

import numpy as np
import pytest
from pyhdf.SD import SD, SDC

from diffhydro.data.readers.modis import Cloud, Keep, Method, looks_like_modis, read_modis
from diffhydro.data.readers.raster.points import at_points
from diffhydro.data.sinusoidal import TILE
from diffhydro.errors import InputError
from tests.data.damage import COPIES, survive

CORNER = (0.0, 49.9, 0.3, 50.0)  # upper left of h18v04
GRID, PIXELS = "MOD_Grid_MOD15A2H", 2400
FIELDS = {"Fpar_500m": 0.01, "Lai_500m": 0.1, "FparLai_QC": None}


def file(folder, day=1, tile="h18v04", product="MOD15A2H", shape=(PIXELS, PIXELS), **fields):
    """Write a tile as MOD15A2H has it: bytes with fills, dimensions named after the grid."""
    path = folder / f"{product}.A2004{day:03d}.{tile}.061.2020041123456.hdf"
    made = SD(str(path), SDC.WRITE | SDC.CREATE | SDC.TRUNC)
    for name, scale in FIELDS.items():
        values = np.asarray(fields.get(name, 0), np.uint8)
        field = made.create(name, SDC.UINT8, shape)
        for i, axis in enumerate("YX"):
            field.dim(i).setname(f"{axis}Dim:{GRID}")
        field.setcompress(SDC.COMP_DEFLATE, 1)
        if scale:
            field.attr("scale_factor").set(SDC.FLOAT64, scale)
            field.attr("valid_range").set(SDC.UINT8, [0, 100])
        field.attr("_FillValue").set(SDC.UINT8, 255)
        field[:] = np.broadcast_to(values, shape).copy()
        field.endaccess()
    made.attr("StructMetadata.0").set(SDC.CHAR8, f'GridName="{GRID}"\nProjection=GCTP_SNSOID')
    made.end()
    return path


def codes(**at):
    """Give a tile of 20s, with other bytes at places `r<row>c<column>`."""
    values = np.full((PIXELS, PIXELS), 20, np.uint8)
    for place, value in at.items():
        row, column = place[1:].split("c")
        values[int(row), int(column)] = value
    return values


def test_scales_codes_and_places(tmp_path):
    lai = codes(r0c0=0, r0c1=100, r0c2=101, r0c3=249, r0c4=254, r0c5=255, r7c9=63)
    found = read_modis(file(tmp_path, 9, Lai_500m=lai, Fpar_500m=lai), box=CORNER).load()
    assert found["time"].values.tolist() == [np.datetime64("2004-01-09", "ns").astype(int)]
    np.testing.assert_allclose(
        found["leaf_area"].values[0, 0, :7], [0.0, 10.0, *[np.nan] * 4, 2.0], rtol=1e-6
    )
    np.testing.assert_allclose(found["fpar"].values[0, 0, :2], [0.0, 1.0])
    assert found["leaf_area"].dtype == np.float32
    size = TILE / PIXELS
    assert found["x"].values[0] == pytest.approx(size / 2)
    assert found["y"].values[0] == pytest.approx(5 * TILE - size / 2)
    latitude = np.degrees((5 * TILE - 7.5 * size) / 6371007.181)
    longitude = np.degrees(9.5 * size / 6371007.181 / np.cos(np.radians(latitude)))
    here = at_points(found, latitude, longitude)["leaf_area"].values
    assert here.ravel().tolist() == [pytest.approx(6.3)]
    assert found.attrs["product"] == "MOD15A2H"


def test_quality_is_an_argument(tmp_path):
    bits = [(method << 5) | (cloud << 3) for method in range(5) for cloud in range(4)]
    bits += [0b00000111, 255]  # bits that do not matter; nothing

    def kept(keep):
        return np.flatnonzero(keep.good(np.array(bits, np.float32))).tolist()

    assert kept(Keep()) == [0, 3, 4, 7, 20]
    assert kept(Keep(methods=(Method.MAIN,))) == [0, 3, 20]
    assert kept(Keep(clouds=(Cloud.SIGNIFICANT,))) == [1, 5]
    assert kept(Keep(tuple(range(8)), tuple(range(4)))) == list(range(22))
    assert Keep().good(np.array([np.nan, -1.0, 256.0])).tolist() == [False] * 3
    with pytest.raises(InputError, match="methods are"):
        Keep(methods=(8,))
    quality = np.zeros((PIXELS, PIXELS), np.uint8)
    quality[0, :22] = bits
    path = file(tmp_path, Lai_500m=30, FparLai_QC=quality)
    found = read_modis(path, keep=Keep(methods=(3,), clouds=(0, 1)), box=CORNER)
    values = found["leaf_area"].values[0, 0]
    assert np.flatnonzero(np.isfinite(values)).tolist() == [12, 13]
    assert found.attrs["quality"] == "methods 3 and clouds 0 1 of FparLai_QC"


@pytest.mark.slow
def test_dates_and_tiles_join_lazily(tmp_path):
    for day, tile, value in ((1, "h18v04", 10), (9, "h18v04", 20), (1, "h17v04", 30)):
        file(tmp_path, day, tile, Lai_500m=value)
    found = read_modis(tmp_path)[["leaf_area"]]
    assert found.sizes == {"time": 2, "y": 2400, "x": 4800}
    assert found["leaf_area"].chunks[0] == (1, 1)
    series = at_points(found, 45.0, [0.5, -0.5])["leaf_area"].values
    np.testing.assert_allclose(series, [[1.0, 3.0], [2.0, np.nan]])
    part = read_modis(tmp_path, box=(-0.02, 44.9, 0.02, 44.92))[["leaf_area"]].load()
    assert 5 < part.sizes["x"] < 12
    assert {1.0, 3.0} == set(part["leaf_area"].values[0].ravel().tolist())
    coarse = read_modis(tmp_path, step=100)
    assert coarse.sizes == {"time": 2, "y": 24, "x": 48}


def test_what_is_refused(tmp_path):
    whole = file(tmp_path)
    with pytest.raises(InputError, match="expected 2400 × 2400 bytes"):
        read_modis(file(tmp_path, 9, shape=(1200, 1200)))["leaf_area"].load()
    with pytest.raises(InputError, match="is not named like"):
        read_modis(whole.rename(tmp_path / "a.hdf"))
    other = (tmp_path / "a.hdf").rename(tmp_path / whole.name)
    (tmp_path / "again").mkdir()
    again = tmp_path / "again" / whole.name.replace("2020041", "2021041")
    again.write_bytes(other.read_bytes())
    with pytest.raises(InputError, match="the same tile and date"):
        read_modis([other, again])
    with pytest.raises(InputError, match="read one product at a time"):
        read_modis([other, file(tmp_path, product="MCD15A3H")])
    for wrong, match in (("A2004366.h36v04", "no tile"), ("A2005366.h18v04", "has no date")):
        path = other.with_name(f"MOD15A2H.{wrong}.061.1.hdf")
        path.write_bytes(other.read_bytes())
        with pytest.raises(InputError, match=match):
            read_modis(path)
    text = other.with_name("MOD15A2H.A2004001.h18v05.061.1.hdf")
    text.write_text("not a file of HDF4")
    with pytest.raises(InputError, match="not readable as MODIS leaf area"):
        read_modis(text)
    with pytest.raises(InputError, match="no file at"):
        read_modis(other.with_name("MOD15A2H.A2004001.h18v06.061.1.hdf"))
    assert looks_like_modis(other)
    assert not looks_like_modis(Path("MOD13A2.A2004001.h18v05.061.1.hdf"))


@pytest.mark.slow
def test_damaged_copies(tmp_path):
    """The library is brought down by some of them; the reader is not."""
    lai = codes()
    lai[::7, ::3] = 31
    whole = file(tmp_path, Lai_500m=lai, Fpar_500m=40)
    (tmp_path / "copies").mkdir()
    assert survive(read_modis, whole, tmp_path / "copies", copies=max(8, COPIES // 5)) > 0
