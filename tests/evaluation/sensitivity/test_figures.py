"""Figures are made, of what varies and of what does not."""

import numpy as np
import pytest

from diffhydro.errors import InputError
from diffhydro.evaluation.sensitivity import Adjoint, Study, dgsm, elasticities, morris, sobol
from diffhydro.evaluation.sensitivity.figures import (
    draw_adjoint,
    draw_dgsm,
    draw_elasticities,
    draw_morris,
    draw_sobol,
)
from diffhydro.land.forcing import Forcing
from tests.evaluation.sensitivity.known import Power, constant, ishigami, linear, rainy, runoff


@pytest.fixture(autouse=True)
def _with_matplotlib():
    pytest.importorskip("matplotlib")


@pytest.fixture
def target(tmp_path):
    yield tmp_path / "figure.png"
    assert (tmp_path / "figure.png").read_bytes()[:4] == b"\x89PNG"
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("forcing", [rainy(), Forcing(np.zeros(4))], ids=["rain", "dry"])
def test_elasticities(target, forcing):
    found = elasticities(Study(Power(), forcing), runoff)
    dates = np.arange("2020-01-01", "2020-01-05", dtype="datetime64[D]")
    draw_elasticities(found, target, times=dates, quantity="runoff, mm/day", most=3)


def test_times_that_are_not_those_of_the_series(tmp_path):
    found = elasticities(Study(Power(), rainy()), runoff)
    with pytest.raises(InputError, match="4 steps, but times has the shape"):
        draw_elasticities(found, tmp_path / "figure.png", times=[1, 2])


@pytest.mark.parametrize("response", [linear(), constant()], ids=["line", "constant"])
def test_dgsm_alone(target, response):
    draw_dgsm(dgsm(response, 64, seed=0), target)


def test_dgsm_beside_sobol(target):
    pytest.importorskip("SALib")
    draw_dgsm(dgsm(linear(), 64, seed=0), target, shares=sobol(linear(), 64, seed=0), most=2)
    with pytest.raises(InputError, match="of another response: they lack"):
        draw_dgsm(dgsm(linear(), 64, seed=0), target, shares=sobol(ishigami(), 64, seed=0))


def test_sobol(target):
    pytest.importorskip("SALib")
    draw_sobol(sobol(linear(), 64, seed=0), target)


@pytest.mark.parametrize("response", [linear(), constant()], ids=["line", "constant"])
def test_morris(target, response):
    pytest.importorskip("SALib")
    draw_morris(morris(response, 4, seed=0), target, unit="mm")


@pytest.mark.parametrize("water", [0.0, 80.0])
def test_adjoint(target, water):
    rain, slopes = np.asarray([9.0, 0.0, 4.0, 0.0]), np.asarray([0.1, 0.3, 0.7, 0.0])
    found = Adjoint(
        value=20.0,
        weather={"precipitation": rain},
        forcing={"precipitation": slopes},
        state={"theta": np.ones(2)},
        stores={"soil": np.asarray([0.2, 0.1]), "snow": np.asarray(0.4)},
        water={"soil": np.asarray([water, 2.0 * water]), "snow": np.asarray(0.0)},
    )
    draw_adjoint(found, target, course=20.0 + rain, when=2, quantity="soil water, mm")
