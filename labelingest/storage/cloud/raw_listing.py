"""List the keys of S3 as S3 itself spells them, for buckets with keys that obstore cannot name.

obstore gives up a page with an unusable key on it, and cannot begin behind such a key. Then botocore
lists: the part of boto3 that makes requests, loaded only then. Each page is requested behind the last
key of the page before, and only a page without keys is the end.

Answers have the form of obstore's, without the tiny objects that stand for folders: their names
end in a slash here. Unusable keys are reported and left out. The module does not know what proves a
listing complete.
"""

import os
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from labelingest.errors import StorageError
from labelingest.problems import Problem
from labelingest.storage.cloud.aws_profile import aws_profile
from labelingest.storage.cloud.connections import Connection
from labelingest.storage.cloud.errors import Operation, cloud_error, is_bad_path
from labelingest.storage.cloud.markers import MARKER_BYTES
from labelingest.storage.cloud.unusable_keys import UnusableKeys, is_unusable
from labelingest.storage.urls import Place, Provider

if TYPE_CHECKING:
    from obstore import ObjectMeta

__all__ = ["RawListing"]

_ANSWER: Final = 1_000
_CONNECT: Final = 10.0
_MOST_RETRIES: Final = 10
"""Repeats of a request; with pauses that grow to 20 s, they take the minute of obstore's client."""
_NO_LISTING: Final = "Got invalid list response"
_TRUE: Final = {"1", "true", "on", "yes", "y"}


class RawListing:
    """Lists as obstore's client does, and reports the keys that obstore cannot name.

    Examples
    --------
    >>> from labelingest.storage.urls import place_of
    >>> RawListing(place_of("gs://bucket/"), Connection()).can_list
    False
    """

    def __init__(self, place: Place, connection: Connection, exclude: Sequence[str] = ()) -> None:
        self.can_list = place.provider is Provider.S3 and place.lists_from_any_key
        """Whether the store can be listed by botocore."""
        self._place, self._connection = place, connection
        self._files = frozenset(exclude)
        self._folders = tuple(entry for entry in exclude if entry.endswith("/"))
        self._client: Any = None
        self._unusable = UnusableKeys()
        self._expects = self._met = False
        self._lock = Lock()

    @property
    def is_open(self) -> bool:
        """Whether botocore lists, instead of obstore."""
        return self._client is not None

    def open_after(self, error: Exception) -> bool:
        """Open after a listing that failed for an unusable key; return whether that was possible."""
        if not is_bad_path(error) or not self.open():
            return False
        self._expects = True
        return True

    def open(self) -> bool:
        """Open a client of botocore, where that is possible; return whether it is open.

        Raises
        ------
        StorageError
            No credentials exist, or they cannot be read.
        """
        with self._lock:
            if self._client is None and self.can_list:
                try:
                    self._client = _client(self._place, self._connection)
                except ModuleNotFoundError as error:
                    if (error.name or "").partition(".")[0] != "botocore":
                        raise
        return self.is_open

    def problems(self) -> Sequence[Problem]:
        """Return the problems of the keys that were left out, once all is listed.

        Raises
        ------
        StorageError
            No unusable key came, though obstore met one: other keys may be missing too.
        """
        if self._expects and not self._met:
            raise self._refused(OSError(_NO_LISTING))
        return self._unusable.problems()

    def answers(
        self, prefix: str | None, *, offset: str | None = None, chunk_size: int = _ANSWER
    ) -> Iterator[Sequence["ObjectMeta"]]:
        """Yield the objects below a prefix and behind a name, as obstore's client does.

        Raises
        ------
        StorageError
            The objects cannot be listed, or an answer is no listing.
        """
        below = f"{prefix}/" if prefix else ""
        last = offset or ""
        while True:
            start = {"StartAfter": last} if last else {}
            contents = self._answer(Prefix=below, MaxKeys=min(chunk_size, _ANSWER), **start)
            if not contents:
                return
            for entry in contents:
                last = self._checked(entry, below, last)
            if entries := [meta for entry in contents if (meta := self._entry(entry))]:
                yield entries

    def is_marker(self, path: str) -> bool:
        """Return whether an object with a slash behind the name exists and stands for the folder.

        Raises
        ------
        StorageError
            The object cannot be listed, or the answer is no listing.
        """
        # Such an object comes before all others below the prefix.
        first = self._answer(Prefix=f"{path}/", MaxKeys=1)
        return bool(first) and first[0].get("Key") == f"{path}/"

    def _answer(self, **parameters: Any) -> list[dict[str, Any]]:
        """Return the keys of one page.

        Raises
        ------
        StorageError
            The page cannot be listed, or the answer is no listing.
        """
        from botocore.exceptions import BotoCoreError, ClientError
        from botocore.parsers import ResponseParserError

        if os.environ.get("AWS_REQUEST_PAYER", "").lower() in _TRUE:
            parameters["RequestPayer"] = "requester"
        try:
            answer = self._client.list_objects_v2(Bucket=self._place.bucket, **parameters)
        except (BotoCoreError, ClientError, ResponseParserError, ValueError, RuntimeError) as error:
            raise self._refused(_as_obstore(error)) from None
        contents: list[dict[str, Any]] = answer.get("Contents", [])
        is_truncated, promised = answer.get("IsTruncated"), answer.get("KeyCount", 0)
        # An error or a web page with status 200 has neither; a page without keys is the end.
        is_empty = is_truncated and not contents
        if not isinstance(is_truncated, bool) or is_empty or promised > len(contents):
            raise self._refused(OSError(_NO_LISTING))
        return contents

    def _checked(self, entry: dict[str, Any], below: str, last: str) -> str:
        """Return the key of an entry; it must lie below the prefix and behind the last key."""
        name, size, time = entry.get("Key"), entry.get("Size"), entry.get("LastModified")
        is_whole = isinstance(size, int) and isinstance(time, datetime)
        if not is_whole or not isinstance(name, str) or not name.startswith(below):
            raise self._refused(OSError(_NO_LISTING))
        if name <= last:
            raise StorageError(
                f"{self._place.url} cannot be listed: {name!r} comes behind {last!r}, and keys must "
                "come in order; check the network and whatever lies between, and give the same "
                "command again"
            )
        return name

    def _entry(self, entry: dict[str, Any]) -> "ObjectMeta | None":
        """Return an object in obstore's form; None for an object that is left out."""
        name: str = entry["Key"]
        is_marker = name.endswith("/") and entry["Size"] <= MARKER_BYTES
        if is_unusable(name.removesuffix("/") if is_marker else name) and name != "/":
            prefix = self._place.prefix
            key = name[len(prefix) + 1 :] if prefix else name
            if key not in self._files and not key.startswith(self._folders):
                self._unusable.add(key)
            self._met = True
            return None
        if is_marker:
            return None
        return {
            "path": name,
            "size": entry["Size"],
            "last_modified": entry["LastModified"],
            "e_tag": entry.get("ETag"),
            "version": None,
        }

    def _refused(self, error: Exception) -> StorageError:
        return cloud_error(error, self._place, Operation.LIST)


