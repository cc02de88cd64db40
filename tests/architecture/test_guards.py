import ast

import pytest

from tests.architecture import guards
from tests.architecture.guards import GUARDS, exceptions, functions, modules, offences, parsed

SHRINK = "run `python -m tests.architecture.shrink`"


@pytest.mark.parametrize("guard", GUARDS)
def test_no_offence_is_new(guard: str) -> None:
    excepted = exceptions()
    new = [
        f"labelingest/{key.path}:{line}: {key.name} ({len(lines)}, {excepted[key]} excepted)"
        for key, lines in offences(guard).items()
        if len(lines) > excepted[key]
        for line in lines
    ]
    assert not new, "\n".join([f"{guard}: {GUARDS[guard].cure}", *new])


@pytest.mark.parametrize("guard", GUARDS)
def test_every_exception_still_occurs(guard: str) -> None:
    lines = offences(guard)
    mended = [
        f"{' '.join(key)} {count}"
        for key, count in exceptions().items()
        if key.guard == guard and len(lines.get(key, ())) < count
    ]
    assert not mended, "\n".join([f"mended, {SHRINK}:", *mended])


def test_exceptions_are_of_guards() -> None:
    assert {key.guard for key in exceptions()} <= set(GUARDS)


def test_nearly_all_functions_fit_on_a_screen() -> None:
    lengths = [lines for path in modules() for _, lines in functions(parsed(path))]
    long = sum(lines > guards.MOST_LINES_OF_A_FUNCTION for lines in lengths)
    assert long <= len(lengths) / 100


SAMPLES = {
    "bare-name": (
        "def of(at, *, made): ...\nfor kept, row in x: self.found = [one for one in row]\n"
        "try: ...\nexcept E as it: ...\nclass A:\n    whole: int\n",
        ["at", "found", "it", "kept", "made", "of", "one", "whole"],
    ),
    "positional-arguments": (
        "A(1, 2, 3, 4, 5, 6)\nb._A(1, 2, 3, 4, 5, 6)\ncls(1, 2, 3, 4, 5, 6)\n"
        "A(1, 2, 3, 4, 5, f=6)\nTable(1, 2, 3, 4, 5, 6)\nf(1, 2, 3, 4, 5, 6)\n",
        ["A", "_A", "cls"],
    ),
    "long-function": (
        "def f():\n    '''A\n    b.'''\n" + "    x\n" * 39 + "def g():\n" + "    x\n" * 40,
        ["g"],
    ),
    "question-docstring": ("'''Which files there are.'''", ["Which"]),
    "format-comparison": (
        "a == 'yolo'\nb in (LabelFormat.ENCORD, 'x')\n{'coco': 1}\nf('yolo')\n"
        "match c:\n    case OutputFormat.PARQUET: ...\n",
        ["LabelFormat.ENCORD", "OutputFormat.PARQUET", "coco", "yolo"],
    ),
}


@pytest.mark.parametrize("guard", SAMPLES)
def test_a_guard_finds_what_it_forbids(guard: str) -> None:
    source, names = SAMPLES[guard]
    offences = GUARDS[guard].find("config.py", ast.parse(source))
    assert sorted(offence.name for offence in offences) == names


def test_formats_are_named_in_their_own_modules() -> None:
    tree = ast.parse("a == 'yolo'")
    assert not list(GUARDS["format-comparison"].find("readers/yolo.py", tree))


@pytest.mark.parametrize(
    ("path", "line", "names"),
    [
        (
            "readers/encord/typed/types.py",
            "from labelingest.readers.encord.explain.label_row import x",
            ["labelingest.readers.encord.explain.label_row.x"],
        ),
        (
            "folders/state/lock.py",
            "from labelingest.folders import sync",
            ["labelingest.folders.sync"],
        ),
        ("folders/sync/run.py", "from labelingest.folders.state import lock", []),
    ],
)
def test_rooms_below_never_look_up(path: str, line: str, names: list[str]) -> None:
    offences = GUARDS["direction"].find(path, ast.parse(line))
    assert [offence.name for offence in offences] == names


def test_sealed_rooms_exist() -> None:
    for folder, above in guards.SEALED.items():
        assert (guards.ROOT / folder).exists(), folder
        for room in above:
            place = guards.ROOT / room.replace(".", "/")
            assert place.is_dir() or place.with_suffix(".py").exists(), room


NAMED_WELL = (
    "benchmarks",
    *(
        f"tests/{folder}"
        for folder in (
            *("architecture", "builders", "conformance", "contracts", "fuzz", "mutants", "oracles"),
            *("unit/assembly", "unit/columns", "unit/folders", "unit/formats", "unit/geometry"),
            *("unit/media", "unit/metadata", "unit/model", "unit/problems", "unit/resolution"),
            *("unit/sinks", "unit/writers"),
        )
    ),
)
"""Folders outside the package whose names say what a value is; may only grow."""


@pytest.mark.parametrize("folder", NAMED_WELL)
def test_names_outside_the_package_say_what_a_value_is(folder: str) -> None:
    offences_of_folder = [
        f"{path}:{offence.line}: {offence.name}"
        for path in sorted((guards.ROOT.parent / folder).rglob("*.py"))
        for offence in guards.bare_names(path.name, ast.parse(path.read_text("utf-8")))
    ]
    assert not offences_of_folder, "\n".join([GUARDS["bare-name"].cure, *offences_of_folder])
