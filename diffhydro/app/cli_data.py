"""The command line of data: `diffhydro data …` and `diffhydro regions`."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

data = typer.Typer(
    help="Look at data, fetch them, or invent a world of them.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


class Source(StrEnum):
    """What `data fetch` can bring."""

    uscrn = "uscrn"


class World(StrEnum):
    """The presets of `data virtual`."""

    tiny = "tiny"
    small = "small"
    study = "study"


def regions(
    cells: Annotated[
        Path, typer.Argument(metavar="CELLS", help="Places to cluster.", show_default=False)
    ],
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder for results.", show_default=False)
    ],
    sites: Annotated[
        Path | None, typer.Option(metavar="SITES", help="Stations that fall into the clusters.")
    ] = None,
    into: Annotated[
        int | None, typer.Option(min=2, metavar="K", help="Clusters; by default starts vote.")
    ] = None,
    most: Annotated[int, typer.Option(min=3, metavar="K", help="Most clusters to vote on.")] = 20,
    features: Annotated[
        str, typer.Option(metavar="A,B,…", help="Variables; by default the ten of study A.")
    ] = "",
    least_sites: Annotated[
        int, typer.Option(min=0, metavar="N", help="Sites that every cluster keeps.")
    ] = 0,
    starts: Annotated[int, typer.Option(min=1, metavar="N", help="Starts of k-means.")] = 100,
    seed: Annotated[int, typer.Option(min=0, metavar="S")] = 0,
    workers: Annotated[int, typer.Option(min=1, metavar="N", help="Processes that fit.")] = 1,
) -> None:
    """Cluster places that are alike, and judge the clusters by what is measured in them."""
    from diffhydro.app.cli_options import prepare

    prepare(cache=True)

    from diffhydro.app.regions import run

    run(
        cells,
        out,
        sites=sites,
        into=into,
        most_clusters=most,
        names=tuple(name.strip() for name in features.split(",") if name.strip()),
        least_sites=least_sites,
        starts=starts,
        seed=seed,
        workers=workers,
    )


@data.command()
def check(
    paths: Annotated[
        list[Path], typer.Argument(metavar="FILE…", help="Files or folders.", show_default=False)
    ],
    product: Annotated[
        str | None,
        typer.Option("--as", metavar="PRODUCT", help="What it is, where names do not say."),
    ] = None,
) -> None:
    """Print what a file holds, what is missing, and which model could use it."""
    from diffhydro.app.data_check import check as look

    for path in paths:
        look(path, product)


@data.command()
def fetch(
    source: Annotated[Source, typer.Argument(help="Whose data.", show_default=False)],
    sites: Annotated[
        str, typer.Option(metavar="A,B,…", help="Names of stations; * and ? stand for several.")
    ],
    years: Annotated[str, typer.Option(metavar="Y,Y-Y", help="Years and ranges of them.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the files.")],
    base: Annotated[
        str | None, typer.Option(metavar="URL", help="Another server with the same files.")
    ] = None,
) -> None:
    """Bring station files from their server; goes on where it was interrupted."""
    from diffhydro.app.fetch import run

    run(source.value, sites, years, out, base)


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
    from diffhydro.app.cli_options import prepare

    prepare(cache=True)

    from diffhydro.app.virtual import run

    run(preset.value, seed, out, picture=picture)
