import json
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from labelingest.errors import OntologyError
from labelingest.model.ontology import Shape
from labelingest.resolution.ontology_json import load_ontology


def structure(**changes: Any) -> dict[str, Any]:
    """An ontology of one object."""
    car = {
        "id": "1",
        "name": "Private Car",
        "color": "#D33115",
        "shape": "polygon",
        "featureNodeHash": "a1B2c3D4",
        "externalIds": {"YOLO": [3, "4"], "SAP": "A-1", "EMPTY": []},
    }
    return {"objects": [{**car, **changes}], "classifications": []}


def test_an_object_becomes_a_row() -> None:
    (car,) = load_ontology(structure(archived=True)).objects
    assert (car.name, car.color, car.shape, car.feature_hash, car.archived, car.value) == (
        *("Private Car", "#D33115", Shape.POLYGON, "a1B2c3D4", True, "private_car"),
    )


def test_external_ids_become_texts_and_empty_namespaces_go() -> None:
    (car,) = load_ontology(structure()).objects
    assert car.external_ids == {"YOLO": ("3", "4"), "SAP": ("A-1",)}


def test_objects_keep_the_order_of_the_file() -> None:
    first, second = structure(), structure(featureNodeHash="00000000", name="Bus")
    ontology = load_ontology({**first, "objects": second["objects"] + first["objects"]})
    assert [entry.name for entry in ontology.objects] == ["Bus", "Private Car"]


@pytest.mark.parametrize("as_type", [str, Path])
def test_a_path_is_read(tmp_path: Path, as_type: type[str] | type[Path]) -> None:
    path = tmp_path / "ontology.json"
    path.write_text(json.dumps(structure()))
    assert load_ontology(as_type(path)).objects[0].name == "Private Car"


def test_every_kind_of_source_gives_the_same_identity(tmp_path: Path) -> None:
    path = tmp_path / "ontology.json"
    path.write_text(json.dumps(structure(), indent=2))
    sources = (path, path.read_bytes(), structure(), MappingProxyType(structure()))
    assert len({load_ontology(source).identity for source in sources}) == 1


@pytest.mark.parametrize("name", ["missing.json", "", "a\0b", "x" * 999])
def test_a_path_that_cannot_be_read_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(OntologyError, match="cannot be read"):
        load_ontology(tmp_path / name)


def test_a_sentence_begins_with_path_and_pointer(tmp_path: Path) -> None:
    path = tmp_path / "ontology.json"
    path.write_text(json.dumps(structure(shape="square")))
    with pytest.raises(OntologyError) as caught:
        load_ontology(path)
    assert str(caught.value).startswith(f"{path}#/objects/0/shape: 'square' is no shape")


def test_the_identity_is_the_ontology_hash_where_there_is_one() -> None:
    wrapped = {"editor": structure(), "ontology_hash": "5f1c-01", "title": "Vehicles"}
    ontology = load_ontology(wrapped)
    assert (ontology.identity, ontology.title) == ("5f1c-01", "Vehicles")


@pytest.mark.parametrize("ontology_hash", [None, ""])
def test_the_identity_is_a_fingerprint_where_the_hash_is_empty(ontology_hash: str | None) -> None:
    wrapped = {"editor": structure(), "ontology_hash": ontology_hash}
    assert load_ontology(wrapped).identity == load_ontology(structure()).identity


def test_the_fingerprint_is_the_sha256_of_the_canonical_structure() -> None:
    # printf '{"classifications":[],"objects":[]}' | sha256sum
    assert load_ontology({"objects": [], "classifications": []}).identity == (
        "682e6e8f42f811a718d28c40bbc56dc42cf4a53ae9a91aef77e604efda645c57"
    )


def test_the_fingerprint_changes_with_the_content() -> None:
    other = load_ontology(structure(name="Car")).identity
    assert load_ontology(structure()).identity != other


def test_unknown_keys_stay_in_the_structure() -> None:
    bare = structure(newKey={"a": [1.5, None]}) | {"skeleton_templates": [], "extra": True}
    assert load_ontology({"editor": bare, "more": 1}).structure == bare


def test_the_structure_is_a_copy() -> None:
    source = structure()
    ontology = load_ontology(source)
    source["objects"][0]["name"] = "changed"
    assert ontology.structure["objects"][0]["name"] == "Private Car"


@pytest.mark.parametrize("levels", [1_000, 100_000])
def test_nesting_without_end_is_refused(levels: int) -> None:
    source = b'{"objects": [], "classifications": [], "x": ' + b"[" * levels + b"]" * levels + b"}"
    with pytest.raises(OntologyError, match="nested too deeply"):
        load_ontology(source)


@pytest.mark.parametrize("key", ["name", "anything"])
def test_half_a_surrogate_pair_is_refused(key: str) -> None:
    source = json.dumps(structure(**{key: "\ud800"})).encode()
    with pytest.raises(OntologyError, match="surrogates not allowed"):
        load_ontology(source)


def test_a_mapping_that_is_no_json_is_refused() -> None:
    with pytest.raises(OntologyError, match="not JSON"):
        load_ontology(structure(name=Path("car")))


def test_a_number_of_thousands_of_digits_is_refused() -> None:
    source = b'{"objects": [], "classifications": [], "x": ' + b"9" * 5000 + b"}"
    with pytest.raises(OntologyError, match="not JSON"):
        load_ontology(source)


def test_a_value_of_any_length_is_shown_short() -> None:
    with pytest.raises(OntologyError) as caught:
        load_ontology(structure(shape="x" * 100_000))
    assert len(str(caught.value)) < 500
