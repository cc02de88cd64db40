"""What a label row means to the official client: values that can be compared with `==`."""

from collections.abc import Mapping
from typing import Any

from encord.objects.bitmask import BitmaskCoordinates
from encord.objects.coordinates import PolygonCoordinates

from tests.oracles.client import load

__all__ = ["meaning_of"]


def meaning_of(
    label_row: Mapping[str, Any], ontology: Mapping[str, Any], number_of_frames: int
) -> dict[str, Any]:
    """Load a label row in the client and return all objects, answers and classifications."""
    row = load(label_row, ontology, number_of_frames)
    objects = {
        instance.object_hash: (
            instance.feature_hash,
            instance.object_number,
            {
                annotation.frame: (_coordinates(annotation.coordinates), _metadata(annotation))
                for annotation in instance.get_annotations()
            },
            _answers(instance._get_all_static_answers()),
            {
                (str(answer._to_encord_dict_impl()["answers"]), str(ranges))
                for answer, ranges in instance._get_all_dynamic_answers()
            },
        )
        for instance in row.get_object_instances()
    }
    classifications = {
        instance.classification_hash: (
            instance.feature_hash,
            str(instance.range_list),
            _metadata(instance),
            _answers(instance.get_all_static_answers()),
        )
        for instance in row.get_classification_instances()
    }
    return {"objects": objects, "classifications": classifications}


def _metadata(annotation: Any) -> tuple[Any, ...]:
    return (
        annotation.created_at,
        annotation.created_by,
        annotation.last_edited_at,
        annotation.last_edited_by,
        annotation.confidence,
        annotation.manual_annotation,
    )


def _answers(answers: Any) -> dict[str, Any]:
    return {
        answer.ontology_attribute.feature_node_hash: answer._to_encord_dict_impl()["answers"]
        for answer in answers
        if answer.is_answered()
    }


def _coordinates(coordinates: Any) -> Any:
    if isinstance(coordinates, PolygonCoordinates):
        return coordinates.polygons
    if isinstance(coordinates, BitmaskCoordinates):
        return coordinates.to_dict()
    return coordinates if not hasattr(coordinates, "range") else str(coordinates.range)
