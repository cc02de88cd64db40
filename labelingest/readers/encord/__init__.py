"""Encord JSON sidecars → label rows that every reader takes, each defect with its JSON pointer.

This is the general path: it explains. One row goes through these modules, top to bottom::

    decode.py           bytes → JSON; limits, repeated keys
    rows.py             the row's own keys; calls all others
    units.py            data units: sizes, frames
    objects.py          objects on frames     shapes.py, points.py, bitmask.py, numbers.py
    ranged.py           objects of audio and text
    object_answers.py   entries of answers    answers.py, actions.py (what changes over time)
    classifications.py  three styles, merged
    notes.py            what was wrong, and where

Refuses to know the data file beside the sidecar and the identifiers that the platform gives.
"""

from labelingest.readers.encord.rows import Checked, read_label_row

__all__ = ["Checked", "read_label_row"]
