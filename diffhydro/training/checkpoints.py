"""Checkpoints of a run: written beside the training, whole or absent, and checked when read.

A checkpoint is the bytes of every array of a state, written by Orbax, and a description: path, type
and shape of each, what the run told, and a digest of all of it. One that came to harm is thereby
found out, and the one before it is taken. One of another model is refused before anything is
compiled.
"""

import json
import logging
import math
import os
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, final

import jax.numpy as jnp
import numpy as np

from diffhydro.core.model_file import arrays
from diffhydro.errors import InputError
from diffhydro.training.snapshot import Leaf, Snapshot, differences, digest_of, kinds, put, taken
from diffhydro.typing import PyTree

BEST = "is_best"  # what a run tells of a checkpoint that is the best so far
DAMAGED = "damaged"  # what a restored checkpoint tells of later ones that could not be read
_VERSION = 1
_STATE, _ABOUT, _DIGEST = "state", "about", "sha256"
# Whatever a reader may stumble over in files that are not what was written.
_HARM = (
    *(ArithmeticError, AssertionError, AttributeError, EOFError, LookupError, MemoryError),
    *(OSError, RuntimeError, TypeError, ValueError),
)
_STRETCH = 2**30  # bytes
_LONGEST = 160  # of what is repeated of an error


class Restored(NamedTuple):
    """A checkpoint that was read.

    Attributes:
        told: As given to `save`, in JSON's words; under `damaged`, why later checkpoints could not
            be read, by step.
    """

    step: int
    state: PyTree
    told: dict[str, Any]


class _DamagedError(Exception):
    """A checkpoint is not what was written."""


@final
class Checkpoints:
    """The checkpoints of one run, in one folder.

    Example:
        >>> import tempfile
        >>> import jax.numpy as jnp
        >>> with tempfile.TemporaryDirectory() as folder, Checkpoints(folder) as checkpoints:
        ...     checkpoints.save(7, {"weight": jnp.arange(2.0)}, {"loss": 0.5})
        ...     step, state, told = checkpoints.restore({"weight": jnp.zeros(2)})
        >>> step, state["weight"].tolist(), told
        (7, [0.0, 1.0], {'loss': 0.5})

    Args:
        folder: One run may write there; any number may read.
        keep: How many of the last ones to keep, besides the best.
    """

    def __init__(self, folder: str | Path, keep: int = 3) -> None:
        if keep < 1:
            raise InputError(f"keep is {keep}; a run keeps at least one checkpoint")
        self.folder = Path(folder).absolute()
        self.keep = keep
        self.best: int | None = None
        self._harmed: tuple[int, ...] = ()
        self._writer: Any = None

    def steps(self) -> list[int]:
        """List the steps that are there."""
        if not self.folder.is_dir():
            return []
        return sorted(int(path.name) for path in self.folder.iterdir() if path.name.isdecimal())

    def save(self, step: int, state: PyTree, told: Mapping[str, Any]) -> None:
        """Begin to write a checkpoint; return when the state may change again.

        Args:
            told: What JSON can say: configuration, versions, place in the data, scaler. Where it
                has `is_best` true, the checkpoint stays until there is a better one.
        """
        snapshot = taken(state)
        about = {
            "version": _VERSION,
            "step": step,
            "told": dict(told),
            "leaves": snapshot.leaves,
            _DIGEST: snapshot.digest,
        }
        try:
            about = json.loads(json.dumps(about))
        except (TypeError, ValueError) as error:
            raise InputError(f"told has something that JSON cannot say: {error}") from None
        if not any(x.size for x in snapshot.numbers):
            raise InputError("the state has no numbers in arrays; there is nothing to save")
        writer = self._opened()
        self._make_way(step)
        if about["told"].get(BEST):
            self.best = step
        _write(writer, step, about, snapshot.numbers)

    def restore(self, like: PyTree) -> Restored | None:
        """Read the last checkpoint; None where there is none.

        One that has come to harm is passed over, with a warning, and left where it is; when the run
        goes on and saves, it is put aside as `damaged-…`.

        Args:
            like: A state, or what `jax.eval_shape` makes of one: its structure, and all that is no
                array and no number.
        """
        self.wait()
        harmed: dict[int, str] = {}
        for step in reversed(self.steps()):
            try:
                about = _about(self.folder / str(step))
                leaves = [Leaf(*leaf) for leaf in about["leaves"]]
                self._check_fit(step, leaves, like)
                snapshot = Snapshot(leaves, _numbers(self.folder / str(step), leaves))
                if snapshot.digest != about[_DIGEST]:
                    raise _DamagedError("its arrays are not those that were written")
            except _DamagedError as error:
                harmed[step] = str(error)
                continue
            told, self._harmed = about["told"], tuple(harmed)
            if harmed:
                told[DAMAGED] = {str(number): why for number, why in harmed.items()}
                warnings.warn(f"{self._said(harmed)}. Went back to step {step}", stacklevel=2)
            return Restored(step, put(like, snapshot), told)
        if harmed:
            raise InputError(
                f"no checkpoint can be read. {self._said(harmed)}. Begin in another folder, or "
                "bring back a copy of this one"
            )
        return None

    def wait(self) -> None:
        """Wait until what was begun is written; raise what went wrong with it."""
        if self._writer is not None:
            self._writer.wait_until_finished()

    def close(self) -> None:
        """Wait, and give back what writing needs."""
        if self._writer is not None:
            writer, self._writer = self._writer, None
            writer.close()

    def __enter__(self) -> "Checkpoints":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _opened(self) -> Any:
        """Give Orbax's manager, made when first needed: it sweeps up what a kill has left."""
        if self._writer is None:
            ocp = _orbax()
            self.best = self._best_there()
            options = ocp.CheckpointManagerOptions(
                preservation_policy=_Kept(self), cleanup_tmp_directories=True
            )
            self._writer = ocp.CheckpointManager(self.folder, options=options)
        return self._writer

    def _best_there(self) -> int | None:
        for step in reversed(self.steps()):
            try:
                if _about(self.folder / str(step))["told"].get(BEST):
                    return step
            except _DamagedError:
                continue
        return None

    def _make_way(self, step: int) -> None:
        """Put aside damaged checkpoints that were passed over; never write behind others."""
        if self._harmed:
            self.wait()
            for number in self._harmed:
                _put_aside(self.folder / str(number))
            self._harmed = ()
            self._writer.reload()
        last = max(self._writer.all_steps(), default=-1)
        if last >= step:
            raise InputError(
                f"{self.folder} has step {last} already, and this is step {step}: restore and go "
                "on from there, or begin in another folder"
            )

    def _check_fit(self, step: int, leaves: Sequence[Leaf], like: PyTree) -> None:
        if found := differences(leaves, like):
            raise InputError(f"{self.folder / str(step)} is a checkpoint of another model: {found}")

    def _said(self, harmed: Mapping[int, str]) -> str:
        each = "; ".join(f"step {step}: {why}" for step, why in harmed.items())
        return f"Damaged checkpoints in {self.folder}: {each}"


