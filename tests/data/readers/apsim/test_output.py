import sqlite3
from functools import partial

import numpy as np
import pytest

from diffhydro.data.readers.apsim.output import read_apsim
from diffhydro.errors import InputError
from tests.data.damage import survive, survive_apart

OUT = """ApsimVersion = 7.9 r4044
Title = Maize
           Date  transpiration          drain             es            esw          sw(1)          sw(2)
   (dd/mm/yyyy)           (mm)           (mm)           (mm)           (mm)        (mm/mm)        (mm/mm)
     01/02/2011          1.500          0.250          0.117        208.563          0.304          0.305
     02/02/2011              ?          0.000          0.046        208.517          0.303          0.305
"""  # noqa: E501
DAYS = ("2011-02-01", "2011-02-02")


def write(folder, text, name="Maize.out"):
    path = folder / name
    path.write_text(text)
    return path


def database(folder, name="run.db", layers=True, extra=()):
    """Write what APSIM Next Generation writes: two simulations, and an older run."""
    path = folder / name
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE _Simulations (ID INTEGER PRIMARY KEY ASC, Name TEXT)")
        db.execute("CREATE TABLE _Checkpoints (ID INTEGER PRIMARY KEY ASC, Name TEXT, Date TEXT)")
        db.execute("CREATE TABLE _Units (TableName TEXT, ColumnHeading TEXT, Units TEXT)")
        soil = "".join(f', "Soil.SoilWater.SW({i})" REAL' for i in (1, 2)) if layers else ""
        db.execute(
            'CREATE TABLE "Report" ("CheckpointID" INTEGER, "SimulationID" INTEGER, "Zone" TEXT, '
            '"Clock.Today" TEXT, "Soil.SoilWater.Es" REAL, "Weather.Rain" REAL, "Weather.VP" REAL, '
            f'"Maize.Leaf.LAI" REAL, "Wheat.Leaf.LAI" REAL, "Maize.Yield" REAL{soil})'
        )
        db.executemany("INSERT INTO _Simulations VALUES (?, ?)", [(1, "Wet"), (2, "Dry")])
        db.executemany(
            "INSERT INTO _Checkpoints VALUES (?, ?, ?)", [(1, "Current", ""), (2, "older", "")]
        )
        db.executemany(
            "INSERT INTO _Units VALUES (?, ?, ?)",
            [("Report", "Soil.SoilWater.Es", "(mm)"), ("Report", "Weather.VP", "hPa"),
             ("Other", "Weather.VP", "kPa")],
        )  # fmt: skip
        for checkpoint, simulation, rain in ((1, 1, 5.0), (1, 2, 0.0), (2, 1, 99.0)):
            for i, day in enumerate(DAYS):
                row = (checkpoint, simulation, "Field", f"{day} 00:00:00", 1.0 + i, rain, 12.0)
                water = (0.3, None if i else 0.25) if layers else ()
                marks = ", ".join("?" * (10 + len(water)))
                db.execute(f"INSERT INTO Report VALUES ({marks})", (*row, 1.0, 2.0, 0.0, *water))
        for statement in extra:
            db.execute(statement)
    db.close()
    return path


def test_classic_output(tmp_path):
    found = read_apsim(write(tmp_path, OUT), thickness=[150, 300])
    assert found["site"].values.tolist() == ["Maize"]
    assert found["time"].values[0] == np.datetime64("2011-02-01")  # the unit says dd/mm/yyyy
    assert found["depth"].values.tolist() == [75.0, 300.0]
    assert found["top"].values.tolist() == [0.0, 150.0]
    assert found["bottom"].values.tolist() == [150.0, 450.0]
    np.testing.assert_allclose(found["transpiration"][0], [1.5, np.nan])
    np.testing.assert_allclose(found["soil_evaporation"][0], [0.117, 0.046], rtol=1e-6)
    np.testing.assert_allclose(found["drainage"][0], [0.25, 0.0])
    np.testing.assert_allclose(found["soil_moisture"][0, 1], [0.303, 0.305], rtol=1e-6)
    assert found.attrs["not_read"] == "esw"


