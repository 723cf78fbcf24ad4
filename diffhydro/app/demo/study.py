"""The last part of the demonstration: study A in small, on the virtual Earth of the part before."""

from collections.abc import Callable
from pathlib import Path

import jax

from diffhydro.app.demo.world import kept
from diffhydro.app.experiment import cells_of, recipe_of
from diffhydro.app.page import Picture, Section, title_of

FOLDER = "global_pgdl"
_TABLES = ("table_1_regions", "table_2_sites", "table_6_violations")
_OURS, _USUAL = "PGDL conserving", ("climatology", "persistence")
_STEPS = 12  # that the study tells of, about


def study(out: Path, report: Callable[[int, int], None]) -> Section:
    """Run the smallest preset: regions, four kinds of models, one site after the other left out."""
    recipe = recipe_of("global_pgdl")
    preset = recipe.read_preset("tiny", {})
    done: list[str] = []

    def tell(words: str) -> None:
        done.append(words)
        report(min(len(done), _STEPS), _STEPS)

    with jax.enable_x64(False):
        outcome = recipe.run(preset, out / FOLDER, data=kept(out), report=tell)
    scores = {row["model"]: row for row in outcome.tables["table_2_sites"]}
    ours = scores[_OURS]["rmse"]
    checks = {
        f"study A: water balance with a network before {name} at sites left out": bool(
            ours < scores[name]["rmse"]
        )
        for name in _USUAL
    }
    words = [
        "Regions by k-means; a calibrated water balance (PB), an LSTM (DL), and both together: fed "
        "with the fluxes of the physics (PGDL fed, as published), in one graph (coupled), and with "
        "a network that moves parameters and never water (conserving). Each is trained anew for "
        "every site that is left out. Small networks and few steps: it shows how, and its scores "
        "mean little. diffhydro experiment global_pgdl --preset small is the study.",
        *outcome.words,
    ]
    pictures = [Picture(path, title_of(path.stem)) for path in outcome.figures]
    tables = [cells_of(outcome.tables[name]) for name in _TABLES]
    return Section(
        "Study A, in small: networks and physics, site by site", words, pictures, tables, checks
    )
