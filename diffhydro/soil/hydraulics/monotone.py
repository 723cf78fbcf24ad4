"""A soil whose two curves are monotone networks: learned laws in place of a formula.

    S_e(h) = Π_j (1 + h/h_j)^(−w_j)      K(h) = k_sat Π_j (1 + h/h_j)^(−a_j)      h = −ψ

In logarithms each is a layer of softplus units in ln h with outputs that are not negative,

    −ln S_e = Σ_j w_j softplus(ln h − ln h_j),

so that both curves fall with suction whatever the weights are (weights of one sign make a network
monotone, Archer & Wang 1993), lie between 0 and 1, and have derivatives of all orders. The knots
h_j are fixed, one a decade; the weights are parameters like any other: trained with `split`, shared
by sites, or computed from attributes by a head. With one unit each this is a power law; `like`
begins at any other form.
"""

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from diffhydro.core.bijections import LINEAR, LOG
from diffhydro.core.parameters import parameter
from diffhydro.core.roots import root
from diffhydro.errors import InputError
from diffhydro.soil.hydraulics.curves import (
    AIR_DRY,
    AbstractHydraulics,
    Curves,
    conductivity_floor,
    dryness,
    is_unsaturated,
    saturated_or,
)
from diffhydro.soil.hydraulics.domain import check_water_contents
from diffhydro.typing import Array, Float

__all__ = ["MonotoneHydraulics", "Unit"]

KNOTS = (10.0, 100.0, 1e3, 1e4, 1e5)  # mm
_LEAST, _MOST = 1e-6, 20.0  # of a weight
_FINEST = 1e-9  # mm: the smallest suction that the inverse looks for


class Unit(eqx.Module):
    """One unit of a monotone network: how steeply the curve falls beyond its knot."""

    weight: Float[Array, "..."] = parameter(
        unit="-",
        bounds=(_LEAST, _MOST),
        scale=LOG,
        description="share of a unit in the steepness of a curve",
        source="a power of 20 is steeper than any soil",
    )


