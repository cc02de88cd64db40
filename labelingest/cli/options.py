"""Turn the list of options into parameters of commands.

A command declares the parameters of its own, and takes those of the list as `**options`:
`with_options` adds them to its signature, from which Typer makes the parser and `--help`.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from inspect import Parameter, Signature
from typing import Annotated, Any, Final, TypeVar

import typer

from labelingest.cli.parameter_names import parameter_name
from labelingest.options import OPTIONS, Command, Kind, Option, Panel, options_of

__all__ = [
    "AsJson",
    "ExitZero",
    "Overwrite",
    "Quiet",
    "ReplaceFile",
    "StateUrl",
    "Strict",
    "with_options",
]

CommandFunction = TypeVar("CommandFunction", bound=Callable[..., None])

_TYPES: Final[Mapping[Kind, Any]] = {
    Kind.TEXT: str | None,
    Kind.TEXTS: list[str] | None,
    Kind.PATH: str | None,
    Kind.FLAG: bool | None,
    Kind.WHOLE: int | None,
    Kind.NUMBER: float | None,
    Kind.TWO_WHOLE: tuple[int, int] | None,
    Kind.CLASS_MAP: list[str] | None,
}
"""Type of a parameter; None means that the option was not used."""


def _typer_info(option: Option) -> Any:
    """Return the declaration of an option for Typer."""
    if option.is_positional:
        return typer.Argument(metavar=option.metavar, help=option.help_text)
    return typer.Option(
        *(option.flags or (option.flag,)),
        metavar=option.metavar or None,
        help=option.help_text,
        # Typer puts options without a panel first.
        rich_help_panel=None if option.panel is Panel.GENERAL else option.panel.value,
    )


@cache
def _parameter(option: Option) -> Parameter:
    annotation: Any = Annotated.__class_getitem__((_TYPES[option.kind], _typer_info(option)))  # type: ignore[attr-defined]
    return Parameter(
        parameter_name(option), Parameter.KEYWORD_ONLY, default=None, annotation=annotation
    )


def with_options(command: Command) -> Callable[[CommandFunction], CommandFunction]:
    """Return a decorator that gives a function the options of a command.

    The options take the place of `**options`: after the function's required parameters, before
    those with a default. A parameter that the function declares itself takes the place of an option
    of that name.
    """

    def decorate(function: CommandFunction) -> CommandFunction:
        parameters = [*_merged(Signature.from_callable(function), command)]
        function.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
        function.__annotations__ = {p.name: p.annotation for p in parameters} | {"return": None}
        return function

    return decorate


def _merged(declared: Signature, command: Command) -> Iterator[Parameter]:
    parameters = [
        parameter.replace(kind=Parameter.KEYWORD_ONLY)
        for parameter in declared.parameters.values()
        if parameter.kind is not Parameter.VAR_KEYWORD
    ]
    yield from (p for p in parameters if p.default is Parameter.empty)
    of_list = map(_parameter, options_of(command))
    yield from (p for p in of_list if p.name not in declared.parameters)
    yield from (p for p in parameters if p.default is not Parameter.empty)


def _info_named(name: str) -> Any:
    return next(_typer_info(option) for option in OPTIONS if option.name == name)


AsJson = Annotated[bool, _info_named("json")]
ExitZero = Annotated[bool, _info_named("exit_zero")]
Overwrite = Annotated[bool, _info_named("overwrite")]
Quiet = Annotated[bool, _info_named("quiet")]
Strict = Annotated[bool, _info_named("strict")]

ReplaceFile = Annotated[
    bool,
    typer.Option(
        "--overwrite",
        "--force",
        help="Replace a file that no earlier run wrote. Inputs are never replaced.",
        rich_help_panel=Panel.OUTPUT.value,
    ),
]
StateUrl = Annotated[
    str | None,
    typer.Option(
        "--state",
        metavar="URL",
        envvar="LABELINGEST_STATE",
        help="Database with the state: sqlite:////path/state.sqlite or "
        "postgresql://user@host/database (default: a file in your data directory).",
        rich_help_panel=Panel.STATE.value,
    ),
]
