"""The options that commands share, each said once: its type, its help and its panel.

What a value may be is decided by `labelingest.config`.
"""

from collections.abc import Callable
from inspect import signature
from pathlib import Path
from typing import Annotated, Final

import typer

__all__ = [
    "OUTPUT_PANEL",
    "AsJson",
    "BatchBytes",
    "Config",
    "CreatedBy",
    "DatasetTitle",
    "DuplicateRows",
    "Engine",
    "ExitZero",
    "FailedCsv",
    "FollowSymlinks",
    "Format",
    "ImageSizes",
    "Images",
    "KptShape",
    "Labels",
    "Map",
    "MaxLabelBytes",
    "MetadataSuffix",
    "Namespace",
    "OnRowError",
    "OnShapeMismatch",
    "Ontology",
    "Out",
    "OutOfRange",
    "Overwrite",
    "ProblemsFile",
    "Quiet",
    "ReplaceFile",
    "ReportFile",
    "Restart",
    "RowLayout",
    "ShardRows",
    "StateUrl",
    "StoragePath",
    "StorageUrl",
    "Strict",
    "Suffix",
    "To",
    "WarnMisfit",
    "Workers",
    "YoloConfidence",
    "YoloLayout",
    "same_options",
]

_RULES: Final = "How rows become annotations"
_FILES: Final = "Which files"
_CLASSES: Final = "Which classes"
OUTPUT_PANEL: Final = "Output"
_WORK: Final = "Who does the work"
_STATE: Final = "State"

