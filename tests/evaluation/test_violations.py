"""Violations of the water balance in dry spells, counted by hand and by a loop."""

import numpy as np
import pytest
import xarray as xr

from diffhydro.errors import InputError
from diffhydro.evaluation import AT_SITES, IN_CELLS, Witness, violations
from tests.evaluation.series import named


def counted(theta, seen, water, leaf=None, soil=None, **more):
    leaf = np.ones_like(water) if leaf is None else leaf
    soil = np.zeros_like(water) if soil is None else soil
    found = violations(*(named(np.atleast_2d(x)) for x in (theta, seen, water, leaf, soil)), **more)
    return {name: int(found[name][0]) for name in found.data_vars}


def drying(days=15):
    return np.linspace(0.3, 0.2, days)


def test_soil_that_dries_breaks_nothing():
    dry = np.zeros(15)
    assert counted(drying(), drying(), dry) == {"days": 0, "spells": 1, "dry_days": 14}


def test_each_day_of_a_rise_counts():
    theta = drying()
    theta[5:] += 0.05
    theta[9:] += 0.05
    assert counted(theta, drying(), np.zeros(15))["days"] == 2


def test_a_trace_of_water_is_none_if_one_says_so():
    water = np.full(15, 1e-6)
    assert counted(drying(), drying(), water)["spells"] == 0
    assert counted(drying(), drying(), water, trace=1e-4)["spells"] == 1


@pytest.mark.parametrize(("length", "spells"), [(9, 0), (10, 1)])
def test_a_spell_has_ten_days(length, spells):
    water = np.ones(30)
    water[4 : 4 + length] = 0.0
    assert counted(drying(30), drying(30), water)["spells"] == spells


def test_what_rises_with_the_rain_before_the_spell_is_no_violation():
    water = np.zeros(20)
    water[4] = 5.0
    theta = drying(20)
    theta[4:] += 0.2
    theta[5:] += 0.1  # percolates a day later: between a wet day and the first dry one
    assert counted(theta, drying(20), water) == {"days": 0, "spells": 1, "dry_days": 14}


def test_a_day_without_evaporation_is_not_dry():
    leaf, soil = np.ones(21), np.zeros(21)
    leaf[10] = 0.0
    rising = np.linspace(0.2, 0.3, 21)
    assert counted(rising, drying(21), np.zeros(21), leaf, soil)["days"] == 9 + 9
    soil[10] = 0.1
    assert counted(rising, drying(21), np.zeros(21), leaf, soil)["days"] == 20


def test_a_site_whose_observation_rises_says_nothing_but_a_cell_may():
    seen = drying()
    seen[7] += 0.05
    rising = drying()[::-1]
    assert counted(rising, seen, np.zeros(15))["days"] == 0
    assert counted(rising, seen, np.zeros(15), witness=IN_CELLS)["days"] == 14
    up = np.tile([0.2, 0.3], 8)[:15]  # seven of fourteen steps rise
    assert counted(rising, up, np.zeros(15), witness=IN_CELLS)["days"] == 14
    up[14] = 0.4
    assert counted(rising, up, np.zeros(15), witness=IN_CELLS)["days"] == 0


@pytest.mark.parametrize(("missing", "days"), [(7, 13), (8, 0)])
def test_at_most_half_of_the_days_are_missing(missing, days):
    seen = drying(14)
    seen[1 : 1 + missing] = np.nan
    assert counted(drying(14)[::-1], seen, np.zeros(14), witness=IN_CELLS)["days"] == days


def test_a_rise_across_a_gap_is_a_rise():
    seen = drying()
    seen[5:8] = np.nan
    assert counted(drying()[::-1], seen, np.zeros(15))["spells"] == 1
    seen[8:] += 0.1
    assert counted(drying()[::-1], seen, np.zeros(15))["spells"] == 0


def test_a_spell_of_which_nothing_can_be_compared_bears_nothing_out():
    seen = np.full(15, np.nan)
    everything = Witness(missing=1.0, rising=1.0)
    assert counted(drying()[::-1], seen, np.zeros(15), witness=everything)["spells"] == 0


@pytest.mark.parametrize("witness", [AT_SITES, IN_CELLS], ids=["sites", "cells"])
def test_many_places_are_as_one_after_the_other(witness):
    rng = np.random.default_rng(3)
    shape = (40, 300)
    water = np.where(rng.random(shape) < 0.06, 3.0, 0.0)
    leaf = np.where(rng.random(shape) < 0.02, 0.0, 1.0)
    theta, seen = (np.cumsum(rng.normal(-0.02, 0.02, shape), axis=1) for _ in range(2))
    seen[rng.random(shape) < 0.3] = np.nan
    soil = np.zeros(shape)
    found = violations(*map(named, (theta, seen, water, leaf, soil)), witness=witness)
    by_loop = [
        loop(*row, witness) for row in zip(theta, seen, (water == 0) & (leaf > 0), strict=True)
    ]
    assert found.days.values.tolist() == [days for days, _ in by_loop]
    assert found.spells.values.tolist() == [spells for _, spells in by_loop]
    assert found.days.sum() > 10
    np.testing.assert_array_equal(found.latitude, 30.0 + np.arange(40))


def loop(theta, seen, dry, witness):
    days, spells, t = 0, 0, 0
    while t < len(dry):
        end = t
        while end < len(dry) and dry[end]:
            end += 1
        if end - t >= 10:
            part = seen[t:end]
            known = part[np.isfinite(part)]
            steps = np.diff(known)
            if (
                len(known) >= 0.5 * len(part)
                and len(steps)
                and np.mean(steps > 0) <= witness.rising
                and np.mean(~np.isfinite(part)) <= witness.missing
            ):
                spells += 1
                days += int((np.diff(theta[t:end]) > 0).sum())
        t = max(end, t + 1)
    return days, spells


def test_a_day_that_is_left_out_is_refused():
    series = named(np.zeros((1, 20)))
    holed = series.isel(time=[*range(8), *range(9, 20)])
    with pytest.raises(InputError, match="after 2016-01-08 the next one"):
        violations(holed, *[series] * 4)


def test_fluxes_of_other_places_are_refused():
    series = named(np.zeros((2, 20)))
    with pytest.raises(InputError, match="not of the same places"):
        violations(series, series.isel(site=[0]), series, series, series)
    members = xr.concat([series, series], "member")
    with pytest.raises(InputError, match="over member"):
        violations(series, series, members, series, series)
    assert violations(members, series, series, series, series).days.dims == ("member", "site")


def test_a_share_lies_between_none_and_all():
    with pytest.raises(InputError, match="between 0 and 1"):
        Witness(missing=50.0, rising=0.0)
