"""Figures of a case run: whole or absent, with the reference where there is one."""

import sys

import numpy as np
import pytest

from diffhydro.app.case import Case
from diffhydro.app.case_plot import draw
from diffhydro.app.case_report import SERIES, table_text
from diffhydro.errors import InputError
from diffhydro.picture import blank_figure, save

PNG = b"\x89PNG\r\n\x1a\n"
SOIL = {"model": "gardner", "theta_r": 0.05, "theta_s": 0.4, "alpha": 1.0, "Ks": 0.5}


def _case(times: list[float]) -> Case:
    return Case.model_validate(
        {
            "id": "made_up",
            "depth": 2.0,
            "layers": [{"top": 0.0, "bottom": 2.0, "soil": SOIL}],
            "initial": {"type": "uniform_head", "h": -1.0},
            "top": {"type": "flux", "value": 0.01},
            "bottom": {"type": "no_flow"},
            "output_times": times,
            "profile_times": times,
            "source": "made up (for a test)",
        }
    )


def _numbers(times: list[float], lowest_head: float = -1.0) -> tuple[dict, dict]:
    z = (np.arange(100) + 0.5) / 50.0
    found = {
        "t": np.repeat(times, 100),
        "z": np.tile(z, len(times)),
        "h": np.linspace(lowest_head, 0.0, 100 * len(times)),
        "theta": np.linspace(0.1, 0.4, 100 * len(times)),
    }
    totals = {"t": np.asarray(times)} | {name: 0.01 * np.asarray(times) for name in SERIES}
    return found, totals


@pytest.fixture
def drawn(monkeypatch):
    """Keep the figure that is saved, to look inside."""
    kept = []
    import diffhydro.app.case_plot as module

    def keep(figure, target):
        kept.append(figure)
        save(figure, target)

    monkeypatch.setattr(module, "save", keep)
    return kept


def _labels(axes) -> list[str]:
    return [line.get_label() for line in axes.get_lines() if not line.get_label().startswith("_")]


def test_a_line_per_time_and_axes_with_units(tmp_path, drawn):
    times = [0.5, 1.0, 2.0]
    target = tmp_path / "made_up.png"
    draw(_case(times), None, *_numbers(times), target)
    assert target.read_bytes().startswith(PNG)
    assert [file.name for file in tmp_path.iterdir()] == ["made_up.png"]
    theta, head, amounts, storage = drawn[0].axes
    assert _labels(theta) == _labels(head) == ["0.5 d", "1 d", "2 d"]
    assert theta.get_ylim() == head.get_ylim() == (2.0, 0.0)
    assert [a.get_xlabel() for a in (theta, head, storage)] == [
        "water content θ, m³/m³",
        "pressure head h, m",
        "time, days",
    ]
    assert amounts.get_ylabel().endswith("mm")
    assert storage.get_ylabel().endswith("mm")
    # A centimetre of everything a day: infiltration less two losses takes one from the soil.
    water = storage.get_lines()[0].get_ydata()
    np.testing.assert_allclose(water, [10.0, 5.0, 10.0, 20.0], atol=1e-12)


def test_reference_beside_the_case_becomes_points(tmp_path, drawn):
    times = [0.5, 1.0]
    found, totals = _numbers(times)
    (tmp_path / "made_up_profiles.csv").write_text(table_text(found))
    (tmp_path / "made_up_series.csv").write_text(table_text(totals))
    draw(_case(times), tmp_path, found, totals, tmp_path / "a.png")
    theta = drawn[0].axes[0]
    points = [line for line in theta.get_lines() if line.get_marker() == "o"]
    assert [len(line.get_xdata()) for line in points] == [20, 20, 0]
    assert "reference" in _labels(theta)


def test_a_folder_without_reference_gives_no_points(tmp_path, drawn):
    draw(_case([1.0]), tmp_path, *_numbers([1.0]), tmp_path / "a.png")
    assert all(line.get_marker() != "o" for a in drawn[0].axes for line in a.get_lines())


def test_wide_heads_are_drawn_on_a_logarithm(tmp_path, drawn):
    draw(_case([1.0]), None, *_numbers([1.0], -1000.0), tmp_path / "a.png")
    draw(_case([1.0]), None, *_numbers([1.0], -5.0), tmp_path / "a.png")
    assert [figure.axes[1].get_xscale() for figure in drawn] == ["symlog", "linear"]


def test_many_times_are_thinned(tmp_path, drawn):
    times = [float(t) for t in range(1, 31)]
    draw(_case(times), None, *_numbers(times), tmp_path / "a.png")
    labels = _labels(drawn[0].axes[0])
    assert len(labels) == 8
    assert (labels[0], labels[-1]) == ("1 d", "30 d")


def test_what_stays_zero_is_not_drawn(tmp_path, drawn):
    found, totals = _numbers([1.0])
    nothing = {name: 0.0 * x for name, x in totals.items() if name not in {"t", "storage"}}
    draw(_case([1.0]), None, found, totals | nothing, tmp_path / "a.png")
    _, _, amounts, storage = drawn[0].axes
    assert _labels(amounts) == []
    assert _labels(storage) == ["water in the soil"]


def test_without_matplotlib_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(InputError, match=r"diffhydro-jax\[plot\]"):
        draw(_case([1.0]), None, *_numbers([1.0]), tmp_path / "a.png")
    assert list(tmp_path.iterdir()) == []


def test_a_failed_figure_leaves_the_old_one(tmp_path):
    target = tmp_path / "a.png"
    target.write_bytes(b"old")
    figure, _ = blank_figure((2.0, 2.0))
    figure.savefig = lambda part, **_: part.write_bytes(b"half") and 1 / 0
    with pytest.raises(ZeroDivisionError):
        save(figure, target)
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]
