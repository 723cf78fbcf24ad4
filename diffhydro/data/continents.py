"""The continent of a place, from its coordinates, by outlines coarse enough to read.

The seven regions of GSM3 (Liu et al. 2023, GMD 16, 1553: CONUS, Alaska, Europe, Asia, Australia,
northern and southern Africa), and South America. What is in none of them is "rest": Canada, Mexico
to Panama, the Caribbean, Greenland, Antarctica, New Guinea, New Zealand, islands far out.

Outlines run through the sea where there is sea, and are good to about 10 km on land. Conventions:
Europe ends at the crest of the Urals, the river Ural, the crest of the Caucasus, Bosphorus and
Dardanelles; it has Iceland, the Azores, Svalbard and Novaya Zemlya. Africa has Madeira, the Canary
Islands, Cape Verde and Madagascar, and ends at the Suez Canal; its south begins at the equator.
Asia has Cyprus, Japan, Indonesia to the Moluccas, and Russia to the Bering Strait. Australia has
Tasmania. South America has Trinidad and the islands along its northern coast, and begins at the
Darién.
"""

import numpy as np

REST = "rest"


def _outline(text: str) -> np.ndarray:
    """Read longitude and latitude in turn, corner by corner."""
    return np.array(text.split(), float).reshape(-1, 2)


