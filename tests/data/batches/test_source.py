import jax
import numpy as np
import pytest

from diffhydro.data.batches import Batches, InOrder, Source, Windows, stack, stream
from diffhydro.data.gaps import Linear, fill
from diffhydro.data.splits import ByTimeBlocks, LeaveOneSiteOut, SpaceByTime
from diffhydro.errors import InputError
from tests.data.batches.sites import DAYS, FORCING, SITES, dataset, part

WINDOWS = Windows(length=14, warm_up=4)


def source(found, **options):
    return Source.of(found, forcing=FORCING, attributes=("elevation", "sand"), **options)


def read_all(source, windows, size=4):
    return [b for b, _ in stream(Batches.of(source, windows, size, InOrder()), epochs=1)]


def loss(batch, model=lambda precipitation: 1e-4 * precipitation):
    """A weighted squared error in double precision, and its weight."""
    made = model(batch.forcing["precipitation"].astype(float))[..., None]
    errors = batch.weights * (made - batch.observations.astype(float)) ** 2
    return errors.sum(), batch.weights.sum(dtype=float)


def test_a_window_holds_what_the_data_set_has():
    found = dataset()
    batches = read_all(source(found), WINDOWS)
    rain, moisture = found["precipitation"].values, found["soil_moisture"].values
    seen = 0
    for batch in batches:
        assert batch.forcing["precipitation"].shape == batch.forcing["temperature"].shape == (4, 14)
        assert batch.observations.shape == batch.weights.shape == (4, 14, 2)
        for i in np.flatnonzero(batch.is_real):
            site = batch.sites[i]
            start = int((batch.starts[i] - found["time"].values[0]) / np.timedelta64(1, "D"))
            stop = min(start + 14, DAYS)
            real = slice(0, stop - start)
            np.testing.assert_array_equal(batch.is_step[i], np.arange(14) < stop - start)
            np.testing.assert_array_equal(
                batch.forcing["precipitation"][i, real], rain[site, start:stop]
            )
            np.testing.assert_array_equal(
                batch.forcing["temperature"][i, real], -rain[site, start:stop]
            )
            assert (batch.forcing["precipitation"][i, stop - start :] == rain[site, stop - 1]).all()
            there = ~np.isnan(moisture[site, start + 4 : stop])
            np.testing.assert_array_equal(batch.weights[i, 4 : stop - start], there)
            np.testing.assert_array_equal(
                batch.observations[i, 4 : stop - start][there],
                moisture[site, start + 4 : stop][there],
            )
            assert not batch.weights[i, :4].any()
            assert not batch.weights[i, stop - start :].any()
            assert batch.attributes["elevation"][i] == 10.0 * site
            np.testing.assert_array_equal(batch.attributes["sand"][i], [site, SITES + site])
            seen += 1
    assert seen == SITES * 5
    arrays = jax.tree.leaves(batches[0].arrays())
    assert {str(v.dtype) for v in arrays} == {"float32", "int32", "bool"}
    assert all(np.isfinite(v).all() for v in arrays)


def test_no_loss_changes_with_padding():
    """Batches of 1, which need none, against sizes that do, and against the series themselves."""
    found = dataset()
    truth = found["soil_moisture"].values[:, 4:].astype(float)
    made = 1e-4 * found["precipitation"].values[:, 4:, None].astype(float)
    expected = np.nansum((made - truth) ** 2), np.count_nonzero(~np.isnan(truth))
    for size in (1, 4, 7, 64):
        totals = np.sum([loss(b) for b in read_all(source(found), WINDOWS, size)], axis=0)
        np.testing.assert_allclose(totals, expected, rtol=1e-12)
    for length in (5, 14, 23, 50, 80):
        totals = np.sum([loss(b) for b in read_all(source(found), Windows(length, 4))], axis=0)
        np.testing.assert_allclose(totals, expected, rtol=1e-12)


def test_what_has_no_weight_cannot_be_seen():
    """Observations of the test, and those of the warm-up, are nowhere in a training batch."""
    found = dataset()
    tested = np.zeros(DAYS, bool)
    tested[20:30] = True
    found["soil_moisture"].values[:, 20:30] = 0.77
    found["soil_moisture"].values[2] = 0.88
    train = part(found, [0, 1, 3, 4], ~tested)
    for batch in read_all(source(found, part=train), Windows(25, 4, 10)):
        assert not np.isin(batch.observations, np.float32([0.77, 0.88])).any()
        assert 2 not in batch.sites
        assert (batch.observations[batch.weights == 0.0] == 0.0).all()


