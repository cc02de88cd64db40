"""Answers, actions, and objects of audio, text and HTML: what is kept, and what is said of the rest."""

from typing import Any

import pytest

from labelingest.model.vocabulary import Attribute, ObjectClass, Option, Vocabulary
from labelingest.problems.of_document import DocumentProblems
from labelingest.readers.encord.explain.answers import (
    Answer,
    note_missing,
    read_answers,
    static_answers,
    written_answer,
)
from labelingest.readers.encord.explain.dynamic_answers import written_actions
from labelingest.readers.encord.explain.entries import Medium, entries, ranges_of
from labelingest.readers.encord.explain.object_answers import object_answers
from labelingest.readers.encord.explain.objects import Objects
from labelingest.readers.encord.explain.provenance import Dates

OPTIONS = {
    one.feature_hash: one
    for one in (
        Option("van", "Van", "van"),
        Option("bus", "Bus", "bus"),
        Option("old", "Old", "old", archived=True),
    )
}
KIND = Attribute("kind", "Kind", "radio", options=OPTIONS)
SEEN = Attribute("seen", "Seen", "checklist", options=OPTIONS)
TEXT = Attribute("text", "Note", "text", required=True)
SIZE = Attribute("size", "Size", "numeric", archived=True)
SEATS = Attribute("seats", "Seats", "numeric", required=True, parent=("kind", "bus"))
TURN = Attribute("turn", "Turn", "radio", dynamic=True, options=OPTIONS)
LAMPS = Attribute("lamps", "Lamps", "checklist", dynamic=True, options=OPTIONS)
ALL = {one.feature_hash: one for one in (KIND, SEEN, TEXT, SIZE, SEATS, TURN, LAMPS)}


def said(notes: DocumentProblems) -> list[str]:
    return [f"{p.pointer}: {p.code}: {p.detail}" for p in notes.in_order()]


def row(feature: Any, answers: Any, **more: Any) -> dict[str, Any]:
    return {"featureHash": feature, "answers": answers, **more}


def chosen(*options: str, **more: Any) -> list[dict[str, Any]]:
    return [{"featureHash": option, **more} for option in options]


def read(*rows: object) -> tuple[list[Answer], list[str]]:
    notes = DocumentProblems("a.json")
    return read_answers(list(rows), "/c", ALL, notes), said(notes)


def test_answers_are_what_their_attributes_ask_for() -> None:
    found, problems = read(
        row("kind", chosen("bus"), name="Kind", manualAnnotation=False),
        row("seen", chosen("bus", "van")),
        row("seen", []),
        row("kind", []),
        row("text", ""),
        row("seats", 0),
    )
    assert [(one.attribute.feature_hash, one.value, one.manual, one.pointer) for one in found] == [
        ("kind", ("bus",), False, "/c/0"),
        ("seen", ("van", "bus"), True, "/c/1"),
        ("seen", (), True, "/c/2"),
        ("text", "", True, "/c/4"),
        ("seats", 0, True, "/c/5"),
    ]
    assert problems == []


