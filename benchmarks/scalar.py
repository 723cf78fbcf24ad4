"""The same fixed-step scheme as a plain scalar program: the peer that numba compiles.

Backward Euler in the mixed form, one column after the other, on one thread: van Genuchten–Mualem
as it stands in the textbook (four powers), the safeguards of `soil/richards/newton.py`, the
atmospheric clip of `soil/boundary.py`, free drainage, Thomas' algorithm, water kept by the
linearised balance. It does not judge convergence, which the fixed number of iterations makes
unnecessary. `tests/benchmarks` holds it to the package's answer.

numba promotes a float32 times a Python number to float64, so every constant is made in the
precision of the run.
"""

from collections.abc import Callable
from functools import lru_cache

import numba
import numpy as np

# As in the package: conductivity_floor, THINNEST_SUCTION, and the three limits of `newton.py`.
FLOOR_POWER = 0.9
THINNEST_SUCTION = 1e-12  # mm
LEAST_MOVE = 20.0  # mm
LEAST_CAPACITY = 1e-13  # 1/mm


@lru_cache
def scalar_solver(real: type[np.floating]) -> Callable[..., np.ndarray]:
    """Compile the solver for one precision.

    Returns:
        A function of (soil parameters, thickness, surface, start, air_dry, pond_max, substeps,
        iterations) that gives the water of every column at the end of every day. Soil parameters
        are [parameter, column] in the order theta_r, theta_s, alpha, n, k_sat, l; `surface` is
        [column, day].
    """
    curves = _curves(real)
    newton = _newton(real, curves)
    zero, one = real(0.0), real(1.0)

    @numba.njit
    def run_column(soil, thickness, surface, start, limits, substeps, iterations, out):
        nodes = thickness.size
        psi = np.full(nodes, start)
        stored, change = np.empty(nodes, real), np.empty(nodes, real)
        face, above, below = np.zeros((3, nodes + 1), real)
        work = np.empty((5, nodes), real)
        for i in range(nodes):
            stored[i] = thickness[i] * curves(start, soil)[0]
        air_dry, pond_max = limits
        top = (air_dry, curves(air_dry, soil)[2], pond_max)
        step = one / real(substeps)
        pond = zero
        for day in range(surface.size):
            for _ in range(substeps):
                for _ in range(iterations):
                    newton(
                        psi, stored, pond, soil, thickness, surface[day], step, top,
                        face, above, below, change, work,
                    )  # fmt: skip
                entering = face[0] + below[0] * change[0]
                pond = min(max(pond + step * (surface[day] - entering), zero), pond_max)
                for i in range(nodes):
                    leaving = face[i + 1] + above[i + 1] * change[i]
                    if i + 1 < nodes:
                        leaving += below[i + 1] * change[i + 1]
                    stored[i] += step * (entering - leaving)
                    entering = leaving
            out[day] = stored.sum()

    @numba.njit
    def run_columns(soil, thickness, surface, start, limits, substeps, iterations):
        out = np.empty(surface.shape, real)
        for i in range(surface.shape[0]):
            own = soil[:, i].copy()
            run_column(own, thickness, surface[i], start, limits, substeps, iterations, out[i])
        return out

    def solve(soil, thickness, surface, start, air_dry, pond_max, substeps, iterations):
        return run_columns(
            np.asarray(soil, real),
            np.asarray(thickness, real),
            np.asarray(surface, real),
            real(start),
            (real(air_dry), real(pond_max)),
            substeps,
            iterations,
        )

    return solve


