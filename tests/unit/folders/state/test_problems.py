"""What is wrong in a folder: kept, listed, and gone when it is."""

from pathlib import Path

import orjson
import pytest

from labelingest.folders import State, Status
from labelingest.problems import Problem, ProblemCode
from tests.builders.command_line import command_line
from tests.builders.synced import YOLO, World


def test_problems_are_listed_by_data_file_until_they_are_mended(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with State(f"sqlite:///{tmp_path}/state.sqlite") as state:
        world = World(tmp_path, state)
        for name in ("b", "a"):
            world.image(f"{name}.jpg")
        world.write("a.txt", "0 0.5 0.5 0.25 0.5\n9 0.5 0.5 0.25 0.5")
        world.write("b.txt", "0 0.5 x 0.25 0.5")
        world.write("b.jpg.metadata.json", '{"fog": NaN}')
        world.write("lonely.txt", "")
        folder = world.folder(metadata_suffix=".metadata.json", options=YOLO)
        run = folder.sync()
        problems = list(folder.problems())
        places = [(problem.source, problem.line, problem.column) for problem in problems]
        # The folder's own, then those of a.jpg and b.jpg; a file without a row has a warning more.
        assert ("a.txt", 2, 1) in places
        assert ("b.txt", 1, 7) in places
        codes = [problem.code for problem in problems]
        assert codes.index(ProblemCode.UNKNOWN_CLASS) < codes.index(ProblemCode.NOT_A_NUMBER)
        assert len(problems) == run.counters.errors + run.counters.warnings

        url = state.url
        sources = command_line(capsys)("folder", "problems", "drive", "--state", url).out
        assert "error: b.txt:1:7: not-a-number: " in sources
        printed = command_line(capsys)("folder", "problems", "drive", "--state", url, "--json").out
        lines = [orjson.loads(line) for line in printed.splitlines()]
        assert [line["code"] for line in lines] == codes

        world.write("a.txt", "0 0.5 0.5 0.25 0.5")
        folder.sync()
        left = [problem.source for problem in folder.problems()]
        assert "a.txt" not in left
        assert "b.txt" in left


def test_a_problem_is_kept_whole() -> None:
    """A new field of a problem needs a column."""
    assert list(Problem.__struct_fields__) == [
        *("code", "source", "detail", "line", "column", "pointer", "count")
    ]


def test_a_nul_in_metadata_is_kept_escaped_as_no_text_of_postgresql_holds_one(
    tmp_path: Path, postgresql_state: str
) -> None:
    with State(postgresql_state) as state:
        world = World(tmp_path, state)
        world.image("a.jpg")
        world.write("a.jpg.metadata.json", r'{"k\u0000": NaN, "l\u0000": 1, "l\u0000": 2}')
        folder = world.folder(metadata_suffix=".metadata.json")
        assert folder.sync().status is Status.DONE
        stored = "".join(str(problem) for problem in folder.problems())
    assert "\0" not in stored
    assert r"\u0000" in stored
