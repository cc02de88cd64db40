"""Page of all problem codes in Markdown: `docs/problems.md`, generated from the catalogue."""

from collections.abc import Iterator
from itertools import groupby

from labelingest.problems.codes import ProblemCode
from labelingest.problems.definition import Definition, Family

__all__ = ["problems_page"]

_HEAD = """\
# Problems

Defects of single files, by code: the cause, an example as it is printed, and the cure. An **error** means that something was not
converted; a **warning** means that everything was, and that a person should look. Codes are stable; sentences may improve.

A problem in a text file is printed as `path:line:column: code: sentence`, lines and columns counted from 1, columns in characters.
`--problems FILE` writes all of them as JSON Lines, `--failed-csv FILE` one row for each file with an error.

A defect of the call as a whole (a missing ontology, patterns that cannot work, a full disk) is no problem but an error message with
exit code 2 or 3.

This page is generated from `labelingest/problems/catalogue` (`make docs`).
"""


def problems_page() -> str:
    """Return the page: a section for each family, in it one for each code.

    Examples
    --------
    >>> [line for line in problems_page().splitlines() if "not-json" in line][0]
    '### `not-json` (error)'
    """
    return "\n".join([_HEAD, *_sections()])


def _sections() -> Iterator[str]:
    definitions = (code.definition for code in ProblemCode)
    for family, members in groupby(definitions, key=lambda definition: definition.family):
        yield _section(family)
        yield from map(_entry, members)


def _section(family: Family) -> str:
    introduction = f"\n{family.introduction}\n" if family.introduction else ""
    return f"## {family.title}\n{introduction}"


def _entry(definition: Definition) -> str:
    return (
        f"### `{definition.code}` ({definition.severity})\n"
        f"- **Cause:** {definition.cause}\n"
        f"- **Example:** `{definition.example}`\n"
        f"- **Cure:** {definition.cure}\n"
    )
