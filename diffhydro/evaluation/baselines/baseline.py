"""What a baseline is: it learns from the sites of a training fold, and predicts soil moisture."""

from typing import TYPE_CHECKING, Protocol

import numpy as np

from diffhydro.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

TARGET = "soil_moisture"


class AbstractFitted(Protocol):
    """A baseline that has learnt."""

    def predict(self, dataset: "xr.Dataset") -> "xr.DataArray":
        """Predict soil moisture `[site, time]` at the sites and times of a data set."""
        ...


class AbstractBaseline(Protocol):
    """What every model is compared with; all that it learns comes from `training`."""

    def fit(self, training: "xr.Dataset") -> AbstractFitted:
        """Learn from one side of a fold, a data set of the schema."""
        ...


def observed(dataset: "xr.Dataset", depth: float | None) -> "xr.DataArray":
    """Take soil moisture `[site, time]` at a depth in mm; None where it has no depths."""
    if TARGET not in dataset:
        raise InputError(
            f"the data set has no {TARGET}; it has {', '.join(map(str, dataset.data_vars))}"
        )
    found = dataset[TARGET]
    if depth is not None:
        if "depth" not in found.dims:
            raise InputError(f"{TARGET} has no depths; give depth=None")
        depths = np.asarray(dataset["depth"].values, np.float64)
        at = np.flatnonzero(np.isclose(depths, depth))
        if not len(at):
            listed = ", ".join(f"{d:g}" for d in depths)
            raise InputError(f"there is no depth of {depth:g} mm; depths are {listed}")
        found = found.isel(depth=int(at[0]), drop=True)
    if set(found.dims) != {"site", "time"}:
        raise InputError(f"{TARGET} is over {', '.join(map(str, found.dims))}, not site and time")
    return found.transpose("site", "time").astype(np.float64)


def predicted(dataset: "xr.Dataset", values: np.ndarray) -> "xr.DataArray":
    """Name predictions `[site, time]` as the data set's own."""
    import xarray as xr

    kept = {
        name: c for name, c in dataset.coords.items() if set(c.dims) <= {"site", "time"} and c.dims
    }
    return xr.DataArray(
        values, dims=("site", "time"), coords=kept, name=TARGET, attrs={"units": "m3 m-3"}
    )


def names(dataset: "xr.Dataset") -> list[str]:
    """Give the sites' names."""
    return [str(name) for name in dataset["site"].values]


def some(known: np.ndarray, what: str) -> None:
    """Refuse a training in which nothing was observed."""
    if not known.any():
        raise InputError(f"{what} learns from observations, and the training fold has none")
