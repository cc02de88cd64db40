"""Write the commands that rename files and make links, to be copied into a shell."""

from typing import Final
from unicodedata import normalize
from urllib.parse import unquote

from msgspec import Struct

from labelingest.pairing.near_misses.shell import shell_word

__all__ = ["Commands"]

_MOVES: Final = {"file": "mv --", "s3": "aws s3 mv", "gs": "gcloud storage mv"}
"""Scheme of a storage path → command that moves one file."""


class Commands(Struct, frozen=True):
    """Commands for the files of one storage path.

    Examples
    --------
    >>> print(Commands("my data").rename("labels/a.txt", "labels/A.txt"))
    mv -- 'my data/labels/a.txt' 'my data/labels/A.txt'
    >>> print(Commands("s3://bucket/my%20data/").rename("a.txt", "b.txt"))
    aws s3 mv 's3://bucket/my data/a.txt' 's3://bucket/my data/b.txt'
    """

    place: str = ""
    """Local folder or URL as the user named it; "" for the current folder."""

    @property
    def can_move(self) -> bool:
        """Whether a shell has a command that renames files of the storage path."""
        return self._move is not None

    def rename(self, key: str, new_key: str) -> str:
        """Return the command that gives a file another name; a sentence where no command does."""
        # Names that look the same are told apart by their bytes.
        look_the_same = normalize("NFC", key) == normalize("NFC", new_key)
        keys = (self._path(k) if self.can_move else k for k in (key, new_key))
        old, new = (shell_word(k, is_ascii=look_the_same) for k in keys)
        return f"{self._move} {old} {new}" if self.can_move else f"rename {old} to {new} there"

    def link(self, target: str, key: str) -> str:
        """Return the command that makes a symbolic link in the place of a file."""
        return f"ln -sfn {shell_word(target)} {shell_word(self._path(key))}"

    @property
    def _scheme(self) -> str:
        return self.place.partition("://")[0].lower() if "://" in self.place else "file"

    @property
    def _move(self) -> str | None:
        return _MOVES.get(self._scheme)

    def _path(self, key: str) -> str:
        if self.place in ("", ".", "./"):
            return key
        place = unquote(self.place) if "://" in self.place else self.place
        return f"{place.removeprefix('file://').rstrip('/')}/{key}"
