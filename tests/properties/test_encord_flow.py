"""Client → sidecar → us → client: equal objects, coordinates and answers, through the whole flow."""

import json
import random

import orjson
import pytest

from labelingest.converter import LabelFile
from tests.builders.corruption import corrupted, nodes
from tests.builders.effort import SEEDS
from tests.builders.encord import encord_converter
from tests.builders.sidecars import client_rows, frames_of_row, in_style
from tests.oracles.client_meaning import meaning_of

EXTENSIONS = {
    "image": ".jpg",
    "img_group": "",
    "video": ".mp4",
    "pdf": ".pdf",
    "audio": ".wav",
    "text": ".txt",
    "html": ".html",
}
STYLES = ("answers", "frames", "both")


@pytest.mark.parametrize("seed", SEEDS)
def test_rows_of_the_client_come_out_with_the_same_meaning(seed: int) -> None:
    for position, (structure, kind, row) in enumerate(client_rows(seed, 75)):
        styled = in_style(row, STYLES[position % 3])
        file = LabelFile(f"{kind}/{position}{EXTENSIONS[kind]}", orjson.dumps(styled))
        done = encord_converter(structure).convert([file])
        assert {problem.code.value for problem in done.problems} <= {"self-intersecting-polygon"}
        (made,) = done.as_dicts()
        assert made is not None
        frames = frames_of_row(kind)
        assert meaning_of(made, structure, frames) == meaning_of(row, structure, frames)
        assert done.tally.balance()


@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_damaged_the_books_balance_and_nothing_raises(seed: int) -> None:
    rng = random.Random(seed)
    by_structure: dict[str, list[LabelFile]] = {}
    for position, (structure, kind, row) in enumerate(client_rows(seed, 70)):
        text = json.dumps(structure)
        damaged = corrupted(row, rng)[0] if position % 2 else row
        content = json.dumps(damaged).encode()
        key = f"{position}{EXTENSIONS[kind]}"
        by_structure.setdefault(text, []).append(LabelFile(key, content, sidecar=f"{key}.json"))
    for text, files in by_structure.items():
        for to in ("encord", "parquet", "coco"):
            done = encord_converter(json.loads(text), to=to).convert(files)
            assert done.tally.balance()
            assert done.tally.label_rows + done.tally.failed_files == len(files)
            assert len(done.is_converted) == len(files)
    assert len(by_structure) > 1


def test_a_corruption_in_a_batch_is_named_at_its_pointer_and_costs_no_other_file() -> None:
    structure, _, row = next(found for found in client_rows(1, 7) if found[1] == "image")
    contents = [orjson.dumps(row)] * 3
    path = next(path for path in nodes(row) if path[-1] == "confidence" and "objects" in path)
    damaged = json.loads(contents[1])
    parent = damaged
    for key in path[:-1]:
        parent = parent[key]
    parent["confidence"] = 7
    contents[1] = orjson.dumps(damaged)
    done = encord_converter(structure).convert(
        [LabelFile(f"{n}.jpg", content) for n, content in enumerate(contents)]
    )
    errors = [problem for problem in done.problems if problem.severity == "error"]
    assert [(problem.source, problem.code.value) for problem in errors] == [
        ("1.jpg", "bad-confidence")
    ]
    pointer = "/" + "/".join(str(key).replace("~", "~0").replace("/", "~1") for key in path)
    assert errors[0].pointer == pointer
    assert done.tally.label_rows == 3
