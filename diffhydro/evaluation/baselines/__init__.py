"""Baselines: what a model must beat, learnt from the same training fold."""

from diffhydro.evaluation.baselines.baseline import AbstractBaseline, AbstractFitted
from diffhydro.evaluation.baselines.boosted_trees import BoostedTrees, FittedTrees
from diffhydro.evaluation.baselines.climatology import Climatology, SiteMean, Usual
from diffhydro.evaluation.baselines.persistence import Persistence
from diffhydro.evaluation.baselines.weather_sums import WeatherSums

__all__ = [
    "AbstractBaseline",
    "AbstractFitted",
    "Persistence",
    "Climatology",
    "SiteMean",
    "Usual",
    "WeatherSums",
    "BoostedTrees",
    "FittedTrees",
]