@pytest.mark.parametrize(
    ("answer", "kept", "problems"),
    [
        (7, 0, ["/c/0: wrong-type: found a number (7), expected an answer"]),
        ({"answers": 1}, 0, ["/c/0: missing-key: 'featureHash' is missing in an answer"]),
        ({"featureHash": "kind"}, 0, ["/c/0: missing-key: 'answers' is missing in an answer"]),
        (row("zzz", 1), 0,
         ["/c/0/featureHash: unknown-attribute: the class has no attribute of the feature hash "
          "'zzz'"]),
        (row([], 1), 0,
         ["/c/0/featureHash: unknown-attribute: the class has no attribute of the feature hash []"]),
        (row("text", "a", extra=1, name="Remark"), 1,
         ["/c/0/name: differs-from-ontology: 'Remark' is 'Note' in the ontology, which is written",
          "/c/0/extra: unknown-key: 'extra' is no key of an answer: dropped"]),
        (row("size", 1.5), 1,
         ["/c/0/featureHash: archived-class: 'Size' is archived in the ontology: kept"]),
        (row("text", 7), 0, ["/c/0/answers: wrong-answer-type: found a number (7), expected text"]),
        (row("seats", True), 0,
         ["/c/0/answers: wrong-answer-type: found a boolean (true), expected a number"]),
        (row("seats", float("inf")), 0,
         ["/c/0/answers: not-finite: inf is not finite: no answer"]),
        (row("kind", chosen("van", "bus")), 0,
         ["/c/0/answers: two-answers: 2 options of 'Kind', where one can be chosen: none is kept"]),
        (row("kind", "van"), 0,
         ["/c/0/answers: wrong-answer-type: found text ('van'), expected a list of options of a "
          "radio"]),
        (row("seen", {}), 0,
         ["/c/0/answers: wrong-answer-type: found an object ({}), expected a list of options of a "
          "checklist"]),
        (row("seen", ["van"]), 0,
         ["/c/0/answers/0: wrong-answer-type: found text ('van'), expected an option with its "
          "feature hash"]),
        (row("seen", [{}, *chosen("van")]), 1,
         ["/c/0/answers/0: missing-key: 'featureHash' is missing in an option"]),
        (row("seen", chosen("zzz")), 0,
         ["/c/0/answers/0/featureHash: unknown-option: 'Seen' has no option of the feature hash "
          "'zzz'"]),
        (row("seen", [{"featureHash": 7}]), 0,
         ["/c/0/answers/0/featureHash: unknown-option: 'Seen' has no option of the feature hash 7"]),
        (row("kind", chosen("old", name="Ancient", value="x", extra=1)), 1,
         ["/c/0/answers/0/name: differs-from-ontology: 'Ancient' is 'Old' in the ontology, which is "
          "written",
          "/c/0/answers/0/value: differs-from-ontology: 'x' is 'old' in the ontology, which is "
          "written",
          "/c/0/answers/0/featureHash: archived-class: 'Old' is archived in the ontology: kept",
          "/c/0/answers/0/extra: unknown-key: 'extra' is no key of an option: dropped"]),
    ],
)  # fmt: skip
def test_what_is_no_answer_is_named(answer: object, kept: int, problems: list[str]) -> None:
    found, noted = read(answer)
    assert (len(found), noted) == (kept, problems)


def test_answers_that_are_no_list_are_none() -> None:
    notes = DocumentProblems("a.json")
    assert read_answers({}, "/c", ALL, notes) == []
    assert said(notes) == ["/c: wrong-type: found an object ({}), expected a list of answers"]


def statics(*rows: object) -> tuple[dict[str, Any], list[str]]:
    notes = DocumentProblems("a.json")
    found = static_answers(read_answers(list(rows), "/c", ALL, notes), notes)
    note_missing(ALL, found, (), "/o", notes)
    return {name: one.value for name, one in found.items()}, said(notes)


def test_of_two_answers_the_last_counts_and_checklists_are_merged() -> None:
    found, problems = statics(
        row("text", "a"), row("text", "b"), row("seen", chosen("bus")), row("seen", chosen("van"))
    )
    assert found == {"text": "b", "seen": ("van", "bus")}
    assert problems == ["/c/1: two-answers: 'Note' is answered twice: the last answer counts"]
    assert statics(row("text", "a"), row("text", "a")) == ({"text": "a"}, [])


def test_what_is_asked_under_an_option_is_required_only_there() -> None:
    required = "is required, and has no answer"
    assert statics(row("kind", chosen("bus")))[1] == [
        f"/o: missing-answer: 'Note' {required}",
        f"/o: missing-answer: 'Seats' {required}",
    ]
    assert statics(row("kind", chosen("van")), row("text", "a"))[1] == []
    unasked = (
        "parent-not-selected: 'Seats' is asked only under an option that is not chosen: kept, "
        "though readers may not show it"
    )
    for rows in ([row("seats", 3)], [row("seats", 3), row("kind", chosen("van"))]):
        found, problems = statics(row("text", "a"), *rows)
        assert found["seats"] == 3
        assert problems == [f"/c/1: {unasked}"]
    assert statics(row("text", "a"), row("kind", chosen("bus")), row("seats", 3))[1] == []


