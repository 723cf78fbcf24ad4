"""`diffhydro simulate`: a land model at every site of a file, in chunks that fit the memory."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import equinox as eqx
import jax
import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from diffhydro._version import __version__
from diffhydro.app.land_setup import Setup, at_sites, read_parameters, set_up
from diffhydro.app.results import Field, Results
from diffhydro.app.states import load, named, rebuilt, save
from diffhydro.core.devices import spread
from diffhydro.data.embedded import embedded_weather
from diffhydro.data.weather import Weather, open_weather
from diffhydro.land.budget import Budget, budget
from diffhydro.land.trajectory import Trajectory

BATCH = 512  # sites side by side in one program
SURFACE = 100.0  # mm
_OUT = ("evaporation", "transpiration", "interception", "sublimation", "runoff", "drainage")
_FLUXES = {
    "precipitation": "precipitation",
    "infiltration": "water into the soil, less what evaporates there",
    "runoff": "runoff",
    "evaporation": "evaporation from soil",
    "transpiration": "transpiration",
    "drainage": "drainage at the foot",
    "interception": "evaporation of intercepted rain",
    "sublimation": "sublimation of snow",
    "melt": "melt of snow",
}


def simulate(
    model: str,
    *,
    data: Path | None,
    out: Path,
    parameters: Path | None,
    state_in: Path | None,
    state_out: Path | None,
    dtype: str,
    chunk: int,
    plot: bool,
) -> None:
    """Run, write, and print the budget."""
    kind = np.dtype(dtype)
    if kind == np.float64:
        jax.config.update("jax_enable_x64", True)
    weather = _weather(data)
    given = read_parameters(parameters)
    setup = set_up(model, weather, given, kind)
    chunks = _chunks(len(weather.sites), chunk)
    identity = _identity(model, weather, kind)
    before = None if state_in is None else load(state_in, identity)
    description = identity | {
        "version": __version__,
        "data": "embedded" if data is None else _fingerprint(data),
        "days": [str(weather.times[0])[:10], str(weather.times[-1])[:10]],
        "parameters": given,
        "chunk": chunk,
        "state": None if state_in is None else _fingerprint(state_in),
    }
    results = Results(out, description, _coordinates(weather), _attributes(model))
    console = Console(stderr=True)
    for note in setup.notes:
        console.print(note, highlight=False)
    if results.resumed:
        finished = sum(results.done(number) for number in range(len(chunks)))
        console.print(f"going on: {finished} of {len(chunks)} chunks are done", highlight=False)

    program = _program()
    with _progress(console, len(chunks)) as advance:
        for number, sites in enumerate(chunks):
            if not results.done(number):
                run = _run(program, setup, weather, sites, min(chunk, len(weather.sites)), before)
                results.write(number, sites, _fields(run, weather), _rest(run), chunk)
            advance()

    rest = [results.rest(number) for number in range(len(chunks))]
    joined = {name: np.concatenate([one[name] for one in rest]) for name in rest[0]}
    if state_out is not None:
        prefix = "state:"
        arrays = {k.removeprefix(prefix): v for k, v in joined.items() if k.startswith(prefix)}
        save(state_out, identity, arrays)
    results.finish()
    _report(Console(), joined, out)
    if plot:
        from diffhydro.app.simulate_plot import draw

        print(f"drew {draw(out)}")  # noqa: T201


def _weather(data: Path | None) -> Weather:
    if data is not None:
        return open_weather(data)
    return Weather(embedded_weather(), "the embedded weather")


def _program() -> Callable[..., Trajectory]:
    @eqx.filter_jit
    def program(model, by_site, forcing, state):
        columns = BATCH if jax.device_count() == 1 else None
        return model.simulate(forcing, state, by_site=by_site or None, columns=columns)

    return program


def _run(
    program: Callable[..., Trajectory],
    setup: Setup,
    weather: Weather,
    sites: slice,
    size: int,
    before: Mapping[str, np.ndarray] | None,
) -> Trajectory:
    """Run a chunk. The last one is filled up with its last site, so that one program serves all."""
    first = jax.eval_shape(setup.base.init_state)
    count = sites.stop - sites.start
    padded = np.minimum(np.arange(size), count - 1)
    which = sites.start + padded
    model, paths = at_sites(setup, which)
    forcing = weather.block(sites, slice(None), setup.series, jax.tree.leaves(first)[0].dtype)
    forcing.require(model.needs, type(model).__name__)
    forcing = jax.tree.map(lambda x: x[padded], forcing)
    state = None
    if before is not None:
        state = rebuilt(first, {name: x[which] for name, x in before.items()})
    model, forcing, state = spread((model, forcing, state), size)
    run = program(model, paths, forcing, state)
    return jax.tree.map(lambda x: np.asarray(x)[:count], run)


def _fields(run: Trajectory, weather: Weather) -> dict[str, tuple[Field, np.ndarray]]:
    """Give what is written of a chunk."""
    site = weather.site_dimension
    fields = {}

    def add(name: str, values: Any, dimensions: tuple[str, ...], **attributes: str) -> None:
        shape = (len(weather.sites), *values.shape[1:])
        fields[name] = Field((site, *dimensions), shape, attributes), np.asarray(values)

    for name, meaning in _FLUXES.items():
        values = getattr(run.fluxes, name)
        if values is not None:
            add(name, values, ("time",), units="mm", long_name=meaning, cell_methods="time: sum")
    if run.effort is not None:
        add(
            "forced_steps", run.effort.forced, ("time",),
            units="1", long_name="solver steps that did not converge",
        )  # fmt: skip
    if run.profile is not None:
        water = {"units": "m3 m-3", "cell_methods": "time: point"}
        standard = "volume_fraction_of_condensed_water_in_soil"
        add("theta", run.theta, ("time", "layer"), standard_name=standard, **water)
        surface = _surface(run)
        meaning = f"soil moisture of the top {SURFACE:.0f} mm"
        add("surface_soil_moisture", surface, ("time",), long_name=meaning, **water)
        add(
            "layer_thickness",
            run.profile.grid.thickness,
            ("layer",),
            units="mm",
            long_name="layer thickness",
        )
    return fields


def _surface(run: Trajectory) -> np.ndarray:
    """Give the mean water content of the top, added up in one order for runs of any length."""
    assert run.profile is not None
    foot = np.cumsum(run.profile.grid.thickness, axis=-1, dtype=np.float64)
    inside = np.diff(np.minimum(foot, SURFACE), axis=-1, prepend=0.0) / SURFACE
    total = np.zeros(run.theta.shape[:-1])
    for layer in range(inside.shape[-1]):
        total += inside[:, None, layer] * np.asarray(run.theta)[..., layer]
    return total.astype(run.theta.dtype)


def _rest(run: Trajectory) -> dict[str, np.ndarray]:
    """Give what is kept of a chunk beside its results: the final state and the totals."""
    books = budget(run)
    totals = {f"total:{name}": np.asarray(x) for name, x in _terms(books).items()}
    states = {f"state:{name}": x for name, x in named(run.final).items()}
    return totals | states | {"total:residual": np.asarray(books.residual)}


def _terms(books: Budget) -> dict[str, Any]:
    names = ("precipitation", *(name for name in _OUT if getattr(books, name) is not None))
    moved = {name: getattr(books, name) for name in names}
    return moved | {f"change of {name}": x for name, x in books.storage_change.items()}


def _report(console: Console, joined: Mapping[str, np.ndarray], out: Path) -> None:
    """Print the budget: the mean of the sites, and the worst residual."""
    totals = {k.removeprefix("total:"): v for k, v in joined.items() if k.startswith("total:")}
    sites = len(totals["residual"])
    table = Table(title=f"water budget, mean of {sites} sites")
    table.add_column("term")
    table.add_column("mm", justify="right")
    for name, values in totals.items():
        if name != "residual":
            sign = 1.0 if name == "precipitation" else -1.0
            table.add_row(name, f"{round(sign * float(values.mean()), 2) + 0.0:.2f}")
    table.add_row("not accounted for, worst site", f"{np.abs(totals['residual']).max():.2g}")
    console.print(table)
    console.print(f"wrote {out}", highlight=False)


def _chunks(sites: int, chunk: int) -> list[slice]:
    return [slice(a, min(a + chunk, sites)) for a in range(0, sites, chunk)]


def _identity(model: str, weather: Weather, dtype: np.dtype) -> dict[str, Any]:
    """Say what a state must agree on with a run."""
    digest = hashlib.sha256("\n".join(map(str, weather.sites)).encode()).hexdigest()[:16]
    return {
        "model": model,
        "dtype": dtype.name,
        "sites": {"number": len(weather.sites), "names": digest},
    }


def _fingerprint(path: Path) -> dict[str, Any]:
    """Tell one version of a file or store from another."""
    inside = sorted(path.rglob("*")) if path.is_dir() else [path]
    files = [(str(f.relative_to(path)), f.stat()) for f in inside if f.is_file()]
    text = "\n".join(f"{name} {s.st_size} {s.st_mtime_ns}" for name, s in files)
    return {"path": path.name, "digest": hashlib.sha256(text.encode()).hexdigest()[:16]}


def _coordinates(weather: Weather) -> dict[str, tuple[str, np.ndarray, dict[str, str]]]:
    days = (weather.times - weather.times[0]).astype("timedelta64[D]").astype(np.int64)
    since = np.datetime_as_string(weather.times[0], unit="D")
    time = {"units": f"days since {since}", "calendar": "standard", "standard_name": "time"}
    site = weather.site_dimension
    found = {"time": ("time", days, time)}
    if np.issubdtype(weather.sites.dtype, np.number):
        found[site] = (site, weather.sites, {})
    else:
        names = np.array([str(name) for name in weather.sites], dtype=object)
        found[site] = (site, names, {"cf_role": "timeseries_id"})
    latitude = weather.attribute("latitude")
    if latitude is not None:
        units = {"units": "degrees_north", "standard_name": "latitude"}
        found["latitude"] = (site, latitude, units)
    return found


def _attributes(model: str) -> dict[str, str]:
    source = f"diffhydro {__version__}, model {model}"
    return {"Conventions": "CF-1.11", "source": source, "featureType": "timeSeries"}


@contextmanager
def _progress(console: Console, chunks: int) -> Iterator[Callable[[], None]]:
    columns = (
        TextColumn("chunks of sites"),
        BarColumn(),
        TextColumn("{task.completed:.0f}/{task.total:.0f}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("", total=chunks)
        yield lambda: progress.advance(task)
