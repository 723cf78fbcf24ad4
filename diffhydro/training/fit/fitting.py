"""Train one model, or an ensemble as one program."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax

from diffhydro.core.ensembles import AbstractMap, size
from diffhydro.core.trainable import split
from diffhydro.data.batches import AbstractBatches
from diffhydro.errors import InputError
from diffhydro.training.fit.checks import (
    check_objective,
    check_trained,
    check_writable,
    first_of,
)
from diffhydro.training.fit.feed import as_sample
from diffhydro.training.fit.history import History
from diffhydro.training.fit.loop import train as go
from diffhydro.training.fit.members import by_platform
from diffhydro.training.fit.optimizer import GROUPS, Optimizer
from diffhydro.training.fit.result import Trained, TrainedEnsemble, reasons
from diffhydro.training.fit.run import Course, Run, Saver, keep_model, resumed
from diffhydro.training.fit.state import GRADIENT, TOTAL, RunState, trained
from diffhydro.training.fit.step import AbstractObjective, start
from diffhydro.training.fit.stop import Stop
from diffhydro.training.fit.validation import Validation
from diffhydro.typing import Array, Key, PyTree


def fit(
    model: PyTree,
    batches: AbstractBatches,
    objective: AbstractObjective,
    *,
    key: Key[Array, ""],
    epochs: int,
    train: str | Sequence[str] = "*",
    optimizer: Optimizer | None = None,
    validation: Validation | None = None,
    stop: Stop | None = None,
    prepare: Callable[[Any], Any] = as_sample,
    out: Path | str | None = None,
    saver: Saver | None = None,
    save_every: int | None = None,
    on_epoch: Callable[[RunState, Any], None] | None = None,
    ahead: int = 2,
    told: Mapping[str, Any] | None = None,
) -> Trained:
    """Train a model.

    Equal arguments give equal results, bit for bit, and so does a run that was interrupted and goes
    on from a checkpoint.

    >>> import equinox as eqx, jax.numpy as jnp, numpy as np
    >>> from diffhydro.core.parameters import parameter
    >>> from diffhydro.training.fit.arrays import ArrayBatches
    >>> class Line(eqx.Module):
    ...     slope: Array = parameter(unit="-", bounds=(None, None), description="rise")
    >>> def square(model, rows, *, step, key):
    ...     error = model.slope * rows.arrays["x"] - rows.arrays["y"]
    ...     return jnp.mean(error**2), {}
    >>> x = np.linspace(0.0, 1.0, 8)
    >>> batches = ArrayBatches.of({"x": x, "y": 2.0 * x}, size=4)
    >>> found = fit(Line(0.0), batches, square, key=jax.random.key(0), epochs=100,
    ...             optimizer=Optimizer(0.1))
    >>> round(float(found.model.slope), 2)
    2.0

    Args:
        train: What is trained: paths, parts and patterns, as `split` takes them.
        epochs: How often all windows are seen, unless it stops before.
        optimizer: Adam at a rate of 0.001 if not given.
        validation: What is scored beside it.
        stop: What the best is judged by and when to stop; the loss of the validation if there is
            one, else that of training, and never, if not given.
        prepare: Makes of a batch what the objective is given; runs in a thread of its own.
        out: Folder for `metrics.csv`, events that TensorBoard reads, the best model (`model.dh`,
            for `load`), and a batch on which the loss was no number. It belongs to this run: what
            another one left in it is written over.
        saver: Keeps checkpoints; with one that has some of this run, it goes on from there.
        save_every: Batches from one checkpoint to the next; there is one after each epoch anyway.
        on_epoch: Is given the state and a row of the table after each epoch; may raise to stop.
        ahead: Batches that are read before they are needed.
        told: What checkpoints and the model file say of the run, such as its configuration; JSON.

    Raises:
        TrainingError: Where loss, gradient or step is not a finite number.
    """
    last = None if on_epoch is None else lambda state, rows: on_epoch(state, rows[0])
    plan = _Plan(
        epochs, train, optimizer or Optimizer(), validation, stop or Stop(), prepare, out, saver,
        save_every, last, ahead, told or {},
    )  # fmt: skip
    found = plan.train(None, model, batches, objective, key)
    return Trained(
        found.model, found.last_model, found.history, found.state, found.stopped_because[0]
    )


def fit_ensemble(
    models: PyTree,
    batches: AbstractBatches,
    objective: AbstractObjective,
    *,
    key: Key[Array, "..."],
    epochs: int,
    how: AbstractMap | None = None,
    train: str | Sequence[str] = "*",
    optimizer: Optimizer | None = None,
    validation: Validation | None = None,
    stop: Stop | None = None,
    prepare: Callable[[Any], Any] = as_sample,
    out: Path | str | None = None,
    saver: Saver | None = None,
    save_every: int | None = None,
    on_epoch: Callable[[RunState, Any], None] | None = None,
    ahead: int = 2,
    told: Mapping[str, Any] | None = None,
) -> TrainedEnsemble:
    """Train many models of one kind as one program: clusters × folds × seeds.

    Each member is what `fit` would have made of it alone, up to rounding: it has its own windows,
    optimizer, best and end. One that has stopped does not change any more, and one whose loss is
    no number stays as it was before; the others go on. See `fit` for what is not said here.

    Args:
        models: Stacked, such as by `core.ensembles.stack` or `ensemble`.
        batches: `[member, window, …]`, such as `ClusteredBatches` or `MemberBatches`.
        key: One for all, which is split, or one for each member.
        how: `VMAP`, `MAP`, or `Map(batch=n)` for n at a time; if not given, one after the other on
            a CPU and side by side on an accelerator.
        on_epoch: Is given the rows of all members that had not stopped.

    Raises:
        TrainingError: Where no member is left that did not break.
    """
    members = size(models)
    keys = jax.random.split(key, members) if key.ndim == 0 else key
    if keys.shape != (members,):
        raise InputError(f"keys of shape {keys.shape} for {members} members; give one, or one each")
    plan = _Plan(
        epochs, train, optimizer or Optimizer(), validation, stop or Stop(), prepare, out, saver,
        save_every, on_epoch, ahead, told or {},
    )  # fmt: skip
    return plan.train(how or by_platform(), models, batches, objective, keys)


@dataclass(frozen=True, eq=False)
class _Plan:
    """What `fit` and `fit_ensemble` are given alike."""

    epochs: int
    names: str | Sequence[str]
    optimizer: Optimizer
    validation: Validation | None
    stop: Stop
    prepare: Callable[[Any], Any]
    out: Path | str | None
    saver: Saver | None
    save_every: int | None
    on_epoch: Callable[[RunState, Any], None] | None
    ahead: int
    told: Mapping[str, Any]

    def train(
        self, how: AbstractMap | None, model: PyTree, batches: Any, objective: Any, key: Key
    ) -> TrainedEnsemble:
        """Check all that can be checked before anything is compiled, and go."""
        _check_numbers(self.epochs, self.save_every, self.validation)
        free, frozen = split(model, self.names)
        check_trained(free, self.names)
        if self.out is not None:
            check_writable(model, self.told)
        members = None if how is None else size(model)
        batch = first_of(batches, members)
        is_many = how is not None
        sample = self.prepare(batch)
        terms, dtype = check_objective(objective, free, frozen, sample, key, is_many=is_many)
        columns = _columns(terms, is_many)
        if self.validation is not None:
            held = first_of(self.validation.batches, members, is_training=False)
            own = self.validation.objective
            other = objective if own is None else own
            sample = self.prepare(held)
            scores, _ = check_objective(other, free, frozen, sample, None, is_many=is_many)
            columns += tuple(f"validation.{name}" for name in ("total", *scores))
        metric = self.stop.watched(columns, self.validation is not None)
        run = Run(
            how, frozen, batches, objective, self.prepare, self.optimizer, self.epochs,
            self.validation, self.stop, metric, None if self.out is None else Path(self.out),
            self.saver, self.save_every, self.on_epoch, self.ahead, self.told,
        )  # fmt: skip
        names = (TOTAL, *(f"training.{name}" for name in terms), GRADIENT)
        state = start(how, self.optimizer, names, dtype, free, key)
        state, course = go(run, *resumed(run, state, Course(History(columns))))
        keep_model(run, state)
        last = trained(state, frozen, last=True)
        why = reasons(run, state, course)
        return TrainedEnsemble(trained(state, frozen), last, course.history, state, why)


def _columns(terms: tuple[str, ...], is_many: bool) -> tuple[str, ...]:
    return (
        "epoch",
        *(["member"] if is_many else []),
        "step",
        TOTAL,
        *(f"training.{name}" for name in terms),
        GRADIENT,
        *(f"rate.{group}" for group in GROUPS),
    )


def _check_numbers(epochs: int, save_every: int | None, validation: Validation | None) -> None:
    if epochs < 1:
        raise InputError(f"{epochs} epochs; expected 1 or more")
    if save_every is not None and save_every < 1:
        raise InputError(f"a checkpoint every {save_every} batches; expected 1 or more")
    if validation is not None and validation.every > epochs:
        raise InputError(
            f"a validation every {validation.every} epochs never comes in {epochs}; make it at "
            f"most {epochs}"
        )
