"""What a training tells when it has ended: tables on the screen, and a page for a browser."""

from pathlib import Path

import jax
from rich.console import Console

from diffhydro._version import __version__
from diffhydro.app.page import Section, write_page
from diffhydro.app.score_table import Rows, by_site, median, medians, of_models
from diffhydro.app.screen import grid
from diffhydro.app.train.config import TrainConfig
from diffhydro.app.train.figures import draw_all
from diffhydro.app.train.judge import MODEL, Judged
from diffhydro.app.train.training import Outcome

_CLOSED = 0.05  # mm, of single precision
_RIGHT = 1e-4  # relative; one direction at some sites, in double precision


def show(console: Console, outcome: Outcome, judged: Judged, out: Path) -> None:
    """Print what came out."""
    console.print(grid(medians(of_models(judged.scores)), "held-out sites and days"))
    for claim, held in checks(judged).items():
        console.print(f"{'ok ' if held else 'NOT'} {claim}", highlight=False)
    console.print(f"wrote {out / 'report.html'}", highlight=False, soft_wrap=True)


def checks(judged: Judged) -> dict[str, bool]:
    """Give what every training promises."""
    error = judged.gradient
    found = {f"the gradient equals central differences (off by {error:.0e})": error <= _RIGHT}
    if judged.residual is not None:
        claim = f"water closes at every test site (at worst {judged.residual:.4f} mm missing)"
        found[claim] = judged.residual <= _CLOSED
    return found


def write_report(
    out: Path, config: TrainConfig, outcome: Outcome, judged: Judged, notes: list[str],
    seconds: float, text: str,
) -> None:  # fmt: skip
    """Draw, and write report.html.

    Args:
        text: The configuration as YAML.
    """
    pictures = draw_all(out / "figures", outcome.trained.history, judged)
    members: Rows = [("network", "sites trained on", "tested at", "ended")]
    for one, why in zip(outcome.members, outcome.trained.stopped_because, strict=True):
        fold = one.fold
        members.append((one.name, str(len(fold.train.sites)), str(len(fold.test.sites)), why))
    models = of_models(judged.scores)
    how = (
        f"{config.model.coupling}, {len(outcome.members)} networks trained as one program; every "
        "score is of sites or days that the network was not trained on, with its own scaling."
    )
    if config.hold_out.by == "nothing":
        how += " Nothing was held out: the scores are of the sites that the training stopped by."
    sections = [
        Section("What came out", [how], pictures[:2], [medians(models)], checks(judged)),
        Section("How it went", notes, pictures[2:], [members]),
        Section("Every site", [], [], [by_site(models[MODEL])]),
        Section("The configuration", ["Reading this file again gives this run."], code=text),
    ]
    best = median(models[MODEL]["rmse"].values)
    verdict = f"Median RMSE {best} m³/m³ at what was held out."
    footer = (
        f"diffhydro {__version__}, jax {jax.__version__} on {jax.devices()[0].platform}; "
        f"{seconds:.0f} s; seed {config.training.seed}."
    )
    title = f"diffhydro: a training of {config.model.coupling}"
    write_page(out / "report.html", title, verdict, sections, footer)
