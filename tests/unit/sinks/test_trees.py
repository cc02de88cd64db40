from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from labelingest.class_lists.read import load_class_list
from labelingest.errors import StorageError
from labelingest.model.batch_output import BatchOutput
from labelingest.model.ontology import OntologyObject, Shape
from labelingest.problems import Problem, ProblemCode
from labelingest.sinks.output_folder import MARKER
from labelingest.sinks.sidecars import sidecar_tree
from labelingest.sinks.tree import TreeKind, TreeSink
from labelingest.sinks.yolo import label_file_of, yolo_tree


def named(*names: str) -> list[OntologyObject]:
    return [
        OntologyObject(name, "#000000", Shape.BOUNDING_BOX, f"{i:08}")
        for i, name in enumerate(names)
    ]


def yolo(out: Path) -> TreeSink:
    return yolo_tree(out, named("Car", "Lane", "Van"), np.array([7, -1, 0]))


def put(sink: TreeSink, *batches: Sequence[str]) -> list[tuple[int, Problem]]:
    """Write files with their keys as content; return what was refused."""
    refused = []
    with sink:
        for keys in batches:
            refused += sink.put(BatchOutput(keys, [key.encode() for key in keys]))
    return refused


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in (MARKER, "data.yaml")
    }


@pytest.fixture(params=[sidecar_tree, yolo])
def make(request: pytest.FixtureRequest) -> Any:
    return request.param


def test_a_sidecar_is_called_after_its_data_file(tmp_path: Path) -> None:
    put(sidecar_tree(tmp_path / "out"), ["a.jpg", "b/c.jpg"])
    assert files(tmp_path / "out") == {
        "a.jpg.encord.json": b"a.jpg",
        "b/c.jpg.encord.json": b"b/c.jpg",
    }


def ultralytics_label_path(image: str) -> str:
    """Return where Ultralytics looks for the labels of an image (`img2label_paths`)."""
    return "/labels/".join(image.rsplit("/images/", 1)).rsplit(".", 1)[0] + ".txt"


@pytest.mark.parametrize(
    "key",
    [
        "images/a.jpg",
        "images/train/a.b.JPG",
        "train/images/a.png",
        "images/images/a.png",
        "v1.2/images/deep/er/a.png",
        "images/my images/a.png",
        "old images/images/images.png",
    ],
)
def test_a_label_file_stands_where_ultralytics_looks_for_it(key: str) -> None:
    assert f"/set/{label_file_of(key)}" == ultralytics_label_path(f"/set/{key}")


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("a.jpg", "labels/a.txt"),
        ("train/a.jpg", "labels/train/a.txt"),
        ("Images/a.jpg", "labels/Images/a.txt"),
        ("train/images", "labels/train/images.txt"),
        ("old.images/a", "labels/old.images/a.txt"),
    ],
)
def test_without_a_folder_called_images_all_goes_below_labels(key: str, name: str) -> None:
    assert label_file_of(key) == name


def test_two_images_of_one_label_file_are_a_problem_that_names_both(tmp_path: Path) -> None:
    keys = ["images/a.jpg", "images/a.png", "images/b.jpg"]
    ((position, problem),) = put(yolo(tmp_path / "out"), keys)
    assert position == 1
    assert str(problem) == (
        "images/a.png: output-name-refused: no label file: the name 'labels/a.txt' is that of the "
        "label file of 'images/a.jpg' already"
    )
    assert files(tmp_path / "out") == {
        "labels/a.txt": b"images/a.jpg",
        "labels/b.txt": b"images/b.jpg",
    }


def test_the_first_image_is_named_from_whatever_batch_it_came(tmp_path: Path) -> None:
    last = ["images/a.jpg", "images/b.jpg", "images/c.jpg"]
    refused = put(yolo(tmp_path / "out"), ["a.jpg"], ["a.png", "b.jpg"], [], last)
    assert [(position, p.source) for position, p in refused] == [
        *((0, "a.png"), (0, "images/a.jpg"), (1, "images/b.jpg"))
    ]
    for (_, problem), first in zip(refused, ["a.jpg", "a.jpg", "b.jpg"], strict=True):
        assert f"label file of {first!r} already" in problem.detail


