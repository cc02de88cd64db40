"""Codes of Encord JSON sidecars: the document, its objects, their answers."""

from typing import Final

from labelingest.problems.definition import Definition, Family, Severity

ERROR: Final = Severity.ERROR
WARNING: Final = Severity.WARNING

DOCUMENT: Final = Family("Encord JSON sidecars: the document")

NOT_JSON: Final = Definition(
    "not-json",
    ERROR,
    DOCUMENT,
    cause="the sidecar is empty, truncated, nested deeper than 254 levels, or otherwise no JSON. "
    "None of it is read.",
    example="a.jpg.encord.json:1:18: not-json: the JSON ends too early: the file is truncated; "
    "expected a label row as Encord's client writes it",
    cure="export or copy the file again.",
)

BYTE_ORDER_MARK: Final = Definition(
    "byte-order-mark",
    WARNING,
    DOCUMENT,
    cause="the file begins with the byte order mark of UTF-8, which JSON forbids. The file is "
    "read without it.",
    example="a.jpg.encord.json:1:1: byte-order-mark: begins with a byte order mark, which JSON "
    "may not: read",
    cure="save the file as UTF-8 without byte order mark; other readers refuse it.",
)

LARGE_SIDECAR: Final = Definition(
    "large-sidecar",
    WARNING,
    DOCUMENT,
    cause="a sidecar of more than 50 MB. More than 300 MB or 4,000,000 values are refused "
    "(`file-too-large`).",
    example="a.jpg.encord.json#: large-sidecar: 61,000,000 bytes; above 50,000,000 a sidecar is "
    "slow to load",
    cure="none needed; fewer vertices or fewer frames make it smaller.",
)

DUPLICATE_KEY: Final = Definition(
    "duplicate-key",
    ERROR,
    DOCUMENT,
    cause="an object of the JSON has a key twice. The last value counts; the others are lost.",
    example="a.jpg.encord.json#/label_hash: duplicate-key: the key 'label_hash' occurs twice in "
    "one object: the last one counts",
    cure="keep one, or give each object its own hash.",
)

NOT_A_LABEL_ROW: Final = Definition(
    "not-a-label-row",
    ERROR,
    DOCUMENT,
    cause="the JSON is no label row: a list or a number, a required key is missing, or it has no "
    "data unit or too many. None of it is read.",
    example="a.jpg.encord.json#/data_units: not-a-label-row: 2 data units; a row about one image "
    "has one",
    cure="export the label row again with Encord's client.",
)

UNSUPPORTED_LABEL: Final = Definition(
    "unsupported-label",
    ERROR,
    DOCUMENT,
    cause="something that folders do not hold: DICOM, NIfTI, data groups and scenes, spaces, "
    "keyframes, 3D points.",
    example="a.jpg.encord.json#/spaces: unsupported-label: spaces belong to data groups and "
    "scenes, which folders do not hold",
    cure="import such rows through Encord's client.",
)

WRONG_DATA_TYPE: Final = Definition(
    "wrong-data-type",
    ERROR,
    DOCUMENT,
    cause="the label row is about a file of another kind than the data file that it belongs to by "
    "name, or rows of YOLO belong to a file that is no image. None of it is converted.",
    example="a.jpg.encord.json#/data_type: wrong-data-type: Expected an image, got a file of type "
    "video/mp4: the label row is about another file; put it beside that one",
    cure="check the sidecar's name: it is the data file's whole name and the suffix.",
)

IMAGE_SIZE_DIFFERS: Final = Definition(
    "image-size-differs",
    WARNING,
    DOCUMENT,
    cause="width and height in the label row are not those in the image's header (which is read "
    "with `--image-sizes all`). The size in the header is written, and bitmasks of another size "
    "are dropped.",
    example="a.jpg.encord.json#/data_units/u/width: image-size-differs: the row says 4 x 2 "
    "pixels, the header of the image says 1280 x 960, which is written",
    cure="check that the sidecar belongs to this image; coordinates are fractions, so a resized "
    "image keeps its labels.",
)

MISSING_KEY: Final = Definition(
    "missing-key",
    ERROR,
    DOCUMENT,
    cause="a key that an object, an answer or a classification needs is missing; the object, "
    "answer or classification is dropped.",
    example="a.jpg.encord.json#/data_units/u/labels/objects/2/rotatableBoundingBox: missing-key: "
    "'theta' is missing; expected a number",
    cure="add the key, or export again.",
)

