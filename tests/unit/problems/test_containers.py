"""Both containers, of a batch and of a document, list and count in one way."""

import pytest

from labelingest.problems import Problem, ProblemCode
from labelingest.problems.capped import MAX_LISTED, CappedProblems
from labelingest.problems.of_batch import BatchProblems
from labelingest.problems.of_document import DocumentProblems

CODE = ProblemCode.WRONG_TYPE
MORE = "7 more in this file: only the first 10,000 are listed"


def test_a_batch_and_a_document_say_the_same_of_problems_that_are_not_listed() -> None:
    batch, document = BatchProblems(), DocumentProblems("a.json")
    for number in range(MAX_LISTED + 7):
        batch.warn(0, Problem(CODE, "a.json", "found text", pointer=f"/{number}"))
        document.note(CODE, f"/{number}", "found text")
    of_document = document.in_order()
    assert batch.in_order() == of_document
    assert of_document[-1] == Problem(CODE, "a.json", MORE, count=7)
    assert len(of_document) == MAX_LISTED + 1


def test_files_and_codes_are_counted_apart() -> None:
    problems = CappedProblems[str]()
    for _ in range(MAX_LISTED):
        problems.add("a", Problem(CODE, "a", ""))
    assert not problems.has_room("a", CODE)
    assert problems.has_room("b", CODE)
    assert problems.has_room("a", ProblemCode.MISSING_KEY)
    problems.count("a", CODE)
    assert [(file, problem.count) for file, problem in problems.unlisted()] == [("a", 1)]


def test_a_problem_that_has_room_is_not_only_counted() -> None:
    with pytest.raises(ValueError, match="wrong-type is still listed for 'a'"):
        CappedProblems[str]().count("a", CODE)


def test_the_last_error_is_the_cause_and_a_warning_is_not() -> None:
    problems = DocumentProblems("a.json")
    problems.note(ProblemCode.MISSING_KEY, "/a", "")
    problems.note(ProblemCode.BAD_DATE, "/b", "")
    assert problems.cause is ProblemCode.MISSING_KEY
