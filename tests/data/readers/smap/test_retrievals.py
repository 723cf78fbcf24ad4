from pathlib import Path

import h5py
import numpy as np
import pytest

from diffhydro.data.ease import EASE_9, EASE_36
from diffhydro.data.readers.raster.points import at_points
from diffhydro.data.readers.smap.granule import looks_like_smap
from diffhydro.data.readers.smap.retrievals import Retrieval, Surface, read_smap
from diffhydro.errors import InputError
from tests.data.damage import survive_apart

ROW, COLUMN = 83, 222  # the 36 km cell of Stillwater, Oklahoma
STILLWATER = (36.118, -97.091)
BOX = (-98.0, 35.0, -93.0, 37.0)
ROWS, COLUMNS = EASE_36.within(BOX)
FLOATS = {
    "soil_moisture": 0.25,
    "vegetation_opacity": 0.2,
    "vegetation_water_content": 1.5,
    "surface_temperature": 290.15,
    "tb_h_corrected": 240.0,
    "tb_v_corrected": 260.0,
    "albedo": 0.07,
    "roughness_coefficient": 0.13,
    "freeze_thaw_fraction": 0.0,
    "bulk_density": 1.4,
    "clay_fraction": 0.22,
    "static_water_body_fraction": 0.01,
}
FLAGS = ("retrieval_qual_flag", "surface_flag", "tb_qual_flag_h", "tb_qual_flag_v")


def name(day, enhanced=False):
    return f"SMAP_L3_SM_P_{'E_' if enhanced else ''}{day}_R18290_001.h5"


def granule(folder, day="20150401", grid=EASE_36, cells=None, extra=(), floats=FLOATS):
    """Write a granule as SPL3SMP has it: two groups, no dimension scales, fills where nothing is.

    `cells` gives, by overpass, what one cell (or the cells east of it) holds that differs from
    `floats` and from flags of 0.
    """
    path = folder / name(day, grid is EASE_9)
    shape = (grid.rows, grid.columns)
    cells = {"AM": {}, "PM": {}} if cells is None else cells
    with h5py.File(path, "w") as file:
        for overpass, suffix in (("AM", ""), ("PM", "_pm")):
            group = file.create_group(f"Soil_Moisture_Retrieval_Data_{overpass}")
            here = cells.get(overpass)
            values = {**floats, **dict.fromkeys(FLAGS, 0)}
            for label, value in values.items():
                is_flag = label in FLAGS
                fill = np.uint16(65534) if is_flag else np.float32(-9999.0)
                raw = np.full(shape, fill)
                if here is not None:
                    mine = np.atleast_1d(here.get(label, value))
                    raw[ROW, COLUMN : COLUMN + mine.size] = mine
                made = group.create_dataset(label + suffix, data=raw, compression=1)
                made.attrs["_FillValue"] = fill
            rows, columns = np.full((2, *shape), 65534, np.uint16)
            rows[ROW, COLUMN], columns[ROW, COLUMN] = ROW, COLUMN
            group.create_dataset("EASE_row_index" + suffix, data=rows, compression=1)
            group.create_dataset("EASE_column_index" + suffix, data=columns, compression=1)
        for path_in_file, data in extra:
            file[path_in_file] = data
    return path


def read(path, **options):
    return read_smap(path, box=BOX, **options)


def cell(found):
    return found.isel(time=0, y=ROW - ROWS.start, x=COLUMN - COLUMNS.start).load()


def test_units_depth_and_places(tmp_path):
    path = granule(tmp_path)
    assert read_smap(path).sizes == {"time": 1, "y": 406, "x": 964, "depth": 1}
    found = read(path)
    here = cell(found)
    assert found["time"].values[0] == np.datetime64("2015-04-01")
    assert (found["depth"].item(), found["top"].item(), found["bottom"].item()) == (25, 0, 50)
    for label, value in {
        "soil_moisture": 0.25,
        "surface_temperature": 17.0,
        "vegetation_water": 1.5,
        "brightness_h": 240.0,
        "brightness_v": 260.0,
        "albedo": 0.07,
        "roughness": 0.13,
        "vegetation_opacity": 0.2,
        "frozen_share": 0.0,
        "bulk_density": 1.4,
        "clay": 22.0,
        "water_share": 0.01,
    }.items():
        assert here[label].item() == pytest.approx(value, rel=2e-6), label
        assert found[label].dtype == np.float32
    assert np.isfinite(found["soil_moisture"].values).sum() == 1
    assert found["clay"].dims == ("depth", "y", "x")
    assert here["latitude"].item() == pytest.approx(EASE_36.latitude[ROW])
    assert at_points(found, *STILLWATER)["soil_moisture"].values.ravel() == [np.float32(0.25)]
    assert found.attrs["overpass"] == "06:00 and 18:00 local solar time"
    assert found.attrs["time_zone"] == "UTC"


