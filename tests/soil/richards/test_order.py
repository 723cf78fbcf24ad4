"""Order of accuracy, fitted: in time per scheme, and in space with and without a change of soil."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.core.grids import Column
from diffhydro.soil.boundary import FluxTop, FreeDrainage, HeadBottom
from diffhydro.soil.hydraulics import Gardner, VanGenuchten
from diffhydro.soil.richards.adaptive import Adaptive
from diffhydro.soil.richards.fixed import Fixed
from diffhydro.soil.richards.stage import BACKWARD_EULER, SDIRK2
from tests.soil.richards.columns import depths, drives, filled, lay, loam, march

EXACT = 1e-13  # residual as a water content: no part of the errors measured here
ALLOWED = 0.15  # departure of a fitted slope from the order
GO = eqx.filter_jit(march)


def slope(sizes, errors) -> float:
    return float(np.polyfit(np.log(sizes), np.log(errors), 1)[0])


def gardner(k_sat, alpha=0.01) -> Gardner:
    return Gardner(theta_r=0.06, theta_s=0.4, alpha=alpha, k_sat=k_sat)


def gardner_heads(z, flux, feet, k_sat, alpha=0.01, foot_head=0.0):
    """Steady heads above a water table in exponential soils (Srivastava & Yeh 1991, eq. 6)."""
    heads = np.empty_like(z)
    head = foot_head
    tops = [0.0, *feet[:-1]]
    for top, foot, k in reversed(list(zip(tops, feet, k_sat, strict=True))):
        share = flux / k
        foot_u = np.exp(alpha * head)

        def at(depth, share=share, foot=foot, foot_u=foot_u):
            return np.log(share + (foot_u - share) * np.exp(-alpha * (foot - depth))) / alpha

        inside = (z >= top) & (z <= foot)
        heads[inside] = at(z[inside])
        head = float(at(np.asarray(top)))
    return heads


@pytest.mark.exhaustive
@pytest.mark.slow
@pytest.mark.parametrize(("scheme", "order"), [(BACKWARD_EULER, 1), (SDIRK2, 2)], ids=str)
@pytest.mark.parametrize("problem", ["gardner_infiltration", "loam_redistribution"])
def test_order_in_time(problem, scheme, order):
    column = Column.uniform(1000.0, 40)
    if problem == "gardner_infiltration":
        mesh, laid = lay(gardner(240.0), FluxTop(), HeadBottom(), column=column)
        z = np.asarray(depths(mesh))
        water = filled(mesh, laid, gardner_heads(z, 24.0, [1000.0], [240.0]))
        drive = drives(mesh, [216.0])
    else:
        mesh, laid = lay(loam(), FluxTop(), FreeDrainage(), column=column)
        z = np.asarray(depths(mesh))
        water = filled(mesh, laid, -200.0 - 800.0 * (1.0 - np.exp(-(((z - 300.0) / 150.0) ** 2))))
        drive = drives(mesh, [0.0])

    def solve(count, by=SDIRK2):
        run = GO(mesh, laid, water, drive, Fixed(count, 30, EXACT, by), 0.2)
        assert float(run.effort.forced.sum()) == 0
        return np.asarray(run.after.stored)

    best = solve(4096)
    counts = [32, 64, 128, 256]
    errors = [np.abs(solve(c, scheme) - best).max() for c in counts]
    assert abs(slope(1.0 / np.asarray(counts), errors) - order) < ALLOWED


@pytest.mark.exhaustive
@pytest.mark.slow
def test_error_control_is_honest():
    """Asking for a tenth of the error gives less error, and each stays below what steps add up to."""  # noqa: E501
    mesh, laid = lay(loam(), FluxTop(), FreeDrainage(), column=Column.uniform(1000.0, 40))
    water = filled(mesh, laid, -2000.0)
    drive = drives(mesh, [20.0, 0.0, 60.0, 0.0])
    best = GO(mesh, laid, water, drive, Fixed(4096, 30, EXACT, SDIRK2))
    off = []
    for allowed in (1e-2, 1e-3, 1e-4):
        run = GO(mesh, laid, water, drive, Adaptive(error=allowed, sweeps=1, most=10**5))
        assert float(run.effort.forced.sum()) == 0
        wrong = np.abs(run.after.stored - best.after.stored) / mesh.volume
        off.append(float(wrong.max()))
        assert off[-1] < allowed * float(run.effort.substeps.sum())
    assert off[2] < off[1] < off[0]


LAYERS = {"one": ([1000.0], [240.0]), "two": ([1000.0, 2000.0], [240.0, 720.0])}


@pytest.mark.exhaustive
@pytest.mark.slow
@pytest.mark.parametrize("case", LAYERS)
def test_order_in_space_of_a_steady_profile(case):
    """Exponential soils above a water table have closed heads, layered ones too."""
    feet, k_sat = LAYERS[case]
    # Heads above the change of soil bend over some 30 mm: coarser grids are not yet asymptotic.
    counts = [80, 160, 320, 640]
    errors = []
    for count in counts:
        parts = [count // len(feet)] * len(feet)
        sizes = np.concatenate([np.full(p, 1000.0 / p) for p in parts])
        column = Column(sizes, np.repeat(np.arange(len(feet)), parts).tolist())
        soil = jax.tree.map(lambda *p: jnp.stack(p), *(gardner(k) for k in k_sat))
        mesh, laid = lay(soil, FluxTop(), HeadBottom(), column=column)
        z = np.asarray(depths(mesh))
        water = filled(mesh, laid, gardner_heads(z, 24.0, feet, k_sat))
        run = GO(mesh, laid, water, drives(mesh, [120.0]), Fixed(60, 30, EXACT), 600.0)
        assert float(run.effort.forced.sum()) == 0
        exact = gardner_heads(z, 120.0, feet, k_sat)
        errors.append(np.abs(np.asarray(run.after.psi) - exact).max())
    assert abs(slope(1.0 / np.asarray(counts), errors) - 2) < ALLOWED


@pytest.mark.exhaustive
@pytest.mark.slow
def test_order_in_space_of_loam_over_sand():
    """Vanderborght et al. (2005): a steady flux through loam over sand, by fine quadrature."""
    top = VanGenuchten(theta_r=0.08, theta_s=0.43, alpha=0.004, n=1.6, k_sat=500.0)
    low = VanGenuchten(theta_r=0.045, theta_s=0.43, alpha=0.015, n=3.0, k_sat=10000.0)
    flux = 5.0
    errors, counts = [], [20, 40, 80, 160]
    for count in counts:
        column = Column(np.full(count, 1000.0 / count), [0] * (count // 2) + [1] * (count // 2))
        mesh, laid = lay((top, low), FluxTop(), FreeDrainage(), column=column)
        run = GO(mesh, laid, filled(mesh, laid, -1000.0), drives(mesh, [flux]),
                 Fixed(400, 30, EXACT), 4000.0)  # fmt: skip
        exact = _steady(depths(mesh), flux, top, low, 500.0)
        errors.append(np.abs(np.asarray(run.after.psi) - exact).max())
    assert abs(slope(1.0 / np.asarray(counts), errors) - 2) < ALLOWED


def _steady(z, flux, top, low, edge):
    """Head in the upper soil by RK4 upward from the interface; unit gradient below it."""
    lower, upper = -1e5, 0.0
    for _ in range(200):
        middle = 0.5 * (lower + upper)
        small = float(low.conductivity(jnp.asarray(middle))) < flux
        lower, upper = (middle, upper) if small else (lower, middle)

    a, n, ks = 0.004, 1.6, 500.0
    m = 1 - 1 / n

    def rise(h):
        se = (1 + (a * -h) ** n) ** -m
        return 1 - flux / (ks * np.sqrt(se) * (1 - (1 - se ** (1 / m)) ** m) ** 2)

    size = edge / 20000
    heads = [upper]
    for _ in range(20000):
        h = heads[-1]
        k1 = rise(h)
        k2 = rise(h - 0.5 * size * k1)
        k3 = rise(h - 0.5 * size * k2)
        k4 = rise(h - size * k3)
        heads.append(h - size * (k1 + 2 * k2 + 2 * k3 + k4) / 6)
    places = edge - size * np.arange(20001)
    above = np.interp(np.asarray(z), places[::-1], np.asarray(heads)[::-1])
    return np.where(np.asarray(z) > edge, upper, above)
