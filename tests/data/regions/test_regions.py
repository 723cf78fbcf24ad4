import json

import numpy as np
import pytest

from diffhydro.data.regions import Bounds, Features, Lloyd, Regions, Search, cluster, silhouettes
from diffhydro.data.regions.best import best_start
from diffhydro.data.regions.votes import Choose
from diffhydro.errors import InputError
from tests.data.damage import damaged
from tests.data.regions.blobs import NAMES, RANK, clouds

LLOYD = Search(method=Lloyd())


def test_clouds_are_found_and_numbered_along_the_first_feature():
    features, own = clouds()
    for search in (Search(), LLOYD):
        regions = cluster(features, into=4, starts=10, search=search)
        np.testing.assert_array_equal(regions.labels, RANK[own])
        assert regions.sizes.tolist() == [30, 15, 25, 40]
        np.testing.assert_array_equal(regions.assign(features), regions.labels)
        np.testing.assert_array_equal(regions.site_labels, regions.labels)
        exact = silhouettes(regions.standardised(features), regions.labels).mean()
        assert regions.silhouette == pytest.approx(exact, abs=1e-6)
        assert regions.silhouette_error == 0.0


def test_standardised_means_mean_0_and_deviation_1():
    features, _ = clouds()
    regions = cluster(features, into=4, starts=3)
    points = regions.standardised(features)
    np.testing.assert_allclose(points.mean(axis=0), 0.0, atol=1e-12)
    np.testing.assert_allclose(points.std(axis=0), 1.0, rtol=1e-12)
    # Columns are found by name.
    mixed = Features(features.values[:, ::-1], NAMES[::-1])
    np.testing.assert_array_equal(regions.assign(mixed), regions.labels)


def test_fitting_sees_only_the_rows_given():
    features, _ = clouds()
    train, test = np.arange(0, 90), np.arange(90, 110)
    before = cluster(features.take(train), into=3, starts=5)
    values = features.values.copy()
    values[test] = 1e6  # whatever the test sites are like
    after = cluster(Features(values, NAMES).take(train), into=3, starts=5)
    for name in ("mean", "scale", "centres", "labels", "silhouette"):
        np.testing.assert_array_equal(getattr(before, name), getattr(after, name))
    # Sites that are only assigned, and any that are assigned later, move nothing either.
    odd = Features(values[test], NAMES)
    with_sites = cluster(features.take(train), into=3, starts=5, sites=odd, bounds=Bounds(least=0))
    np.testing.assert_array_equal(with_sites.centres, before.centres)
    together = before.assign(features)
    np.testing.assert_array_equal(together[test], before.assign(features.take(test)))


def test_one_seed_one_answer():
    features, _ = clouds()
    a, b = (cluster(features, into=6, starts=4, search=Search(seed=3)) for _ in range(2))
    np.testing.assert_array_equal(a.centres, b.centres)
    different = [
        cluster(features, into=6, starts=1, search=Search(seed=s)).silhouette for s in range(5)
    ]
    assert len(set(different)) > 1


def test_every_cluster_keeps_enough_sites():
    features, own = clouds()
    # Four sites in three of the clouds, one in the fourth: four clusters cannot keep two.
    rows = np.concatenate([np.flatnonzero(own == i)[:n] for i, n in enumerate((4, 4, 4, 1))])
    sites = features.take(rows)
    regions = cluster(features, into=4, starts=10, sites=sites, bounds=Bounds(1), search=LLOYD)
    assert regions.site_sizes.tolist() == [4, 1, 4, 4]
    np.testing.assert_array_equal(regions.site_labels, regions.labels[rows])
    assert regions.sites_in(1) == ("12",)
    held = cluster(features, into=3, starts=40, sites=sites, bounds=Bounds(4, 5), search=LLOYD)
    assert sorted(held.site_sizes) == [4, 4, 5]
    free = cluster(features, into=3, starts=40, search=LLOYD)
    assert free.silhouette >= held.silhouette
    with pytest.raises(InputError, match="none of 5 starts with 4 clusters has at least 8 sites"):
        cluster(features, into=4, starts=5, sites=sites, bounds=Bounds(8))


def test_finalists_are_compared_exactly():
    """A sample may rank starts wrongly; the silhouettes of all places then decide."""
    rng = np.random.default_rng(2)
    points = rng.normal(size=(400, 3))
    search = Search(method=Lloyd(passes=2), sample=30)
    best = best_start(points, None, 5, 12, Bounds(), search)
    exact = best_start(points, None, 5, 12, Bounds(), Search(method=Lloyd(passes=2)))
    assert best.error == exact.error == 0.0
    assert best.silhouette <= exact.silhouette + 1e-6
    assert best.silhouette == pytest.approx(silhouettes(points, best.start.labels).mean(), abs=1e-6)


