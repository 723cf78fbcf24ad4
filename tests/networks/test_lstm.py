"""The memory against a loop by hand; its arrangements, its dropout and its carry."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhydro.errors import InputError
from diffhydro.networks import (
    ByPlatform,
    EveryTime,
    FlaxHead,
    Fused,
    Hoisted,
    InLoop,
    Lstm,
    Variational,
)
from diffhydro.networks.fused import kernel_is_there, packed
from diffhydro.networks.lstm import Recurrence
from diffhydro.networks.recurrence import Carry, Weights
from tests.networks.programs import (
    KEY,
    answer,
    assert_dropout,
    assert_narrow_is_near,
    assert_same,
    assert_slopes,
    call,
    drawn,
    mapped,
    quickly,
)

BATCH, TIMES, FEATURES, HIDDEN, OUT = 3, 7, 5, 4, 2
SERIES = jax.random.normal(jax.random.key(1), (BATCH, TIMES, FEATURES))


NETWORK = Lstm(hidden=HIDDEN, out=OUT)
HEAD = drawn(NETWORK, SERIES)


def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))


def by_hand(params, x):
    """Walk through one series, one time and one gate after the other."""
    memory, last = params["memory"], params["last"]
    into, again, bias = (np.asarray(memory[name]) for name in ("inputs", "state", "bias"))
    h, c, outputs = np.zeros(HIDDEN), np.zeros(HIDDEN), []
    for now in np.asarray(x):
        z = now @ into + h @ again + bias
        i, f, g, o = (z[k * HIDDEN : (k + 1) * HIDDEN] for k in range(4))
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
        outputs.append(h @ np.asarray(last["kernel"]) + np.asarray(last["bias"]))
    return np.stack(outputs), h, c


def test_it_is_the_loop_by_hand():
    outputs, carry = answer(HEAD, Lstm.roll, SERIES)
    for number, series in enumerate(SERIES):
        expected, h, c = by_hand(HEAD.params, series)
        assert_same(outputs[number], expected)
        assert_same((carry.hidden[number], carry.cell[number]), (h, c))


def test_weights_are_counted_and_the_forget_gate_begins_open():
    assert HEAD.count == 4 * HIDDEN * (FEATURES + HIDDEN + 1) + (HIDDEN + 1) * OUT
    params = FlaxHead.create(NETWORK.copy(forget_bias=2.0), SERIES, key=KEY).params
    bias = np.array([0.0, 2.0, 0.0, 0.0]).repeat(HIDDEN)
    np.testing.assert_array_equal(params["memory"]["bias"], bias)
    for gate in np.split(np.asarray(params["memory"]["state"]), 4, axis=1):
        np.testing.assert_allclose(gate.T @ gate, np.eye(HIDDEN), atol=1e-6)
    assert NETWORK.forget_bias == 1.0


@pytest.mark.parametrize("dropout", [EveryTime(0.4), Variational(0.3, 0.4, 0.2)])
def test_arrangements_give_the_same(dropout):
    @quickly
    def value_and_slope(head):
        def value(params):
            return jnp.sum(FlaxHead(head.network, params)(SERIES, key=KEY) ** 2)

        return jax.value_and_grad(value)(head.params)

    plain, other = (
        FlaxHead(NETWORK.copy(dropout=dropout, arrangement=how), HEAD.params)
        for how in (InLoop(), Hoisted())
    )
    assert_same(value_and_slope(plain), value_and_slope(other))


@pytest.mark.parametrize(
    ("how", "same"), [(ByPlatform(), InLoop()), (Fused(), Hoisted()), (Fused(InLoop()), InLoop())]
)
def test_arrangements_without_their_machine_are_the_plain_ones(how, same):
    if jax.default_backend() != "cpu":
        pytest.skip("this is about machines without an accelerator")
    programs = [
        str(jax.make_jaxpr(FlaxHead(NETWORK.copy(arrangement=which), HEAD.params))(SERIES))
        for which in (how, same, InLoop(), Hoisted())
    ]
    assert programs[0] == programs[1]
    assert programs[2] != programs[3]


def test_one_by_one_as_mapped_as_together():
    together = call(HEAD, SERIES)
    assert_same(mapped(HEAD, SERIES), together)
    assert_same(jnp.stack([call(HEAD, x) for x in SERIES]), together)
    square = call(HEAD, SERIES[None, :, None])
    assert square.shape == (1, BATCH, 1, TIMES, OUT)
    assert_same(square[0, :, 0], together)


def test_members_map_over_their_weights():
    params = [jax.tree.map(lambda x, by=by: by * x, HEAD.params) for by in (1.0, 0.7)]
    stacked = jax.tree.map(lambda *x: jnp.stack(x), *params)
    members = quickly(jax.vmap(lambda params: FlaxHead(NETWORK, params)(SERIES)))(stacked)
    assert_same(members, jnp.stack([call(FlaxHead(NETWORK, p), SERIES) for p in params]))


def test_the_last_time_alone():
    last = FlaxHead(NETWORK.copy(every_time=False), HEAD.params)
    assert call(last, SERIES).shape == (BATCH, OUT)
    assert_same(call(last, SERIES), call(HEAD, SERIES)[:, -1])


def test_nothing_comes_from_the_future():
    moved, before = call(HEAD, SERIES.at[:, 4:].add(1.0)), call(HEAD, SERIES)
    np.testing.assert_array_equal(moved[:, :4], before[:, :4])
    assert (moved[:, 4:] != before[:, 4:]).all()


def test_a_series_in_pieces_is_the_series():
    first, carry = answer(HEAD, Lstm.roll, SERIES[:, :3])
    rest, carry = answer(HEAD, Lstm.roll, SERIES[:, 3:], carry)
    whole, end = answer(HEAD, Lstm.roll, SERIES)
    assert_same(jnp.concatenate([first, rest], axis=1), whole)
    assert_same(carry, end)


@pytest.mark.parametrize("every_time", [True, False])
def test_dropout_comes_with_a_key_only(every_time):
    still = NETWORK.copy(every_time=every_time)
    network = still.copy(dropout=EveryTime(0.5))
    assert_dropout(FlaxHead(network, HEAD.params), still, SERIES)


def states(dropout, times=400):
    """Give states of constant inputs with and without dropout, long after the start."""
    x = jnp.ones((times, 2, FEATURES))
    head = drawn(Recurrence(64, dropout=dropout), x)
    compiled = quickly(lambda key: head.outputs(x, key=key)[0][-200:])
    return (np.asarray(compiled(key)) for key in (None, jax.random.key(3)))


def test_masks_of_variational_dropout_do_not_change_with_time():
    plain, thinned = states(Variational(of_outputs=0.5))
    factor = thinned / plain
    np.testing.assert_array_equal(factor, factor[:1] + np.zeros_like(factor))
    assert set(np.unique(factor)) == {0.0, 2.0}
    assert 0.3 < (factor[0] == 0).mean() < 0.7
    assert (factor[0, 0] != factor[0, 1]).any()


def test_masks_of_plain_dropout_change_with_time():
    plain, thinned = states(EveryTime(0.5))
    factor = thinned / plain
    assert set(np.unique(factor)) == {0.0, 2.0}
    assert (factor[0] != factor[1]).any()
    np.testing.assert_allclose(factor.mean(), 1.0, atol=0.02)


@pytest.mark.parametrize("dropout", [Variational(of_inputs=0.5), Variational(of_state=0.5)])
def test_what_constant_inputs_settle_to_stays_when_masks_stay(dropout):
    plain, thinned = states(dropout)
    np.testing.assert_allclose(thinned[-1], thinned[-2], atol=1e-9)
    assert np.abs(thinned[-1] - plain[-1]).max() > 0.01


@pytest.mark.parametrize(
    ("make", "name"),
    [(lambda: EveryTime(1.0), "share"), (lambda: Variational(of_state=-0.1), "of_state")],
)
def test_shares_are_shares(make, name):
    with pytest.raises(InputError, match=rf"\[0, 1\); {name} is"):
        make()


def test_gradients_agree_with_differences():
    network = NETWORK.copy(dropout=Variational(0.3, 0.3, 0.3))

    def loss(given):
        params, x = given
        return jnp.sum(FlaxHead(network, params)(x, key=KEY) ** 2)

    assert_slopes(loss, (HEAD.params, SERIES))


def test_forward_mode_agrees_with_reverse_mode():
    def loss(x):
        return jnp.sum(HEAD(x) ** 2)

    along = jnp.ones_like(SERIES)
    slope = quickly(lambda x: jax.jvp(loss, (x,), (along,))[1])(SERIES)
    assert_same(slope, jnp.vdot(quickly(jax.grad(loss))(SERIES), along))


def test_bfloat16_stays_near_float32_over_a_year():
    assert_narrow_is_near(Lstm(16, 1), jax.random.normal(KEY, (2, 365, FEATURES)), mean=0.01)


def random_weights(dtype=jnp.float32):
    shapes = (FEATURES, 4 * HIDDEN), (HIDDEN, 4 * HIDDEN), (4 * HIDDEN,)
    keys = jax.random.split(KEY, 3)
    return Weights(*(jax.random.normal(k, s, dtype) for k, s in zip(keys, shapes, strict=True)))


def kernel_in_plain_words(x, h, c, weights, lengths, features, hidden, *rest):
    """Compute what the vendor's kernel does, by the reference that comes with it."""
    from jax.experimental import rnn

    matrices = rnn.unpack_lstm_weights(weights, features, hidden, 1, False)
    return rnn.lstm_ref(x, h, c, *matrices, lengths, features, hidden, *rest)


def fused_and_plain():
    x = jnp.swapaxes(SERIES, 0, 1).astype(jnp.float32)
    carry = Carry(*jax.random.normal(KEY, (2, BATCH, HIDDEN), jnp.float32))
    with jax.default_matmul_precision("highest"):
        return (how(random_weights(), x, carry) for how in (Fused(), InLoop()))


def assert_close(pairs):
    fused, plain = pairs
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6), fused, plain)


def test_weights_are_packed_as_the_kernel_wants_them(monkeypatch):
    from jax.experimental import rnn

    assert packed(random_weights()).size == rnn.get_num_params_in_lstm(FEATURES, HIDDEN, 1, False)
    monkeypatch.setattr(rnn, "lstm", kernel_in_plain_words)
    monkeypatch.setattr("diffhydro.networks.fused.kernel_is_there", lambda: True)
    assert_close(fused_and_plain())


def test_the_kernel_gives_the_same():
    if not kernel_is_there():
        pytest.skip("no GPU with cuDNN is at hand: the vendor's kernel cannot run")
    assert_close(fused_and_plain())
