"""A file that is converted slice by slice, beside the same file as a whole."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labelingest.assembly.context import AssemblyOptions
from labelingest.columns.types import Int32, Int64
from labelingest.converter import Converter
from labelingest.converter.large import LargeConversion
from labelingest.errors import SidecarError
from labelingest.model.annotations import Annotations
from labelingest.model.blobs import Blobs
from labelingest.model.units import DataUnits
from labelingest.readers.yolo.layouts import YoloOptions
from labelingest.resolution.ontology_json import load_ontology
from labelingest.writers.instances import hashes_of
from tests.builders.yolo import ontology_called_by_shapes

ONTOLOGY = load_ontology(ontology_called_by_shapes())
NUMBERS = st.sampled_from(
    [
        "0",
        "1",
        ".5",
        "0.25",
        "0.5",
        "1.5",
        "-0.1",
        "nan",
        "x",
        "1e-3",
        "0.3333333333333333",
        "3",
        "\u00e9",
    ]
)
ROWS = st.builds(
    lambda number, numbers, blank: blank.join([number, *numbers]),
    st.sampled_from(["0", "1", "2", "0", "1", "7", "1.5", "#"]),
    st.lists(NUMBERS, max_size=10),
    st.sampled_from([" ", "  ", "\t", ","]),
) | st.sampled_from(
    [
        "0 .5 .5 .25 .25",
        "0 .9 .5 .5 .5",
        "0 .5 .5 .2 .2 .75",
        "1 0 0 1 0 1 1",
        "1 0 0 1 1 1 0 0 1",
        "1 .5 .5 .2 .2",
        "2 .1 .1 .4 .1 .4 .3 .1 .3",
        "2 .1 .1 .4 .15 .4 .3 .1 .3",
        "2 .5 .5 .2 .1",
        "0 .1 .1 .4 .1 .4 .3 .1 .3",
        "1 0 0 0 0 0 0",
        "0 .5 .5 .3 .3 .5",
        "# a comment",
        "",
        "  ",
    ]
)
ENDS = st.sampled_from(["\n", "\n", "\r\n", "\r", "\n\n", " \n"])
TEXTS = st.lists(st.tuples(ROWS, ENDS), max_size=14).map(
    lambda rows: "".join(row + end for row, end in rows)
)
CONTENTS = st.one_of(
    TEXTS.map(str.encode),
    TEXTS.map(str.encode),
    TEXTS.map(lambda text: text.rstrip().encode()),
    TEXTS.map(lambda text: text.encode("utf-8-sig")),
    TEXTS.map(lambda text: text.encode("utf-16")),
    TEXTS.map(lambda text: text.encode() + b"\xff"),
    TEXTS.map(lambda text: text.encode() + b"\0"),
)
OPTIONS = st.fixed_dictionaries(
    {
        "to": st.sampled_from(["encord", "encord", "yolo", "coco", "parquet"]),
        "on_row_error": st.sampled_from(["skip", "skip", "skip-file", "stop"]),
        "image_sizes": st.sampled_from(["needed", "all", "never"]),
        "yolo": st.sampled_from(
            [
                *(YoloOptions(), YoloOptions("xywhr"), YoloOptions("box+track")),
                *(YoloOptions("box-pixels"), YoloOptions("polygon-pixels")),
                YoloOptions("box+class"),
            ]
        ),
        "assembly": st.builds(
            AssemblyOptions,
            out_of_range=st.sampled_from(["clip", "keep", "reject"]),
            snap_edges=st.booleans(),
            reject_shape_mismatch=st.booleans(),
            drop_duplicates=st.booleans(),
        ),
        "yolo_layout": st.sampled_from(["auto", "box", "polygon", "corners"]),
        "yolo_confidence": st.booleans(),
    }
)
SIZES = st.sampled_from([(640, 480), None])


def columns(units: DataUnits, annotations: Annotations) -> dict[str, Any]:
    names = ("unit", "feature", "line", "confidence", "coordinates", "content")
    found = {name: getattr(annotations, name).tolist() for name in names}
    return {
        "columns": repr(found),
        "lengths": np.diff(annotations.offsets).tolist(),
        "hashes": list(hashes_of(annotations, units)),
        "size": (units.width.tolist(), units.height.tolist()),
    }


def columns_in_parts(done: LargeConversion) -> dict[str, Any]:
    parts = list(done.large.parts())
    names = ("unit", "feature", "line", "confidence", "coordinates", "content")
    found = {
        name: [value for part in parts for value in getattr(part.annotations, name).tolist()]
        for name in names
    }
    units = parts[0].units
    return {
        "columns": repr(found),
        "lengths": [n for part in parts for n in np.diff(part.annotations.offsets).tolist()],
        "hashes": [name for part in parts for name in hashes_of(part.annotations, units)],
        "size": (units.width.tolist(), units.height.tolist()),
    }


def settled(convert: Any) -> Any:
    try:
        return convert()
    except SidecarError as error:
        return error.data_file, list(error.problems)


@pytest.mark.parametrize("key", ["a.jpg", "a.mp4"])
@given(CONTENTS, OPTIONS, SIZES, st.integers(1, 90))
def test_slices_give_what_the_whole_gives(
    key: str, content: bytes, options: dict[str, Any], size: Any, slice_bytes: int
) -> None:
    converter = Converter.from_ontology(ONTOLOGY, storage_url="s3://bucket/", **options)
    unit = DataUnits.from_keys([key], ["a.txt"], np.array([10**18]))
    asked: list[Any] = [[], []]

    def sizes_of(times: list[Any]) -> Any:
        def find(rows: Int64) -> Int32:
            times.append(rows.tolist())
            return np.tile(np.array(size or (-1, -1), np.int32), (len(rows), 1))

        return find

    whole = settled(
        lambda: converter.convert_blobs(Blobs.from_contents([content]), unit, sizes_of(asked[0]))
    )
    large = settled(lambda: converter.convert_large(content, unit, sizes_of(asked[1]), slice_bytes))
    assert asked[0] == asked[1]
    if isinstance(whole, tuple):
        assert large == whole
        return
    assert list(large.problems) == list(whole.problems)
    assert large.tally == whole.tally
    assert large.is_converted.tolist() == whole.is_converted.tolist()
    for name in ("seen", "annotations", "classifications"):
        assert getattr(large.counts, name).tolist() == getattr(whole.counts, name).tolist()
    if not whole.is_converted[0]:
        return
    if whole.labels is None:
        assert b"".join(large.large.pieces()) == whole.label_rows[0]
    else:
        expected = columns(whole.labels.units, whole.labels.annotations)
        assert columns_in_parts(large) == expected
