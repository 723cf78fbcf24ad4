"""Splits: pure functions from sites to folds, of which no record, and no twin, is on both sides."""

from diffhydro.data.splits.both import SpaceByTime, WithValidation
from diffhydro.data.splits.by_label import ByContinent, ByRegion
from diffhydro.data.splits.by_season import BySeason
from diffhydro.data.splits.by_site import KFoldBySite, LeaveOneSiteOut
from diffhydro.data.splits.by_time import ByPeriod, ByTimeBlocks
from diffhydro.data.splits.fold import AbstractSplit, Fold, Part
from diffhydro.data.splits.twins import Twins

__all__ = [
    "AbstractSplit",
    "ByContinent",
    "ByPeriod",
    "ByRegion",
    "BySeason",
    "ByTimeBlocks",
    "Fold",
    "KFoldBySite",
    "LeaveOneSiteOut",
    "Part",
    "SpaceByTime",
    "Twins",
    "WithValidation",
]
