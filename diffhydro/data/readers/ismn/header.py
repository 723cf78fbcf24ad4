"""Layout header and values.

First line `CSE NETWORK STATION LAT LON ELEV FROM TO SENSOR`, then lines `YYYY/MM/DD HH:MM value
flag [what the provider says]`. The variable is in the file's name only, and so are depths with all
their digits.
"""

from diffhydro.data.readers.ismn.names import Name
from diffhydro.data.readers.ismn.records import (
    Place,
    Records,
    instants,
    misnamed,
    observed,
    place,
)
from diffhydro.data.readers.ismn.words import Words

_VALUE, _FLAG = 2, 3


def header(words: Words, name: Name) -> Place:
    """Read the first line."""
    return place(words, words.line(0), name)


def read(words: Words, name: Name, keep: frozenset[str]) -> list[Records]:
    """Read all lines after the first."""
    if name.code is None:
        raise misnamed(words)
    first = words.first[1:]
    if not len(first):
        return []
    stamps = instants(words, first, least=4, dates=1)
    values = observed(words, first + _VALUE, first + _FLAG, keep)
    return [Records(name.code, name.top, name.bottom, stamps, values)]
