"""Scores of data sets with named axes: all but time keep their coordinates.

With s simulated, o observed, on the days with both, e = s − o, and a′ anomalies (`anomalies.py`):

    rmse = √⟨e²⟩     bias = ⟨e⟩     ubrmse = √(rmse² − bias²)     mae = ⟨|e|⟩
    r = corr(s, o)   rank_r = corr of ranks (ties share their mean)   anomaly_r = corr(s′, o′)
    nse = 1 − ⟨e²⟩/var o
    kge = 1 − √[(r − 1)² + (sd s/sd o − 1)² + (⟨s⟩/⟨o⟩ − 1)²]                (Gupta et al. 2009)
"""

from typing import TYPE_CHECKING

import numpy as np

from diffhydro.errors import InputError
from diffhydro.evaluation.anomalies import anomalies
from diffhydro.evaluation.metrics import LEAST, scores
from diffhydro.evaluation.pairing import Paired

if TYPE_CHECKING:
    import xarray as xr

NAMES = ("rmse", "ubrmse", "bias", "mae", "r", "rank_r", "nse", "kge", "anomaly_r", "days")
_BLOCK = 2_000_000  # numbers that are worked on at once, so that maps fit into memory
_SAID = {
    "rmse": "root mean square error",
    "ubrmse": "root mean square error without the bias",
    "bias": "mean error, simulated less observed",
    "mae": "mean absolute error",
    "r": "Pearson's correlation",
    "rank_r": "Spearman's correlation of ranks",
    "nse": "efficiency of Nash and Sutcliffe",
    "kge": "efficiency of Kling and Gupta",
    "anomaly_r": "correlation of departures from the mean of 35 days",
    "days": "steps with both",
}
_WITH_UNIT = ("rmse", "ubrmse", "bias", "mae")


def score(
    simulated: "xr.DataArray", observed: "xr.DataArray", *, over: str = "time", least: int = LEAST
) -> "xr.Dataset":
    """Score series along `over`; NaN where there are fewer than `least` steps with both.

    Steps that one of them lacks are passed over. All other axes must have the same coordinates in
    both, or be in one only, such as `model` or `member`, which is then scored against the other.

    >>> import xarray as xr
    >>> truth = xr.DataArray([[0.2, 0.3, 0.2, 0.4]], dims=("site", "time"), coords={"site": ["a"]})
    >>> float(score(truth + 0.05, truth, least=3)["bias"].sel(site="a").round(3))
    0.05
    """
    import xarray as xr

    if least < 2:
        raise InputError(f"least is {least}; a score needs 2 steps or more")
    pairs = Paired.of(simulated, observed, over)
    found = _in_blocks(pairs, least)
    unit = observed.attrs.get("units", simulated.attrs.get("units", ""))
    made = xr.Dataset({name: pairs.named(found[name]) for name in NAMES})
    for name in NAMES:
        made[name].attrs = {"long_name": _SAID[name]}
        if unit and name in _WITH_UNIT:
            made[name].attrs["units"] = unit
    return made


def score_rows(
    simulated: np.ndarray, observed: np.ndarray, at: np.ndarray, least: int
) -> dict[str, np.ndarray]:
    """Score rows `[row, step]` of numbers that are both there or both NaN."""
    a, b = anomalies(simulated, at), anomalies(observed, at)
    return {**plain_scores(simulated, observed, least), "anomaly_r": scores(a, b, least).r}


def plain_scores(simulated: np.ndarray, observed: np.ndarray, least: int) -> dict[str, np.ndarray]:
    """Score rows by all that does not ask which step follows which."""
    found = scores(simulated, observed, least)._asdict()
    enough = found["days"] >= least
    gone = np.abs(np.nan_to_num(simulated - observed)).sum(axis=1)
    found["mae"] = np.where(enough, gone / np.maximum(found["days"], 1), np.nan)
    found["rank_r"] = scores(_ranks(simulated), _ranks(observed), least).r
    return found


def _ranks(values: np.ndarray) -> np.ndarray:
    from scipy.stats import rankdata

    return np.asarray(rankdata(values, axis=1, nan_policy="omit"))


def _in_blocks(pairs: Paired, least: int) -> dict[str, np.ndarray]:
    number, steps = pairs.simulated.shape
    size = max(1, _BLOCK // max(steps, 1))
    parts = [
        score_rows(pairs.simulated[i : i + size], pairs.observed[i : i + size], pairs.at, least)
        for i in range(0, max(number, 1), size)
    ]
    return {name: np.concatenate([part[name] for part in parts]) for name in NAMES}
