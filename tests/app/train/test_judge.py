"""How a training is judged: each fold at its own test, on its own days, beside what it may know."""

from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import xarray as xr

from diffhydro.app.train import judge as judging
from diffhydro.app.train.judge import MODEL, TREES, gradient_error, judge
from diffhydro.app.train.table import Table
from diffhydro.app.train.training import Member
from diffhydro.core.parameters import parameter
from diffhydro.coupling import AbstractPredictor
from diffhydro.data.places import Places
from diffhydro.data.splits import Fold, Part

SITES, DAYS, START = 4, 130, 20
EARLY = np.arange(DAYS) < 70


class Share(AbstractPredictor):
    """Says that soil moisture is a share of the rain."""

    share: jax.Array = parameter(unit="-", bounds=(0.0, 10.0), description="of the rain")

    def __call__(self, inputs, *, key=None):
        return self.share * inputs.series["rain"]


@jax.custom_jvp
def wrong(x):
    return x**2


wrong.defjvp(lambda x, dx: (x[0] ** 2, x[0] * dx[0]))


class Wrong(AbstractPredictor):
    """Has half the slope that it should have."""

    share: jax.Array = parameter(unit="-", bounds=(0.0, 10.0), description="of the rain")

    def __call__(self, inputs, *, key=None):
        return wrong(self.share) * inputs.series["rain"]


class Spy:
    """A baseline that remembers what it learned from, and says 1."""

    seen: list

    def __init__(self, **_):
        pass

    def fit(self, training):
        self.seen.append(training)
        return self

    def predict(self, dataset):
        return xr.ones_like(dataset["soil_moisture"])


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    days = np.datetime64("2001-01-01", "ns") + np.arange(DAYS) * np.timedelta64(1, "D")
    axes = {"site": [*"abcd"], "time": days}
    held = {
        "rain": (("site", "time"), rng.gamma(0.5, 1.0, (SITES, DAYS))),
        "soil_moisture": (("site", "time"), rng.uniform(0.1, 0.4, (SITES, DAYS))),
        "latitude": ("site", np.arange(SITES, dtype=float)),
        "longitude": ("site", np.arange(SITES, dtype=float)),
    }
    return Table(xr.Dataset(held, axes), ("rain",), (), None, (), [])


@pytest.fixture
def judged(table, monkeypatch):
    """Two networks of a fold, and one of a fold in time; the last site is nobody's test."""
    monkeypatch.setattr(judging, "gradient_error", lambda model, _, sites: (model.share, *sites))
    lost = {1.0: 0.1, 3.0: 0.7, 5.0: 0.3}
    monkeypatch.setattr(judging, "residual", lambda model, *_: lost[float(model.share)])
    Spy.seen = []
    for name in ("BoostedTrees", "Climatology", "SiteMean", "Persistence"):
        monkeypatch.setattr(judging, name, Spy)
    places = Places.of(table.data)
    first, last = np.array([0, 1]), np.array([2, 3])
    space = Fold("space", Part.make(places, last), Part.make(places, first))
    both = Fold("both", Part.make(places, first, EARLY), Part.make(places, np.array([2]), ~EARLY))
    members = (Member(space, 0), Member(space, 1), Member(both, 0))
    models = [Share(jnp.asarray(x)) for x in (1.0, 3.0, 5.0)]
    outcome = SimpleNamespace(members=members, model=lambda i: models[i])
    config = SimpleNamespace(windows=SimpleNamespace(warm_up=START))
    return judge(config, table, outcome)


def test_seeds_are_averaged_and_folds_keep_to_their_tests(judged, table):
    rain = table.data["rain"].values
    found = judged.predictions.sel(model=MODEL).values
    later = np.arange(DAYS) >= START
    np.testing.assert_allclose(found[:2, later], 2.0 * rain[:2, later], rtol=1e-6)
    np.testing.assert_allclose(found[2, ~EARLY], 5.0 * rain[2, ~EARLY], rtol=1e-6)
    there = np.stack([later, later, ~EARLY, np.zeros(DAYS, bool)])
    for one in (judged.observed.values, *judged.predictions.values):
        np.testing.assert_array_equal(np.isfinite(one), there)
    assert judged.scores["days"].sel(model=TREES).values.tolist() == [110, 110, 60, 0]


def test_the_worst_loss_of_water_counts(judged):
    assert judged.residual == 0.7


def test_the_gradient_is_that_of_the_first_network_where_it_is_tested(judged):
    assert judged.gradient == (1.0, 0, 1)


def test_baselines_learn_from_the_training_side_alone(judged, table):
    seen = table.data["soil_moisture"].values
    space, both = Spy.seen[0]["soil_moisture"], Spy.seen[-1]["soil_moisture"]
    assert space["site"].values.tolist() == ["c", "d"]
    np.testing.assert_array_equal(space.values, seen[2:])
    assert both["site"].values.tolist() == ["a", "b"]
    np.testing.assert_array_equal(both.values, np.where(EARLY, seen[:2], np.nan))
    assert Spy.seen[-1]["rain"].notnull().all(), "weather of all days stays"


def test_a_gradient_is_told_from_a_wrong_one(table):
    model = jnp.asarray(2.0)
    assert gradient_error(Share(model), table, np.arange(3)) < 1e-7
    assert gradient_error(Wrong(model), table, np.arange(3)) == pytest.approx(0.5, abs=1e-6)
