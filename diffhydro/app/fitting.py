"""From a configuration to a calibration: data read, filled and cut, model and losses made."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from diffhydro.app.config import EMBEDDED, Config, DataConfig
from diffhydro.app.instruments import loss_of, observer
from diffhydro.app.land_setup import Setup, set_up
from diffhydro.calibration import (
    Adam,
    Calibration,
    Lbfgs,
    LevenbergMarquardt,
    Near,
    Target,
    Uniform,
)
from diffhydro.calibration.independent import LANES
from diffhydro.calibration.prior import AbstractPrior
from diffhydro.calibration.problem import ERRORS
from diffhydro.calibration.search import AbstractMethod
from diffhydro.calibration.sets import UPLAND, WETLAND
from diffhydro.core.trainable import put
from diffhydro.data.complete import complete
from diffhydro.data.embedded import embedded_weather
from diffhydro.data.sites import Sites, open_sites
from diffhydro.data.weather import Weather
from diffhydro.errors import InputError
from diffhydro.land.forcing import Forcing
from diffhydro.typing import Array

_SETS = {"upland": UPLAND, "wetland": WETLAND}
_IN_DATA = {"evapotranspiration": "evaporation"}  # what the schema calls it
_FROM = (0.2, 0.8)  # of the range: where a twin's parameters are drawn


@dataclass(frozen=True)
class Fitting:
    """All that a calibration and its report need.

    Attributes:
        problem: With the weather of the spin-up and of the days until the fit ends, and what was
            observed on the days of the fit.
        forcing: Of all days, after the spin-up.
        observed: Of all days, by target, `[site, time]`.
        times: All days, without the spin-up.
        spin_up: Days that come before them.
        truth: Free numbers that a twin was made with.
        clusters: A label for each site.
        notes: What was done for the user.
    """

    problem: Calibration
    forcing: Forcing
    observed: dict[str, np.ndarray]
    times: np.ndarray
    spin_up: int
    train: np.ndarray
    test: np.ndarray
    truth: np.ndarray | None
    clusters: np.ndarray | None
    notes: list[str]


def prepare_fitting(config: Config, folder: Path) -> Fitting:
    """Read data and make a calibration; paths count from `folder`."""
    sites, notes = read_sites(config.data, folder)
    if isinstance(config.train, str):
        sites, more = _of_a_kind(sites, config.train)
        notes += more
    weather = Weather(sites.source, sites.label)
    dtype = np.dtype(config.dtype)
    setup = set_up(config.model, weather, config.parameters, dtype)
    everything = slice(None)
    forcing = weather.block(everything, everything, setup.series, dtype)
    times = weather.times.astype("datetime64[D]")
    train, test = _days(times, config.period.train), _days(times, config.period.test)
    if config.period.train is None:
        train = ~test
    _require(train, times, "train", config.period.train)
    if config.period.test is not None:
        _require(test, times, "test", config.period.test)
    spin_up = min(config.period.spin_up, len(times))
    forcing = _with_spin_up(forcing, spin_up)
    observed, clusters = _observed(config, sites, times), _clusters(config, weather)
    last = int(np.flatnonzero(train)[-1]) + 1
    problem = _problem(
        config, setup, weather, _cut(forcing, spin_up + last), observed, train, spin_up
    )
    truth = None
    if config.twin is not None:
        truth, observed = _twin(config, problem, forcing, spin_up)
        problem = _problem(
            config, setup, weather, _cut(forcing, spin_up + last), observed, train, spin_up
        )
    return Fitting(
        problem, forcing, observed, times, spin_up, train, test, truth,
        clusters, [*notes, *setup.notes],
    )  # fmt: skip


def method_of(config: Config) -> AbstractMethod:
    """Make the search that a configuration names."""
    search = config.search
    kinds = {"levenberg-marquardt": LevenbergMarquardt, "lbfgs": Lbfgs, "adam": Adam}
    more: dict[str, Any] = {} if search.most is None else {"most": search.most}
    return kinds[search.method](tolerance=search.tolerance, **more)


def simulate_targets(
    problem: Calibration, numbers: dict[str, Array], forcing: Forcing, spin_up: int
) -> dict[str, np.ndarray]:
    """Run all sites with some parameters; give the series of all targets, without the spin-up."""
    model = put(problem.model, numbers)
    paths = list(numbers)

    @eqx.filter_jit
    def series(model: Any, forcing: Forcing) -> tuple[Array, ...]:
        run = model.simulate(forcing, by_site=paths or None, columns=LANES)
        return tuple(target.observe(run) for target in problem.targets)

    found = series(model, forcing)
    pairs = zip(problem.targets, found, strict=True)
    return {target.name: np.asarray(x)[:, spin_up:] for target, x in pairs}


def read_sites(data: DataConfig, folder: Path) -> tuple[Sites, list[str]]:
    """Read sites and fill the gaps of their weather; also say what was filled."""
    if data.sites == EMBEDDED:
        sites = Sites(embedded_weather(), "the embedded weather")
    else:
        attributes = None if data.attributes is None else folder / data.attributes
        sites = open_sites(folder / data.sites, attributes)
    if data.only is not None:
        sites = sites.choose(data.only)
    filled, notes = complete(sites.source.load())
    return replace(sites, source=filled), notes


def _of_a_kind(sites: Sites, kind: str) -> tuple[Sites, list[str]]:
    """Keep the uplands or the wetlands, where the data tell them apart."""
    if "is_wetland" not in sites.source:
        return sites, []
    kept = (sites.source["is_wetland"].values > 0) == (kind == "wetland")
    if not kept.any():
        raise InputError(f"train is {kind}, but none of the {len(kept)} sites is one")
    return sites.where(kept), [f"{int(kept.sum())} of {len(kept)} sites are {kind}s"]


def _problem(
    config: Config,
    setup: Setup,
    weather: Weather,
    forcing: Forcing,
    observed: dict[str, np.ndarray],
    train: np.ndarray,
    spin_up: int,
) -> Calibration:
    days = forcing.precipitation.shape[1] - spin_up
    targets = []
    for one in config.observed:
        seen = np.where(train, observed[one.name], np.nan)[:, :days]
        before = np.full((len(seen), spin_up), np.nan, seen.dtype)
        whole = np.concatenate([before, seen], axis=1).astype(setup.dtype)
        targets.append(
            Target(one.name, observer(one), whole, loss_of(one, setup.dtype), one.weight)
        )
    train_names = _SETS[config.train] if isinstance(config.train, str) else config.train
    own = {path: jnp.asarray(x, setup.dtype) for path, x in sorted(setup.numbers.items())}
    return Calibration(
        setup.base, forcing, targets, train_names, own=own, prior=_prior(config),
        names=[str(name) for name in weather.sites],
    )  # fmt: skip


def _prior(config: Config) -> AbstractPrior | None:
    if config.prior is None:
        return None
    if config.prior.kind == "uniform":
        return Uniform()
    return Near(config.prior.spread, config.prior.strength)


def _observed(config: Config, sites: Sites, times: np.ndarray) -> dict[str, np.ndarray]:
    if config.twin is not None:
        nothing = np.full((len(sites), len(times)), np.nan)
        return {one.name: nothing for one in config.observed}
    if config.data.sites == EMBEDDED:
        raise InputError(
            "the embedded weather has no observations; add `twin: {noise: 0.02}` and they are "
            "made, or name a file of sites under data.sites"
        )
    return {
        one.name: sites.observed(_IN_DATA.get(one.variable, one.variable), one.depth)
        for one in config.observed
    }


def _twin(
    config: Config, problem: Calibration, forcing: Forcing, spin_up: int
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Draw parameters, run, and add noise."""
    assert config.twin is not None
    rng = np.random.default_rng(config.twin.seed)
    where = rng.uniform(*_FROM, (problem.sites, len(problem.coordinates)))
    z = np.log(where / (1.0 - where)).astype(problem.before().dtype)
    drawn = jax.vmap(problem.coordinates.values)(jnp.asarray(z))
    law = [path for path in drawn if path.startswith(f"{ERRORS}.")]
    numbers = problem.own | {path: x for path, x in drawn.items() if path not in law}
    series = simulate_targets(problem, numbers, forcing, spin_up)
    # The noise neither grows nor lasts.
    noise = {
        path: jnp.full_like(drawn[path], config.twin.noise if path.endswith(".sigma") else 0.0)
        for path in law
    }
    z = np.asarray(jax.vmap(problem.coordinates.free)(drawn | noise))
    return z, {
        name: (x + rng.normal(0.0, config.twin.noise, x.shape)).astype(x.dtype)
        for name, x in series.items()
    }


