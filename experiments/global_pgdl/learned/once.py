"""Work that is done once: what a step has trained is kept, and read where a run goes on."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from diffhydro._version import __version__
from diffhydro.core.model_file import load, save

CHECKPOINTS = "checkpoints"  # in the folder of a run
Made = TypeVar("Made")


@dataclass(frozen=True)
class Once:
    """What the steps of one run have made.

    A run of other settings, or with other data, in the same folder has other files.

    Args:
        folder: Of this run, settings and data.
    """

    folder: Path

    @classmethod
    def of(cls, out: Path, *asked: Any) -> "Once":
        """Choose the files of a run by all that decides what it makes.

        Args:
            asked: Arrays, and what `repr` tells apart, such as settings.
        """
        digest = hashlib.sha256(__version__.encode())
        for one in asked:
            digest.update(one.tobytes() if isinstance(one, np.ndarray) else repr(one).encode())
        return cls(out / CHECKPOINTS / digest.hexdigest()[:12])

    def __call__(self, name: str, make: Callable[[], Made]) -> Made:
        """Give what was kept under a name, or make it and keep it; the same, bit for bit."""
        file = self.folder / f"{name.lower().replace(' ', '_')}.dh"
        if file.is_file():
            return load(file)
        made = make()
        self.folder.mkdir(parents=True, exist_ok=True)
        save(file, made)
        return made
