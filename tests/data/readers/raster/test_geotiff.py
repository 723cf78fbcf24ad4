import threading
import warnings
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from diffhydro.data.readers.raster import mosaic
from diffhydro.data.readers.raster.geotiff import Header, describe
from diffhydro.data.readers.raster.mosaic import canvas, headers_of, paint
from diffhydro.errors import InputError
from tests.data.readers.raster.tiff import write


def loaded(paths, box=None, step=1, memory=1e8, keys=False, band=1):
    headers = headers_of(paths, expected="a map", memory=memory)
    on = canvas(headers, box=box, step=step, memory=memory)
    headers = [replace(header, band=band) for header in headers]
    return paint(headers, on, keys=keys).compute(), on.grid


@pytest.mark.parametrize(
    ("kind", "mark"),
    [("int16", -32768), ("uint16", 65535), ("float32", -9999.0), ("float32", -3.4e38),
     ("float32", float("nan")), ("float64", 1e300)],
)  # fmt: skip
def test_nodata_is_what_the_tag_says(tmp_path, kind, mark):
    cells = np.arange(12).reshape(3, 4).astype(kind)
    cells[1, 2] = mark
    found, _ = loaded([write(tmp_path / "a.tif", cells, nodata=mark)])
    expected = cells.astype(np.float64)
    expected[1, 2] = np.nan
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == np.float32
    untold, _ = loaded([write(tmp_path / "b.tif", cells)])
    assert np.isfinite(untold[1, 2]) == (kind != "float64" and mark == mark)


def test_a_mark_that_the_type_cannot_hold_marks_nothing(tmp_path):
    header = describe(write(tmp_path / "a.tif", np.zeros((3, 4), np.uint8)), expected="a map")
    for mark in (-9999.0, 256.0, 0.5, float("nan")):
        marked = replace(header, nodata=mark)
        assert marked.there(marked.read(slice(0, 3), slice(0, 4))).all()
    header = describe(write(tmp_path / "b.tif", np.zeros((3, 4), np.float32)), expected="a map")
    assert replace(header, nodata=1e300).there(np.zeros((3, 4), np.float32)).all()


def test_scale_and_offset_of_numbers_but_not_of_keys(tmp_path):
    path = write(tmp_path / "a.tif", np.array([[123456789, 7]], np.int32), scale=0.001, offset=2.0)
    np.testing.assert_allclose(loaded([path])[0], [[123458.789, 2.007]], rtol=1e-7)
    np.testing.assert_array_equal(loaded([path], keys=True)[0], [[123456789, 7]])


def test_tiles_join_without_a_seam_in_any_order(tmp_path):
    whole = np.arange(40 * 60, dtype=np.int16).reshape(40, 60)
    paths = [
        write(tmp_path / f"{r}{c}.tif", whole[r : r + 20, c : c + 20],
              left=-97.0 + 0.1 * c, top=38.0 - 0.1 * r)
        for r in (20, 0) for c in (40, 0, 20)
    ]  # fmt: skip
    found, grid = loaded(paths)
    np.testing.assert_array_equal(found, whole)
    assert (grid.left, grid.top) == pytest.approx((-97.0, 38.0))
    np.testing.assert_allclose(grid.x[[0, -1]], [-96.95, -91.05])
    np.testing.assert_allclose(grid.y[[0, -1]], [37.95, 34.05])
    gap, _ = loaded([p for p in paths if p.name != "020.tif"])
    assert np.isnan(gap[:20, 20:40]).all()
    np.testing.assert_array_equal(gap[:, :20], whole[:, :20])


def test_where_tiles_overlap_the_first_with_a_value_counts(tmp_path):
    west = np.full((4, 6), 1, np.int16)
    west[0, 4:] = -1
    paths = [
        write(tmp_path / "w.tif", west, nodata=-1),
        write(tmp_path / "e.tif", np.full((4, 6), 2, np.int16), left=-96.6, nodata=-1),
    ]
    found, _ = loaded(paths)
    assert found[0].tolist() == [1, 1, 1, 1, 2, 2, 2, 2, 2, 2]
    assert found[1].tolist() == [1, 1, 1, 1, 1, 1, 2, 2, 2, 2]


def test_tiles_of_another_grid_are_refused(tmp_path):
    cells = np.zeros((10, 10), np.int16)
    first = write(tmp_path / "a.tif", cells)
    for other in (
        {"left": -95.95},
        {"left": -96.0, "size": 0.101},
        {"left": -96.0, "crs": "EPSG:4269"},
    ):
        second = write(tmp_path / "b.tif", cells, **other)
        with pytest.raises(InputError, match="does not share the grid"):
            loaded([first, second])


