"""Encord JSON sidecars → label rows that every reader takes, each defect with its JSON pointer.

This is the general path: it explains. One row goes through these modules, top to bottom::

    documents/decode.py           bytes → JSON; limits, repeated keys
    explain/label_row.py             the row's own keys; calls all others
    explain/data_units.py            data units: sizes, frames
    explain/data_file.py        is the row about the file that it stands beside
    explain/objects.py          objects on frames     explain/shapes.py, explain/points.py, explain/bitmask.py, explain/coordinates.py
    explain/ranged_objects.py           objects of audio and text
    explain/object_answers.py   entries of answers    explain/answers.py, explain/dynamic_answers.py (what changes over time)
    explain/classifications.py  three styles, merged
    problems/of_document.py            what was wrong, and where
    columns.py          clean rows → annotations in columns
    read.py            many sidecars at once: what the engine calls

Nearly all sidecars have nothing to be explained. The fast path finds them, many at once, by columns,
and takes their documents as they are; what it does not find clean goes through the modules above::

    typed/label_rows.py             calls those below
    typed/schema.py             the types of a vocabulary, made once       typed/types.py
    typed/payloads.py    what objects draw, by columns
    typed/answers.py     answers and classifications, as far as types cannot tell
    typed/rejected.py           what sends a row to the modules above

Refuses to know the identifiers that the platform gives: `writers/label_rows.py` replaces them.
"""

from labelingest.readers.encord.data_file import DataFile
from labelingest.readers.encord.explain.label_row import Checked, read_label_row

__all__ = ["Checked", "DataFile", "read_label_row"]
