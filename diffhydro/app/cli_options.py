"""What several commands have in common: options, and what is set up before jax is imported."""

from pathlib import Path
from typing import Annotated

import typer

Cached = Annotated[
    bool,
    typer.Option("--cache/--no-cache", help="Keep compiled programs for the next run."),
]
ConfigFile = Annotated[
    Path, typer.Argument(metavar="CONFIG.yaml", help="What is wanted.", show_default=False)
]
Changes = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Another value of a key, such as training.epochs=10."
    ),
]
PrintConfig = Annotated[
    bool,
    typer.Option("--print-config", help="Print the configuration with all defaults, and stop."),
]
OutFolder = Annotated[
    Path | None,
    typer.Option("--out", metavar="DIR", help="Folder for results.", show_default=False),
]


def prepare(cache: bool) -> None:
    """Set up what every computing command wants, before jax is imported."""
    from diffhydro.app.vectors import use_wide_vectors

    use_wide_vectors()
    if cache:
        from diffhydro.app.cache import enable_compilation_cache

        enable_compilation_cache()


def required(out: Path | None) -> Path:
    """Give the folder for results, or say that there has to be one."""
    if out is None:
        raise typer.BadParameter("give a folder for results", param_hint="--out")
    return out
