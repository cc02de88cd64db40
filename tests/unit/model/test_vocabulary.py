from typing import Any

from labelingest.model.vocabulary import Vocabulary


def nested(depth: int) -> dict[str, Any]:
    attribute: dict[str, Any] = {"featureNodeHash": "end", "name": "end", "type": "text"}
    for level in range(depth):
        option = {"featureNodeHash": f"o{level}", "label": "o", "options": [attribute]}
        attribute = {
            "featureNodeHash": f"a{level}",
            "name": "a",
            "type": "radio",
            "options": [option],
        }
    return attribute


def test_nested_attributes_know_the_option_they_hang_under() -> None:
    row = {"featureNodeHash": "c", "attributes": [nested(2)]}
    classification = Vocabulary.from_structure(
        {"objects": [], "classifications": [row]}
    ).classifications["c"]
    assert classification.root == "a1"
    assert classification.attributes["end"].parent == ("a0", "o0")


def test_depth_is_no_matter() -> None:
    row = {"featureNodeHash": "c", "attributes": [nested(20_000)]}
    vocabulary = Vocabulary.from_structure({"classifications": [row]})
    assert vocabulary.classifications_of["end"] == ("c",)


def test_an_element_without_hash_is_left_out() -> None:
    vocabulary = Vocabulary.from_structure(
        {"objects": [{"name": "Car"}, None, 7], "classifications": "x"}
    )
    assert not vocabulary.objects
    assert not vocabulary.classifications


def test_points_of_a_skeleton_come_from_its_template() -> None:
    template = {"name": "Person", "skeleton": {"0": {"name": "nose"}}}
    row = {"featureNodeHash": "p", "name": "Person", "shape": "skeleton"}
    structure = {"objects": [row], "skeleton_templates": [{"template": template}]}
    assert Vocabulary.from_structure(structure).objects["p"].points == {"nose"}
