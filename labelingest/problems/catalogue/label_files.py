"""Codes of YOLO label files and of labels that another format cannot represent."""

from typing import Final

from labelingest.problems.definition import Definition, Family, Severity

ERROR: Final = Severity.ERROR
WARNING: Final = Severity.WARNING

TEXT: Final = Family("Text of a label file")

NOT_TEXT: Final = Definition(
    "not-text",
    ERROR,
    TEXT,
    cause="a label file with NUL bytes or bytes that are not UTF-8 (UTF-16 needs a byte order "
    "mark). None of it is read. In a JSON sidecar, an answer or a value of custom metadata with half a "
    "surrogate pair (`\\ud83d` alone): it is dropped.",
    example="labels/a.txt: not-text: byte 1 is 0x89, which is not UTF-8: is this a text file?",
    cure="inspect it with `file` or `hexdump`; often it is an image with the wrong name.",
)

BAD_CLASS_NUMBER: Final = Definition(
    "bad-class-number",
    ERROR,
    TEXT,
    cause="the first column is not a whole number from 0 on (`3` and `3.0` are).",
    example="labels/a.txt:2:1: bad-class-number: '-1' is not a class number: a class number is 0, "
    "1, 2, …",
    cure="write the class number; class names belong in `data.yaml`.",
)

NOT_A_NUMBER: Final = Definition(
    "not-a-number",
    ERROR,
    TEXT,
    cause="a column is not a decimal number. Commas, underscores, `0x` and digits other than 0 to "
    "9 are refused.",
    example="labels/a.txt:1:1: not-a-number: '0,0.5,0.5,0.1,0.1' is not a number: comma "
    "separated? YOLO separates by blanks",
    cure="separate columns by blanks, and write decimal points instead of commas.",
)

NOT_FINITE: Final = Definition(
    "not-finite",
    ERROR,
    TEXT,
    cause="`nan`, `inf`, or a number too large for a double. In custom metadata, the key is "
    "dropped.",
    example="labels/a.txt:4:3: not-finite: 'nan' is not a finite number",
    cure="correct the program that wrote it: usually it divided by an image size of 0.",
)

TOO_FEW_COLUMNS: Final = Definition(
    "too-few-columns",
    ERROR,
    TEXT,
    cause="the row has fewer than 5 columns.",
    example="labels/a.txt:1:1: too-few-columns: 3 columns; the least is 5: class number, centre "
    "x, centre y, width, height",
    cure="complete the row, or delete it.",
)

WRONG_COLUMN_COUNT: Final = Definition(
    "wrong-column-count",
    ERROR,
    TEXT,
    cause="the declared row layout has another number of columns, or the row has more than "
    "2,000,000.",
    example="labels/a.txt:1:1: wrong-column-count: 5 columns; row layout 'box+confidence' has 6",
    cure="declare the layout that the files have, or `auto`.",
)

AMBIGUOUS_COLUMNS: Final = Definition(
    "ambiguous-columns",
    ERROR,
    TEXT,
    cause="a row of a rotated box has 6 columns: the last may be a confidence or an angle.",
    example="labels/a.txt:1:20: ambiguous-columns: 6 columns for a rotated box: is the last a "
    "confidence or an angle? Declare the row layout: box+confidence or xywhr",
    cure="`--row-layout box+confidence` or `--row-layout xywhr`.",
)

LAYOUT_CONTRADICTED: Final = Definition(
    "layout-contradicted",
    ERROR,
    TEXT,
    cause="the row layout was decided from the rows of all files, and the row has another number "
    "of columns, or numbers that the layout does not have. It is not read in another way.",
    example="labels/a.txt:2:1: layout-contradicted: 5 columns; the rows of all files decided for "
    "row layout 'box+confidence', which has 6 columns: correct the row, or declare the layout of "
    "all rows, as --row-layout box+confidence does for this one",
    cure="correct the row; if the layout is another one, declare it with `--row-layout`.",
)

ROW: Final = Family("Meaning of a row")

