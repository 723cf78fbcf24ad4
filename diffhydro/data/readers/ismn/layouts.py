"""The three layouts behind one door.

A file whose first line has a date and a time as third and fourth word is CEOP, where every line
says everything; any other begins with a header.
"""

from diffhydro.data.readers.ismn import ceop, header
from diffhydro.data.readers.ismn.names import Name
from diffhydro.data.readers.ismn.records import Place, Records, is_ceop
from diffhydro.data.readers.ismn.words import Words


def first_place(words: Words, name: Name) -> Place:
    """Read where a file is from, of which the first line is enough."""
    return (ceop if is_ceop(words) else header).header(words, name)


def records(words: Words, name: Name, keep: frozenset[str]) -> list[Records]:
    """Read all records of a file."""
    return (ceop if is_ceop(words) else header).read(words, name, keep)
