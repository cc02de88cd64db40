"""Options that were set although they would have no effect: they concern another format."""

from collections.abc import Collection

from labelingest.errors import ConfigError
from labelingest.formats import FORMATS, Format, target_format
from labelingest.options import CONFIG_OPTIONS

__all__ = ["names_set", "refuse_options_of_others"]


def names_set(names: Collection[str], **properties: object) -> list[str]:
    """Return the names of options that have the properties in the list of options.

    Examples
    --------
    >>> names_set(["out", "coco_rotated"], target="coco")
    ['coco_rotated']
    """
    return [
        name
        for name, option in CONFIG_OPTIONS.items()
        if name in names and all(getattr(option, key) == value for key, value in properties.items())
    ]


def refuse_options_of_others(names: Collection[str], target: str | Format, source: Format) -> None:
    """Refuse options of sidecars of another format than those that are read.

    Parameters
    ----------
    names
        Names of the options that were set.
    target
        The output format.
    source
        Format of the sidecars.

    Raises
    ------
    ConfigError
        An option was set that would have no effect: it concerns sidecars of another format, or
        class numbers, and none are read or written.
    """
    for other in FORMATS:
        if other == source or not other.is_read:
            continue
        misplaced = names_set(names, source=other.name)
        if other.needs_class_numbers and not target_format(target).needs_class_numbers:
            misplaced += names_set(names, concerns_class_numbers=True)
        if misplaced:
            raise ConfigError(
                f"{', '.join(misplaced)}: for {other.source_title}, and the sidecars are "
                f"{source.source_title}; leave out"
            )
