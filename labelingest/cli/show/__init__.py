"""Show one label row to people, or to programs as JSON: head, objects, answers, problems.

With an ontology the row is read as a conversion reads sidecars: the output has the labels that
would be written, and the problems that `labelingest check` finds in the document (`check` looks at
outlines and image headers as well). A row that would not be converted, or that is shown without an
ontology, is shown unchanged.
"""

import sys
from collections.abc import Sequence
from functools import partial

import orjson

from labelingest.cli.show.find_row import SUFFIX, FoundRow, find_row
from labelingest.cli.show.label_row import LabelRowView, label_row_of
from labelingest.cli.show.print_row import print_problems, print_row
from labelingest.documents.decode import UNDECODED, decode
from labelingest.errors import ConfigError
from labelingest.fence import result_or_reason
from labelingest.model.blobs import Unread
from labelingest.model.vocabulary import Vocabulary
from labelingest.problems import UNEXPECTED, Problem, Severity
from labelingest.problems.of_document import DocumentProblems, json_type_name
from labelingest.readers.encord.data_file import ANY_FILE, DataFile
from labelingest.readers.encord.explain.label_row import CheckedRow, read_label_row
from labelingest.readers.encord.explain.row_of_list import row_of_list
from labelingest.resolution.ontology_json import load_ontology

__all__ = ["show"]


def show(
    what: str,
    *,
    rows: str | None = None,
    suffix: str = SUFFIX,
    ontology: str | None = None,
    everything: bool = False,
    as_json: bool = False,
) -> int:
    """Print a label row on standard output.

    Parameters
    ----------
    what
        A label row, a data file with a sidecar, `-`, or a key in a file of rows.
    rows
        The file of rows, one a line.
    suffix
        Suffix that turns the name of a data file into that of its sidecar.
    ontology
        Path of the ontology to read the row by; without it the row is shown unchanged.
    everything
        Whether long lists are shown whole.
    as_json
        Whether JSON is printed for programs.

    Returns
    -------
    int
        Exit code: 1 where a problem of the row is an error, 3 where reading it failed.

    Raises
    ------
    ConfigError
        The name means no row or several, or the file holds no row.
    """
    vocabulary = (
        None if ontology is None else Vocabulary.from_structure(load_ontology(ontology).structure)
    )
    found_row = find_row(what, rows=rows, suffix=suffix)
    label_row, problems = _read(found_row, vocabulary)
    if as_json:
        sys.stdout.buffer.write(_as_json(found_row.source, label_row, problems))
    else:
        if label_row is not None:
            print_row(label_row, found_row.source, everything=everything)
        print_problems(problems, everything=everything)
    if any(problem.code in UNEXPECTED for problem in problems):
        return 3
    return int(any(problem.severity is Severity.ERROR for problem in problems))


def _read(
    found_row: FoundRow, vocabulary: Vocabulary | None
) -> tuple[LabelRowView | None, Sequence[Problem]]:
    """Return the row, or None for a file without one, and its problems."""
    if vocabulary is None:
        return _read_unchanged(found_row)
    file = ANY_FILE if found_row.data_file is None else DataFile.from_key(found_row.data_file)
    sidecar = result_or_reason(
        partial(read_label_row, found_row.content, found_row.source, vocabulary, file)
    )
    if isinstance(sidecar, Unread):
        sidecar = CheckedRow(None, [Problem(sidecar.code, found_row.source, sidecar.detail)])
    if sidecar.row is not None:
        return label_row_of(sidecar.row, vocabulary), sidecar.problems
    try:
        return _read_unchanged(found_row)[0], sidecar.problems
    except ConfigError:
        return None, sidecar.problems


def _read_unchanged(found_row: FoundRow) -> tuple[LabelRowView, Sequence[Problem]]:
    problems = DocumentProblems(found_row.source)
    document = decode(found_row.content, problems)
    if document is UNDECODED:
        raise ConfigError(str(problems.in_order()[-1]))
    if isinstance(document, list):
        document, problems.base = row_of_list(document, found_row.data_file or "", problems)
        if document is None:
            raise ConfigError(str(problems.in_order()[-1]))
    if not isinstance(document, dict):
        raise ConfigError(
            f"{found_row.source}: holds {json_type_name(document)}, expected a label row, "
            "which is an object"
        )
    if "data_units" not in document:
        raise ConfigError(
            f"{found_row.source}: holds no label row: 'data_units' is missing, which has the labels"
        )
    return label_row_of(document), problems.in_order()


def _as_json(source: str, row: LabelRowView | None, problems: Sequence[Problem]) -> bytes:
    return orjson.dumps(
        {"source": source, "label_row": row, "problems": [p.as_dict() for p in problems]},
        option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE,
    )
