"""How sure scores are: intervals by resampling blocks of days, so that memory is kept.

Days that follow each other are alike; drawing them one by one makes intervals too narrow. The
stationary bootstrap (Politis & Romano 1994) draws blocks of days, of a geometric length with mean
b, from the series bent to a ring. A block length that suits a series is (Politis & White 2004, as
corrected by Patton, Politis & White 2009)

    b = (2 G²/D)^(1/3) n^(1/3),    G = Σ_k λ(k/M) |k| R(k),    D = 2 [Σ_k λ(k/M) R(k)]²

with R the autocovariance, λ(t) = 1 up to |t| = ½ and 2(1 − |t|) up to 1, and M twice the lag after
which five correlations in a row are below 2 √(log₁₀ n / n). What scores are means of are the errors
e, and the products s′o′ of departures from the mean; b is the longer of both.
"""

from typing import TYPE_CHECKING

import numpy as np

from diffhydro.errors import InputError
from diffhydro.evaluation.anomalies import anomalies
from diffhydro.evaluation.metrics import LEAST, scores
from diffhydro.evaluation.pairing import Paired
from diffhydro.evaluation.scoring import NAMES, plain_scores

if TYPE_CHECKING:
    import xarray as xr

BOUNDS = ("low", "high")
_SCORES = NAMES[:-1]
_RUN = 5  # correlations that are noise: √(log₁₀ n) of them is never more


def bootstrap(
    simulated: "xr.DataArray",
    observed: "xr.DataArray",
    *,
    seed: int,
    draws: int = 500,
    block: float | None = None,
    level: float = 0.95,
    over: str = "time",
    least: int = LEAST,
) -> "xr.Dataset":
    """Give intervals of scores, low and high along `bound`, and the block length of each place.

    All places draw the same days as long as their blocks are equally long, so that what two models
    have in common at a place does not blur their difference.

    Args:
        block: Mean length of blocks, steps; chosen for each place if not given.
        level: How often the interval should hold the true score; between its quantiles over draws.
    """
    import xarray as xr

    if not (draws >= 20 and 0.0 < level < 1.0 and (block is None or block >= 1.0)):
        raise InputError(
            f"{draws} draws, level {level}, block {block}: give 20 draws or more, a level between "
            "0 and 1, and blocks of at least one step"
        )
    pairs = Paired.of(simulated, observed, over)
    _check_even(pairs.at, over)
    ends = np.array([(1.0 - level) / 2.0, (1.0 + level) / 2.0])
    lengths = np.array([
        suits(s, o) if block is None else block
        for s, o in zip(pairs.simulated, pairs.observed, strict=True)
    ])  # fmt: skip
    found = {name: np.full((len(lengths), 2), np.nan) for name in _SCORES}
    for row, (s, o) in enumerate(zip(pairs.simulated, pairs.observed, strict=True)):
        if np.isfinite(s).sum() < least:
            continue
        days = drawn(len(s), draws, lengths[row], np.random.default_rng(seed))
        for name, values in _redrawn(s, o, pairs.at, days).items():
            if np.isfinite(values).any():
                found[name][row] = np.nanquantile(values, ends)
    made = xr.Dataset({n: pairs.named(x, bound=list(BOUNDS)) for n, x in found.items()})
    made["block"] = pairs.named(lengths)
    return made.assign_attrs(level=level, draws=draws, seed=seed)


def drawn(steps: int, draws: int, block: float, rng: np.random.Generator) -> np.ndarray:
    """Draw days `[draw, step]`: each follows the one before it, or with chance 1/block is any."""
    start = rng.integers(0, steps, (draws, steps))
    is_new = rng.random((draws, steps)) < 1.0 / block
    is_new[:, 0] = True
    place = np.arange(steps)
    at = np.maximum.accumulate(np.where(is_new, place, 0), axis=1)
    return (np.take_along_axis(start, at, axis=1) + place - at) % steps


def suits(simulated: np.ndarray, observed: np.ndarray) -> float:
    """Choose the length of blocks for a pair of series."""
    off = [x - _mean(x) for x in (simulated, observed)]
    return max(block_length(simulated - observed), block_length(off[0] * off[1]))


def block_length(series: np.ndarray) -> float:
    """Choose the mean length of blocks for the mean of a series, of which steps may be missing."""
    known = np.isfinite(series)
    n = int(known.sum())
    if n < 10:
        return 1.0
    off = np.where(known, series - _mean(series), 0.0)
    most = int(min(np.ceil(np.sqrt(len(series)) + 10 * np.log10(n)), len(series) - 1))
    covariance = _covariances(off, known, most)
    if covariance[0] <= 0.0:
        return 1.0
    reach = _reach(covariance / covariance[0], n, most)
    lags = np.arange(1, reach + 1)
    taper = np.minimum(1.0, 2.0 * (1.0 - lags / reach))
    weighted = taper * covariance[1 : reach + 1]
    g, d = 2.0 * (lags * weighted).sum(), covariance[0] + 2.0 * weighted.sum()
    best = np.cbrt(g**2 / d**2 * n) if d != 0 else 1.0
    return float(np.clip(best, 1.0, min(3.0 * np.sqrt(n), n / 3.0)))


def _reach(correlation: np.ndarray, n: int, most: int) -> int:
    """Give M: twice the lag after which nothing stands out of the noise."""
    small = np.abs(correlation[1:]) < 2.0 * np.sqrt(np.log10(n) / n)
    for lag in range(len(small) - _RUN + 1):
        if small[lag : lag + _RUN].all():
            return int(min(max(2 * lag, 1), most))
    return most


def _covariances(off: np.ndarray, known: np.ndarray, most: int) -> np.ndarray:
    """Give autocovariances from lag 0 to `most`, each over the pairs that are there."""
    length = 2 ** int(np.ceil(np.log2(len(off) + most + 1)))
    products, pairs = (
        np.fft.irfft(np.abs(np.fft.rfft(x, length)) ** 2, length)[: most + 1]
        for x in (off, known.astype(np.float64))
    )
    # Pairs of a lag that gaps leave few of count for their share, as in a series without gaps.
    share = 1.0 - np.arange(most + 1) / len(off)
    return products / np.maximum(np.rint(pairs), 1.0) * share


def _mean(values: np.ndarray) -> float:
    return float(np.nanmean(values)) if np.isfinite(values).any() else np.nan


def _redrawn(
    s: np.ndarray, o: np.ndarray, at: np.ndarray, days: np.ndarray
) -> dict[str, np.ndarray]:
    """Score every draw. Anomalies are those of the series, for a draw has no neighbours in time."""
    found = plain_scores(s[days], o[days], 2)
    a, b = (anomalies(x[None], at)[0] for x in (s, o))
    found["anomaly_r"] = scores(a[days], b[days], 2).r
    return {name: found[name] for name in _SCORES}


def _check_even(at: np.ndarray, over: str) -> None:
    gaps = np.diff(at)
    if len(gaps) and not (gaps == gaps[0]).all():
        raise InputError(
            f"blocks need even steps of {over}; reindex the series, and leave what is missing NaN"
        )