WRONG_TYPE: Final = Definition(
    "wrong-type",
    ERROR,
    DOCUMENT,
    cause="a value has another JSON type than the format or the metadata schema asks for; the "
    "object, answer or key is dropped.",
    example="a.jpg.encord.json#/data_units/u/labels/objects: wrong-type: found text ('none'), "
    "expected a list",
    cure="correct the value.",
)

UNKNOWN_KEY: Final = Definition(
    "unknown-key",
    WARNING,
    DOCUMENT,
    cause="a key is unknown, perhaps misspelt. It is dropped; one problem is listed, with the "
    "number of occurrences.",
    example="a.jpg.encord.json#/colour: unknown-key: 'colour' is no key of a label row: dropped",
    cure="correct the spelling, or leave it out.",
)

REPLACED_VALUE: Final = Definition(
    "replaced-value",
    WARNING,
    DOCUMENT,
    cause="a value that the key cannot have. A default is written instead, or the key is left out.",
    example="a.jpg.encord.json#/label_status: replaced-value: found 'DONE', expected one of "
    "NOT_LABELLED, LABEL_IN_PROGRESS, LABELLED, REVIEW_IN_PROGRESS, REVIEWED, REVIEWED_TWICE: "
    "'LABEL_IN_PROGRESS' is written",
    cure="correct the value if it matters.",
)

OBJECTS: Final = Family("Encord JSON sidecars: objects")

BAD_FRAME: Final = Definition(
    "bad-frame",
    ERROR,
    OBJECTS,
    cause="a frame that is no whole number, or lies beyond the end of the file. Its labels are "
    "dropped; ranges are cut.",
    example="a.mp4.encord.json#/data_units/u/labels/10: bad-frame: frame 10 is beyond the 10 "
    "frames of the file",
    cure="correct the frame, or `data_fps` and `data_duration` of the data unit.",
)

BAD_HASH: Final = Definition(
    "bad-hash",
    WARNING,
    OBJECTS,
    cause="an object or classification hash is not 8 base64 characters. A new hash is written.",
    example="a.jpg.encord.json#/data_units/u/labels/objects/3/objectHash: bad-hash: 'mask 1' is "
    "no hash of 8 base64 characters: it gets a new one",
    cure="none needed unless other systems refer to the hash.",
)

HASH_DIFFERS_FROM_KEY: Final = Definition(
    "hash-differs-from-key",
    WARNING,
    OBJECTS,
    cause="an entry names another hash than the key that it is stored under. The hash that the "
    "entry names counts.",
    example="a.jpg.encord.json#/object_answers/x/objectHash: hash-differs-from-key: the entry 'x' "
    "says objectHash 'k3P/x0+a': the latter counts",
    cure="make key and hash equal.",
)

DUPLICATE_OBJECT: Final = Definition(
    "duplicate-object",
    ERROR,
    OBJECTS,
    cause="an object occurs twice on a frame, or has two entries of answers. The first one is "
    "kept.",
    example="a.jpg.encord.json#/data_units/u/labels/objects/4/objectHash: duplicate-object: "
    "object 'k3P/x0+a' is already on frame 0",
    cure="give the second object its own hash, or remove it.",
)

CLASS_CHANGED: Final = Definition(
    "class-changed",
    ERROR,
    OBJECTS,
    cause="one object hash is used with two classes. Only the annotations of the first class are "
    "kept.",
    example="a.mp4.encord.json#/data_units/u/labels/7/objects/0/featureHash: class-changed: "
    "object 'k3P/x0+a' is of 'Car' before and of 'Bus' here; an object keeps its class",
    cure="give the objects of the other class a hash of their own.",
)

BAD_POINTS: Final = Definition(
    "bad-points",
    ERROR,
    OBJECTS,
    cause="the points cannot be read: there are none, the number of coordinates is odd, or keys "
    "do not number them.",
    example="a.jpg.encord.json#/data_units/u/labels/objects/1/polygons/0/0: bad-points: 5 numbers "
    "are no pairs of x and y",
    cure="draw the object again, or correct the list.",
)

BAD_BITMASK: Final = Definition(
    "bad-bitmask",
    ERROR,
    OBJECTS,
    cause="a mask has another size than its image, or its run lengths do not cover it exactly.",
    example="a.jpg.encord.json#/data_units/u/labels/objects/3/bitmask/width: bad-bitmask: the "
    "mask has 2 x 4 pixels, its image 4 x 2: a mask must be as large as its image",
    cure="encode the mask at the image's size, row by row.",
)

POLYGONS_DIFFER: Final = Definition(
    "polygons-differ",
    WARNING,
    OBJECTS,
    cause="`polygon` differs from the first ring of `polygons`, which is used.",
    example="a.jpg.encord.json#/data_units/u/labels/objects/1/polygon: polygons-differ: the "
    "outline differs from the first ring of 'polygons', which counts",
    cure="write both from the same points.",
)

