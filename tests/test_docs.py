"""What the pages say is what the code does: their Python runs, their tables are current."""

import doctest
import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BREAK = "@@ end of block"
LOOSELY = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
LARGEST_FIGURE = 150_000  # bytes


def _blocks(page: Path) -> list[tuple[str, str]]:
    """Return (language, text) of every fenced block of a page."""
    return BLOCK.findall(page.read_text(encoding="utf-8"))


def _run(page: Path, folder: Path) -> None:
    """Run the Python of a page as a user would, and compare what it prints where the page says so.

    A `text` block after a Python block is the output of that block, with `...` for anything.
    """
    blocks = [b for b in _blocks(page) if b[0] in {"python", "text"}]
    codes = [text for language, text in blocks if language == "python"]
    assert codes
    script = folder / "page.py"
    script.write_text(f"\nprint({BREAK!r}, flush=True)\n".join([*codes, ""]), encoding="utf-8")
    # A process of its own, so that the page meets jax with the defaults that a reader has.
    answer = subprocess.run(
        [sys.executable, script.name], cwd=folder, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stderr
    printed = [part.lstrip("\n") for part in answer.stdout.split(BREAK)]
    checker = doctest.OutputChecker()
    number = -1
    for language, text in blocks:
        number += language == "python"
        if language == "text":
            assert checker.check_output(text, printed[number], LOOSELY), (text, printed[number])


def _assert_same_picture(kept: str, made: Path) -> None:
    from matplotlib.image import imread

    old, new = imread(DOCS / "tutorials" / "figures" / kept), imread(made)
    # Text may be set a pixel aside by another version of the library; curves may not move.
    assert old.shape == new.shape
    assert np.abs(old - new).mean() < 0.02


@pytest.mark.exhaustive
@pytest.mark.slow
def test_the_tutorial_runs_and_makes_its_figure(tmp_path):
    page = DOCS / "tutorials" / "richards.md"
    _run(page, tmp_path)
    _assert_same_picture("celia.png", tmp_path / "results" / "p01_celia_newmexico.png")


@pytest.mark.exhaustive
@pytest.mark.slow
def test_the_tutorial_of_sensitivities_runs_and_makes_its_figures(tmp_path):
    pytest.importorskip("SALib")
    _run(DOCS / "tutorials" / "sensitivity.md", tmp_path)
    for name in ("elasticities.png", "bounds.png", "effects.png", "rain.png"):
        _assert_same_picture(f"sensitivity_{name}", tmp_path / name)


@pytest.mark.exhaustive
@pytest.mark.slow
def test_the_tutorial_of_hybrids_runs_and_makes_its_figure(tmp_path):
    page = DOCS / "tutorials" / "hybrid.md"
    _run(page, tmp_path)
    _assert_same_picture("hybrid_training.png", tmp_path / "training.png")
    assert (tmp_path / "run" / "metrics.csv").exists()


def test_an_lstm_is_coupled_to_the_water_balance_in_under_40_lines():
    """The blocks after the one that makes up the observations."""
    codes = [text for kind, text in _blocks(DOCS / "tutorials" / "hybrid.md") if kind == "python"]
    model, training = codes[1:3]
    assert "DynamicParameters" in model
    assert "fit(" in training
    lines = [line for code in (model, training) for line in code.splitlines() if line.strip()]
    assert len(lines) < 40


@pytest.mark.exhaustive
@pytest.mark.slow
def test_the_tutorial_of_assimilation_runs_and_makes_its_figures(tmp_path):
    _run(DOCS / "tutorials" / "assimilation.md", tmp_path)
    for name in ("cost", "reports", "water"):
        _assert_same_picture(f"assimilation_{name}.png", tmp_path / f"{name}.png")


@pytest.mark.slow
def test_the_page_of_data_runs(tmp_path):
    _run(DOCS / "data.md", tmp_path)


@pytest.mark.slow
def test_the_readme_runs(tmp_path):
    _run(ROOT / "README.md", tmp_path)


def test_figures_are_small():
    large = {f.name for f in DOCS.rglob("*.png") if f.stat().st_size > LARGEST_FIGURE}
    assert large == set()


@pytest.mark.parametrize("page", ["parameters", "configuration"])
def test_pages_made_from_the_code_are_current(page):
    where = DOCS / f"make_{page}.py"
    spec = importlib.util.spec_from_file_location(where.stem, where)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    text = (DOCS / f"{page}.md").read_text(encoding="utf-8")
    assert text == module.page(), f"run: python docs/{where.name}"


def test_every_key_of_a_configuration_is_listed():
    from diffhydro.app.config import Config
    from diffhydro.app.sensitivity_config import SensitivityConfig
    from diffhydro.app.train.config import TrainConfig

    text = (DOCS / "configuration.md").read_text(encoding="utf-8")
    listed = {key.split(".")[-1] for key in re.findall(r"^\| `([^`]+)`", text, re.MULTILINE)}

    def keys(schema):
        parts = [schema, *schema.get("$defs", {}).values()]
        return {key for part in parts for key in part["properties"]}

    declared = {
        key
        for kind in (Config, SensitivityConfig, TrainConfig)
        for key in keys(kind.model_json_schema())
    }
    assert listed == declared


def test_the_configuration_that_is_shown_is_the_one_that_ships():
    import yaml

    shown = dict(_blocks(DOCS / "tutorials" / "calibrate.md"))["yaml"]
    ships = (ROOT / "configs" / "calibrate-twin.yaml").read_text(encoding="utf-8")
    assert yaml.safe_load(shown) == yaml.safe_load(ships)


def test_the_example_of_the_case_format_is_a_case(tmp_path):
    from diffhydro.app.case_read import read_case

    blocks = dict(_blocks(DOCS / "case-format.md"))
    case = json.loads(blocks["json"])
    (tmp_path / "case.json").write_text(blocks["json"])
    (tmp_path / case["forcing_file"]).write_text(blocks["csv"])
    read, weather = read_case(tmp_path / "case.json")
    assert read.id == "loam_under_rain"
    assert list(weather.columns) == ["Tpot"]


def test_links_between_pages_lead_somewhere():
    pages = [*DOCS.rglob("*.md"), ROOT / "README.md"]
    targets = [
        (page, target.split("#")[0])
        for page in pages
        for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8"))
        if not re.match(r"[a-z]+:|#", target)
    ]
    broken = [(page.name, t) for page, t in targets if not (page.parent / t).exists()]
    assert broken == []


def test_the_manual_lists_every_page():
    listed = set(re.findall(r"[\w/-]+\.md", (ROOT / "mkdocs.yml").read_text(encoding="utf-8")))
    assert listed == {page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md")}
