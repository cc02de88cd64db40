import pytest

from labelingest.problems import Problem, ProblemCode
from labelingest.problems.capped import MAX_LISTED
from labelingest.problems.of_batch import BatchProblems


def problem(line: int, column: int = 1) -> Problem:
    return Problem(ProblemCode.UNKNOWN_CLASS, "a.txt", "no object", line=line, column=column)


def test_problems_are_ordered_by_file_line_and_column() -> None:
    findings = BatchProblems()
    for unit, line, column in ((1, 1, 1), (0, 10, 1), (0, 2, 7), (0, 2, 3)):
        findings.reject(unit, problem(line, column))
    assert [(p.line, p.column) for p in findings.in_order()] == [(2, 3), (2, 7), (10, 1), (1, 1)]


def test_a_million_bad_rows_of_one_file_are_counted_and_the_first_listed() -> None:
    findings = BatchProblems()
    for line in range(1, MAX_LISTED + 6):
        findings.reject(0, problem(line))
    findings.reject(1, problem(1))
    in_order = findings.in_order()
    assert len(in_order) == MAX_LISTED + 2
    assert in_order[MAX_LISTED].count == 5
    assert sum(p.count for p in in_order) == MAX_LISTED + 6
    assert findings.rejected == {ProblemCode.UNKNOWN_CLASS: MAX_LISTED + 6}


def test_a_warning_costs_no_row() -> None:
    findings = BatchProblems()
    findings.warn(0, Problem(ProblemCode.DUPLICATE_ROW, "a.txt", "as line 1", line=2))
    assert not findings.rejected
    assert not findings.rejected_in


def test_a_problem_is_listed_until_its_file_has_too_many_of_the_code() -> None:
    findings = BatchProblems()
    for line in range(1, MAX_LISTED + 1):
        assert findings.has_room(0, ProblemCode.UNKNOWN_CLASS)
        findings.reject(0, problem(line))
    assert not findings.has_room(0, ProblemCode.UNKNOWN_CLASS)
    assert findings.has_room(1, ProblemCode.UNKNOWN_CLASS)
    assert findings.has_room(0, ProblemCode.NOT_TEXT)


def test_what_is_only_counted_is_in_the_counts() -> None:
    findings = BatchProblems()
    for line in range(1, MAX_LISTED + 1):
        findings.reject(0, problem(line))
    findings.count_rejected(0, ProblemCode.UNKNOWN_CLASS)
    assert findings.in_order()[-1].count == 1
    assert findings.rejected_in == {0: MAX_LISTED + 1}
    assert findings.rejected == {ProblemCode.UNKNOWN_CLASS: MAX_LISTED + 1}


def test_a_problem_that_would_be_listed_cannot_be_only_counted() -> None:
    with pytest.raises(ValueError, match="is still listed"):
        BatchProblems().count_rejected(0, ProblemCode.UNKNOWN_CLASS)


def test_problems_of_the_image_and_of_its_sidecar_keep_their_source() -> None:
    findings = BatchProblems()
    for line in range(1, MAX_LISTED + 2):
        findings.reject(0, problem(line))
    findings.warn(0, Problem(ProblemCode.IMAGE_SIZE_MISSING, "a.jpg", "not known"))
    assert {(p.code.value, p.source) for p in findings.in_order()} == {
        ("unknown-class", "a.txt"),
        ("image-size-missing", "a.jpg"),
    }
