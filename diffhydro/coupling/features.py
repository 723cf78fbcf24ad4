"""What a head reads of the inputs, scaled to what networks like."""

from collections.abc import Sequence
from typing import Any, Protocol

import equinox as eqx
import jax.numpy as jnp

from diffhydro.coupling.inputs import Inputs
from diffhydro.errors import InputError
from diffhydro.typing import Array, Float


class AbstractScaling(Protocol):
    """Anything that scales variables on the last axis, such as a `Scaler` of the training data."""

    names: tuple[str, ...]

    def transform(self, x: Any) -> Any:
        """Scale `[..., feature]`, in the order of `names`."""
        ...

    def select(self, names: Sequence[str]) -> Any:
        """Give the scaling of some variables, in that order."""
        ...


class Features(eqx.Module):
    """Series and attributes by name, in the order in which a head gets them.

    >>> inputs = Inputs({"precipitation": jnp.array([0.0, 5.0])}, {"sand": jnp.array(40.0)})
    >>> Features(("precipitation",), ("sand",)).through_time(inputs).shape
    (2, 2)

    Args:
        series: Names of series.
        attributes: Names of attributes.
        scaling: Fitted to training data, of all these names; None leaves values as they are.
    """

    series: tuple[str, ...] = eqx.field(static=True, default=(), converter=tuple)
    attributes: tuple[str, ...] = eqx.field(static=True, default=(), converter=tuple)
    scaling: Any = None

    def __check_init__(self) -> None:
        names = (*self.series, *self.attributes)
        if not names:
            raise InputError("a head reads nothing: name at least one series or attribute")
        if len({*names}) < len(names):
            raise InputError(f"a head reads a name twice: {', '.join(names)}")
        if self.scaling is not None:
            missing = [name for name in names if name not in self.scaling.names]
            if missing:
                raise InputError(
                    f"the scaling does not know {', '.join(missing)}; it was fitted to "
                    f"{', '.join(self.scaling.names)}"
                )

    @property
    def count(self) -> int:
        """Count the features."""
        return len(self.series) + len(self.attributes)

    def fixed(self, inputs: Inputs) -> Float[Array, "*site feature"]:
        """Give the attributes."""
        if not self.attributes:
            raise InputError("what does not change with time is read from attributes; name some")
        return self._scaled(inputs.fixed(self.attributes), self.attributes)

    def through_time(self, inputs: Inputs) -> Float[Array, "*site time feature"]:
        """Give the series, and the attributes again at every time."""
        if not self.series:
            raise InputError("what changes with time is read from series; name some")
        series = self._scaled(inputs.stacked(self.series), self.series)
        if not self.attributes:
            return series
        fixed = self.fixed(inputs)[..., None, :].astype(series.dtype)
        shape = (*series.shape[:-1], fixed.shape[-1])
        return jnp.concatenate([series, jnp.broadcast_to(fixed, shape)], axis=-1)

    def _scaled(self, x: Array, names: tuple[str, ...]) -> Array:
        return x if self.scaling is None else self.scaling.select(names).transform(x)
