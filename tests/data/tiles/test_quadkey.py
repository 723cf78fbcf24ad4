import pytest
from hypothesis import given
from hypothesis import strategies as st

from diffhydro.data.tiles import ancestor, children, neighbours, parent
from diffhydro.data.tiles.quadkey import key_of, neighbour, place_of, side
from diffhydro.errors import InputError

keys = st.text("0123", min_size=1, max_size=23)


def test_the_example_of_its_description():
    # "Bing Maps Tile System": tile (3, 5) of level 3 has the key 213.
    assert key_of(3, 5, 3) == "213"
    assert place_of("213") == (3, 5)
    assert [key_of(x, y, 1) for y in (0, 1) for x in (0, 1)] == ["0", "1", "2", "3"]


@given(keys)
def test_names_and_places_are_inverse(key):
    column, row = place_of(key)
    assert key_of(column, row, len(key)) == key
    assert max(column, row) < side(len(key))


@given(st.text("0123", min_size=1, max_size=22))
def test_the_quarters_of_a_tile_fill_it(key):
    column, row = place_of(key)
    assert [place_of(child) for child in children(key)] == [
        (2 * column + right, 2 * row + down) for down in (0, 1) for right in (0, 1)
    ]
    assert {parent(child) for child in children(key)} == {key}
    assert {ancestor(child, len(key)) for child in children(key)} == {key}


@given(keys)
def test_neighbours_are_neighbours_of_each_other(key):
    for other in neighbours(key):
        assert key in neighbours(other)
        assert other != key


@given(st.text("0123", min_size=2, max_size=23))
def test_there_are_eight_neighbours_or_five_at_the_ends(key):
    _, row = place_of(key)
    expected = 5 if row in (0, side(len(key)) - 1) else 8
    assert len(neighbours(key)) == expected


def test_round_the_globe_and_beyond_its_ends():
    assert neighbour("000", 0, -1) == "111"
    assert neighbour("000", -1, 0) is None
    assert neighbours("0") == ("1", "3", "2")


def test_what_is_no_tile_is_refused():
    for wrong in ("", "4", "01a", "0" * 24):
        with pytest.raises(InputError, match="is no quadkey"):
            place_of(wrong)
    with pytest.raises(InputError, match="row 8 is not on the map; level 3 has rows 0 to 7"):
        key_of(0, 8, 3)
    with pytest.raises(InputError, match="level 24"):
        children("0" * 23)
    with pytest.raises(InputError, match="has no parent"):
        parent("2")
    with pytest.raises(InputError, match="has no ancestor of level 4"):
        ancestor("213", 4)
