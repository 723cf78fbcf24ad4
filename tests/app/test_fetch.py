import pytest

from diffhydro.app import fetch
from diffhydro.errors import InputError


@pytest.mark.parametrize(
    ("text", "years"), [("2012", [2012]), ("2012,2015-2017", [2012, 2015, 2016, 2017])]
)
def test_years(text, years):
    assert fetch.years_of(text) == years


@pytest.mark.parametrize("text", ["", "twelve", "2012-", "1850", "2017-2015"])
def test_what_is_no_year_is_refused(text):
    with pytest.raises(InputError, match="--years"):
        fetch.years_of(text)


def test_names_reach_the_download(tmp_path, monkeypatch, capsys):
    asked = []
    monkeypatch.setattr(fetch, "fetch_uscrn", lambda *a, **k: asked.append((a, k)) or [1, 2])
    fetch.run("uscrn", "KS_*, OK_Stillwater_2_W", "2012", tmp_path, None)
    (names, years, folder), options = asked[0]
    assert names == ["KS_*", "OK_Stillwater_2_W"]
    assert (years, folder, options["base"]) == ([2012], tmp_path, fetch.NCEI)
    assert "2 files" in capsys.readouterr().err
    with pytest.raises(InputError, match="names no station"):
        fetch.run("uscrn", " , ", "2012", tmp_path, None)
