"""`diffhydro regions` from file to files."""

import json

import numpy as np
import pytest

from diffhydro.app.regions import run
from diffhydro.data.embedded import embedded_weather
from diffhydro.data.regions import Regions
from diffhydro.errors import InputError

pytest.importorskip("matplotlib")
ASK = {
    "sites": None, "into": None, "most_clusters": 4, "names": (), "least_sites": 1, "starts": 5,
    "seed": 0, "workers": 1,
}  # fmt: skip


@pytest.fixture
def places(tmp_path):
    found = embedded_weather(days=90)
    rng = np.random.default_rng(0)
    moisture = rng.uniform(0.1, 0.4, (12, 90, 1)).astype("f4")
    found["soil_moisture"] = (("site", "time", "depth"), moisture, {"units": "m3 m-3"})
    found["depth"] = ("depth", [50.0], {"units": "mm"})
    found["longitude"] = ("site", np.linspace(-150, 150, 12), {"units": "degrees_east"})
    found.to_netcdf(tmp_path / "places.nc", engine="h5netcdf")
    return tmp_path / "places.nc"


@pytest.mark.exhaustive
def test_clusters_are_written_drawn_and_judged(places, tmp_path, capsys):
    run(places, tmp_path / "out", **ASK | {"into": 3, "sites": places})
    regions = Regions.load(tmp_path / "out" / "regions.json")
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report["clusters"] == len(regions) == 3
    assert sum(report["places"]) == 12
    assert report["places"] == report["sites"] == regions.sizes.tolist()
    assert -1.0 <= report["correlation_inside"] <= 1.0
    assert (tmp_path / "out" / "regions.png").read_bytes().startswith(b"\x89PNG")
    said = capsys.readouterr().err
    assert "precipitation, mm day-1" in said
    assert "mean silhouette" in said


def test_the_same_call_writes_the_same_files(places, tmp_path):
    for name in ("one", "two"):
        run(places, tmp_path / name, **ASK)
    for file in ("regions.json", "report.json", "regions.png"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_what_cannot_be_clustered_is_said(places, tmp_path):
    with pytest.raises(InputError, match="slope"):
        run(places, tmp_path / "out", **ASK | {"names": ("slope",)})
    with pytest.raises(InputError, match="11"):
        run(places, tmp_path / "out", **ASK | {"into": 3, "sites": places, "least_sites": 11})
    assert not (tmp_path / "out").exists()
