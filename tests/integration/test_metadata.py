"""Custom metadata on the command line, as its users meet it."""

import json
from pathlib import Path

import pytest

from tests.builders.command_line import Run, command_line
from tests.builders.folders import make_folder

FILES = {
    "a.jpg": "",
    "a.jpg.metadata.json": '{"speed": 12.5, "site": "Dock 4"}',
    "b.jpg": "",
    "b.jpg.metadata.json": '{"speed": "fast", "sight": "Dock 4"}',
    "c.jpg.metadata.json": "{}",
}
CHECK = ("metadata", "check", "data", "--schema", "schema.json")
SCHEMA = ("metadata", "schema")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in a folder with a data set in data/ and schema.json beside it."""
    make_folder(tmp_path / "data", FILES)
    monkeypatch.chdir(tmp_path)

    command = command_line(capsys)
    assert command(*SCHEMA, "add", "schema.json", "speed", "number").code == 0
    assert command(*SCHEMA, "add", "schema.json", "site", "string").code == 0
    return command


def test_check_accounts_for_everything_and_says_it_to_people(run: Run) -> None:
    ran = run(*CHECK)
    assert (ran.code, ran.out) == (1, "")
    for line in (
        "Layout     KEY ↔ KEY.metadata.json",
        "Schema     schema.json (2 keys)",
        "Keys       5 seen = 2 metadata sidecars + 1 orphan sidecar + 2 other files",
        "Sidecars   2 seen = 2 taken + 0 refused",
        "Values     4 seen = 3 kept + 1 dropped",
        "  b.jpg.metadata.json#/speed: found text ('fast'), expected a number",
        "  b.jpg.metadata.json#/sight: the schema has no key 'sight'; did you mean 'site'?",
        "  c.jpg.metadata.json: there is no data file for it: 'c.jpg' does not exist",
        "2 errors, 1 warning: nothing was written",
    ):
        assert line in ran.err.splitlines()


def test_json_goes_to_standard_output_alone(run: Run) -> None:
    ran = run(*CHECK, "--json", "--quiet")
    assert ran.err == ""
    report = json.loads(ran.out)
    assert report["keys"] == {
        "seen": 5,
        "metadata_sidecar": 2,
        "orphan_sidecar": 1,
        "other": 2,
    }
    assert report["values"] == {"seen": 4, "kept": 3, "dropped": 1}
    assert report["problems"]["by_code"] == {
        "orphan-sidecar": 1,
        "undeclared-key": 1,
        "wrong-type": 1,
    }


def test_problems_are_written_one_a_line(run: Run) -> None:
    run(*CHECK, "--problems", "problems.jsonl")
    problems = [json.loads(line) for line in Path("problems.jsonl").read_text().splitlines()]
    assert [(problem["source"], problem.get("pointer")) for problem in problems] == [
        ("c.jpg.metadata.json", None),
        ("b.jpg.metadata.json", "/speed"),
        ("b.jpg.metadata.json", "/sight"),
    ]


def test_a_file_that_no_run_wrote_is_not_replaced_by_problems(run: Run) -> None:
    before = Path("schema.json").read_bytes()
    ran = run(*CHECK, "--problems", "schema.json")
    assert ran.code == 2
    assert Path("schema.json").read_bytes() == before


def test_exit_codes_are_those_of_convert(run: Run) -> None:
    assert run(*CHECK, "--exit-zero").code == 0
    assert run("metadata", "check", "nowhere").code == 3
    assert run("metadata", "check", "data", "--schema", "none.json").code == 2
    assert run("metadata", "check", "data", "--metadata-suffix", "").code == 2
    for key in ("b.jpg.metadata.json", "c.jpg.metadata.json"):
        Path("data", key).unlink()
    assert run(*CHECK, "--strict").code == 0
    Path("data/a.jpg.metadata.json").write_text('{"sight": 1}')
    assert run(*CHECK).code == 0
    assert run(*CHECK, "--strict").code == 1


def test_without_a_schema_only_the_documents_are_checked(run: Run) -> None:
    ran = run("metadata", "check", "data")
    assert "Schema     none: values are not checked" in ran.err
    assert "1 error, 0 warnings: nothing was written" in ran.err


def test_no_sidecar_at_all_is_said_with_what_helps(run: Run) -> None:
    ran = run("metadata", "check", "data", "--metadata-suffix", ".meta.json")
    assert ran.code == 0
    assert "Next: set the suffix of metadata files with --metadata-suffix" in ran.err


def test_a_large_embedding_is_named_once(run: Run) -> None:
    run(*SCHEMA, "add", "schema.json", "clip", "embedding", "--size", "3072")
    ran = run(*CHECK)
    assert ran.err.count("large-embedding × 1") == 1
    assert "  schema.json#/clip/size: 3,072 numbers: Active shows" in ran.err


def test_a_schema_is_shown_changed_and_restored(run: Run) -> None:
    run(*SCHEMA, "add", "schema.json", "weather", "enum", "--option", "rain")
    run(*SCHEMA, "add", "schema.json", "weather", "enum", "--option", "fog")
    run(*SCHEMA, "remove", "schema.json", "site")
    shown = run(*SCHEMA, "show", "schema.json")
    assert [line.split(maxsplit=1) for line in shown.out.splitlines()] == [
        ["key", "type"],
        ["site", "deleted; was varchar"],
        ["speed", "number"],
        ["weather", "enum: fog, rain"],
    ]
    assert run(*SCHEMA, "restore", "schema.json", "site").err == "3 keys in schema.json\n"
    run(*SCHEMA, "remove", "schema.json", "site", "--hard")
    ran = run(*SCHEMA, "restore", "schema.json", "site")
    assert (ran.code, "deleted for good" in ran.err) == (2, True)


def test_a_change_that_is_refused_leaves_the_file_as_it_was(run: Run) -> None:
    before = Path("schema.json").read_bytes()
    assert run(*SCHEMA, "add", "schema.json", "site", "geospatial").code == 2
    assert run(*SCHEMA, "remove", "schema.json", "nothing").code == 2
    assert Path("schema.json").read_bytes() == before


def test_what_is_exported_is_imported_as_the_same_bytes(run: Run) -> None:
    exported = run(*SCHEMA, "export", "schema.json")
    assert exported.out.encode() == Path("schema.json").read_bytes()
    assert run(*SCHEMA, "export", "schema.json", "--out", "wire.json").code == 0
    assert run(*SCHEMA, "import", "again.json", "wire.json").code == 0
    assert Path("again.json").read_bytes() == Path("schema.json").read_bytes()


def test_an_import_says_what_it_left_out_and_replaces_nothing(run: Run) -> None:
    Path("old.json").write_text('{"site": "string", "weather": "enum"}')
    refused = run(*SCHEMA, "import", "schema.json", "old.json")
    assert (refused.code, "--overwrite to replace it" in refused.err) == (2, True)
    ran = run(*SCHEMA, "import", "new.json", "old.json")
    assert ran.code == 1
    assert "left out: 'weather': an enum needs its options, as --option A" in ran.err
    assert json.loads(Path("new.json").read_text()) == {
        "site": {"ty": "variant", "hint": "varchar"}
    }
