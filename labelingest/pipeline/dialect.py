"""Show how the rows of a folder are read: the evidence in counts, and what follows from it.

Nothing is converted. Without an ontology, every class is taken for one of bounding boxes: rows of
polygons and rotated boxes are then more often undecided than with their ontology.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from labelingest.errors import ConfigError
from labelingest.evidence.decide import Hints
from labelingest.evidence.reading import Decision
from labelingest.pipeline.class_lists import lists_about_rows
from labelingest.pipeline.discover import Paired, pair_folder
from labelingest.pipeline.from_config import pairing_rule
from labelingest.pipeline.row_layout import (
    decide_layout,
    declared_layout,
    has_row_layouts,
    hints_of,
    sample_of,
)
from labelingest.pipeline.sample import Sample
from labelingest.progress import Progress
from labelingest.readers.yolo.layouts import RowLayout, YoloOptions
from labelingest.resolution.class_map import make_class_map
from labelingest.resolution.ontology_json import load_ontology

if TYPE_CHECKING:
    from labelingest.config import IngestOptions

__all__ = ["Dialect", "find_dialect"]


class Dialect(Struct, frozen=True, eq=False):
    """Rows of a folder's label files, and how they are read."""

    paired: Paired
    sample: Sample
    decision: Decision
    hints: Hints
    """What the class lists of the folder say of its rows."""
    declared: YoloOptions | None
    """The layout that the configuration declares, which wins; None for no declaration."""
    has_ontology: bool

    def as_dict(self) -> Mapping[str, Any]:
        """Return everything as JSON values."""
        decision, declared = self.decision, self.declared
        return {
            "storage_url": self.paired.storage.url,
            "label_files": self.sample.label_files,
            "sampled_files": len(self.sample.sidecars),
            "ontology": self.has_ontology,
            "kpt_shape": None if self.hints.kpt_shape is None else list(self.hints.kpt_shape),
            "task": self.hints.task,
            "evidence": [fact.as_dict() for fact in decision.evidence],
            "decision": None if decision.choices else decision.reading.as_dict(),
            "choices": [choice.as_dict() for choice in decision.choices],
            "why": decision.why,
            "declared": None if declared is None else declared.flags,
        }


def find_dialect(
    config: "IngestOptions", *, progress: Callable[[Progress], None] | None = None
) -> Dialect:
    """List and pair a folder, look at its rows, and decide how they are read.

    Parameters
    ----------
    config
        The folder, the ontology if there is one, and its class list where it names one.
    progress
        Receives the number of listed files.

    Raises
    ------
    ConfigError, OntologyError, StorageError
        The folder cannot be paired or listed, no label file has a data file, or the labels have no
        rows.
    """
    ontology = None if config.ontology is None else load_ontology(Path(config.ontology))
    mapping = None
    if ontology is not None:
        mapping = make_class_map(ontology, namespace=config.namespace, overrides=config.map)
    paired = pair_folder(config, pairing_rule(config), progress=progress)
    if not has_row_layouts(paired.format):
        raise ConfigError(
            f"the label files of {config.storage_path!r} have no rows of numbers: "
            "labelingest show FILE shows what they hold"
        )
    if not len(paired.pairs):
        raise ConfigError(
            f"no label file in {config.storage_path!r} has a data file: labelingest pair shows why"
        )
    sample = sample_of(paired, config.max_label_bytes)
    hints = hints_of(lists_about_rows(config, paired))
    declared = declared_layout(config)
    return Dialect(
        paired=paired,
        sample=sample,
        decision=decide_layout(sample, ontology, mapping, hints),
        hints=hints,
        declared=None if declared.row_layout == RowLayout.AUTO else declared,
        has_ontology=ontology is not None,
    )
