"""Chunks of a zarr store that would bring the process down, refused before one is unpacked.

Blosc, which most stores are packed with, begins a chunk with three lengths: unpacked, of a block,
and packed (c-blosc's README_CHUNK_FORMAT). Its library trusts them; where they are damaged it reads
or writes outside its memory. So they are held against the file and against the array.
"""

import json
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from diffhydro.errors import InputError

_HEAD = struct.Struct("<4xIII")  # after the version and the flags
_CODEC = "blosc"


def check_chunks(store: Path) -> None:
    """Raise InputError if a chunk of a store on this disk says wrong lengths of itself."""
    for described in (*store.rglob(".zarray"), *store.rglob("zarr.json")):
        array = json.loads(described.read_text("utf-8", "replace"))
        size = _unpacked(array)
        if size is None:
            continue
        for chunk in _chunks(described.parent):
            with chunk.open("rb") as file:
                head = file.read(_HEAD.size)
            if not _is_sound(head, chunk.stat().st_size, size):
                raise InputError(
                    f"{chunk} is damaged: its lengths are not those of its array; fetch it again"
                )


def _unpacked(array: Mapping[str, Any]) -> int | None:
    """Give the bytes of a chunk before it was packed; None where it was not, or not by Blosc."""
    if "compressor" in array:  # version 2
        if (array["compressor"] or {}).get("id") != _CODEC or array.get("filters"):
            return None
        return int(np.prod(array["chunks"], dtype=np.int64)) * np.dtype(array["dtype"]).itemsize
    codecs = [codec.get("name") for codec in array.get("codecs", ())]
    if _CODEC not in codecs or codecs[0] != "bytes":
        return None
    shape = array["chunk_grid"]["configuration"]["chunk_shape"]
    return int(np.prod(shape, dtype=np.int64)) * np.dtype(array["data_type"]).itemsize


def _chunks(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        if path.name[:1] != "." and path.name != "zarr.json" and path.is_file():
            yield path


def _is_sound(head: bytes, packed: int, unpacked: int) -> bool:
    if len(head) < _HEAD.size:
        return False
    said, block, whole = _HEAD.unpack(head)
    return said == unpacked and whole == packed and 0 < block <= unpacked
