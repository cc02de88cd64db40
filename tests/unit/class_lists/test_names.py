import pytest

from labelingest.class_lists.names import comparable


@pytest.mark.parametrize(
    "spellings",
    [
        ("traffic light", "Traffic_Light", "TRAFFIC-LIGHT", " trafficlight"),
        ("DI\u015e", "d\u0131\u015f", "D\u0131\u015f"),
        ("YE\u015e\u0130L", "ye\u015fil", "Ye\u015fil"),
        ("caf\u00e9", "cafe\u0301", "CAF\u00c9"),
        ("Stra\u00dfe", "STRASSE"),
        ("\uff34\uff55\uff47", "tug"),
        ("traffic\u00a0light", "traffic\u2011light", "traffic\u200blight"),
    ],
)
def test_spellings_of_one_name_are_equal(spellings: tuple[str, ...]) -> None:
    assert len({comparable(spelling) for spelling in spellings}) == 1


@pytest.mark.parametrize(
    ("one_name", "other_name"), [("C", "C++"), ("a", "\u00e4"), ("-", "_"), ("1.5 t", "15 t")]
)
def test_other_names_are_not(one_name: str, other_name: str) -> None:
    assert comparable(one_name) != comparable(other_name)


@pytest.mark.parametrize("name", ["", " ", "_", "\u200b", "\u0130", "\ud800"])
def test_no_name_is_too_strange(name: str) -> None:
    assert comparable(comparable(name)) == comparable(name)
