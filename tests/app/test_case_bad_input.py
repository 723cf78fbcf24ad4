"""What cannot be used is refused in one paragraph, with exit status 2 and no files."""

import json
import os
import sys
from pathlib import Path

import pytest

from diffhydro.app import cli
from tests.app.case_files import FORCING, GOOD, LOAM, REMOVE, changed, write


def run(monkeypatch, capsys, *arguments: str) -> tuple[int, str]:
    monkeypatch.setattr(sys, "argv", ["diffhydro", "column", *arguments, "--no-cache"])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    return stop.value.code, capsys.readouterr().err


def refused(monkeypatch, capsys, tmp_path, case, forcing=FORCING, *more: str) -> str:
    file = write(tmp_path / "in", case, forcing)
    out = tmp_path / "out"
    status, said = run(monkeypatch, capsys, str(file), "--out", str(out), *more)
    assert status == 2
    assert said.count("\n") == 1
    assert not out.exists(), "a refused case leaves a folder behind"
    return said


LAYERS = GOOD["layers"]
# what is changed, to what, and what the message must name: key, value, allowed range
CASES = {
    "unknown_key": ("colour", "blue", ["colour", "unknown"]),
    "misspelt_key": ("bottom.valeu", 1.0, ["bottom", "valeu"]),
    "unknown_soil_key": ("layers.0.soil.ks", 1.0, ["layers.0", "ks"]),
    "missing_depth": ("depth", REMOVE, ["depth", "missing"]),
    "missing_layers": ("layers", REMOVE, ["layers", "missing"]),
    "missing_n": ("layers.1.soil.n", REMOVE, ["layers.1", "n", "missing"]),
    "missing_air_dry": ("top.h_air_dry", REMOVE, ["top", "h_air_dry", "missing"]),
    "missing_feddes": ("roots.feddes", REMOVE, ["roots.feddes", "missing"]),
    "unknown_model": ("layers.0.soil.model", "peat", ["layers.0.soil", "peat", "van_genuchten"]),
    "unknown_top": ("top.type", "rain", ["top", "rain", "atmosphere"]),
    "unknown_bottom": ("bottom.type", "leaky", ["bottom", "leaky", "free_drainage"]),
    "unknown_roots": ("roots.shape", "tap", ["roots.shape", "tap", "linear"]),
    "centimetres": ("units.length", "cm", ["units.length", "cm", "'m'"]),
    "hours": ("units.time", "hour", ["units.time", "hour", "'day'"]),
    "n_is_one": ("layers.0.soil.n", 1.0, ["layers.0.soil", "n", "1", "> 1"]),
    "n_below_one": ("layers.1.soil.n", 0.9, ["layers.1.soil", "n", "0.9", "> 1"]),
    "residual_above_saturated": (
        "layers.0.soil.theta_r", 0.5, ["layers.0.soil", "theta_r", "0.5", "theta_s", "0.43"]
    ),
    "residual_equals_saturated": ("layers.0.soil.theta_r", 0.43, ["layers.0.soil", "theta_r", "0.43"]),  # noqa: E501
    "negative_residual": ("layers.0.soil.theta_r", -0.1, ["layers.0.soil", "theta_r", "-0.1", "0"]),
    "porosity_in_percent": ("layers.0.soil.theta_s", 43.0, ["layers.0.soil", "theta_s", "43", "1"]),
    "negative_conductivity": ("layers.0.soil.Ks", -0.5, ["layers.0.soil", "Ks", "-0.5", "0"]),
    "no_conductivity": ("layers.1.soil.Ks", 0.0, ["layers.1.soil", "Ks", "0"]),
    "negative_alpha": ("layers.0.soil.alpha", -3.6, ["layers.0.soil", "alpha", "-3.6", "0"]),
    "a_soil_that_is_nan": ("layers.0.soil.Ks", float("nan"), ["layers.0.soil", "Ks", "finite"]),
    "infinite_depth": ("depth", float("inf"), ["depth", "finite"]),
    "text_for_a_number": ("layers.0.soil.n", "steep", ["layers.0.soil", "n", "steep", "number"]),
    "number_as_text": ("initial.h", "-2.0", ["initial", "h", "-2.0"]),
    "a_claim_for_a_number": ("depth", True, ["depth", "true"]),
    "empty_layers": ("layers", [], ["layers", "at least 1"]),
    "layers_upside_down": ("layers", LAYERS[::-1], ["layers.0.top", "0.4"]),
    "gap_between_layers": ("layers.1.top", 0.5, ["layers.1.top", "0.5", "0.4"]),
    "layer_without_thickness": ("layers.0.bottom", 0.0, ["layers.0", "bottom", "0"]),
    "layers_too_short": ("layers.1.bottom", 0.9, ["0.9", "depth", "1"]),
    "negative_depth": ("depth", -1.0, ["depth", "-1", "greater than 0"]),
    "negative_storage": ("Ss", -1e-6, ["Ss", "greater than or equal to 0"]),
    "positive_air_dry": ("top.h_air_dry", 100.0, ["h_air_dry", "100", "less than 0"]),
    "negative_pond": ("top.pond_max", -0.1, ["pond_max", "-0.1"]),
    "negative_constant_rain": ("top.P", -0.01, ["top", "P", "-0.01"]),
    "times_that_fall": ("output_times", [1.0, 0.5], ["output_times", "1.0", "0.5", "increase"]),
    "times_that_repeat": ("profile_times", [1.0, 1.0], ["profile_times", "1.0", "increase"]),
    "times_from_zero": ("output_times", [0.0, 1.0], ["output_times", "0.0", "positive"]),
    "no_times": ("output_times", [], ["output_times", "at least 1"]),
    "stress_in_the_wrong_order": ("roots.feddes.h3", -90.0, ["roots.feddes", "h3", "-90"]),
    "negative_rooting_depth": ("roots.depth", -0.5, ["roots.depth", "-0.5"]),
    "k_without_exponential": ("roots.k", 3.0, ["roots", "k", "exponential"]),
    "exponential_without_k": ("roots.shape", "exponential", ["roots", "k", "exponential"]),
    "steady_flux_in_loam": (
        "initial", {"type": "steady_flux", "q": 0.01, "h_bottom": 0.0}, ["steady_flux", "gardner"]
    ),
    "an_id_that_leaves_the_folder": ("id", "../small", ["id", "../small"]),
    "an_empty_id": ("id", "", ["id"]),
    "absolute_forcing": ("forcing_file", "/etc/passwd", ["forcing_file", "/etc/passwd"]),
    "escaping_forcing": ("forcing_file", "../small_forcing.csv", ["forcing_file", ".."]),
    "absent_forcing": ("forcing_file", "nowhere.csv", ["nowhere.csv", "exist"]),
    "no_forcing": ("forcing_file", REMOVE, ["'P'", "'Epot'", "'Tpot'", "forcing_file"]),
    "a_folder_for_forcing": ("forcing_file", ".", ["forcing"]),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_bad_case_is_refused(monkeypatch, capsys, tmp_path, name):
    path, value, names = CASES[name]
    said = refused(monkeypatch, capsys, tmp_path, changed(path, value))
    assert [word for word in names if word not in said] == [], said


HEAD = "t_end,P,Epot,Tpot\n"
WEATHER = {
    "negative_rain": (HEAD + "1,0.1,0,0\n4,-0.1,0,0\n", ["P", "-0.1", "line 3", "negative"]),
    "nan_rain": (HEAD + "1,nan,0,0\n4,0,0,0\n", ["P", "nan", "line 2"]),
    "empty_rain": (HEAD + "1,,0,0\n4,0,0,0\n", ["P", "line 2"]),
    "infinite_evaporation": (HEAD + "1,0,inf,0\n4,0,0,0\n", ["Epot", "inf", "line 2"]),
    "negative_transpiration": (HEAD + "1,0,0,-1\n4,0,0,0\n", ["Tpot", "-1"]),
    "text": (HEAD + "1,wet,0,0\n4,0,0,0\n", ["line 2", "wet"]),
    "times_that_fall": (HEAD + "2,0,0,0\n1,0,0,0\n4,0,0,0\n", ["line 3", "t_end", "1"]),
    "times_that_repeat": (HEAD + "1,0,0,0\n1,0,0,0\n4,0,0,0\n", ["line 3", "t_end"]),
    "times_from_zero": (HEAD + "0,0,0,0\n4,0,0,0\n", ["line 2", "t_end", "0"]),
    "nan_times": (HEAD + "nan,0,0,0\n4,0,0,0\n", ["t_end", "nan"]),
    "too_short": (HEAD + "1,0,0,0\n2.9,0,0,0\n", ["2.9", "3"]),
    "no_rows": (HEAD, ["no rows"]),
    "nothing": ("", ["t_end", "missing"]),
    "missing_column": ("t_end,P,Epot\n4,0,0\n", ["missing", "Tpot"]),
    "unknown_column": ("t_end,P,Epot,Tpot,snow\n4,0,0,0,0\n", ["unknown", "snow"]),
    "column_twice": ("t_end,P,Epot,Tpot,P\n4,0,0,0,9\n", ["P"]),
    "ragged": (HEAD + "1,0,0\n4,0,0,0\n", ["line 2", "3 values"]),
    "nan_after_the_end": (HEAD + "4,0,0,0\n5,nan,0,0\n", ["P", "line 3"]),
    "blank_line_before_the_fault": (HEAD + "\n1,0,0,0\n4,-1,0,0\n", ["P", "-1", "line 4"]),
}  # fmt: skip


@pytest.mark.parametrize("name", WEATHER)
def test_bad_weather_is_refused(monkeypatch, capsys, tmp_path, name):
    forcing, names = WEATHER[name]
    said = refused(monkeypatch, capsys, tmp_path, GOOD, forcing)
    assert [word for word in ["small_forcing.csv", *names] if word not in said] == [], said


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "null", '"text"', "\x00", '{"id": "a"}', "[1, 2]"], ids=repr
)
def test_what_is_no_case_at_all(monkeypatch, capsys, tmp_path, content):
    assert "small.json" in refused(monkeypatch, capsys, tmp_path, content)


