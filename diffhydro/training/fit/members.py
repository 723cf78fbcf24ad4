"""One model, or many as one program."""

from collections.abc import Callable
from typing import Any

import jax

from diffhydro.core.ensembles import MAP, VMAP, AbstractMap, over_members


def over(function: Callable[..., Any], how: AbstractMap | None) -> Callable[..., Any]:
    """Make a function of one member serve all; without a `how` there is one, and no axis for it."""
    return function if how is None else over_members(function, how)


def by_platform() -> AbstractMap:
    """Give the faster way: one after the other on a CPU, side by side on an accelerator."""
    return MAP if jax.default_backend() == "cpu" else VMAP
