"""Water taken by roots:  S(z, t) = demand(t) · b(z) · a(ψ(z, t)),  without compensation.

b spreads the demand over depth and integrates to one over the rooting depth (D, x = z/D):
linear 2(1−x)/D, uniform 1/D, exponential k·exp(−kx)/D/(1−exp(−k)), or Jackson et al. (1996) β^z.
a is the reduction of Feddes, Kowalik & Zaradny (1978).
"""

from abc import abstractmethod

import equinox as eqx
import jax.numpy as jnp

from diffhydro.core import smooth
from diffhydro.core.parameters import parameter
from diffhydro.typing import Array, Float


class AbstractRoots(eqx.Module):
    """Where the roots are."""

    @abstractmethod
    def above(self, depth: Array) -> Array:
        """Return the share of the roots above a depth."""

    def share(self, faces: Float[Array, " face"]) -> Float[Array, " layer"]:
        """Return the share of the roots in each layer, exact over the layer."""
        return jnp.diff(self.above(faces))


class LinearRoots(AbstractRoots):
    """Density falling linearly to nothing at `depth`."""

    depth: Array = parameter(
        unit="mm", bounds=(50.0, 5000.0), default=1000.0, description="rooting depth"
    )

    def above(self, depth):
        x = jnp.minimum(depth / self.depth, 1.0)
        return x * (2.0 - x)


class UniformRoots(AbstractRoots):
    """Equal density down to `depth`."""

    depth: Array = parameter(
        unit="mm", bounds=(50.0, 5000.0), default=1000.0, description="rooting depth"
    )

    def above(self, depth):
        return jnp.minimum(depth / self.depth, 1.0)


class ExponentialRoots(AbstractRoots):
    """Density falling as exp(−k z/depth), cut off at `depth`."""

    depth: Array = parameter(
        unit="mm", bounds=(50.0, 5000.0), default=1000.0, description="rooting depth"
    )
    k: Array = parameter(
        unit="-", bounds=(0.1, 20.0), default=3.0, description="decay over the rooting depth"
    )

    def above(self, depth):
        x = jnp.minimum(depth / self.depth, 1.0)
        return jnp.expm1(-self.k * x) / jnp.expm1(-self.k)


class JacksonRoots(AbstractRoots):
    """Jackson et al. (1996): the share above z is 1 − β^z (z in cm), normalised to the column."""

    beta: Array = parameter(
        unit="-",
        bounds=(0.90, 0.99),
        default=0.966,
        description="root shape",
        source="Jackson et al. 1996",
    )

    def above(self, depth):
        centimetres = depth / 10.0  # β is published per centimetre
        rate = jnp.log(self.beta)
        return jnp.expm1(rate * centimetres) / jnp.expm1(rate * centimetres[..., -1:])


MM_PER_MPA = 1.0 / 9.80665e-6  # of water at 9.80665 m/s²


class AbstractStress(eqx.Module):
    """How a root suffers from the head beside it."""

    @abstractmethod
    def __call__(self, psi: Array) -> Array:
        """Return the share of its demand that a root gets, 0 to 1."""


class LinearStress(AbstractStress):
    """Full uptake above one head, none below another, linear between (BIOME-BGC)."""

    psi_open: Array = parameter(
        unit="mm",
        bounds=(-1.2 * MM_PER_MPA, -0.1 * MM_PER_MPA),
        default=-0.6 * MM_PER_MPA,
        description="head below which leaves start to close, −0.6 MPa",
        source="BIOME-BGC",
    )
    psi_close: Array = parameter(
        unit="mm",
        bounds=(-5.0 * MM_PER_MPA, -1.3 * MM_PER_MPA),
        default=-2.3 * MM_PER_MPA,
        description="head at which leaves are closed, −2.3 MPa",
        source="BIOME-BGC",
    )

    def __call__(self, psi: Array) -> Array:
        """Return the reduction."""
        return jnp.clip((psi - self.psi_close) / (self.psi_open - self.psi_close), 0.0, 1.0)


class Feddes(AbstractStress):
    """Reduction of uptake: 0 above ψ1 (no air) and below ψ4 (wilting), 1 between ψ2 and ψ3.

    The corners are rounded over `rounding` of each flank, so that the slope has no jump; they then
    lie up to a tenth of that from the published trapezoid, which `rounding=0` gives.
    """

    psi_1: Array = parameter(
        unit="mm",
        bounds=(-1000.0, 0.0),
        default=-100.0,
        fixed=True,
        description="uptake starts (anaerobiosis point)",
    )
    psi_2: Array = parameter(
        unit="mm",
        bounds=(-5000.0, 0.0),
        default=-250.0,
        fixed=True,
        description="uptake is full below this head",
    )
    psi_3: Array = parameter(
        unit="mm",
        bounds=(-50_000.0, -500.0),
        default=-5000.0,
        description="uptake starts to fall below this head",
        source="Feddes et al. 1978",
    )
    psi_4: Array = parameter(
        unit="mm",
        bounds=(-300_000.0, -50_000.0),
        default=-80_000.0,
        description="wilting point",
        source="Feddes et al. 1978",
    )

    rounding: float = eqx.field(static=True, default=0.1)

    def __call__(self, psi: Array) -> Array:
        """Return the reduction, continuous in psi and, if rounded, in its slope."""
        wet = (self.psi_1 - psi) / (self.psi_1 - self.psi_2)
        dry = (psi - self.psi_4) / (self.psi_3 - self.psi_4)
        return self._flank(wet) * self._flank(dry)  # where one is below 1 the other is 1

    def _flank(self, x: Array) -> Array:
        if not self.rounding:
            return jnp.clip(x, 0.0, 1.0)
        x = jnp.clip(x, -1.0, 2.0)  # beyond the corners; a difference of large numbers loses digits
        return smooth.relu(x, width=self.rounding) - smooth.relu(x - 1.0, width=self.rounding)


class Uptake(eqx.Module):
    """Roots and their stress."""

    roots: AbstractRoots
    stress: AbstractStress
