"""Two series of the same things, side by side as rows of numbers, and back to named axes."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from diffhydro.errors import InputError

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True, eq=False)
class Paired:
    """Simulated and observed `[row, step]`; a row is one place of all axes but one.

    Args:
        simulated: NaN where either is missing, as is `observed`.
        at: What the steps are: dates, or numbers.
        template: An array over the other axes, with their coordinates.
    """

    simulated: np.ndarray
    observed: np.ndarray
    at: np.ndarray
    template: "xr.DataArray"

    @classmethod
    def of(cls, simulated: "xr.DataArray", observed: "xr.DataArray", over: str) -> "Paired":
        """Take what both have along `over`; everything else must be the same places."""
        simulated, observed = together(over, simulated=simulated, observed=observed)
        others = [d for d in (*simulated.dims, *observed.dims) if d != over]
        others = list(dict.fromkeys(others))
        template = simulated.isel({over: 0}, drop=True) * observed.isel({over: 0}, drop=True) * 0.0
        template = template.transpose(*others)
        sizes = {str(d): template.sizes[d] for d in others}
        s, o = (rows(x, over, sizes) for x in (simulated, observed))
        missing = ~(np.isfinite(s) & np.isfinite(o))
        s[missing], o[missing] = np.nan, np.nan
        return cls(s, o, simulated[over].values, template)

    def named(self, values: np.ndarray, **more: Any) -> "xr.DataArray":
        """Give numbers `[row, …]` their axes back, then those of `more` with their labels."""
        import xarray as xr

        shape = self.template.shape + values.shape[1:]
        dims = (*self.template.dims, *more)
        return xr.DataArray(
            values.reshape(shape), dims=dims, coords={**self.template.coords, **more}
        )


def together(over: str, **given: "xr.DataArray") -> tuple["xr.DataArray", ...]:
    """Keep the steps that all have along `over`, and refuse arrays of different places."""
    import xarray as xr

    for name, one in given.items():
        if over not in one.dims:
            raise InputError(
                f"{name} has no dimension {over}; it has {', '.join(map(str, one.dims)) or 'none'}"
            )
        if over in one.indexes and not one.indexes[over].is_unique:
            raise InputError(f"{name} has a value of {over} twice; steps must differ")
    try:
        # An outer join of one axis at a time: places must be the same, times need not.
        found = xr.align(*given.values(), join="inner", exclude=_others(over, given))
        xr.align(*found, join="exact", exclude={over})
    except ValueError as error:  # of xarray, which names the axis
        said = "; ".join(f"{name}: {dict(one.sizes)}" for name, one in given.items())
        raise InputError(f"the series are not of the same places ({said}): {error}") from error
    if found[0].sizes[over] == 0:
        spans = "; ".join(f"{n}: {_span(one[over].values)}" for n, one in given.items())
        raise InputError(f"no step of {over} is in all of the series ({spans})")
    return tuple(found)


def rows(values: "xr.DataArray", over: str, sizes: dict[str, int]) -> np.ndarray:
    """Lay an array out as `[row, step]` in float64, repeated along axes of `sizes` it lacks."""
    lacking = {name: size for name, size in sizes.items() if name not in values.dims}
    spread = values.variable.set_dims({**lacking, **dict(values.sizes)})
    spread = spread.transpose(*sizes, over)
    return np.array(spread.values, np.float64).reshape(-1, values.sizes[over])


def _others(over: str, given: dict[str, "xr.DataArray"]) -> set[Any]:
    return {d for one in given.values() for d in one.dims if d != over}


def _span(steps: np.ndarray) -> str:
    if len(steps) == 0:
        return "none"
    first, last = (
        np.datetime_as_string(x, "D") if steps.dtype.kind == "M" else str(x)
        for x in (steps[0], steps[-1])
    )
    return f"{first} to {last}"
