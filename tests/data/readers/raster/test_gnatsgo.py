import numpy as np
import pytest

from diffhydro.data.readers.raster.gnatsgo import read_gnatsgo, soil_of
from diffhydro.data.readers.raster.map_units import DEPTHS, read_map_units
from diffhydro.errors import InputError
from tests.data.damage import survive
from tests.data.readers.raster.tiff import write

PLACE = {"crs": "EPSG:5070", "left": -1e5, "top": 1.8e6, "size": 30.0}
MAPUNIT = """mukey,muname
16777217,Alpha
16777218,Beta
16777219,Water
"""
COMPONENT = """cokey,mukey,comppct_r,majcompflag
1,16777217,60,Yes
2,16777217,30,Yes
3,16777217,10,No
4,16777218,100,Yes
5,16777219,100,Yes
"""
CHORIZON = """\
cokey,chkey,hzdept_r,hzdepb_r,sandtotal_r,claytotal_r,dbthirdbar_r,ksat_r,wthirdbar_r,awc_r
1,11,0,10,40,20,1.3,10,30,0.20
1,12,10,100,60,10,1.5,1,20,0.10
2,21,0,10,20,40,,4,35,0.15
3,31,0,20,10,80,1.1,0,45,0.10
4,41,0,30,50,,1.4,28,25,
"""


def tables(folder, mapunit=MAPUNIT, component=COMPONENT, chorizon=CHORIZON):
    folder.mkdir(exist_ok=True)
    (folder / "mapunit.csv").write_text(mapunit)
    (folder / "component.csv").write_text(component)
    (folder / "CHorizon.csv").write_text(chorizon)
    return folder


def test_horizons_and_components_are_weighted(tmp_path):
    units = read_map_units(tables(tmp_path), depths=[(0.0, 50.0), (50.0, 200.0), (1000.0, 2000.0)])
    assert units["map_unit"].dtype == np.uint32
    assert units["map_unit"].values.tolist() == [16777217, 16777218, 16777219]
    alpha, beta, water = (units.isel(map_unit=i) for i in range(3))
    # 0 to 5 cm: every component by its first horizon.
    assert alpha["sand"].values[0] == pytest.approx(0.6 * 40 + 0.3 * 20 + 0.1 * 10)
    # 5 to 20 cm: component 1 has 5 cm of the first horizon and 10 cm of the second.
    first = (5 * 40 + 10 * 60) / 15
    assert alpha["sand"].values[1] == pytest.approx(0.6 * first + 0.3 * 20 + 0.1 * 10)
    # Component 2 has no density: the others count for all.
    assert alpha["bulk_density"].values[0] == pytest.approx((0.6 * 1.3 + 0.1 * 1.1) / 0.7)
    # 1 µm/s is 86.4 mm/day; a conductivity of 0 is a value.
    assert alpha["k_sat"].values[0] == pytest.approx((0.6 * 10 + 0.3 * 4 + 0.0) * 86.4)
    assert alpha["field_capacity"].values[0] == pytest.approx(0.6 * 0.3 + 0.3 * 0.35 + 0.1 * 0.45)
    # Water held, mm: 5 to 20 cm, where component 2 ends at 10 cm.
    held = 0.6 * (50 * 0.20 + 100 * 0.10) + 0.3 * (50 * 0.15) + 0.1 * (150 * 0.10)
    assert alpha["available_water"].values[1] == pytest.approx(held)
    assert np.isnan(alpha["sand"].values[2])
    assert beta["sand"].values[0] == 50.0
    assert np.isnan(beta["clay"].values).all()
    assert np.isnan(beta["available_water"].values).all()
    assert np.isnan(water["sand"].values).all()


def test_major_components_only(tmp_path):
    units = read_map_units(tables(tmp_path), depths=[(0.0, 50.0)], major_only=True)
    assert units["sand"].values[0, 0] == pytest.approx((0.6 * 40 + 0.3 * 20) / 0.9)
    few = COMPONENT.replace("majcompflag", "flag")
    with pytest.raises(InputError, match="no column majcompflag"):
        read_map_units(tables(tmp_path, component=few), major_only=True)


def test_shares_that_do_not_add_up_are_renormalised(tmp_path):
    whole = read_map_units(tables(tmp_path / "a"), depths=[(0.0, 50.0)])
    halves = COMPONENT.replace(",60,", ",30,").replace(",30,Yes\n3", ",15,Yes\n3")
    halves = halves.replace(",10,No", ",5,No")
    half = read_map_units(tables(tmp_path / "b", component=halves), depths=[(0.0, 50.0)])
    np.testing.assert_allclose(whole["sand"].values, half["sand"].values, rtol=1e-6)


