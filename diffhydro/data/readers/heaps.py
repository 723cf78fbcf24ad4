"""HDF5 files that would hold the library forever, refused before it opens them.

Texts of attributes lie in collections, each a run of objects with their lengths (HDF5 File Format
Specification 3.0, III.E, global heap). The library walks a collection object by object; at one
without a length (a block of zeros is enough) it never ends.
"""

import mmap
import struct
from pathlib import Path

from diffhydro.errors import InputError

_SIGNATURE = b"GCOL\x01\0\0\0"
_LENGTH = struct.Struct("<Q")
_OBJECT = struct.Struct("<HHIQ")  # index, references, reserved, length
# Bytes from either end that are searched: collections lie with the other metadata, before the
# values of what was defined first, or after those of what was described last.
_HEAD, _TAIL = 2**24, 2**22


def check_heaps(path: Path, content: bytes | None = None) -> None:
    """Raise InputError if a heap of the file has no end.

    Args:
        content: Of a file in memory, which `path` only names.
    """
    if content is not None:
        is_endless = _is_endless(content)
    else:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
            is_endless = _is_endless(view)
    if is_endless:
        raise InputError(f"{path} is damaged: a heap of attributes does not end; fetch it again")


def _is_endless(content: bytes | mmap.mmap) -> bool:
    size = len(content)
    for start, end in ((0, min(_HEAD, size)), (max(_HEAD, size - _TAIL), size)):
        at = content.find(_SIGNATURE, start, end)
        while at >= 0:
            if at + 16 <= size and _is_stuck(content, at):
                return True
            at = content.find(_SIGNATURE, at + 1, end)
    return False


def _is_stuck(content: bytes | mmap.mmap, start: int) -> bool:
    """Walk a collection as the library does."""
    (size,) = _LENGTH.unpack_from(content, start + 8)
    end, at = min(start + size, len(content)), start + 16
    while at + _OBJECT.size <= end:
        index, _, _, length = _OBJECT.unpack_from(content, at)
        # Object 0 is the free space, whose length counts its own head; others are padded to eight.
        step = length if index == 0 else _OBJECT.size + (length + 7) // 8 * 8
        if step == 0:
            return True
        at += step
    return False
