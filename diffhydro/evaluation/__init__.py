"""Evaluation: what a model's results rest on, and how good they are."""

from diffhydro.evaluation import strata
from diffhydro.evaluation.averages import weighted_mean
from diffhydro.evaluation.bootstrap import bootstrap
from diffhydro.evaluation.cdf import CdfMatch
from diffhydro.evaluation.gradients import gradient_error
from diffhydro.evaluation.scoring import score
from diffhydro.evaluation.stratified import score_parts, stratify
from diffhydro.evaluation.triple import Triple, triple_collocation
from diffhydro.evaluation.violations import AT_SITES, IN_CELLS, Witness, violations

__all__ = [
    # scores
    "score",
    "weighted_mean",
    "bootstrap",
    # series of other scales, and without a truth
    "CdfMatch",
    "Triple",
    "triple_collocation",
    # by kind of place, or part of the time
    "strata",
    "stratify",
    "score_parts",
    # the water balance of dry spells
    "violations",
    "Witness",
    "AT_SITES",
    "IN_CELLS",
    # whether its gradient is right
    "gradient_error",
]
