import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
import zstandard

from labelingest.cli.show import show
from labelingest.cli.show.find_row import find_row
from labelingest.cli.show.geometry import (
    PIXELS,
    Scale,
    describe_geometry,
    read_geometry,
)
from labelingest.cli.show.label_row import label_row_of
from labelingest.errors import ConfigError, StorageError
from labelingest.model.ontology import Shape
from labelingest.model.vocabulary import Vocabulary
from tests.builders.corruption import corrupted
from tests.builders.sidecars import HEIGHT, WIDTH, client_rows, frames_of_row, in_style
from tests.oracles.client import load

Capture = pytest.CaptureFixture[str]
ON_FRAMES = ("image", "img_group", "video")


def row_with(*objects: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Make the row of an image of 200 x 100 pixels."""
    unit = {
        "data_title": "a.jpg",
        "data_link": "s3://bucket/images/a.jpg",
        "data_type": "image/jpeg",
        "data_hash": "d",
        "width": 200,
        "height": 100,
        "labels": {"objects": list(objects), "classifications": []},
    }
    row = {"data_type": "image", "data_title": "a.jpg", "data_units": {"d": unit}}
    return {**row, "label_status": "LABELLED", "label_hash": "l", "data_hash": "d", **changes}


def box(**changes: Any) -> dict[str, Any]:
    return {
        "objectHash": "k3P/x0+a",
        "name": "Car",
        "shape": "bounding_box",
        "confidence": 1.0,
        "boundingBox": {"x": 0.5, "y": 0.25, "w": 0.125, "h": 0.5},
        **changes,
    }


def write(path: Path, content: Any) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    return str(path)


def write_rows(path: Path, *keys: str) -> str:
    """Write rows whose links end with keys, each with one object of that name."""
    lines = []
    for key in keys:
        row = row_with(box(name=f"of {key}"), data_title=key.rpartition("/")[2])
        row["data_units"]["d"]["data_link"] = f"s3://bucket/{key}"
        lines.append(json.dumps(row))
    path.write_text("\n".join(lines) + "\n")
    return str(path)


# The official client's rows


def test_every_kind_and_shape_of_the_official_client_is_readable(
    tmp_path: Path, capsys: Capture
) -> None:
    shapes = set()
    for structure, kind, row in client_rows(3, 56):
        path = write(tmp_path / f"{kind}.json", row)
        ontology = write(tmp_path / "ontology.json", structure)
        assert show(path, everything=True) == 0
        assert "?" not in capsys.readouterr().out
        assert show(path, ontology=ontology, everything=True) == 0
        assert "?" not in capsys.readouterr().out
        shapes |= {found.shape for found in label_row_of(row).objects}
    assert shapes == set(Shape) - {Shape.CUBOID, Shape.TIME_RANGE, Shape.SEGMENTATION}


def in_pixels(found: Any) -> list[float]:
    """Return what the client read, in pixels; each shape's numbers in one order."""
    name = type(found).__name__
    if name in ("BoundingBoxCoordinates", "RotatableBoundingBoxCoordinates"):
        numbers = [found.top_left_x * WIDTH, found.top_left_y * HEIGHT]
        numbers += [found.width * WIDTH, found.height * HEIGHT]
        return [*numbers, found.theta] if name.startswith("Rot") else numbers
    if name in ("CircleCoordinates", "EllipseCoordinates"):
        centre = [found.center_x * WIDTH, found.center_y * HEIGHT]
        if name == "CircleCoordinates":
            return [*centre, found.radius * WIDTH, found.stretch, found.theta]
        return [*centre, found.rx * WIDTH, found.ry * HEIGHT, found.theta]
    if name == "BitmaskCoordinates":
        return [WIDTH, HEIGHT, int(np.count_nonzero(np.asarray(found)))]
    if name == "PointCoordinate":
        points = [found]
    elif name == "PolygonCoordinates":
        points = [point for rings in found.polygons for ring in rings for point in ring]
    elif name.startswith("Cuboid"):
        points = found.front
    else:
        points = found.values
    return [number for point in points for number in (point.x * WIDTH, point.y * HEIGHT)]


def numbers_of(shape: str, geometry: Any) -> list[float]:
    """Return the numbers of a geometry in that order."""
    if shape == Shape.POLYGON:
        points = [p for rings in geometry["polygons"] for ring in rings for p in ring]
    elif shape == Shape.SKELETON:
        points = [joint["point"] for joint in geometry["points"]]
    elif shape == Shape.CUBOID_2D:
        points = geometry["front"]
    elif "points" in geometry:
        points = geometry["points"]
    else:
        values = geometry.values()
        points = [value if isinstance(value, tuple) else (value,) for value in values]
    return [number for point in points for number in point]


def test_pixels_are_those_of_the_official_client() -> None:
    compared = set()
    for structure, kind, row in client_rows(8, 70):
        if kind not in ON_FRAMES:
            continue
        expected: dict[tuple[str | None, int], list[float]] = {
            (instance.object_hash, annotation.frame): in_pixels(annotation.coordinates)
            for instance in load(row, structure, frames_of_row(kind)).get_object_instances()
            for annotation in instance.get_annotations()
        }
        shown = label_row_of(row).objects
        assert {(o.object_hash, o.frame or 0) for o in shown} == expected.keys()
        for found in shown:
            assert found.shape is not None
            assert found.unit == PIXELS
            numbers = numbers_of(found.shape, found.geometry)
            assert numbers == pytest.approx(expected[found.object_hash, found.frame or 0])
            compared.add(found.shape)
    assert len(compared) == 10


@pytest.mark.parametrize("style", ["frames", "both", "answers"])
def test_classifications_stand_where_the_official_client_finds_them(style: str) -> None:
    for structure, kind, row in client_rows(4, 28):
        if kind not in ON_FRAMES:
            continue
        client = load(row, structure, frames_of_row(kind))
        expected = {
            found.classification_hash: {a.frame for a in found.get_annotations()}
            for found in client.get_classification_instances()
            if not found.is_global()
        }
        shown = {c.hash: c.frames or [] for c in label_row_of(in_style(row, style)).classifications}
        for name, frames in expected.items():
            assert {n for a, b in shown[name] for n in range(a, b + 1)} == frames


def test_answers_nest_as_the_ontology_says() -> None:
    nested = 0
    for structure, _, row in client_rows(2, 28):
        shown = label_row_of(row, Vocabulary.from_structure(structure))
        waiting = [
            answer for of in (*shown.answers, *shown.classifications) for answer in of.answers
        ]
        while waiting:
            answer = waiting.pop()
            for below in answer.nested:
                # The builder calls what nests after the option that it hangs under, but for one.
                assert isinstance(answer.answer, list)
                if below.attribute != "Seats":
                    assert below.attribute is not None
                    assert below.attribute.split(" ", 1)[1].removeprefix("of ") in answer.answer
                nested += 1
            waiting.extend(answer.nested)
        names = [a.attribute for of in shown.answers for a in of.answers]
        assert not [name for name in names if name and name.startswith(("goods of", "which"))]
    assert nested > 20


# Words


@pytest.mark.parametrize(
    ("shape", "payload", "words"),
    [
        (
            "bounding_box",
            {"boundingBox": {"x": 0.5, "y": 0.25, "w": 0.125, "h": 0.5}},
            "left 100, top 25, 25 × 50 px",
        ),
        (
            "rotatable_bounding_box",
            {"rotatableBoundingBox": {"x": 0.25, "y": 0.4, "w": 0.5, "h": 0.2, "theta": 30}},
            "left 50, top 40, 100 × 20 px before turning by 30°",
        ),
        (
            "polygon",
            {"polygons": [[[0.1, 0.1, 0.5, 0.1, 0.5, 0.9], [0.2, 0.2, 0.3, 0.2, 0.3, 0.3]]]},
            "6 vertices, 1 hole, within left 20, top 10, 80 × 80 px",
        ),
        (
            "polygon",
            {"polygon": {"0": {"x": 0, "y": 0}, "1": {"x": 1, "y": 0}, "2": {"x": 1, "y": 1}}},
            "3 vertices, within left 0, top 0, 200 × 100 px",
        ),
        ("point", {"point": {"0": {"x": 0.0125, "y": 0.5}}}, "2.5, 50 px"),
        (
            "polyline",
            {"polyline": {"0": {"x": 0, "y": 0}, "1": {"x": 0.5, "y": 1}}},
            "2 vertices from 0, 0 to 100, 100 px",
        ),
        (
            "circle",
            {"circle": {"x": 0.5, "y": 0.5, "r": 0.1, "stretch": 1.5, "theta": 45}},
            "centre 100, 50, radius 20, stretched 1.5 times px, 45°",
        ),
        (
            "ellipse",
            {"ellipse": {"x": 0.5, "y": 0.5, "rx": 0.1, "ry": 0.1}},
            "centre 100, 50, radii 20 × 10 px",
        ),
        # Runs 4 of zeros, 3 of ones, 1 of zeros.
        (
            "bitmask",
            {"bitmask": {"top": 0, "left": 0, "width": 4, "height": 2, "rleString": "431"}},
            "3 pixels set of 4 × 2",
        ),
        (
            "skeleton",
            {"skeleton": {"0": {"x": 0.5, "y": 0.5, "name": "nose"}}},
            "nose 100, 50 px",
        ),
        (
            "cuboid_2d",
            {"cuboid_2d": {"front": [0, 0, 1, 0, 1, 1], "offset": {"x": 0.1, "y": 0.1}}},
            "front 0, 0; 200, 0; 200, 100 px",
        ),
    ],
)
def test_geometry_in_words(shape: str, payload: dict[str, Any], words: str) -> None:
    geometry = read_geometry({"shape": shape, **payload}, Scale.from_size(200, 100))
    assert geometry is not None
    assert describe_geometry(shape, geometry, PIXELS) == words


def test_without_a_size_fractions_stay_and_it_is_said(tmp_path: Path, capsys: Capture) -> None:
    row = row_with(box())
    del row["data_units"]["d"]["width"]
    assert show(write(tmp_path / "row.json", row)) == 0
    said = capsys.readouterr().out
    assert "left 0.5, top 0.25, 0.125 × 0.5 (fractions)" in said
    assert "the size in pixels is not known" in said


def test_a_row_is_shown_whole(tmp_path: Path, capsys: Capture) -> None:
    answers = [{"name": "Kind", "answers": [{"name": "Lorry"}]}, {"name": "Plate", "answers": "X"}]
    actions = [{"name": "Speed", "answers": 41.5, "range": [[0, 3], [7, 7]]}]
    row = row_with(
        box(createdBy="ann@example.com"),
        object_answers={"k3P/x0+a": {"classifications": answers}},
        object_actions={"k3P/x0+a": {"actions": actions}},
        classification_answers={"c": {"range": [[0, 0]], "classifications": [answers[1]]}},
    )
    path = write(tmp_path / "row.json", row)
    assert show(path) == 0
    assert [line.rstrip() for line in capsys.readouterr().out.splitlines()] == [
        f"Label row  {path}",
        "Title      a.jpg",
        "Link       s3://bucket/images/a.jpg",
        "Kind       image (image/jpeg), 200 × 100 px",
        "Status     LABELLED",
        "Hashes     label l, data d",
        "Objects    1",
        "hash      class  shape         confidence  author           geometry",
        "k3P/x0+a  Car    bounding_box  1           ann@example.com  left 100, top 25, 25 × 50 px",
        "Answers",
        "└── k3P/x0+a Car",
        "    ├── Kind: Lorry",
        '    ├── Plate: "X"',
        "    └── Speed: 41.5 (frames 0–3, 7)",
        "Classifications",
        "└── c Plate",
        '    └── Plate: "X"',
    ]


def test_long_lists_are_cut_with_a_count_of_the_rest(tmp_path: Path, capsys: Capture) -> None:
    objects = [box(objectHash=f"{n:08}") for n in range(27)]
    answers = {
        found["objectHash"]: {"classifications": [{"name": "A", "answers": 1}]} for found in objects
    }
    path = write(tmp_path / "row.json", row_with(*objects, object_answers=answers))
    show(path)
    said = capsys.readouterr().out
    assert said.count("bounding_box") == said.count("A: 1") == 20
    assert said.count("… and 7 more: --all shows them") == 2
    show(path, everything=True)
    said = capsys.readouterr().out
    assert said.count("bounding_box") == said.count("A: 1") == 27
    assert "more" not in said


def test_all_ranges_are_shown_on_demand(tmp_path: Path, capsys: Capture) -> None:
    ranges = [[frame, frame] for frame in range(0, 20, 2)]
    answer = {"name": "Speed", "answers": 7, "range": ranges}
    path = write(
        tmp_path / "row.json", row_with(object_actions={"k3P/x0+a": {"actions": [answer]}})
    )
    show(path)
    assert "Speed: 7 (frames 0, 2, 4, 6, 8, 10, 12, 14, … and 2 more)" in capsys.readouterr().out
    show(path, everything=True)
    assert "Speed: 7 (frames 0, 2, 4, 6, 8, 10, 12, 14, 16, 18)" in capsys.readouterr().out


def test_names_are_text_and_stay_on_their_line(tmp_path: Path, capsys: Capture) -> None:
    answer = {"name": "[bold]q[/]", "answers": "two\nlines\x1b[2J"}
    long = "n" * 500
    row = row_with(
        box(name="[red]a\nb\x1b[2J[/red]"),
        data_title=long,
        object_answers={"k3P/x0+a": {"classifications": [answer, {"name": long, "answers": 1}]}},
    )
    show(write(tmp_path / "row.json", row))
    said = capsys.readouterr().out
    assert r"[red]a\nb\x1b[2J[/red]  bounding_box" in said
    assert r'[bold]q[/]: "two\nlines\x1b[2J"' in said
    assert f"Title      {long}\n" in said
    assert f"└── {long}: 1\n" in said
    assert "\x1b" not in said


# Problems and programs


def test_problems_stand_below_the_row_and_decide_the_exit_code(
    tmp_path: Path, capsys: Capture
) -> None:
    structure, _, row = next(found for found in client_rows(3, 20) if "image" in found[1])
    ontology = write(tmp_path / "ontology.json", structure)
    row["no such key"] = 1
    path = write(tmp_path / "row.json", row)
    assert show(path, ontology=ontology) == 0
    assert f"{path}#/no such key: unknown-key: " in capsys.readouterr().out.splitlines()[-1]
    row["object_actions"] = []
    path = write(tmp_path / "row.json", row)
    assert show(path, ontology=ontology) == 1
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == f"Label row  {path}"
    assert shown[-1].startswith(f"error {path}#/object_actions: not-a-label-row: ")


def test_programs_get_what_people_see(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    answers = {"k3P/x0+a": {"classifications": [{"name": "Plate", "answers": "X"}]}}
    path = write(tmp_path / "row.json", row_with(box(), object_answers=answers))
    show(path, as_json=True)
    made = json.loads(capsysbinary.readouterr().out)
    assert (made["source"], made["problems"]) == (path, [])
    [found] = made["label_row"]["objects"]
    assert found["geometry"] == {"left": 100.0, "top": 25.0, "width": 25.0, "height": 50.0}
    assert (found["unit"], found["name"], found["frame"]) == ("px", "Car", None)
    [answered] = made["label_row"]["answers"]
    assert answered["answers"] == [
        {"attribute": "Plate", "answer": "X", "frames": None, "nested": []}
    ]


# Hostile rows


@pytest.mark.parametrize("seed", range(40))
def test_damaged_rows_are_shown_as_far_as_they_go(
    seed: int, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    rng = random.Random(seed)
    for structure, kind, row in client_rows(seed, 7):
        damaged = row
        for _ in range(rng.randint(1, 8)):
            damaged, _, _ = corrupted(damaged, rng)
        damaged.setdefault("data_units", None)
        path = write(tmp_path / f"{kind}.json", damaged)
        ontology = write(tmp_path / "ontology.json", structure)
        assert show(path) == 0
        show(path, ontology=ontology)
        assert capsysbinary.readouterr().out
        show(path, as_json=True)
        assert json.loads(capsysbinary.readouterr().out)["label_row"]["objects"] is not None


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "the file is empty"),
        ("[]", "holds a list, expected a label row"),
        ("7", "holds a number"),
        ('{"objects": []}', "'data_units' is missing"),
        ('{"data_units": {', "truncated"),
        ("[" * 100_000, "nested deeper than 254 levels"),
        ("\ufeffx", "not JSON"),
    ],
)
def test_what_is_no_label_row_is_refused_in_a_sentence(
    tmp_path: Path, content: str, said: str
) -> None:
    path = tmp_path / "row.json"
    path.write_text(content)
    with pytest.raises(ConfigError, match=said):
        show(str(path))


