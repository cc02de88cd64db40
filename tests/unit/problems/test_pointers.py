from hypothesis import given
from hypothesis import strategies as st

from labelingest.problems.pointers import child_pointer, escaped_step, pointer_of


def value_at(document: object, pointer: str) -> object:
    """RFC 6901, section 4."""
    for token in pointer.split("/")[1:]:
        key = token.replace("~1", "/").replace("~0", "~")
        document = document[int(key)] if isinstance(document, list) else document[key]  # type: ignore[index]
    return document


@given(st.lists(st.text("a/~01", max_size=5) | st.integers(0, 3), max_size=5))
def test_a_pointer_leads_to_its_place(steps: list[str | int]) -> None:
    document: object = "here"
    for step in reversed(steps):
        document = {step: document} if isinstance(step, str) else [None] * step + [document]
    assert value_at(document, pointer_of(steps)) == "here"
    pointer = ""
    for step in steps:
        pointer = child_pointer(pointer, step)
    assert pointer == pointer_of(steps)


def test_a_tilde_is_escaped_before_a_slash() -> None:
    assert escaped_step("~1/") == "~01~1"


def test_long_keys_and_pointers_are_shortened() -> None:
    assert child_pointer("", "x" * 5000) == f"/{'x' * 100}…{'x' * 100}"
    pointer = ""
    for _ in range(1000):
        pointer = child_pointer(pointer, "level")
    assert len(pointer) < 2020
    assert pointer.endswith("/…")
    assert child_pointer(pointer, "level") == pointer
