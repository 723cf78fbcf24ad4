"""`diffhydro data fetch`: station files from their server, with progress."""

from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

from diffhydro.data.fetch import NCEI, fetch_uscrn
from diffhydro.errors import InputError

_FIRST, _LAST = 2000, 2100


def run(source: str, sites: str, years: str, out: Path, base: str | None) -> None:
    """Bring what is wanted and not there yet."""
    names = [name.strip() for name in sites.split(",") if name.strip()]
    if not names:
        raise InputError("--sites names no station")
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(source, total=None)

        def progress(name: str, done: int, of: int | None) -> None:
            bar.update(task, description=name, completed=done, total=of)

        found = fetch_uscrn(names, years_of(years), out, base=base or NCEI, progress=progress)
    console.print(f"{len(found)} files in {out}")


def years_of(text: str) -> list[int]:
    """Read years and ranges of them.

    >>> years_of("2012, 2015-2017")
    [2012, 2015, 2016, 2017]
    """
    found: dict[int, None] = {}
    for part in text.split(","):
        first, dash, last = (piece.strip() for piece in part.partition("-"))
        ends = (first, last if dash else first)
        if not all(end.isdecimal() and _FIRST <= int(end) <= _LAST for end in ends):
            raise InputError(
                f"--years has {part.strip()!r}; expected years such as 2012 or 2015-2017"
            )
        found |= dict.fromkeys(range(int(ends[0]), int(ends[1]) + 1))
    if not found:
        raise InputError(
            f"--years {text!r} holds no year: a range goes from the earlier to the later"
        )
    return list(found)
