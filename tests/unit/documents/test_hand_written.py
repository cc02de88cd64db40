import pytest
from pydantic import TypeAdapter, ValidationError

from labelingest.documents.hand_written import expected_value, loads_strictly, own_message


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"a": 1, "b": {"c": 1, "c": 2}}', "key 'c' occurs 2 times in one object"),
        ('["\\ud800"]', "surrogates not allowed"),
        ("{", "Expecting property name"),
    ],
)
def test_what_would_lose_a_value_or_cannot_be_written_is_refused(
    content: str, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        loads_strictly(content)


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        (bool, "maybe so", None),
        (list[int], {}, "a list"),
        (dict[str, int], [], "a JSON object"),
        (str, 7, "text"),
        (tuple[int, ...], 7, "a list"),
    ],
)
def test_what_pydantic_expects_is_said_in_words(
    kind: type, value: object, words: str | None
) -> None:
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(kind).validate_python(value)
    (error,) = refused.value.errors()
    assert expected_value(dict(error)) == words
    assert own_message(dict(error)) is None