def test_a_feature_that_does_not_vary_decides_nothing():
    features, _ = clouds()
    flat = Features(np.column_stack([features.values, np.full(110, 7.0)]), (*NAMES, "is_wetland"))
    regions = cluster(flat, into=4, starts=5)
    assert regions.scale[3] == 1.0
    elsewhere = Features(flat.values + np.array([0.0, 0.0, 0.0, 1e4]), flat.names)
    np.testing.assert_array_equal(regions.assign(elsewhere), regions.labels)


def test_saved_and_loaded_to_the_last_bit(tmp_path):
    features, _ = clouds()
    choose = Choose(counts=range(2, 5), starts=3)
    for made in (
        cluster(features, into=4, starts=3),
        cluster(features, choose=choose, starts=3, sites=features.take(np.arange(40))),
    ):
        made.save(tmp_path / "regions.json")
        found = Regions.load(tmp_path / "regions.json")
        for name in ("names", "mean", "scale", "centres", "labels", "sites", "site_labels"):
            np.testing.assert_array_equal(getattr(found, name), getattr(made, name))
        assert (found.silhouette, found.silhouette_error) == (
            made.silhouette,
            made.silhouette_error,
        )
        if made.scan is None:
            assert found.scan is None
        else:
            assert found.scan is not None
            for name in ("counts", "silhouette", "error", "smallest", "largest"):
                np.testing.assert_array_equal(getattr(found.scan, name), getattr(made.scan, name))
        np.testing.assert_array_equal(found.assign(features), made.assign(features))
    assert [p.name for p in tmp_path.iterdir()] == ["regions.json"]


def test_a_failed_save_leaves_the_old_file(tmp_path):
    features, _ = clouds()
    made = cluster(features, into=2, starts=2)
    target = tmp_path / "regions.json"
    made.save(target)
    before = target.read_bytes()
    broken = Regions(**{**vars(made), "silhouette": float("nan")})
    with pytest.raises(ValueError, match="Out of range float"):
        broken.save(target)
    assert target.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["regions.json"]


def test_damaged_copies_are_refused_or_possible(tmp_path):
    features, _ = clouds((6, 5, 4, 4))
    choose = Choose(counts=(2, 3), starts=2)
    cluster(features, choose=choose, starts=2).save(tmp_path / "whole.json")
    refused = 0
    for broken in damaged((tmp_path / "whole.json").read_bytes()):
        (tmp_path / "copy.json").write_bytes(broken)
        try:
            found = Regions.load(tmp_path / "copy.json")
        except InputError:
            refused += 1
            continue
        assert found.labels.max() < len(found) == len(found.centres)
        assert found.centres.shape[1] == len(found.mean) == len(found.scale) == len(found.names)
        assert np.isfinite(found.centres).all()
    assert refused > 20


def test_files_that_contradict_themselves_are_refused(tmp_path):
    features, _ = clouds()
    cluster(features, into=2, starts=2).save(tmp_path / "regions.json")
    told = json.loads((tmp_path / "regions.json").read_text())
    for change, match in (
        ({"scale": [1.0, 0.0, 1.0]}, "scale is above zero"),
        ({"labels": [0, 2]}, "labels are below"),
        ({"sites": ["one"]}, "every site has a label"),
        ({"centres": [[1.0, "x", 2.0]]}, "centres is not made of numbers"),
        ({"mean": [1.0, 2.0]}, "one number of each feature"),
        ({"mean": [1.0, 2.0, 1e999]}, "mean is not made of numbers"),
        ({"labels": [-1, 0]}, "whole numbers from 0"),
        ({"scan": {"counts": [2]}}, "no 'silhouette'"),
        ({"scan": [1]}, "damaged"),
        ({"format": "other"}, "does not say"),
    ):
        (tmp_path / "broken.json").write_text(json.dumps(told | change))
        with pytest.raises(InputError, match=match):
            Regions.load(tmp_path / "broken.json")
    with pytest.raises(InputError, match="no file at"):
        Regions.load(tmp_path / "missing.json")


def test_wishes_that_contradict_are_refused():
    features, _ = clouds()
    with pytest.raises(InputError, match="either into how many"):
        cluster(features)
    with pytest.raises(InputError, match="either into how many"):
        cluster(features, into=3, choose=Choose())
    with pytest.raises(InputError, match="0 workers, a sample of 2000, seed 0"):
        Search(workers=0)
    with pytest.raises(InputError, match="nothing to try"):
        Choose(counts=())
    with pytest.raises(InputError, match="0 starts"):
        cluster(features, into=3, starts=0)
    with pytest.raises(InputError, match="there is no feature elevation"):
        cluster(features, into=3, sites=Features(features.values[:, :2], NAMES[:2]))
