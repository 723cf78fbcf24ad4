"""What a few weeks of observations at its start tell of a site.

A model that is to run freely at a place where it was not trained may be given the soil moisture of
a start window there, some days with a probe. Windows are described by mean, extremes and standard
deviation of what was observed, and by means of other series (the weather of those days, what a
physics said) on the days that were observed. In training windows are drawn anywhere in a record, so
that what they tell is learned for all seasons; where a model is tested the first one counts.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from diffhydro.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

_OBSERVED = ("mean", "min", "max", "sd")


@dataclass(frozen=True)
class StartWindows:
    """How windows are found and described.

    Args:
        observed: The variable, `[site, time]`.
        series: What else is described, by its mean on the observed days.
        days: Length.
        least: Observed days that a window needs.
    """

    observed: str = "soil_moisture"
    series: tuple[str, ...] = ()
    days: int = 30
    least: int = 20

    def __post_init__(self) -> None:
        """Refuse windows that need nothing, or more than they have."""
        if not 1 <= self.least <= self.days:
            raise InputError(
                f"start windows of {self.days} days of which {self.least} are observed; expected "
                "at least 1, and no more than there are"
            )

    @property
    def names(self) -> tuple[str, ...]:
        """Name what describes a window: attributes of a site."""
        return (
            *(f"start_{self.observed}_{how}" for how in _OBSERVED),
            *(f"start_{name}" for name in self.series),
        )

    def possible(self, dataset: "xr.Dataset") -> np.ndarray:
        """Tell on which days a window may begin, `[site, time]`."""
        known = np.isfinite(self._values(dataset, self.observed))
        counts = np.zeros(known.shape, int)
        sums = np.cumsum(np.pad(known, ((0, 0), (1, 0))), axis=1)
        last = known.shape[1] - self.days + 1
        counts[:, : max(last, 0)] = (sums[:, self.days :] - sums[:, : -self.days])[:, :last]
        return counts >= self.least

    def first(self, dataset: "xr.Dataset") -> np.ndarray:
        """Give the day on which the first window of every site begins, `[site]`."""
        possible = self.possible(dataset)
        if not possible.any(axis=1).all():
            lacking = dataset["site"].values[~possible.any(axis=1)]
            raise InputError(
                f"{len(lacking)} sites have no {self.days} days with {self.least} values of "
                f"{self.observed} (first: {lacking[0]}); leave them out, or ask for fewer days"
            )
        return possible.argmax(axis=1)

    def drawn(self, dataset: "xr.Dataset", draws: int, *, seed: int) -> np.ndarray:
        """Draw days on which windows begin, `[site, draw]`, every site's own."""
        self.first(dataset)
        rng = np.random.default_rng(seed)
        return np.stack([rng.choice(np.flatnonzero(one), draws) for one in self.possible(dataset)])

    def describe(self, dataset: "xr.Dataset", starts: np.ndarray) -> dict[str, np.ndarray]:
        """Describe windows that begin on given days, `[site]` or `[site, draw]`.

        Returns:
            Values of the shape of `starts`, by name.
        """
        many = starts.reshape(len(starts), -1)
        steps = many[:, :, None] + np.arange(self.days)
        sites = np.arange(len(starts))[:, None, None]
        seen = self._values(dataset, self.observed)[sites, steps]
        told = [f(seen, axis=-1) for f in (np.nanmean, np.nanmin, np.nanmax, np.nanstd)]
        known = np.isfinite(seen)
        for name in self.series:
            values = self._values(dataset, name)[sites, steps]
            told.append(np.where(known, values, 0.0).sum(axis=-1) / known.sum(axis=-1))
        return {
            name: np.asarray(x, np.float32).reshape(starts.shape)
            for name, x in zip(self.names, told, strict=True)
        }

    def after(self, starts: np.ndarray, times: int) -> np.ndarray:
        """Tell which days come after windows `[site]`: those that may be judged, `[site, time]`."""
        return np.arange(times) >= starts[:, None] + self.days

    def _values(self, dataset: "xr.Dataset", name: str) -> np.ndarray:
        if name not in dataset:
            listed = ", ".join(map(str, dataset.data_vars))
            raise InputError(f"start windows need {name}; the data set has {listed}")
        if set(dataset[name].dims) != {"site", "time"}:
            raise InputError(
                f"{name} varies over {', '.join(map(str, dataset[name].dims))}; start windows "
                "need site and time, such as one depth"
            )
        return dataset[name].transpose("site", "time").values.astype(np.float64)
