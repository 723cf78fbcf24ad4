"""Damaged files are refused, or open as what was written: nothing in between."""

import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import diffhydro as dh
from diffhydro.core.model_file import archive, describe
from diffhydro.core.model_file.reading import read
from diffhydro.errors import InputError
from diffhydro.networks.head import FlaxHead
from diffhydro.networks.mlp import Mlp
from tests.core.bits import assert_same_bits


def model():
    head = FlaxHead.create(Mlp((2,), 1), jnp.zeros(2), key=jax.random.key(0))
    return {"head": head, "key": jax.random.key(1), "law": dh.Huber(), "n": (1, None)}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    kept = model()
    path = dh.save(tmp_path_factory.mktemp("damage") / "model.dh", kept, {"loss": 0.5})
    return kept, path.read_bytes(), path.with_name("other.dh")


@st.composite
def harm(draw):
    """Draw a way to damage bytes: change some, cut, drop, double or move a piece."""
    place, length = draw(st.floats(0.0, 0.999)), draw(st.integers(1, 40))
    fresh = draw(st.binary(min_size=1, max_size=4))
    way = draw(st.sampled_from(["change", "change", "cut", "drop", "double", "zero", "insert"]))

    def harmed(content: bytes) -> bytes:
        at = int(place * len(content))
        before, piece, after = content[:at], content[at : at + length], content[at + length :]
        return {
            "change": before + fresh + content[at + len(fresh) :],
            "cut": before,
            "drop": before + after,
            "double": before + piece + piece + after,
            "zero": before + bytes(len(piece)) + after,
            "insert": before + fresh + content[at:],
        }[way]

    return harmed


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(harm(), min_size=1, max_size=2))
def test_damage_is_found_or_harmless(whole, harms):
    kept, content, path = whole
    for harmed in harms:
        content = harmed(content)
    path.write_bytes(content)
    try:
        back = dh.load(path)
    except InputError as error:
        said = str(error)
    else:
        said = str(path)
        assert_same_bits(back, kept)
        assert describe(path).told == {"loss": 0.5}
    assert str(path) in said


def test_a_changed_bit_of_any_piece_is_found(whole):
    _, content, path = whole
    path.write_bytes(content)
    for piece in archive.read(path).values():
        start = content.index(piece)
        for at in range(start, start + len(piece), max(1, len(piece) // 40)):
            changed = bytearray(content)
            changed[at] ^= 1 << (at % 8)
            path.write_bytes(changed)
            with pytest.raises(InputError, match="damaged"):
                dh.load(path)


WORDS = st.sampled_from(
    [
        *("list", "tuple", "dict", "array", "module", "dataclass", "namedtuple", "enum", "partial"),
        *("function", "class", "dtype", "type", "float", "complex", "mapping", "fields", "args"),
        *("keywords", "of", "shape", "at", "weak", "generator", "member", "default", "network"),
        *("diffhydro:Hbv", "diffhydro.networks:FlaxHead", "diffhydro.networks:Mlp", "jax.nn:relu"),
        *("flax.linen:Dense", "float32", "uint32", "jax", "key", "numpy", "diffhydro:Huber", "x"),
        *("flax.core.frozen_dict:FrozenDict", "hidden", "features", "limit", "params", "nan"),
    ]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 10) | st.floats(allow_nan=False) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=5),
    max_leaves=12,
)


@settings(max_examples=400, deadline=None, derandomize=True)
@given(JSON)
def test_any_json_is_a_model_or_is_refused(tree):
    try:
        # A default that is said, or an odd type, is no harm.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            read(tree, [np.arange(2, dtype=np.uint32).tobytes()])
    except InputError:
        pass
