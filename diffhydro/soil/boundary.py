"""What happens at the two ends of the column, as functions of the cell next to them.

A boundary never remembers which regime it was in: flux control and head control are two
candidates and the smaller (or larger) one acts. That makes switching continuous, lets thousands of
columns switch at different moments in one program, and gives a derivative almost everywhere.

Lengths are mm, fluxes mm/day and positive downward; `half` is the distance from the boundary to
the centre of the cell beside it, `step` the length of the implicit step in days.
"""

from abc import abstractmethod

import equinox as eqx
import jax.numpy as jnp

from diffhydro.core.parameters import parameter
from diffhydro.soil.hydraulics import AbstractHydraulics
from diffhydro.typing import Array, Float

Scalar = Float[Array, " column"]


class Drive(eqx.Module):
    """What acts on a column during one interval; constant inside it.

    Args:
        surface: Net potential flux into the ground (rain minus potential evaporation) for an
            atmospheric top, the flux for a flux top, the head for a head top.
        base: Flux or head at the foot, for the boundaries that need one.
        transpiration: What the plants would take if water were freely available.
    """

    surface: Scalar
    base: Scalar
    transpiration: Scalar


class AbstractTop(eqx.Module):
    """The upper end."""

    @abstractmethod
    def held(self, soil: AbstractHydraulics, drive: Drive) -> tuple[Array, ...]:
        """Return what stays the same during an interval: conductivities at held heads."""

    @abstractmethod
    def flux(self, psi, conductivity, half, pond, step, drive: Drive, held) -> Array:
        """Return the flux into the soil, given the top cell and the pond above it."""

    @abstractmethod
    def settle(self, flux, pond, step, drive: Drive) -> tuple[Array, Array]:
        """Return the pond after the step and the runoff rate, once the flux is known."""


class FluxTop(AbstractTop):
    """A prescribed flux, whatever the soil makes of it."""

    def held(self, soil, drive):
        return ()

    def flux(self, psi, conductivity, half, pond, step, drive, held):
        return drive.surface + 0.0 * psi

    def settle(self, flux, pond, step, drive):
        return pond, jnp.zeros_like(pond)


class HeadTop(AbstractTop):
    """A prescribed pressure head at the surface."""

    def held(self, soil, drive):
        return (soil.conductivity(drive.surface),)

    def flux(self, psi, conductivity, half, pond, step, drive, held):
        mean = 0.5 * (conductivity + held[0])
        return mean * ((drive.surface - psi) / half + 1.0)

    def settle(self, flux, pond, step, drive):
        return pond, jnp.zeros_like(pond)


class Atmosphere(AbstractTop):
    """Rain and evaporation as far as the soil can follow, a pond, and runoff beyond it.

    The soil takes the net supply (rain less potential evaporation, plus the pond). It cannot give
    more than at the air-dry head, nor take more than with the pond standing on it; the pond deepens
    with what is left until `pond_max`, and the excess runs off.
    """

    air_dry: Array = parameter(
        unit="mm",
        bounds=(-2e6, -1e3),
        default=-1.5e5,
        fixed=True,
        description="head at which the surface is as dry as the air",
    )
    pond_max: Array = parameter(
        unit="mm",
        bounds=(0.0, 500.0),
        default=0.0,
        fixed=True,
        description="depth of water the surface holds before it runs off",
    )

    def held(self, soil, drive):
        return soil.conductivity(self.air_dry), soil.k_sat

    def flux(self, psi, conductivity, half, pond, step, drive, held):
        dry_k, wet_k = held
        driest = 0.5 * (conductivity + dry_k) * ((self.air_dry - psi) / half + 1.0)
        driest = jnp.minimum(driest, 0.0)  # the air gives no water to soil that is drier still
        wet = 0.5 * (conductivity + wet_k)
        # A pond that rises during the step raises the intake: linear in the pond, so solved here.
        still = wet * (1.0 - psi / half)
        per_pond = wet / half
        rising = (still + per_pond * (pond + step * drive.surface)) / (1.0 + per_pond * step)
        most = jnp.minimum(rising, still + per_pond * self.pond_max)
        supply = drive.surface + pond / step
        return jnp.minimum(jnp.maximum(supply, driest), most)

    def settle(self, flux, pond, step, drive):
        left = pond + step * (drive.surface - flux)
        runoff = jnp.maximum(left - self.pond_max, 0.0) / step
        return jnp.clip(left, 0.0, self.pond_max), runoff


class AbstractBottom(eqx.Module):
    """The lower end."""

    @abstractmethod
    def held(self, soil: AbstractHydraulics, drive: Drive) -> tuple[Array, ...]:
        """Return what stays the same during an interval."""

    @abstractmethod
    def flux(self, psi, conductivity, half, drive: Drive, held) -> Array:
        """Return the flux out of the lowest cell."""


class FreeDrainage(AbstractBottom):
    """Unit gradient: water leaves as fast as gravity alone moves it."""

    def held(self, soil, drive):
        return ()

    def flux(self, psi, conductivity, half, drive, held):
        return conductivity


class FluxBottom(AbstractBottom):
    """A prescribed flux; zero is an impervious base."""

    def held(self, soil, drive):
        return ()

    def flux(self, psi, conductivity, half, drive, held):
        return drive.base + 0.0 * psi


class HeadBottom(AbstractBottom):
    """A prescribed head at the foot: a water table that stands or moves."""

    def held(self, soil, drive):
        return (soil.conductivity(drive.base),)

    def flux(self, psi, conductivity, half, drive, held):
        return 0.5 * (conductivity + held[0]) * ((psi - drive.base) / half + 1.0)


class Seepage(AbstractBottom):
    """An open face: water leaves when it stands at the foot, and never enters."""

    def held(self, soil, drive):
        return (soil.k_sat,)

    def flux(self, psi, conductivity, half, drive, held):
        return jnp.maximum(0.5 * (conductivity + held[0]) * (psi / half + 1.0), 0.0)
