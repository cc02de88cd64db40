"""Changes of the classes of a folder: what its settings now make of a class number or an object.

Classes are compared as `labelingest.model.class_table.ClassTable.as_dict` describes them: those of
two settings, or those of a past run and of the settings of today. A change that gives a label another
object, or none, has to be accepted; one that adds a class does not. An object that has another shape
keeps its labels where they are rows of numbers, which are converted to the new shape. Label rows of
Encord's lose such labels: their shape is no more that of the object.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Self

from labelingest.errors import ConfigError, OntologyError
from labelingest.folders.converter import make_folder_converter
from labelingest.folders.settings import FolderSettings
from labelingest.model.class_counts import ClassCounts
from labelingest.model.class_table import class_table
from labelingest.model.ontology import Ontology

__all__ = [
    "ClassChange",
    "ClassChangesError",
    "ClassKind",
    "changes_of_settings",
    "changes_since",
    "refuse_changes",
]

_MOST_LINES: Final = 100
"""Changes that a message lists; `--json` has all."""

ClassEntry = Mapping[str, Any]
"""A class as `ClassTable.as_dict` describes it."""


class ClassKind(StrEnum):
    """Kind of a change of a class."""

    OTHER_OBJECT = "other object"
    """The class number means another object."""
    NO_OBJECT = "no object"
    """The class number means no object any more."""
    GONE = "object gone"
    """The ontology has no object of this feature hash any more."""
    ARCHIVED = "object archived"
    SHAPE = "other shape"
    RENAMED = "renamed"
    NEW = "new"


@dataclass(frozen=True, slots=True)
class ClassChange:
    """Change of one class."""

    kind: ClassKind
    number: int | None
    """Class number; None where labels name objects themselves."""
    before: ClassEntry | None
    """The class before; None for a new one."""
    after: ClassEntry | None
    """The class afterwards; None where the class is gone."""
    needs_acceptance: bool
    """Whether labels get another object, or none."""
    label_rows: int | None = None
    """Label rows with the class; None where the state does not know."""
    reason: str = ""
    """Reason why a class number means no object any more."""

    def as_dict(self) -> dict[str, Any]:
        """Return the change as JSON values."""
        before, after = (
            None if entry is None else {name: entry[name] for name in _SHOWN}
            for entry in (self.before, self.after)
        )
        return {
            "kind": self.kind.value,
            "number": self.number,
            "before": before,
            "after": after,
            "label_rows": self.label_rows,
            "needs_acceptance": self.needs_acceptance,
            "reason": self.reason,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Return the change that `as_dict` described."""
        return cls(**{**values, "kind": ClassKind(values["kind"])})

    def __str__(self) -> str:
        number = "" if self.number is None else f"{self.number}: "
        rows = ""
        if self.label_rows is not None and self.before is not None:
            rows = f"; {self.label_rows:,} label row{'' if self.label_rows == 1 else 's'}"
        return f"{number}{self._words()}{rows}"

    def _words(self) -> str:
        before, after = _words_of(self.before), _words_of(self.after)
        if self.kind is ClassKind.NEW:
            return f"new: {after}"
        if self.kind in (ClassKind.GONE, ClassKind.NO_OBJECT):
            return f"{before} → nothing: {self.reason}"
        if self.kind is ClassKind.ARCHIVED:
            return f"{before} is archived"
        if self.kind is ClassKind.SHAPE and self.before and self.after:
            return f"{before}: {self.before['shape']} → {self.after['shape']}"
        return f"{before} → {after}"


_SHOWN: Final = ("name", "feature_hash", "shape")


def _words_of(entry: ClassEntry | None) -> str:
    return "" if entry is None else f"{entry['name']} ({entry['feature_hash']})"


class ClassChangesError(ConfigError):
    """A change of settings would give labels another object, or none.

    Examples
    --------
    >>> raise ClassChangesError([])
    Traceback (most recent call last):
    labelingest.folders.class_changes.ClassChangesError: classes of the folder change their meaning: ...
    """

    def __init__(self, changes: Sequence[ClassChange]) -> None:
        self.changes = changes
        """All changes of classes, also those that need no acceptance."""
        lines = [f"  {change}" for change in changes[:_MOST_LINES]]
        more = [f"  … and {len(changes) - _MOST_LINES:,} more"] if changes[_MOST_LINES:] else []
        cure = (
            "nothing was stored: accept the changes with --accept-class-changes (in Python: "
            "accept_class_changes=True), or correct ontology, namespace and overrides"
        )
        super().__init__(
            "\n".join(["classes of the folder change their meaning:", *lines, *more, cure])
        )


