"""Both generations of NetCDF, read part by part, against the libraries that wrote them."""

import pickle

import h5py
import numpy as np
import pytest
from scipy.io import netcdf_file

from diffhydro.data.readers.files import reading
from diffhydro.data.readers.heaps import check_heaps
from diffhydro.data.readers.maps.netcdf3 import Classic
from diffhydro.data.readers.maps.netcdf4 import Hdf5
from diffhydro.data.readers.maps.opening import container, names_in, open_map
from diffhydro.errors import InputError
from tests.data.readers.map_files import grid, values, write

EVERYTHING = (slice(None),) * 3


def classic(path, version=1, records=True, others=True):
    with netcdf_file(str(path), "w", version=version) as file:
        file.createDimension("time", None if records else 3)
        file.createDimension("lat", 2)
        file.createDimension("lon", 3)
        time = file.createVariable("time", "i4", ("time",))
        time.units = "hours since 1900-01-01 00:00:00.0"
        time[:] = np.array([0, 6, 12])
        for name, size in (("lat", 2), ("lon", 3)):
            axis = file.createVariable(name, "f4", (name,))
            axis[:] = np.arange(size, dtype="f4")
        packed = file.createVariable("packed", "i2", ("time", "lat", "lon"))
        packed[:] = np.arange(-9, 9, dtype="i2").reshape(3, 2, 3)
        packed.scale_factor, packed.add_offset = 0.5, 10.0
        packed._FillValue = packed.missing_value = np.int16(-9)
        if others:
            double = file.createVariable("double", "f8", ("time", "lat", "lon"))
            double[:] = np.arange(18.0).reshape(3, 2, 3)
    return path


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("records", [True, False])
@pytest.mark.parametrize("others", [True, False])
def test_classic_files_are_read_as_scipy_writes_them(tmp_path, version, records, others):
    path = classic(tmp_path / "a.nc", version, records, others)
    fields = Classic(path).fields(Classic(path).names(), "test")
    with netcdf_file(str(path), "r", mmap=False) as file:
        for name, variable in file.variables.items():
            field = fields[name]
            assert field.dimensions == variable.dimensions
            np.testing.assert_array_equal(
                field.read((slice(None),) * field.ndim), variable.data, err_msg=name
            )
    np.testing.assert_array_equal(
        fields["packed"][1:, :, 2:], np.arange(-9, 9).reshape(3, 2, 3)[1:, :, 2:] * 0.5 + 10.0
    )
    assert np.isnan(fields["packed"].all()).sum() == 1


def test_a_file_in_memory_is_read_as_one_on_disk(tmp_path):
    path = classic(tmp_path / "a.nc")
    memory = open_map(path, "test", ["packed"], content=path.read_bytes())
    assert memory.load().identical(open_map(path, "test", ["packed"]).load())


def test_unsigned_numbers_of_classic_files(tmp_path):
    path = classic(tmp_path / "a.nc")
    content = path.read_bytes().replace(b"missing_value", b"_Unsigned\0\0\0\0")
    found = Classic(path, content).fields(["packed"], "test")["packed"]
    assert found.read(EVERYTHING).min() == -9
    with netcdf_file(str(path), "a") as file:
        file.variables["packed"]._Unsigned = b"true"
    whole = Classic(path).fields(["packed"], "test")["packed"].all()
    assert np.nanmax(whole) == 65535 * 0.5 + 10.0


def test_what_does_not_fit_in_the_file_is_refused(tmp_path):
    path = classic(tmp_path / "a.nc")
    whole = path.read_bytes()
    for length in (3, 10, 100, len(whole) - 40):
        path.write_bytes(whole[:length])
        with pytest.raises(InputError, match="not readable as test"):
            open_map(path, "test", ["packed"])


def test_hdf5_is_decoded_part_by_part(tmp_path):
    stored = np.array([[[100, 32767], [0, 7]]], np.uint16)
    attributes = {"scale_factor": 0.1, "add_offset": -5.0, "_FillValue": np.uint16(32767)}
    path = write(
        tmp_path / "a.nc",
        {
            **grid([1.0, 0.0], [10.0, 11.0]),
            "day": (("day",), np.array([43_000.0]), {"units": "days since 1900-01-01"}),
            "rain": (("day", "lat", "lon"), stored, attributes),
        },
    )
    found = open_map(path, "test", ["rain", "snow"])
    np.testing.assert_allclose(found["rain"].values, [[[5.0, np.nan], [-5.0, -4.3]]])
    assert list(found.data_vars) == ["rain"]
    assert found["time"].values[0] == np.datetime64("2017-09-24")
    assert sorted(names_in(path)) == ["day", "lat", "lon", "rain"]


