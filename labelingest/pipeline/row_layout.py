"""Row layout of a folder: declared by its configuration, or decided from a sample of its rows.

A declared layout always wins, and nothing is looked at. Otherwise the decision is the same for any
batch, worker and engine, and for a run that resumes another: it depends on keys and contents alone.
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from msgspec import Struct, field

from labelingest.class_lists.class_list import ClassList
from labelingest.columns.types import Int64, UInt8
from labelingest.errors import ConfigError
from labelingest.evidence.decide import Hints, decide
from labelingest.evidence.reading import Decision
from labelingest.evidence.rows import NO_SHAPE, rows_of_sheet
from labelingest.model.annotations import ColumnShape, column_shapes
from labelingest.model.ontology import Ontology
from labelingest.options import CONFIG_OPTIONS
from labelingest.pipeline.commands import dialect_command
from labelingest.pipeline.fetched_files import FetchedFile
from labelingest.pipeline.sample import Sample, take_sample
from labelingest.readers.yolo.layouts import RowLayout, YoloOptions
from labelingest.resolution.class_map import ClassMapping

if TYPE_CHECKING:
    from labelingest.config import IngestOptions

if TYPE_CHECKING:  # a sync pairs by itself
    from labelingest.pipeline.discover import Paired

__all__ = [
    "FolderLayout",
    "choice_lines",
    "decide_layout",
    "declared_layout",
    "find_layout",
    "has_row_layouts",
    "hints_of",
    "refuse_choice",
    "sample_of",
]


class FolderLayout(Struct, frozen=True):
    """Row layout of all label files of a run."""

    options: YoloOptions | None = None
    """The layout for the reader; None for labels without rows of columns."""
    decision: Decision | None = None
    """Decision and evidence; None where the layout was declared or the labels have no rows."""
    label_files: int = 0
    """Label files of the folder."""
    sampled_files: int = 0
    """Label files that were looked at."""
    fetched: dict[str, FetchedFile] = field(default_factory=dict)
    """Contents of the label files that were looked at; the conversion takes them out."""

    @classmethod
    def from_sample(cls, sample: Sample, decision: Decision) -> Self:
        """Return the layout that was decided; the rows of the sample are not kept."""
        return cls(
            decision.options,
            decision,
            sample.label_files,
            len(sample.sidecars),
            fetched=sample.fetched,
        )

    def as_dict(self) -> dict[str, Any] | None:
        """Return the layout as JSON values, for reports; None for labels without rows."""
        if self.options is None:
            return None
        if self.decision is None:
            shape = self.options.kpt_shape
            return {
                "row_layout": str(self.options.row_layout),
                "kpt_shape": None if shape is None else list(shape),
                "source": "declared",
            }
        return {
            **self.decision.reading.as_dict(),
            "source": "evidence" if self.decision.is_decided else "columns",
            "has_polygons": self.decision.has_polygons,
            "words": self.decision.reading.words,
            "label_files": self.label_files,
            "sampled_files": self.sampled_files,
            "evidence": [fact.as_dict() for fact in self.decision.evidence],
        }


def has_row_layouts(format: str) -> bool:
    """Return whether label files of a format have rows of columns."""
    return CONFIG_OPTIONS["row_layout"].source == format


def declared_layout(config: "IngestOptions") -> YoloOptions:
    """Return the row layout of a configuration.

    Raises
    ------
    ConfigError
        The layout is not known, or `kpt_shape` does not belong to it.
    """
    return YoloOptions(config.row_layout, config.kpt_shape)


def find_layout(
    config: "IngestOptions",
    paired: "Paired",
    ontology: Ontology,
    mapping: ClassMapping | None,
    class_lists: Iterable[ClassList] = (),
) -> FolderLayout:
    """Return the row layout of a folder.

    Parameters
    ----------
    config, paired
        The options and the folder.
    ontology, mapping
        The ontology and its class numbers.
    class_lists
        Class lists of the label files: they may declare keypoints and a task.

    Raises
    ------
    ConfigError
        The evidence does not separate: the message has the layouts to choose from.
    """
    if not has_row_layouts(paired.format):
        return FolderLayout()
    declared = declared_layout(config)
    if declared.row_layout != RowLayout.AUTO:
        return FolderLayout(declared)
    sample = sample_of(paired, config.max_label_bytes)
    decision = decide_layout(sample, ontology, mapping, hints_of(class_lists))
    refuse_choice(decision, config, paired)
    return FolderLayout.from_sample(sample, decision)


def hints_of(class_lists: Iterable[ClassList]) -> Hints:
    """Return what class lists say of rows, where they do not contradict each other.

    Examples
    --------
    >>> hints_of([ClassList("data.yaml", {0: "tug"}, kpt_shape=(17, 3))]).kpt_shape
    (17, 3)
    """
    lists = list(class_lists)
    shapes = {entry.kpt_shape for entry in lists if entry.kpt_shape is not None}
    tasks = {entry.task for entry in lists if entry.task}
    return Hints(
        kpt_shape=shapes.pop() if len(shapes) == 1 else None,
        task=tasks.pop() if len(tasks) == 1 else "",
    )


def sample_of(paired: "Paired", most_bytes: int) -> Sample:
    """Fetch the sample of a folder's label files, those that have a data file."""
    sidecars = paired.pairs.sidecar
    return take_sample(paired.storage, paired.listing, sidecars, most_bytes=most_bytes)


