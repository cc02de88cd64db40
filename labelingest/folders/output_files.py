"""The files of label rows in the output of a folder: written over, and deleted, only if the folder wrote them.

What a folder wrote is known by size, digest and version token. Before a file is written, what it
will be is noted in the state too: after a kill, it may stand there or not, and both are right.

1. A file is put on condition that the version known stands there, or nothing where none is known.
2. Where that fails, what stands there is looked at: a file with a digest that is known (or with the
   very bytes to be written) is the folder's whatever its time says, and is replaced in that version.
3. Everything else is foreign: it stays, and costs the label row.

Nothing is read while all is as it should be. It refuses to know what label rows mean.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

import numpy as np

from labelingest.columns.fingerprints import Digest, content_digest
from labelingest.encord.keys import SIDECAR_SUFFIX
from labelingest.errors import NameRefusedError, PlaceTakenError
from labelingest.folders.state.label_rows import UNWRITTEN, RowFile
from labelingest.model.batch_output import BatchOutput, LargeLabels
from labelingest.model.blobs import Unread
from labelingest.storage.base import NO_FILE, ChangedError, Storage, Version

__all__ = [
    "LARGE_ROW",
    "LabelRowFiles",
    "WriteOutcome",
    "digest_of",
    "foreign_file",
    "parts_of",
]

LARGE_ROW: Final = 16_000_000
"""Bytes of a file that are read at once: a larger one is read in parts."""


@dataclass(slots=True)
class WriteOutcome:
    """What became of label rows that were to be written."""

    files: dict[str, RowFile] = field(default_factory=dict)
    """Data file → what is known of its label row's file now."""
    written_keys: set[str] = field(default_factory=set)
    """Data files whose label row was written."""
    refused: dict[str, str] = field(default_factory=dict)
    """Data file → why its label row was not written."""
    blocked: set[str] = field(default_factory=set)
    """Data files of which something foreign has the place: to be tried again."""


@dataclass(frozen=True, slots=True)
class _Pieces:
    """A label row that is made piece by piece whenever it is written."""

    large: LargeLabels
    size: int

    def __iter__(self) -> Iterator[bytes]:
        return self.large.pieces()

    def __len__(self) -> int:
        return self.size


@dataclass(slots=True)
class _Draft:
    """One label row that is to be written."""

    key: str
    text: "bytes | _Pieces"
    digest: str
    file: RowFile
    overwrites: bool
    """Whether a file that was changed since is written over, as the user asked."""
    expected: str = ""
    """Version token that is to be replaced; "" for none."""

    def is_doubtful(self) -> bool:
        """Whether the state alone does not tell what stands there."""
        file = self.file
        unsure = file.next_digest is not None or (file.token is None and file.digest is not None)
        return self.overwrites or unsure


