"""What is said of stored values that do not fit, and of what a state keeps as JSON."""

import pytest

from labelingest.folders.state.stored_values import misfit
from labelingest.storage.cloud.connections import Connection


@pytest.mark.parametrize(
    ("digits", "excerpt"),
    [
        pytest.param(60, "1" + 59 * "0", id="sixty characters whole"),
        pytest.param(61, "1" + 58 * "0" + "…", id="one more than that"),
        pytest.param(500, "1" + 58 * "0" + "…", id="very many"),
    ],
)
def test_of_a_long_value_a_sentence_shows_the_beginning(digits: int, excerpt: str) -> None:
    value = 10 ** (digits - 1)
    assert misfit(Connection, {"region": value}) == (
        f"region: found {excerpt}, expected a text or null"
    )