StoragePath = Annotated[
    str | None,
    typer.Argument(
        metavar="STORAGE_PATH",
        help="Folder with data files and label files, or a URL as s3://bucket/prefix/.",
    ),
]
Config = Annotated[
    Path | None,
    typer.Option(help="TOML file with any of these options (underscores for dashes); flags win."),
]
Ontology = Annotated[
    str | None,
    typer.Option(help="Ontology JSON: Encord's structure.", rich_help_panel=_CLASSES),
]
Format = Annotated[
    str | None,
    typer.Option(
        help="Format of the label files: yolo, encord, or auto (default: told by the patterns, the "
        "suffix or the files).",
        rich_help_panel=_FILES,
    ),
]
Suffix = Annotated[
    str | None,
    typer.Option(
        help="Suffix of Encord sidecars (default .encord.json): a.jpg has a.jpg.encord.json.",
        rich_help_panel=_FILES,
    ),
]
Images = Annotated[
    list[str] | None,
    typer.Option(
        help="Image file pattern, as 'images/{name}.jpg'; may be repeated. Without patterns the "
        "usual layouts are recognised.",
        rich_help_panel=_FILES,
    ),
]
Labels = Annotated[
    str | None,
    typer.Option(help="Label file pattern, as 'labels/{name}.txt'.", rich_help_panel=_FILES),
]
MetadataSuffix = Annotated[
    str | None,
    typer.Option(
        help="Suffix of custom metadata files, as .metadata.json: they are no data files.",
        rich_help_panel=_FILES,
    ),
]
FollowSymlinks = Annotated[
    bool | None,
    typer.Option(
        "--follow-symlinks/--no-follow-symlinks",
        help="Follow symbolic links (default); switch off for folders that are not trusted.",
        rich_help_panel=_FILES,
    ),
]
Namespace = Annotated[
    str | None,
    typer.Option(
        help="Namespace of the external IDs that are class numbers (default: YOLO, else the first).",
        rich_help_panel=_CLASSES,
    ),
]
Map = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NUMBER=OBJECT",
        help="Map a class number by hand, to a feature hash or a name: 7=car; '7=' removes it. May "
        "be repeated.",
        rich_help_panel=_CLASSES,
    ),
]
RowLayout = Annotated[
    str | None,
    typer.Option(
        help="What the columns of a row are: auto (default: told by their number), box, "
        "box+confidence, confidence+box, box+track, box+confidence+track, polygon, "
        "polygon+confidence, corners, corners+confidence, xywhr, pose.",
        rich_help_panel=_RULES,
    ),
]
KptShape = Annotated[
    tuple[int, int] | None,
    typer.Option(
        metavar="N DIMS",
        help="Keypoints and numbers for each (2 or 3), for --row-layout pose.",
        rich_help_panel=_RULES,
    ),
]
OnRowError = Annotated[
    str | None,
    typer.Option(
        help="What a bad row costs: skip (default: itself), skip-file or stop.",
        rich_help_panel=_RULES,
    ),
]
OutOfRange = Annotated[
    str | None,
    typer.Option(
        help="Geometry that reaches outside the image: clip (default), keep or reject.",
        rich_help_panel=_RULES,
    ),
]
OnShapeMismatch = Annotated[
    str | None,
    typer.Option(
        help="Rows of another kind than the ontology object's shape: convert (default) or reject.",
        rich_help_panel=_RULES,
    ),
]
DuplicateRows = Annotated[
    str | None,
    typer.Option(
        help="Rows identical to an earlier one of their file: keep (default) or drop.",
        rich_help_panel=_RULES,
    ),
]
WarnMisfit = Annotated[
    float | None,
    typer.Option(
        help="Part of the longer side by which four corners may miss a rectangle without a warning "
        "(default 0.1).",
        rich_help_panel=_RULES,
    ),
]
MaxLabelBytes = Annotated[
    int | None,
    typer.Option(
        help="Bytes that one YOLO label file may have (default 64000000); larger ones are named, not read.",
        rich_help_panel=_RULES,
    ),
]
ImageSizes = Annotated[
    str | None,
    typer.Option(
        help="Which image headers are read: needed (default: for rotated boxes), all or never.",
        rich_help_panel=_RULES,
    ),
]
StorageUrl = Annotated[
    str | None,
    typer.Option(
        help="Where the files really live, as s3://bucket/prefix/, when STORAGE_PATH is a copy: "
        "identifiers and links are made from it.",
        rich_help_panel=OUTPUT_PANEL,
    ),
]
CreatedBy = Annotated[
    str | None,
    typer.Option(help="E-mail address of the labels' author.", rich_help_panel=OUTPUT_PANEL),
]
DatasetTitle = Annotated[
    str | None, typer.Option(help="Dataset title in label rows.", rich_help_panel=OUTPUT_PANEL)
]
To = Annotated[
    str | None,
    typer.Option(
        help="What the labels become: encord (default), yolo, coco or parquet.",
        rich_help_panel=OUTPUT_PANEL,
    ),
]
YoloLayout = Annotated[
    str | None,
    typer.Option(
        help="Rows for --to yolo: auto (default: as the shapes say), box, polygon or corners.",
        rich_help_panel=OUTPUT_PANEL,
    ),
]
YoloConfidence = Annotated[
    bool | None,
    typer.Option(
        "--yolo-confidence/--no-yolo-confidence",
        help="Write confidences as a last column of YOLO rows (default: not, as training tools "
        "refuse such rows).",
        rich_help_panel=OUTPUT_PANEL,
    ),
]
Out = Annotated[
    str | None,
    typer.Option(
        help="Where they go: FILE.jsonl (fast), FILE.jsonl.zst, or a folder for one KEY.encord.json each; a folder "
        "for yolo, FILE.json for coco, FILE.parquet for parquet.",
        rich_help_panel=OUTPUT_PANEL,
    ),
]
ShardRows = Annotated[
    int | None,
    typer.Option(
        help="Label rows in each of several files: OUT is then a folder, or FOLDER.zst for "
        "compressed files.",
        rich_help_panel=OUTPUT_PANEL,
    ),
]
ReportFile = Annotated[
    str | None,
    typer.Option("--report", help="Write the report as JSON.", rich_help_panel=OUTPUT_PANEL),
]
ProblemsFile = Annotated[
    str | None,
    typer.Option(
        "--problems", help="Write all problems as JSON Lines.", rich_help_panel=OUTPUT_PANEL
    ),
]
FailedCsv = Annotated[
    str | None,
    typer.Option(help="Write the list of failed files as CSV.", rich_help_panel=OUTPUT_PANEL),
]
Overwrite = Annotated[
    bool | None,
    typer.Option(
        "--overwrite",
        help="Replace files that no run wrote (earlier outputs are replaced anyway); never an "
        "input.",
        rich_help_panel=OUTPUT_PANEL,
    ),
]
ReplaceFile = Annotated[
    bool,
    typer.Option(
        "--overwrite",
        "--force",
        help="Replace a file that no run wrote; never an input.",
        rich_help_panel=OUTPUT_PANEL,
    ),
]
BatchBytes = Annotated[
    int | None,
    typer.Option(
        help="Bytes of label files converted together (default 400000); label rows do not change; compressed files do.",
        rich_help_panel=_WORK,
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(
        help="Processes that convert (default: one for each core; one for small folders).",
        rich_help_panel=_WORK,
    ),
]
Engine = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        help="Cluster that converts instead: dask://HOST:PORT or ray://HOST:PORT.",
        rich_help_panel=_WORK,
    ),
]
Restart = Annotated[
    bool | None,
    typer.Option(
        "--restart",
        help="Begin anew instead of going on where an interrupted run was.",
        rich_help_panel=_WORK,
    ),
]
Strict = Annotated[
    bool,
    typer.Option("--strict", help="Exit with 1 for warnings too.", rich_help_panel=OUTPUT_PANEL),
]
ExitZero = Annotated[
    bool,
    typer.Option(
        "--exit-zero",
        help="Exit with 0 although some files have errors, for schedulers that must not stop.",
        rich_help_panel=OUTPUT_PANEL,
    ),
]
Quiet = Annotated[
    bool,
    typer.Option("--quiet", "-q", help="No progress and no report.", rich_help_panel=OUTPUT_PANEL),
]
AsJson = Annotated[
    bool,
    typer.Option(
        "--json", help="Write the result as JSON to standard output.", rich_help_panel=OUTPUT_PANEL
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
        rich_help_panel=_STATE,
    ),
]


def same_options(command: Callable[..., None], like: Callable[..., None], *but: str) -> None:
    """Give a command the options of another, so that no list of options stands here twice."""
    parameters = [p for name, p in signature(like).parameters.items() if name not in but]
    extra = signature(command).parameters.values()
    parameters += [p for p in extra if p.kind is not p.VAR_KEYWORD and p not in parameters]
    command.__signature__ = signature(like).replace(parameters=parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {p.name: p.annotation for p in parameters} | {"return": None}
