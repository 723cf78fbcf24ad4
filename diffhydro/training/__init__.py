"""Training: losses, objectives and the loop that fits."""

from diffhydro.training.batch_losses import (
    AbstractBatchLoss,
    ByWindow,
    Pooled,
    Reads,
    huber,
    kge,
    mae,
    mse,
    nse,
    rmse,
)
from diffhydro.training.coherence import VerticalCoherence
from diffhydro.training.fit import (
    ArrayBatches,
    History,
    MemberBatches,
    Optimizer,
    Rows,
    RunState,
    Stop,
    Trained,
    TrainedEnsemble,
    TrainingError,
    Validation,
    as_sample,
    computing_in,
    draw_training,
    fit,
    fit_ensemble,
    read_history,
    trained,
)
from diffhydro.training.mixing import MixedBatches
from diffhydro.training.objective import Objective, Term
from diffhydro.training.penalties import BeyondBounds, SuctionConsistency
from diffhydro.training.physics_losses import (
    beyond_bounds,
    log_suction_misfit,
    mean_where,
    suction_misfit,
)
from diffhydro.training.probabilistic import NegativeLogLikelihood, OwnLoss, Pinball
from diffhydro.training.sample import Sample
from diffhydro.training.schedules import (
    AbstractSchedule,
    CosineSchedule,
    LinearSchedule,
    StepSchedule,
    one_minus,
    times,
)
from diffhydro.training.series_losses import MeanAbsolute, RootMeanSquare, Uncorrelated
from diffhydro.training.stations import weights_near
from diffhydro.training.studies import convlstm, deepsoil_root_zone, deepsoil_surface, gsm3
from diffhydro.training.water_penalties import ClosedBalance, DryingOnly

__all__ = [
    "AbstractBatchLoss",
    "AbstractSchedule",
    "ArrayBatches",
    "BeyondBounds",
    "ByWindow",
    "ClosedBalance",
    "CosineSchedule",
    "DryingOnly",
    "History",
    "LinearSchedule",
    "MeanAbsolute",
    "MemberBatches",
    "MixedBatches",
    "NegativeLogLikelihood",
    "Objective",
    "Optimizer",
    "OwnLoss",
    "Pinball",
    "Pooled",
    "Reads",
    "RootMeanSquare",
    "Rows",
    "RunState",
    "Sample",
    "StepSchedule",
    "Stop",
    "SuctionConsistency",
    "Term",
    "Trained",
    "TrainedEnsemble",
    "TrainingError",
    "Uncorrelated",
    "Validation",
    "VerticalCoherence",
    "as_sample",
    "beyond_bounds",
    "computing_in",
    "convlstm",
    "deepsoil_root_zone",
    "deepsoil_surface",
    "draw_training",
    "fit",
    "fit_ensemble",
    "gsm3",
    "huber",
    "kge",
    "log_suction_misfit",
    "mae",
    "mean_where",
    "mse",
    "nse",
    "one_minus",
    "read_history",
    "rmse",
    "suction_misfit",
    "times",
    "trained",
    "weights_near",
]
