"""One file over HTTP, in as many tries as it takes: what came is kept, what is whole is checked.

Bytes go to `<name>.part`; what the server says of the file (ETag, Last-Modified, length) lies
beside it in `<name>.part.tag`, so that a later try, or a later run, asks for the rest, and begins
anew when the file has changed. Only what has all its bytes and passes the check gets the name, in
one step: there is never half a file under it, whenever the process ends.
"""

import errno
import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPException, HTTPMessage, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from diffhydro.errors import InputError

WAITS = (1.0, 2.0, 4.0, 8.0, 16.0)  # seconds before each new try
TIMEOUT = 60.0  # seconds without a byte
Progress = Callable[[str, int, int | None], None]  # the file, bytes there, bytes in all
_TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})
_PARTIAL, _NO_SUCH_PART = 206, 416
_DISK = frozenset({errno.ENOSPC, errno.EACCES, errno.EROFS, errno.EPERM, errno.EDQUOT})
_GONE = frozenset({404, 410})
_PIECE = 2**14  # bytes that a killed process may lose
_MOST_PAGE = 2**24  # bytes of a page that is read whole


class NotThereError(InputError):
    """Say that the server does not have a file."""


def page(url: str, waits: Sequence[float] = WAITS) -> str:
    """Read a page of text."""

    def read() -> bytes:
        with _asked(url) as answer:
            return answer.read(_MOST_PAGE)

    return _insist(url, read, waits).decode("utf-8", "replace")


def length(url: str, waits: Sequence[float] = WAITS) -> int | None:
    """Ask how many bytes a file has; None where the server does not say."""

    def read() -> int | None:
        with _asked(url, method="HEAD") as answer:
            return _Tag.of(answer.headers).length

    return _insist(url, read, waits)


