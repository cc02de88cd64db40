"""What decides whether anything is to be done, as short texts that are compared.

A label row remembers the fingerprint of what it was made with; a folder the digest of the listing
and settings with which everything was last in step.
"""

from dataclasses import dataclass
from hashlib import blake2b
from importlib.metadata import version

import orjson

from labelingest.folders.settings import FolderSettings
from labelingest.model.listing import Listing

__all__ = ["Fingerprints", "label_fingerprint", "listing_digest", "schema_fingerprint"]

_BYTES = 16


@dataclass(frozen=True, slots=True)
class Fingerprints:
    """What label rows and metadata are compared with."""

    labels: str
    schema: str

    @property
    def crashed(self) -> str:
        """The schema's for metadata over which this release failed: another one tries it again.

        Examples
        --------
        >>> fingerprints = Fingerprints("of labels", "of a schema")
        >>> fingerprints.crashed == fingerprints.schema
        False
        """
        return _fingerprint((self.schema, version("labelingest")))


def label_fingerprint(settings: FolderSettings, storage_url: str, output_url: str) -> str:
    """Fingerprint all but the files that a label row depends on.

    Ontology, class map, options, where it lies, and the release that made it.

    Examples
    --------
    >>> first = FolderSettings("/data", "/rows", description="one")
    >>> other = first.changed(description="two", metadata_suffix=".metadata.json")
    >>> len({label_fingerprint(s, "file:///data/", "file:///rows/") for s in (first, other)})
    1
    """
    parts = (
        version("labelingest"),
        storage_url,
        output_url,
        settings.format,
        settings.ontology,
        settings.options,
    )
    return _fingerprint(parts)


def schema_fingerprint(settings: FolderSettings) -> str:
    """Fingerprint what metadata is checked against."""
    return _fingerprint(settings.metadata_schema)


def listing_digest(listing: Listing, settings: FolderSettings, labels: str) -> str:
    """Digest a listing and everything else that decides what a sync does.

    Parameters
    ----------
    listing
        Ordered by key.
    settings
        Of the folder.
    labels
        The fingerprint of its label rows.
    """
    digest = blake2b(digest_size=_BYTES)
    metadata = (settings.metadata_suffix, settings.metadata_paused, schema_fingerprint(settings))
    digest.update(orjson.dumps((labels, metadata)))
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
