import pickle

import pytest

from labelingest.errors import ConfigError
from labelingest.pairing.rules import MAX_SUFFIX, PatternRule, SuffixRule, check_suffixes

RULE = PatternRule(("{split}/images/{name}.jpg", "{split}/images/{name}.png"),
                   "{split}/labels/{name}.txt")  # fmt: skip


def image_fields(rule: PatternRule, key: str) -> list[tuple[str, ...] | None]:
    return [pattern.fields(key) for pattern in rule.image_patterns]


def test_values_come_in_the_order_of_the_placeholders_names() -> None:
    assert RULE.placeholders == ("name", "split")
    assert RULE.label_pattern.fields("train/labels/a.txt") == ("a", "train")
    assert image_fields(RULE, "train/images/a.png") == [None, ("a", "train")]


def test_a_key_that_matches_no_pattern_has_no_values() -> None:
    assert RULE.label_pattern.fields("train/labels/a.TXT") is None
    assert image_fields(RULE, "train/images/a.gif") == [None, None]


def test_every_image_pattern_that_matches_has_its_values() -> None:
    rule = PatternRule(("images/{name}.jpg", "{name}.jpg"), "{name}.txt")
    assert image_fields(rule, "images/a.jpg") == [("a",), ("images/a",)]


@pytest.mark.parametrize("rule", [RULE, SuffixRule(".json")])
def test_rules_are_values(rule: PatternRule | SuffixRule) -> None:
    copy = pickle.loads(pickle.dumps(rule))
    assert copy == rule
    assert hash(copy) == hash(rule)


def test_a_pickled_rule_still_matches() -> None:
    copy = pickle.loads(pickle.dumps(RULE))
    assert copy.label_pattern.fields("a/labels/b.txt") == ("b", "a")


@pytest.mark.parametrize("length", [1, MAX_SUFFIX])
def test_a_suffix_has_1_to_128_characters(length: int) -> None:
    assert SuffixRule("é" * length).suffix == "é" * length


@pytest.mark.parametrize("length", [0, MAX_SUFFIX + 1])
def test_a_suffix_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(ConfigError, match=f"has {length} characters: 1 to 128"):
        SuffixRule("x" * length)


def test_the_usual_suffix_is_encords() -> None:
    assert SuffixRule() == SuffixRule(".encord.json")


def test_what_is_not_unicode_is_refused() -> None:
    with pytest.raises(ConfigError, match="not Unicode"):
        SuffixRule("\udcff")
    with pytest.raises(ConfigError, match="not Unicode"):
        PatternRule(("{name}\udcff.jpg",), "{name}.txt")


def test_equal_suffixes_are_refused_and_different_ones_are_not() -> None:
    check_suffixes(SuffixRule(".json"), SuffixRule(".metadata.json"))
    check_suffixes(SuffixRule(".json"), None)
    check_suffixes(RULE, SuffixRule(".json"))
    with pytest.raises(ConfigError, match=r"the same suffix '\.json'"):
        check_suffixes(SuffixRule(".json"), SuffixRule(".json"))


@pytest.mark.parametrize("suffix", [".txt", "t", ".jpg", ".png"])
def test_a_metadata_suffix_that_takes_all_files_of_a_pattern_is_refused(suffix: str) -> None:
    with pytest.raises(ConfigError, match=r"file pattern .* ends with the metadata suffix"):
        check_suffixes(RULE, SuffixRule(suffix))
    check_suffixes(RULE, SuffixRule(f".metadata{suffix}"))