def test_dimensions_without_scales_are_named_by_a_list(tmp_path):
    path = tmp_path / "a.HDF5"
    with h5py.File(path, "w") as file:
        group = file.create_group("Grid")
        group["lat"], group["lon"], group["time"] = [0.0, 1.0], [5.0, 6.0, 7.0], [0]
        group["rain"] = np.arange(6.0).reshape(1, 3, 2)
        for name in ("lat", "lon", "time"):
            group[name].attrs["DimensionNames"] = name
        group["rain"].attrs["DimensionNames"] = "time,lon,lat"
        group["time"].attrs["units"] = "seconds since 1980-01-06 00:00:00 UTC"
    found = open_map(path, "test", ["rain"], group="Grid")
    np.testing.assert_array_equal(found["rain"].values, [[[0.0, 2.0, 4.0], [1.0, 3.0, 5.0]]])


def test_what_lies_in_other_files_is_not_followed(tmp_path):
    path = tmp_path / "a.nc"
    with h5py.File(path, "w") as file:
        file["rain"] = h5py.ExternalLink("other.nc", "/rain")
        file.create_dataset("raw", (4,), "u1", external=[(str(tmp_path / "secret"), 0, 4)])
    for name in ("rain", "raw"):
        with pytest.raises(InputError, match=f"{name} of .* is not stored in the file"):
            Hdf5(path).fields([name], "test")


def test_a_heap_without_an_end_is_refused_and_not_walked(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file.attrs["text"] = "of any length"
    whole = path.read_bytes()
    check_heaps(path)
    at = whole.index(b"GCOL") + 16
    path.write_bytes(whole[:at] + bytes(64) + whole[at + 64 :])
    with pytest.raises(InputError, match="a heap of attributes does not end"):
        check_heaps(path)
    with pytest.raises(InputError, match="does not end"), reading(path, "test"):
        container(path).names()


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"lat": (("lat",), [91.0, 0.0], {})}, "does not run through degrees"),
        ({"lon": (("lon",), [10.0, np.nan], {})}, "does not run through degrees"),
        ({"time": (("time",), [0.0], {"units": "months since 1900-01-01"})}, "expected '<days>"),
        ({"time": (("time",), [1e9], {"units": "days since 1900-01-01"})}, "before 2200"),
        ({"rain": (("lat",), [1.0, 2.0], {})}, "rain of .* lies over lat; expected lat, lon, time"),
    ],
)
def test_axes_that_are_none_are_refused(tmp_path, change, match):
    variables = {
        **grid([1.0, 0.0], [10.0, 11.0]),
        "time": (("time",), np.array([0.0]), {"units": "days since 1900-01-01"}),
        "rain": (("time", "lat", "lon"), values((1, 2, 2), 0.0, 1.0), {}),
    }
    with pytest.raises(InputError, match=match):
        open_map(write(tmp_path / "a.nc", variables | change), "test", ["rain"])


def test_errors_of_reading_later_name_the_file(tmp_path):
    variables = {
        **grid([1.0, 0.0], [10.0, 11.0]),
        "time": (("time",), np.array([0.0]), {"units": "days since 1900-01-01"}),
        "rain": (("time", "lat", "lon"), values((1, 2, 2), 0.0, 1.0), {}),
    }
    found = open_map(write(tmp_path / "a.nc", variables), "test", ["rain"])
    (tmp_path / "a.nc").write_bytes(b"\x89HDF nothing more")
    with pytest.raises(InputError, match=r"a\.nc is not readable as test"):
        found.load()


def test_parts_read_in_other_processes_are_the_same(tmp_path):
    variables = {
        **grid([1.0, 0.0], [10.0, 11.0]),
        "time": (("time",), np.array([0.0]), {"units": "days since 1900-01-01"}),
        "rain": (("time", "lat", "lon"), values((1, 2, 2), 0.0, 1.0), {}),
    }
    field = Hdf5(write(tmp_path / "a.nc", variables)).fields(["rain"], "test")["rain"]
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(field)).all(), field.all())
    other = Classic(classic(tmp_path / "b.nc")).fields(["packed"], "test")["packed"]
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(other)).all(), other.all())
