"""When a predicted soil moisture may rise: always, or only where physics let water in.

A network that predicts soil moisture is free to make it rise without rain. `WithWater` takes that
freedom away: on a day on which nothing enters the soil, after another such day, the prediction is
at most that of the day before.
"""

from abc import abstractmethod

import equinox as eqx
import jax.numpy as jnp

from diffhydro.errors import InputError
from diffhydro.typing import Array, Float


class AbstractRises(eqx.Module):
    """Says what is left of a prediction."""

    @abstractmethod
    def allowed(
        self,
        said: Float[Array, "*site"],
        before: Float[Array, "*site"],
        recent: Float[Array, "*site lag"],
    ) -> Float[Array, "*site"]:
        """Return the prediction, or what may come of it.

        Args:
            before: Soil moisture of the day before.
            recent: What entered the soil on the last days, today last, mm per step.
        """


class Always(AbstractRises):
    """Let it rise."""

    def allowed(
        self,
        said: Float[Array, "*site"],
        before: Float[Array, "*site"],
        recent: Float[Array, "*site lag"],
    ) -> Float[Array, "*site"]:
        return said


class WithWater(AbstractRises):
    """Let it rise where water came in today, or on one of the days before.

    The bound is hard: whether water came is a matter of the physics and has no slope, and where it
    holds the gradient is that of the day before.

    >>> rule = WithWater()
    >>> rule.allowed(jnp.array(0.3), jnp.array(0.25), jnp.array([0.0, 0.0])).item()
    0.25
    >>> rule.allowed(jnp.array(0.3), jnp.array(0.25), jnp.array([4.0, 0.0])).round(2).item()
    0.3

    Args:
        days: That have to be without water, today among them: the mean of a day may rise after a
            rainy one.
        trace: What may enter, mm per step, and is as good as none.
    """

    days: int = eqx.field(static=True, default=2)
    trace: float = eqx.field(static=True, default=0.0)

    def __check_init__(self) -> None:
        if self.days < 1 or not self.trace >= 0:
            raise InputError(
                f"days is {self.days} and trace {self.trace}; expected 1 or more, and 0 or more"
            )

    def allowed(
        self,
        said: Float[Array, "*site"],
        before: Float[Array, "*site"],
        recent: Float[Array, "*site lag"],
    ) -> Float[Array, "*site"]:
        is_dry = jnp.all(recent[..., -self.days :] <= self.trace, axis=-1)
        return jnp.where(is_dry, jnp.minimum(said, before.astype(said.dtype)), said)
