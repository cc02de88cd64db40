"""Confine an unexpected exception to the file that causes it: no other file is lost.

`isolate_failures` tries all files of a batch at once, so that a batch without such a file pays
nothing. After an exception it tries both halves, and continues until each failing file is alone. Each
such file gets a reason instead of a result: `internal-error`, or `out-of-memory` where memory ran out.

Exceptions that labelingest raises on purpose pass, because they concern the call or the world, not
one file. `KeyboardInterrupt` and other exceptions that are no `Exception` pass, too. The module does
not know what a file is, or how it is converted.
"""

import gc
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from labelingest.crashes import crash_sentence
from labelingest.errors import LabelIngestError
from labelingest.model.blobs import Unread
from labelingest.problems import ProblemCode

__all__ = ["isolate_failures", "result_or_reason"]

T = TypeVar("T")

_OUT_OF_MEMORY: Final = (
    "memory ran out over this file; other files are not affected: give the process more memory, or try fewer "
    "--workers or smaller --batch-bytes"
)


def isolate_failures(
    work: Callable[[slice], T],
    files: int,
    give_up: Callable[[int, Unread], T],
    join: Callable[[Sequence[T]], T],
) -> T:
    """Process files together, and set apart files that raise an unexpected exception.

    Parameters
    ----------
    work
        Processes the files of a slice.
    files
        Number of files.
    give_up
        Returns a result for a file that failed, from its position and the reason.
    join
        Joins the results of slices, in their order.

    Examples
    --------
    >>> def inverted(rows):
    ...     return [1 / number for number in [2, 0, 4][rows]]
    >>> isolate_failures(inverted, 3, lambda row, why: [str(why.code)], lambda parts: sum(parts, []))
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
            # The frames hold the partial results: they are freed before the next attempt.
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


def result_or_reason(
    work: Callable[[], T], *, passes: tuple[type[Exception], ...] = ()
) -> T | Unread:
    """Return the result of work on one file, or the reason why it failed.

    Parameters
    ----------
    work
        Processes the file.
    passes
        Exceptions that do not concern the file, and are raised.

    Examples
    --------
    >>> result_or_reason(lambda: 1 / 2), result_or_reason(lambda: 1 / 0).code.value
    (0.5, 'internal-error')
    """
    passing: tuple[type[Exception], ...] = (LabelIngestError, *passes)
    try:
        return work()
    except passing:
        raise
    except Exception as error:  # noqa: BLE001 - any other exception costs this file alone
        return _reason(error)


def _reason(error: Exception) -> Unread:
    if isinstance(error, MemoryError):
        return Unread(ProblemCode.OUT_OF_MEMORY, _OUT_OF_MEMORY)
    return Unread(
        ProblemCode.INTERNAL_ERROR,
        f"a failure of labelingest, not of the file: {crash_sentence(error)}",
    )
