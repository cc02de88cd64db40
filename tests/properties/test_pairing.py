import unicodedata
from collections import Counter

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from labelingest.columns.fingerprints import part_fingerprints
from labelingest.columns.keys import Keys
from labelingest.columns.text_order import Words, equal_texts
from labelingest.errors import ConfigError
from labelingest.model.kinds import extension_of, is_junk, kind_of
from labelingest.model.listing import Listing
from labelingest.model.pairs import Outcome
from labelingest.pairing.companion_names import is_companion
from labelingest.pairing.companions import junk_and_companions
from labelingest.pairing.file_kinds import (
    KINDS,
    NO_KIND,
    junk_rows,
    kind_numbers,
    rows_with_extension,
)
from labelingest.pairing.match import Affixes
from labelingest.pairing.near_misses.differences import Cause
from labelingest.pairing.near_misses.near_misses import near_misses
from labelingest.pairing.pair import pair
from labelingest.pairing.rules import Pattern, PatternRule, SuffixRule
from tests.conformance.test_near_misses import cured
from tests.oracles import pairing as oracle

TOOL_CAUSES = [Cause.PERCENT_ENCODING, Cause.LABEL_STUDIO, Cause.ROBOFLOW, Cause.FIRST_DOT,
               Cause.WHOLE_NAME]  # fmt: skip
FOLDERS = ["", "images/", "labels/", "Images/", "a/images/", "a/labels/", "a/b/images/",
           "a/b/labels/", "images/images/", "labels/images/", "x-", "labels/x-"]  # fmt: skip
STEMS = ["a", "b", "A", "a b", " a", "a\n", "{a}", "a.b", "a-b-c", "-", "._a", "e", "T", "Thumbs",
         unicodedata.normalize("NFC", "é"), unicodedata.normalize("NFD", "é"), "\N{KELVIN SIGN}",
         "n" * 300, ".", "", ".labelingest-tmp-1", "x.metadata", "🎈", "train", "Data", "README.x",
         "readme", "LICENSE_x", "license", "license_x", "obj", "notes", "classes"]  # fmt: skip
ENDINGS = [".jpg", ".JPG", ".png", ".txt", ".json", ".encord.json", ".jpg.encord.json", ".gif",
           ".metadata.json", ".jpg.metadata.json", ".dcm", ".nii.gz", ".mp4", ".cache", "", ".",
           ".DS_Store", ".db", ".m\N{KELVIN SIGN}v", ".yaml", ".yml", ".names", ".data", ".Names", ".txt.metadata.json"]  # fmt: skip
PATTERN_RULES = [
    (("images/{name}.jpg",), "labels/{name}.txt"),
    (("images/{name}.jpg", "images/{name}.png", "images/{name}.gif"), "labels/{name}.txt"),
    (("{split}/images/{name}.jpg",), "{split}/labels/{name}.txt"),
    (("{b}/images/{a}.jpg", "{b}/{a}.png"), "{b}/labels/{a}.txt"),
    (("{name}.jpg", "{name}.JPG", "{name}.mp4"), "{name}.txt"),
    (("{name}",), "{name}.txt"),
    (("images/{name}.jpg", "{name}.jpg"), "{name}.txt"),
    (("{a}-{b}.jpg", "{b}/{a}.jpg"), "labels/{a}-{b}.txt"),
    (("{a}{b}.jpg", "x{a}{b}.jpg", "{a}x{b}.jpg"), "labels/{b}{a}.txt"),
    (("images/{{{name}}}.jpg",), "labels/{{{name}}}.txt"),
    (("images/{_n}.jpg",), "labels/{_n}.json"),
]
RULES = [oracle.Rule(images, labels) for images, labels in PATTERN_RULES] + [
    oracle.Rule(suffix=suffix) for suffix in (".encord.json", ".json", ".txt", "g")
]
keys = st.one_of(
    st.tuples(st.sampled_from(FOLDERS), st.sampled_from(STEMS), st.sampled_from(ENDINGS)).map(
        "".join
    ),
    st.text(st.sampled_from("ab/.-\n{}é🎈jpgtxe"), max_size=12),
).filter(bool)


def rule_of(rule: oracle.Rule) -> PatternRule | SuffixRule:
    return SuffixRule(rule.suffix) if rule.suffix else PatternRule(rule.images, rule.labels)


