r"""Annotations → COCO JSON (instances): boxes, outlines and areas in pixels.

A COCO file is one document for the whole data set, so it is written as two streams, of images and
of annotations, that grow batch by batch and are joined at the end::

    HEAD  images  BETWEEN  annotations  tail()

Nothing but two counters is kept in between. Image and annotation IDs count from 1 in the order of
what is added: the same data in the same order gives the same bytes, however it is cut into batches.
(0 would do for most readers, but pycocotools takes an annotation 0 for no match.)

Fields are those of the official client's exporter: `attributes.encord_track_uuid` is the object hash;
categories count from 1 in the order of the ontology's objects. `score` exists where a confidence
was read. Additional keys lead back: `data_hash` of images, `feature_hash` of categories.

`segmentation` of a rotated box is the ring of its corners in pixels, and `bbox` the box around them:
COCO's `bbox` encloses the segmentation, and tools compute one from the other. `area` is width × height,
and the angle is `attributes.rotation`. With the option "unrotated", `bbox` and `segmentation` are the
box before its rotation, as the official client's exporter writes them.

Products of fractions and pixels are not rounded. A polygon has the outlines of all its parts, and
the box around them; holes have no place but in the area, which is without them, and are counted
(`dropped_parts`). The official client's exporter draws such polygons as masks of whole pixels
instead, and calls them crowds, which evaluations leave out. Which annotations cannot be written at
all is decided before (`representable`):

- `no-place-in-format`: no box, rotated box or polygon of an image;
- `image-size-unknown`: COCO has no place for an image of unknown size but in the list of images,
  without width and height.
"""

from collections import Counter
from typing import Final, NamedTuple

import numpy as np
import orjson
from msgspec import Struct

from labelingest.columns.types import Bool
from labelingest.model.annotations import Annotations, ColumnShape, column_shapes
from labelingest.model.batch_output import Labels
from labelingest.model.ontology import Ontology
from labelingest.model.rejections import reject_rows
from labelingest.model.units import DataUnits
from labelingest.problems import ProblemCode
from labelingest.problems.of_batch import BatchProblems
from labelingest.writers.coco_page import CocoCounts, CocoPage, category_ids
from labelingest.writers.instances import hole_count
from labelingest.writers.representable import representable_on_images
from labelingest.writers.target import CocoRotated, TargetOptions, Written

__all__ = [
    "BETWEEN",
    "HEAD",
    "CocoChunk",
    "CocoWriter",
    "dropped_parts",
    "representable",
    "sizes_needed",
    "write",
]

HEAD: Final = b'{"info":{"description":"written by labelingest"},"licenses":[],"images":['
"""Text before the images."""
BETWEEN: Final = b'\n],"annotations":['
"""Text between images and annotations."""


class CocoChunk(NamedTuple):
    """Text that a batch adds to each of the two streams."""

    images: bytes
    annotations: bytes


def sizes_needed(annotations: Annotations, units: DataUnits, options: TargetOptions) -> Bool:
    """Return (u,) all data units: coordinates are pixels."""
    return np.ones(len(units), dtype=bool)


def representable(
    annotations: Annotations, units: DataUnits, options: TargetOptions, problems: BatchProblems
) -> Annotations:
    """Return the annotations that COCO can represent; reject the others.

    Parameters
    ----------
    annotations
        (n,) annotations of the units.
    units
        (u,) the data units, and their sizes where known.
    options
        The ontology that annotations point into.
    problems
        Takes the annotations that cannot be written, each once.
    """
    annotations = representable_on_images(
        annotations, units, options.ontology.objects, "COCO", problems
    )

    def unsized(row: int) -> str:
        return (
            f"COCO's coordinates are pixels, and the size of {units.key[annotations.unit[row]]!r} "
            "is not known: its header could not be read, or sizes are switched off"
        )

    without_size = ((units.width <= 0) | (units.height <= 0))[annotations.unit]
    code = ProblemCode.IMAGE_SIZE_UNKNOWN
    return reject_rows(without_size, code, annotations, units, unsized, problems)


