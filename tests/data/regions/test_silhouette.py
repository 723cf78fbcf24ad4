import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import silhouette_samples

from diffhydro.data.regions import silhouette
from diffhydro.data.regions.silhouette import mean_silhouettes, sample_rows, silhouettes
from diffhydro.errors import InputError


def points_and_labels(places=400, features=10, clusters=5, seed=0):
    rng = np.random.default_rng(seed)
    middles = 2.0 * rng.normal(size=(clusters, features))
    labels = rng.integers(clusters, size=places)
    labels[:clusters] = np.arange(clusters)
    return middles[labels] + rng.normal(size=(places, features)), labels


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("places", [7, 511, 513, 2500])
def test_equals_the_reference(places, dtype):
    points, labels = points_and_labels(places)
    points = points.astype(dtype)
    expected = silhouette_samples(points.astype(np.float64), labels)
    np.testing.assert_allclose(silhouettes(points, labels), expected, atol=2e-6)


@given(st.integers(0, 10_000), st.floats(-1e6, 1e6), st.floats(1e-4, 1e4))
@settings(max_examples=15, deadline=None)
def test_shift_and_unit_do_not_matter(seed, shift, size):
    points, labels = points_and_labels(40, 3, 3, seed)
    found = silhouettes(points * size + shift, labels)
    # The shifted input itself has lost digits.
    lost = 50.0 * np.finfo(float).eps * max(1.0, abs(shift) / size)
    np.testing.assert_allclose(found, silhouettes(points, labels), atol=3e-6 + lost)


def test_near_pairs_far_from_the_middle_keep_their_distance():
    # |x|² + |y|² − 2xy in single precision would make all of these distances 0 or 0.02.
    points = np.array([[0.0], [1e-4], [1000.0], [1000.0 + 4e-4], [-1000.0], [-1000.0]])
    labels = np.array([0, 0, 1, 1, 2, 2])
    mixed = np.array([0, 1, 2, 2, 2, 2])
    assert silhouettes(points, labels)[:2] == pytest.approx(1.0 - 1e-7, abs=2e-7)
    assert silhouettes(points, mixed)[:2].tolist() == [0.0, 0.0]


def test_alone_and_all_equal_are_zero():
    points = np.array([[0.0], [0.0], [0.0], [5.0]])
    expected = silhouette_samples(points, [0, 0, 1, 2])
    np.testing.assert_array_equal(silhouettes(points, np.array([0, 0, 1, 2])), expected)
    assert silhouettes(np.ones((4, 2)), np.array([0, 0, 1, 1])).tolist() == [0.0] * 4


def test_empty_clusters_between_do_not_count():
    points, labels = points_and_labels(60, 3, 3)
    np.testing.assert_allclose(silhouettes(points, 4 * labels), silhouettes(points, labels))


def test_labelings_side_by_side_equal_one_after_the_other(monkeypatch):
    points, labels = points_and_labels(300, 4, 4)
    rng = np.random.default_rng(1)
    many = np.stack([labels, *(rng.integers(4, size=300) for _ in range(6))])
    rows = sample_rows(300, 90, seed=3)
    apart = [silhouettes(points, one)[rows].mean() for one in many]
    monkeypatch.setattr(silhouette, "_WIDE", 12)  # three at once: seven make a partial batch
    np.testing.assert_allclose(mean_silhouettes(points, many, rows).value, apart, atol=1e-6)


def test_the_stated_error_covers_the_truth():
    points, labels = points_and_labels(1500, 6, 4)
    exact = silhouettes(points, labels).mean()
    off = []
    for seed in range(60):
        found = mean_silhouettes(points, labels[None], sample_rows(1500, 200, seed))
        off.append((found.value[0] - exact) / found.error[0])
    # Sixty standard normal numbers: mean within 3/√60, deviation within 3/√120 of one.
    assert abs(np.mean(off)) < 0.39
    assert 0.73 < np.std(off) < 1.27
    whole = mean_silhouettes(points, labels[None], np.arange(1500))
    assert whole.error[0] == 0.0
    assert whole.value[0] == pytest.approx(exact)


def test_what_cannot_be_compared_is_refused():
    points, labels = points_and_labels(20, 2, 2)
    for broken, match in (
        (np.zeros(20, int), "at least two"),
        (labels[:-1], "do not fit 20 places"),
        (labels - 1, "whole numbers from 0"),
        (labels.astype(float), "whole numbers from 0"),
    ):
        with pytest.raises(InputError, match=match):
            silhouettes(points, broken)
    points[3, 1] = np.nan
    with pytest.raises(InputError, match="without all its features"):
        silhouettes(points, labels)
