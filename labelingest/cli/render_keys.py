"""Words for the keys of a folder and for its pairing rule, shared by reports and pairs."""

from collections.abc import Mapping, Sequence
from typing import Final

from labelingest.cli.console import many
from labelingest.model.failed_files import FailedFiles
from labelingest.model.pairs import Outcome

__all__ = ["OUTCOMES", "files_equation", "keys_equation", "rule_text"]

OUTCOMES: Final[Mapping[Outcome, str]] = {
    Outcome.PAIRED: "paired data file",
    Outcome.UNLABELLED: "unlabelled data file",
    Outcome.AMBIGUOUS: "ambiguous data file",
    Outcome.SIDECAR: "sidecar",
    Outcome.ORPHAN_SIDECAR: "orphan sidecar",
    Outcome.AMBIGUOUS_SIDECAR: "ambiguous sidecar",
    Outcome.METADATA_SIDECAR: "metadata sidecar",
    Outcome.UNSUPPORTED: "unsupported file",
    Outcome.IGNORED: "ignored file",
    Outcome.COMPANION: "companion file",
}
"""Noun for the keys of each outcome."""


def rule_text(images: Sequence[str], labels: str, suffix: str | None) -> str:
    """Return patterns, or a suffix, for people.

    Examples
    --------
    >>> rule_text(["a/{name}.jpg", "a/{name}.png"], "b/{name}.txt", None)
    'a/{name}.jpg, a/{name}.png ↔ b/{name}.txt'
    >>> rule_text([], "", ".encord.json")
    'KEY ↔ KEY.encord.json'
    """
    if suffix is not None:
        return f"KEY ↔ KEY{suffix}"
    return f"{', '.join(images)} ↔ {labels}"


def keys_equation(keys: Mapping[Outcome, int]) -> str:
    """Return the number of keys as the sum of their outcomes.

    Examples
    --------
    >>> keys_equation({Outcome.PAIRED: 2, Outcome.SIDECAR: 2, Outcome.IGNORED: 0})
    '4 seen = 2 paired data files + 2 sidecars'
    """
    terms = [many(count, OUTCOMES[outcome]) for outcome, count in keys.items() if count]
    equation = f" = {' + '.join(terms)}" if terms else ""
    return f"{sum(keys.values()):,} seen{equation}"


def files_equation(failed: FailedFiles) -> str:
    """Return the number of files with errors as the sum of what became of them.

    Examples
    --------
    >>> files_equation(FailedFiles(total=3, not_paired=2)), files_equation(FailedFiles())
    ('3 files = 2 not paired + 1 converted in part', 'no file')
    """
    if not failed.total:
        return "no file"
    terms = (
        (failed.class_lists, "of classes"),
        (failed.not_paired, "not paired"),
        (failed.not_converted, "not converted"),
        (failed.in_part, "converted in part"),
    )
    equation = " + ".join(f"{count:,} {words}" for count, words in terms if count)
    return f"{many(failed.total, 'file')} = {equation}"
