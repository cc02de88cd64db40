"""Runs of the command line: the configuration of a call, the run, its report and its exit code.

A configuration is joined from a TOML file and the options of the command line; the latter win.
Nothing here needs the parser of arguments: a plain call is run without it.
"""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeVar

from labelingest.cli.parameter_names import parameter_name
from labelingest.cli.stopped import exit_code_of
from labelingest.errors import ConfigError, resume_notes
from labelingest.options import OPTIONS, Command, Kind
from labelingest.plain_config import plain_config

if TYPE_CHECKING:
    from labelingest.config import IngestConfig, IngestOptions
    from labelingest.report import Report

__all__ = ["configured", "exit_interrupted", "run"]

Config = TypeVar("Config", bound="IngestOptions")

_SWITCHES: Final[Mapping[str, str]] = {
    option.name: parameter_name(option)
    for option in OPTIONS
    if Command.CONVERT in option.commands and option.kind is Kind.FLAG and not option.in_config
}
"""Key of a configuration file → parameter, for flags that concern the command line alone."""


def configured(config_type: type[Config], params: dict[str, Any], *, unread: str = "") -> Config:
    """Join the configuration file and the options; switches of the file are moved to `params`.

    Parameters
    ----------
    config_type, params
        The class of the configuration, and the values of the command line.
    unread
        Key of the file that the command has no use for: its value is not checked.
    """
    from labelingest.config import load_config

    file = params.get("config")
    values: dict[str, Any] = {}
    if file is not None:
        values = load_config(Path(file))
        values.pop(unread, None)
        _take_switches(values, params)
    config = config_type(**values | _used(params))
    if file is not None:
        _refuse_to_replace(file, config)
        config = config.noting_file(file)
    return config


def _used(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of the options of the configuration that were used."""
    return {
        option.name: params[option.name]
        for option in OPTIONS
        if option.in_config and params.get(option.name) not in (None, [], ())
    }


def _config_of_run(params: dict[str, Any]) -> "IngestConfig":
    """Return the configuration of a run; what a look tells to be valid needs no validation."""
    config = plain_config(_used(params)) if params.get("config") is None else None
    if config is not None:
        return config
    from labelingest.config import IngestConfig

    return configured(IngestConfig, params)


def _take_switches(values: dict[str, Any], params: dict[str, Any]) -> None:
    for key, parameter in _SWITCHES.items():
        value = values.pop(key, False)
        if not isinstance(value, bool):
            raise ConfigError(f"{key}: {value!r}: expected true or false")
        params[parameter] = params.get(parameter) or value


def _refuse_to_replace(file: str, config: "IngestOptions") -> None:
    """Refuse outputs that are the configuration file itself."""
    from labelingest.pipeline.discover import outputs_of
    from labelingest.sinks.output_guard import OutputGuard

    OutputGuard({"config": file}).refuse_inputs(*outputs_of(config).values())


def run(params: dict[str, Any], work: Callable[..., "Report"]) -> NoReturn:
    """Run `convert` or `check`, print the report, and exit.

    Parameters
    ----------
    params
        Values of the command's parameters, None for those that were not used.
    work
        Takes the configuration and a callback for progress.
    """
    from labelingest.allocator import settle_memory
    from labelingest.cli.console import exit_code, log_to_people
    from labelingest.cli.progress import ProgressLine
    from labelingest.cli.render_report import print_report, print_unexpected

    settle_memory()
    log_to_people()
    config = _config_of_run(params)
    try:
        with ProgressLine(quiet=bool(params["quiet"])) as progress:
            report = work(config, progress=progress)
    except KeyboardInterrupt as interrupt:
        exit_interrupted(interrupt, config.out)
    if params["as_json"]:
        sys.stdout.buffer.write(report.to_json())
    if not params["quiet"]:
        print_report(report, config)
    print_unexpected(report.log)
    code = report.exit_code(strict=bool(params["strict"]))
    sys.exit(exit_code(code, exit_zero=bool(params["exit_zero"])))


def exit_interrupted(interrupt: KeyboardInterrupt, out: str | None) -> NoReturn:
    """Print what is left of an interrupted run, and exit as shells do."""
    notes = resume_notes(interrupt)
    if not notes and not (out and Path(out).exists()):
        notes = ["nothing was written"]
    print("; ".join(["labelingest: interrupted", *notes]), file=sys.stderr)
    sys.exit(exit_code_of(interrupt))
