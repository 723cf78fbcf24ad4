"""The imputer keeps what was seen, and never looks at what it estimates."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.errors import InputError
from diffhydro.networks import FlaxHead, Imputer, Variational
from diffhydro.networks.imputer import since_seen
from tests.networks.programs import (
    KEY,
    answer,
    assert_narrow_is_near,
    assert_same,
    assert_slopes,
    call,
    drawn,
    mapped,
    quickly,
)

BATCH, TIMES, FEATURES, HELPERS = 2, 12, 3, 2
RNG = np.random.default_rng(0)
SEEN = jnp.asarray(RNG.random((BATCH, TIMES, FEATURES)) < 0.6, float)
TRUTH = jnp.asarray(RNG.normal(size=SEEN.shape))
GIVEN = jnp.where(SEEN > 0, TRUTH, jnp.nan)
BESIDE = jnp.asarray(RNG.normal(size=(BATCH, TIMES, HELPERS)))
NETWORK = Imputer(4, Variational(0.2, 0.2, 0.2))
HEAD = drawn(NETWORK, GIVEN, SEEN, BESIDE)


def test_what_was_seen_comes_back_as_it_is():
    filled = np.asarray(call(HEAD, GIVEN, SEEN, BESIDE, key=KEY))
    seen = np.asarray(SEEN) > 0
    np.testing.assert_array_equal(filled[seen], np.asarray(GIVEN)[seen])
    assert np.isfinite(filled).all()


def test_what_stands_in_gaps_does_not_matter():
    np.testing.assert_array_equal(call(HEAD, GIVEN, SEEN, BESIDE), call(HEAD, TRUTH, SEEN, BESIDE))


def test_an_estimate_knows_everything_but_what_was_seen_at_its_time():
    when = 5
    seen = SEEN.at[:, when].set(1.0)

    def estimates(values):
        return np.asarray(answer(HEAD, Imputer.estimates, values, seen, BESIDE))

    moved = estimates(TRUTH.at[:, when].add(1.0))
    before = estimates(TRUTH)
    np.testing.assert_array_equal(moved[:, when], before[:, when])
    others = np.arange(TIMES) != when
    assert (moved[:, others] != before[:, others]).all()


def test_helpers_count_at_their_own_time():
    nothing = jnp.zeros_like(SEEN)
    moved = call(HEAD, GIVEN, nothing, BESIDE.at[:, 5].add(1.0))
    assert (moved[:, 5] != call(HEAD, GIVEN, nothing, BESIDE)[:, 5]).all()


def test_a_series_without_helpers_and_one_without_gaps():
    head = drawn(Imputer(4), GIVEN, SEEN)
    assert np.isfinite(call(head, GIVEN, SEEN)).all()
    np.testing.assert_array_equal(call(head, TRUTH, jnp.ones_like(SEEN)), TRUTH)


def test_one_by_one_as_mapped_as_together():
    together = call(HEAD, GIVEN, SEEN, BESIDE)
    assert_same(mapped(HEAD, GIVEN, SEEN, BESIDE), together)
    assert_same(call(HEAD, GIVEN[0], SEEN[0], BESIDE[0]), together[0])


def test_how_long_ago_by_hand():
    seen = np.asarray(SEEN).swapaxes(0, 1) > 0
    values = np.asarray(TRUTH).swapaxes(0, 1)
    found = since_seen(jnp.asarray(values), jnp.asarray(seen))
    for place in np.ndindex(seen.shape[1:]):
        last, steps = 0.0, 0
        for time in range(TIMES):
            last, steps = (values[time, *place], 0) if seen[time, *place] else (last, steps + 1)
            assert found.value[time, *place] == last
            assert found.steps[time, *place] == steps


def test_it_learns_to_fill_a_wave():
    """A wave of which a third is hidden: the estimates beat straight lines."""
    import optax

    time = np.arange(60) * 0.5
    phase = RNG.uniform(0.0, 6.0, (16, 1))
    wave = jnp.asarray(np.sin(time + phase)[..., None], jnp.float32)
    seen = jnp.asarray(RNG.random(wave.shape) < 0.6, jnp.float32)
    network = Imputer(8)
    optimizer = optax.adam(2e-2)

    def loss(params):
        head = FlaxHead(network, params)
        error = head.outputs(wave, seen, method=Imputer.estimates) - wave
        return jnp.sum(seen * error**2) / jnp.sum(seen)

    @quickly
    def trained(params):
        def step(held, _):
            params, state = held
            slope = jax.grad(loss)(params)
            updates, state = optimizer.update(slope, state)
            return (optax.apply_updates(params, updates), state), None

        (params, _), _ = jax.lax.scan(step, (params, optimizer.init(params)), length=150)
        return params

    with jax.numpy_dtype_promotion("standard"):
        params = trained(drawn(network, wave, seen, dtype="float32").params)
    filled = np.asarray(call(FlaxHead(network, params), wave, seen))
    gaps, truth = np.asarray(seen) == 0, np.asarray(wave)
    straight = np.stack(
        [
            np.interp(time, time[s > 0], w[s > 0])
            for w, s in zip(truth[..., 0], np.asarray(seen)[..., 0], strict=True)
        ]
    )[..., None]
    ours, theirs = (np.sqrt(np.mean((x - truth)[gaps] ** 2)) for x in (filled, straight))
    assert ours < 0.8 * theirs


@pytest.mark.parametrize(
    ("seen", "helpers", "words"),
    [(SEEN[:, :5], BESIDE, "every value is seen or not"), (SEEN, BESIDE[:, :5], "helpers are")],
)
def test_shapes_that_do_not_fit_are_named(seen, helpers, words):
    with pytest.raises(InputError, match=words):
        HEAD(GIVEN, seen, helpers)


@pytest.mark.exhaustive
def test_gradients_agree_with_differences():
    def loss(given):
        params, values, helpers = given
        held = jnp.where(SEEN > 0, values, jnp.nan)
        return jnp.sum(FlaxHead(NETWORK, params)(held, SEEN, helpers, key=KEY) ** 2)

    assert_slopes(loss, (HEAD.params, TRUTH, BESIDE))


def test_bfloat16_stays_near_float32():
    assert_narrow_is_near(NETWORK, TRUTH, SEEN, BESIDE, mean=0.02)
