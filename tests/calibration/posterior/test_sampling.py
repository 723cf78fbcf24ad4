import sys

import jax
import numpy as np
import pytest

from diffhydro.calibration.posterior import Posterior, sample
from diffhydro.calibration.posterior.diagnostics import effective_draws, split_r_hat
from diffhydro.errors import InputError
from tests.calibration.posterior.test_laplace import _made
from tests.calibration.posterior.twins import posterior

pytest.importorskip("blackjax")


@pytest.mark.exhaustive
@pytest.mark.slow
def test_nuts_agrees_with_laplace_where_the_posterior_is_normal():
    found: Posterior = posterior()
    seen = []
    key, sites = jax.random.key(3), [4, 1, 9]
    # The last batch is smaller than the others.
    chains = sample(
        found, key=key, sites=sites, lanes=8, draws=400, warmup=150,
        watch=lambda *now: seen.append(now),
    )  # fmt: skip
    off = (chains.mean - found.z[sites]) / found.deviation[sites]
    assert np.abs(off).max() < 0.1
    np.testing.assert_allclose(chains.deviation / found.deviation[sites], 1.0, atol=0.1)
    assert chains.z.shape == (3, 4, 400, 2)
    assert chains.converged().all()
    assert chains.r_hat.max() < 1.01
    assert chains.effective.min() > 500
    assert chains.divergent.max() == 0
    assert 0.6 < chains.acceptance.mean() < 0.99
    assert seen[0] == (150, 1100)
    assert seen[-1] == (1100, 1100)
    for ends in zip(chains.interval(0.9), found.interval(0.9), strict=True):
        np.testing.assert_allclose(ends[0], ends[1][sites], atol=0.2 * found.deviation.max())
    again = sample(found, key=key, sites=[9, 4, 1], lanes=8, draws=400, warmup=150)
    np.testing.assert_allclose(again.z[0], chains.z[2], rtol=1e-9, atol=1e-9)
    members = chains.members(50)
    assert members.shape == (50, 3, 2)
    np.testing.assert_array_equal(members[0], chains.z[:, 0, 0])


@pytest.mark.slow
def test_diagnostics_know_good_chains_from_bad():
    draw = np.random.default_rng(0)
    white = draw.normal(size=(1, 4, 1000, 2))
    lasting = white.copy()
    for i in range(1, 1000):
        lasting[:, :, i] = 0.8 * lasting[:, :, i - 1] + 0.6 * white[:, :, i]
    drifting = white + np.linspace(0.0, 2.0, 1000)[:, None]
    np.testing.assert_allclose(split_r_hat(white), 1.0, atol=0.01)
    assert split_r_hat(drifting).min() > 1.1
    np.testing.assert_allclose(effective_draws(white), 4000, rtol=0.3)
    # (1 − φ)/(1 + φ) of the draws.
    np.testing.assert_allclose(effective_draws(lasting), 4000 / 9, rtol=0.3)


def test_without_the_library_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "blackjax", None)
    with pytest.raises(InputError, match=r"extra 'posterior' .*or take laplace"):
        sample(_made(), key=jax.random.key(0))


def test_what_cannot_be_sampled_is_refused():
    key = jax.random.key(0)
    with pytest.raises(InputError, match=r"sites are \[2\].*with a posterior: \[0, 1\]"):
        sample(_made(), key=key, sites=[2])
    with pytest.raises(InputError, match="compares 2 chains"):
        sample(_made(), key=key, chains=1)
