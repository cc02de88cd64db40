"""Outputs that cannot be listed completely are not verified."""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from labelingest.errors import StorageError
from labelingest.folders.sync.missing_outputs import list_output
from labelingest.model.listing import Listing
from labelingest.problems import Problem, ProblemCode
from labelingest.storage import LocalStorage


class Hiding(LocalStorage):
    """A folder with one place that may hide files."""

    code = ProblemCode.LINK_LOOP

    def list(
        self,
        *,
        exclude: Sequence[str] = (),
        bare: Collection[str] = (),
        splits: Sequence[str] = (),
    ) -> Iterator[Listing]:
        for page in super().list(exclude=exclude, bare=bare):
            yield replace(page, problems=[Problem(self.code, "place", "hides files")])


def is_refused(output: LocalStorage) -> bool:
    try:
        list_output(output)
    except StorageError:
        return True
    return False


def test_an_output_that_may_hide_label_rows_is_refused_and_names_of_others_hide_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.jpg.encord.json").touch()
    refused = set()
    for code in ProblemCode:
        monkeypatch.setattr(Hiding, "code", code)
        if is_refused(Hiding(str(tmp_path))):
            refused.add(code)
    assert refused == {ProblemCode.UNREADABLE_FOLDER, ProblemCode.UNREADABLE_FILE}
