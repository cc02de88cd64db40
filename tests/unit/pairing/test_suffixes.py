import pytest

from labelingest.model.listing import Listing
from labelingest.pairing.suffixes import named_after_stems, suffixes


def found(*keys: str) -> list[tuple[str, int]]:
    listing = Listing.from_entries((key, 1, 0) for key in sorted(keys))
    return [(guess.rule.suffix, guess.pairs) for guess in suffixes(listing)]


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ((), []),
        (("a.jpg", "notes.json"), []),
        (("a.jpg", "a.jpg.encord.json"), [(".encord.json", 1)]),
        (("x.y/a.jpg", "x.y/a.jpg.v2.json", "x.y/b.jpg.v2.json"), [(".v2.json", 1)]),
        (("a.jpg", "b/a.jpg.encord.json"), []),
        (("a.tar.xyz", "a.tar.xyz.encord.json"), []),
        # A JSON file is a text that can be labelled itself.
        (("a.json", "a.json.encord.json"), [(".encord.json", 1)]),
        (("a.jpg", "a.jpg." + "x" * 130 + ".json"), []),
    ],
)
def test_a_suffix_is_what_stands_behind_the_key_of_a_data_file(
    keys: tuple[str, ...], expected: list[tuple[str, int]]
) -> None:
    assert found(*keys) == expected


def test_the_most_frequent_suffix_comes_first_and_equal_ones_by_name() -> None:
    keys = [f"{n}.jpg" for n in range(3)]
    keys += ["0.jpg.b.json", "1.jpg.b.json", "0.jpg.c.json", "1.jpg.a.json"]
    assert found(*keys) == [(".b.json", 2), (".a.json", 1), (".c.json", 1)]


def test_usual_sidecars_are_seen_behind_any_number_of_other_json_files() -> None:
    others = [f"a{n:05}.json" for n in range(20_100)]
    assert (".encord.json", 1) in found(*others, "z.jpg", "z.jpg.encord.json")
    # Others are looked for among the first 20,000 JSON files only.
    assert found(*others, "z.jpg", "z.jpg.v2.json") == []
    assert found(*others[:19_999], "z.jpg", "z.jpg.v2.json") == [(".v2.json", 1)]


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (("a.json", "a.jpg"), ("a.json", "a.jpg")),
        (("x/a.encord.json", "x/a.b.jpg"), ("x/a.encord.json", "x/a.b.jpg")),
        (("a.json", "b.jpg"), None),
        (("a.json", "ab.jpg"), None),
        (("a.json", "a.zip", "a.b.json"), None),
        (("a.json", "a.zip", "b.jpg", "b.json"), ("b.json", "b.jpg")),
        (("a.json", *(f"a.{i:03}" for i in range(2)), "a.png"), ("a.json", "a.png")),
    ],
)
def test_a_sidecar_called_after_the_stem_of_a_data_file_is_found(
    keys: tuple[str, ...], expected: tuple[str, str] | None
) -> None:
    couples = [] if expected is None else [expected]
    assert named_after_stems(Listing.from_entries((key, 1, 0) for key in sorted(keys))) == couples
