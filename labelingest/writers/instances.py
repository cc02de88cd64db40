"""Object hashes of annotations, and polygons with holes or several parts.

Columns of annotations hold the first outline of a polygon. Other outlines and holes are few:
`labelingest.model.annotations.Instances.parts` holds them.
"""

from collections.abc import Mapping, Sequence
from itertools import chain

import numpy as np

from labelingest.columns import ragged
from labelingest.columns.types import Texts
from labelingest.encord.identifiers import object_hash_column, object_hashes, sound_hashes
from labelingest.model.annotations import Annotations, Rings
from labelingest.model.units import DataUnits

__all__ = ["hash_column_of", "hashes_of", "hole_count", "outlines", "parts_of"]


def hashes_of(annotations: Annotations, units: DataUnits) -> Sequence[str]:
    """Return (n,) object hashes of the source; if it has none, hashes made as for label rows."""
    if annotations.instances is not None:
        return sound_hashes(annotations.instances.hash, annotations.unit, units.key)
    return object_hashes(units.key, annotations.unit, annotations.line, annotations.content)


def hash_column_of(annotations: Annotations, units: DataUnits) -> Texts:
    """Return the hashes of `hashes_of` as a column of bytes."""
    if annotations.instances is not None:
        return np.array(hashes_of(annotations, units), dtype="S8")
    return object_hash_column(units.key, annotations.unit, annotations.line, annotations.content)


def parts_of(annotations: Annotations) -> Mapping[int, Rings]:
    """Return row → rings of the polygons with holes or several parts."""
    return {} if annotations.instances is None else annotations.instances.parts


def hole_count(annotations: Annotations) -> int:
    """Count the holes of polygons, which formats of outlines cannot represent."""
    return sum(len(part) - 1 for parts in parts_of(annotations).values() for part in parts)


def outlines(annotations: Annotations, *, joined: bool) -> Annotations:
    """Return the annotations with all outlines in their columns.

    Parameters
    ----------
    annotations
        (n,) annotations.
    joined
        Whether the vertices of all parts stay one row, for what is drawn around them; otherwise
        each part becomes a row of its own.

    Returns
    -------
    Annotations
        The annotations given, if no polygon has several parts; otherwise new ones without hashes.
    """
    multipart = {row: rings for row, rings in parts_of(annotations).items() if len(rings) > 1}
    if not multipart:
        return annotations
    rows = sorted(multipart)
    of_row = {row: [part[0] for part in multipart[row]] for row in rows}
    if joined:
        of_row = {row: [list(chain.from_iterable(of_row[row]))] for row in rows}
    count = np.ones(len(annotations), dtype=np.int64)
    count[rows] = [len(of_row[row]) for row in rows]
    source = np.repeat(np.arange(len(annotations)), count)
    lengths = np.diff(annotations.offsets)[source]
    replaced = np.isin(source, rows)
    rings = [ring for row in rows for ring in of_row[row]]
    lengths[replaced] = [len(ring) for ring in rings]
    offsets = ragged.offsets_from_lengths(lengths)
    coordinates = np.empty(int(offsets[-1]))
    target = ragged.gather(offsets[:-1][replaced], lengths[replaced])
    coordinates[target] = list(chain.from_iterable(rings))
    unchanged = ~replaced
    target = ragged.gather(offsets[:-1][unchanged], lengths[unchanged])
    begin = annotations.offsets[source[unchanged]]
    coordinates[target] = annotations.coordinates[ragged.gather(begin, lengths[unchanged])]
    return Annotations(
        unit=annotations.unit[source],
        feature=annotations.feature[source],
        line=annotations.line[source],
        confidence=annotations.confidence[source],
        coordinates=coordinates,
        offsets=offsets,
        content=annotations.content[source],
    )
