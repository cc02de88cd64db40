"""Words for the books of a run: keys, files with errors, rows."""

from typing import Final

from labelingest.cli.console import kinds_of_files, many
from labelingest.cli.render_keys import files_equation, keys_equation
from labelingest.folders import RunRecord
from labelingest.folders.state.books import Books, outcomes_of

__all__ = ["books_of", "keys_and_files"]

_MOST_LISTS: Final = 3
"""Class lists that are shown; JSON has all."""


def books_of(run: RunRecord) -> list[tuple[str, str]]:
    """Return the books of a run as headings and sentences; empty where the run has none."""
    if run.books is None:
        return []
    return keys_and_files(run.books, run.id) + _rows(run.books)


def keys_and_files(books: Books, run: int | None) -> list[tuple[str, str]]:
    """Return the outcome of keys, and the number of files with errors, as headings and sentences.

    Parameters
    ----------
    books
        Books of a run.
    run
        Number of the run that is shown; None to say in any case which run paired the files.
    """
    paired = "" if books.of_run == run else f" (paired by run {books.of_run})"
    rows = [("Keys", keys_equation(outcomes_of(books.keys)) + paired)]
    if books.unlabelled:
        rows.append(("Unlabelled", kinds_of_files(books.unlabelled)))
    rows += _class_lists(books)
    if books.failed is not None:
        rows.append(("Errors in", files_equation(books.failed)))
    return rows


def _class_lists(books: Books) -> list[tuple[str, str]]:
    """Return the first class lists that were compared, and how many more there are."""
    lists = books.class_lists.get("compared", ())
    rows = [
        (
            "Class list",
            f"{used['source']} ({many(used['label_files'], 'label file')}): {used['summary']}",
        )
        for used in lists[:_MOST_LISTS]
    ]
    if more := lists[_MOST_LISTS:]:
        rows.append(("", f"{many(len(more), 'class list')} more"))
    return rows


def _rows(books: Books) -> list[tuple[str, str]]:
    rows = books.rows
    if not rows.get("rows_seen"):
        return []
    rejected = rows["rejected"]
    causes = ", ".join(f"{code} {count:,}" for code, count in rejected.items())
    labels = many(rows["annotations"], "annotation")
    if rows["classifications"]:
        labels += f" + {many(rows['classifications'], 'classification')}"
    total = f"{sum(rejected.values()):,} rejected" + (f" ({causes})" if causes else "")
    return [("Rows read", f"{rows['rows_seen']:,} seen = {labels} + {total}")]
