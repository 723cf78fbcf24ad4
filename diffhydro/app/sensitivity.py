"""`diffhydro sensitivity`: which parameter, which rain; at one site, with a figure for each.

Global methods look at the mean of the series over the period, the adjoint at one day of it.
"""

import csv
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from diffhydro._version import __version__
from diffhydro.app.config import located
from diffhydro.app.config_reading import as_yaml, read_as
from diffhydro.app.fitting import observer, read_sites
from diffhydro.app.land_setup import set_up
from diffhydro.app.sensitivity_config import METHODS, SensitivityConfig
from diffhydro.atomic import whole
from diffhydro.core.trainable import put
from diffhydro.data.sites import Sites
from diffhydro.data.weather import Weather
from diffhydro.errors import InputError
from diffhydro.evaluation import sensitivity as studies
from diffhydro.evaluation.sensitivity import figures
from diffhydro.land.forcing import Forcing
from diffhydro.land.model import AbstractModel
from diffhydro.picture import blank_figure
from diffhydro.typing import Array

_SHOWN = 5  # days of rain that are printed


@dataclass(frozen=True)
class Case:
    """One site, its model, and the series in question."""

    config: SensitivityConfig
    site: str
    model: AbstractModel
    forcing: Forcing
    times: np.ndarray
    study: studies.Study
    notes: list[str]

    def observe(self, run: Any) -> Array:
        """Return the series of a run."""
        return observer(self.config.observed)(run)

    @property
    def quantity(self) -> str:
        """What the series is, for pictures."""
        one = self.config.observed
        at = f" at {one.depth / 10.0:g} cm" if one.depth else ""
        unit = "m³/m³" if one.variable == "soil_moisture" else "mm/day"
        return f"{one.variable.replace('_', ' ')}{at}, {unit}"


def run(path: Path, out: Path, changes: Sequence[str] = ()) -> None:
    """Study one site as a file says, and write tables and figures into a folder."""
    blank_figure((1.0, 1.0))  # without matplotlib, say so before the work
    config = read_as(SensitivityConfig, path, changes)
    if (out / "run.json").exists():
        raise InputError(f"{out} holds a finished study; choose another --out")
    if config.dtype == "float64":
        jax.config.update("jax_enable_x64", True)
    began = time.monotonic()
    console, printed = Console(stderr=True), Console()
    case = prepare_case(config, path.parent)
    for note in case.notes:
        console.print(note, highlight=False)
    out.mkdir(parents=True, exist_ok=True)
    texts = _study(case, out, console)
    for method, text in texts.items():
        printed.print(f"{method} of {case.quantity} at {case.site}", style="bold", highlight=False)
        printed.print(text, highlight=False, soft_wrap=True)
    told = {"version": __version__, "config": config.model_dump(mode="json"), "site": case.site}
    told["seconds"] = round(time.monotonic() - began, 1)
    with whole(out / "config.yaml") as part:
        part.write_text(as_yaml(located(config, path.parent)), encoding="utf-8")
    with whole(out / "run.json") as part:
        part.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    printed.print(f"wrote {out}", highlight=False)


def prepare_case(config: SensitivityConfig, folder: Path) -> Case:
    """Read one site; paths count from `folder`."""
    sites, notes = read_sites(config.data, folder)
    one = sites.choose([config.site or str(sites.names[0])])
    times = one.times.astype("datetime64[D]")
    if config.period is not None:
        one = one.between(*(day.isoformat() for day in config.period))
        times = one.times.astype("datetime64[D]")
    model, forcing, more = _model(config, one)
    study = studies.Study(model, forcing, config.vary, within=config.within)
    return Case(config, str(one.names[0]), model, forcing, times, study, [*notes, *more])


def _model(config: SensitivityConfig, site: Sites) -> tuple[AbstractModel, Forcing, list[str]]:
    weather = Weather(site.source, site.label)
    setup = set_up(config.model, weather, config.parameters, np.dtype(config.dtype))
    everything = slice(None)
    forcing = weather.block(everything, everything, setup.series, setup.dtype)
    numbers = {path: jnp.asarray(x[0], setup.dtype) for path, x in setup.numbers.items()}
    first = jax.tree.map(lambda x: jnp.asarray(x)[0] if np.ndim(x) == 2 else x, forcing)
    return put(setup.base, numbers), first, setup.notes


