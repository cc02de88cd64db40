import json
from pathlib import Path
from typing import Any

import pytest

from labelingest.errors import LabelIngestError
from labelingest.resolution.class_map import ClassMapping, make_class_map
from labelingest.resolution.ontology_json import load_ontology

FOLDER = Path(__file__).parents[2] / "fixtures" / "conformance" / "ontology"
CASES: list[dict[str, Any]] = [
    case for path in sorted(FOLDER.glob("*.json")) for case in json.loads(path.read_bytes())
]
ACCEPTED = [case for case in CASES if "expected" in case]
REFUSED = [case for case in CASES if "error" in case]


def mapping_of(case: dict[str, Any]) -> tuple[ClassMapping, list[str]]:
    """The class map of a case and the feature hashes of its ontology's objects."""
    ontology = load_ontology(case["raw"].encode() if "raw" in case else case["ontology"])
    overrides = {int(number): name for number, name in case.get("overrides", {}).items()}
    mapping = make_class_map(ontology, namespace=case.get("namespace"), overrides=overrides)
    return mapping, [ontology_object.feature_hash for ontology_object in ontology.objects]


@pytest.mark.parametrize("case", ACCEPTED, ids=lambda case: case["name"])
def test_an_ontology_gives_this_class_map(case: dict[str, Any]) -> None:
    mapping, hashes = mapping_of(case)
    class_map = mapping.class_map
    by_number = {
        "namespace": mapping.namespace.name if mapping.namespace else None,
        "class_map": {
            str(number): hashes[row]
            for number, row in zip(
                class_map.number.tolist(), class_map.feature.tolist(), strict=True
            )
        },
        "problems": [[problem.code.value, problem.pointer] for problem in mapping.problems],
    }
    assert by_number == case["expected"]
    if "notices" in case:
        assert mapping.namespace is not None
        assert mapping.namespace.notices() == case["notices"]


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case["name"])
def test_an_ontology_is_refused_with_this_sentence(case: dict[str, Any]) -> None:
    with pytest.raises(LabelIngestError) as caught:
        mapping_of(case)
    assert case["error"] in str(caught.value)


def test_every_case_is_accepted_or_refused_and_has_its_own_name() -> None:
    assert len(ACCEPTED) + len(REFUSED) == len(CASES) == len({case["name"] for case in CASES}) > 80