OUTSIDE_IMAGE: Final = Definition(
    "outside-image",
    WARNING,
    OBJECTS,
    cause="a coordinate lies outside 0 to 1, or the centre of a rotated box of YOLO corners. It is kept.",
    example="a.jpg.encord.json#/data_units/u/labels/objects/0/boundingBox/y: outside-image: -0.5 "
    "lies outside the image, whose coordinates go from 0 to 1: kept",
    cure="divide pixels by the image's width and height; clip shapes that reach over the edge.",
)

ANGLE_OUT_OF_RANGE: Final = Definition(
    "angle-out-of-range",
    WARNING,
    OBJECTS,
    cause="`theta` lies outside 0 to 360 degrees. The equal angle within is written.",
    example="a.jpg.encord.json#/data_units/u/labels/objects/2/rotatableBoundingBox/theta: "
    "angle-out-of-range: 400 degrees are outside 0 to 360 (excluded): written as 40",
    cure="none needed.",
)

UNKNOWN_SKELETON_POINT: Final = Definition(
    "unknown-skeleton-point",
    WARNING,
    OBJECTS,
    cause="the skeleton template of the class has no point of this name. The point is kept.",
    example="a.jpg.encord.json#/data_units/0/labels/objects/0/skeleton/2/name: "
    "unknown-skeleton-point: 'tail' is no point of the skeleton template of 'Person': kept",
    cure="use the names of the template.",
)

BAD_AUTHOR: Final = Definition(
    "bad-author",
    WARNING,
    OBJECTS,
    cause="`createdBy` or `lastEditedBy` is no e-mail address. It is left out: the user who "
    "imports counts as the author.",
    example="a.jpg.encord.json#/data_units/u/labels/objects/0/createdBy: bad-author: 'model-7' is "
    "no e-mail address: left out",
    cure="write an address, or null.",
)

BAD_DATE: Final = Definition(
    "bad-date",
    WARNING,
    OBJECTS,
    cause="a date cannot be read, and the date of the row is written. Or the time of a file's "
    "last change lies before 1678 or after 2262: the nearest time within is used, also to tell "
    "versions of the file apart.",
    example="a.jpg.encord.json#/data_units/u/labels/objects/0/createdAt: bad-date: found 'soon', "
    "expected a date like 'Mon, 05 Jan 2026 16:46:58 UTC': left out",
    cure="write dates as ISO 8601; give a file another time with `touch`.",
)

BAD_OBJECT_NUMBER: Final = Definition(
    "bad-object-number",
    WARNING,
    OBJECTS,
    cause="an object number is negative, no whole number, or used by another object of the class. "
    "It is left out.",
    example="a.jpg.encord.json#/object_answers/roofRoof/objectNumber: bad-object-number: found "
    "-1, expected a whole number from 0 on: left out",
    cure="number the objects of a class 1, 2, 3, …",
)

DIFFERS_FROM_ONTOLOGY: Final = Definition(
    "differs-from-ontology",
    WARNING,
    OBJECTS,
    cause="a name, color or value differs from the ontology, whose own is written.",
    example="a.jpg.encord.json#/data_units/u/labels/objects/0/name: differs-from-ontology: 'Auto' "
    "is 'Car' in the ontology, which is written",
    cure="check that the feature hash is the intended one.",
)

ARCHIVED_CLASS: Final = Definition(
    "archived-class",
    WARNING,
    OBJECTS,
    cause="a label uses a class, attribute or option that is archived in the ontology. The label "
    "is kept.",
    example="a.jpg.encord.json#/data_units/u/labels/objects/4/featureHash: archived-class: 'Old' "
    "is archived in the ontology: kept",
    cure="restore the class, attribute or option in the ontology, or use another.",
)

ANSWERS: Final = Family("Encord JSON sidecars: answers and classifications")

UNKNOWN_ATTRIBUTE: Final = Definition(
    "unknown-attribute",
    ERROR,
    ANSWERS,
    cause="the class does not have the attribute that is answered. The answer is dropped.",
    example="a.jpg.encord.json#/object_answers/k3P~1x0+a/classifications/2/featureHash: "
    "unknown-attribute: the class has no attribute of the feature hash 'line'",
    cure="use the ontology that the row was made with.",
)

