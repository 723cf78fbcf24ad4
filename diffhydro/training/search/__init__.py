"""Search: which settings of a training are best."""

from diffhydro.training.search.space import AbstractRange, Between, OneOf, Space, Whole
from diffhydro.training.search.trials import Pruned, Report, Trial
from diffhydro.training.search.tuning import Found, Hyperband, tune

__all__ = [
    "AbstractRange",
    "Between",
    "Found",
    "Hyperband",
    "OneOf",
    "Pruned",
    "Report",
    "Space",
    "Trial",
    "Whole",
    "tune",
]
