"""A zip, read where it lies: members are unpacked into memory, one at a time, never onto a disk.

An archive of the network holds plain deflated text in folders. One that holds anything that could
reach outside it, fill the memory or hide what it is, is refused whole: paths that lead out, links,
members that are encrypted, given twice, packed otherwise or too well, or that share bytes.
"""

import stat
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO

from diffhydro.data.readers.files import reading
from diffhydro.errors import InputError

EXPECTED = "an archive of the International Soil Moisture Network"
MOST_BYTES = 2**28  # of a file; forty years of CEOP lines have 5e7
_MOST_RATIO, _SMALL = 300.0, 2**20  # text of constant records is packed 60 : 1; below a MiB no harm
_PACKED = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_ENCRYPTED = 0x1


@dataclass(frozen=True)
class Zipped:
    """An open zip.

    Args:
        members: By their paths, with slashes.
    """

    path: Path
    file: zipfile.ZipFile
    members: Mapping[str, zipfile.ZipInfo]

    def names(self) -> Iterable[str]:
        """Give the paths of all files."""
        return self.members

    def where(self, name: str) -> Path:
        """Say where a file lies, for messages."""
        return self.path / name

    def size(self, name: str) -> int:
        """Give the length that a file says it has."""
        return self.members[name].file_size

    def open(self, name: str) -> IO[bytes]:
        """Open a file for its bytes."""
        return self.file.open(self.members[name])


@contextmanager
def unzipped(path: Path) -> Iterator[Zipped]:
    """Open a zip and make sure that it is harmless."""
    with readable(path):
        file = zipfile.ZipFile(path)
    with file:
        yield Zipped(path, file, _harmless(path, file.infolist()))


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turn what goes wrong inside into an InputError that names the file."""
    with reading(path, EXPECTED):
        try:
            yield
        except zipfile.BadZipFile as error:
            raise ValueError(str(error)) from error


def _harmless(path: Path, members: Iterable[zipfile.ZipInfo]) -> dict[str, zipfile.ZipInfo]:
    """Give all files by their paths; refuse an archive that has one that could do harm."""
    found: dict[str, zipfile.ZipInfo] = {}
    packed = 0
    for member in members:
        name = member.orig_filename.replace("\\", "/")
        problem = _harm(member, name) or ("is there twice" if name in found else "")
        if problem:
            raise InputError(
                f"{path} is not read: member {name[:200]!r} {problem}, which no archive of the "
                "network has; fetch it from the network itself"
            )
        packed += member.compress_size
        if not member.is_dir():
            found[name] = member
    if packed > path.stat().st_size:
        raise InputError(
            f"{path} is not read: its members have {packed} bytes, the file has fewer, so that "
            "some overlap; fetch it from the network itself"
        )
    return found


def _harm(member: zipfile.ZipInfo, name: str) -> str:
    """Say what is wrong with a member; nothing if it is harmless."""
    kind = stat.S_IFMT(member.external_attr >> 16)
    ratio = member.file_size / max(member.compress_size, 1)
    wrong = {
        "has a name with a zero byte": "\0" in name,
        "has a path that leads out of the archive": _leads_out(name),
        "is a link or a device": kind not in (0, stat.S_IFREG, stat.S_IFDIR),
        "is encrypted": bool(member.flag_bits & _ENCRYPTED),
        "is packed by another method than deflate": member.compress_type not in _PACKED,
        f"has more than {MOST_BYTES} bytes": member.file_size > MOST_BYTES,
        f"is packed {ratio:.0f} : 1": member.file_size > _SMALL and ratio > _MOST_RATIO,
    }
    return next((problem for problem, holds in wrong.items() if holds), "")


def _leads_out(name: str) -> bool:
    windows = PureWindowsPath(name)
    return bool(
        PurePosixPath(name).is_absolute()
        or windows.drive
        or windows.root
        or ".." in PurePosixPath(name).parts
    )
