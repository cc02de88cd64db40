"""Data files as far as reading their sidecars depends on them: kind, type, size and date."""

from typing import Final, NamedTuple

from labelingest.model.kinds import DataKind, extension_of, kind_and_type

__all__ = ["ANY_FILE", "DataFile"]


class DataFile(NamedTuple):
    """Properties of a data file; defaults stand for unknown ones.

    Examples
    --------
    >>> DataFile.from_key("clips/a.mp4")
    DataFile(kind=<DataKind.VIDEO: 'video'>, mime_type='video/mp4', size=None, date=None, key='clips/a.mp4')
    """

    kind: DataKind | None = None
    """Kind by the file's name; None for an unknown kind, which every label row fits."""
    mime_type: str = ""
    """MIME type by the file's name."""
    size: tuple[int, int] | None = None
    """Width and height in pixels from the header of an image; None for an unread header."""
    date: str | None = None
    """Date of labels without their own, in the form of label rows."""
    key: str = ""
    """Key of the file; "" for an unknown one, which no title names."""

    @classmethod
    def from_key(
        cls, key: str, size: tuple[int, int] | None = None, date: str | None = None
    ) -> "DataFile":
        """Return a data file whose kind and type follow from its key."""
        kind, mime_type = kind_and_type(extension_of(key))
        return cls(kind, mime_type, size, date, key)


ANY_FILE: Final = DataFile()
"""A file without known properties."""
