import json
import os
import pickle
import re
from collections.abc import Mapping
from itertools import groupby
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from labelingest.class_lists.read import numbers_from_one, read_class_list
from labelingest.config import IngestConfig
from labelingest.converter import LabelFile
from labelingest.metadata.check import check_metadata
from labelingest.metadata.schema import MetadataSchema, schema_problems
from labelingest.pipeline import check, convert
from labelingest.problems import ProblemCode
from labelingest.problems.catalogue import class_lists, files, label_files, metadata, sidecars
from labelingest.problems.catalogue.files import FILES
from labelingest.problems.definition import Definition, Family
from labelingest.problems.page import problems_page
from labelingest.readers.encord import DataFile, read_label_row
from tests.builders.folders import make_folder, ontology_of
from tests.builders.yolo import SHAPES, converter_for
from tests.conformance.test_encord import BASE, CASES, VOCABULARY, content_of
from tests.conformance.test_metadata import cases
from tests.conformance.test_metadata import content_of as metadata_of

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/problems.md").read_text("utf-8")
SECTIONS = dict(re.findall(r"^### `([a-z0-9-]+)` (.*?)(?=^##|\Z)", PAGE, re.M | re.S))
EXAMPLES = {code.value: code.definition.example for code in ProblemCode}

BOX = "0 0.5 0.5 0.1 0.1"
ROWS: dict[str, tuple[bytes | str, dict[str, Any]]] = {
    "not-text": (b"\x89PNG", {}),
    "bad-class-number": (f"{BOX}\n-1 0.5 0.5 0.1 0.1", {}),
    "not-a-number": ("0,0.5,0.5,0.1,0.1", {}),
    "not-finite": (f"{BOX}\n\n\n0 nan 0.5 0.1 0.1", {}),
    "too-few-columns": ("0 0.5 0.5", {}),
    "wrong-column-count": (BOX, {"row_layout": "box+confidence"}),
    "ambiguous-columns": ("2 0.5 0.5 0.25 0.5 0.9", {}),
    "unknown-class": ("7 0.5 0.5 0.1 0.1", {}),
    "shape-mismatch": ("0 0.1 0.1 0.5 0.1 0.5 0.5", {"reject_shape_mismatch": True}),
    "out-of-range": (f"{BOX}\n1 0 0 1 0 1 1\n0 320 240 64 48", {}),
    "layout-contradicted": (
        f"{BOX} 0.5\n{BOX}",
        {"row_layout": "box+confidence", "decided_by_evidence": True},
    ),
    "bad-confidence": (f"{BOX} 17", {}),
    "looks-like-pose": ("0 .5 .5 0.25 0.25 .45 .6", {}),
    "looks-like-joined-rows": ("0 .5 .5 0.25 0.25 1 .25 .25 .1 .2", {}),
    "far-outside-image": ("1 320 240 640 240 640 480", {}),
    "degenerate-polygon": (f"{BOX}\n1 0.1 0.1 0.1 0.1 0.5 0.5", {}),
    "image-size-unknown": ("2 0.1 0.1 0.5 0.1 0.5 0.5 0.1 0.5", {"size": None}),
    "self-intersecting-polygon": (f"{BOX}\n1 0 0 1 1 1 0 0 1", {}),
    "not-a-rectangle": ("2 0.1 0.1 0.5 0.1 0.6 0.6 0.1 0.5", {}),
    "duplicate-row": (f"{BOX}\n{BOX}", {}),
    "no-row-left": ("0 0.5\n0 0.5\n0 0.5", {}),
    "file-skipped": (f"{BOX}\n" * 7 + "0 0.5", {"on_row_error": "skip-file"}),
}
"""Label files, with options, that have the problems of the examples."""

ROWS_OF_ENCORD = BASE["rows"]


