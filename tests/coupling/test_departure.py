"""A network that departs from a level of the place."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.coupling import Departure, Features, Inputs
from diffhydro.errors import InputError
from diffhydro.networks import FlaxHead, Mlp

FEATURES = Features(("rain",), ("level", "clay"))


def model(spread: float = 0.1) -> Departure:
    head = FlaxHead.create(Mlp((4,), 1), jnp.zeros((4, 3)), key=jax.random.key(0))
    return Departure(head, FEATURES, "level", spread)


def inputs() -> Inputs:
    rain = jnp.asarray(np.random.default_rng(0).gamma(0.5, 4.0, (2, 6)))
    return Inputs({"rain": rain}, {"level": jnp.array([0.1, 0.3]), "clay": jnp.array([5.0, 40.0])})


def test_what_the_head_says_is_added_to_the_level():
    given = inputs()
    one = model()
    said = one.head(FEATURES.through_time(given))[..., 0]
    expected = np.array([[0.1], [0.3]]) + 0.1 * np.asarray(said)
    np.testing.assert_allclose(one(given), expected, rtol=1e-12)


def test_a_head_that_says_nothing_leaves_the_level():
    one = model()
    still = jax.tree.map(jnp.zeros_like, one)
    assert np.array_equal(still(inputs()), np.repeat([[0.1], [0.3]], 6, axis=1))


def test_sites_do_not_see_each_other():
    given = inputs()
    alone = Inputs(
        {"rain": given.series["rain"][1:]}, {name: x[1:] for name, x in given.attributes.items()}
    )
    np.testing.assert_allclose(model()(given)[1], model()(alone)[0], rtol=1e-12)


def test_a_spread_has_to_be_positive_and_a_level_known():
    with pytest.raises(InputError, match="spread"):
        model(spread=0.0)
    one = Departure(model().head, FEATURES, "wetness")
    with pytest.raises(InputError, match="wetness"):
        one(inputs())


def test_a_head_that_says_more_than_soil_moisture_is_refused():
    head = FlaxHead.create(Mlp((4,), 2), jnp.zeros((4, 3)), key=jax.random.key(0))
    with pytest.raises(InputError, match="soil moisture"):
        Departure(head, FEATURES, "level")


def test_it_computes_in_the_type_of_its_head():
    example = jnp.zeros((4, 2), "float32")
    head = FlaxHead.create(Mlp((4,), 1), example, key=jax.random.key(0), dtype="float32")
    one = Departure(head, Features(("rain",), ("clay",)), "level")
    given = inputs()
    small = jax.tree.map(lambda x: x.astype("float32"), given)
    mixed = Inputs(small.series, small.attributes | {"level": given.attributes["level"]})
    assert jax.eval_shape(one, mixed).dtype == np.float32


def test_keys_reach_the_head():
    network = Mlp((16,), 1, dropout=0.5)
    head = FlaxHead.create(network, jnp.zeros((4, 3)), key=jax.random.key(0))
    one, given = Departure(head, FEATURES, "level"), inputs()
    assert not np.array_equal(one(given), one(given, key=jax.random.key(1)))
