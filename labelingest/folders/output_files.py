"""Write and delete files of label rows in an output, and only files that the folder wrote.

The state knows a file by size, digest and version token. It notes the next file before that is
written: after a kill the output has the old file or the new one, and the state knows both.

1. Put a file on condition that the output has the known version, or no file where none is known.
2. Where that fails, look at the file in the output. A file with a known digest, or with the very
   bytes to be written, is the folder's whatever its time, and is replaced.
3. Every other file is foreign: it stays, and costs the label row.

Nothing is read while the output is unchanged. This module refuses to know what label rows contain,
which folder an output belongs to (`output_owner.py`), and what a command may replace
(`protected_files.py`).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import numpy as np

from labelingest.columns.fingerprints import Digest, content_digest
from labelingest.encord.keys import SIDECAR_SUFFIX
from labelingest.errors import NameRefusedError, PlaceTakenError
from labelingest.folders.staged_rows import StagedRows
from labelingest.folders.state.label_rows import UNWRITTEN, RowFile
from labelingest.model.batch_output import BatchOutput, LargeLabels
from labelingest.model.blobs import Unread
from labelingest.storage.atomic_in_folder import UnfinishedFile
from labelingest.storage.base import NO_FILE, ChangedError, Storage, Version
from labelingest.storage.local.local import LocalStorage
from labelingest.storage.local.staging import Staged, discard, publish

__all__ = [
    "LARGE_ROW",
    "LabelRowFiles",
    "WriteOutcome",
    "digest_of",
    "foreign_file",
    "parts_of",
]

LARGE_ROW: Final = 16_000_000
"""Bytes of a file that are read at once; larger files are read in parts to bound memory."""


@dataclass(slots=True)
class WriteOutcome:
    """Outcome of writing label rows."""

    files: dict[str, RowFile] = field(default_factory=dict)
    """Data file → entry of its label row's file."""
    written_keys: set[str] = field(default_factory=set)
    """Data files whose label row was written."""
    refused: dict[str, str] = field(default_factory=dict)
    """Data file → why its label row was not written."""
    blocked: set[str] = field(default_factory=set)
    """Data files whose label row is blocked by a foreign file: the next sync tries again."""


@dataclass(frozen=True, slots=True)
class _Pieces:
    """A large label row, made piece by piece whenever it is written."""

    large: LargeLabels

    def __iter__(self) -> Iterator[bytes]:
        return self.large.pieces()


@dataclass(slots=True)
class _Draft:
    """One label row that is to be written."""

    key: str
    content: "bytes | _Pieces | Staged"
    """Its text, or the file that was written under a temporary name."""
    size: int
    digest: str
    file: RowFile
    overwrites: bool
    """Whether to write over a changed file, as the user asked."""
    expected: str = ""
    """Version token of the file that may be replaced; "" for no file."""

    def is_doubtful(self) -> bool:
        """Whether the state alone does not tell what the output has."""
        file = self.file
        unsure = file.next_digest is not None or (file.token is None and file.digest is not None)
        return self.overwrites or unsure


