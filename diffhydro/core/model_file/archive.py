"""An archive of named pieces in one file: whole, closed to all names but its own, and checked.

Pieces lie in a zip file as they are, not compressed, so that no small file asks for much memory.
What is read is what was written: beside the checksums of zip there is one SHA-256 of everything.
"""

import hashlib
import os
import re
import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

from diffhydro.atomic import whole
from diffhydro.errors import InputError

TREE = "model.json"
_DIGEST = "sha256"
_ARRAY = re.compile(r"arrays/\d{1,9}")
_UTF8 = 0x800  # the one flag of a piece that says nothing of how it is stored
_EARLIEST = (1980, 1, 1, 0, 0, 0)  # so that one model is one file, whenever it is written
_DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, OverflowError),
    *(NotImplementedError, RuntimeError, ValueError, KeyError, IndexError),
)


def write(target: Path, pieces: Mapping[str, bytes | memoryview]) -> None:
    """Write an archive; it is whole or absent."""
    digest = _digest(pieces).encode()
    with whole(target) as part, part.open("wb") as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            for name, content in {**pieces, _DIGEST: digest}.items():
                archive.writestr(zipfile.ZipInfo(name, _EARLIEST), content)
        file.flush()
        os.fsync(file.fileno())


def read(path: Path) -> dict[str, bytes]:
    """Read an archive, or say what is wrong with it."""
    if not path.is_file():
        raise InputError(f"there is no file {path}")
    try:
        with zipfile.ZipFile(path) as archive:
            _check(archive, path.stat().st_size)
            pieces = {info.filename: archive.read(info) for info in archive.infolist()}
    except InputError as error:
        raise InputError(f"{path} is not a model file: {error}") from None
    except _DAMAGE as error:
        raise InputError(f"{path} is not a model file, or is damaged: {error}") from error
    said = pieces.pop(_DIGEST)
    if _digest(pieces).encode() != said:
        raise InputError(f"{path} is damaged: its content is not what was written")
    return pieces


def _check(archive: zipfile.ZipFile, size: int) -> None:
    """Look at names and sizes, before anything is read."""
    infos = archive.infolist()
    names = [info.filename for info in infos]
    if strange := [n for n in names if n not in (TREE, _DIGEST) and not _ARRAY.fullmatch(n)]:
        raise InputError(f"it holds {strange[0][:100]!r}")
    if TREE not in names or _DIGEST not in names or len({*names}) < len(names):
        raise InputError(f"it has {TREE} and {_DIGEST} not once each")
    for info in infos:
        plain = info.compress_type == zipfile.ZIP_STORED and not info.flag_bits & ~_UTF8
        if not plain or info.compress_size != info.file_size:
            raise InputError(f"{info.filename} is compressed or locked")
    if sum(info.file_size for info in infos) > size:
        raise InputError("its pieces are larger than the file")


def _digest(pieces: Mapping[str, bytes | memoryview]) -> str:
    digest = hashlib.sha256()
    for name, content in pieces.items():
        digest.update(f"{name} {len(memoryview(content))}\n".encode())
        digest.update(content)
    return digest.hexdigest()
