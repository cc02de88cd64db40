"""Our metadata schema is the official client's: same keys, same wire, same changes, same refusals."""

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from labelingest.errors import ConfigError
from labelingest.metadata.schema import MetadataSchema
from labelingest.metadata.schema_json import check_key
from tests.oracles.client_metadata import REFUSALS, ClientSchema, client_allows, client_reads

unhurried = settings(deadline=None)
HINTS = ["number", "varchar", "text", "boolean", "datetime", "uuid"]
SCALARS = [*HINTS, "string", "long_string"]
OPTIONS = st.lists(st.text(max_size=3), min_size=1, max_size=6, unique=True)
LIVE = st.one_of(
    st.fixed_dictionaries({"ty": st.just("number"), "format": st.sampled_from(["F32", "F64"])}),
    st.fixed_dictionaries({"ty": st.just("varchar"), "max_length": st.integers(0, 8192)}),
    st.fixed_dictionaries({"ty": st.just("enum"), "values": OPTIONS}),
    st.fixed_dictionaries({"ty": st.just("embedding"), "size": st.integers(1, 4096)}),
    st.fixed_dictionaries({"ty": st.just("variant"), "hint": st.sampled_from(HINTS)}),
    st.sampled_from(["boolean", "text", "uuid", "geospatial", "user"]).map(lambda ty: {"ty": ty}),
    st.just({"ty": "datetime", "timezone": "UTC"}),
)
TOMBSTONES = st.one_of(
    st.just({"ty": "tombstone"}), LIVE.map(lambda ty: {"ty": "tombstone", "deleted_ty": ty})
)
NAMES = st.sampled_from(["a", "b.c", "d e", "船"])
SCHEMAS = st.dictionaries(NAMES, LIVE | TOMBSTONES)
CHANGES = st.lists(
    st.one_of(
        st.tuples(st.just("scalar"), NAMES, st.sampled_from(SCALARS)),
        st.tuples(st.just("enum"), NAMES, OPTIONS),
        st.tuples(st.just("options"), NAMES, OPTIONS),
        st.tuples(st.just("embedding"), NAMES, st.integers(0, 4097)),
        st.tuples(st.just("geospatial"), NAMES, st.none()),
        st.tuples(st.just("remove"), NAMES, st.booleans()),
        st.tuples(st.just("restore"), NAMES, st.none()),
    ),
    max_size=12,
)


def ours_changed(schema: MetadataSchema, change: str, key: str, value: Any) -> MetadataSchema:
    changes: dict[str, Callable[[], MetadataSchema]] = {
        "scalar": lambda: schema.add(key, value),
        "enum": lambda: schema.add(key, "enum", values=value),
        "options": lambda: schema.add_options(key, value),
        "embedding": lambda: schema.add(key, "embedding", size=value),
        "geospatial": lambda: schema.add(key, "geospatial"),
        "remove": lambda: schema.remove(key, hard=value),
        "restore": lambda: schema.restore(key),
    }
    return changes[change]()


def change_theirs(client: ClientSchema, change: str, key: str, value: Any) -> None:
    schema = client.schema
    if change == "options":
        # The client keeps an option twice; ours has it once.
        known = schema.get_enum_options(key)
        value = [option for option in value if option not in known]
        if not value:
            return
    changes: dict[str, Callable[[], None]] = {
        "scalar": lambda: schema.add_scalar(key, data_type=value),
        "enum": lambda: schema.add_enum(key, values=value),
        "options": lambda: schema.add_enum_options(key, values=value),
        "embedding": lambda: schema.add_embedding(key, size=value),
        "geospatial": lambda: schema.add_geospatial(key),
        "remove": lambda: schema.delete_key(key, hard=value),
        "restore": lambda: schema.restore_key(key),
    }
    changes[change]()


@unhurried
@given(SCHEMAS)
def test_the_client_reads_what_we_write_and_we_what_it_writes(wire: dict[str, Any]) -> None:
    ours = MetadataSchema.from_json(json.dumps(wire))
    assert json.loads(ours.to_json()) == wire
    read = client_reads(ours.to_json())
    assert read == wire
    assert MetadataSchema.from_json(json.dumps(read)) == ours


@unhurried
@given(SCHEMAS, CHANGES)
@example({"a": {"ty": "enum", "values": ["b", "a"]}}, [("options", "a", ["b"])])
def test_changes_give_what_the_client_sends(
    wire: dict[str, Any], changes: list[tuple[str, str, Any]]
) -> None:
    ours, theirs = MetadataSchema.from_json(json.dumps(wire)), ClientSchema(wire)
    for change in changes:
        refused = []
        try:
            change_theirs(theirs, *change)
        except REFUSALS:
            refused.append("theirs")
        try:
            ours = ours_changed(ours, *change)
        except ConfigError:
            refused.append("ours")
        assert refused in ([], ["theirs", "ours"]), change
    assert json.loads(ours.to_json()) == theirs.sent()


@unhurried
@given(st.text(max_size=8) | st.text("-_. $keyframs1é²", max_size=12) | st.just("key.frames"))
def test_a_key_is_allowed_where_the_client_allows_it(key: str) -> None:
    allowed = False
    with suppress(ConfigError):
        check_key(key)
        allowed = True
    assert allowed == client_allows(key)


@unhurried
@given(SCHEMAS, st.randoms())
def test_the_order_of_keys_changes_no_byte(wire: dict[str, Any], random: Any) -> None:
    keys = list(wire)
    random.shuffle(keys)
    shuffled = {key: wire[key] for key in keys}
    written = MetadataSchema.from_json(wire).to_json()
    assert MetadataSchema.from_json(shuffled).to_json() == written
    assert MetadataSchema.from_json(written).to_json() == written