class MonotoneHydraulics(AbstractHydraulics):
    """Retention and conductivity as monotone networks of the suction.

    >>> from diffhydro.soil.hydraulics.van_genuchten import VanGenuchten
    >>> loam = VanGenuchten(theta_r=0.07, theta_s=0.43, alpha=0.003, n=1.5, k_sat=150.0)
    >>> soil = MonotoneHydraulics.like(loam)
    >>> bool(abs(soil.theta(jnp.array(-1e3)) - loam.theta(jnp.array(-1e3))) < 0.02)
    True

    Args:
        retention: Units of the retention curve, one for each knot.
        conduction: Units of the conductivity curve, one for each knot.
        knots: Suctions in mm, rising.
    """

    theta_r: Float[Array, "..."] = parameter(
        unit="m³/m³", bounds=(0.0, 0.25), scale=LINEAR, description="residual water content"
    )
    theta_s: Float[Array, "..."] = parameter(
        unit="m³/m³", bounds=(0.26, 0.65), scale=LINEAR, description="saturated water content"
    )
    k_sat: Float[Array, "..."] = parameter(
        unit="mm/day", bounds=(0.8, 50000.0), scale=LOG, description="saturated conductivity"
    )
    retention: tuple[Unit, ...]
    conduction: tuple[Unit, ...]
    knots: tuple[float, ...] = eqx.field(static=True, default=KNOTS)

    def __check_init__(self) -> None:
        counts = len(self.retention), len(self.conduction)
        if counts != (len(self.knots),) * 2:
            raise InputError(
                f"{counts[0]} units of retention and {counts[1]} of conduction for "
                f"{len(self.knots)} knots; give one of each for every knot"
            )
        if not self.knots or np.any(np.diff([0.0, *self.knots]) <= 0):
            raise InputError(f"the knots are {self.knots}; they are suctions in mm, rising from 0")
        check_water_contents(self)

    @staticmethod
    def like(soil: AbstractHydraulics, knots: tuple[float, ...] = KNOTS) -> "MonotoneHydraulics":
        """Give the network nearest to a soil: least squares in the logarithms of both curves."""
        suctions = np.geomspace(0.1 * knots[0], 10.0 * knots[-1], 200)
        shape = jnp.shape(soil.k_sat)
        psi = jnp.asarray(suctions.reshape(-1, *(1,) * len(shape)), soil.k_sat.dtype) * -1.0
        seen = soil.curves(psi)
        full = (seen.theta - soil.theta_r) / (soil.theta_s - soil.theta_r)
        rows = np.log1p(suctions[:, None] / np.asarray(knots))
        retention, conduction = (
            _units(rows, np.log(np.maximum(np.asarray(x, np.float64), 1e-300)), shape)
            for x in (full, seen.conductivity / soil.k_sat)
        )
        kind = soil.k_sat.dtype
        return MonotoneHydraulics(
            theta_r=soil.theta_r,
            theta_s=soil.theta_s,
            k_sat=soil.k_sat,
            retention=tuple(Unit(jnp.asarray(w, kind)) for w in retention),
            conduction=tuple(Unit(jnp.asarray(w, kind)) for w in conduction),
            knots=knots,
        )

    @property
    def air_entry(self) -> float:
        """Give the head at and above which the soil is saturated: 0."""
        return 0.0

    def curves(self, psi: Float[Array, "..."]) -> Curves:
        """Evaluate θ, dθ/dψ, K and dK/dψ together."""
        unsaturated = is_unsaturated(psi, 0.0)
        suction = jnp.where(unsaturated, -psi, 1.0)
        falls = [jnp.log1p(suction / knot) for knot in self.knots]
        rates = [1.0 / (knot + suction) for knot in self.knots]
        held, held_rate = _sums(self.retention, falls, rates)
        led, led_rate = _sums(self.conduction, falls, rates)
        water = (self.theta_s - self.theta_r) * jnp.exp(-held)
        relative = jnp.exp(-led)
        return saturated_or(
            unsaturated,
            self,
            theta=self.theta_r + water,
            capacity=water * held_rate,
            conductivity=self.k_sat * (relative + conductivity_floor(psi, self.k_sat)),
            slope=self.k_sat * relative * led_rate,
        )

    def psi(self, theta: Float[Array, "..."]) -> Float[Array, "..."]:
        """Give the head at which the soil holds `theta`: the root of a rising function of ln h."""
        dry = dryness(theta, self.theta_r, self.theta_s)
        target = jnp.log1p(dry.ratio)
        weights = tuple(jnp.broadcast_to(unit.weight, target.shape) for unit in self.retention)

        def beyond(log_suction: Array, target: Array, *weights: Array) -> Array:
            suction = jnp.exp(log_suction)
            falls = (w * jnp.log1p(suction / k) for w, k in zip(weights, self.knots, strict=True))
            return sum(falls, -target)

        ends = (jnp.full_like(target, np.log(end)) for end in (_FINEST, 10.0 * AIR_DRY))
        lower, upper = ends
        begin = 0.5 * (lower + upper)
        found = root(beyond, begin, target, *weights, lower=lower, upper=upper, iterations=80)
        # Drier than the curve gets within the bracket: as dry as can be, by hand and without slope.
        reached = beyond(upper, target, *weights) > 0
        return dry.head(jnp.where(reached, found.value, upper), 0.0)


def _sums(units: tuple[Unit, ...], falls: list[Array], rates: list[Array]) -> tuple[Array, Array]:
    """Give −ln of a curve, and its slope with suction."""
    weights = [unit.weight for unit in units]
    fall = sum(w * x for w, x in zip(weights[1:], falls[1:], strict=True)) + weights[0] * falls[0]
    rate = sum(w * x for w, x in zip(weights[1:], rates[1:], strict=True)) + weights[0] * rates[0]
    return fall, rate


def _units(rows: np.ndarray, logs: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Fit weights to the logarithm of a curve, `[unit, *shape]`."""
    from scipy.optimize import nnls

    columns = logs.reshape(len(rows), -1).T
    found = np.stack([nnls(rows, -column)[0] for column in columns], axis=1)
    return np.clip(found, _LEAST, _MOST).reshape(rows.shape[1], *shape)
