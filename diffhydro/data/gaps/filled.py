"""What filling a gap returns, and what everything that fills one looks like.

An imputer takes series and gives them back with estimates in some of their gaps, and beside every
value how it came about. It never changes what was observed. Estimates are never the ground for
other estimates: imputers learn from observations alone, also when several are applied in order.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from diffhydro.data.gaps.runs import days_per_step, gap_lengths
from diffhydro.data.schema import VARIABLES
from diffhydro.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

COMPANION = "{name}_filled"


class Method(IntEnum):
    """How a value came about."""

    AS_FOUND = 0  # observed, or still missing
    LINEAR = 1
    NEIGHBOURS = 2
    CLIMATOLOGY = 3
    LEARNED = 4


@dataclass(frozen=True, eq=False)
class Filled:
    """Series `[site, time]` with some gaps filled, and the `Method` of every value, `uint8`."""

    values: np.ndarray
    methods: np.ndarray

    @property
    def filled(self) -> np.ndarray:
        """Tell which values are estimates."""
        return self.methods > 0


class AbstractImputer(Protocol):
    """Fills gaps of series `[site, time]`.

    A recurrent network that was trained to do so is one too: it holds its weights and what else it
    reads, and marks its estimates as `Method.LEARNED`.
    """

    def fill(self, values: np.ndarray, times: np.ndarray) -> Filled:
        """Fill what can be filled.

        Args:
            values: `[site, time]`, NaN for missing.
            times: In equal steps.
        """
        ...


def put(
    values: np.ndarray, estimates: np.ndarray, method: Method, allowed: np.ndarray | bool = True
) -> Filled:
    """Put estimates where values are missing, where an estimate is finite, and where allowed."""
    values = np.asarray(values)
    at = np.isnan(values) & np.isfinite(estimates) & allowed
    return Filled(
        np.where(at, estimates, values).astype(values.dtype),
        np.where(at, np.uint8(method), np.uint8(Method.AS_FOUND)),
    )


def short_gaps(values: np.ndarray, times: np.ndarray, limit: float) -> np.ndarray:
    """Tell which values lie in a gap of at most `limit` days."""
    missing = np.isnan(values)
    return missing & (gap_lengths(missing) * days_per_step(times) <= limit)


def learnable(times: np.ndarray, period: tuple[str, str] | None) -> np.ndarray:
    """Tell which times lie in a period, of which the first and the last date are given."""
    dates = np.asarray(times).astype("datetime64[D]")
    if period is None:
        return np.ones(len(dates), bool)
    first, last = (np.datetime64(date, "D") for date in period)
    inside = (dates >= first) & (dates <= last)
    if not inside.any():
        raise InputError(f"no record lies in the period from {first} to {last} to learn from")
    return inside


def fill(dataset: "xr.Dataset", imputer: AbstractImputer, names: Iterable[str]) -> "xr.Dataset":
    """Fill variables of a data set; beside each comes `<name>_filled` with the methods.

    What an earlier filling put in stays and is not learned from. Depths are filled one by one.
    Loads the variables.
    """
    return dataset.assign(
        {key: made for name in names for key, made in _variable(dataset, name, imputer).items()}
    )


def _variable(dataset: "xr.Dataset", name: str, imputer: AbstractImputer) -> dict[str, Any]:
    import xarray as xr

    _check(dataset, name)
    dims = dataset[name].dims
    order = tuple(d for d in dims if d != "depth" and d != "time")
    layers = tuple(d for d in dims if d == "depth")
    found = dataset[name].transpose(*layers, *order, "time")
    times = dataset["time"].values
    companion = COMPANION.format(name=name)
    values = np.asarray(found.values)
    before = np.zeros(values.shape, np.uint8)
    if companion in dataset:
        before = np.asarray(dataset[companion].transpose(*found.dims).values, np.uint8)
    flat = (-1, int(np.prod([found.sizes[d] for d in order], dtype=int)), len(times))
    observed = np.where(before > 0, np.nan, values).reshape(flat)
    made = [imputer.fill(layer, times) for layer in observed]
    new = np.stack([one.values for one in made]).reshape(values.shape)
    methods = np.stack([one.methods for one in made]).reshape(values.shape)
    kept = before > 0
    filled = xr.Variable(found.dims, np.where(kept, values, new), found.attrs)
    filled.attrs["ancillary_variables"] = companion
    how = xr.Variable(found.dims, np.where(kept, before, methods), _attributes(name))
    return {name: filled.transpose(*dims), companion: how.transpose(*dims)}


def _attributes(name: str) -> dict[str, Any]:
    return {
        "long_name": f"how {name} came about",
        "flag_values": np.array([m.value for m in Method], np.uint8),
        "flag_meanings": " ".join(m.name.lower() for m in Method),
    }


def _check(dataset: "xr.Dataset", name: str) -> None:
    if name not in dataset.data_vars:
        listed = ", ".join(map(str, dataset.data_vars))
        raise InputError(f"there is no {name} to fill; the data set has {listed}")
    if "time" not in dataset[name].dims:
        raise InputError(f"{name} does not vary in time; only series are filled")
    if name in VARIABLES and VARIABLES[name].kind == "code":
        raise InputError(f"{name} holds classes, which have no values in between")
