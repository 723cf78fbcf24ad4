"""Gradient-boosted trees on sums of past weather (Friedman 2001), by histograms (scikit-learn)."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from diffhydro.errors import InputError
from diffhydro.evaluation.baselines.baseline import observed, predicted, some
from diffhydro.evaluation.baselines.weather_sums import WeatherSums

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class BoostedTrees:
    """Learn soil moisture from weather sums and attributes; a year of weather comes first.

    Args:
        depth: mm.
        trees: One after the other.
        rate: What each adds of its correction.
        leaves: At most, of a tree.
        least: Days that a leaf needs: days that follow each other are hardly more than one.
        every: Days from one that is learnt from to the next, for the same reason.
        ridge: Weight of the squares of the leaves' values.
        share: Of the features that a split chooses from, drawn at random.
        seed: Of the drawing of features and bins.
    """

    features: WeatherSums = field(default_factory=WeatherSums)
    depth: float | None = 50.0
    trees: int = 300
    rate: float = 0.05
    leaves: int = 31
    least: int = 200
    every: int = 3
    ridge: float = 1.0
    share: float = 0.3
    seed: int = 0

    def fit(self, training: "xr.Dataset") -> "FittedTrees":
        """Grow the trees; sites count as much as they have days."""
        from sklearn.ensemble import HistGradientBoostingRegressor

        target = observed(training, self.depth).values
        known = np.isfinite(target)
        known[:, np.arange(known.shape[1]) % self.every != 0] = False
        some(known, "trees")
        model = HistGradientBoostingRegressor(
            learning_rate=self.rate,
            max_iter=self.trees,
            max_leaf_nodes=self.leaves,
            min_samples_leaf=self.least,
            l2_regularization=self.ridge,
            max_features=self.share,
            early_stopping=False,  # pyright: ignore[reportArgumentType]
            random_state=self.seed,
        )
        model.fit(self.features.of(training)[known], target[known])
        return FittedTrees(self.features, self.features.names(training), model)


@dataclass(frozen=True, eq=False)
class FittedTrees:
    """Trees, and the features that they were grown on."""

    features: WeatherSums
    names: tuple[str, ...]
    model: Any

    def predict(self, dataset: "xr.Dataset") -> "xr.DataArray":
        """Predict at every site and day, also where weather is missing."""
        given = self.features.names(dataset)
        if given != self.names:
            lacking = ", ".join(sorted(set(self.names) ^ set(given))[:5])
            raise InputError(
                f"the trees were grown on other features than these sites have: {lacking}"
            )
        features = self.features.of(dataset)
        flat = self.model.predict(features.reshape(-1, features.shape[-1]))
        return predicted(dataset, flat.reshape(features.shape[:2]))
