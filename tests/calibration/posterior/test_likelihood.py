import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.calibration import Calibration, LevenbergMarquardt, Near, Target, calibrate
from diffhydro.calibration.posterior import laplace, with_likelihood
from diffhydro.errors import InputError
from diffhydro.training.likelihood import Gaussian
from diffhydro.training.losses import MeanSquare
from tests.calibration.posterior.twins import (
    SPREAD,
    TwoShares,
    lasting,
    runoff,
    twin,
    unfitted,
    weather,
)

SIGMAS, MEMORIES = np.linspace(0.1, 0.6, 6), np.linspace(0.0, 0.8, 6)


@pytest.mark.exhaustive
@pytest.mark.slow
def test_sigma_and_memory_of_every_site_are_found():
    days = 900
    forcing = weather(6, days, seed=8)
    truth = np.random.default_rng(9).normal(size=(6, 2)) * SPREAD
    series = np.stack([forcing.precipitation, forcing.potential_evaporation])
    errors = [lasting((1, days), 10 + i, SIGMAS[i], MEMORIES[i])[0] for i in range(6)]
    seen = np.einsum("sk,kst->st", truth, series) + np.stack(errors)
    seen[np.random.default_rng(11).random(seen.shape) < 0.3] = np.nan
    seen[5, 8:] = np.nan
    target = Target("runoff", runoff, jnp.asarray(seen), MeanSquare(), weight=3.0)
    problem = Calibration(TwoShares(), forcing, [target], ["rain", "air"])
    fitted = calibrate(problem, LevenbergMarquardt(tolerance=1e-8))

    found = with_likelihood(fitted, prior=Near(SPREAD))
    own = found.problem.own
    got = {name: np.asarray(own[f"errors.runoff.{name}"]) for name in ("sigma", "memory")}
    # 630 observations: relative standard errors of 3 to 6 % of sigma, 0.04 of memory.
    np.testing.assert_allclose(got["sigma"][:5], SIGMAS[:5], rtol=0.15)
    np.testing.assert_allclose(got["memory"][:5], MEMORIES[:5], atol=0.1)
    # Eight observations are too few for an estimate of their own.
    assert got["sigma"][5] == np.median(got["sigma"][:5])
    np.testing.assert_array_equal(found.best_z, fitted.best_z)
    assert found.problem.targets[0].weight == 1.0

    posterior = laplace(found)
    low, high = posterior.interval(0.99)
    assert np.all((low < truth)[:5] & (truth < high)[:5])
    assert posterior.notes == ()

    free = with_likelihood(fitted, train=("sigma", "memory"))
    assert free.names == ("rain", "air", "errors.runoff.sigma", "errors.runoff.memory")
    np.testing.assert_array_equal(free.z[:, 0, :2], fitted.best_z)
    np.testing.assert_allclose(free.values[:, 2], got["sigma"], rtol=1e-6)


@pytest.mark.slow
def test_too_few_observations_teach():
    seen = twin().seen.copy()
    seen[:, 10:] = np.nan
    with pytest.raises(InputError, match="no site has 10 observations of runoff more"):
        with_likelihood(unfitted(twin().problem(loss=MeanSquare(), seen=seen)))


def test_errors_of_sites_and_targets_stay_with_them():
    """Parameters of losses may differ between sites, and the names of targets have any order."""
    seen = jnp.asarray(twin().seen)
    laws = Gaussian(sigma=0.5), Gaussian(sigma=0.9)
    targets = [Target(n, runoff, seen, law) for n, law in zip("ba", laws, strict=True)]
    problem = Calibration(
        TwoShares(),
        twin().forcing,
        targets,
        ["rain", "errors.b.sigma"],
        own={"errors.a.sigma": np.linspace(0.1, 0.4, 40)},
    )
    z = problem.before()
    first, second = problem.losses_at(z[2], 2)
    assert isinstance(first, Gaussian)
    assert isinstance(second, Gaussian)
    assert float(first.sigma) == pytest.approx(0.5)
    assert float(second.sigma) == pytest.approx(np.linspace(0.1, 0.4, 40)[2])
