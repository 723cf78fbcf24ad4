"""Reports: whole, safe, and readable on a phone."""

import pytest

from diffhydro.app.page import Picture, Section, page, table_section, title_of, write_page
from diffhydro.picture import blank_figure, save
from tests.app.browser import assert_readable, look_at

pytest.importorskip("matplotlib", reason="the plot extra is not installed")


@pytest.fixture
def picture(tmp_path):
    figure, context = blank_figure((8.0, 3.0))
    with context:
        figure.subplots().plot([0, 1])
        save(figure, tmp_path / "line.png")
    return Picture(tmp_path / "line.png", "a line")


def sections(picture):
    wide = [tuple(f"column {i}" for i in range(30)), tuple("0.123456" for _ in range(30))]
    return [
        Section("First", ["Some words. " * 30], [picture, picture], [wide], {"it holds": True}),
        Section("Second", code="a: " + "long " * 100),
    ]


def test_what_is_written_is_text_and_not_markup():
    text = page("<b>", "a & b", [Section("<i>", ["<script>alert(1)</script>"])], "x < y")
    assert "<script>" not in text
    for given in ("&lt;b&gt;", "a &amp; b", "&lt;i&gt;", "x &lt; y"):
        assert given in text


def test_nothing_in_a_section_is_markup(picture):
    told = Picture(picture.path, '"<e>')
    rows = [("<e>",), ("<e>",)]
    text = page("t", "v", [Section("s", ["<e>"], [told], [rows], {"<e>": True}, "<e>")], "f")
    assert "<e>" not in text
    assert text.count("&lt;e&gt;") == 7
    assert 'alt="&quot;&lt;e&gt;"' in text


def test_a_table_has_its_head_once():
    text = page("t", "v", [Section("s", tables=[[("a", "b"), ("1", "2")]])], "f")
    assert "<th>a</th><th>b</th>" in text
    assert "<td>a</td>" not in text
    assert "<td>1</td><td>2</td>" in text


@pytest.mark.parametrize(("count", "told"), [(60, []), (61, ["60 of 61 rows; a.csv has all."])])
def test_a_long_table_is_cut_and_says_so(count, told):
    rows = [("a",), *((str(i),) for i in range(count))]
    found = table_section("All", rows, "a.csv")
    assert list(found.words) == told
    assert list(found.tables) == [rows[:61]]


def test_the_verdict_names_what_failed():
    good = page("t", "All.", [Section("s", checks={"water closes": True})], "f")
    bad = page("t", "All.", [Section("s", checks={"water closes": False})], "f")
    assert 'class="verdict good"' in good
    assert 'class="verdict bad"' in bad
    assert "Failed: water closes." in bad
    assert 'class="verdict plain"' in page("t", "All.", [Section("s")], "f")


@pytest.mark.slow
def test_a_phone_can_show_it(picture, tmp_path):
    write_page(tmp_path / "report.html", "title", "verdict", sections(picture), "footer")
    assert_readable(tmp_path / "report.html", tmp_path, pictures=2)


@pytest.mark.slow
def test_the_look_sees_what_is_wrong(tmp_path):
    wrong = tmp_path / "wrong.html"
    wrong.write_text(
        "<!doctype html><body><p style='font-size:5px'>small</p><img src='data:image/png;base64,x'>"
        "<div style='width:2000px'>wide</div><script>console.error('no')</script></body>"
    )
    found = look_at(wrong, tmp_path)
    assert found["broken"] == found["mute"] == 1
    assert found["wide"] > 390
    assert found["smallest"] < 6
    assert found["console"]


def test_titles_keep_the_case_of_names():
    assert title_of("figure_5_r_PGDL_fed") == "Figure 5 r PGDL fed"
    assert title_of("") == ""