@dataclass(frozen=True, slots=True)
class LabelRowFiles:
    """The files of label rows in one output."""

    output: Storage

    def write(
        self,
        label_rows: BatchOutput,
        files: Mapping[str, RowFile],
        on_begin: Callable[[Mapping[str, RowFile]], None],
        *,
        overwrites: Set[str] = frozenset(),
        missing: Set[str] = frozenset(),
    ) -> WriteOutcome:
        """Write label rows.

        Parameters
        ----------
        label_rows
            Keys of data files, and texts.
        files
            Data file → what is known of the file, where anything is.
        on_begin
            Called before anything is written, with what is known then: it is to be in the state.
        overwrites
            Data files whose label row is written over a file that was changed since.
        missing
            Data files whose label row was deleted from the output.
        """
        outcome = WriteOutcome()
        texts: Sequence[tuple[bytes | _Pieces, str]]
        if label_rows.large is None:
            texts = [(text, content_digest(text)) for text in label_rows.texts]
        else:
            digest = Digest(label_rows.large.pieces())
            texts = [(_Pieces(label_rows.large, digest.length), digest.value)]
        drafts = [
            _Draft(key, text, digest, files.get(key, UNWRITTEN), key in overwrites)
            for key, (text, digest) in zip(label_rows.keys, texts, strict=True)
        ]
        for draft in drafts:
            draft.expected = "" if draft.key in missing else draft.file.token or ""
        drafts = self._prepared(drafts, outcome)
        on_begin(
            {draft.key: draft.file.with_next(len(draft.text), draft.digest) for draft in drafts}
        )
        changed = self._put(drafts, outcome)
        # What was changed since is looked at once; whoever goes on changing it has the place.
        for draft in self._put(self._looked_at(changed, outcome), outcome):
            self._refuse(draft, outcome)
        self.output.flush([key + SIDECAR_SUFFIX for key in outcome.written_keys])
        return outcome

    def remove(self, files: Mapping[str, RowFile]) -> set[str]:
        """Remove the files of label rows; return the data files of those that are foreign, and stay.

        Parameters
        ----------
        files
            Data file → what is known of the file.
        """
        existing = {key: file for key, file in files.items() if file.exists}
        drafts = [_Draft(key, b"", "", file, overwrites=False) for key, file in existing.items()]
        foreign = {draft.key for draft, owned in self._look(drafts) if not owned}
        names = [key + SIDECAR_SUFFIX for key in existing if key not in foreign]
        self.output.delete(names)
        self.output.flush(names)
        return foreign

    def _prepared(self, drafts: list[_Draft], outcome: WriteOutcome) -> list[_Draft]:
        """Find out what stands where the state alone does not tell; leave out what is foreign."""
        doubtful = [draft for draft in drafts if draft.is_doubtful()]
        refused = {draft.key for draft in doubtful}
        refused -= {draft.key for draft in self._looked_at(doubtful, outcome)}
        return [draft for draft in drafts if draft.key not in refused]

    def _looked_at(self, drafts: Sequence[_Draft], outcome: WriteOutcome) -> list[_Draft]:
        """Look at what stands there; return those that may be written, refuse the others."""
        writable = []
        for draft, owned in self._look(drafts):
            if owned:
                writable.append(draft)
            else:
                self._refuse(draft, outcome)
        return writable

    def _look(self, drafts: Sequence[_Draft]) -> list[tuple[_Draft, bool]]:
        """Look at what stands there; each draft expects that then.

        Returns
        -------
        list of (draft, owned)
            Owned where nothing stands there, or what the folder wrote, or may write over.
        """
        if not drafts:
            return []
        versions = self.output.versions([draft.key + SIDECAR_SUFFIX for draft in drafts])
        digests = self._digests(
            {
                draft.key: version
                for draft, version in zip(drafts, versions, strict=True)
                if version is not None and _may_be_owned(draft, version)
            }
        )
        looked = []
        for draft, version in zip(drafts, versions, strict=True):
            owned = version is None or _take(draft, version, digests.get(draft.key))
            draft.expected = "" if version is None else version.token
            looked.append((draft, owned))
        return looked

    def _digests(self, versions: Mapping[str, Version]) -> Mapping[str, str]:
        """Read files; return data file → digest of those that could be read."""
        if not versions:
            return {}
        keys = [key for key, version in versions.items() if version.size <= LARGE_ROW]
        large = {
            key: digest
            for key, version in versions.items()
            if version.size > LARGE_ROW and (digest := digest_of(self.output, key, version.size))
        }
        versions = {key: versions[key] for key in keys}
        sizes = np.array([version.size for version in versions.values()], dtype=np.int64)
        blobs = self.output.fetch([key + SIDECAR_SUFFIX for key in keys], sizes=sizes, tokens=False)
        read = ((row, key) for row, key in enumerate(keys) if row not in blobs.unread)
        return large | {key: content_digest(blobs.get(row)) for row, key in read}

    def _put(self, drafts: Sequence[_Draft], outcome: WriteOutcome) -> list[_Draft]:
        """Write label rows; return those whose file is not the version that was expected."""
        if not drafts:
            return []
        threads = self.output.puts_at_once
        # A share for each thread: a task for each file costs half as much as the file.
        with ThreadPoolExecutor(threads) as pool:
            shares = [drafts[start::threads] for start in range(threads)]
            parts = list(pool.map(partial(self._put_some, outcome), shares))
        return [draft for part in parts for draft in part]

    def _put_some(self, outcome: WriteOutcome, drafts: Iterable[_Draft]) -> list[_Draft]:
        changed = []
        for draft in drafts:
            key = draft.key
            try:
                token = self.output.put(
                    key + SIDECAR_SUFFIX, _content(draft.text), unless_changed=draft.expected
                )
            except ChangedError:
                changed.append(draft)
            except NameRefusedError as error:
                outcome.refused[key] = f"no label row: {error}"
                outcome.files[key] = draft.file.without_next()
                if isinstance(error, PlaceTakenError):
                    outcome.blocked.add(key)
            else:
                outcome.written_keys.add(key)
                outcome.files[key] = draft.file.replaced(len(draft.text), draft.digest, token)
        return changed

    def _refuse(self, draft: _Draft, outcome: WriteOutcome) -> None:
        outcome.blocked.add(draft.key)
        sentence = foreign_file(self.output, draft.key, is_changed=draft.file.size is not None)
        outcome.refused[draft.key] = f"no label row: {sentence}"
        outcome.files[draft.key] = draft.file.without_next()


