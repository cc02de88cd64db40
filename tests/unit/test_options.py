"""The list of options, and everything that reads it."""

import ast
import subprocess
import sys
from enum import StrEnum
from inspect import getsource
from itertools import pairwise
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

import pytest
import typer

from labelingest.assembly.context import OutOfRange
from labelingest.cli import options as cli_options
from labelingest.cli.commands import app
from labelingest.cli.folder import settings_commands
from labelingest.cli.options import with_options
from labelingest.cli.parameter_names import parameter_name
from labelingest.config import OUTPUTS, IngestConfig, IngestOptions
from labelingest.converter import ImageSizes, OnRowError
from labelingest.folders.settings import LABEL_OPTIONS, FolderSettings
from labelingest.options import CONFIG_OPTIONS, OPTIONS, Command, Kind, Option, options_of
from labelingest.options.execution import MOST_BATCH_BYTES
from labelingest.options.page import options_page
from labelingest.readers.yolo.layouts import RowLayout
from labelingest.storage.base import MAX_SIDECAR
from labelingest.writers.target import CocoRotated
from labelingest.writers.yolo_rows import YoloLayout

ROOT = Path(__file__).parents[2]
KINDS: dict[Kind, object] = {
    Kind.TEXT: str,
    Kind.TEXTS: tuple[str, ...],
    Kind.PATH: str,
    Kind.FLAG: bool,
    Kind.WHOLE: int,
    Kind.NUMBER: float,
    Kind.TWO_WHOLE: tuple[int, int],
    Kind.CLASS_MAP: dict[int, str | None],
}
ENUMERATIONS: dict[str, type[StrEnum]] = {
    "image_sizes": ImageSizes,
    "on_row_error": OnRowError,
    "out_of_range": OutOfRange,
    "row_layout": RowLayout,
    "yolo_layout": YoloLayout,
    "coco_rotated": CocoRotated,
}


def without_none(annotation: object) -> object:
    if get_origin(annotation) in (Union, UnionType):
        [annotation] = [part for part in get_args(annotation) if part is not type(None)]
    return annotation


def test_list_and_configuration_have_the_same_options() -> None:
    assert CONFIG_OPTIONS.keys() == IngestConfig.model_fields.keys()
    assert list(IngestOptions.model_fields) == list(IngestConfig.model_fields)


@pytest.mark.parametrize("name", CONFIG_OPTIONS)
def test_list_and_configuration_agree_on_types_choices_and_bounds(name: str) -> None:
    option, field = CONFIG_OPTIONS[name], IngestConfig.model_fields[name]
    annotation = without_none(field.annotation)
    if get_origin(annotation) is Literal:
        assert tuple(option.choices) == get_args(annotation)
    else:
        assert annotation == KINDS[option.kind]
    bounds = {
        key: getattr(m, key) for m in field.metadata for key in ("ge", "le") if hasattr(m, key)
    }
    assert bounds.get("ge") == option.lowest
    assert bounds.get("le") == option.highest


def test_each_field_of_the_configuration_has_a_docstring() -> None:
    documented = set()
    for model in (IngestOptions, IngestConfig):
        [definition] = ast.parse(getsource(model)).body
        assert isinstance(definition, ast.ClassDef)
        for field, text in pairwise(definition.body):
            match field, text:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(
                    value=ast.Constant(value=str())
                ):
                    documented.add(name)
    fields = {name for name in documented if not name.startswith("_")}
    assert fields == IngestConfig.model_fields.keys()


@pytest.mark.parametrize("name", CONFIG_OPTIONS)
def test_list_and_configuration_agree_on_defaults(name: str) -> None:
    option, field = CONFIG_OPTIONS[name], IngestConfig.model_fields[name]
    if field.is_required():
        assert (name, option.default) in {("storage_path", None), ("ontology", None)}
    else:
        assert field.get_default(call_default_factory=True) == (
            {} if option.kind is Kind.CLASS_MAP else option.default
        )


@pytest.mark.parametrize("name", ENUMERATIONS)
def test_choices_are_those_of_the_code_that_uses_them(name: str) -> None:
    assert list(CONFIG_OPTIONS[name].choices) == [value.value for value in ENUMERATIONS[name]]


def test_every_closed_set_is_compared_with_the_code_or_the_formats() -> None:
    closed = {option.name for option in OPTIONS if option.choices}
    assert closed == {
        *(*ENUMERATIONS, "format", "to", "duplicate_rows", "on_shape_mismatch", "unlabelled"),
    }


