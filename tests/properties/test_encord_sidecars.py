import json
import random
from typing import Any

import orjson
import pytest

from labelingest.model.vocabulary import Vocabulary
from labelingest.readers.encord import read_label_row
from tests.builders.corruption import corrupted, nodes, pointer_of
from tests.builders.effort import SEEDS
from tests.builders.sidecars import client_rows, frames_of_row, in_style
from tests.oracles.client_meaning import meaning_of

STYLES = ("answers", "frames", "both")
ROWS_A_SEED = 75
"""Kinds come in turns of 7, styles in turns of 3: all pairs occur."""
NOT_NUMBERS: tuple[Any, ...] = ("0.5", None, True, [], float("nan"), float("inf"))
COUNTS = ("top", "left", "height", "width")


@pytest.mark.parametrize("seed", SEEDS)
def test_a_row_of_the_client_reads_back_equal_and_without_a_problem(seed: int) -> None:
    for position, (structure, kind, row) in enumerate(client_rows(seed, ROWS_A_SEED)):
        styled = in_style(row, STYLES[position % 3])
        checked = read_label_row(
            orjson.dumps(styled), "s.json", Vocabulary.from_structure(structure)
        )
        assert checked.problems == []
        assert checked.row is not None
        frames = frames_of_row(kind)
        expected = meaning_of(row, structure, frames)
        assert meaning_of(checked.row, structure, frames) == expected
        assert checked.classifications_kept == len(expected["classifications"])
        assert checked.objects_kept == sum(len(o[2]) for o in expected["objects"].values())


@pytest.mark.parametrize("seed", SEEDS)
def test_a_clean_row_stays_as_it_is_when_read_again(seed: int) -> None:
    for structure, _, row in client_rows(seed, 14):
        vocabulary = Vocabulary.from_structure(structure)
        once = read_label_row(orjson.dumps(row), "s.json", vocabulary)
        twice = read_label_row(orjson.dumps(once.row), "s.json", vocabulary)
        assert twice.problems == []
        assert orjson.dumps(twice.row) == orjson.dumps(once.row)


@pytest.mark.parametrize("seed", SEEDS)
def test_one_bad_coordinate_is_named_by_its_pointer_and_costs_its_ring_or_annotation(
    seed: int,
) -> None:
    rng = random.Random(seed)
    for structure, _, row in client_rows(seed, ROWS_A_SEED):
        found = [path for path in nodes(row) if _is_coordinate(row, path)]
        if not found:
            continue
        path = rng.choice(found)
        value = rng.choice(NOT_NUMBERS)
        damaged = json.loads(json.dumps(row))
        _parent(damaged, path)[path[-1]] = value
        whole = read_label_row(orjson.dumps(row), "s.json", Vocabulary.from_structure(structure))
        checked = read_label_row(
            json.dumps(damaged).encode(), "s.json", Vocabulary.from_structure(structure)
        )
        expected = pointer_of(path)
        assert [problem.pointer for problem in checked.problems] == [expected]
        lost = 0 if _has_other_rings(damaged, path) else 1
        assert checked.objects_kept == whole.objects_kept - lost


@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_damaged_the_client_loads_what_is_left(seed: int) -> None:
    rng = random.Random(seed)
    rows = [
        (structure, kind, in_style(row, style))
        for structure, kind, row in client_rows(seed, 14)
        for style in STYLES
    ]
    for _ in range(150):
        structure, kind, row = rng.choice(rows)
        damaged, _, _ = corrupted(row, rng)
        content = json.dumps(damaged).encode()
        checked = read_label_row(content, "s.json", Vocabulary.from_structure(structure))
        assert checked.objects_kept <= checked.objects_seen
        assert checked.classifications_kept <= checked.classifications_seen
        if checked.row is None:
            assert checked.problems
        else:
            # How many pages a PDF has is not in its row, so nobody here can miss one.
            meaning_of(checked.row, structure, 10**7 if kind == "pdf" else frames_of_row(kind))


@pytest.mark.parametrize("seed", range(4))
def test_what_the_client_refuses_is_a_problem(seed: int) -> None:
    rng = random.Random(seed + 100)
    rows = list(client_rows(seed, 14))
    for _ in range(150):
        structure, kind, row = rng.choice(rows)
        damaged, path, _ = corrupted(row, rng)
        if path in (("branch_name",), ("is_shadow_data",)):  # older exports lack them
            continue
        try:
            meaning_of(damaged, structure, frames_of_row(kind))
        except Exception:  # noqa: BLE001 # the client raises what it happens to run into
            content = json.dumps(damaged).encode()
            assert read_label_row(
                content, "s.json", Vocabulary.from_structure(structure)
            ).problems, path


@pytest.mark.parametrize("seed", range(3))
def test_text_cut_anywhere_is_refused_in_words(seed: int) -> None:
    rng = random.Random(seed)
    for structure, _, row in client_rows(seed, 14):
        content = orjson.dumps(row)
        cut = content[: rng.randrange(len(content))]
        checked = read_label_row(cut, "s.json", Vocabulary.from_structure(structure))
        assert checked.row is None
        assert [problem.code for problem in checked.problems] == ["not-json"]


def _has_other_rings(row: Any, path: tuple[Any, ...]) -> bool:
    """Whether a polygon is still one without the ring that a coordinate belongs to."""
    if "polygon" in path:
        return True
    if "polygons" not in path:
        return False
    end = path.index("polygons") + 1
    ring = path[end + 1]
    return int(ring) > 0 or len(_parent(row, path[: end + 1])) > 1


def _parent(document: Any, path: tuple[str | int, ...]) -> Any:
    for key in path[:-1]:
        document = document[key]
    return document


def _is_coordinate(row: dict[str, Any], path: tuple[str | int, ...]) -> bool:
    """Whether a path leads to a number of an object's payload."""
    if "objects" not in path or path[-1] in ("confidence", *COUNTS):
        return False
    value = _parent(row, path)[path[-1]]
    return isinstance(value, int | float) and not isinstance(value, bool)