def write(annotations: Annotations, units: DataUnits, options: TargetOptions) -> Written:
    """Return the columns that `CocoWriter` writes, and count what COCO cannot represent."""
    shapes = column_shapes(options.ontology.objects)[annotations.feature]
    count = int(np.count_nonzero(shapes == ColumnShape.ROTATED_BOX))
    drawn_as = options.coco_rotated.label
    return Written(
        labels=Labels(units, annotations),
        converted=Counter({f"rotated box → {drawn_as}": count} if count else {}),
        dropped=dropped_parts(annotations),
    )


def dropped_parts(annotations: Annotations) -> Counter[str]:
    """Count the parts of annotations that COCO cannot represent."""
    holes = hole_count(annotations)
    return Counter({"hole": holes} if holes else {})


class CocoWriter(Struct):
    """Writes batches, in order, as parts of one COCO document.

    Examples
    --------
    >>> from labelingest.model.ontology import OntologyObject, Shape
    >>> car = OntologyObject("Car", "#D33115", Shape.BOUNDING_BOX, "a1B2c3D4")
    >>> one = np.zeros(1, dtype=np.int32)
    >>> numbers, offsets = np.array([0.25, 0.5, 0.5, 0.5]), np.array([0, 4])
    >>> content = np.zeros(1, np.uint64)
    >>> annotations = Annotations(one, one, one + 1, one + 0.9, numbers, offsets, content)
    >>> units = DataUnits.from_keys(["a.jpg"], ["a.txt"], np.zeros(1, np.int64))
    >>> units = units.with_sizes(one + 640, one + 480)
    >>> writer = CocoWriter(Ontology((car,), "vehicles"), "s3://bucket/")
    >>> chunk = writer.add(annotations, units)
    >>> document = HEAD + chunk.images + BETWEEN + chunk.annotations + writer.tail()
    >>> decoded = orjson.loads(document)
    >>> decoded["images"][0]["file_name"], decoded["annotations"][0]["bbox"]
    ('a.jpg', [160.0, 240.0, 320.0, 240.0])
    """

    ontology: Ontology
    storage_url: str
    """URL of the storage path, ending in "/": links and hashes are made from it."""
    rotated: CocoRotated = CocoRotated.CORNERS
    """Drawing of rotated boxes."""
    images: int = 0
    """Number of images so far."""
    annotations: int = 0
    """Number of annotations so far."""

    def add(
        self, annotations: Annotations, units: DataUnits, *, continued: bool = False
    ) -> CocoChunk:
        """Write the next batch.

        Parameters
        ----------
        annotations
            (n,) annotations of the units that are `representable`; a unit may have none.
        units
            (u,) the data units, and their sizes where known.
        continued
            Whether these are more annotations of the batch before, whose units they are.
        """
        page = self.page(annotations, units)
        counts = page.measure.counts
        before = CocoCounts(self.images - counts.images * continued, self.annotations)
        self.images = before.images + counts.images
        self.annotations += counts.annotations
        return CocoChunk(b"" if continued else page.images(before), page.annotations(before))

    def page(self, annotations: Annotations, units: DataUnits) -> CocoPage:
        """Return the text of a batch, which gets its IDs later."""
        return CocoPage(annotations, units, self.ontology, self.storage_url, self.rotated)

    def tail(self) -> bytes:
        """Return the text after the annotations: the categories, and the end of the document."""
        categories = [
            {
                "supercategory": entry.shape,
                "id": number,
                "name": entry.name,
                "feature_hash": entry.feature_hash,
            }
            for entry, number in zip(
                self.ontology.objects, category_ids(self.ontology).tolist(), strict=True
            )
            if number
        ]
        return b'\n],"categories":' + orjson.dumps(categories) + b"}\n"
