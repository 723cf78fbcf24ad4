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
from diffhydro.app.results import Results
from diffhydro.app.simulate_output import attributes, coordinates, fields, rest
from diffhydro.core.devices import spread
from diffhydro.core.states import layout, load, rebuilt, save
from diffhydro.data.embedded import embedded_weather
from diffhydro.data.weather import Weather, open_weather
from diffhydro.errors import InputError
from diffhydro.land.trajectory import Trajectory
from diffhydro.picture import blank_figure

BATCH = 512  # sites side by side in one program


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
    if plot:
        blank_figure((1.0, 1.0))  # without matplotlib, say so before the work
    if state_out is not None and not state_out.parent.is_dir():
        raise InputError(f"--state-out {state_out}: there is no folder {state_out.parent}")
    kind = np.dtype(dtype)
    if kind == np.float64:
        jax.config.update("jax_enable_x64", True)
    weather = _weather(data)
    given = read_parameters(parameters)
    setup = set_up(model, weather, given, kind)
    chunks = _chunks(len(weather.sites), chunk)
    identity = _identity(model, weather, setup)
    before = None if state_in is None else load(state_in, identity)
    description = identity | {
        "version": __version__,
        "data": "embedded" if data is None else _fingerprint(data),
        "days": [str(weather.times[0])[:10], str(weather.times[-1])[:10]],
        "parameters": given,
        "chunk": chunk,
        "state": None if state_in is None else _fingerprint(state_in),
    }
    results = Results(out, description, coordinates(weather), attributes(model))
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
                results.write(number, sites, fields(run, weather), rest(run), chunk)
            advance()

    parts = [results.beside(number) for number in range(len(chunks))]
    joined = {name: np.concatenate([one[name] for one in parts]) for name in parts[0]}
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


def _identity(model: str, weather: Weather, setup: Setup) -> dict[str, Any]:
    """Say what a state must agree on with a run."""
    digest = hashlib.sha256("\n".join(map(str, weather.sites)).encode()).hexdigest()[:16]
    return {
        "model": model,
        "layout": layout(jax.eval_shape(setup.base.init_state)),
        "sites": {"number": len(weather.sites), "names": digest},
    }


def _fingerprint(path: Path) -> dict[str, Any]:
    """Tell one version of a file or store from another."""
    inside = sorted(path.rglob("*")) if path.is_dir() else [path]
    files = [(str(f.relative_to(path)), f.stat()) for f in inside if f.is_file()]
    text = "\n".join(f"{name} {s.st_size} {s.st_mtime_ns}" for name, s in files)
    return {"path": path.name, "digest": hashlib.sha256(text.encode()).hexdigest()[:16]}


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
