"""Refusals of cloud storage: the scope of each, its cause, and the check that helps.

Only the status and the code of a provider's answer are repeated. The rest may hold keys, signatures or
signed addresses.
"""

import re
from collections.abc import Mapping
from enum import Enum, StrEnum, auto
from typing import Final, NamedTuple

from labelingest.errors import NameRefusedError, StorageError
from labelingest.storage.base import NOT_THERE
from labelingest.storage.urls import Place, Provider

__all__ = [
    "Concern",
    "Operation",
    "Refusal",
    "broke_off",
    "cloud_error",
    "is_bad_path",
    "refusal_of",
]


class Operation(StrEnum):
    """Operation that was refused; the value completes "it cannot be …"."""

    LIST = "listed"
    READ = "read"
    WRITE = "written"
    DELETE = "deleted"


class Concern(Enum):
    """Scope of a refusal."""

    FILE = auto()
    """The refusal concerns one file; others may be fine."""
    NAME = auto()
    """The refusal concerns one name, which no file can have."""
    STORAGE = auto()
    """The refusal concerns every file: credentials, bucket, region or endpoint."""
    MOMENT = auto()
    """The scope is unknown: no answer came, or a refusal for now, also after all repeats."""


class Refusal(NamedTuple):
    """Cause of a refused request, and the check that helps."""

    concern: Concern
    why: str
    """The cause as half a sentence, as "access denied (403 AccessDenied)"."""
    check: str
    """The check that helps, as an imperative; "" where nothing helps."""


# Whole phrases: names of files are in the same text.
_STATUS: Final = re.compile(r"Server returned non-2xx status code: (\d{3})")
_CODE: Final = re.compile(r"<Code>([A-Za-z]{1,60})</Code>")
_BAD_PATH: Final = re.compile(r'Encountered object with invalid path: .*?Path "(.*?)"', re.DOTALL)
_NO_LISTING: Final = "Got invalid list response"
_NO_CREDENTIALS: Final = (
    "http://169.254.169.254/",
    "http://metadata.google",
    "Error performing token request",
)
_REFUSED_KEYS: Final = re.compile(
    "InvalidAccessKeyId|SignatureDoesNotMatch|ExpiredToken|InvalidToken|TokenRefreshRequired"
    "|RequestTimeTooSkewed|AuthenticationFailed|AuthorizationFailure|InvalidAuthenticationInfo"
)
_NO_BUCKET: Final = re.compile("NoSuchBucket|ContainerNotFound|ContainerBeingDeleted")
_BAD_NAME: Final = re.compile("KeyTooLong(Error)?|InvalidResourceName|InvalidObjectName")
_WRONG_REGION: Final = re.compile(
    "PermanentRedirect|AuthorizationHeaderMalformed|IllegalLocationConstraint|TemporaryRedirect"
)

_CREDENTIALS: Final[Mapping[Provider, str]] = {
    Provider.S3: "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or the machine's role",
    Provider.GOOGLE: "GOOGLE_APPLICATION_CREDENTIALS, or run gcloud auth application-default login",
    Provider.AZURE: "AZURE_STORAGE_ACCOUNT_KEY or AZURE_STORAGE_SAS_TOKEN, or AZURE_CLIENT_ID with "
    "AZURE_CLIENT_SECRET and AZURE_TENANT_ID",
}
_ANONYMOUSLY: Final[Mapping[Provider, str]] = {
    Provider.S3: "AWS_SKIP_SIGNATURE=true",
    Provider.GOOGLE: "GOOGLE_SKIP_SIGNATURE=true",
    Provider.AZURE: "AZURE_SKIP_SIGNATURE=true",
}
"""Variables with which the clients send requests without credentials."""
_PERMISSIONS: Final[Mapping[Provider, Mapping[Operation, str]]] = {
    Provider.S3: {
        Operation.LIST: "s3:ListBucket",
        Operation.READ: "s3:GetObject",
        Operation.WRITE: "s3:PutObject",
        Operation.DELETE: "s3:DeleteObject",
    },
    Provider.GOOGLE: {
        Operation.LIST: "storage.objects.list",
        Operation.READ: "storage.objects.get",
        Operation.WRITE: "storage.objects.create and storage.objects.delete",
        Operation.DELETE: "storage.objects.delete",
    },
    Provider.AZURE: {
        Operation.LIST: "Storage Blob Data Reader",
        Operation.READ: "Storage Blob Data Reader",
        Operation.WRITE: "Storage Blob Data Contributor",
        Operation.DELETE: "Storage Blob Data Contributor",
    },
}


def cloud_error(
    error: Exception, place: Place, operation: Operation, key: str | None = None
) -> StorageError:
    """Return the exception for a refused request, without anything secret.

    Examples
    --------
    >>> from labelingest.storage.urls import place_of
    >>> print(cloud_error(FileNotFoundError("…"), place_of("gs://bucket/"), Operation.LIST))
    gs://bucket/ cannot be listed: there is no bucket 'bucket'; check its name and the endpoint
    """
    refusal = refusal_of(error, place, operation)
    what = place.url if key is None else f"{place.url}: {key!r}"
    check = f"; {refusal.check}" if refusal.check else ""
    kind = NameRefusedError if refusal.concern is Concern.NAME else StorageError
    return kind(f"{what} cannot be {operation}: {refusal.why}{check}")


