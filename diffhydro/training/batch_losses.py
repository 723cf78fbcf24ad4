"""How far the predictions of a batch are from what one source saw of it.

A loss of series (`losses`, `likelihood`, `series_losses`) becomes one of batches in two ways:

    ByWindow   L = mean over series of L(sᵢ, oᵢ, wᵢ), those that can be scored
    Pooled     L = L(s, o, w), all windows, times, depths and pixels as one series

A series is a window at one depth or pixel. What has weight 0 does not count, in either.
"""

from abc import abstractmethod
from typing import Any, NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from diffhydro.errors import InputError
from diffhydro.training.counted import counted, mean
from diffhydro.training.likelihood import Gaussian
from diffhydro.training.losses import AbstractLoss, Huber, KlingGupta, MeanSquare, NashSutcliffe
from diffhydro.training.sample import Sample
from diffhydro.training.series_losses import MeanAbsolute, RootMeanSquare
from diffhydro.typing import Array, Float

SCORABLE = 0.01  # m³/m³; standard deviation below which efficiencies are those of noise


class Reads(NamedTuple):
    """What a loss reads of a sample, by name.

    Attributes:
        sources: Observations and their weights.
        weights: Weights of places where nothing needs to have been observed.
        extras: Entries of `extra`.
    """

    sources: tuple[str, ...] = ()
    weights: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()


class AbstractBatchLoss(eqx.Module):
    """A number that says how far predictions are from what they should be."""

    @property
    @abstractmethod
    def reads(self) -> Reads:
        """Give what must be there; looked at before the model runs."""

    @abstractmethod
    def __call__(self, prediction: Any, sample: Sample) -> Float[Array, ""]:
        """Return the loss.

        Args:
            prediction: `[window, time, ...]`, a dictionary of such arrays, or a distribution.
        """


class ByWindow(AbstractBatchLoss):
    """The mean of the losses of single series.

    >>> from diffhydro.coupling.inputs import Inputs
    >>> seen = {"stations": jnp.array([[0.2, 0.3], [0.4, 0.0]])}
    >>> sample = Sample(Inputs({}), seen, {"stations": jnp.array([[1.0, 1.0], [1.0, 0.0]])})
    >>> loss = ByWindow(MeanAbsolute(), "stations")
    >>> round(float(loss(jnp.array([[0.2, 0.2], [0.1, 9.0]]), sample)), 6)  # (0.05 + 0.3)/2
    0.175

    Args:
        source: What is compared with.
        output: What is compared, where the model predicts several things; see `counted.part`.
        least: Observations that a series needs to count.
        spread: Standard deviation of observations that a series needs to count, in its units. An
            efficiency of a series that hardly varies is huge, and would be all of the mean.
    """

    loss: AbstractLoss
    source: str = eqx.field(static=True)
    output: str | None = eqx.field(static=True, default=None)
    least: int = eqx.field(static=True, default=1)
    spread: float = eqx.field(static=True, default=0.0)

    @property
    def reads(self) -> Reads:
        """Give the source."""
        return Reads((self.source,))

    def __call__(self, prediction: Any, sample: Sample) -> Float[Array, ""]:
        given = counted(prediction, sample, self.source, self.output)
        predicted, observed, weight = (_series(x) for x in given)
        counts = jnp.sum((weight > 0).astype(int), axis=1) >= max(self.least, 1)
        if self.spread > 0:
            counts = counts & (jax.vmap(_spread)(observed, weight) >= self.spread)
        weight = jnp.where(counts[:, None], weight, 0.0)
        return mean(jax.vmap(self.loss)(predicted, observed, weight), counts.astype(weight.dtype))


class Pooled(AbstractBatchLoss):
    """The loss of everything as one series; a likelihood must not remember from time to time."""

    loss: AbstractLoss
    source: str = eqx.field(static=True)
    output: str | None = eqx.field(static=True, default=None)

    def __check_init__(self) -> None:
        memory = self.loss.memory if isinstance(self.loss, Gaussian) else 0.0
        if not isinstance(memory, Tracer) and np.any(np.asarray(memory) != 0):
            raise InputError(
                "errors that last would do so from one window to the next; take ByWindow, or a "
                "likelihood with memory 0"
            )

    @property
    def reads(self) -> Reads:
        """Give the source."""
        return Reads((self.source,))

    def __call__(self, prediction: Any, sample: Sample) -> Float[Array, ""]:
        given = counted(prediction, sample, self.source, self.output)
        return self.loss(*(x.reshape(-1) for x in given))


def mse(source: str, output: str | None = None) -> Pooled:
    """Give the mean square error over all that was seen."""
    return Pooled(MeanSquare(), source, output)


def rmse(source: str, output: str | None = None) -> Pooled:
    """Give the root mean square error over all that was seen."""
    return Pooled(RootMeanSquare(), source, output)


def mae(source: str, output: str | None = None) -> Pooled:
    """Give the mean absolute error over all that was seen."""
    return Pooled(MeanAbsolute(), source, output)


def huber(source: str, limit: float = 0.03, output: str | None = None) -> Pooled:
    """Give Huber's loss over all that was seen; beyond the limit errors count by their size."""
    return Pooled(Huber(limit=jnp.asarray(limit)), source, output)


def nse(source: str, output: str | None = None, *, spread: float = SCORABLE) -> ByWindow:
    """Give 1 − NSE, averaged over series whose observations vary by `spread` or more."""
    return ByWindow(NashSutcliffe(), source, output, least=2, spread=spread)


def kge(source: str, output: str | None = None, *, spread: float = SCORABLE) -> ByWindow:
    """Give 1 − KGE, averaged over series whose observations vary by `spread` or more."""
    return ByWindow(KlingGupta(), source, output, least=2, spread=spread)


def _series(x: Float[Array, "window time ..."]) -> Float[Array, "series time"]:
    return jnp.moveaxis(x, 1, -1).reshape(-1, x.shape[1])


def _spread(observed: Array, weight: Array) -> Array:
    off = observed - mean(observed, weight)
    return jnp.sqrt(mean(off**2, weight))  # of data: nobody asks for its slope
