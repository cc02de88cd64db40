"""Documents that are taken without a second look hold nothing that the second look would refuse."""

import json
import math
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from labelingest.metadata.check import check_metadata

unhurried = settings(deadline=None)
TEXT = st.text("aN\0e1é", max_size=3)
DIGITS = st.text("0123456789", min_size=1, max_size=4)
NUMBERS = st.one_of(
    st.floats().map(json.dumps),
    st.builds(
        lambda a, b, e, c: f"-{int(a)}.{b}{e}{c}",
        DIGITS,
        DIGITS,
        st.sampled_from(["e", "E+", "e-"]),
        DIGITS,
    ),
    st.integers(90, 400).map(lambda digits: "9" * digits),
    st.tuples(st.integers(1, 320), DIGITS).map(lambda both: "9" * both[0] + "e" + both[1]),
)
SCALARS = NUMBERS | TEXT.map(json.dumps) | st.sampled_from(["null", "true"])
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda values: f"[{', '.join(values)}]"),
        st.dictionaries(TEXT, inner, max_size=3).map(
            lambda keys: "{" + ",".join(f"{json.dumps(k)}:{v}" for k, v in keys.items()) + "}"
        ),
    ),
    max_leaves=6,
)


def slowly_refused(value: Any) -> bool:
    """Whether anything in a value is a NUL, or no finite number."""
    if isinstance(value, dict):
        return any(slowly_refused(part) for both in value.items() for part in both)
    if isinstance(value, list):
        return any(map(slowly_refused, value))
    if isinstance(value, str):
        return "\0" in value
    return isinstance(value, float) and not math.isfinite(value)


@unhurried
@given(st.dictionaries(TEXT, VALUES, max_size=4))
@example({"a": "9" * 309})
@example({"a": "1e309", "b": "1E+400", "c": "0.1e310"})
def test_a_key_is_dropped_exactly_where_its_value_cannot_be_stored(keys: dict[str, str]) -> None:
    text = "{" + ", ".join(f"{json.dumps(key)}: {value}" for key, value in keys.items()) + "}"
    decoded = json.loads(text, parse_int=float)
    kept = {k: v for k, v in decoded.items() if not slowly_refused(k) and not slowly_refused(v)}
    checked = check_metadata(text.encode(), "a.jpg.metadata.json")
    assert json.loads(json.dumps(checked.value), parse_int=float) == kept
    assert {problem.code.value for problem in checked.problems} <= {"not-finite", "nul-in-text"}
    assert len(checked.problems) == len(decoded) - len(kept)
