"""Run something written for one site at many, as batches of a size that suits the machine."""

from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from diffhydro.errors import InputError
from diffhydro.typing import Array, PyTree


def over_sites(function: Callable[[PyTree], PyTree], arrays: PyTree, columns: int | None) -> PyTree:
    """Map over the first axis of all arrays, at most `columns` of it side by side.

    The batches are of one size, so that one program serves them all. What is missing in the last
    one is filled with copies of the last site, whose results are cut off and whose gradient is
    therefore zero.
    """
    sites = jax.tree.leaves(arrays)[0].shape[0]
    if columns is not None and columns < 1:
        raise InputError(f"columns is {columns}; a batch needs at least one, None is no limit")
    if columns is None or sites <= columns:
        return jax.vmap(function)(arrays)
    batches = -(-sites // columns)
    size = -(-sites // batches)
    missing = batches * size - sites

    def cut(x: Array) -> Array:
        fill = jnp.broadcast_to(x[-1:], (missing, *x.shape[1:]))
        return jnp.concatenate([x, fill]).reshape(batches, size, *x.shape[1:])

    results = jax.lax.map(jax.vmap(function), jax.tree.map(cut, arrays))
    return jax.tree.map(lambda x: x.reshape(batches * size, *x.shape[2:])[:sites], results)


def split_by_site(
    model: PyTree, by_site: str | Sequence[str] | None, sites: int
) -> tuple[PyTree, PyTree]:
    """Part a model into the arrays that have a leading site axis, and the rest.

    Args:
        by_site: Paths, parts or patterns of what has the axis. None is everything if every array
            has it, and otherwise nothing.
    """
    arrays = {_named(path): x for path, x in jax.tree_util.tree_leaves_with_path(model)}
    arrays = {name: x for name, x in arrays.items() if _is_array(x)}
    if by_site is None:
        everywhere = bool(arrays) and all(_has_axis(x, sites) for x in arrays.values())
        chosen = set(arrays) if everywhere else set()
    else:
        patterns = [by_site] if isinstance(by_site, str) else list(by_site)
        chosen = {name for pattern in patterns for name in _matching(pattern, arrays)}
    for name in sorted(chosen):
        if not _has_axis(arrays[name], sites):
            raise InputError(
                f"{name} has shape {arrays[name].shape}, which does not start with the {sites} "
                "sites of the forcing; stack it, or leave it out of by_site if all sites share it"
            )
    which = jax.tree_util.tree_map_with_path(lambda path, _: _named(path) in chosen, model)
    return eqx.partition(model, which)


def _matching(pattern: str, arrays: dict[str, Any]) -> list[str]:
    found = [n for n in arrays if fnmatchcase(n, pattern) or fnmatchcase(n, f"{pattern}.*")]
    if not found:
        raise InputError(f"by_site names {pattern!r}; the arrays are {', '.join(arrays)}")
    return found


def _named(path: tuple) -> str:
    return jax.tree_util.keystr(path, simple=True, separator=".")


def _has_axis(x: Any, sites: int) -> bool:
    return x.ndim > 0 and x.shape[0] == sites


def _is_array(x: Any) -> bool:
    return isinstance(x, jax.Array | np.ndarray)
