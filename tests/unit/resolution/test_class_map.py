from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from labelingest.errors import ConfigError, OntologyError
from labelingest.model.ontology import Ontology, OntologyObject, Shape, class_number
from labelingest.problems import Severity
from labelingest.resolution.class_map import make_class_map
from labelingest.resolution.class_numbers import why_without_number
from labelingest.resolution.namespaces import choose_namespace
from labelingest.resolution.overrides import parse_overrides


def objects(*external_ids: dict[str, tuple[str, ...]]) -> Ontology:
    """An ontology with one polygon for each mapping of external IDs."""
    return Ontology(
        tuple(
            OntologyObject(f"Object {i}", "#D33115", Shape.POLYGON, f"{i:08x}", external_ids=ids)
            for i, ids in enumerate(external_ids)
        ),
        "identity",
    )


@pytest.mark.parametrize(
    ("namespaces", "namespace", "reason"),
    [
        (("SAP", "YOLO"), "SAP", "'SAP' was asked for"),
        (("SAP", "YOLO"), "sap", "'sap' was asked for; only 'SAP' is written like it"),
        (("SAP", "yolo"), None, "'yolo' is called YOLO"),
        (("YOLO", "yolo"), None, "'YOLO' is called YOLO; so are 'yolo', later in the alphabet"),
        (("SAP",), None, "'SAP' is the only one; none is called YOLO"),
        (("SAP", "CRM"), None, "'CRM' is the first of 2 in the alphabet; none is called YOLO"),
    ],
)
def test_the_choice_of_a_namespace_has_a_reason(
    namespaces: tuple[str, ...], namespace: str | None, reason: str
) -> None:
    choice = choose_namespace(objects(dict.fromkeys(namespaces, ("1",))), namespace)
    assert choice is not None
    assert choice.reason == reason


def test_a_choice_lists_all_namespaces_with_their_number_of_objects() -> None:
    ontology = objects({"sap": ("1", "2"), "Zoo": ("1",)}, {"sap": ("3",)}, {"CRM": ("x",)})
    choice = choose_namespace(ontology, None)
    assert choice is not None
    assert list(choice.namespaces.items()) == [("CRM", 1), ("sap", 2), ("Zoo", 1)]


def test_an_ontology_without_external_ids_leaves_no_choice() -> None:
    assert choose_namespace(objects({}), None) is None


def test_entries_say_where_they_come_from() -> None:
    ontology = objects({"YOLO": ("5", "0")}, {"YOLO": ("2",)})
    mapping = make_class_map(ontology, overrides={5: "Object 1", 9: "00000000", 2: None})
    assert mapping.entries == ((0, 0, "external ID"), (5, 1, "override"), (9, 0, "override"))


def test_the_class_map_resolves_as_its_entries_say() -> None:
    mapping = make_class_map(objects({"YOLO": ("7",)}, {"YOLO": ("0", "9")}))
    assert mapping.class_map.resolve(np.array([0, 1, 7, 9, 2**53])).tolist() == [1, -1, 0, 1, -1]


def test_the_columns_have_the_types_of_the_model() -> None:
    class_map = make_class_map(objects({"YOLO": ("9007199254740992",)})).class_map
    assert [class_map.number.dtype.name, class_map.feature.dtype.name] == ["int64", "int32"]


def test_an_id_that_is_no_class_number_is_a_warning_with_its_place() -> None:
    (problem,) = make_class_map(objects({"YOLO": ("0",)}, {"YOLO": ("car",)})).problems
    assert (problem.severity, problem.place) == (
        Severity.WARNING,
        "ontology#/objects/1/externalIds/YOLO",
    )


def test_an_ontology_made_by_hand_needs_no_structure() -> None:
    assert len(make_class_map(objects({}), overrides={3: "Object 0"}).class_map) == 1


def test_an_override_of_any_length_is_shown_short() -> None:
    with pytest.raises(OntologyError) as caught:
        make_class_map(objects({}), overrides={3: "x" * 100_000})
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("number", [-1, 2**53 + 1, 10**400, True])
def test_an_override_needs_a_class_number(number: int) -> None:
    with pytest.raises(ConfigError, match="expected a number from 0 to 2"):
        make_class_map(objects({}), overrides={number: "Object 0"})


@given(st.integers(0, 2**53), st.integers(0, 400))
def test_a_class_number_may_have_leading_zeros(number: int, zeros: int) -> None:
    assert class_number("0" * zeros + str(number)) == number


@given(st.text(max_size=20))
def test_a_class_number_is_ascii_digits_and_nothing_else(text: str) -> None:
    digits = text != "" and set(text) <= set("0123456789")
    assert class_number(text) == (int(text) if digits and int(text) <= 2**53 else None)


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("7=car", {7: "car"}),
        ("07=car", {7: "car"}),
        (" 7 = traffic light ", {7: "traffic light"}),
        ("7=a=b", {7: "a=b"}),
        ("7=null", {7: None}),
        ("7=", {7: None}),
        ("7=Null", {7: "Null"}),
        ("0=0", {0: "0"}),
    ],
)
def test_an_override_is_number_equals_object(entry: str, expected: dict[int, str | None]) -> None:
    assert parse_overrides([entry]) == expected