def _clusters(config: Config, weather: Weather) -> np.ndarray | None:
    name = config.sharing.clusters
    if name is None:
        return None
    if name not in weather.source:
        raise InputError(f"sharing.clusters: {weather.name} has no attribute {name}")
    found = np.asarray(weather.source[name].values)
    if found.shape != weather.sites.shape:
        raise InputError(f"sharing.clusters: {name} has shape {found.shape}, not one label a site")
    missing = [str(site) for site, x in zip(weather.sites, found, strict=True) if x != x]
    if missing:
        raise InputError(
            f"sharing.clusters: {name} is missing at {len(missing)} sites (first: {missing[0]}); "
            "fill it, or leave them out with data.only"
        )
    return found


def _days(times: np.ndarray, period: tuple[Any, Any] | None) -> np.ndarray:
    if period is None:
        return np.zeros(len(times), bool)
    first, last = (np.datetime64(day, "D") for day in period)
    return (times >= first) & (times <= last)


def _require(chosen: np.ndarray, times: np.ndarray, name: str, period: Any) -> None:
    if chosen.any():
        return
    if period is None:
        raise InputError("period.test holds out all days of the weather, and none is left to fit")
    raise InputError(
        f"period.{name} is {period[0]} to {period[1]}, but the weather runs from {times[0]} to "
        f"{times[-1]}: no day is in both"
    )


def _with_spin_up(forcing: Forcing, days: int) -> Forcing:
    """Put the first days once more before themselves."""

    def longer(x: Any) -> Any:
        return jnp.concatenate([x[:, :days], x], axis=1) if np.ndim(x) == 2 else x

    return jax.tree.map(longer, forcing)


def _cut(forcing: Forcing, days: int) -> Forcing:
    return jax.tree.map(lambda x: x[:, :days] if np.ndim(x) == 2 else x, forcing)
