"""Pairing rules as values: the key of a sidecar follows from the key of its data file.

A `SuffixRule` adds to the key. A `PatternRule` has patterns with placeholders: two files belong
together when all captured values are equal. A rule says what a key means by itself;
`labelingest.pairing.pair` finds out whether the other file exists.

The meaning of a pattern is that of the `parse` package, compiled case-sensitive, and was checked
against parse 1.22: the whole key must match, and `{name}` matches one or more characters of any kind,
"/" and newlines included, as few as possible. Everything else is literal; blanks are neither stripped
nor folded. Other features of parse (formats, anonymous and repeated placeholders, attributes) are
refused. parse loses the name of a placeholder that does not begin with a letter, as `{_name}`, so
patterns are handed to parse with numbered placeholders.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import parse
from msgspec import Struct

from labelingest.encord.keys import SIDECAR_SUFFIX
from labelingest.errors import ConfigError

__all__ = ["MAX_SUFFIX", "Pattern", "PatternRule", "SuffixRule", "check_suffixes"]

MAX_SUFFIX: Final = 128
"""Characters that a sidecar suffix may have."""

_WILDCARD: Final = "*"
"""Wildcard of other tools, which has no meaning in patterns here."""
_TOKEN: Final = re.compile(r"(\{\{|\}\})|\{([^{}]*)\}|([{}])|([^{}]+)")


@dataclass(frozen=True, slots=True)
class Pattern:
    """One pattern, split into literals and placeholders.

    Examples
    --------
    >>> pattern = Pattern("{split}/images/{name}.jpg", "image file pattern")
    >>> pattern.literals, pattern.placeholders
    (('', '/images/', '.jpg'), ('split', 'name'))
    >>> pattern.fields("val/images/a b.jpg")
    ('a b', 'val')
    >>> pattern.key(("a b", "val"))
    'val/images/a b.jpg'
    """

    text: str
    """The pattern as written."""
    role: str
    """Name of the pattern's role in messages, as "image file pattern"."""
    literals: tuple[str, ...] = field(init=False, compare=False)
    """(k + 1,) texts before, between and after the placeholders."""
    placeholders: tuple[str, ...] = field(init=False, compare=False)
    """(k,) names of the placeholders in the order of the pattern; at least one, all different."""
    order: tuple[int, ...] = field(init=False, compare=False)
    """(k,) positions of the placeholders in the pattern, in the order of their names."""
    parser: parse.Parser = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        literals, names = _parts(self)
        escaped = [literal.replace("{", "{{").replace("}", "}}") for literal in literals]
        numbered = [f"{literal}{{p{i}}}" for i, literal in enumerate(escaped[:-1])]
        for name, value in (
            ("literals", tuple(literals)),
            ("placeholders", tuple(names)),
            ("order", tuple(sorted(range(len(names)), key=names.__getitem__))),
            ("parser", parse.compile("".join(numbered) + escaped[-1], case_sensitive=True)),
        ):
            object.__setattr__(self, name, value)
        _check_path(self)

    def __str__(self) -> str:
        return f"{self.role} {self.text!r}"

    def fields(self, key: str) -> tuple[str, ...] | None:
        """Return the captured values in the order of the placeholders' names; None for no match.

        The time grows with the length of the key to the power of the number of placeholders.
        `labelingest.pairing.match` has the same results for many keys.
        """
        match = self.parser.parse(key)
        return None if match is None else tuple(match[f"p{i}"] for i in self.order)

    def key(self, fields: Sequence[str]) -> str:
        """Return the key whose placeholders, in the order of their names, have these values."""
        value = dict(zip(self.order, fields, strict=True))
        rest = (value[i] + literal for i, literal in enumerate(self.literals[1:]))
        return self.literals[0] + "".join(rest)


@dataclass(frozen=True, slots=True)
class PatternRule:
    """Image file patterns and a label file pattern with the same placeholders.

    Raises
    ------
    ConfigError
        The patterns cannot pair anything; each reason has its own message.

    Examples
    --------
    >>> rule = PatternRule(("images/{name}.jpg",), "labels/{name}.txt")
    >>> rule.label_pattern.fields("labels/train/a.txt"), rule.placeholders
    (('train/a',), ('name',))
    >>> PatternRule(("images/{name}.jpg",), "labels/{id}.txt")
    Traceback (most recent call last):
    labelingest.errors.ConfigError: image file pattern 'images/{name}.jpg' has the placeholders ...
    """

    images: tuple[str, ...]
    """Image file patterns, usually one for each extension."""
    labels: str
    """Label file pattern."""
    image_patterns: tuple[Pattern, ...] = field(init=False, compare=False, repr=False)
    label_pattern: Pattern = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        if not self.images:
            raise ConfigError(
                f"label file pattern {self.labels!r} has no image file pattern to go with it"
            )
        label = Pattern(self.labels, "label file pattern")
        images = tuple(Pattern(image, "image file pattern") for image in self.images)
        for i, image in enumerate(images):
            _check_pair_of_patterns(image, label)
            if image in images[:i]:
                raise ConfigError(f"{image} is given twice: once is enough")
        object.__setattr__(self, "images", tuple(self.images))
        object.__setattr__(self, "image_patterns", images)
        object.__setattr__(self, "label_pattern", label)

    @property
    def placeholders(self) -> tuple[str, ...]:
        """Return the names of the placeholders, sorted."""
        return tuple(sorted(self.label_pattern.placeholders))


