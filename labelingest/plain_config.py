"""A configuration of plain values: what `IngestConfig` would accept, without loading pydantic.

The command line makes one where every value passes a simple check: names among the choices of their option,
paths of this machine, whole numbers within bounds. All other values go to `IngestConfig`, which
converts them or says what is wrong. A test compares both on generated values.
"""

import os
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, Final, cast

from labelingest.formats.format import Format
from labelingest.options import CONFIG_OPTIONS, Kind, Option
from labelingest.options.set_options import refuse_options_of_others

if TYPE_CHECKING:
    from labelingest.config import IngestConfig

__all__ = ["plain_config"]

_FREE_TEXTS: Final = frozenset(
    ["dataset_title", "images", "labels", "metadata_suffix", "namespace", "suffix"]
)
"""Options that `IngestConfig` takes as they are."""


def plain_config(values: Mapping[str, Any]) -> "IngestConfig | None":
    """Return a configuration of values; None where `IngestConfig` has to look at them.

    Parameters
    ----------
    values
        Values of the options that were used, by name.

    Examples
    --------
    >>> config = plain_config({"storage_path": "data", "ontology": "ontology.json"})
    >>> config.storage_path, config.on_row_error, config.out
    ('data', 'skip', None)
    >>> plain_config({"storage_path": "s3://bucket", "ontology": "ontology.json"}) is None
    True
    """
    if not (
        {"storage_path", "ontology"} <= values.keys() <= CONFIG_OPTIONS.keys()
        and all(_is_plain(CONFIG_OPTIONS[name], value) for name, value in values.items())
        and _agree(values)
    ):
        return None
    typed = {
        name: tuple(value) if isinstance(value, list) else value for name, value in values.items()
    }
    return cast("IngestConfig", PlainConfig(_defaults() | typed, values.keys()))


class PlainConfig:
    """Values of all options as attributes, with those methods of `IngestConfig` that runs need."""

    file: Final = None
    """Path of the configuration file: there is none."""

    def __init__(self, values: Mapping[str, Any], fields_set: Collection[str]) -> None:
        self.__dict__.update(values)
        self.model_fields_set = frozenset(fields_set)

    def model_copy(self, *, update: Mapping[str, Any]) -> "PlainConfig":
        """Return a copy with other values."""
        values = {name: getattr(self, name) for name in CONFIG_OPTIONS}
        return PlainConfig({**values, **update}, self.model_fields_set | update.keys())

    def refuse_options_of_others(self, source: Format) -> None:
        """Refuse options of sidecars of another format than those that are read."""
        refuse_options_of_others(self.model_fields_set, self.__dict__["to"], source)


def _defaults() -> dict[str, Any]:
    return {
        name: {} if option.kind is Kind.CLASS_MAP else option.default
        for name, option in CONFIG_OPTIONS.items()
    }


def _is_plain(option: Option, value: object) -> bool:
    """Whether a value is one that `IngestConfig` takes as it is."""
    if option.kind is Kind.FLAG:
        return isinstance(value, bool)
    if option.kind is Kind.WHOLE:
        highest = option.highest
        return (
            type(value) is int
            and option.lowest is not None
            and value >= option.lowest
            and (highest is None or value <= highest)
        )
    texts = value if option.kind is Kind.TEXTS and isinstance(value, list) else [value]
    if not all(isinstance(text, str) and text and text.isprintable() for text in texts):
        return False
    if option.choices:
        return value in option.choices
    if option.kind is Kind.PATH:
        return "://" not in cast(str, value)
    return option.name in _FREE_TEXTS


def _agree(values: Mapping[str, Any]) -> bool:
    """Whether no two values contradict each other, and none concerns another output format."""
    paths = [os.path.realpath(values[n]) for n in values if CONFIG_OPTIONS[n].kind is Kind.PATH]
    target = values.get("to", CONFIG_OPTIONS["to"].default)
    return (
        len(set(paths)) == len(paths)
        and not {"class_list", "no_class_list"} <= values.keys()
        and all(CONFIG_OPTIONS[name].target in ("", target) for name in values)
    )
