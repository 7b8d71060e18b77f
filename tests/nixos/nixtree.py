"""The syntax tree of a Nix text, and questions about its nodes; see rfc166.py."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import tree_sitter_nix
from tree_sitter import Language, Node, Parser

_PARSER = Parser(Language(tree_sitter_nix.language()))

STRINGS = ("string_expression", "indented_string_expression")
PATHS = ("path_expression", "hpath_expression", "spath_expression", "uri_expression")
SETS = ("attrset_expression", "rec_attrset_expression", "let_attrset_expression")
BRACKETS = (*SETS, "list_expression", "formals")
_WHOLE = (*STRINGS, *PATHS)


def parse(source: bytes) -> Node:
    """The root of the tree, of which `has_error` says whether the text is Nix."""
    # The grammar knows no comma after the last formal argument, so it is parsed as a blank.
    return _PARSER.parse(re.sub(rb",(?=(?:\s|#[^\n]*\n)*\})", b" ", source)).root_node


def row_of(node: Node) -> int:
    return node.start_point[0]


def end_of(node: Node) -> int:
    return node.end_point[0]


def code_of(node: Node) -> str:
    return (node.text or b"").decode()


def label_of(node: Node) -> str:
    text = code_of(node)
    return (
        "a comment" if node.type == "comment" else f"`{text if len(text) < 20 else text[:17] + '…'}`".replace("\n", " ")
    )


def walk(node: Node) -> Iterator[Node]:
    """Yield the node and all below it, in the order of the text."""
    waiting = [node]
    while waiting:  # a generator that calls itself hands each node up through every level
        node = waiting.pop()
        yield node
        waiting += reversed(node.children)


def first_error(node: Node) -> int:
    return next((row_of(part) for part in walk(node) if part.is_error or part.is_missing), row_of(node))


def is_same(a: Node | None, b: Node) -> bool:
    return a is not None and a.id == b.id


def token_of(node: Node, kind: str) -> Node:
    return next(child for child in node.children if child.type == kind)


def items_of(node: Node) -> list[Node]:
    """What stands between the brackets, comments included."""
    inner = [child for child in node.children if child.type not in ("{", "}", "[", "]", ",", "rec", "let")]
    return [item for child in inner for item in (child.children if child.type == "binding_set" else [child])]


def chain_of(node: Node) -> list[Node]:
    """The application `f a b` as [f, a, b]."""
    arguments: list[Node] = []
    while node.type == "apply_expression":
        function, argument = node.child_by_field_name("function"), node.child_by_field_name("argument")
        assert function is not None
        assert argument is not None
        arguments.insert(0, argument)
        node = function
    return [node, *arguments]


def operator_of(node: Node) -> str:
    operator = node.child_by_field_name("operator")
    return "" if operator is None else code_of(operator)


def leftmost(node: Node) -> Node:
    while node.type == "binary_expression":
        left = node.child_by_field_name("left")
        assert left is not None
        node = left
    return node


def rightmost(node: Node) -> Node:
    while node.type == "binary_expression":
        right = node.child_by_field_name("right")
        assert right is not None
        node = right
    return node


def plain_parameters(node: Node) -> int:
    """How many plain arguments end with the one of this function: 3 for the innermost of `a: b: c: …`."""
    count = 1
    while node.parent is not None and node.parent.type == "function_expression":
        node = node.parent
        if node.child_by_field_name("formals") is not None:
            break
        count += 1
    return count


def is_bracket_like(node: Node) -> bool:
    """Whether it may begin on the line of what it belongs to and go on below."""
    if node.type == "parenthesized_expression":
        return is_bracket_like(node.children[1])
    if node.type == "indented_string_expression":
        return row_of(node) != end_of(node)
    return node.type in ("list_expression", *SETS) and bool(items_of(node))


def is_value(node: Node) -> bool:
    """Whether it is the right side of a binding, also behind `with …;`."""
    parent = node.parent
    while parent is not None and parent.type == "with_expression":
        parent = parent.parent
    return parent is not None and parent.type == "binding"


def is_simple(node: Node) -> bool:
    if node.type == "parenthesized_expression":
        return is_simple(node.children[1])
    if node.type == "apply_expression":
        return len(chain_of(node)) <= 3 and all(is_simple(part) for part in chain_of(node))
    if node.type == "select_expression":
        return "or" not in [code_of(child) for child in node.children]
    return node.type in (*STRINGS, *PATHS, "variable_expression", "integer_expression", "float_expression")


def may_stay_on_a_line(node: Node, items: list[Node]) -> bool:
    """A list of up to six simple items may stay on a line as an argument that is not the last, or beside a
    last list.
    """
    parent = node.parent
    if parent is None or parent.type != "apply_expression" or len(items) > 6 or not all(map(is_simple, items)):
        return False
    while (
        parent.parent is not None
        and parent.parent.type == "apply_expression"
        and is_same(parent.parent.child_by_field_name("function"), parent)
    ):
        parent = parent.parent
    chain = chain_of(parent)
    return not is_same(chain[-1], node) or (len(chain) > 2 and chain[-2].type == "list_expression")


def selections(root: Node) -> Iterator[list[str]]:
    """Yield what is selected or asked for by name, each `a.b.c`, `a.b ? c` and `inherit (a.b) c` as [a, b, c]."""
    for node in walk(root):
        source, path = node.child_by_field_name("expression"), node.child_by_field_name("attrpath")
        names = node.child_by_field_name("attrs") if node.type == "inherit_from" else None
        if source is None or (path is None and names is None):
            continue
        before = list(selections(source))[:1] or [[code_of(source)]]
        for part in [path] if path is not None else names.named_children if names is not None else []:
            parts = part.named_children if part.type == "attrpath" else [part]
            yield [*before[0], *(code_of(name).strip('"') for name in parts)]


def shell_parts(library: Path) -> set[str]:
    """Return the parts of the fact `shell` that a library reads: `shell.NAME`, and `project.shell.NAME`."""
    found = [names for path in library.rglob("*.nix") for names in selections(parse(path.read_bytes()))]
    parts = [names[1:] if names[0] == "project" else names for names in found]
    return {names[1] for names in parts if names[0] == "shell" and len(names) > 1}


# --- tokens ---


def tokens_of(node: Node) -> list[Node]:
    """The tokens of an expression; a string or path is one."""
    tokens, waiting = [], [node]
    while waiting:
        node = waiting.pop()
        children = [] if node.type in _WHOLE else node.children
        waiting += reversed(children)
        if not children:
            tokens.append(node)
    return tokens


def token_runs(root: Node) -> Iterator[list[Node]]:
    """The tokens of the file, and those of each interpolation in a string."""
    yield tokens_of(root)
    for node in walk(root):
        if node.type == "interpolation" and node.parent is not None and node.parent.type in (*STRINGS, *PATHS):
            yield [token for child in node.children for token in tokens_of(child)]


def tight(left: Node, right: Node) -> bool:
    """Whether two tokens stand side by side."""
    if right.type == "comment":
        return False
    if right.type in (";", ",", ")", ":", "@") or left.type in ("(", "@", "${"):
        return True
    if "." in (left.type, right.type) and "integer_expression" not in (left.type, right.type):
        return True
    if left.type in ("!", "-") and left.parent is not None and left.parent.type == "unary_expression":
        return True
    return right.type == "}" and right.parent is not None and right.parent.type == "interpolation"