def parts_of(output: Storage, key: str, size: int) -> Iterator[bytes | Unread]:
    """Yield the file of a label row part by part; last, why it cannot be read on, if so.

    Parameters
    ----------
    output, key
        Where it is, and of which data file.
    size
        Bytes that it is to have; of a longer one, some more are read.
    """
    for start in range(0, size + 1, LARGE_ROW):
        (part,) = output.fetch_heads([key + SIDECAR_SUFFIX], LARGE_ROW, start=start)
        yield part
        if isinstance(part, Unread):
            return


def digest_of(output: Storage, key: str, size: int) -> str | None:
    """Read the file of a label row part by part; return its digest.

    None where it cannot be read, or has another size.
    """
    parts = parts_of(output, key, size)
    digest = Digest(part for part in parts if not isinstance(part, Unread))
    return digest.value if digest.length == size else None


def _content(text: bytes | _Pieces) -> bytes | Iterable[bytes]:
    return text if isinstance(text, bytes) else iter(text)


def foreign_file(output: Storage, key: str, *, is_changed: bool) -> str:
    """Return the sentence for what stands in the place of a label row, and is not the folder's.

    Parameters
    ----------
    output, key
        Where, and the data file.
    is_changed
        Whether it may be a label row of the folder that was changed: these are written again.
    """
    cure = " (for a label row that was changed there, --verify-output writes over it)"
    return (
        f"{key + SIDECAR_SUFFIX!r} in {output.url} is not as this folder wrote it, and stays as it "
        f"is: move it away, and the next sync goes on{cure if is_changed else ''}"
    )


def _may_be_owned(draft: _Draft, version: Version) -> bool:
    """Whether a file has to be read to know whose it is."""
    if version == NO_FILE or draft.file.has_token(version):
        return False
    return version.size in {draft.file.size, draft.file.next_size, len(draft.text)}


def _take(draft: _Draft, version: Version, digest: str | None) -> bool:
    """Return whether a file may be written over; note in the draft what of it is known."""
    file = draft.file
    if version == NO_FILE:
        return False
    if file.has_token(version):
        draft.file = file.without_next()
        return True
    if digest is not None and digest == file.next_digest:
        draft.file = file.replaced(version.size, digest, version.token)
        return True
    if digest is not None and digest in {file.digest, draft.digest}:
        draft.file = replace(
            file.without_next(), size=version.size, digest=digest, token=version.token
        )
        return True
    return draft.overwrites