def _study(case: Case, out: Path, console: Console) -> dict[str, str]:
    """Do what is asked, one after the other; give what each found as text."""
    steps = {
        "elasticities": _elasticities,
        "adjoint": _adjoint,
        "morris": _morris,
        "sobol": _sobol,
        "dgsm": _dgsm,
    }
    wanted = [method for method in METHODS if method in case.config.methods]
    found: dict[str, Any] = {}
    texts = {}
    columns = TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()
    with Progress(*columns, console=console) as bar:
        task = bar.add_task("", total=len(wanted))
        response = case.study.response(lambda run: jnp.mean(case.observe(run)))
        for method in wanted:
            bar.update(task, description=f"{method} at {case.site}")
            texts[method], found[method] = steps[method](case, response, out, found)
            bar.advance(task)
    return texts


def _elasticities(case: Case, response: Any, out: Path, found: dict) -> tuple[str, Any]:
    near = studies.elasticities(case.study, case.observe)
    target = out / "elasticities.png"
    figures.draw_elasticities(near, target, times=list(case.times), quantity=case.quantity)
    days = [str(day) for day in case.times]
    rows = [[day, *row] for day, row in zip(days, near.elasticity.T.tolist(), strict=True)]
    _write(out / "elasticities.csv", ["day", *near.names], rows)
    return str(near), near


def _adjoint(case: Case, response: Any, out: Path, found: dict) -> tuple[str, Any]:
    when = _when(case)

    def that_day(run: Any) -> Array:
        return case.observe(run)[when]

    past = studies.adjoint(case.model, case.forcing, that_day)
    course = np.asarray(case.observe(case.model.run(case.forcing)))
    target = out / "adjoint.png"
    figures.draw_adjoint(
        past, target, course=course, when=when, times=list(case.times), quantity=case.quantity
    )
    names = list(past.forcing)
    columns = [np.broadcast_to(past.forcing[name], case.times.shape) for name in names]
    rows = [
        [str(day), *row] for day, row in zip(case.times, zip(*columns, strict=True), strict=True)
    ]
    _write(out / "adjoint.csv", ["day", *names], rows)
    share = past.share()
    most = np.argsort(-np.abs(share))[:_SHOWN]
    lines = [f"{case.times[day]}  {share[day]:+.2e}" for day in most]
    head = f"{past.value:.4g} on {case.times[when]}; of the rain that fell, most came from"
    return "\n".join([head, *lines]), past


def _morris(case: Case, response: Any, out: Path, found: dict) -> tuple[str, Any]:
    effects = studies.morris(response, case.config.trajectories, seed=case.config.seed)
    figures.draw_morris(effects, out / "morris.png", unit=case.quantity.rsplit(", ", 1)[1])
    columns = [effects.mu_star, effects.mu_star_error, effects.mu, effects.sigma]
    _write_by_name(out / "morris.csv", effects.names, ["mu_star", "error", "mu", "sigma"], columns)
    return str(effects), effects


def _sobol(case: Case, response: Any, out: Path, found: dict) -> tuple[str, Any]:
    shares = studies.sobol(response, case.config.points, seed=case.config.seed)
    figures.draw_sobol(shares, out / "sobol.png")
    columns = [shares.first, shares.first_error, shares.total, shares.total_error]
    heads = ["first", "first_error", "total", "total_error"]
    _write_by_name(out / "sobol.csv", shares.names, heads, columns)
    return str(shares), shares


def _dgsm(case: Case, response: Any, out: Path, found: dict) -> tuple[str, Any]:
    bounds = studies.dgsm(response, case.config.points, seed=case.config.seed)
    figures.draw_dgsm(bounds, out / "dgsm.png", shares=found.get("sobol"))
    columns = [bounds.nu.value, bounds.nu.error, bounds.lower.value, bounds.upper.value]
    _write_by_name(out / "dgsm.csv", bounds.names, ["nu", "nu_error", "lower", "upper"], columns)
    return str(bounds), bounds


def _when(case: Case) -> int:
    if case.config.when is None:
        return len(case.times) - 1
    found = np.flatnonzero(case.times == np.datetime64(case.config.when, "D"))
    if len(found) == 0:
        raise InputError(
            f"when is {case.config.when}, but the weather runs from {case.times[0]} to "
            f"{case.times[-1]}"
        )
    return int(found[0])


def _write_by_name(
    target: Path, names: Sequence[str], heads: list[str], columns: list[np.ndarray]
) -> None:
    rows = [[name, *row] for name, row in zip(names, zip(*columns, strict=True), strict=True)]
    _write(target, ["parameter", *heads], rows)


def _write(target: Path, head: list[str], rows: list[list[Any]]) -> None:
    with whole(target) as part, part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(head)
        writer.writerows([[f"{x:.6g}" if not isinstance(x, str) else x for x in r] for r in rows])
