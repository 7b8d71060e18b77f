"""Two rules for Nix code: no unused `let` binding, and no unused argument.

`unused` reads the syntax tree and resolves names as Nix does: from the innermost `let`, `rec` set or function outwards.
`with` never hides such a name, so it needs no rule of its own. A binding that only itself and other unused bindings
refer to is unused. An argument whose name begins with `_` may be unused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from tree_sitter import Node

from nixos.nixtree import code_of, first_error, is_same, parse, row_of

REC = ("rec_attrset_expression", "let_attrset_expression")


def unused(text: str) -> list[str]:
    """Return what a Nix text defines and does not use, as "LINE: unused binding NAME", in the order of lines."""
    root = parse(text.encode())
    if root.has_error:
        return [f"{first_error(root) + 1}: no Nix that can be parsed"]
    lint = _Lint()
    lint.visit(root)
    return [f"{row + 1}: unused {kind} {name}" for row, kind, name in sorted(lint.found)]


@dataclass
class _Scope:
    """The names that one `let`, `rec` set or function defines.

    `uses` has the names of this scope that each part refers to. A part is the value of one name; the part "" is the
    body. `part` is the one that is being read.
    """

    rows: Mapping[str, int]
    part: str = ""
    uses: dict[str, set[str]] = field(default_factory=dict)

    def use(self, *names: str) -> None:
        """Note that the part that is being read refers to these names."""
        self.uses.setdefault(self.part, set()).update(names)

    def unused(self) -> set[str]:
        """Return the names that the body does not refer to, directly or by way of other names."""
        waiting = [""]
        reached: set[str] = set()
        while waiting:
            new = self.uses.get(waiting.pop(), set()) - reached
            reached |= new
            waiting += new
        return self.rows.keys() - reached


class _Lint:
    def __init__(self) -> None:
        self.found: set[tuple[int, str, str]] = set()
        self.scopes: list[_Scope] = []

    def visit(self, node: Node) -> None:
        """Read an expression, or any other node, in the scopes that are open."""
        if node.type == "variable_expression":
            self.refer(node)
        elif node.type == "let_expression":
            self.visit_let(node)
        elif node.type == "function_expression":
            self.visit_function(node)
        elif node.type in REC:
            with self.scope(_names(node)) as scope:
                self.visit_bindings(node, scope)
        elif node.type == "inherit":
            for name, _ in _inherited(node):
                self.look_up(name)
        else:
            for child in node.named_children:
                self.visit(child)

    def refer(self, node: Node) -> None:
        """Note that a variable is used. Of a set of arguments, `set.name` uses one and anything else uses all."""
        name = code_of(node)
        scope = self.look_up(name)
        if scope is None or not isinstance(scope, _Arguments) or name != scope.whole:
            return
        parent = node.parent
        path = parent.child_by_field_name("attrpath") if parent is not None else None
        select = parent is not None and parent.type in ("select_expression", "has_attr_expression")
        if select and parent is not None and is_same(parent.child_by_field_name("expression"), node) and path:
            first = _static(path.named_children[0])
            scope.use(*scope.rows if first is None else {first} & scope.rows.keys())
        elif parent is not None and parent.type == "inherit_from":
            scope.use(*{name for name, _ in _inherited(parent)} & scope.rows.keys())
        else:
            scope.use(*scope.rows)

    def look_up(self, name: str) -> _Scope | None:
        """Note that the name is used in the scope that defines it, and return that; None for a name from elsewhere."""
        for scope in reversed(self.scopes):
            if name in scope.rows:
                scope.use(name)
                return scope
        return None

    def visit_let(self, node: Node) -> None:
        with self.scope(_names(node)) as scope:
            self.visit_bindings(node, scope)
            scope.part = ""
            body = node.child_by_field_name("body")
            assert body is not None
            self.visit(body)
        self.report(scope, "binding", scope.unused())

    def visit_bindings(self, node: Node, scope: _Scope) -> None:
        """Read the values of a `let` or `rec` set, each as the part of the names that it defines."""
        for binding in _bindings(node):
            if binding.type == "inherit":
                # The names come from outside of this scope.
                self.scopes.pop()
                self.visit(binding)
                self.scopes.append(scope)
                continue
            for name in [name for name, _ in _defined(binding)] or [""]:
                scope.part = name
                for child in binding.named_children:
                    self.visit(child)

    def visit_function(self, node: Node) -> None:
        whole, formals = node.child_by_field_name("universal"), node.child_by_field_name("formals")
        items = [] if formals is None else [item for item in formals.named_children if item.type == "formal"]
        names = [name for item in items if (name := item.child_by_field_name("name")) is not None]
        names += [] if whole is None else [whole]
        rows = {code_of(name): row_of(name) for name in names}
        at = "" if whole is None else code_of(whole)
        with self.scope(rows, whole=at) as scope:
            for item in items:
                if (default := item.child_by_field_name("default")) is not None:
                    self.visit(default)
            body = node.child_by_field_name("body")
            assert body is not None
            self.visit(body)
        self.report(scope, "argument", (name for name in scope.unused() if not name.startswith("_")))

    @contextmanager
    def scope(self, rows: Mapping[str, int], *, whole: str | None = None) -> Iterator[_Scope]:
        """Open a scope for what is read in the block."""
        scope = _Scope(rows) if whole is None else _Arguments(rows, whole=whole)
        self.scopes.append(scope)
        yield scope
        self.scopes.pop()

    def report(self, scope: _Scope, kind: str, names: Iterable[str]) -> None:
        self.found.update((scope.rows[name], kind, name) for name in names)


@dataclass
class _Arguments(_Scope):
    """The arguments of a function; `whole` is the name of the set of all of them, empty where it has none."""

    whole: str = ""


def _bindings(node: Node) -> list[Node]:
    sets = [child for child in node.children if child.type == "binding_set"]
    return [binding for child in sets for binding in child.named_children if binding.type != "comment"]


def _names(node: Node) -> dict[str, int]:
    """Return the names that a `let` or `rec` set defines, each with its row."""
    found: dict[str, int] = {}
    for binding in _bindings(node):
        for name, row in _defined(binding):
            found.setdefault(name, row)
    return found


def _defined(binding: Node) -> list[tuple[str, int]]:
    """Return the names that one binding defines: the first of `a.b = …`, all of `inherit a b`, none of `${a} = …`."""
    if binding.type != "binding":
        return _inherited(binding)
    first = binding.named_children[0].named_children[0]
    name = _static(first)
    return [] if name is None else [(name, row_of(first))]


def _inherited(node: Node) -> list[tuple[str, int]]:
    names = node.child_by_field_name("attrs")
    parts = [] if names is None else names.named_children
    return [(name, row_of(part)) for part in parts if (name := _static(part)) is not None]


def _static(part: Node) -> str | None:
    """Return the name that a part of an attribute path is, `a` or `"a"`; None for one that an expression makes."""
    if part.type == "identifier":
        return code_of(part)
    if part.type == "string_expression" and all(child.type == "string_fragment" for child in part.named_children):
        return code_of(part)[1:-1]
    return None
