"""The official client as an offline judge: no account, no network, no key."""

from collections.abc import Mapping
from copy import deepcopy
from types import SimpleNamespace
from typing import Any

from encord.constants.enums import DataType
from encord.objects import LabelRowV2, OntologyStructure
from encord.orm.label_row import LabelRowMetadata, LabelStatus

__all__ = ["load"]


def load(
    label_row: Mapping[str, Any], ontology: Mapping[str, Any], number_of_frames: int = 1
) -> LabelRowV2:
    """Load a label row as the official client does, from memory.

    Parameters
    ----------
    label_row
        The label row, decoded.
    ontology
        Encord's structure, bare; keys that the client does not know are ignored by it.
    number_of_frames
        1 for an image; a label row does not say.
    """
    unit = next(iter(label_row["data_units"].values()))
    metadata = LabelRowMetadata(
        label_hash=label_row["label_hash"],
        created_at=None,
        last_edited_at=None,
        branch_name=label_row["branch_name"],
        data_hash=label_row["data_hash"],
        dataset_hash=label_row["dataset_hash"],
        dataset_title=label_row["dataset_title"],
        data_title=label_row["data_title"],
        data_type=DataType(label_row["data_type"]).to_upper_case_string(),
        data_link=unit["data_link"],
        label_status=LabelStatus(label_row["label_status"]),
        annotation_task_status=None,
        workflow_graph_node=None,
        is_shadow_data=label_row["is_shadow_data"],
        frames_per_second=None,
        number_of_frames=number_of_frames,
        duration=None,
        height=unit.get("height"),
        width=unit.get("width"),
        audio_sample_rate=None,
        audio_codec=None,
        audio_bit_depth=None,
        audio_num_channels=None,
        spaces={},
    )
    structure = OntologyStructure.from_dict(deepcopy(dict(ontology)))
    # All that a label row asks of an ontology is its structure; the real one needs an account.
    stand_in: Any = SimpleNamespace(structure=structure)
    client: Any = None
    row = LabelRowV2(metadata, client, stand_in)
    row.from_labels_dict(deepcopy(dict(label_row)))
    return row
