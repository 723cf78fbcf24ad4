"""What has been recently: exponential means of the past of a series, as a store that leaks.

    y_t = y_{t−1} + (x_t − y_{t−1}) / d,        y_{−1} = mean of the first year of x

d is how many records the memory lasts. A network that reads such series needs to remember less by
itself: an antecedent precipitation index is one of them (Kohler & Linsley 1951).
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from diffhydro.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

YEAR = 365  # records that the memory begins with


def recent_mean(values: np.ndarray, lasts: float) -> np.ndarray:
    """Give the exponential mean of the past, the present included, `[..., time]`.

    >>> recent_mean(np.array([[0.0, 4.0]]), 2.0).tolist()
    [[1.0, 2.5]]

    Args:
        values: Without gaps.
        lasts: Records that the memory lasts, 1 or more.
    """
    if not lasts >= 1.0:
        raise InputError(f"a memory that lasts {lasts} records; expected 1 or more")
    if not np.isfinite(values).all():
        raise InputError("a recent mean of a series with gaps; fill them first (data.complete)")
    held = values[..., :YEAR].mean(axis=-1, dtype=np.float64)
    found = np.empty_like(values)
    for t in range(values.shape[-1]):
        held = held + (values[..., t] - held) / lasts
        found[..., t] = held
    return found


def with_recent(dataset: "xr.Dataset", memories: Mapping[str, Sequence[float]]) -> "xr.Dataset":
    """Add recent means: of a series `precipitation` that of 30 days is `precipitation_30`.

    Args:
        memories: Days that memories last, by name of a series `[site, time]`.
    """
    made = {}
    for name, many in memories.items():
        if name not in dataset:
            listed = ", ".join(map(str, dataset.data_vars))
            raise InputError(f"a recent mean of {name}, which the data set lacks; it has {listed}")
        values = dataset[name].transpose("site", "time").values
        for lasts in many:
            attributes = {"units": dataset[name].attrs.get("units", "")}
            made[f"{name}_{lasts:g}"] = ("site", "time"), recent_mean(values, lasts), attributes
    return dataset.assign(made)
