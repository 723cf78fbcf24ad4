"""A small virtual Earth from the first call to the last: resumed, repeated, refused."""

import json

import numpy as np
import pytest
import xarray as xr

from diffhydro.data.virtual import PRESETS, Preset, build, virtual_earth
from diffhydro.data.virtual.presets import SPIN_UP, WEATHER_CELL, weather_cell
from diffhydro.data.weather import open_weather
from diffhydro.errors import InputError

SPECK = Preset("speck", 40.0, "2018-01-01", "2018-02-10", 5, 1)
pytest.importorskip("zarr")


@pytest.fixture(scope="module")
def speck(tmp_path_factory):
    return virtual_earth(SPECK, 3, tmp_path_factory.mktemp("virtual") / "speck")


def stores(folder):
    for name in ("cells", "satellite", "land_model", "truth"):
        yield name, xr.open_zarr(folder / f"{name}.zarr", chunks=None, consolidated=False).load()
    for name in ("stations", "stations_truth"):
        yield name, xr.load_dataset(folder / f"{name}.nc", engine="h5netcdf")


@pytest.mark.slow
def test_every_product_has_the_days_and_places_it_should(speck):
    cells = len(SPECK.cells()[0])
    for name, found in stores(speck):
        assert found.sizes["time"] == 40
        assert str(found["time"].values[0])[:10] == "2018-01-01"
        assert found.sizes["site"] == (5 if name.startswith("stations") else cells)
        assert "VIRTUAL" in found.attrs["title"]
    assert not (speck / "parts").exists()
    assert not speck.with_name("speck.partial").exists()


@pytest.mark.slow
def test_models_can_read_cells_and_stations(speck):
    for name in ("cells.zarr", "stations.nc"):
        weather = open_weather(speck / name)
        block = weather.block(
            slice(None),
            slice(None),
            ("precipitation", "temperature", "vapour_pressure"),
            np.dtype("f4"),
        )
        assert np.isfinite(np.asarray(block.vapour_pressure)).all()
        assert weather.attribute("sand") is not None


@pytest.mark.exhaustive
@pytest.mark.slow
def test_a_killed_build_goes_on_and_ends_the_same(speck, tmp_path, monkeypatch):
    out = tmp_path / "again"
    real = build._stations

    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(build, "_stations", stop)
    with pytest.raises(KeyboardInterrupt):
        virtual_earth(SPECK, 3, out)
    assert not out.exists()
    made = []
    monkeypatch.setattr(build, "_stations", real)
    monkeypatch.setattr(build, "_cells", lambda *a: made.append(a) or pytest.fail("made twice"))
    virtual_earth(SPECK, 3, out)
    for (name, one), (_, other) in zip(stores(speck), stores(out), strict=True):
        xr.testing.assert_identical(one, other)
        assert name
    assert not made


@pytest.mark.slow
def test_a_landscape_lies_round_its_station(speck):
    (seen_at,) = [p for p in (speck / "landscapes").iterdir() if not p.stem.endswith("_truth")]
    seen = xr.load_dataset(seen_at, engine="h5netcdf")
    true = xr.load_dataset(seen_at.with_name(f"{seen_at.stem}_truth.nc"), engine="h5netcdf")
    assert (seen.sizes["y"], seen.sizes["x"], seen.sizes["time"]) == (192, 192, 3)
    assert len(seen.attrs["quadkeys"].split()) == 9
    stations = xr.load_dataset(speck / "stations.nc", engine="h5netcdf")
    station = stations.sel(site=seen_at.stem)
    row, column = seen.attrs["station_row"], seen.attrs["station_column"]
    assert abs(float(seen["latitude"][row] - station["latitude"])) < 3e-4
    assert abs(float(seen["longitude"][column] - station["longitude"])) < 3e-4
    off = float(abs(seen["soil_moisture"] - true["soil_moisture"]).mean())
    assert 0.005 < off < 0.08
    assert float(true["soil_moisture"].std(("y", "x")).min()) > 0.005
    assert ((true["soil_moisture"] >= 0.02) & (true["soil_moisture"] <= 0.65)).all()
    assert (seen["near_infrared"] >= seen["red"]).mean() > 0.95


@pytest.mark.slow
def test_another_world_in_the_same_place_is_refused(speck, tmp_path):
    assert virtual_earth(SPECK, 3, speck) == speck
    with pytest.raises(InputError, match="seed 3"):
        virtual_earth(SPECK, 4, speck)
    (tmp_path / "mine").mkdir()
    with pytest.raises(InputError, match="is no virtual Earth"):
        virtual_earth(SPECK, 3, tmp_path / "mine")


@pytest.mark.slow
def test_the_picture_is_drawn(speck, tmp_path):
    pytest.importorskip("matplotlib")
    from diffhydro.data.virtual.overview import draw_overview

    target = draw_overview(speck, tmp_path / "overview.png")
    assert target.read_bytes().startswith(b"\x89PNG")


def test_presets_say_what_they_are():
    told = build.describe_world(PRESETS["tiny"], 7)
    assert json.loads(json.dumps(told)) == told
    assert 150 < told["cells"] < 300
    calendar = PRESETS["tiny"].calendar
    assert str(calendar.dates[SPIN_UP]) == "2018-01-01"
    assert str(calendar.dates[-1]) == "2019-12-31"


def test_a_place_is_in_the_weather_cell_that_is_nearest():
    rng = np.random.default_rng(0)
    latitude, longitude = rng.uniform(-50, 70, 200), rng.uniform(-179.9, 179.9, 200)
    row, column = weather_cell(latitude, longitude)
    assert (np.abs(row - latitude) <= WEATHER_CELL / 2 + 1e-9).all()
    assert (np.abs(column - longitude) <= WEATHER_CELL / 2 + 1e-9).all()
    rows, columns = PRESETS["study"].cells()
    np.testing.assert_allclose((row - rows[0]) % WEATHER_CELL % WEATHER_CELL, 0.0, atol=1e-9)
    np.testing.assert_allclose((column - columns[0]) % WEATHER_CELL, 0.0, atol=1e-9)
