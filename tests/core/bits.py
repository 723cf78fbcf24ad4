"""Whether two trees are the same to the last bit: classes, static parts, arrays and their kinds."""

import jax
import numpy as np

from diffhydro.core.model_file import arrays


def assert_same_bits(one, other):
    """Assert that nothing tells two trees apart."""
    assert jax.tree.structure(one) == jax.tree.structure(other)
    pairs = zip(jax.tree_util.tree_leaves_with_path(one), jax.tree.leaves(other), strict=True)
    for (path, a), b in pairs:
        name = jax.tree_util.keystr(path)
        assert type(a) is type(b), name
        if not arrays.is_array(a):
            assert a == b or (a != a and b != b), name
            continue
        (kind, held), (other_kind, other_held) = arrays.taken(a), arrays.taken(b)
        assert kind == other_kind, name
        np.testing.assert_array_equal(_bytes(held), _bytes(other_held), err_msg=name)


def _bytes(x):
    return np.frombuffer(arrays.raw(x), np.uint8)
