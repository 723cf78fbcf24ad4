import threading
import time
from contextlib import closing

import pytest

from diffhydro.data.batches import Batches, Position, Source, Windows, prefetch, stream
from tests.data.batches.sites import FORCING, dataset
from tests.data.batches.test_epochs import same


def readers():
    return [t for t in threading.enumerate() if t.name.startswith("diffhydro-prefetch")]


def test_the_same_items_in_the_same_order_and_the_thread_ends():
    assert list(prefetch(iter(range(100)), ahead=3)) == list(range(100))
    assert list(prefetch(iter([]))) == []
    assert list(prefetch(iter([None, False, None]))) == [None, False, None]
    assert readers() == []


def test_an_error_comes_out_where_its_item_would_have():
    def failing():
        yield 1
        yield 2
        raise OSError("the disk is gone")

    items = prefetch(failing(), ahead=5)
    assert [next(items), next(items)] == [1, 2]
    with pytest.raises(OSError, match="the disk is gone"):
        next(items)
    assert list(items) == []
    assert readers() == []


def test_closing_before_the_end_ends_thread_and_source():
    closed = []

    def endless():
        try:
            i = 0
            while True:
                yield i
                i += 1
        finally:
            closed.append(threading.current_thread().name)

    with closing(prefetch(endless(), ahead=4)) as items:
        assert next(items) == 0
        assert next(items) == 1
        assert len(readers()) == 1
    assert readers() == []
    assert len(closed) == 1


def test_an_error_of_the_user_ends_it_too():
    def use():
        with closing(prefetch(iter(range(9)))) as items:
            for item in items:
                1 / item

    with pytest.raises(ZeroDivisionError):
        use()
    assert readers() == []


def eventually(is_so, seconds=20.0):
    begun = time.monotonic()
    while not is_so() and time.monotonic() - begun < seconds:
        time.sleep(0.005)
    return is_so()


def test_reads_ahead_while_an_item_is_used_and_not_further():
    read = []

    def watched():
        for i in range(10):
            read.append(i)
            yield i

    with closing(prefetch(watched(), ahead=3)) as items:
        assert next(items) == 0
        assert eventually(lambda: read == [0, 1, 2, 3])
        time.sleep(0.05)
        assert read == [0, 1, 2, 3]
        assert next(items) == 1
        assert eventually(lambda: read == [0, 1, 2, 3, 4])


def test_nothing_ahead_is_refused():
    with pytest.raises(ValueError, match="0 items ahead"):
        prefetch(iter([]), ahead=0)


def test_batches_come_as_without_it():
    source = Source.of(dataset(), forcing=FORCING)
    made = Batches.of(source, Windows(14, 4), 4)
    plain = list(stream(made, Position(0, 2), epochs=2))
    ahead = list(prefetch(stream(made, Position(0, 2), epochs=2)))
    assert [at for _, at in plain] == [at for _, at in ahead]
    for (one, _), (other, _) in zip(plain, ahead, strict=True):
        same(one, other)