def test_an_answer_that_changes_is_an_answer() -> None:
    notes = DocumentProblems("a.json")
    note_missing({"text": TEXT}, {}, ["text"], "/o", notes)
    assert said(notes) == []


def test_an_answer_is_written_with_names_of_the_ontology() -> None:
    assert written_answer(SEEN, ("bus", "van"), False) == {
        "featureHash": "seen",
        "name": "Seen",
        "value": "seen",
        "answers": [
            {"featureHash": "bus", "name": "Bus", "value": "bus"},
            {"featureHash": "van", "name": "Van", "value": "van"},
        ],
        "manualAnnotation": False,
    }


def actions(*rows: object, frames: Any = ((0, 9),)) -> tuple[list[Any], list[str]]:
    """Return options and ranges of each action of an object on ten frames of twelve."""
    notes = DocumentProblems("a.json")
    answers = read_answers(list(rows), "/a", ALL, notes)
    written = written_actions(answers, "hash", list(frames), 12, notes)
    found = [([o["featureHash"] for o in one["answers"]], one["range"]) for one in written]
    assert all(one["dynamic"] and not one["shouldPropagate"] for one in written)
    return found, said(notes)


def turn(option: str, *ranges: Any, **more: Any) -> dict[str, Any]:
    return row("turn", chosen(option), range=[list(pair) for pair in ranges], **more)


def lamps(options: list[str], *ranges: Any) -> dict[str, Any]:
    return row("lamps", chosen(*options), range=[list(pair) for pair in ranges])


def test_ranges_of_one_value_are_one_action() -> None:
    assert actions(turn("van", (0, 2), (3, 4)), turn("bus", (6, 6)), turn("van", (8, 9))) == (
        [(["van"], [[0, 4], [8, 9]]), (["bus"], [[6, 6]])],
        [],
    )


def test_of_two_answers_for_a_frame_the_later_counts() -> None:
    found, problems = actions(turn("van", (0, 6)), turn("bus", (2, 3)))
    assert found == [(["van"], [[0, 1], [4, 6]]), (["bus"], [[2, 3]])]
    assert problems == [
        "/a/1/range: two-answers: 'Turn' has another answer for frame 2 before: the later one counts"
    ]
    # A frame at the end of one and the beginning of the other; and behind a shorter range.
    assert "frame 3 before" in actions(turn("van", (0, 3)), turn("bus", (3, 5)))[1][0]
    assert actions(turn("van", (0, 3)), turn("bus", (4, 5)))[1] == []
    three = actions(turn("van", (0, 9)), turn("van", (1, 2)), turn("bus", (5, 5)))
    assert three[1] == [
        "/a/2/range: two-answers: 'Turn' has another answer for frame 5 before: the later one counts"
    ]
    assert actions(turn("van", (0, 6)), turn("van", (2, 3))) == ([(["van"], [[0, 6]])], [])


def test_options_of_a_checklist_are_ticked_together() -> None:
    found, problems = actions(
        lamps(["bus"], (0, 4)), lamps(["van"], (3, 6)), lamps(["bus"], (4, 4))
    )
    assert found == [(["bus"], [[0, 2]]), (["van", "bus"], [[3, 4]]), (["van"], [[5, 6]])]
    assert problems == []
    assert actions(lamps([], (0, 1)))[0] == [([], [[0, 1]])]


def test_an_action_is_manual_when_all_its_answers_are() -> None:
    for manual, expected in (((True, True), True), ((True, False), False)):
        notes = DocumentProblems("a.json")
        rows = [turn("van", (i, i), manualAnnotation=one) for i, one in enumerate(manual)]
        answers = read_answers(rows, "/a", ALL, notes)
        [written] = written_actions(answers, "hash", [(0, 9)], 12, notes)
        assert written["manualAnnotation"] is expected


