"""Check the metadata sidecar of a data file against the schema of its folder."""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from labelingest.metadata.check import check_metadata
from labelingest.metadata.schema import MetadataSchema, schema_problems
from labelingest.problems import Problem

__all__ = ["check_schema", "checked_metadata"]


def checked_metadata(
    content: bytes, source: str, schema: Mapping[str, Any] | None
) -> tuple[dict[str, Any] | None, Sequence[Problem]]:
    """Return the valid metadata of a sidecar, None without any, and its problems.

    Parameters
    ----------
    content
        Content of the sidecar.
    source
        Key of the sidecar, for problems.
    schema
        Decoded JSON of a metadata schema; None allows any value.

    Examples
    --------
    >>> checked_metadata(b'{"weather": "fog"}', "a.jpg.metadata.json", None)
    ({'weather': 'fog'}, [])
    """
    checked = check_metadata(
        content, source, None if schema is None else _schema(json.dumps(schema))
    )
    return checked.value, checked.problems


def check_schema(schema: Mapping[str, Any]) -> list[Problem]:
    """Return the problems of a metadata schema itself.

    Raises
    ------
    ConfigError
        The JSON is no metadata schema.

    Examples
    --------
    >>> [problem] = check_schema({"clip": {"ty": "embedding", "size": 3072}})
    >>> problem.source, problem.code.value
    ('metadata schema', 'large-embedding')
    """
    return schema_problems(_schema(json.dumps(schema)), "metadata schema")


@lru_cache(maxsize=8)
def _schema(text: str) -> MetadataSchema:
    return MetadataSchema.from_json(text)
