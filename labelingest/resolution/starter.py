"""Start an ontology from a list of class names: one object for each class number.

Two things: read the class names of a data set (`data.yaml`, `config.yaml`, `classes.txt`,
`*.names`), and turn names into Encord's ontology structure with the class numbers as external IDs.
Gaps in the numbers are kept, and the same names give the same feature hashes in every run.

Only `names` is read of a YAML file, as text: `no` is a class called no, nothing is executed,
downloaded or expanded. Refuses to know the ontology that a user already has.
"""

import json
import re
from collections.abc import Iterable, Mapping
from hashlib import sha256
from itertools import count
from pathlib import Path
from reprlib import repr as short
from typing import Any, Final

import yaml

from labelingest.errors import ConfigError
from labelingest.model.ontology import LARGEST_CLASS_NUMBER, Shape
from labelingest.problems import printable
from labelingest.resolution.class_numbers import SUPPORTED_SHAPES, class_number
from labelingest.small_files import open_regular

__all__ = ["read_class_names", "starter_ontology"]

_PALETTE: Final = (
    *("#D33115", "#E27300", "#16406C", "#FE9200", "#FCDC00", "#DBDF00", "#A4DD00", "#68CCCA"),
    *("#73D8FF", "#AEA1FF", "#FCC400", "#B0BC00", "#68BC00", "#16A5A5", "#009CE0", "#7B64FF"),
    *("#FA28FF", "#B3B3B3", "#9F0500", "#C45100", "#FB9E00", "#808900", "#194D33", "#0C797D"),
    *("#0062B1", "#653294", "#AB149E"),
)
"""Colours that Encord gives new objects, by position."""

_BRACKET: Final = re.compile(r"[\[\]{}]")
_MOST_NESTED: Final = 100
"""Brackets that may be open at one place: a list of names opens two."""
_MOST_BYTES: Final = 2_000_000
"""Bytes of a list of class names: the 21,841 names of ImageNet take under a megabyte."""


def starter_ontology(
    names: Mapping[int, str], shape: Shape, namespace: str = "YOLO"
) -> dict[str, Any]:
    """Make an ontology structure with one object for each class number.

    Parameters
    ----------
    names
        Class number → name, in any order; numbers may have gaps.
    shape
        The shape of all objects: bounding box, polygon or rotatable bounding box.
    namespace
        Where the class numbers go as external IDs.

    Returns
    -------
    dict
        Encord's structure, ready for `json.dumps`; objects in order of their numbers.

    Raises
    ------
    ConfigError
        There are no names, a number or name is not one, or rows cannot be drawn as this shape.

    Examples
    --------
    >>> structure = starter_ontology({3: "car"}, Shape.BOUNDING_BOX)
    >>> for key, value in structure["objects"][0].items():
    ...     print(key, value)
    id 1
    name car
    color #D33115
    shape bounding_box
    featureNodeHash daa23aaa
    required False
    archived False
    externalIds {'YOLO': '3'}
    """
    if shape not in SUPPORTED_SHAPES:
        raise ConfigError(f"shape {shape}: expected one of {', '.join(SUPPORTED_SHAPES)}")
    if not namespace:
        raise ConfigError("namespace '': a namespace needs a name")
    _check(names)
    used: set[str] = set()
    objects = []
    for position, number in enumerate(sorted(names)):
        feature_hash = _feature_hash([namespace, number, names[number], shape], used)
        used.add(feature_hash)
        objects.append(
            {
                "id": str(position + 1),
                "name": names[number],
                "color": _PALETTE[position % len(_PALETTE)],
                "shape": str(shape),
                "featureNodeHash": feature_hash,
                "required": False,
                "archived": False,
                "externalIds": {namespace: str(number)},
            }
        )
    return {"objects": objects, "classifications": [], "skeleton_templates": []}


def _check(names: Mapping[int, str]) -> None:
    """Refuse numbers and names that no ontology can hold."""
    if not names:
        raise ConfigError("no class names: a starter ontology needs at least one")
    for number, name in names.items():
        if isinstance(number, bool) or not 0 <= number <= LARGEST_CLASS_NUMBER:
            raise ConfigError(f"class number {short(number)}: expected an integer from 0 to 2**53")
        if not name.strip():
            raise ConfigError(f"class number {number} has the empty name {name!r}")


def _feature_hash(identity: list[str | int], used: set[str]) -> str:
    """Return 8 hex digits that depend on the identity alone, unless those are used."""
    for attempt in count():
        salted = identity + [attempt] * (attempt > 0)
        digits = sha256(json.dumps(salted).encode()).hexdigest()[:8]
        if digits not in used:
            return digits
    raise AssertionError("count() ended")


def read_class_names(path: str | Path) -> dict[int, str]:
    r"""Read the class names that come with a YOLO data set.

    Parameters
    ----------
    path
        A YAML file whose `names` is a list (numbered from 0) or maps number to name; or a
        `.txt` or `.names` file with one name a line, the first line being number 0.

    Returns
    -------
    dict
        Class number → name, ascending.

    Raises
    ------
    ConfigError
        The file cannot be read, or a number or name in it is missing, repeated or not one.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "data.yaml")
    ...     _ = path.write_text("nc: 2\nnames: {0: person, 3: car}")
    ...     read_class_names(path)
    {0: 'person', 3: 'car'}
    """
    place, suffix = printable(str(path)), Path(path).suffix.lower()
    if suffix not in (".yaml", ".yml", ".txt", ".names"):
        raise ConfigError(f"{place}: expected class names in a .yaml, .yml, .txt or .names file")
    text = _text(place, path)
    names = _from_lines(place, text) if suffix in (".txt", ".names") else _from_yaml(place, text)
    if not names:
        raise ConfigError(f"{place}: holds no class name")
    return dict(sorted(names.items()))


