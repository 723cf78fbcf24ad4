"""Conservation: the books close whatever the soil, the storm, the boundary and the iteration
cap.
"""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.core.grids import Column
from diffhydro.soil.hydraulics import VanGenuchten
from diffhydro.soil.richards.adaptive import Adaptive
from diffhydro.soil.richards.fixed import Fixed
from diffhydro.soil.richards.stage import SDIRK2
from tests.soil.richards.columns import (
    BOTTOMS,
    Run,
    air,
    drives,
    filled,
    held,
    imbalance,
    lay,
    march,
    roots,
    rounding,
    storms,
)
from tests.soil.test_hydraulics import SOILS

DAYS = 10
COLUMNS = 4
POLICIES = {
    "one_sweep": (Fixed(substeps=2, iterations=1), 1),
    "training": (Fixed(substeps=8, iterations=4), 1),
    "two_stages": (Fixed(substeps=4, iterations=6, scheme=SDIRK2), 2),
    "adaptive": (Adaptive(sweeps=2), 2),
}
# Of all the water in the books. One sweep of Newton may throw the heads of a saturated column up to
# kilometres; what is left of the fluxes between such heads is then worth less. Measured: 1e-12, 2e-4.  # noqa: E501
RELATIVE = {jnp.float64: 1e-10, jnp.float32: 1e-3}


def soils(seed: int, dtype) -> VanGenuchten:
    """Two random horizons per column."""
    rng = np.random.default_rng(seed)
    size = (COLUMNS, 2)

    def between(low, high):
        return jnp.asarray(np.exp(rng.uniform(np.log(low), np.log(high), size)), dtype)

    return VanGenuchten(
        theta_r=between(0.03, 0.1),
        theta_s=between(0.36, 0.5),
        alpha=between(5e-4, 1.5e-2),
        n=1.0 + between(0.2, 1.7),
        k_sat=between(20.0, 5000.0),
        l=jnp.full(size, 0.5, dtype),
    )


def run_all(bottom: str, policy, dtype) -> tuple[Run, np.ndarray]:
    """Several soils, each under its own storms, with a pond and roots."""
    base = BOTTOMS[bottom][1]
    column = Column(np.asarray([5.0, 10.0, 20.0, 40.0, 75.0, 100.0, 100.0, 150.0] * 2) * 0.5,
                    [0] * 6 + [1] * 10)  # fmt: skip
    supply = np.stack([storms(seed, DAYS) for seed in range(COLUMNS)])

    def one(soil, supply):
        mesh, problem = lay(
            soil,
            air(pond_max=10.0),
            BOTTOMS[bottom][0],
            column=column,
            uptake=roots(400.0),
            specific_storage=1e-6,
            dtype=dtype,
        )
        drive = drives(mesh, supply, base=base, transpiration=2.0)
        return march(mesh, problem, filled(mesh, problem, -1000.0), drive, policy)

    run = jax.jit(jax.vmap(one))(soils(1, dtype), jnp.asarray(supply, dtype))
    return run, supply


def each(run: Run) -> list[Run]:
    return [jax.tree.map(lambda x, i=i: x[i], run) for i in range(COLUMNS)]


def _marked(policy: str):
    rest = policy not in {"training", "adaptive"}
    return pytest.param(policy, marks=pytest.mark.exhaustive if rest else ())


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [jnp.float32, jnp.float64])
@pytest.mark.parametrize("policy", map(_marked, POLICIES))
@pytest.mark.parametrize("bottom", BOTTOMS)
def test_soil_water_balance_closes_to_rounding(bottom, policy, dtype):
    how, stages = POLICIES[policy]
    run, supply = run_all(bottom, how, dtype)
    for one, wanted in zip(each(run), supply, strict=True):
        assert all(np.isfinite(x).all() for x in jax.tree.leaves(one))
        if policy != "one_sweep":
            assert abs(imbalance(one)) <= rounding(one, stages)
        assert abs(imbalance(one)) <= RELATIVE[dtype] * held(one)
        _surface_is_honest(one, wanted, stages)


def _surface_is_honest(run: Run, supply: np.ndarray, stages: int):
    """No water comes out of the air: what the surface gains beyond the supply is unmet demand."""
    assert (np.asarray(run.amounts.runoff) >= 0).all()
    assert (np.asarray(run.amounts.uptake) >= -rounding(run, stages)).all()
    assert 0.0 <= float(run.after.pond) <= 10.0
    taken = np.asarray(run.amounts.infiltration, np.float64) + np.asarray(run.amounts.runoff)
    pond = float(run.after.pond) - float(run.before.pond)
    unmet = taken.sum() + pond - supply.sum()
    bound = rounding(run, stages)
    assert unmet >= -bound
    assert unmet <= np.maximum(-supply, 0.0).sum() + bound


@pytest.mark.slow
@pytest.mark.parametrize("name", SOILS)
def test_every_form_of_soil_conserves_under_one_sweep(name):
    """The worst case for a residual, over each hydraulic form, wet and dry."""
    mesh, problem = lay(SOILS[name], air(pond_max=5.0), BOTTOMS["seepage"][0])
    drive = drives(mesh, storms(3, DAYS))
    go = eqx.filter_jit(march)
    for psi in (-1e5, -1e3, -1.0):
        run = go(mesh, problem, filled(mesh, problem, psi), drive, Fixed(2, 1))
        assert all(np.isfinite(x).all() for x in jax.tree.leaves(run))
        # One sweep leaves heads that mean nothing and fluxes a thousand times too large, which
        # cancel: up to 1e10 mm in float64, of which rounding leaves 4e-8 of what is held.
        assert abs(imbalance(run)) <= 1e-6 * held(run)


@pytest.mark.exhaustive
def test_mixed_forms_over_depth_conserve():
    kinds = tuple(
        SOILS[n] for n in ("brooks_corey_of_p13", "loam", "haverkamp_of_p02", "gardner_of_p06")
    )
    column = Column.graded([100.0, 300.0, 600.0, 1000.0], finest=5.0, ratio=1.3)
    mesh, problem = lay(kinds, air(pond_max=5.0), BOTTOMS["head"][0], column=column)
    run = eqx.filter_jit(march)(
        mesh, problem, filled(mesh, problem, -800.0), drives(mesh, storms(4, DAYS)), Adaptive()
    )
    assert float(run.effort.forced.sum()) == 0
    assert abs(imbalance(run)) <= rounding(run, 2)
