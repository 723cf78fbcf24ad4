import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diffhydro.data.gaps import Climatology, Method, Neighbours
from diffhydro.data.places import Places
from diffhydro.errors import InputError
from tests.data.gaps.series import check_law, days, holed, weather

LENGTH = 1000


def places(apart, count=3):
    """Sites on the equator, so many degrees from one to the next."""
    return Places(tuple("abcdef"[:count]), np.zeros(count), np.arange(count) * apart)


@settings(deadline=None)
@given(holed(), st.integers(1, 20), st.floats(-1.0, 1.0))
def test_law(values, overlap, correlation):
    law = Neighbours(places(0.1), least_overlap=overlap, least_correlation=correlation)
    filled = law.fill(values, days(values.shape[1]))
    check_law(filled, values)
    assert set(np.unique(filled.methods)) <= {Method.AS_FOUND, Method.NEIGHBOURS}
    assert np.nanmin(np.append(filled.values, 0.0)) >= 0.0
    assert np.nanmax(np.append(filled.values, 0.0)) <= 1.0


def test_an_exact_line_is_found_again():
    other = weather(1, LENGTH)[0]
    values = np.stack([0.05 + 0.6 * other, other])
    truth = values.copy()
    values[0, 200:400] = np.nan
    filled = Neighbours(places(0.1, 2)).fill(values, days(LENGTH))
    assert (filled.methods[0, 200:400] == Method.NEIGHBOURS).all()
    inside = (truth[0] >= np.nanmin(values[0])) & (truth[0] <= np.nanmax(values[0]))
    np.testing.assert_allclose(filled.values[0, inside], truth[0, inside], atol=1e-12)


def test_two_neighbours_are_the_weighted_mean_of_their_regressions():
    values = weather(3, LENGTH)
    values[0, 500] = np.nan
    values[2, 100:300] = np.nan
    made = Neighbours(places(0.1), least_overlap=100).fill(values, days(LENGTH)).values[0, 500]
    said, weights = [], []
    for other in (1, 2):
        both = ~np.isnan(values[0]) & ~np.isnan(values[other])
        slope, intercept = np.polyfit(values[other, both], values[0, both], 1)
        residual = values[0, both] - intercept - slope * values[other, both]
        said.append(intercept + slope * values[other, 500])
        weights.append(1.0 / np.mean(residual**2))
    assert made == pytest.approx(np.average(said, weights=weights), rel=1e-9)


@pytest.mark.parametrize(
    "options",
    [
        {"within": 10.0},
        {"least_overlap": LENGTH},
        {"least_correlation": 0.9999},
        {"donors": ("a",)},
        {"limit": 9.0},
        {"most": 0},
    ],
)
def test_every_condition_can_forbid(options):
    values = weather(3, LENGTH)
    values[0, 500:510] = np.nan
    assert Neighbours(places(0.1)).fill(values, days(LENGTH)).filled[0, 500:510].all()
    assert not Neighbours(places(0.1), **options).fill(values, days(LENGTH)).filled.any()


def test_a_common_season_is_no_common_weather():
    """Without weather in common, anomalies do not correlate although the series do."""
    values = weather(2, 1500, shared=0.0)
    values[0, 700:710] = np.nan
    times = days(1500)
    plain = Neighbours(places(0.1, 2), least_correlation=0.6)
    assert plain.fill(values, times).filled.any()
    assert (
        not Neighbours(places(0.1, 2), least_correlation=0.6, seasons=Climatology())
        .fill(values, times)
        .filled.any()
    )


def test_anomalies_are_better_where_seasons_differ():
    rng = np.random.default_rng(1)
    values = weather(2, 2000, shared=0.95)
    day = 2.0 * np.pi * np.arange(2000) / 365.25
    values[1] += 0.2 * np.cos(day) - 0.1 * np.cos(day - 2.0)
    truth = values.copy()
    for start in rng.integers(0, 1900, 12):
        values[0, start : start + 60] = np.nan
    gap = np.isnan(values[0])

    def error(law):
        return np.sqrt(np.nanmean((law.fill(values, days(2000)).values[0] - truth[0])[gap] ** 2))

    plain = error(Neighbours(places(0.1, 2), least_correlation=0.5))
    anomalies = error(Neighbours(places(0.1, 2), least_correlation=0.5, seasons=Climatology()))
    assert anomalies < 0.7 * plain


def test_only_the_period_is_learned_from():
    values = weather(2, LENGTH)
    times = days(LENGTH)
    values[0, 100:110] = np.nan
    law = Neighbours(
        places(0.1, 2),
        period=(str(times[0]), str(times[499])),
        least_overlap=100,
        seasons=Climatology(period=(str(times[0]), str(times[499]))),
    )
    expected = law.fill(values, times).values[0, 100:110]
    assert np.isfinite(expected).all()
    changed = values.copy()
    changed[0, 500:] = 1.0 - changed[0, 500:]
    np.testing.assert_allclose(law.fill(changed, times).values[0, 100:110], expected, rtol=1e-9)


def test_a_line_is_not_followed_beyond_what_the_site_has_had():
    values = np.repeat(weather(1, LENGTH), 2, axis=0)
    values[1, 500:503] = 0.9, -0.9, values[1].mean()
    values[0, 500:503] = np.nan
    made = Neighbours(places(0.1, 2), least_correlation=0.1).fill(values, days(LENGTH)).values[0]
    assert made[500] == np.nanmax(values[0])
    assert made[501] == np.nanmin(values[0])
    assert made[502] == pytest.approx(values[1, 502], abs=0.01)


def test_constant_series_say_nothing():
    values = np.stack([weather(1, LENGTH)[0], np.full(LENGTH, 0.1), np.full(LENGTH, 0.7)])
    values[:, 10:20] = np.nan
    law = Neighbours(places(0.1), least_correlation=-1.0)
    assert not law.fill(values.astype(np.float32), days(LENGTH)).filled.any()


def test_wrong_sites_are_refused():
    with pytest.raises(InputError, match="2 series came for 3 places"):
        Neighbours(places(0.1)).fill(np.zeros((2, 5)), days(5))
    with pytest.raises(InputError, match="the donor z is none of the 3 sites"):
        Neighbours(places(0.1), donors=("z",)).fill(np.zeros((3, 5)), days(5))
