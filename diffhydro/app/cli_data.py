"""The command line of data: `diffhydro data virtual`."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

data = typer.Typer(
    help="Look at data, fetch them, or invent a world of them.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


class World(StrEnum):
    """The presets of `data virtual`."""

    tiny = "tiny"
    small = "small"
    study = "study"


@data.command()
def virtual(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder to make.", show_default=False)],
    preset: Annotated[World, typer.Option(help="How much of it.")] = World.tiny,
    seed: Annotated[int, typer.Option(min=0, metavar="S", help="Another seed, another world.")] = 0,
    picture: Annotated[
        bool, typer.Option("--picture/--no-picture", help="Draw DIR/overview.png.")
    ] = True,
) -> None:
    """Make a virtual Earth: weather, soils, stations, a satellite, and a known truth.

    Goes on where it was interrupted when it is called again in the same way.
    """
    from diffhydro.app.cli import prepare

    prepare(cache=True)

    from diffhydro.app.virtual import run

    run(preset.value, seed, out, picture=picture)
