"""Whether regions mean something for the series in them, which k-means never saw.

Two questions (Xi & Zhuang 2026): are series inside a cluster more alike than over all sites, by the
mean correlation of pairs; and do the means and the standard deviations of sites differ between
clusters, by a one-way analysis of variance.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from diffhydro.errors import InputError

OVERLAP = 365  # days that two series share: fewer tell of weather, not of places


class Anova(NamedTuple):
    """F, the chance of so large an F if all clusters had one mean, and degrees of freedom."""

    f: float
    p: float
    between: int
    within: int


@dataclass(frozen=True, eq=False)
class Coherence:
    """Mean correlations of pairs of sites.

    Args:
        inside: Over pairs that share a cluster: the means of clusters weighted by their pairs.
        overall: Over all pairs.
        by_cluster: NaN for a cluster without a pair.
        pairs: In each cluster, that overlap enough.
    """

    inside: float
    overall: float
    by_cluster: np.ndarray
    pairs: np.ndarray


@dataclass(frozen=True, eq=False)
class Judgement:
    """How regions do on series of sites."""

    coherence: Coherence
    of_means: Anova
    of_deviations: Anova


def judge_regions(series: np.ndarray, labels: np.ndarray, least: int = OVERLAP) -> Judgement:
    """Ask both questions of series `[site, time]` with gaps.

    Args:
        labels: The cluster of each site.
        least: Days that a pair must share, and a site must have.
    """
    series = np.asarray(series, np.float64)
    few = np.isfinite(series).sum(axis=1) < least
    if few.any():
        raise InputError(
            f"{few.sum()} of {len(series)} series have fewer than {least} values (first: row "
            f"{np.flatnonzero(few)[0]}); leave them out"
        )
    mean, deviation = moments(series)
    return Judgement(
        coherence(correlations(series, least), labels),
        anova(mean, labels),
        anova(deviation, labels),
    )


def moments(series: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give mean and standard deviation of each series over what is there; NaN for an empty one."""
    known = np.isfinite(series)
    count = np.where(known.any(axis=1), known.sum(axis=1), np.nan)
    mean = np.where(known, series, 0.0).sum(axis=1) / count
    apart = np.where(known, series - mean[:, None], 0.0)
    return mean, np.sqrt((apart**2).sum(axis=1) / count)


def correlations(series: np.ndarray, least: int = OVERLAP) -> np.ndarray:
    """Give Pearson's r of all pairs of series `[site, time]`, each over the days that both have.

    NaN where they share fewer than `least` days, or one of them does not vary on those.
    """
    series = np.asarray(series, np.float64)
    known = np.isfinite(series)
    mean, deviation = moments(series)
    # Of order one around zero, so that sums of squares cancel little.
    size = np.where(deviation > 0.0, deviation, 1.0)[:, None]
    x = np.where(known, (np.where(known, series, 0.0) - mean[:, None]) / size, 0.0)
    there = known.astype(np.float64)
    count = there @ there.T
    n = np.maximum(count, 1.0)
    total = x @ there.T  # of a row's site over the days that the column's site has too
    squares = (x**2) @ there.T
    spread = squares - total**2 / n
    shared = x @ x.T - total * total.T / n
    # Beyond rounding of sums of n squares.
    varies = spread > 1e-12 * n
    good = (count >= max(least, 2)) & varies & varies.T
    scale = np.sqrt(np.where(good, spread * spread.T, 1.0))
    return np.where(good, np.clip(shared / scale, -1.0, 1.0), np.nan)


def coherence(r: np.ndarray, labels: np.ndarray) -> Coherence:
    """Average correlations `[site, site]` over pairs inside clusters, and over all pairs."""
    labels = _checked(labels, len(r))
    first, second = np.triu_indices(len(r), 1)
    found = r[first, second]
    known = np.isfinite(found)
    if not known.any():
        raise InputError("no pair of sites overlaps enough to be correlated")
    first, second, found = first[known], second[known], found[known]
    own = labels[first]
    inside = own == labels[second]
    clusters = int(labels.max()) + 1
    pairs = np.bincount(own[inside], minlength=clusters)
    sums = np.bincount(own[inside], found[inside], clusters)
    by_cluster = sums / np.where(pairs > 0, pairs, np.nan)
    mean = float(sums.sum() / pairs.sum()) if pairs.sum() else float("nan")
    return Coherence(mean, float(found.mean()), by_cluster, pairs)


def anova(values: np.ndarray, labels: np.ndarray) -> Anova:
    """Compare the clusters' means of a number that each site has (Fisher's one-way F).

    Clusters without sites do not count.
    """
    from scipy.stats import f as fisher

    values = np.asarray(values, np.float64)
    labels = _checked(labels, len(values))
    if not np.isfinite(values).all():
        raise InputError("a site has no value; leave it out of the analysis of variance")
    _, own, count = np.unique(labels, return_inverse=True, return_counts=True)
    between, within = len(count) - 1, len(values) - len(count)
    if between < 1 or within < 1:
        raise InputError(
            f"{len(values)} sites in {len(count)} clusters; an analysis of variance needs two "
            "clusters and more sites than clusters"
        )
    means = np.bincount(own, values) / count
    explained = float((count * (means - values.mean()) ** 2).sum())
    left = float(((values - means[own]) ** 2).sum())
    if np.ptp(values) == 0.0:
        raise InputError("all sites have the same value; there is no variance to analyse")
    ratio = explained / between / (left / within) if left > 0.0 else float("inf")
    return Anova(ratio, float(fisher.sf(ratio, between, within)), between, within)


def _checked(labels: np.ndarray, sites: int) -> np.ndarray:
    labels = np.asarray(labels)
    if labels.shape != (sites,):
        raise InputError(f"labels of shape {labels.shape} do not fit {sites} sites")
    return labels.astype(np.int64)
