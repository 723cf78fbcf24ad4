"""Write what pytesmo finds on three short series: `tests/evaluation/pytesmo.json`.

pytesmo is no dependency of this project. Run this in an environment that has it:

    python scripts/make_pytesmo_values.py tests/evaluation/pytesmo.json
"""

import json
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
from pytesmo.cdf_matching import CDFMatching
from pytesmo.metrics import pairwise, tcol_metrics
from pytesmo.time_series.anomaly import calc_anomaly

DAYS = 240
PERCENTILES = [0, 5, 10, 30, 50, 70, 90, 95, 100]


def three_series():
    """Give soil moisture as a probe, a model and a satellite would, to four digits."""
    rng = np.random.default_rng(7)
    truth = np.empty(DAYS)
    truth[0] = 0.0
    for t in range(1, DAYS):
        truth[t] = 0.9 * truth[t - 1] + rng.normal()
    truth = 0.25 + 0.03 * truth + 0.04 * np.sin(np.arange(DAYS) / 40.0)
    x = truth + rng.normal(0.0, 0.02, DAYS)
    y = 0.05 + 0.7 * truth + rng.normal(0.0, 0.015, DAYS)
    z = -0.1 + 1.4 * truth + rng.normal(0.0, 0.05, DAYS)
    return [np.round(v, 4) for v in (x, y, z)]


def metrics_of(x, y):
    return {
        "bias": pairwise.bias(x, y),
        "mae": pairwise.aad(x, y),
        "rmse": pairwise.rmsd(x, y),
        "ubrmse": pairwise.ubrmsd(x, y),
        "nse": pairwise.nash_sutcliffe(y, x),
        "r": pairwise.pearson_r(x, y),
        "rank_r": pairwise.spearman_r(x, y),
    }


def triple(x, y, z):
    names = ("snr", "error", "gain")
    return {
        str(i): dict(zip(names, map(np.ndarray.tolist, tcol_metrics(x, y, z, i)), strict=True))
        for i in range(3)
    }


def matched(x, y, z):
    far = np.concatenate([x, [x.min() - 0.05, x.max() + 0.05]])
    tied = np.round(x, 2)
    few = CDFMatching(percentiles=np.array(PERCENTILES, float)).fit(x, y)
    return {
        "percentiles": PERCENTILES,
        "few": few.predict(far).tolist(),
        "many": CDFMatching(nbins=100).fit(x, z).predict(x).tolist(),
        "tied": CDFMatching(nbins=100).fit(tied, z).predict(tied).tolist(),
    }


def main(target):
    x, y, z = three_series()
    series = pd.Series(x, pd.date_range("2019-01-01", periods=DAYS))
    found = {
        "pytesmo": version("pytesmo"),
        "series": {"x": x.tolist(), "y": y.tolist(), "z": z.tolist()},
        "metrics": metrics_of(x, y),
        "anomalies": calc_anomaly(series, window_size=35).tolist(),
        "triple": triple(x, y, z),
        "cdf": matched(x, y, z),
    }
    Path(target).write_text(json.dumps(found, default=float) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
