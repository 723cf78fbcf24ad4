"""Nothing changes: the last value of a start window, for ever."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from diffhydro.errors import InputError
from diffhydro.evaluation.baselines.baseline import observed, predicted

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class Persistence:
    """Predict the last value that is known of the first days of a series.

    It is told what a model that runs freely from a start window is told, and nothing is fitted.

    Args:
        window: Days at the start that may be looked at; they get no prediction.
        depth: mm.
    """

    window: int = 30
    depth: float | None = 50.0

    def fit(self, training: "xr.Dataset") -> "Persistence":
        """Learn nothing."""
        return self

    def predict(self, dataset: "xr.Dataset") -> "xr.DataArray":
        """Predict; NaN within the window, and at sites where nothing is known in it."""
        values = observed(dataset, self.depth).values
        if not 0 < self.window < values.shape[1]:
            raise InputError(
                f"a start window of {self.window} days in a series of {values.shape[1]}; it is at "
                "least 1 and leaves something to predict"
            )
        start = values[:, : self.window]
        known = np.isfinite(start)
        last = self.window - 1 - np.argmax(known[:, ::-1], axis=1)
        value = np.where(known.any(axis=1), start[np.arange(len(start)), last], np.nan)
        found = np.repeat(value[:, None], values.shape[1], axis=1)
        found[:, : self.window] = np.nan
        return predicted(dataset, found)
