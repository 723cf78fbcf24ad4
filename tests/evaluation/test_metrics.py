"""Scores against their formulas, and where there is nothing to score."""

import numpy as np
import pytest

from diffhydro.evaluation.metrics import LEAST, Scores, scores


def series(sites=3, days=200, seed=0):
    rng = np.random.default_rng(seed)
    truth = 0.3 + 0.1 * np.sin(np.arange(days) / 20.0) + rng.normal(0.0, 0.02, (sites, days))
    observed = truth + rng.normal(0.0, 0.03, truth.shape)
    observed[rng.random(truth.shape) < 0.3] = np.nan
    return truth + 0.02, observed


def test_scores_are_their_formulas():
    simulated, observed = series()
    found = scores(simulated, observed)
    for site, (s, o) in enumerate(zip(simulated, observed, strict=True)):
        there = np.isfinite(o)
        s, o = s[there], o[there]
        r = np.corrcoef(s, o)[0, 1]
        expected = Scores(
            rmse=np.sqrt(np.mean((s - o) ** 2)),
            ubrmse=np.std(s - o),
            bias=np.mean(s - o),
            r=r,
            nse=1.0 - np.sum((s - o) ** 2) / np.sum((o - o.mean()) ** 2),
            kge=1.0 - np.linalg.norm([r - 1, s.std() / o.std() - 1, s.mean() / o.mean() - 1]),
            days=there.sum(),
        )
        for name, value in expected._asdict().items():
            np.testing.assert_allclose(getattr(found, name)[site], value, rtol=1e-9, err_msg=name)


def test_the_mean_square_is_bias_and_the_rest():
    found = scores(*series())
    np.testing.assert_allclose(found.rmse**2, found.bias**2 + found.ubrmse**2, rtol=1e-12)


def test_a_perfect_fit_has_perfect_scores():
    simulated, _ = series()
    found = scores(simulated, simulated)
    assert (found.rmse == 0).all()
    assert (found.bias == 0).all()
    assert (found.nse == 1).all()
    np.testing.assert_allclose(found.r, 1.0, rtol=1e-12)
    np.testing.assert_allclose(found.kge, 1.0, rtol=1e-12)


def test_sites_do_not_see_each_other():
    simulated, observed = series()
    alone = scores(simulated[1:2], observed[1:2])
    strange = observed.copy()
    strange[0] = np.nan
    together = scores(simulated, strange)
    for one, many in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one[0], many[1])


@pytest.mark.parametrize("gap", ["simulated", "observed"])
def test_only_days_with_both_count(gap):
    given = dict(zip(("simulated", "observed"), series(), strict=True))
    given[gap][:, :100] = np.nan
    found, rest = scores(**given), scores(*(x[:, 100:] for x in given.values()))
    for one, other in zip(found, rest, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)


def test_too_few_days_have_no_score_but_are_counted():
    simulated, observed = (np.full((2, LEAST), x) + np.arange(LEAST) for x in (0.0, 1.0))
    observed[0, 0] = np.nan
    found = scores(simulated, observed)
    assert found.days.tolist() == [LEAST - 1, LEAST]
    for name in Scores._fields[:-1]:
        assert np.isfinite(getattr(found, name)).tolist() == [False, True], name
    nothing = scores(simulated, np.full(simulated.shape, np.nan))
    assert np.isnan(nothing.rmse).all()


@pytest.mark.parametrize("value", [0.1, 0.3, 17.0])
def test_a_series_that_does_not_vary_has_no_correlation(value):
    """The mean of 200 times 0.1 is not 0.1, and what is left is no variance."""
    simulated, observed = series()
    constant = np.full(simulated.shape, value)
    for found in (scores(constant, observed), scores(simulated, constant)):
        assert np.isnan(found.r).all()
        assert np.isnan(found.kge).all()
        assert np.isfinite(found.rmse).all()
    assert np.isnan(scores(simulated, constant).nse).all()
    assert np.isfinite(scores(constant, observed).nse).all()


def test_single_precision_is_scored_in_double():
    simulated, observed = series()
    small = scores(simulated.astype(np.float32), observed.astype(np.float32))
    np.testing.assert_allclose(small.rmse, scores(simulated, observed).rmse, rtol=1e-5)
    assert small.rmse.dtype == np.float64
