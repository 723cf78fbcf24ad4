"""Weather without gaps, for models that cannot have any: every estimate is marked and counted.

Short gaps of what changes smoothly are bridged by a line, and the rest takes the usual course of
the year, rain too, so that the mean of the water is right where its days are not known. Leaf area
that is only known by month is drawn through the middles of the months.
"""

from typing import TYPE_CHECKING

import numpy as np

from diffhydro.data.gaps import Chain, Climatology, Linear, fill
from diffhydro.data.gaps.filled import COMPANION, Method
from diffhydro.data.weather import SERIES

if TYPE_CHECKING:
    import xarray as xr

SHORT = 3.0  # days
_SMOOTH = tuple(name for name in (*SERIES, "relative_humidity") if name != "precipitation")
_YEAR = 365.2425
_MIDDLES = np.array([15.5, 45, 74.5, 105, 135.5, 166, 196.5, 227.5, 258, 288.5, 319, 349.5])


def complete(dataset: "xr.Dataset") -> tuple["xr.Dataset", list[str]]:
    """Fill what a model would refuse.

    Returns:
        The data set, and what was done to it, in words.
    """
    dataset, notes = _with_leaves(dataset)
    usual = Climatology()
    for name in ("precipitation", *_SMOOTH):
        if name not in dataset or "time" not in dataset[name].dims:
            continue
        if not np.isnan(dataset[name].values).any():
            continue
        imputer = usual if name == "precipitation" else Chain((Linear(SHORT), usual))
        dataset = fill(dataset, imputer, [name])
        notes.append(_told(dataset, name))
    return dataset, notes


def daily_from_monthly(monthly: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Draw a line `[site, time]` through the middles of twelve months, `[site, month]`.

    >>> flat = daily_from_monthly(np.ones((1, 12)), np.array(["2020-02-29"], "datetime64[D]"))
    >>> flat.tolist()
    [[1.0]]
    """
    days = np.asarray(times).astype("datetime64[D]")
    day = (days - days.astype("datetime64[Y]").astype("datetime64[D]")).astype(float) + 0.5
    middles = np.concatenate([[_MIDDLES[-1] - _YEAR], _MIDDLES, [_MIDDLES[0] + _YEAR]])
    around = np.concatenate([monthly[:, -1:], monthly, monthly[:, :1]], axis=1)
    return np.stack([np.interp(day, middles, one) for one in around])


def _with_leaves(dataset: "xr.Dataset") -> tuple["xr.Dataset", list[str]]:
    if "leaf_area" in dataset or "leaf_area_monthly" not in dataset:
        return dataset, []
    monthly = dataset["leaf_area_monthly"].transpose("site", "month").values
    leaves = daily_from_monthly(monthly, dataset["time"].values).astype(np.float32)
    made = dataset.assign(leaf_area=(("site", "time"), leaves, {"units": "m2 m-2"}))
    return made, ["leaf area from its monthly means, the same in every year"]


def _told(dataset: "xr.Dataset", name: str) -> str:
    how = dataset[COMPANION.format(name=name)].values
    missing = int(np.isnan(dataset[name].values).sum())
    counts = {method.name.lower(): int((how == method).sum()) for method in Method if method}
    parts = [f"{count} by {word}" for word, count in counts.items() if count]
    parts += [f"{missing} left missing"] if missing else []
    return f"{name}: of {how.size} values, {', '.join(parts)}"
