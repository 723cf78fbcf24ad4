"""A wall that XLA's fusion does not cross.

XLA:CPU happily evaluates a costly elementwise function again inside every consumer that is a
concatenation or a reduction, once per consumer and without vectors. `lax.optimization_barrier` is
removed before fusion there; a conditional whose predicate cannot be folded is not.
"""

from collections.abc import Callable
from typing import TypeVar

import jax
import jax.numpy as jnp
from jax import lax

from diffhydro.typing import Array

Out = TypeVar("Out")


def fence(function: Callable[[Array], Out], x: Array) -> Out:
    """Evaluate function(x) once, into memory. Differentiable like the function itself.

    Under `jax.vmap` it stands as long as `x` is not mapped; what `function` closes over may be.
    """
    shape = jax.eval_shape(function, x)

    def never(_: Array) -> Out:
        return jax.tree.map(lambda s: jnp.full(s.shape, jnp.nan, s.dtype), shape)

    # The sign of a number is never above one, NaN included; the compiler does not know.
    always = ~(jnp.sign(x.ravel()[0]) > 1.5)
    return lax.cond(always, function, never, x)
