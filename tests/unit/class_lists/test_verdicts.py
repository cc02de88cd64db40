"""Lines about class lists that disagree with the ontology."""

import pytest

from labelingest.class_lists.class_list import ClassList
from labelingest.class_lists.compare import compare_names
from labelingest.class_lists.verdicts import ListUse, Verdict, disagreement_lines


@pytest.mark.parametrize(
    ("counted_files", "sentence"),
    [
        (3, "3 label files have this class list, with 5 rows of these numbers"),
        (2, "3 label files have this class list; 2 of them were looked at, with 5 rows of these"),
        (1, "3 label files have this class list; 1 of them was looked at, with 5 rows of these"),
    ],
)
def test_the_table_says_how_many_files_were_looked_at(counted_files: int, sentence: str) -> None:
    comparison = compare_names(ClassList("data.yaml", {0: "van", 1: "car"}), {0: "car", 1: "van"})
    use = ListUse(comparison, Verdict.DISAGREES, 3, {0: 4, 1: 1}, counted_files)
    _, line, heading, *_ = disagreement_lines(use)
    assert line.startswith(sentence)
    assert heading.split()[-1] == ("rows" if counted_files == 3 else "sample")
