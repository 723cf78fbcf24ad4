"""What the solver could not do it says; what it then returns is finite and conserves water."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.core.tally import Tally
from diffhydro.soil.boundary import FluxBottom, FluxTop, FreeDrainage
from diffhydro.soil.richards.adaptive import Adaptive
from diffhydro.soil.richards.fixed import Fixed
from diffhydro.soil.richards.flows import held
from diffhydro.soil.richards.problem import ends
from diffhydro.soil.richards.stage import Stage
from tests.soil.richards.columns import (
    air,
    drives,
    filled,
    imbalance,
    lay,
    loam,
    march,
    rounding,
)

GO = eqx.filter_jit(march)
HARD = drives(lay(loam(), FluxTop(), FreeDrainage())[0], [0.0, 900.0, -20.0, 0.0])


@pytest.mark.exhaustive
@pytest.mark.parametrize("dtype", [jnp.float32, jnp.float64])
@pytest.mark.parametrize(
    ("policy", "stages"),
    [(Adaptive(most=10), 2), (Adaptive(shortest=0.5), 2), (Fixed(1, 1), 1), (Fixed(1, 3), 1)],
    ids=["few_iterations", "long_steps", "one_sweep", "three_sweeps"],
)
def test_the_impossible_is_flagged_finite_and_conserving(policy, stages, dtype):
    mesh, problem = lay(loam(), air(pond_max=20.0), FreeDrainage(), dtype=dtype)
    drive = jax.tree.map(lambda x: x.astype(dtype), HARD)
    run = GO(mesh, problem, filled(mesh, problem, -50000.0), drive, policy, 10.0)
    assert float(run.effort.forced[1]) > 0
    assert all(np.isfinite(x).all() for x in jax.tree.leaves(run))
    assert abs(imbalance(run)) <= rounding(run, stages)
    theta = np.asarray(run.after.stored) / np.asarray(mesh.scale)
    assert (theta > 0.078 - 0.06).all()
    assert (theta < 0.43 + 0.06).all()


def test_a_full_node_keeps_what_an_iteration_put_into_it():
    """A step of a microsecond: expelling five tolerances would take kilometres of head."""
    mesh, problem = lay(loam(), FluxTop(), FluxBottom(), dtype=jnp.float32)
    water = filled(mesh, problem, 0.0)
    over = eqx.tree_at(lambda w: w.stored, water, water.stored + 5e-5 * mesh.volume)
    run = GO(mesh, problem, over, drives(mesh, [0.0]), Adaptive(), 1e-11)
    assert float(run.effort.forced.sum()) == 0
    assert float(jnp.abs(run.after.psi).max()) < 1e3  # what rounding the storage makes
    np.testing.assert_allclose(run.after.stored, over.stored, rtol=1e-6)


@pytest.mark.parametrize("policy", [Fixed(1, 12), Adaptive()], ids=["fixed", "adaptive"])
def test_the_easy_is_not_flagged(policy):
    mesh, problem = lay(loam(), air(), FreeDrainage())
    run = GO(mesh, problem, filled(mesh, problem, -1000.0), drives(mesh, [1.0, -1.0]), policy)
    assert float(run.effort.forced.sum()) == 0
    assert (np.asarray(run.effort.substeps) >= 1).all()
    assert (np.asarray(run.effort.sweeps) >= run.effort.substeps).all()


@pytest.mark.parametrize("bad", [jnp.nan, jnp.inf], ids=str)
@pytest.mark.parametrize("policy", [Fixed(2, 4), Adaptive(most=40)], ids=["fixed", "adaptive"])
def test_a_spoilt_drive_is_flagged(policy, bad):
    """NaN in must not come out as a plausible number without a word."""
    mesh, problem = lay(loam(), air(), FreeDrainage())
    run = GO(mesh, problem, filled(mesh, problem, -1000.0), drives(mesh, [1.0, bad, 1.0]), policy)
    assert float(run.effort.forced[1]) > 0


def test_water_that_has_nowhere_to_go_is_flagged():
    """A flux into a full, closed column has no solution."""
    mesh, problem = lay(loam(), FluxTop(), FreeDrainage())
    closed = eqx.tree_at(lambda s: s.k_sat, loam(), jnp.asarray(1e-3))
    mesh, problem = lay(closed, FluxTop(), FreeDrainage())
    water = filled(mesh, problem, -10.0)
    run = GO(mesh, problem, water, drives(mesh, [100.0]), Adaptive(most=100))
    assert float(run.effort.forced.sum()) > 0
    assert all(np.isfinite(x).all() for x in jax.tree.leaves(run))


def test_an_interval_takes_as_few_steps_as_it_needs():
    """A column at rest costs one step, however small the pace it came with."""
    mesh, problem = lay(loam(), air(), FreeDrainage())
    water = filled(mesh, problem, -1e4, pace=1e-6)
    run = GO(mesh, problem, water, drives(mesh, [0.0] * 6), Adaptive())
    assert float(run.effort.substeps[0]) <= 13  # 1e-6 days, four times longer at each step
    assert float(run.effort.substeps[-1]) == 1


@pytest.mark.exhaustive
def test_a_stage_that_ends_at_impossible_heads_or_contents_is_not_sane():
    """In saturated clay at n near 1.2 rounding alone can excuse any residual, and any head."""
    mesh, problem = lay(loam(), air(), FreeDrainage())
    water = filled(mesh, problem, -300.0)
    wide = jax.tree.map(lambda x: x[..., None], (mesh, problem, water, drives(mesh, [3.0])))
    mesh, problem, water, drive = wide
    drive = jax.tree.map(lambda x: x[0], drive)
    stage = Stage(
        mesh, problem, drive, held(problem, drive), ends(mesh, problem.medium, water.psi),
        start=water.psi, stored=water.stored, carried=0.0 * water.stored, pond=water.pond,
        step=jnp.full_like(water.pond, 1e-3),
    )  # fmt: skip
    sweep = stage.improve(Tally.of(water.psi), stage.base(1e-9), 1e-9, None)
    end = stage.conclude(sweep)
    assert bool(stage.is_sane(sweep, end)[0])
    for wrong in (1e7, -jnp.inf, jnp.nan):
        psi = sweep.psi._replace(value=sweep.psi.value.at[3].set(wrong))
        assert not bool(stage.is_sane(sweep._replace(psi=psi), end)[0])
    driest = sweep.psi._replace(value=sweep.psi.value.at[3].set(-1e10))  # of θ_r in float32
    assert bool(stage.is_sane(sweep._replace(psi=driest), end)[0])
    for wrong in (1e4, -1e4, jnp.nan):
        gain = end.gain.at[3].set(wrong)
        assert not bool(stage.is_sane(sweep, end._replace(gain=gain))[0])
