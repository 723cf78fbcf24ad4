"""Gradients: reverse mode against central differences, for everything a run can depend on."""

from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.core.grids import Column
from diffhydro.core.precision import astype
from diffhydro.soil.boundary import (
    Drive,
    FluxBottom,
    FluxTop,
    FreeDrainage,
    HeadBottom,
    HeadTop,
    Seepage,
)
from diffhydro.soil.richards.adaptive import Adaptive
from diffhydro.soil.richards.fixed import Fixed
from diffhydro.soil.richards.stage import SDIRK2
from diffhydro.soil.richards.state import SoilWater
from diffhydro.soil.uptake import (
    ExponentialRoots,
    Feddes,
    JacksonRoots,
    LinearRoots,
    UniformRoots,
    Uptake,
)
from tests.soil.richards.columns import air, filled, lay, loam, march
from tests.soil.test_hydraulics import SOILS

EXACT = 1e-13  # residual as a water content, so that differences see the solution, not its error
STEP = (
    2e-6  # relative step of the differences: truncation 1e-7 at worst, noise below 1e-8, both seen
)
AT_ZERO = 0.01  # what stands for the size of an input that is zero
RTOL = 1e-6
POLICIES = {
    "fixed": Fixed(4, 40, EXACT),
    "two_stages": Fixed(3, 40, EXACT, SDIRK2),
    "adaptive": Adaptive(error=5e-3, iterations=20, tolerance=EXACT, sweeps=1, most=10**4),
}
FORMS = (
    "loam",
    "clay_with_air_entry",
    "brooks_corey_sand",
    "clapp_hornberger_sand",
    "gardner_of_p06",
    "haverkamp_of_p02",
    "broadbridge_white_of_p14",
)


class Scene(NamedTuple):
    """All that a run depends on; every array in it is differentiated."""

    soil: Any
    top: Any
    bottom: Any
    uptake: Any
    drive: Drive
    psi: float = -1000.0
    pond: float = 0.0
    specific_storage: float = 1e-6


def rows(surface, base=0.0, transpiration=0.0) -> Drive:
    surface = jnp.asarray(surface)
    return Drive(surface, jnp.full(surface.shape, base), jnp.full(surface.shape, transpiration))


def grown(shape) -> Uptake:
    return Uptake(shape, Feddes(psi_1=-20.0, psi_2=-200.0, psi_3=-900.0, psi_4=-8e4))


RAIN = (30.0, -3.0, 8.0)
SCENES = {
    "ponded": Scene(
        loam(), air(pond_max=40.0), FreeDrainage(), None, rows([400.0, 300.0]), -300.0, 12.0
    ),
    "runoff": Scene(
        loam(k_sat=50.0), air(pond_max=3.0), FreeDrainage(), None, rows([300.0, 200.0])
    ),
    "dry_surface": Scene(
        loam(), air(-3e4, 2.0), FreeDrainage(), None, rows([-12.0, -9.0]), -4000.0
    ),
    "linear_roots": Scene(
        loam(),
        air(pond_max=2.0),
        FreeDrainage(),
        grown(LinearRoots(depth=430.0)),
        rows(RAIN, 0.0, 4.0),
    ),
    "uniform_roots": Scene(
        loam(),
        air(pond_max=2.0),
        FreeDrainage(),
        grown(UniformRoots(depth=430.0)),
        rows(RAIN, 0.0, 4.0),
    ),
    "exponential_roots": Scene(
        loam(),
        air(pond_max=2.0),
        FreeDrainage(),
        grown(ExponentialRoots(depth=430.0, k=3.0)),
        rows(RAIN, 0.0, 4.0),
    ),
    "jackson_roots": Scene(
        loam(),
        air(pond_max=2.0),
        FreeDrainage(),
        grown(JacksonRoots(beta=0.96)),
        rows(RAIN, 0.0, 4.0),
    ),
    "water_table": Scene(
        loam(), air(pond_max=2.0), HeadBottom(), None, rows(RAIN, 150.0), -400.0, 0.0, 1e-5
    ),
    "capillary_rise": Scene(loam(), air(pond_max=2.0), FluxBottom(), None, rows(RAIN, -2.0)),
    "seeping": Scene(loam(), FluxTop(), Seepage(), None, rows([60.0, 20.0]), -30.0),
    "closed_seepage": Scene(loam(), FluxTop(), Seepage(), None, rows([20.0, 10.0]), -3000.0),
    "head_top": Scene(loam(), HeadTop(), FreeDrainage(), None, rows([-100.0, 20.0, -400.0])),
    "flux_top": Scene(loam(), FluxTop(), FreeDrainage(), None, rows(RAIN)),
}


def layers() -> Column:
    return Column(np.asarray([10.0, 20.0, 40.0, 60.0, 70.0, 100.0, 150.0, 150.0]))


def observer(scene: Scene, policy, column: Column):
    """The parameters of a scene, and a number that depends on everything that can be observed."""
    dtype = scene.drive.surface.dtype
    mesh, problem = lay(
        scene.soil, scene.top, scene.bottom, column=column, uptake=scene.uptake, dtype=dtype,
        specific_storage=scene.specific_storage,
    )  # fmt: skip
    start = filled(mesh, problem, scene.psi, scene.pond)
    inputs = (
        *astype((scene.soil, scene.top, scene.uptake), dtype),
        jnp.asarray(scene.specific_storage, dtype),
        scene.drive,
        start.stored,
        start.pond,
    )
    rng = np.random.default_rng(2)
    weight_psi, weight_water = (jnp.asarray(x, dtype) for x in rng.normal(size=(2, mesh.nodes)))

    def observe(inputs):
        soil, top, uptake, specific_storage, drive, stored, pond = inputs
        mesh, problem = lay(
            soil, top, scene.bottom, column=column, uptake=uptake, dtype=dtype,
            specific_storage=specific_storage,
        )  # fmt: skip
        water = SoilWater(start.psi, stored, pond, start.pace)
        run = march(mesh, problem, water, drive, policy, 0.5)
        seen = jnp.sum(weight_water * run.after.stored) + 3.0 * run.after.pond
        seen += 0.01 * jnp.sum(weight_psi * run.after.psi)
        a = run.amounts
        seen += jnp.sum(2.0 * a.drainage + 0.7 * a.infiltration + 0.3 * a.runoff - a.uptake)
        return seen, run

    return inputs, observe


