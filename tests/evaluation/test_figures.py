"""Figures of an evaluation are made, and say what they cannot be made of."""

import itertools

import numpy as np
import pytest
import xarray as xr
from scipy.stats import norm

from diffhydro.errors import InputError
from diffhydro.evaluation import score, strata
from diffhydro.evaluation.figures import (
    coverage,
    draw_boxes,
    draw_calibration,
    draw_map,
    draw_scatter,
    draw_series,
    draw_taylor,
    transform_members,
)
from diffhydro.evaluation.figures.maps import label_of
from diffhydro.picture import save
from tests.evaluation.series import observed_and_simulated

_DAY = np.timedelta64(86_400_000_000_000, "ns")


@pytest.fixture(autouse=True)
def _with_matplotlib():
    pytest.importorskip("matplotlib")


@pytest.fixture
def target(tmp_path):
    yield tmp_path / "figure.png"
    assert (tmp_path / "figure.png").read_bytes()[:4] == b"\x89PNG"
    assert len(list(tmp_path.iterdir())) == 1


@pytest.fixture
def drawn(monkeypatch):
    """Keep the figures that are saved, to look at their axes."""
    kept = []

    def keep(figure, target):
        kept.append(figure)
        save(figure, target)

    for module in ("boxes", "calibration", "maps", "scatter", "series", "taylor"):
        name = f"diffhydro.evaluation.figures.{module}.save"
        monkeypatch.setattr(name, keep)
    return kept


def places(values, latitude, longitude):
    where = {"latitude": ("site", latitude), "longitude": ("site", longitude)}
    return xr.DataArray(values, dims="site", coords=where, name="rmse", attrs={"units": "m3 m-3"})


def grid():
    latitude, longitude = np.arange(-50.0, 70.0, 5.0), np.arange(0.0, 360.0, 10.0)
    where = {"latitude": ("y", latitude), "longitude": ("x", longitude)}
    values = np.random.default_rng(0).normal(size=(24, 36))
    return xr.DataArray(np.where(values > 1.5, np.nan, values), dims=("y", "x"), coords=where)


@pytest.mark.parametrize(
    ("values", "rest", "limits", "label"),
    [
        (places([0.1, 0.2, np.nan], [40.0, 45.0, 41.0], [-100.0, -90.0, 3.0]), {},
         (0.102, 0.198), "rmse, m³/m³"),
        (places([0.1], [40.0], [-100.0]), {}, (-0.4, 0.6), "rmse, m³/m³"),
        (grid(), {"label": "r", "limits": (-1.0, 1.0)}, (-1.0, 1.0), "r"),
        (grid(), {"label": "bias", "around_zero": 0.5}, (-0.5, 0.5), "bias"),
    ],
    ids=["sites", "one site", "globe", "bias"],
)  # fmt: skip
def test_map(drawn, target, values, rest, limits, label):
    draw_map(values, target, **rest)
    place, beside, _ = drawn[0].axes
    shown = place.collections[-1]
    assert shown.get_clim() == pytest.approx(limits)
    assert np.ma.count(np.ma.masked_invalid(shown.get_array())) == int(np.isfinite(values).sum())
    assert beside.get_xlabel() == label
    has = np.isfinite(values.values).reshape(len(values.latitude), -1).any(axis=1)
    bands = np.unique(values.latitude.values[has] // 5.0 * 5.0 + 2.5)
    np.testing.assert_allclose(np.sort(beside.lines[-1].get_ydata()), bands)


def test_cells_of_a_grid_are_drawn_where_they_lie(drawn, tmp_path):
    cells = grid()
    draw_map(cells, tmp_path / "map.png")
    image = drawn[0].axes[0].collections[-1].get_array()
    turned = np.roll(cells.values, 18, axis=1)  # from 0…350 to −180…170
    np.testing.assert_allclose(np.ma.filled(image, np.nan), turned)
    assert drawn[0].axes[0].get_ylabel() == "latitude, °N"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (xr.DataArray([1.0], dims="site"), "no latitude and no longitude"),
        (places([np.nan], [40.0], [3.0]), "no value to draw"),
    ],
)
def test_what_makes_no_map(values, message, tmp_path):
    with pytest.raises(InputError, match=message):
        draw_map(values, tmp_path / "map.png")


def test_labels_have_units():
    observed, simulated = observed_and_simulated()
    found = score(simulated, observed)
    assert label_of(found.rmse) == "root mean square error, m³/m³"
    assert label_of(found.r) == "Pearson's correlation"