def refuse_changes(changes: Sequence[ClassChange]) -> None:
    """Refuse changes that have to be accepted.

    Raises
    ------
    ClassChangesError
        A label gets another object, or none.
    """
    if any(change.needs_acceptance for change in changes):
        raise ClassChangesError(changes)


def changes_of_settings(
    before: FolderSettings, after: FolderSettings, label_rows: Mapping[int | str, int] | None
) -> list[ClassChange]:
    """Return the changes of classes from one settings to others.

    Parameters
    ----------
    before, after
        Settings of one folder; those after it are valid.
    label_rows
        Class number, or feature hash of an object without one → label rows with the class; None where
        the state does not know.
    """
    if before.format is None or after.format is None:
        return []
    try:
        entries = _classes_of(before)
    except (ConfigError, OntologyError):
        return []  # no label row was made with settings that cannot be used
    return changes_since(entries, after, label_rows)


def changes_since(
    before: Iterable[ClassEntry],
    settings: FolderSettings,
    label_rows: Mapping[int | str, int] | None,
) -> list[ClassChange]:
    """Return the changes of classes to those of settings.

    Parameters
    ----------
    before
        The classes before.
    settings
        Valid settings of a folder with labels.
    label_rows
        As for `changes_of_settings`.
    """
    ontology = settings.load_ontology()
    earlier = {_key(entry): entry for entry in before}
    later = {_key(entry): entry for entry in _classes_of(settings)}
    keys = [*earlier, *(key for key in later if key not in earlier)]
    changes = [
        change
        for key in keys
        if (change := _change(key, earlier.get(key), later.get(key), ontology)) is not None
    ]
    numbers = sorted(changes, key=lambda change: -1 if change.number is None else change.number)
    if label_rows is None:
        return numbers
    return [_with_rows(change, label_rows) for change in numbers]


def _classes_of(settings: FolderSettings) -> Sequence[ClassEntry]:
    converter = make_folder_converter(settings, "check://")
    has_numbers = converter.source_format.needs_class_numbers
    table = class_table(converter.ontology, converter.class_map, has_numbers=has_numbers)
    classes: Sequence[ClassEntry] = table.as_dict(ClassCounts())["mapped"]
    return classes


def _key(entry: ClassEntry) -> int | str:
    number = entry["number"]
    return str(entry["feature_hash"]) if number is None else int(number)


def _change(
    key: int | str, before: ClassEntry | None, after: ClassEntry | None, ontology: Ontology
) -> ClassChange | None:
    """Return the change of one class; None where it does not change."""
    number = key if isinstance(key, int) else None
    if before is None:
        return ClassChange(ClassKind.NEW, number, None, after, needs_acceptance=False)
    if after is None:
        kind = ClassKind.GONE if number is None else ClassKind.NO_OBJECT
        reason = _why_without(before, ontology)
        return ClassChange(kind, number, before, None, needs_acceptance=True, reason=reason)
    if before["feature_hash"] != after["feature_hash"]:
        return ClassChange(ClassKind.OTHER_OBJECT, number, before, after, needs_acceptance=True)
    if before["shape"] != after["shape"]:
        return ClassChange(ClassKind.SHAPE, number, before, after, needs_acceptance=number is None)
    if after.get("archived") and not before.get("archived"):
        return ClassChange(ClassKind.ARCHIVED, number, before, after, needs_acceptance=False)
    if before["name"] != after["name"]:
        return ClassChange(ClassKind.RENAMED, number, before, after, needs_acceptance=False)
    return None


def _why_without(before: ClassEntry, ontology: Ontology) -> str:
    """Return why a class has no object any more."""
    for entry in ontology.objects:
        if entry.feature_hash == before["feature_hash"]:
            if entry.archived:
                return "the object is archived"
            if entry.shape != before["shape"]:
                return f"the object is a {entry.shape} now"
            return "the number is not mapped any more"
    return "the ontology has no such object any more"


def _with_rows(change: ClassChange, label_rows: Mapping[int | str, int]) -> ClassChange:
    if change.before is None:
        return change
    return ClassChange(
        kind=change.kind,
        number=change.number,
        before=change.before,
        after=change.after,
        needs_acceptance=change.needs_acceptance,
        label_rows=label_rows.get(_key(change.before), 0),
        reason=change.reason,
    )
