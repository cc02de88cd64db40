"""Read the class names of a YAML file: `names`, a list or number → name.

Only nodes are composed: `no` is a class called no, nothing is executed, downloaded or expanded.
"""

import re
from collections.abc import Iterable
from reprlib import repr as short
from typing import Final

import yaml

from labelingest.class_lists.class_list import ClassList, UnreadableListError
from labelingest.model.ontology import class_number
from labelingest.problems import is_utf8

__all__ = ["from_yaml"]

_BRACKET: Final = re.compile(r"[\[\]{}]")
_MOST_NESTED: Final = 100
"""Brackets that may be open at one place: a list of names opens two."""
_DEEP: Final = re.compile(r"^[-?: \t]{100}", re.MULTILINE)
"""Begin of a line in blocks that may be nested as deeply: each level has a sign or a blank."""
_SHORT: Final = 100_000
"""Characters of a text that Python's own parser reads in a second."""
_VALUES_OF_KEYPOINTS: Final = (2, 3)
"""Numbers that a keypoint may have: a place, and whether it is visible."""
_LARGEST_COUNT: Final = 1_000_000
"""Largest number of classes or keypoints that a declaration may state."""


def from_yaml(source: str, text: str) -> ClassList:
    r"""Read `names` and what else a YAML file says of labels.

    Raises
    ------
    UnreadableListError
        The file is not YAML, asks to run code, or a number or name is missing, repeated or invalid.

    Examples
    --------
    >>> listed = from_yaml("data.yaml", "nc: 2\nnames:\n  0: tug\n  3: van\n")
    >>> listed.names, listed.lines, listed.class_count
    ({0: 'tug', 3: 'van'}, {0: 3, 3: 4}, 2)
    """
    root = _composed(source, text)
    _refuse_code(source, root)
    if not isinstance(root, yaml.MappingNode):
        return ClassList(source, {}, missing="expected 'names: [...]', found no key at all")
    values = [value for key, value in root.value if key.value == "names"]
    if len(values) > 1:
        raise UnreadableListError(source, _expected_once(len(values), root))
    nodes: dict[int, yaml.Node] = {}
    missing = "" if values else _expected_once(0, root)
    if values:
        _refuse_unindented(source, values[0], root)
        nodes = _nodes(source, values[0])
        missing = "" if nodes else "holds no class name"
    return ClassList(
        source,
        {number: _name(source, number, node) for number, node in sorted(nodes.items())},
        lines={number: node.start_mark.line + 1 for number, node in nodes.items()},
        missing=missing,
        class_count=_whole(_only(root, "nc")),
        kpt_shape=_kpt_shape(_only(root, "kpt_shape")),
        task=_text(_only(root, "task")),
    )


