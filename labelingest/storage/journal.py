"""What was done so far, written down: lines of JSON that a later run can trust.

A line counts when it is whole. After a process was killed all whole lines count, for what it had
written is still there, in memory if not on the disk. After the machine itself went down only those
count that stand before the last mark of `synced`: all before it was on the disk, and so was what
the lines speak of. Whether the machine went down is told by the identity of its boot.

It refuses to know what the lines mean.
"""

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from labelingest.storage.atomic import open_locked
from labelingest.storage.causes import cannot_write

__all__ = ["Journal"]

_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")
_SYNCED: Final = {"synced": True}


@dataclass(slots=True)
class Journal:
    """A file of lines that one run at a time can have.

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
    """What it is about, as the user calls it."""
    file: int
    """Descriptor, locked."""

    @classmethod
    def open(cls, path: Path, output: str) -> "Journal":
        """Open a journal; StorageError where another run has it."""
        return cls(path, output, open_locked(path, output))

    def load(self) -> tuple[str, list[Any]] | None:
        """Return the subject and the entries that count, and forget the others; None for none."""
        trusted = whole = counted = 0
        subject = boot = ""
        entries: list[Any] = []
        for line, end in self._whole_lines():
            whole = end
            if "entry" in line:
                entries.append(line["entry"])
                continue
            subject, boot = line.get("subject", subject), line.get("boot", boot)
            trusted, counted = end, len(entries)
        if not subject:
            return None
        same_boot = boot and boot == _boot()
        end = whole if same_boot else trusted
        os.ftruncate(self.file, end)
        os.lseek(self.file, end, os.SEEK_SET)
        if same_boot:
            return subject, entries
        # All that is left is on the disk; lines of this boot may follow.
        self._write({"subject": subject, "boot": _boot()})
        return subject, entries[:counted]

    def _whole_lines(self) -> Iterator[tuple[dict[str, Any], int]]:
        """Yield each line and where it ends, up to the first that is not whole."""
        end = 0
        with open(self.file, "rb", closefd=False) as lines:
            lines.seek(0)
            for line in lines:
                end += len(line)
                try:
                    found = json.loads(line)
                except ValueError:
                    return
                if not (line.endswith(b"\n") and isinstance(found, dict)):
                    return
                yield found, end

    def begin(self, subject: str) -> None:
        """Forget everything, and write down what the new entries are about."""
        os.ftruncate(self.file, 0)
        os.lseek(self.file, 0, os.SEEK_SET)
        self._write({"subject": subject, "boot": _boot()})

    def append(self, entry: Any) -> None:
        """Write an entry down: anything that JSON can say."""
        self._write({"entry": entry})

    def synced(self) -> None:
        """Write down that what all entries speak of is on the disk."""
        self._write(_SYNCED)
        os.fsync(self.file)

    def _write(self, line: Any) -> None:
        rest = memoryview(json.dumps(line, separators=(",", ":")).encode() + b"\n")
        try:
            while rest:
                rest = rest[os.write(self.file, rest) :]
        except OSError as error:
            raise cannot_write(self.output, error) from error

    def remove(self) -> None:
        """Remove it; the next run begins anew."""
        with suppress(FileNotFoundError):
            self.path.unlink()
        self.close()

    def close(self) -> None:
        """Leave it for a later run."""
        os.close(self.file)


def _boot() -> str:
    """Return what is different after each start of the machine; "" where that is not known."""
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return ""