def download(
    url: str,
    target: Path,
    check: Callable[[Path], object],
    *,
    waits: Sequence[float] = WAITS,
    progress: Progress | None = None,
) -> None:
    """Bring a file, or what is lacking of it.

    Args:
        check: Raises InputError for a file that is not what it should be; it is then thrown away.
        waits: Seconds before each new try.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{target.parent} cannot be made a folder: {error}") from error
    part = _Part(target.with_name(f"{target.name}.part"))
    _insist(url, lambda: part.grow(url, progress or (lambda *_: None)), waits)
    try:
        check(part.path)
    except InputError:
        part.forget()
        raise
    part.become(target)


@dataclass(frozen=True)
class _Tag:
    """What a server says of a file.

    Args:
        length: In bytes, of the whole file.
    """

    etag: str
    modified: str
    length: int | None

    @classmethod
    def of(cls, headers: HTTPMessage) -> "_Tag":
        """Read it off an answer, which may be of a part of the file."""
        ranged = re.fullmatch(r"bytes\s+\S+/(\d+)", headers.get("Content-Range", ""))
        said = ranged[1] if ranged else headers.get("Content-Length", "")
        return cls(
            headers.get("ETag", ""),
            headers.get("Last-Modified", ""),
            int(said) if said.isdecimal() else None,
        )

    @classmethod
    def from_text(cls, text: str) -> "_Tag | None":
        """Read what `text` wrote; None if that is not whole."""
        parts = text.split("\n")
        if len(parts) != 4:
            return None
        return cls(parts[0], parts[1], int(parts[2]) if parts[2].isdecimal() else None)

    def text(self) -> str:
        """Write it down, ended by a mark."""
        return f"{self.etag}\n{self.modified}\n{'' if self.length is None else self.length}\nend"

    def agrees(self, other: "_Tag") -> bool:
        """Tell whether two answers can be of one file; a part of one may say less."""
        pairs = zip(self.said, other.said, strict=True)
        return all(a == b for a, b in pairs if a and b)

    @property
    def said(self) -> tuple[str, str, int | None]:
        """Give all three."""
        return self.etag, self.modified, self.length

    @property
    def condition(self) -> str:
        """Give what a server compares before it sends a rest; a weak ETag is no proof."""
        return self.etag if self.etag and not self.etag.startswith("W/") else self.modified


@dataclass(frozen=True)
class _Part:
    """A file on its way."""

    path: Path

    @property
    def _tag_path(self) -> Path:
        return self.path.with_name(f"{self.path.name}.tag")

    def grow(self, url: str, progress: Progress) -> None:
        """Ask for what is lacking, and add it."""
        tag = self._tag()
        have = self.path.stat().st_size if tag else 0
        if tag and have == tag.length:
            return
        headers = {}
        if tag and have and (tag.condition or tag.length):
            headers = {"Range": f"bytes={have}-"}
            headers |= {"If-Range": tag.condition} if tag.condition else {}
        with self._answer(url, headers) as answer:
            now = _Tag.of(answer.headers)
            starts = answer.headers.get("Content-Range", "").startswith(f"bytes {have}-")
            if answer.status == _PARTIAL and not (tag and tag.agrees(now) and starts):
                self.forget()
                raise ConnectionError("the file changed on the server")
            if answer.status != _PARTIAL:
                have = 0
                self._begin(now)
            with self.path.open("ab") as file:
                while piece := answer.read(_PIECE):
                    file.write(piece)
                    have += len(piece)
                    progress(self.path.name.removesuffix(".part"), have, now.length)
        if now.length is not None and have != now.length:
            if have > now.length:
                self.forget()
            raise ConnectionError(f"{have} of {now.length} bytes came")

    def _answer(self, url: str, headers: Mapping[str, str]) -> HTTPResponse:
        try:
            return _asked(url, headers)
        except HTTPError as error:
            if error.code != _NO_SUCH_PART:
                raise
            error.close()
            self.forget()
            raise ConnectionError("the server has no such part; from the beginning") from error

    def _tag(self) -> _Tag | None:
        if not (self.path.is_file() and self._tag_path.is_file()):
            return None
        return _Tag.from_text(self._tag_path.read_text("utf-8", "replace"))

    def _begin(self, tag: _Tag) -> None:
        """Start anew: no old bytes may ever lie beside the new tag."""
        self.forget()
        self._tag_path.write_text(tag.text(), "utf-8")
        self.path.touch()

    def forget(self) -> None:
        """Throw away what came."""
        self.path.unlink(missing_ok=True)
        self._tag_path.unlink(missing_ok=True)

    def become(self, target: Path) -> None:
        """Take the name, when all bytes are on the disk."""
        with self.path.open("rb+") as file:
            os.fsync(file.fileno())
        self.path.replace(target)
        self._tag_path.unlink(missing_ok=True)


def _asked(url: str, headers: Mapping[str, str] | None = None, method: str = "GET") -> HTTPResponse:
    if urlsplit(url).scheme not in ("http", "https"):
        raise InputError(f"{url} is no address of the web; expected http:// or https://")
    plain = {"Accept-Encoding": "identity", "User-Agent": "diffhydro"}
    return urlopen(
        Request(url, headers=plain | dict(headers or {}), method=method), timeout=TIMEOUT
    )


def _insist(url: str, act: Callable[[], Any], waits: Sequence[float]) -> Any:
    """Try until it succeeds, or no wait is left; what no wait mends is raised at once."""
    for wait in (*waits, None):
        try:
            return act()
        except HTTPError as error:
            said = f"{error.code} {error.reason}"
            error.close()
            if error.code in _GONE:
                raise NotThereError(f"{url} is not there ({said})") from error
            if wait is None or error.code not in _TRANSIENT:
                raise InputError(f"the server refuses {url}: {said}") from error
        except (OSError, HTTPException) as error:
            if isinstance(error, OSError) and error.errno in _DISK:
                raise InputError(f"what {url} sends cannot be written: {error}") from error
            if wait is None:
                raise InputError(
                    f"{url} could not be read in {len(waits) + 1} tries: {error}; what came is "
                    "kept, try again later"
                ) from error
        time.sleep(wait)
    raise AssertionError