# Longitudes go on beyond ±180 rather than jump, where an outline crosses that meridian.
_CONUS = _outline("""
    -125.5 48.5    -124.6 48.45   -123.6 48.25   -123.15 48.35  -123.2 48.7    -123.0 48.82
    -123.32 49.0   -95.15 49.0    -95.15 49.4    -94.8 49.3     -94.6 48.72    -93.8 48.55
    -93.3 48.62    -92.4 48.25    -91.4 48.07    -90.75 48.1    -89.6 48.0     -88.4 48.3
    -86.5 47.6     -84.85 46.9    -84.55 46.46   -84.35 46.51   -84.13 46.53   -84.1 46.25
    -83.95 46.06   -83.6 46.1     -83.55 45.82   -82.55 45.35   -82.13 43.6    -82.41 42.98
    -82.47 42.76   -82.52 42.61   -82.9 42.36    -83.06 42.32   -83.13 42.2    -83.1 41.95
    -82.7 41.68    -82.4 41.68    -81.25 42.2    -78.92 42.83   -78.9 42.93    -79.03 42.99
    -79.07 43.09   -79.06 43.26   -79.2 43.45    -78.7 43.63    -76.8 43.63    -76.4 44.1
    -75.8 44.43    -75.5 44.7     -75.3 44.84    -74.7 45.0     -71.5 45.01    -71.35 45.27
    -70.85 45.25   -70.4 45.75    -70.25 45.95   -70.3 46.2     -70.0 46.7     -69.23 47.46
    -69.05 47.3    -68.9 47.18    -68.6 47.26    -68.33 47.37   -68.15 47.31   -67.93 47.16
    -67.79 47.07   -67.79 45.68   -67.45 45.6    -67.48 45.28   -67.28 45.19   -67.1 45.12
    -66.96 44.95   -66.95 44.8    -67.05 44.6    -66.0 43.0     -69.0 40.0     -74.0 35.0
    -79.5 30.0     -79.3 26.5     -80.2 24.9     -82.5 24.2     -90.0 27.5     -96.9 25.96
    -97.15 25.96   -97.37 25.85   -97.5 25.89    -97.62 25.97   -97.8 26.03    -97.96 26.06
    -98.2 26.06    -98.35 26.15   -98.47 26.21   -98.6 26.25    -98.83 26.36   -99.03 26.41
    -99.17 26.54   -99.28 26.86   -99.46 27.03   -99.5 27.3     -99.53 27.5    -99.62 27.65
    -99.82 27.78   -99.93 27.98   -100.3 28.28   -100.51 28.69  -100.66 29.1   -101.4 29.77
    -102.3 29.88   -102.7 29.7    -103.1 28.98   -104.0 29.3    -104.5 29.65   -104.9 30.6
    -106.0 31.39   -106.2 31.47   -106.28 31.58  -106.39 31.74  -106.45 31.76  -106.49 31.747
    -106.53 31.783 -108.21 31.78  -108.21 31.33  -111.07 31.33  -114.81 32.49  -114.8 32.56
    -114.72 32.72  -117.13 32.53  -119.0 32.0    -122.0 33.0    -126.0 40.0    -126.0 48.0
""")
_ALASKA = _outline("""
    -141.0 72.5    -141.0 60.3    -139.2 60.08   -139.1 60.35   -137.5 58.9    -136.6 59.17
    -136.5 59.46   -135.5 59.8    -135.0 59.57   -135.0 59.35   -133.8 58.73   -133.4 58.4
    -132.0 57.05   -132.1 56.87   -131.85 56.6   -130.45 56.14  -130.03 55.92  -130.15 55.6
    -129.98 55.28  -130.3 54.9    -130.7 54.7    -133.5 54.5    -140.0 55.0    -155.0 52.0
    -180.0 50.0    -189.5 51.5    -189.5 54.5    -182.0 57.0    -178.5 60.0    -173.2 63.2
    -171.0 64.4    -168.98 65.5   -168.98 72.5
""")
_EUROPE = _outline("""
    -33.0 35.5     -33.0 45.0     -26.0 62.0     -26.0 66.9     -15.0 68.0     -14.0 72.0
    2.0 79.0       2.0 84.0       70.0 84.0      70.0 77.2      60.5 73.5      58.5 71.3
    61.0 69.75     64.6 69.3      66.0 68.6      66.2 67.7      65.6 66.9      64.0 66.0
    61.5 65.2      59.5 63.8      59.4 61.5      59.15 60.0     59.2 58.5      59.6 57.9
    60.15 57.0     60.3 56.6      59.9 55.9      59.9 55.2      59.5 54.6      58.95 54.0
    59.0 53.4      58.75 52.4     58.55 51.3     56.8 51.05     55.1 51.72     53.5 51.45
    51.35 51.2     51.6 49.0      51.85 47.1     51.9 46.5      50.5 43.0      50.5 41.9
    48.6 41.82     47.85 41.2     46.7 41.85     45.5 42.4      44.6 42.72     43.0 43.15
    42.4 43.25     40.7 43.57     40.0 43.38     34.0 43.3      29.5 42.2      29.13 41.25
    29.06 41.1     29.0 41.02     28.9 40.93     28.0 40.75     26.75 40.42    26.4 40.18
    26.1 40.0      25.6 39.9      25.7 39.45     26.4 39.42     26.68 39.15    26.6 38.9
    26.1 38.7      26.24 38.35    26.5 37.95     27.15 37.79    27.06 37.69    26.95 37.45
    27.1 37.2      27.35 36.94    27.45 36.75    27.55 36.62    27.9 36.66     28.3 36.6
    28.6 36.0      29.3 34.0      22.0 34.0      15.5 34.9      12.2 34.9      11.5 36.2
    11.4 37.2      10.5 37.6      5.0 37.6       2.5 37.2       0.0 36.4       -2.2 35.9
    -4.5 35.97     -5.6 35.95     -10.0 35.7
""")
_AFRICA = _outline("""
    -33.0 35.5     -10.0 35.7     -5.6 35.95     -4.5 35.97     -2.2 35.9      0.0 36.4
    2.5 37.2       5.0 37.6       10.5 37.6      11.4 37.2      11.5 36.2      12.2 34.9
    15.5 34.9      22.0 34.0      29.3 34.0      32.35 32.0     32.33 31.25    32.32 30.6
    32.56 30.0     32.65 29.5     33.2 28.5      34.1 27.5      36.5 24.0      38.5 20.0
    41.0 16.0      42.75 13.5     43.35 12.55    45.0 12.05     51.0 12.3      52.0 12.0
    52.0 -26.5     45.0 -30.0     30.0 -36.5     15.0 -36.5     -5.0 0.0       -20.0 4.0
    -33.0 12.0
""")
_AUSTRALIA = _outline("""
    112.0 -20.0    122.0 -13.5    127.0 -11.8    131.0 -10.5    142.0 -10.1    143.6 -10.3
    146.0 -12.5    150.0 -15.0    155.0 -22.0    155.0 -38.0    150.0 -45.0    144.0 -45.0
    112.0 -37.0
""")
_SOUTH_AMERICA = _outline("""
    -77.35 8.68    -77.5 8.0      -77.9 7.23     -79.5 6.5      -83.0 0.0      -83.0 -8.0
    -74.0 -20.0    -79.5 -30.0    -79.5 -50.0    -74.0 -57.0    -56.0 -57.0    -56.0 -50.0
    -33.0 -25.0    -31.5 -3.0     -50.0 6.0      -59.5 9.5      -60.3 11.4     -63.0 12.2
    -71.0 12.8     -75.0 12.0
""")
_ASIA = _outline("""
    26.0 35.5      29.3 34.0      32.35 32.0     32.33 31.25    32.32 30.6     32.56 30.0
    32.65 29.5     33.2 28.5      34.1 27.5      36.5 24.0      38.5 20.0      41.0 16.0
    42.75 13.5     43.35 12.55    45.0 12.05     51.0 12.3      52.0 12.0      60.0 -2.0
    95.0 -13.0     121.0 -12.0    127.0 -10.8    132.5 -9.0     133.5 -5.0     131.5 -3.2
    129.8 -1.0     129.5 2.5      128.0 6.0      130.0 20.0     143.5 24.0     150.0 40.0
    157.0 45.5     163.0 51.5     169.0 54.0     178.0 57.0     181.5 60.0     186.8 63.2
    189.0 64.4     191.02 65.5    191.02 72.5    170.0 78.0     110.0 83.0     65.0 83.0
    50.0 68.0      50.0 45.0      24.0 43.0      24.0 38.0
""")
# The first that holds a place has it, so that Asia need not follow the outline of Europe again.
_OUTLINES = (
    ("CONUS", _CONUS),
    ("Alaska", _ALASKA),
    ("Europe", _EUROPE),
    ("Africa", _AFRICA),
    ("Australia", _AUSTRALIA),
    ("South America", _SOUTH_AMERICA),
    ("Asia", _ASIA),
)


