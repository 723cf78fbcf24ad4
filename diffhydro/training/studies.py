"""The objectives of three studies, as terms that are logged by name.

    GSM3           L = RMSE(satellite) + RMSE(in situ)
    ConvLSTM       L = α RMSE(product) + 0.1 β (1 − r(rewarded))
    DeepSoil       L = α MSE + (1 − α)(λ_b bounds + suction)

(Liu et al. 2023; Rabiei, Babaeian & Grunwald 2025, eq. 8; Khandelwal et al. 2026, eqs 14–19.)
Where these depart from the printed formulas is said in the theory of losses.
"""

from collections.abc import Callable
from typing import Any

from diffhydro.training.batch_losses import Pooled, mse, rmse
from diffhydro.training.objective import Objective, Term
from diffhydro.training.penalties import BeyondBounds, Misfit, SuctionConsistency
from diffhydro.training.physics_losses import suction_misfit
from diffhydro.training.schedules import Step, one_minus, times
from diffhydro.training.series_losses import Uncorrelated

_CORRELATION = 0.1  # scale of the reward; Rabiei et al. 2025, eq. 8
_BOUNDS = 10.0  # λ_b; the study sets it so that terms are comparable, without a number

Share = float | Callable[[Step], Any]


def gsm3(
    satellite: str = "satellite", stations: str = "stations", output: str | None = None
) -> Objective:
    """Give the sum of two errors, each over its own valid values, so that neither drowns."""
    return Objective(
        {"satellite": Term(rmse(satellite, output)), "stations": Term(rmse(stations, output))}
    )


def convlstm(
    product: str = "product",
    rewarded: str = "satellite",
    alpha: float = 0.5,
    beta: float = 0.5,
    output: str | None = None,
) -> Objective:
    """Give an error against a product and a reward for what varies with another source.

    Args:
        rewarded: The satellite at the surface, the product itself below.
        beta: The study names ½ for the error alone; the same here is a choice.
    """
    reward = Pooled(Uncorrelated(), rewarded, output)
    return Objective(
        {
            "error": Term(rmse(product, output), alpha),
            "correlation": Term(reward, times(beta, _CORRELATION)),
        }
    )


def deepsoil_surface(
    alpha: Share,
    product: str = "product",
    stations: str = "stations",
    misfit: Misfit = suction_misfit,
    output: str | None = None,
) -> Objective:
    """Give the loss of the map at 5 cm; α steps down from 1 in training.

    Suctions are compared with those of stations where there are some, else of the product. Weigh
    the pixels round stations with `weights_near`.
    """
    rest = one_minus(alpha)
    suction = SuctionConsistency((stations, product), output, misfit=misfit)
    return Objective({"error": Term(mse(product, output), alpha), "suction": Term(suction, rest)})


def deepsoil_root_zone(
    alpha: Share,
    labels: str = "labels",
    bounds: float = _BOUNDS,
    misfit: Misfit = suction_misfit,
    output: str | None = None,
) -> Objective:
    """Give the loss of the map at 20 cm: sparse labels, and bounds that hold at every pixel.

    Args:
        alpha: `LinearSchedule(1.0, 0.0, steps)` is the study's.
        bounds: λ_b, the weight of the bounds beside the suction.
    """
    rest = one_minus(alpha)
    suction = SuctionConsistency((labels,), output, misfit=misfit)
    return Objective(
        {
            "error": Term(mse(labels, output), alpha),
            "bounds": Term(BeyondBounds(output), times(rest, bounds)),
            "suction": Term(suction, rest),
        }
    )
