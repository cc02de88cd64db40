"""Stages 5 and 6: source labels and the shapes they are wanted in → annotations.

The shape of the ontology object decides what a row becomes. Ranges are checked first, then the
geometry is converted; a row is rejected for one cause, the first that applies; whatever is changed
on the way is counted. Formats and files are not known here.

`assemble.py` picks the step, `boxes.py`, `polygons.py` and `rotated_boxes.py` are the steps by what the
source wrote, `context.py` is what they share.
"""