def _client(place: Place, connection: Connection) -> Any:
    """Return a client for the same service as obstore's, with the same credentials."""
    from botocore import UNSIGNED
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError
    from botocore.session import Session

    anonymous = connection.anonymous or _variable("AWS_SKIP_SIGNATURE").lower() in _TRUE
    profile = None if anonymous else aws_profile(connection.profile)
    virtual = _variable("AWS_VIRTUAL_HOSTED_STYLE_REQUEST").lower() in _TRUE
    region = connection.region or place.region or (profile and profile.region)
    config = Config(
        signature_version=UNSIGNED if anonymous else None,
        connect_timeout=min(connection.timeout, _CONNECT),
        read_timeout=connection.timeout,
        retries={
            "mode": "standard",
            "total_max_attempts": min(connection.retries, _MOST_RETRIES) + 1,
        },
        s3={"addressing_style": "virtual" if virtual else "path"},
        user_agent="labelingest",
        # A file could send the credentials elsewhere than obstore's client does.
        ignore_configured_endpoint_urls=True,
    )
    try:
        return Session().create_client(
            "s3",
            region_name=region or _variable("AWS_REGION", "AWS_DEFAULT_REGION") or "us-east-1",
            endpoint_url=place.endpoint
            or _variable("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
            or None,
            aws_access_key_id=profile and profile.access_key_id,
            aws_secret_access_key=profile and profile.secret_access_key,
            aws_session_token=profile and profile.session_token,
            config=config,
        )
    except (BotoCoreError, ValueError) as error:
        # Its text may repeat a key that was set wrongly.
        raise cloud_error(_as_obstore(error), place, Operation.LIST) from None


def _variable(*names: str) -> str:
    """Return the first of some environment variables that is set; "" for none."""
    return next((value for name in names if (value := os.environ.get(name))), "")


def _as_obstore(error: Exception) -> Exception:
    """Return a failure in the words of obstore's errors, without anything secret."""
    from botocore import exceptions

    if isinstance(error, exceptions.ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500)
        code = re.sub("[^A-Za-z]", "", str(error.response.get("Error", {}).get("Code", "")))
        return OSError(f"Server returned non-2xx status code: {status} <Code>{code}</Code>")
    if isinstance(error, ValueError | RuntimeError):
        return ValueError("year" if "year" in str(error) else _NO_LISTING)
    for kinds, words in (
        (
            (
                exceptions.NoCredentialsError,
                exceptions.PartialCredentialsError,
                exceptions.CredentialRetrievalError,
                exceptions.MetadataRetrievalError,
                exceptions.TokenRetrievalError,
                exceptions.ProfileNotFound,
            ),
            "Error performing token request",
        ),
        ((exceptions.ConnectTimeoutError, exceptions.ReadTimeoutError), "timed out"),
        (exceptions.ResponseStreamingError, "request or response body error"),
        (exceptions.ConnectionError, "no connection"),
    ):
        if isinstance(error, kinds):
            return OSError(words)
    return OSError("no connection" if isinstance(error, exceptions.BotoCoreError) else _NO_LISTING)
