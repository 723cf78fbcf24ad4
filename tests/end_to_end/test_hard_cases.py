"""Cases without a reference: they must run through, keep their books, and agree with finer runs."""

from pathlib import Path

import numpy as np
import pytest

from diffhydro.app import case_report
from diffhydro.app.case_read import read_case
from diffhydro.app.case_setup import set_up
from diffhydro.app.column import solve

FOLDER = Path(__file__).parents[1] / "data" / "cases"
CASES = sorted(FOLDER.glob("*.json"))
NODES, FINER = 800, 1600
# Between 800 and 1600 graded nodes, of the largest value of each total (and 0.1 mm). Measured, and
# about twice what was seen.
SELF = 0.02


def named(path: Path) -> str:
    return path.stem


def run(path: Path, nodes: int | None, dtype: str, tolerance: float | None = None):
    spec, weather = read_case(path)
    setup, result = solve(spec, weather, nodes, dtype, tolerance)
    return (
        spec,
        case_report.record(setup, result, dtype, None),
        case_report.series(spec, result),
        case_report.profiles(spec, setup, result),
        result,
    )


@pytest.mark.slow
@pytest.mark.exhaustive
@pytest.mark.parametrize("path", CASES, ids=named)
def test_hard_case(path):
    spec, record, totals, profiles, _result = run(path, NODES, "float64")
    assert record["unconverged_steps"] == 0
    assert record["mass_balance_error_relative"] <= 1e-10
    assert all(np.isfinite(x).all() for x in (*totals.values(), *profiles.values()))
    low = min(layer.soil.theta_r for layer in spec.layers)
    high = max(layer.soil.theta_s for layer in spec.layers)
    assert ((profiles["theta"] >= low) & (profiles["theta"] <= high)).all()
    assert ((totals["pond"] >= 0) & (totals["pond"] <= spec.top.pond_max * (1 + 1e-9))).all()
    assert (np.diff(totals["cum_runoff"], prepend=0) >= -1e-12).all()
    assert (np.diff(totals["cum_evaporation"], prepend=0) >= -1e-9).all()
    weather = read_case(path)[1]
    demand = np.interp(
        totals["t"],
        np.concatenate([[0], weather.t_end]),
        np.concatenate(
            [[0], np.cumsum(weather.columns["Epot"] * np.diff(weather.t_end, prepend=0))]
        ),
    )
    assert (totals["cum_evaporation"] <= demand + 1e-9).all()
    if spec.bottom.type == "seepage":
        assert (np.diff(totals["cum_bottom_outflow"], prepend=0) >= 0).all()
    _agrees(totals, run(path, FINER, "float64", 5e-5)[2])


@pytest.mark.slow
@pytest.mark.exhaustive
@pytest.mark.parametrize("path", CASES, ids=named)
def test_hard_case_in_float32(path):
    """The same totals, and no step flagged."""
    _, record, totals, profiles, _ = run(path, NODES, "float32")
    assert record["unconverged_steps"] == 0
    assert all(np.isfinite(x).all() for x in (*totals.values(), *profiles.values()))
    _agrees(totals, run(path, NODES, "float64")[2], 2e-3)
    spec, weather = read_case(path)
    held = float(set_up(spec, weather, NODES, np.float64).water.stored.sum()) / 1000.0
    assert record["mass_balance_error_m"] <= 2e-5 * held


def _agrees(found: dict, finer: dict, share: float = SELF):
    for name in case_report.SERIES:
        size = np.abs(finer[name]).max()
        np.testing.assert_allclose(
            found[name], finer[name], rtol=0, atol=share * size + 1e-4, err_msg=name
        )