class SuffixRule(Struct, frozen=True):
    """A rule by which a sidecar has the key of its data file with a suffix added.

    Raises
    ------
    ConfigError
        The suffix has no characters, or more than `MAX_SUFFIX`.

    Examples
    --------
    >>> SuffixRule().suffix
    '.encord.json'
    >>> SuffixRule("")
    Traceback (most recent call last):
    labelingest.errors.ConfigError: sidecar suffix '' has 0 characters: 1 to 128 are allowed
    """

    suffix: str = SIDECAR_SUFFIX

    def __post_init__(self) -> None:
        if not 1 <= len(self.suffix) <= MAX_SUFFIX:
            raise ConfigError(
                f"sidecar suffix {self.suffix!r} has {len(self.suffix)} characters: 1 to "
                f"{MAX_SUFFIX} are allowed"
            )
        _check_unicode(self.suffix, f"sidecar suffix {self.suffix!r}")


def check_suffixes(rule: PatternRule | SuffixRule, metadata: SuffixRule | None) -> None:
    """Refuse suffixes of labels and of metadata that cannot be told apart.

    Raises
    ------
    ConfigError
        The suffixes are equal, or all files of a pattern would be metadata.

    Examples
    --------
    >>> check_suffixes(SuffixRule(".json"), SuffixRule(".json"))
    Traceback (most recent call last):
    labelingest.errors.ConfigError: labels and metadata have the same suffix '.json': ...
    >>> check_suffixes(PatternRule(("{name}.jpg",), "{name}.txt"), SuffixRule(".txt"))
    Traceback (most recent call last):
    labelingest.errors.ConfigError: label file pattern '{name}.txt' ends with the metadata suffix ...
    """
    if isinstance(rule, PatternRule) and metadata is not None:
        for pattern in (rule.label_pattern, *rule.image_patterns):
            if pattern.literals[-1].endswith(metadata.suffix):
                raise ConfigError(
                    f"{pattern} ends with the metadata suffix {metadata.suffix!r}: all of its files "
                    "would be metadata; give another suffix, as .metadata.json"
                )
    if isinstance(rule, SuffixRule) and rule == metadata:
        raise ConfigError(
            f"labels and metadata have the same suffix {rule.suffix!r}: nothing would tell their "
            "sidecars apart"
        )


def _parts(pattern: Pattern) -> tuple[list[str], list[str]]:
    """Return the literals and the names of a pattern; refuse braces and formats that have no meaning."""
    literals, names = [""], list[str]()
    for doubled, name, single, literal in _TOKEN.findall(pattern.text):
        if single:
            raise ConfigError(
                f"{pattern} has a brace {single!r} without its partner: a placeholder is written "
                "{name}, and a brace that is meant is doubled"
            )
        if doubled or literal:
            literals[-1] += literal or doubled[0]
        else:
            _check_placeholder(pattern, name, names)
            names.append(name)
            literals.append("")
    if not names:
        hint = f"; {{name}} takes the place of {_WILDCARD}" if _WILDCARD in pattern.text else ""
        raise ConfigError(
            f"{pattern} has no placeholder such as {{name}}: it is one file, and pairs nothing{hint}"
        )
    return literals, names


def _check_placeholder(pattern: Pattern, name: str, before: list[str]) -> None:
    if not name:
        raise ConfigError(f"{pattern} has a placeholder without a name: write {{name}}, not {{}}")
    if ":" in name or "!" in name:
        plain = re.split("[:!]", name)[0] or "name"
        raise ConfigError(
            f"{pattern} has a format in {{{name}}}: a placeholder is a name alone, {{{plain}}}"
        )
    if not name.isidentifier():
        raise ConfigError(
            f"{pattern} has {name!r} in braces: the name of a placeholder has letters, digits and "
            "underscores only, and does not begin with a digit"
        )
    if name in before:
        raise ConfigError(
            f"{pattern} repeats {{{name}}}: a placeholder occurs once in a pattern; give the "
            "second one another name, in both patterns"
        )


def _check_path(pattern: Pattern) -> None:
    if pattern.text.startswith("/"):
        raise ConfigError(
            f"{pattern} is absolute: patterns are relative to the storage path, as keys are"
        )
    # A placeholder is more than nothing, so that "..{name}" is a name like any other.
    parts = "x".join(pattern.literals).split("/")
    for dots in ("..", "."):
        if dots in parts:
            raise ConfigError(
                f"{pattern} has a part {dots!r}, which no key has: keys begin at the storage path "
                "and name each folder below it"
            )
    _check_unicode(pattern.text, str(pattern))


def _check_unicode(text: str, what: str) -> None:
    if any("\ud800" <= c <= "\udfff" for c in text):
        raise ConfigError(f"{what} is not Unicode text, which keys are")


def _check_pair_of_patterns(image: Pattern, label: Pattern) -> None:
    if image.text == label.text:
        raise ConfigError(
            f"{image} is the label file pattern as well: an image would be its own label file"
        )
    if set(image.placeholders) != set(label.placeholders):
        raise ConfigError(
            f"{image} has the placeholders {_names(image)}, {label} has {_names(label)}: both "
            "need the same ones"
        )


def _names(pattern: Pattern) -> str:
    return ", ".join(f"{{{name}}}" for name in sorted(pattern.placeholders))
