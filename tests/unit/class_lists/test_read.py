from pathlib import Path

import pytest

from labelingest.class_lists.read import load_class_list, read_class_list
from labelingest.errors import ConfigError


def names_in(folder: Path, file_name: str, contents: str | bytes) -> dict[int, str]:
    """The class names in a file of that name with these contents."""
    path = folder / file_name
    path.write_bytes(contents if isinstance(contents, bytes) else contents.encode())
    return dict(load_class_list(path).names)


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
        ("nc: 3", "no key 'names' with the class names; the keys are: 'nc'"),
        (
            "names: [a]\nnames: [b]",
            "there are 2 keys 'names', expected one; the keys are: 'names', 'names'",
        ),
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
        ("names:\n0: a\n1: b", ":2:1: entry '0' stands beside 'names:', not below it: indent"),
        (b"names: [\xe9]", "not text in UTF-8"),
        (b"\x89PNG\r\n", "not text in UTF-8"),
        (b"names: [a\0]", "zero bytes"),
        (b"#" * 2_000_001, "more than 2,000,000 bytes"),
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


@pytest.mark.parametrize("file_name", ["classes.txt", "coco.names", "OBJ.NAMES", "_darknet.labels"])
@pytest.mark.parametrize(
    ("contents", "expected"),
    [
        ("person\ncar\n", {0: "person", 1: "car"}),
        ("person\r\ntraffic light \r\n", {0: "person", 1: "traffic light"}),
        ("person\rcar", {0: "person", 1: "car"}),
        ("person\n\n \n", {0: "person"}),
        ("\ufeffperson", {0: "person"}),
        ("caf\u00e9".encode("utf-16"), {0: "caf\u00e9"}),
        ("a\n0: x\u2028y", {0: "a", 1: "0: x\u2028y"}),
        ("# classes\n#7\n#\nvan\n", {0: "#7", 1: "van"}),
        ("0 tug\n1 van\n3 car\n", {0: "tug", 1: "van", 3: "car"}),
        ("1: tug\n2: van", {1: "tug", 2: "van"}),
        ("3\ttug\n4\t50 mm lens", {3: "tug", 4: "50 mm lens"}),
        ("0,tug\n2,bus, red", {0: "tug", 2: "bus, red"}),
        ("0 tug\n1: van\n3\tcar\n7,bus", {0: "tug", 1: "van", 3: "car", 7: "bus"}),
        ("# classes\n\n00: tug\n\n01: van\n", {0: "tug", 1: "van"}),
        ("1. tug\n2. van", {1: "tug", 2: "van"}),
        ("1 tug\n2 van", {1: "tug", 2: "van"}),
        ("0: 0\n1: 1", {0: "0", 1: "1"}),
        ("0 tug", {0: "tug"}),
        ("0 tug\nvan", {0: "0 tug", 1: "van"}),
        ("2: tug\n0: van", {0: "2: tug", 1: "0: van"}),
        ("10 km/h\n30 km/h", {0: "10 km/h", 1: "30 km/h"}),
        ("0 km/h\n30 km/h", {0: "0 km/h", 1: "30 km/h"}),
        ("2 wheeler\n3 wheeler", {0: "2 wheeler", 1: "3 wheeler"}),
        ("1 cent\n2 cents\n5 cents", {0: "1 cent", 1: "2 cents", 2: "5 cents"}),
        ("4x4\n6x6", {0: "4x4", 1: "6x6"}),
        ("4:3\n16:9", {0: "4:3", 1: "16:9"}),
        ("1,5 t\n3,5 t", {0: "1,5 t", 1: "3,5 t"}),
        ("7", {0: "7"}),
        ("0\n1\n2", {0: "0", 1: "1", 2: "2"}),
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


@pytest.mark.parametrize("file_name", ["classes.csv", "classes", "classes.xml"])
def test_a_file_of_another_kind_is_refused(tmp_path: Path, file_name: str) -> None:
    with pytest.raises(ConfigError, match=r"expected class names in a \.yaml"):
        names_in(tmp_path, file_name, "car")


@pytest.mark.parametrize("file_name", ["missing.yaml", "a\0b.txt", "folder.txt"])
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, file_name: str) -> None:
    (tmp_path / "folder.txt").mkdir()
    with pytest.raises(ConfigError, match="cannot be read"):
        load_class_list(tmp_path / file_name)


def problems_of(content: str, source: str = "data.yaml") -> list[str]:
    return [str(problem) for problem in read_class_list(content.encode(), source).problems]


def test_settings_of_labels_are_read_from_yaml() -> None:
    class_list = read_class_list(b"task: pose\nkpt_shape: [17, 3]\nnc: 1\nnames: [a]", "data.yaml")
    assert (class_list.task, class_list.kpt_shape, class_list.class_count) == ("pose", (17, 3), 1)


@pytest.mark.parametrize(
    "text", ["[1, 1]", "[1, 4]", "[17]", "[a, 3]", "[0, 3]", "17", "[17, 3, 1]", "{}"]
)
def test_a_keypoint_shape_that_is_none_is_not_guessed(text: str) -> None:
    assert read_class_list(f"kpt_shape: {text}".encode(), "data.yaml").kpt_shape is None


def test_yaml_without_names_is_no_list_and_no_defect() -> None:
    class_list = read_class_list(b"services: {web: 1}", "compose.yaml")
    assert (class_list.names, class_list.problems) == ({}, ())
    assert (
        class_list.missing
        == "there is no key 'names' with the class names; the keys are: 'services'"
    )


@pytest.mark.parametrize("text", ["nc: 3\nnames: [a, b]", "nc: 1\nnames: {0: a, 4: b}"])
def test_a_number_of_classes_that_is_not_that_of_the_names_is_said(text: str) -> None:
    (problem,) = problems_of(text)
    assert ": class-count-differs: nc is " in problem


@pytest.mark.parametrize(
    "text", ["nc: 2\nnames: [a, b]", "nc: 5\nnames: {0: a, 4: b}", "nc: x\nnames: [a]", "nc: 7"]
)
def test_a_number_of_classes_may_count_the_gaps(text: str) -> None:
    assert problems_of(text) == []


def test_a_name_that_two_numbers_have_is_said_with_its_line() -> None:
    assert problems_of("names:\n- Traffic light\n- van\n- traffic_light\n") == [
        "data.yaml:4: duplicate-class-name: class numbers 0 and 2 are both called "
        "'traffic_light' (written 'Traffic light'): correct one of the names"
    ]


@pytest.mark.parametrize("name", ["names", "Names"])
def test_a_darknet_file_names_its_list(name: str) -> None:
    class_list = read_class_list(f"classes=2\n {name} = data/obj.names \n".encode(), "obj.data")
    assert (class_list.names_file, class_list.names) == ("data/obj.names", {})


def test_names_are_read_from_the_notes_of_label_studio() -> None:
    text = '{"categories": [{"id": 2, "name": "van"}, {"id": 0, "name": "tug"}], "info": {}}'
    class_list = read_class_list(text.encode(), "labels/notes.json")
    assert class_list.names == {0: "tug", 2: "van"}
    assert class_list.place(2) == {"pointer": "/categories/0/name"}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "notes.json:1:2: not JSON"),
        ("[" * 100_000, "not JSON that holds class names"),
        ("9" * 5_000, "not JSON that holds class names"),
        ('{"categories": [{"id": 1.0, "name": "a"}]}', "categories/0: expected 'id'"),
        ('{"categories": [{"id": true, "name": "a"}]}', "categories/0: expected 'id'"),
        ('{"categories": [7]}', "categories/0: expected 'id'"),
        ('{"categories": [{"id": 1, "name": ""}]}', "categories/0: expected 'name'"),
        ('{"categories": [{"id": 1, "name": "a"}, {"id": 1, "name": "b"}]}', "is named twice"),
    ],
)
def test_notes_without_proper_names_are_refused(text: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_class_list(text.encode(), "notes.json")
    assert sentence in str(caught.value)
