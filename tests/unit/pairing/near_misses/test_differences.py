import pytest

from labelingest.errors import ConfigError
from labelingest.model.listing import Listing
from labelingest.pairing.near_misses.differences import (
    Cause,
    Parts,
    difference,
    fold,
    patterns_from,
)
from labelingest.pairing.near_misses.near_misses import near_misses
from labelingest.pairing.pair import pair
from labelingest.pairing.rules import PatternRule


@pytest.mark.parametrize(
    ("key", "parts"),
    [
        ("a.jpg", ((), "a", ".jpg")),
        (".jpg", ((), ".jpg", "")),
        ("a", ((), "a", "")),
        ("x/y.z/a.b.", (("x", "y.z"), "a.b", ".")),
    ],
)
def test_a_key_has_folders_a_stem_and_an_extension(
    key: str, parts: tuple[tuple[str, ...], str, str]
) -> None:
    assert Parts.from_key(key) == Parts(*parts)


@pytest.mark.parametrize(
    ("actual", "expected", "cause"),
    [
        ("x/a.jpg", "x/a.jpg", None),
        ("x/a.jpg", "y/a.jpg", Cause.FOLDER_NAME),
        ("x/y/a.jpg", "x/a.jpg", Cause.TOO_DEEP),
        ("a.jpg", "x/a.jpg", Cause.TOO_SHALLOW),
        ("a.JPG", "a.jpg", Cause.EXTENSION_CASE),
        ("a.png", "a.jpg", Cause.OTHER_EXTENSION),
        ("A.png", "a.jpg", Cause.NAME_CASE),
        (" a.jpg", "a .jpg", Cause.BLANKS),
        (" e\N{COMBINING ACUTE ACCENT}.jpg", "\N{LATIN SMALL LETTER E WITH ACUTE}.jpg", Cause.UNICODE_FORM),
        (" E\N{COMBINING ACUTE ACCENT}.jpg", "\N{LATIN SMALL LETTER E WITH ACUTE}.jpg", Cause.NAME_CASE),
        ("b.jpg", "a.jpg", None),
    ],
)  # fmt: skip
def test_a_key_differs_for_one_cause(actual: str, expected: str, cause: Cause | None) -> None:
    assert difference(actual, expected) == cause


@pytest.mark.parametrize(
    ("image", "sidecar", "patterns"),
    [
        ("a.jpg", "b.txt", None),
        ("a.jpg", "a.txt", ("{name}.jpg", "{name}.txt")),
        ("x/a.jpg", "y/a.txt", ("x/{name}.jpg", "y/{name}.txt")),
        ("s/x/m/n/a.jpg", "s/y/m/n/a.txt", ("{split}/x/{name}.jpg", "{split}/y/{name}.txt")),
        ("s/t/x/a.jpg", "s/t/a.txt", ("{split}/x/{name}.jpg", "{split}/{name}.txt")),
        ("x/p/m/a.jpg", "y/q/m/a.txt", ("x/p/{name}.jpg", "y/q/{name}.txt")),
        ("x/a.j{g", "a.txt", ("x/{name}.j{{g", "{name}.txt")),
        ("m/n/a", "m/n/a.txt", ("{name}", "{name}.txt")),
    ],
)
def test_patterns_are_made_of_the_folders_that_differ(
    image: str, sidecar: str, patterns: tuple[str, str] | None
) -> None:
    assert patterns_from(image, sidecar) == patterns


def test_case_form_and_blanks_fold_to_one_text() -> None:
    assert fold(" Straße ") == fold("STRASSE")
    assert fold("a b") != fold("ab")


RULE = PatternRule(("images/{name}.jpg",), "labels/{name}.txt")


@pytest.mark.parametrize(
    ("image", "label", "detail"),
    [
        ("images/a.JPG", "labels/a.txt",
         "'images/a.JPG' ends in '.JPG', the image file pattern in '.jpg', and case counts"),
        ("images/a.jpg", "labels/a.TXT",
         "'labels/a.TXT' ends in '.TXT', the label file pattern in '.txt', and case counts"),
        ("pics/a.jpg", "labels/a.txt",
         "'pics/a.jpg' is in another folder than expected, 'images/a.jpg'"),
        ("images/x/a.jpg", "labels/a.txt",
         "'images/x/a.jpg' is deeper than expected, 'images/a.jpg'"),
        ("images/a.jpg", "a.txt", "'a.txt' is less deep than expected, 'labels/a.txt'"),
        ("pics/a.jpg", "notes/a.txt",
         "'pics/a.jpg' and 'notes/a.txt' have one name, and no pattern matches them"),
        ("images/A.jpg", "labels/a.txt",
         "'labels/a.txt' and the expected 'labels/A.txt' differ in upper and lower case"),
    ],
)  # fmt: skip
def test_a_near_miss_is_said_in_a_sentence(image: str, label: str, detail: str) -> None:
    listing = Listing.from_entries([(image, 1, 0), (label, 1, 0)])
    [miss] = near_misses(listing, pair(listing, RULE), RULE)
    assert miss.detail == detail


def test_another_folder_and_another_name_are_no_near_miss() -> None:
    listing = Listing.from_entries([("pics/A.jpg", 1, 0), ("labels/a.txt", 1, 0)])
    assert near_misses(listing, pair(listing, RULE), RULE) == []


@pytest.mark.parametrize("number", [0xD800, 0xDBFF, 0xDC00, 0xDFFF])
def test_half_a_character_is_in_no_pattern(number: int) -> None:
    half = chr(number)
    with pytest.raises(ConfigError, match="is not Unicode text, which keys are"):
        PatternRule((f"{half}{{name}}.jpg",), "{name}.txt")
    PatternRule(("\ud7ff\ue000{name}.jpg",), "{name}.txt")
