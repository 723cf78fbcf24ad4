"""Configurations are read safely; what is wrong is said with its place and the nearest right."""

import datetime

import pytest
import yaml

from diffhydro.app.config import Config
from diffhydro.app.config_reading import changed, read_as
from diffhydro.errors import InputError

GOOD = {
    "model": "wbm",
    "data": {"sites": "embedded"},
    "observed": [{"variable": "soil_moisture", "depth": 50}],
    "train": "upland",
}


@pytest.fixture
def read(tmp_path):
    def one(**changed):
        path = tmp_path / "config.yaml"
        path.write_text(yaml.safe_dump(GOOD | changed))
        return read_as(Config, path)

    return one


def test_what_is_not_said_has_its_default(read):
    found = read()
    assert found == Config.model_validate(GOOD)
    assert found.search.method == "levenberg-marquardt"
    assert found.search.starts == 4
    assert found.period.spin_up == 365
    assert found.twin is None
    assert found.observed[0].loss == "mse"


def test_dates_and_numbers_are_read_as_yaml_writes_them(read, tmp_path):
    text = yaml.safe_dump(GOOD) + "period: {train: [2001-01-01, 2001-12-31]}\n"
    text += "parameters: {a: 1e-3, b: 1.0e-3, c: sand, d: 2}\nsearch: {tolerance: 1e-5}\n"
    path = tmp_path / "config.yaml"
    path.write_text(text)
    found = read_as(Config, path)
    assert found.period.train == (datetime.date(2001, 1, 1), datetime.date(2001, 12, 31))
    assert found.parameters == {"a": 1e-3, "b": 1e-3, "c": "sand", "d": 2.0}
    assert found.search.tolerance == 1e-5


def test_series_are_called_by_what_and_where(read):
    many = [
        {"variable": "soil_moisture", "depth": 50},
        {"variable": "soil_moisture", "depth": 62.5},
        {"variable": "runoff"},
    ]
    names = [one.name for one in read(observed=many).observed]
    # A dot would part the path of a parameter of errors.
    assert names == ["soil_moisture_50mm", "soil_moisture_62_5mm", "runoff"]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"trian": "upland"}, ["no key trian", "did you mean train?"]),
        ({"search": {"startz": 3}}, ["no key search.startz", "did you mean starts?"]),
        (
            {"observed": [{"variable": "runoff", "wieght": 2.0}]},
            ["no key observed.0.wieght", "did you mean weight?"],
        ),
        ({"prior": {"knd": "near"}}, ["no key prior.knd", "did you mean kind?"]),
        ({"qqqq": 1}, ["there is no key qqqq"]),
        ({"model": "wmb"}, ["model: ", "'wbm'", "got 'wmb'"]),
        ({"model": None}, ["model: "]),
        ({"observed": []}, ["observed: ", "at least 1"]),
        ({"observed": [{"variable": "soil_moisture"}]}, ["observed.0: ", "at a depth, in mm"]),
        ({"observed": [{"variable": "runoff", "depth": 50}]}, ["a flux is not"]),
        ({"observed": [{"variable": "rain"}]}, ["observed.0.variable: ", "'runoff'"]),
        (
            {"observed": [{"variable": "runoff"}, *([GOOD["observed"][0]] * 2)]},
            ["two observed series are called soil_moisture_50mm"],
        ),
        ({"observed": [{"variable": "runoff", "loss": "kge"}]}, ["kge of runoff", "choose lbfgs"]),
        ({"period": {"train": ["2002-01-01", "2001-01-01"]}}, ["train ends on 2001-01-01, not"]),
        ({"period": {"test": ["2002-01-01", "2002-01-01"]}}, ["test ends on 2002-01-01"]),
        (
            {"period": {"train": ["2001-01-01", "2001-12-31"],
                        "test": ["2001-12-31", "2002-12-31"]}},
            ["train and test share days"],
        ),
        ({"period": {"train": ["2001-13-01", "2001-12-31"]}}, ["period.train.0: "]),
        ({"search": {"starts": 0}}, ["search.starts: ", "got 0"]),
        ({"search": {"tolerance": 2}}, ["search.tolerance: "]),
        ({"twin": {"noise": -1}}, ["twin.noise: "]),
        ({"twin": {"noise": float("inf")}}, ["twin.noise: "]),
        ({"train": "uplnd"}, ["train: ", "'upland'", "got 'uplnd'"]),
        ({"parameters": {"a": True}}, ["parameters.a: ", "expected a number"]),
        ({"dtype": "float16"}, ["dtype: "]),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(read, changed, words):
    with pytest.raises(InputError) as caught:
        read(**changed)
    for word in ["config.yaml", *words]:
        assert word in str(caught.value)
    assert "literal[" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("seed", "expected key=value"),
        (" =3", "expected key=value"),
        ("only.2=c", "'2' is no number of a list of 2"),
        ("only.a=c", "'a' is no number of a list of 2"),
        ("seed={", "is not YAML"),
    ],
)
def test_changes_that_cannot_be_made_are_refused(change, words):
    with pytest.raises(InputError, match=words):
        changed({"only": ["a", "b"]}, [change])


def test_changes_leave_the_rest_and_what_they_were_made_of():
    given = {"data": {"sites": "x", "only": ["a", "b"]}, "seed": 1}
    assert changed(given, ["data.only.0=c", "seed = 2", "deep.er=[1]"]) == {
        "data": {"sites": "x", "only": ["c", "b"]},
        "seed": 2,
        "deep": {"er": [1]},
    }
    assert given == {"data": {"sites": "x", "only": ["a", "b"]}, "seed": 1}


def test_a_blind_loss_goes_with_a_search_by_gradients(read):
    found = read(observed=[{"variable": "runoff", "loss": "kge"}], search={"method": "lbfgs"})
    assert found.search.method == "lbfgs"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("model: {wbm", "is not YAML"),
        ("- wbm\n- hbv\n", "holds a list; expected keys such as model"),
        ("", "holds a NoneType"),
        ("model: !!python/object:os.system x\n", "is not YAML"),
    ],
)
def test_what_is_no_mapping_is_refused(tmp_path, text, words):
    path = tmp_path / "config.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=words):
        read_as(Config, path)


def test_other_bytes_and_missing_files_are_refused(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="is not YAML"):
        read_as(Config, path)
    with pytest.raises(InputError, match=r"no configuration at .*nowhere\.yaml"):
        read_as(Config, tmp_path / "nowhere.yaml")
    with pytest.raises(InputError, match="no configuration at"):
        read_as(Config, tmp_path)
