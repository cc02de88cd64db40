"""Label rows that a worker wrote into an output under temporary names: the worker's half of a sync.

A worker converts label files, writes their label rows ahead, and tells their sizes and digests. The
command notes both in the state and gives the files their names (`output_files.py`): no label row
passes through it. Only a folder of this machine, or one that machines share, takes files under
temporary names. Label rows for other outputs come back as texts.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from labelingest.columns.fingerprints import content_digest
from labelingest.encord.keys import SIDECAR_SUFFIX
from labelingest.model.batch_output import BatchOutput
from labelingest.storage.local.local import LocalStorage
from labelingest.storage.local.staging import Staged, stage

__all__ = ["StagedRows", "StagingHalf"]


@dataclass(frozen=True, slots=True)
class StagedRows:
    """Label rows of a job that are in the output under temporary names."""

    sizes: Sequence[int]
    """(m,) bytes of the label rows."""
    digests: Sequence[str]
    """(m,) digests of the label rows."""
    files: Sequence[Staged]
    """(m,) the written files, or why a name is refused."""


@dataclass(frozen=True, slots=True)
class StagingHalf:
    """Half of an output that every worker of a sync holds (`labelingest.sinks.base.WorkerHalf`)."""

    output: LocalStorage
    """Output of the folder."""
    marker: str
    """Key of the marker of the output."""
    identity: bytes
    """Content of the marker, by which a worker knows that its machine has the same folder."""

    def pack(self, output: BatchOutput) -> BatchOutput:
        """Return a batch as it is."""
        return output

    def deliver(self, output: BatchOutput) -> BatchOutput:
        """Write the label rows of a job under temporary names."""
        if not output.keys or not self._is_reachable():
            return output
        texts = output.texts
        files = stage(self.output, [key + SIDECAR_SUFFIX for key in output.keys], texts)
        rows = StagedRows([len(text) for text in texts], [*map(content_digest, texts)], files)
        return BatchOutput(output.keys, delivered=rows)

    def _is_reachable(self) -> bool:
        """Whether the output has its marker: a path of another machine may name another folder."""
        return self.output.fetch([self.marker], tokens=False).get(0) == self.identity
