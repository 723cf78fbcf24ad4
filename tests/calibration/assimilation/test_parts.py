"""What of a state an analysis can move: always to where the model could be."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.calibration.assimilation.offers import offers, resolve
from diffhydro.calibration.assimilation.part import Amounts, reach, settled
from diffhydro.errors import InputError
from diffhydro.land.fallow import Fallow
from diffhydro.land.forcing import Forcing
from diffhydro.land.hbv import Hbv
from diffhydro.land.initial import WaterTable
from diffhydro.land.land import Land
from diffhydro.land.routing import GammaHydrograph
from diffhydro.land.upland import Upland
from diffhydro.land.water_balance import WaterBalance
from diffhydro.land.wetland import Wetland
from diffhydro.soil.redistribution import THETA_MIN
from diffhydro.soil.richards.fixed import Fixed
from tests.calibration.assimilation.reservoirs import Reservoirs
from tests.calibration.assimilation.twin import HORIZONS, LOAM, column

MODELS = {
    "upland": lambda: Upland(soil=LOAM),
    "fallow": lambda: Fallow(soil=LOAM),
    "wetland": Wetland,
    "column": column,
    "land": lambda: Land(ground=column()),
    "water balance": lambda: WaterBalance(upland=Upland(soil=LOAM)),
    "hbv": lambda: Hbv(routing=GammaHydrograph()),
}
PATHS = {
    "upland": ["theta"],
    "fallow": ["theta"],
    "wetland": ["stored"],
    "column": ["psi"],
    "land": ["snow", "ground.psi"],
    "water balance": ["snow", "ground.upland.theta", "ground.wetland.stored"],
    "hbv": ["snow", "liquid", "soil", "upper", "lower", "routing"],
}


@pytest.mark.parametrize("name", MODELS)
def test_a_model_offers_its_water(name):
    model = MODELS[name]()
    assert list(offers(model)) == PATHS[name]
    state = jax.eval_shape(model.init_state)
    for part in offers(model).values():
        places = jax.eval_shape(part.places, state)
        layers = 5 if part.path.endswith("psi") else reach(state, part.path).size
        assert places.shape == (layers,)


@pytest.mark.parametrize("name", MODELS)
def test_a_step_of_zero_leaves_the_state_and_a_large_one_its_shape(name):
    @eqx.filter_jit
    def moved(model):
        state = model.init_state()
        none = {path: jnp.zeros_like(part.places(state)) for path, part in offers(model).items()}
        still = [settled(part, state, none[path]) for path, part in offers(model).items()]
        return state, still, [p.moved(state, none[path] + 3.0) for path, p in offers(model).items()]

    state, still, far = moved(MODELS[name]())
    for one in still:
        jax.tree.map(np.testing.assert_array_equal, state, one)
    for one in far:
        assert jax.tree.structure(one) == jax.tree.structure(state)
        assert all(np.isfinite(x).all() for x in jax.tree.leaves(one))


def test_water_contents_stay_within_their_bounds():
    upland = Upland(soil=LOAM)
    part, state = offers(upland)["theta"], upland.init_state()
    for step in (-2.0, 2.0):
        theta = part.moved(state, jnp.full((6,), step)).theta
        assert float(theta.min()) >= THETA_MIN
        assert float(theta.max()) <= float(LOAM.theta_s)


def test_the_bounds_are_those_of_the_parameters():
    upland = Upland(soil=LOAM)
    tight = eqx.tree_at(lambda u: u.soil.theta_s, upland, jnp.asarray(0.3))
    wet = offers(tight)["theta"].moved(upland.init_state(), jnp.full((6,), 1.0))
    assert float(wet.theta.max()) <= 0.3


def made(initial):
    return column() if initial is None else column(initial=initial)


@pytest.mark.parametrize("initial", [None, WaterTable(600.0)])
def test_heads_and_water_of_a_column_belong_together(initial):
    @eqx.filter_jit
    def moved(model, step):
        state = model.init_state()
        after = offers(model)["psi"].moved(state, jnp.full((5,), step))
        mesh = model.prepare().mesh
        psi = mesh.at_layers(after.psi)
        horizon = jnp.asarray(model.grid.horizon)
        wanted = jax.tree.map(lambda x: x[horizon] if x.ndim else x, HORIZONS).theta(psi)
        pressed = model.specific_storage * jnp.maximum(psi, 0.0)
        return state, after, mesh.at_layers(after.stored), (wanted + pressed) * model.grid.thickness

    for step in (-0.7, 0.7):
        before, after, stored, wanted = moved(made(initial), jnp.asarray(step))
        np.testing.assert_allclose(stored, wanted, rtol=1e-12)
        assert (np.sign(after.psi - before.psi) == np.sign(step)).all()
        assert float(after.pond) == float(before.pond)


@pytest.mark.slow
@pytest.mark.exhaustive
def test_a_moved_column_runs_on_without_trouble():
    model = column(initial=WaterTable(600.0), policy=Fixed(substeps=8, iterations=12))
    state = model.init_state()
    moved = offers(model)["psi"].moved(state, jnp.asarray([0.5, -0.5, 0.3, -0.2, 0.0]))
    run = model.run(Forcing([0.0, 10.0, 0.0], [3.0, 1.0, 3.0]), moved)
    assert int(run.effort.forced.sum()) == 0


def test_names_that_nobody_offers_teach():
    with pytest.raises(InputError, match=r"did you mean ground\.upland\.theta"):
        resolve("upland.theta", WaterBalance(upland=Upland(soil=LOAM)))
    with pytest.raises(InputError, match="offers no parts of its state; give Amounts"):
        resolve("upper", Reservoirs())
    with pytest.raises(InputError, match="did you mean upper"):
        reach(Reservoirs().init_state(), "uper")
    with pytest.raises(InputError, match="it has upper, lower"):
        Amounts("theta").places(Reservoirs().init_state())
