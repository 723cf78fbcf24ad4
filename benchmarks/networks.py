"""Training steps of the networks against the same networks in torch, one thread each, float32.

A step is the mean square error of a batch, its gradient and Adam. The torch of this comparison
flushes denormal numbers, which it does not do by itself and without which it is several times
slower; its maps have batch normalisation, as the studies have, where ours have none.
"""

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from benchmarks.harness import Report, Row, Scale, take_turns
from diffhydro.networks import ConvLstm, FlaxHead, Lstm, surface_unet

RATE, SLOWER = 0.95, 1.5
BATCH, DAYS, FEATURES = 128, 365, 35
TILES, SIDE, CHANNELS, LATE = 4, 64, 30, 5
CELLS, STEPS, SAMPLES, PREDICTORS = 8, 3, 64, 17


class _Pair(NamedTuple):
    """The same training, ours and theirs."""

    ours: Callable[[], Any]
    theirs: Callable[[], Any] | None
    compiling: float
    weights: int
    apart: float | None = None  # of the first losses, where the weights are the same


def measure(scale: Scale) -> Report:
    peers = _torch()
    turns = scale.pick(9, 3)
    rows, notes, compiling = [], [], {}
    if peers is None:
        notes.append("torch is not installed, so there are no ratios: pip install torch")
    for hidden in (64, 256):
        name = f"LSTM, hidden {hidden}"
        pair = _lstm(peers, hidden)
        compiling[name] = pair.compiling
        ours, theirs = _times(pair, turns, notes, name)
        if theirs is not None:
            rows.append(Row(f"{name}: our rate over torch's", theirs / ours, RATE, True))
        rows.append(Row(f"{name}: sequences/s", BATCH / ours, None, True, "1/s"))
    maps = {
        "U-Net": lambda: _unet(peers),
        "ConvLSTM, eight layers": lambda: _convlstm(peers, ConvLstm().filters),
        "ConvLSTM, 32 filters": lambda: _convlstm(peers, (32,)),
        "ConvLSTM, 256 filters": lambda: _convlstm(peers, (256,)),
    }
    for name, make in maps.items():
        pair = make()
        compiling[name] = pair.compiling
        ours, theirs = _times(pair, turns, notes, name)
        if theirs is not None:
            rows.append(Row(f"{name}: our step over torch's", ours / theirs, SLOWER))
    notes.append(
        f"LSTM {BATCH} × {DAYS} days × {FEATURES} inputs; U-Net {TILES} tiles of {SIDE} × {SIDE}; "
        f"ConvLSTM {SAMPLES} × {STEPS} steps × {CELLS} × {CELLS} cells × {PREDICTORS} predictors"
    )
    return Report(rows, notes, compiling)


def _times(pair: _Pair, turns: int, notes: list[str], name: str) -> tuple[float, float | None]:
    programs = {"ours": lambda _: pair.ours()}
    if pair.theirs is not None:
        programs["theirs"] = lambda _: pair.theirs()
    times = take_turns(turns, programs)
    ours = times.median("ours")
    text = f"{name}: {pair.weights:,} weights, {1e3 * ours:.0f} ms a step"
    if pair.theirs is None:
        notes.append(text)
        return ours, None
    text += f", torch {1e3 * times.median('theirs'):.0f} ms"
    notes.append(text if pair.apart is None else f"{text}; first losses differ by {pair.apart:.0e}")
    # The median of the ratios, as elsewhere, and not the ratio of the medians.
    return ours, ours / times.ratio("ours", "theirs")


def _torch():
    try:
        from benchmarks import torch_peers
    except ImportError as missing:
        if missing.name != "torch":
            raise
        return None
    torch_peers.prepare()
    return torch_peers


def _lstm(peers, hidden: int) -> _Pair:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(BATCH, DAYS, FEATURES)).astype(np.float32)
    target = rng.normal(size=(BATCH, DAYS, 1)).astype(np.float32)
    head = _head(Lstm(hidden, out=1), x)
    step, seconds = _training(head, (x,), target)
    if peers is None:
        return _Pair(step, None, seconds, head.count)
    network = peers.Lstm(FEATURES, hidden)
    network.take(head.params)
    theirs = peers.Training(network, (x,), target, None)
    mine = jnp.mean((head(jnp.asarray(x)) - target) ** 2)
    return _Pair(step, theirs.step, seconds, head.count, abs(theirs.loss().item() - float(mine)))


def _unet(peers) -> _Pair:
    rng = np.random.default_rng(0)
    shapes = [(TILES, SIDE, SIDE, n) for n in (CHANNELS, LATE, 1)]
    maps, late, target = (rng.normal(size=shape).astype(np.float32) for shape in shapes)
    network = surface_unet(dropout=0.0)
    head = _head(network, maps, late)
    step, seconds = _training(head, (maps, late), target)
    if peers is None:
        return _Pair(step, None, seconds, head.count)
    peer = peers.Unet(CHANNELS, LATE, network.widths)
    theirs = peers.Training(peer, (maps, late), target[..., 0], (0, 3, 1, 2))
    return _Pair(step, theirs.step, seconds, head.count)


def _convlstm(peers, filters: tuple[int, ...]) -> _Pair:
    rng = np.random.default_rng(0)
    shape = (SAMPLES, STEPS, CELLS, CELLS, PREDICTORS)
    x = rng.normal(size=shape).astype(np.float32)
    target = rng.normal(size=(SAMPLES, CELLS, CELLS, 1)).astype(np.float32)
    head = _head(ConvLstm(out=1, filters=filters, dropout=0.0), x)
    step, seconds = _training(head, (x,), target)
    if peers is None:
        return _Pair(step, None, seconds, head.count)
    peer = peers.ConvLstm(PREDICTORS, filters, CELLS)
    theirs = peers.Training(peer, (x,), target[..., 0], (0, 1, 4, 2, 3))
    return _Pair(step, theirs.step, seconds, head.count)


def _head(network, *inputs: np.ndarray) -> FlaxHead:
    return FlaxHead.create(network, *(x[:1] for x in inputs), key=jax.random.key(0))


def _training(head: FlaxHead, inputs, target) -> tuple[Callable[[], Any], float]:
    """Return one step of training, which goes on where the last one ended."""
    optimizer = optax.adam(1e-4)
    inputs = tuple(jnp.asarray(x) for x in inputs)
    target = jnp.asarray(target)

    def loss(params, inputs, target):
        return jnp.mean((FlaxHead(head.network, params)(*inputs) - target) ** 2)

    def step(params, state, inputs, target):
        value, slope = jax.value_and_grad(loss)(params, inputs, target)
        updates, state = optimizer.update(slope, state)
        return optax.apply_updates(params, updates), state, value

    params = jax.tree.map(jnp.array, head.params)  # a copy: what is donated is gone
    held = [params, optimizer.init(params)]
    start = time.perf_counter()
    program = jax.jit(step, donate_argnums=(0, 1)).lower(*held, inputs, target).compile()
    seconds = time.perf_counter() - start

    def once() -> jax.Array:
        held[0], held[1], value = program(*held, inputs, target)
        return value

    return once, seconds
