"""Damaged documents, chosen by a seed: texts and bytes that no writer of the format would write.

A mutator knows the seeds of a target (documents of the corpora) and its tokens (what the format is
made of). Each execution takes a seed and damages it a few times: bytes flipped, parts removed,
repeated or taken from another seed, tokens, numbers and nesting put in, JSON values replaced. The
same seed of the generator gives the same documents.
"""

import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

__all__ = ["LONGEST", "Mutator"]

LONGEST: Final = 4_096
"""Bytes of a document at most: many small executions find more than few large ones."""
_DEEP: Final = (10, 100, 300, 600)
_NUMBERS: Final = (
    *("0", "-0", "-1", "1", "2", "0.5", "1e0", "1.5", "00", "0x10", "1_000", "+1", ".5", "5."),
    *("2147483647", "2147483648", "-2147483649", "4294967296", "9007199254740993"),
    *("9223372036854775807", "9223372036854775808", "-9223372036854775809"),
    *("18446744073709551615", "18446744073709551616", "1e19", "-1e19"),
    *("1e308", "1e309", "-1e999", "1e-999", "NaN", "Infinity", "-Infinity", "nan", "inf"),
    *("9" * 400, "1" + "0" * 310, "0." + "0" * 320 + "1", "1e99999999999", "١٢٣", "²"),
)
_DIGITS: Final = (20, 309, 400, 4_301, 5_000)
"""Python refuses to convert whole numbers of more than 4,300 digits."""
_PIECES: Final = (
    *(b"\0", b"\xff", b"\xfe", b"\xef\xbb\xbf", b"\xff\xfe", b"\xed\xa0\x80", b"\xc0\x80", b"\r"),
    *(b"\n", b"\r\n", b"\t", b" ", b"\x0b", b"\x1b[31m", "\u2028".encode(), "\u202e".encode()),
    *(
        "é".encode(),
        "\U0001f600".encode(),
        b"\x85",
        b"'",
        b'"',
        b"\\",
        b"/",
        b"{",
        b"}",
        b"[",
        b"]",
    ),
    *(
        b"..",
        b"//",
        b"%",
        b"%00",
        b"%s",
        b"{0}",
        b"{name}",
        b"@",
        b":",
        b"#",
        b"?",
        b"&",
        b"=",
        b"*",
    ),
    *(b"\\ud800", b"\\u0000", b"\\x", b"__proto__", b"null", b"true", b"2026-13-45", b"25:61:61"),
)
_VALUES: Final[Sequence[Any]] = (
    *(None, True, False, "", "x", "0.5", 0, -1, 1, 0.5, 1.5, -0.5, 2**31, 2**53 + 1, 2**63, 2**64),
    *(10**30, 10**400, 1e308, 5e-324, -0.0, float("nan"), float("inf"), [], {}, [None], [[]], [{}]),
    *(
        [[{}]],
        [[[]]],
        {"": None},
        {"0": {}},
        {"x": "y"},
        [[0, 10**4]],
        [[5, 2]],
        [0] * 20,
        "a" * 200,
    ),
    *("2026-01-05", "Mon, 05 Jan 2026 16:46:58 UTC", "0001-01-01T00:00:00+14:00", "9999-12-31"),
    *("99999999-01-01", "\ud800", "\x00", "\u202e", "aa/~+a==", "9" * 50, "1e999", "../../x", "-"),
    *([{"x": 0, "y": 0}], {"0": {"x": 0.1, "y": 1e999}}, [[[0.1, 0.2, 0.3]]], "PROTECTED", 1e19),
)


