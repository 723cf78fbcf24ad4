"""How a series answers to small changes of parameters, time by time.

    slope        ∂y(t)/∂p
    elasticity   E(t) = ∂y(t)/∂p · p/y(t)         per cent of y for one per cent of p
    ranged       ∂y(t)/∂p · (hi − lo)             for the whole range, were the slope the same
    scaled       ∂y(t)/∂u = ∂y(t)/∂p · dp/du      the same in the declared scale

By forward mode, a tangent for each parameter and all of them side by side: a run costs about as
many runs as there are parameters, however long the series. Numbers hold near the model's values;
for what happens far from them, see `dgsm.py`. What has no zero of its own, such as a temperature in
°C, has no per cent either: there look at `scaled`.
"""

import dataclasses
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from diffhydro.core.bijections import interval
from diffhydro.errors import InputError
from diffhydro.evaluation.sensitivity.chosen import Chosen, stride
from diffhydro.evaluation.sensitivity.study import Output, Study
from diffhydro.evaluation.sensitivity.table import table
from diffhydro.typing import Array, Float

FLOOR = 1e-3  # of the mean size of the series


@dataclasses.dataclass(frozen=True, eq=False)
class Elasticities:
    """Slopes of a series at the values of a model.

    Attributes:
        names: Of parameters.
        values: Of parameters.
        spans: hi − lo of each; ∞ without two bounds.
        strides: dp/du of each; ∞ without two bounds.
        series: y(t).
        slopes: ∂y(t)/∂p.
        floor: Share of the mean |y| below which |y| counts as that much in an elasticity: that of
            a stream that has dried up is 0/0.
    """

    names: tuple[str, ...]
    values: Float[np.ndarray, " entry"]
    spans: Float[np.ndarray, " entry"]
    strides: Float[np.ndarray, " entry"]
    series: Float[np.ndarray, " time"]
    slopes: Float[np.ndarray, "entry time"]
    floor: float

    @property
    def elasticity(self) -> Float[np.ndarray, "entry time"]:
        """Per cent of y for one per cent of p; 0 where the whole series is 0."""
        size = np.abs(self.series)
        least = self.floor * size.mean()
        held = np.where(self.series < 0, -1.0, 1.0) * np.maximum(size, least)
        nothing = held == 0
        change = self.slopes * self.values[:, None]
        return np.where(nothing, 0.0, change) / np.where(nothing, 1.0, held)

    @property
    def ranged(self) -> Float[np.ndarray, "entry time"]:
        """Change of y over the whole range of p, by the slope at its value."""
        return self.slopes * self.spans[:, None]

    @property
    def scaled(self) -> Float[np.ndarray, "entry time"]:
        """Change of y over the whole range of p, by the slope in the scale of p."""
        return self.slopes * self.strides[:, None]

    @property
    def order(self) -> np.ndarray:
        """Which parameter has the largest mean |elasticity|, which the next, and so on."""
        return np.argsort(-np.abs(self.elasticity).mean(axis=1), kind="stable")

    def __str__(self) -> str:
        """Give the table, the most sensitive first."""
        found, rank = self.elasticity, self.order
        columns = {
            "value": self.values[rank],
            "mean |E|": np.abs(found).mean(axis=1)[rank],
            "least E": found.min(axis=1)[rank],
            "most E": found.max(axis=1)[rank],
        }
        return table([self.names[i] for i in rank], columns)


def elasticities(study: Study, observe: Output, *, floor: float = FLOOR) -> Elasticities:
    """Differentiate a series with the parameters of a study, at the values of its model.

    Args:
        observe: From a run to a series `[time]`, as in `lambda run: probe(run, 50.0)`.
        floor: See `Elasticities`.
    """
    if not floor >= 0:
        raise InputError(f"floor is {floor}; it is a share of the mean of the series, 0 or more")
    series, slopes = _differentiated(study, observe)
    numbers = study.chosen.values(study.model)
    strides = [float(stride(s, x)) for s, x in zip(study.chosen.entries, numbers, strict=True)]
    return Elasticities(
        names=study.names,
        values=np.asarray(numbers, np.float64),
        spans=_spans(study.chosen),
        strides=np.asarray(strides),
        series=np.asarray(series[0], np.float64),
        slopes=np.asarray(slopes, np.float64),
        floor=floor,
    )


def _spans(chosen: Chosen) -> Float[np.ndarray, " entry"]:
    pairs = [interval(spec.bounds) for spec in chosen.entries]
    return np.asarray([hi - lo for lo, hi in pairs])


@eqx.filter_jit
def _differentiated(study: Study, observe: Any) -> tuple[Array, Array]:
    numbers = study.chosen.values(study.model)

    def series(numbers: Array) -> Array:
        model = study.chosen.put(study.model, numbers)
        found = observe(model.run(study.forcing, study.state))
        if found.ndim != 1:
            raise InputError(f"elasticities need a series [time], got shape {found.shape}")
        return found

    def along(direction: Array) -> tuple[Array, Array]:
        return jax.jvp(series, (numbers,), (direction,))

    return jax.vmap(along)(jnp.eye(numbers.size, dtype=numbers.dtype))
