"""Whether a head fits what it is coupled to, before anything is compiled."""

import equinox as eqx
import jax
import jax.numpy as jnp

from diffhydro.errors import InputError
from diffhydro.networks import AbstractHead


def check_head(head: AbstractHead, shape: tuple[int, ...], out: int, who: str, what: str) -> None:
    """Raise InputError unless a head makes `out` numbers of inputs of a shape.

    Args:
        shape: Of an input, without sites.
        what: The outputs are, for the error.
    """
    if not isinstance(head, AbstractHead):
        raise InputError(
            f"the head of {who} is a {type(head).__name__}; wrap a Flax module with "
            "FlaxHead.create(module, example, key=key)"
        )
    try:
        made = eqx.filter_eval_shape(head, jax.ShapeDtypeStruct((1, *shape), jnp.float32))
    except (TypeError, ValueError, AssertionError) as error:
        raise InputError(
            f"the head of {who} does not take the {shape[-1]} features it would be given: {error}"
        ) from error
    expected = (1, *shape[:-1], out)
    if made.shape != expected:
        raise InputError(
            f"the head of {who} makes {made.shape[1:]} of {shape}, expected {expected[1:]}: {what}"
        )
