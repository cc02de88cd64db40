"""Entries of a JSON list as they are written, each with its title: nothing is decoded and encoded.

A project of label rows is exported as one list. Its entries go into files of their own unchanged, so
that no number and no key can change on the way.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

__all__ = ["ListEntry", "list_entries"]


class _Head(msgspec.Struct):
    """Keys of a label row that tell what it is and which file it is about."""

    data_title: Any = None
    # Not decoded: its numbers may be beyond a double, and it can be large.
    data_units: msgspec.Raw = msgspec.Raw(b"")


class ListEntry(Struct, frozen=True):
    """One entry of a list."""

    content: bytes
    """The entry as written."""
    title: str | None
    """Title of the data file; None where the entry has none that is text."""
    is_label_row: bool
    """Whether the entry is an object with data units."""


def list_entries(content: bytes) -> Sequence[ListEntry]:
    r"""Return the entries of a list.

    Raises
    ------
    ValueError
        The content is not JSON, or no list.

    Examples
    --------
    >>> [entry] = list_entries(b'[{"data_title": "a.jpg", "data_units": {}}]')
    >>> entry.title, entry.is_label_row
    ('a.jpg', True)
    """
    try:
        entries = msgspec.json.decode(content.removeprefix(b"\xef\xbb\xbf"), type=list[msgspec.Raw])
        return [_entry(bytes(entry)) for entry in entries]
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(str(error)) from None


def _entry(content: bytes) -> ListEntry:
    try:
        head = msgspec.json.decode(content, type=_Head)
    except msgspec.ValidationError:
        return ListEntry(content, None, is_label_row=False)
    title = head.data_title if isinstance(head.data_title, str) and head.data_title else None
    return ListEntry(content, title, is_label_row=bytes(head.data_units).startswith(b"{"))
