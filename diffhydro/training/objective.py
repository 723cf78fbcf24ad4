"""What training makes small: a weighted sum of named terms.

    total = Σ weight(step) · loss(prediction, sample)

The model is called once, and all terms read the same prediction. Values are given by name and
without their weights, so that a log shows the terms and not the schedule.
"""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from diffhydro.coupling.predictor import AbstractScheduled
from diffhydro.errors import InputError
from diffhydro.training.batch_losses import AbstractBatchLoss
from diffhydro.training.counted import entry
from diffhydro.training.sample import Sample
from diffhydro.training.schedules import Step
from diffhydro.typing import Array, Float, Key

Weight = float | Float[Array, ""] | Callable[[Step], Any]


class Term(eqx.Module):
    """A loss and its weight.

    Args:
        weight: 0 or more; a callable of the step for one that changes in training.
    """

    loss: AbstractBatchLoss
    weight: Weight = 1.0

    def __check_init__(self) -> None:
        if not callable(self.weight):
            _check_weight(self.weight, "a term")

    def weight_at(self, step: Step) -> Any:
        """Give the weight at a step."""
        return self.weight(step) if callable(self.weight) else self.weight


class Objective(eqx.Module):
    """The weighted sum of some terms, by name.

    >>> from diffhydro.coupling.inputs import Inputs
    >>> from diffhydro.training.batch_losses import mae, mse
    >>> sample = Sample(Inputs({}), {"stations": jnp.zeros((2, 2))}, {"stations": jnp.ones((2, 2))})
    >>> objective = Objective({"square": Term(mse("stations")), "size": Term(mae("stations"), 0.5)})
    >>> total, values = objective(lambda inputs, key: jnp.full((2, 2), 2.0), sample, step=0)
    >>> float(total), {name: float(value) for name, value in values.items()}
    (5.0, {'square': 4.0, 'size': 2.0})
    """

    terms: dict[str, Term]

    def __check_init__(self) -> None:
        if not self.terms:
            raise InputError("an objective has no terms; give at least one, by name")
        if "total" in self.terms:
            raise InputError("a term is called 'total'; that is the name of the sum: rename it")

    def __call__(
        self,
        model: Callable[..., Any],
        sample: Sample,
        *,
        step: Step,
        key: Key[Array, ""] | None = None,
    ) -> tuple[Float[Array, ""], dict[str, Float[Array, ""]]]:
        """Return the total, and every term by name without its weight.

        Args:
            model: Called as `model(inputs, key=key)`; one that changes in training as it is at the
                step.
            step: Of training, for weights that change.
            key: For what is random in training; None for none of it.
        """
        self._check_reads(sample)
        now = model.at(step) if isinstance(model, AbstractScheduled) else model
        prediction = now(sample.inputs, key=key)
        values = {name: _value(name, term, prediction, sample) for name, term in self.terms.items()}
        dtype = np.result_type(*(value.dtype for value in values.values()))
        weights = self.weights(step)
        total = jnp.zeros((), dtype)
        for name, value in values.items():
            total = total + weights[name].astype(dtype) * value.astype(dtype)
        return total, values

    def weights(self, step: Step) -> dict[str, Float[Array, ""]]:
        """Give the weight of every term at a step."""
        return {name: jnp.asarray(term.weight_at(step), float) for name, term in self.terms.items()}

    def check(self, sample: Sample, step: int = 0) -> None:
        """Raise InputError where terms cannot be had from a sample; looks at numbers too.

        For the first batch, before anything is compiled. What only shows with a prediction, such as
        its shape, is refused in the first call, before the program is compiled.
        """
        self._check_reads(sample)
        for name, weight in sample.weights.items():
            low = np.min(np.asarray(weight), initial=0.0)
            if not low >= 0:
                raise InputError(f"the weights of {name!r} go down to {low}; they are 0 or more")
        for name, weight in self.weights(step).items():
            _check_weight(weight, f"the term {name!r} at step {step}")

    def _check_reads(self, sample: Sample) -> None:
        for name, term in self.terms.items():
            reads = term.loss.reads
            for held, names, kind in (
                (sample.observed, reads.sources, "the source"),
                (sample.weights, (*reads.sources, *reads.weights), "the weights"),
                (sample.extra, reads.extras, "the extra"),
            ):
                for wanted in names:
                    entry(held, wanted, f"the term {name!r}: {kind}")


def _value(name: str, term: Term, prediction: Any, sample: Sample) -> Array:
    try:
        value = term.loss(prediction, sample)
    except InputError as error:
        raise InputError(f"the term {name!r}: {error}") from None
    if jnp.shape(value) != ():
        raise InputError(f"the term {name!r} gives an array of shape {value.shape}, not a number")
    return value


def _check_weight(weight: Any, what: str) -> None:
    if isinstance(weight, Tracer | jax.ShapeDtypeStruct):
        return
    lowest = np.min(np.asarray(weight, float))
    if not 0 <= lowest < np.inf:
        raise InputError(f"{what} has the weight {lowest}; weights are 0 or more, and finite")