@pytest.mark.parametrize(
    "changes",
    [
        {"data_units": [1, "x", None]},
        {"data_units": "text"},
        {"classification_answers": [7]},
        {"classification_answers": {"c": {"classifications": 7}}},
        {"object_answers": {"k3P/x0+a": {"classifications": [[]]}}},
        {"object_actions": {"k3P/x0+a": {"actions": [{"name": ["a"], "answers": {}}]}}},
        {"object_answers": {"a": {"range": "x", "shape": []}}},
        {"object_answers": {"a": {"range_html": [{"start": 1}]}}},
    ],
    ids=str,
)
def test_wrong_types_are_question_marks(
    changes: dict[str, Any], tmp_path: Path, capsys: Capture
) -> None:
    assert show(write(tmp_path / "row.json", row_with(box(), **changes))) == 0
    assert "?" in capsys.readouterr().out


@pytest.mark.parametrize(
    "objects",
    [
        {"0": 1},
        "text",
        [box(boundingBox=[1])],
        [box(boundingBox={"x": "0.5", "y": 0, "w": 0, "h": 0})],
        [box(boundingBox={"x": 1e308, "y": 0, "w": 0, "h": 0})],
        [box(shape=["polygon"])],
        [box(shape="polygon", polygons=[[]])],
        [box(shape="bitmask", bitmask={"width": 4, "height": 2, "rleString": "4311"})],
    ],
    ids=str,
)
def test_objects_that_cannot_be_read_are_rows_of_the_table(
    objects: Any, tmp_path: Path, capsys: Capture
) -> None:
    row = row_with()
    row["data_units"]["d"]["labels"]["objects"] = objects
    assert show(write(tmp_path / "row.json", row)) == 0
    said = capsys.readouterr().out
    assert "Objects    1\n" in said
    assert said.splitlines()[-1].endswith("?")


