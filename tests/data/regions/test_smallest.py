import numpy as np
import pytest

from diffhydro.data.regions import fewest_sites
from diffhydro.data.regions.similar import dissimilarity, similar_set
from diffhydro.data.regions.smallest import SIZES, flattens, mean_of_others
from diffhydro.errors import InputError


def alike(sites=20, days=500, seed=0, noise=0.03):
    """One weather, seen by all with noise of their own."""
    rng = np.random.default_rng(seed)
    weather = 0.25 + 0.05 * np.sin(np.arange(days) / 20.0)
    return weather + noise * rng.normal(size=(sites, days))


def test_dissimilarity_adds_up_as_published():
    x = alike(3)
    x[1] = 2.0 * x[1] + 0.1
    x[2, 100:] = np.nan
    d = dissimilarity(x, least=300)
    mean, deviation = np.nanmean(x, axis=1), np.nanstd(x, axis=1)
    r = np.corrcoef(x[0], x[1])[0, 1]
    spans = [np.ptp(mean), np.ptp(deviation)]
    expected = 0.4 * (1 - r) + 0.3 * abs(mean[0] - mean[1]) / spans[0]
    expected += 0.3 * abs(deviation[0] - deviation[1]) / spans[1]
    assert d[0, 1] == d[1, 0] == pytest.approx(expected)
    assert np.isinf(d[0, 2])
    assert (np.diag(d) == 0.0).all()


def test_the_similar_set_is_the_tight_group():
    rng = np.random.default_rng(0)
    at = np.concatenate([rng.normal(0.0, 5.0, 12), rng.normal(100.0, 0.1, 6)])
    distance = np.abs(at[:, None] - at[None])
    members = similar_set(distance, size=6, seeds=18)
    assert sorted(members) == [12, 13, 14, 15, 16, 17]
    # Grown by the mean distance to those in the set.
    for i in range(1, 6):
        rest = np.setdiff1d(np.arange(18), members[:i])
        assert members[i] == rest[distance[np.ix_(rest, members[:i])].mean(axis=1).argmin()]
    np.testing.assert_array_equal(members, similar_set(distance, size=6, seeds=18))


def test_sites_that_share_no_days_make_no_set():
    distance = np.full((4, 4), np.inf)
    np.fill_diagonal(distance, 0.0)
    distance[0, 1] = distance[1, 0] = 0.1
    assert sorted(similar_set(distance, size=2, seeds=4)) == [0, 1]
    with pytest.raises(InputError, match="no 3 sites found"):
        similar_set(distance, size=3, seeds=4)
    with pytest.raises(InputError, match="expected 2 to 4"):
        similar_set(distance, size=5)


def test_mean_of_others_has_the_error_that_theory_gives():
    x = alike(20, 4000, noise=0.03)
    skill = mean_of_others(x)
    for n in (2, 5, 10):
        expected = 0.03 * np.sqrt(1.0 + 1.0 / n)
        # Of 4000 squares the mean is known to √(2/4000), its root to half of that, three times.
        assert -skill(np.arange(1, 1 + n), 0) == pytest.approx(expected, rel=0.034)
    x[0, 10:] = np.nan
    x[1, :10] = np.nan
    assert np.isnan(mean_of_others(x)(np.array([1]), 0))


def test_the_yardstick_flattens_where_its_curve_does():
    found = fewest_sites(alike(25, 1500), seeds=5)
    assert found.sizes == SIZES
    assert len(found.members) == 15
    # Trained on n − 1: error √(1 + 1/(n − 1)), of which a tenth of the gain is left at n = 11.
    curve = -np.sqrt(1.0 + 1.0 / (np.array(SIZES) - 1.0))
    np.testing.assert_allclose(found.skill / 0.03, curve, rtol=0.02)
    assert flattens(SIZES, curve) == 11
    assert abs(found.chosen - 11) <= 1
    again = fewest_sites(alike(25, 1500), seeds=5)
    np.testing.assert_array_equal(found.skill, again.skill)


def test_a_model_trained_elsewhere_is_asked_for_every_site_and_size():
    asked, heard = [], []

    def skill(train, left_out):
        assert left_out not in train
        asked.append((len(train), left_out))
        return min(len(train), 4) / 4.0

    found = fewest_sites(
        alike(8),
        skill,
        sizes=range(2, 9),
        draws=2,
        progress=lambda *told: heard.append(told),
    )
    assert found.chosen == 5  # four to train on and one left out
    assert sorted(set(asked)) == sorted((n, i) for n in range(1, 8) for i in range(8))
    assert asked.count((3, 0)) == 2
    assert heard[-1] == ("leaving sites out", 56, 56)
    # With a draw for each site left out, what is drawn for more contains what is drawn for fewer.
    with pytest.raises(InputError, match="not a number"):
        fewest_sites(alike(8), lambda *_: float("nan"), sizes=(2, 3))
    with pytest.raises(InputError, match="increasing numbers from 2"):
        fewest_sites(alike(8), sizes=(1, 2))


def test_the_flattening_rule():
    assert flattens([3, 4, 5], np.array([0.0, 0.0, 0.0])) == 3
    assert flattens([3, 4, 5], np.array([0.0, 0.5, 1.0])) == 5
    assert flattens([3, 4, 5, 6], np.array([0.0, 1.0, 0.96, 1.0])) == 4  # scatter, averaged out
    assert flattens([3, 4, 5, 6], np.array([0.0, 0.6, 1.0, 0.98]), left=0.5) == 4
