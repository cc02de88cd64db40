import numpy as np
import pytest

from labelingest.class_lists.find import ListFolders, list_rank, list_rows, relevant_folders
from labelingest.columns.keys import Keys

NAMES = [
    *("data.yaml", "data.yml", "dataset.yaml", "config.yaml", "coco8.yaml", "obj.names"),
    *("coco.names", "_darknet.labels", "obj.data", "notes.json", "classes.txt", "labels.txt"),
    "predefined_classes.txt",
]
OTHERS = [
    *("a.txt", "s.txt", "classes.txt.jpg", "names", "yaml", ".txt", "notes.json.txt", "es.txt"),
    *("notes", "x/notes.jsonl", "data.yaml/", "obj.labels", "other.data", "train.txt", ""),
]


@pytest.mark.parametrize("upper", [False, True])
def test_lists_are_known_by_their_names(upper: bool) -> None:
    keys = sorted(f"{folder}{name}" for name in [*NAMES, *OTHERS] for folder in ("", "a/b/"))
    keys = [key.upper() if upper else key for key in keys]
    rows = list_rows(Keys.from_texts(keys)).tolist()
    expected = {name.upper() if upper else name for name in NAMES}
    assert [keys[row] for row in rows] == [k for k in keys if k.rpartition("/")[2] in expected]
    assert all((list_rank(key) is not None) == (row in rows) for row, key in enumerate(keys))


def test_no_key_is_too_short_for_its_end_to_be_looked_at() -> None:
    assert list_rows(Keys.from_texts([])).tolist() == []
    assert list_rows(Keys.from_texts(["l", "s", "t", "n", "a"])).tolist() == []


def test_a_folder_is_relevant_for_label_files_in_it_or_below() -> None:
    keys = Keys.from_texts(sorted(["a/x.txt", "a-b/y.txt", "a/b/z.txt", "c/i.jpg", "d/data.yaml"]))
    sidecars, data = np.array([0, 1, 2]), np.array([3, 3, 3])
    folders = ["", "a", "a-b", "a/b", "b", "c", "d"]
    assert set(relevant_folders(keys, folders, sidecars, data)) == {"", "a", "a-b", "a/b", "c"}


def test_each_label_file_has_the_nearest_list() -> None:
    keys = Keys.from_texts(
        sorted(["a/b/x.txt", "a/y.txt", "c/z.txt", "i/a/b/x.jpg", "i/y.jpg", "j/z.jpg"])
    )
    lists = ["a/data.yaml", "a/b/classes.txt", "j/classes.txt", "i/data.yaml"]
    chosen = ListFolders.choose(keys, lists, np.array([0, 1, 2]), np.array([3, 4, 5]))
    assert [chosen.folders[number] for number in chosen.folder] == ["a/b", "a", "j"]
    assert chosen.rivals("a/b") == ["a", "i"]
    assert chosen.rivals("j") == []
    assert chosen.rows("a").tolist() == [1]
