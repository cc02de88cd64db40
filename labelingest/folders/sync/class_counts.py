"""Counts by class of a run: they are kept in its record, and may show that numbers begin at 1.

A run counts the label files that it converts, batch by batch. So the warning of numbers that begin
at 1 is given, and withdrawn, only by a run that converts all label files of the folder, or the
rest of what cancelled or killed runs before it converted: a few changed files say little about the
numbers of the others.
"""

from collections.abc import Container

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from labelingest.folders.state.class_counts import counts_of_unfinished
from labelingest.folders.state.problems import Part, replace_problems
from labelingest.folders.state.tables import label_rows
from labelingest.folders.sync.batch import BatchWork
from labelingest.folders.sync.recorder import Recorder
from labelingest.resolution.numbers_from_one import warn_of_numbers_from_one

__all__ = ["record_classes"]


def record_classes(
    connection: Connection, recorder: Recorder, work: BatchWork, *, named_numbers: Container[int]
) -> None:
    """Note whether a run counted all label files by class, and warn of numbers that begin at 1.

    Parameters
    ----------
    connection
        Connection in a transaction that writes.
    recorder
        Record of the run.
    work
        Work of all batches of the run.
    named_numbers
        Class numbers that class lists of the folder give a name.
    """
    run, tally = recorder.run, work.tally
    files = tally.label_rows + tally.failed_files
    in_folder = sa.select(sa.func.count()).where(label_rows.c.folder_id == run.folder_id)
    is_complete = 0 < files == (connection.scalar(in_folder) or 0)
    if run.counters.classes:
        run.counters.classes["is_complete"] = is_complete
    counts = tally.classes
    if files and not is_complete:
        mapped = run.counters.classes.get("mapped", [])
        earlier = counts_of_unfinished(connection, run, mapped)
        if earlier is not None:
            earlier.merge(counts)
            counts, is_complete = earlier, True
    if is_complete or len(work.class_table.classes) in named_numbers:
        problems = warn_of_numbers_from_one(work.class_table, counts, named_numbers=named_numbers)
        run.counters.count_problems(problems)
        of_classes = ("", Part.CLASSES)
        replace_problems(connection, run.folder_id, [of_classes], {of_classes: problems})
