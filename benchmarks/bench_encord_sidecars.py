"""Encord sidecars to label rows, against decoding and writing them alone, which checks nothing.

The rival is what no program around orjson can avoid: `loads` and `dumps` of each sidecar. Ours also
checks every label, fills the columns that other formats are written from, and replaces identifiers.
"""

from collections.abc import Sequence

import numpy as np
import orjson
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.batches import STORAGE_URL
from benchmarks.sidecars import HEIGHT, WIDTH, Sidecars, sidecars
from labelingest.model.ontology import Ontology
from labelingest.model.units import DataUnits
from labelingest.model.vocabulary import Vocabulary
from labelingest.readers.encord.data_file import DataFile
from labelingest.readers.encord.read import SidecarBatch, read_sidecars
from labelingest.resolution.ontology_json import load_ontology
from labelingest.writers.label_rows import write_label_rows
from labelingest.writers.target import TargetOptions, WriterOptions

BATCH_BYTES = 400_000
MEASURED_BYTES = 20_000_000
TRIED = 60
BYTES_A_FILE = {"boxes": 4_250, "polygons": 17_200, "mixed": 13_700}
"""So that 20 MB are measured."""
DATE = "Mon, 05 Jan 2026 16:46:58 UTC"


class Reading:
    """Sidecars in batches as the engine makes them, and what they are read with."""

    def __init__(self, generated: Sidecars) -> None:
        self.sidecars = generated
        self.ontology: Ontology = load_ontology(generated.structure)
        self.vocabulary = Vocabulary.from_structure(generated.structure)
        self.features = {
            ontology_object.feature_hash: i
            for i, ontology_object in enumerate(self.ontology.objects)
        }
        self.options = TargetOptions(ontology=self.ontology, writer=WriterOptions(STORAGE_URL))
        size = max(BATCH_BYTES * len(generated.contents) // sum(map(len, generated.contents)), 1)
        starts = range(0, len(generated.contents), size)
        self.batches = [generated.contents[start : start + size] for start in starts]

    def read(self, contents: Sequence[bytes]) -> SidecarBatch:
        file = DataFile.from_key("a.jpg", (WIDTH, HEIGHT), DATE)
        files = [file] * len(contents)
        return read_sidecars(contents, [""] * len(contents), files, self.vocabulary, self.features)

    def read_all(self) -> int:
        return sum(len(self.read(contents).annotations) for contents in self.batches)

    def read_and_write_all(self) -> int:
        label_rows = 0
        for contents in self.batches:
            keys = [f"{i:06d}.jpg" for i in range(len(contents))]
            units = DataUnits.from_keys(keys, keys, np.zeros(len(keys), dtype=np.int64))
            rows = self.read(contents).rows
            label_rows += len(write_label_rows(rows, units, self.options))
        return label_rows

    def decode_and_dump_all(self) -> int:
        return sum(len(orjson.dumps(orjson.loads(content))) for content in self.sidecars.contents)


@pytest.mark.parametrize("dirty", [0.0, 0.01], ids=["clean", "1% dirty"])
@pytest.mark.parametrize(
    ("kind", "answers"), [("boxes", False), ("polygons", False), ("mixed", True)]
)
class TestSidecars:
    @pytest.fixture
    def reading(
        self,
        benchmark: BenchmarkFixture,
        pytestconfig: pytest.Config,
        kind: str,
        answers: bool,
        dirty: float,
    ) -> Reading:
        benchmark.group = (
            f"encord sidecars: {kind}{' with answers' if answers else ''}, "
            f"{'1 % dirty' if dirty else 'clean'}"
        )
        measured = pytestconfig.getoption("benchmark_enable")
        files = MEASURED_BYTES // BYTES_A_FILE[kind] if measured else TRIED
        return Reading(sidecars(files, kind, answers=answers, dirty=dirty))

    def test_read(self, benchmark: BenchmarkFixture, reading: Reading) -> None:
        objects = benchmark(reading.read_all)
        assert objects == reading.sidecars.objects - reading.sidecars.dirty

    def test_read_and_write(self, benchmark: BenchmarkFixture, reading: Reading) -> None:
        assert benchmark(reading.read_and_write_all) == len(reading.sidecars.contents)

    def test_rival_loads_and_dumps(self, benchmark: BenchmarkFixture, reading: Reading) -> None:
        assert benchmark(reading.decode_and_dump_all) > 0