def _newton(real: type[np.floating], curves: Callable) -> Callable:
    limited, rim_of = _limited(real), _rim(real)
    surface_flux = _surface_flux(real)
    zero, half, one = real(0.0), real(0.5), real(1.0)
    least_capacity = real(LEAST_CAPACITY)

    @numba.njit
    def newton(
        psi, base, pond, soil, thickness, surface, step, top, face, above, below, change, work
    ):
        """Move `psi` by one iteration; leave its change, and the fluxes before it."""
        residual, diagonal, conductivity, slope, ratio = work
        nodes = psi.size
        last = nodes - 1
        for i in range(nodes):
            theta, capacity, conductivity[i], slope[i] = curves(psi[i], soil)
            residual[i] = thickness[i] * theta - base[i]
            diagonal[i] = thickness[i] * max(capacity, least_capacity)
        face[0], below[0] = surface_flux(
            psi[0],
            conductivity[0],
            slope[0],
            half * thickness[0],
            pond,
            step,
            surface,
            soil[4],
            top,
        )
        for i in range(last):
            distance = half * (thickness[i] + thickness[i + 1])
            gradient = (psi[i] - psi[i + 1]) / distance + one
            mean = half * (conductivity[i] + conductivity[i + 1])
            spread = mean / distance
            face[i + 1] = mean * gradient
            above[i + 1] = half * slope[i] * gradient + spread
            below[i + 1] = half * slope[i + 1] * gradient - spread
        face[nodes] = conductivity[last]
        above[nodes] = slope[last]
        before, value = zero, zero
        for i in range(nodes):
            right = step * (face[i] - face[i + 1]) - residual[i]
            lower = -step * above[i]
            pivot = diagonal[i] + step * (above[i + 1] - below[i])
            scale = one / (pivot - lower * before)
            before = step * below[i + 1] * scale
            value = (right - lower * value) * scale
            ratio[i] = before
            change[i] = value
        for i in range(last - 1, -1, -1):
            change[i] -= ratio[i] * change[i + 1]
        rim = rim_of(soil[3])
        for i in range(nodes):
            reached = limited(psi[i], change[i], rim)
            change[i] = reached - psi[i]
            psi[i] = reached

    return newton


def _curves(real: type[np.floating]) -> Callable:
    zero, one, two = real(0.0), real(1.0), real(2.0)
    thinnest = real(THINNEST_SUCTION)
    floor = real(float(np.finfo(real).tiny) ** FLOOR_POWER)
    rim_of = _rim(real)

    @numba.njit
    def curves(psi, soil):
        theta_r, theta_s, alpha, n, k_sat, connectivity = soil
        if psi >= -thinnest:
            return theta_s, zero, k_sat, zero
        rim = rim_of(n)
        h = max(-psi, rim)
        m = one - one / n
        power = (alpha * h) ** n
        filled = one / (one + power)
        drained = power * filled
        se = filled**m
        idle = drained**m
        conducting = one - idle
        path = se**connectivity * conducting
        per_head = (n - one) / h
        width = theta_s - theta_r
        bends = connectivity * drained * conducting + two * idle * filled
        if psi > -rim:
            below = k_sat * (path * conducting + floor)
            lost = width * (one - se)
            share = one + psi / rim
            return (
                theta_s - lost * (one - share),
                lost / rim,
                below + share * (k_sat - below),
                (k_sat - below) / rim,
            )
        return (
            theta_r + width * se,
            width * se * per_head * drained,
            k_sat * (path * conducting + floor),
            k_sat * per_head * path * bends,
        )

    return curves


def _rim(real: type[np.floating]) -> Callable:
    narrowest, widest, one, percent = real(0.1), real(1.0), real(1.0), real(0.01)

    @numba.njit
    def rim(n):
        return min(max(percent / ((n - one) * (n - one)), narrowest), widest)

    return rim


def _limited(real: type[np.floating]) -> Callable:
    zero, half = real(0.0), real(0.5)
    rise, fall, least = real(0.9), real(9.0), real(LEAST_MOVE)

    @numba.njit
    def limited(psi, change, rim):
        if not np.isfinite(change):
            return psi
        size = abs(psi)
        if psi >= zero:
            return psi + max(change, -psi - half * rim)
        change = max(change, -fall * size - least)
        if -psi > rim:
            change = min(change, -psi, rise * size + least)
        return psi + change

    return limited


def _surface_flux(real: type[np.floating]) -> Callable:
    half, one = real(0.5), real(1.0)

    @numba.njit
    def surface_flux(psi, conductivity, slope, reach, pond, step, surface, wet_k, top):
        """Return the clipped flux into the top cell and its derivative for that cell's head."""
        air_dry, dry_k, pond_max = top
        flux = surface + pond / step
        bend = real(0.0)
        pull = (air_dry - psi) / reach + one
        dry = half * (conductivity + dry_k)
        if dry * pull > flux:
            flux = dry * pull
            bend = half * slope * pull - dry / reach
        wet = half * (conductivity + wet_k)
        push = one - psi / reach
        still = wet * push
        d_still = half * slope * push - wet / reach
        per_pond = wet / reach
        d_per_pond = half * slope / reach
        depth = pond + step * surface
        share = one / (one + per_pond * step)
        rising = (still + per_pond * depth) * share
        standing = still + per_pond * pond_max
        if rising < standing:
            most = rising
            d_most = (d_still + d_per_pond * (depth - step * rising)) * share
        else:
            most = standing
            d_most = d_still + d_per_pond * pond_max
        if most < flux:
            return most, d_most
        return flux, bend

    return surface_flux
