"""Runs fixtures/conformance/yolo/*.json: sidecar in, annotations and problems out.

A case has a name and

- the sidecar: `text` (with `encoding`, default UTF-8), `hex`, or `parts`: strings and
  `{"repeat": string, "times": n}`, where {} in the string stands for the number of the repetition;
- `shapes`, class number → shape, default 0 bounding box, 1 polygon, 2 rotatable box; `overrides` of
  the class map; `size` of the image; `options` of all stages by name;
- `annotations`, in order: line, class (of the object: `Class N`), confidence when one is read, and
  `box` [left, top, width, height], `polygon` [x, y, …], `rotated` [left, top, width, height,
  degrees] or `corners_px` (in order; from any corner with `from_any`; `or_corners_px` is as good);
- `exact`: numbers are equal to the last bit; else within `tolerance`, default 1e-12;
- `problems`: [code, line, column, sentence]; what is left out at the end is not compared;
- `label_row` false: there is none; `stops`: `SidecarError`;
- `converted`, `adjusted`, `rejected`, `dropped` (the sum), `refitted` (how many): the tally;
- `counts` in place of annotations and problems, where they are too many to list.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from math import dist
from pathlib import Path
from typing import Any

import orjson
import pytest

from labelingest.converter import Conversion, LabelFile
from labelingest.errors import SidecarError
from labelingest.problems import Problem
from tests.builders.yolo import SHAPES, converter_for
from tests.oracles import yolo as oracle
from tests.oracles.yolo_shapes import corners_of

FOLDER = Path(__file__).parents[2] / "fixtures" / "conformance" / "yolo"


def _cases() -> Iterator[Any]:
    for path in sorted(FOLDER.glob("*.json")):
        for case in json.loads(path.read_text("utf-8"))["cases"]:
            yield pytest.param(case, id=f"{path.stem}: {case['name']}")


def _suits_the_oracle(case: Mapping[str, Any]) -> bool:
    """Whether a case is about rows alone, and not too large for a slow oracle."""
    return not {"parts", "overrides", "stops"} & case.keys() and "on_row_error" not in case.get(
        "options", {}
    )


CASES = list(_cases())


@pytest.mark.parametrize("case", CASES)
def test_a_sidecar_becomes_what_the_corpus_says(case: dict[str, Any]) -> None:
    if case.get("stops"):
        with pytest.raises(SidecarError) as stopped:
            _convert(case)
        _compare_problems(stopped.value.problems, case["problems"])
        return
    conversion = _convert(case)
    assert conversion.tally.balance()
    if "counts" in case:
        _compare_counts(conversion, case["counts"])
    else:
        _compare_problems(conversion.problems, case["problems"])
        _compare_label_row(conversion.label_rows[0], case)
    _compare_tally(conversion, case)


@pytest.mark.parametrize("case", [case for case in CASES if _suits_the_oracle(*case.values)])
def test_the_oracle_says_what_the_corpus_says(case: dict[str, Any]) -> None:
    options = case.get("options", {})
    kpt_shape = tuple(options["kpt_shape"]) if "kpt_shape" in options else None
    size = tuple(case["size"]) if "size" in case else None
    reading = oracle.expected(
        _content(case),
        _shape_of(case),
        size=size,
        options=oracle.Options(**options | {"kpt_shape": kpt_shape}),
    )
    expected = sorted((code, line or 0) for code, line, *_ in case["problems"])
    assert sorted((problem.code, problem.line or 0) for problem in reading.problems) == expected
    assert [annotation.line for annotation in reading.annotations] == [
        annotation["line"] for annotation in case.get("annotations", [])
    ]
    for name in ("converted", "adjusted", "rejected"):
        assert getattr(reading, name) == case.get(name, getattr(reading, name))


def test_the_corpus_is_not_empty() -> None:
    assert len(CASES) > 100


def test_the_names_of_cases_differ() -> None:
    assert len({case.id for case in CASES}) == len(CASES)


# Input


def _convert(case: Mapping[str, Any]) -> Conversion:
    overrides = {int(number): name for number, name in case.get("overrides", {}).items()}
    converter = converter_for(_shape_of(case), overrides, **case.get("options", {}))
    size = tuple(case["size"]) if "size" in case else None
    return converter.convert([LabelFile("case.jpg", _content(case), size, 0, "case.txt")])


def _shape_of(case: Mapping[str, Any]) -> Mapping[int, str]:
    return {int(number): shape for number, shape in case.get("shapes", {}).items()} or SHAPES


def _content(case: Mapping[str, Any]) -> bytes:
    if "hex" in case:
        return bytes.fromhex(case["hex"])
    parts = case.get("parts", [case.get("text")])
    text = "".join(part if isinstance(part, str) else _repeated(**part) for part in parts)
    return text.encode(case.get("encoding", "utf-8"))


def _repeated(repeat: str, times: int) -> str:
    if "{" not in repeat:
        return repeat * times
    return "".join(repeat.format(number) for number in range(times))


# Output


def _compare_problems(problems: Sequence[Problem], expected: Sequence[Sequence[Any]]) -> None:
    assert all(problem.source == "case.txt" for problem in problems)
    lines = [problem.line for problem in problems if problem.line is not None]
    assert lines == sorted(lines)
    # Problems of one line may come in any order.
    columns = {(code, line): place for code, line, *place in expected}
    places = [
        [problem.code.value, problem.line, problem.column, problem.detail][
            : 2 + len(columns.get((problem.code.value, problem.line), [0]))
        ]
        for problem in problems
    ]
    assert sorted(places, key=str) == sorted(map(list, expected), key=str)


def _compare_label_row(text: bytes | None, case: Mapping[str, Any]) -> None:
    if not case.get("label_row", True):
        assert text is None
        return
    assert text is not None
    unit = next(iter(orjson.loads(text)["data_units"].values()))
    objects = unit["labels"]["objects"]
    assert [(each["name"], each["manualAnnotation"], each["confidence"]) for each in objects] == [
        (f"Class {each['class']}", "confidence" not in each, each.get("confidence", 1.0))
        for each in case["annotations"]
    ]
    for entry, expected in zip(objects, case["annotations"], strict=True):
        _compare_geometry(entry, expected, case)


def _compare_geometry(
    entry: Mapping[str, Any], expected: Mapping[str, Any], case: Mapping[str, Any]
) -> None:
    tolerance = 0.0 if case.get("exact") else case.get("tolerance", 1e-12)
    if "polygon" in expected:
        (ring,) = entry["polygons"][0]
        assert ring == pytest.approx(expected["polygon"], rel=0, abs=tolerance)
        assert ring == [value for point in entry["polygon"].values() for value in point.values()]
        return
    box = entry["boundingBox" if "box" in expected else "rotatableBoundingBox"]
    ltwh = [box["x"], box["y"], box["w"], box["h"]]
    if "box" in expected:
        assert ltwh == pytest.approx(expected["box"], rel=0, abs=tolerance)
        return
    assert 0 <= box["theta"] < 360
    if "rotated" in expected:
        *rectangle, theta = expected["rotated"]
        assert ltwh == pytest.approx(rectangle, rel=0, abs=tolerance)
        assert (box["theta"] - theta + 180) % 360 == pytest.approx(180, rel=0, abs=1e-9)
    else:
        corners = corners_of(ltwh, box["theta"], case["size"])
        assert min(_ways_apart(corners, expected)) < 1e-6


def _ways_apart(corners: Sequence[Any], expected: Mapping[str, Any]) -> Iterator[float]:
    """Yield how far the corners are from each way to write the expected ones, in pixels."""
    for name in ("corners_px", "or_corners_px"):
        points = expected.get(name, [])
        for first in range(len(points) if expected.get("from_any") else min(len(points), 1)):
            turned = points[first:] + points[:first]
            yield max(dist(a, b) for a, b in zip(corners, turned, strict=True))


def _compare_counts(conversion: Conversion, expected: Mapping[str, Any]) -> None:
    problems: Counter[str] = Counter()
    for problem in conversion.problems:
        problems[problem.code.value] += problem.count
    assert problems == expected["problems"]
    assert conversion.tally.annotations == expected["annotations"]
    text = conversion.label_rows[0]
    assert text is not None
    assert text.count(b'"featureHash"') == expected["annotations"]
    hashes = [part[:8] for part in text.split(b'"objectHash":"')[1:]]
    assert len(hashes) == 2 * expected["annotations"] == 2 * len(set(hashes))
    lines = [problem.line for problem in conversion.problems if problem.line is not None]
    assert all(before <= after for before, after in pairwise(lines))


def _compare_tally(conversion: Conversion, case: Mapping[str, Any]) -> None:
    tally = conversion.tally
    expected = case.get("counts", case)
    for name in ("converted", "adjusted", "rejected"):
        if name in expected:
            assert {str(key): n for key, n in getattr(tally, name).items()} == expected[name]
    if "dropped" in case:
        assert tally.dropped.total() == case["dropped"]
    if "refitted" in case:
        assert tally.refitted.steps.total() == case["refitted"]
