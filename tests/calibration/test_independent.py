"""Queues of searches: neither lanes nor interruptions nor bad neighbours make a difference."""

from functools import cache

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.calibration import calibrate
from diffhydro.calibration.descent import Adam, Lbfgs
from diffhydro.calibration.independent import line_up, search
from diffhydro.calibration.levenberg_marquardt import LevenbergMarquardt
from diffhydro.calibration.search import FAILED, RUNNING
from diffhydro.core.states import load, named, rebuilt, save
from diffhydro.errors import InputError
from tests.calibration.models import twin
from tests.calibration.objectives import Squares

METHODS = {
    "Levenberg–Marquardt": LevenbergMarquardt(tolerance=1e-8),
    "Adam": Adam(most=40),
    "L-BFGS": Lbfgs(tolerance=1e-8),
}
SEARCHES, LANES = 16, 8  # all at once they are two parts of eight
RNG = np.random.default_rng(0)
STARTS = jnp.asarray(RNG.uniform(-2.0, 2.0, (SEARCHES, 2)))
PLACE = RNG.integers(0, 4, SEARCHES)


def valley(z, site):
    """Bend differently at every place, so that searches take different times."""
    bend = 1.0 + site.astype(z.dtype)
    return jnp.stack([bend * (z[1] - 0.3 * bend * z[0] ** 2), 1.0 - z[0], 0.5 + 0.0 * z[0]])


PROBLEM = Squares(valley)


def queue(name, lanes=LANES):
    return line_up(METHODS[name], STARTS, PLACE, lanes)


def run(name, begin, watch=lambda queue: None):
    return search(PROBLEM, METHODS[name], STARTS, PLACE, begin, watch)


@cache
def whole(name):
    return run(name, queue(name))


@pytest.mark.slow
@pytest.mark.parametrize("name", METHODS)
def test_lanes_make_no_difference(name):
    """Beyond rounding, which lanes of another number have their own of."""
    found, together = whole(name), run(name, queue(name, SEARCHES))
    np.testing.assert_array_equal(found.status, together.status)
    np.testing.assert_array_equal(found.evaluations, together.evaluations)
    np.testing.assert_allclose(found.z, together.z, rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(found.course, together.course, rtol=1e-8)
    assert (found.status != RUNNING).all()
    # Some ended early and made room while others went on.
    assert name == "Adam" or len({*found.evaluations.tolist()}) > 3


@pytest.mark.slow
@pytest.mark.parametrize("name", ["Levenberg–Marquardt", "L-BFGS"])
def test_results_are_in_the_order_of_the_searches(name):
    """Every place has its own best z₁, and every search its own course."""
    found = whole(name)
    np.testing.assert_allclose(found.z[:, 0], 1.0, atol=1e-3)
    np.testing.assert_allclose(found.z[:, 1], 0.3 * (1.0 + PLACE), atol=1e-3)
    begins = np.asarray(PROBLEM.loss(STARTS, jnp.asarray(PLACE)))
    np.testing.assert_allclose(found.course[:, 0], begins, rtol=1e-12)
    np.testing.assert_array_equal(np.nanmin(found.course, axis=1), found.loss)


@pytest.mark.slow
@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("rounds", [1, 13])
def test_a_search_that_was_stopped_goes_on_bit_for_bit(name, rounds, tmp_path):
    file, count = tmp_path / "queue.npz", 0

    def stop(queue):
        nonlocal count
        count += 1
        if count == rounds:
            save(file, {"what": "a queue"}, named(queue))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(name, queue(name), stop)
    again = rebuilt(queue(name), load(file, {"what": "a queue"}))
    found = run(name, again)
    for one, other in zip(found, whole(name), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.slow
def test_every_round_is_shown():
    done = []
    run("Adam", queue("Adam"), lambda q: done.append(int((q.found.status != RUNNING).sum())))
    assert done == sorted(done)
    assert done[0] == 0
    assert done[-1] == SEARCHES


@pytest.mark.exhaustive
@pytest.mark.slow
def test_a_bad_site_is_named_and_does_not_disturb_the_others():
    """Of seven sites one is no number, one has no observation, and one starts at no number."""
    good = [0, 2, 4, 6]
    problem = twin(sites=7, own={"rain": np.linspace(0.2, 0.8, 7)}, names=list("abcdefg"))
    warmth = problem.forcing.temperature.at[1, 20].set(-5.0)
    seen = problem.targets[0].observed.at[3].set(jnp.nan)
    bad = eqx.tree_at(
        lambda p: (p.forcing.temperature, p.targets[0].observed, p.own["rain"]),
        problem,
        (warmth, seen, problem.own["rain"].at[5].set(jnp.nan)),
    )
    found = calibrate(bad, starts=2, lanes=4)
    assert {bad.names[site]: reason[:22] for site, reason in found.reasons.items()} == {
        "b": "runoff is not a finite",
        "d": "no observation of runo",
    }
    assert found.is_fitted.tolist() == [True, False, True, False, True, True, True]
    # What starts at no number is found from elsewhere.
    assert found.status[5, 0] == FAILED
    assert found.ended_well[5, 1]
    assert (found.status[[1, 3]] == FAILED).all()
    assert np.isnan(found.best_loss[[1, 3]]).all()
    # Where nothing was found, there is what was before.
    before = np.asarray(problem.before())
    np.testing.assert_array_equal(found.best_z[[1, 3]], before[[1, 3]])
    fine = calibrate(problem, starts=2, lanes=4)
    np.testing.assert_array_equal(found.status[good], fine.status[good])
    np.testing.assert_array_equal(found.evaluations[good], fine.evaluations[good])
    np.testing.assert_allclose(found.z[good], fine.z[good], rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(found.loss[good], fine.loss[good], rtol=1e-12)


def test_without_any_observation_there_is_nothing_to_fit():
    with pytest.raises(InputError, match="none of the 3 sites can be fitted: no observation of"):
        calibrate(twin(noise=np.nan))
