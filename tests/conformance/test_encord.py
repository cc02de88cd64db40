"""Sidecars, good and bad: problems word by word, and how many annotations survive."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from labelingest.model.vocabulary import Vocabulary
from labelingest.problems import ProblemCode
from labelingest.readers.encord import DataFile, read_label_row
from labelingest.readers.encord.data_file import ANY_FILE
from tests.oracles.client_meaning import meaning_of

FOLDER = Path(__file__).parents[2] / "fixtures/conformance/encord"
BASE = json.loads((FOLDER / "base.json").read_text("utf-8"))
VOCABULARY = Vocabulary.from_structure(BASE["ontology"])
FRAMES = {"image": 1, "video": 10}
CASES = [
    pytest.param(case, id=f"{path.stem}: {case['name']}")
    for path in sorted(FOLDER.glob("*.json"))
    if path.stem != "base"
    for case in json.loads(path.read_text("utf-8"))
]


def steps_of(pointer: str) -> list[str]:
    """Keys of a JSON pointer."""
    return [key.replace("~1", "/").replace("~0", "~") for key in pointer.split("/")[1:]]


def value_at(document: Any, keys: list[str]) -> Any:
    """The value at some keys."""
    for key in keys:
        document = document[int(key) if isinstance(document, list) else key]
    return document


def patched(base: dict[str, Any], patch: list[dict[str, Any]]) -> dict[str, Any]:
    """A copy of a row with values set, removed, copied or moved."""
    row = deepcopy(base)
    for change in patch:
        *parents, last = steps_of(change["at"])
        parent = value_at(row, parents)
        if change.get("remove"):
            del parent[int(last) if isinstance(parent, list) else last]
            continue
        value = change.get("set")
        if "copy" in change or "move" in change:
            *origin, name = steps_of(change.get("copy") or change["move"])
            value = deepcopy(value_at(row, [*origin, name]))
            if "move" in change:
                del value_at(row, origin)[name]
        if isinstance(parent, list) and int(last) == len(parent):
            parent.append(value)
        else:
            parent[int(last) if isinstance(parent, list) else last] = value
    return row


def content_of(case: dict[str, Any]) -> bytes:
    """The sidecar of a case."""
    if "repeat" in case:
        text, times = case["repeat"]
        return str(text * times).encode()
    if "text" in case:
        return str(case["text"]).encode()
    if "list" in case:
        # A list stands for a patched row, anything else for itself.
        base = BASE["rows"][case["base"]]
        entries = [patched(base, e) if isinstance(e, list) else e for e in case["list"]]
        return json.dumps(entries).encode()
    return json.dumps(patched(BASE["rows"][case["base"]], case["patch"])).encode()


@pytest.mark.parametrize("case", CASES)
def test_a_sidecar_gives_these_problems_and_keeps_the_rest(case: dict[str, Any]) -> None:
    size = tuple(case["size"]) if "size" in case else None
    file = DataFile.from_key(case["data_file"], size) if "data_file" in case else ANY_FILE
    checked = read_label_row(content_of(case), "case.json", VOCABULARY, file)
    assert [[p.code.value, p.pointer, p.detail] for p in checked.problems] == case["problems"]
    assert (checked.row is not None) == case["row"]
    if checked.row is not None:
        assert checked.objects_kept == case["objects"]
        meaning_of(checked.row, BASE["ontology"], FRAMES[case["base"]])


@pytest.mark.parametrize("kind", FRAMES)
def test_the_base_of_the_corpus_is_clean(kind: str) -> None:
    content = json.dumps(BASE["rows"][kind]).encode()
    assert read_label_row(content, "case.json", VOCABULARY).problems == []


def test_the_corpus_has_a_case_for_most_codes_of_sidecars() -> None:
    codes = list(ProblemCode)
    of_sidecars = codes[codes.index(ProblemCode.NOT_JSON) : codes.index(ProblemCode.NO_ROW_LEFT)]
    covered = {code for case in CASES for code, *_ in case.values[0]["problems"]}  # type: ignore[index]
    elsewhere = {"byte-order-mark", "large-sidecar", "duplicate-key"}
    assert {code.value for code in of_sidecars} - covered == elsewhere
