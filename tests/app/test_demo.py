"""The demonstration runs, passes its own checks, and leaves one page that needs nothing else."""

import base64
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from diffhydro.app import demo_world
from diffhydro.app.demo import _weather, run_demo
from diffhydro.app.demo_report import Part, page
from diffhydro.data.virtual import Preset
from diffhydro.errors import InputError

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
    one, other = _weather(365), _weather(365)
    rain = np.asarray(one.precipitation)
    assert (rain == np.asarray(other.precipitation)).all()
    assert 400.0 < rain.sum() < 1200.0
    assert 0.2 < (rain > 0).mean() < 0.5


def _parts(tmp_path, held: bool) -> dict[str, Part]:
    figure = tmp_path / "a.png"
    figure.write_bytes(ONE_PIXEL)
    table = [("quantity", "found"), ("a < b", "1 & 2")]
    names = ("celia", "year", "gradient", "calibration", "places", "world")
    return {name: Part(table, {f"{name} holds": held}, figure, "words") for name in names}


def test_the_page_stands_alone(tmp_path):
    text = page(_parts(tmp_path, True), [], 1.0)
    _check_page(text, 5)
    assert "<td>a &lt; b</td><td>1 &amp; 2</td>" in text
    assert "All 6 checks passed" in text


def test_a_failed_check_is_said_first(tmp_path):
    text = page(_parts(tmp_path, False), ["celia holds"], 1.0)
    assert 'class="verdict bad">Failed: celia holds' in text


def test_a_folder_that_cannot_be_written_is_said_at_once(tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(InputError, match="taken"):
        run_demo(tmp_path / "taken" / "demo")


@pytest.mark.exhaustive
@pytest.mark.slow
@pytest.mark.usefixtures("loose_promotion")
def test_the_demonstration_passes_its_own_checks(tmp_path, capsys, monkeypatch):
    speck = Preset("speck", 30.0, "2018-01-01", "2018-07-01", 12, 0)
    monkeypatch.setattr(demo_world, "_PRESET", speck)  # the tiny Earth takes half a minute
    run_demo(tmp_path)
    names = {file.name for file in tmp_path.iterdir()}
    assert names - {"virtual"} == {
        "celia.png", "year.png", "calibration.png", "places.png", "world.png", "report.html"
    }  # fmt: skip
    _check_page((tmp_path / "report.html").read_text(encoding="utf-8"), 5)
    assert re.search(r"(\d+) of \1 checks passed", capsys.readouterr().out)