UNKNOWN_CLASS: Final = Definition(
    "unknown-class",
    ERROR,
    ROW,
    cause="the class number is mapped to no ontology object; in an Encord sidecar, the feature "
    "hash is that of no object or classification of the ontology.",
    example="labels/a.txt:1:1: unknown-class: class number 7 is mapped to no ontology object: add "
    "an external ID or an override (7=NAME)",
    cure="`labelingest classes ontology.json` shows the class map; add `--map 7=car` or the "
    "external ID. For Encord sidecars, use the ontology that they were made with.",
)

SHAPE_MISMATCH: Final = Definition(
    "shape-mismatch",
    ERROR,
    ROW,
    cause="with `--on-shape-mismatch reject`: the row is of another kind than the shape of its "
    "ontology object.",
    example="labels/a.txt:1:3: shape-mismatch: the row is a polygon, its ontology object a box",
    cure="map the number to an object of that shape, or let rows be converted.",
)

OUT_OF_RANGE: Final = Definition(
    "out-of-range",
    ERROR,
    ROW,
    cause="the centre of a box is outside the image, its width or height is not in (0, 1], a "
    "polygon has no area left once clipped to the image, or, with `--out-of-range reject`, "
    "geometry reaches outside.",
    example="labels/a.txt:3:3: out-of-range: centre x 320.0 is out of range (0 to 1): coordinates "
    "are fractions of the image, not pixels",
    cure="divide pixels by the image's width and height.",
)

BAD_CONFIDENCE: Final = Definition(
    "bad-confidence",
    ERROR,
    ROW,
    cause="the number in the column of the confidence is not between 0 and 1.",
    example="labels/a.txt:1:19: bad-confidence: 17.0 was read as a confidence, which is 0 to 1: if "
    "it is something else, declare the row layout",
    cure="`--row-layout box+track` for track IDs; divide percentages by 100.",
)

DEGENERATE_POLYGON: Final = Definition(
    "degenerate-polygon",
    ERROR,
    ROW,
    cause="fewer than three different vertices, or an outline that encloses no area.",
    example="labels/a.txt:2:3: degenerate-polygon: 2 different vertices; a polygon has at least 3",
    cure="delete the row, or draw the polygon again.",
)

IMAGE_SIZE_UNKNOWN: Final = Definition(
    "image-size-unknown",
    ERROR,
    ROW,
    cause="a row needs the image's size, for pixels or for boxes that are rotated in pixels, and its header "
    "could not be read: the file is damaged, or its header has more than 10,000 segments, chunks, "
    "boxes or tags, or 16 MiB of EXIF.",
    example="labels/a.txt:1:1: image-size-unknown: turning to or from a rotated box happens in "
    "pixels, and the size of 'images/a.jpg' is not known: its header could not be read, or sizes "
    "are switched off",
    cure="replace the image; do not switch sizes off (`--image-sizes never`).",
)

IMAGE_SIZE_MISSING: Final = Definition(
    "image-size-missing",
    WARNING,
    ROW,
    cause="`--image-sizes all` asks for the size of every image, and this one's could not be "
    "read. The label row is written without width and height.",
    example="images/a.jpg: image-size-missing: the size of the image is not known: its header "
    "cannot be read: the label row has no width and height",
    cure="replace the image if it is damaged.",
)

FAR_OUTSIDE_IMAGE: Final = Definition(
    "far-outside-image",
    ERROR,
    ROW,
    cause="a row reaches more than a whole image side outside the image, rotated boxes with their "
    "turned corners. Most often its numbers are pixels. It is rejected, whatever `--out-of-range` "
    "says.",
    example="labels/a.txt:1:3: far-outside-image: the polygon reaches 639 of the image's side "
    "outside the image: pixels? Declare them with --row-layout polygon-pixels",
    cure="declare `--row-layout polygon-pixels` or `box-pixels`, or divide the numbers by the "
    "image's width and height.",
)

SELF_INTERSECTING_POLYGON: Final = Definition(
    "self-intersecting-polygon",
    WARNING,
    ROW,
    cause="an outline crosses or touches itself. It is kept as it is; masks joined by bridge "
    "lines look like this.",
    example="labels/a.txt:2:3: self-intersecting-polygon: the outline crosses or touches itself: "
    "kept as it is",
    cure="none needed for bridges; else draw it again.",
)

