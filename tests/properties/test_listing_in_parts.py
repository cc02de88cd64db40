"""A listing in parts is the serial one, whatever the keys and the splits."""

from unittest.mock import patch

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from labelingest.storage.base import list_all
from tests.builders.cloud_servers import CloudServer

# What sorts before and behind "/", and what takes two and four bytes of UTF-8.
PARTS = st.text("!-.0ab~é\uffee𝄞", min_size=1, max_size=3).filter(lambda part: part.strip("."))
KEYS = st.lists(PARTS, min_size=1, max_size=3).map("/".join)
SPLITS = KEYS | st.text(max_size=3)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(KEYS, st.sampled_from([b"", b"1", b"22"]), max_size=40),
    st.sets(KEYS, max_size=4),
    st.lists(SPLITS, max_size=12),
    st.lists(KEYS, max_size=2),
    st.sampled_from([1, 2, 3, 10]),
)
@example({f"{n}": b"1" for n in range(30)}, set(), [f"{n}" for n in range(0, 30, 2)], [], 2)
def test_the_same_files_are_listed(
    s3: CloudServer,
    files: dict[str, bytes],
    folders: set[str],
    splits: list[str],
    excluded: list[str],
    answer: int,
) -> None:
    storage = s3.storage(files)
    # A folder and an empty file of one name are told apart nowhere; an extension tells a file.
    plain = {folder for folder in folders if "." not in folder.rpartition("/")[2]}
    s3.put_raw(storage.url, [f"{folder}/" for folder in plain - files.keys()])
    exclude = [*excluded, *(f"{folder}/" for folder in excluded[:1])]
    whole = list_all(storage, exclude)
    for cuts in (splits, [*splits, *list(whole.keys)[::3]]):
        with patch("labelingest.storage.cloud.stream._ANSWER", answer):
            split = list_all(storage, exclude, splits=cuts)
        assert list(split.keys) == list(whole.keys)
        assert split.size.tolist() == whole.size.tolist()
        assert list(split.token_column()) == list(whole.token_column())
