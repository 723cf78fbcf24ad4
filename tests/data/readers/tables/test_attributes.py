import csv

import numpy as np
import pytest
import xarray as xr

from diffhydro.data.readers.cf.reader import read_cf
from diffhydro.data.readers.tables.attributes import read_attributes
from diffhydro.data.readers.tables.join import join_attributes
from diffhydro.errors import InputError
from tests.data.damage import survive

MONTHS = ",".join(f"lai_{m:02d}" for m in range(1, 13))
NAMES = "site,lat,lon,wban,sand,sand_5,sand_10,clay_10 (1),texture,igbp,k_sat (cm h-1),ph (-)"
TABLE = f"""{NAMES},{MONTHS}
A,36.1347,-97.1083,53927,60,61,,0.2,loam,10,1.5,6.5,{",".join(str(m / 10) for m in range(1, 13))}
B,35.4,-82.6,53877,40,41,42,0.3,,4,,7,{",".join("1" * 12)}
"""


def write(folder, text=TABLE):
    path = folder / "attributes.csv"
    path.write_text(text)
    return path


def series(*sites, depth=(50.0, 100.0)):
    shape = (len(sites), 3, len(depth))
    return xr.Dataset(
        {"soil_moisture": (("site", "time", "depth"), np.full(shape, 0.2, np.float32))},
        {
            "site": list(sites),
            "time": np.arange(3).astype("M8[D]").astype("M8[ns]"),
            "depth": ("depth", list(depth)),
            "latitude": ("site", [36.135] * len(sites)),
        },
        {"product": "series"},
    )


def test_profiles_months_classes_and_what_the_schema_lacks(tmp_path):
    found = read_attributes(write(tmp_path))
    assert found["depth"].values.tolist() == [50.0, 100.0]
    np.testing.assert_allclose(found["sand"], [[61, np.nan], [41, 42]])
    np.testing.assert_allclose(found["clay"], [[np.nan, 20], [np.nan, 30]], rtol=1e-6)
    np.testing.assert_allclose(found["sand_profile"], [60, 40])
    assert found["leaf_area_monthly"].dims == ("site", "month")
    np.testing.assert_allclose(found["leaf_area_monthly"][0], np.arange(1, 13) / 10, rtol=1e-6)
    assert found["month"].values.tolist() == list(range(1, 13))
    np.testing.assert_allclose(found["land_cover"], [10, 4])
    np.testing.assert_allclose(found["k_sat"], [360, np.nan])
    assert found["texture"].values.tolist() == ["loam", ""]
    assert found["wban"].dtype == np.int64
    assert found["ph (-)"].values.tolist() == [6.5, 7.0]
    assert found["latitude"].values.tolist() == [36.1347, 35.4]
    assert "latitude" in found.coords


def test_classes_may_be_words(tmp_path):
    found = read_attributes(write(tmp_path, "site,koppen,nlcd\nA,Cfa,41\nB,,\n"))
    assert found["koppen"].values.tolist() == ["Cfa", ""]
    np.testing.assert_allclose(found["land_cover"], [41, np.nan])


def test_eleven_months_are_no_year(tmp_path):
    found = read_attributes(write(tmp_path, TABLE.replace("lai_12", "lai_max")))
    assert "leaf_area_monthly" not in found
    assert found["lai_01"].dims == ("site",)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        (TABLE.replace("site,", "place,"), "no column of sites"),
        (TABLE.replace("B,35", "A,35"), "line 3 has A a second time"),
        (TABLE.replace("B,35", ",35"), "line 3 names no site"),
        (TABLE.replace("igbp", "nlcd").replace("wban", "igbp"), "igbp and nlcd for land_cover"),
        (TABLE.replace("35.4", "-95.4"), "lat in attributes.csv is -95.4 in line 3"),
        ("site,sand,silt,clay\nA,0.6,0.3,0.1\n", "add up to one"),
        ("site,sand_5 (1),sand_10 (%)\nA,0.6,30\n", "expected one for all"),
        ("site,sand\nA,160\n", "1 values are outside 0 … 100"),
        ("site,sand\nA,lots\n", "sand is 'lots'"),
    ],
)
def test_what_is_not_right_is_refused(tmp_path, text, match):
    with pytest.raises(InputError, match=match):
        read_attributes(write(tmp_path, text))


