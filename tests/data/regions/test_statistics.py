import numpy as np
import pytest
from scipy.stats import f_oneway

from diffhydro.data.regions import judge_regions
from diffhydro.data.regions.statistics import anova, coherence, correlations, moments
from diffhydro.errors import InputError


def series(sites=12, days=800, seed=0, gaps=0.2):
    """Two groups that follow a weather each, with means and swings of their own."""
    rng = np.random.default_rng(seed)
    weather = rng.normal(size=(2, days)).cumsum(axis=1)
    weather = (weather - weather.mean(axis=1, keepdims=True)) / weather.std(axis=1, keepdims=True)
    own = np.arange(sites) % 2
    found = 0.2 + 0.1 * own[:, None] + 0.03 * (1 + own[:, None]) * weather[own]
    found += 0.01 * rng.normal(size=(sites, days)) + 0.01 * rng.normal(size=(sites, 1))
    found[rng.random(found.shape) < gaps] = np.nan
    return found, own


def pairwise(x, y):
    both = np.isfinite(x) & np.isfinite(y)
    return np.corrcoef(x[both], y[both])[0, 1]


@pytest.mark.parametrize("offset", [0.0, 1e5])
def test_correlations_are_those_of_the_shared_days(offset):
    found, _ = series()
    r = correlations(found + offset, least=100)
    for i in range(len(found)):
        for j in range(len(found)):
            # An offset of 1e5 costs the input itself seven digits.
            assert r[i, j] == pytest.approx(pairwise(found[i], found[j]), abs=1e-8)


def test_too_little_overlap_and_no_variation_have_no_correlation():
    found, _ = series(4, 600, gaps=0.0)
    found[0, 300:] = np.nan
    found[1, :250] = np.nan
    found[2, :300] = 0.31  # varies, but not while the first is there
    r = correlations(found, least=51)
    assert np.isnan(r[0, 1])
    assert np.isfinite(correlations(found, least=50)[0, 1])
    assert np.isnan(r[0, 2])
    assert np.isfinite(r[1, 2])
    np.testing.assert_array_equal(np.isnan(r), np.isnan(r.T))


def test_coherence_weights_clusters_by_their_pairs():
    r = np.full((5, 5), 0.1)
    r[0, 1] = r[1, 0] = 0.9
    r[2, 3] = r[3, 2] = 0.5
    r[2, 4] = r[4, 2] = 0.3
    r[3, 4] = r[4, 3] = np.nan
    found = coherence(r, np.array([0, 0, 2, 2, 2]))
    assert found.pairs.tolist() == [1, 0, 2]
    np.testing.assert_allclose(found.by_cluster, [0.9, np.nan, 0.4])
    assert found.inside == pytest.approx((1 * 0.9 + 2 * 0.4) / 3)
    assert found.overall == pytest.approx((0.9 + 0.5 + 0.3 + 6 * 0.1) / 9)


def test_anova_equals_scipys():
    rng = np.random.default_rng(1)
    labels = rng.integers(4, size=60)
    values = rng.normal(size=60) + 0.3 * labels + 1e4
    expected = f_oneway(*(values[labels == i] for i in range(4)))
    found = anova(values, 2 * labels)  # clusters without sites do not count
    assert found.f == pytest.approx(expected.statistic, rel=1e-6)
    assert found.p == pytest.approx(expected.pvalue, rel=1e-6)
    assert (found.between, found.within) == (3, 56)


def test_anova_refuses_what_has_no_answer():
    for values, labels, match in (
        (np.arange(3.0), [0, 0, 0], "3 sites in 1 clusters"),
        (np.arange(3.0), [0, 1, 2], "3 sites in 3 clusters"),
        (np.full(4, 0.1), [0, 0, 1, 1], "the same value"),
        (np.array([1.0, np.nan, 2.0]), [0, 0, 1], "no value"),
        (np.arange(3.0), [0, 1], "do not fit 3 sites"),
    ):
        with pytest.raises(InputError, match=match):
            anova(values, np.array(labels))


def test_regions_that_mean_something_are_told_from_chance():
    found, own = series(40)
    good = judge_regions(found, own)
    assert good.coherence.inside > 0.9 > 0.6 > good.coherence.overall
    assert good.of_means.p < 1e-3
    assert good.of_deviations.p < 1e-3
    rng = np.random.default_rng(0)
    r, (mean, _) = correlations(found), moments(found)
    chances = [rng.permutation(own) for _ in range(200)]
    small = sum(anova(mean, labels).p < 0.05 for labels in chances)
    assert 1 <= small <= 20  # of 200 with a chance of 5 %: 10 ± 3 · 3.1
    inside = np.mean([coherence(r, labels).inside for labels in chances])
    assert inside == pytest.approx(good.coherence.overall, abs=0.02)
    with pytest.raises(InputError, match="40 of 40 series have fewer than 900 values"):
        judge_regions(found, own, least=900)


def test_moments_pass_over_gaps():
    mean, deviation = moments(np.array([[1.0, np.nan, 3.0], [np.nan] * 3]))
    assert mean[0] == 2.0
    assert deviation[0] == 1.0
    assert np.isnan(mean[1])
    assert np.isnan(deviation[1])
