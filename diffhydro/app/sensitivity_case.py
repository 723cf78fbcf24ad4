"""What a study of sensitivity looks at: one site, its model, and the series in question."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from diffhydro.app.fitting import read_sites
from diffhydro.app.instruments import observer
from diffhydro.app.land_setup import set_up
from diffhydro.app.sensitivity_config import SensitivityConfig
from diffhydro.core.trainable import put
from diffhydro.data.sites import Sites
from diffhydro.data.weather import Weather
from diffhydro.errors import InputError
from diffhydro.evaluation import sensitivity as studies
from diffhydro.land.forcing import Forcing
from diffhydro.land.model import AbstractModel
from diffhydro.typing import Array


@dataclass(frozen=True)
class Case:
    """One site, its model, and the series in question.

    Attributes:
        when: Step of the adjoint's day.
        notes: What was done to the data and assumed of the model.
    """

    config: SensitivityConfig
    site: str
    model: AbstractModel
    forcing: Forcing
    times: np.ndarray
    when: int
    study: studies.Study
    notes: list[str]

    def observe(self, run: Any) -> Array:
        """Return the series of a run."""
        return observer(self.config.observed)(run)

    @property
    def series(self) -> str:
        """What the series is called."""
        one = self.config.observed
        at = f" at {one.depth / 10.0:g} cm" if one.depth else ""
        return f"{one.variable.replace('_', ' ')}{at}"

    @property
    def unit(self) -> str:
        """What the series is counted in."""
        return "m³/m³" if self.config.observed.variable == "soil_moisture" else "mm/day"

    @property
    def quantity(self) -> str:
        """What the series is, for pictures."""
        return f"{self.series}, {self.unit}"


def prepare_case(config: SensitivityConfig, folder: Path) -> Case:
    """Read one site; paths count from `folder`."""
    sites, notes = read_sites(config.data, folder)
    one = sites.choose([config.site or str(sites.names[0])])
    if config.period is not None:
        one = one.between(*(day.isoformat() for day in config.period))
    times = one.times.astype("datetime64[D]")
    when = _when(config, times)
    model, forcing, more = _model(config, one)
    study = studies.Study(model, forcing, config.vary, within=config.within)
    return Case(config, str(one.names[0]), model, forcing, times, when, study, [*notes, *more])


def _model(config: SensitivityConfig, site: Sites) -> tuple[AbstractModel, Forcing, list[str]]:
    weather = Weather(site.source, site.label)
    setup = set_up(config.model, weather, config.parameters, np.dtype(config.dtype))
    everything = slice(None)
    forcing = weather.block(everything, everything, setup.series, setup.dtype)
    numbers = {path: jnp.asarray(x[0], setup.dtype) for path, x in setup.numbers.items()}
    first = jax.tree.map(lambda x: jnp.asarray(x)[0] if np.ndim(x) == 2 else x, forcing)
    return put(setup.base, numbers), first, setup.notes


def _when(config: SensitivityConfig, times: np.ndarray) -> int:
    if config.when is None or "adjoint" not in config.methods:
        return len(times) - 1
    found = np.flatnonzero(times == np.datetime64(config.when, "D"))
    if len(found) == 0:
        raise InputError(
            f"when is {config.when}, but the weather runs from {times[0]} to {times[-1]}"
        )
    return int(found[0])