def test_overpasses_are_averaged_over_those_that_are_kept(tmp_path):
    cells = {"AM": {"soil_moisture": 0.2}, "PM": {"soil_moisture": 0.4}}
    path = granule(tmp_path, cells=cells)
    both, morning, evening = (
        cell(read(path, overpasses=over))["soil_moisture"].item()
        for over in (("AM", "PM"), ("AM",), ("PM",))
    )
    assert (both, morning, evening) == pytest.approx((0.3, 0.2, 0.4))
    cells["PM"]["retrieval_qual_flag"] = 1
    path = granule(tmp_path, cells=cells)
    assert cell(read(path))["soil_moisture"].item() == pytest.approx(0.2)
    assert np.isnan(cell(read(path, overpasses=("PM",)))["soil_moisture"].item())


def test_recommended_retrievals_are_0_and_8(tmp_path):
    flags = np.array([0, 8, 1, 2, 4, 7, 9, 65534], np.uint16)
    moistures = np.full(8, 0.25, np.float32)
    here = {"retrieval_qual_flag": flags, "soil_moisture": moistures, "albedo": moistures}
    here |= {"vegetation_opacity": moistures}
    found = read(granule(tmp_path, cells={"AM": here}), overpasses=("AM",)).load()
    at = COLUMN - COLUMNS.start
    found = found.isel(time=0, y=ROW - ROWS.start, x=slice(at, at + 8))
    expected = [True, True] + 6 * [False]
    assert np.isfinite(found["soil_moisture"].values[0]).tolist() == expected
    assert np.isfinite(found["vegetation_opacity"].values).tolist() == expected
    assert np.isfinite(found["albedo"].values).all()


def test_bits_are_arguments(tmp_path):
    frozen = 1 << Surface.FROZEN_BY_MODEL
    path = granule(tmp_path, cells={"AM": {"surface_flag": frozen, "retrieval_qual_flag": 1}})
    here = {"overpasses": ("AM",), "refuse_retrieval": (Retrieval.NOT_SUCCESSFUL,)}

    def moisture(**options):
        return cell(read(path, **here, **options))["soil_moisture"].item()

    assert moisture() == pytest.approx(0.25)
    assert moisture(refuse_surface=(Surface.SNOW, Surface.URBAN)) == pytest.approx(0.25)
    assert np.isnan(moisture(refuse_surface=(Surface.SNOW, Surface.FROZEN_BY_MODEL)))
    unflagged = cell(read(path, overpasses=("AM",), refuse_retrieval=()))
    assert unflagged["soil_moisture"].item() == pytest.approx(0.25)
    with pytest.raises(InputError, match="refuse_surface is"):
        moisture(refuse_surface=(16,))


def test_brightness_has_flags_of_its_own(tmp_path):
    path = granule(tmp_path, cells={"AM": {"tb_qual_flag_h": 1, "tb_qual_flag_v": 2}})
    found = cell(read(path, overpasses=("AM",)))
    assert np.isnan(found["brightness_h"].item())
    assert found["brightness_v"].item() == 260.0


def test_days_are_lazy_and_missing_ones_are_missing(tmp_path):
    for day, value in (("20150401", 0.1), ("20150404", 0.3)):
        granule(tmp_path, day, cells={"AM": {"soil_moisture": value, "clay_fraction": value}})
    found = read(tmp_path, overpasses=("AM",))
    assert found["soil_moisture"].chunks[0] == (1, 1, 1, 1)
    assert found["time"].values[-1] == np.datetime64("2015-04-04")
    series = at_points(found, *STILLWATER)
    np.testing.assert_allclose(series["soil_moisture"].values.ravel(), [0.1, np.nan, np.nan, 0.3])
    assert series["clay"].values.item() == pytest.approx(20.0)
    (tmp_path / name("20150404")).unlink()
    with pytest.raises(InputError, match="no file at"):
        found["soil_moisture"].load()


def test_a_box_is_what_the_whole_has_there(tmp_path):
    path = granule(tmp_path)
    part, whole = read_smap(path, box=(-99.0, 34.0, -95.0, 38.0)), read_smap(path)
    assert 9 < part.sizes["x"] < 14
    rows, columns = EASE_36.within((-99.0, 34.0, -95.0, 38.0))
    assert rows.start <= ROW < rows.stop
    np.testing.assert_array_equal(
        part["albedo"].values, whole["albedo"].isel(y=rows, x=columns).values
    )
    np.testing.assert_array_equal(part["latitude"], whole["latitude"][rows])


