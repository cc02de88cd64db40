"""Guards of the code's form: each finds offences in one module, with line and cure.

Offences that exist already stand in `exceptions.txt`, one a line: guard, path, name, how many. The
list may only shrink: `python -m tests.architecture.shrink` removes what no longer occurs.
"""

import ast
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).parents[2] / "labelingest"
EXCEPTIONS: Final = Path(__file__).with_name("exceptions.txt")

BARE_NAMES: Final = frozenset(
    [
        "of",
        "at",
        "found",
        "made",
        "kept",
        "said",
        "sure",
        "drawn",
        "known",
        "every",
        "several",
        "whole",
        "few",
        "asked",
        "taken",
        "done",
        "here",
        "there",
        "lost",
        "wanted",
        "given",
        "own",
        "shown",
        "written",
        "listed",
        "placed",
        "live",
        "gone",
        "one",
        "ours",
        "theirs",
        "us",
        "me",
        "it",
        "told",
        "far",
        "fewer",
        "surely",
        "begun",
        "within",
        "instead",
    ]
)
QUESTION_WORDS: Final = frozenset(
    ["What", "Which", "How", "Where", "When", "Whether", "Who", "Whose", "Why"]
)
FORMATS: Final = frozenset({"yolo", "encord", "coco", "parquet"})
MOST_POSITIONAL: Final = 5
MOST_LINES_OF_A_FUNCTION: Final = 40
MOST_LINES_OF_A_MODULE: Final = 500

OWN_MODULES_OF_FORMATS: Final = ("formats/", "readers/", "writers/")
"""Where a format may be named: the modules of one format each."""

MIGRATIONS: Final = "folders/state/migrations/versions/"
"""Migrations stay as they were when states were written with them."""

SEALED: Final = {
    "cli/folder/": ("cli.commands", "cli.main", "cli.show"),
    "cli/show/": ("cli.commands", "cli.folder", "cli.main"),
    "folders/state/": (
        *("folders.converter", "folders.creation", "folders.export", "folders.folder"),
        *("folders.locations", "folders.output_files", "folders.output_owner"),
        *("folders.schedule", "folders.sync"),
    ),
    "folders/sync/": (
        *("folders.creation", "folders.export", "folders.folder", "folders.schedule"),
    ),
    "pairing/": ("pairing.near_misses",),
    "problems/catalogue/": ("problems.codes", "problems.problem"),
    "readers/encord/": ("readers.yolo",),
    "readers/encord/explain/": ("readers.encord.read", "readers.encord.typed"),
    "readers/encord/typed/": ("readers.encord.explain", "readers.encord.read"),
    "readers/yolo/": ("readers.encord",),
    "storage/base.py": ("storage.cloud", "storage.local"),
    "storage/cloud/": ("storage.local",),
    "storage/local/": ("storage.cloud",),
}
"""Modules below a folder → packages and modules that they never import, themselves apart."""


class Offence(NamedTuple):
    """One place that a guard objects to."""

    name: str
    """What is objected to, without blanks; with the path the identity of an exception."""
    line: int


class Key(NamedTuple):
    """Identity of an exception."""

    guard: str
    path: str
    name: str


@dataclass(frozen=True, slots=True)
class Guard:
    """A rule, how it is checked in one module, and what helps."""

    find: Callable[[str, ast.Module], Iterator[Offence]]
    cure: str


def bare_names(path: str, tree: ast.Module) -> Iterator[Offence]:
    """Find variables, parameters, fields, functions and methods with a banned bare name."""
    for node in ast.walk(tree):
        for name in _bound(node):
            if name in BARE_NAMES:
                yield Offence(name, getattr(node, "lineno", 1))


