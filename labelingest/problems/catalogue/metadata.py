"""Codes of custom metadata and of its schema."""

from typing import Final

from labelingest.problems.definition import Definition, Family, Severity

ERROR: Final = Severity.ERROR
WARNING: Final = Severity.WARNING

METADATA: Final = Family(
    "Custom metadata",
    "A wrong value is dropped; the other keys of its file are kept. Custom metadata can also have "
    "the problems of texts (`not-json`, `not-text`, `byte-order-mark`, `duplicate-key`, "
    "`not-finite`) and of types (`wrong-type`), which are described above.",
)

NOT_METADATA: Final = Definition(
    "not-metadata",
    ERROR,
    METADATA,
    cause="the JSON is a list, a text or a number. None of it is kept.",
    example="a.jpg.metadata.json#: not-metadata: holds a list ([{'a': 1}]), expected custom "
    "metadata, an object of keys and values",
    cure='write an object, `{"key": value}`.',
)

NUL_IN_TEXT: Final = Definition(
    "nul-in-text",
    ERROR,
    METADATA,
    cause="a text or a key holds the character U+0000, which JSON allows and PostgreSQL refuses. "
    "The key is dropped.",
    example="a.jpg.metadata.json#/a: nul-in-text: text with NUL (U+0000), which no database "
    "column takes: remove the character",
    cure="remove the character; often it pads a text of fixed length.",
)

NUMBER_TOO_LARGE: Final = Definition(
    "number-too-large",
    ERROR,
    METADATA,
    cause="the schema declares `F32`, and single precision cannot hold the number; or it has more than "
    "16,383 decimal places, which PostgreSQL refuses. The key is dropped.",
    example="a.jpg.metadata.json#/single: number-too-large: 3.5e+38 is beyond single precision "
    "(F32, ±3.4e38): declare it as F64",
    cure="declare the key with the format `F64`.",
)

TEXT_TOO_LONG: Final = Definition(
    "text-too-long",
    ERROR,
    METADATA,
    cause="a varchar has more characters than the schema allows, which is 8,192 at most.",
    example="a.jpg.metadata.json#/code: text-too-long: 6 characters, at most 5 fit: shorten it, "
    "or declare the key as text",
    cure="shorten the text, or declare the key as `text`.",
)

BAD_DATETIME: Final = Definition(
    "bad-datetime",
    ERROR,
    METADATA,
    cause="a text is no date, or no date and time, of ISO 8601. A time without a zone is UTC.",
    example="a.jpg.metadata.json#/when: bad-datetime: '01/05/2026' is no date of ISO 8601, as "
    "'2026-01-05T16:46:58Z'",
    cure="write dates in the order of ISO 8601: year, month, day.",
)

BAD_UUID: Final = Definition(
    "bad-uuid",
    ERROR,
    METADATA,
    cause="a text is no UUID: 32 hexadecimal digits, with hyphens in their places or without any.",
    example="a.jpg.metadata.json#/id: bad-uuid: '3f0c9a52-6d1e-4b7a-9c55-08d2b1c7e4a' is no UUID, "
    "as '3f0c9a52-6d1e-4b7a-9c55-08d2b1c7e4aa'",
    cure="correct the UUID, or declare the key as `varchar`.",
)

UNDECLARED_OPTION: Final = Definition(
    "undeclared-option",
    ERROR,
    METADATA,
    cause="a text is none of the enum's options; upper and lower case differ.",
    example="a.jpg.metadata.json#/weather: undeclared-option: 'Rain' is no option; did you mean "
    "'rain'?",
    cure="correct the text, or declare the option: `labelingest metadata schema add SCHEMA KEY "
    "enum --option OPTION`.",
)

WRONG_EMBEDDING_SIZE: Final = Definition(
    "wrong-embedding-size",
    ERROR,
    METADATA,
    cause="an embedding has more or fewer numbers than the schema declares.",
    example="a.jpg.metadata.json#/clip: wrong-embedding-size: 2 numbers, declared are 3: of "
    "another model?",
    cure="make all embeddings of a key with one model; give another model a key of its own.",
)

BAD_COORDINATES: Final = Definition(
    "bad-coordinates",
    ERROR,
    METADATA,
    cause="a place has no latitude or no longitude, or lies beyond ±90° or ±180°.",
    example="a.jpg.metadata.json#/place/latitude: bad-coordinates: 139.7 is no latitude: −90 to "
    "90 degrees; are latitude and longitude swapped?",
    cure='write `{"latitude": 47.38, "longitude": 8.54}`, in decimal degrees; the two are '
    "often swapped.",
)

UNDECLARED_KEY: Final = Definition(
    "undeclared-key",
    WARNING,
    METADATA,
    cause="the schema does not have the key. The key is kept, and not checked. Keys that begin "
    "with `$` are the platform's own and are not listed.",
    example="a.jpg.metadata.json#/wether: undeclared-key: the schema has no key 'wether'; did you "
    "mean 'weather'?",
    cure="correct the spelling, or declare the key: `labelingest metadata schema add SCHEMA KEY "
    "TYPE`.",
)

DELETED_KEY: Final = Definition(
    "deleted-key",
    WARNING,
    METADATA,
    cause="a key was deleted from the schema. It is kept, and not checked.",
    example="a.jpg.metadata.json#/former: deleted-key: 'former' was deleted from the schema: "
    "kept, not checked; restore it, or leave it out",
    cure="leave the key out, or restore it: `labelingest metadata schema restore SCHEMA KEY`.",
)

LARGE_EMBEDDING: Final = Definition(
    "large-embedding",
    WARNING,
    METADATA,
    cause="the schema declares an embedding of more than 2,000 numbers: Encord's Index takes up "
    "to 4,096, its Active does not show those.",
    example="schema.json#/clip/size: large-embedding: 3,072 numbers: Active shows embeddings of "
    "at most 2,000, Index all",
    cure="none needed if Active is not used; else a model with fewer numbers.",
)
