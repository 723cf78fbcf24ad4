"""Declare what a model's numbers mean: unit, bounds and scale, beside the field that holds them.

A parameter is a plain array in a field. What is known about it travels in the field's metadata, so
that physics reads `soil.k_sat` and never `.value`, and a network's output can sit in the same
field. Its address is the dotted path from the model: `soil.k_sat`, `layers.0.k_sat`.
"""

import dataclasses
import numbers
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from diffhydro.core.bijections import LINEAR, AbstractScale, Bounds, interval
from diffhydro.errors import InputError
from diffhydro.typing import Array, ArrayLike, Float, PyTree

MISSING = dataclasses.MISSING
_MARK = "diffhydro"


@dataclasses.dataclass(frozen=True)
class ParameterSpec:
    """What is declared about a parameter.

    A bound of `None` or ±∞ is no bound. A `fixed` parameter is trained only when it is named in
    full, never by a pattern.
    """

    unit: str
    bounds: Bounds
    scale: AbstractScale
    description: str
    source: str = ""
    fixed: bool = False

    def __post_init__(self) -> None:
        self.scale.check(self.bounds)

    @property
    def interval(self) -> str:
        """The allowed values as text, e.g. `[0.1, 1e+04] mm/day`."""
        lo, hi = interval(self.bounds)
        left = "(−∞" if np.isinf(lo) else f"[{lo:.6g}"
        right = "∞)" if np.isinf(hi) else f"{hi:.6g}]"
        return f"{left}, {right} {self.unit}".rstrip()

    def constrain(self, z: Float[ArrayLike, "..."]) -> Float[Array, "..."]:
        """Return the parameter of a free number."""
        return self.scale.constrain(z, self.bounds)

    def free(self, p: Float[ArrayLike, "..."]) -> Float[Array, "..."]:
        """Return the free number of a parameter."""
        return self.scale.free(p, self.bounds)


@dataclasses.dataclass(frozen=True)
class WeightsSpec:
    """What is declared about the arrays of a head; they are free numbers already."""

    description: str = ""


class Declaration(NamedTuple):
    """One marked field of a model: its address, its mark and what it holds."""

    path: str
    spec: ParameterSpec | WeightsSpec
    value: Any


def _parameter(
    *,
    unit: str,
    bounds: Bounds,
    scale: AbstractScale = LINEAR,
    description: str,
    source: str = "",
    default: Any = MISSING,
    fixed: bool = False,
) -> Any:
    """Declare a parameter field of an `eqx.Module`.

    The field holds an array of any shape. Python numbers become arrays of the default float type;
    arrays that are floating already keep theirs; whatever is no number (a tracer, a shape, `None`)
    is left alone, because tree operations put such things into fields.

    >>> class Bucket(eqx.Module):
    ...     k: Array = parameter(unit="1/day", bounds=(1e-3, 1.0), description="outflow rate")
    >>> specs(Bucket(k=0.1))["k"].interval
    '[0.001, 1] 1/day'

    Args:
        unit: of the value as the package holds it; `"-"` for none.
        bounds: `(lower, upper)`, both allowed values; `None` for no bound.
        scale: `LINEAR`, `LOG` or `log_above(offset)`: how training moves between the bounds.
        description: what the parameter is, for the table in the documentation.
        source: where the bounds or the default come from.
        default: the value of the field when none is given.
        fixed: never trained by a pattern, only when named in full.
    """
    spec = ParameterSpec(unit, bounds, scale, description, source, fixed)
    return eqx.field(converter=as_parameter, default=default, metadata={_MARK: spec})


def _weights(*, description: str = "", default: Any = MISSING) -> Any:
    """Declare a field that holds the trainable arrays of a head, in any tree."""
    return eqx.field(default=default, metadata={_MARK: WeightsSpec(description)})


if TYPE_CHECKING:
    # A type checker takes a field for required only if it is made by a specifier that Equinox
    # lists, and there is no way to add to the list. Under its own name each declaration would read
    # as a default, and every field after it as an error.
    from equinox import field as parameter
    from equinox import field as weights
else:
    parameter, weights = _parameter, _weights
    parameter.__name__, weights.__name__ = "parameter", "weights"


def as_parameter(value: Any) -> Any:
    """Return numbers as a floating array; anything else unchanged."""
    if isinstance(value, Tracer | jax.ShapeDtypeStruct):
        return value
    if isinstance(value, np.floating | np.ndarray | jax.Array):
        is_floating = jnp.issubdtype(value.dtype, jnp.floating)
        is_number = is_floating or jnp.issubdtype(value.dtype, jnp.integer)
        # A dtype given in full makes the array strongly typed: a weak one would change type in the
        # carry of a scan.
        dtype = jax.dtypes.canonicalize_dtype(value.dtype) if is_floating else float
        return jnp.asarray(value, dtype=dtype) if is_number else value
    if isinstance(value, bool) or not _is_numbers(value):
        return value
    return jnp.asarray(value, dtype=float)


