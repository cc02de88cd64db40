import json
from pathlib import Path

import pytest

from labelingest.config import IngestConfig
from labelingest.errors import ConfigError
from labelingest.pipeline import check, convert
from labelingest.pipeline import class_list_files as module
from labelingest.report import Report
from tests.builders.folders import make_folder, ontology_of

BOX = "0 0.5 0.5 0.2 0.2\n"


def config_of(place: Path, files: dict[str, str], **options: object) -> IngestConfig:
    image = {"image": [8, 8]}
    base = {"images/a.jpg": image, "labels/a.txt": BOX}
    make_folder(place / "data", {**base, **files})
    classes = ontology_of(car=(0, "bounding_box"), van=(1, "bounding_box"))
    (place / "ontology.json").write_text(json.dumps(classes))
    return IngestConfig(storage_path=place / "data", ontology=place / "ontology.json", **options)


def found(report: Report) -> list[str]:
    return [use.class_list.source for use in report.class_lists.uses]


def test_lists_beyond_the_limit_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_LISTS", 2)
    files = {f"labels/{name}.yaml": "x: 1\n" for name in "abcd"}
    report = check(config_of(tmp_path, {"data.yaml": "names: [car]\n", **files}))
    assert found(report) == ["data.yaml"]
    (problem,) = [p for p in report.problems if p.code == "class-list-unreadable"]
    assert (problem.source, problem.count) == ("labels/b.yaml", 3)
    assert "3 class lists are not read, as 'labels/b.yaml'" in problem.detail


def test_bytes_beyond_the_limit_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_BYTES_IN_ALL", 20)
    files = {"data.yaml": "names: [car]\n", "labels/classes.txt": "car\n" * 4}
    report = check(config_of(tmp_path, files))
    assert found(report) == ["data.yaml"]
    assert [p.source for p in report.problems if p.code == "class-list-unreadable"] == [
        "labels/classes.txt"
    ]


@pytest.mark.parametrize(("key", "problems"), [("data.yaml", 1), ("other.yaml", 0)])
def test_a_file_over_a_megabyte_is_not_read(tmp_path: Path, key: str, problems: int) -> None:
    content = "names: [car]\n" + "# \n" * 400_000
    report = check(config_of(tmp_path, {key: content, "labels/classes.txt": "car\n"}))
    assert found(report) == ["labels/classes.txt"]
    assert report.log.totals["class-list-unreadable"] == problems  # type: ignore[index]


@pytest.mark.parametrize("name", ["missing.yaml", "data.csv", "empty.txt", "folder.yaml"])
def test_a_list_that_the_caller_names_and_that_cannot_be_read_is_refused(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / "empty.txt").touch()
    (tmp_path / "data.csv").write_text("car\n")
    (tmp_path / "folder.yaml").mkdir()
    with pytest.raises(ConfigError, match=name):
        check(config_of(tmp_path, {}, class_list=str(tmp_path / name)))


def test_a_named_list_and_none_contradict_each_other(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="contradict each other"):
        config_of(tmp_path, {}, class_list="a.txt", no_class_list=True)


def test_the_report_has_the_table_as_json(tmp_path: Path) -> None:
    report = check(config_of(tmp_path, {"data.yaml": "names: [van, car, bus]\n"}))
    assert report.as_dict()["class_lists"] == {
        "compared": [
            {
                "source": "data.yaml",
                "verdict": "disagrees",
                "label_files": 1,
                "summary": "0 of 2 names agree, 2 are those of other objects: the names of 0 and 1 "
                "are swapped",
                "names": 3,
                "agreeing": 0,
                "disagreeing": 2,
                "differing": 0,
                "unmapped": 1,
                "unlisted": 0,
                "pattern": "the names of 0 and 1 are swapped",
                "counted_files": 1,
                "numbers": [
                    {
                        "number": 0,
                        "list": "van",
                        "ontology": "car",
                        "number_in_ontology": 1,
                        "rows": 1,
                    },
                    {
                        "number": 1,
                        "list": "car",
                        "ontology": "van",
                        "number_in_ontology": 0,
                        "rows": 0,
                    },
                ],
            }
        ],
        "label_files_without": 0,
        "reason": "",
    }


def test_names_of_terminals_do_not_act_in_the_table(tmp_path: Path) -> None:
    ontology = ontology_of(**{"car\x1b[2J": (0, "bounding_box"), "van": (1, "bounding_box")})
    config = config_of(
        tmp_path, {"data.yaml": 'names: ["van", "car\\e[2J"]\n'}, out=str(tmp_path / "rows.jsonl")
    )
    (tmp_path / "ontology.json").write_text(json.dumps(ontology))
    with pytest.raises(ConfigError) as refused:
        convert(config)
    assert "\x1b" not in str(refused.value)
    assert not (tmp_path / "rows.jsonl").exists()


def test_yaml_above_the_nearest_list_still_says_what_rows_are(tmp_path: Path) -> None:
    files = {"data.yaml": "task: pose\nkpt_shape: [1, 2]\n", "labels/classes.txt": "car\nvan\n"}
    report = check(config_of(tmp_path, {**files, "labels/a.txt": "0 .5 .5 .4 .4 .45 .6\n"}))
    assert found(report) == ["labels/classes.txt"]
    assert [entry.kpt_shape for entry in report.class_lists.settings] == [(1, 2)]
    assert report.as_dict()["layout"]["row_layout"] == "pose"
