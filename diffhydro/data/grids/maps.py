"""Walking over the maps of a data set: which variables are maps, which are classes, where they go.

A variable with dimensions `y` and `x` is a map; the others pass unchanged. Where a map is chunked,
in time or in anything else, it stays so, and is computed block by block.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from diffhydro.data.grids.grid import Grid, shape
from diffhydro.data.schema import VARIABLES
from diffhydro.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

Kernel = Callable[[np.ndarray], np.ndarray]  # of blocks, the axes that it works on last


def is_code(variable: "xr.DataArray") -> bool:
    """Tell whether values are classes: by the schema, or by CF's attribute `flag_meanings`."""
    known = VARIABLES.get(str(variable.name))
    return (known is not None and known.kind == "code") or "flag_meanings" in variable.attrs


def refuse_mean(variable: "xr.DataArray") -> None:
    """Refuse to average classes, and directions, of which 350° and 10° have no mean of 180°."""
    drop = f"and leave it out here: found.drop_vars({str(variable.name)!r})"
    if is_code(variable):
        raise InputError(
            f"{variable.name} holds classes, whose mean is of no class; use majority_on, "
            f"shares_on or nearest_on for it, {drop}"
        )
    known = VARIABLES.get(str(variable.name))
    if known is not None and known.unit == "degree" and known.most - known.least == 360.0:
        raise InputError(
            f"{variable.name} is a direction, which has no mean in degrees; average its sine and "
            f"cosine, or use nearest_on for it, {drop}"
        )


def maps_of(found: "xr.Dataset") -> list[str]:
    """Name the variables that are maps; of none, refuse."""
    names = [str(name) for name, v in found.data_vars.items() if {"y", "x"} <= set(v.dims)]
    if not names:
        raise InputError(
            "expected variables with dimensions y and x; found "
            f"{', '.join(f'{n}{v.dims}' for n, v in found.data_vars.items()) or 'none'}"
        )
    return names


def floating(kind: np.dtype) -> np.dtype:
    """Give the type that holds a type's values and NaN."""
    return np.result_type(kind, np.float32)


def through(
    variable: "xr.DataArray",
    kernel: Kernel,
    sizes: Mapping[str, int],
    kind: np.dtype,
    over: tuple[str, ...] = ("y", "x"),
) -> "xr.DataArray":
    """Apply a kernel over whole axes, block by block of the others where they are chunked.

    Args:
        kernel: Takes the axes `over` last, gives those of `sizes` in their place.
        kind: The type of what it gives.
    """
    import xarray as xr

    if variable.chunks is not None:
        variable = variable.chunk(dict.fromkeys(over, -1))
    return xr.apply_ufunc(
        kernel,
        variable,
        input_core_dims=[list(over)],
        output_core_dims=[list(sizes)],
        exclude_dims=set(over),
        dask="parallelized",
        output_dtypes=[kind],
        dask_gufunc_kwargs={"output_sizes": dict(sizes)},
        keep_attrs=True,
    )


def on_grid(
    found: "xr.Dataset",
    grid: Grid,
    kernel_of: Callable[["xr.DataArray"], tuple[Kernel, np.dtype]],
    method: str,
    before: Mapping[str, int] | None = None,
) -> "xr.Dataset":
    """Bring every map of a data set onto a grid.

    Args:
        kernel_of: Gives a variable's kernel, and the type of its result; may refuse the variable.
        method: CF's cell method, such as `"mean"`.
        before: Sizes of new dimensions that the kernels put before `y` and `x`.
    """
    rows, columns = shape(grid)
    sizes = {**(before or {}), "y": rows, "x": columns}
    names = maps_of(found)
    made = {}
    for name in names:
        kernel, kind = kernel_of(found[name])
        made[name] = through(found[name], kernel, sizes, kind)
        made[name].attrs["cell_methods"] = f"area: {method}"
    gone = [n for n, v in found.variables.items() if {"y", "x"} & set(v.dims) and n not in names]
    kept = found.drop_vars([*names, *gone]).assign(made)
    kept.attrs.pop("crs", None)
    return kept.assign_coords(
        latitude=("y", grid.latitude, {"units": "degree", "standard_name": "latitude"}),
        longitude=("x", grid.longitude, {"units": "degree", "standard_name": "longitude"}),
    )
