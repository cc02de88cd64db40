"""One label row for people, and the same for programs: head, objects, answers, problems.

With an ontology the row is read as sidecars are when they are converted: shown are the labels that
would be written, and the problems that `labelingest check` finds in the document (it looks at
outlines and at image headers as well). A row that would not be converted at all, and one without an
ontology, is shown as it stands.
"""

import sys
from collections.abc import Sequence
from functools import partial

import orjson

from labelingest.cli.show.find_row import SUFFIX, FoundRow, find_row
from labelingest.cli.show.label_row import LabelRow, label_row_of
from labelingest.cli.show.print_row import print_problems, print_row
from labelingest.documents.decode import UNDECODED, decode
from labelingest.errors import ConfigError
from labelingest.fence import tried
from labelingest.model.blobs import Unread
from labelingest.model.vocabulary import Vocabulary
from labelingest.problems import UNEXPECTED, Problem, Severity
from labelingest.problems.of_document import DocumentProblems, json_type_name
from labelingest.readers.encord.explain.data_file import ANY_FILE, DataFile
from labelingest.readers.encord.explain.label_row import Checked, read_label_row
from labelingest.report import problem_dict
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
        What is added to the name of a data file to name its sidecar.
    ontology
        Path of the ontology to read the row by; without it the row is shown as it stands.
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
        No row is meant, several are, or the file holds none.
    """
    vocabulary = (
        None if ontology is None else Vocabulary.from_structure(load_ontology(ontology).structure)
    )
    found = find_row(what, rows=rows, suffix=suffix)
    row, problems = _read(found, vocabulary)
    if as_json:
        sys.stdout.buffer.write(_as_json(found.source, row, problems))
    else:
        if row is not None:
            print_row(row, found.source, everything=everything)
        print_problems(problems, everything=everything)
    if any(problem.code in UNEXPECTED for problem in problems):
        return 3
    return int(any(problem.severity is Severity.ERROR for problem in problems))


def _read(
    found: FoundRow, vocabulary: Vocabulary | None
) -> tuple[LabelRow | None, Sequence[Problem]]:
    """Return the row, None where it is none, and what is wrong with it."""
    if vocabulary is None:
        return _as_it_stands(found)
    file = ANY_FILE if found.data_file is None else DataFile.of(found.data_file)
    checked = tried(partial(read_label_row, found.content, found.source, vocabulary, file))
    if isinstance(checked, Unread):
        checked = Checked(None, [Problem(checked.code, found.source, checked.detail)])
    if checked.row is not None:
        return label_row_of(checked.row, vocabulary), checked.problems
    try:
        return _as_it_stands(found)[0], checked.problems
    except ConfigError:
        return None, checked.problems


def _as_it_stands(found: FoundRow) -> tuple[LabelRow, Sequence[Problem]]:
    notes = DocumentProblems(found.source)
    document = decode(found.content, notes)
    if document is UNDECODED:
        raise ConfigError(str(notes.in_order()[-1]))
    if not isinstance(document, dict):
        raise ConfigError(
            f"{found.source}: holds {json_type_name(document)}, expected a label row, "
            "which is an object"
        )
    if "data_units" not in document:
        raise ConfigError(
            f"{found.source}: holds no label row: 'data_units' is missing, which has the labels"
        )
    return label_row_of(document), notes.in_order()


def _as_json(source: str, row: LabelRow | None, problems: Sequence[Problem]) -> bytes:
    return orjson.dumps(
        {"source": source, "label_row": row, "problems": [problem_dict(p) for p in problems]},
        option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE,
    )
