"""Explain why a data file and a sidecar are no pair, with the flag or command that helps.

The functions take two files that are known to look alike;
`labelingest.pairing.near_misses.near_misses` finds them.
"""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from labelingest.pairing.near_misses.differences import Cause, Parts, difference, patterns_from
from labelingest.pairing.near_misses.shell import shell_word
from labelingest.pairing.rules import Pattern, PatternRule, SuffixRule

__all__ = [
    "Explained",
    "LeftOver",
    "add_images",
    "data_key",
    "explain",
    "explain_whole_name",
    "partners",
    "use_patterns",
]

_NAMES: Final = {
    Cause.NAME_CASE: "differ in upper and lower case",
    Cause.UNICODE_FORM: "look the same, but their letters are composed differently (NFC, NFD)",
    Cause.BLANKS: "differ in blanks at the beginning or end of the name",
}


class LeftOver(Struct, frozen=True):
    """A data file or a sidecar that has no partner."""

    key: str
    fields: tuple[str, ...] | None
    """Values that the rule captures from the key; None where no pattern matches."""


class Explained(Struct, frozen=True):
    """Cause and cure for two files that are no pair."""

    cause: Cause
    keys: tuple[str, str]
    """Keys of the data file and of the sidecar."""
    detail: str
    fix: str = ""
    """Flags that pair the two files; "" where another name does."""
    general_fix: str = ""
    """Flags that pair all files with this cause, where `fix` differs from pair to pair."""
    rename: tuple[str, str] | None = None
    """Key of one of the files, and the key that pairs it: the fix, or the other way to one."""


def data_key(item: LeftOver, rule: PatternRule | SuffixRule) -> str:
    """Return the key of a sidecar without what a suffix rule adds to it.

    Examples
    --------
    >>> data_key(LeftOver("a.jpg.encord.json", ("a.jpg",)), SuffixRule())
    'a.jpg'
    """
    return item.key.removesuffix(rule.suffix) if isinstance(rule, SuffixRule) else item.key


def partners(rule: PatternRule | SuffixRule, item: LeftOver, is_sidecar: bool) -> list[str]:
    """Return the keys that the rule expects the other file of a pair to have.

    Examples
    --------
    >>> rule = PatternRule(("images/{name}.jpg",), "labels/{name}.txt")
    >>> partners(rule, LeftOver("labels/a.txt", ("a",)), is_sidecar=True)
    ['images/a.jpg']
    """
    if item.fields is None:
        return []
    if isinstance(rule, SuffixRule):
        return [item.fields[0] if is_sidecar else item.key + rule.suffix]
    patterns = rule.image_patterns if is_sidecar else (rule.label_pattern,)
    return [pattern.key(item.fields) for pattern in patterns]


def explain(rule: PatternRule | SuffixRule, data: LeftOver, sidecar: LeftOver) -> Explained | None:
    """Return why two files that look alike are no pair; None where no cause applies.

    Examples
    --------
    >>> rule = PatternRule(("images/{name}.jpg",), "labels/{name}.txt")
    >>> explain(rule, LeftOver("image/a.jpg", None), LeftOver("labels/a.txt", ("a",))).fix
    "use --images 'image/{name}.jpg' --labels 'labels/{name}.txt'"
    """
    if isinstance(rule, SuffixRule):
        return _renamed(rule, data, sidecar)
    label, image = rule.label_pattern, _nearest(rule.image_patterns, data.key)
    if sidecar.fields is not None:
        expected = image.key(sidecar.fields)
        # One of two names has to change: preferably that of the label file.
        if data.fields is None or difference(data.key, expected) not in _NAMES:
            return _explain_by(image, expected, data, data, sidecar)
    if data.fields is not None:
        return _explain_by(label, label.key(data.fields), sidecar, data, sidecar)
    detail = f"{data.key!r} and {sidecar.key!r} have one name, and no pattern matches them"
    return _other_folders(Cause.FOLDER_NAME, detail, data, sidecar)


def _nearest(patterns: Sequence[Pattern], key: str) -> Pattern:
    """Return the pattern most likely meant for a key: one with the key's extension."""
    extension = Parts.from_key(key).extension.lower()
    same = (p for p in patterns if extension and p.literals[-1].lower().endswith(extension))
    return next(same, patterns[0])


def _explain_by(
    pattern: Pattern, expected: str, actual: LeftOver, data: LeftOver, sidecar: LeftOver
) -> Explained | None:
    """Explain by the key that one of the two files was expected to have."""
    cause = difference(actual.key, expected)
    match cause:
        case None:
            return None
        case Cause.EXTENSION_CASE | Cause.OTHER_EXTENSION:
            return _other_extension(cause, pattern, actual, data, sidecar)
        case Cause.FOLDER_NAME:
            detail = f"{actual.key!r} is in another folder than expected, {expected!r}"
        case Cause.TOO_DEEP:
            detail = f"{actual.key!r} is deeper than expected, {expected!r}"
        case Cause.TOO_SHALLOW:
            detail = f"{actual.key!r} is less deep than expected, {expected!r}"
        case _:
            return _other_name(cause, expected, actual, (data.key, sidecar.key))
    return _other_folders(cause, detail, data, sidecar)


