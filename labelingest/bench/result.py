"""Result of a measurement as one JSON document: for programs, and kept in a file to compare with.

A document has the version of its schema in its first key. A field may be added without a new version;
a field that changes its meaning, or is gone, makes one. Programs ignore fields that they do not know.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import PurePath
from typing import Any, Final

import msgspec
import orjson

from labelingest.bench.machine import Machine
from labelingest.bench.measurement import Measurement
from labelingest.bench.temporary_output import output_name
from labelingest.bench.verdict import verdict
from labelingest.config import IngestConfig
from labelingest.credentials import without_credentials
from labelingest.errors import ConfigError
from labelingest.formats import target_format
from labelingest.options import Command, options_of
from labelingest.small_files import read_small

__all__ = ["SCHEMA", "Result", "options_in", "read_result", "result_document", "result_of"]

SCHEMA: Final = 1
"""Version of the document: the value of its first key."""
_KEY: Final = "labelingest_bench"
_MOST_BYTES: Final = 16 << 20
"""Bytes that a saved result may have: a thousand times more than one has."""
_NOT_COMPARED: Final = frozenset({"storage_path", "ontology", "out", "overwrite"})
"""Options that are no part of the work, or that have a field of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A measurement with everything that another one has to share to be compared with it."""

    labelingest_bench: int
    """Version of the schema."""
    measured: str
    """Time of the measurement, UTC, as in 2026-12-01T04:30:00Z."""
    machine: Machine
    storage_path: str
    """The storage path as it was given, or the recipe of a generated data set."""
    ontology: str
    """Digest of the ontology file."""
    options: Mapping[str, Any]
    """Options of the conversion that are not the default."""
    measurement: Measurement


def options_in(config: IngestConfig) -> dict[str, Any]:
    """Return the options of a configuration that decide what is measured, without defaults.

    Examples
    --------
    >>> options_in(IngestConfig(storage_path="a", ontology="o.json", image_sizes="never"))
    {'image_sizes': 'never'}
    """
    names = [option.name for option in options_of(Command.BENCH) if option.in_config]
    values = config.model_dump(mode="json", include=set(names) - _NOT_COMPARED)
    defaults = {
        name: type(config).model_fields[name].get_default(call_default_factory=True)
        for name in values
    }
    options = {
        name: value for name, value in values.items() if getattr(config, name) != defaults[name]
    }
    endings, usual = (
        PurePath(name).suffixes
        for name in (output_name(config), target_format(config.to).sample_output)
    )
    if endings != usual:
        options["out"] = "".join(endings) or "folder"
    return dict(sorted(options.items()))


def result_of(
    config: IngestConfig, measurement: Measurement, machine: Machine, *, data: str, measured: str
) -> Result:
    """Return the result of a measurement.

    Parameters
    ----------
    config, measurement, machine
        What was measured, its figures, and the machine.
    data
        The storage path in words, or the recipe of a generated data set.
    measured
        Time of the measurement, UTC.
    """
    return Result(
        labelingest_bench=SCHEMA,
        measured=measured,
        machine=machine,
        storage_path=without_credentials(data),
        ontology=blake2b(read_small(config.ontology or ""), digest_size=8).hexdigest(),
        options=options_in(config),
        measurement=measurement,
    )


def result_document(result: Result, config: IngestConfig) -> bytes:
    """Return a result as indented JSON, with what follows from its figures at the end."""
    measurement = result.measurement
    bound, cure = verdict(measurement, config)
    workers = [1] if measurement.processes is None else [1, measurement.processes.workers]
    derived = {
        "bound_by": bound,
        "would_help": cure,
        "share": {
            str(figures.stage): measurement.share(figures.stage) for figures in measurement.stages
        },
        "estimated_seconds": {str(count): measurement.estimate(count) for count in workers},
        "expected_seconds": {
            str(count): measurement.expected_seconds(count) for count in workers[1:]
        },
    }
    fields = {name: getattr(result, name) for name in Result.__dataclass_fields__}
    return orjson.dumps(
        {**fields, "derived": derived}, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    )


def read_result(path: str) -> Result:
    """Read a saved result.

    Raises
    ------
    ConfigError
        The file cannot be read, is no saved result, or is of a newer version.
    """
    try:
        content = read_small(path, _MOST_BYTES)
    except OSError as error:
        hint = (
            f": save one first, with --save {path}" if isinstance(error, FileNotFoundError) else ""
        )
        raise ConfigError(f"compare {path!r} cannot be read: {error.strerror}{hint}") from error
    anew = f"save it anew, with --save {path} --overwrite"
    try:
        document = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise ConfigError(f"compare {path!r} is no JSON ({error}): {anew}") from error
    schema = document.get(_KEY) if isinstance(document, dict) else None
    if not isinstance(schema, int) or isinstance(schema, bool):
        raise ConfigError(
            f"compare {path!r} is no result that labelingest bench --save wrote: give another file"
        )
    if schema > SCHEMA:
        raise ConfigError(
            f"compare {path!r} was saved by a newer labelingest (schema {schema}; this one reads "
            f"{SCHEMA}): run pip install --upgrade labelingest, or {anew}"
        )
    try:
        return _checked(msgspec.convert(document, Result))
    except (msgspec.ValidationError, ValueError) as error:
        raise ConfigError(f"compare {path!r} is damaged ({error}): {anew}") from error


def _checked(result: Result) -> Result:
    """Refuse figures with which no arithmetic is possible."""
    measurement = result.measurement
    rounds = len(measurement.totals)
    if not rounds or not measurement.stages:
        raise ValueError("it has no rounds or no stages")
    if min(measurement.files, measurement.data_files, *measurement.totals) <= 0:
        raise ValueError("it has no files or no seconds")
    for figures in measurement.stages:
        if not len(figures.seconds) == len(figures.cpu_seconds) == rounds:
            raise ValueError(f"stage {figures.stage!r} has not {rounds} rounds")
    if len(measurement.background_cpu) != rounds:
        raise ValueError(f"its other threads have not {rounds} rounds")
    if measurement.processes is not None and not measurement.processes.seconds:
        raise ValueError("its processes have no rounds")
    return result
