"""Read a configuration once: the pairing rule, the converter and the output target as values.

Everything after this module takes the values, so that no other part of a run interprets options.
"""

from labelingest.config import IngestConfig
from labelingest.converter import Converter
from labelingest.formats import target_format
from labelingest.pipeline.pairing_rule import PairingRule, rule_from_options
from labelingest.sinks.base import OutputTarget
from labelingest.writers.yolo import class_numbers

__all__ = ["output_target", "pairing_rule"]


def pairing_rule(config: IngestConfig) -> PairingRule | None:
    """Return the pairing rule of a configuration; None where the files of the folder decide.

    Raises
    ------
    ConfigError
        The options contradict each other, or one of the patterns is missing or invalid.
    """
    return rule_from_options(
        format=config.format, suffix=config.suffix, images=config.images, labels=config.labels
    )


def output_target(config: IngestConfig, converter: Converter) -> OutputTarget:
    """Return where the labels of a run go."""
    return OutputTarget(
        format=target_format(config.to),
        out=str(config.out),
        ontology=converter.ontology,
        storage_url=converter.writer.storage_url,
        class_numbers=class_numbers(converter.class_map, converter.ontology.objects),
        shard_rows=config.shard_rows,
    )
