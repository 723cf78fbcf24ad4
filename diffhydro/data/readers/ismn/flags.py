"""The network's own quality flags, and which records they let through.

Codes as the network documents them (Dorigo et al. 2013, doi:10.2136/vzj2012.0097); several are
joined by commas. What the data's provider says in the last column follows no common code and is not
read.
"""

import re
from collections.abc import Iterable
from difflib import get_close_matches

import numpy as np

from diffhydro.data.readers.ismn.words import Words
from diffhydro.errors import InputError

CODES = {
    "C01": "soil moisture below 0 m³/m³; of other variables, below their range",
    "C02": "soil moisture above 0.60 m³/m³; of other variables, above their range",
    "C03": "soil moisture above the soil's saturation point",
    "D01": "soil temperature below 0 °C",
    "D02": "air temperature below 0 °C",
    "D03": "soil temperature of a land model below 0 °C",
    "D04": "a rise without rain measured at the station",
    "D05": "a rise without rain in a reanalysis",
    "D06": "a spike",
    "D07": "a negative break",
    "D08": "a positive break",
    "D09": "constant and low after a negative break",
    "D10": "a saturated plateau",
    "G": "good: checked, nothing found",
    "M": "the value is missing",
    "U": "not checked, as most variables other than soil moisture are",
}
# Unchecked is not bad: of series that were never checked nothing else is there.
KEEP = frozenset({"G", "U"})
_SHAPE = re.compile(r"[A-Z][0-9]{0,2}(,[A-Z][0-9]{0,2})*")


def wanted(keep: Iterable[str]) -> frozenset[str]:
    """Check the flags that someone asks for."""
    asked = frozenset(keep)
    for flag in sorted(asked - set(CODES)):
        near = get_close_matches(flag, CODES, n=1)
        raise InputError(
            f"keep has {flag!r}, which is no quality flag of the network"
            f"{f'; did you mean {near[0]!r}?' if near else ''}; there are {', '.join(CODES)}"
        )
    if not asked:
        raise InputError("keep is empty, so no record would be left; the default is {'G', 'U'}")
    return asked


def kept(words: Words, which: np.ndarray, keep: frozenset[str]) -> np.ndarray:
    """Tell of every record whether all its flags are among `keep`.

    A code that is not known is not kept; what does not look like a code is refused.
    """
    rows = words.rows(which)
    short = np.zeros(256, bool)
    short[[ord(flag) for flag in keep if len(flag) == 1]] = True
    is_short = rows[:, 1] == 0 if rows.shape[1] > 1 else np.ones(len(rows), bool)
    letter = (rows[:, 0] >= ord("A")) & (rows[:, 0] <= ord("Z"))
    odd = np.flatnonzero(is_short & ~letter)
    if len(odd):
        raise _no_flag(words, int(which[odd[0]]))
    result = short[rows[:, 0]]
    long = np.flatnonzero(~is_short)
    if len(long):
        result[long] = _long(words, which[long], rows[long], keep)
    return result


def _long(words: Words, which: np.ndarray, rows: np.ndarray, keep: frozenset[str]) -> np.ndarray:
    joined = np.ascontiguousarray(rows).view(f"S{rows.shape[1]}")[:, 0]
    found, at, back = np.unique(joined, return_index=True, return_inverse=True)
    texts = [flags.decode("utf-8", "replace") for flags in found.tolist()]
    for text, i in zip(texts, at, strict=True):
        if not _SHAPE.fullmatch(text):
            raise _no_flag(words, int(which[i]))
    return np.array([keep.issuperset(text.split(",")) for text in texts])[back]


def _no_flag(words: Words, word: int) -> InputError:
    return words.refusal(
        word, f"has {words.word(word)!r} where a quality flag such as G or C03,D02 is expected"
    )