def test_answers_nested_hundreds_deep_can_be_written(tmp_path: Path) -> None:
    attributes: list[dict[str, Any]] = []
    for n in reversed(range(200)):
        option = {"featureNodeHash": f"o{n}", "label": "yes", "options": attributes}
        attributes = [{"featureNodeHash": f"a{n}", "name": f"a{n}", "options": [option]}]
    structure = {"objects": [{"featureNodeHash": "car", "attributes": attributes}]}
    answers = [
        {"featureHash": f"a{n}", "name": f"a{n}", "answers": [{"featureHash": f"o{n}"}]}
        for n in range(200)
    ]
    row = row_with(
        box(featureHash="car"), object_answers={"k3P/x0+a": {"classifications": answers}}
    )
    shown = label_row_of(row, Vocabulary.from_structure(structure))
    assert orjson.dumps(shown).count(b'"attribute":') == 200
    path = []
    level = shown.answers[0].answers
    while level:
        path.append(level[0].attribute)
        level = level[0].nested
    assert path == [f"a{n}" for n in range(51)]


# Finding the row


def test_a_data_file_leads_to_its_sidecar(tmp_path: Path) -> None:
    for suffix in (".encord.json", ".labels.json"):
        sidecar = write(tmp_path / f"a.jpg{suffix}", row_with())
        assert find_row(str(tmp_path / "a.jpg"), suffix=suffix).source == sidecar
        assert find_row(sidecar, suffix=suffix).source == sidecar


