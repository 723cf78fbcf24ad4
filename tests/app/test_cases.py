"""The case runner against verified solutions, and against files that cannot be used.

Reference solutions: `tests/reference/richards`, each verified by grid halving, a second integrator
and, where one exists, an exact solution.
"""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from diffhydro.app import case_report
from diffhydro.app.case_read import read_case
from diffhydro.app.column import run, solve
from diffhydro.errors import InputError

CASES = Path(__file__).parents[1] / "reference" / "richards"
NAMES = sorted(path.stem for path in CASES.glob("p*.json"))
QUICK = {"p05_srivastava_yeh_homogeneous", "p08_steady_evaporation_water_table"}


def named(name: str, quick: set[str]):
    return name if name in quick else pytest.param(name, marks=pytest.mark.slow)


@pytest.mark.parametrize("name", [named(name, QUICK) for name in NAMES])
def test_reference_case_in_float64(name):
    spec, weather = read_case(CASES / f"{name}.json")
    setup, result = solve(spec, weather, None, "float64", None)
    found = case_report.profiles(spec, setup, result)
    totals = case_report.series(spec, result)
    errors = case_report.compare(spec, CASES, found, totals)
    record = case_report.record(setup, result, "float64", errors)
    assert errors["theta_mean_abs"] <= 5e-4
    assert errors["theta_rms"] <= 5e-3
    for series, miss in errors["series"].items():
        assert miss["worst_over_allowed"] <= 1.0, series  # 0.5 % or 0.1 mm
    assert record["unconverged_steps"] == 0
    assert record["mass_balance_error_relative"] <= 1e-10


FLOAT32 = ["p01_celia_newmexico", "p07_steady_flux_loam_over_sand", "p12_daily_3yr_loam"]


@pytest.mark.slow
@pytest.mark.parametrize("name", FLOAT32)
def test_reference_case_in_float32(name):
    spec, weather = read_case(CASES / f"{name}.json")
    setup, result = solve(spec, weather, 200, "float32", None)
    found = case_report.profiles(spec, setup, result)
    assert setup.water.psi.dtype == np.float32
    errors = case_report.compare(spec, CASES, found, case_report.series(spec, result))
    # The grid of 200 layers is coarser than the default, so the bounds are those of float64 there.
    assert errors["theta_mean_abs"] <= 1e-3
    assert errors["theta_rms"] <= 1e-2
    record = case_report.record(setup, result, "float32", None)
    assert record["mass_balance_error_relative"] <= 2e-5


def test_files_have_the_reference_columns_and_rows(tmp_path):
    name = "p05_srivastava_yeh_homogeneous"
    run(
        CASES / f"{name}.json",
        out=tmp_path,
        nodes=40,
        dtype="float64",
        tolerance=None,
        compare=False,
        plot=False,
    )
    for kind in ("profiles", "series"):
        ours, theirs = (
            [line.split(",") for line in (folder / f"{name}_{kind}.csv").read_text().splitlines()]
            for folder in (tmp_path, CASES)
        )
        assert ours[0] == theirs[0]
        assert len(ours) == len(theirs)
        np.testing.assert_allclose(
            [float(row[0]) for row in ours[1:]], [float(row[0]) for row in theirs[1:]], rtol=1e-8
        )
    record = json.loads((tmp_path / f"{name}_run.json").read_text())
    assert record["nodes"] == 40
    assert record["unconverged_steps"] == 0
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(
        f"{name}_{end}" for end in ("profiles.csv", "series.csv", "run.json")
    )


def change(content: dict, path: str, value) -> dict:
    """Set, or with `...` delete, one key of a case."""
    at = content
    *parents, last = path.split(".")
    for key in parents:
        at = at[int(key)] if key.isdigit() else at[key]
    if value is ...:
        del at[last]
    else:
        at[last] = value
    return content


WRONG = [
    ("layers.0.soil.n", 0.9, "n"),
    ("layers.0.soil.theta_r", 0.5, "theta_r"),
    ("layers.0.soil.Ks", -1.0, "k_sat"),
    ("layers.0.top", 0.2, "layers.0.top"),
    ("layers", [], "layers"),
    ("colour", "red", "unknown key 'colour'"),
    ("depth", ..., "'depth' is missing"),
    ("depth", "deep", "depth"),
    ("units", {"length": "cm", "time": "day"}, "units.length"),
    ("output_times", [1.0, 0.5], "output_times"),
    ("profile_times", [0.0, 0.5], "profile_times"),
    ("top.type", "rain", "top"),
    ("forcing_file", "../elsewhere.csv", "beside the case file"),
    ("forcing_file", "nowhere.csv", "does not exist"),
]


@pytest.mark.parametrize(("path", "value", "said"), WRONG, ids=[f"{p}={v}" for p, v, _ in WRONG])
def test_wrong_case_is_refused_and_nothing_is_written(tmp_path, path, value, said):
    content = json.loads((CASES / "p10_storms_ponding_loam.json").read_text())
    case, out = tmp_path / "case.json", tmp_path / "out"
    case.write_text(json.dumps(change(content, path, value)))
    forcing = "p10_storms_ponding_loam_forcing.csv"
    shutil.copy(CASES / forcing, tmp_path / forcing)
    with pytest.raises(InputError, match=r"(?s).*") as refused:
        run(case, out=out, nodes=20, dtype="float64", tolerance=None, compare=False, plot=False)
    assert said in str(refused.value)
    assert not out.exists() or not list(out.iterdir())


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("0.25,nan,0,0", "P is nan"),
        ("0.25,-0.1,0,0", "not negative"),
        ("0.1,0.1,0,0", "does not increase"),
        ("0.25,0.1,0", "3 values for 4 columns"),
        ("0.25,wet,0,0", "not a number"),
    ],
)
def test_wrong_forcing_is_refused_with_its_line(tmp_path, line, said):
    case = CASES / "p10_storms_ponding_loam.json"
    shutil.copy(case, tmp_path / case.name)
    rows = (CASES / "p10_storms_ponding_loam_forcing.csv").read_text().splitlines()
    rows[2] = line
    (tmp_path / "p10_storms_ponding_loam_forcing.csv").write_text("\n".join(rows) + "\n")
    with pytest.raises(InputError) as refused:
        read_case(tmp_path / case.name)
    assert said in str(refused.value)
    assert "line 3" in str(refused.value)


def test_unwritable_folder_is_named(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with pytest.raises(InputError, match="cannot write into output folder"):
        run(
            CASES / "p05_srivastava_yeh_homogeneous.json",
            out=blocked / "out",
            nodes=10,
            dtype="float64",
            tolerance=None,
            compare=False,
            plot=False,
        )
