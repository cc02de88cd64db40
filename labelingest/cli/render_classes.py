"""Print a class map: the ontology object of each class number, for people and as JSON."""

from shlex import quote
from typing import Final

from labelingest.class_lists.compare import Comparison
from labelingest.class_lists.verdicts import ListUse, judge, summary
from labelingest.cli.console import many, open_console, print_columns, print_line, to_json
from labelingest.cli.render_problems import print_log
from labelingest.model.ontology import Ontology
from labelingest.problems.log import ProblemLog
from labelingest.resolution.class_map import ClassMapping
from labelingest.resolution.class_numbers import why_without_number

__all__ = ["classes_as_json", "print_classes", "print_objects"]

_EXAMPLES: Final = 3
"""Problems of one code that are printed."""
_MOST_OBJECTS: Final = 10
"""Objects without a class number that are printed."""


def print_classes(
    ontology: Ontology, mapping: ClassMapping, comparison: Comparison | None = None
) -> None:
    """Print a class map on standard output: namespaces, choice, and each number's object.

    Parameters
    ----------
    ontology, mapping
        The ontology and its class map.
    comparison
        A class list beside the mapped objects; None for no list.
    """
    console = open_console()
    choice = mapping.namespace
    if choice is None:
        print_line(
            console, "No namespaces: no object has external IDs; all class numbers come from --map"
        )
    else:
        counted = ", ".join(
            f"{name} ({many(n, 'object')})" for name, n in choice.namespaces.items()
        )
        print_line(console, f"Namespaces: {counted}")
        print_line(console, f"Chosen: {choice.name}: {choice.reason}")
        for notice in choice.notices():
            print_line(console, f"Notice: {notice}")
    print_columns(console, _rows(ontology, mapping, comparison))
    log = ProblemLog()
    log.add(mapping.problems, {})
    print_log(console, log, most=_EXAMPLES)
    mapped_rows = {entry.feature for entry in mapping.entries}
    unmapped = [o for index, o in enumerate(ontology.objects) if index not in mapped_rows]
    counts = (
        f"{many(len(mapping.entries), 'class number')}; {many(len(unmapped), 'object')} without"
    )
    print_line(console, counts + (":" if unmapped else ""))
    for unnumbered in unmapped[:_MOST_OBJECTS]:
        reason = why_without_number(unnumbered, choice.name if choice else None)
        print_line(console, f"  {unnumbered.name} ({unnumbered.feature_hash}): {reason}")
    if len(unmapped) > _MOST_OBJECTS:
        print_line(console, f"  … and {len(unmapped) - _MOST_OBJECTS:,} more")
    if comparison is not None:
        print_line(console, f"{comparison.class_list.source}: {_summary(comparison)}")


def _rows(
    ontology: Ontology, mapping: ClassMapping, comparison: Comparison | None
) -> list[tuple[str, ...]]:
    """Return the table of class numbers, headings first."""
    rows: list[tuple[str, ...]] = [("number", "object", "shape", "feature hash", "from")]
    for entry in mapping.entries:
        mapped = ontology.objects[entry.feature]
        cells = (str(entry.number), mapped.name, mapped.shape, mapped.feature_hash, entry.origin)
        rows.append(cells)
    if comparison is None:
        return rows
    names = [comparison.class_list.names.get(entry.number, "") for entry in mapping.entries]
    return [(*row, name) for row, name in zip(rows, ["class list", *names], strict=True)]


def _summary(comparison: Comparison) -> str:
    verdict, _ = judge(comparison, (), accepts=False)
    return summary(ListUse(comparison, verdict, 0))


def print_objects(ontology: Ontology, path: str) -> None:
    """Print the objects of an ontology without external IDs on standard output, to map them."""
    console = open_console()
    print_line(console, "No namespaces: no object has external IDs, so no class number is mapped")
    rows = [("number", "object", "shape", "feature hash", "")]
    for entry in ontology.objects:
        reason = why_without_number(entry, None)
        note = "" if reason == "no external ID" else reason
        rows.append(("—", entry.name, entry.shape, entry.feature_hash, note))
    print_columns(console, rows)
    fitting = [f for f in ontology.objects if why_without_number(f, None) == "no external ID"]
    names = [entry.name for entry in ontology.objects]
    if fitting:
        entry = fitting[0]
        # A name that two objects have means neither of them.
        name = entry.name if names.count(entry.name) == 1 else entry.feature_hash
        print_line(console, f"Next: labelingest classes {quote(path)} --map {quote(f'0={name}')}")


def classes_as_json(
    ontology: Ontology, mapping: ClassMapping, comparison: Comparison | None = None
) -> bytes:
    """Return a class map as JSON, with the names of a class list if one is compared."""
    choice = mapping.namespace
    names = {} if comparison is None else comparison.class_list.names
    return to_json(
        {
            "namespaces": dict(choice.namespaces) if choice else {},
            "namespace": choice.name if choice else None,
            "reason": choice.reason if choice else None,
            "notices": choice.notices() if choice else [],
            "classes": [
                {
                    "number": entry.number,
                    "name": ontology.objects[entry.feature].name,
                    "shape": ontology.objects[entry.feature].shape,
                    "feature_hash": ontology.objects[entry.feature].feature_hash,
                    "from": entry.origin,
                    **({} if comparison is None else {"list_name": names.get(entry.number)}),
                }
                for entry in mapping.entries
            ],
            "class_list": None
            if comparison is None
            else {"source": comparison.class_list.source, "summary": _summary(comparison)},
            "problems": [problem.as_dict() for problem in mapping.problems],
        }
    )
