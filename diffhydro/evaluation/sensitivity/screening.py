"""Morris screening: which parameters matter at all, from few runs.

A trajectory of k + 1 points moves one parameter after the other by Δ, at random places of the unit
cube, and gives each an elementary effect d = (f(u + Δe) − f(u))/Δ. Over r trajectories

    μ = mean d,   μ* = mean |d|,   σ = spread of d

A large μ* says that a parameter matters; a large σ beside it, that it does so unevenly or together
with others (Morris 1991; Campolongo, Cariboni & Saltelli 2007).
"""

import dataclasses

import numpy as np

from diffhydro.errors import InputError
from diffhydro.evaluation.sensitivity.response import Response
from diffhydro.evaluation.sensitivity.salib import part_of_salib, two_seeds, unit_cube
from diffhydro.evaluation.sensitivity.table import table
from diffhydro.typing import Float


@dataclasses.dataclass(frozen=True, eq=False)
class Screening:
    """Elementary effects, in units of the output for the whole range of a parameter.

    Attributes:
        names: Of parameters.
        mu: Mean effect.
        mu_star: Mean size of the effect.
        mu_star_error: Half the width of its 95 % interval, by bootstrap.
        sigma: Standard deviation of the effect.
        runs: How many it took.
    """

    names: tuple[str, ...]
    mu: Float[np.ndarray, " entry"]
    mu_star: Float[np.ndarray, " entry"]
    mu_star_error: Float[np.ndarray, " entry"]
    sigma: Float[np.ndarray, " entry"]
    runs: int

    @property
    def order(self) -> np.ndarray:
        """Which parameter has the largest μ*, which the next, and so on."""
        return np.argsort(-self.mu_star, kind="stable")

    def __str__(self) -> str:
        """Give the table, the largest μ* first."""
        columns = {"mu*": self.mu_star, "±": self.mu_star_error, "mu": self.mu, "sigma": self.sigma}
        rank = self.order
        return table([self.names[i] for i in rank], {h: x[rank] for h, x in columns.items()})


def morris(response: Response, trajectories: int = 32, *, seed: int, levels: int = 4) -> Screening:
    """Screen the parameters of a response, in `trajectories` · (k + 1) runs.

    Args:
        trajectories: 10 to 50 are usual.
        seed: Of trajectories and bootstrap.
        levels: Of the grid of positions; even.
    """
    if trajectories < 2 or levels < 2 or levels % 2:
        raise InputError(
            f"screening takes two trajectories or more, on an even number of levels; got "
            f"{trajectories} on {levels}"
        )
    sample = part_of_salib("sample.morris", "screening")
    analysis = part_of_salib("analyze.morris", "screening")
    problem = unit_cube(response.names)
    draw, resample = two_seeds(seed)
    points = sample.sample(problem, trajectories, num_levels=levels, seed=draw)
    outputs = response.at(points)
    found = analysis.analyze(problem, points, outputs, num_levels=levels, seed=resample)
    return Screening(
        names=response.names,
        mu=np.asarray(found["mu"], np.float64),
        mu_star=np.asarray(found["mu_star"], np.float64),
        mu_star_error=np.asarray(found["mu_star_conf"], np.float64),
        sigma=np.asarray(found["sigma"], np.float64),
        runs=len(points),
    )
