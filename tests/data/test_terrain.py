import numpy as np
import pytest
import xarray as xr

from diffhydro.data.terrain import Spacing, metres_per_degree, shape, spacing_of, terrain
from diffhydro.errors import InputError


def grid(n, size, middle=(0.0, 0.0)):
    """Give x (eastward), y (northward) of n × n cells, rows from north, and their spacing."""
    steps = size * (np.arange(n) - (n - 1) / 2)
    x, y = np.meshgrid(middle[0] + steps, middle[1] - steps)
    return x, y, Spacing(np.full(n, size), np.full(n, size))


@pytest.mark.parametrize(
    ("p", "q", "aspect"),
    [(-0.1, 0.0, 90.0), (0.2, 0.0, 270.0), (0.0, 0.3, 180.0), (0.0, -0.4, 0.0),
     (-0.5, -0.5, 45.0), (0.3, -0.3, 315.0)],
)  # fmt: skip
def test_planes_are_exact(p, q, aspect):
    x, y, spacing = grid(7, 30.0)
    ground = shape(500.0 + p * x + q * y, spacing)
    inner = (slice(1, -1), slice(1, -1))
    np.testing.assert_allclose(
        ground.slope[inner], np.degrees(np.arctan(np.hypot(p, q))), rtol=1e-12
    )
    np.testing.assert_allclose(ground.aspect[inner], aspect, atol=1e-9)
    np.testing.assert_allclose(ground.plan[inner], 0.0, atol=1e-12)
    np.testing.assert_allclose(ground.profile[inner], 0.0, atol=1e-12)
    assert np.isnan(ground.slope[0]).all()
    assert np.isnan(ground.slope[:, -1]).all()


def test_level_ground_has_no_direction():
    _, _, spacing = grid(5, 30.0)
    ground = shape(np.full((5, 5), 7.0), spacing)
    assert ground.slope[2, 2] == 0.0
    assert np.isnan([ground.aspect[2, 2], ground.plan[2, 2], ground.profile[2, 2]]).all()


def test_quadratics_are_exact():
    """A fitted quadratic knows a quadratic, on cells that are no squares."""
    a, b, c, d, e = 1e-4, -2e-4, 5e-5, 0.05, -0.08
    x, y, _ = grid(9, 20.0)
    x, spacing = 1.7 * x, Spacing(np.full(9, 34.0), np.full(9, 20.0))
    ground = shape(a * x**2 + b * x * y + c * y**2 + d * x + e * y, spacing)
    p, q = 2 * a * x + b * y + d, b * x + 2 * c * y + e
    r, s, t, g2 = 2 * a, b, 2 * c, p**2 + q**2
    inner = (slice(1, -1), slice(1, -1))
    profile = -(p**2 * r + 2 * p * q * s + q**2 * t) / (g2 * (1 + g2) ** 1.5)
    plan = -(q**2 * r - 2 * p * q * s + p**2 * t) / g2**1.5
    np.testing.assert_allclose(np.tan(np.radians(ground.slope[inner])), np.sqrt(g2)[inner])
    np.testing.assert_allclose(ground.profile[inner], profile[inner], rtol=1e-8)
    np.testing.assert_allclose(ground.plan[inner], plan[inner], rtol=1e-8)


def order(errors):
    return np.log2(np.array(errors)[:-1] / np.array(errors)[1:])


def test_a_cone_to_second_order():
    """Contours of a cone are circles: plan curvature 1/ρ, profile 0, one slope."""
    slope, errors = 0.4, []
    for size in (20.0, 10.0, 5.0, 2.5):
        x, y, spacing = grid(3, size, middle=(300.0, -400.0))
        ground = shape(1000.0 - slope * np.hypot(x, y), spacing)
        errors.append([
            abs(ground.slope[1, 1] - np.degrees(np.arctan(slope))),
            abs(ground.plan[1, 1] * 500.0 - 1.0),
            abs(ground.profile[1, 1]),
            abs(ground.aspect[1, 1] - np.degrees(np.arctan2(300.0, -400.0))),
        ])  # fmt: skip
    assert ground.aspect[1, 1] == pytest.approx(143.13, abs=0.01)
    assert ground.plan[1, 1] == pytest.approx(1 / 500.0, rel=1e-4)
    np.testing.assert_allclose(order(errors), 2.0, atol=0.05)


def test_a_dome_is_convex_and_a_bowl_concave():
    """A paraboloid z = −kρ²/2 has profile k/(1 + g²)^{3/2} and plan 1/ρ."""
    k = 1e-3
    x, y, spacing = grid(3, 1.0, middle=(120.0, 160.0))
    g2 = (k * 200.0) ** 2
    for sign in (1.0, -1.0):
        ground = shape(-sign * k * (x**2 + y**2) / 2, spacing)
        assert ground.profile[1, 1] == pytest.approx(sign * k / (1 + g2) ** 1.5, rel=1e-8)
        assert ground.plan[1, 1] == pytest.approx(sign / 200.0, rel=1e-8)


