import dataclasses

import numpy as np
import pytest

from diffhydro.calibration.posterior import (
    Bands,
    Coverage,
    Interval,
    plot_bands,
    plot_correlation,
    plot_intervals,
    plot_reliability,
)
from diffhydro.errors import InputError
from tests.calibration.posterior.test_laplace import _made


def _is_png(path) -> bool:
    return path.read_bytes()[:4] == b"\x89PNG"


def test_parameters_are_drawn(tmp_path):
    found = _made()
    truth = found.values[0] * 1.02
    assert _is_png(plot_intervals(found, tmp_path / "intervals.png", truth=truth))
    assert _is_png(plot_correlation(found, tmp_path / "correlation.png", site=1))


def test_series_and_reliability_are_drawn(tmp_path):
    centre = np.sin(np.arange(60) / 9.0)[None]
    wide = np.array([0.2, 0.5])[:, None, None]
    ends = Interval(centre - wide, centre + wide)
    bands = Bands((0.5, 0.9), centre, Interval(0.5 * ends.low, 0.5 * ends.high), ends)
    seen = np.where(np.arange(60) < 30, centre[0] + 0.1, np.nan)
    path = plot_bands(bands, tmp_path / "bands.png", training=seen, label="theta (m³/m³)")
    assert _is_png(path)
    share = Coverage((0.5, 0.9), np.array([[0.4, 0.6], [0.8, 0.95]]), np.array([10, 20]))
    assert _is_png(plot_reliability({"both": share}, tmp_path / "reliability.png"))


def test_a_site_without_a_posterior_says_why(tmp_path):
    found = _made()
    root = found.root.copy()
    root[1] = np.nan
    broken = dataclasses.replace(found, root=root, reasons={1: "no number"})
    with pytest.raises(InputError, match="site 1 has no posterior: no number"):
        plot_intervals(broken, tmp_path / "x.png", site=1)
    with pytest.raises(InputError, match="there is no site 2"):
        plot_correlation(broken, tmp_path / "x.png", site=2)
