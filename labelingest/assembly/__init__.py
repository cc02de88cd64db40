"""Stage 6: source labels and their ontology objects → annotations.

The shape of the ontology object decides what a row becomes. Ranges are checked first, then the
geometry is converted; a row is rejected for one cause, the first that applies; every change is
counted. Formats and files are not known here::

    assemble.py        picks the conversion of each row, finds duplicates, puts rows together
    boxes.py           boxes → any shape
    rotated_boxes.py   corners and rotated boxes → any shape
    polygons.py        polygons → any shape
    outlines.py        polygons that cross themselves
    other_readings.py  warnings of polygons that look like poses or joined rows
    lookalikes.py      rows that look like poses or joined rows
    pixels.py          coordinates in pixels → fractions of the image
    reach.py           where geometry lies, and what lies outside the image
    context.py         the context of a batch, and checks that conversions share
"""
