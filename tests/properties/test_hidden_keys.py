"""Whether a key is hidden, as the database finds it, is what the definition says."""

from collections.abc import Iterator, Sequence

import pytest
import sqlalchemy as sa
from hypothesis import example, given, settings
from hypothesis import strategies as st

from labelingest.folders import State
from labelingest.folders.state.database import bulk_insert, create_temporary
from labelingest.folders.state.tables import missed
from labelingest.folders.sync.hidden_keys import hider_of, is_hidden, load_hidden
from labelingest.problems import Problem, ProblemCode

# What sorts before and behind "/", and what takes more than one byte of UTF-8.
NAMES = st.text("!-./0aé𝄞\x01", min_size=1, max_size=2).filter(
    lambda name: "/" not in name and name.strip(".")
)
KEYS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)
PLACES = st.builds(
    lambda code, key: Problem(code, f"{key}\\xe9" if code.name == "KEY_NOT_UTF8" else key, ""),
    st.sampled_from([ProblemCode.BROKEN_LINK, ProblemCode.KEY_NOT_UTF8]),
    KEYS,
)


def hidden_by_definition(key: str, places: Sequence[Problem]) -> bool:
    for place in places:
        if place.code is ProblemCode.KEY_NOT_UTF8:
            folder = place.source.rpartition("/")[0]
            inside = not folder or key.startswith(f"{folder}/")
            if inside and not key[len(folder) :].isascii():
                return True
        elif key == place.source or key.startswith(f"{place.source}/"):
            return True
    return False


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[State]:
    with State(f"sqlite:///{tmp_path_factory.mktemp('hidden')}/state.sqlite") as state:
        yield state


@pytest.fixture(scope="module")
def postgresql(postgresql_url: str) -> Iterator[State]:
    with State(postgresql_url) as state:
        yield state


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_key_is_hidden_as_the_definition_says(
    request: pytest.FixtureRequest, database: str
) -> None:
    state: State = request.getfixturevalue(database)

    @settings(deadline=None)
    @given(st.sets(KEYS, max_size=30), st.lists(PLACES, max_size=12))
    @example({"a", "a/b", "a-b", "a0", "a/b/c"}, [Problem(ProblemCode.BROKEN_LINK, "a", "")])
    @example({"a/é", "é"}, [Problem(ProblemCode.KEY_NOT_UTF8, "\\xe9", "")])
    def check(keys: set[str], places: list[Problem]) -> None:
        with state.connection() as connection, connection.begin():
            create_temporary(connection, missed)
            bulk_insert(connection, missed, ((key, 0) for key in keys))
            load_hidden(connection, places)
            where = is_hidden(connection, missed.c.key)
            found = set(connection.scalars(sa.select(missed.c.key).where(where)))
        assert found == {key for key in keys if hidden_by_definition(key, places)}
        for key in keys:
            assert (hider_of(key, places) is not None) == (key in found)

    check()
