"""What pytesmo finds on the same series; `scripts/make_pytesmo_values.py` made its values."""

import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from diffhydro.evaluation import CdfMatch, score, triple_collocation
from diffhydro.evaluation.anomalies import anomalies

FOUND = json.loads((Path(__file__).parent / "pytesmo.json").read_text())
X, Y, Z = (np.array(FOUND["series"][name]) for name in "xyz")


@pytest.mark.parametrize("name", FOUND["metrics"])
def test_scores(name):
    x, y = (xr.DataArray(v, dims="time") for v in (X, Y))
    np.testing.assert_allclose(score(x, y)[name], FOUND["metrics"][name], rtol=1e-10)


def test_anomalies():
    found = anomalies(X[None], np.arange(len(X)), least=1)[0]
    np.testing.assert_allclose(found, FOUND["anomalies"], rtol=0.0, atol=1e-12)


@pytest.mark.parametrize("reference", range(3))
@pytest.mark.parametrize("name", ["gain", "error", "snr"])
def test_triple_collocation(name, reference):
    series = {n: xr.DataArray(v, dims="time") for n, v in zip("xyz", (X, Y, Z), strict=True)}
    found = triple_collocation(reference="xyz"[reference], **series)
    expected = FOUND["triple"][str(reference)][name]
    np.testing.assert_allclose(getattr(found, name), expected, rtol=1e-10)


def test_a_match_of_few_percentiles_also_beyond_the_extremes():
    far = np.concatenate([X, [X.min() - 0.05, X.max() + 0.05]])
    match = CdfMatch.fit(X, Y, percentiles=tuple(FOUND["cdf"]["percentiles"]))
    np.testing.assert_allclose(match.apply(far), FOUND["cdf"]["few"], rtol=1e-10)


@pytest.mark.parametrize(("case", "source"), [("many", X), ("tied", np.round(X, 2))])
def test_a_match_of_a_hundred_bins(case, source):
    match = CdfMatch.fit(source, Z, percentiles=tuple(np.linspace(0.0, 100.0, 101)))
    np.testing.assert_allclose(match.apply(source), FOUND["cdf"][case], rtol=1e-9)
