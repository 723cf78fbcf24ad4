"""Choose the floating type of a whole tree, and derive tolerances from it."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from diffhydro.errors import InputError
from diffhydro.typing import PyTree


def astype(tree: PyTree, dtype: Any) -> PyTree:
    """Return the tree with every floating array, numpy's too, in `dtype`.

    Integers, booleans, keys and Python numbers stay as they are.
    """
    dtype = jnp.dtype(dtype)
    if not jnp.issubdtype(dtype, jnp.inexact):
        raise InputError(f"astype needs a floating type, got {dtype}")
    if jax.dtypes.canonicalize_dtype(dtype) != dtype:
        raise InputError(f"{dtype} needs jax.config.update('jax_enable_x64', True)")
    return jax.tree.map(lambda leaf: leaf.astype(dtype) if _is_floating(leaf) else leaf, tree)


def dtype_of(tree: PyTree) -> np.dtype:
    """Return the one floating type of a tree's arrays; raise InputError where they are mixed."""
    found: dict[np.dtype, list[str]] = {}
    for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
        if _is_floating(leaf):
            name = jax.tree_util.keystr(path).lstrip(".") or "the array"
            found.setdefault(np.dtype(leaf.dtype), []).append(name)
    if not found:
        raise InputError("the tree holds no floating array, so it has no floating type")
    if len(found) > 1:
        groups = (f"{dtype}: {_listed(names)}" for dtype, names in found.items())
        raise InputError(f"floating types are mixed ({'; '.join(groups)}); use astype")
    return next(iter(found))


def tolerance(dtype: Any, *, factor: float = 8.0, power: float = 1.0) -> float:
    """Return factor · ε^power, with ε the spacing of `dtype` at 1.

    `power=1` for what is exact to rounding, 1/2 for what is found where a slope vanishes (minima,
    one-sided differences), 2/3 for central differences.

    >>> tolerance(jnp.float32) == 8 * 2**-23
    True
    """
    return factor * float(jnp.finfo(dtype).eps) ** power


def _is_floating(leaf: Any) -> bool:
    return isinstance(leaf, jax.Array | np.ndarray | np.generic) and jnp.issubdtype(
        leaf.dtype, jnp.inexact
    )


def _listed(names: list[str]) -> str:
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
