"""Read a configuration once: the pairing rule, the converter and the output target as values.

Everything after this module takes the values, so that no other part of a run interprets options.
"""

from labelingest.config import IngestConfig
from labelingest.pipeline.pairing_rule import PairingRule, rule_from_options

__all__ = ["pairing_rule"]


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