def test_tracks_are_named_by_object_attribute_and_value() -> None:
    def track(name: str, option: str) -> str:
        notes = DocumentProblems("a.json")
        answers = read_answers([turn(option, (0, 0))], "/a", ALL, notes)
        [written] = written_actions(answers, name, [(0, 0)], 12, notes)
        return str(written["trackHash"])

    tracks = [track(name, option) for name in ("a", "b") for option in ("van", "bus")]
    assert len(set(tracks)) == 4
    assert tracks[0] == track("a", "van")


def test_ranges_outside_the_file_are_cut_and_those_off_the_object_named() -> None:
    assert actions(turn("van", (-2, 0), (9, 13))) == (
        [(["van"], [[0, 0], [9, 11]])],
        [
            "/a/0/range: bad-frame: [[-2, 0], [9, 13]] leaves the 12 frames of the file: cut",
            "/a/0/range: range-off-object: [[-2, 0], [9, 13]] has frames on which the object is "
            "not: kept",
        ],
    )
    assert actions(turn("van", (12, 13)))[0] == []
    assert actions(row("turn", chosen("van"))) == (
        [],
        ["/a/0: missing-key: 'range' is missing: 'Turn' changes over time"],
    )


@pytest.mark.parametrize("pair", [[1], [1, 2, 3], [2, 1], [0.0, 1], [0, True], "01", None])
def test_a_range_is_a_first_and_a_last_frame(pair: object) -> None:
    notes = DocumentProblems("a.json")
    assert ranges_of([[3, 3], pair], "/r", notes) == [(3, 3)]
    [problem] = said(notes)
    assert problem.startswith("/r/1: bad-range: found ")
    assert problem.endswith(", expected [first, last], both included")


def test_ranges_are_a_list() -> None:
    notes = DocumentProblems("a.json")
    assert ranges_of(None, "/r", notes) == []
    assert said(notes) == ["/r: bad-range: found null, expected a list of ranges"]


def test_an_entry_is_about_the_hash_that_it_says() -> None:
    notes = DocumentProblems("a.json")
    value = {
        "a": {"hash": "a"},
        "b": {"hash": "c"},
        "c": {"hash": "c"},
        "d": {"hash": 7},
        "e": {},
        "f": [],
        "g": {"hash": ""},
    }
    found = [(name, at) for name, _, at in entries(value, "/o", "hash", notes)]
    assert found == [("a", "/o/a"), ("c", "/o/b"), ("d", "/o/d"), ("e", "/o/e"), ("g", "/o/g")]
    assert said(notes) == [
        "/o/b/hash: hash-differs-from-key: the entry 'b' says hash 'c': the latter counts",
        "/o/c: duplicate-object: another entry is about 'c' already: dropped",
        "/o/d/hash: hash-differs-from-key: the entry 'd' says hash 7: the former counts",
        "/o/e: hash-differs-from-key: the entry 'e' says hash null: the former counts",
        "/o/f: wrong-type: found a list ([]), expected an object",
        "/o/g/hash: hash-differs-from-key: the entry 'g' says hash '': the former counts",
    ]


DATE = "Mon, 05 Jan 2026 16:46:58 UTC"
CLASSES = {
    one.feature_hash: one
    for one in (
        ObjectClass("loud", "Loud", "#D33115", "audio", attributes={"text": TEXT, "turn": TURN}),
        ObjectClass("word", "Word", "#E27300", "text"),
        ObjectClass("dusty", "Dusty", "#E27300", "text", archived=True),
        ObjectClass("car", "Car", "#16406C", "bounding_box"),
    )
}
AUDIO = Medium(1, on_frames=False, audio=True)
WORDS = Medium(1, on_frames=False)
HTML = Medium(1, on_frames=False, html=True)


def ranged(
    medium: Medium, objects: Any = None, actions: Any = None, **entry: Any
) -> tuple[dict[str, Any], list[str], Objects]:
    """Read one object of a file without frames; `None` removes a key of its entry."""
    feature = "loud" if medium.audio else "word"
    full = {
        "objectHash": "AAAAAAAA",
        "classifications": [row("text", "hm")] if medium.audio else [],
        "featureHash": feature,
        "range": [[0, 5]],
        **entry,
    }
    notes = DocumentProblems("a.json")
    read = Objects(Vocabulary(CLASSES, {}, {}), Dates(DATE, None), notes)
    found = {"AAAAAAAA": {k: v for k, v in full.items() if v is not None}, **(objects or {})}
    answers, _ = object_answers(
        {"object_answers": found, "object_actions": actions or {}}, read, medium
    )
    return answers, said(notes), read


