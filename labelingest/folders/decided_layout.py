"""Row layout that a folder's first sync with label files decides, as its settings keep it.

It is decided once: later rows that contradict it are problems, and are never read another way. To
set `row_layout`, to any value, takes the decision back; with `auto` the next sync decides again.
"""

from collections.abc import Mapping
from typing import Any

from labelingest.config import IngestOptions
from labelingest.errors import ConfigError
from labelingest.evidence.reading import Fact, Reading
from labelingest.readers.yolo.layouts import RowLayout, YoloOptions

__all__ = ["layout_in_force", "layout_words", "stored_options"]


def stored_options(stored: Mapping[str, Any]) -> YoloOptions:
    """Return a stored decision for the reader.

    Raises
    ------
    ConfigError
        The stored values are no layout.

    Examples
    --------
    >>> stored_options({"row_layout": "pose", "kpt_shape": [17, 3]}).flags
    '--row-layout pose --kpt-shape 17 3'
    """
    name, shape = stored.get("row_layout"), stored.get("kpt_shape")
    if not isinstance(name, str):
        raise ConfigError("decided_layout: expected a text as 'row_layout'")
    kpt_shape = None
    if isinstance(shape, list) and [type(number) for number in shape] == [int, int]:
        kpt_shape = (int(shape[0]), int(shape[1]))
    elif shape is not None:
        raise ConfigError("decided_layout: expected two whole numbers as 'kpt_shape'")
    layout = YoloOptions(name, kpt_shape)  # refuses what is no layout
    reading = Reading(RowLayout(layout.row_layout), kpt_shape)
    return reading.options(has_polygons=stored.get("has_polygons") is True)


def layout_in_force(config: IngestOptions, stored: Mapping[str, Any] | None) -> YoloOptions:
    """Return the row layout of a folder: the declared one, else the decided one."""
    declared = YoloOptions(config.row_layout, config.kpt_shape)
    if declared.row_layout != RowLayout.AUTO or stored is None:
        return declared
    return stored_options(stored)


def layout_words(stored: Mapping[str, Any]) -> str:
    """Return a stored decision and its evidence for people.

    Examples
    --------
    >>> fact = {"rows": 9, "total": 9, "words": "box + track ID"}
    >>> layout_words({"words": "box + track ID", "evidence": [fact]})
    'box + track ID, decided from the rows: 9 of 9 rows: box + track ID'
    """
    facts = stored.get("evidence")
    evidence = [
        str(Fact(**fact))
        for fact in (facts if isinstance(facts, list) else [])
        if isinstance(fact, dict) and {"rows", "total", "words"} == fact.keys()
    ]
    words = f"{stored.get('words') or stored.get('row_layout')}, decided from the rows"
    return f"{words}: {'; '.join(evidence)}" if evidence else words
