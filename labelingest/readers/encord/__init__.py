"""Encord JSON sidecars → label rows that every reader takes, each defect with its JSON pointer.

This is the general path: it explains. One row goes through these modules, top to bottom::

    decode.py           bytes → JSON; limits, repeated keys
    rows.py             the row's own keys; calls all others
    units.py            data units: sizes, frames
    data_file.py        is the row about the file that it stands beside
    objects.py          objects on frames     shapes.py, points.py, bitmask.py, numbers.py
    ranged.py           objects of audio and text
    object_answers.py   entries of answers    answers.py, actions.py (what changes over time)
    classifications.py  three styles, merged
    notes.py            what was wrong, and where
    columns.py          clean rows → annotations in columns
    batch.py            many sidecars at once: what the engine calls

Nearly all sidecars have nothing to be explained. The fast path finds them, many at once, by columns,
and takes their documents as they are; what it does not find clean goes through the modules above::

    clean.py             calls those below
    known.py             the types of a vocabulary, made once       clean_types.py
    clean_payloads.py    what objects draw, by columns
    clean_answers.py     answers and classifications, as far as types cannot tell
    unclean.py           what sends a row to the modules above

Refuses to know the identifiers that the platform gives: `writers/label_rows.py` replaces them.
"""

from labelingest.readers.encord.data_file import DataFile
from labelingest.readers.encord.rows import Checked, read_label_row

__all__ = ["Checked", "DataFile", "read_label_row"]
