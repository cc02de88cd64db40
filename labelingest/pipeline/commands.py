"""Commands that messages name as the next step, complete and quoted: they work when they are copied."""

from shlex import quote
from typing import TYPE_CHECKING

from labelingest.formats import UNDECLARED
from labelingest.pipeline.pairing_rule import PairingRule, as_flags, rule_from_options

if TYPE_CHECKING:
    from labelingest.config import IngestOptions

__all__ = ["check_command", "dialect_command", "pair_command"]


def pair_command(config: "IngestOptions", rule: PairingRule | None = None) -> str:
    """Return the command that pairs the files of a configuration the same way.

    Parameters
    ----------
    config
        The options.
    rule
        The pairing rule, where it is known; None for that of the configuration.

    Examples
    --------
    >>> from labelingest.config import IngestOptions
    >>> print(pair_command(IngestOptions(storage_path="my data", suffix=".json")))
    labelingest pair 'my data' --suffix .json
    """
    return " ".join(_words("pair", config, rule))


def dialect_command(config: "IngestOptions", rule: PairingRule | None = None) -> str:
    """Return the command that shows the evidence about the rows of a configuration.

    Examples
    --------
    >>> from labelingest.config import IngestOptions
    >>> print(dialect_command(IngestOptions(storage_path="data", ontology="o.json")))
    labelingest dialect data --ontology o.json
    """
    return " ".join([*_words("dialect", config, rule), *_class_words(config)])


def check_command(config: "IngestOptions", rule: PairingRule | None = None) -> str:
    """Return the command that checks the folder of a configuration with its classes.

    Examples
    --------
    >>> from labelingest.config import IngestOptions
    >>> print(check_command(IngestOptions(storage_path="data", no_class_list=True)))
    labelingest check data --ontology ontology.json --no-class-list
    """
    ontology = [] if config.ontology is not None else ["--ontology ontology.json"]
    return " ".join([*_words("check", config, rule), *ontology, *_class_words(config)])


def _class_words(config: "IngestOptions") -> list[str]:
    words = [] if config.ontology is None else [f"--ontology {quote(config.ontology)}"]
    if config.namespace is not None:
        words.append(f"--namespace {quote(config.namespace)}")
    for number, name in config.map.items():
        words.append(f"--map {quote(f'{number}={name or str()}')}")
    if config.class_list is not None:
        words.append(f"--class-list {quote(config.class_list)}")
    if config.no_class_list:
        words.append("--no-class-list")
    return words


def _words(command: str, config: "IngestOptions", rule: PairingRule | None) -> list[str]:
    """Return a command that pairs the files of a configuration the same way."""
    rule = rule or rule_from_options(
        format=config.format, suffix=config.suffix, images=config.images, labels=config.labels
    )
    words = [f"labelingest {command}", quote(config.storage_path)]
    if rule is not None:
        words.append(as_flags(rule))
    elif config.format != UNDECLARED:
        words.append(f"--format {config.format}")
    if config.metadata_suffix is not None:
        words.append(f"--metadata-suffix {quote(config.metadata_suffix)}")
    if not config.follow_symlinks:
        words.append("--no-follow-symlinks")
    return words
