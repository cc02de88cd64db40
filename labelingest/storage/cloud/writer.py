"""Write files to cloud storage, on the condition that the existing file is a known version.

The store itself compares versions. Where it cannot, the version is requested first, and another
writer may come between.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from obstore.exceptions import AlreadyExistsError, PreconditionError

from labelingest.storage.base import ChangedError, Version, has_changed
from labelingest.storage.cloud.clients import Client
from labelingest.storage.cloud.errors import Operation, cloud_error
from labelingest.storage.cloud.listing import plain_tag, token_of
from labelingest.storage.cloud.stream import FAILURES
from labelingest.storage.pieces import joined_pieces
from labelingest.storage.urls import Place, Provider

if TYPE_CHECKING:
    from obstore import PutMode

__all__ = ["CloudWriter"]

_AT_ONCE: Final = 2
"""Parts of one file that are under way together: each of them is in memory."""
_NOT_IMPLEMENTED: Final = "Server returned non-2xx status code: 501 "
"""Error text of a conditional request to a store that has no conditions."""


class CloudWriter:
    """Writes files below a place, and looks up their versions."""

    def __init__(self, client: Client, place: Place) -> None:
        self._client = client
        self._place = place
        self._compares = True
        """Whether the store has conditional requests; the first one that it refuses shows that."""

    def put(self, key: str, content: bytes | Iterable[bytes], unless_changed: str | None) -> str:
        """Write one file whole or not at all; return its version token.

        Raises
        ------
        ChangedError
            The existing file is another version.
        StorageError
            The file cannot be written.
        """
        try:
            if not isinstance(content, bytes):
                return self._put_pieces(key, content, unless_changed)
            if unless_changed is not None and not self._compares:
                return self._put(key, content, self._compared(key, unless_changed))
            mode = self._mode(key, unless_changed)
            try:
                return self._put(key, content, mode)
            except FAILURES as error:
                if unless_changed is None or _NOT_IMPLEMENTED not in str(error):
                    raise
                self._compares = False
                return self._put(key, content, self._compared(key, unless_changed))
        except ChangedError:
            raise
        except (AlreadyExistsError, PreconditionError, FileNotFoundError) as error:
            # Some stores answer "not found" where the version to replace does not exist.
            if isinstance(error, FileNotFoundError) and (
                not unless_changed or self.version(key) is not None
            ):
                raise cloud_error(error, self._place, Operation.WRITE, key) from None
            raise has_changed(self._place.url, key) from None
        except FAILURES as error:
            raise cloud_error(error, self._place, Operation.WRITE, key) from None

    def version(self, key: str) -> Version | None:
        """Return the version of a file; None where it does not exist."""
        try:
            meta = self._client.head(key)
        except FileNotFoundError:
            return None
        return Version(meta["size"], token_of(meta))

    def known_token(self, key: str) -> str:
        """Return the version token of a file, "" where it does not exist.

        Raises
        ------
        StorageError
            The version cannot be determined.
        """
        try:
            version = self.version(key)
        except FAILURES as error:
            raise cloud_error(error, self._place, Operation.READ, key) from None
        return "" if version is None else version.token

    def put_parts(self, key: str, pieces: Iterable[bytes], part: int) -> None:
        """Write a file in requests of so many bytes.

        An exception of the pieces ends the upload: the store removes its parts, and has no new file.

        Raises
        ------
        StorageError
            The file cannot be written.
        """
        try:
            self._client.put(
                key, pieces, use_multipart=True, chunk_size=part, max_concurrency=_AT_ONCE
            )
        except FAILURES as error:
            raise cloud_error(error, self._place, Operation.WRITE, key) from None

    def refuse_changed(self, key: str, expected: str) -> None:
        """Refuse a file that is another version than expected; "" where none may exist.

        Raises
        ------
        ChangedError
            The existing file is another version.
        StorageError
            The version cannot be determined.
        """
        if self.known_token(key) != expected:
            raise has_changed(self._place.url, key)

    def _put_pieces(self, key: str, pieces: Iterable[bytes], unless_changed: str | None) -> str:
        """Write a file in many requests; the version is compared before, as no store can do it."""
        if unless_changed is not None:
            self._compared(key, unless_changed)
        put = self._client.put(
            key, joined_pieces(pieces), use_multipart=True, max_concurrency=_AT_ONCE
        )
        return plain_tag(put["e_tag"])

    def _put(self, key: str, content: bytes, mode: "PutMode") -> str:
        put = self._client.put(key, content, mode=mode, use_multipart=False)
        return plain_tag(put["e_tag"])

    def _mode(self, key: str, unless_changed: str | None) -> "PutMode":
        """Return the condition that the store is to check."""
        if unless_changed is None:
            return "overwrite"
        if not unless_changed:
            return "create"
        if self._place.provider is Provider.GOOGLE:
            # Google compares generations, which listings do not contain.
            return self._compared(key, unless_changed)
        return {"e_tag": f'"{unless_changed}"'}

    def _compared(self, key: str, unless_changed: str) -> "PutMode":
        """Compare the version here; return the mode for putting the file if it is unchanged."""
        try:
            meta = self._client.head(key)
        except FileNotFoundError:
            if unless_changed:
                raise has_changed(self._place.url, key) from None
            return "overwrite"
        if token_of(meta) != unless_changed:
            raise has_changed(self._place.url, key)
        by_generation = self._place.provider is Provider.GOOGLE and meta["version"]
        return {"version": meta["version"]} if by_generation else "overwrite"
