import json
import re
import warnings
from typing import Any

import pytest

from labelingest.errors import ConfigError
from labelingest.model.ontology import Shape
from labelingest.resolution.class_map import make_class_map
from labelingest.resolution.class_numbers import SUPPORTED_SHAPES
from labelingest.resolution.ontology_json import load_ontology
from labelingest.resolution.starter import starter_ontology

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
