"""Comparison of a class list with an ontology, against what the definition says of each number."""

from hypothesis import given
from hypothesis import strategies as st

from labelingest.class_lists.class_list import ClassList
from labelingest.class_lists.compare import compare_names
from labelingest.class_lists.names import comparable
from labelingest.class_lists.read import read_class_list
from labelingest.class_lists.verdicts import ListUse, judge, problems_of

NAMES = st.sampled_from(["car", "Car", "van", "tr_uck", "truck", "bus", "I", "\u0131"])
NUMBERED = st.dictionaries(st.integers(0, 7), NAMES)


@given(NUMBERED, NUMBERED)
def test_each_number_of_both_sides_agrees_disagrees_or_differs(
    names: dict[int, str], mapped: dict[int, str]
) -> None:
    comparison = compare_names(ClassList("a.txt", names), mapped)
    both = names.keys() & mapped.keys()
    wrong = {d.number for d in comparison.disagreeing}
    renamed = {d.number for d in comparison.renamed}
    assert comparison.agreeing + len(wrong) + len(renamed) == len(both)
    for number in both:
        is_same = comparable(names[number]) == comparable(mapped[number])
        is_known = any(comparable(names[number]) == comparable(name) for name in mapped.values())
        assert is_same or (number in (wrong if is_known else renamed))
        assert names[number] != mapped[number] or number not in wrong | renamed
    for difference in comparison.disagreeing:
        assert difference.home is not None
        assert comparable(mapped[difference.home]) == comparable(difference.name)
    assert bool(comparison.pattern) == bool(wrong)


@given(st.lists(st.integers(0, 9), unique=True, min_size=2))
def test_a_permutation_is_never_taken_for_agreement(numbers: list[int]) -> None:
    mapped = {number: f"class {number}" for number in numbers}
    moved = dict(zip(numbers, [mapped[n] for n in numbers[1:] + numbers[:1]], strict=True))
    comparison = compare_names(ClassList("a.txt", dict(sorted(moved.items()))), mapped)
    verdict, _ = judge(comparison, (), accepts=False)
    assert verdict == "disagrees"
    problems = problems_of(ListUse(comparison, verdict, 1))
    assert [problem.code for problem in problems] == ["class-names-disagree"] * len(numbers)
    accepted, _ = judge(comparison, (), accepts=True)
    assert problems_of(ListUse(comparison, accepted, 1)) == []


WORDS = st.text("abc xyz", min_size=1).map(str.strip).filter(bool)


@given(st.lists(WORDS, min_size=1), st.sampled_from([": ", "\t", ":", ",", " "]))
def test_numbers_before_names_change_nothing(names: list[str], sign: str) -> None:
    plain = read_class_list("\n".join(names).encode(), "classes.txt")
    lines = [f"{number}{sign}{name}" for number, name in enumerate(names)]
    numbered = read_class_list("\n".join(lines).encode(), "classes.txt")
    is_of_units = sign == " " and len(names) > 1 and len(set(names)) == 1
    expected = dict(enumerate(lines)) if is_of_units else plain.names
    assert numbered.names == expected
