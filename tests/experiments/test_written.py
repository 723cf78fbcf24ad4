"""Scores of a run: the same in both files."""

import csv

import numpy as np
import pytest
import xarray as xr

from experiments.global_pgdl.told.written import write_scores


def test_both_files_hold_every_model_at_every_site(tmp_path):
    days = np.datetime64("2020-01-01", "ns") + np.arange(100) * np.timedelta64(1, "D")
    seen = np.random.default_rng(0).random((2, 100))
    observed = xr.DataArray(seen, {"site": ["a", "b"], "time": days}, ("site", "time"))
    write_scores({"off": observed + 0.25, "exact": observed}, observed, tmp_path)
    kept = xr.load_dataset(tmp_path / "scores.nc", engine="h5netcdf")
    rows = list(csv.DictReader((tmp_path / "metrics.csv").read_text("utf-8").splitlines()))
    assert [(row["model"], row["site"]) for row in rows] == [
        ("off", "a"), ("off", "b"), ("exact", "a"), ("exact", "b"),
    ]  # fmt: skip
    for row in rows:
        wanted = 0.25 if row["model"] == "off" else 0.0
        there = kept.sel(model=row["model"], site=row["site"])
        assert float(row["rmse"]) == pytest.approx(float(there["rmse"]))
        assert float(row["rmse"]) == pytest.approx(wanted)
        assert int(row["days"]) == 100
