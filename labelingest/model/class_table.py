"""The classes of a run by name, with their counts: what reports and records of runs show."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Self

from msgspec import Struct

from labelingest.model.class_counts import ClassCounts
from labelingest.model.ontology import ClassMap, Ontology, OntologyObject

__all__ = ["ClassTable", "NamedClass", "class_table"]


class NamedClass(NamedTuple):
    """A class of a run."""

    key: int
    """Key of its counts, as in `labelingest.model.class_counts`."""
    number: int | None
    """Class number; None where labels name ontology objects themselves."""
    labelled: OntologyObject
    """Ontology object of the class."""


class ClassTable(Struct, frozen=True):
    """All classes of a run: by class number, or by ontology object."""

    classes: Sequence[NamedClass] = ()

    @classmethod
    def of_objects(cls, ontology: Ontology) -> Self:
        """Return the classes of labels that name ontology objects themselves."""
        return cls(
            [NamedClass(-1 - row, None, entry) for row, entry in enumerate(ontology.objects)]
        )

    @classmethod
    def of_numbers(cls, ontology: Ontology, class_map: ClassMap) -> Self:
        """Return the classes of labels with class numbers."""
        pairs = zip(class_map.number.tolist(), class_map.feature.tolist(), strict=True)
        return cls([NamedClass(n, n, ontology.objects[row]) for n, row in pairs])

    def as_dict(self, counts: ClassCounts) -> dict[str, Any]:
        """Return the classes with their counts as JSON values.

        Examples
        --------
        >>> from labelingest.model.ontology import Shape
        >>> car = OntologyObject("Car", "#D33115", Shape.POLYGON, "aa")
        >>> counts = ClassCounts()
        >>> counts.rows[7] = counts.files[7] = 3
        >>> ClassTable([NamedClass(7, 7, car)]).as_dict(counts)["mapped"]
        [{'number': 7, 'name': 'Car', 'feature_hash': 'aa', 'shape': 'polygon', 'rows': 3, 'files': 3}]
        """
        mapped = [
            {
                "number": entry.number,
                "name": entry.labelled.name,
                "feature_hash": entry.labelled.feature_hash,
                "shape": entry.labelled.shape.value,
                "rows": counts.rows[entry.key],
                "files": counts.files[entry.key],
                **({"archived": True} if entry.labelled.archived else {}),
            }
            for entry in self.classes
        ]
        unmapped = [
            {"number": number, "rows": row.rows, "files": row.files, "first": str(row.first)}
            for number, row in sorted(counts.unmapped.numbers.items())
        ]
        return {
            "mapped": mapped,
            "unused": self._unused(counts.rows),
            "unmapped": unmapped,
            "unmapped_other_rows": counts.unmapped.other_rows,
        }

    def _unused(self, rows: Mapping[int, int]) -> list[dict[str, Any]]:
        """Return the objects without any annotation, with the numbers that mean them."""
        numbers: defaultdict[str, list[int]] = defaultdict(list)
        unused: dict[str, OntologyObject] = {}
        used = {entry.labelled.feature_hash for entry in self.classes if rows.get(entry.key)}
        for _, number, labelled in self.classes:
            if labelled.feature_hash in used or labelled.archived:
                continue
            unused[labelled.feature_hash] = labelled
            if number is not None:
                numbers[labelled.feature_hash].append(number)
        return [
            {"name": labelled.name, "feature_hash": feature_hash, "numbers": numbers[feature_hash]}
            for feature_hash, labelled in unused.items()
        ]


def class_table(ontology: Ontology, class_map: ClassMap | None, *, has_numbers: bool) -> ClassTable:
    """Return the classes of a run, for its counts by class.

    Parameters
    ----------
    ontology, class_map
        The ontology, and the class numbers; None where no class numbers are read or written.
    has_numbers
        Whether labels have class numbers.
    """
    if class_map is None or not has_numbers:
        return ClassTable.of_objects(ontology)
    return ClassTable.of_numbers(ontology, class_map)
