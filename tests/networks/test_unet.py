"""U-Nets: sizes, counts of weights, what a pixel sees."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.errors import InputError
from diffhydro.networks import Between, FlaxHead, Unet, root_zone_unet, surface_unet
from diffhydro.networks.convolution import Doubled, halved
from tests.networks.programs import (
    KEY,
    assert_dropout,
    assert_narrow_is_near,
    assert_same,
    assert_slopes,
    call,
    drawn,
    mapped,
)

SURFACE, ROOT_ZONE = 12_820_225, 3_168_769
FEATURES, LATE = 3, 2
SMALL = Unet(widths=(3, 4), dropout=0.3)


def tile(*shape, key=0):
    return jax.random.normal(jax.random.key(key), shape)


MAPS, BESIDE = tile(8, 8, FEATURES), tile(8, 8, LATE, key=1)
HEAD, WITH_LATE = drawn(SMALL, MAPS), drawn(SMALL, MAPS, BESIDE)


def count(network, *features, side):
    maps = [jax.ShapeDtypeStruct((side, side, n), jnp.float32) for n in features]
    drawn = jax.eval_shape(network.init, KEY, *maps)
    assert set(drawn) == {"params"}
    return sum(x.size for x in jax.tree.leaves(drawn["params"]))


def test_the_surface_network_has_the_weights_of_the_study():
    # 74 channels with land cover and climate as one class each; 20 late: NDVI, 16 classes, RGB.
    found = count(surface_unet(), 74, 20, side=64)
    assert found == SURFACE
    assert abs(found / 12.9e6 - 1.0) < 0.01


def test_the_root_zone_network_is_light():
    found = count(root_zone_unet(), 20, side=64)
    assert found == ROOT_ZONE
    assert abs(found / 3.0e6 - 1.0) < 0.1


@pytest.mark.parametrize(
    ("network", "channels", "scale"), [(surface_unet(), 512, 16), (root_zone_unet(), 256, 8)]
)
def test_the_latent_map_is_small_and_deep(network, channels, scale):
    assert network.widths[-1] == channels
    assert 2 ** len(network.widths) == scale


@pytest.mark.parametrize("leading", [(), (2, 3)])
@pytest.mark.parametrize("sides", [(4, 4), (8, 12), (20, 8)])
def test_outputs_have_the_pixels_of_the_inputs(sides, leading):
    assert jax.eval_shape(HEAD, tile(*leading, *sides, FEATURES)).shape == (*leading, *sides, 1)


def test_a_tile_need_not_be_square():
    """A larger tile says the same of what lies far from its edges."""
    maps = tile(36, 60, FEATURES)
    part = call(HEAD, maps[4:, 8:48])
    assert_same(call(HEAD, maps)[18:22, 22:34], part[14:18, 14:26])


@pytest.mark.parametrize("sides", [(10, 8), (8, 6), (0, 4)])
def test_other_sides_are_refused_before_anything_is_compiled(sides):
    with pytest.raises(InputError, match=rf"multiples of 4; this one has {sides[0]} × {sides[1]}"):
        jax.eval_shape(HEAD, tile(*sides, FEATURES))


def test_late_features_lie_on_the_same_pixels():
    with pytest.raises(InputError, match=r"\(8, 8\); these have \(4, 8\)"):
        jax.eval_shape(WITH_LATE, MAPS, BESIDE[:4])


def test_late_features_come_late():
    """A late feature moves only the pixels that the last three convolutions reach."""
    maps, late = tile(16, 16, FEATURES), tile(16, 16, LATE)
    moved = call(WITH_LATE, maps, late.at[8, 8].add(1.0)) - call(WITH_LATE, maps, late)
    rows, columns = np.nonzero(np.asarray(moved)[..., 0])
    assert rows.min() == columns.min() == 5
    assert rows.max() == columns.max() == 11


def test_a_pixel_far_away_counts_through_the_latent_map():
    """At full size alone four convolutions reach 4 pixels."""
    maps = tile(64, 64, FEATURES)
    moved = call(HEAD, maps.at[32, 32].add(1.0)) - call(HEAD, maps)
    rows, _ = np.nonzero(np.asarray(moved)[..., 0])
    reach = rows.max() - 32
    assert 8 < reach < 31


def test_a_map_moved_by_whole_latent_pixels_gives_outputs_moved():
    maps = tile(64, 64, FEATURES)
    before, after = call(HEAD, maps), call(HEAD, jnp.roll(maps, (4, -4), axis=(0, 1)))
    inside, moved = slice(24, 40), (slice(28, 44), slice(20, 36))
    assert_same(after[moved], before[inside, inside])
    assert np.abs(after[4:8] - before[:4]).max() > 1e-3


def test_one_by_one_as_mapped_as_together():
    maps = tile(3, 8, 8, FEATURES)
    together = call(HEAD, maps)
    assert_same(mapped(HEAD, maps), together)
    assert_same(jnp.stack([call(HEAD, x) for x in maps]), together)


def test_dropout_comes_with_a_key_only():
    assert_dropout(HEAD, SMALL.copy(dropout=0.0), MAPS)


def test_outputs_stay_where_the_studies_want_them():
    free, params = call(HEAD, MAPS), HEAD.params
    for finish in (nn.relu, Between(0.05, 0.55)):
        found = call(FlaxHead(SMALL.copy(finish=finish), params), MAPS)
        assert_same(found, finish(free))
    assert_same(Between(0.05, 0.55)(jnp.array([-1e3, 0.0, 1e3])), jnp.array([0.05, 0.3, 0.55]))
    assert surface_unet().finish is nn.relu
    assert root_zone_unet(low=0.05, high=0.55).finish == Between(0.05, 0.55)
    with pytest.raises(InputError, match="low < high"):
        Between(0.5, 0.5)


def test_pooling_takes_the_largest_of_four():
    maps = np.asarray(tile(2, 6, 4, 3))
    expected = maps.reshape(2, 3, 2, 2, 2, 3).transpose(0, 1, 3, 5, 2, 4).reshape(2, 3, 2, 3, 4)
    np.testing.assert_array_equal(halved(jnp.asarray(maps)), expected.max(-1))


def test_doubling_is_the_transposed_convolution():
    maps = tile(2, 3, 4, 5)
    head = drawn(Doubled(6), maps)
    kernel = np.asarray(head.params["Dense_0"]["kernel"]).reshape(5, 2, 2, 6)
    expected = np.zeros((2, 6, 8, 6))
    for y, x in np.ndindex(3, 4):
        here = np.tensordot(maps[:, y, x], kernel, 1)
        expected[:, 2 * y : 2 * y + 2, 2 * x : 2 * x + 2] = here
    assert_same(call(head, maps), expected + np.asarray(head.params["shift"]))


def test_gradients_agree_with_differences():
    def loss(given):
        params, maps, late = given
        return jnp.sum(FlaxHead(SMALL, params)(maps, late, key=KEY) ** 2)

    assert_slopes(loss, (WITH_LATE.params, MAPS, BESIDE))


def test_outputs_begin_where_they_are_told_to():
    network = Unet(widths=(2,), start=0.0, level=0.5)
    last = FlaxHead.create(network, tile(2, 2, 1), key=KEY).params["Dense_0"]
    np.testing.assert_array_equal(last["bias"], 0.5)
    np.testing.assert_array_equal(last["kernel"], 0.0)


def test_bfloat16_stays_near_float32():
    assert_narrow_is_near(SMALL, MAPS, mean=0.05)
