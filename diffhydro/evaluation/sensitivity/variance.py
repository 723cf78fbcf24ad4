"""Sobol's indices: what share of an output's variance is owed to each parameter.

    S = Var(E[f|u])/Var f,        S_T = 1 − Var(E[f|all but u])/Var f

S is a parameter's share by itself; S_T has all its interactions with others as well. From n (k + 2)
runs on Sobol's sequence, with the estimators of Saltelli et al. 2010.
"""

import dataclasses

import numpy as np

from diffhydro.errors import InputError
from diffhydro.evaluation.sensitivity.design import check_power_of_two
from diffhydro.evaluation.sensitivity.response import Response
from diffhydro.evaluation.sensitivity.salib import part_of_salib, two_seeds, unit_cube
from diffhydro.evaluation.sensitivity.table import table
from diffhydro.typing import Float


@dataclasses.dataclass(frozen=True, eq=False)
class VarianceShares:
    """Sobol's indices. Estimates of small ones scatter about zero, and may be negative.

    Attributes:
        names: Of parameters.
        first: S.
        first_error: Half the width of its 95 % interval, by bootstrap.
        total: S_T.
        total_error: The same of S_T.
        mean, variance: Of the output.
        runs: How many it took.
    """

    names: tuple[str, ...]
    first: Float[np.ndarray, " entry"]
    first_error: Float[np.ndarray, " entry"]
    total: Float[np.ndarray, " entry"]
    total_error: Float[np.ndarray, " entry"]
    mean: float
    variance: float
    runs: int

    @property
    def order(self) -> np.ndarray:
        """Which parameter has the largest S_T, which the next, and so on."""
        return np.argsort(-self.total, kind="stable")

    def __str__(self) -> str:
        """Give the table, the largest S_T first."""
        columns = {
            "total": self.total,
            "± total": self.total_error,
            "first": self.first,
            "± first": self.first_error,
        }
        rank = self.order
        return table([self.names[i] for i in rank], {h: x[rank] for h, x in columns.items()})


def sobol(response: Response, points: int = 1024, *, seed: int) -> VarianceShares:
    """Share out the variance of a response, in `points` · (k + 2) runs.

    Args:
        points: A power of two.
        seed: Of points and bootstrap.
    """
    check_power_of_two("a sample", points)
    sample = part_of_salib("sample.sobol", "a variance study")
    analysis = part_of_salib("analyze.sobol", "a variance study")
    problem = unit_cube(response.names)
    draw, resample = two_seeds(seed)
    drawn = sample.sample(problem, points, calc_second_order=False, seed=draw)
    outputs = response.at(drawn)
    if np.ptp(outputs) == 0.0:
        raise InputError(
            f"the output is {outputs[0]:g} at all {outputs.size} points: there is no variance to "
            "share out. None of the parameters acts on it; study others, or another output"
        )
    found = analysis.analyze(problem, outputs, calc_second_order=False, seed=resample)
    return VarianceShares(
        names=response.names,
        first=np.asarray(found["S1"], np.float64),
        first_error=np.asarray(found["S1_conf"], np.float64),
        total=np.asarray(found["ST"], np.float64),
        total_error=np.asarray(found["ST_conf"], np.float64),
        mean=float(outputs.mean()),
        variance=float(outputs.var()),
        runs=outputs.size,
    )
