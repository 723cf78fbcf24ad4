"""From a configuration to a model, batches and an objective: the words end here."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from diffhydro.app.train.config import ModelConfig, ScheduleConfig, TrainConfig, TrainingConfig
from diffhydro.app.train.table import OBSERVED, PAST, Table, known_physics
from diffhydro.coupling import (
    AbstractPredictor,
    Coupled,
    DynamicParameters,
    Features,
    Fed,
    FluxClosure,
    Observed,
    OutputCorrection,
    PastDriven,
    PhysicsGuided,
    Prescribed,
    Probe,
    Sequence,
    StaticParameters,
)
from diffhydro.coupling.fluxes import WATER
from diffhydro.data.batches import Batches, Shuffled, Source, Windows
from diffhydro.data.scaling import Scaler, log_z_score
from diffhydro.data.splits import Part
from diffhydro.errors import InputError
from diffhydro.land.model import AbstractModel
from diffhydro.networks import FlaxHead, Lstm, Mlp
from diffhydro.networks.branches import TwoBranches
from diffhydro.networks.dropout import EveryTime
from diffhydro.training import (
    AbstractSchedule,
    CosineSchedule,
    LinearSchedule,
    Objective,
    Optimizer,
    Term,
    batch_losses,
)
from diffhydro.typing import Array, Key

_EXAMPLE = 8  # days, for the shapes of a network


def model_of(
    config: TrainConfig, table: Table, train: Part, key: Key[Array, ""]
) -> AbstractPredictor:
    """Make the model of one fold, whose scaling knows the fold's training data alone."""
    return _MODELS[config.model.coupling](_Parts(config, table, train, key))


def batches_of(config: TrainConfig, table: Table, part: Part, avoid: Part, seed: int) -> Batches:
    """Cut the windows of one side of a fold."""
    source = Source.of(
        table.data,
        forcing=table.series,
        observed=OBSERVED,
        attributes=table.attributes,
        part=part,
        avoid=avoid,
    )
    w = config.windows
    return Batches.of(source, Windows(w.length, w.warm_up, w.stride), w.batch, Shuffled(seed))


def objective_of(config: TrainConfig) -> Objective:
    """Make the weighted sum that a configuration names."""
    terms = {}
    for name, one in config.objective.items():
        weight = one.weight
        if isinstance(weight, ScheduleConfig):
            weight = _schedule(weight)
        terms[name] = Term(getattr(batch_losses, one.loss)("observed"), weight)
    return Objective(terms)


def optimizer_of(training: TrainingConfig, steps: int) -> Optimizer:
    """Make the optimizer; rates fall over `steps`."""

    def rate(value: float) -> Any:
        if training.decay == "constant" or value == 0.0:
            return value
        return optax.cosine_decay_schedule(value, steps, alpha=0.02)

    rates = {"parameters": rate(training.physics_rate), "networks": rate(training.rate)}
    return Optimizer(
        rates, clip=training.clip, accumulate=training.accumulate, average=training.average
    )


def trained_paths(training: TrainingConfig) -> list[str] | str:
    """Name what trains: the networks, and with a rate of its own the physics."""
    return "*" if training.physics_rate > 0 else ["*head*"]


def _schedule(given: ScheduleConfig) -> AbstractSchedule:
    kinds = {"linear": LinearSchedule, "cosine": CosineSchedule}
    return kinds[given.shape](given.begin, given.end, given.steps)


class _Parts:
    """What models of all kinds are made of."""

    def __init__(self, config: TrainConfig, table: Table, train: Part, key: Key) -> None:
        self.config, self.model, self.table, self.key = config, config.model, table, key
        self.scaler = _scaler(self.model, table, train)

    @property
    def probe(self) -> Probe:
        return Probe(self.config.depth)

    def features(self, series: tuple[str, ...] | list[str]) -> Features:
        return Features(tuple(series), tuple(self.model.attributes), scaling=self.scaler)

    def head(self, *shapes: tuple[int, ...], out: int) -> FlaxHead:
        examples = [jnp.zeros(shape, jnp.float32) for shape in shapes]
        network = _network(self.model, out)
        return FlaxHead.create(network, *examples, key=self.key, dtype="float32")

    @property
    def days(self) -> Features:
        return self.features(self.model.series)


def _scaler(model: ModelConfig, table: Table, train: Part) -> Scaler:
    """Fit the scaling to the training data of a fold."""
    here = train.take(table.data)
    names = [*model.series, *model.attributes]
    if not names:
        raise InputError("the head reads nothing: name model.series or model.attributes")
    return Scaler.fit(
        {name: np.asarray(here[name].values) for name in names}, {"precipitation": log_z_score}
    )


