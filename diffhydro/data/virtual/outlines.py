"""Land and sea of the virtual Earth: outlines with a few dozen corners, drawn by hand.

Close enough to the Earth that a place lies on the continent its coordinates say, and no closer:
islands are missing, coasts are straight, Antarctica and Greenland are left out.
"""

import numpy as np

# Corners as (longitude, latitude); no outline crosses 180°.
OUTLINES: dict[str, tuple[tuple[float, float], ...]] = {
    "North America": (
        (-167, 65), (-156, 71), (-128, 70), (-95, 72), (-82, 68), (-94, 60), (-82, 55), (-79, 52),
        (-78, 61), (-65, 59), (-56, 52), (-66, 45), (-74, 40), (-76, 35), (-81, 31), (-80, 26),
        (-83, 30), (-90, 30), (-97, 27), (-97, 21), (-91, 18), (-88, 21), (-87, 16), (-83, 10),
        (-78, 8), (-86, 12), (-96, 16), (-105, 20), (-112, 29), (-110, 23), (-117, 33),
        (-124, 40), (-124, 48), (-133, 55), (-150, 61), (-162, 59), (-166, 63),
    ),
    "South America": (
        (-77, 8), (-72, 12), (-62, 10), (-51, 4), (-44, -2), (-35, -6), (-39, -14), (-41, -22),
        (-48, -26), (-54, -34), (-58, -38), (-65, -42), (-67, -50), (-69, -55), (-74, -52),
        (-73, -42), (-71, -30), (-70, -18), (-76, -14), (-81, -5), (-79, 1),
    ),
    "Africa": (
        (-6, 35), (10, 37), (11, 33), (20, 31), (32, 31), (37, 21), (43, 12), (51, 12), (45, 2),
        (40, -4), (40, -15), (35, -20), (32, -28), (26, -34), (18, -34), (14, -22), (12, -12),
        (9, -1), (9, 4), (1, 6), (-8, 4), (-14, 10), (-17, 15), (-16, 22), (-10, 30),
    ),
    "Eurasia": (
        (-9, 37), (-9, 43), (-2, 44), (-4, 48), (2, 51), (8, 54), (10, 57), (21, 55), (23, 59),
        (30, 60), (24, 65), (18, 61), (13, 56), (6, 59), (14, 67), (27, 71), (40, 66), (60, 69),
        (73, 72), (104, 77), (130, 71), (160, 70), (179, 69), (178, 63), (163, 60), (156, 52),
        (158, 62), (142, 59), (136, 54), (141, 49), (130, 42), (129, 35), (126, 38), (118, 39),
        (122, 31), (117, 23), (108, 21), (109, 12), (101, 13), (104, 2), (100, 8), (97, 17),
        (91, 22), (80, 15), (77, 8), (72, 20), (66, 25), (57, 26), (49, 30), (52, 24), (59, 22),
        (52, 16), (43, 13), (35, 28), (35, 32), (36, 36), (28, 37), (27, 41), (22, 37), (19, 42),
        (13, 45), (18, 40), (15, 38), (9, 44), (3, 42), (0, 38), (-5, 36),
    ),
    "Australia": (
        (114, -22), (122, -17), (131, -12), (136, -15), (141, -12), (146, -19), (153, -27),
        (150, -37), (140, -38), (131, -32), (118, -35), (115, -33),
    ),
    "Borneo": ((109, 1), (117, 7), (118, 1), (115, -4), (110, -3)),
    "New Guinea": ((132, -1), (141, -3), (150, -10), (143, -9), (138, -7)),
    "Madagascar": ((44, -17), (50, -15), (47, -25), (44, -22)),
}  # fmt: skip
SOUTHERNMOST, NORTHERNMOST = -56.0, 77.0


def is_land(latitude: np.ndarray, longitude: np.ndarray) -> np.ndarray:
    """Tell land from sea.

    >>> is_land(np.array([45.0, 0.0]), np.array([-100.0, -150.0])).tolist()
    [True, False]
    """
    latitude, longitude = np.broadcast_arrays(latitude, (longitude + 180.0) % 360.0 - 180.0)
    land = np.zeros(latitude.shape, bool)
    for corners in OUTLINES.values():
        land |= inside(latitude, longitude, np.array(corners, float))
    return land


def inside(latitude: np.ndarray, longitude: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """Tell what lies inside an outline: a ray to the east crosses it an odd number of times."""
    odd = np.zeros(latitude.shape, bool)
    for (x0, y0), (x1, y1) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if y0 == y1:
            continue
        between = (latitude < y0) != (latitude < y1)
        crossing = x0 + (latitude - y0) * (x1 - x0) / (y1 - y0)
        odd ^= between & (longitude < crossing)
    return odd


def land_around(latitude: np.ndarray, longitude: np.ndarray, bearings: tuple[float, ...]):
    """Give the share of land within 1500 km in some directions, degrees east of north."""
    reach = np.array([2.0, 5.0, 9.0, 13.5])  # degrees of a great circle
    share = np.zeros(np.shape(latitude))
    for bearing in np.radians(bearings):
        for distance in reach:
            rows = latitude + distance * np.cos(bearing)
            stretch = np.maximum(np.cos(np.radians(latitude)), 0.2)
            columns = longitude + distance * np.sin(bearing) / stretch
            share += is_land(np.clip(rows, -90.0, 90.0), columns)
    return share / (len(reach) * len(bearings))
