"""Where windows are read from: a data set of sites, in memory, or on disk through dask.

What is observed where is looked up once; values are read window by window, all variables of a batch
in one go.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from diffhydro.data.batches.batch import Batch
from diffhydro.data.batches.windows import Cut, Windows
from diffhydro.data.gaps.filled import COMPANION
from diffhydro.data.splits.fold import Part
from diffhydro.errors import InputError

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True, eq=False)
class Source:
    """Series and attributes of sites; made with `of`.

    Args:
        series: The forcing and the observed variable, `[site, time]`, not loaded, without
            coordinates.
        scored: Where an observation counts, `[site, time]` or `[site, time, depth]`.
        usable: Where all forcing is there, `[site, time]`.
        readable: Times that windows may touch.
    """

    series: "xr.Dataset"
    times: np.ndarray
    forcing: tuple[str, ...]
    observed: str
    attributes: dict[str, np.ndarray]
    scored: np.ndarray
    usable: np.ndarray
    readable: np.ndarray

    @classmethod
    def of(
        cls,
        dataset: "xr.Dataset",
        *,
        forcing: Sequence[str],
        observed: str = "soil_moisture",
        attributes: Sequence[str] = (),
        part: Part | None = None,
        avoid: Part | None = None,
        score_filled: bool = False,
    ) -> "Source":
        """Look at a data set with dimensions `site` and `time`.

        Args:
            part: Sites and times that are scored, such as `fold.train`; all if not given.
            avoid: Whose times no window touches, not even in its warm-up, such as `fold.test`.
            score_filled: Whether values that were filled in (`data.gaps`) count as observations.
        """
        _check(dataset, [*forcing, observed], attributes)
        series = dataset[[*dict.fromkeys([*forcing, observed])]]
        scored = series[observed].transpose("site", "time", ...).notnull()
        companion = COMPANION.format(name=observed)
        if companion in dataset and not score_filled:
            scored = scored & (dataset[companion] == 0)
        usable = None
        for name in forcing:
            there = series[name].transpose("site", "time").notnull()
            usable = there if usable is None else usable & there
        shape = (dataset.sizes["site"], dataset.sizes["time"])
        fixed = {name: _fixed(dataset, name) for name in attributes}
        readable = np.ones(shape[1], bool)
        if avoid is not None and avoid.times is not None:
            readable &= ~avoid.times
        return cls(
            series.drop_vars([str(name) for name in series.coords]),
            dataset["time"].values,
            tuple(forcing),
            observed,
            fixed,
            _in_part(scored.transpose("site", "time", ...).values, part),
            np.ones(shape, bool) if usable is None else usable.values,
            readable,
        )

    def cut(self, windows: Windows) -> Cut:
        """Cut the windows that have enough to be scored, and all that drives them."""
        scored = np.asarray(self.scored if self.scored.ndim == 2 else self.scored.any(axis=2))
        return windows.cut(scored, self.usable, self.readable)

    def read(self, cut: Cut, windows: Windows, which: np.ndarray) -> Batch:
        """Read windows by their number in a cut; −1 stands for one that fills the shape up."""
        is_real = which >= 0
        rows = np.where(is_real, which, max(which.max(), 0))
        sites, stops = cut.sites[rows].astype(np.int64), cut.stops[rows][:, None]
        steps = cut.starts[rows][:, None] + np.arange(windows.length)
        is_step = (steps < stops) & is_real[:, None]
        counts = is_step & (np.arange(windows.length) >= windows.warm_up)
        steps = np.minimum(steps, stops - 1)
        found = self._pick(sites, steps)
        weights = self.scored[sites[:, None], steps]
        weights &= counts.reshape(counts.shape + (1,) * (weights.ndim - 2))
        values = found[self.observed].transpose("window", "step", ...).values
        return Batch(
            {
                name: _single(found[name].transpose("window", "step").values)
                for name in self.forcing
            },
            {name: values[sites] for name, values in self.attributes.items()},
            np.where(weights, values, 0.0).astype(np.float32),
            weights.astype(np.float32),
            sites.astype(np.int32),
            self.times[steps[:, 0]],
            is_real,
            is_step,
        )

    def _pick(self, sites: np.ndarray, steps: np.ndarray) -> "xr.Dataset":
        """Load the sites whole, then pick windows: on disk points are dear, and rows are cheap."""
        import xarray as xr

        rows, row = np.unique(sites, return_inverse=True)
        first, after = int(steps.min()), int(steps.max()) + 1
        here = self.series.isel(site=rows, time=slice(first, after)).load()
        return here.isel(
            site=xr.Variable("window", row), time=xr.Variable(("window", "step"), steps - first)
        )


def _single(values: Any) -> np.ndarray:
    return np.ascontiguousarray(values, np.float32)


def _fixed(dataset: "xr.Dataset", name: str) -> np.ndarray:
    values = _single(dataset[name].transpose("site", ...).values)
    if np.isnan(values).any():
        i = int(np.flatnonzero(np.isnan(values).reshape(len(values), -1).any(axis=1))[0])
        raise InputError(
            f"site {dataset['site'].values[i]} has no {name}; fill it, or leave out the site or it"
        )
    return values


def _in_part(scored: np.ndarray, part: Part | None) -> np.ndarray:
    if part is None:
        return scored
    mine = np.zeros(len(scored), bool)
    mine[part.sites] = True
    times = np.ones(scored.shape[1], bool) if part.times is None else part.times
    both = mine[:, None] & times
    return scored & both.reshape(both.shape + (1,) * (scored.ndim - 2))


def _check(dataset: "xr.Dataset", series: Sequence[str], attributes: Sequence[str]) -> None:
    for name in (*series, *attributes):
        if name not in dataset.variables:
            listed = ", ".join(map(str, dataset.data_vars))
            raise InputError(f"the data set has no {name}; it has {listed}")
    for name, dims in (
        *((name, {"site", "time"}) for name in series),
        *((name, {"site"}) for name in attributes),
    ):
        found = set(dataset[name].dims)
        if not dims <= found or not found <= dims | {"depth"}:
            raise InputError(
                f"{name} varies over {', '.join(map(str, dataset[name].dims)) or 'nothing'}; "
                f"expected {', '.join(sorted(dims))}"
            )