@final
class _Kept:
    """Orbax's question of which checkpoints to keep, answered: the last ones and the best."""

    def __init__(self, of: Checkpoints) -> None:
        self.of = of

    def should_preserve(self, checkpoints: Sequence[Any], *, context: Any) -> list[bool]:
        """Say for each checkpoint, the last one last, whether it stays."""
        del context
        late = len(checkpoints) - self.of.keep
        return [i >= late or each.step == self.of.best for i, each in enumerate(checkpoints)]


def _write(writer: Any, step: int, about: dict[str, Any], numbers: Sequence[np.ndarray]) -> None:
    args = _orbax().args
    content = np.concatenate([np.frombuffer(arrays.raw(x), np.uint8) for x in numbers])
    held = {str(i): content[at] for i, at in enumerate(_stretches(content.size))}
    told = {_ABOUT: about, _DIGEST: digest_of(about)}
    pieces = {_STATE: args.StandardSave(held), _ABOUT: args.JsonSave(told)}
    writer.save(step, args=args.Composite(**pieces), force=True)


def _about(folder: Path) -> dict[str, Any]:
    """Read the description of a checkpoint."""
    told = _read(folder, _ABOUT, _orbax().args.JsonRestore())
    try:
        about, is_whole = told[_ABOUT], digest_of(told[_ABOUT]) == told[_DIGEST]
    except (KeyError, TypeError, RecursionError):
        is_whole, about = False, {}
    if not is_whole:
        raise _DamagedError("its description is not the one that was written")
    if about["version"] > _VERSION:
        raise InputError(f"{folder} was written by a later diffhydro; update diffhydro to read it")
    return about


def _numbers(folder: Path, leaves: Sequence[Leaf]) -> list[np.ndarray]:
    """Read the arrays of a checkpoint."""
    wanted = kinds(leaves)
    sizes = [math.prod(kind.shape) * jnp.dtype(kind.dtype).itemsize for kind in wanted]
    stretches = _stretches(sum(sizes))
    like = {str(i): np.empty(at.stop - at.start, np.uint8) for i, at in enumerate(stretches)}
    found = _read(folder, _STATE, _orbax().args.StandardRestore(like))
    content = np.concatenate([np.asarray(found[name]) for name in like])
    if content.dtype != np.uint8 or content.shape != (sum(sizes),):
        raise _DamagedError("its arrays are not of the sizes that were written")
    ends = np.cumsum(sizes)[:-1]
    return [
        arrays.from_raw(k, x.data) for k, x in zip(wanted, np.split(content, ends), strict=True)
    ]


def _stretches(size: int) -> list[slice]:
    """Cut a row of bytes into stretches that Orbax writes as one chunk each.

    There is one as a rule. While many arrays are read at once and one of them is damaged, those
    that come later find nobody waiting, and say so on the terminal.
    """
    return [slice(at, min(at + _STRETCH, size)) for at in range(0, size, _STRETCH)]


def _read(folder: Path, piece: str, how: Any) -> Any:
    ocp = _orbax()
    try:
        with ocp.Checkpointer(ocp.CompositeCheckpointHandler()) as reader:
            return reader.restore(folder, args=ocp.args.Composite(**{piece: how}))[piece]
    except _HARM as error:
        said = " ".join(str(error).split())[:_LONGEST]
        raise _DamagedError(
            f"its {piece} does not read ({type(error).__name__}: {said})"
        ) from error


def _put_aside(path: Path) -> None:
    """Rename a damaged checkpoint, to a name that is free."""
    number = 1
    while (aside := path.with_name(f"damaged-{path.name}-{number}")).exists():
        number += 1
    path.rename(aside)


def _orbax() -> Any:
    """Give Orbax, silenced: what goes wrong is raised, and all else is for its own developers."""
    import orbax.checkpoint

    logging.getLogger("absl").addFilter(_is_not_of_orbax)
    return orbax.checkpoint


def _is_not_of_orbax(record: logging.LogRecord) -> bool:
    return f"{os.sep}orbax{os.sep}" not in record.pathname
