"""Class lists beside label files, through the command line: verdicts, problems, sentences."""

import json
from pathlib import Path
from typing import Any

import pytest

from labelingest.cli.main import main
from labelingest.problems import ProblemCode
from labelingest.problems.catalogue.class_lists import CLASS_LISTS
from tests.builders.folders import make_folder, ontology_of

FOLDER = Path(__file__).parents[2] / "fixtures/conformance/class_lists"
CASES = [
    pytest.param(case, id=f"{path.stem}: {case['name']}")
    for path in sorted(FOLDER.glob("*.json"))
    for case in json.loads(path.read_text("utf-8"))
]
CODES = {code.value for code in ProblemCode if code.definition.family is CLASS_LISTS}
BASE = {
    "images/a.jpg": {"image": [8, 8]},
    "labels/a.txt": "".join(f"{number} 0.5 0.5 0.2 0.2\n" for number in (0, 1, 1, 2)),
}
"""An image with four rows, of classes 0, 1, 1 and 2."""


def prepared(case: dict[str, Any], folder: Path) -> list[str]:
    """Write the folder and the ontology of a case; return the arguments that name them."""
    classes = {name: (number, "bounding_box") for name, number in case["ontology"].items()}
    (folder / "ontology.json").write_text(json.dumps(ontology_of(**classes)))
    (folder / "data").mkdir()
    make_folder(folder / "data", case.get("base", BASE) | case["files"])
    options = [argument.replace("{data}", str(folder / "data")) for argument in case["arguments"]]
    return [str(folder / "data"), "--ontology", str(folder / "ontology.json"), *options]


def ended(arguments: list[str]) -> int:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    return int(caught.value.code or 0)


@pytest.mark.parametrize("case", CASES)
def test_check_says_how_class_lists_compare(
    case: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = prepared(case, tmp_path)
    code = ended(["check", *arguments, "--report", str(tmp_path / "report.json")])
    output = capsys.readouterr().err
    assert code < 2, output
    report = json.loads((tmp_path / "report.json").read_text("utf-8"))
    counts = report["problems"]["by_code"]
    assert {c: n for c, n in counts.items() if c in CODES} == case.get("problems", {}), output
    assert [
        [use["source"].rpartition("/data/")[2], use["verdict"], use["label_files"]]
        for use in report["class_lists"]["compared"]
    ] == case["lists"]
    assert code or "class-names-disagree" not in counts
    for sentence in case.get("says", []):
        assert sentence in output


@pytest.mark.parametrize("case", CASES)
def test_convert_ends_before_the_conversion_where_a_list_disagrees(
    case: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = prepared(case, tmp_path)
    code = ended(["convert", *arguments, "--out", str(tmp_path / "rows.jsonl")])
    output = capsys.readouterr().err
    refused = "class-names-disagree" in case.get("problems", {})
    assert (code == 2) == refused, output
    assert (tmp_path / "rows.jsonl").exists() == (not refused)
    for line in case.get("table", []):
        assert f"labelingest: {line}\n" in output


def test_the_corpus_is_not_empty() -> None:
    assert CASES
