import json
import re
import warnings
from pathlib import Path
from typing import Any

import pytest

from labelingest.errors import ConfigError
from labelingest.model.ontology import Shape
from labelingest.resolution.class_map import make_class_map
from labelingest.resolution.class_numbers import SUPPORTED_SHAPES
from labelingest.resolution.ontology_json import load_ontology
from labelingest.resolution.starter import read_class_names, starter_ontology

NAMES = {0: "person", 2: "traffic light", 90: "person"}


def loaded_by_encord(structure: dict[str, Any]) -> Any:
    """The structure as Encord's own client reads it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the client's imports use deprecated names
        from encord.objects.ontology_structure import OntologyStructure
    return OntologyStructure.from_dict(structure)


@pytest.mark.parametrize("shape", SUPPORTED_SHAPES)
def test_encords_client_reads_names_and_shapes(shape: Shape) -> None:
    loaded = loaded_by_encord(starter_ontology(NAMES, shape)).objects
    assert [(row.uid, row.name, row.shape.value) for row in loaded] == [
        (1, "person", shape.value),
        (2, "traffic light", shape.value),
        (3, "person", shape.value),
    ]


def test_encords_client_reads_the_same_colours_and_hashes() -> None:
    structure = starter_ontology(NAMES, Shape.POLYGON)
    loaded = loaded_by_encord(structure).objects
    assert [(row.color, row.feature_node_hash) for row in loaded] == [
        (row["color"], row["featureNodeHash"]) for row in structure["objects"]
    ]


def test_colours_are_those_that_encords_client_would_give() -> None:
    structure = starter_ontology(dict.fromkeys(range(60), "x"), Shape.POLYGON)
    client_structure = loaded_by_encord({"objects": [], "classifications": []})
    shape = loaded_by_encord(structure).objects[0].shape
    for number in range(60):
        client_structure.add_object(str(number), shape)
    assert [row["color"] for row in structure["objects"]] == [
        row.color for row in client_structure.objects
    ]


def test_encords_client_writes_the_structure_back_but_for_external_ids() -> None:
    structure = starter_ontology(NAMES, Shape.BOUNDING_BOX)
    client_structure = loaded_by_encord(structure).to_dict()
    for row in structure["objects"]:
        del row["externalIds"]
    assert client_structure == structure


def test_the_class_numbers_come_back_with_their_gaps() -> None:
    mapping = make_class_map(load_ontology(starter_ontology(NAMES, Shape.BOUNDING_BOX)))
    assert mapping.class_map.number.tolist() == [0, 2, 90]


def test_another_namespace_can_be_named() -> None:
    structure = starter_ontology({4: "car"}, Shape.POLYGON, namespace="SAP")
    assert structure["objects"][0]["externalIds"] == {"SAP": "4"}


def test_feature_hashes_are_eight_lower_case_hex_digits() -> None:
    structure = starter_ontology(dict.fromkeys(range(500), "x"), Shape.POLYGON)
    hashes = [row["featureNodeHash"] for row in structure["objects"]]
    assert all(re.fullmatch("[0-9a-f]{8}", feature_hash) for feature_hash in hashes)


def test_a_feature_hash_depends_on_number_name_shape_and_namespace_alone() -> None:
    def feature_hash(names: dict[int, str], shape: Shape, namespace: str) -> str:
        last: str = starter_ontology(names, shape, namespace)["objects"][-1]["featureNodeHash"]
        return last

    hashes = [
        feature_hash({3: "car"}, Shape.POLYGON, "YOLO"),
        feature_hash({3: "car", 0: "person"}, Shape.POLYGON, "YOLO"),
        feature_hash({4: "car"}, Shape.POLYGON, "YOLO"),
        feature_hash({3: "van"}, Shape.POLYGON, "YOLO"),
        feature_hash({3: "car"}, Shape.BOUNDING_BOX, "YOLO"),
        feature_hash({3: "car"}, Shape.POLYGON, "SAP"),
    ]
    assert [hashes.index(text) for text in hashes] == [0, 0, 2, 3, 4, 5]


def test_the_order_of_the_names_does_not_matter() -> None:
    backwards = dict(reversed(NAMES.items()))
    assert starter_ontology(backwards, Shape.POLYGON) == starter_ontology(NAMES, Shape.POLYGON)


def test_feature_hashes_that_collide_are_told_apart() -> None:
    # The first two numbers whose 32 bits are equal for this name and shape, found by trying.
    both = starter_ontology({34_403: "x", 45_563: "x"}, Shape.POLYGON)["objects"]
    (alone,) = starter_ontology({45_563: "x"}, Shape.POLYGON)["objects"]
    assert both[0]["featureNodeHash"] == alone["featureNodeHash"] != both[1]["featureNodeHash"]


def test_a_starter_ontology_is_plain_json() -> None:
    structure = starter_ontology(NAMES, Shape.POLYGON)
    assert json.loads(json.dumps(structure)) == structure


@pytest.mark.parametrize(
    ("names", "shape", "namespace"),
    [
        ({}, Shape.POLYGON, "YOLO"),
        ({-1: "car"}, Shape.POLYGON, "YOLO"),
        ({2**53 + 1: "car"}, Shape.POLYGON, "YOLO"),
        ({True: "car"}, Shape.POLYGON, "YOLO"),
        ({0: " "}, Shape.POLYGON, "YOLO"),
        ({0: "car"}, Shape.POINT, "YOLO"),
        ({0: "car"}, Shape.POLYGON, ""),
    ],
)
def test_what_no_ontology_can_hold_is_refused(
    names: dict[int, str], shape: Shape, namespace: str
) -> None:
    with pytest.raises(ConfigError):
        starter_ontology(names, shape, namespace)


def names_in(folder: Path, file_name: str, contents: str | bytes) -> dict[int, str]:
    """The class names in a file of that name with these contents."""
    path = folder / file_name
    path.write_bytes(contents if isinstance(contents, bytes) else contents.encode())
    return read_class_names(path)


@pytest.mark.parametrize("file_name", ["data.yaml", "config.yml", "DATA.YAML"])
@pytest.mark.parametrize(
    ("contents", "expected"),
    [
        ("names: [person, car]", {0: "person", 1: "car"}),
        ("names:\n- person\n- car\n", {0: "person", 1: "car"}),
        ("names:\n  7: car\n  0: person\n", {0: "person", 7: "car"}),
        ("names: {'0': person, \"07\": car}", {0: "person", 7: "car"}),
        ("path: .\r\nnc: 9\r\nnames: [a]\r\n", {0: "a"}),
        ("names: [no, on, 1, 007, 1.50, 2001-01-01, 'null', ' x ']",
         {0: "no", 1: "on", 2: "1", 3: "007", 4: "1.50", 5: "2001-01-01", 6: "null", 7: "x"}),
        ("names: [traffic light, 'fire: hydrant', caf\u00e9]",
         {0: "traffic light", 1: "fire: hydrant", 2: "caf\u00e9"}),
        ("names: [a, a]", {0: "a", 1: "a"}),
        ("base: &b [a]\nnames: *b", {0: "a"}),
        ("names: [a]\ndownload: |\n  import os\n  os.remove('x')\n", {0: "a"}),
        ("\ufeffnames: [a]", {0: "a"}),
        ("names: [a]".encode("utf-16"), {0: "a"}),
    ],
)  # fmt: skip
def test_names_are_read_from_yaml(
    tmp_path: Path, file_name: str, contents: str | bytes, expected: dict[int, str]
) -> None:
    assert names_in(tmp_path, file_name, contents) == expected


@pytest.mark.parametrize(
    ("contents", "sentence"),
    [
        ("", "found no key at all"),
        ("- a", "found no key at all"),
        ("nc: 3", "found it 0 times in: 'nc'"),
        ("names: [a]\nnames: [b]", "found it 2 times"),
        ("names: []", "holds no class name"),
        ("names: {}", "holds no class name"),
        ("names:", "expected a list or number: name"),
        ("names: data/coco.names", ":1:8: 'names' is 'data/coco.names', expected a list"),
        ("names: {car: 0}", ":1:9: 'car' is no class number"),
        ("names: {-1: a}", ":1:9: '-1' is no class number"),
        ("names: {1.0: a}", "'1.0' is no class number"),
        ("names: {9007199254740993: a}", "is no class number"),
        ("names: {[0]: a}", "a list or mapping is no class number"),
        ("names: {0: a, 0: b}", ":1:18: class number 0 is named twice"),
        ("names: {1: a, 01: b}", "class number 1 is named twice"),
        ("names: [a, '']", ":1:12: the name of class number 1 is empty"),
        ("names: [a, ' ']", "the name of class number 1 is empty"),
        ("names: [a, null]", "a class really called 'null' needs quotes"),
        ("names: {3:}", "the name of class number 3 is empty"),
        ("names: [[a]]", "the name of class number 0 is not one text"),
        ("names: [a", ":1:10: not YAML"),
        ("names: [a]\n---\nnames: [b]", "not YAML"),
        ("names: [*a]", "undefined alias 'a'"),
        ("names: [\u0007]", "not YAML"),
        ("names: " + "[" * 5000, "nested too deeply"),
        ("names: &a [*a]", "is not one text"),
        (b"names: [\xe9]", "not text in UTF-8"),
        (b"\x89PNG\r\n", "not text in UTF-8"),
        (b"names: [a\0]", "zero bytes"),
        (b"#" * 2_000_001, "over 2,000,000 bytes"),
    ],
)
def test_yaml_without_proper_names_is_refused(
    tmp_path: Path, contents: str | bytes, sentence: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        names_in(tmp_path, "data.yaml", contents)
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    "where", ["names: {}", "names: [a]\ndownload: {}", "names: [a]\n? {}\n: 1"]
)
@pytest.mark.parametrize("tag", ["!!python/object/apply:pathlib.Path.touch", "!!python/name:"])
def test_yaml_that_asks_to_run_code_is_refused_and_not_obeyed(
    tmp_path: Path, where: str, tag: str
) -> None:
    witness = tmp_path / "executed"
    with pytest.raises(ConfigError, match="asks to run code"):
        names_in(tmp_path, "data.yaml", where.replace("{}", f"{tag} ['{witness}']"))
    assert not witness.exists()


def test_aliases_that_multiply_are_not_expanded(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 30)]
    with pytest.raises(ConfigError, match="the name of class number 0 is not one text"):
        names_in(tmp_path, "data.yaml", "\n".join([*lines, "names: *a29"]))


@pytest.mark.parametrize("file_name", ["classes.txt", "coco.names", "OBJ.NAMES"])
@pytest.mark.parametrize(
    ("contents", "expected"),
    [
        ("person\ncar\n", {0: "person", 1: "car"}),
        ("person\r\ntraffic light \r\n", {0: "person", 1: "traffic light"}),
        ("person\rcar", {0: "person", 1: "car"}),
        ("person\n\n \n", {0: "person"}),
        ("\ufeffperson", {0: "person"}),
        ("caf\u00e9".encode("utf-16"), {0: "caf\u00e9"}),
        ("# 1\n0: x\u2028y", {0: "# 1", 1: "0: x\u2028y"}),
        ("a\na", {0: "a", 1: "a"}),
    ],
)
def test_names_are_read_from_lines(
    tmp_path: Path, file_name: str, contents: str | bytes, expected: dict[int, str]
) -> None:
    assert names_in(tmp_path, file_name, contents) == expected


@pytest.mark.parametrize(
    ("contents", "sentence"),
    [
        ("", "holds no class name"),
        ("\n \n", "holds no class name"),
        ("a\n\nb", ":2: blank line, so the name of class number 1 is missing"),
        ("\na", ":1: blank line, so the name of class number 0 is missing"),
        (b"\xe9", "not text in UTF-8"),
        (b"\0\1\2", "zero bytes"),
    ],
)
def test_lines_without_proper_names_are_refused(
    tmp_path: Path, contents: str | bytes, sentence: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        names_in(tmp_path, "classes.txt", contents)
    assert sentence in str(caught.value)


@pytest.mark.parametrize("file_name", ["classes.json", "classes", "obj.data"])
def test_a_file_of_another_kind_is_refused(tmp_path: Path, file_name: str) -> None:
    with pytest.raises(ConfigError, match=r"expected class names in a \.yaml"):
        names_in(tmp_path, file_name, "car")


@pytest.mark.parametrize("file_name", ["missing.yaml", "a\0b.txt", "folder.txt"])
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, file_name: str) -> None:
    (tmp_path / "folder.txt").mkdir()
    with pytest.raises(ConfigError, match="cannot be read"):
        read_class_names(tmp_path / file_name)
