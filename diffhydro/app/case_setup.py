"""From a case, in metres, to a column the solver can run, in millimetres.

Without a number of nodes the grid is chosen here: layers of a quarter millimetre at the surface and
at every change of soil, growing by a tenth from one to the next up to a share of the column: a
1600th in short problems, whose sharp fronts need it, a 400th under long weather. Grid error beats
time error in nearly all problems with rain and evaporation.
"""

import itertools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from diffhydro.app.case import (
    MM_PER_M,
    BroadbridgeWhiteSpec,
    BrooksCoreySpec,
    Case,
    GardnerSpec,
    HaverkampSpec,
    SoilSpec,
    SteadyFlux,
    VanGenuchtenSpec,
)
from diffhydro.app.case_read import Weather
from diffhydro.core.grids import Column
from diffhydro.core.precision import astype
from diffhydro.errors import InputError
from diffhydro.soil.boundary import (
    AbstractBottom,
    AbstractTop,
    Atmosphere,
    Drive,
    FluxBottom,
    FluxTop,
    FreeDrainage,
    HeadBottom,
    HeadTop,
    Seepage,
)
from diffhydro.soil.hydraulics import (
    AbstractHydraulics,
    BroadbridgeWhite,
    BrooksCorey,
    Gardner,
    Haverkamp,
    VanGenuchten,
)
from diffhydro.soil.richards.problem import Mesh, Problem, prepare
from diffhydro.soil.richards.state import SoilWater
from diffhydro.soil.uptake import ExponentialRoots, Feddes, LinearRoots, UniformRoots, Uptake

_LAYERS_AT_LEAST = {"short": 1600, "long": 400}
_LONG = 200  # intervals from which a problem is long
_FINEST = 0.25  # mm
_GROWTH = 1.1
_SAMPLES = 4001  # depths per horizon at which sizes are integrated
# A column under prescribed fluxes at both ends has no solution once it is full, unless water
# and pores give a little: the smallest storage that keeps the problem well posed.
_STORAGE_UNDER_TWO_FLUXES = 1e-9  # 1/mm


class Setup(NamedTuple):
    """A case ready to run."""

    column: Column
    mesh: Mesh
    problem: Problem
    water: SoilWater
    durations: np.ndarray
    drives: Drive
    ends: np.ndarray  # time at the end of each interval, days
    rain: np.ndarray  # amounts per interval, mm
    notes: list[str]


def set_up(case: Case, weather: Weather, nodes: int | None, dtype) -> Setup:
    """Build grid, soils, boundaries, initial state and intervals."""
    notes: list[str] = []
    soils = tuple(soil_of(layer.soil) for layer in case.layers)
    durations, drives, ends, rain = _intervals(case, weather, dtype)
    column = _grid(case, nodes, len(durations))
    top, bottom = _ends(case)
    storage = case.Ss / MM_PER_M
    if _two_fluxes(case) and storage == 0.0:
        storage = _STORAGE_UNDER_TWO_FLUXES
        notes.append("specific storage of 1e-6 1/m added: fluxes are prescribed at both ends")
    parts = (column, _merged(soils), top, bottom, _uptake(case), jnp.asarray(storage))
    column, soil, top, bottom, uptake, storage = astype(parts, dtype)
    mesh, problem = prepare(column, soil, top, bottom, uptake, storage)
    water = _initial(case, mesh, problem, dtype)
    return Setup(column, mesh, problem, water, durations, drives, ends, rain, notes)


def soil_of(spec: SoilSpec) -> AbstractHydraulics:
    """Turn a soil of the file, in metres, into one in millimetres."""

    def has(kind: type[AbstractHydraulics], **values: float) -> AbstractHydraulics:
        common = {"theta_r": spec.theta_r, "theta_s": spec.theta_s, "k_sat": spec.Ks * MM_PER_M}
        return kind(**{name: jnp.asarray(x) for name, x in (common | values).items()})

    match spec:
        case VanGenuchtenSpec():
            return has(VanGenuchten, alpha=spec.alpha / MM_PER_M, n=spec.n, l=spec.l)
        case BrooksCoreySpec():
            return has(BrooksCorey, h_b=spec.h_b * MM_PER_M, pore_index=spec.lambda_, l=spec.l)
        case HaverkampSpec():
            heads = {"h_theta": spec.h_theta * MM_PER_M, "h_k": spec.h_K * MM_PER_M}
            return has(Haverkamp, **heads, beta=spec.beta, gamma=spec.gamma)
        case GardnerSpec():
            return has(Gardner, alpha=spec.alpha / MM_PER_M)
        case BroadbridgeWhiteSpec():
            return has(BroadbridgeWhite, lambda_s=spec.lambda_s * MM_PER_M, c=spec.C)


