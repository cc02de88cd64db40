import json

import pytest

from labelingest.cli.commands import app
from labelingest.formats import FORMATS
from labelingest.formats.format import Package


def listed(capfdbinary: pytest.CaptureFixture[bytes], *arguments: str) -> str:
    with pytest.raises(SystemExit) as end:
        app(["formats", *arguments])
    assert end.value.code == 0
    return capfdbinary.readouterr().out.decode()


def test_programs_get_every_format_with_what_it_needs(
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    formats = {entry["name"]: entry for entry in json.loads(listed(capfdbinary, "--json"))}
    assert list(formats) == ["encord", "yolo", "coco", "parquet"]
    assert [name for name, entry in formats.items() if entry["read"]] == ["encord", "yolo"]
    assert formats["encord"]["outputs"] == ["FILE.jsonl", "FILE.jsonl.zst", "FOLDER"]
    assert formats["yolo"]["outputs"] == ["FOLDER"]
    assert [name for name, entry in formats.items() if entry["resumable"]] == ["encord", "yolo"]
    assert [name for name, entry in formats.items() if entry["images_only"]] == ["yolo", "coco"]
    assert [name for name, entry in formats.items() if entry["needs_class_numbers"]] == ["yolo"]
    assert formats["parquet"]["packages"] == [
        {"name": "pyarrow", "suffix": ".parquet", "extra": "parquet", "installed": True}
    ]


def test_people_get_a_line_for_each_format(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    head, *lines = listed(capfdbinary).splitlines()
    assert head.split("  ")[0] == "FORMAT"
    assert [line.split()[0] for line in lines] == [format.name for format in FORMATS]
    assert lines[2].split() == ["coco", "no", "FILE.json", "no", "no", "yes", "-"]


@pytest.fixture
def without_pyarrow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Package, "is_installed", property(lambda package: False))


@pytest.mark.usefixtures("without_pyarrow")
def test_a_missing_package_is_named_with_its_extra(
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    line = listed(capfdbinary).splitlines()[-1]
    assert line.endswith("pyarrow for .parquet (missing: pip install 'labelingest[parquet]')")
    packages = json.loads(listed(capfdbinary, "--json"))[3]["packages"]
    assert [package["installed"] for package in packages] == [False]
