"""Label rows beside their data files: `KEY.encord.json` in the storage path itself.

These files lie among files of people, in no folder of their own. So each is written on condition that
nothing has its name. Where something has:

1. a file with the very bytes to be written is as good as written;
2. a file with the digest that the list of an earlier run names is replaced, on condition that it has not
   changed since it was looked at;
3. every other file stays, whoever wrote it, and costs the label row.

The list (`BESIDE_LIST`) is a file of the storage path. It is written when a run ends, also by an error. A
killed run writes none: the same command meets the files by the first rule. Files appear one by one, so
that a run that fails leaves those it wrote, and there is nothing to resume.
"""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Final

import orjson
from msgspec import Struct, field
from msgspec.structs import replace

from labelingest.columns.fingerprints import Digest, content_digest
from labelingest.encord.keys import SIDECAR_SUFFIX
from labelingest.errors import NameRefusedError, ResumeNote, StorageError
from labelingest.model.batch_output import BatchOutput, LargeLabels
from labelingest.model.kinds import BESIDE_LIST
from labelingest.problems import Problem, ProblemCode
from labelingest.storage.base import ChangedError, Storage

__all__ = ["BesideDelivery", "BesideHalf", "BesideSink"]

_FORMAT: Final = "labelingest label rows beside data files 1"
_MOST_LIST: Final = 2**40
"""Bytes that the list may have: more than any, because a run that cannot read its list cannot begin."""
_OF_PEOPLE: Final = (
    "exists, and no run wrote it, or it was changed since: move it away, or write label rows to a "
    "place of their own with --out"
)


class _Pieces(Struct, frozen=True):
    """A large label row, made piece by piece whenever it is written."""

    large: LargeLabels

    def __iter__(self) -> Iterator[bytes]:
        return self.large.pieces()


class BesideDelivery(Struct, frozen=True):
    """What a worker tells of the files of a batch."""

    digests: Sequence[str]
    """(m,) digest of each label row."""
    texts: dict[int, bytes]
    """Position → label row, where another file has the name: the list of the sink decides."""
    refused: dict[int, str]
    """Position → why the storage refuses the name."""


class BesideHalf(Struct, frozen=True):
    """Writes the label rows of a batch where nothing has their names."""

    storage: Storage

    def pack(self, output: BatchOutput) -> BatchOutput:
        """Leave texts as they are."""
        return output

    def deliver(self, output: BatchOutput) -> BatchOutput:
        """Write label rows; return those whose names other files have."""
        if output.large is not None:
            return output
        texts = list(output.texts)
        delivery = self.write(output.keys, texts, [content_digest(text) for text in texts])
        return replace(output, texts=(), delivered=delivery)

    def write(
        self,
        keys: Sequence[str],
        texts: Sequence[bytes | _Pieces],
        digests: Sequence[str],
    ) -> BesideDelivery:
        """Write label rows on condition that nothing has their names."""
        names = [key + SIDECAR_SUFFIX for key in keys]

        def create(position: int) -> str | None:
            """Return why the name is refused, "" for another file; None for a written one."""
            try:
                self.storage.put(names[position], texts[position], unless_changed="")
            except ChangedError:
                return ""
            except NameRefusedError as error:
                return str(error)
            return None

        with ThreadPoolExecutor(max(min(self.storage.puts_at_once, len(names)), 1)) as threads:
            answers = dict(enumerate(threads.map(create, range(len(names)))))
        met = [position for position, answer in answers.items() if answer == ""]
        contents = self.storage.fetch([names[position] for position in met])
        differs = [
            position
            for row, position in enumerate(met)
            if row in contents.unread or content_digest(contents.get(row)) != digests[position]
        ]
        return BesideDelivery(
            digests,
            {p: text for p in differs if isinstance(text := texts[p], bytes)},
            {p: answer for p, answer in answers.items() if answer}
            | {p: "" for p in differs if not isinstance(texts[p], bytes)},
        )