def test_layers_need_their_thickness(tmp_path):
    path = write(tmp_path, OUT)
    with pytest.raises(InputError, match=r"2 layers.*say thickness="):
        read_apsim(path)
    with pytest.raises(InputError, match=r"2 layers; thickness is \[100\]"):
        read_apsim(path, thickness=[100])
    with pytest.raises(InputError, match="above zero"):
        read_apsim(path, thickness=[100, 0])
    found = read_apsim(path, thickness=[])
    assert "soil_moisture" not in found
    assert found.attrs["not_read"] == "esw, sw(1), sw(2)"


@pytest.mark.parametrize(
    ("old", "new"),
    [("01/02/2011", "01_feb_2011"), ("01/02/2011", "2011-02-01"), ("01/02/2011", "01-Feb-2011")],
)
def test_other_dates_of_classic_output(tmp_path, old, new):
    text = OUT.replace(old, new).replace("02/02/2011", new.replace("01", "02", 1)
                                         if "-02-01" not in new else "2011-02-02")  # fmt: skip
    found = read_apsim(write(tmp_path, text), thickness=[150, 300])
    assert found["time"].values[0] == np.datetime64("2011-02-01")
    assert found["time"].values[1] == np.datetime64("2011-02-02")


def test_years_and_days(tmp_path):
    text = "Version = 1\nyear day rain\n() () (mm)\n2012 60 1.0\n2012 61 ?\n"
    found = read_apsim(write(tmp_path, text))
    assert found["time"].values.tolist() == [
        np.datetime64(day, "ns").astype(int) for day in ("2012-02-29", "2012-03-01")
    ]


def test_next_generation(tmp_path):
    found = read_apsim(database(tmp_path), thickness=[100, 200])
    assert found["site"].values.tolist() == ["Wet", "Dry"]
    np.testing.assert_allclose(found["precipitation"], [[5.0, 5.0], [0.0, 0.0]])
    np.testing.assert_allclose(found["soil_evaporation"][1], [1.0, 2.0])
    assert found["vapour_pressure"][0, 0].item() == pytest.approx(1200.0)
    np.testing.assert_allclose(found["soil_moisture"][0], [[0.3, 0.25], [0.3, np.nan]], rtol=1e-6)
    assert found["depth"].values.tolist() == [50.0, 200.0]
    # Two crops have leaves: which are meant is not for the reader to say.
    assert found.attrs["not_read"] == "Maize.Leaf.LAI, Wheat.Leaf.LAI, Maize.Yield"


def test_zones_are_sites_of_their_own(tmp_path):
    second = (
        "INSERT INTO Report SELECT 1, 1, 'Trees', \"Clock.Today\", 7, 8, 9, 1, 1, 1 FROM Report"
    )
    path = database(tmp_path, layers=False, extra=[f"{second} WHERE CheckpointID = 2"])
    found = read_apsim(path)
    assert found["site"].values.tolist() == ["Wet/Field", "Dry", "Wet/Trees"]
    assert found["precipitation"].sel(site="Wet/Trees").values.tolist() == [8.0, 8.0]


def test_the_report_is_named_where_there_are_several(tmp_path):
    path = database(
        tmp_path,
        extra=["ALTER TABLE Report RENAME TO A", "CREATE TABLE B AS SELECT * FROM A"],
    )
    with pytest.raises(InputError, match="are A, B; say report="):
        read_apsim(path)
    assert "precipitation" in read_apsim(path, report="B", thickness=[100, 200])
    with pytest.raises(InputError, match="no report C"):
        read_apsim(path, report="C")