def refusal_of(error: Exception, place: Place, operation: Operation) -> Refusal:
    """Return the refusal that an exception of a client means."""
    text = str(error)
    found_status = _STATUS.search(text)
    status = int(found_status[1]) if found_status else 0
    found_code = _CODE.search(text, found_status.end()) if found_status else None
    code = found_code[1] if found_code else ""
    answer = f"({f'{status} {code}'.strip()})" if status else ""
    if any(sign in text for sign in _NO_CREDENTIALS):
        return Refusal(
            Concern.STORAGE,
            "no credentials were found",
            f"set {_CREDENTIALS[place.provider]}; {_ANONYMOUSLY[place.provider]} reads a public bucket",
        )
    if bad := _BAD_PATH.match(text):
        return Refusal(
            Concern.STORAGE,
            f"it holds the key {bad[1]!r}, and keys with empty, '.' or '..' parts or control "
            "characters cannot be listed here",
            "rename it, or give a storage path further down" + _without_botocore(place),
        )
    return (
        _by_code(code, answer, place)
        or _by_status(
            status, answer, place, operation, is_missing=isinstance(error, FileNotFoundError)
        )
        or _unanswered(error, place)
    )


def is_bad_path(error: Exception) -> bool:
    """Return whether a client gave up because of a key that it cannot name."""
    return bool(_BAD_PATH.match(str(error)))


def _without_botocore(place: Place) -> str:
    """Return the advice for stores whose unusable keys could be left out; "" for other stores."""
    if place.provider is not Provider.S3 or not place.lists_from_any_key:
        return ""
    return "; with botocore they are left out and named: pip install 'labelingest[cloud]'"


def broke_off(error: Exception) -> bool:
    """Return whether an answer began well and did not end; clients repeat only reads after that."""
    return "request or response body error" in str(error)


def _by_code(code: str, answer: str, place: Place) -> Refusal | None:
    """Return the refusal that a provider's code means; None for a code about one file."""
    if _NO_BUCKET.fullmatch(code):
        return Refusal(
            Concern.STORAGE,
            f"there is no bucket {place.bucket!r} {answer}",
            "check its name and the endpoint",
        )
    if _REFUSED_KEYS.fullmatch(code):
        return Refusal(
            Concern.STORAGE,
            f"the credentials were refused {answer}",
            f"check whether they are complete and have not expired: {_CREDENTIALS[place.provider]}",
        )
    if _BAD_NAME.fullmatch(code):
        why = f"its name is not allowed there {answer}"
        return Refusal(Concern.NAME, why, "a name may have 1,024 bytes, with that of its folder")
    if _WRONG_REGION.fullmatch(code):
        return _wrong_region(answer)
    return None


def _by_status(
    status: int, answer: str, place: Place, operation: Operation, *, is_missing: bool
) -> Refusal | None:
    """Return the refusal that the status of an answer means; None where no answer came."""
    if is_missing or status == 404:
        if operation is Operation.LIST:
            why = f"there is no bucket {place.bucket!r} {answer}".rstrip()
            return Refusal(Concern.STORAGE, why, "check its name and the endpoint")
        return Refusal(Concern.FILE, NOT_THERE.rpartition(": ")[2], "")
    if status == 401:
        keys = _CREDENTIALS[place.provider]
        return Refusal(Concern.STORAGE, f"the credentials were refused {answer}", f"check {keys}")
    if status == 403:
        permission = _PERMISSIONS[place.provider][operation]
        check = f"check that the credentials allow {permission} on {place.bucket!r}"
        return Refusal(Concern.FILE, f"access denied {answer}", check)
    if 300 <= status < 400:
        return _wrong_region(answer)
    if status in {408, 429, 503}:
        check = "give the same command again later, or with fewer workers"
        return Refusal(Concern.MOMENT, f"too many requests for the storage {answer}", check)
    if status >= 500:
        check = "give the same command again later"
        return Refusal(Concern.MOMENT, f"the storage failed {answer}", check)
    if status:
        check = "check bucket, region and endpoint"
        return Refusal(Concern.FILE, f"the storage refused the request {answer}", check)
    return None


def _wrong_region(answer: str) -> Refusal:
    why = f"the bucket is in another region {answer}"
    return Refusal(Concern.STORAGE, why, "set AWS_REGION, or the region of the connection")


def _unanswered(error: Exception, place: Place) -> Refusal:
    """Return the refusal for a missing or unreadable answer."""
    text = str(error)
    host = f"check the network and the endpoint ({place.endpoint or 'that of the provider'})"
    if isinstance(error, ValueError) and "year" in text:
        # The client has no value for the date of an object.
        why = "it dates a file outside the years 1 to 9999"
        return Refusal(Concern.STORAGE, why, "write that file again, or repair the storage's clock")
    if "redirect without LOCATION" in text:
        return _wrong_region("(301)")
    if "builder error" in text:
        check = f"use https://, or allow http:// by {place.provider.variables}_ALLOW_HTTP=true"
        return Refusal(Concern.STORAGE, "the endpoint is not encrypted", check)
    if _NO_LISTING in text:
        return Refusal(Concern.MOMENT, "an answer is no listing, or not all of one", host)
    if broke_off(error):
        return Refusal(Concern.MOMENT, "the answer broke off again and again", host)
    if "kind: Timeout" in text or "timed out" in text:
        return Refusal(Concern.MOMENT, "no answer came in time", host)
    return Refusal(Concern.MOMENT, "no connection to the storage", host)
