from collections.abc import Sequence

import pytest

from labelingest.errors import ConfigError
from labelingest.model.listing import Listing
from labelingest.model.pairs import Outcome, Pairs
from labelingest.pairing.defects import MAX_EXTENSIONS
from labelingest.pairing.pair import pair
from labelingest.pairing.rules import PatternRule, SuffixRule

IMAGES = PatternRule(("images/{name}.jpg", "images/{name}.png"), "labels/{name}.txt")


def paired(keys: Sequence[str], rule: PatternRule | SuffixRule = IMAGES) -> Pairs:
    return pair(Listing.from_entries((key, 1, 0) for key in keys), rule)


def sentence(keys: Sequence[str], rule: PatternRule | SuffixRule = IMAGES) -> str:
    [problem] = paired(keys, rule).problems
    return str(problem)


def test_equal_suffixes_are_refused_before_anything() -> None:
    with pytest.raises(ConfigError, match="the same suffix"):
        pair(Listing.from_entries([]), SuffixRule(".x"), SuffixRule(".x"))


def test_an_orphan_names_the_images_that_would_go_with_it() -> None:
    assert sentence(["labels/a b.txt"]) == (
        "labels/a b.txt: orphan-sidecar: there is no image for it: "
        "'images/a b.jpg', 'images/a b.png' do not exist"
    )


def test_an_orphan_of_a_suffix_names_its_data_file() -> None:
    assert sentence(["a.jpg.encord.json"], SuffixRule()) == (
        "a.jpg.encord.json: orphan-sidecar: there is no data file for it: 'a.jpg' does not exist"
    )


def test_an_orphan_whose_data_file_cannot_be_labelled_says_so() -> None:
    rule = PatternRule(("images/{name}.gif",), "labels/{name}.txt")
    _, problem = paired(["images/a.gif", "labels/a.txt"], rule).problems
    assert (
        problem.detail == "its data file 'images/a.gif' is of a kind that cannot be labelled here"
    )


def test_an_orphan_whose_image_is_read_otherwise_says_so() -> None:
    rule = PatternRule(("{a}-{b}.jpg",), "labels/{b}/{a}.txt")
    [problem] = paired(["x-y-z.jpg", "labels/z/x-y.txt"], rule).problems
    assert "'x-y-z.jpg' exists, but its pattern does not capture the same" in problem.detail


def test_an_ambiguous_pair_names_all_data_files() -> None:
    assert sentence(["images/a.jpg", "images/a.png", "labels/a.txt"]) == (
        "labels/a.txt: ambiguous-pair: 2 data files have this one sidecar, 'images/a.jpg', "
        "'images/a.png': none is converted; keep one of them, or choose patterns that tell them "
        "apart"
    )


def test_an_ambiguous_pair_names_all_sidecars() -> None:
    rule = PatternRule(("images/{name}.jpg", "{name}.jpg"), "{name}.txt")
    said = sentence(["images/a.jpg", "a.txt", "images/a.txt"], rule)
    assert said.startswith("images/a.jpg: ambiguous-pair: this data file has 2 sidecars, 'a.txt', ")
    assert "'images/a.txt'" in said


def test_a_sentence_names_ten_files_at_most() -> None:
    extensions = [f"{a}{b}" for a in ("jp", "JP", "Jp", "jP") for b in ("g", "G", "eg", "EG")]
    rule = PatternRule(tuple(f"{{name}}.{ext}" for ext in extensions), "{name}.txt")
    said = sentence(["a.txt", *(f"a.{ext}" for ext in extensions)], rule)
    assert "16 data files have this one sidecar" in said
    assert said.count("'a.") == 10
    assert "and 6 more" in said


@pytest.mark.parametrize(
    ("keys", "detail"),
    [
        (["x/a.dcm"], "1 file with the extension 'dcm', as 'x/a.dcm': files of this kind cannot"),
        (["a.gz", "b.GZ"], "2 files with the extension 'gz', as 'a.gz'"),
        (["Makefile"], "1 file without extension, as 'Makefile'"),
    ],
)
def test_files_that_cannot_be_labelled_are_counted_with_an_example(
    keys: list[str], detail: str
) -> None:
    assert detail in sentence(keys)


def test_a_video_that_a_pattern_claims_is_told_apart_from_unknown_files() -> None:
    rule = PatternRule(("{name}.mp4",), "{name}.txt")
    assert "video files have no labels of this format, images only" in sentence(["a.mp4"], rule)


def test_countless_extensions_are_not_countless_problems() -> None:
    keys = [f"{i:05}.x{i}" for i in range(MAX_EXTENSIONS + 5)]
    problems = paired(keys).problems
    assert len(problems) == MAX_EXTENSIONS + 1
    assert sum(problem.count for problem in problems) == len(keys)
    assert problems[-1].detail.startswith("5 files with other extensions still, as '01000.x1000'")


def test_many_rivals_cost_no_more_than_many_pairs() -> None:
    n = 20_000  # comparing each problem with each rival would take minutes
    keys = [f"{folder}/{i}.{ext}" for i in range(n)
            for folder, ext in (("images", "jpg"), ("images", "png"), ("labels", "txt"))]  # fmt: skip
    pairs = paired(keys)
    assert pairs.counts()[Outcome.AMBIGUOUS] == 2 * n
    assert sum(1 for _ in pairs.problems) == n


def test_a_key_made_to_take_long_takes_no_longer() -> None:
    # parse would try about 4,000 ** 4 / 24 ways to cut it.
    rule = PatternRule(("{a}-{b}-{c}-{d}-{e}.jpg",), "{a}-{b}-{c}-{d}-{e}.txt")
    pairs = paired(["-" * 4000 + ".jpgx", "-" * 4000 + ".txtx", "-" * 4000 + ".txt"], rule)
    assert pairs.counts()[Outcome.ORPHAN_SIDECAR] == 1
    assert len(list(pairs.problems)) == 3