def test_a_smooth_surface_to_second_order():
    errors = []
    for size in (20.0, 10.0, 5.0):
        x, y, spacing = grid(3, size, middle=(130.0, 70.0))
        f = 2 * np.pi / 700.0
        ground = shape(40.0 * np.sin(f * x) * np.cos(1.3 * f * y), spacing)
        a, b = f * 130.0, 1.3 * f * 70.0
        p, q = 40 * f * np.cos(a) * np.cos(b), -52 * f * np.sin(a) * np.sin(b)
        r, t = -40 * f**2 * np.sin(a) * np.cos(b), -67.6 * f**2 * np.sin(a) * np.cos(b)
        s, g2 = -52 * f**2 * np.cos(a) * np.sin(b), p**2 + q**2
        profile = -(p**2 * r + 2 * p * q * s + q**2 * t) / (g2 * (1 + g2) ** 1.5)
        plan = -(q**2 * r - 2 * p * q * s + p**2 * t) / g2**1.5
        errors.append([
            abs(ground.slope[1, 1] - np.degrees(np.arctan(np.sqrt(g2)))),
            abs(ground.profile[1, 1] - profile),
            abs(ground.plan[1, 1] - plan),
        ])  # fmt: skip
    np.testing.assert_allclose(order(errors), 2.0, atol=0.1)


def test_degrees_are_metres_on_the_ellipsoid():
    """Lengths of a degree at the equator, 45° and the pole, as every table has them."""
    north, east = metres_per_degree([0.0, 45.0, 90.0])
    np.testing.assert_allclose(north, [110_574.3, 111_131.8, 111_693.9], atol=0.1)
    np.testing.assert_allclose(east, [111_319.5, 78_846.8, 0.0], atol=0.1)


def heights(values, latitude, longitude):
    return xr.Dataset(
        {"elevation": (("y", "x"), values)},
        {"latitude": ("y", latitude), "longitude": ("x", longitude)},
        {"crs": "EPSG:4326"},
    )


def test_a_slope_in_degrees_of_latitude_is_one_in_metres():
    latitude, longitude = 60.0 - np.arange(9) / 1200, 10.0 + np.arange(7) / 1200
    north, east = metres_per_degree(latitude[4])
    rise = 0.2 * north * (latitude - latitude[4])[:, None] - 0.1 * east * (longitude - 10.0)
    maps = heights(rise, latitude, longitude)
    ground = terrain(maps)
    assert ground["slope"].values[4, 3] == pytest.approx(np.degrees(np.arctan(np.hypot(0.2, 0.1))))
    assert ground["aspect"].values[4, 3] == pytest.approx(np.degrees(np.arctan2(0.1, -0.2)) % 360)
    spacing = spacing_of(maps)
    assert spacing.dx[0] < spacing.dx[-1]
    assert spacing.dx[4] == pytest.approx(east / 1200)
    assert ground.attrs["crs"] == "EPSG:4326"
    assert set(ground.data_vars) == {"slope", "aspect", "plan_curvature", "profile_curvature"}
    assert ground["slope"].dtype == np.float32


def test_missing_heights_spread_by_one_cell():
    x, _, spacing = grid(9, 10.0)
    z = 0.1 * x
    z[4, 4] = np.nan
    missing = np.isnan(shape(z, spacing).slope)
    assert missing[3:6, 3:6].all()
    assert missing[1:-1, 1:-1].sum() == 9


def test_what_is_refused():
    _, _, spacing = grid(2, 10.0)
    with pytest.raises(InputError, match="has no slopes"):
        shape(np.zeros((2, 9)), spacing)
    with pytest.raises(InputError, match="latitude is not evenly spaced"):
        terrain(heights(np.zeros((3, 3)), [3.0, 2.0, 0.0], [0.0, 1.0, 2.0]))
    with pytest.raises(InputError, match="longitude has 2 cells"):
        terrain(heights(np.zeros((3, 2)), [3.0, 2.0, 1.0], [0.0, 1.0]))
    with pytest.raises(InputError, match="no elevation among"):
        terrain(heights(np.zeros((3, 3)), [3.0, 2.0, 1.0], [0.0, 1.0, 2.0]).rename(elevation="z"))
    with pytest.raises(InputError, match="needs latitude and longitude"):
        spacing_of(xr.Dataset({"elevation": (("y", "x"), np.zeros((3, 3)))}))


def test_real_heights_against_a_second_way(real_data):
    """Central differences of the middle row and column agree where the ground is smooth."""
    from diffhydro.data.readers.raster.dem import read_dem

    maps = read_dem(real_data / "raw" / "geotiff" / "dem_30m_mongon.tif").load()
    z = maps["elevation"].values.astype(np.float64)
    ground = terrain(maps)["slope"].values
    size = 30.85
    p, q = np.gradient(z, size, axis=1), -np.gradient(z, size, axis=0)
    other = np.degrees(np.arctan(np.hypot(p, q)))[1:-1, 1:-1]
    both = ground[1:-1, 1:-1]
    assert np.isfinite(both).all()
    assert np.corrcoef(both.ravel(), other.ravel())[0, 1] > 0.98
    assert np.abs(both - other).mean() < 1.5
