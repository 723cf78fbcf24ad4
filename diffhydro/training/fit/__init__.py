"""Fitting: from a model, batches and an objective to the trained model."""

from diffhydro.training.fit.arrays import ArrayBatches, Rows
from diffhydro.training.fit.broken import TrainingError
from diffhydro.training.fit.feed import as_sample
from diffhydro.training.fit.figure import draw_training
from diffhydro.training.fit.fitting import fit, fit_ensemble
from diffhydro.training.fit.history import History, read_history
from diffhydro.training.fit.member_batches import MemberBatches
from diffhydro.training.fit.optimizer import Optimizer
from diffhydro.training.fit.precision import computing_in
from diffhydro.training.fit.result import Trained, TrainedEnsemble
from diffhydro.training.fit.state import RunState, trained
from diffhydro.training.fit.stop import Stop
from diffhydro.training.fit.validation import Validation

__all__ = [
    "ArrayBatches",
    "History",
    "MemberBatches",
    "Optimizer",
    "Rows",
    "RunState",
    "Stop",
    "Trained",
    "TrainedEnsemble",
    "TrainingError",
    "Validation",
    "as_sample",
    "computing_in",
    "draw_training",
    "fit",
    "fit_ensemble",
    "read_history",
    "trained",
]