@pytest.fixture(scope="module")
def of_a_folder(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return the problems of a folder with all that can be wrong with files."""
    place = tmp_path_factory.mktemp("problems")
    image: Mapping[str, Any] = {"image": [64, 48]}
    data = make_folder(
        place / "data",
        {
            **{f"images/{name}": image for name in ("a.jpg", "b.jpg", "b.png", "e.jpg", "f.jpg")},
            **{f"labels/{name}.txt": "" for name in ("a", "b", "c")},
            **{f"scans/{number}.dcm": "x" for number in range(12)},
            "images/d.jpg": {"link": "nowhere.jpg"},
            "images/again": {"link": "."},
        },
    )
    os.mkfifo(data / "labels/e.txt")
    with (data / "labels/f.txt").open("wb") as file:
        file.truncate(1_200_000_000)
    Path(os.fsdecode(os.fsencode(data) + b"/images/caf\xe9.jpg")).touch()
    ontology = ontology_of(van=(0, "polygon"), car=(1, "polygon"))
    ontology["objects"][1]["externalIds"]["YOLO"] = "car"
    (place / "ontology.json").write_text(json.dumps(ontology))
    config = IngestConfig(
        storage_path=data,
        ontology=place / "ontology.json",
        images=("images/{name}.jpg", "images/{name}.png"),
        labels="labels/{name}.txt",
        out=place / "rows.jsonl",
    )
    return [str(problem) for problem in convert(config).problems]


def test_the_page_is_what_the_codes_say() -> None:
    assert problems_page() == PAGE, "run `make docs`"


def test_every_code_is_documented_and_no_other() -> None:
    assert set(SECTIONS) == {code.value for code in ProblemCode}


@pytest.mark.parametrize("catalogue", [class_lists, files, label_files, metadata, sidecars])
def test_every_definition_is_a_code_of_its_name(catalogue: ModuleType) -> None:
    definitions = {n: d for n, d in vars(catalogue).items() if isinstance(d, Definition)}
    assert definitions
    for name, definition in definitions.items():
        assert ProblemCode[name].definition is definition
        assert definition.code == name.lower().replace("_", "-")


def test_codes_of_a_family_follow_each_other() -> None:
    groups = groupby(ProblemCode, lambda code: code.definition.family)
    begins = [(family.title, next(codes).value) for family, codes in groups]
    again = [(title, code) for i, (title, code) in enumerate(begins) if title in dict(begins[:i])]
    assert not again, f"move to the other codes of the family in `ProblemCode`: {again}"


def test_the_page_names_the_codes_that_hide_files() -> None:
    named = set(re.findall("`([a-z0-9-]+)`", FILES.introduction.partition(" does not see ")[0]))
    assert named == {code.value for code in ProblemCode if code.hides_files}


def test_a_code_is_itself_wherever_it_comes_from() -> None:
    for code in ProblemCode:
        assert ProblemCode(code.value) is pickle.loads(pickle.dumps(code)) is code
    with pytest.raises(ValueError, match="no-such-code"):
        ProblemCode("no-such-code")


@pytest.mark.parametrize("code", list(ProblemCode))
def test_a_code_has_severity_cause_example_and_cure(code: ProblemCode) -> None:
    section = SECTIONS[code.value]
    assert section.startswith(f"({code.severity})")
    assert EXAMPLES[code.value] == re.findall(r"^- \*\*Example:\*\* `(.*)`$", section, re.M)[0]
    for part in ("Cause", "Example", "Cure"):
        assert re.search(rf"^- \*\*{part}:\*\* \S", section, re.M), f"{part} is missing"


@pytest.mark.parametrize("code", list(ProblemCode))
def test_the_example_of_a_code_shows_the_code(code: ProblemCode) -> None:
    assert f": {code.value}: " in SECTIONS[code.value]


@pytest.mark.parametrize("code", ROWS)
def test_the_example_is_what_a_label_file_gives(code: str) -> None:
    content, options = ROWS[code]
    options = dict(options)
    size = options.pop("size", (640, 480))
    text = content.encode() if isinstance(content, str) else content
    file = LabelFile("images/a.jpg", text, size, 0, "labels/a.txt")
    conversion = converter_for(SHAPES, **options).convert([file])
    assert EXAMPLES[code] in [str(problem) for problem in conversion.problems]


LISTS = {
    "class-count-differs": "nc: 4\nnames: [car, van, truck]",
    "duplicate-class-name": "names:\n- car\n- van\n- truck\n- van\n",
    "class-list-from-one": "names:\n  1: car\n  2: van\n",
}
"""Class lists that have the problems of the examples."""


@pytest.mark.parametrize("code", LISTS)
def test_the_example_is_what_a_class_list_gives(code: str) -> None:
    class_list = read_class_list(LISTS[code].encode(), "data.yaml")
    problems = (*class_list.problems, *numbers_from_one(class_list))
    assert EXAMPLES[code] in map(str, problems)


COMPARED: dict[str, dict[str, Any]] = {
    "class-names-disagree": {"data.yaml": "names:\n- van\n- car\n- lorry\n"},
    "class-name-differs": {"data.yaml": "names:\n- car\n- van\n- lorry\n"},
    "class-lists-disagree": {
        "data.yaml": "names:\n- car\n- van\n- truck\n",
        "labels/classes.txt": "van\ncar\ntruck\n",
    },
    "class-list-unreadable": {"labels/classes.txt": {"base64": "/w=="}},
}
"""Class lists, beside an ontology with car, van and truck."""


@pytest.mark.parametrize("code", COMPARED)
def test_the_example_is_what_class_lists_beside_an_ontology_give(code: str, tmp_path: Path) -> None:
    files = {"images/a.jpg": {"image": [8, 8]}, "labels/a.txt": f"{BOX}\n", **COMPARED[code]}
    data = make_folder(tmp_path / "data", files)
    classes = {name: (number, "polygon") for number, name in enumerate(("car", "van", "truck"))}
    (tmp_path / "ontology.json").write_text(json.dumps(ontology_of(**classes)))
    report = check(IngestConfig(storage_path=data, ontology=tmp_path / "ontology.json"))
    assert EXAMPLES[code] in map(str, report.problems)


OF_FOLDERS = (
    *("link-loop", "broken-link", "not-a-regular-file", "key-not-utf8", "file-too-large"),
    *("unsupported-data-type", "orphan-sidecar", "ambiguous-pair"),
    "external-id-not-a-class-number",
)


@pytest.mark.parametrize("code", OF_FOLDERS)
def test_the_example_is_what_a_folder_gives(code: str, of_a_folder: list[str]) -> None:
    assert EXAMPLES[code] in of_a_folder


def test_the_example_of_numbers_from_one_is_what_a_folder_gives(tmp_path: Path) -> None:
    files: Mapping[str, Any] = {
        "images/a.jpg": {"image": [64, 48]},
        "labels/a.txt": "1 0.5 0.5 0.1 0.1\n2 0.5 0.5 0.1 0.1\n",
    }
    data = make_folder(tmp_path / "data", files)
    ontology = tmp_path / "ontology.json"
    ontology.write_text(json.dumps(ontology_of(van=(0, "bounding_box"), car=(1, "bounding_box"))))
    report = check(IngestConfig(storage_path=data, ontology=ontology))
    assert EXAMPLES["numbers-from-one"] in map(str, report.problems)


@pytest.fixture(scope="module")
def of_sidecars() -> set[str]:
    """Return the problems of Encord sidecars: of the corpus, and of a few that are not in it."""
    image = json.dumps(ROWS_OF_ENCORD["image"]).encode()
    contents = [("jpg", content) for content in _changed(image)]
    for case in (case.values[0] for case in CASES):
        assert isinstance(case, dict)
        kind = "mp4" if case.get("base") == "video" else "jpg"
        contents.append((kind, content_of(case)))
    read = [read_label_row(text, f"a.{kind}.encord.json", VOCABULARY) for kind, text in contents]
    beside = (DataFile.from_key("a.mp4"), DataFile.from_key("a.jpg", (1280, 960)))
    read += [read_label_row(image, "a.jpg.encord.json", VOCABULARY, file) for file in beside]
    return {str(problem) for checked in read for problem in checked.problems}


def _changed(image: bytes) -> list[bytes]:
    with_list, renamed = json.loads(image), json.loads(image)
    with_list["data_units"]["u"]["labels"]["objects"] = "none"
    renamed["object_answers"]["x"] = renamed["object_answers"].pop("k3P/x0+a")
    return [
        b"\xef\xbb\xbf" + image,
        image.ljust(61_000_000),
        image.replace(b'"label_hash"', b'"label_hash": "x", "label_hash"', 1),
        json.dumps(with_list).encode(),
        json.dumps(renamed).encode(),
    ]


def codes_of(*families: Family) -> set[ProblemCode]:
    return {code for code in ProblemCode if code.definition.family in families}


OF_SIDECARS = codes_of(sidecars.DOCUMENT, sidecars.OBJECTS, sidecars.ANSWERS)


@pytest.mark.parametrize(
    # The corpus has no class with a skeleton template.
    "code",
    sorted(OF_SIDECARS - {ProblemCode.UNKNOWN_SKELETON_POINT}),
)
def test_the_example_is_what_an_encord_sidecar_gives(
    code: ProblemCode, of_sidecars: set[str]
) -> None:
    assert EXAMPLES[code.value] in of_sidecars


@pytest.fixture(scope="module")
def of_metadata() -> set[str]:
    """Return the problems of the corpus of custom metadata, and of a schema."""
    schema = MetadataSchema.load(ROOT / "fixtures/conformance/metadata/schema.json")
    large = MetadataSchema().add("clip", "embedding", size=3072)
    sentences = [str(problem) for problem in schema_problems(large, "schema.json")]
    for case in (case.values[0] for name in ("documents", "values") for case in cases(name)):
        content = json.dumps(case["value"]).encode() if "kept" in case else metadata_of(case)
        checked = check_metadata(content, "a.jpg.metadata.json", schema)
        sentences += [str(problem) for problem in checked.problems]
    return set(sentences)


@pytest.mark.parametrize("code", sorted(codes_of(metadata.METADATA)))
def test_the_example_is_what_custom_metadata_gives(
    code: ProblemCode, of_metadata: set[str]
) -> None:
    assert EXAMPLES[code.value] in of_metadata


WORDS = {
    "unreadable-folder": "this folder cannot be listed: ",
    "unreadable-file": ": it cannot be read: ",
    "no-class-number": " has no class number: add an external ID or an override (",
    "no-place-in-format": " has boxes, rotated boxes and polygons only, and ",
    "unknown-skeleton-point": " is no point of the skeleton template of ",
    "output-name-refused": " is too long for this file system",
    "name-too-long": " that a title may have on the platform: rename it before it is registered there",
}
NOT_PRODUCED = {
    *("unusable-key", "image-size-missing", "polygon-not-checked", "out-of-memory"),
    *("internal-error", "vanished-file"),
}
"""Codes whose examples are compared with nothing here; the set may only shrink."""


def test_every_example_is_compared_with_what_an_input_gives() -> None:
    of_documents = OF_SIDECARS | codes_of(metadata.METADATA)
    compared = {
        "numbers-from-one",
        *ROWS,
        *LISTS,
        *COMPARED,
        *OF_FOLDERS,
        *WORDS,
        *(code.value for code in of_documents),
    }
    missing = set(EXAMPLES) - compared - NOT_PRODUCED
    assert not missing, f"enter an input in ROWS, OF_FOLDERS or WORDS for {sorted(missing)}"
    assert set(EXAMPLES) >= NOT_PRODUCED
    assert not compared & NOT_PRODUCED


@pytest.mark.parametrize(("code", "words"), WORDS.items())
def test_the_words_of_an_example_that_is_hard_to_make_stand_in_the_source(
    code: str, words: str
) -> None:
    assert words in EXAMPLES[code]
    assert any(words.strip(": ") in source for source in _sources())


def _sources() -> list[str]:
    """Return the package's modules, with texts that stand beside each other joined."""
    modules = (ROOT / "labelingest").rglob("*.py")
    return [re.sub(r'"\s+f?"', "", module.read_text("utf-8")) for module in modules]