def test_impossible_values_do_not_spoil_a_mean(tmp_path):
    wrong = CHORIZON.replace("1,11,0,10,40", "1,11,0,10,4000")
    units = read_map_units(tables(tmp_path, chorizon=wrong), depths=[(0.0, 50.0)])
    assert units["sand"].values[0, 0] == pytest.approx((0.3 * 20 + 0.1 * 10) / 0.4)


def test_what_is_refused(tmp_path):
    cases = (
        ({"mapunit": "muname\nx\n"}, "mapunit.csv has no column mukey"),
        ({"mapunit": "mukey\n-4\n"}, "no whole number of 32 bits"),
        ({"mapunit": "mukey\n"}, "has no mukey"),
        ({"component": COMPONENT.replace("2,16777217", "1,16777217")}, "cokey twice"),
        ({"component": COMPONENT.replace("comppct_r", "pct")}, "no column comppct_r"),
        ({"chorizon": CHORIZON.replace("1,12,10,100", "1,12,10,deep")},
         "row 2, hzdepb_r: 'deep' is no number"),
        ({"chorizon": ""}, "not readable as a table"),
    )  # fmt: skip
    for changed, match in cases:
        with pytest.raises(InputError, match=match):
            read_map_units(tables(tmp_path / "t", **changed))
    with pytest.raises(InputError, match=r"no mapunit\.csv"):
        read_map_units(tmp_path)
    with pytest.raises(InputError, match="tops above bottoms"):
        read_map_units(tables(tmp_path / "t"), depths=[(50.0, 50.0)])


def test_keys_stay_exact(tmp_path):
    keys = np.array([[16777217, 16777218, 16777219], [0, 4294967295, 7]], np.uint32)
    found = read_gnatsgo(write(tmp_path / "a.tif", keys, nodata=0, **PLACE))
    assert found["map_unit"].dtype == np.uint32
    np.testing.assert_array_equal(found["map_unit"].values, keys)
    signed = np.array([[2**31 - 1, -5, 16777217]], np.int32)
    found = read_gnatsgo(write(tmp_path / "b.tif", signed, nodata=2**31 - 1, **PLACE))
    assert found["map_unit"].values.tolist() == [[0, 0, 16777217]]
    assert found.attrs["crs"] == "EPSG:5070"
    with pytest.raises(InputError, match="lose digits"):
        read_gnatsgo(write(tmp_path / "c.tif", signed.astype(np.float32), **PLACE))


def test_soil_where_the_keys_are(tmp_path):
    keys = np.array([[16777217, 16777218, 16777219], [0, 99, 16777217]], np.uint32)
    path = write(tmp_path / "a.tif", keys, nodata=0, **PLACE)
    units = read_map_units(tables(tmp_path / "t"))
    lazy = soil_of(read_gnatsgo(path)["map_unit"], units)
    assert lazy["sand"].chunks is not None
    assert lazy["sand"].dims == ("depth", "y", "x")
    assert lazy["bottom"].values.tolist() == [bottom for _, bottom in DEPTHS]
    sand = lazy["sand"].values
    by_key = dict(zip(units["map_unit"].values.tolist(), units["sand"].values, strict=True))
    for row in range(2):
        for column in range(3):
            expected = by_key.get(int(keys[row, column]), np.full(len(DEPTHS), np.nan))
            np.testing.assert_array_equal(sand[:, row, column], expected)
    assert np.isfinite(sand[0, 1, 2])
    eager = soil_of(read_gnatsgo(path)["map_unit"].load(), units)
    np.testing.assert_array_equal(eager["sand"].values, sand)
    with pytest.raises(InputError, match="expected whole numbers"):
        soil_of(read_gnatsgo(path)["map_unit"].astype(np.float32), units)


def test_damaged_tables(tmp_path):
    folder = tables(tmp_path)
    whole = folder / "CHorizon.csv"
    text = whole.read_text()
    lines = text.splitlines()
    whole.write_text("\n".join(lines + lines[1:] * 10) + "\n")
    (tmp_path / "copies").mkdir()
    tables(tmp_path / "copies")
    assert survive(lambda path: read_map_units(path.parent), whole, tmp_path / "copies") > 0
