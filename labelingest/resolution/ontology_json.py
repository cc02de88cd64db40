"""Load an ontology: the objects that it declares, with their external IDs.

Reads Encord's ontology structure, bare or wrapped as the API returns it (`{"editor": STRUCTURE,
"ontology_hash": …, "title": …}`), and checks once what everything after it relies on: the keys
that Encord's client requires, known shapes, feature hashes that are all different. Unknown keys
are accepted and stay in `Ontology.structure`.

External IDs have no public key in Encord's structure. Ours, on an object, is
`"externalIds": {"YOLO": "0", "SAP": ["A-1", "A-2"]}`: namespace → one ID or a list of them.

Refuses to know which namespace is meant and what an ID is good for: `namespaces.py` and
`class_numbers.py` do.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from labelingest.documents.hand_written import loads_strictly
from labelingest.errors import OntologyError
from labelingest.model.ontology import Ontology, OntologyObject
from labelingest.problems import printable
from labelingest.resolution.plain_ontology import plain_objects
from labelingest.small_files import read_small

__all__ = ["load_ontology"]


def load_ontology(source: str | Path | bytes | Mapping[str, Any]) -> Ontology:
    """Load an ontology from a file, from JSON bytes or from decoded JSON.

    Parameters
    ----------
    source
        The path of a JSON file, its contents, or the mapping they decode to.

    Raises
    ------
    OntologyError
        The file cannot be read, is not JSON, or is no ontology; the message names the place.

    Examples
    --------
    >>> car = {"id": "1", "name": "Car", "color": "#D33115", "shape": "bounding_box",
    ...        "featureNodeHash": "a1B2c3D4", "externalIds": {"YOLO": 7}}
    >>> ontology = load_ontology({"objects": [car], "classifications": []})
    >>> ontology.objects[0].name, ontology.objects[0].external_ids
    ('Car', {'YOLO': ('7',)})
    """
    name, document = _decoded(source)
    if not isinstance(document, dict):
        raise OntologyError(
            f"{name}: holds a JSON {_kind(document)}, expected an object: an ontology is "
            "exported as one, its 'objects' and 'classifications' inside"
        )
    wrapped = "objects" not in document and "editor" in document
    structure = document["editor"] if wrapped else document
    api: Mapping[str, Any] = document if wrapped else {}
    try:
        objects = plain_objects(structure, api)
        if objects is None:
            from labelingest.resolution.checked_ontology import checked_objects

            objects = checked_objects(name, document, is_wrapped=wrapped)
        identity = api.get("ontology_hash") or _fingerprint(structure)
    except RecursionError as error:
        raise OntologyError(f"{name}: {_TOO_DEEP}") from error
    _refuse_shared_hashes(name, "/editor" if wrapped else "", objects)
    return Ontology(objects, identity, api.get("title") or "", structure)


_TOO_DEEP: Final = "nested too deeply for an ontology"


def _decoded(source: str | Path | bytes | Mapping[str, Any]) -> tuple[str, Any]:
    """Return what messages call the source, and its JSON."""
    name = "ontology"
    if isinstance(source, str | Path):
        name = printable(str(source))
        source = _contents(name, source)
    try:
        # By way of text: plain JSON types from here on, which no caller can change.
        contents = source if isinstance(source, bytes) else json.dumps(source, default=dict)
        document = loads_strictly(contents)
    except RecursionError as error:
        raise OntologyError(f"{name}: {_TOO_DEEP}") from error
    except (TypeError, ValueError) as error:
        empty = isinstance(source, bytes) and not source.strip()
        raise OntologyError(
            f"{name}: not JSON ({'it is empty' if empty else error}); expected an ontology as "
            "Encord exports it"
        ) from error
    return name, document


def _contents(name: str, path: str | Path) -> bytes:
    try:
        return read_small(path)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        cure = "; labelingest ontology init writes one from the class names of a data set"
        raise OntologyError(
            f"{name}: cannot be read ({reason}); expected the path of an ontology's JSON"
            f"{cure if isinstance(error, FileNotFoundError) else ''}"
        ) from error


def _refuse_shared_hashes(name: str, base: str, objects: Sequence[OntologyObject]) -> None:
    """Refuse two objects of one feature hash: labels could not tell them apart."""
    first: dict[str, int] = {}
    for position, entry in enumerate(objects):
        other = first.setdefault(entry.feature_hash, position)
        if other != position:
            raise OntologyError(
                f"{name}#{base}/objects/{position}/featureNodeHash: {entry.feature_hash!r} is the "
                f"feature hash of {objects[other].name!r} (/objects/{other}) and of "
                f"{entry.name!r}; each object needs its own"
            )


def _fingerprint(structure: Mapping[str, Any]) -> str:
    """Return 64 hex digits that change with the content, not with the order of its keys."""
    canonical = json.dumps(structure, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _kind(value: object) -> str:
    kinds = {list: "list", str: "text", bool: "boolean", type(None): "null"}
    return kinds.get(type(value), "number")
