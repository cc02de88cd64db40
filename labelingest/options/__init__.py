"""The list of options: the one place that declares their names, types, defaults, help and commands.

The command line, the messages of the configuration, the settings of synced folders and the
reference of options read this table. `labelingest.config` validates the values and gives each its
Python type; a test keeps table and class equal. The table loads no library.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from labelingest.options.conversion import CONVERSION_OPTIONS
from labelingest.options.execution import EXECUTION_OPTIONS
from labelingest.options.files import FILES_OPTIONS
from labelingest.options.folder import FOLDER_OPTIONS
from labelingest.options.option import Command, Kind, Option, Panel
from labelingest.options.output import OUTPUT_OPTIONS

__all__ = [
    "CONFIG_OPTIONS",
    "OPTIONS",
    "Command",
    "Kind",
    "Option",
    "Panel",
    "options_of",
]

OPTIONS: Final[Sequence[Option]] = (
    *FILES_OPTIONS,
    *CONVERSION_OPTIONS,
    *OUTPUT_OPTIONS,
    *EXECUTION_OPTIONS,
    *FOLDER_OPTIONS,
)
"""All options, in the order of `--help` and of the reference."""

CONFIG_OPTIONS: Final[Mapping[str, Option]] = {
    option.name: option for option in OPTIONS if option.in_config
}
"""Options of `IngestConfig` by name."""


def options_of(command: Command) -> Iterator[Option]:
    """Yield the options of a command.

    Examples
    --------
    >>> [option.name for option in options_of(Command.CLASSES)]
    ['namespace', 'map', 'class_list', 'json']
    """
    return (option for option in OPTIONS if command in option.commands)