def _is_numbers(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return len(value) > 0 and all(_is_numbers(item) for item in value)
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def declarations(model: PyTree) -> Iterator[Declaration]:
    """Yield every marked field, walking modules and the tuples, lists and dicts that hold them."""
    yield from _walk(model, ())


def _walk(node: Any, path: tuple[str, ...]) -> Iterator[Declaration]:
    marks = {}
    if isinstance(node, eqx.Module):
        marks = {f.name: f.metadata[_MARK] for f in dataclasses.fields(node) if _MARK in f.metadata}
    for key, child in children(node):
        here = (*path, key)
        if key in marks:
            yield Declaration(".".join(here), marks[key], child)
        else:
            yield from _walk(child, here)


def children(node: Any) -> Iterator[tuple[str, Any]]:
    """Yield what one step of a path can reach: non-static fields, items of containers."""
    if isinstance(node, eqx.Module):
        for field in dataclasses.fields(node):
            if not field.metadata.get("static", False) and hasattr(node, field.name):
                yield field.name, getattr(node, field.name)
    elif isinstance(node, Mapping):
        yield from ((str(key), value) for key, value in node.items())
    elif isinstance(node, list | tuple):
        yield from ((str(index), value) for index, value in enumerate(node))


def specs(model: PyTree) -> dict[str, ParameterSpec]:
    """Return what is declared about each parameter of a model, by path."""
    return {path: spec for path, spec, _ in _parameters(model)}


def values(model: PyTree) -> dict[str, Array]:
    """Return the value of each parameter of a model, by path."""
    return {path: value for path, _, value in _parameters(model)}


def _parameters(model: PyTree) -> Iterator[tuple[str, ParameterSpec, Any]]:
    for path, spec, value in declarations(model):
        if isinstance(spec, ParameterSpec) and value is not None:
            yield path, spec, value


def check_bounds(model: PyTree) -> None:
    """Raise InputError for every parameter that has a value outside its bounds.

    Looks at concrete arrays only: under a transformation values are unknown and pass.
    """
    if wrong := [text for held in _parameters(model) if (text := out_of_bounds(*held))]:
        raise InputError("; ".join(wrong))


def out_of_bounds(path: str, spec: ParameterSpec, value: Any) -> str | None:
    """Return a sentence on the first value outside the bounds, or None."""
    if isinstance(value, Tracer) or not isinstance(value, jax.Array | np.ndarray):
        return None
    found = np.asarray(value)
    # A bound is compared as the value's own type holds it, or 0.1 in float32 would exceed 0.1.
    lo, hi = (np.asarray(bound).astype(found.dtype) for bound in interval(spec.bounds))
    inside = (found >= lo) & (found <= hi) & np.isfinite(found)
    if inside.all():
        return None
    first = tuple(int(i) for i in np.argwhere(~inside)[0])
    where = f"{path}[{', '.join(map(str, first))}]" if first else path
    more = int((~inside).sum()) - 1
    others = f" (and {more} more of {found.size})" if more else ""
    return f"{where} = {float(found[first]):.6g}{others} is outside {spec.interval}"


def parameter_table(model: PyTree | type[eqx.Module]) -> str:
    """Return the declarations as a Markdown table: of a class its defaults, of a model its values.

    A class shows its own fields only, since what its other fields will hold is not known.
    """
    if isinstance(model, type):
        marks = ((f.name, f.metadata.get(_MARK), f.default) for f in dataclasses.fields(model))
        rows = [(name, spec, held) for name, spec, held in marks if isinstance(spec, ParameterSpec)]
    else:
        rows = list(_parameters(model))
    held = "default" if isinstance(model, type) else "value"
    head = ("parameter", "unit", "allowed", "scale", held, "description", "source")
    lines = [head, ("---",) * len(head)]
    lines += [_row(path, spec, value) for path, spec, value in rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _row(path: str, spec: ParameterSpec, value: Any) -> tuple[str, ...]:
    allowed = dataclasses.replace(spec, unit="").interval
    texts = (spec.unit, allowed, str(spec.scale), _shown(value), spec.description, spec.source)
    return (f"`{path}`", *(text.replace("|", "\\|") for text in texts))


def _shown(value: Any) -> str:
    if value is MISSING or value is None:
        return ""
    if isinstance(value, Tracer) or not hasattr(value, "dtype"):
        return str(value)
    if not isinstance(value, jax.Array | np.ndarray) or value.ndim > 0:
        return f"array {list(value.shape)}"
    return f"{float(value):.6g}"
