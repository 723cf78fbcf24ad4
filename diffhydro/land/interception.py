"""Rain that leaves hold for the day.

SmoothInterception  c [1 − exp(−P/c)], c = I_RMAX L        gradient everywhere
SharpInterception   min(P, c)
HelveyPatric        min(P, 0.21 P + 0.5 mm), no parameter and no leaves   (what the TEM code runs)
ShareOfRain         min(P, 2 c_B P L), c_B by all-sided leaf area         (BIOME-BGC)
"""

from abc import abstractmethod

import equinox as eqx
import jax.numpy as jnp

from diffhydro.core.bijections import LOG
from diffhydro.core.parameters import parameter
from diffhydro.typing import Array, Float

_SIDES = 2.0  # of a leaf


class AbstractInterception(eqx.Module):
    """A law of interception."""

    @abstractmethod
    def __call__(
        self, rain: Float[Array, "..."], leaf_area: Float[Array, "..."]
    ) -> Float[Array, "..."]:
        """Give the rain held, mm/day: between zero and all of it."""


def _capacity() -> Float[Array, "..."]:
    return parameter(
        unit="mm/day",
        bounds=(0.02, 1.0),
        scale=LOG,
        default=0.25,
        description="most rain held per unit of leaf area, I_RMAX",
        source="BEPS 0.25; Running & Coughlan 1988 0.5",
    )


class SmoothInterception(AbstractInterception):
    """Leaves fill gradually."""

    capacity: Float[Array, "..."] = _capacity()

    def __call__(
        self, rain: Float[Array, "..."], leaf_area: Float[Array, "..."]
    ) -> Float[Array, "..."]:
        most = self.capacity * leaf_area
        # Below this leaf area exp(−rain/most) is 0 for any rain that is not itself negligible.
        has_leaves = most > float(jnp.finfo(most.dtype).eps)
        safe = jnp.where(has_leaves, most, 1.0)
        return jnp.where(has_leaves, -safe * jnp.expm1(-rain / safe), 0.0)


class SharpInterception(AbstractInterception):
    """Leaves fill first."""

    capacity: Float[Array, "..."] = _capacity()

    def __call__(
        self, rain: Float[Array, "..."], leaf_area: Float[Array, "..."]
    ) -> Float[Array, "..."]:
        return jnp.minimum(rain, self.capacity * leaf_area)


class HelveyPatric(AbstractInterception):
    """Helvey & Patric 1965, of eastern hardwood."""

    def __call__(
        self, rain: Float[Array, "..."], leaf_area: Float[Array, "..."]
    ) -> Float[Array, "..."]:
        return jnp.minimum(rain, 0.21 * rain + 0.5)


class ShareOfRain(AbstractInterception):
    """BIOME-BGC: a share of the rain for every unit of leaf area."""

    share: Float[Array, "..."] = parameter(
        unit="-",
        bounds=(0.005, 0.1),
        scale=LOG,
        default=0.041,
        description="share of rain held per unit of all-sided leaf area",
        source="Thornton 1998; grass 0.021",
    )

    def __call__(
        self, rain: Float[Array, "..."], leaf_area: Float[Array, "..."]
    ) -> Float[Array, "..."]:
        return jnp.minimum(rain, self.share * rain * _SIDES * leaf_area)