def _network(model: ModelConfig, out: int) -> Any:
    head = model.head
    if head.kind == "mlp":
        return Mlp((head.hidden,) * head.layers, out, dropout=head.dropout, start=head.start)
    dropout = EveryTime(head.dropout)
    is_last = model.coupling == "past"
    return Lstm(head.hidden, out, every_time=not is_last, dropout=dropout, start=head.start)


def _learned(parts: _Parts) -> tuple[str, ...]:
    """Give paths in the physics as they are below what is prescribed."""
    below = "physics." if parts.table.prescribed else ""
    return tuple(below + path for path in parts.model.learns)


def _count(parts: _Parts) -> int:
    from diffhydro.coupling.learned import learned

    physics = known_physics(parts.table)
    return learned(physics, _learned(parts), f"model.learns of {parts.model.coupling}").count


def _static(parts: _Parts) -> AbstractPredictor:
    features = parts.features(())
    head = parts.head((features.count,), out=_count(parts))
    physics = known_physics(parts.table)
    return Observed(StaticParameters(physics, head, features, _learned(parts)), parts.probe)


def _dynamic(parts: _Parts) -> AbstractPredictor:
    features = parts.days
    head = parts.head((_EXAMPLE, features.count), out=_count(parts))
    physics, reach = known_physics(parts.table), parts.model.reach
    hybrid = DynamicParameters(physics, head, features, _learned(parts), reach=reach)
    return Observed(hybrid, parts.probe)


def _closure(parts: _Parts) -> AbstractPredictor:
    """Put the closure into the step, and what is known of the sites round it."""
    physics = parts.table.physics
    assert isinstance(physics, AbstractModel)
    scales = tuple(_TYPICAL.get(name, 1.0) for name in parts.model.series)
    state = jax.eval_shape(physics.init_state)
    layers = jax.eval_shape(lambda s: _theta(physics, s), state).shape[0]
    head = parts.head((len(scales) + layers,), out=2)
    closed = FluxClosure(physics, head, tuple(parts.model.series), scales)
    if not parts.table.prescribed:
        return Observed(closed, parts.probe)
    known = {"physics." + path: path for path in parts.table.prescribed}
    return Observed(Prescribed(closed, known), parts.probe)


# What a day of each may be; the closure runs inside the step, where there is no scaler.
_TYPICAL = {
    "precipitation": 10.0,
    "temperature": 15.0,
    "shortwave": 200.0,
    "vapour_pressure": 1000.0,
    "leaf_area": 3.0,
}


def _theta(physics: AbstractModel, state: Any) -> Array:
    profile = physics.profile(jax.tree.map(lambda x: jnp.asarray(x)[None], state))
    if profile is None:
        raise InputError("closure reads the soil layers of its physics, and hbv has none")
    return profile.theta[0]


def _correction(parts: _Parts) -> AbstractPredictor:
    features = parts.days
    head = parts.head((_EXAMPLE, features.count + 1), out=1)
    return OutputCorrection(Observed(known_physics(parts.table), parts.probe), head, features)


def _guided(parts: _Parts, fluxes: Any) -> AbstractPredictor:
    features, model = parts.days, parts.model
    network = TwoBranches(model.head.hidden, (model.head.hidden,), dropout=model.head.dropout)
    examples = jnp.zeros((model.lags, 1 + len(WATER))), jnp.zeros(features.count)
    examples = tuple(x.astype(jnp.float32) for x in examples)
    head = FlaxHead.create(network, *examples, key=parts.key, dtype="float32")
    return PhysicsGuided(fluxes=fluxes, head=head, today=features, length=model.lags, past=PAST)


def _past(parts: _Parts) -> AbstractPredictor:
    features, model = parts.days, parts.model
    head = parts.head((model.lags, 1 + features.count), out=1)
    return PastDriven(head=head, recent=features, length=model.lags, past=PAST)


def _sequence(parts: _Parts) -> AbstractPredictor:
    features = parts.days
    return Sequence(parts.head((_EXAMPLE, features.count), out=1), features)


_MODELS = {
    "static": _static,
    "dynamic": _dynamic,
    "closure": _closure,
    "correction": _correction,
    "coupled": lambda parts: _guided(parts, Coupled(physics=known_physics(parts.table))),
    "fed": lambda parts: _guided(parts, Fed()),
    "network": _sequence,
    "past": _past,
}
