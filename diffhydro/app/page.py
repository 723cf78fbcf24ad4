"""Reports: one HTML file with its figures inside, that needs neither a network nor a script."""

import base64
import html
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from diffhydro.atomic import whole

Rows = Sequence[Sequence[str]]
MOST = 60  # rows of a table in a report; its file has all

_LOOK = """
:root { color-scheme: light; }
body { font: 1rem/1.5 system-ui, sans-serif; color: #1b1b1b; background: #fff; max-width: 54rem;
       margin: 0 auto; padding: 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; margin: .5rem 0; }
h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; border-top: 1px solid #ddd; padding-top: 1rem; }
figure { margin: 1rem 0; }
figcaption { color: #555; font-size: .9rem; }
img { max-width: 100%; height: auto; }
.table { overflow-x: auto; margin: .75rem 0; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .9rem .25rem 0; text-align: right; border-bottom: 1px solid #eee;
         white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
th { color: #555; font-weight: 600; }
.verdict { padding: .6rem .8rem; border-left: .3rem solid; margin: .75rem 0; }
.good { border-color: #009e73; background: #eef8f4; }
.bad { border-color: #d55e00; background: #fdf1e8; }
.plain { border-color: #0072b2; background: #eef4f9; }
pre, code { background: #f3f3f3; border-radius: .2em; font-size: .85rem; }
code { padding: .1em .25em; }
pre { padding: .6rem; overflow-x: auto; }
footer { margin-top: 2rem; color: #555; font-size: .85rem; }
"""


@dataclass(frozen=True)
class Picture:
    """A figure of a section.

    Args:
        told: What it shows; also for those who cannot see it.
    """

    path: Path
    told: str


@dataclass(frozen=True)
class Section:
    """A part of a report; what is not given is left out.

    Args:
        words: Paragraphs of plain text.
        tables: Rows of cells, the head first.
        checks: What was promised, and whether it held.
        code: Shown as it is, such as a configuration.
    """

    title: str
    words: Sequence[str] = ()
    pictures: Sequence[Picture] = ()
    tables: Sequence[Rows] = ()
    checks: dict[str, bool] = field(default_factory=dict)
    code: str = ""


def table_section(
    title: str,
    rows: Rows,
    file: str,
    words: Sequence[str] = (),
    pictures: Sequence[Picture] = (),
) -> Section:
    """Show a table, cut to what a page can hold; then also say which file has all of it.

    Args:
        rows: The head first.
    """
    count = len(rows) - 1
    cut = [f"{MOST} of {count} rows; {file} has all."] if count > MOST else []
    return Section(title, [*words, *cut], pictures, [rows[: MOST + 1]])


def write_page(
    target: Path, title: str, verdict: str, sections: Sequence[Section], footer: str
) -> None:
    """Write a report; it is whole or absent."""
    text = page(title, verdict, sections, footer)
    with whole(target) as part:
        part.write_text(text, encoding="utf-8")


def page(title: str, verdict: str, sections: Sequence[Section], footer: str) -> str:
    """Return a report as one HTML file.

    Args:
        verdict: The first thing to be read; green or red by the checks of all sections.
    """
    checks = {claim: held for one in sections for claim, held in one.checks.items()}
    failed = [claim for claim, held in checks.items() if not held]
    mood = "plain" if not checks else "bad" if failed else "good"
    said = f"{verdict} Failed: {'; '.join(failed)}." if failed else verdict
    body = "\n".join(_section(one) for one in sections)
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<link rel="icon" href="data:,">\n'
        f"<title>{html.escape(title)}</title>\n<style>{_LOOK}</style>\n</head>\n<body>\n"
        f"<h1>{html.escape(title)}</h1>\n"
        f'<div class="verdict {mood}">{html.escape(said)}</div>\n'
        f"{body}\n<footer>{html.escape(footer)}</footer>\n</body>\n</html>\n"
    )


def title_of(stem: str) -> str:
    """Make words of the name of a file or a table."""
    words = stem.replace("_", " ")
    return words[:1].upper() + words[1:]


def _section(one: Section) -> str:
    parts = [f"<h2>{html.escape(one.title)}</h2>"]
    parts += [f"<p>{html.escape(words)}</p>" for words in one.words]
    parts += [_picture(picture) for picture in one.pictures]
    parts += [_table(rows) for rows in one.tables]
    if one.checks:
        lines = (
            f"<li>{'✓' if held else '✗'} {html.escape(c)}</li>" for c, held in one.checks.items()
        )
        parts.append(f"<ul>{''.join(lines)}</ul>")
    if one.code:
        parts.append(f"<pre>{html.escape(one.code)}</pre>")
    return "\n".join(parts)


def _picture(picture: Picture) -> str:
    inside = base64.b64encode(picture.path.read_bytes()).decode()
    told = html.escape(picture.told)
    return (
        f'<figure><img src="data:image/png;base64,{inside}" alt="{told}">'
        f"<figcaption>{told}</figcaption></figure>"
    )


def _table(rows: Rows) -> str:
    def line(cells: Sequence[str], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{html.escape(str(c))}</{tag}>" for c in cells) + "</tr>"

    body = "\n".join(line(row, "td") for row in rows[1:])
    return (
        f'<div class="table"><table>\n<thead>{line(rows[0], "th")}</thead>\n'
        f"<tbody>\n{body}\n</tbody>\n</table></div>"
    )
