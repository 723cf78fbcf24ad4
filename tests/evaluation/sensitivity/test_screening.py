"""Morris: what is known of lines, and the order of Ishigami's three."""

import sys

import numpy as np
import pytest

from diffhydro.errors import InputError
from diffhydro.evaluation.sensitivity import Study, morris
from diffhydro.land.hbv import Hbv
from tests.evaluation.sensitivity.known import SLOPES, A, B, constant, ishigami, linear, total
from tests.land.climates import Climate, weather


@pytest.fixture(autouse=True)
def _with_salib():
    pytest.importorskip("SALib")


def test_the_effects_of_a_line_are_its_slopes():
    found = morris(linear(), 6, seed=0)
    np.testing.assert_allclose(found.mu, SLOPES, rtol=1e-12)
    np.testing.assert_allclose(found.mu_star, np.abs(SLOPES), rtol=1e-12)
    np.testing.assert_allclose(found.sigma, 0.0, atol=1e-12)
    assert found.runs == 6 * (3 + 1)
    assert found.order.tolist() == [1, 0, 2]


def test_ishigami():
    found = morris(ishigami(), 300, seed=0)
    # On four levels every effect takes a parameter two thirds of its range up or down, from −π to
    # π/3 or from −π/3 to π: x1 always changes its sine by sin π/3, and so on, by hand.
    sine, near, far = np.sin(np.pi / 3.0), (np.pi / 3.0) ** 4, np.pi**4
    by_hand = [
        sine * (1.0 + B * (near + far) / 2.0),
        A * sine**2,
        B * (far - near) * sine / 2.0,
    ]
    wanted = np.asarray(by_hand) / (2.0 / 3.0)
    # `mu_star_error` is 1.96 standard errors.
    assert (np.abs(found.mu_star - wanted) < 2.0 * found.mu_star_error + 1e-12).all()
    assert found.order.tolist() == np.argsort(-wanted).tolist()
    assert abs(found.mu[2]) < 0.2 * found.mu_star[2]
    assert (found.sigma[1:] > found.mu_star[1:]).all()


def test_what_does_not_vary_has_no_effects():
    found = morris(constant(), 4, seed=0)
    np.testing.assert_array_equal(found.mu_star, 0.0)


@pytest.mark.parametrize("seed", [0, 7])
def test_the_same_seed_gives_the_same_numbers_and_leaves_chance_alone(seed):
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    one, two = (str(morris(ishigami(), 10, seed=seed)) for _ in range(2))
    assert one == two
    np.testing.assert_array_equal(before, np.random.get_state()[1])  # noqa: NPY002


def test_a_bucket_does_not_hear_of_snow_in_the_tropics():
    warm = weather(Climate(warmth=27.0, swing=2.0), 60, seed=1)
    found = morris(Study(Hbv(), warm).response(total), 8, seed=0)
    idle = {found.names[i] for i in np.flatnonzero(found.mu_star == 0.0)}
    assert idle == {"rain_above", "degree_day", "refreezing", "holding"}


@pytest.mark.parametrize(("trajectories", "levels"), [(1, 4), (10, 5), (10, 0)])
def test_refused(trajectories, levels):
    with pytest.raises(InputError, match="two trajectories or more, on an even number"):
        morris(linear(), trajectories, seed=0, levels=levels)


def test_without_salib_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "SALib.sample.morris", None)
    with pytest.raises(InputError, match=r"the extra 'sensitivity' .*or take dgsm"):
        morris(linear(), seed=0)