def test_avoided_times_are_not_even_warm_up():
    found = dataset()
    days = found["time"].values
    for fold in SpaceByTime(LeaveOneSiteOut(), ByTimeBlocks(3, gap=4)).of(found):
        away = source(found, part=fold.train, avoid=fold.test)
        scored = np.zeros((SITES, DAYS), bool)
        for batch in read_all(away, WINDOWS):
            for i in np.flatnonzero(batch.is_real):
                start = int(np.searchsorted(days, batch.starts[i]))
                used = batch.forcing["precipitation"][i].astype(int) % 1000
                assert not fold.test.times[used].any()
                weight = batch.weights[i].any(axis=-1)
                scored[batch.sites[i], start : start + 14] |= weight[: DAYS - start]
        assert not scored[fold.test.sites].any()
        # With a gap as long as the warm-up no training date is lost, but the first ones of all.
        wanted = found["soil_moisture"].notnull().any("depth").values & fold.train.times
        wanted[fold.test.sites] = False
        wanted[:, :4] = False
        np.testing.assert_array_equal(scored, wanted)


def test_filled_values_are_scored_only_when_asked():
    found = fill(dataset(), Linear(5), ["soil_moisture"])
    number = int((found["soil_moisture_filled"].values == 0).sum())
    honest, more = source(found).scored.sum(), source(found, score_filled=True).scored.sum()
    assert honest == dataset()["soil_moisture"].notnull().sum() < number
    assert more == found["soil_moisture"].notnull().sum() > honest


def test_windows_without_forcing_are_left_out():
    found = dataset()
    found["temperature"].values[20, 3] = np.nan
    cut = source(found).cut(WINDOWS)
    assert cut.broken == 2  # day 20 is scored in one window, and in the warm-up of the next
    assert len(cut) == SITES * 5 - 2


def test_one_depth_and_observations_as_forcing():
    found = dataset().isel(depth=0)
    found["soil_moisture"] = found["soil_moisture"].fillna(0.2)
    both = Source.of(found, forcing=("precipitation", "soil_moisture"))
    batch = read_all(both, WINDOWS)[0]
    assert batch.weights.shape == batch.observations.shape == (4, 14)
    np.testing.assert_array_equal(batch.forcing["soil_moisture"][:, 4:], batch.observations[:, 4:])
    assert batch.forcing["soil_moisture"][:, :4].all()


@pytest.mark.parametrize("kind", ["netcdf", "netcdf chunked", "zarr chunked"])
def test_files_give_what_memory_gives(tmp_path, kind):
    import xarray as xr

    found = dataset()
    if kind.startswith("netcdf"):
        found.to_netcdf(tmp_path / "a.nc", engine="h5netcdf")
        chunks = {"site": 2, "time": 20} if "chunked" in kind else None
        lazy = xr.open_dataset(tmp_path / "a.nc", engine="h5netcdf", chunks=chunks)
    else:
        found.chunk(site=2, time=20).to_zarr(tmp_path / "a.zarr", consolidated=False)
        lazy = xr.open_zarr(tmp_path / "a.zarr", consolidated=False)
    with lazy:
        for one, other in zip(
            read_all(source(found), WINDOWS), read_all(source(lazy), WINDOWS), strict=True
        ):
            jax.tree.map(np.testing.assert_array_equal, one.arrays(), other.arrays())
            np.testing.assert_array_equal(one.starts, other.starts)


def test_batches_of_members_are_stacked():
    first, second, *_ = read_all(source(dataset()), WINDOWS)
    both = stack([first, second])
    assert both.weights.shape == (2, 4, 14, 2)
    np.testing.assert_array_equal(both.forcing["temperature"][1], second.forcing["temperature"])
    np.testing.assert_array_equal(both.starts[0], first.starts)


def test_what_does_not_fit_is_refused():
    found = dataset()
    with pytest.raises(InputError, match="the data set has no rain; it has precipitation"):
        Source.of(found, forcing=("rain",))
    with pytest.raises(InputError, match="elevation varies over site; expected site, time"):
        Source.of(found, forcing=("elevation",))
    with pytest.raises(InputError, match="precipitation varies over site, time; expected site"):
        Source.of(found, forcing=FORCING, attributes=("precipitation",))
    found["elevation"].values[3] = np.nan
    with pytest.raises(InputError, match="site s3 has no elevation"):
        source(found)
    with pytest.raises(InputError, match="no window can be used: 5 have too few observations"):
        Batches.of(source(dataset()), Windows(50, 4, least=1000), 4)
