"""Running a case: what is written, in which columns and rows, and the record of the run."""

import csv
import itertools
import json
import sys

import numpy as np
import pytest

from diffhydro.app import cli
from diffhydro.app.case_read import read_case
from diffhydro.app.case_setup import set_up
from tests.app.case_files import GOOD, LOAM, REMOVE, changed, write

SERIES = [
    "t", "cum_net_infiltration", "cum_runoff", "cum_evaporation", "cum_transpiration",
    "cum_bottom_outflow", "storage", "pond",
]  # fmt: skip
BOTTOMS = {
    "free_drainage": {"type": "free_drainage"},
    "no_flow": {"type": "no_flow"},
    "seepage": {"type": "seepage"},
    "head": {"type": "head", "value": 0.0},
    "flux": {"type": "flux", "value": 0.001},
}


def run(monkeypatch, capsys, *arguments: str) -> str:
    monkeypatch.setattr(sys, "argv", ["diffhydro", "column", *arguments, "--no-cache"])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    printed = capsys.readouterr()
    assert stop.value.code == 0, printed.err
    return printed.out


def table(path) -> dict[str, np.ndarray]:
    with path.open(newline="") as stream:
        rows = list(csv.reader(stream))
    values = np.asarray(rows[1:], float)
    return {name: values[:, i] for i, name in enumerate(rows[0])}


@pytest.fixture
def small(monkeypatch, capsys, tmp_path):
    def go(case=GOOD, *more: str):
        out = tmp_path / "out"
        said = run(monkeypatch, capsys, str(write(tmp_path / "in", case)), "--out", str(out),
                   "--nodes", "16", *more)  # fmt: skip
        return out, said

    return go


@pytest.mark.exhaustive
@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_files_columns_and_rows(small, dtype):
    out, said = small(GOOD, "--dtype", dtype)
    names = {"small_profiles.csv", "small_series.csv", "small_run.json"}
    assert {f.name for f in out.iterdir()} == names
    assert said.startswith(f"small: 16 layers, {dtype}")

    series = table(out / "small_series.csv")
    assert list(series) == SERIES
    np.testing.assert_allclose(series["t"], GOOD["output_times"])
    profiles = table(out / "small_profiles.csv")
    assert list(profiles) == ["t", "z", "h", "theta"]
    assert len(profiles["t"]) == 100 * len(GOOD["profile_times"])
    np.testing.assert_allclose(profiles["z"][:100], (np.arange(100) + 0.5) / 100.0)
    np.testing.assert_allclose(profiles["t"], np.repeat(GOOD["profile_times"], 100))
    assert (profiles["theta"] > 0.078).all()
    assert (profiles["theta"] <= 0.43).all()

    record = json.loads((out / "small_run.json").read_text())
    for key in ("nodes", "steps", "iterations", "unconverged_steps", "mass_balance_error_m",
                "compile_seconds", "run_seconds"):  # fmt: skip
        assert isinstance(record[key], int | float)
    assert record["nodes"] == 16
    assert record["unconverged_steps"] == 0
    assert record["dtype"] == dtype
    assert record["mass_balance_error_relative"] < (1e-10 if dtype == "float64" else 2e-5)


@pytest.mark.slow
def test_series_balance_with_each_other(small):
    out, _ = small()
    s = table(out / "small_series.csv")
    setup = set_up(*read_case(out.parent / "in" / "small.json"), 16, np.float64)
    start = float(setup.water.stored.sum()) / 1000.0
    gained = s["cum_net_infiltration"] - s["cum_transpiration"] - s["cum_bottom_outflow"]
    np.testing.assert_allclose(s["storage"] - start, gained, atol=1e-9)
    rain = np.asarray([0.01, 0.02, 0.02, 0.02])
    spent = s["cum_net_infiltration"] + s["cum_runoff"] + s["cum_evaporation"] + s["pond"]
    np.testing.assert_allclose(spent, rain, atol=1e-9)
    assert (np.diff(s["cum_evaporation"]) >= 0).all()
    assert s["cum_evaporation"][-1] <= 0.001 + 2 * 0.003 + 1e-12


@pytest.mark.exhaustive
@pytest.mark.slow
@pytest.mark.parametrize("bottom", BOTTOMS)
def test_every_bottom_runs(small, bottom):
    out, _ = small(changed("bottom", BOTTOMS[bottom]))
    record = json.loads((out / "small_run.json").read_text())
    assert record["unconverged_steps"] == 0
    outflow = table(out / "small_series.csv")["cum_bottom_outflow"]
    if bottom in {"no_flow", "seepage"}:
        assert not outflow.any()
    if bottom == "flux":
        np.testing.assert_allclose(outflow, 0.001 * np.asarray(GOOD["output_times"]), rtol=1e-9)
    if bottom == "head":
        assert outflow[-1] < 0


@pytest.mark.exhaustive
@pytest.mark.slow
def test_a_second_run_replaces_the_first_and_leaves_the_rest_alone(small):
    out, _ = small()
    (out / "notes.txt").write_text("mine")
    before = (out / "small_series.csv").read_text()
    out, _ = small(GOOD, "--tolerance", "1e-2")
    assert (out / "notes.txt").read_text() == "mine"
    assert (out / "small_series.csv").read_text() != before
    assert len(list(out.iterdir())) == 4


