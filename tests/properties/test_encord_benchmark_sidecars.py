"""Sidecars that benchmarks are measured on: are they what Encord's client writes."""

import json
from typing import Any

import pytest

from benchmarks.sidecars import sidecars
from labelingest.model.vocabulary import Vocabulary
from labelingest.readers.encord import DataFile, read_label_row
from tests.oracles.client import load

BY_THE_CALLER = ("annotation_task_status", "created_at", "last_edited_at")
"""What the judge is not told, and so cannot write back."""


def in_one_order(row: dict[str, Any]) -> str:
    """A row as text, answers of each label in the order of their hashes; order of keys counts."""
    for name in BY_THE_CALLER:
        row[name] = None
    for key in ("object_answers", "classification_answers"):
        for entry in row[key].values():
            entry["classifications"].sort(key=lambda answer: answer["featureHash"])
    return json.dumps(row)


@pytest.mark.parametrize("answers", [False, True])
@pytest.mark.parametrize("kind", ["boxes", "polygons", "mixed"])
def test_a_sidecar_is_what_the_client_writes_back(kind: str, answers: bool) -> None:
    made = sidecars(20, kind, answers=answers)
    for content in made.contents:
        written = load(json.loads(content), made.structure).to_encord_dict()
        assert in_one_order(written) == in_one_order(json.loads(content))


@pytest.mark.parametrize("kind", ["boxes", "polygons"])
def test_as_many_sidecars_are_dirty_as_asked_for(kind: str) -> None:
    made = sidecars(40, kind, dirty=0.1)
    vocabulary, file = Vocabulary.from_structure(made.structure), DataFile.from_key("a.jpg")
    read = [read_label_row(content, "", vocabulary, file) for content in made.contents]
    assert made.dirty == 4
    assert sum(bool(checked.problems) for checked in read) == 4
    assert sum(checked.objects_kept for checked in read) == made.objects - 4