def _merged(soils: tuple[AbstractHydraulics, ...]):
    """One soil with parameters per horizon where all are of one kind, else one soil each."""
    if len({type(soil) for soil in soils}) > 1:
        return soils
    if len(soils) == 1:
        return soils[0]
    return jax.tree.map(lambda *x: jnp.stack(x), *soils)


def _grid(case: Case, nodes: int | None, intervals: int) -> Column:
    feet = [layer.bottom * MM_PER_M for layer in case.layers]
    places = [0.0, *feet[:-1]]
    depth = feet[-1]
    if case.bottom.type != "free_drainage":
        places.append(depth)
    if nodes is None:
        length = "long" if intervals >= _LONG else "short"
        coarsest = depth / _LAYERS_AT_LEAST[length]
        return Column.graded(
            feet, finest=min(_FINEST, coarsest), ratio=_GROWTH, coarsest=coarsest, refine_at=places
        )
    if nodes < len(feet):
        raise InputError(f"--nodes {nodes} is fewer than the {len(feet)} layers of the case")
    return _with_count(feet, places, nodes)


def _with_count(feet: list[float], places: list[float], nodes: int) -> Column:
    """Grade to a given count: faces at equal shares of ∫ dz / (size wanted at z)."""
    edges = itertools.pairwise([0.0, *feet])
    depths = [np.linspace(top, foot, _SAMPLES) for top, foot in edges]

    def shares(coarsest: float) -> list[np.ndarray]:
        """Layers wanted above every sampled depth, horizon by horizon."""
        found = []
        for z in depths:
            distance = np.min(np.abs(z[:, None] - np.asarray(places)), axis=1)
            size = np.minimum(0.2 * coarsest + (_GROWTH - 1.0) * distance, coarsest)
            steps = 0.5 * (1.0 / size[1:] + 1.0 / size[:-1]) * np.diff(z)
            found.append(np.concatenate([[0.0], np.cumsum(steps)]))
        return found

    low, high = feet[-1] * 1e-6, feet[-1] * 10.0
    for _ in range(80):
        middle = (low * high) ** 0.5
        too_many = sum(share[-1] for share in shares(middle)) > nodes
        low, high = (middle, high) if too_many else (low, middle)
    wanted = shares(high)
    counts = _whole(np.asarray([share[-1] for share in wanted]), nodes)
    thickness = [
        np.diff(np.interp(np.linspace(0.0, share[-1], count + 1), share, z))
        for share, z, count in zip(wanted, depths, counts, strict=True)
    ]
    return Column(np.concatenate(thickness), np.repeat(np.arange(len(feet)), counts).tolist())


def _whole(wanted: np.ndarray, total: int) -> np.ndarray:
    """Round to whole numbers of at least 1 that sum to `total`, the largest remainders first."""
    counts = np.maximum(np.floor(wanted).astype(int), 1)
    while counts.sum() != total:
        if counts.sum() < total:
            counts[np.argmax(wanted - counts)] += 1
        else:
            counts[np.argmax(np.where(counts > 1, counts - wanted, -np.inf))] -= 1
    return counts


def _ends(case: Case) -> tuple[AbstractTop, AbstractBottom]:
    top: AbstractTop
    if case.top.type == "atmosphere":
        top = Atmosphere(
            air_dry=jnp.asarray(case.top.h_air_dry * MM_PER_M),
            pond_max=jnp.asarray(case.top.pond_max * MM_PER_M),
        )
    else:
        top = HeadTop() if case.top.type == "head" else FluxTop()
    bottoms = {
        "head": HeadBottom,
        "flux": FluxBottom,
        "no_flow": FluxBottom,
        "free_drainage": FreeDrainage,
        "seepage": Seepage,
    }
    return top, bottoms[case.bottom.type]()


def _two_fluxes(case: Case) -> bool:
    return case.top.type == "flux" and case.bottom.type in {"flux", "no_flow"}