def test_a_text_file_may_have_a_sidecar_too(tmp_path: Path) -> None:
    sidecar = write(tmp_path / "notes.txt.encord.json", row_with())
    assert find_row(str(tmp_path / "notes.txt")).source == sidecar


def test_label_files_of_yolo_lead_to_the_command_that_converts(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("0 0.5 0.5 0.2 0.2\n")
    with pytest.raises(ConfigError, match=r"labelingest convert .* then labelingest show KEY --in"):
        find_row(str(path))


def test_a_name_without_row_says_what_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"b\.jpg\.encord\.json.*--suffix.*--in"):
        find_row(str(tmp_path / "b.jpg"))
    with pytest.raises(StorageError, match="no such file"):
        find_row(str(tmp_path / "b.json"))


def test_a_file_of_one_row_is_that_row(tmp_path: Path) -> None:
    rows = write_rows(tmp_path / "rows.jsonl", "images/a.jpg")
    assert b"of images/a.jpg" in find_row(rows).content


def test_a_file_of_many_rows_asks_for_a_key(tmp_path: Path) -> None:
    rows = write_rows(tmp_path / "rows.jsonl", *[f"images/{name}.jpg" for name in "abcde"])
    with pytest.raises(ConfigError) as refused:
        find_row(rows)
    said = str(refused.value)
    assert f"labelingest show KEY --in {rows}" in said
    assert [name in said for name in ("/a.jpg'", "/b.jpg'", "/c.jpg'", "/d.jpg'")] == [True] * 3 + [
        False
    ]


