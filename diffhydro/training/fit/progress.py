"""A bar for those who watch."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

Show = Callable[[int, str], None]


@contextmanager
def bar(batches: int, done: int, each: int) -> Iterator[Show]:
    """Give a function that moves the bar to a batch and says something; silent off a terminal.

    Args:
        batches: Of all epochs.
        done: Of these before.
        each: Batches of an epoch.
    """
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda batch, words: None
        return
    columns = (
        TextColumn("epoch {task.fields[epoch]}"),
        BarColumn(),
        TextColumn("{task.fields[words]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("", total=batches, completed=done, epoch=done // each, words="")

        def show(batch: int, words: str) -> None:
            progress.update(task, completed=batch, epoch=batch // each)
            if words:
                progress.update(task, words=words)

        yield show