def test_an_object_of_audio_stands_in_its_answers() -> None:
    answers, problems, objects = ranged(
        AUDIO,
        createdBy="a@b.org",
        confidence=0.5,
        manualAnnotation=False,
        lastEditedAt="2020-02-29",
        objectNumber=3,
    )
    assert problems == []
    assert (objects.seen, objects.accepted, objects.rejected) == (1, 1, {})
    assert answers == {
        "AAAAAAAA": {
            "classifications": [written_answer(TEXT, "hm", True)],
            "objectHash": "AAAAAAAA",
            "objectNumber": 3,
            "createdBy": "a@b.org",
            "createdAt": DATE,
            "lastEditedBy": None,
            "lastEditedAt": "Sat, 29 Feb 2020 00:00:00 UTC",
            "confidence": 0.5,
            "manualAnnotation": False,
            "featureHash": "loud",
            "name": "Loud",
            "color": "#D33115",
            "shape": "audio",
            "value": "loud",
            "range": [[0, 5]],
        }
    }


def test_an_object_of_text_and_one_of_html_have_their_ranges() -> None:
    assert ranged(WORDS)[0]["AAAAAAAA"]["range"] == [[0, 5]]
    nodes = [{"start": {"xpath": "/a", "offset": 0}, "end": {"xpath": "/b", "offset": 2}}]
    answers, problems, _ = ranged(HTML, range=None, range_html=nodes)
    assert (answers["AAAAAAAA"]["range"], answers["AAAAAAAA"]["range_html"]) == ([], nodes)
    assert problems == []


@pytest.mark.parametrize(
    ("medium", "entry", "problem"),
    [
        (AUDIO, {"range": None}, ": missing-key: 'range' is missing: where the object is"),
        (AUDIO, {"range": []},
         "/range: bad-range: is empty; expected ranges of milliseconds where the object is"),
        (WORDS, {"range": []},
         "/range: bad-range: is empty; expected ranges of characters where the object is"),
        (AUDIO, {"range": [[1, 2], [-1, 4]]},
         "/range/1: bad-range: [-1, 4] begins before 0, where the file begins"),
        (AUDIO, {"range": [[2, 1]]},
         "/range/0: bad-range: found [2, 1], expected [first, last], both included"),
        (AUDIO, {"featureHash": "word"},
         "/featureHash: shape-mismatch: 'Word' has the shape 'text', expected 'audio' in such a "
         "file"),
        (WORDS, {"featureHash": "loud"},
         "/featureHash: shape-mismatch: 'Loud' has the shape 'audio', expected 'text' in such a "
         "file"),
        (WORDS, {"shape": "audio"},
         "/shape: shape-mismatch: 'Word' has the shape 'audio', expected 'text' in such a file"),
        (AUDIO, {"confidence": 2},
         "/confidence: bad-confidence: 2 is no confidence; expected a number from 0 to 1"),
        (AUDIO, {"featureHash": None},
         ": missing-key: 'featureHash' is missing, expected that of an ontology object"),
        (HTML, {}, ": missing-key: 'range_html' is missing: where in the HTML the object is"),
        (HTML, {"range_html": []},
         "/range_html: bad-range: found [], expected a list of ranges with start and end"),
        (HTML, {"range_html": [7]},
         "/range_html/0: bad-range: found null as start, expected a node with xpath and offset"),
        (HTML, {"range_html": [{"start": {"xpath": "/a", "offset": 0}}]},
         "/range_html/0: bad-range: found null as end, expected a node with xpath and offset"),
        (HTML, {"range_html": [{"start": {"xpath": 7, "offset": 0}, "end": {}}]},
         "/range_html/0/start: bad-range: found {'offset': 0, 'xpath': 7} as start, expected a node "
         "with xpath and offset"),
        (HTML, {"range_html": [{"start": {"xpath": "/a", "offset": -1}, "end": {}}]},
         "/range_html/0/start: bad-range: found {'offset': -1, 'xpath': '/a'} as start, expected a "
         "node with xpath and offset"),
    ],
)  # fmt: skip
def test_an_object_without_place_is_dropped(
    medium: Medium, entry: dict[str, Any], problem: str
) -> None:
    answers, problems, objects = ranged(medium, **entry)
    assert answers == {}
    assert problems == [f"/object_answers/AAAAAAAA{problem}"]
    assert (objects.seen, objects.accepted, objects.rejected.total()) == (1, 0, 1)


