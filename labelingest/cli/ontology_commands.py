"""The commands of ontologies: the class map of one, and a starter made from class names."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from labelingest.cli.options import ReplaceFile, with_options
from labelingest.errors import ConfigError
from labelingest.options import Command

__all__ = ["classes", "ontology_app"]

ontology_app = typer.Typer(
    help="Create ontologies from the class names of a data set.", no_args_is_help=True
)


@with_options(Command.CLASSES)
def classes(
    ontology: Annotated[Path, typer.Argument(metavar="ONTOLOGY", help="Ontology, a JSON file.")],
    **options: Any,
) -> None:
    """Show the ontology object of each class number, and the reason for the choice.

    Example: labelingest classes ontology.json --map 7=car
    """
    from labelingest.class_lists.compare import compare_names
    from labelingest.class_lists.read import load_class_list
    from labelingest.cli.render_classes import classes_as_json, print_classes, print_objects
    from labelingest.resolution.class_map import make_class_map, mapped_names
    from labelingest.resolution.ontology_json import load_ontology
    from labelingest.resolution.overrides import parse_overrides

    loaded = load_ontology(ontology)
    overrides = parse_overrides(options["map"] or [])
    unmappable = not overrides and not any(entry.external_ids for entry in loaded.objects)
    if unmappable and not options["as_json"]:
        print_objects(loaded, str(ontology))
    mapping = make_class_map(loaded, namespace=options["namespace"], overrides=overrides)
    comparison = None
    if options["class_list"] is not None:
        class_list = load_class_list(options["class_list"])
        comparison = compare_names(class_list, mapped_names(loaded, mapping))
    if options["as_json"]:
        sys.stdout.buffer.write(classes_as_json(loaded, mapping, comparison))
    else:
        print_classes(loaded, mapping, comparison)


@ontology_app.command("init")
def ontology_init(
    names: Annotated[
        Path,
        typer.Argument(
            metavar="data.yaml|classes.txt",
            help="Class names: a YAML file with `names:`, a text file with one name per line "
            "(numbers before all names count), or notes.json.",
        ),
    ],
    shape: Annotated[
        str,
        typer.Option(help="Shape of all objects: bounding_box, polygon or rotatable_bounding_box."),
    ],
    namespace: Annotated[str, typer.Option(help="Namespace of the external IDs.")] = "YOLO",
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="File to write (default: standard output)."),
    ] = None,
    overwrite: ReplaceFile = False,
) -> None:
    """Write a starter ontology for the class names of a YOLO data set.

    Example: labelingest ontology init data.yaml --shape bounding_box --out ontology.json
    """
    from labelingest.cli.console import print_message, to_json
    from labelingest.model.ontology import Shape
    from labelingest.resolution.class_numbers import SUPPORTED_SHAPES
    from labelingest.resolution.starter import starter_ontology
    from labelingest.sinks.output_guard import GuardedOutput, OutputGuard, OutputKind

    if shape not in SUPPORTED_SHAPES:
        *others, last = SUPPORTED_SHAPES
        raise ConfigError(f"--shape {shape!r}: expected {', '.join(others)} or {last}")
    structure = starter_ontology(_class_names(names), Shape(shape), namespace)
    text = to_json(structure)
    if out is None:
        sys.stdout.buffer.write(text)
        return
    guard = OutputGuard({"list of class names": names}, overwrite=overwrite)
    with guard.open(GuardedOutput("out", str(out), OutputKind.ONTOLOGY)) as file:
        file.write(text)
    count = len(structure["objects"])
    print_message(f"objects written to {out}: {count}; next: labelingest classes {out}")


def _class_names(path: Path) -> Mapping[int, str]:
    """Read class names, and print the defects of their list."""
    from labelingest.class_lists.read import load_class_list, numbers_from_one
    from labelingest.cli.console import print_message

    class_list = load_class_list(path)
    for problem in (*class_list.problems, *numbers_from_one(class_list)):
        print_message(str(problem))
    return class_list.names