@dataclass(slots=True)
class Mutator:
    """Makes damaged documents of one format.

    Parameters
    ----------
    seeds
        Good and bad documents to begin with.
    tokens
        Pieces of the format.
    """

    seeds: Sequence[bytes]
    tokens: Sequence[bytes] = ()
    longest: int = LONGEST
    _trees: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._trees = [tree for seed in self.seeds if (tree := _tree(seed)) is not None]

    def mutated(self, rng: random.Random) -> bytes:
        """Return one damaged document."""
        if self._trees and rng.random() < 0.6:
            content = self._damaged_tree(rng)
        else:
            content = rng.choice(self.seeds)
            content = self._damaged(content, rng)
        while rng.random() < 0.3:
            content = self._damaged(content, rng)
        return content[: self.longest]

    def _damaged(self, content: bytes, rng: random.Random) -> bytes:
        change = rng.choice(_CHANGES)
        return change(self, content, rng)

    def piece(self, rng: random.Random) -> bytes:
        """Return something to put in."""
        kind = rng.random()
        if kind < 0.4 and self.tokens:
            return rng.choice(self.tokens)
        if kind < 0.6:
            return rng.choice(_NUMBERS).encode()
        if kind < 0.65:
            return b"9" * rng.choice(_DIGITS)
        if kind < 0.7:
            times = rng.choice(_DEEP)
            begin, end = rng.choice(((b"[", b"]"), (b'{"a":', b"}"), (b"- ", b""), (b"(", b")")))
            return begin * times + end * (times * rng.randrange(2))
        return rng.choice(_PIECES)

    def _damaged_tree(self, rng: random.Random) -> bytes:
        tree = _copied(rng.choice(self._trees))
        for _ in range(rng.choice((1, 1, 2, 4))):
            tree = self._damaged_node(tree, rng)
        try:
            text = json.dumps(tree, ensure_ascii=rng.random() < 0.5)
        except ValueError:  # a whole number of too many digits
            text = "9" * 5_000
        return text.encode("utf-8", "surrogatepass")

    def _damaged_node(self, tree: Any, rng: random.Random) -> Any:
        parents = list(_parents(tree))
        if not parents:
            return _copied(rng.choice(_VALUES))
        parent = rng.choice(parents)
        key = rng.choice(list(parent) if isinstance(parent, dict) else range(len(parent)))
        change = rng.randrange(7)
        if change == 0:
            del parent[key]
        elif change == 1 and isinstance(parent, dict):
            parent[rng.choice(("", "0", "-1", "99999999999", "x", "\ud800"))] = parent.pop(key)
        elif change == 2 and isinstance(parent, list):
            parent += _copied(parent[: rng.randrange(1, 4)])
        elif change == 3:
            other = rng.choice(parents)
            parent[key] = _copied(other) if _weight(other) < 300 else None
        elif change == 4:
            parent[key] = rng.choice(self.tokens).decode("utf-8", "replace") if self.tokens else 0
        else:
            parent[key] = _copied(rng.choice(_VALUES))
        return tree


def _tree(seed: bytes) -> Any:
    try:
        tree = json.loads(seed)
    except (ValueError, RecursionError):
        return None
    return tree if isinstance(tree, dict | list) and _weight(tree) < 2_000 else None


def _weight(tree: Any) -> int:
    return sum(len(parent) for parent in _parents(tree)) if isinstance(tree, dict | list) else 1


def _parents(tree: Any) -> Any:
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict | list) and node:
            yield node
            waiting += node.values() if isinstance(node, dict) else node


def _copied(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {key: _copied(value) for key, value in tree.items()}
    return [_copied(value) for value in tree] if isinstance(tree, list) else tree


def _flipped(mutator: Mutator, content: bytes, rng: random.Random) -> bytes:
    changed = bytearray(content or b"\0")
    for _ in range(rng.choice((1, 1, 1, 3, 10))):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _replaced(mutator: Mutator, content: bytes, rng: random.Random) -> bytes:
    changed = bytearray(content or b"\0")
    changed[rng.randrange(len(changed))] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))
    return bytes(changed)


def _cut(mutator: Mutator, content: bytes, rng: random.Random) -> bytes:
    return content[: rng.randrange(len(content) + 1)]


def _without(mutator: Mutator, content: bytes, rng: random.Random) -> bytes:
    start, end = sorted(rng.randrange(len(content) + 1) for _ in range(2))
    return content[:start] + content[min(end, start + 40) :]


def _repeated(mutator: Mutator, content: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(content) + 1)
    part = content[start : start + rng.choice((1, 4, 16, 64))]
    times = rng.choice((1, 2, 10, 300))
    return content[:start] + part * times + content[start:]


def _spliced(mutator: Mutator, content: bytes, rng: random.Random) -> bytes:
    other = rng.choice(mutator.seeds)
    begin, end = rng.randrange(len(content) + 1), rng.randrange(len(other) + 1)
    return content[:begin] + other[end:]


def _inserted(mutator: Mutator, content: bytes, rng: random.Random) -> bytes:
    place = rng.randrange(len(content) + 1)
    return content[:place] + mutator.piece(rng) + content[place:]


def _overwritten(mutator: Mutator, content: bytes, rng: random.Random) -> bytes:
    place, piece = rng.randrange(len(content) + 1), mutator.piece(rng)
    return content[:place] + piece + content[place + len(piece) :]


def _renumbered(mutator: Mutator, content: bytes, rng: random.Random) -> bytes:
    """Replace a run of digits by another number."""
    places = [place for place, byte in enumerate(content) if 48 <= byte < 58]
    if not places:
        return _inserted(mutator, content, rng)
    end = start = rng.choice(places)
    while end < len(content) and content[end] in b"0123456789.eE+-":
        end += 1
    return content[:start] + rng.choice(_NUMBERS).encode() + content[end:]


def _shuffled(mutator: Mutator, content: bytes, rng: random.Random) -> bytes:
    lines = content.split(b"\n")
    rng.shuffle(lines)
    return b"\n".join(lines)


_CHANGES: Final[Sequence[Callable[[Mutator, bytes, random.Random], bytes]]] = (
    *(_flipped, _replaced, _cut, _without, _repeated, _spliced),
    *(_inserted, _inserted, _overwritten, _renumbered, _renumbered, _shuffled),
)
