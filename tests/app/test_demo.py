"""The demonstration runs, passes its own checks, and leaves one page that needs nothing else."""

import base64
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from diffhydro.app.demo import run_demo
from diffhydro.app.demo.column import weather
from diffhydro.app.demo.run import write_report
from diffhydro.app.page import Picture, Section
from diffhydro.errors import InputError
from tests.app.browser import assert_readable

ONE_PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGBgAAAABQABh6FO1AAAAABJRU5ErkJggg=="
)


class _Balance(HTMLParser):
    """Count tags that are opened and not closed."""

    EMPTY = frozenset({"meta", "img", "br", "link"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag, attrs):
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def _check_page(text: str, figures: int) -> None:
    parser = _Balance()
    parser.feed(text)
    assert parser.open == []
    assert "viewport" in text
    assert "$" not in re.sub(r"base64,[^\"]*", "", text)
    assert text.count("data:image/png;base64,") == figures
    assert re.findall(r"(?:src|href)=\"(?!data:)[^\"]*\"", text) == []


def test_weather_is_the_same_every_time_and_plausible():
    one, other = weather(365), weather(365)
    rain = np.asarray(one.precipitation)
    assert (rain == np.asarray(other.precipitation)).all()
    assert 400.0 < rain.sum() < 1200.0
    assert 0.2 < (rain > 0).mean() < 0.5


def _sections(tmp_path, held: bool) -> list[Section]:
    figure = tmp_path / "a.png"
    figure.write_bytes(ONE_PIXEL)
    table = [("quantity", "found"), ("a < b", "1 & 2")]
    pictures = [Picture(figure, "told")]
    return [
        Section(name, ["words"], pictures, [table], {f"{name} holds": held})
        for name in ("celia", "year")
    ]


def test_the_page_stands_alone(tmp_path):
    page = tmp_path / "report.html"
    assert write_report(page, _sections(tmp_path, True), 1.0) == []
    text = page.read_text(encoding="utf-8")
    _check_page(text, 2)
    assert "<td>a &lt; b</td><td>1 &amp; 2</td>" in text
    assert "All 2 checks passed" in text


def test_a_failed_check_is_said_first(tmp_path):
    page = tmp_path / "report.html"
    assert write_report(page, _sections(tmp_path, False), 1.0) == ["celia holds", "year holds"]
    text = page.read_text(encoding="utf-8")
    assert 'class="verdict bad">0 of 2 checks passed. Failed: celia holds' in text


def test_a_folder_that_cannot_be_written_is_said_at_once(tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(InputError, match="taken"):
        run_demo(tmp_path / "taken" / "demo")


@pytest.mark.exhaustive
@pytest.mark.slow
@pytest.mark.usefixtures("loose_promotion")
def test_the_demonstration_passes_its_own_checks(tmp_path, capsys):
    run_demo(tmp_path)
    names = {file.name for file in tmp_path.iterdir()}
    assert names - {"virtual"} == {
        "celia.png", "year.png", "calibration.png", "places.png", "world.png", "report.html",
        "global_pgdl",
    }  # fmt: skip
    page = tmp_path / "report.html"
    text = page.read_text(encoding="utf-8")
    pictures = text.count("data:image/png;base64,")
    assert pictures >= 7
    _check_page(text, pictures)
    assert re.search(r"(\d+) of \1 checks passed", capsys.readouterr().out)
    assert_readable(page, tmp_path, pictures)
