"""Fail data files that are no images, where sidecars or output are of images only.

A sidecar of images beside a video would become a label row of the video whose boxes are on no
frame: it is refused, whichever way the file came in.
"""

import numpy as np

from labelingest.converter.batch import Batch
from labelingest.formats.format import Format
from labelingest.model.kinds import kind_of
from labelingest.model.units import are_images
from labelingest.problems import Problem, ProblemCode

__all__ = ["fail_non_images"]


def fail_non_images(batch: Batch, source: Format, target: Format) -> None:
    """Fail the files of a batch that are no images, if one of the formats is of images only.

    Parameters
    ----------
    batch
        Labels of the batch; those of failed files are dropped, and counted as rejected.
    source, target
        Formats of the sidecars and of the output.
    """
    if not (source.is_of_images or target.is_of_images):
        return
    images = are_images(batch.units)
    if images.all():
        return
    counts = batch.counts()
    for unit in np.flatnonzero(~images).tolist():
        if unit in batch.problems.failed:
            continue
        key = batch.units.key[unit]
        count = int(counts.annotations[unit] + counts.classifications[unit])
        code, detail = _reason(key, source, target)
        batch.problems.fail(unit, Problem(code, batch.units.sidecar[unit], detail))
        batch.problems.rejected[code] += count
        batch.problems.rejected_in[unit] += count
    batch.keep(images)


def _reason(key: str, source: Format, target: Format) -> tuple[ProblemCode, str]:
    """Return why a file that is no image is not converted."""
    if not source.is_of_images:
        detail = f"{target.title} has labels of images only, and {key!r} is none: nothing of it is written"
        return ProblemCode.NO_PLACE_IN_FORMAT, detail
    kind = kind_of(key)
    actual = f"{key!r} is a file of the kind {kind.value}" if kind else f"{key!r} is no image"
    detail = (
        f"{source.source_title} are about images only, and {actual}: nothing of it is converted"
    )
    return ProblemCode.WRONG_DATA_TYPE, detail