UNKNOWN_OPTION: Final = Definition(
    "unknown-option",
    ERROR,
    ANSWERS,
    cause="the attribute does not have the option that is chosen. The answer is dropped.",
    example="a.jpg.encord.json#/object_answers/k3P~1x0+a/classifications/1/answers/0/featureHash: "
    "unknown-option: 'Kind' has no option of the feature hash 'zzz'",
    cure="use the ontology that the row was made with.",
)

TWO_ANSWERS: Final = Definition(
    "two-answers",
    ERROR,
    ANSWERS,
    cause="two options of a radio (none is kept), or two answers for one attribute or frame (the "
    "last one is kept).",
    example="a.jpg.encord.json#/object_answers/k3P~1x0+a/classifications/1/answers: two-answers: "
    "2 options of 'Kind', where one can be chosen: none is kept",
    cure="leave one answer.",
)

WRONG_ANSWER_TYPE: Final = Definition(
    "wrong-answer-type",
    ERROR,
    ANSWERS,
    cause="an answer has another type than its attribute: a text for a number, null for a text.",
    example="a.jpg.encord.json#/object_answers/k3P~1x0+a/classifications/2/answers: "
    "wrong-answer-type: found text ('fast'), expected a number",
    cure="correct the answer.",
)

PARENT_NOT_SELECTED: Final = Definition(
    "parent-not-selected",
    WARNING,
    ANSWERS,
    cause="a nested attribute is answered, and the option that it belongs to is not chosen. The "
    "answer is kept.",
    example="a.jpg.encord.json#/object_answers/k3P~1x0+a/classifications/0: parent-not-selected: "
    "'Goods' is asked only under an option that is not chosen: kept, though readers may not show "
    "it",
    cure="choose the parent's option, or remove the answer.",
)

MISSING_ANSWER: Final = Definition(
    "missing-answer",
    WARNING,
    ANSWERS,
    cause="a required attribute has no answer, or a classification has none at all.",
    example="a.jpg.encord.json#/object_answers/k3P~1x0+a: missing-answer: 'Line' is required, and "
    "has no answer",
    cure="answer the attribute.",
)

MISPLACED_ANSWER: Final = Definition(
    "misplaced-answer",
    WARNING,
    ANSWERS,
    cause="an answer that changes over time is in `object_answers`, or one that does not is in "
    "`object_actions`. It is moved.",
    example="a.mp4.encord.json#/object_actions/k3P~1x0+a/actions/1: misplaced-answer: 'Note' "
    "never changes and belongs into object_answers: moved there",
    cure="none needed; older readers expect the answer in its place.",
)

ANSWER_WITHOUT_OBJECT: Final = Definition(
    "answer-without-object",
    WARNING,
    ANSWERS,
    cause="answers belong to an object that is on no frame. They are dropped.",
    example="a.jpg.encord.json#/object_answers/k3P~1x0+a: answer-without-object: no object "
    "'k3P/x0+a' is in the row: its answers are dropped",
    cure="none needed when the object was deleted.",
)

BAD_RANGE: Final = Definition(
    "bad-range",
    ERROR,
    ANSWERS,
    cause="a range is no pair of whole numbers, or ends before it begins. The range is dropped.",
    example="a.mp4.encord.json#/object_actions/k3P~1x0+a/actions/0/range/1: bad-range: found [7, "
    "0], expected [first, last], both included",
    cure="write pairs of first and last frame, both included.",
)

RANGE_OFF_OBJECT: Final = Definition(
    "range-off-object",
    WARNING,
    ANSWERS,
    cause="an answer that changes over time covers frames without the object. It is kept.",
    example="a.mp4.encord.json#/object_actions/k3P~1x0+a/actions/0/range: range-off-object: [[0, "
    "7]] has frames on which the object is not: kept",
    cure="none needed; cut the range if it matters.",
)

CLASSIFICATION_NOT_PLACED: Final = Definition(
    "classification-not-placed",
    ERROR,
    ANSWERS,
    cause="a classification has no range, is on no frame, and is not global. Encord's client "
    "drops it silently.",
    example="a.jpg.encord.json#/classification_answers/weather1: classification-not-placed: it "
    "has no range and is on no frame: Encord's client drops it silently",
    cure='add `"range": [[0, 0]]` for an image, the frames for a video.',
)

OVERLAPPING_CLASSIFICATIONS: Final = Definition(
    "overlapping-classifications",
    ERROR,
    ANSWERS,
    cause="two classifications of one class share a frame, or a global one occurs twice. The "
    "first one keeps the frames.",
    example="a.jpg.encord.json#/classification_answers/weather2: overlapping-classifications: "
    "another 'Sky' is on some of the frames [[0, 0]]: dropped",
    cure="leave one classification of the class on each frame.",
)