def _text(place: str, path: str | Path) -> str:
    """Return what a file says, in UTF-8 or, with a byte order mark, UTF-16."""
    try:
        with open_regular(path) as file:
            contents = file.read(_MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(f"{place}: cannot be read ({reason})") from error
    if len(contents) > _MOST_BYTES:
        raise ConfigError(f"{place}: over {_MOST_BYTES:,} bytes is no list of class names")
    utf16 = contents.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        text = contents.decode("utf-16" if utf16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"{place}: not text in UTF-8 ({error.reason})") from error
    if "\0" in text:
        raise ConfigError(f"{place}: not text, it holds zero bytes")
    return text


def _from_lines(place: str, text: str) -> dict[int, str]:
    """Read one name a line; blank lines at the end do not count."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").rstrip().split("\n")
    names = {number: line.strip() for number, line in enumerate(lines)}
    for number, name in names.items():
        # Readers that skip blank lines and readers that count them number all names below
        # differently: either reading mislabels data of the other kind.
        if not name and len(lines) > 1:
            raise ConfigError(
                f"{place}:{number + 1}: blank line, so the name of class number {number} is "
                "missing: write it there, or remove the line if it is not counted"
            )
    return {number: name for number, name in names.items() if name}


def _from_yaml(place: str, text: str) -> dict[int, str]:
    """Read `names` from the parsed document, in which aliases are still references."""
    _refuse_depth(place, text)
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        position = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        raise ConfigError(f"{place}{position}: not YAML ({error.problem})") from error
    except (yaml.YAMLError, ValueError) as error:
        raise ConfigError(f"{place}: not YAML ({' '.join(str(error).split())})") from error
    except RecursionError as error:
        raise ConfigError(f"{place}: nested too deeply for a list of class names") from error
    _refuse_code(place, root)
    if not isinstance(root, yaml.MappingNode):
        raise ConfigError(f"{place}: expected 'names: [...]', found no key at all")
    values = [value for key, value in root.value if key.value == "names"]
    if len(values) != 1:
        keys = ", ".join(_excerpt(key) for key, _ in root.value[:10])
        raise ConfigError(
            f"{place}: expected 'names' once, found it {len(values)} times in: {keys}"
        )
    return _names(place, values[0])


def _refuse_depth(place: str, text: str) -> None:
    """Refuse lists in lists in lists: the parser looks at all that are open for every sign."""
    depth = 0
    for bracket in _BRACKET.finditer(text):
        depth = depth + 1 if bracket[0] in "[{" else max(depth - 1, 0)
        if depth > _MOST_NESTED:
            raise ConfigError(f"{place}: nested too deeply for a list of class names")


def _refuse_code(place: str, root: yaml.Node | None) -> None:
    """Refuse tags that ask for Python objects, wherever they are; nothing here would obey them."""
    waiting, seen = [root] if root else [], set[int]()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if "python/" in node.tag:
            raise ConfigError(
                f"{_place(place, node)}: tag {short(node.tag)} asks to run code: refused"
            )
        if isinstance(node, yaml.MappingNode):
            waiting += [part for pair in node.value for part in pair]
        elif isinstance(node, yaml.SequenceNode):
            waiting += node.value


def _names(place: str, node: yaml.Node) -> dict[int, str]:
    """Read a list of names, or number → name."""
    pairs: Iterable[tuple[int, yaml.Node]]
    if isinstance(node, yaml.SequenceNode):
        pairs = enumerate(node.value)
    elif isinstance(node, yaml.MappingNode):
        pairs = [(_number(place, key), value) for key, value in node.value]
    else:
        raise ConfigError(
            f"{_place(place, node)}: 'names' is {short(node.value)}, expected a list or number: name"
        )
    names: dict[int, str] = {}
    for number, value in pairs:
        if number in names:
            raise ConfigError(f"{_place(place, value)}: class number {number} is named twice")
        names[number] = _name(place, number, value)
    return names


def _number(place: str, node: yaml.Node) -> int:
    number = class_number(node.value) if isinstance(node, yaml.ScalarNode) else None
    if number is None:
        raise ConfigError(
            f"{_place(place, node)}: {_excerpt(node)} is no class number; expected an integer "
            "from 0 on, then its name"
        )
    return number


def _name(place: str, number: int, node: yaml.Node) -> str:
    """Return the text of a name as written: `no` and `1` are names here, not values of YAML."""
    if not isinstance(node, yaml.ScalarNode):
        raise ConfigError(
            f"{_place(place, node)}: the name of class number {number} is not one text"
        )
    name = str(node.value).strip()
    if not name or node.tag == "tag:yaml.org,2002:null":
        raise ConfigError(
            f"{_place(place, node)}: the name of class number {number} is empty; a class really "
            f"called {name or 'so'!r} needs quotes"
        )
    return name


def _excerpt(node: yaml.Node) -> str:
    """Return a node as messages show it; the repr of a list would expand every alias in it."""
    return short(node.value) if isinstance(node, yaml.ScalarNode) else "a list or mapping"


def _place(place: str, node: yaml.Node) -> str:
    """Return path:line:column of a node."""
    return f"{place}:{node.start_mark.line + 1}:{node.start_mark.column + 1}"
