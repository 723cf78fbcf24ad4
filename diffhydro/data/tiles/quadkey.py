"""Quadkeys: names of the squares of a map that is divided into four, again and again.

At level n the map has 2ⁿ × 2ⁿ tiles, counted from the north-west. A key has one digit per level,
0 north-west, 1 north-east, 2 south-west, 3 south-east of the tile before: the bits of column and
row, interleaved (Schwartz, "Bing Maps Tile System", Microsoft). Columns go round the globe.
"""

from diffhydro.errors import InputError

DEEPEST = 23  # levels that the system has


def side(level: int) -> int:
    """Count the tiles along a side of the map."""
    if not 1 <= level <= DEEPEST:
        raise InputError(f"level {level} is none of the tiles' levels, 1 to {DEEPEST}")
    return 2**level


def key_of(column: int, row: int, level: int) -> str:
    """Name a tile.

    >>> key_of(3, 5, 3)
    '213'
    """
    size = side(level)
    if not 0 <= row < size:
        raise InputError(f"row {row} is not on the map; level {level} has rows 0 to {size - 1}")
    column %= size
    digits = ((row >> bit & 1) * 2 + (column >> bit & 1) for bit in reversed(range(level)))
    return "".join(map(str, digits))


def place_of(key: str) -> tuple[int, int]:
    """Give column and row of a tile; its level is the length of the key.

    >>> place_of("213")
    (3, 5)
    """
    if not 1 <= len(key) <= DEEPEST or set(key) - set("0123"):
        raise InputError(f"{key!r} is no quadkey; expected 1 to {DEEPEST} digits from 0 to 3")
    digits = [int(digit) for digit in key]
    column = row = 0
    for digit in digits:
        column, row = 2 * column + digit % 2, 2 * row + digit // 2
    return column, row


def parent(key: str) -> str:
    """Give the tile that a tile is a quarter of."""
    place_of(key)
    if len(key) == 1:
        raise InputError(f"tile {key} is of the first level and has no parent")
    return key[:-1]


def ancestor(key: str, level: int) -> str:
    """Give the tile of a coarser level that holds a tile.

    >>> ancestor("02313010311203", 12)
    '023130103112'
    """
    place_of(key)
    if not 1 <= level <= len(key):
        raise InputError(f"tile {key} of level {len(key)} has no ancestor of level {level}")
    return key[:level]


def children(key: str) -> tuple[str, str, str, str]:
    """Give the quarters of a tile: north-west, north-east, south-west, south-east."""
    place_of(key)
    side(len(key) + 1)
    return key + "0", key + "1", key + "2", key + "3"


def neighbour(key: str, down: int, right: int) -> str | None:
    """Give the tile so many rows down and columns right; None beyond the map's ends."""
    column, row = place_of(key)
    if not 0 <= row + down < 2 ** len(key):
        return None
    return key_of(column + right, row + down, len(key))


def neighbours(key: str) -> tuple[str, ...]:
    """Give the tiles around a tile, row by row: eight, but five at the northern and southern end.

    Of a map with two columns they are fewer, each once.
    """
    around = [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)]
    found = [neighbour(key, down, right) for down, right in around]
    return tuple(dict.fromkeys(tile for tile in found if tile is not None and tile != key))
