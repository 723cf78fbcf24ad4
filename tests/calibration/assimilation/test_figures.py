"""Pictures are drawn, the same from the same numbers, and refuse to be empty."""

from types import SimpleNamespace

import numpy as np
import pytest

from diffhydro.calibration.assimilation.figures import draw_cost, draw_reports, draw_water
from diffhydro.errors import InputError
from tests.calibration.assimilation import linear

pytest.importorskip("matplotlib", reason="the plot extra is not installed")
PNG = b"\x89PNG"


def analysis():
    """What `draw_cost` looks at."""
    steps = 12
    terms = {"state upper": np.linspace(0.0, 3.0, steps + 1), "rain": np.zeros(steps + 1)}
    terms["observations"] = 900.0 * np.exp(-np.arange(steps + 1.0)) + 18.0
    seen = linear.observations(linear.record()[1])
    return SimpleNamespace(
        iterations=steps,
        terms=terms,
        cost=sum(terms.values()),
        converged=True,
        window=SimpleNamespace(observations=seen),
    )


def drawn(number, folder):
    """Draw one of the pictures."""
    target = folder / "picture.png"
    seen = linear.observations(linear.record()[1])
    line = np.full((2, linear.DAYS), 30.0)
    members = line[:, None] + np.arange(5.0)[None, :, None]
    dates = np.datetime64("2021-01-01") + np.arange(linear.DAYS)
    if number == 0:
        courses = {"open loop": line, "analysis": members}
        draw_reports(target, seen, courses, unit="mm", days=dates)
    elif number == 1:
        water = np.sin(np.arange(linear.DAYS))
        draw_water(target, {"soil": water * np.ones((4, 1)), "snow": 0.0 * water})
    else:
        draw_cost(target, analysis())
    return target.read_bytes()


@pytest.mark.parametrize("number", range(3))
def test_a_picture_is_a_png_and_the_same_twice(number, tmp_path):
    one = drawn(number, tmp_path)
    assert one.startswith(PNG)
    assert one == drawn(number, tmp_path)


def test_empty_pictures_teach(tmp_path):
    with pytest.raises(InputError, match="no water was added"):
        draw_water(tmp_path / "x.png", {"soil": np.zeros(5)})
    with pytest.raises(InputError, match="give at least one observation"):
        draw_reports(tmp_path / "x.png", [], {})
