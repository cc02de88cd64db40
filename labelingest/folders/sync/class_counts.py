"""Counts by class of a run: they are kept in its record, and may show that numbers begin at 1.

A run counts the label files that it converts. So the warning of numbers that begin at 1 is given, and
withdrawn, only by a run that converts all label files of the folder: a few changed files say little
about the numbers of the others.
"""

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from labelingest.folders.state.problems import Part, replace_problems
from labelingest.folders.state.tables import label_rows
from labelingest.folders.sync.batch import BatchWork
from labelingest.folders.sync.recorder import Recorder
from labelingest.model.class_table import class_table
from labelingest.resolution.numbers_from_one import warn_of_numbers_from_one

__all__ = ["record_classes"]


def record_classes(
    connection: Connection, recorder: Recorder, work: BatchWork, *, has_class_list: bool
) -> None:
    """Put counts by class into the record of a run, and warn of numbers that begin at 1.

    Parameters
    ----------
    connection
        Connection in a transaction that writes.
    recorder
        Record of the run.
    work
        Work of all batches of the run.
    has_class_list
        Whether a class list gives the class numbers of the folder their names.
    """
    tally = work.tally
    files = tally.label_rows + tally.failed_files
    if work.worker is None or not files:
        return
    converter, run = work.worker.converter, recorder.run
    has_numbers = converter.source_format.needs_class_numbers
    table = class_table(converter.ontology, converter.class_map, has_numbers=has_numbers)
    in_folder = sa.select(sa.func.count()).where(label_rows.c.folder_id == run.folder_id)
    is_complete = files == (connection.scalar(in_folder) or 0)
    run.counters.classes = {
        **table.as_dict(tally.classes),
        "label_rows": tally.label_rows,
        "is_complete": is_complete,
    }
    if is_complete:
        problems = warn_of_numbers_from_one(table, tally.classes, has_class_list=has_class_list)
        run.counters.count_problems(problems)
        of_classes = ("", Part.CLASSES)
        replace_problems(connection, run.folder_id, [of_classes], {of_classes: problems})
