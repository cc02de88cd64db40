"""Builders of outputs: the target that a sink is opened for."""

from pathlib import Path

import numpy as np

from labelingest.columns.types import Int64
from labelingest.formats import Format, target_format
from labelingest.model.ontology import Ontology
from labelingest.sinks.base import OutputTarget
from tests.builders.yolo import STORAGE_URL, ontology_for

__all__ = ["output_target"]


def output_target(
    to: str | Format,
    out: str | Path,
    *,
    shard_rows: int | None = None,
    ontology: Ontology | None = None,
    class_numbers: Int64 | None = None,
) -> OutputTarget:
    """Return where labels go, with an ontology of three objects numbered from 0 if none is given."""
    ontology = ontology_for() if ontology is None else ontology
    count = len(ontology.objects)
    return OutputTarget(
        format=target_format(to),
        out=str(out),
        ontology=ontology,
        storage_url=STORAGE_URL,
        class_numbers=np.arange(count) if class_numbers is None else class_numbers,
        shard_rows=shard_rows,
    )