def test_limits_of_the_list_are_those_of_the_code() -> None:
    assert CONFIG_OPTIONS["max_label_bytes"].highest == MAX_SIDECAR
    assert CONFIG_OPTIONS["batch_bytes"].highest == MOST_BATCH_BYTES


def test_no_two_options_of_a_command_have_one_name_or_flag() -> None:
    for command in Command:
        options = list(options_of(command))
        assert len({option.name for option in options}) == len(options)
        assert len({option.flag for option in options}) == len(options)


@pytest.mark.parametrize("option", OPTIONS, ids=range(len(OPTIONS)))
def test_help_is_one_sentence_with_its_values(option: Option) -> None:
    assert option.help[0].isupper()
    assert not option.help.endswith(".")
    assert not option.note or option.note.endswith(".")
    assert all(choice in option.help_text for choice in option.choices)
    assert option.default is None or not option.choices or option.default in option.choices


def test_outputs_and_options_of_synced_folders_come_from_the_list() -> None:
    assert OUTPUTS == ("out", "report", "problems", "failed_csv")
    assert LABEL_OPTIONS[:3] == ("suffix", "images", "labels")
    assert set(LABEL_OPTIONS) < set(CONFIG_OPTIONS)


def test_options_that_do_not_change_the_result_are_known() -> None:
    assert {name for name, option in CONFIG_OPTIONS.items() if not option.decides_result} == {
        *("storage_path", "ontology", "out", "report", "problems", "failed_csv", "overwrite"),
        *(
            "workers",
            "engine",
            "restart",
            "class_list",
            "no_class_list",
            "accept_class_names",
            "beside",
        ),
    }


def test_every_option_of_a_folder_is_a_setting_or_a_label_option() -> None:
    settings = {
        *FolderSettings.__dataclass_fields__,
        "no_metadata",
        "auto_sync",
        "json",
        "unmap",
        "accept_class_changes",
    }
    for command in (Command.FOLDER_CREATE, Command.FOLDER_CONFIGURE):
        names = {option.name for option in options_of(command)}
        assert names <= settings | {*LABEL_OPTIONS}
        assert names >= {*LABEL_OPTIONS}


def parameters(path: str) -> set[str]:
    command: Any = typer.main.get_command(app)
    for name in path.split():
        command = command.commands[name]
    return {parameter.name for parameter in command.params}


@pytest.mark.parametrize("command", Command)
def test_a_command_has_the_options_of_the_list(command: Command) -> None:
    assert parameters(command) >= {parameter_name(option) for option in options_of(command)}


def test_no_command_has_options_of_others() -> None:
    assert "out" not in parameters("check")
    assert "workers" not in parameters("bench")
    assert "ontology" not in parameters("pair")
    assert "follow_symlinks" not in parameters("folder configure")


def test_a_new_option_is_one_entry_of_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = Option(
        name="line_ending",
        help="Line ending of text outputs",
        choices=("lf", "crlf"),
        default="lf",
        is_label_option=True,
        commands=(Command.CONVERT, Command.FOLDER_CREATE),
    )
    monkeypatch.setattr("labelingest.options.OPTIONS", (*OPTIONS, entry))
    monkeypatch.setattr("labelingest.options.page.OPTIONS", (*OPTIONS, entry))

    def parameters_of(command: Command) -> dict[str, Any]:
        def function(ctx: typer.Context, **options: Any) -> None: ...

        program = typer.Typer()
        program.command()(with_options(command)(function))
        return {p.name or "": p for p in typer.main.get_command(program).params}

    option = parameters_of(Command.CONVERT)["line_ending"]
    assert option.opts == ["--line-ending"]
    assert option.help == "Line ending of text outputs: lf (default) or crlf."
    assert "line_ending" in parameters_of(Command.FOLDER_CREATE)
    assert "line_ending" not in parameters_of(Command.PAIR)
    assert "### `--line-ending`" in options_page()


def test_the_page_is_generated_from_the_list() -> None:
    page = (ROOT / "docs/reference/options.md").read_text("utf-8")
    assert page == options_page(), "run `make docs`"
    assert all(f"### `{option.flag}`\n" in page for option in OPTIONS)


def test_the_list_loads_no_library() -> None:
    script = (
        "import sys, labelingest.options; print(sorted({'pydantic', 'typer', 'numpy', 'orjson', "
        "'msgspec', 'sqlalchemy', 'rich'} & sys.modules.keys()))"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_modules_of_commands_declare_no_option_of_the_list_again() -> None:
    sources = [
        Path(module.__file__ or "").read_text() for module in (settings_commands, cli_options)
    ]
    assert not [option.name for option in OPTIONS for text in sources if option.help in text]
