"""An ontology that is read by a look is the one that the full check gives."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from labelingest.errors import OntologyError
from labelingest.resolution.checked_ontology import checked_objects
from labelingest.resolution.plain_ontology import plain_objects

ODD: tuple[Any, ...] = (
    None,
    "",
    "a\nb",
    3,
    True,
    [],
    {},
    ["x"],
    {"": "1"},
    1.5,
    "\udcff",
    "bounding_box",
)
CAR: dict[str, Any] = {
    "id": "1",
    "name": "Car",
    "color": "#D33115",
    "shape": "bounding_box",
    "featureNodeHash": "a1B2c3D4",
    "archived": False,
    "externalIds": {"YOLO": [7, "8"], "SAP": "A-1", "empty": []},
    "attributes": [
        {
            "id": "1.1",
            "name": "Colour",
            "type": "radio",
            "required": False,
            "featureNodeHash": "b1B2c3D4",
            "options": [
                {"id": "1", "label": "Red", "value": "red", "featureNodeHash": "c1", "options": []}
            ],
        }
    ],
}
ONTOLOGY: dict[str, Any] = {
    "objects": [CAR],
    "classifications": [
        {"id": 2, "featureNodeHash": "d1", "attributes": [CAR["attributes"][0]]},
    ],
    "further": 1,
}


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value)
    return [
        place
        for key, item in items
        for place in (
            (*path, key),
            *(places(item, (*path, key)) if isinstance(item, dict | list) else ()),
        )
    ]


def changed(value: Any, path: tuple[Any, ...], odd: Any) -> Any:
    copy = value.copy()
    key, *rest = path
    if rest:
        copy[key] = changed(value[key], tuple(rest), odd)
    elif odd == "remove" and isinstance(copy, dict):
        del copy[key]
    else:
        copy[key] = odd
    return copy


@given(
    st.lists(st.tuples(st.sampled_from(places(ONTOLOGY)), st.sampled_from((*ODD, "remove")))),
)
def test_a_look_accepts_what_the_full_check_accepts(edits: list[tuple[Any, Any]]) -> None:
    structure: Any = ONTOLOGY
    for path, odd in edits:
        try:
            structure = changed(structure, path, odd)
        except (AttributeError, IndexError, KeyError, TypeError):
            continue  # an earlier change removed the place
    plain = plain_objects(structure, {})
    if plain is not None:
        assert plain == checked_objects("ontology", structure, is_wrapped=False)


@given(st.sampled_from(ODD), st.sampled_from(("ontology_hash", "title")))
def test_a_look_accepts_the_keys_of_the_api_that_the_full_check_accepts(odd: Any, key: str) -> None:
    document = {"editor": ONTOLOGY, key: odd}
    plain = plain_objects(ONTOLOGY, document)
    try:
        checked = checked_objects("ontology", document, is_wrapped=True)
    except OntologyError:
        assert plain is None
    else:
        assert plain in (None, checked)


def test_a_look_accepts_the_usual_ontology() -> None:
    assert plain_objects(ONTOLOGY, {}) is not None


def test_answers_nested_deeper_than_a_look_goes_are_left_to_the_full_check() -> None:
    attribute = CAR["attributes"][0]
    for _ in range(200):
        option = attribute["options"][0] | {"options": [attribute]}
        attribute = attribute | {"options": [option]}
    structure = ONTOLOGY | {"objects": [CAR | {"attributes": [attribute]}]}
    assert plain_objects(structure, {}) is None
    assert len(checked_objects("ontology", structure, is_wrapped=False)) == 1