@dataclass(frozen=True, slots=True)
class LabelRowFiles:
    """Files of label rows in one output."""

    output: Storage
    """Storage with the files."""

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
            Keys of data files, and texts of their label rows.
        files
            Data file → entry of its file; unwritten files may be left out.
        on_begin
            Called before anything is written, with the entries that the state must have then.
        overwrites
            Data files whose label row is written over a changed file.
        missing
            Data files whose label row was deleted from the output.
        """
        outcome = WriteOutcome()
        drafts = [
            _Draft(key, *content, files.get(key, UNWRITTEN), key in overwrites)
            for key, content in zip(label_rows.keys, _contents(label_rows), strict=True)
        ]
        for draft in drafts:
            draft.expected = "" if draft.key in missing else draft.file.token or ""
        drafts = self._without_foreign(drafts, outcome)
        on_begin({draft.key: draft.file.with_next(draft.size, draft.digest) for draft in drafts})
        changed = self._put(drafts, outcome)
        # A changed file is looked at once: one that changes again counts as foreign.
        for draft in self._put(self._writable(changed, outcome), outcome):
            self._refuse(draft, outcome)
        self.output.flush([key + SIDECAR_SUFFIX for key in outcome.written_keys])
        self.discard([key for key in label_rows.keys if key not in outcome.written_keys])
        return outcome

    def discard(self, keys: Sequence[str]) -> None:
        """Remove what was written ahead, by this run or one that was killed, and is not wanted."""
        if keys and isinstance(self.output, LocalStorage):
            discard(self.output, [key + SIDECAR_SUFFIX for key in keys])

    def remove(self, files: Mapping[str, RowFile]) -> set[str]:
        """Remove files of label rows; return the data files whose file is foreign, and stays.

        Parameters
        ----------
        files
            Data file → entry of its file.
        """
        existing = {key: file for key, file in files.items() if file.exists}
        drafts = [_Draft(key, b"", 0, "", file, overwrites=False) for key, file in existing.items()]
        foreign = {draft.key for draft, owned in self._look(drafts) if not owned}
        names = [key + SIDECAR_SUFFIX for key in existing if key not in foreign]
        self.output.delete(names)
        self.output.flush(names)
        return foreign

    def _without_foreign(self, drafts: list[_Draft], outcome: WriteOutcome) -> list[_Draft]:
        """Look at doubtful files in the output; leave out drafts whose file is foreign."""
        doubtful = [draft for draft in drafts if draft.is_doubtful()]
        refused = {draft.key for draft in doubtful}
        refused -= {draft.key for draft in self._writable(doubtful, outcome)}
        return [draft for draft in drafts if draft.key not in refused]

    def _writable(self, drafts: Sequence[_Draft], outcome: WriteOutcome) -> list[_Draft]:
        """Look at files in the output; return the drafts that may be written, refuse the others."""
        writable = []
        for draft, owned in self._look(drafts):
            if owned:
                writable.append(draft)
            else:
                self._refuse(draft, outcome)
        return writable

    def _look(self, drafts: Sequence[_Draft]) -> list[tuple[_Draft, bool]]:
        """Look at files in the output; each draft expects the version of its file then.

        Returns
        -------
        list of (draft, owned)
            Owned where the output has no file, a file of the folder, or one that may be replaced.
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
            owned = version is None or _adopt(draft, version, digests.get(draft.key))
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
        readable = ((row, key) for row, key in enumerate(keys) if row not in blobs.unread)
        return large | {key: content_digest(blobs.get(row)) for row, key in readable}

    def _put(self, drafts: Sequence[_Draft], outcome: WriteOutcome) -> list[_Draft]:
        """Write label rows; return the drafts whose file has another version than expected."""
        staged = [draft for draft in drafts if isinstance(draft.content, UnfinishedFile)]
        changed = self._publish(staged, outcome)
        drafts = [draft for draft in drafts if not isinstance(draft.content, UnfinishedFile)]
        if not drafts:
            return changed
        threads = self.output.puts_at_once
        # A share for each thread: a task for each file costs half as much as the file.
        with ThreadPoolExecutor(threads) as pool:
            shares = [drafts[start::threads] for start in range(threads)]
            parts = list(pool.map(partial(self._put_some, outcome), shares))
        return changed + [draft for part in parts for draft in part]

    def _publish(self, drafts: Sequence[_Draft], outcome: WriteOutcome) -> list[_Draft]:
        """Give staged label rows their names; return the drafts whose file has another version."""
        if not drafts or not isinstance(self.output, LocalStorage):
            return []
        results = publish(
            self.output,
            [draft.key + SIDECAR_SUFFIX for draft in drafts],
            [draft.content for draft in drafts if isinstance(draft.content, UnfinishedFile)],
            [draft.expected for draft in drafts],
        )
        return [
            draft
            for draft, result in zip(drafts, results, strict=True)
            if not _note(draft, result, outcome)
        ]

    def _put_some(self, outcome: WriteOutcome, drafts: Iterable[_Draft]) -> list[_Draft]:
        return [draft for draft in drafts if not _note(draft, self._put_one(draft), outcome)]

    def _put_one(self, draft: _Draft) -> str | ChangedError | NameRefusedError:
        match draft.content:
            case NameRefusedError() as refusal:
                return refusal
            case UnfinishedFile():
                raise TypeError("a staged file is published, not put")
            case _Pieces() as pieces:
                content: bytes | Iterable[bytes] = iter(pieces)
            case bytes() as content:
                pass
        try:
            return self.output.put(
                draft.key + SIDECAR_SUFFIX, content, unless_changed=draft.expected
            )
        except (ChangedError, NameRefusedError) as error:
            return error

    def _refuse(self, draft: _Draft, outcome: WriteOutcome) -> None:
        outcome.blocked.add(draft.key)
        sentence = foreign_file(self.output, draft.key, is_changed=draft.file.size is not None)
        outcome.refused[draft.key] = f"no label row: {sentence}"
        outcome.files[draft.key] = draft.file.without_next()


