"""The official client's metadata schema, offline: its API answers from memory."""

import json
from collections.abc import Mapping
from typing import Any

from encord.metadata_schema import (
    MetadataSchema,
    MetadataSchemaError,
    _ClientMetadataSchema,
    _is_valid_metadata_key,
)

__all__ = ["REFUSALS", "ClientSchema", "client_allows", "client_reads"]

REFUSALS = (MetadataSchemaError, ValueError)
"""What the client raises for what cannot be."""


class _Api:
    """Gives the client a schema, and keeps what it sends."""

    def __init__(self, wire: Mapping[str, Any]) -> None:
        self.wire = dict(wire)

    def get(self, *_: object, **__: object) -> Any:
        return _ClientMetadataSchema.model_validate(self.wire)

    def post(self, *_: object, payload: Any, **__: object) -> None:
        # Nulls mean nothing, and are left out by others.
        self.wire = payload.model_dump(mode="json", exclude_none=True)


class ClientSchema:
    """A schema that the client changes, and what it would send."""

    def __init__(self, wire: Mapping[str, Any]) -> None:
        self._api = _Api(wire)
        self.schema = MetadataSchema(self._api)  # type: ignore[arg-type]

    def sent(self) -> Any:
        """Return it as decoded JSON."""
        self.schema.save()
        return self._api.wire


def client_allows(key: str) -> bool:
    """Whether the client takes a key."""
    return _is_valid_metadata_key(key)


def client_reads(content: bytes) -> Any:
    """What the client reads from JSON, as it would send it."""
    return json.loads(
        _ClientMetadataSchema.model_validate_json(content).model_dump_json(exclude_none=True)
    )