def continents(latitude: np.ndarray, longitude: np.ndarray) -> np.ndarray:
    """Name the continent of each place, or "rest".

    >>> continents(np.array([52.5, -33.9, 21.3]), np.array([13.4, 18.4, -157.9])).tolist()
    ['Europe', 'southern Africa', 'rest']
    """
    latitude, longitude = np.broadcast_arrays(np.asarray(latitude, float), longitude)
    wrapped = (longitude + 180.0) % 360.0 - 180.0
    found = np.full(latitude.shape, REST, dtype="<U16")
    for name, outline in _OUTLINES:
        inside = sum(
            (_inside(outline, wrapped + turn, latitude) for turn in (-360.0, 0.0, 360.0)),
            np.zeros(latitude.shape, bool),
        )
        found[(found == REST) & inside] = name
    south = (found == "Africa") & (latitude < 0.0)
    found[found == "Africa"] = "northern Africa"
    found[south] = "southern Africa"
    return found


def _inside(outline: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Tell which points an outline holds: a ray to the east crosses it an odd number of times."""
    held = np.zeros(x.shape, bool)
    for (x0, y0), (x1, y1) in zip(outline, np.roll(outline, -1, axis=0), strict=True):
        if y0 != y1:
            crosses = (y0 > y) != (y1 > y)
            held ^= crosses & (x < x0 + (y - y0) * (x1 - x0) / (y1 - y0))
    return held