def test_of_the_ranges_of_html_the_good_ones_are_kept() -> None:
    good = {"start": {"xpath": "/a", "offset": 0}, "end": {"xpath": "/b", "offset": 2}}
    answers, problems, _ = ranged(HTML, range_html=[7, good])
    assert answers["AAAAAAAA"]["range_html"] == [good]
    assert len(problems) == 1


def test_what_is_said_otherwise_than_in_the_ontology_is_named() -> None:
    answers, problems, _ = ranged(WORDS, featureHash="dusty", name="Old", extra=1)
    at = "/object_answers/AAAAAAAA"
    assert answers["AAAAAAAA"]["name"] == "Dusty"
    assert problems == [
        f"{at}/featureHash: archived-class: 'Dusty' is archived in the ontology: kept",
        f"{at}/name: differs-from-ontology: 'Old' is 'Dusty' in the ontology, which is written",
        f"{at}/extra: unknown-key: 'extra' is no key of an entry of object_answers: dropped",
    ]


def test_numbers_of_objects_are_different_within_a_class() -> None:
    def of(feature: str, name: str, number: object) -> dict[str, Any]:
        return {
            name: {
                "objectHash": name,
                "classifications": [],
                "featureHash": feature,
                "range": [[0, 0]],
                "objectNumber": number,
            }
        }

    others = of("word", "BBBBBBBB", 0) | of("dusty", "CCCCCCCC", 0) | of("word", "DDDDDDDD", -1)
    answers, problems, _ = ranged(WORDS, others | of("word", "EEEEEEEE", True), objectNumber=0)
    assert [one.get("objectNumber") for one in answers.values()] == [0, None, 0, None, None]
    assert [problem for problem in problems if "bad-object-number" in problem] == [
        "/object_answers/BBBBBBBB/objectNumber: bad-object-number: another object of the class has "
        "the number 0: left out",
        "/object_answers/DDDDDDDD/objectNumber: bad-object-number: found -1, expected a whole "
        "number from 0 on: left out",
        "/object_answers/EEEEEEEE/objectNumber: bad-object-number: found true, expected a whole "
        "number from 0 on: left out",
    ]


def test_answers_in_the_wrong_list_are_moved() -> None:
    changing = row("turn", chosen("van"), range=[[0, 0]])
    actions = {"AAAAAAAA": {"objectHash": "AAAAAAAA", "actions": [row("text", "a")]}}
    answers, problems, _ = ranged(AUDIO, actions=actions, classifications=[changing])
    assert [one["answers"] for one in answers["AAAAAAAA"]["classifications"]] == ["a"]
    assert [problem.partition(": ")[2] for problem in problems][:2] == [
        "misplaced-answer: 'Turn' changes over time and belongs into object_actions: moved there",
        "misplaced-answer: 'Note' never changes and belongs into object_answers: moved there",
    ]


def test_answers_of_no_object_are_dropped() -> None:
    actions = {"BBBBBBBB": {"objectHash": "BBBBBBBB", "actions": []}}
    answers, problems, _ = ranged(WORDS, actions=actions)
    assert list(answers) == ["AAAAAAAA"]
    assert problems == [
        "/object_actions/BBBBBBBB: answer-without-object: no object 'BBBBBBBB' is in the row: "
        "its answers are dropped"
    ]
    _, problems, _ = ranged(WORDS, classifications=None)
    assert problems == [
        "/object_answers/AAAAAAAA: missing-key: 'classifications' is missing: the list of answers"
    ]
