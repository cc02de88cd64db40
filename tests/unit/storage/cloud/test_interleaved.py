"""Iterators that wait, gone through by threads."""

import threading
from collections.abc import Iterator
from threading import Barrier, Event

import pytest

from labelingest.storage.cloud.interleaved import interleave


def numbers(first: int, last: int) -> Iterator[int]:
    yield from range(first, last)


def test_everything_comes_once() -> None:
    iterators = [numbers(start, start + start % 7) for start in range(0, 1000, 10)]
    expected = [n for start in range(0, 1000, 10) for n in range(start, start + start % 7)]
    assert sorted(interleave(iterators, 4, Event())) == expected


def test_as_many_are_under_way_as_asked_for() -> None:
    together = Barrier(3, timeout=20)  # breaks where fewer wait for each other

    def waiting() -> Iterator[int]:
        yield together.wait()

    assert sorted(interleave([waiting() for _ in range(6)], 3, Event())) == [0, 0, 1, 1, 2, 2]


def test_no_iterator_is_begun_before_its_turn() -> None:
    begun = []

    def noted(number: int) -> Iterator[int]:
        begun.append(number)
        yield number

    found = interleave(map(noted, range(100)), 1, Event())
    assert [next(found) for _ in range(3)] == [0, 1, 2]
    assert begun == [0, 1, 2]


def test_what_one_raises_ends_all_and_their_pauses() -> None:
    stopped, pauses = Event(), Event()

    def failing() -> Iterator[int]:
        assert pauses.wait(20)
        yield int("gone")

    def pausing() -> Iterator[int]:
        pauses.set()
        assert stopped.wait(20)
        yield 1

    with pytest.raises(ValueError, match="gone"):
        list(interleave([failing(), pausing()], 2, stopped))
    assert stopped.is_set()


def test_threads_end_when_nobody_takes_any_more() -> None:
    before = threading.active_count()
    found = interleave([numbers(0, 1_000_000), numbers(0, 1_000_000)], 2, Event())
    next(found)
    assert threading.active_count() > before
    found.close()
    assert threading.active_count() == before
