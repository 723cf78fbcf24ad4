"""Calibration by Levenberg–Marquardt against what it replaces.

One site: evaluations until the misfit is within 1 % of the best that anybody found, against the
shuffled complex evolution of Duan et al. (1994) as spotpy has it. An evaluation of the first is one
of the loss with its seven derivatives, of the second one of the loss.

Many sites: sites calibrated per second in one program, against one call of scipy's least squares
for each site, with finite differences, on the same compiled model of one site.
"""

import contextlib
import io
import time
from functools import partial
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from scipy.optimize import least_squares

from benchmarks.harness import Report, Row, Scale
from benchmarks.water_balance import make
from benchmarks.weather import random_weather
from diffhydro.calibration import Calibration, LevenbergMarquardt, Target, calibrate
from diffhydro.calibration.sets import UPLAND
from diffhydro.land.observe import probe

DAYS = 1826
NOISE = 0.02  # m³/m³
NEAR = 1.01
EVALUATIONS, THROUGHPUT = 1.0 / 20.0, 100.0
_TRIES = 4000  # evaluations that shuffled complexes may take


class _Course(NamedTuple):
    lowest: np.ndarray  # misfit by evaluation, the lowest so far
    seconds: float


def measure(scale: Scale) -> Report:
    sites = scale.pick(1000, 64)
    days = scale.pick(DAYS, 730)
    problem = _twin(sites, days)
    start = time.perf_counter()
    fitted = calibrate(problem, LevenbergMarquardt(), lanes=256)
    first = time.perf_counter() - start
    start = time.perf_counter()
    fitted = calibrate(problem, LevenbergMarquardt(), lanes=256)
    per_site = (time.perf_counter() - start) / sites
    alone = _one_by_one(problem, scale.pick(2, 1))

    ours = _ours(problem, 0)
    theirs = _complexes(problem, 0, scale.pick(_TRIES, 400))
    best = min(ours.lowest[-1], theirs.lowest[-1])
    counts = [_until(course.lowest, NEAR * best) for course in (ours, theirs)]
    rows = [
        Row(
            "evaluations to 1 % of the best, over those of SCE-UA",
            counts[0] / counts[1],
            EVALUATIONS,
        ),
        Row("misfit reached, over that of SCE-UA", ours.lowest[-1] / theirs.lowest[-1], 1.001),
        Row("sites per second, over scipy site by site", alone / per_site, THROUGHPUT, True),
        Row("sites per second", 1.0 / per_site, unit="1/s", more_is_better=True),
    ]
    ended = np.bincount(fitted.status.ravel(), minlength=5)
    notes = [
        f"water balance, 7 parameters, {days} days of soil moisture at 5 cm, noise {NOISE}",
        f"{sites} sites: {1e3 * per_site:.0f} ms of wall time each, "
        f"{np.mean(fitted.evaluations):.1f} evaluations; {ended[1]} converged, {ended[3]} capped; "
        f"scipy {alone:.1f} s each",
        f"one site: {counts[0]} evaluations against {counts[1]}; misfits "
        f"{ours.lowest[-1]:.6g} and {theirs.lowest[-1]:.6g} (noise alone {NOISE**2:.6g})",
    ]
    return Report(rows, notes, {"calibration, 256 lanes": first - per_site * sites})


def _twin(sites: int, days: int) -> Calibration:
    """Make observations with drawn parameters, to be found from the values of texture."""
    model, weather = make(1), random_weather(sites, days)
    soil = make(sites).upland.soil
    own = {f"upland.soil.{n}": getattr(soil, n) for n in ("theta_s", "k_sat", "psi_sat", "b")}
    base = eqx.tree_at(lambda m: m.upland.soil, model, jax.tree.map(lambda x: x[0], soil))
    nothing = np.zeros((sites, days), np.float32)
    observe = partial(probe, depth=50.0)

    def problem(seen: np.ndarray) -> Calibration:
        return Calibration(base, weather, [Target("theta", observe, seen)], UPLAND, own=own)

    empty, rng = problem(nothing), np.random.default_rng(0)
    where = rng.uniform(0.2, 0.8, (sites, len(UPLAND)))
    z = jnp.asarray(np.log(where / (1.0 - where)), "float32")
    simulate = eqx.filter_jit(lambda p, z, site: p.simulate(z, site)[0])
    parts = [
        np.asarray(simulate(empty, z[i : i + 250], jnp.arange(sites)[i : i + 250]))
        for i in range(0, sites, 250)
    ]
    seen = np.concatenate(parts)
    return problem((seen + rng.normal(0.0, NOISE, seen.shape)).astype(np.float32))


def _ours(problem: Calibration, site: int) -> _Course:
    start = time.perf_counter()
    fitted = calibrate(problem.of_sites([site]), LevenbergMarquardt(), starts=1)
    course = fitted.course[0, 0]
    return _Course(course[np.isfinite(course)], time.perf_counter() - start)


def _one_site(problem: Calibration, site: int) -> Any:
    """Compile the residuals of one site as a user would call them."""
    one = problem.of_sites([site])
    series = eqx.filter_jit(lambda p, z: p.simulate(z[None], jnp.zeros(1, int))[0][0])
    seen = np.asarray(one.targets[0].observed[0], np.float64)

    def residuals(z: np.ndarray) -> np.ndarray:
        made = np.asarray(series(one, jnp.asarray(z, "float32")), np.float64)
        return made - seen

    residuals(np.asarray(one.before()[0]))  # compiled before the clock starts
    return residuals, np.asarray(one.before()[0], np.float64)


def _one_by_one(problem: Calibration, sites: int) -> float:
    """Give the seconds that scipy takes for a site."""
    seconds = []
    for site in range(sites):
        residuals, begin = _one_site(problem, site)
        start = time.perf_counter()
        # float32 needs a wider step than scipy's own.
        least_squares(residuals, begin, method="trf", diff_step=1e-3, ftol=1e-4, xtol=1e-4)
        seconds.append(time.perf_counter() - start)
    return float(np.mean(seconds))


def _complexes(problem: Calibration, site: int, tries: int) -> _Course:
    """Run SCE-UA over the places between the bounds."""
    import spotpy

    residuals, _ = _one_site(problem, site)
    course: list[float] = []

    class Setup:
        def parameters(self) -> Any:
            names = [f"p{i}" for i in range(len(UPLAND))]
            return spotpy.parameter.generate(
                [spotpy.parameter.Uniform(name, 0.001, 0.999) for name in names]
            )

        def simulation(self, vector: Any) -> list[float]:
            where = np.asarray(list(vector))
            misfit = float(np.mean(residuals(np.log(where / (1.0 - where))) ** 2))
            course.append(misfit)
            return [misfit]

        def evaluation(self) -> list[float]:
            return [0.0]

        def objectivefunction(self, simulation: Any, evaluation: Any) -> float:
            return float(simulation[0])

    start = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()):
        sampler = spotpy.algorithms.sceua(
            Setup(), dbname="none", dbformat="ram", save_sim=False, random_state=1
        )
        sampler.sample(tries, ngs=len(UPLAND))
    lowest = np.minimum.accumulate(np.asarray(course))
    return _Course(lowest, time.perf_counter() - start)


def _until(lowest: np.ndarray, misfit: float) -> int:
    """Count the evaluations until a misfit is reached; all of them, if it never is."""
    reached = np.flatnonzero(lowest <= misfit)
    return int(reached[0]) + 1 if len(reached) else len(lowest)