def test_a_case_that_is_no_text(monkeypatch, capsys, tmp_path):
    file = write(tmp_path)
    file.write_bytes(b"\xff\xfe\x00\x80")
    status, said = run(monkeypatch, capsys, str(file), "--out", str(tmp_path / "out"))
    assert status == 2
    assert "small.json" in said


def test_forcing_that_is_no_text(monkeypatch, capsys, tmp_path):
    file = write(tmp_path)
    (tmp_path / "small_forcing.csv").write_bytes(b"t_end,P\xff\xfe\n\x80")
    status, said = run(monkeypatch, capsys, str(file), "--out", str(tmp_path / "out"))
    assert status == 2
    assert "small_forcing.csv" in said


def test_a_link_out_of_the_folder_is_not_followed(monkeypatch, capsys, tmp_path):
    """`forcing_file` stays beside the case, also by way of a link."""
    file = write(tmp_path / "in", forcing=None)
    (tmp_path / "secret.csv").write_text(FORCING)
    (tmp_path / "in" / "small_forcing.csv").symlink_to(tmp_path / "secret.csv")
    status, _ = run(monkeypatch, capsys, str(file), "--out", str(tmp_path / "out"))
    assert status == 2


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written(monkeypatch, capsys, tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    status, said = run(monkeypatch, capsys, str(write(tmp_path)), "--out", str(closed))
    assert status == 2
    assert str(closed) in said
    assert list(closed.iterdir()) == []


@pytest.mark.parametrize("below", ["", "deeper"])
def test_a_file_where_the_folder_should_be(monkeypatch, capsys, tmp_path, below):
    taken = tmp_path / "taken"
    taken.write_text("mine")
    status, said = run(monkeypatch, capsys, str(write(tmp_path)), "--out", str(taken / below))
    assert status == 2
    assert "taken" in said
    assert said.count("\n") == 1
    assert taken.read_text() == "mine"


def test_fewer_nodes_than_layers(monkeypatch, capsys, tmp_path):
    three = [{"top": t, "bottom": b, "soil": LOAM} for t, b in ((0.0, 0.2), (0.2, 0.4), (0.4, 1.0))]
    said = refused(monkeypatch, capsys, tmp_path, changed("layers", three), FORCING, "--nodes", "2")
    assert "--nodes" in said
    assert "3 layers" in said


def test_comparing_needs_a_reference(monkeypatch, capsys, tmp_path):
    said = refused(monkeypatch, capsys, tmp_path, GOOD, FORCING, "--compare")
    assert "small_profiles.csv" in said


@pytest.mark.exhaustive
@pytest.mark.parametrize("spoilt", ["", "t,z,h,theta\n", "t,z,h,theta\n1,2,3\n", "a,b\n1,2\n"])
def test_a_reference_that_cannot_be_read(monkeypatch, capsys, tmp_path, spoilt):
    file = write(tmp_path / "in")
    for kind in ("profiles", "series"):
        (tmp_path / "in" / f"small_{kind}.csv").write_text(spoilt)
    arguments = ("--out", str(tmp_path / "out"), "--nodes", "8", "--compare")
    status, said = run(monkeypatch, capsys, str(file), *arguments)
    assert status == 2
    assert "small_profiles.csv" in said
    assert not list((tmp_path / "out").glob("*"))


def test_a_failure_in_the_run_leaves_no_files(monkeypatch, tmp_path):
    """Also a fault of our own, half way."""
    from diffhydro.app import column

    def fail(*_, **__):
        raise RuntimeError("half way")

    monkeypatch.setattr(column, "run_case", fail)
    monkeypatch.setattr(
        sys, "argv",
        ["diffhydro", "column", str(write(tmp_path)), "--out", str(tmp_path / "o"), "--no-cache"],
    )  # fmt: skip
    with pytest.raises(RuntimeError, match="half way"):
        cli.main()
    assert not list((tmp_path / "o").glob("*"))


def test_the_small_case_itself_is_good(tmp_path):
    from diffhydro.app.case_read import read_case

    case, weather = read_case(write(tmp_path))
    assert case.id == "small"
    assert sorted(weather.columns) == ["Epot", "P", "Tpot"]
    assert json.loads(Path(tmp_path / "small.json").read_text()) == GOOD