def decide_layout(
    sample: Sample,
    ontology: Ontology | None,
    mapping: ClassMapping | None,
    hints: Hints | None = None,
) -> Decision:
    """Decide the row layout of a sample.

    Parameters
    ----------
    sample
        The label files.
    ontology, mapping
        The ontology and its class numbers; None reads all rows as those of bounding boxes.
    hints
        What the data set says of its rows itself.
    """
    shape_of: Callable[[Int64], UInt8] = _all_boxes
    if ontology is not None and mapping is not None:
        shape_of = _shapes(ontology, mapping)
    return decide(rows_of_sheet(sample.sheet, shape_of), hints)


def _all_boxes(numbers: Int64) -> UInt8:
    return np.full(len(numbers), ColumnShape.BOX, dtype=np.uint8)


def _shapes(ontology: Ontology, mapping: ClassMapping) -> Callable[[Int64], UInt8]:
    # The last entry is that of -1: a number that is mapped to no object.
    shapes = np.append(column_shapes(ontology.objects), np.uint8(NO_SHAPE))

    def shape_of(numbers: Int64) -> UInt8:
        shape: UInt8 = shapes[mapping.class_map.resolve(numbers)]
        return shape

    return shape_of


def refuse_choice(decision: Decision, config: "IngestOptions", paired: "Paired") -> None:
    """Refuse a folder whose evidence does not separate, with the layouts to choose from.

    Raises
    ------
    ConfigError
        The decision has choices.
    """
    if not decision.choices:
        return
    command = dialect_command(config, None if paired.recognised else paired.rule)
    raise ConfigError(
        f"the rows of {config.storage_path!r} do not say how to read them: {decision.why}; "
        f"{decision.otherwise}declare the layout:{choice_lines(decision)}\n{command} shows it again"
    )


def choice_lines(decision: Decision, command: str = "") -> str:
    """Return the layouts to choose from and the evidence, each on a line of its own.

    Parameters
    ----------
    decision
        A decision with choices.
    command
        Beginning of the command to which the flags belong; "" for the flags alone.
    """
    width = max(len(choice.flags) for choice in decision.choices)
    choices = "".join(
        f"\n  {command}{choice.flags.ljust(width)}  {choice.words}" for choice in decision.choices
    )
    return f"{choices}\nevidence:" + "".join(f"\n  {fact}" for fact in decision.evidence)