def test_nothing_of_the_file_is_run(tmp_path):
    path = database(
        tmp_path,
        layers=False,
        extra=[
            "ALTER TABLE Report RENAME TO Hidden",
            'CREATE VIEW "Report" AS SELECT * FROM Hidden',
            "CREATE TABLE Sly (\"Clock.Today\" TEXT, x TEXT AS (hex(zeroblob(9))) VIRTUAL)",
            "INSERT INTO Sly VALUES ('2011-01-01')",
        ],
    )  # fmt: skip
    before = path.read_bytes()
    assert read_apsim(path)["precipitation"][0, 0].item() == 5.0  # of the table, not of the view
    for name in ("Report", "Sly"):
        with pytest.raises(InputError, match=f"no report {name}.*are Hidden;"):
            read_apsim(path, report=name)
    assert path.read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["run.db"]


def test_a_run_that_is_not_finished(tmp_path):
    path = database(tmp_path)
    (tmp_path / "run.db-wal").write_bytes(b"something")
    with pytest.raises(InputError, match="close APSIM first"):
        read_apsim(path)
    with pytest.raises(InputError, match="no records in Report"):
        read_apsim(database(tmp_path, "empty.db", extra=["DELETE FROM Report"]))
    with pytest.raises(InputError, match="no file at"):
        read_apsim(tmp_path / "none.db")


def test_an_export(tmp_path):
    text = (
        "SimulationName,SimulationID,CheckpointID,Zone,Clock.Today,Soil.SoilWater.Es,Weather.Radn\n"
        "Wet,1,1,Field,2011-02-01,1.5,10\nWet,1,1,Field,2011-02-02,2.5,20\nDry,2,1,Field,2011-02-01,0.5,\n"
    )
    found = read_apsim(write(tmp_path, text, "report.csv"))
    np.testing.assert_allclose(found["soil_evaporation"], [[1.5, 2.5], [0.5, np.nan]])
    assert found["shortwave"][0, 0].item() == pytest.approx(10 / 0.0864)


def test_what_is_not_right_is_refused(tmp_path):
    for text, match in (
        (OUT.replace("02/02/2011", "04/02/2011"), "2011-02-04 after 2011-02-01"),
        (OUT.replace("02/02/2011", "01/02/2011"), "each day once"),
        (OUT.replace("0.303          0.305", "0.303"), "line 6 has 6 fields; its header has 7"),
        (OUT.replace("(mm/mm)        (mm/mm)", "(mm/mm)"), "7 names and 6 units"),
        (OUT.replace("   (dd/mm/yyyy)           (mm)", "   2           3"), "line of units"),
        (OUT.replace("(dd/mm/yyyy)", "(date)"), "say dates="),
        (OUT.replace("          0.117", "      0,117"), "es is '0,117'"),
        ("a = 1\nfoo Date\n() ()\n1 2011-01-01\n", "has none of rain"),
    ):
        with pytest.raises(InputError, match=match):
            read_apsim(write(tmp_path, text), thickness=[150, 300])


def test_damaged_copies(tmp_path):
    (tmp_path / "copies").mkdir()
    read = partial(read_apsim, thickness=[150, 300])
    assert survive(read, write(tmp_path, OUT), tmp_path / "copies") > 0


@pytest.mark.slow
def test_damaged_databases(tmp_path):
    (tmp_path / "copies").mkdir()
    whole = database(tmp_path, layers=False)
    refused = survive_apart(
        "diffhydro.data.readers.apsim.output:read_apsim", whole, tmp_path / "copies"
    )
    assert refused > 0


def test_the_real_output(real_data):
    path = real_data / "raw" / "apsim" / "Maize.out"
    found = read_apsim(path, thickness=[150, 150, 300, 300, 300, 300])
    lines = path.read_text().splitlines()[4:]
    assert found.sizes["time"] == len(lines) == 365
    for i in range(0, 365, 20):
        cells = lines[i].split()
        day, month, year = cells[0].split("/")
        at = found.sel(site="Maize", time=f"{year}-{month}-{day}")
        for name, column in (("transpiration", 1), ("drainage", 2), ("soil_evaporation", 3)):
            assert at[name].item() == pytest.approx(float(cells[column]), rel=1e-6, abs=1e-9)
        np.testing.assert_allclose(at["soil_moisture"], [float(c) for c in cells[5:]], rtol=1e-6)