@pytest.mark.exhaustive
@pytest.mark.slow
def test_a_looser_tolerance_takes_fewer_steps(small):
    steps = []
    for tolerance in ("1e-2", "1e-4"):
        out, _ = small(GOOD, "--tolerance", tolerance)
        steps.append(json.loads((out / "small_run.json").read_text())["steps"])
    assert steps[0] < steps[1]


@pytest.mark.parametrize(
    "nodes", [2, 10, 200, *(pytest.param(n, marks=pytest.mark.exhaustive) for n in (3, 37, 1600))]
)
def test_the_number_of_nodes_is_obeyed_and_soils_change_on_faces(tmp_path, nodes):
    case, weather = read_case(write(tmp_path))
    column = set_up(case, weather, nodes, np.float64).column
    assert column.layers == nodes
    assert np.min(np.abs(np.asarray(column.faces) - 400.0)) < 1e-9
    assert float(column.depth) == pytest.approx(1000.0)
    if nodes >= 20:  # graded at any count: fine at the surface, and no leap within a soil
        sizes = np.asarray(column.thickness)
        assert sizes[0] < 0.7 * sizes.mean()
        same = np.diff(column.horizon) == 0
        assert np.abs(np.log(sizes[1:] / sizes[:-1]))[same].max() < np.log(2.0)


@pytest.mark.parametrize("nodes", [3, 4, 7, 20])
def test_thin_layers_keep_a_node_each(tmp_path, nodes):
    edges = [0.0, 0.002, 0.5, 1.0]
    three = [{"top": a, "bottom": b, "soil": LOAM} for a, b in itertools.pairwise(edges)]
    case, weather = read_case(write(tmp_path, changed("layers", three)))
    column = set_up(case, weather, nodes, np.float64).column
    assert column.layers == nodes
    assert set(column.horizon) == {0, 1, 2}
    assert (np.asarray(column.thickness) > 0).all()


def test_intervals_end_at_every_report_and_every_change_of_weather(tmp_path):
    forcing = "t_end,P,Epot,Tpot\n0.7,0.01,0,0\n1.0,0.02,0,0\n2.5,0.03,0,0\n9,0.04,0,0\n"
    case, weather = read_case(write(tmp_path, forcing=forcing))
    setup = set_up(case, weather, 10, np.float64)
    np.testing.assert_allclose(setup.ends, [0.5, 0.7, 1.0, 2.0, 2.5, 3.0])
    np.testing.assert_allclose(setup.drives.surface, [10.0, 10.0, 20.0, 30.0, 30.0, 40.0])
    np.testing.assert_allclose(setup.rain, [5.0, 2.0, 6.0, 30.0, 15.0, 20.0])
    np.testing.assert_allclose(setup.durations.sum(), 3.0)


@pytest.mark.parametrize("off", [1e-12, -1e-12])
def test_times_that_differ_by_rounding_are_one(tmp_path, off):
    forcing = f"t_end,P,Epot,Tpot\n{1.0 + off!r},0.02,0,0\n3.0,0,0,0\n"
    case, weather = read_case(write(tmp_path, forcing=forcing))
    setup = set_up(case, weather, 10, np.float64)
    np.testing.assert_allclose(setup.ends, [0.5, 1.0, 2.0, 3.0])
    np.testing.assert_allclose(setup.drives.surface, [20.0, 20.0, 0.0, 0.0])


def test_constant_weather_needs_no_file(tmp_path):
    case = changed("forcing_file", REMOVE)
    case["roots"] = None
    case["top"] |= {"P": 0.01, "Epot": 0.002}
    setup = set_up(*read_case(write(tmp_path, case, None)), 10, np.float64)
    np.testing.assert_allclose(setup.drives.surface, 8.0)
    np.testing.assert_allclose(setup.rain.sum(), 30.0)


def test_layers_of_one_form_are_one_soil_and_mixed_forms_are_several(tmp_path):
    case, weather = read_case(write(tmp_path))
    assert len(set_up(case, weather, 10, np.float64).problem.medium.soils) == 1
    sand = {"model": "brooks_corey", "theta_r": 0.02, "theta_s": 0.4, "h_b": 0.1, "lambda": 0.5,
            "Ks": 5.0, "l": 1.0}  # fmt: skip
    case, weather = read_case(write(tmp_path, changed("layers.1.soil", sand)))
    assert len(set_up(case, weather, 10, np.float64).problem.medium.soils) == 2


def test_two_prescribed_fluxes_get_a_storage_and_a_note(tmp_path):
    case = changed("top", {"type": "flux", "value": 0.01})
    case["bottom"] = {"type": "no_flow"}
    setup = set_up(*read_case(write(tmp_path, case)), 10, np.float64)
    assert float(setup.problem.specific_storage) == pytest.approx(1e-9)
    assert "both ends" in setup.notes[0]
