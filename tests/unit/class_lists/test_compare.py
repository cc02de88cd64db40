import time

import pytest

from labelingest.class_lists.class_list import ClassList
from labelingest.class_lists.compare import Comparison, compare_names
from labelingest.class_lists.verdicts import ListUse, Verdict, judge, problems_of


def compared(names: dict[int, str], mapped: dict[int, str]) -> Comparison:
    return compare_names(ClassList("data.yaml", names), mapped)


def numbered(names: str, first: int = 0) -> dict[int, str]:
    return dict(enumerate(names.split(), first))


@pytest.mark.parametrize(
    ("names", "mapped", "pattern"),
    [
        ("b a c", "a b c", "the names of 0 and 1 are swapped"),
        ("b a d c", "a b c d", "the names of 0 and 1; 2 and 3 are swapped"),
        ("x a b c", "a b c d", "the names of 1 to 3 are shifted by one"),
        ("b c d x", "a b c d", "each has a number one lower than in the ontology"),
        ("d a b c", "a b c d", "that of 0 wraps around to 3"),
        ("b c d a", "a b c d", "that of 3 wraps around to 0"),
        ("x y a b", "a b c d", "each has a number 2 higher than in the ontology"),
        ("c d a b", "a b c d", "the names of 0 and 2; 1 and 3 are swapped"),
        ("c a d b", "a b c d", "4 names are permuted"),
        ("a b x c", "a b c d", "the name of 3 is that of 2 in the ontology"),
        ("b b c d", "a b c d", "the name of 0 is that of 1 in the ontology"),
        ("d d c b", "a b c d", "3 names belong to other numbers in the ontology"),
    ],
)
def test_how_names_moved_is_recognised(names: str, mapped: str, pattern: str) -> None:
    assert pattern in compared(numbered(names), numbered(mapped)).pattern


def test_several_swapped_pairs_are_counted_beyond_five() -> None:
    mapped = {number: f"c{number}" for number in range(14)}
    names = {number: f"c{number ^ 1}" for number in range(14)}
    assert compared(names, mapped).pattern.endswith("8 and 9 and 2 pairs more are swapped")


def test_two_objects_of_one_name_are_not_told_apart() -> None:
    comparison = compared(numbered("car van car"), numbered("car van car"))
    assert comparison.agrees
    comparison = compared(numbered("van car car"), numbered("car van car"))
    assert [(d.number, d.home) for d in comparison.disagreeing] == [(0, 1), (1, 0)]


def test_the_nearest_of_several_objects_is_the_home_of_a_name() -> None:
    comparison = compared({5: "car"}, {0: "car", 4: "car", 5: "van", 9: "car"})
    assert [difference.home for difference in comparison.disagreeing] == [4]


def test_numbers_that_only_one_side_has_are_no_difference() -> None:
    comparison = compared({0: "car", 7: "van"}, {0: "car", 3: "van"})
    assert (comparison.agrees, comparison.unmapped, comparison.unlisted) == (True, [7], [3])
    comparison = compared({1: "car"}, {0: "car"})
    assert (comparison.agrees, comparison.disagreeing, comparison.renamed) == (False, [], [])


def test_spelling_counts_only_where_both_sides_tell_objects_apart_by_it() -> None:
    mapped = numbered("Car car CAR")
    assert [d.home for d in compared(numbered("car Car CAR"), mapped).disagreeing] == [1, 0]
    assert compared(numbered("car car car"), mapped).agrees
    assert compared(numbered("car Car"), mapped).agrees


def test_a_hundred_thousand_names_take_seconds() -> None:
    begin = time.perf_counter()
    many = range(100_000)
    for names in (
        dict.fromkeys(many, "car"),
        {n: f"x{n}" for n in many},
        {n: f"c{n + 1}" for n in many},
    ):
        comparison = compared(names, {n: "car" if n % 2 else f"c{n}" for n in many})
        verdict, _ = judge(comparison, [], accepts=False)
        problems = problems_of(ListUse(comparison, verdict, 1))
        assert verdict is not Verdict.AGREES
        assert len(problems) <= 203
        assert sum(problem.count for problem in problems) > 40_000
    assert time.perf_counter() - begin < 30