def test_boxes(drawn, target):
    rng = np.random.default_rng(0)
    by = strata.climate(xr.DataArray(rng.integers(1, 31, 60), dims="site"))
    models = {n: xr.DataArray(rng.random(60), dims="site", name="rmse") for n in ("a", "b")}
    models["a"][by.values == "arid"] = np.nan
    draw_boxes(models, target, by=by, limits=(0.0, 1.0))
    axes = drawn[0].axes[0]
    medians = [line for line in axes.lines if line.get_color() == "black"]
    groups = len(np.unique(by.values[by.values != ""]))
    assert len(medians) == 2 * groups - 1, "a has no box where it has no score"
    assert axes.get_ylim() == (0.0, 1.0)


def test_boxes_of_each_stratum_hold_its_own_places(drawn, tmp_path):
    values = xr.DataArray(np.arange(10.0), dims="site")
    by = xr.DataArray(["low"] * 5 + ["high"] * 5, dims="site", attrs={"order": ["low", "high"]})
    draw_boxes({"a": values}, tmp_path / "x.png", by=by, label="number")
    axes = drawn[0].axes[0]
    assert [t.get_text() for t in axes.get_xticklabels()] == ["low\n5 places", "high\n5 places"]
    medians = [line.get_ydata()[0] for line in axes.lines if line.get_color() == "black"]
    assert medians == [2.0, 7.0]
    with pytest.raises(InputError, match="at other places"):
        draw_boxes({"a": values, "b": values[:3]}, tmp_path / "x.png")
    with pytest.raises(InputError, match="give each place one"):
        draw_boxes({"a": values}, tmp_path / "x.png", by=by[:4])
    with pytest.raises(InputError, match="one model or more"):
        draw_boxes({}, tmp_path / "x.png")


def test_boxes_of_all_places_are_named_beside_them(drawn, tmp_path):
    values = {n: xr.DataArray(np.arange(5.0) + i, dims="site") for i, n in enumerate("abcdefghij")}
    draw_boxes(values, tmp_path / "x.png", label="number")
    axes = drawn[0].axes[0]
    assert [t.get_text() for t in axes.get_yticklabels()] == list(values)
    medians = [line.get_xdata()[0] for line in axes.lines if line.get_color() == "black"]
    # The seventh is black, with whiskers of that colour.
    assert [m for m in medians if m == int(m)][:6] == [2.0, 3.0, 4.0, 5.0, 6.0, 7.0]
    looks = {(p.get_facecolor(), p.get_hatch()) for p in axes.patches}
    assert len(looks) == len(values), "two models look alike"


def test_a_legend_stays_within_its_figure(drawn, tmp_path):
    values = {
        f"a long name of a model {i}": xr.DataArray(np.arange(4.0), dims="site") for i in range(9)
    }
    by = xr.DataArray(["x"] * 4, dims="site")
    draw_boxes(values, tmp_path / "x.png", by=by, label="number")
    figure = drawn[0]
    figure.draw_without_rendering()
    box = figure.legends[0].get_window_extent()
    assert box.x0 >= 0
    assert box.x1 <= figure.bbox.width


def test_series(drawn, target):
    observed, simulated = observed_and_simulated()
    rain = xr.zeros_like(observed) + np.arange(400) % 7
    draw_series(observed, {"a": simulated, "b": simulated + 0.1}, target, rain=rain)
    of = observed.sizes["site"]
    for site in range(of):
        seen, one, other = drawn[0].axes[site].lines
        np.testing.assert_array_equal(seen.get_ydata(), observed.values[site])
        np.testing.assert_array_equal(one.get_ydata(), simulated.values[site])
        np.testing.assert_allclose(other.get_ydata(), simulated.values[site] + 0.1)
        fallen = drawn[0].axes[of + site].collections[0].get_segments()
        assert max(abs(x[1, 1] - x[0, 1]) for x in fallen) == 6.0


@pytest.mark.parametrize("years", [1, 4, 9])
def test_series_of_years_have_dates_that_fit(drawn, target, years):
    days = 365 * years
    where = {"site": ["a"], "time": np.datetime64("2015-01-01", "ns") + np.arange(days) * _DAY}
    observed = xr.DataArray(np.zeros((1, days)), dims=("site", "time"), coords=where)
    draw_series(observed, {"a": observed}, target, label="θ")
    axes = drawn[0].axes[0]
    drawn[0].draw_without_rendering()
    boxes = [t.get_window_extent() for t in axes.get_xticklabels() if t.get_text()]
    assert len(boxes) >= 3
    assert all(left.x1 < right.x0 for left, right in itertools.pairwise(boxes)), "dates overlap"
    assert axes.get_ylabel() == "θ"


def test_series_of_a_site_that_a_model_lacks(tmp_path):
    observed, simulated = observed_and_simulated()
    with pytest.raises(InputError, match="a has no site site2"):
        draw_series(observed, {"a": simulated.isel(site=[0, 1])}, tmp_path / "x.png")
    with pytest.raises(InputError, match="no site mars"):
        draw_series(observed, {"a": simulated}, tmp_path / "x.png", sites=("mars",))


