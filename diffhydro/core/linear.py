"""Linear maps that come with their transpose: what gives a solver both modes of differentiation.

An implicit solver's derivative is J·ẋ = L(r, ẋ), with L linear in the tangents ẋ and r what the
solve has left behind. Walked forward it costs one linear system per step; its transpose, walked
backward, is the adjoint. JAX can neither derive the second from the first at that price nor map
a pair of them (`custom_vjp` has no forward mode, `linear_call` no batching), so the pair is one
primitive here, with a rule for each thing JAX may ask of it:

* transposed, the two change places;
* mapped over sites, columns are appended at the **end**, as in `lanes.py`;
* mapped over tangents alone, as `jax.jacfwd` does, an axis is put in **front** of them, and what
  depends on r is computed once for all.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import jax
import jax.core
import jax.numpy as jnp
from jax.extend.core import Primitive
from jax.interpreters import ad, batching, mlir

from diffhydro.core.lanes import fold, full_width
from diffhydro.typing import Array

Side = Callable[[Any, Any], Any]


def linear_map(forward: Side, transpose: Side, residuals: Any, tangents: Any) -> Any:
    """Return forward(residuals, tangents), differentiable in the tangents, in both modes.

    Both functions see arrays with one more axis, `column`, at the end; its length may be 1, which
    broadcasts. What they return has full width, but `transpose` may give a sum over all columns,
    of width 1, where these share what it belongs to. The arrays given here have no such axis. A
    second derivative, which would be one in the residuals, is refused; what leaves the residuals
    should be `at_first_only`.

    Args:
        forward: (residuals, tangents) → results, linear in the tangents. Hashable and the same
            object every time, or everything around it is compiled anew.
        transpose: (residuals, cotangents of the results) → cotangents of the tangents.
        residuals: Tree of arrays.
        tangents: Tree of floating-point arrays.

    >>> twice = linear_map(lambda r, x: r * x, lambda r, y: r * y, jnp.full(3, 2.0), jnp.ones(3))
    >>> twice.tolist()
    [2.0, 2.0, 2.0]
    """
    wide = jax.tree.map(lambda x: jnp.expand_dims(x, -1), (residuals, tangents))
    kept, kept_tree = jax.tree.flatten(wide[0])
    given, given_tree = jax.tree.flatten(wide[1])
    result_tree = jax.tree.structure(jax.eval_shape(forward, *wide))
    pair = _Pair(forward, transpose, kept_tree, given_tree, result_tree)
    found = _linear_map.bind(*kept, *given, pair=pair)
    return jax.tree.unflatten(result_tree, [x[..., 0] for x in found])


def at_first_only(function: Callable[..., Any]) -> Callable[..., Any]:
    """Make `function`, which a first derivative calls, say clearly that there is no second one."""

    @jax.custom_jvp
    def once(*args: Any) -> Any:
        return function(*args)

    @once.defjvp
    def _(_args: Any, _tangents: Any) -> Any:
        raise _second_derivative()

    return once


def _second_derivative() -> NotImplementedError:
    return NotImplementedError(
        "the solvers have first derivatives only: a derivative of their derivative was asked for "
        "(a Hessian, or grad of jvp); difference the gradient instead"
    )


@dataclass(frozen=True)
class _Pair:
    """Two maps, one the transpose of the other, and the trees that they take and give."""

    forward: Side
    transpose: Side
    residuals: Any
    given: Any
    results: Any

    def __call__(self, *operands: Array) -> list[Array]:
        kept, given = self.parted(operands)
        residuals = jax.tree.unflatten(self.residuals, kept)
        return self.results.flatten_up_to(
            self.forward(residuals, jax.tree.unflatten(self.given, given))
        )

    def parted(self, operands: Any) -> tuple[Any, Any]:
        """Part what belongs to the residuals from what belongs to the tangents."""
        count = self.residuals.num_leaves
        return operands[:count], operands[count:]

    def swapped(self) -> "_Pair":
        return _Pair(self.transpose, self.forward, self.residuals, self.results, self.given)

    def of_many(self) -> "_Pair":
        return replace(self, forward=_Many(self.forward), transpose=_Many(self.transpose))


@dataclass(frozen=True)
class _Many:
    """A map of many tangents, stacked along a first axis, at the same residuals."""

    one: Side

    def __call__(self, residuals: Any, tangents: Any) -> Any:
        return jax.vmap(self.one, in_axes=(None, 0))(residuals, tangents)


_linear_map = Primitive("linear_map")
_linear_map.multiple_results = True


@lru_cache(maxsize=256)
def _compiled(pair: _Pair) -> Any:
    return jax.jit(pair)


@_linear_map.def_impl
def _(*operands: Array, pair: _Pair) -> list[Array]:
    return _compiled(pair)(*operands)


@_linear_map.def_abstract_eval
def _(*operands: Any, pair: _Pair) -> list[Any]:
    shapes = [jax.ShapeDtypeStruct(x.shape, x.dtype) for x in operands]
    found = jax.eval_shape(_compiled(pair), *shapes)
    return [jax.core.ShapedArray(x.shape, x.dtype) for x in found]


mlir.register_lowering(
    _linear_map, mlir.lower_fun(lambda *operands, pair: pair(*operands), multiple_results=True)
)


def _differentiated(primals: Any, tangents: Any, *, pair: _Pair) -> tuple[list[Any], list[Any]]:
    kept, _ = pair.parted(primals)
    fixed, moving = pair.parted(tangents)
    if any(type(x) is not ad.Zero for x in fixed):
        raise _second_derivative()
    found = _linear_map.bind(*primals, pair=pair)
    moving = [ad.instantiate_zeros(x) for x in moving]
    return found, _linear_map.bind(*kept, *moving, pair=pair)


def _transposed(cotangents: Any, *operands: Any, pair: _Pair) -> list[Any]:
    kept, given = pair.parted(operands)
    cotangents = [ad.instantiate_zeros(x) for x in cotangents]
    found = _linear_map.bind(*kept, *cotangents, pair=pair.swapped())
    # A tangent that is known is a zero that JAX has written out; nobody asks for its cotangent.
    back = [
        _of_width(y, x.aval.shape[-1]) if ad.is_undefined_primal(x) else None
        for x, y in zip(given, found, strict=True)
    ]
    return [None] * len(kept) + back


def _of_width(x: Array, width: int) -> Array:
    """Add up the columns where they shared one tangent."""
    return x if x.shape[-1] == width else jnp.sum(x, axis=-1, keepdims=True)


def _mapped(operands: Any, axes: Any, *, pair: _Pair) -> tuple[list[Array], list[int]]:
    outer = next(x.shape[a] for x, a in zip(operands, axes, strict=True) if a is not None)
    first = [x if a is None else jnp.moveaxis(x, a, 0) for x, a in zip(operands, axes, strict=True)]
    fixed, moving = pair.parted(axes)
    if all(a is None for a in fixed):
        kept, given = pair.parted(first)
        given = [
            x if a is not None else jnp.broadcast_to(x, (outer, *x.shape))
            for x, a in zip(given, moving, strict=True)
        ]
        found = _linear_map.bind(*kept, *given, pair=pair.of_many())
        return found, [0] * len(found)
    size = max(x.shape[-1] for x in first)
    folded = [fold(a is not None, x, outer, size) for x, a in zip(first, axes, strict=True)]
    found = _linear_map.bind(*folded, pair=pair)
    if any(x.shape[-1] != outer * size for x in found):
        # Summed over all columns, where the map asks for one sum each of its own.
        found = _linear_map.bind(*full_width(folded), pair=pair)
    found = [
        _of_width(x.reshape(*x.shape[:-1], outer, size), before.shape[-1])
        for x, before in zip(found, _shapes(first, axes, pair), strict=True)
    ]
    return found, [x.ndim - 2 for x in found]


def _shapes(first: list[Array], axes: Any, pair: _Pair) -> list[Any]:
    """Give the shapes of the results before a map whose axis is the first."""
    shapes = [
        jax.ShapeDtypeStruct(x.shape if a is None else x.shape[1:], x.dtype)
        for x, a in zip(first, axes, strict=True)
    ]
    return jax.eval_shape(_compiled(pair), *shapes)


ad.primitive_jvps[_linear_map] = _differentiated
ad.primitive_transposes[_linear_map] = _transposed
batching.primitive_batchers[_linear_map] = _mapped
