"""Training: losses, and (planned) objectives and the loop that fits."""

from diffhydro.training.physics_losses import (
    beyond_bounds,
    log_suction_misfit,
    mean_where,
    suction_misfit,
)

__all__ = ["beyond_bounds", "log_suction_misfit", "mean_where", "suction_misfit"]