def _other_extension(
    cause: Cause, pattern: Pattern, actual: LeftOver, data: LeftOver, sidecar: LeftOver
) -> Explained | None:
    extension = Parts.from_key(actual.key).extension
    pattern_extension = Parts.from_key(f"x{pattern.literals[-1]}").extension
    text = pattern.text.removesuffix(pattern_extension) + extension
    counts = ", and case counts" if cause is Cause.EXTENSION_CASE else ""
    detail = (
        f"{actual.key!r} ends in {extension!r}, the {pattern.role} in {pattern_extension!r}{counts}"
    )
    # The captured extension of a pattern without one would still keep the two apart.
    partner = sidecar if actual is data else data
    if Pattern(text, pattern.role).fields(actual.key) != partner.fields:
        return _other_folders(cause, detail, data, sidecar)
    fix = add_images(text) if actual is data else f"use --labels {shell_word(text)}"
    return Explained(cause, (data.key, sidecar.key), detail, fix)


def add_images(pattern: str) -> str:
    """Return the sentence that names one image file pattern more as a flag."""
    return f"add --images {shell_word(pattern)}"


def _other_folders(
    cause: Cause, detail: str, data: LeftOver, sidecar: LeftOver
) -> Explained | None:
    patterns = patterns_from(data.key, sidecar.key)
    if patterns is None:
        return None
    return Explained(cause, (data.key, sidecar.key), detail, use_patterns(*patterns))


def _other_name(cause: Cause, expected: str, actual: LeftOver, keys: tuple[str, str]) -> Explained:
    # As ASCII, so that letters that look the same can be told apart.
    detail = f"{actual.key!a} and the expected {expected!a} {_NAMES[cause]}"
    return Explained(cause, keys, detail, rename=(actual.key, expected))


def explain_whole_name(rule: PatternRule, data: LeftOver, sidecar: LeftOver) -> Explained | None:
    """Return why a label file that is called after the whole name of an image does not pair.

    Examples
    --------
    >>> rule = PatternRule(("images/{name}.png",), "labels/{name}.txt")
    >>> image, label = LeftOver("images/x.png", ("x",)), LeftOver("labels/x.png.txt", ("x.png",))
    >>> explain_whole_name(rule, image, label).fix
    "use --images 'images/{name}.png' --labels 'labels/{name}.png.txt'"
    """
    extension = Parts.from_key(data.key).extension
    image = _nearest(rule.image_patterns, data.key).text
    label = rule.label_pattern
    shorter, dot, ending = sidecar.key.rpartition(".")
    shorter, ending = shorter.removesuffix(extension), dot + ending
    fits = (
        data.fields is not None
        and data.fields == label.fields(shorter + ending)
        and image.endswith(extension)
        and label.text.endswith(ending)
    )
    if fits:
        images, labels = image.removesuffix(extension), label.text.removesuffix(ending)
    else:
        patterns = patterns_from(data.key, shorter + ending)
        if patterns is None:
            return None
        images, labels = patterns[0].removesuffix(extension), patterns[1].removesuffix(ending)
    detail = f"{sidecar.key!r} has the whole name of {data.key!r}, with its extension"
    return Explained(
        Cause.WHOLE_NAME,
        (data.key, sidecar.key),
        detail,
        use_patterns(images + extension, labels + extension + ending),
        use_patterns(images, labels + ending),
    )


def use_patterns(images: str, labels: str) -> str:
    """Return the sentence that names both patterns as flags."""
    return f"use --images {shell_word(images)} --labels {shell_word(labels)}"


def _renamed(rule: SuffixRule, data: LeftOver, sidecar: LeftOver) -> Explained | None:
    """Explain a sidecar whose name differs from the one that a suffix rule expects."""
    [expected] = partners(rule, sidecar, is_sidecar=True)
    cause = difference(data.key, expected)
    if cause is None or not _is_one_change(cause, data.key, expected):
        return None
    target = data.key + rule.suffix
    detail = f"{sidecar.key!a} is no sidecar of {data.key!a}: that is {target!a}"
    return Explained(cause, (data.key, sidecar.key), detail, rename=(sidecar.key, target))


def _is_one_change(cause: Cause, key: str, expected: str) -> bool:
    """Return whether a file in another folder has the expected name there."""
    in_other_folder = cause in (Cause.FOLDER_NAME, Cause.TOO_DEEP, Cause.TOO_SHALLOW)
    return not in_other_folder or key.rpartition("/")[2] == expected.rpartition("/")[2]
