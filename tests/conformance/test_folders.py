"""Folders, good and bad, through the command line: exit code, sentences, counts, label rows."""

import json
from pathlib import Path
from typing import Any

import pytest

from labelingest.cli.main import main
from tests.builders.folders import make_folder, ontology_of

FOLDER = Path(__file__).parents[2] / "fixtures/conformance/folders"
CASES = [
    pytest.param(case, id=f"{path.stem}: {case['name']}")
    for path in sorted(FOLDER.glob("*.json"))
    for case in json.loads(path.read_text("utf-8"))
]


def run(case: dict[str, Any], folder: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    ontology = case.get("ontology", {"car": [0, "bounding_box"], "roof": [1, "polygon"],
                                     "ship": [2, "rotatable_bounding_box"]})  # fmt: skip
    path = folder / "ontology.json"
    if isinstance(ontology, str):
        path.write_text(ontology)
    elif ontology is not None:
        structure = ontology if "objects" in ontology else ontology_of(**ontology)
        path.write_text(json.dumps(structure))
    data = folder / "data"
    data.mkdir()
    make_folder(data, case["files"])
    arguments = ["convert", str(data), "--ontology", str(path), *case.get("arguments", [])]
    arguments += ["--out", str(folder / "rows.jsonl"), "--report", str(folder / "report.json")]
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return int(ended.value.code or 0), capsys.readouterr().err


@pytest.mark.parametrize("case", CASES)
def test_a_folder_is_converted_or_refused_as_expected(
    case: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, output = run(case, tmp_path, capsys)
    assert code == case["exit_code"], output
    for sentence in case.get("says", []):
        assert sentence in output
    rows = tmp_path / "rows.jsonl"
    assert rows.exists() == (code in (0, 1))
    if not rows.exists():
        return
    label_rows = [json.loads(line) for line in rows.read_text("utf-8").splitlines()]
    objects = {
        unit["data_link"].partition("/data/")[2]: len(unit["labels"]["objects"])
        for row in label_rows
        for unit in row["data_units"].values()
    }
    assert objects == case["objects"]
    report = json.loads((tmp_path / "report.json").read_text("utf-8"))
    assert report["problems"]["by_code"] == case.get("problems", {})
    keys = report["keys"]
    assert keys.pop("seen") == sum(keys.values())
    assert {name: n for name, n in keys.items() if n} == case["keys"]
    if "classes" in case:
        assert counts_of(report["classes"]) == case["classes"]
    assert report["rows_seen"] == report["annotations"] + sum(report["rejected"].values())


def counts_of(classes: dict[str, Any]) -> dict[str, Any]:
    """Counts by class, as the corpus writes them."""
    assert classes["unmapped_other_rows"] == 0
    return {
        "mapped": {str(c["number"]): [c["rows"], c["files"]] for c in classes["mapped"]},
        "unused": [c["name"] for c in classes["unused"]],
        "unmapped": {
            str(c["number"]): [c["rows"], c["files"], c["first"]] for c in classes["unmapped"]
        },
    }


def test_the_corpus_is_not_empty() -> None:
    assert CASES
