"""The fourteen reference cases, run as the command line runs them, within the promised errors.

The references and how they were made are in tests/reference/richards/README.md.
"""

import time
from pathlib import Path

import numpy as np
import pytest

from diffhydro.app import case_report
from diffhydro.app.case_read import read_case
from diffhydro.app.column import solve

FOLDER = Path(__file__).parents[1] / "reference" / "richards"
CASES = sorted(FOLDER.glob("p*.json"))

THETA_MEAN, THETA_RMS = 5e-4, 5e-3
BALANCE = 1e-10  # of throughput, float64
BALANCE_SINGLE = 2e-5
# Years of weather and steep layers: each takes as long as the others together.
LONG = ("p04", "p07", "p11", "p12", "p13")
SECONDS = 60.0  # with compilation, on an idle machine


def named(path: Path) -> str:
    return path.stem


def run(path: Path, dtype: str):
    spec, weather = read_case(path)
    setup, result = solve(spec, weather, None, dtype, None)
    found = case_report.profiles(spec, setup, result)
    totals = case_report.series(spec, result)
    errors = case_report.compare(spec, path.parent, found, totals)
    return spec, case_report.record(setup, result, dtype, errors), errors, found, totals


def test_all_cases_are_here():
    assert len(CASES) == 14


@pytest.mark.slow
@pytest.mark.parametrize(
    "path",
    [
        pytest.param(
            path, id=named(path), marks=pytest.mark.exhaustive if named(path)[:3] in LONG else []
        )
        for path in CASES
    ],
)
def test_case_in_float64(path):
    began = time.process_time()
    spec, record, errors, found, totals = run(path, "float64")
    # Processor time: what else the machine does must not fail a test.
    assert time.process_time() - began < SECONDS
    assert errors["theta_mean_abs"] <= THETA_MEAN
    assert errors["theta_rms"] <= THETA_RMS
    over = {name: miss["worst_over_allowed"] for name, miss in errors["series"].items()}
    assert max(over.values()) <= 1.0, over
    assert record["unconverged_steps"] == 0
    assert record["mass_balance_error_relative"] <= BALANCE

    # The comparison itself, once more and by hand, so that it cannot be wrong with the result.
    truth = np.genfromtxt(path.parent / f"{spec.id}_profiles.csv", delimiter=",", names=True)
    for name in ("t", "z"):
        np.testing.assert_allclose(found[name], truth[name], rtol=1e-9, atol=1e-12)
    assert np.abs(found["theta"] - truth["theta"]).mean() <= THETA_MEAN
    sums = np.genfromtxt(path.parent / f"{spec.id}_series.csv", delimiter=",", names=True)
    assert list(totals) == list(sums.dtype.names)
    for name in sums.dtype.names:
        np.testing.assert_allclose(totals[name], sums[name], rtol=5e-3, atol=1e-4)


@pytest.mark.exhaustive
@pytest.mark.slow
@pytest.mark.parametrize("path", CASES, ids=named)
def test_case_in_float32(path):
    """The limits of float64, and nothing flagged: rounding must not show."""
    _, record, errors, _, _ = run(path, "float32")
    assert errors["theta_mean_abs"] <= THETA_MEAN
    assert errors["theta_rms"] <= THETA_RMS
    assert max(miss["worst_over_allowed"] for miss in errors["series"].values()) <= 1.0
    assert record["unconverged_steps"] == 0
    assert record["mass_balance_error_relative"] <= BALANCE_SINGLE


@pytest.mark.exhaustive
@pytest.mark.slow
def test_layered_analytic_case_converges_with_second_order():
    """Srivastava & Yeh's two layers: error of θ against the series solution, uniform refinement."""
    path = FOLDER / "p06_srivastava_yeh_two_layer.json"
    spec, weather = read_case(path)
    counts, errors = [50, 100, 200, 400], []
    for count in counts:
        setup, result = solve(spec, weather, count, "float64", 2e-6)
        found = case_report.profiles(spec, setup, result)
        totals = case_report.series(spec, result)
        errors.append(case_report.compare(spec, path.parent, found, totals)["theta_mean_abs"])
    slope = np.polyfit(np.log(1.0 / np.asarray(counts)), np.log(errors), 1)[0]
    assert abs(slope - 2) < 0.15, errors
