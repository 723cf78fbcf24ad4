"""What a training tells when it has ended: tables on the screen, and a page for a browser."""

from pathlib import Path

import jax
import numpy as np
from rich.console import Console
from rich.table import Table as Grid

from diffhydro._version import __version__
from diffhydro.app.page import Section, write_page
from diffhydro.app.train.config import TrainConfig
from diffhydro.app.train.figures import draw_all
from diffhydro.app.train.judge import MODEL, Judged
from diffhydro.app.train.training import Outcome

_CLOSED = 0.05  # mm, of single precision
_RIGHT = 1e-4  # relative; one direction at some sites, in double precision
SHOWN = ("rmse", "ubrmse", "bias", "r", "nse")
Rows = list[tuple[str, ...]]


def summary(judged: Judged) -> Rows:
    """Give medians over sites."""
    rows: Rows = [("median over sites", *SHOWN, "sites")]
    for name in judged.scores["model"].values:
        one = judged.scores.sel(model=name)
        count = int(np.isfinite(one["rmse"].values).sum())
        cells = [_number(one[score].values) for score in SHOWN]
        rows.append((str(name), *cells, str(count)))
    return rows


def show(console: Console, outcome: Outcome, judged: Judged, out: Path) -> None:
    """Print what came out."""
    rows = summary(judged)
    grid = Grid(*rows[0], title="held-out sites and days", title_justify="left", box=None)
    for row in rows[1:]:
        grid.add_row(*row)
    console.print(grid)
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
    members = [("network", "sites trained on", "tested at", "ended")]
    for one, why in zip(outcome.members, outcome.trained.stopped_because, strict=True):
        fold = one.fold
        members.append((one.name, str(len(fold.train.sites)), str(len(fold.test.sites)), why))
    by_rmse = judged.scores.sel(model=MODEL)
    sites: Rows = [("site", *SHOWN, "days")]
    for i in np.argsort(by_rmse["rmse"].values):
        one = by_rmse.isel(site=int(i))
        cells = [_number(one[score].values) for score in SHOWN]
        sites.append((str(one["site"].values), *cells, str(int(one["days"]))))
    how = (
        f"{config.model.coupling}, {len(outcome.members)} networks trained as one program; every "
        "score is of sites or days that the network was not trained on, with its own scaling."
    )
    if config.hold_out.by == "nothing":
        how += " Nothing was held out: the scores are of the sites that the training stopped by."
    sections = [
        Section("What came out", [how], pictures[:2], [summary(judged)], checks(judged)),
        Section("How it went", notes, pictures[2:], [members]),
        Section("Every site", [], [], [sites]),
        Section("The configuration", ["Reading this file again gives this run."], code=text),
    ]
    best = _number(by_rmse["rmse"].values)
    verdict = f"Median RMSE {best} m³/m³ at what was held out."
    footer = (
        f"diffhydro {__version__}, jax {jax.__version__} on {jax.devices()[0].platform}; "
        f"{seconds:.0f} s; seed {config.training.seed}."
    )
    title = f"diffhydro: a training of {config.model.coupling}"
    write_page(out / "report.html", title, verdict, sections, footer)


def _number(values: np.ndarray) -> str:
    there = np.asarray(values)[np.isfinite(values)]
    return f"{np.median(there):.3f}" if there.size else "–"
