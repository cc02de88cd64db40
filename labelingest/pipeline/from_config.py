"""Read a configuration once: the pairing rule, the converter and the output target as values.

All other parts of a run take these values, so that no other module interprets options.
"""

from typing import TYPE_CHECKING

from labelingest.assembly.context import AssemblyOptions, OutOfRange
from labelingest.converter import Converter, ImageSizes, OnRowError
from labelingest.formats import source_format, target_format
from labelingest.model.ontology import ClassMap, Ontology
from labelingest.pipeline.pairing_rule import PairingRule, rule_from_options
from labelingest.readers.yolo.layouts import YoloOptions
from labelingest.resolution.class_map import ClassMapping
from labelingest.sinks.base import OutputTarget
from labelingest.storage.base import Storage
from labelingest.writers.target import CocoRotated, WriterOptions
from labelingest.writers.yolo import YoloLayout, class_numbers

if TYPE_CHECKING:
    from labelingest.config import IngestOptions

__all__ = ["make_converter", "output_target", "pairing_rule"]


def pairing_rule(config: "IngestOptions") -> PairingRule | None:
    """Return the pairing rule of a configuration; None where the files of the folder decide.

    Raises
    ------
    ConfigError
        The options contradict each other, or one of the patterns is missing or invalid.
    """
    return rule_from_options(
        format=config.format, suffix=config.suffix, images=config.images, labels=config.labels
    )


def make_converter(
    config: "IngestOptions",
    ontology: Ontology,
    mapping: ClassMapping | None,
    format: str,
    url: str,
    layout: YoloOptions | None = None,
) -> Converter:
    """Make the converter of a configuration.

    Parameters
    ----------
    config
        The options.
    ontology, mapping
        The ontology, and the class numbers; None where no class numbers are read or written.
    format
        Format of the sidecars.
    url
        URL of the storage path: identifiers and links are made from it.
    layout
        The row layout that was decided from the rows; None for the one of the configuration.

    Raises
    ------
    ConfigError
        There are options of another format than that of the sidecars.
    """
    config.refuse_options_of_others(source_format(format))
    return Converter(
        ontology,
        mapping.class_map if mapping else ClassMap.empty(),
        WriterOptions(url, config.created_by, config.dataset_title),
        yolo=layout or YoloOptions(config.row_layout, config.kpt_shape),
        assembly=AssemblyOptions(
            out_of_range=OutOfRange(config.out_of_range),
            snap_edges=config.snap_edges,
            reject_shape_mismatch=config.on_shape_mismatch == "reject",
            drop_duplicates=config.duplicate_rows == "drop",
            warn_misfit=config.warn_misfit,
        ),
        on_row_error=OnRowError(config.on_row_error),
        image_sizes=ImageSizes(config.image_sizes),
        format=format,
        to=config.to,
        yolo_layout=YoloLayout(config.yolo_layout),
        yolo_confidence=config.yolo_confidence,
        coco_rotated=CocoRotated(config.coco_rotated),
        max_label_bytes=config.max_label_bytes,
    )


def output_target(
    config: "IngestOptions", converter: Converter, storage: Storage, data_files: int
) -> OutputTarget | None:
    """Return the output target of a configuration; None where nothing is written.

    Parameters
    ----------
    config, converter
        The options, and the converter made from them.
    storage
        The storage path: label rows may be written into it.
    data_files
        Data files of the run.
    """
    if config.out is None and not config.beside:
        return None
    return OutputTarget(
        format=target_format(config.to),
        out=config.out or config.storage_path,
        beside=storage if config.beside else None,
        ontology=converter.ontology,
        storage_url=converter.writer.storage_url,
        class_numbers=class_numbers(converter.class_map, converter.ontology.objects),
        shard_rows=config.shard_rows,
        data_files=data_files,
        coco_rotated=CocoRotated(config.coco_rotated),
    )
