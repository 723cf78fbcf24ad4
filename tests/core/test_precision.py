import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.core.precision import astype, dtype_of, tolerance
from diffhydro.errors import InputError

TREE = {
    "jax": jnp.ones(2),
    "numpy": np.ones(3),
    "scalar": np.float64(2.0),
    "count": jnp.arange(3),
    "mask": np.ones(2, bool),
    "key": jax.random.key(0),
    "number": 1.5,
    "nothing": None,
    "function": jnp.tanh,
}


@pytest.mark.parametrize("dtype", [jnp.float16, jnp.float32, "float32", jnp.float64])
def test_astype_casts_floating_arrays_only(dtype):
    cast = astype(TREE, dtype)
    for name in ("jax", "numpy", "scalar"):
        assert cast[name].dtype == jnp.dtype(dtype)
        assert isinstance(cast[name], np.ndarray | np.generic) == (name != "jax")
    for name in ("count", "mask", "key", "number", "nothing", "function"):
        assert cast[name] is TREE[name]
    assert dtype_of(cast) == jnp.dtype(dtype)


def test_astype_works_under_jit():
    assert jax.jit(lambda x: astype(x, jnp.float32))(1.0 * jnp.ones(2)).dtype == jnp.float32


def test_astype_refuses_what_it_cannot_give():
    with pytest.raises(InputError, match="floating type, got int32"):
        astype(TREE, jnp.int32)
    with jax.enable_x64(False), pytest.raises(InputError, match="float64 needs"):
        astype(TREE, jnp.float64)


def test_mixed_types_are_named():
    tree = {"soil": {"k": jnp.ones(1, jnp.float32), "n": jnp.ones(1)}, "depth": np.ones(1)}
    with pytest.raises(InputError, match=r"float64: \['depth'\], \['soil'\]\['n'\]; float32"):
        dtype_of(tree)
    with pytest.raises(InputError, match="no floating array"):
        dtype_of({"count": jnp.arange(3)})


@pytest.mark.parametrize("dtype", [jnp.float32, jnp.float64])
def test_tolerance_follows_the_type(dtype):
    eps = float(jnp.finfo(dtype).eps)
    assert tolerance(dtype, factor=1.0) == eps
    assert tolerance(dtype, factor=2.0, power=0.5) == 2 * eps**0.5
    one = jnp.ones((), dtype)
    assert one + tolerance(dtype, factor=1.0) > one