@pytest.mark.parametrize("key", ["images/b c.jpg", "b c.jpg", "s3://bucket/images/b c.jpg"])
@pytest.mark.parametrize("stored", ["images/b c.jpg", "images/b%20c.jpg"])
def test_a_key_is_found_by_its_link(key: str, stored: str, tmp_path: Path) -> None:
    others = [f"images/{n}.jpg" for n in range(5)]
    rows = write_rows(tmp_path / "rows.jsonl", *others, stored, "images/ab c.jpg")
    found = find_row(key, rows=rows)
    assert f"of {stored}".encode() in found.content
    assert found.source == f"{rows}:6"


def test_a_key_of_any_characters_is_found(tmp_path: Path) -> None:
    keys = ["x/图片 (1).jpg", "x/图片 (2).jpg", 'x/"q"\\.jpg', "x/é"]
    rows = write_rows(tmp_path / "rows.jsonl", *["other.jpg"] * 5, *keys)
    for number, key in enumerate(keys, 6):
        assert find_row(key, rows=rows).source == f"{rows}:{number}"


def test_a_title_counts_where_the_link_tells_nothing(tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    signed = row_with(data_title="b.jpg")
    signed["data_units"]["d"] |= {"data_title": "b.jpg", "data_link": "https://x/7f3a?sign=1"}
    rows.write_text(f"{json.dumps(row_with())}\n{json.dumps(signed)}\n")
    assert find_row("images/b.jpg", rows=str(rows)).source == f"{rows}:2"
    rows.write_text(f"{json.dumps(signed)}\n" * 2)
    with pytest.raises(ConfigError, match="more than one"):
        find_row("images/b.jpg", rows=str(rows))


def test_a_file_of_that_name_in_another_folder_is_not_meant(tmp_path: Path) -> None:
    rows = write_rows(tmp_path / "rows.jsonl", "val/a.jpg")
    with pytest.raises(ConfigError, match=r"no label row of 'train/a\.jpg'.*val/a\.jpg"):
        find_row("train/a.jpg", rows=rows)


def test_a_key_that_fits_several_rows_lists_three_of_them(tmp_path: Path) -> None:
    rows = write_rows(tmp_path / "rows.jsonl", *[f"{part}/a.jpg" for part in "pqrst"])
    with pytest.raises(ConfigError) as refused:
        find_row("a.jpg", rows=rows)
    said = str(refused.value)
    assert [f"/{part}/a.jpg' in line" in said for part in "pqrst"] == [True] * 3 + [False] * 2


def test_lines_that_are_no_rows_are_passed_over(tmp_path: Path) -> None:
    rows = Path(write_rows(tmp_path / "rows.jsonl", "images/a.jpg"))
    rows.write_text('\n{"a.jpg": \n["a.jpg"]\n' + rows.read_text())
    assert find_row("a.jpg", rows=str(rows)).source == f"{rows}:4"


def test_a_row_is_found_in_a_compressed_file_of_many_frames(tmp_path: Path) -> None:
    plain = Path(write_rows(tmp_path / "rows.jsonl", "a.jpg", "b.jpg", "c.jpg")).read_bytes()
    packed = tmp_path / "rows.jsonl.zst"
    packed.write_bytes(b"".join(map(zstandard.compress, plain.splitlines(keepends=True))))
    found = find_row("c.jpg", rows=str(packed))
    assert found.content == plain.splitlines(keepends=True)[2]
