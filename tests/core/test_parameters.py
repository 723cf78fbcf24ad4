import dataclasses

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.core.bijections import LOG, log_above
from diffhydro.core.parameters import (
    ParameterSpec,
    check_bounds,
    parameter,
    parameter_table,
    specs,
    values,
    weights,
)
from diffhydro.errors import InputError
from diffhydro.typing import Array


class Soil(eqx.Module):
    k_sat: Array = parameter(
        unit="mm/day", bounds=(1e-2, 1e5), scale=LOG, description="conductivity | saturated"
    )
    depth: Array
    n: Array = parameter(
        unit="-", bounds=(1.01, 10.0), scale=log_above(1.0), description="pore size", default=1.5
    )
    skin: Array | None = parameter(
        unit="mm", bounds=(0.0, None), description="optional store", source="nobody", default=None
    )


class Head(eqx.Module):
    kernel: dict = weights(description="of a dense layer")


class Model(eqx.Module):
    soil: Soil
    layers: tuple[Soil, ...]
    named: dict
    head: Head
    frozen: Soil = eqx.field(static=True, default=None)


def make(**changes):
    soil = Soil(k_sat=100.0, depth=jnp.asarray(3.0))
    return Model(
        soil=dataclasses.replace(soil, **changes),
        layers=(soil, soil),
        named={"top": soil},
        head=Head({"w": jnp.ones(3)}),
    )


def test_specs_and_values_walk_modules_and_containers():
    expected = [
        f"{owner}.{name}"
        for owner in ("soil", "layers.0", "layers.1", "named.top")
        for name in ("k_sat", "n")
    ]
    assert list(specs(make())) == expected
    assert list(values(make())) == expected
    assert specs(make())["soil.k_sat"].unit == "mm/day"
    assert "soil.skin" in specs(make(skin=2.0))


@pytest.mark.parametrize("given", [2, 2.0, np.float64(2.0), np.int32(2), np.array(2), [2.0], (2,)])
def test_numbers_become_strong_arrays_of_the_default_type(given):
    k_sat = Soil(k_sat=given, depth=1.0).k_sat
    assert isinstance(k_sat, jax.Array)
    assert k_sat.dtype == jnp.float64
    assert not k_sat.weak_type
    assert jnp.all(k_sat == 2.0)


@pytest.mark.parametrize("dtype", [jnp.float16, jnp.float32, jnp.float64])
@pytest.mark.parametrize("array", [np.ones, jnp.ones])
def test_floating_arrays_keep_their_type(dtype, array):
    assert Soil(k_sat=array(3, dtype), depth=1.0).k_sat.dtype == dtype


@pytest.mark.parametrize("sentinel", [None, object(), "learned", True, (), jnp.ones(2, bool)])
def test_what_is_no_number_is_left_alone(sentinel):
    assert Soil(k_sat=sentinel, depth=1.0).k_sat is sentinel


def test_models_are_built_under_transformations():
    shape = jax.eval_shape(lambda k: Soil(k_sat=k, depth=k), jnp.ones(3, jnp.float32))
    assert shape.k_sat == jax.ShapeDtypeStruct((3,), jnp.float32)
    abstract = Soil(k_sat=shape.k_sat, depth=1.0)
    assert abstract.k_sat is shape.k_sat
    stacked = jax.vmap(lambda k: Soil(k_sat=k, depth=k))(jnp.arange(3.0))
    assert stacked.k_sat.shape == (3,)
    assert stacked.n.shape == (3,)
    assert jax.grad(lambda k: Soil(k_sat=k, depth=1.0).k_sat * 2)(1.0) == 2.0


def test_check_bounds_names_path_value_and_interval():
    check_bounds(make())
    with pytest.raises(InputError, match=r"soil\.n = 0\.9 is outside \[1\.01, 10\] -"):
        check_bounds(make(n=0.9))
    with pytest.raises(InputError, match=r"soil\.n\[1\] = nan \(and 1 more of 3\) is outside"):
        check_bounds(make(n=np.array([1.5, np.nan, 11.0])))
    with pytest.raises(InputError, match=r"soil\.skin = inf is outside \[0, ∞\) mm"):
        check_bounds(make(skin=jnp.inf))
    with pytest.raises(InputError, match=r"soil\.k_sat = 0.*; soil\.n = 0"):
        check_bounds(make(k_sat=0.0, n=0.0))


def test_check_bounds_allows_the_bound_in_the_arrays_own_type():
    spec_bound = np.float32(1.01)
    assert float(spec_bound) < 1.01
    check_bounds(make(n=spec_bound))
    check_bounds(make(n=10.0))


def test_check_bounds_looks_at_concrete_arrays_only():
    def traced(n):
        check_bounds(make(n=n))
        return n

    assert jax.jit(traced)(0.0) == 0.0
    jax.eval_shape(traced, 0.0)
    check_bounds(make(n=jax.ShapeDtypeStruct((), jnp.float32)))


def test_table_of_a_class_and_of_a_model():
    rows = parameter_table(Soil).splitlines()
    assert rows[0].split(" | ")[4] == "default"
    assert rows[2] == (
        "| `k_sat` | mm/day | [0.01, 100000] | log |  | conductivity \\| saturated |  |"
    )
    assert rows[3] == "| `n` | - | [1.01, 10] | log(p − 1) | 1.5 | pore size |  |"
    assert rows[4] == "| `skin` | mm | [0, ∞) | linear |  | optional store | nobody |"
    rows = parameter_table(make(k_sat=[1.0, 2.0])).splitlines()
    assert len(rows) == 2 + 8
    assert "| `soil.k_sat` | mm/day | [0.01, 100000] | log | array [2] |" in rows[2]
    assert "| `layers.1.n` | - | [1.01, 10] | log(p − 1) | 1.5 |" in rows[7]


def test_an_impossible_declaration_fails_where_it_is_written():
    with pytest.raises(InputError, match="one side of 0"):
        parameter(unit="mm", bounds=(0.0, 1.0), scale=LOG, description="")
    with pytest.raises(InputError, match="lower < upper"):
        parameter(unit="mm", bounds=(2.0, 1.0), description="")


def test_specs_are_values():
    first, second = (ParameterSpec("mm", (0.1, 1.0), LOG, "d") for _ in range(2))
    assert first == second
    assert hash(first) == hash(second)
    p = jnp.asarray(0.3)
    assert jnp.allclose(first.constrain(first.free(p)), p, rtol=1e-15)