def test_sites_join_by_name_in_the_order_of_the_series(tmp_path):
    attributes = read_attributes(write(tmp_path))
    found = join_attributes(series("B").drop_vars("latitude"), attributes)
    assert found["site"].values.tolist() == ["B"]
    assert found["sand_profile"].item() == 40
    assert found.attrs["product"] == "series"
    both = join_attributes(series("B", "A").drop_vars("latitude"), attributes)
    assert both["site"].values.tolist() == ["B", "A"]
    assert both["sand_profile"].values.tolist() == [40.0, 60.0]
    assert both["soil_moisture"].dims == ("site", "time", "depth")


def test_depths_of_either_are_kept(tmp_path):
    found = join_attributes(series("A", depth=(50.0, 200.0)), read_attributes(write(tmp_path)))
    assert found["depth"].values.tolist() == [50.0, 100.0, 200.0]
    np.testing.assert_allclose(found["soil_moisture"][0, 0], [0.2, np.nan, 0.2], rtol=1e-6)
    np.testing.assert_allclose(found["sand"][0], [61, np.nan, np.nan])


def test_strangers_and_differences_are_refused(tmp_path):
    attributes = read_attributes(write(tmp_path))
    with pytest.raises(
        InputError, match=r"1 of 2 sites have no attributes: C; .*without a series: B"
    ):
        join_attributes(series("A", "C"), attributes)
    renamed = attributes.assign_coords(site=["OK_Stillwater_5_WNW", "B"])
    with pytest.raises(InputError, match=r"OK_Stilwater_5_WNW \(near: OK_Stillwater_5_WNW\)"):
        join_attributes(series("OK_Stilwater_5_WNW"), renamed)
    with pytest.raises(InputError, match=r"latitude of B is 36.135 .* and 35.4 .*of one place"):
        join_attributes(series("B"), attributes)
    with pytest.raises(InputError, match="sand lies over"):
        join_attributes(series("A").assign(sand=("site", [1.0])), attributes)
    with pytest.raises(InputError, match="the attributes has no sites"):
        join_attributes(series("A"), attributes.drop_vars("site"))


def test_damaged_copies(tmp_path):
    (tmp_path / "copies").mkdir()
    assert survive(read_attributes, write(tmp_path), tmp_path / "copies") > 0


def test_the_real_table_joins_its_series(real_data):
    path = real_data / "uscrn_attributes_30sites.csv"
    attributes = read_attributes(path)
    found = join_attributes(read_cf(real_data / "uscrn_daily_30sites_2012_2020.nc"), attributes)
    with path.open() as file:
        rows = list(csv.DictReader(file))
    assert found["site"].values.tolist() == [row["site"] for row in rows]
    for i, row in enumerate(rows):
        profile = [float(row[f"sand_{d}"] or "nan") for d in (5, 10, 20, 50, 100)]
        np.testing.assert_allclose(found["sand"][i], profile, rtol=1e-6)
        months = [float(row[f"lai_{m:02d}"]) for m in range(1, 13)]
        np.testing.assert_allclose(found["leaf_area_monthly"][i], months, rtol=1e-6)
        assert found["sand_profile"][i].item() == pytest.approx(float(row["sand"]), rel=1e-6)
        assert found["wbanno"][i].item() == int(row["wbanno"])
        assert found["land_cover"][i].item() == int(row["igbp"])
        assert found["ndvi_07"][i].item() == float(row["ndvi_07"])
        assert found["texture_class"][i].item() == row["texture_class"]
    assert found["precipitation"].chunks is not None
    few = join_attributes(read_cf(real_data / "uscrn_daily_small_5sites_2015_2018.nc"), attributes)
    assert few.sizes["site"] == 5
    assert few["depth"].values.tolist() == [50.0, 100.0, 200.0, 500.0, 1000.0]
