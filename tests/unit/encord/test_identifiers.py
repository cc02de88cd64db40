import base64
from uuid import NAMESPACE_URL, uuid5

import numpy as np

from labelingest.columns.fingerprints import mix
from labelingest.encord import identifiers as ids


def hashes(unit: list[int], line: list[int], content: list[int]) -> list[str]:
    return ids.object_hashes(
        [f"{u}.jpg" for u in range(max(unit, default=0) + 1)],
        np.array(unit, np.int32),
        np.array(line, np.int32),
        np.array(content, np.uint64),
    )


def test_uuids_are_those_of_the_standard_library() -> None:
    url, keys = "s3://bucket/a b/", [f"käse/{n}.jpg" for n in range(200)]
    folder = uuid5(NAMESPACE_URL, url)
    assert ids.dataset_hash(url) == str(folder)
    data = [uuid5(folder, key) for key in keys]
    assert ids.data_hashes(url, keys) == [str(u) for u in data]
    assert ids.label_hashes(ids.data_hashes(url, keys), "Ω") == [str(uuid5(u, "Ω")) for u in data]


def test_an_object_hash_is_six_bytes_in_base64() -> None:
    for name in hashes([0, 0, 1], [1, 2, 1], [5, 5, 5]):
        assert len(base64.b64decode(name, validate=True)) == 6
        assert len(name) == 8


def test_an_object_hash_depends_on_file_line_and_content() -> None:
    assert len(set(hashes([0, 0, 0, 1], [1, 2, 1, 1], [5, 5, 6, 5]))) == 4


def test_an_object_hash_does_not_depend_on_its_neighbours() -> None:
    assert hashes([0, 1, 1], [1, 1, 2], [5, 6, 7])[0] == hashes([0], [1], [5])[0]


def test_equal_names_in_one_file_are_told_apart_and_others_are_left_alone() -> None:
    # The same line and content twice cannot come from a reader; it makes names collide.
    alone = hashes([0, 1], [1, 1], [5, 5])
    collided = hashes([0, 0, 0, 1], [1, 1, 1, 1], [5, 5, 5, 5])
    assert len(set(collided)) == 4
    assert [collided[0], collided[3]] == alone


def test_no_annotations_have_no_names() -> None:
    assert hashes([], [], []) == []


def test_the_mixer_is_a_permutation_on_a_sample() -> None:
    assert len(np.unique(mix(np.arange(100_000, dtype=np.uint64)))) == 100_000


def test_hashes_of_a_source_that_are_not_sound_are_replaced_file_by_file() -> None:
    names = ["AAAAAAAA", "a hash", "a hash", "BBBBBBBB", "a hash", "", "short", "AAAAAAAA"]
    keys = ["0.jpg", "1.jpg", "2.jpg", "3.jpg"]
    units = np.array([0, 0, 0, 1, 1, 3, 3, 3], np.int32)
    sound = ids.sound_hashes(names, units, keys)
    assert [sound[row] == names[row] for row in range(8)] == [
        *(True, False, False, True, False, False, False, True)
    ]
    assert ids.are_sound(sound)
    # One hash of one file stays one; another file, and another name, have another.
    assert sound[1] == sound[2]
    assert len({sound[1], sound[4], sound[5], sound[6]}) == 4
    assert [sound[row] for row in (1, 4)] == [
        ids.new_hashes(["a hash"], key)["a hash"] for key in ("0.jpg", "1.jpg")
    ]
    assert ids.sound_hashes(names[:1], units[:1], keys) == names[:1]


def test_a_new_hash_is_none_that_the_file_has() -> None:
    [replacement] = ids.new_hashes(["a hash"], "a.jpg").values()
    again = ids.new_hashes(["a hash", replacement], "a.jpg")
    assert again.keys() == {"a hash"}
    assert again["a hash"] != replacement
