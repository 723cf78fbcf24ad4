"""Files of maps as products write them: stored numbers, types and attributes are the test's own."""

from pathlib import Path

import h5netcdf
import numpy as np
from scipy.io import netcdf_file


def write(path: Path, variables, group=None, unlimited=(), **attributes) -> Path:
    """Write NetCDF-4.

    Args:
        variables: By name the dimensions, the stored numbers, and attributes; `chunks` is not one.
        unlimited: Dimensions without an end.
    """
    sizes = {}
    for dimensions, numbers, _ in variables.values():
        sizes |= dict(zip(dimensions, np.shape(numbers), strict=True))
    with h5netcdf.File(path, "w") as file:
        place = file.create_group(group) if group else file
        place.dimensions = {n: None if n in unlimited else s for n, s in sizes.items()}
        for name in unlimited:
            place.resize_dimension(name, sizes[name])
        for name, (dimensions, numbers, about) in variables.items():
            about = dict(about)
            made = place.create_variable(
                name,
                dimensions,
                np.asarray(numbers).dtype,
                fillvalue=about.pop("_FillValue", None),
                chunks=about.pop("chunks", None),
                compression="gzip" if dimensions else None,
            )
            made[...] = numbers
            for key, value in about.items():
                # Fixed in length, as the C library writes texts.
                made.attrs[key] = np.bytes_(value) if isinstance(value, str) else value
        for key, value in attributes.items():
            file.attrs[key] = value
    return path


def grid(latitudes, longitudes, names=("lat", "lon"), dtype=np.float32):
    """Give the variables of a regular grid."""
    rows, columns = names
    return {
        rows: ((rows,), np.asarray(latitudes, dtype), {"units": "degrees_north"}),
        columns: ((columns,), np.asarray(longitudes, dtype), {"units": "degrees_east"}),
    }


def values(shape, least, most, seed=0, dtype=np.float32):
    """Give numbers without a pattern."""
    return np.random.default_rng(seed).uniform(least, most, shape).astype(dtype)


def write_classic(path: Path, variables, version=2) -> Path:
    """Write NetCDF as `write` does, of the generation before; no dimension is without an end."""
    with netcdf_file(str(path), "w", version=version) as file:
        for dimensions, numbers, _ in variables.values():
            for name, size in zip(dimensions, np.shape(numbers), strict=True):
                if name not in file.dimensions:
                    file.createDimension(name, size)
        for name, (dimensions, numbers, about) in variables.items():
            made = file.createVariable(name, np.asarray(numbers).dtype, dimensions)
            made[...] = numbers
            for key, value in about.items():
                setattr(made, key, value)
    return path
