"""Compare a class list with the mapped ontology objects, number by number.

A name that belongs to another mapped object means that rows would get the wrong class. A name that
no mapped object has means little: people rename classes. How the names moved is recognised: by one
number, two swapped, or another permutation.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from msgspec import Struct

from labelingest.class_lists.class_list import ClassList
from labelingest.class_lists.names import comparable

__all__ = ["Comparison", "Difference", "compare_names", "lists_differ"]

_MOST_PAIRS: Final = 5
"""Swapped pairs that a sentence names."""


class Difference(NamedTuple):
    """A class number whose name is not that of its ontology object."""

    number: int
    name: str
    """Name in the class list."""
    mapped_name: str
    """Name of the ontology object that the number is mapped to."""
    home: int | None
    """Class number of the ontology object that has the listed name; None where none has."""


class Comparison(Struct, frozen=True):
    """A class list beside the mapped ontology objects."""

    class_list: ClassList
    mapped: Mapping[int, str]
    """Class number → name of its ontology object, ascending."""
    agreeing: int
    """Class numbers whose names agree."""
    disagreeing: Sequence[Difference]
    """Names that belong to another mapped object, by ascending number."""
    renamed: Sequence[Difference]
    """Names that no mapped object has, by ascending number."""

    @property
    def agrees(self) -> bool:
        """Whether the list confirms the ontology: names agree, and none differs."""
        return bool(self.agreeing) and not self.disagreeing and not self.renamed

    @property
    def unmapped(self) -> Sequence[int]:
        """Class numbers of the list that are mapped to no object."""
        return [number for number in self.class_list.names if number not in self.mapped]

    @property
    def unlisted(self) -> Sequence[int]:
        """Mapped class numbers that the list does not have."""
        return [number for number in self.mapped if number not in self.class_list.names]

    @property
    def counts_from_one(self) -> bool:
        """Whether the list begins at 1 and the class numbers of the ontology at 0."""
        return min(self.class_list.names, default=0) == 1 and min(self.mapped, default=1) == 0

    @property
    def pattern(self) -> str:
        """How the disagreeing names moved, as one sentence; empty where nothing disagrees."""
        return _pattern(self.disagreeing)


def compare_names(class_list: ClassList, mapped: Mapping[int, str]) -> Comparison:
    """Compare the names of a class list with those of the mapped objects.

    Parameters
    ----------
    class_list
        The class list of a data set.
    mapped
        Class number → name of the ontology object that it is mapped to.

    Examples
    --------
    >>> mapped = {0: "Car", 1: "Traffic light", 2: "Truck"}
    >>> class_list = ClassList("data.yaml", {0: "traffic_light", 1: "car", 2: "lorry"})
    >>> comparison = compare_names(class_list, mapped)
    >>> [difference.number for difference in comparison.disagreeing], comparison.pattern
    ([0, 1], 'the names of 0 and 1 are swapped')
    >>> [difference.name for difference in comparison.renamed]
    ['lorry']
    """
    ordered = dict(sorted(mapped.items()))
    homes: dict[str, list[int]] = {}
    for number, name in ordered.items():
        homes.setdefault(comparable(name), []).append(number)
    exact = _permuted_spellings(class_list, ordered, homes)
    exact_homes: dict[str, list[int]] = {}
    for number in sorted(exact):
        exact_homes.setdefault(ordered[number], []).append(number)
    agreeing = 0
    disagreeing: list[Difference] = []
    renamed: list[Difference] = []
    for number, name in class_list.names.items():
        if number not in ordered:
            continue
        own_name = ordered[number]
        is_exact = number in exact
        if name == own_name or (not is_exact and comparable(name) == comparable(own_name)):
            agreeing += 1
            continue
        others = exact_homes.get(name) if is_exact else homes.get(comparable(name))
        home = _nearest(others, number) if others else None
        difference = Difference(number, name, own_name, home)
        (renamed if home is None else disagreeing).append(difference)
    return Comparison(class_list, ordered, agreeing, disagreeing, renamed)


def _nearest(numbers: Sequence[int], number: int) -> int:
    """Return the nearest of ascending numbers; the lower of two."""
    row = bisect_left(numbers, number)
    return min(numbers[max(row - 1, 0) : row + 1], key=lambda near: abs(near - number))


def _permuted_spellings(
    class_list: ClassList, mapped: Mapping[int, str], homes: Mapping[str, Sequence[int]]
) -> set[int]:
    """Return class numbers whose spelling counts: objects differ in it alone, and the list has both.

    An ontology with `Car` and `car` tells them apart by case; a list that writes both names in one
    way does not.
    """
    numbers: set[int] = set()
    for group in homes.values():
        spellings = {mapped[number] for number in group}
        if len(spellings) > 1 and spellings == {class_list.names.get(number) for number in group}:
            numbers.update(group)
    return numbers


def lists_differ(class_list: ClassList, other: ClassList) -> Sequence[int]:
    """Return the class numbers that two lists name differently.

    Examples
    --------
    >>> lists_differ(ClassList("a.txt", {0: "car", 1: "bus"}), ClassList("b.txt", {0: "Car", 1: "van"}))
    [1]
    """
    return [
        number
        for number, name in class_list.names.items()
        if number in other.names and comparable(name) != comparable(other.names[number])
    ]


def _pattern(differences: Sequence[Difference]) -> str:
    """Return how names moved; each difference has a home."""
    homes = {d.number: d.home for d in differences if d.home is not None}
    if not homes:
        return ""
    swapped = [(a, b) for a, b in homes.items() if a < b and homes.get(b) == a]
    if 2 * len(swapped) == len(homes):
        pairs = "; ".join(f"{a} and {b}" for a, b in swapped[:_MOST_PAIRS])
        more = f" and {len(swapped) - _MOST_PAIRS:,} pairs more" if swapped[_MOST_PAIRS:] else ""
        return f"the names of {pairs}{more} are swapped"
    steps = {number: home - number for number, home in homes.items()}
    first, last = min(homes), max(homes)
    for step, word, end, start in ((-1, "higher", first, last), (1, "lower", last, first)):
        others = {number for number, moved in steps.items() if moved != step}
        wraps = others == {end} and homes[end] == start
        if len(homes) > 1 and (not others or wraps):
            wrapped = f"; that of {end} wraps around to {start}" if wraps else ""
            return (
                f"the names of {first} to {last} are shifted by one: in the list, each has a number "
                f"one {word} than in the ontology{wrapped}"
            )
    if len(homes) > 1 and len(set(steps.values())) == 1:
        step = -steps[first]
        return (
            f"the names of {first} to {last} are shifted: in the list, each has a number "
            f"{abs(step):,} {'higher' if step > 0 else 'lower'} than in the ontology"
        )
    if set(homes) == set(homes.values()):
        return f"{len(homes):,} names are permuted"
    if len(homes) == 1:
        return f"the name of {first} is that of {homes[first]} in the ontology"
    return f"{len(homes):,} names belong to other numbers in the ontology"
