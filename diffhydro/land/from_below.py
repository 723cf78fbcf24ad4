"""What comes up: how much of the water that the layers send upward the top of the soil keeps.

AsItFlows          all of it
NoMoreThanInflow   the top gains no more in a day than entered from above; the rest stays below

Soils do lift water to their surface. A model calibrated against probes near it may do so for the
wrong reason, and then its soil moisture rises in a dry spell. `NoMoreThanInflow` makes that
impossible without losing water: what is kept from rising goes back into the highest layer below
that has room. Where none has, all is water table, and the top may get wetter.
"""

from abc import abstractmethod

import equinox as eqx
import jax.numpy as jnp

from diffhydro.errors import InputError
from diffhydro.typing import Array, Float

_ULPS = 2.0


class AbstractFromBelow(eqx.Module):
    """A rule of what the top of the soil keeps."""

    @abstractmethod
    def kept(
        self,
        before: Float[Array, " layer"],
        after: Float[Array, " layer"],
        most: Float[Array, " layer"],
        thickness: Float[Array, " layer"],
        inflow: Float[Array, ""],
    ) -> Float[Array, " layer"]:
        """Return the water contents after a day.

        Args:
            before: Before it.
            after: As the layers left it.
            most: What the layers hold when full.
            inflow: What entered from above, mm.
        """


class AsItFlows(AbstractFromBelow):
    """Keep what came."""

    def kept(
        self,
        before: Float[Array, " layer"],
        after: Float[Array, " layer"],
        most: Float[Array, " layer"],
        thickness: Float[Array, " layer"],
        inflow: Float[Array, ""],
    ) -> Float[Array, " layer"]:
        return after


class NoMoreThanInflow(AbstractFromBelow):
    """Keep no more in the topmost layers than entered from above.

    >>> rule = NoMoreThanInflow(layers=1)
    >>> before, after = jnp.array([0.10, 0.30]), jnp.array([0.12, 0.29])
    >>> size = jnp.array([50.0, 100.0])
    >>> rule.kept(before, after, jnp.array(0.4), size, jnp.array(0.0)).round(3).tolist()
    [0.1, 0.3]
    >>> rule.kept(before, after, jnp.array(0.4), size, jnp.array(0.5)).round(3).tolist()
    [0.11, 0.295]

    Args:
        layers: That make the top; two of TEM are the 10 cm of surface soil moisture.
    """

    layers: int = eqx.field(static=True, default=2)

    def __check_init__(self) -> None:
        if self.layers < 1:
            raise InputError(f"the top of the soil has {self.layers} layers; expected 1 or more")

    def kept(
        self,
        before: Float[Array, " layer"],
        after: Float[Array, " layer"],
        most: Float[Array, " layer"],
        thickness: Float[Array, " layer"],
        inflow: Float[Array, ""],
    ) -> Float[Array, " layer"]:
        top = self.layers
        if top >= after.shape[0]:
            raise InputError(
                f"{top} layers cannot be the top of a soil of {after.shape[0]}; leave one below"
            )
        most = jnp.broadcast_to(most, after.shape)
        gain = (after - before)[:top] * thickness[:top]
        over = jnp.sum(gain) - jnp.maximum(inflow, 0.0)
        # With it goes what rounding could add again: a rise is a rise, however small.
        crumb = _ULPS * jnp.finfo(after.dtype).eps * jnp.sum((after * thickness)[:top])
        surplus = jnp.where(over > 0.0, over + crumb, 0.0)
        room = jnp.cumsum(jnp.maximum(most - after, 0.0)[top:] * thickness[top:])
        back = jnp.diff(jnp.minimum(room, surplus), prepend=jnp.zeros_like(room[:1]))
        # By what each layer gained, so that none ends below where it was.
        gained = jnp.maximum(gain, 0.0)
        total = jnp.sum(gained)
        some = total > 0
        share = jnp.where(some, gained, 0.0) / jnp.where(some, total, 1.0)
        return after + jnp.concatenate([-jnp.sum(back) * share, back]) / thickness