def _bound(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
            yield name
        case ast.arg(arg=name):
            yield name
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
            yield name
        case ast.ExceptHandler(name=str(name)) | ast.alias(asname=str(name)):
            yield name
        case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            yield name
        case _:
            return


def positional_arguments(path: str, tree: ast.Module) -> Iterator[Offence]:
    """Find calls of classes with many positional arguments; SQLAlchemy's tables are written so."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and len(node.args) > MOST_POSITIONAL:
            callee = ast.unparse(node.func).rpartition(".")[2]
            if callee != "Table" and (callee == "cls" or callee.lstrip("_")[:1].isupper()):
                yield Offence(callee, node.lineno)


def functions(tree: ast.Module) -> Iterator[tuple[ast.FunctionDef | ast.AsyncFunctionDef, int]]:
    """Yield every function with its lines; decorators and docstring do not count."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first, end = node.body[0], node.end_lineno or node.lineno
            lines = end - node.lineno + 1
            if ast.get_docstring(node, clean=False) is not None:
                lines -= (first.end_lineno or first.lineno) - first.lineno + 1
            yield node, lines


def long_functions(path: str, tree: ast.Module) -> Iterator[Offence]:
    """Find functions that do not fit on a screen."""
    if path.startswith(MIGRATIONS):
        return
    for node, lines in functions(tree):
        if lines > MOST_LINES_OF_A_FUNCTION:
            yield Offence(node.name, node.lineno)


def long_modules(path: str, tree: ast.Module) -> Iterator[Offence]:
    """Find modules that nobody reads to the end."""
    if _lines(path) > MOST_LINES_OF_A_MODULE:
        yield Offence("module", 1)


def question_docstrings(path: str, tree: ast.Module) -> Iterator[Offence]:
    """Find modules whose docstring begins with a question word, so that its topic comes last."""
    first_word = ((ast.get_docstring(tree) or "").split() or [""])[0].rstrip(",:")
    if first_word in QUESTION_WORDS:
        yield Offence(first_word, 1)


def format_comparisons(path: str, tree: ast.Module) -> Iterator[Offence]:
    """Find comparisons with a format's name, and tables keyed by one, outside its own modules."""
    if path.startswith(OWN_MODULES_OF_FORMATS):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            operands = [node.left, *node.comparators]
        elif isinstance(node, ast.Dict):
            operands = [key for key in node.keys if key is not None]
        elif isinstance(node, ast.MatchValue):
            operands = [node.value]
        else:
            continue
        for operand in operands:
            yield from (Offence(name, operand.lineno) for name in _format_names(operand))


def _format_names(node: ast.expr) -> Iterator[str]:
    match node:
        case ast.Constant(value=str(name)) if name in FORMATS:
            yield name
        case ast.Attribute(value=ast.Name(id="OutputFormat" | "LabelFormat")):
            yield ast.unparse(node)
        case ast.Tuple(elts=elements) | ast.List(elts=elements) | ast.Set(elts=elements):
            for element in elements:
                yield from _format_names(element)
        case _:
            return


def directions(path: str, tree: ast.Module) -> Iterator[Offence]:
    """Find imports that go up inside a package."""
    for folder, above in SEALED.items():
        if path.startswith(folder):
            for name, line in imported(tree):
                if any(_is_below(name, path, room) for room in above):
                    yield Offence(name, line)


def _is_below(name: str, path: str, room: str) -> bool:
    """Return whether an imported name is of a room that the module is not of itself."""
    is_own = path.startswith(f"{room.replace('.', '/')}/")
    return not is_own and f"{name}.".startswith(f"labelingest.{room}.")


def imported(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Yield the full name of everything that a module imports, with the line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)


GUARDS: Final[Mapping[str, Guard]] = {
    "bare-name": Guard(
        bare_names, "name what it is: a noun for a value, a verb for a function (pointer, position)"
    ),
    "positional-arguments": Guard(
        positional_arguments, "pass the fields by keyword, from the fifth on at the latest"
    ),
    "long-function": Guard(
        long_functions, f"split it: {MOST_LINES_OF_A_FUNCTION} lines without its docstring at most"
    ),
    "long-module": Guard(long_modules, f"split it: {MOST_LINES_OF_A_MODULE} lines at most"),
    "question-docstring": Guard(
        question_docstrings, "begin the module docstring with a noun or an imperative"
    ),
    "format-comparison": Guard(
        format_comparisons, "ask the format's value for the property that makes the difference"
    ),
    "direction": Guard(directions, "move what both need below both"),
}


def modules() -> list[str]:
    """Return the paths of all modules, relative to the package."""
    return [path.relative_to(ROOT).as_posix() for path in sorted(ROOT.rglob("*.py"))]


def _lines(path: str) -> int:
    return len((ROOT / path).read_text("utf-8").splitlines())


@cache
def parsed(path: str) -> ast.Module:
    """Return the syntax tree of a module."""
    return ast.parse((ROOT / path).read_text("utf-8"))


@cache
def offences(guard: str) -> Mapping[Key, list[int]]:
    """Return the lines of all offences of a guard by path and name."""
    lines: dict[Key, list[int]] = {}
    for path in modules():
        for name, line in GUARDS[guard].find(path, parsed(path)):
            lines.setdefault(Key(guard, path, name), []).append(line)
    return lines


def exceptions() -> Counter[Key]:
    """Return how many offences are excepted; of repeated lines, as merges leave them, the most."""
    counts: Counter[Key] = Counter()
    for row in EXCEPTIONS.read_text("utf-8").splitlines():
        guard, path, name, count = row.split()
        key = Key(guard, path, name)
        counts[key] = max(counts[key], int(count))
    return counts
