"""Encord JSON sidecars → label rows that every reader takes, each defect with its JSON pointer.

Two paths lead to the same rows. Nearly all sidecars are clean, and the typed path takes many of
them at once by columns. The explaining path reads one row at a time, and names every defect::

    read.py                        batch of sidecars: calls both paths
    data_file.py                   data file of a sidecar

    typed/label_rows.py            rows at once: calls those below
    typed/answers.py               answers and classifications
    typed/payloads.py              payloads of objects, in columns
    typed/schema.py, types.py      types of a vocabulary, made once
    typed/rules.py                 rules of the explaining path that types cannot state
    typed/rejected.py              signal that a row is left to the explaining path

    explain/label_row.py           keys of the row itself: calls those below
    explain/data_units.py          data units: sizes, frames
    explain/data_file.py           comparison of the row with its data file
    explain/object_answers.py      entries of answers
    explain/ranged_objects.py      objects of audio and text
    explain/objects.py             objects on frames
    explain/shapes.py              payloads: points.py, bitmask.py, coordinates.py
    explain/classifications.py     classifications, in three styles
    explain/dynamic_answers.py     answers that change over time
    explain/answers.py             answers to attributes
    explain/entries.py             entries keyed by hashes, ranges of frames
    explain/provenance.py          author, date, confidence
    explain/ontology_checks.py     names and archived elements of the ontology
    explain/rules.py               rules that the typed path is given

    columns.py                     label rows → annotations in columns

`documents/decode.py` turns bytes into JSON, and `problems/of_document.py` holds the problems of one
sidecar. No module of `typed` imports one of `explain`.

Refuses to know the identifiers that the platform gives: `writers/label_rows.py` replaces them.
"""

from labelingest.readers.encord.data_file import DataFile
from labelingest.readers.encord.explain.label_row import CheckedRow, read_label_row

__all__ = ["CheckedRow", "DataFile", "read_label_row"]
