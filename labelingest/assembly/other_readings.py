"""Warn of rows of bounding boxes that were read as polygons, and look like something else.

A pose and two rows without the line end between them have as many columns as a polygon. For an
object that is a polygon, the table of columns is right; for a bounding box, such a row becomes the
envelope of numbers that are no vertices. The rows are converted as the table says, with a warning.
"""

from typing import Final

from labelingest.assembly.context import AssemblyContext
from labelingest.assembly.lookalikes import ROW, are_boxes, are_joined_rows, are_poses
from labelingest.columns.types import Int64
from labelingest.model.source_labels import Doubt
from labelingest.problems import ProblemCode

__all__ = ["warn_of_other_readings"]

_SECOND: Final = 4
"""Number of the coordinate behind a box: the first keypoint, or the class number of the next row."""


def warn_of_other_readings(context: AssemblyContext, rows: Int64) -> None:
    """Warn of rows, (r,), that became envelopes of polygons and look like poses or joined rows."""
    labels = context.labels
    if labels.doubt == Doubt.NONE or not len(context.problems.rows_to_note(rows)):
        return
    rows = rows[are_boxes(labels, rows)]
    joined = are_joined_rows(labels, rows)
    for row in rows[joined].tolist():
        count = labels.columns[row] // ROW
        detail = (
            f"{count} rows of boxes in one line? Read as a polygon, of which the box is the "
            "envelope: if a line end is missing, put it here"
        )
        context.warn(row, ProblemCode.LOOKS_LIKE_JOINED_ROWS, detail, _SECOND)
    rows = rows[~joined]
    for size in (3, 2):
        is_pose = are_poses(labels, rows, size)
        for row in rows[is_pose].tolist():
            keypoints = (labels.columns[row] - ROW) // size
            detail = (
                f"a box and {keypoints} × {size} keypoints? Read as a polygon, of which the box is "
                f"the envelope: declare --row-layout pose --kpt-shape {keypoints} {size}, or "
                "--row-layout columns if it is a polygon"
            )
            context.warn(row, ProblemCode.LOOKS_LIKE_POSE, detail, _SECOND)
        rows = rows[~is_pose]
