"""Scores as rows of text: what is not there is not counted, and is not a number."""

import numpy as np
import xarray as xr

from diffhydro.app.score_table import SHOWN, by_site, medians, of_models


def scores(rmse, **axes):
    sites = {"site": [f"s{i}" for i in range(np.shape(rmse)[-1])]}
    dims = (*axes, "site")
    held = {name: (dims, np.asarray(rmse, float)) for name in SHOWN}
    held["days"] = dims, np.full(np.shape(rmse), 7)
    return xr.Dataset(held, axes | sites)


def test_medians_are_over_the_sites_that_have_a_score():
    found = of_models(scores([[0.1, np.nan, 0.3], [np.nan] * 3], model=["a", "b"]))
    head, one, other = medians(found)
    assert head == ("median over sites", *SHOWN, "sites")
    assert one == ("a", *["0.200"] * 5, "2")
    assert other == ("b", *["–"] * 5, "0")


def test_scores_of_one_model_are_of_the_model():
    assert medians(of_models(scores([0.5, 0.5])))[1][0] == "model"


def test_sites_come_from_the_best_to_those_without_a_score():
    rows = by_site(scores([0.3, np.nan, 0.1]))
    assert [row[0] for row in rows] == ["site", "s2", "s0", "s1"]
    assert rows[1][1:] == (*["0.100"] * 5, "7")
    assert rows[3][1] == "–"
