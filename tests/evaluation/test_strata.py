"""Strata, and scores by them."""

import numpy as np
import pytest
import xarray as xr

from diffhydro.data.koppen import CLASSES
from diffhydro.errors import InputError
from diffhydro.evaluation import score, score_parts, strata, stratify
from tests.evaluation.series import observed_and_simulated


def over_sites(values):
    values = np.asarray(values)
    return xr.DataArray(values, dims="site", coords={"site": np.arange(len(values))})


def test_climates_are_the_first_letters():
    found = strata.climate(over_sites(np.arange(1, 31))).values
    letters = dict(zip("ABCDE", strata.CLIMATES, strict=True))
    assert found.tolist() == [letters[name[0]] for name in CLASSES]


def test_land_covers():
    found = strata.land_cover(over_sites([1, 5, 7, 9, 10, 12, 14, 11, 13, 17, 0, np.nan]))
    assert found.values.tolist() == [
        "forest", "forest", "shrubland", "savanna", "grassland", "cropland", "cropland",
        "other", "other", "", "", "",
    ]  # fmt: skip
    with pytest.raises(InputError, match="IGBP"):
        strata.land_cover(over_sites([42]))


def test_textures():
    sand, clay = over_sites([80.0, 60.0, 20.0, 70.0, np.nan]), over_sites([10, 20, 36, 20, 5])
    found = strata.texture(sand, clay).values.tolist()
    assert found == ["coarse", "medium", "fine", "medium", ""]
    with pytest.raises(InputError, match="percent"):
        strata.texture(over_sites([80.0]), over_sites([40.0]))


def test_seasons_are_of_three_months_each():
    days = np.arange("2019-01-01", "2020-01-01", dtype="datetime64[D]").astype("datetime64[ns]")
    found = strata.season(xr.DataArray(days, dims="time"))
    assert [int((found == name).sum()) for name in strata.SEASONS] == [90, 92, 92, 91]
    with pytest.raises(InputError, match="seasons are of dates"):
        strata.season(xr.DataArray([1, 2], dims="time"))


def test_wetness_is_the_mean_of_what_is_known():
    observed, _ = observed_and_simulated()
    observed[1] = 0.2
    observed[2] = np.nan
    found = strata.wetness(observed)
    assert found.values.tolist() == ["0.2–0.3 m³/m³", "0.2–0.3 m³/m³", ""]


def test_density_counts_the_sites_of_a_cell():
    found = strata.density(over_sites(["a", "b", "a", "c", "a", "c"]), edges=(1, 2, 3))
    names = {"a": "3 and more to a cell", "b": "1 to a cell", "c": "2 to a cell"}
    assert found.values.tolist() == [names[c] for c in "abacac"]


@pytest.fixture
def scores():
    rng = np.random.default_rng(0)
    values = rng.random((2, 40))
    values[1, :10] = np.nan
    return xr.Dataset(
        {"rmse": (("model", "site"), values)}, coords={"site": np.arange(40), "model": ["a", "b"]}
    )


def test_quantiles_are_those_of_each_stratum(scores):
    by = over_sites(np.repeat(["dry", "wet", "", "snow"], 10))
    found = stratify(scores, by)
    assert found.stratum.values.tolist() == ["dry", "snow", "wet"]
    assert found["quantile"].values.tolist() == [0.25, 0.5, 0.75]
    wet = scores.rmse.values[:, 10:20]
    np.testing.assert_allclose(
        found.rmse.sel(stratum="wet").transpose("quantile", "model"),
        np.quantile(wet, [0.25, 0.5, 0.75], axis=1), rtol=1e-12,
    )  # fmt: skip
    assert found.rmse_count.sel(stratum="dry").values.tolist() == [10, 0]
    assert np.isnan(found.rmse.sel(stratum="dry", model="b")).all()
    assert np.isfinite(found.rmse.sel(stratum="dry", model="a")).all()


def test_one_stratum_is_the_plain_median(scores):
    found = stratify(scores, over_sites(np.full(40, "all")))
    np.testing.assert_allclose(
        found.rmse.sel(stratum="all", quantile=0.5), scores.rmse.median("site"), rtol=1e-12
    )


def test_strata_come_in_their_own_order_or_the_one_asked_for(scores):
    by = strata.climate(over_sites(np.tile([30, 14, 1, 5], 10)))
    assert stratify(scores, by).stratum.values.tolist() == [
        "tropical", "arid", "temperate", "polar"
    ]  # fmt: skip
    found = stratify(scores, by, strata=["polar", "arid"])
    assert found.stratum.values.tolist() == ["polar", "arid"]
    with pytest.raises(InputError, match=r"no stratum 'temprate'.*did you mean temperate"):
        stratify(scores, by, strata=["temprate"])


def test_few_places_have_no_quantiles_if_one_says_so(scores):
    by = over_sites(["few"] * 3 + ["many"] * 37)
    found = stratify(scores.isel(model=0), by, least=5)
    assert np.isnan(found.rmse.sel(stratum="few")).all()
    assert np.isfinite(found.rmse.sel(stratum="many")).all()


@pytest.mark.parametrize(
    ("by", "message"),
    [
        (over_sites(["a"] * 39), "39 places have a stratum, 40 a score"),
        (over_sites([""] * 40), "no place has a stratum"),
        (over_sites(["a"] * 40).rename(site="cell"), "strata are over one axis"),
        (over_sites(["a"] * 40)[::-1], "another order"),
    ],
)
def test_strata_that_do_not_fit(by, message, scores):
    with pytest.raises(InputError, match=message):
        stratify(scores, by)


def test_a_season_is_scored_by_its_own_days():
    observed, simulated = observed_and_simulated(days=800)
    parts = strata.season(observed.time)
    found = score_parts(simulated, observed, parts)
    assert found.stratum.values.tolist() == list(strata.SEASONS)
    summer = observed.where(parts == "JJA")
    expected = score(simulated, summer)
    np.testing.assert_allclose(found.rmse.sel(stratum="JJA"), expected.rmse, rtol=1e-12)
    np.testing.assert_allclose(found.anomaly_r.sel(stratum="JJA"), expected.anomaly_r, rtol=1e-9)
    assert int(found.days.sum()) == int(score(simulated, observed).days.sum())
