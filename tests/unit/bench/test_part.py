from pathlib import Path

import pytest

from labelingest.bench.part import part_of
from labelingest.model.pairs import Outcome
from labelingest.pipeline import pair_folder
from labelingest.pipeline.from_config import pairing_rule
from tests.builders.measurements import ROW, rotated_folder


@pytest.mark.parametrize(
    ("files", "batch_bytes", "expected"),
    [
        (30, 400_000, range(30)),  # all there are
        (12, 4 * len(ROW), [0, 1, 2, 3, 10, 11, 12, 13, 20, 21, 22, 23]),
        (13, 6 * len(ROW), [*range(6), *range(15, 21)]),
        (5, 400_000, range(5)),
        (3, 1, [0, 10, 20]),
    ],
)
def test_a_part_of_a_folder_is_spread_evenly(
    tmp_path: Path, files: int, batch_bytes: int, expected: list[int]
) -> None:
    config = rotated_folder(tmp_path, 30)
    paired = pair_folder(config, pairing_rule(config))
    found = part_of(paired, files, batch_bytes)
    part = found.paired
    assert (found.files, found.data_files) == (len(part.pairs), 30)
    keys = part.listing.keys
    assert keys.take(part.pairs.data) == [f"images/{i:03d}.jpg" for i in expected]
    assert keys.take(part.pairs.sidecar) == [f"labels/{i:03d}.txt" for i in expected]


def test_a_part_has_its_share_of_the_images_without_label_file(tmp_path: Path) -> None:
    config = rotated_folder(tmp_path, 20, unlabelled=10)
    paired = pair_folder(config, pairing_rule(config))
    found = part_of(paired, 6, 2 * len(ROW), with_unlabelled=True)
    outcome = found.paired.pairs.outcome
    images = [found.paired.listing.keys[i] for i in (outcome == Outcome.UNLABELLED).nonzero()[0]]
    assert images == ["images/020.jpg", "images/021.jpg"]
    assert (len(found.paired.pairs), found.files, found.data_files) == (4, 6, 30)
    # The folder itself is as it was.
    assert paired.pairs.counts()[Outcome.UNLABELLED] == 10


def test_a_part_of_all_files_is_the_folder(tmp_path: Path) -> None:
    config = rotated_folder(tmp_path, 3, unlabelled=2)
    paired = pair_folder(config, pairing_rule(config))
    assert part_of(paired, 5, 1, with_unlabelled=True).paired is paired
    assert part_of(paired, 3, 1).files == 3
