"""Parameters that sites share, against least squares: the model is linear in its parameters."""

from functools import cache

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.calibration import (
    LevenbergMarquardt,
    Near,
    calibrate,
    calibrate_together,
    sharing,
)
from diffhydro.calibration.search import FAILED
from diffhydro.calibration.sharing import Together, numbering
from diffhydro.errors import InputError
from tests.calibration.models import by_hand, twin

SITES = 5
LABELS = np.array(["wet", "dry", "wet", "dry", "dry"])
FINE = LevenbergMarquardt(tolerance=1e-10)
# What is shared, as `numbering` takes it, and how many numbers that makes.
SHARED = {
    "all": ({"shared": ["*"]}, 2),
    "rain": ({"shared": ["rain"]}, 1 + SITES),
    "air by cluster": ({"by_cluster": ["air"], "clusters": LABELS}, SITES + 2),
    "mixed": ({"shared": ["rain"], "by_cluster": ["air"], "clusters": LABELS}, 3),
    "clusters": ({"by_cluster": ["*"], "clusters": LABELS}, 4),
    "nothing": ({}, 2 * SITES),
}


@cache
def problem(**more):
    return twin(sites=SITES, **more)


@cache
def fitted(name):
    return calibrate_together(problem(), FINE, **SHARED[name][0])


def least_squares(index, sites=range(SITES)):
    """Give values `[site, entry]` of the numbers that make the mean of the mean squares least."""
    seen = np.asarray(problem().targets[0].observed)
    rest = by_hand(problem().forcing, 0.0, 0.0, (0.2, 0.1), 1.0)
    rows, right = [], []
    for site in sites:
        there = np.isfinite(seen[site])
        series = problem().forcing.precipitation, problem().forcing.potential_evaporation
        part = np.zeros((there.sum(), index.max() + 1))
        for entry, one in enumerate(series):
            part[:, index[site, entry]] += np.asarray(one)[site, there]
        rows.append(part / there.sum() ** 0.5)
        right.append((seen - rest)[site, there] / there.sum() ** 0.5)
    found = np.linalg.lstsq(np.concatenate(rows), np.concatenate(right))[0]
    return found[index]


def index_of(name):
    return numbering(problem().coordinates, SITES, **SHARED[name][0])


@pytest.mark.parametrize("name", SHARED)
def test_numbers_are_counted_once(name):
    index = index_of(name)
    np.testing.assert_array_equal(np.unique(index), np.arange(SHARED[name][1]))
    given, _ = SHARED[name]
    for entry, path in enumerate(("rain", "air")):
        together = {x for x in given.get("shared", ()) if x in (path, "*")}
        clustered = {path, "*"} & {*given.get("by_cluster", ())}
        same = index[:, None, entry] == index[None, :, entry]
        expected = (
            np.ones_like(same)
            if together
            else LABELS[:, None] == LABELS
            if clustered
            else np.eye(SITES, dtype=bool)
        )
        np.testing.assert_array_equal(same, expected)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["all", "clusters", "mixed", "nothing"])
def test_the_end_is_the_least_sum_of_squares(name):
    found = fitted(name)
    np.testing.assert_allclose(found.values, least_squares(index_of(name)), rtol=1e-5)
    assert found.is_fitted.all()
    assert found.reasons == {}


@pytest.mark.slow
def test_what_is_shared_is_the_same_to_the_last_bit():
    rain, air = fitted("mixed").values.T
    assert len({*rain}) == 1
    assert len({*air[LABELS == "wet"]}) == len({*air[LABELS == "dry"]}) == 1
    assert len({*air}) == 2


@pytest.mark.slow
def test_with_nothing_shared_sites_are_independent():
    alone = calibrate(problem(), FINE)
    np.testing.assert_allclose(fitted("nothing").values, alone.values, rtol=1e-5)
    np.testing.assert_allclose(fitted("nothing").best_loss, alone.best_loss.mean(), rtol=1e-8)