POLYGON_NOT_CHECKED: Final = Definition(
    "polygon-not-checked",
    WARNING,
    ROW,
    cause="an outline has so many long edges beside each other that the search for crossings "
    "would take very long. The polygon is kept unchecked.",
    example="labels/a.txt:2:3: polygon-not-checked: the outline of 20,000 vertices is too tangled "
    "to be checked for crossings: kept unchecked",
    cure="none needed if the outline has no crossings; else simplify or split it.",
)

NOT_A_RECTANGLE: Final = Definition(
    "not-a-rectangle",
    WARNING,
    ROW,
    cause="four corners of a rotated box miss the rectangle through them by more than a tenth of "
    "its longer side (`--warn-misfit`). The smallest rectangle around them is used.",
    example="labels/a.txt:1:3: not-a-rectangle: the corners miss the rectangle through them by "
    "42.6 px, 15% of its longer side: the smallest rectangle around is used",
    cure="check the order of the corners; an ontology object of shape polygon keeps such outlines.",
)

DUPLICATE_ROW: Final = Definition(
    "duplicate-row",
    WARNING,
    ROW,
    cause="a row has the same numbers as an earlier one of its file. It is kept, or dropped and "
    "counted as rejected with `--duplicate-rows drop`.",
    example="labels/a.txt:2:1: duplicate-row: identical to line 1: kept",
    cure="delete one of the rows, or drop them with `--duplicate-rows drop`.",
)

LOOKS_LIKE_POSE: Final = Definition(
    "looks-like-pose",
    WARNING,
    ROW,
    cause="a row of a bounding box was read as a polygon, of which the envelope is written, and "
    "looks like a box with keypoints: the first four numbers are a box in the image, the others "
    "points in it, or points with 0, 1 or 2 behind each.",
    example="labels/a.txt:1:19: looks-like-pose: a box and 1 × 2 keypoints? Read as a polygon, of "
    "which the box is the envelope: declare --row-layout pose --kpt-shape 1 2, or --row-layout "
    "columns if it is a polygon",
    cure="declare what the rows are: `--row-layout pose` with `--kpt-shape`, or `columns`.",
)

LOOKS_LIKE_JOINED_ROWS: Final = Definition(
    "looks-like-joined-rows",
    WARNING,
    ROW,
    cause="a row of a bounding box was read as a polygon, of which the envelope is written, and "
    "looks like several rows of boxes that lost the line ends between them.",
    example="labels/a.txt:1:19: looks-like-joined-rows: 2 rows of boxes in one line? Read as a "
    "polygon, of which the box is the envelope: if a line end is missing, put it here",
    cure="put the rows on lines of their own; `--row-layout columns` if the rows are polygons.",
)

OTHER_FORMAT: Final = Family("Writing another format")

NO_CLASS_NUMBER: Final = Definition(
    "no-class-number",
    ERROR,
    OTHER_FORMAT,
    cause="YOLO is written, and the class map has no number for the annotation's ontology object. "
    "The annotation is left out.",
    example="a.jpg.encord.json#/object_answers/k3P~1x0+a: no-class-number: 'Car' has no class "
    "number: add an external ID or an override (7=Car)",
    cure="`labelingest classes ontology.json` shows the class map; add `--map 7=car` or the "
    "external ID.",
)

NO_PLACE_IN_FORMAT: Final = Definition(
    "no-place-in-format",
    ERROR,
    OTHER_FORMAT,
    cause="YOLO or COCO is written, and these hold boxes, rotated boxes and polygons of images "
    "only. Other shapes, and objects of videos, pages, audio and text, are left out.",
    example="a.jpg.encord.json#/object_answers/k3P~1x0+a: no-place-in-format: YOLO has boxes, "
    "rotated boxes and polygons only, and 'Lane' is of shape polyline: --to encord or --to "
    "parquet writes it",
    cure="write label rows or Parquet, which hold every shape; none needed if the objects may be "
    "left out.",
)
