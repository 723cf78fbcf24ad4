"""Whether the gradients that trained a model with physics in its graph are right."""

import numpy as np

from diffhydro.core.ensembles import member
from diffhydro.coupling import Inputs
from diffhydro.evaluation import gradient_error
from experiments.global_pgdl.ground.folds import Member
from experiments.global_pgdl.ground.places import OFFSET, PAST, Stations
from experiments.global_pgdl.learned.models import CONSERVING, COUPLED, Models

RIGHT = 1e-4  # relative, in double precision
_SITES, _DAYS = 2, 120


def gradient_errors(models: Models, stations: Stations, first: Member) -> dict[str, float]:
    """Compare gradients with central differences, at what the first fold has learned.

    Args:
        models: Of all members.
        first: The first of them.
    """
    rows, since = first.train[:_SITES], stations.places.first
    told = stations.told.take(rows).inputs.between(since, since + _DAYS)
    series = {**told.series, PAST: stations.past[rows, since : since + _DAYS]}
    given = Inputs(series, {**told.attributes, OFFSET: np.zeros(len(rows), np.float32)})
    seen = stations.observed[rows, since : since + _DAYS]
    both = {COUPLED: models.coupled, CONSERVING: models.conserving}
    return {name: gradient_error(member(one, 0), given, seen) for name, one in both.items()}
