"""The fence: what an unexpected exception in one file costs is that file, and no other.

`fenced` tries all files of a batch at once, so that a batch without such a file pays nothing. Where
an exception comes out, it tries both halves, and goes on until the files that fail stand alone.
Each of these gets a reason instead of a result: `internal-error`, or `out-of-memory` where memory
ran out.

What labelingest raises on purpose passes: it is about the call or the world, not about one file.
So does what is no `Exception`, as Ctrl-C. Refuses to know what a file is and how it is converted.
"""

import gc
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from labelingest.crashes import crash_sentence
from labelingest.errors import LabelIngestError
from labelingest.model.blobs import Unread
from labelingest.problems import ProblemCode

__all__ = ["fenced", "tried"]

T = TypeVar("T")

_OUT_OF_MEMORY: Final = (
    "memory ran out over this file, the others went on: give the process more memory, or try fewer "
    "--workers or smaller --batch-bytes"
)


def fenced(
    work: Callable[[slice], T],
    files: int,
    give_up: Callable[[int, Unread], T],
    join: Callable[[Sequence[T]], T],
) -> T:
    """Do files together, but without those over which an unexpected exception comes out.

    Parameters
    ----------
    work
        Does the files of a slice.
    files
        How many there are.
    give_up
        Position of a file and why it failed → what stands for its result.
    join
        Puts results of slices together, in their order.

    Examples
    --------
    >>> def inverted(rows):
    ...     return [1 / number for number in [2, 0, 4][rows]]
    >>> fenced(inverted, 3, lambda row, why: [str(why.code)], lambda parts: sum(parts, []))
    [0.5, 'internal-error', 0.25]
    """
    results: list[T] = []
    waiting = [slice(0, files)]
    while waiting:
        rows = waiting.pop()
        alone = rows.stop - rows.start <= 1
        try:
            results.append(work(rows))
            continue
        except LabelIngestError:
            raise
        except Exception as error:
            if not files:
                raise
            # The frames hold what was made so far: they are gone before anything else is tried.
            reason = _reason(error) if alone else None
            ran_out = isinstance(error, MemoryError)
        if ran_out:
            gc.collect()
        if reason is not None:
            results.append(give_up(rows.start, reason))
            continue
        middle = (rows.start + rows.stop) // 2
        waiting += [slice(middle, rows.stop), slice(rows.start, middle)]
    return results[0] if len(results) == 1 else join(results)


def tried(work: Callable[[], T], *, passes: tuple[type[Exception], ...] = ()) -> T | Unread:
    """Return what comes out of work on one file, or why nothing does.

    Parameters
    ----------
    work
        Does it.
    passes
        Exceptions that are about something else than the file, and are raised.

    Examples
    --------
    >>> tried(lambda: 1 / 2), tried(lambda: 1 / 0).code.value
    (0.5, 'internal-error')
    """
    passing: tuple[type[Exception], ...] = (LabelIngestError, *passes)
    try:
        return work()
    except passing:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, it costs this file alone
        return _reason(error)


def _reason(error: Exception) -> Unread:
    if isinstance(error, MemoryError):
        return Unread(ProblemCode.OUT_OF_MEMORY, _OUT_OF_MEMORY)
    return Unread(
        ProblemCode.INTERNAL_ERROR,
        f"a failure of labelingest, not of the file: {crash_sentence(error)}",
    )
