"""Read a plain call of `convert` or `check` without the parser of all commands.

Loading the parser takes longer than converting a small folder. What is read here, the parser would
read the same way. It reads everything else: help, mistakes, lone dashes and values that start with one.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from labelingest.cli.parameter_names import parameter_name
from labelingest.options import Command, Kind, Option, options_of

__all__ = ["plain_call"]

_COMMANDS: Final = (Command.CONVERT, Command.CHECK)
_MOST_DIGITS: Final = 15
"""Digits of a whole number that is read here."""


def plain_call(arguments: Sequence[str]) -> tuple[Command, dict[str, Any]] | None:
    """Return the command and the values of its parameters; None for a call that is not plain.

    Examples
    --------
    >>> command, values = plain_call(["check", "data", "--workers=2", "--images", "{name}.jpg"])
    >>> command.value, {name: value for name, value in values.items() if value is not None}
    ('check', {'storage_path': 'data', 'images': ['{name}.jpg'], 'workers': 2})
    >>> plain_call(["check", "data", "--workers", "two"]), plain_call(["check", "--help"])
    (None, None)
    """
    command = next((c for c in _COMMANDS if arguments and arguments[0] == c), None)
    if command is None or not all(map(str.isprintable, arguments)):
        return None
    options = [*options_of(command)]
    values: dict[str, Any] = {parameter_name(option): None for option in options}
    flags = _flags(options)
    words = [*reversed(arguments[1:])]
    while words:
        option, value = _next_value(words, flags)
        if option is None or value is None:
            return None
        name = parameter_name(option)
        if values[name] is not None and not isinstance(value, list):
            return None
        values[name] = [*(values[name] or ()), *value] if isinstance(value, list) else value
    return command, values


def _flags(options: Sequence[Option]) -> Mapping[str, tuple[Option, bool]]:
    """Return flag → option, and the value of a flag that takes none; "" for the positional option."""
    flags: dict[str, tuple[Option, bool]] = {}
    for option in options:
        if option.is_positional:
            flags[""] = option, True
            continue
        for declared in option.flags or (option.flag,):
            yes, _, no = declared.partition("/")
            flags[yes] = option, True
            if no:
                flags[no] = option, False
    return flags


def _next_value(
    words: list[str], flags: Mapping[str, tuple[Option, bool]]
) -> tuple[Option | None, object]:
    """Take the words of one option from the end of the list; return the option and its value."""
    word = words.pop()
    flag, is_joined, text = word.partition("=") if word.startswith("--") else (word, "", "")
    if not flag.startswith("-"):
        flag, is_joined, text = "", "=", word
    option, switch = flags.get(flag, (None, True))
    if option is None:
        return None, None
    if option.kind is Kind.FLAG:
        return option, None if is_joined else switch
    if not is_joined:
        text = words.pop() if words else ""
    return option, None if text.startswith("-") else _value(option, text)


def _value(option: Option, text: str) -> object:
    """Return the value of an option; None for a text that needs more than a look."""
    if text == "":
        return None
    if option.kind in (Kind.TEXT, Kind.PATH):
        return text
    if option.kind in (Kind.TEXTS, Kind.CLASS_MAP):
        return [text]
    is_number = option.kind is Kind.WHOLE and text.isascii() and text.isdecimal()
    return int(text) if is_number and len(text) <= _MOST_DIGITS else None
