"""The pairing rule that options ask for, and the same rule in words.

Options are plain values here: configurations, engines and outputs are not known, so that folders and
commands can use this without loading them.
"""

from collections.abc import Sequence
from shlex import quote
from typing import TypeAlias

from labelingest.errors import ConfigError
from labelingest.formats import declared_pairing
from labelingest.model.kinds import KIND_OF_EXTENSION, DataKind
from labelingest.pairing.layouts import USUAL_LABELS
from labelingest.pairing.rules import PatternRule, SuffixRule

__all__ = ["PairingRule", "as_flags", "image_only_extensions", "rule_from_options"]

PairingRule: TypeAlias = PatternRule | SuffixRule


def rule_from_options(
    *,
    format: str,
    suffix: str | None,
    images: Sequence[str],
    labels: str | None,
) -> PairingRule | None:
    """Return the rule that options ask for; None where the files of the folder decide.

    Parameters
    ----------
    format
        Format of the sidecars: "encord", "yolo" or "auto".
    suffix
        Suffix of Encord sidecars; None where the option is missing.
    images, labels
        Image file patterns and label file pattern of YOLO label files; empty and None where the
        options are missing.

    Raises
    ------
    ConfigError
        The options contradict each other, or one of the patterns is missing or invalid.

    Examples
    --------
    >>> rule_from_options(format="encord", suffix=None, images=(), labels=None)
    SuffixRule(suffix='.encord.json')
    >>> rule_from_options(format="auto", suffix=None, images=(), labels=None) is None
    True
    """
    has_patterns = labels is not None or bool(images)
    by_suffix = declared_pairing(format)
    if by_suffix is True or (suffix is not None and not has_patterns):
        if has_patterns or by_suffix is False:
            _refuse_mixture(suffix)
        return SuffixRule() if suffix is None else SuffixRule(suffix)
    if suffix is not None:
        _refuse_mixture(suffix)
    if not has_patterns:
        return None
    if labels is None or not images:
        missing = "labels" if labels is None else "images"
        raise ConfigError(
            f"{missing} is missing: give image file patterns and a label file pattern, or neither "
            "to have the usual layouts recognised"
        )
    return PatternRule(tuple(images), labels)


def _refuse_mixture(suffix: str | None) -> None:
    """Refuse options of two formats."""
    if suffix is not None:
        raise ConfigError(
            f"suffix {suffix!r} is for Encord sidecars, patterns and the format yolo are for "
            "YOLO label files: leave out one of the two"
        )
    raise ConfigError(
        "images and labels are patterns of YOLO label files; Encord sidecars pair by their suffix: "
        "leave the patterns out, or give the format yolo"
    )


def image_only_extensions(rule: PairingRule | None) -> list[str]:
    """Return the image extensions that no sidecar has: such files pair by their names alone.

    Parameters
    ----------
    rule
        The pairing rule; None for any of the usual ones.

    Examples
    --------
    >>> image_only_extensions(SuffixRule(".labels.png"))[:4]
    ['jpg', 'JPG', 'jpeg', 'JPEG']
    >>> image_only_extensions(PatternRule(("images/{name}.jpg",), "labels/{name}"))
    []
    """
    if rule is None:
        endings = [USUAL_LABELS, SuffixRule().suffix]
    elif isinstance(rule, SuffixRule):
        endings = [rule.suffix]
    else:
        endings = [rule.label_pattern.literals[-1]]
    return [
        spelling
        for extension, kind in KIND_OF_EXTENSION.items()
        if kind is DataKind.IMAGE
        for spelling in (extension, extension.upper())
        if not any(ending.endswith(spelling) or spelling.endswith(ending) for ending in endings)
    ]


def as_flags(rule: PairingRule) -> str:
    """Return a rule as flags of the command line.

    Examples
    --------
    >>> as_flags(PatternRule(("images/{name}.jpg",), "labels/{name}.txt"))
    "--images 'images/{name}.jpg' --labels 'labels/{name}.txt'"
    >>> as_flags(SuffixRule())
    '--suffix .encord.json'
    """
    if isinstance(rule, SuffixRule):
        return f"--suffix {quote(rule.suffix)}"
    images = " ".join(f"--images {quote(pattern)}" for pattern in rule.images)
    return f"{images} --labels {quote(rule.labels)}"