@pytest.mark.slow
def test_loss_slope_and_curvature_are_sums_over_sites(monkeypatch):
    """Two of five sites are computed side by side; the prior pulls every number once."""
    monkeypatch.setattr(sharing, "SITES", 2)
    prior = Near([0.5, 2.0], strength=1.5)
    given = twin(sites=SITES, prior=prior)
    index, none = index_of("rain"), jnp.zeros(2, int)
    whole = Together(given, index)
    z = jax.random.normal(jax.random.key(0), (2, whole.numbers))

    @eqx.filter_jit
    def evaluated(whole, z):
        return whole.loss(z, none), whole.gradient(z, none), whole.normal(z, none)

    loss, (reverse_loss, reverse), normal = evaluated(whole, z)
    assert whole.of_sites(z).shape == (SITES, 2, 2)
    alone = twin(sites=SITES)
    each = [eqx.filter_jit(alone.normal)(x[index], jnp.arange(SITES)) for x in z]
    spread = np.concatenate([[0.5], np.full(SITES, 2.0)])
    for lane, one in enumerate(each):
        off = np.asarray(z[lane] - whole.before()) / spread
        expected = np.mean(one.loss) + 0.75 * np.sum(off**2)
        np.testing.assert_allclose([loss[lane], normal.loss[lane]], expected, rtol=1e-12)
        slope = 1.5 * off / spread
        np.add.at(slope, index, np.asarray(one.gradient) / SITES)
        bend = np.diag(1.5 / spread**2)
        np.add.at(bend, (index[:, :, None], index[:, None]), np.asarray(one.curvature) / SITES)
        np.testing.assert_allclose(normal.gradient[lane], slope, rtol=1e-9)
        np.testing.assert_allclose(reverse[lane], slope, rtol=1e-9)
        np.testing.assert_allclose(normal.curvature[lane], bend, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(reverse_loss, loss, rtol=1e-13)


def test_before_is_the_mean_of_those_who_share():
    own = {"rain": np.linspace(0.2, 0.6, SITES)}
    given = twin(sites=SITES, own=own)
    before = Together(given, index_of("mixed")).before()
    np.testing.assert_allclose(before[0], np.mean(given.before()[:, 0]), rtol=1e-12)


@pytest.mark.slow
def test_a_bad_site_is_named_and_one_without_observations_takes_what_is_shared():
    given = problem()
    warmth = given.forcing.temperature.at[1, 20].set(-5.0)
    seen = given.targets[0].observed.at[3].set(jnp.nan)
    bad = eqx.tree_at(
        lambda p: (p.forcing.temperature, p.targets[0].observed), given, (warmth, seen)
    )
    found = calibrate_together(bad, FINE, shared=["rain"], starts=2)
    good = [0, 2, 4]
    expected = least_squares(index_of("rain"), good)
    np.testing.assert_allclose(found.values[good], expected[good], rtol=1e-5)
    assert "runoff is not a finite number" in found.reasons[1]
    assert "no observation of runoff" in found.reasons[3]
    assert "what it shares is that of the others" in found.reasons[3]
    assert (found.status[1] == FAILED).all()
    rain, air = found.values[3]
    assert rain == found.values[0, 0]
    np.testing.assert_allclose(air, 0.3, rtol=1e-12)  # what it was before, whatever the start


def test_sharing_is_refused_in_words():
    coordinates = problem().coordinates

    def refused(match, **given):
        with pytest.raises(InputError, match=match):
            numbering(coordinates, SITES, **given)

    refused("did you mean rain", shared=["rian"])
    refused(
        "rain is both shared and by cluster", shared=["*"], by_cluster=["rain"], clusters=LABELS
    )
    refused("air by cluster needs a label for each site", by_cluster=["air"])
    refused("needs a label for each site", by_cluster=["air"], clusters=LABELS[1:])
