"""The report of a calibration: tables on the screen, and one HTML file with all pictures inside."""

from pathlib import Path

import jax
import numpy as np
from rich.console import Console

from diffhydro._version import __version__
from diffhydro.app.calibrate_figures import draw_all, short, worst
from diffhydro.app.calibrate_output import AFTER, BEFORE, USUAL, Outcome
from diffhydro.app.calibrate_worst import explain
from diffhydro.app.config import Config
from diffhydro.app.page import Section, write_page
from diffhydro.app.score_table import Rows, median
from diffhydro.app.screen import grid
from diffhydro.calibration.coordinates import position
from diffhydro.calibration.search import ENDINGS
from diffhydro.core.bijections import interval

_WORST = 5


def show(console: Console, outcome: Outcome, out: Path) -> None:
    """Print what came out."""
    tables = {
        "scores, median of sites": _score_rows(outcome),
        "parameters, median of sites; error of a twin in % of the range": _parameter_rows(outcome),
        "searches": _ending_rows(outcome),
    }
    for title, rows in tables.items():
        console.print(grid(rows, title))
    console.print(f"wrote {out / 'report.html'}", highlight=False, soft_wrap=True)


def write_report(out: Path, config: Config, outcome: Outcome, seconds: float, text: str) -> None:
    """Draw, and write report.html.

    Args:
        text: The configuration as YAML.
    """
    footer = (
        f"diffhydro {__version__}, jax {jax.__version__} on {jax.devices()[0].platform}; "
        f"{seconds:.0f} s; seed {config.search.seed}."
    )
    title = f"diffhydro: a calibration of {config.model}"
    sections = _sections(out, outcome, text)
    write_page(out / "report.html", title, _verdict(outcome), sections, footer)


def _sections(out: Path, outcome: Outcome, text: str) -> list[Section]:
    drawn = draw_all(out / "figures", outcome)
    usual = "Medians over sites. Climatology is the mean course of the year of the days of the fit."
    twin = "Medians over sites; the error of a twin is in per cent of the range between the bounds."
    searched = [*outcome.fitting.notes, *_reasons(outcome)]
    return [
        Section("Scores", [usual], [drawn["scores"]], [_score_rows(outcome)]),
        Section(
            "Parameters",
            [twin],
            [drawn["parameters"], drawn["correlation"]],
            [_parameter_rows(outcome)],
        ),
        Section(
            "Series",
            ["The best site, the middle one and the worst."],
            [drawn["series"], drawn["residuals"]],
        ),
        Section("The worst sites", _worst(outcome)),
        Section("How it went", searched, [drawn["convergence"]], [_ending_rows(outcome)]),
        Section("Every site", tables=[_site_rows(outcome)]),
        Section("The configuration", ["Reading this file again gives this run."], code=text),
    ]


def _verdict(outcome: Outcome) -> str:
    """Say how well the first series fits where it counts."""
    name = outcome.fitting.problem.targets[0].name
    found = {kind: outcome.scores[name, outcome.judged, kind].rmse for kind in (BEFORE, USUAL)}
    others = [f"{kind} {median(x)}" for kind, x in found.items() if np.isfinite(x).any()]
    after = median(outcome.scores[name, outcome.judged, AFTER].rmse)
    days = "held-out days" if outcome.judged == "test" else "the days of the fit"
    beside = f" ({', '.join(others)})" if others else ""
    sites = outcome.fitting.problem.sites
    return f"Median RMSE of {name} over {sites} sites, on {days}: {after}{beside}."


def _score_rows(outcome: Outcome) -> Rows:
    rows: Rows = [("series", "days", "of", "RMSE", "ubRMSE", "bias", "r", "sites")]
    for (name, period, kind), found in outcome.scores.items():
        scored = int(np.isfinite(found.rmse).sum())
        numbers = [found.rmse, found.ubrmse, found.bias, found.r]
        rows.append((name, period, kind, *map(median, numbers), str(scored)))
    return rows


def _parameter_rows(outcome: Outcome) -> Rows:
    fitted, coordinates = outcome.fitted, outcome.fitting.problem.coordinates
    before = coordinates.table(np.asarray(outcome.fitting.problem.before()))
    truth, fits = outcome.fitting.truth, fitted.is_fitted
    head = ("parameter", "unit", "lower", "before", "fitted", "upper", "on a bound")
    # Of the range: a value may be 0, and a degree of warmth has no natural share.
    rows: Rows = [(*head, *(("error",) if truth is not None else ()))]
    for j, (name, spec) in enumerate(zip(fitted.names, coordinates.specs, strict=True)):
        low, high = interval(spec.bounds)
        middle = [_middle(x[fits, j]) for x in (before, fitted.values)]
        sits = int((fitted.on_bound[fits, j] != 0).sum())
        row = (short(name), spec.unit, f"{low:.4g}", *middle, f"{high:.4g}")
        row = (*row, f"{sits} of {int(fits.sum())}")
        if truth is not None:
            off = np.abs(fitted.positions[fits, j] - position(truth[fits, j]))
            row = (*row, f"{100.0 * np.median(off):.1f}" if len(off) else "–")
        rows.append(row)
    return rows


def _middle(values: np.ndarray) -> str:
    return f"{np.median(values):.4g}" if len(values) else "–"


def _ending_rows(outcome: Outcome) -> Rows:
    fitted = outcome.fitted
    rows: Rows = [("ending", "searches", "median evaluations")]
    for code, word in enumerate(ENDINGS):
        chosen = fitted.status == code
        if chosen.any():
            rows.append(
                (word, str(int(chosen.sum())), f"{np.median(fitted.evaluations[chosen]):g}")
            )
    skipped = len(outcome.fitted.reasons)
    return [*rows, ("sites without a result", str(skipped), "")] if skipped else rows


def _site_rows(outcome: Outcome) -> Rows:
    rows: Rows = [("site", "series", "RMSE", "before", "climatology", "bias", "r", "days")]
    for target in outcome.fitting.problem.targets:
        key = target.name, outcome.judged
        found = outcome.scores[*key, AFTER]
        others = [outcome.scores[*key, kind].rmse for kind in (BEFORE, USUAL)]
        for site in worst(outcome, target.name):
            numbers = [found.rmse, *others, found.bias, found.r]
            told = [median(x[site]) for x in numbers]
            name = outcome.fitting.problem.names[site]
            rows.append((name, target.name, *told, str(int(found.days[site]))))
    return rows


def _worst(outcome: Outcome) -> list[str]:
    name, names = outcome.fitting.problem.targets[0].name, outcome.fitting.problem.names
    order = worst(outcome, name)
    scored = order[np.isfinite(outcome.scores[name, outcome.judged, AFTER].rmse[order])]
    chosen = [int(site) for site in scored[::-1][:_WORST]]
    return [f"{names[site]}: {explain(outcome, name, site)}" for site in chosen]


def _reasons(outcome: Outcome) -> list[str]:
    if not outcome.fitted.reasons:
        return ["All sites have a result."]
    names, reasons = outcome.fitting.problem.names, outcome.fitted.reasons.items()
    return [f"{names[site]} was not fitted: {reason}" for site, reason in reasons]