def _uptake(case: Case) -> Uptake | None:
    if case.roots is None:
        return None
    depth = jnp.asarray(case.roots.depth * MM_PER_M)
    if case.roots.shape == "linear":
        roots = LinearRoots(depth)
    elif case.roots.shape == "uniform":
        roots = UniformRoots(depth)
    else:
        roots = ExponentialRoots(depth, jnp.asarray(case.roots.k))
    heads = case.roots.feddes
    return Uptake(
        roots,
        Feddes(
            *(jnp.asarray(h * MM_PER_M) for h in (heads.h1, heads.h2, heads.h3, heads.h4)),
            rounding=0.0,  # a case names the published trapezoid
        ),
    )


def _intervals(case: Case, weather: Weather, dtype):
    """Cut time at every change of forcing and every report."""
    reports = np.asarray([*case.output_times, *case.profile_times])
    last = reports.max()
    cuts = np.concatenate([weather.t_end[weather.t_end < last], reports])
    ends = _distinct(np.sort(cuts))
    durations = np.diff(ends, prepend=0.0)
    row = np.minimum(np.searchsorted(weather.t_end, ends - 0.5 * durations), len(weather.t_end) - 1)

    def series(name: str, constant: float | None) -> np.ndarray:
        if name in weather.columns:
            return weather.columns[name][row] * MM_PER_M
        return np.full(len(ends), (constant or 0.0) * MM_PER_M)

    rain = np.zeros(len(ends))
    if case.top.type == "atmosphere":
        rain = series("P", case.top.P)
        surface = rain - series("Epot", case.top.Epot)
    else:
        surface = series("top" if case.top.type == "flux" else "htop", case.top.value)
    name = "hbot" if case.bottom.type == "head" else "bottom"
    base = series(name, getattr(case.bottom, "value", None))
    demand = series("Tpot", None)
    drives = Drive(*(jnp.asarray(x, dtype) for x in (surface, base, demand)))
    return durations, drives, ends, rain * durations


def _distinct(times: np.ndarray) -> np.ndarray:
    """Drop times that differ by rounding only."""
    keep = np.diff(times, prepend=-np.inf) > 1e-9 * np.maximum(times, 1.0)
    return times[keep]


def _initial(case: Case, mesh: Mesh, problem: Problem, dtype) -> SoilWater:
    depth = jnp.concatenate([mesh.first_half[None], mesh.first_half + jnp.cumsum(mesh.distance)])
    if case.initial.type == "uniform_head":
        psi = jnp.full(mesh.nodes, case.initial.h * MM_PER_M, dtype)
    elif case.initial.type == "hydrostatic":
        psi = depth - jnp.asarray(case.initial.water_table_depth * MM_PER_M, dtype)
    else:
        heads = _steady_heads(case, case.initial, np.asarray(depth, np.float64))
        psi = jnp.asarray(heads, dtype)
    curves = problem.medium.curves(mesh.split(psi))
    pressed = jnp.where(psi > 0, problem.specific_storage * psi, 0.0)
    stored = mesh.volume * (mesh.joined(curves.theta) + pressed)
    zero = jnp.zeros((), dtype)
    return SoilWater(psi, stored, zero, zero + 1e-6)


def _steady_heads(case: Case, steady: SteadyFlux, depth: np.ndarray) -> np.ndarray:
    """Steady flux above a fixed head in exponential soils, built from the foot upwards."""
    q = steady.q * MM_PER_M
    heads = np.empty_like(depth)
    head = steady.h_bottom * MM_PER_M
    for layer in reversed(case.layers):
        if not isinstance(layer.soil, GardnerSpec):
            raise TypeError("a steady flux needs gardner soils")  # the reader has made sure
        alpha = layer.soil.alpha / MM_PER_M
        share = q / (layer.soil.Ks * MM_PER_M)
        foot, top = layer.bottom * MM_PER_M, layer.top * MM_PER_M
        u_foot = np.exp(alpha * head)

        def at(z, u_foot=u_foot, alpha=alpha, share=share, foot=foot):
            return np.log(share + (u_foot - share) * np.exp(-alpha * (foot - z))) / alpha

        inside = (depth >= top) & (depth <= foot)
        heads[inside] = at(depth[inside])
        head = float(at(top))
    return heads