class BesideSink(Struct):
    """Writes label rows beside their data files.

    Examples
    --------
    >>> from labelingest.storage.memory import MemoryStorage
    >>> storage = MemoryStorage({"a.jpg": b"", "b.jpg.encord.json": b"of a person"})
    >>> with BesideSink(storage) as sink:
    ...     [(position, problem)] = sink.put(BatchOutput(["a.jpg", "b.jpg"], [b"{}", b"{}"]))
    >>> position, storage.fetch(["a.jpg.encord.json", "b.jpg.encord.json"]).get(1)
    (1, b'of a person')
    """

    storage: Storage
    _is_open: bool = False
    _digests: dict[str, str] = field(default_factory=dict)
    """Data file → digest of the label row that a run wrote, for this run and earlier ones."""
    _token: str = ""
    """Version token of the list."""

    def __enter__(self) -> "BesideSink":
        self._digests, self._token = self._load()
        self._is_open = True
        return self

    def __exit__(self, *raised: object) -> None:
        if not self._is_open:
            return
        self._is_open = False
        error = raised[1] if raised else None
        if isinstance(error, BaseException):
            error.add_note(ResumeNote("label rows that were written stay beside their data files"))
            # What the run wrote is known to the next run, where that is possible.
            with suppress(StorageError):
                self._save()
        else:
            self._save()

    def half(self) -> BesideHalf:
        """Return the half that writes label rows."""
        return BesideHalf(self.storage)

    def refused(self, keys: Sequence[str]) -> dict[int, Problem]:
        """Refuse nothing beforehand: the storage knows its names."""
        return {}

    def put(self, batch: BatchOutput) -> list[tuple[int, Problem]]:
        """Write label rows that no worker wrote; a key whose file is another's is a problem."""
        if not self._is_open:
            raise ValueError("the sink is not open: use it as `with sink:`")
        texts: Sequence[bytes | _Pieces] = batch.texts
        delivery = batch.delivered
        if batch.large is not None:
            pieces = _Pieces(batch.large)
            texts = [pieces]
            delivery = self.half().write(batch.keys, texts, [Digest(pieces).value])
        elif delivery is None:
            delivery = self.half().deliver(batch).delivered
        refused = dict(delivery.refused)
        for position, text in delivery.texts.items():
            if not self._replace(batch.keys[position], text):
                refused[position] = ""
        if batch.large is not None and 0 in refused and self._replace(batch.keys[0], texts[0]):
            refused = {}
        for position, key in enumerate(batch.keys):
            if position not in refused:
                self._digests[key] = delivery.digests[position]
        return [
            (position, _problem(batch.keys[position], why))
            for position, why in sorted(refused.items())
        ]

    def _replace(self, key: str, content: "bytes | Iterable[bytes]") -> bool:
        """Replace the file of an earlier run that is as that run wrote it; return whether it was."""
        digest = self._digests.get(key)
        if digest is None:
            return False
        existing = self.storage.fetch([key + SIDECAR_SUFFIX])
        if existing.unread or existing.tokens is None or content_digest(existing.get(0)) != digest:
            return False
        try:
            self.storage.put(key + SIDECAR_SUFFIX, content, unless_changed=existing.tokens[0])
        except (ChangedError, NameRefusedError):
            return False
        return True

    def _load(self) -> tuple[dict[str, str], str]:
        """Return the list of earlier runs, and its version token."""
        if self.storage.versions([BESIDE_LIST])[0] is None:
            return {}, ""
        blobs = self.storage.fetch([BESIDE_LIST], most=_MOST_LIST)
        if blobs.unread or blobs.tokens is None:
            why = blobs.unread[0].detail if blobs.unread else ""
            raise StorageError(f"{self.storage.url}: {BESIDE_LIST!r}: {why}")
        first, *lines = blobs.get(0).splitlines() or [b""]
        with suppress(ValueError, TypeError):
            if orjson.loads(first) == {"format": _FORMAT}:
                return dict(map(_entry, lines)), blobs.tokens[0]
        raise StorageError(
            f"{self.storage.url}: {BESIDE_LIST!r} is damaged: move it away; label rows that differ from "
            "those of this run stay then"
        )

    def _save(self) -> None:
        lines = ({"format": _FORMAT}, *sorted(self._digests.items()))
        content = b"".join(orjson.dumps(line) + b"\n" for line in lines)
        try:
            self.storage.put(BESIDE_LIST, content, unless_changed=self._token)
        except ChangedError as error:
            raise StorageError(
                f"{self.storage.url}: another run has written label rows beside data files meanwhile: "
                "give the same command again"
            ) from error
        self.storage.flush([BESIDE_LIST])


def _entry(line: bytes) -> tuple[str, str]:
    """Return an entry of the list; raise ValueError or TypeError where the line is none."""
    key, digest = orjson.loads(line)
    if not (isinstance(key, str) and isinstance(digest, str)):
        raise TypeError
    return key, digest


def _problem(key: str, why: str) -> Problem:
    name = key + SIDECAR_SUFFIX
    detail = f"no label row: {why}" if why else f"no label row: the file {name!r} {_OF_PEOPLE}"
    return Problem(ProblemCode.OUTPUT_NAME_REFUSED, key, detail)
