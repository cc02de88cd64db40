"""Small changes of a module's meaning: every place of a source where an error could have been written.

A change replaces one node of the syntax tree. Comparisons move by their boundary, operators become
their neighbours, numbers are off by one, conditions are negated or left out, `min` becomes `max`,
a bound of a slice goes, a statement goes. What has no meaning at run time is left alone: docstrings,
annotations, decorators, lists of public names, `strict=True` and `frozen=True`, which only guard, how
fields of dataclasses are shown, and what the garbage collector looks at.

A change is named by its function and its text, never by its line, so that the name outlives edits
elsewhere in the module.
"""

import ast
import copy
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

__all__ = ["Change", "changed", "changes"]


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one module.

    Examples
    --------
    >>> [str(change) for change in changes("def f(a): return a < 1")]
    ['f: a < 1 → a <= 1', 'f: a < 1 → a < 2', 'f: a < 1 → a < 0']
    """

    function: str
    """Qualified name of the function or class around the place; `<module>` for none."""
    text: str
    """The node before and after, and a number where the function has this change more than once."""
    line: int
    number: int
    """Position among all changes of the source."""

    def __str__(self) -> str:
        return f"{self.function}: {self.text}"


def changes(source: str) -> list[Change]:
    """Return all changes of a source, in the order of their places."""
    texts: Counter[tuple[str, str]] = Counter()
    result = []
    for number, place in enumerate(_places(ast.parse(source))):
        text = place.text()
        texts[place.function, text] += 1
        nth = texts[place.function, text]
        text += f" #{nth}" if nth > 1 else ""
        result.append(Change(place.function, text, place.node.lineno, number))
    return result


def changed(source: str, number: int) -> str:
    """Return the source with one change, without comments.

    Examples
    --------
    >>> changed("def f(a): return a < 1", 0)
    'def f(a):\\n    return a <= 1'
    """
    tree = ast.parse(source)
    for position, place in enumerate(_places(tree)):
        if position == number:
            place.replace()
            return ast.unparse(ast.fix_missing_locations(tree))
    raise ValueError(f"the source has no change {number}")


Node = ast.expr | ast.stmt


@dataclass(frozen=True, slots=True)
class _Place:
    function: str
    around: ast.AST | None
    """The expression around a node that says little alone; None for none."""
    node: Node
    replacement: Node
    put: Callable[[Node], None]
    """Puts a node into the tree where the node is."""

    def replace(self) -> None:
        self.put(self.replacement)

    def text(self) -> str:
        """Return before and after: the node, or what is around a constant or a slice."""
        if self.around is None or not isinstance(self.node, ast.Constant | ast.Slice):
            return f"{_brief(self.node)} → {_brief(self.replacement)}"
        before = _brief(self.around)
        self.replace()
        after = _brief(self.around)
        self.put(self.node)
        return f"{before} → {after}"


def _places(tree: ast.Module) -> Iterator[_Place]:
    yield from _below(tree, "<module>", None)


def _below(parent: ast.AST, function: str, around: ast.AST | None) -> Iterator[_Place]:
    if isinstance(parent, ast.stmt):
        is_short = isinstance(parent, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.Return)
        around = parent if is_short else None
    elif not isinstance(parent, ast.Slice | ast.Tuple | ast.UnaryOp) and parent._fields:
        around = parent
    for name, value in ast.iter_fields(parent):
        if name in {"annotation", "returns", "decorator_list", "type_params"}:
            continue
        nodes = value if isinstance(value, list) else [value]
        for position, node in enumerate(nodes):
            if not isinstance(node, ast.AST) or _is_without_meaning(node, parent):
                continue
            if isinstance(node, ast.expr | ast.stmt):
                for replacement in _replacements(node, parent):
                    put = _putter(parent, name, position if isinstance(value, list) else None)
                    yield _Place(function, around, node, replacement, put)
            yield from _below(node, _inside(function, node), around)


def _putter(parent: ast.AST, name: str, position: int | None) -> Callable[[Node], None]:
    def put(node: Node) -> None:
        if position is None:
            setattr(parent, name, node)
        else:
            getattr(parent, name)[position] = node

    return put


def _inside(function: str, node: ast.AST) -> str:
    if not isinstance(node, ast.FunctionDef | ast.ClassDef):
        return function
    return node.name if function == "<module>" else f"{function}.{node.name}"


def _is_without_meaning(node: ast.AST, parent: ast.AST) -> bool:
    match node:
        case ast.Expr(value=ast.Constant()):  # a docstring
            return True
        case ast.Assign(targets=[ast.Name(id="__all__" | "__slots__")]):
            return True
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
        case ast.Call(func=ast.Name(id="TypeVar" | "assert_never")):
            return True
        case ast.keyword(arg="strict" | "init" | "repr" | "frozen" | "gc"):
            return True
        case ast.UnaryOp(op=ast.USub()):  # any negative length is the one that numpy works out
            return isinstance(parent, ast.Call) and _name(parent.func) == "reshape"
    return isinstance(parent, ast.Call) and _name(parent.func) == "cast" and node is parent.args[0]


def _brief(node: ast.AST) -> str:
    """Return the text of a node; only the head of a statement with a body."""
    if isinstance(node, ast.Pass):
        return "(nothing)"
    text = ast.unparse(node)
    return text.partition("\n")[0] if isinstance(node, ast.stmt) else " ".join(text.split())


def _name(node: ast.AST) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


# What a node may become

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitAnd,
}
_PAIRS = [
    ("min", "max"),
    ("any", "all"),
    ("minimum", "maximum"),
    ("fmin", "fmax"),
    ("argmin", "argmax"),
    ("floor", "ceil"),
    ("zeros", "ones"),
    ("startswith", "endswith"),
    ("removeprefix", "removesuffix"),
    ("find", "rfind"),
    ("partition", "rpartition"),
    ("lstrip", "rstrip"),
    ("bisect_left", "bisect_right"),
    ("cos", "sin"),
    ("lower", "upper"),
]
_NAMES = dict(_PAIRS) | {b: a for a, b in _PAIRS} | {"sorted": "list"}
_STRINGS = {"left": "right", "right": "left", "ignore": "strict", "stable": "quicksort"}


def _replacements(node: Node, parent: ast.AST) -> Iterator[Node]:
    if isinstance(node, ast.stmt):
        yield from _statements(node, parent)
    else:
        yield from _expressions(node)
        if _is_condition(node, parent) and not isinstance(node, ast.UnaryOp):
            yield ast.UnaryOp(ast.Not(), node)


def _is_condition(node: ast.expr, parent: ast.AST) -> bool:
    """Return whether an expression is a condition that no other change negates already."""
    tests = isinstance(parent, ast.If | ast.While | ast.IfExp) and parent.test is node
    return (tests or (isinstance(parent, ast.comprehension) and node in parent.ifs)) and not (
        isinstance(node, ast.Compare)
        and isinstance(node.ops[0], ast.Eq | ast.NotEq | ast.Is | ast.IsNot | ast.In | ast.NotIn)
    )


def _statements(node: ast.stmt, parent: ast.AST) -> Iterator[Node]:
    match node:
        case ast.If(orelse=[]) | ast.Expr() | ast.AugAssign() | ast.Raise() | ast.Delete():
            yield ast.Pass()
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()]):
            yield ast.Pass()
        case ast.Return() if not isinstance(parent, ast.FunctionDef):
            yield ast.Pass()
        case ast.Continue():
            yield ast.Break()
        case ast.Break():
            yield ast.Continue()
    if isinstance(node, ast.AugAssign) and type(node.op) in _OPERATORS:
        yield _with(node, op=_OPERATORS[type(node.op)]())


def _expressions(node: ast.expr) -> Iterator[Node]:
    match node:
        case ast.Compare() | ast.BinOp() | ast.BoolOp() | ast.UnaryOp():
            yield from _operations(node)
        case ast.Constant(value=value):
            yield from map(ast.Constant, _neighbours(value))
        case ast.Call(func=ast.Name(id=name)) if name in _NAMES:
            yield _with(node, func=ast.Name(_NAMES[name], ast.Load()))
        case ast.Call(func=ast.Attribute(attr=name) as function) if name in _NAMES:
            yield _with(node, func=_with(function, attr=_NAMES[name]))
        case ast.Slice(lower=lower, upper=upper):
            yield from (_with(node, lower=None) for _ in (lower,) if lower)
            yield from (_with(node, upper=None) for _ in (upper,) if upper)
        case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
            for position, loop in enumerate(node.generators):
                if loop.ifs:
                    loops = [*node.generators]
                    loops[position] = ast.comprehension(loop.target, loop.iter, [], loop.is_async)
                    yield _with(node, generators=loops)


def _operations(node: ast.expr) -> Iterator[Node]:
    match node:
        case ast.Compare(ops=ops):
            for position, op in enumerate(ops):
                other = _COMPARISONS[type(op)]()
                yield _with(node, ops=[*ops[:position], other, *ops[position + 1 :]])
        case ast.BinOp(op=op) if type(op) in _OPERATORS:
            yield _with(node, op=_OPERATORS[type(op)]())
        case ast.BoolOp(op=op):
            yield _with(node, op=ast.Or() if isinstance(op, ast.And) else ast.And())
        case ast.UnaryOp(op=ast.Not() | ast.USub() | ast.Invert(), operand=operand):
            yield operand


def _neighbours(value: object) -> list[Any]:
    match value:
        case bool():
            return [not value]
        case int() | float():
            steps = [value + 1, value - 1]
            return steps if value not in steps else [value * 2, value / 2]
        case str() if value in _STRINGS:
            return [_STRINGS[value]]
    return []


def _with(node: Node, **fields: object) -> Node:
    replacement = copy.copy(node)
    for name, value in fields.items():
        setattr(replacement, name, value)
    return replacement
