"""Make many requests at once, one for each file, and decide when further requests are pointless.

A request that stays refused concerns one file, or all of them. Refused credentials end the batch. So
does a moment in which no file of the batch was answered: a run that continued would call every file
unreadable.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Final, TypeVar

from labelingest.storage.cloud.errors import Concern, Operation, cloud_error, refusal_of
from labelingest.storage.cloud.stream import FAILURES
from labelingest.storage.cloud.unusable_keys import check_requestable
from labelingest.storage.urls import Place

__all__ = ["IN_FLIGHT", "request_each"]

T = TypeVar("T")

IN_FLIGHT: Final = 64
"""Number of requests that one process has under way."""


def request_each(
    place: Place, keys: Sequence[str], ask: Callable[[int], T], operation: Operation
) -> list[T | Exception]:
    """Make a request for each key, many at once; return the outcome of each.

    Parameters
    ----------
    place, keys
        The place, and the keys of the files in it.
    ask
        Makes the request for the key at a position.
    operation
        The kind of request, for messages.

    Raises
    ------
    ConfigError
        A key cannot be requested.
    StorageError
        A refusal concerns all files, or none was answered.
    """
    for key in keys:
        check_requestable(key)
    if not keys:
        return []
    patience = _Patience(min(IN_FLIGHT, len(keys)))

    def attempt(row: int) -> T | Exception:
        if patience.fatal_refusal is not None:
            return patience.fatal_refusal[1]
        try:
            outcome = ask(row)
        except FAILURES as error:
            concern = refusal_of(error, place, operation).concern
            patience.count_failure(concern, keys[row], error)
            return error
        patience.count_success()
        return outcome

    with ThreadPoolExecutor(min(IN_FLIGHT, len(keys))) as threads:
        outcomes = list(threads.map(attempt, range(len(keys))))
    if patience.fatal_refusal is not None:
        key, error = patience.fatal_refusal
        raise cloud_error(error, place, operation, key)
    return outcomes


class _Patience:
    """Decides when further requests are pointless."""

    def __init__(self, limit: int) -> None:
        self.fatal_refusal: tuple[str, Exception] | None = None
        """Key of the file whose request ended the batch, and the error."""
        self._limit = limit
        self._unanswered = 0
        self._lock = Lock()

    def count_success(self) -> None:
        """Count a request that succeeded."""
        with self._lock:
            self._unanswered = 0

    def count_failure(self, concern: Concern, key: str, error: Exception) -> None:
        """Count a request that failed."""
        with self._lock:
            self._unanswered = self._unanswered + 1 if concern is Concern.MOMENT else 0
            if concern is Concern.STORAGE or self._unanswered >= self._limit:
                self.fatal_refusal = self.fatal_refusal or (key, error)
