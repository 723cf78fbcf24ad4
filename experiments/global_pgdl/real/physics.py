"""Step 3: PB, the water balance, calibrated on the training sites of every fold.

All sites of a fold share its parameters, the soil too. What the model then says of a place differs
by weather and leaves alone, and not by the errors of a soil map: at two stations with
equal weather it holds the same water, and a start window tells how their soils differ.
"""

from collections.abc import Mapping, Sequence

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax

from diffhydro.core.ensembles import VMAP, stack
from diffhydro.core.precision import astype
from diffhydro.coupling import Inputs, Observed, Probe
from diffhydro.coupling.hybrid import simulate
from diffhydro.land.upland import Upland
from diffhydro.land.water_balance import WaterBalance
from diffhydro.soil.pedotransfer import cosby
from diffhydro.training import Objective, Optimizer, Term, fit_ensemble, mse
from experiments.global_pgdl.real.members import Member
from experiments.global_pgdl.real.places import FORCING
from experiments.global_pgdl.real.settings import Physics
from experiments.global_pgdl.real.windows import SOURCE, DrawnWindows

SHARED = (
    "upland.soil.theta_s",
    "upland.soil.k_sat",
    "upland.soil.psi_sat",
    "upland.soil.b",
    "upland.runoff.exponent",
    "surface.canopy.interception.capacity",
    "surface.canopy.conductance.g_max",
    "surface.canopy.extinction",
    "surface.soil.conductance",
)
PB = "pb"
FLUXES = ("infiltration", "evaporation", "transpiration", "drainage")
LAYERS = tuple(f"{PB}_layer_{i}" for i in range(1, 7))
WATER = (PB, *LAYERS, *(f"{PB}_{name}" for name in FLUXES))
OBJECTIVE = Objective({"moisture": Term(mse(SOURCE))})


def uncalibrated(
    texture: Mapping[str, np.ndarray], member: Member, how: Physics, depth: float
) -> Observed:
    """Give the model before calibration: the mean texture of the training sites."""
    sand, clay = (float(texture[name][member.train].mean()) for name in ("sand", "clay"))
    upland = Upland(soil=cosby(sand=sand, clay=clay), steps_per_day=how.sub_steps)
    return Observed(astype(WaterBalance(upland=upland), "float32"), Probe(depth))


def calibrated(
    series: Mapping[str, np.ndarray],
    observed: np.ndarray,
    texture: Mapping[str, np.ndarray],
    members: Sequence[Member],
    how: Physics,
    depth: float,
) -> Observed:
    """Calibrate all folds, stacked."""
    models = stack([uncalibrated(texture, one, how, depth) for one in members])
    windows = DrawnWindows(members, how, {name: series[name] for name in FORCING}, observed)
    rate = optax.cosine_decay_schedule(how.rate, how.steps, alpha=0.05)
    found = fit_ensemble(
        models, windows, OBJECTIVE, key=jax.random.key(0), epochs=1, how=VMAP,
        train=[f"physics.{path}" for path in SHARED], optimizer=Optimizer(rate, clip=1.0),
    )  # fmt: skip
    return found.last_model


def water(model: Observed, series: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Give what a model holds and moves at all sites, `[site, time]`, by name."""
    inputs = Inputs({name: jnp.asarray(series[name]) for name in FORCING}, {})
    return {name: np.asarray(x) for name, x in _course(model, inputs).items()}


@eqx.filter_jit
def _course(model: Observed, inputs: Inputs) -> dict[str, jax.Array]:
    course = simulate(model.physics, inputs)
    layers = {name: course.theta[..., i] for i, name in enumerate(LAYERS)}
    moved = {f"{PB}_{name}": getattr(course.fluxes, name) for name in FLUXES}
    return {PB: model.instrument(course), **layers, **moved}
