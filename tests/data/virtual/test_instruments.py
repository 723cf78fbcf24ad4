"""Probes and the radiometer report what they should, and say nothing where they cannot."""

import numpy as np
import pytest

from diffhydro.data.continents import continents
from diffhydro.data.virtual.ground import mapped, relief
from diffhydro.data.virtual.outlines import is_land
from diffhydro.data.virtual.places import describe
from diffhydro.data.virtual.satellite import DENSE, overpasses, retrieve
from diffhydro.data.virtual.stations import Stations, measure, place_stations, soil_temperature

DAYS = 900


def some(count: int, *, deep: bool = True) -> Stations:
    names = np.array([f"VN{i:03d}_S{i:04d}" for i in range(count)])
    return Stations(names, names, np.zeros(count), np.zeros(count), np.full(count, deep))


def test_stations_stand_on_land_in_clusters():
    where = place_stations(0, 200)
    assert len(set(where.names)) == 200
    assert is_land(where.latitude, where.longitude).all()
    assert 10 < len(set(where.networks)) < 120
    same = place_stations(0, 200)
    np.testing.assert_array_equal(where.latitude, same.latitude)
    inside = [np.ptp(where.latitude[where.networks == n]) for n in set(where.networks)]
    assert np.median(inside) < 5.0


@pytest.mark.parametrize("seed", range(5))
def test_no_continent_is_without_stations(seed):
    where = place_stations(seed, 240)
    found, count = np.unique(continents(where.latitude, where.longitude), return_counts=True)
    share = dict(zip(found, count / 240, strict=True))
    for name in ("CONUS", "Europe", "Asia", "Australia", "Alaska", "northern Africa"):
        assert share[name] > 0.005, share
    assert 0.3 < share["CONUS"] < 0.6


def test_a_probe_is_right_but_for_gain_bias_and_noise():
    theta = np.broadcast_to(0.25 + 0.1 * np.sin(np.arange(DAYS) / 40.0)[:, None], (30, DAYS, 5))
    said, _ = measure(0, some(30), theta, np.full((30, DAYS), 15.0))
    there = np.isfinite(said)
    assert 0.88 < there.mean() < 0.98  # outages of 3 and 4 %
    bias = np.nanmean(said - theta, axis=1)
    assert 0.015 < bias.std() < 0.045
    noise = said - theta - bias[:, None]
    assert np.nanmedian(np.abs(noise)) < 0.012
    shared = [np.corrcoef(a[ok], b[ok])[0, 1] for a, b, ok in zip(
        said[:, :, 0], theta[:, :, 0], there[:, :, 0], strict=True)]  # fmt: skip
    assert np.median(shared) > 0.98


def test_frozen_soil_and_missing_probes_are_silent():
    theta = np.full((4, DAYS, 5), 0.3)
    warmth = np.tile(12.0 * np.sin(2 * np.pi * np.arange(DAYS) / 365.0), (4, 1))
    said, felt = measure(0, some(4, deep=False), theta, warmth)
    frozen = soil_temperature(warmth) <= 0.0
    assert frozen[..., 0].any()
    assert np.isnan(said[frozen]).all()
    assert np.isnan(said[..., 2:]).all()
    assert np.isnan(felt[..., 2:]).all()
    assert np.isfinite(said[..., 0]).any()


def test_a_station_is_the_same_whatever_others_are_made():
    theta, warmth = np.full((5, 200, 5), 0.3), np.full((5, 200), 10.0)
    all_five, _ = measure(0, some(5), theta, warmth)
    where = some(5)
    last = Stations(*(getattr(where, n)[4:] for n in Stations.__dataclass_fields__))
    alone, _ = measure(0, last, theta[4:], warmth[4:])
    np.testing.assert_array_equal(all_five[4:], alone)


@pytest.mark.parametrize(("latitude", "gap"), [(0.0, 2.6), (45.0, 1.84), (75.0, 1.0)])
def test_the_satellite_comes_back(latitude, gap):
    seen = overpasses(np.full(50, latitude), np.linspace(-180, 175, 50), 1000)
    assert 1.0 / seen.mean() == pytest.approx(gap, rel=0.03)
    waits = np.diff(np.flatnonzero(seen[3]))
    assert waits.max() <= 3


def test_the_radiometer_is_blind_in_frost_and_unsure_in_forest():
    latitude, longitude = np.array([47.0, -3.0, 40.0]), np.array([8.0, -60.0, -100.0])
    places = describe(0, latitude, longitude)
    days = 400
    cold = np.linspace(-20.0, 20.0, days)
    weather = {
        "temperature": np.tile(cold, (3, 1)),
        "leaf_area": np.tile([[1.0], [6.0], [0.5]], (1, days)),
    }
    skin, snow = np.full((3, days), 0.3), np.zeros((3, days))
    seen = retrieve(0, latitude, longitude, places.mapped, skin, weather, snow)
    frozen = soil_temperature(weather["temperature"])[..., 0] < -2.0
    assert np.isnan(seen.soil_moisture[frozen]).all()
    water = seen.vegetation_water
    both = np.isfinite(water) & np.isfinite(seen.uncertain)
    assert (seen.uncertain[both & (water > DENSE)] == 1).all()
    spread = np.nanstd(seen.soil_moisture, axis=1)
    assert 0.015 < spread[2] < 0.06
    covered = retrieve(0, latitude, longitude, places.mapped, skin, weather, snow + 20.0)
    assert np.isnan(covered.soil_moisture).all()


def test_texture_adds_up_and_the_hidden_one_is_another():
    latitude, longitude = np.linspace(-30, 60, 40), np.linspace(-20, 100, 40)
    places = describe(0, latitude, longitude)
    said = places.mapped
    np.testing.assert_allclose(said.sand + said.silt + said.clay, 100.0)
    np.testing.assert_allclose(places.hidden.texture.sum(axis=-1), 100.0)
    gap = places.hidden.texture[:, 0, 0] - said.sand
    assert 3.0 < gap.std() < 15.0
    scattered = describe(0, latitude, longitude, scattered=True)
    assert not np.allclose(scattered.hidden.log_k, places.hidden.log_k)
    one = describe(0, latitude[5:6], longitude[5:6], scattered=True)
    np.testing.assert_allclose(one.hidden.log_k, scattered.hidden.log_k[5:6])
    height = relief(0, latitude, longitude)
    assert (height.elevation >= 0).all()
    again = mapped(0, places.climate, longitude, height, said.climate)
    np.testing.assert_array_equal(again.land_cover, said.land_cover)
