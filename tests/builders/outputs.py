"""Builders of outputs: what targets and sinks are given."""

from pathlib import Path

import numpy as np

from labelingest.columns.types import Int64
from labelingest.formats import Format, target_format
from labelingest.model.ontology import Ontology
from labelingest.sinks.base import OutputTarget
from labelingest.writers.target import TargetOptions, WriterOptions
from tests.builders.yolo import STORAGE_URL, ontology_for

__all__ = ["output_target", "target_options"]


def target_options(
    ontology: Ontology,
    *,
    class_numbers: Int64 | None = None,
    writer: WriterOptions | None = None,
    layout: str = "auto",
    confidence: bool = True,
) -> TargetOptions:
    """Return what a target needs beside the labels; objects are numbered from 0 unless given."""
    return TargetOptions(
        ontology=ontology,
        writer=WriterOptions(STORAGE_URL) if writer is None else writer,
        class_numbers=np.arange(len(ontology.objects)) if class_numbers is None else class_numbers,
        yolo_layout=layout,
        yolo_confidence=confidence,
    )


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
