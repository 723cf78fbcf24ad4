"""`diffhydro data virtual`: a virtual Earth, with progress and a picture."""

import time
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from diffhydro.data.virtual import PRESETS, describe_world, virtual_earth
from diffhydro.data.virtual.overview import draw_overview
from diffhydro.picture import blank_figure


def run(preset: str, seed: int, out: Path, *, picture: bool) -> None:
    """Make a world, or finish one, and say what is in it."""
    if picture:
        blank_figure((1.0, 1.0))  # a missing library is said before the work, not after it
    console = Console(stderr=True)
    began = time.perf_counter()
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("virtual Earth")

        def progress(done: int, of: int, what: str) -> None:
            bar.update(task, completed=done, total=of + 1, description=what)

        folder = virtual_earth(PRESETS[preset], seed, out, progress)
        if picture:
            bar.update(task, description="picture")
            draw_overview(folder, folder / "overview.png")
    told = describe_world(PRESETS[preset], seed)
    console.print(
        f"{folder}: {told['cells']} cells, {told['stations']} stations, {told['first_day']} to "
        f"{told['day_after_last']}, seed {seed}; {time.perf_counter() - began:.0f} s. "
        "Everything in it is invented."
    )
