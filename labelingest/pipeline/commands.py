"""Commands that messages name as the next step, complete and quoted: they work when they are copied."""

from shlex import quote

from labelingest.config import IngestOptions
from labelingest.pipeline.pairing_rule import PairingRule, as_flags, rule_from_options

__all__ = ["pair_command"]


def pair_command(config: IngestOptions, rule: PairingRule | None = None) -> str:
    """Return the command that pairs the files of a configuration the same way.

    Parameters
    ----------
    config
        The options.
    rule
        The pairing rule, where it is known; None for that of the configuration.

    Examples
    --------
    >>> print(pair_command(IngestOptions(storage_path="my data", suffix=".json")))
    labelingest pair 'my data' --suffix .json
    """
    rule = rule or rule_from_options(
        format=config.format, suffix=config.suffix, images=config.images, labels=config.labels
    )
    words = ["labelingest pair", quote(config.storage_path)]
    if rule is not None:
        words.append(as_flags(rule))
    elif config.format != IngestOptions.model_fields["format"].default:
        words.append(f"--format {config.format}")
    if config.metadata_suffix is not None:
        words.append(f"--metadata-suffix {quote(config.metadata_suffix)}")
    if not config.follow_symlinks:
        words.append("--no-follow-symlinks")
    return " ".join(words)