@given(
    st.sets(keys, max_size=40),
    st.sampled_from(RULES),
    st.sampled_from([None, ".metadata.json", ".json", ".encord.json", "n"]),
)
def test_pairing_equals_the_obvious_way(
    names: set[str], rule: oracle.Rule, metadata: str | None
) -> None:
    assume(not rule.suffix or rule.suffix != metadata)
    assume(rule.suffix or not metadata or not rule.labels.endswith(metadata))
    listing = Listing.from_entries((key, 1, 0) for key in names)
    pairs = pair(listing, rule_of(rule), None if metadata is None else SuffixRule(metadata))
    expected = oracle.sort_out(sorted(names), rule, metadata)
    listed = list(listing.keys)
    assert {
        key: Outcome(became).name for key, became in zip(listed, pairs.outcome, strict=True)
    } == expected.outcome
    data, sidecars = listing.keys.take(pairs.data), listing.keys.take(pairs.sidecar)
    assert dict(zip(data, sidecars, strict=True)) == expected.pairs
    assert pairs.data.tolist() == sorted(pairs.data.tolist())
    found = Counter({(p.code.value, p.source): p.count for p in pairs.problems})
    assert found == expected.problems


@given(st.sets(keys, max_size=40), st.sampled_from(RULES))
def test_problems_are_a_sequence_in_order_of_keys(names: set[str], rule: oracle.Rule) -> None:
    listing = Listing.from_entries((key, 1, 0) for key in names)
    problems = pair(listing, rule_of(rule)).problems
    listed = list(problems)
    assert len(problems) == len(listed)
    assert [problems[i] for i in range(len(problems))] == listed
    assert problems[:] == listed
    assert problems[1:3] == listed[1:3]
    if listed:
        assert problems[-1] == listed[-1]
    places = [p.source.encode() for p in listed]
    assert places == sorted(places)


@given(st.sets(keys, max_size=40), st.sampled_from(RULES))
def test_every_key_has_one_outcome_and_every_pair_two_files(
    names: set[str], rule: oracle.Rule
) -> None:
    counts = pair(Listing.from_entries((key, 1, 0) for key in names), rule_of(rule)).counts()
    assert sum(counts.values()) == len(names)
    assert counts[Outcome.PAIRED] == counts[Outcome.SIDECAR]


@given(st.sets(keys, max_size=30), st.sampled_from(RULES))
def test_near_misses_are_found_without_falling_over(names: set[str], rule: oracle.Rule) -> None:
    listing = Listing.from_entries((key, 1, 0) for key in names)
    made = rule_of(rule)
    misses = near_misses(listing, pair(listing, made), made, small_files=lambda key: b"../x")
    assert all(str(miss) for miss in misses)
    assert all(key in names for miss in misses for key in miss.keys)


TOOL_NAMES = ["a", "a b", "a%20b", "1c2d3e4f-a", "1c2d3e4f-a%20b", "a.png", "a.b", "a.b.c", "A", " a",
              "a_jpg.rf.0123456789abcdef0123456789abcdef", "%2F", "a{b}"]  # fmt: skip
tool_keys = st.builds(
    "{}{}{}".format,
    st.sampled_from(["images/", "labels/", "train/images/", "train/labels/", ""]),
    st.sampled_from(TOOL_NAMES),
    st.sampled_from([".jpg", ".png", ".txt", ".png.txt", ".JPG", ".jpg.encord.json"]),
)


@given(st.sets(tool_keys, max_size=8), st.sampled_from(RULES[:3] + RULES[11:12]))
def test_a_name_that_a_tool_changed_pairs_when_its_cure_is_followed(
    names: set[str], rule: oracle.Rule
) -> None:
    made = rule_of(rule)
    listing = Listing.from_entries((key, 1, 0) for key in names)
    pairs = pair(listing, made)
    for miss in near_misses(listing, pairs, made):
        data, sidecar = miss.keys
        is_matched = isinstance(made, SuffixRule) or any(
            pattern.fields(data) for pattern in made.image_patterns
        )
        if miss.cause not in TOOL_CAUSES or not is_matched:
            continue
        keys, cured_rule = cured(sorted(names), made, miss)
        assert len(keys) == len(set(keys))
        after = Listing.from_entries((key, 1, 0) for key in keys)
        cured_pairs = pair(after, cured_rule)
        renamed = dict(miss.renames).get(sidecar, sidecar)
        taken = zip(cured_pairs.data.tolist(), cured_pairs.sidecar.tolist(), strict=True)
        assert (data, renamed) in [(after.keys[a], after.keys[b]) for a, b in taken]