def test_a_name_that_is_too_long_costs_that_file_only(make: Any, tmp_path: Path) -> None:
    key = "a" * 253 + ".jpg"
    with make(tmp_path / "tree") as sink:
        assert {p.code for p in sink.refused([key, "b.jpg"]).values()} == {
            ProblemCode.OUTPUT_NAME_REFUSED
        }
        refused = sink.put(BatchOutput([key, "b.jpg"], [b"{}", b"{}"]))
    assert [(position, p.code, p.source) for position, p in refused] == [
        (0, ProblemCode.OUTPUT_NAME_REFUSED, key)
    ]
    assert len(files(tmp_path / "tree")) == 1


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        (["a.txt/b.jpg", "a.jpg"], "'labels/a.txt' is already that of a folder"),
        (["a.jpg", "a.txt/b.jpg"], "'labels/a.txt/b.txt' needs a folder where another label file"),
        (["a.jpg", "a.txt/b/c.jpg"], "'labels/a.txt/b/c.txt' needs a folder where another"),
    ],
)
def test_a_name_of_a_file_and_of_a_folder_costs_the_later_one_only(
    tmp_path: Path, keys: list[str], reason: str
) -> None:
    ((position, problem),) = put(yolo(tmp_path / "out"), keys)
    assert (position, problem.code) == (1, ProblemCode.OUTPUT_NAME_REFUSED)
    assert reason in problem.detail
    assert list(files(tmp_path / "out").values()) == [keys[0].encode()]


class TestDataYaml:
    NAMES = (
        'Car: "fast" \\ # {x}',
        "no",
        "1",
        "null",
        "käse 🎈",
        "a\nb\t\x07\x85\u2028z",
        "- [",
        "",
    )

    def names(self, tmp_path: Path, *names: str) -> dict[int, str]:
        out = tmp_path / "out"
        put(yolo_tree(out, named(*names), np.arange(len(names))))
        document = yaml.safe_load((out / "data.yaml").read_bytes())
        assert list(document) == ["names"]
        read: dict[int, str] = document["names"]
        return read

    def test_any_name_reads_back(self, tmp_path: Path) -> None:
        assert self.names(tmp_path, *self.NAMES) == dict(enumerate(self.NAMES))

    def test_it_starts_an_ontology(self, tmp_path: Path) -> None:
        self.names(tmp_path, *self.NAMES[:-1])
        assert load_class_list(tmp_path / "out/data.yaml").names == dict(enumerate(self.NAMES[:-1]))

    def test_it_has_the_classes_with_a_number_in_order_and_says_what_gaps_mean(
        self, tmp_path: Path
    ) -> None:
        put(yolo(tmp_path / "out"))
        text = (tmp_path / "out/data.yaml").read_text()
        assert text.splitlines()[-3:] == ["names:", '  0: "Van"', '  7: "Car"']
        assert "without gaps" in text

    def test_without_any_class_it_is_yaml_still(self, tmp_path: Path) -> None:
        assert self.names(tmp_path) == {}


class TestWhatIsNotReplaced:
    def refused(self, make: Any, out: Path, sentence: str) -> None:
        before = sorted(out.rglob("*"))
        with pytest.raises(StorageError, match=sentence), make(out):
            pass
        assert sorted(out.rglob("*")) == before
        assert [path.name for path in out.parent.iterdir()] == [out.name]

    def test_a_folder_that_labelingest_did_not_write(self, make: Any, tmp_path: Path) -> None:
        out = tmp_path / "tree"
        out.mkdir()
        (out / "notes.md").write_text("mine")
        self.refused(make, out, r"it holds 'notes.md'")

    @pytest.mark.parametrize("name", ["notes.txt", "train/classes.txt", "images/a.jpg"])
    def test_a_tree_that_somebody_put_a_file_into(
        self, make: Any, tmp_path: Path, name: str
    ) -> None:
        out = tmp_path / "tree"
        put(make(out), ["a.jpg"])
        (out / name).parent.mkdir(exist_ok=True)
        (out / name).write_text("mine")
        self.refused(make, out, f"not replaced: it holds {name!r}")

    def test_a_tree_with_a_link_to_a_folder(self, make: Any, tmp_path: Path) -> None:
        out = tmp_path / "tree"
        put(make(out), ["a.jpg"])
        (out / "images").symlink_to("/")
        self.refused(make, out, "it holds 'images'")

    @pytest.mark.parametrize("name", ["a.jpg.encord.json", "labels/a.txt"])
    def test_files_like_ours_that_others_wrote(self, make: Any, tmp_path: Path, name: str) -> None:
        out = tmp_path / "tree"
        (out / name).parent.mkdir(parents=True)
        (out / name).write_text("theirs")
        self.refused(make, out, r"labelingest did not write|it holds")

    @pytest.mark.parametrize(("first", "second"), [(sidecar_tree, yolo), (yolo, sidecar_tree)])
    def test_a_tree_of_another_kind(self, first: Any, second: Any, tmp_path: Path) -> None:
        put(first(tmp_path / "tree"), ["a.jpg"])
        self.refused(second, tmp_path / "tree", "not replaced: it holds ")

    def test_a_file(self, make: Any, tmp_path: Path) -> None:
        (tmp_path / "tree").write_text("")
        self.refused(make, tmp_path / "tree", "is a file: give the name of a folder")