@pytest.mark.parametrize("entry", ["", "7", "car", "=car", "x=car", "-1=car", "7.0=car", "７=car"])
def test_an_override_without_number_or_equals_is_refused(entry: str) -> None:
    with pytest.raises(ConfigError, match="expected a class number, '='"):
        parse_overrides([entry])


def test_a_number_overridden_twice_is_refused() -> None:
    with pytest.raises(ConfigError, match="number 7 is overridden twice"):
        parse_overrides(["7=car", "07=van"])


def test_no_overrides_are_no_overrides() -> None:
    assert parse_overrides([]) == {}


def refused(ontology: Ontology, **options: Any) -> str:
    with pytest.raises((OntologyError, ConfigError)) as error:
        make_class_map(ontology, **options)
    return str(error.value)


@pytest.mark.parametrize(
    ("count", "more"),
    [
        (1, ""),
        (2, " (numbers 1 clash too)"),
        (6, " (numbers 1, 2, 3, 4, 5 clash too)"),
        (7, " (numbers 1, 2, 3, 4, 5, … clash too)"),
    ],
)
def test_numbers_that_two_objects_claim_are_named(count: int, more: str) -> None:
    ids = {"YOLO": tuple(map(str, range(count)))}
    assert refused(objects(ids, ids)) == (
        "class number 0 is the external ID of 'Object 0' (00000000) and of 'Object 1' (00000001)"
        f"{more}: correct one of them, or say which is meant with an override (0=00000000)"
    )


def test_a_clash_that_an_override_settles_is_none() -> None:
    ids: dict[str, tuple[str, ...]] = {"YOLO": ("3",)}
    mapping = make_class_map(objects(ids, ids), overrides={3: "Object 1"})
    assert [tuple(entry) for entry in mapping.entries] == [(3, 1, "override")]


def named(*rows: tuple[str, str, Shape, bool]) -> Ontology:
    return Ontology(
        tuple(
            OntologyObject(name, "#D33115", shape, feature, archived=archived)
            for name, feature, shape, archived in rows
        ),
        "identity",
    )


SEVERAL = named(
    ("Car", "aa", Shape.POLYGON, False),
    ("Van", "bb", Shape.BOUNDING_BOX, False),
    ("Van", "cc", Shape.POLYGON, True),
    ("Lane", "dd", Shape.POLYLINE, False),
    ("bb", "ee", Shape.POLYGON, False),
)


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        ({7: "Cat"}, "override 7='Cat': no object has this feature hash or name; nearest: 'Car'"),
        (
            {7: "Bicycle"},
            "override 7='Bicycle': no object has this feature hash or name; none is called nearly so",
        ),
        (
            {7: "Van"},
            "override 7='Van': 2 objects have this name; give the feature hash of the one meant: "
            "bb (bounding_box) or cc (polygon, archived)",
        ),
        ({7: "cc"}, "override 7='cc': 'Van' (cc) is archived; map another object"),
        (
            {7: "dd"},
            "override 7='dd': 'Lane' (dd) is a polyline; only a bounding_box, polygon or "
            "rotatable_bounding_box can be mapped",
        ),
        ({-1: "Car"}, "override of -1: expected a number from 0 to 2**53"),
        ({2**53 + 1: "Car"}, f"override of {2**53 + 1}: expected a number from 0 to 2**53"),
        ({7: None}, "no class number is mapped: the overrides only remove numbers; map class "),
        ({}, "no class number is mapped: no object has external IDs; map class numbers by hand"),
    ],
)
def test_an_override_that_cannot_be_is_said_with_its_cure(
    overrides: dict[int, str | None], sentence: str
) -> None:
    assert refused(SEVERAL, overrides=overrides).startswith(sentence)


def test_a_feature_hash_counts_before_a_name() -> None:
    mapping = make_class_map(SEVERAL, overrides={0: "bb", 2**53: "Car"})
    assert [tuple(entry) for entry in mapping.entries] == [
        (0, 1, "override"),
        (2**53, 0, "override"),
    ]


def test_an_external_id_that_is_no_number_is_named_by_its_place() -> None:
    problems = make_class_map(objects({"a/b": ("7", "x")}, {"a/b": ("y",)})).problems
    assert [(problem.pointer, problem.detail[:37]) for problem in problems] == [
        ("/objects/0/externalIds/a~1b/1", "external ID 'x' of 'Object 0' (000000"),
        ("/objects/1/externalIds/a~1b", "external ID 'y' of 'Object 1' (000000"),
    ]


@pytest.mark.parametrize(
    ("ids", "namespace", "reason"),
    [
        ({}, None, "no external ID"),
        ({"SAP": ("1",)}, "YOLO", "no external ID in namespace 'YOLO'"),
        ({"YOLO": ("x", "y")}, "YOLO", "external ID 'x' is no class number"),
        ({"YOLO": ("x", "1")}, "YOLO", "its class number was removed or given to another object"),
    ],
)
def test_an_object_without_number_has_a_reason(
    ids: dict[str, tuple[str, ...]], namespace: str | None, reason: str
) -> None:
    [entry] = objects(ids).objects
    assert why_without_number(entry, namespace).startswith(reason)
    assert why_without_number(replace(entry, archived=True), namespace) == "archived"
    of_line = replace(entry, shape=Shape.POLYLINE)
    assert why_without_number(of_line, namespace) == "rows cannot become a polyline"