patterns = st.lists(st.sampled_from(["a", "b", "/", "{{", "}}", ".", "é", "x", "{p}", "{q}", "{_r}",
                                     "+", "(", "\\", "\n", " ", "  "]), max_size=9).map("".join)  # fmt: skip
short_keys = st.text(st.sampled_from("ab/{}.éx+(\\\n 🎈"), min_size=1, max_size=14)


@given(patterns, st.sets(short_keys, max_size=20))
def test_matching_many_keys_equals_parse_and_equals_trying_everything(
    text: str, names: set[str]
) -> None:
    try:
        pattern = Pattern(text, "pattern")
    except ConfigError:
        assume(False)
    ordered = Keys.from_texts(sorted(name.encode() for name in names))
    found = Affixes.from_pattern(pattern).fields(ordered, np.arange(len(ordered)))
    for row, key in enumerate(ordered):
        obvious = oracle.match(text, key)
        expected = None if obvious is None else tuple(obvious[name] for name in sorted(obvious))
        assert pattern.fields(key) == expected
        assert found.get(row) == expected
        if expected is not None:
            assert pattern.key(expected) == key


@given(st.sets(keys, min_size=1, max_size=60))
@example({"..dcm", ".json", "a..json"})
def test_kinds_junk_and_companions_of_many_keys_equal_those_of_one(names: set[str]) -> None:
    ordered = Keys.from_texts(sorted(name.encode() for name in names))
    rows = np.arange(len(ordered))
    kinds = [None if n == NO_KIND else KINDS[n] for n in kind_numbers(ordered, rows).tolist()]
    assert kinds == [kind_of(key) for key in ordered]
    assert junk_rows(ordered).tolist() == [row for row, key in enumerate(ordered) if is_junk(key)]
    extensions = ("json", "txt", "dcm")
    assert rows_with_extension(ordered, rows, extensions).tolist() == [
        row for row, key in enumerate(ordered) if extension_of(key) in extensions
    ]
    junk, companions = junk_and_companions(ordered)
    assert junk.tolist() == junk_rows(ordered).tolist()
    assert companions.tolist() == [row for row, key in enumerate(ordered) if is_companion(key)]
    assert [is_companion(key) for key in ordered] == [oracle.companion(key) for key in ordered]


@given(st.sets(keys, max_size=60), st.sampled_from(RULES), st.integers(1, 9))
def test_working_in_small_chunks_changes_nothing(
    names: set[str], rule: oracle.Rule, chunk: int
) -> None:
    listing = Listing.from_entries((key, 1, 0) for key in names)
    whole = pair(listing, rule_of(rule))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("labelingest.pairing.file_kinds._CHUNK", chunk)
        cut = pair(listing, rule_of(rule))
        cut_problems = list(cut.problems)
    assert cut.outcome.tolist() == whole.outcome.tolist()
    assert cut.sidecar.tolist() == whole.sidecar.tolist()
    assert cut_problems == list(whole.problems)


@given(st.lists(st.binary(max_size=20), max_size=12), st.integers(0, 2**64 - 1))
def test_parts_of_texts_are_equal_when_their_bytes_are(parts: list[bytes], secret: int) -> None:
    text = b"".join(parts)
    ends = np.cumsum([len(part) for part in parts], dtype=np.int64)
    begins = ends - np.array([len(part) for part in parts], dtype=np.int64)
    left, right = (axis.ravel() for axis in np.indices((len(parts), len(parts))))
    words = Words(text)
    equal = equal_texts((words, begins[left], ends[left]), (words, begins[right], ends[right]))
    assert equal.tolist() == [
        parts[i] == parts[j] for i, j in zip(left.tolist(), right.tolist(), strict=True)
    ]
    numbers = part_fingerprints(words, begins, ends, secret)
    assert equal.tolist() == (numbers[left] == numbers[right]).tolist()


def test_keys_with_one_number_by_accident_do_not_pair(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        Affixes, "numbers", lambda self, keys, rows: np.zeros(len(rows), dtype=np.uint64)
    )
    names = [f"images/{i}.jpg" for i in range(9)] + [f"labels/{i}.txt" for i in range(5, 14)]
    listing = Listing.from_entries((key, 1, 0) for key in names)
    pairs = pair(listing, PatternRule(("images/{name}.jpg",), "labels/{name}.txt"))
    assert listing.keys.take(pairs.data) == [f"images/{i}.jpg" for i in range(5, 9)]
    assert listing.keys.take(pairs.sidecar) == [f"labels/{i}.txt" for i in range(5, 9)]
