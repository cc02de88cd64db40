"""What a folder can be set to, and what is said of what it cannot."""

from typing import Any

import pytest

from labelingest.class_lists.class_list import ClassList
from labelingest.errors import ConfigError
from labelingest.folders import FolderSettings
from labelingest.folders.state.items import KIND_NAMES
from labelingest.pairing.rules import PatternRule, SuffixRule
from tests.builders.synced import ONTOLOGY, YOLO


def settings_with(**values: Any) -> FolderSettings:
    return FolderSettings("/data", "/rows", **values)


LISTED = {"source": "data.yaml", "names": {"1": "van", "0": "car"}}


@pytest.mark.parametrize("shape", [[17, 3], (17, 3)])
def test_a_class_list_is_kept_with_its_keypoints_and_task(shape: Any) -> None:
    values = {**LISTED, "kpt_shape": shape, "task": "pose"}
    settings = settings_with(format="yolo", ontology=ONTOLOGY, options=YOLO, class_list=values)
    assert settings.named_list == ClassList(
        "data.yaml", {0: "car", 1: "van"}, kpt_shape=(17, 3), task="pose"
    )


@pytest.mark.parametrize("shape", ["17 3", [17], [17, 3.0], {17: 3}])
def test_keypoints_of_a_class_list_are_two_whole_numbers(shape: Any) -> None:
    values = {**LISTED, "kpt_shape": shape}
    with pytest.raises(ConfigError, match="expected two whole numbers as 'kpt_shape'"):
        settings_with(format="yolo", ontology=ONTOLOGY, options=YOLO, class_list=values)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (
            {"format": "coco", "ontology": ONTOLOGY},
            "format 'coco': a folder keeps one, expected encord or yolo",
        ),
        ({"format": "yolo", "options": YOLO}, "ontology is missing"),
        ({"format": "yolo", "ontology": ONTOLOGY}, "images and labels are missing"),
        ({"ontology": ONTOLOGY}, "say which there are: --format encord"),
        ({"options": {"suffix": ".json"}}, "suffix: for label files"),
        ({"auto_sync_hours": 0}, "expected a number above 0"),
        ({"auto_sync_hours": float("nan")}, "expected a number above 0"),
        ({"auto_sync_hours": 8_760.5}, "up to 8,760"),
        ({"metadata_paused": True}, "metadata_suffix is missing"),
        ({"metadata_suffix": ""}, "1 to 128 are allowed"),
        ({"metadata_suffix": "x" * 129}, "1 to 128 are allowed"),
        (
            {"format": "encord", "ontology": ONTOLOGY, "metadata_suffix": ".encord.json"},
            "the same suffix",
        ),
        (
            {"format": "yolo", "ontology": ONTOLOGY, "options": YOLO | {"suffix": ".json"}},
            "leave out one of the two",
        ),
    ],
)
def test_settings_that_mean_nothing_are_refused(values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        settings_with(**values)


def test_the_format_decides_how_sidecars_are_called() -> None:
    assert settings_with(format="encord", ontology=ONTOLOGY).rule == SuffixRule(".encord.json")
    yolo = settings_with(format="yolo", ontology=ONTOLOGY, options=YOLO)
    assert yolo.rule == PatternRule(("{name}.jpg",), "{name}.txt")
    assert settings_with().rule is None


def test_an_option_that_is_set_to_nothing_is_back_at_its_default() -> None:
    settings = settings_with(format="encord", ontology=ONTOLOGY, options={"suffix": ".json"})
    assert settings.changed(options={"suffix": None}).rule == SuffixRule(".encord.json")


def test_class_numbers_are_kept_through_the_state() -> None:
    options = YOLO | {"map": {7: "car"}}
    settings = settings_with(format="yolo", ontology=ONTOLOGY, options=options)
    assert FolderSettings.from_json(settings.to_json()).config.map == {7: "car"}


def test_the_numbers_of_kinds_are_those_that_states_have_already() -> None:
    assert KIND_NAMES == ("image", "video", "audio", "pdf", "text", "html")


def test_one_override_changes_one_number_and_can_be_taken_back() -> None:
    options = YOLO | {"map": {"0": "Ship", "4": "Van"}}
    settings = settings_with(format="yolo", ontology=ONTOLOGY, options=options)
    settings = settings.changed(options={"map": {1: "Car"}})
    assert settings.config.map == {0: "Ship", 1: "Car", 4: "Van"}
    settings = settings.changed(options={"map": {0: None}}, unmap=[4])
    assert settings.config.map == {0: None, 1: "Car"}
    assert "map" not in settings.changed(unmap=[0, 1]).options
    assert "map" not in settings.changed(options={"map": None}).options


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"unmap": [7]}, "number 7 has no override; overridden are 0, 4"),
        ({"unmap": [0], "options": {"map": {0: "Car"}}}, "contradict each other"),
    ],
)
def test_an_override_that_cannot_be_taken_back_is_named(
    changes: dict[str, Any], sentence: str
) -> None:
    options = YOLO | {"map": {"0": "Ship", "4": "Van"}}
    settings = settings_with(format="yolo", ontology=ONTOLOGY, options=options)
    with pytest.raises(ConfigError, match=sentence):
        settings.changed(**changes)
