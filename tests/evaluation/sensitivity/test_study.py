"""A model as a function of positions."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.core.precision import astype
from diffhydro.errors import InputError
from diffhydro.evaluation.sensitivity import Study
from diffhydro.land.forcing import Forcing
from diffhydro.land.hbv import Hbv
from diffhydro.land.threshold import Smooth
from tests.evaluation.sensitivity.known import Power, rainy, total
from tests.land.climates import Climate, weather

WEATHER = weather(Climate(warmth=4.0, swing=0.0, storm=20.0), 40, seed=2)


def test_a_response_is_what_models_at_those_places_say():
    study = Study(Power(), rainy(), ["gain", "shares"])
    found = study.response(total).at(np.asarray([[0.5, 0.2, 0.8], [0.75, 1.0, 0.2]]))
    wanted = [1.0 * 1.0 / 2.0 * 16.0, 10.0**1.7 * 25.0 * 16.0]
    np.testing.assert_allclose(found, wanted, rtol=1e-12)


def test_many_runs_equal_a_loop_of_runs():
    study = Study(Hbv(threshold=Smooth()), WEATHER, columns=3)
    points = np.random.default_rng(0).random((7, len(study.names)))
    found = study.response(total).at(points)
    wanted = [
        float(total(study.chosen.place(study.model, jnp.asarray(u)).run(WEATHER))) for u in points
    ]
    np.testing.assert_allclose(found, wanted, rtol=1e-12)


def test_narrower_bounds_are_where_positions_lead():
    wide = Study(Power(), rainy(), ["gain"]).response(total)
    narrow = Study(Power(), rainy(), ["gain"], within={"gain": (1.0, 10.0)}).response(total)
    np.testing.assert_allclose(narrow.at([[1.0]]), wide.at([[0.75]]), rtol=1e-12)


def test_a_model_in_single_precision_stays_so():
    model = astype(Power(), "float32")
    study = Study(model, rainy(), ["gain", "shares"])
    placed = study.chosen.place(model, jnp.full(3, 0.5))
    assert {x.dtype for x in jax.tree.leaves(placed)} == {np.dtype("float32")}
    assert np.isfinite(study.response(total).slopes(np.full((2, 3), 0.5))[1]).all()


def test_runs_start_from_the_state_that_is_given():
    model = Hbv()
    full = eqx.tree_at(lambda s: s.soil, model.init_state(), jnp.asarray(200.0))
    point = np.full((1, 1), 0.5)
    empty, wet = (
        Study(model, WEATHER, "beta", state=state).response(total).at(point)
        for state in (None, full)
    )
    assert wet > empty


@pytest.mark.slow
def test_the_edges_of_every_parameter_have_finite_slopes_in_dry_weather():
    dry = Forcing(np.zeros(10), np.full(10, 3.0), temperature=np.full(10, 15.0))
    study = Study(Hbv(), dry)
    entries = len(study.names)
    points = np.concatenate([np.eye(entries), 1.0 - np.eye(entries)])
    outputs, slopes = study.response(total).slopes(points)
    assert np.isfinite(outputs).all()
    assert np.isfinite(slopes).all()


def test_what_has_no_bounds_cannot_be_sampled():
    study = Study(Power(), rainy(), "shift")
    with pytest.raises(InputError, match=r"within=\{'shift': \(lower, upper\)\}"):
        study.response(total)
    bounded = Study(Power(), rainy(), "shift", within={"shift": (-1.0, 1.0)})
    assert bounded.response(total).at([[0.5]]).shape == (1,)


def test_refused():
    with pytest.raises(InputError, match="weather of one site"):
        Study(Power(), Forcing(np.zeros((2, 5))))
    with pytest.raises(InputError, match="Hbv needs temperature"):
        Study(Hbv(), rainy())
    with pytest.raises(InputError, match="did you mean beta"):
        Study(Hbv(), WEATHER, "betta")
