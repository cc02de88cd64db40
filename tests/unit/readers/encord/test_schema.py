"""The schema of clean label rows: the forms of answers that it remembers are bounded."""

import pytest

from labelingest.model.vocabulary import Vocabulary
from labelingest.readers.encord.read import _RULES
from labelingest.readers.encord.typed import schema as module


def test_forms_of_answers_are_remembered_up_to_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST", 3)
    vocabulary = Vocabulary.from_structure({"objects": [], "classifications": []})
    schema = module.schema_from_vocabulary(vocabulary, _RULES)
    for number in range(3):
        schema.remember(f"class{number}", (str,), number)
    assert len(schema.clean_answers) == 3
    schema.remember("class3", (str,), 3)
    assert schema.clean_answers == {("class3", (str,)): 3}