def test_boxes_and_steps_are_cells_of_the_whole(tmp_path):
    whole = np.arange(50 * 70, dtype=np.int16).reshape(50, 70)
    path = write(tmp_path / "a.tif", whole, tiled=True, blockxsize=16, blockysize=16)
    found, grid = loaded([path], box=(-96.0, 36.0, -94.5, 37.0))
    np.testing.assert_array_equal(found, whole[10:20, 10:25])
    np.testing.assert_allclose(grid.x[0], -95.95)
    for step in (2, 3, 7):
        found, grid = loaded([path], step=step)
        middle = step // 2
        np.testing.assert_array_equal(found, whole[middle::step, middle::step])
        full = -97.0 + 0.1 * (np.arange(70) + 0.5)
        np.testing.assert_allclose(grid.x, full[middle::step], atol=1e-9)
    part, grid = loaded([path], box=(-96.0, 36.0, -94.5, 37.0), step=4)
    np.testing.assert_array_equal(part, whole[10:20, 10:25][2::4, 2::4])


@pytest.mark.parametrize("step", [1, 2, 3, 5, 8])
@pytest.mark.parametrize("block", [16, None])
def test_many_chunks_of_many_tiles_are_the_whole(tmp_path, monkeypatch, step, block):
    monkeypatch.setattr(mosaic, "_CELLS", 128)
    monkeypatch.setattr(mosaic, "_WIDTH", 8)
    rng = np.random.default_rng(step)
    whole = rng.integers(1, 30_000, (70, 93)).astype(np.int16)
    tiled = {"tiled": True, "blockxsize": block, "blockysize": block} if block else {}
    edges = (0, 31, 64, 93)
    paths = [
        write(tmp_path / f"{r}{c}.tif", whole[r : r + 35, c:end], left=-97.0 + 0.1 * c,
              top=38.0 - 0.1 * r, **tiled)
        for r in (35, 0) for c, end in pairwise(edges)
    ]  # fmt: skip
    middle = step // 2
    for keys in (False, True):
        found, _ = loaded(paths, step=step, keys=keys)
        np.testing.assert_array_equal(found, whole[middle::step, middle::step])
    box = (-97.0 + 0.1 * 20.5, 38.0 - 0.1 * 59.5, -97.0 + 0.1 * 80.5, 38.0 - 0.1 * 11.5)
    found, grid = loaded(paths, box=box, step=step)
    np.testing.assert_array_equal(found, whole[11:60, 20:81][middle::step, middle::step])
    np.testing.assert_allclose(grid.y[0], 38.0 - 0.1 * (11 + middle + 0.5))


def test_chunks_are_read_as_they_are_needed(tmp_path, monkeypatch):
    path = write(tmp_path / "a.tif", np.zeros((2500, 2100), np.uint8), size=1e-3, tiled=True)
    headers = headers_of([path], expected="a map", memory=1e9)
    lazy = paint(headers, canvas(headers, box=None, step=1, memory=1e9), keys=True)
    assert lazy.numblocks == (3, 3)
    read = []
    plain = Header.read
    monkeypatch.setattr(Header, "read", lambda *a: read.append(a[1:]) or plain(*a))
    assert lazy[1000:1010, 5:9].compute().shape == (10, 4)
    assert read == [(slice(0, 1024), slice(0, 1024))]


def test_a_map_with_the_south_first_is_turned(tmp_path):
    import rasterio
    from affine import Affine

    cells = np.arange(12, dtype=np.int16).reshape(3, 4)
    path = tmp_path / "a.tif"
    with rasterio.open(
        path, "w", driver="GTiff", width=4, height=3, count=1, dtype="int16", crs="EPSG:4326",
        transform=Affine(0.1, 0, -97.0, 0, 0.1, 37.7),
    ) as made:  # fmt: skip
        made.write(cells, 1)
    found, grid = loaded([path])
    np.testing.assert_array_equal(found, cells[::-1])
    assert grid.top == pytest.approx(38.0)
    part, _ = loaded([path], box=(-96.9, 37.8, -96.7, 38.0))
    np.testing.assert_array_equal(part, cells[::-1][:2, 1:3])


def test_bands_and_labels(tmp_path):
    path = write(
        tmp_path / "a.tif", np.arange(24, dtype=np.uint8).reshape(2, 3, 4), labels=("u", "v")
    )
    assert describe(path, expected="a map").labels == ("u", "v")
    np.testing.assert_array_equal(loaded([path], band=2)[0], np.arange(12, 24).reshape(3, 4))


def test_huge_files_are_refused_before_anything_is_allocated(tmp_path):
    import rasterio
    from affine import Affine

    place = {"crs": "EPSG:4326", "transform": Affine(1e-5, 0, 0, 0, -1e-5, 10)}
    sparse = {"driver": "GTiff", "SPARSE_OK": True, "BIGTIFF": "YES", "tiled": True, **place}
    cases = (
        ({"width": 2**20, "height": 2**19, "blockxsize": 256, "blockysize": 256}, "smaller box"),
        ({"width": 2**16, "height": 2**16, "blockxsize": 2**15, "blockysize": 2**15}, "in blocks"),
        ({"width": 64, "height": 64, "blockxsize": 2**15, "blockysize": 2**15}, "in blocks"),
    )  # fmt: skip
    for shape, match in cases:
        path = tmp_path / "huge.tif"
        with rasterio.open(path, "w", count=1, dtype="float32", **sparse, **shape):
            pass
        with pytest.raises(InputError, match=match):
            loaded([path])
    with rasterio.open(path, "w", count=1, dtype="float32", **sparse, **cases[0][0]):
        pass
    found, _ = loaded([path], box=(1.0, 9.0, 1.001, 9.001))
    assert found.shape == (100, 100)


