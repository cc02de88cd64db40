"""Fingerprints and digests: short texts that decide whether a sync has anything to do.

The state keeps with each label row the fingerprint of what it was made with. It keeps with each
folder the digest of listing and settings when the folder was last in step.
"""

from dataclasses import dataclass
from hashlib import blake2b

import orjson

from labelingest.folders.decided_layout import stored_options
from labelingest.folders.settings import FolderSettings
from labelingest.model.listing import Listing
from labelingest.readers.yolo.layouts import RowLayout
from labelingest.version import __version__

__all__ = ["Fingerprints", "label_fingerprint", "listing_digest", "schema_fingerprint"]

_BYTES = 16
"""Bytes of a digest: two different inputs never collide by chance."""


_CHECKS = ("no_class_list", "accept_class_names")
"""Options that decide whether label rows are made, and no byte of them."""


@dataclass(frozen=True, slots=True)
class Fingerprints:
    """Fingerprints of the settings of a folder."""

    labels: str
    """Fingerprint of what label rows are made with."""
    schema: str
    """Fingerprint of what metadata is checked against."""

    @property
    def crashed(self) -> str:
        """Fingerprint for metadata over which this release failed: another release tries again.

        Examples
        --------
        >>> fingerprints = Fingerprints("of labels", "of a schema")
        >>> fingerprints.crashed == fingerprints.schema
        False
        """
        return _fingerprint((self.schema, __version__))


def label_fingerprint(settings: FolderSettings, storage_url: str, output_url: str) -> str:
    """Return the fingerprint of all that a label row depends on, except files.

    These are ontology, class map, options, storage path, output, and the release.

    Examples
    --------
    >>> first = FolderSettings("/data", "/rows", description="one")
    >>> other = first.changed(description="two", metadata_suffix=".metadata.json")
    >>> len({label_fingerprint(s, "file:///data/", "file:///rows/") for s in (first, other)})
    1
    """
    parts: tuple[object, ...] = (
        __version__,
        storage_url,
        output_url,
        settings.format,
        settings.ontology,
        {name: value for name, value in settings.options.items() if name not in _CHECKS},
    )
    layout = settings.decided_layout
    if layout is not None and stored_options(layout).row_layout != RowLayout.AUTO:
        parts += ([layout["row_layout"], layout["kpt_shape"]],)
    return _fingerprint(parts)


def schema_fingerprint(settings: FolderSettings) -> str:
    """Return the fingerprint of the metadata schema."""
    return _fingerprint(settings.metadata_schema)


def listing_digest(listing: Listing, settings: FolderSettings, labels: str) -> str:
    """Return the digest of a listing and of the settings that decide what a sync does.

    Parameters
    ----------
    listing
        Listing, ordered by key.
    settings
        Settings of the folder.
    labels
        Fingerprint of its label rows.
    """
    digest = blake2b(digest_size=_BYTES)
    metadata = (settings.metadata_suffix, settings.metadata_paused, schema_fingerprint(settings))
    digest.update(orjson.dumps((labels, metadata)))
    if settings.files:
        digest.update(orjson.dumps(settings.files, option=orjson.OPT_SORT_KEYS))
    checks = [settings.options.get(name) for name in _CHECKS]
    if settings.class_list is not None or any(checks):
        digest.update(orjson.dumps((settings.class_list, checks), option=orjson.OPT_SORT_KEYS))
    columns = [listing.keys.offsets, listing.size, listing.mtime_ns]
    if listing.tokens is not None:
        digest.update(listing.tokens.text)
        columns.append(listing.tokens.offsets)
    digest.update(listing.keys.text)
    for column in columns:
        digest.update(column.data)
    for place in listing.hiding:
        digest.update(orjson.dumps((place.code, place.source)))
    return digest.hexdigest()


def _fingerprint(value: object) -> str:
    options = orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS
    return blake2b(orjson.dumps(value, option=options), digest_size=_BYTES).hexdigest()
