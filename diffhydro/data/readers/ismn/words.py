"""The words of a text, found all at once: where each begins and ends, and which begin a line.

A decade of hours is half a million words; none of them becomes a Python object here. Lines end in
CR-LF, LF or a bare CR, mixed as archives mix them; empty lines are no lines.
"""

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from diffhydro.errors import InputError

LONGEST = 128  # bytes of a word that is read; all thirteen flags joined by commas have 51
_TAB, _NEWLINE, _RETURN, _SPACE = 9, 10, 13, 32


def _table(*codes: int) -> np.ndarray:
    table = np.zeros(256, bool)
    table[list(codes)] = True
    return table


_ENDS_LINE = _table(_NEWLINE, _RETURN)
_IS_BLANK = _table(_TAB, _NEWLINE, _RETURN, _SPACE)


@dataclass(frozen=True)
class Words:
    """A text cut into words.

    Args:
        where: The file, for messages.
        text: Bytes, with room for the longest word behind them.
        starts: Of every word, the offset of its first byte.
        ends: The offset behind its last.
        first: Of every line, the number of its first word.
    """

    where: str
    text: np.ndarray
    starts: np.ndarray
    ends: np.ndarray
    first: np.ndarray

    @property
    def count(self) -> np.ndarray:
        """Words of every line."""
        return np.diff(self.first, append=len(self.starts))

    def line(self, number: int) -> list[str]:
        """Give the words of one line as text."""
        first = int(self.first[number])
        return [self.word(first + i) for i in range(int(self.count[number]))]

    def word(self, number: int) -> str:
        """Give one word as text."""
        word = self.text[self.starts[number] : self.ends[number]]
        return word[:LONGEST].tobytes().decode("utf-8", "replace")

    def rows(self, which: np.ndarray) -> np.ndarray:
        """Give words as rows of bytes, zero behind the last of each."""
        lengths = self.ends[which] - self.starts[which]
        width = int(lengths.max(initial=1))
        if width > LONGEST:
            raise self.refusal(int(which[lengths.argmax()]), f"has a word of {width} bytes")
        window = sliding_window_view(self.text, width)[self.starts[which]]
        return np.where(np.arange(width) < lengths[:, None], window, np.uint8(0))

    def refusal(self, word: int, problem: str) -> InputError:
        """Make the error that names the file and the line that a word is in."""
        before = self.text[: self.starts[word]].tobytes()
        ended = before.count(b"\n") + before.count(b"\r") - before.count(b"\r\n")
        return InputError(
            f"{self.where} line {ended + 1} {problem}; the file may be cut short or damaged, fetch "
            "it again"
        )


def words(data: bytes, where: str) -> Words:
    """Find the words of a text."""
    text = np.frombuffer(data + b" " * LONGEST, np.uint8)
    inside = ~_IS_BLANK[text]
    edges = np.flatnonzero(inside[1:] != inside[:-1]) + 1
    if inside[0]:
        edges = np.concatenate([[0], edges])
    starts, ends = edges[::2], edges[1::2]
    if not len(starts):
        raise InputError(f"{where} is empty; fetch it again")
    breaks = _ENDS_LINE[text]
    # Of neighbouring line ends one is enough.
    after = np.flatnonzero(breaks[:-1] & ~breaks[1:])
    first = np.concatenate([[0], np.searchsorted(starts, after)])
    fresh = np.diff(first, append=len(starts)) > 0
    found = Words(where, text, starts, ends, first[fresh])
    zero = data.find(b"\0")
    if zero >= 0:
        word = int(np.searchsorted(starts, zero, "right")) - 1
        raise found.refusal(word, "has a zero byte, which no text has")
    return found
