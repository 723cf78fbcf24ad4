"""The next batches are read while the last one is used."""

from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")


def prefetch(items: Iterator[Item], ahead: int = 2) -> Generator[Item, None, None]:
    """Give the same items in the same order, read by a thread of its own.

    An error comes out where its item would have. Once the iterator ends, fails or is closed, the
    thread has ended too; use `contextlib.closing` to stop before the end.

    >>> list(prefetch(iter(range(4))))
    [0, 1, 2, 3]

    Args:
        ahead: Items that are read before they are asked for.
    """
    if ahead < 1:
        raise ValueError(f"{ahead} items ahead; it takes at least 1")
    return _prefetch(items, ahead)


_END = object()


def _prefetch(items: Iterator[Item], ahead: int) -> Generator[Item, None, None]:
    reader = ThreadPoolExecutor(1, thread_name_prefix="diffhydro-prefetch")
    coming: deque[Future] = deque()
    try:
        coming.extend(reader.submit(next, items, _END) for _ in range(ahead))
        while (item := coming.popleft().result()) is not _END:
            coming.append(reader.submit(next, items, _END))
            yield item
    finally:
        reader.shutdown(wait=True, cancel_futures=True)
        if isinstance(items, Generator):
            items.close()  # it lets go of what it holds open
