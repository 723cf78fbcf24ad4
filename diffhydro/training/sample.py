"""A batch as an objective sees it."""

from collections.abc import Mapping
from typing import Any

import equinox as eqx
import jax.numpy as jnp

from diffhydro.coupling.inputs import Inputs
from diffhydro.data.batches import Batch
from diffhydro.typing import Array, Float

REAL = "real"  # the entry of the weights that says what is no filling


class Sample(eqx.Module):
    """Inputs and what was observed, `[window, time]`, `[window, time, depth]` or maps.

    Args:
        observed: By source, such as `{"stations": ..., "satellite": ...}`; what stands where the
            weight is 0 does not matter.
        weights: Of the same shapes, 0 or more; and `real`, `[window]` or more of the axes, 0 where
            something only fills the shape up, for what is asked of predictions everywhere.
        extra: Whatever else a term of the objective needs, such as the soil of each pixel.
    """

    inputs: Inputs
    observed: dict[str, Float[Array, "window time ..."]]
    weights: dict[str, Float[Array, "window time ..."]]
    extra: dict[str, Any] = eqx.field(default_factory=dict)

    @staticmethod
    def of(batch: Batch, name: str = "observed", dtype: Any = None) -> "Sample":
        """Make a sample of a batch of windows; `[member, window, time]` where the batch is."""

        def array(x: Any) -> Array:
            return jnp.asarray(x, dtype or x.dtype)

        def arrays(held: Mapping[str, Any]) -> dict[str, Array]:
            return {key: array(x) for key, x in held.items()}

        return Sample(
            Inputs(arrays(batch.forcing), arrays(batch.attributes)),
            {name: array(batch.observations)},
            {name: array(batch.weights), REAL: array(batch.is_step.astype(batch.weights.dtype))},
        )