def parts_of(output: Storage, key: str, size: int) -> Iterator[bytes | Unread]:
    """Yield the file of a label row part by part; a failure to read is the last part.

    Parameters
    ----------
    output, key
        Output, and key of the data file.
    size
        Expected bytes of the file; a longer file yields more.
    """
    for start in range(0, size + 1, LARGE_ROW):
        (part,) = output.fetch_heads([key + SIDECAR_SUFFIX], LARGE_ROW, start=start)
        yield part
        if isinstance(part, Unread):
            return


def digest_of(output: Storage, key: str, size: int) -> str | None:
    """Return the digest of a label row's file, read part by part.

    The digest is None where the file is unreadable or has another size.
    """
    parts = parts_of(output, key, size)
    digest = Digest(part for part in parts if not isinstance(part, Unread))
    return digest.value if digest.length == size else None


def _contents(label_rows: BatchOutput) -> Iterable[tuple[bytes | _Pieces | Staged, int, str]]:
    """Yield content, size and digest of each label row of a batch."""
    if label_rows.large is not None:
        digest = Digest(label_rows.large.pieces())
        return [(_Pieces(label_rows.large), digest.length, digest.value)]
    staged: StagedRows | None = label_rows.delivered
    if staged is None:
        return ((text, len(text), content_digest(text)) for text in label_rows.texts)
    return zip(staged.files, staged.sizes, staged.digests, strict=True)


def _note(
    draft: _Draft, result: str | ChangedError | NameRefusedError, outcome: WriteOutcome
) -> bool:
    """Note the outcome of writing a label row; return whether that is settled."""
    key = draft.key
    if isinstance(result, ChangedError):
        return False
    if isinstance(result, NameRefusedError):
        outcome.refused[key] = f"no label row: {result}"
        outcome.files[key] = draft.file.without_next()
        if isinstance(result, PlaceTakenError):
            outcome.blocked.add(key)
    else:
        outcome.written_keys.add(key)
        outcome.files[key] = draft.file.replaced(draft.size, draft.digest, result)
    return True


def foreign_file(output: Storage, key: str, *, is_changed: bool) -> str:
    """Return the sentence for a foreign file in the place of a label row.

    Parameters
    ----------
    output, key
        Output, and key of the data file.
    is_changed
        Whether the file may be a changed label row of the folder: an option rewrites those.
    """
    cure = " (for a label row that was changed there, --verify-output writes over it)"
    return (
        f"{key + SIDECAR_SUFFIX!r} in {output.url} is not as this folder wrote it, and stays as it "
        f"is: move it away, and the next sync writes the label row{cure if is_changed else ''}"
    )


def _may_be_owned(draft: _Draft, version: Version) -> bool:
    """Whether only the content tells whether the folder wrote a file."""
    if version == NO_FILE or draft.file.has_token(version):
        return False
    return version.size in {draft.file.size, draft.file.next_size, draft.size}


def _adopt(draft: _Draft, version: Version, digest: str | None) -> bool:
    """Return whether a file may be written over; the draft gets the file's entry."""
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
        draft.file = file.without_next()._replace(
            size=version.size, digest=digest, token=version.token
        )
        return True
    return draft.overwrites