def test_the_enhanced_grid(tmp_path):
    few = {k: FLOATS[k] for k in ("soil_moisture", "albedo")}
    latitude, longitude = EASE_9.centre(ROW, COLUMN)
    box = (float(longitude) - 2.0, float(latitude) - 2.0, float(longitude) + 2.0, 85.0)
    found = read_smap(granule(tmp_path, grid=EASE_9, floats=few), box=box)
    assert found.attrs["product"] == "SMAP SPL3SMP_E"
    assert set(found.data_vars) == {"soil_moisture", "albedo"}
    rows, columns = EASE_9.within(box)
    here = np.argwhere(np.isfinite(found["albedo"].values[0]))
    assert here.tolist() == [[ROW - rows.start, COLUMN - columns.start]]
    at = at_points(found, latitude, longitude)
    assert at["albedo"].values.item() == np.float32(0.07)


def test_what_is_refused(tmp_path):
    path = granule(tmp_path)
    for options, match in (
        ({"overpasses": ("am",)}, "expected AM, PM or both"),
        ({"overpasses": ()}, "expected AM, PM or both"),
        ({"box": (10.0, 0.0, -10.0, 5.0)}, "west, south, east, north"),
        ({"box": (-10.0, 86.0, 10.0, 90.0)}, "beyond the grid"),
    ):
        with pytest.raises(InputError, match=match):
            read_smap(path, **options)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no file SMAP_L3_SM_P"):
        read_smap(tmp_path / "empty")
    other = tmp_path / "SMAP_L3_SM_P_20150401_R18290_002.h5"
    other.write_bytes(path.read_bytes())
    with pytest.raises(InputError, match="are the same day"):
        read_smap(tmp_path)
    for label in ("SMAP_L3_SM_P_20151331_R18290_001.h5", "SMAP_L3_SM_P_19990101_R18290_001.h5"):
        other = other.rename(tmp_path / label)
        with pytest.raises(InputError, match="is not named like"):
            read_smap(other)
    assert looks_like_smap(path)
    assert looks_like_smap(tmp_path)
    assert not looks_like_smap(Path("SMAP_L4_SM_20150401.h5"))


def rewritten(path, label, **made):
    with h5py.File(path, "a") as file:
        del file[label]
        if made:
            file.create_dataset(label, **made)
    return path


def test_hostile_structures_are_refused(tmp_path):
    group = "Soil_Moisture_Retrieval_Data_AM"
    cases = (
        ("soil_moisture", {"shape": (2**31, 2**31), "dtype": "f4", "chunks": (64, 64)}, "cells"),
        ("soil_moisture", {"shape": (406, 964), "dtype": "u2"}, "expected numbers"),
        ("retrieval_qual_flag", {"shape": (406, 964), "dtype": "f4"}, "expected flags"),
        ("retrieval_qual_flag", {}, "has no retrieval_qual_flag"),
    )
    for label, made, match in cases:
        path = rewritten(granule(tmp_path), f"{group}/{label}", **made)
        with pytest.raises(InputError, match=match):
            read_smap(path)
    secret = tmp_path / "secret"
    secret.write_bytes(bytes(4 * 406 * 964))
    path = rewritten(granule(tmp_path), f"{group}/soil_moisture")
    with h5py.File(path, "a") as file:
        file[group].create_dataset(
            "soil_moisture", (406, 964), "f4", external=[(str(secret), 0, 4 * 406 * 964)]
        )
    with pytest.raises(InputError, match="stored in the file"):
        read_smap(path, overpasses=("AM",))
    path = rewritten(granule(tmp_path), f"{group}/soil_moisture")
    with h5py.File(path, "a") as file:
        file[f"{group}/soil_moisture"] = h5py.ExternalLink(str(path), f"{group}/albedo")
    with pytest.raises(InputError, match="has no soil_moisture"):
        read_smap(path)


def test_rows_that_do_not_count_the_grid_are_refused(tmp_path):
    rows = np.full((406, 964), 65534, np.uint16)
    rows[ROW, COLUMN] = ROW + 1
    path = rewritten(granule(tmp_path), "Soil_Moisture_Retrieval_Data_AM/EASE_row_index", data=rows)
    with pytest.raises(InputError, match="does not count the cells"):
        read_smap(path)


def test_the_real_geolocation_sample_is_no_granule(real_data, tmp_path):
    source = real_data / "raw" / "smap" / "SPL3SMP_009_geolocation_subset.nc4"
    path = tmp_path / name("20150401")
    path.write_bytes(source.read_bytes())
    with pytest.raises(InputError, match="soil_moisture of"):
        read_smap(path)


@pytest.mark.slow
def test_damaged_copies(tmp_path):
    few = {k: FLOATS[k] for k in ("soil_moisture", "bulk_density")}
    whole = granule(tmp_path, floats=few)
    (tmp_path / "copies").mkdir()
    refused = survive_apart(
        "diffhydro.data.readers.smap.retrievals:read_smap", whole, tmp_path / "copies"
    )
    assert refused > 0
