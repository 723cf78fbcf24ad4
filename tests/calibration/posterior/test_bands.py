import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.calibration.posterior import (
    CURVE,
    bands,
    coverage,
    linear_bands,
    simulate_members,
    unseen,
)
from diffhydro.calibration.posterior.bands import Bands, Interval, deviations
from diffhydro.calibration.posterior.coverage import Coverage
from diffhydro.calibration.posterior.ensemble import ordered
from diffhydro.calibration.posterior.errors import draw_errors
from diffhydro.errors import InputError
from diffhydro.training.likelihood import Gaussian
from tests.calibration.posterior.twins import posterior, twin


@pytest.fixture(scope="module")
def held_out():
    return unseen(twin().problem(), "runoff", twin().measured)


@pytest.fixture(scope="module")
def drawn():
    members = posterior().draw(200, key=jax.random.key(1))
    found = bands(posterior().problem, members, key=jax.random.key(2), levels=CURVE)
    return members, found["runoff"]


@pytest.fixture(scope="module")
def straight():
    return linear_bands(posterior(), levels=CURVE)["runoff"]


@pytest.mark.exhaustive
@pytest.mark.slow
def test_bands_hold_held_out_observations(drawn, straight, held_out):
    for found in (coverage(drawn[1], held_out), coverage(straight, held_out)):
        assert found.pooled[CURVE.index(0.9)] == pytest.approx(0.9, abs=0.04)
        assert found.worst < 0.03
        # Five thousand observations; errors last, so that those of a site are worth a quarter.
        assert found.count.sum() > 5000


@pytest.mark.slow
def test_both_bands_are_one_for_a_linear_model(drawn, straight):
    both = ((drawn[1].model, straight.model), (drawn[1].observed, straight.observed))
    for one, other in both:
        number = drawn[1].level(0.9)
        ratio = one.width[number].mean(axis=1) / other.width[number].mean(axis=1)
        # The distance of two quantiles of 200 draws has a standard error of 6 % at one time;
        # Weibull's lie further out by 2 %. Times of the model's band go together.
        np.testing.assert_allclose(ratio, 1.0, atol=0.2)
        assert ratio.mean() == pytest.approx(1.02, abs=0.03)


@pytest.mark.slow
def test_the_model_s_band_holds_the_truth(straight):
    inside = straight.model.holds(twin().true_runoff)[CURVE.index(0.9)]
    # 40 sites with two parameters each: a standard error of 0.04.
    assert inside.mean() == pytest.approx(0.9, abs=0.09)


@pytest.mark.slow
def test_bands_depend_neither_on_rounds_nor_on_other_sites(drawn):
    members, whole = drawn
    key, problem = jax.random.key(2), posterior().problem
    few = bands(problem, members[:, [5, 3]], key=key, levels=CURVE, sites=[5, 3], lanes=200)
    for got, all_ in zip(few["runoff"].observed, whole.observed, strict=True):
        np.testing.assert_allclose(got, all_[:, [5, 3]], rtol=1e-12, atol=1e-12)
    series = simulate_members(problem, members[:30, [5, 3]], sites=[5, 3], lanes=8)["runoff"]
    assert series.shape == (30, 2, 240)
    rain, air = (
        np.asarray(x)[3]
        for x in (twin().forcing.precipitation, twin().forcing.potential_evaporation)
    )
    wanted = members[7, 3, 0] * rain + members[7, 3, 1] * air
    np.testing.assert_allclose(series[7, 1], wanted, rtol=1e-9, atol=1e-12)


def test_errors_last_and_grow():
    law = Gaussian(sigma=0.2, growth=0.1, memory=0.7)
    simulated = jnp.full(40_000, 3.0)
    found = np.asarray(draw_errors(law, simulated, key=jax.random.key(0)))
    # An AR(1) series of 40 000 is worth 7000 draws: 1 % of a deviation.
    assert found.std() == pytest.approx(0.5, rel=0.03)
    assert np.corrcoef(found[1:], found[:-1])[0, 1] == pytest.approx(0.7, abs=0.015)
    white = (found[1:] - 0.7 * found[:-1]) / 0.5 / 0.51**0.5
    assert np.corrcoef(white[1:], white[:-1])[0, 1] == pytest.approx(0.0, abs=0.02)


def test_quantiles_are_weibull_s():
    members = jnp.asarray(np.random.default_rng(0).permutation(19.0 + np.arange(19)))[:, None]
    found = np.asarray(ordered(members, jnp.asarray([0.05, 0.5, 0.525, 0.95])))[:, 0]
    np.testing.assert_allclose(found, [19.0, 28.0, 28.5, 37.0])


def test_a_normal_number_lies_within():
    assert deviations(0.9) == pytest.approx(1.644854, rel=1e-6)
    with pytest.raises(InputError, match="between 0 and 1"):
        deviations(90.0)


def _made() -> Bands:
    centre = np.zeros((2, 4))
    wide = np.array([0.5, 1.5])[:, None, None] * np.ones((2, 4))
    return Bands((0.5, 0.9), centre, Interval(-wide, wide), Interval(-wide, wide))


def test_coverage_counts():
    held = np.array([[0.0, 1.0, 2.0, np.nan], [np.nan] * 4])
    found = coverage(_made(), held)
    np.testing.assert_allclose(found.share, [[1 / 3, np.nan], [2 / 3, np.nan]])
    np.testing.assert_allclose(found.pooled, [1 / 3, 2 / 3])
    assert found.count.tolist() == [3, 0]
    assert found.worst == pytest.approx(0.9 - 2 / 3)
    assert isinstance(found, Coverage)


def test_coverage_refuses_what_it_cannot_count():
    with pytest.raises(InputError, match="no observation is held out"):
        coverage(_made(), np.full((2, 4), np.nan))
    with pytest.raises(InputError, match=r"shape \(2, 3\)"):
        coverage(_made(), np.zeros((2, 3)))
    with pytest.raises(InputError, match=r"there is no band of 0\.8; there are 0\.5, 0\.9"):
        _made().level(0.8)
    with pytest.raises(InputError, match="there is no target 'rain'; there are runoff"):
        unseen(twin().problem(), "rain", twin().measured)


def test_draws_are_checked():
    problem, key = twin().problem(), jax.random.key(0)
    with pytest.raises(InputError, match=r"expected \[member, site, entry\] with 40 sites"):
        bands(problem, np.zeros((50, 3, 2)), key=key)
    with pytest.raises(InputError, match=r"30 members have no 0\.95 band.*at least 39"):
        bands(problem, np.zeros((30, 40, 2)), key=key)
    with pytest.raises(InputError, match="sites are 0 to 39; got 3 to 40"):
        bands(problem, np.zeros((50, 2, 2)), key=key, sites=[3, 40])
