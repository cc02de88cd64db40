"""Journal of a run: lines of JSON about finished work that a later run can trust.

A line counts when it is complete and its digest fits: each line begins with the digest of itself and
of the line before. So a line that was changed, moved or removed ends what counts.

- After a process was killed all such lines count, because what it had written still exists, in
  memory if not on the disk.
- After the machine itself went down only the lines before the last mark of `synced` count: they were
  on the disk, and so was the work they describe. The identity of the boot shows whether the machine
  went down.
- After a failed fsync the system may have dropped what it did not write, and reports success the next
  time. `distrust` then takes back all lines after the last mark of `synced`.

The module does not know what the lines mean.
"""

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final, NamedTuple

from labelingest.storage.atomic import open_locked
from labelingest.storage.os_errors import cannot_write

__all__ = ["Journal"]

_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
_SYNCED: Final = {"synced": True}
_DIGEST: Final = 8
"""Bytes of a digest; a line begins with twice as many hex digits and a blank."""


class _End(NamedTuple):
    """End of a line, and the digest that the next line continues."""

    offset: int = 0
    digest: bytes = b""


@dataclass(slots=True)
class Journal:
    """A file of lines that one run at a time can hold.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "journal"
    >>> journal = Journal.open(path, "rows.jsonl")
    >>> journal.load(), journal.begin("folder and options"), journal.append([1])
    (None, None, None)
    >>> journal.close()
    >>> Journal.open(path, "rows.jsonl").load()
    ('folder and options', [[1]])
    """

    path: Path
    output: str
    """The output that the journal belongs to, as the user calls it."""
    file: int
    """Descriptor of the journal, locked."""
    damaged: bool = field(default=False, init=False)
    """Whether the journal was loaded up to a damaged line, not to its end."""
    _ends: list[_End] = field(default_factory=list, init=False, repr=False)
    """The end of each entry."""
    _end: _End = field(default=_End(), init=False, repr=False)
    """The end of the last line."""
    _synced: _End = field(default=_End(), init=False, repr=False)
    """The end of the last line that is on the disk together with the work it describes."""

    @classmethod
    def open(cls, path: Path, output: str) -> "Journal":
        """Open a journal; StorageError where another run has it."""
        return cls(path, output, open_locked(path, output))

    def load(self) -> tuple[str, list[Any]] | None:
        """Return the subject and the entries that count, and drop the others; None where none count."""
        subject = boot = ""
        entries: list[Any] = []
        for line, end in self._good_lines():
            self._end = end
            if "entry" in line:
                entries.append(line["entry"])
                self._ends.append(end)
                continue
            boot = str(line.get("boot", boot))
            if "subject" in line or "synced" in line:
                subject, self._synced = str(line.get("subject", subject)), end
        if not subject:
            return None
        if boot and boot == _boot():
            self._cut(self._end)
            return subject, entries
        # All lines that remain are on the disk; lines of this boot may follow.
        self._cut(self._synced)
        self._write({"subject": subject, "boot": _boot()})
        self._synced = self._end
        return subject, entries[: len(self._ends)]

    def _good_lines(self) -> Iterator[tuple[dict[str, Any], _End]]:
        """Yield each line and its end, up to the first that is incomplete or has another digest."""
        end = _End()
        with open(self.file, "rb", closefd=False) as lines:
            lines.seek(0)
            for line in lines:
                digest, _, text = line.rstrip(b"\n").partition(b" ")
                expected = _digest(end.digest, text)
                if not line.endswith(b"\n") or digest != expected:
                    # A process that was killed leaves a part of its last line, and nothing behind.
                    self.damaged = line.endswith(b"\n")
                    return
                record = _object(text)
                if record is None:
                    self.damaged = True
                    return
                end = _End(end.offset + len(line), expected)
                yield record, end

    def _cut(self, end: _End) -> None:
        """Drop everything behind the end of a line."""
        os.ftruncate(self.file, end.offset)
        os.lseek(self.file, end.offset, os.SEEK_SET)
        self._end = end
        self._ends = [entry_end for entry_end in self._ends if entry_end.offset <= end.offset]
        if self._synced.offset > end.offset:
            self._synced = end

    def begin(self, subject: str) -> None:
        """Drop everything, and write the subject of the new entries."""
        self._cut(_End())
        self._write({"subject": subject, "boot": _boot()})
        self._synced = self._end

    def keep(self, entries: int) -> None:
        """Drop all loaded entries but the first so many, at least one."""
        self._cut(self._ends[entries - 1])
        self._write({"boot": _boot()})

    def append(self, entry: Any) -> None:
        """Write an entry: any value of JSON."""
        self._write({"entry": entry})
        self._ends.append(self._end)

    @property
    def entries(self) -> int:
        """Number of entries that count."""
        return len(self._ends)

    def synced(self) -> None:
        """Write that the work of all entries is on the disk."""
        self._write(_SYNCED)
        try:
            os.fsync(self.file)
        except OSError as error:
            self.distrust()
            raise cannot_write(self.output, error) from error
        self._synced = self._end

    def distrust(self) -> None:
        """Drop the entries whose work may not be on the disk, although a later fsync succeeds."""
        try:
            self._cut(self._synced)
            if self._ends:
                self._write({"boot": _boot()})
        except OSError:
            # Losing finished work is better than trusting work that does not exist.
            with suppress(OSError):
                self.path.unlink()

    def _write(self, line: Any) -> None:
        text = json.dumps(line, separators=(",", ":")).encode()
        digest = _digest(self._end.digest, text)
        encoded = b"%s %s\n" % (digest, text)
        rest = memoryview(encoded)
        try:
            while rest:
                rest = rest[os.write(self.file, rest) :]
        except OSError as error:
            # Half a line would hide the lines after it.
            with suppress(OSError):
                self._cut(self._end)
            raise cannot_write(self.output, error) from error
        self._end = _End(self._end.offset + len(encoded), digest)

    def remove(self) -> None:
        """Remove the journal; the next run starts from the beginning."""
        with suppress(FileNotFoundError):
            self.path.unlink()
        self.close()

    def close(self) -> None:
        """Leave the journal for a later run."""
        os.close(self.file)


def _digest(before: bytes, text: bytes) -> bytes:
    return blake2b(before + text, digest_size=_DIGEST).hexdigest().encode()


def _object(text: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _boot() -> str:
    """Return the identity of this boot of the machine; "" where the system has none."""
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return ""