def test_what_systems_and_training_leave_in_a_tree_does_not_protect_it(
    make: Any, tmp_path: Path
) -> None:
    out = tmp_path / "tree"
    put(make(out), ["a.jpg"])
    (out / ".DS_Store").touch()
    (out / "labels.cache").touch()
    put(make(out), ["b.jpg"])
    assert list(files(out).values()) == [b"b.jpg"]


def test_a_tree_keeps_its_permissions(make: Any, tmp_path: Path) -> None:
    out = tmp_path / "tree"
    put(make(out), ["a.jpg"])
    out.chmod(0o700)
    put(make(out), ["b.jpg"])
    assert out.stat().st_mode & 0o777 == 0o700


def test_many_files_of_a_batch_are_those_of_one_after_the_other(tmp_path: Path) -> None:
    keys = [f"{i % 7}/{i:03}.jpg" for i in range(200)]
    out = tmp_path / "labels"
    with sidecar_tree(out) as sink:
        assert sink.put(BatchOutput([keys[5]], [b"first"])) == []
        [(position, problem)] = sink.put(BatchOutput(keys, [key.encode() for key in keys]))
    assert position == 5
    assert problem.code == ProblemCode.OUTPUT_NAME_REFUSED
    contents = {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*.json")}
    assert contents == {f"{key}.encord.json": key.encode() for key in keys} | {
        f"{keys[5]}.encord.json": b"first"
    }


@pytest.mark.parametrize("spoilt", [["x.jpg", "x.JPG"], ["y.jpg", "y.jpg.encord.json/z.jpg"]])
def test_who_gets_a_name_does_not_depend_on_how_many_files_a_batch_has(
    tmp_path: Path, spoilt: list[str]
) -> None:
    keys = [*spoilt, *(f"{i}.jpg" for i in range(100))]
    outcomes = []
    for number, size in enumerate((1, len(keys))):
        with sidecar_tree(tmp_path / str(number)) as sink:
            batches = [keys[i : i + size] for i in range(0, len(keys), size)]
            refused = [
                problem.source
                for batch in batches
                for _, problem in sink.put(BatchOutput(batch, [b"{}"] * len(batch)))
            ]
        outcomes.append(refused)
    assert outcomes[0] == outcomes[1]


def test_all_files_that_need_a_folder_where_one_is_a_file_are_refused(tmp_path: Path) -> None:
    kind = TreeKind("label row", "{}.json".format, lambda name: name.endswith(".json"))
    with TreeSink(tmp_path / "out", kind) as sink:
        assert sink.put(BatchOutput(["a"], [b"1"])) == []
        refused = sink.put(BatchOutput(["a.json/x", "a.json/y"], [b"2", b"3"]))
    assert [position for position, _ in refused] == [0, 1]
    assert (tmp_path / "out" / "a.json").read_bytes() == b"1"


def test_a_file_that_makes_room_for_an_earlier_one_of_its_batch_is_refused(tmp_path: Path) -> None:
    kind = TreeKind("label row", "{}.json".format, lambda name: name.endswith(".json"))
    with TreeSink(tmp_path / "out", kind) as sink:
        half = sink.half()
        later = half.deliver(BatchOutput(["a.json/z"], [b"3"]))
        first = half.deliver(BatchOutput(["a", "a.json/x"], [b"1", b"2"]))
        assert [position for position, _ in sink.put(first)] == [1]
        assert [position for position, _ in sink.put(later)] == [0]
    assert (tmp_path / "out" / "a.json").read_bytes() == b"1"
