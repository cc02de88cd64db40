"""Names and index of numbered files of label rows, and what each put added to one of them.

`label_rows-00000-of-00032.jsonl` …, counted from 0 as other tools do. Shard k has the label rows of
data files k · n to (k + 1) · n − 1 in the order of their keys, so that it depends on nothing else and
any worker can write it. A data file without label row leaves its shard shorter, even empty.
`index.json` has rows and bytes of each file, and the keys of its first and last data file.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import orjson

from labelingest.sinks.json_lines import ZSTD
from labelingest.sinks.marks import Mark, are_whole

__all__ = [
    "INDEX",
    "Piece",
    "Shard",
    "index_text",
    "is_mark",
    "is_shard_name",
    "piece_of",
    "shard_name",
    "shard_number",
    "shards_of",
    "with_piece",
]

INDEX: Final = "index.json"
_NAME: Final = re.compile(r"label_rows-(\d{5,})(?:-of-\d{5,})?(\.jsonl(?:\.zst)?)")

Piece: TypeAlias = tuple[int, str, str, int, int, int]
"""What a put added to one shard: its number, first key, last key, rows, bytes and their checksum."""


@dataclass(slots=True)
class Shard:
    """A shard as the index has it."""

    first_key: str | None = None
    """Key of the data file of the first label row; None where there is none."""
    last_key: str | None = None
    rows: int = 0
    bytes: int = 0


def piece_of(number: int, keys: Sequence[str], mark: Mark) -> Piece:
    """Return what the label rows of data files added to a shard."""
    first, last = (keys[0], keys[-1]) if keys else ("", "")
    return number, first, last, len(keys), *mark


def with_piece(shards: list[Shard], piece: Piece) -> None:
    """Add a piece to the shards; those before it exist from then on."""
    number, first, last, rows, size, _ = piece
    while len(shards) <= number:
        shards.append(Shard())
    shard = shards[number]
    if rows:
        shard.first_key, shard.last_key = shard.first_key or first, last
    shard.rows += rows
    shard.bytes += size


def shards_of(marks: Sequence[Sequence[Piece]]) -> list[Shard]:
    """Return the shards that pieces make up."""
    shards: list[Shard] = []
    for pieces in marks:
        for piece in pieces:
            with_piece(shards, piece)
    return shards


def is_mark(mark: object, shards: int) -> bool:
    """Return whether a value can be the mark of a put that follows a number of shards."""
    if not isinstance(mark, list | tuple):
        return False
    for piece in mark:
        has_fields = isinstance(piece, list | tuple) and len(piece) == 6
        if not (
            has_fields and are_whole(piece[0], *piece[3:]) and shards - 1 <= piece[0] <= shards
        ):
            return False
        if not (isinstance(piece[1], str) and isinstance(piece[2], str)):
            return False
        shards = max(shards, piece[0] + 1)
    return True


def shard_name(number: int, count: int | None = None, *, compressed: bool = False) -> str:
    """Return the name of a shard; without the number of all shards while that is not known.

    Examples
    --------
    >>> shard_name(0, 2), shard_name(1, compressed=True)
    ('label_rows-00000-of-00002.jsonl', 'label_rows-00001.jsonl.zst')
    """
    total = "" if count is None else f"-of-{count:05}"
    return f"label_rows-{number:05}{total}.jsonl{ZSTD if compressed else ''}"


def shard_number(name: str) -> int | None:
    """Return the number in the name of a shard; None for any other name."""
    match = _NAME.fullmatch(name)
    return int(match[1]) if match else None


def is_shard_name(name: str) -> bool:
    """Return whether a file of this name, relative to the folder, is a shard or the index.

    Examples
    --------
    >>> is_shard_name("label_rows-00000-of-00002.jsonl"), is_shard_name("rows.jsonl")
    (True, False)
    """
    return name == INDEX or shard_number(name) is not None


def index_text(names: Sequence[str], shards: Sequence[Shard]) -> bytes:
    """Return the content of the index."""
    index = {
        "rows": sum(shard.rows for shard in shards),
        "shards": [
            {
                "file": name,
                "rows": shard.rows,
                "bytes": shard.bytes,
                "first_key": shard.first_key,
                "last_key": shard.last_key,
            }
            for name, shard in zip(names, shards, strict=True)
        ],
    }
    return orjson.dumps(index, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
