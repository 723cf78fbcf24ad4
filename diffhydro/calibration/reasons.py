"""Why a site cannot be fitted: nothing was observed there, or its loss is no number."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from diffhydro.calibration.independent import LANES
from diffhydro.calibration.problem import Calibration
from diffhydro.errors import InputError
from diffhydro.typing import Array


def observed(problem: Calibration) -> np.ndarray:
    """Return the sites that have observations."""
    nothing = unseen(problem)
    if len(nothing) == problem.sites:
        raise InputError(f"none of the {problem.sites} sites can be fitted: {nothing[0]}")
    return np.setdiff1d(np.arange(problem.sites), list(nothing))


def unseen(problem: Calibration) -> dict[int, str]:
    """Return the sites that have none, and say so."""
    seen = [np.isfinite(np.asarray(t.observed)).any(axis=1) for t in problem.targets]
    names = ", ".join(target.name for target in problem.targets)
    why = f"no observation of {names} on a day of the weather"
    return {int(site): why for site in np.flatnonzero(~np.logical_or.reduce(seen))}


def broken(problem: Calibration, who: np.ndarray, otherwise: str | None = None) -> dict[int, str]:
    """Say of some sites which of their losses is no number where they were before.

    Args:
        otherwise: What it is where all losses are; such sites are left out when not given.
    """
    found = {}
    for first in range(0, len(who), LANES):
        # One shape serves all: the last site is repeated, and its losses are looked at once.
        lanes = np.minimum(first + np.arange(min(LANES, len(who))), len(who) - 1)
        z = problem.before()[jnp.asarray(who[lanes])]
        terms = _terms(problem, z, jnp.asarray(who[lanes]))
        for lane, site in enumerate(who[first : first + LANES]):
            bad = [name for name, x in terms.items() if not np.isfinite(np.asarray(x)[lane])]
            if what := ", ".join(bad) or otherwise:
                found[int(site)] = (
                    f"{what} is not a finite number at the start; look at the site's weather and "
                    "parameters"
                )
    return found


@eqx.filter_jit
def _terms(problem: Calibration, z: Array, site: Array) -> dict[str, Array]:
    return problem.terms(z, site)