def _composed(source: str, text: str) -> yaml.Node | None:
    """Return the document as nodes, in which aliases are still references."""
    _refuse_depth(source, text)
    try:
        return _compose(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = (mark.line + 1, mark.column + 1) if mark else ()
        raise UnreadableListError(source, f"not YAML ({error.problem})", *place) from error
    except (yaml.YAMLError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise UnreadableListError(source, f"not YAML ({reason})") from error
    except RecursionError as error:
        raise UnreadableListError(source, "nested too deeply for a list of class names") from error


def _compose(text: str) -> yaml.Node | None:
    """Compose by libyaml where it is installed: it is ten times faster, and says less of errors."""
    is_short = len(text) <= _SHORT
    # libyaml composes by recursion in C, which has no limit.
    if yaml.__with_libyaml__ and not (is_short and _DEEP.search(text)):
        try:
            return yaml.compose(text, Loader=yaml.CSafeLoader)
        except yaml.YAMLError:
            if not is_short:
                raise
    return yaml.compose(text, Loader=yaml.SafeLoader)


def _refuse_depth(source: str, text: str) -> None:
    """Refuse lists in lists in lists: the parser looks at all that are open for every sign."""
    depth = 0
    for bracket in _BRACKET.finditer(text):
        depth = depth + 1 if bracket[0] in "[{" else max(depth - 1, 0)
        if depth > _MOST_NESTED:
            raise UnreadableListError(source, "nested too deeply for a list of class names")
    if len(text) > _SHORT and _DEEP.search(text):
        raise UnreadableListError(source, "nested too deeply for a list of class names")


def _refuse_code(source: str, root: yaml.Node | None) -> None:
    """Refuse tags that ask for Python objects, in any part; nothing in this program obeys them."""
    waiting, seen = [root] if root else [], set[int]()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if "python/" in node.tag:
            raise _error(source, node, f"tag {short(node.tag)} asks to run code: refused")
        if isinstance(node, yaml.MappingNode):
            waiting += [part for pair in node.value for part in pair]
        elif isinstance(node, yaml.SequenceNode):
            waiting += node.value


def _refuse_unindented(source: str, names: yaml.Node, root: yaml.MappingNode) -> None:
    """Refuse `names:` whose entries are written beside it: YAML takes them for other keys."""
    if not (isinstance(names, yaml.ScalarNode) and names.value == ""):
        return
    beside = [
        key
        for key, _ in root.value
        if isinstance(key, yaml.ScalarNode) and class_number(key.value) is not None
    ]
    if beside:
        raise _error(
            source,
            beside[0],
            f"entry {beside[0].value!r} stands beside 'names:', not below it: indent this line and "
            "the entries after it by two blanks",
        )


def _nodes(source: str, node: yaml.Node) -> dict[int, yaml.Node]:
    """Return class number → node of its name, of a list of names or number → name."""
    pairs: Iterable[tuple[int, yaml.Node]]
    if isinstance(node, yaml.SequenceNode):
        pairs = enumerate(node.value)
    elif isinstance(node, yaml.MappingNode):
        pairs = [(_number(source, key), value) for key, value in node.value]
    else:
        raise _error(
            source, node, f"'names' is {short(node.value)}, expected a list or number: name"
        )
    nodes: dict[int, yaml.Node] = {}
    for number, value in pairs:
        if number in nodes:
            raise _error(source, value, f"class number {number} is named twice")
        nodes[number] = value
    return nodes


def _number(source: str, node: yaml.Node) -> int:
    number = class_number(node.value) if isinstance(node, yaml.ScalarNode) else None
    if number is None:
        raise _error(
            source,
            node,
            f"{_excerpt(node)} is no class number; expected an integer from 0 on, then its name",
        )
    return number


def _name(source: str, number: int, node: yaml.Node) -> str:
    """Return the text of a name as written: `no` and `1` are names here, not values of YAML."""
    if not isinstance(node, yaml.ScalarNode):
        raise _error(source, node, f"the name of class number {number} is not one text")
    name = str(node.value).strip()
    if not name or node.tag == "tag:yaml.org,2002:null":
        raise _error(
            source,
            node,
            f"the name of class number {number} is empty; a class really called "
            f"{name or 'so'!r} needs quotes",
        )
    return name


def _only(root: yaml.MappingNode, wanted_key: str) -> yaml.Node | None:
    """Return the value of a key that occurs once; None for no value."""
    values = [value for key, value in root.value if key.value == wanted_key]
    return values[0] if len(values) == 1 else None


def _text(node: yaml.Node | None) -> str | None:
    text = node.value.strip() if isinstance(node, yaml.ScalarNode) else ""
    return text if text and is_utf8(text) else None


def _whole(node: yaml.Node | None) -> int | None:
    number = class_number(node.value) if isinstance(node, yaml.ScalarNode) else None
    return number if number is not None and number <= _LARGEST_COUNT else None


def _kpt_shape(node: yaml.Node | None) -> tuple[int, int] | None:
    """Return keypoints and values for each; None for a shape that no pose has."""
    if not isinstance(node, yaml.SequenceNode) or len(node.value) != 2:
        return None
    points, values = map(_whole, node.value)
    return (points, values) if points and values in _VALUES_OF_KEYPOINTS else None


def _expected_once(times: int, root: yaml.MappingNode) -> str:
    keys = ", ".join(_excerpt(key) for key, _ in root.value[:10])
    if not times:
        return f"there is no key 'names' with the class names; the keys are: {keys}"
    return f"there are {times} keys 'names', expected one; the keys are: {keys}"


def _excerpt(node: yaml.Node) -> str:
    """Return a node as messages show it; the repr of a list would expand every alias in it."""
    return short(node.value) if isinstance(node, yaml.ScalarNode) else "a list or mapping"


def _error(source: str, node: yaml.Node, detail: str) -> UnreadableListError:
    mark = node.start_mark
    return UnreadableListError(source, detail, mark.line + 1, mark.column + 1)
