"""Data units: what is being labelled, one row a data file of a batch."""

from collections.abc import Mapping, Sequence
from itertools import compress

import numpy as np
from msgspec import Struct, field
from msgspec.structs import replace

from labelingest.columns.types import Bool, Int32, Int64
from labelingest.model.kinds import can_extension_be_image, extension_of

__all__ = ["DataUnits", "are_images", "extension_column", "size_column"]


class DataUnits(Struct, frozen=True, eq=False):
    """The data files of a batch, in order of their keys, each with its sidecar."""

    key: Sequence[str]
    """(n,) keys of the data files."""
    sidecar: Sequence[str]
    """(n,) keys of their sidecars: the sources that problems name."""
    width: Int32
    """(n,) pixels, as displayed (after EXIF orientation); -1 where not known."""
    height: Int32
    """(n,) pixels, as displayed; -1 where not known."""
    mtime_ns: Int64
    """(n,) last change of the sidecar, nanoseconds since 1970 UTC."""
    bases: Mapping[str, str] = field(default_factory=dict)
    """Data file → JSON pointer of its label row, for sidecars that hold a list of label rows."""

    def __len__(self) -> int:
        return len(self.key)

    def with_sizes(self, width: Int32, height: Int32) -> "DataUnits":
        """Return the same units with other sizes."""
        return replace(self, width=width, height=height)

    def where(self, keep: Bool) -> "DataUnits":
        """Return the units where keep, (n,), is true."""
        key, sidecar = (list(compress(keys, keep.tolist())) for keys in (self.key, self.sidecar))
        sizes = (self.width[keep], self.height[keep])
        return DataUnits(key, sidecar, *sizes, self.mtime_ns[keep], bases=self.bases)

    def part(self, rows: slice) -> "DataUnits":
        """Return the units of some rows that follow each other."""
        return DataUnits(
            self.key[rows],
            self.sidecar[rows],
            self.width[rows],
            self.height[rows],
            self.mtime_ns[rows],
            bases=self.bases,
        )

    @classmethod
    def joined(cls, parts: "Sequence[DataUnits]") -> "DataUnits":
        """Return units of several batches as one."""
        return cls(
            [key for part in parts for key in part.key],
            [key for part in parts for key in part.sidecar],
            np.concatenate([part.width for part in parts]),
            np.concatenate([part.height for part in parts]),
            np.concatenate([part.mtime_ns for part in parts]),
            bases={key: base for part in parts for key, base in part.bases.items()},
        )

    @classmethod
    def from_keys(cls, key: Sequence[str], sidecar: Sequence[str], mtime_ns: Int64) -> "DataUnits":
        """Make units whose sizes are not known yet."""
        unknown = np.full(len(key), -1, dtype=np.int32)
        return cls(key, sidecar, unknown, unknown, mtime_ns)


def are_images(units: DataUnits) -> Bool:
    """Return (u,) whether the data units can be images, by the names of their files.

    Examples
    --------
    >>> keys = ["a.jpg", "b.mp4", "frame-1"]
    >>> are_images(DataUnits.from_keys(keys, keys, np.zeros(3, np.int64))).tolist()
    [True, False, True]
    """
    extensions, number = extension_column(units.key)
    return np.array([can_extension_be_image(e) for e in extensions], dtype=bool)[number]


def size_column(units: DataUnits) -> tuple[list[tuple[int, int]], Int64]:
    """Return the different widths and heights, and (u,) the place of each unit's among them.

    Sizes that are not known are (0, 0).

    Examples
    --------
    >>> units = DataUnits.from_keys(["a", "b"], ["a.txt", "b.txt"], np.zeros(2, np.int64))
    >>> sizes, number = size_column(units.with_sizes(np.array([4, -1]), np.array([3, -1])))
    >>> sizes, number.tolist()
    ([(0, 0), (4, 3)], [1, 0])
    """
    is_known = (units.width > 0) & (units.height > 0)
    sides = units.width.astype(np.int64) << 32 | units.height
    sizes, number = np.unique(np.where(is_known, sides, 0), return_inverse=True)
    return [(size >> 32, size & 0xFFFFFFFF) for size in sizes.tolist()], number


def extension_column(keys: Sequence[str]) -> tuple[Sequence[str], Int64]:
    """Return the different extensions of keys, and (n,) the place of each key's among them.

    Examples
    --------
    >>> extensions, number = extension_column(["a.jpg", "b.PNG", "c.jpg", ".hidden", "d.nii.gz"])
    >>> extensions, number.tolist()
    (['jpg', 'png', '', 'nii.gz'], [0, 1, 0, 2, 3])
    """
    text = "\0".join((*keys, ""))
    # Where no name begins with a dot, what follows the last dot tells the extension.
    if text.startswith(".") or "/." in text or "\0." in text or ".gz" in text.lower():
        tails, key_of_tail = keys, {key: key for key in keys}
    else:
        alike = keys[0][keys[0].rfind(".") :] if keys else ""
        if alike[:1] == "." and text.count(f"{alike}\0") == text.count("\0") == len(keys):
            return [extension_of(key) for key in keys[:1]], np.zeros(len(keys), dtype=np.int64)
        tails = [key[key.rfind(".") :] for key in keys]
        key_of_tail = {tail: tail if tail[:1] != "." else f"name{tail}" for tail in tails}
    places: dict[str, int] = {}
    place_of_tail = {
        tail: places.setdefault(extension_of(key), len(places)) for tail, key in key_of_tail.items()
    }
    return list(places), np.array([place_of_tail[tail] for tail in tails], dtype=np.int64)
