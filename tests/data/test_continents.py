import numpy as np
import pytest

from diffhydro.data.continents import continents

CITIES = {
    "CONUS": """Seattle 47.61 -122.33, Detroit 42.33 -83.05, Buffalo 42.89 -78.88, Key_West 24.56
        -81.78, El_Paso 31.76 -106.49, San_Diego 32.72 -117.16, Caribou 46.86 -68.01, Miami 25.77
        -80.19, Stillwater 36.12 -97.09, Brownsville 25.90 -97.50""",
    "Alaska": """Anchorage 61.22 -149.90, Juneau 58.30 -134.42, Utqiagvik 71.29 -156.79, Nome 64.50
        -165.40, Adak 51.88 -176.65, Attu 52.90 173.20, Gambell 63.78 -171.74""",
    "Europe": """Istanbul 41.01 28.95, Perm 58.01 56.25, Ufa 54.74 55.97, Vorkuta 67.50 64.03,
        Reykjavik 64.15 -21.94, Longyearbyen 78.22 15.65, Gibraltar 36.14 -5.35, Valletta 35.90
        14.51, Lampedusa 35.50 12.61, Rhodes 36.44 28.22, Heraklion 35.34 25.13, Sochi 43.60 39.73,
        Ponta_Delgada 37.74 -25.67, Astrakhan 46.35 48.03""",
    "Asia": """Uskudar 41.02 29.03, Ankara 39.93 32.86, Sinai 29.50 33.80, Sharm 27.91 34.33,
        Yekaterinburg 56.84 60.61, Chelyabinsk 55.16 61.40, Salekhard 66.53 66.60, Tbilisi 41.69
        44.80, Baku 40.41 49.87, Nicosia 35.17 33.36, Aden 12.79 45.02, Jakarta -6.20 106.85,
        Kupang -10.18 123.60, Anadyr 64.73 177.50, Uelen 66.16 -169.80, Tokyo 35.68 139.69""",
    "Australia": "Darwin -12.46 130.84, Hobart -42.88 147.33, Perth -31.95 115.86",
    "northern Africa": """Cairo 30.04 31.24, Suez 29.97 32.53, Tangier 35.77 -5.80, Ceuta 35.89
        -5.31, Tunis 36.81 10.18, Kampala 0.31 32.58, Djibouti 11.59 43.15, Dakar 14.69 -17.45,
        Las_Palmas 28.12 -15.44""",
    "southern Africa": "Nairobi -1.29 36.82, Cape_Town -33.92 18.42, Antananarivo -18.91 47.54",
    "South America": """Medellin 6.24 -75.58, Ushuaia -54.80 -68.30, Stanley -51.70 -57.85,
        Natal -5.79 -35.20, Port_of_Spain 10.65 -61.50""",
    "rest": """Honolulu 21.31 -157.86, Auckland -36.85 174.76, Dunedin -45.87 170.50, Nuuk 64.18
        -51.72, Toronto 43.65 -79.38, Windsor 42.30 -83.02, Vancouver 49.28 -123.12, Tijuana 32.51
        -117.04, Juarez 31.72 -106.46, Whitehorse 60.72 -135.05, Panama 8.98 -79.52, Havana 23.11
        -82.37, Port_Moresby -9.44 147.18, Suva -18.14 178.44, Vostok -78.46 106.84""",
}


@pytest.mark.parametrize("name", CITIES)
def test_cities(name):
    for city in CITIES[name].split(","):
        label, latitude, longitude = city.split()
        assert continents(float(latitude), float(longitude)) == name, label


def test_longitudes_may_go_round():
    latitude = np.array([52.9, 66.16, -36.85, 52.5])
    longitude = np.array([173.2, -169.8, 174.76, 13.4])
    here = continents(latitude, longitude)
    assert here.tolist() == ["Alaska", "Asia", "rest", "Europe"]
    for turn in (-360.0, 360.0):
        np.testing.assert_array_equal(continents(latitude, longitude + turn), here)


def test_shapes_are_kept():
    grid = continents(np.linspace(-89.0, 89.0, 30)[:, None], np.linspace(-179.0, 179.0, 60))
    assert grid.shape == (30, 60)
    assert set(np.unique(grid)) == set(CITIES)


def test_real_stations(real_data):
    import xarray as xr

    found = xr.open_dataset(real_data / "uscrn_daily_30sites_2012_2020.nc")
    assert (continents(found["lat"].values, found["lon"].values) == "CONUS").all()
