from typing import Any

import pytest

from labelingest.encord.dates import are_written_dates, written_date
from labelingest.problems.of_document import DocumentProblems
from labelingest.readers.encord.explain.provenance import (
    Dates,
    check_hash,
    read_author,
    read_confidence,
    read_date,
    read_dates,
    read_manual,
)

DATE = "Mon, 05 Jan 2026 16:46:58 UTC"


def noted(notes: DocumentProblems) -> list[str]:
    return [f"{p.pointer}: {p.code}: {p.detail}" for p in notes.in_order()]


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("5 Jan 2026 23:59:59", "Mon, 05 Jan 2026 23:59:59 UTC"),
        ("5 Jan 2026 23:59:60", "Tue, 06 Jan 2026 00:00:00 UTC"),
        ("5 Jan 2026 23:59:61", None),
        ("5 Jan 2026 23:60", None),
        ("5 Jan 2026 24:00", None),
        ("5 Jan 2026 12:05 AM", "Mon, 05 Jan 2026 00:05:00 UTC"),
        ("5 Jan 2026 12:05 pm", "Mon, 05 Jan 2026 12:05:00 UTC"),
        ("5 Jan 2026 11:05 P.M.", "Mon, 05 Jan 2026 23:05:00 UTC"),
        ("5-Dec-2026", "Sat, 05 Dec 2026 00:00:00 UTC"),
        ("December. 5, 2026", "Sat, 05 Dec 2026 00:00:00 UTC"),
        ("5 Foo 2026", None),
        ("2026.01.05 7:08", "Mon, 05 Jan 2026 07:08:00 UTC"),
        ("31 Feb 2026", None),
        ("0001-01-01T00:00:00+01:00", None),
        (" " * 40 + "2026-01-05" + " " * 14, "Mon, 05 Jan 2026 00:00:00 UTC"),
        (" " * 40 + "2026-01-05" + " " * 15, None),
    ],
)
def test_dates_that_people_write_have_one_form(text: str, written: str | None) -> None:
    assert written_date(text) == written


@pytest.mark.parametrize(
    "dates_",
    [
        [DATE[:-1]],
        [DATE + "Z", DATE[:-1]],
        ["Tue, 05 Jan 2026 16:46:58 UTC"],
        ["Mon, 05 Jan 2026 24:00:00 UTC"],
        ["Mon, 05 Jan 2026 16:60:00 UTC"],
        ["Mon, 05 Jan 2026 16:46:60 UTC"],
        ["Mon, 45 Jan 2026 16:46:58 UTC"],
        ["Mon, 05 jan 2026 16:46:58 UTC"],
        ["Mon, 05 Jan 2026 16:46:58 GMT"],
        ["Mon, 31 Feb 2026 16:46:58 UTC"],
        [DATE, "Mon, 05 Jan 2026 16:46:5é UTC"],
    ],
)
def test_what_is_not_in_the_written_form_is_seen_among_others(dates_: list[str]) -> None:
    assert not are_written_dates(dates_)
    assert not are_written_dates([DATE, *dates_])


def test_dates_in_the_written_form_are_taken_together() -> None:
    assert are_written_dates([])
    assert are_written_dates([DATE, "Mon, 05 Jan 2026 23:59:59 UTC"])
    assert are_written_dates(["Fri, 31 Dec 9999 19:09:00 UTC", "Sat, 29 Feb 2020 20:00:00 UTC"])


def test_a_label_without_dates_has_those_of_its_row() -> None:
    notes = DocumentProblems("a.json")
    row = Dates(DATE, None)
    assert read_dates({}, "/o", row, notes) == row
    assert read_dates({"createdAt": None, "lastEditedAt": "2026-01-05"}, "/o", row, notes) == Dates(
        DATE, "Mon, 05 Jan 2026 00:00:00 UTC"
    )
    assert read_dates({"createdAt": "2020-02-29"}, "/o", row, notes).created_at == (
        "Sat, 29 Feb 2020 00:00:00 UTC"
    )
    assert noted(notes) == []
    for value in ("soon", 7):
        assert read_date({"createdAt": value}, "createdAt", "/o", notes) is None
    assert noted(notes) == [
        f"/o/createdAt: bad-date: found {value!r}, expected a date like '{DATE}': left out"
        for value in ("soon", 7)
    ]


def test_an_author_is_an_address_or_nobody() -> None:
    notes = DocumentProblems("a.json")
    assert read_author({"createdBy": "a@b.org"}, "createdBy", "/o", notes) == "a@b.org"
    assert read_author({}, "createdBy", "/o", notes) is None
    assert noted(notes) == []
    assert read_author({"createdBy": 7}, "createdBy", "/o", notes) is None
    assert read_author({"createdBy": "a b"}, "createdBy", "/o", notes) is None
    assert noted(notes) == [
        "/o/createdBy: bad-author: 7 is no e-mail address: left out",
        "/o/createdBy: bad-author: 'a b' is no e-mail address: left out",
    ]


@pytest.mark.parametrize(("value", "number"), [(None, 1.0), (0, 0.0), (1, 1.0), (0.25, 0.25)])
def test_a_confidence_is_a_number_from_0_to_1(value: object, number: float) -> None:
    notes = DocumentProblems("a.json")
    assert repr(read_confidence({"confidence": value}, "/o", notes)) == repr(number)
    assert noted(notes) == []


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (-0.1, "-0.1 is no confidence; expected a number from 0 to 1"),
        (1.1, "1.1 is no confidence; expected a number from 0 to 1"),
        (2, "2 is no confidence; expected a number from 0 to 1"),
        (float("nan"), "nan is no confidence; expected a number from 0 to 1"),
        ("1", "found text ('1'), expected a number from 0 to 1"),
        (True, "found a boolean (true), expected a number from 0 to 1"),
    ],
)
def test_what_is_no_confidence_is_said(value: object, said: str) -> None:
    notes = DocumentProblems("a.json")
    assert read_confidence({"confidence": value}, "/o", notes) is None
    assert noted(notes) == [f"/o/confidence: bad-confidence: {said}"]


def test_a_label_is_manual_unless_it_says_not() -> None:
    notes = DocumentProblems("a.json")
    values: list[Any] = [None, True, False]
    assert [read_manual({"manualAnnotation": v}, "/o", notes) for v in values] == [
        True,
        True,
        False,
    ]
    assert noted(notes) == []
    assert read_manual({"manualAnnotation": 0}, "/o", notes)
    assert noted(notes) == [
        "/o/manualAnnotation: replaced-value: found 0, expected true or false: true is written"
    ]


def test_a_hash_is_eight_characters_of_base64() -> None:
    notes = DocumentProblems("a.json")
    assert check_hash("aZ09+/aa", "/o", notes)
    assert noted(notes) == []
    for value in ("aZ09+/a", "aZ09+/aaa", "aZ09-_aa", "aZ09+/a\n"):
        assert not check_hash(value, "/o", notes)
    assert noted(notes)[0] == (
        "/o: bad-hash: 'aZ09+/a' is no hash of 8 base64 characters: it gets a new one"
    )
    assert len(noted(notes)) == 4
