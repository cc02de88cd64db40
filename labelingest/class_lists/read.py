"""Read a class list: bytes in, the names of class numbers out.

The ending of the file's name decides the form: YAML with `names`, one name a line, or JSON with
`categories`. A file without names is a value too: its settings may matter, and it is no defect.
"""

from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import Final

from msgspec.structs import replace

from labelingest.class_lists.class_list import ClassList, UnreadableListError
from labelingest.class_lists.names import comparable
from labelingest.class_lists.read_notes import from_notes
from labelingest.class_lists.read_text import from_lines, names_file_of
from labelingest.errors import ConfigError
from labelingest.problems import Problem, ProblemCode, is_utf8, printable
from labelingest.small_files import read_small

__all__ = ["MOST_BYTES", "load_class_list", "numbers_from_one", "read_class_list"]

MOST_BYTES: Final = 2_000_000
"""Bytes of a list that a caller names: the 21,841 names of ImageNet take under a megabyte."""


def read_class_list(content: bytes, source: str) -> ClassList:
    r"""Read a class list.

    Parameters
    ----------
    content
        The file: UTF-8 or, with a byte order mark, UTF-16.
    source
        Key or path of the file; its ending decides the form.

    Returns
    -------
    ClassList
        Names and their places, what the file says of labels, and defects of the list itself.
        Without names, `missing` or `names_file` says why.

    Raises
    ------
    UnreadableListError
        The file is not text of its form, or a number or name is missing, repeated or invalid.

    Examples
    --------
    >>> class_list = read_class_list(b"nc: 3\nnames: [tug, van]", "data.yaml")
    >>> class_list.names
    {0: 'tug', 1: 'van'}
    >>> print(*class_list.problems)
    data.yaml: class-count-differs: nc is 3, but there are 2 names: correct nc, or the names
    """
    suffix = PurePosixPath(source).suffix.lower()
    reader = _READERS.get(suffix)
    if reader is None:
        raise UnreadableListError(
            source,
            "expected class names in a .yaml, .yml, .txt, .names or .labels file, a .data file "
            "that names one, or notes.json",
        )
    class_list = reader(source, _text(source, content))
    for number, name in class_list.names.items():
        if not is_utf8(name):
            line = class_list.place(number).get("line")
            detail = f"the name of class number {number} holds half a surrogate pair: {name!r}"
            raise UnreadableListError(source, detail, line)
    return replace(class_list, problems=(*_count_problems(class_list), *_duplicates(class_list)))


def load_class_list(path: str | Path) -> ClassList:
    r"""Read a class list that the caller names.

    Parameters
    ----------
    path
        Path of the file. A Darknet `*.data` file is refused, and the message has the list that it
        names.

    Raises
    ------
    ConfigError
        The file cannot be read, or holds no class names.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "data.yaml")
    ...     _ = path.write_text("nc: 2\nnames: {0: person, 3: car}")
    ...     load_class_list(path).names
    {0: 'person', 3: 'car'}
    """
    place = printable(str(path))
    try:
        content = read_small(path, MOST_BYTES)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(f"{place}: cannot be read ({reason})") from error
    class_list = read_class_list(content, str(path))
    if class_list.missing:
        raise ConfigError(f"{place}: {class_list.missing}")
    return class_list


def numbers_from_one(class_list: ClassList) -> list[Problem]:
    """Return the problem of a list whose numbers begin at 1: label files usually begin at 0.

    Examples
    --------
    >>> print(*numbers_from_one(ClassList("data.yaml", {1: "tug"}, lines={1: 2})))
    data.yaml:2: class-list-from-one: the class numbers of this list begin at 1; YOLO counts from \
0: if the label files do, number the names from 0
    """
    if min(class_list.names, default=0) != 1:
        return []
    detail = (
        "the class numbers of this list begin at 1; YOLO counts from 0: if the label files do, "
        "number the names from 0"
    )
    place = class_list.place(1)
    return [Problem(ProblemCode.CLASS_LIST_FROM_ONE, class_list.source, detail, **place)]


def _from_yaml(source: str, text: str) -> ClassList:
    # YAML takes a moment to load, and few commands read it.
    from labelingest.class_lists.read_yaml import from_yaml

    return from_yaml(source, text)


def _from_darknet(source: str, text: str) -> ClassList:
    path = names_file_of(text)
    missing = f"its names are in {path!r}: give that file" if path else "expected 'names = FILE'"
    return ClassList(source, {}, missing=missing, names_file=path)


_READERS: Final[Mapping[str, Callable[[str, str], ClassList]]] = {
    ".yaml": _from_yaml,
    ".yml": _from_yaml,
    ".txt": from_lines,
    ".names": from_lines,
    ".labels": from_lines,
    ".data": _from_darknet,
    ".json": from_notes,
}
"""Ending of a name, in lower case → reader of that form."""


def _text(source: str, content: bytes) -> str:
    """Return what a file says, in UTF-8 or, with a byte order mark, UTF-16."""
    utf16 = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        text = content.decode("utf-16" if utf16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableListError(source, f"not text in UTF-8 ({error.reason})") from error
    if "\0" in text:
        raise UnreadableListError(source, "not text, it holds zero bytes")
    return text


def _count_problems(class_list: ClassList) -> list[Problem]:
    """Return the problem of a declared number of classes that is not the number of names."""
    count, names = class_list.class_count, class_list.names
    # Numbers with gaps: the declaration may count them, or all numbers up to the largest.
    if count is None or not names or count in (len(names), max(names) + 1):
        return []
    noun = "name" if len(names) == 1 else "names"
    detail = (
        f"nc is {count}, but there {'is' if len(names) == 1 else 'are'} {len(names):,} {noun}: "
        "correct nc, or the names"
    )
    return [Problem(ProblemCode.CLASS_COUNT_DIFFERS, class_list.source, detail)]


def _duplicates(class_list: ClassList) -> list[Problem]:
    """Return a problem for each name that an earlier class number has too."""
    first: dict[str, int] = {}
    problems = []
    for number, name in class_list.names.items():
        earlier = first.setdefault(comparable(name), number)
        if earlier != number:
            spelling = class_list.names[earlier]
            spelled = "" if spelling == name else f" (written {spelling!r})"
            detail = (
                f"class numbers {earlier} and {number} are both called {name!r}{spelled}: "
                "correct one of the names"
            )
            place = class_list.place(number)
            problems.append(
                Problem(ProblemCode.DUPLICATE_CLASS_NAME, class_list.source, detail, **place)
            )
    return problems