def differences(observe, inputs) -> np.ndarray:
    """Central differences for every number in a tree, and the sizes of the numbers."""
    leaves, shape = jax.tree.flatten(inputs)
    sizes = np.cumsum([0, *(x.size for x in leaves)])

    def flat(values):
        parts = [
            values[a:b].reshape(x.shape) for x, a, b in zip(leaves, sizes, sizes[1:], strict=False)
        ]
        return observe(jax.tree.unflatten(shape, parts))[0]

    point = jnp.concatenate([jnp.ravel(x) for x in leaves])
    scale = jnp.where(point == 0.0, AT_ZERO, jnp.abs(point))
    move = jnp.diag(STEP * scale)
    both = jax.jit(jax.vmap(flat))(jnp.concatenate([point[None] + move, point[None] - move]))
    half = point.shape[0]
    return np.asarray((both[:half] - both[half:]) / (2.0 * STEP)), np.asarray(scale)


def check(scene: Scene, policy, column: Column | None = None):
    inputs, observe = observer(scene, policy, layers() if column is None else column)
    grad, run = eqx.filter_jit(jax.grad(observe, has_aux=True))(inputs)
    assert float(run.effort.forced.sum()) == 0.0
    back = np.concatenate([np.ravel(x) for x in jax.tree.leaves(grad)])
    expected, scale = differences(observe, inputs)
    # Judged as the change for a change of the input by its own size; what is 1e8 times less than
    # the largest of them is beyond the differences.
    np.testing.assert_allclose(
        back * scale, expected, rtol=RTOL, atol=3e-8 * np.abs(expected).max()
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "policy", ["fixed", pytest.param("adaptive", marks=pytest.mark.exhaustive)]
)
@pytest.mark.parametrize("form", FORMS)
def test_every_parameter_of_every_form(form, policy):
    # At −1500 mm Gardner's exponential is nearer to θ_r than the differences reach.
    start = -600.0 if form == "gardner_of_p06" else -1500.0
    scene = Scene(SOILS[form], air(pond_max=2.0), FreeDrainage(), None, rows(RAIN), start)
    check(scene, POLICIES[policy])


@pytest.mark.slow
@pytest.mark.exhaustive
@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("name", SCENES)
def test_every_boundary_and_sink(name, policy):
    check(SCENES[name], POLICIES[policy])


@pytest.mark.exhaustive
@pytest.mark.slow
@pytest.mark.parametrize("policy", ["fixed", "adaptive"])
def test_layers_of_different_forms(policy):
    column = Column(layers().thickness, [0, 0, 0, 1, 1, 2, 2, 2])
    soils = tuple(SOILS[n] for n in ("loam", "brooks_corey_sand", "gardner_of_p06"))
    scene = Scene(soils, air(pond_max=5.0), FreeDrainage(), None, rows(RAIN), -800.0)
    check(scene, POLICIES[policy], column)


@pytest.mark.exhaustive
@pytest.mark.slow
@pytest.mark.parametrize("policy", ["fixed", "adaptive"])
def test_the_guess_has_no_gradient(policy):
    scene = SCENES["flux_top"]
    mesh, problem = lay(scene.soil, scene.top, scene.bottom, column=layers())
    start = filled(mesh, problem, -1000.0)

    def wetness(psi):
        water = eqx.tree_at(lambda w: w.psi, start, psi)
        return jnp.sum(march(mesh, problem, water, scene.drive, POLICIES[policy]).after.stored ** 2)

    assert not np.asarray(jax.jit(jax.grad(wetness))(start.psi)).any()
    moved = jax.jit(wetness)(start.psi * 1.01)
    np.testing.assert_allclose(moved, jax.jit(wetness)(start.psi), rtol=1e-9)


@pytest.mark.exhaustive
@pytest.mark.slow
def test_a_gradient_does_not_change_the_run():
    """Recording has room for a number of steps; as long as it suffices the run is the same."""
    inputs, observe = observer(SCENES["linear_roots"], POLICIES["adaptive"], layers())
    plain = eqx.filter_jit(observe)(inputs)[1]
    recorded = eqx.filter_jit(jax.grad(observe, has_aux=True))(inputs)[1]
    for a, b in zip(jax.tree.leaves(plain), jax.tree.leaves(recorded), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-12)


@pytest.mark.exhaustive
@pytest.mark.slow
def test_a_gradient_without_room_says_so():
    policy = Adaptive(error=1e-6, tolerance=EXACT, sweeps=1, most=10**4, room=4)
    inputs, observe = observer(SCENES["flux_top"], policy, layers())
    grad, run = eqx.filter_jit(jax.grad(observe, has_aux=True))(inputs)
    assert (np.asarray(run.effort.forced) > 0).all()
    assert (np.asarray(run.effort.substeps) <= 4).all()
    assert all(np.isfinite(x).all() for x in jax.tree.leaves(grad))