def test_only_geotiffs_on_the_disk_are_opened(tmp_path, monkeypatch):
    plain = write(tmp_path / "a.tif", np.zeros((3, 4), np.uint8))
    virtual = tmp_path / "v.tif"
    virtual.write_text(
        f'<VRTDataset rasterXSize="4" rasterYSize="3"><VRTRasterBand dataType="Byte" band="1">'
        f"<SimpleSource><SourceFilename>{plain}</SourceFilename></SimpleSource></VRTRasterBand>"
        "</VRTDataset>"
    )
    with pytest.raises(InputError, match="not readable as a map"):
        loaded([virtual])
    monkeypatch.chdir(tmp_path)
    for name in (
        "/vsicurl/http://localhost/a.tif",
        "http://localhost/a.tif",
        f"GTIFF_DIR:1:{plain}",
    ):
        with pytest.raises(InputError, match="are read from the disk"):
            loaded([Path(name)])
    png = write(tmp_path / "b.tif", np.zeros((3, 4), np.uint8), driver="PNG", crs=None)
    with pytest.raises(InputError, match="not readable as a map"):
        loaded([png])


def test_sidecars_do_not_count(tmp_path):
    path = write(tmp_path / "a.tif", np.ones((3, 4), np.uint8))
    (tmp_path / "a.tif.aux.xml").write_text(
        "<PAMDataset><GeoTransform>0,1,0,0,0,-1</GeoTransform><PAMRasterBand band='1'>"
        "<NoDataValue>1</NoDataValue></PAMRasterBand></PAMDataset>"
    )
    found, grid = loaded([path])
    assert (found == 1).all()
    assert grid.dx == pytest.approx(0.1)


def test_what_cannot_be_placed_is_refused(tmp_path):
    import rasterio
    from affine import Affine

    nowhere = write(tmp_path / "a.tif", np.zeros((3, 4), np.uint8), crs=None)
    with pytest.raises(InputError, match="does not say where it lies"):
        loaded([nowhere])
    turned = tmp_path / "b.tif"
    with rasterio.open(
        turned, "w", driver="GTiff", width=4, height=3, count=1, dtype="uint8", crs="EPSG:4326",
        transform=Affine(0.1, 0.05, -97.0, 0.05, -0.1, 38.0),
    ):  # fmt: skip
        pass
    with pytest.raises(InputError, match="turned against north"):
        loaded([turned])
    with pytest.raises(InputError, match="lies on a map in US survey foot"):
        loaded([write(tmp_path / "e.tif", np.zeros((3, 4), np.uint8), crs="EPSG:2263", size=9.0)])
    for place in ({"left": 170.0, "size": 10.0}, {"top": 120.0}, {"left": 200.0}):
        with pytest.raises(InputError, match="expected −180 to 180"):
            loaded([write(tmp_path / "c.tif", np.zeros((3, 4), np.uint8), **place)])
    waves = write(tmp_path / "d.tif", np.zeros((3, 4), np.complex64))
    with pytest.raises(InputError, match="numbers of one kind"):
        loaded([waves])


def test_arguments_are_checked(tmp_path):
    path = write(tmp_path / "a.tif", np.zeros((30, 40), np.uint8))
    for options, match in (
        ({"step": 0}, "step is 0"),
        ({"step": 31}, "more than the 30 × 40 cells"),
        ({"box": (0.0, 0.0, 10.0, 10.0)}, "no cell of a.tif lies in the box"),
        ({"box": (10.0, 0.0, 0.0, 10.0)}, "west, south, east, north"),
        ({"memory": 1000.0}, "takes more than memory"),
    ):
        with pytest.raises(InputError, match=match):
            loaded([path], **options)


def test_a_file_that_changes_is_noticed(tmp_path):
    path = write(tmp_path / "a.tif", np.zeros((30, 40), np.uint8))
    header = describe(path, expected="a map")
    write(path, np.zeros((30, 41), np.uint8))
    with pytest.raises(InputError, match="has changed"):
        header.read(slice(0, 3), slice(0, 4))


def test_threads_share_no_warning_filters(tmp_path):
    path = write(tmp_path / "a.tif", np.zeros((30, 40), np.uint8), crs=None)
    header, before = describe(path, expected="a map"), list(warnings.filters)
    failed = []

    def work():
        try:
            for _ in range(20):
                header.read(slice(0, 3), slice(0, 4))
        except Warning as warning:
            failed.append(warning)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert warnings.filters == before
