"""Mixed precision: networks compute in few bits, physics and weights keep theirs."""

from dataclasses import replace
from typing import Any, TypeVar

import jax

from diffhydro.errors import InputError
from diffhydro.networks.head import FlaxHead

Model = TypeVar("Model")
TYPES = ("bfloat16", "float16", "float32", "float64")


def computing_in(model: Model, dtype: str | None) -> Model:
    """Give a model all of whose networks compute in a type, whatever their weights are in.

    Weights, gradients and the optimizer keep their type, and outputs come in it; bfloat16 has the
    range of float32, so that losses need no scale.

    Args:
        dtype: Such as `"bfloat16"`; None for the type of the weights.
    """
    if dtype is not None and dtype not in TYPES:
        raise InputError(f"networks compute in {', '.join(TYPES)}, and not in {dtype!r}")
    found = 0

    def one(node: Any) -> Any:
        nonlocal found
        if not isinstance(node, FlaxHead):
            return node
        found += 1
        return replace(node, compute=dtype)

    changed = jax.tree.map(one, model, is_leaf=lambda node: isinstance(node, FlaxHead))
    if not found:
        raise InputError(f"{type(model).__name__} has no network that could compute in {dtype}")
    return changed