@pytest.mark.parametrize("least", [0.2, -0.6])
def test_taylor(drawn, target, least):
    r, spread = np.linspace(least, 0.95, 12), np.linspace(0.5, 1.6, 12)
    draw_taylor({"a": (r, spread), "b": (0.9, 1.1)}, target, title="sites")
    axes = drawn[0].axes[0]
    _, places_of_a, median_of_a, b = (line.get_data() for line in axes.lines)
    np.testing.assert_allclose(np.cos(places_of_a[0]), r)
    np.testing.assert_allclose(places_of_a[1], spread)
    np.testing.assert_allclose([np.cos(median_of_a[0][0]), median_of_a[1][0]],
                               [np.median(r), np.median(spread)])  # fmt: skip
    np.testing.assert_allclose([np.cos(b[0][0]), b[1][0]], [0.9, 1.1])
    assert axes.get_thetamax() == (90.0 if least > 0 else 180.0)


def test_a_point_of_a_taylor_diagram_is_at_its_error(drawn, tmp_path):
    """The law of cosines: the distance to "observed" is the error without the bias."""
    observed, simulated = observed_and_simulated(sites=1, gaps=0.0)
    found = score(simulated, observed)
    spread = float(observed.std())
    draw_taylor({"a": (found.r, simulated.std("time") / spread)}, tmp_path / "x.png")
    angle, far = (float(x[0]) for x in drawn[0].axes[0].lines[-1].get_data())
    distance = np.hypot(far * np.cos(angle) - 1.0, far * np.sin(angle))
    np.testing.assert_allclose(distance, float(found.ubrmse[0]) / spread, rtol=1e-9)


@pytest.mark.parametrize(
    ("models", "message"),
    [
        ({}, "needs a model"),
        ({"a": ([0.1, 0.2], [1.0])}, "2 correlations and 1 ratios"),
        ({"a": ([np.nan], [1.0])}, "no place with a correlation"),
        ({"a": ([1.5], [1.0])}, "beyond ±1"),
    ],
)
def test_what_makes_no_taylor_diagram(models, message, tmp_path):
    with pytest.raises(InputError, match=message):
        draw_taylor(models, tmp_path / "x.png")


@pytest.mark.parametrize("sites", [1, 20])
def test_scatter(drawn, target, sites):
    observed, simulated = observed_and_simulated(sites=sites)
    draw_scatter(observed, {"a": simulated, "b": simulated + 0.1}, target)
    both = np.isfinite(observed.values) & np.isfinite(simulated.values)
    for axes in drawn[0].axes[:2]:
        assert axes.get_xlabel() == "observed soil moisture, m³/m³"
        if sites == 1:
            assert len(axes.lines[-1].get_xdata()) == both.sum()
        else:
            share = np.ma.sum(axes.collections[-1].get_array()) / both.sum()
            assert 0.99 < share <= 1.0, "all but what lies far out"
    if sites == 1:
        one, other = (axes.lines[-1].get_ydata() for axes in drawn[0].axes[:2])
        np.testing.assert_allclose(other - one, 0.1)


def test_scatter_of_nothing(tmp_path):
    observed, simulated = observed_and_simulated(sites=1)
    with pytest.raises(InputError, match="fewer than two days"):
        draw_scatter(observed * np.nan, {"a": simulated}, tmp_path / "x.png")
    with pytest.raises(InputError, match="needs a model"):
        draw_scatter(observed, {}, tmp_path / "x.png")


def test_calibration(target):
    z = np.random.default_rng(0).normal(size=500)
    draw_calibration({"right": norm.cdf(z), "too sure": norm.cdf(2.0 * z)}, target)
    with pytest.raises(InputError, match="are probabilities"):
        draw_calibration({"a": z}, target)


def test_members_drawn_from_the_truth_are_calibrated_and_narrow_ones_are_not():
    rng = np.random.default_rng(0)
    observed = rng.normal(size=4000)
    observed[:100] = np.nan
    levels = np.array([0.5, 0.9])
    right = transform_members(rng.normal(size=(9, 4000)), observed, seed=0)
    assert right.shape == (3900,)
    # Three standard errors of a share of 3900.
    np.testing.assert_allclose(coverage(right, levels), levels, atol=3 * 0.5 / np.sqrt(3900))
    narrow = transform_members(0.4 * rng.normal(size=(99, 4000)), observed, seed=0)
    assert (coverage(narrow, levels) < levels - 0.2).all()


def test_members_all_equal_to_what_was_observed_say_nothing():
    found = transform_members(np.zeros((9, 5000)), np.zeros(5000), seed=1)
    np.testing.assert_allclose(np.quantile(found, [0.25, 0.5, 0.75]), [0.25, 0.5, 0.75], atol=0.03)
    with pytest.raises(InputError, match=r"\[member, …\]"):
        transform_members(np.zeros((9, 4)), np.zeros(5), seed=1)
