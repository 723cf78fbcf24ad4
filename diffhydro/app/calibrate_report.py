"""The report of a calibration: tables on the screen, and one HTML file with all pictures inside."""

import base64
import html
from importlib.resources import files
from pathlib import Path
from string import Template

import jax
import numpy as np
from rich.console import Console
from rich.table import Table

from diffhydro._version import __version__
from diffhydro.app.calibrate_figures import draw_all, short, worst
from diffhydro.app.calibrate_output import AFTER, BEFORE, USUAL, Outcome
from diffhydro.app.calibrate_worst import explain
from diffhydro.app.config import Config
from diffhydro.atomic import whole
from diffhydro.calibration.coordinates import position
from diffhydro.calibration.search import ENDINGS
from diffhydro.core.bijections import interval

Rows = list[tuple[str, ...]]
_WORST = 5


def show(console: Console, outcome: Outcome, out: Path) -> None:
    """Print what came out."""
    for title, rows in _tables(outcome).items():
        table = Table(*rows[0], title=title, title_justify="left", box=None)
        table.columns[0].overflow = "fold"
        for row in rows[1:]:
            table.add_row(*row)
        console.print(table)
    console.print(f"wrote {out / 'report.html'}", highlight=False)


def write_report(out: Path, config: Config, outcome: Outcome, seconds: float) -> None:
    """Draw, and write report.html."""
    pictures = draw_all(out, outcome)
    page = Template((files("diffhydro.app") / "calibrate_data" / "report.html").read_text("utf-8"))
    tables = _tables(outcome) | _long_tables(outcome)
    problem = outcome.fitting.problem
    text = page.substitute(
        {f"{name}_figure": _inside(path) for name, path in pictures.items()},
        **{f"table_{i}": _html_table(rows) for i, rows in enumerate(tables.values())},
        model=html.escape(config.model),
        sites=problem.sites,
        notes=" ".join(f"<li>{html.escape(note)}</li>" for note in outcome.fitting.notes),
        reasons=_reasons(outcome),
        worst=" ".join(
            f"<li><b>{html.escape(problem.names[site])}</b>: {html.escape(words)}</li>"
            for site, words in _worst(outcome)
        ),
        footer=f"diffhydro {__version__}, jax {jax.__version__} on "
        f"{jax.devices()[0].platform}; {seconds:.0f} s; seed {config.search.seed}.",
    )
    with whole(out / "report.html") as part:
        part.write_text(text, encoding="utf-8")


def _tables(outcome: Outcome) -> dict[str, Rows]:
    return {
        "scores, median of sites": _score_rows(outcome),
        "parameters, median of sites; error of a twin in % of the range": _parameter_rows(outcome),
        "searches": _ending_rows(outcome),
    }


def _long_tables(outcome: Outcome) -> dict[str, Rows]:
    return {"every site": _site_rows(outcome)}


def _score_rows(outcome: Outcome) -> Rows:
    rows: Rows = [("series", "days", "of", "RMSE", "ubRMSE", "bias", "r", "sites")]
    for (name, period, kind), found in outcome.scores.items():
        scored = int(np.isfinite(found.rmse).sum())
        numbers = [found.rmse, found.ubrmse, found.bias, found.r]
        middle = [f"{np.nanmedian(x):.3f}" if np.isfinite(x).any() else "–" for x in numbers]
        rows.append((name, period, kind, *middle, str(scored)))
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
            told = [f"{x[site]:.3f}" if np.isfinite(x[site]) else "–" for x in numbers]
            name = outcome.fitting.problem.names[site]
            rows.append((name, target.name, *told, str(int(found.days[site]))))
    return rows


def _worst(outcome: Outcome) -> list[tuple[int, str]]:
    name = outcome.fitting.problem.targets[0].name
    order = worst(outcome, name)
    scored = order[np.isfinite(outcome.scores[name, outcome.judged, AFTER].rmse[order])]
    return [(int(site), explain(outcome, name, int(site))) for site in scored[::-1][:_WORST]]


def _reasons(outcome: Outcome) -> str:
    if not outcome.fitted.reasons:
        return "<p>All sites have a result.</p>"
    names = outcome.fitting.problem.names
    told = [
        f"<li>{html.escape(names[s])}: {html.escape(r)}</li>"
        for s, r in outcome.fitted.reasons.items()
    ]
    return f"<p>Sites without a result:</p><ul>{''.join(told)}</ul>"


def _inside(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()


def _html_table(rows: Rows) -> str:
    def line(cells: tuple[str, ...], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>"

    body = "\n".join(line(row, "td") for row in rows[1:])
    return f"<table>\n<thead>{line(rows[0], 'th')}</thead>\n<tbody>\n{body}\n</tbody>\n</table>"
