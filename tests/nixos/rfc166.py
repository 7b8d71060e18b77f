"""Is a Nix text formatted by the rules of RFC 166? A judge for generated files.

nixfmt itself cannot be had where these tests run. `violations` knows the rules that a reader can check one by
one (the "standard Nix format" of the RFC): spaces between tokens, indentation that follows the nesting, what
must be spread over lines and what must not, where brackets, operators, keywords, commas and semicolons stand.
It does not lay a text out anew, so it can miss a deviation. It is written to accept whatever nixfmt prints,
but for comments in the middle of an expression (`a # why` and the `;` on the next line), and one rule is
ours: a comment has a blank after its `#`.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

import tree_sitter_nix
from tree_sitter import Language, Node, Parser

_PARSER = Parser(Language(tree_sitter_nix.language()))

_STRINGS = ("string_expression", "indented_string_expression")
_PATHS = ("path_expression", "hpath_expression", "spath_expression", "uri_expression")
_SETS = ("attrset_expression", "rec_attrset_expression", "let_attrset_expression")
_BRACKETS = (*_SETS, "list_expression", "formals")


def violations(text: str, *, width: int = 100) -> list[str]:
    """What in `text` is not as RFC 166 wants it, as "LINE: rule", in the order of lines; empty if all is
    well.
    """
    return _Judge(text, width).judge()


class _Judge:
    def __init__(self, text: str, width: int) -> None:
        self.text = text
        self.width = width
        self.lines = text.split("\n")
        self.source = text.encode()
        # The grammar knows no comma after the last formal argument, so it is parsed as a blank.
        masked = re.sub(rb",(?=(?:\s|#[^\n]*\n)*\})", b" ", self.source)
        self.root = _PARSER.parse(masked).root_node
        self.found: set[tuple[int, str]] = set()
        self.expected: dict[int, int] = {}  # line -> the indentation that nesting gives it
        self.in_string: set[int] = set()  # lines that begin inside a string

    def judge(self) -> list[str]:
        if self.root.has_error:
            return [f"{_first_error(self.root) + 1}: no Nix that can be parsed"]
        for node in _walk(self.root):
            if node.type in _STRINGS or node.type == "comment":
                self.in_string.update(range(_row(node) + 1, _end(node) + 1))
            if node.type == "interpolation":  # its code is code again
                self.in_string.difference_update(range(_row(node) + 1, _end(node) + 1))
        self.check_lines()
        for sequence in _sequences(self.root):
            self.check_spaces(sequence)
        for node in _walk(self.root):
            check = getattr(self, f"check_{node.type}", None) if node.is_named else None
            if check is not None:
                check(node)
            elif node.type in _BRACKETS:
                self.check_brackets(node)
            self.check_fits(node)
        self.check_indentation()
        return [f"{row + 1}: {rule}" for row, rule in sorted(self.found)]

    def report(self, row: int, rule: str) -> None:
        """Note a violation on the line `row`, counted from 0."""
        self.found.add((row, rule))

    # --- lines ---

    def check_lines(self) -> None:
        """Blanks, tabs, blank lines, the end of the file, the width."""
        if not self.text.endswith("\n") or self.text.endswith("\n\n"):
            self.report(len(self.lines) - 1, "the file ends with one newline")
        for row, line in enumerate(self.lines[:-1]):
            after = row + 1 in self.in_string
            if line.endswith("\r") or (line != line.rstrip() and not after):
                self.report(row, "no blanks at the end of a line")
            if "\t" in line and row not in self.in_string and "\t" in line[: len(line) - len(line.lstrip())]:
                self.report(row, "no tabs")
            if row not in self.in_string and not line and (row == 0 or not self.lines[row - 1]):
                self.report(row, "no two blank lines in a row, none at the start")
        unbreakable = {_row(leaf) for leaf in _leaves(self.root) if leaf.type in (*_STRINGS, *_PATHS, "comment")}
        for row, line in enumerate(self.lines):
            if len(line.strip()) > self.width and row not in unbreakable | self.in_string:
                self.report(row, f"code is at most {self.width} columns wide, not counting its indentation")

    # --- spaces ---

    def check_spaces(self, sequence: list[Node]) -> None:
        """Between two tokens of a line stands one space, or none where they belong together."""
        for left, right in itertools.pairwise(sequence):
            if _end(left) != _row(right):
                continue
            gap = self.source[left.end_byte : right.start_byte].removeprefix(b",")
            wanted = 0 if _tight(left, right) else 1
            if len(gap) != wanted:
                here = f"between {_label(left)} and {_label(right)}"
                self.report(_row(right), f"{'one space' if wanted else 'no space'} {here}")

    def check_comment(self, node: Node) -> None:
        content = _text(node)
        if content.startswith("/*") and _row(node) == _end(node):
            following = node.next_sibling
            if following is None or following.type not in _STRINGS or _row(following) != _row(node):
                self.report(_row(node), "a comment of one line begins with #")
        if content.startswith("#") and len(content) > 1 and content[1] not in " #!":
            self.report(_row(node), "one space after #")

    # --- indentation ---

    def indent(self, row: int) -> int:
        line = self.lines[row]
        return len(line) - len(line.lstrip(" "))

    def first(self, node: Node) -> bool:
        """Whether the node is the first on its line."""
        return not self.lines[_row(node)].encode()[: node.start_point[1]].strip()

    def place(self, node: Node | None, anchor: Node, levels: int) -> None:
        """`node`, where it begins a line, is indented as the line on which `anchor` begins, and `levels`
        more.
        """
        if node is not None and self.first(node):
            self.expected[_row(node)] = self.indent(_row(anchor)) + 2 * levels

    def check_indentation(self) -> None:
        for sequence in _sequences(self.root):
            self.place_comments(sequence)
        first_leaves = (leaf for leaf in _leaves(self.root) if self.first(leaf))
        for leaf in first_leaves:
            row = _row(leaf)
            if row in self.in_string or (leaf.type == "comment" and row not in self.expected):
                continue
            wanted = self.expected.get(row, 0)
            if self.indent(row) != wanted:
                self.report(row, f"indented by {wanted}, as it is nested")

    def place_comments(self, sequence: list[Node]) -> None:
        """A comment on a line of its own stands where the next token stands, or a level deeper than what it
        closes.
        """
        following: Node | None = None
        for token in reversed(sequence):
            if token.type != "comment":
                following = token
            elif self.first(token) and following is not None and _row(following) in self.expected:
                closes = following.type in ("}", "]", ")", "in")
                self.expected[_row(token)] = self.expected[_row(following)] + (2 if closes else 0)

    def check_source_code(self, node: Node) -> None:
        for child in node.children:
            self.place(child, child, 0)
            if self.first(child):
                self.expected[_row(child)] = 0

    # --- brackets ---

    def check_brackets(self, node: Node) -> None:
        """Sets, lists and formal arguments: spread or not, and how."""
        opening = next(child for child in node.children if child.type in ("{", "["))
        closing = next(child for child in reversed(node.children) if child.type in ("}", "]"))
        items = [item for item in _items(node) if item.type != "comment"]
        if _row(opening) == _row(closing):
            self.check_one_line(node, items)
            return
        self.place(closing, opening, 0)
        if not self.first(closing):
            self.report(_row(closing), "a closing bracket that is spread begins its line")
        for item in _items(node):
            self.place(item, opening, 1)
        for item in items:
            if not self.first(item):
                self.report(_row(item), "one item a line in what is spread")
        if node.type == "formals" and items:
            if items[-1].type == "formal" and self.source[items[-1].end_byte :][:1] != b",":
                self.report(_row(items[-1]), "a comma after the last argument")
            for child in node.children:
                if child.type == "," and self.first(child):
                    self.report(_row(child), "a comma ends its line")

    def check_one_line(self, node: Node, items: list[Node]) -> None:
        row = _row(node)
        if node.type == "formals":
            plain = [item for item in items if item.type == "formal"]
            if len(plain) > 2 or any(len(item.children) > 1 for item in plain):
                self.report(row, "more than two arguments, or defaults, stand one a line")
            if items and self.source[items[-1].end_byte :][:1] == b",":
                self.report(row, "no comma after the last argument on one line")
        elif node.type == "list_expression":
            if len(items) > 1 and not _may_stay(node, items):
                self.report(row, "a list of more than one stands one a line")
        elif len(items) > 1:
            self.report(row, "a set of more than one stands one a line")
        elif items and items[0].type == "binding" and _is_value(node):
            self.report(row, "a set that is a value is spread")

    # --- expressions ---

    def check_let_expression(self, node: Node) -> None:
        let, in_ = (_child(node, word) for word in ("let", "in"))
        body = node.child_by_field_name("body")
        if not self.first(let) or not self.first(in_) or (body is not None and not self.first(body)):
            self.report(_row(node), "let, in and the body begin their lines")
        bindings = [child for child in node.children if child.type in ("binding_set", "comment")]
        for child in bindings:
            if child.start_byte < in_.start_byte:
                for item in child.children if child.type == "binding_set" else [child]:
                    self.place(item, let, 1)
                    if item.type != "comment" and not self.first(item):
                        self.report(_row(item), "one binding a line")
        self.place(in_, let, 0)
        self.place(body, let, 0)

    def check_binding(self, node: Node) -> None:
        self.check_value(node, node.child_by_field_name("expression"), _child(node, "="))
        end, value = _child(node, ";"), node.child_by_field_name("expression")
        if value is not None and _row(end) != _end(value):
            self.report(_row(end), "a semicolon ends the line of the value")

    def check_formal(self, node: Node) -> None:
        if node.child_by_field_name("default") is not None:
            self.check_value(node, node.child_by_field_name("default"), _child(node, "?"))

    def check_value(self, node: Node, value: Node | None, sign: Node) -> None:
        """What stands right of `=` or `?`."""
        if value is None:
            return
        self.place(value, node, 1)
        if _row(sign) != _end(node.children[0]):
            self.report(_row(sign), f"{_text(sign)} stands on the line of the name")
        if _row(value) == _row(sign) and _row(value) != _end(value) and not self.may_follow(value):
            self.report(_row(value), "what is spread and no bracket begins on the line below the name")

    def may_follow(self, value: Node) -> bool:
        """Whether a value of several lines may begin on the line of its name."""
        if value.type in (*_BRACKETS, *_STRINGS, *_PATHS, "parenthesized_expression"):
            return True
        if value.type == "apply_expression":
            return not any(self.first(argument) for argument in _chain(value)[1:])
        if value.type in ("with_expression", "function_expression"):
            body = value.child_by_field_name("body")
            return body is not None and not self.first(body) and self.may_follow(body)
        if value.type == "binary_expression":
            left, last = _leftmost(value), _rightmost(value)
            inline = self.lines[_row(value)].rstrip().endswith(("{", "[", "''", "("))
            return _absorbable(left) or (inline and _absorbable(last) and _row(last) == _row(value))
        return False

    def check_inherit(self, node: Node) -> None:
        names = [name for child in node.children if child.type == "inherited_attrs" for name in child.children]
        end = _child(node, ";")
        if _row(node) == _row(end):
            if len([name for name in names if name.type != "comment"]) > 3:
                self.report(_row(node), "more than three inherited names stand one a line")
            return
        for part in (*names, *node.children[1:]):
            self.place(part, node, 1)
        spread = [name for name in names if self.first(name)]
        if len(spread) != len(names) or not self.first(end):
            self.report(_row(node), "inherited names stand one a line, and the semicolon too")

    check_inherit_from = check_inherit

    def check_function_expression(self, node: Node) -> None:
        body = node.child_by_field_name("body")
        self.place(body, node, 0)
        colon = _child(node, ":")
        if body is None or self.first(body):
            self.check_arguments(node, body)
            return
        formals = node.child_by_field_name("formals")
        if formals is not None and _row(formals) != _end(formals):
            self.report(_row(body), "the body begins on its own line after arguments that are spread")
        if formals is None and _parameters(node) > 2 and not _absorbable(body) and body.type != "function_expression":
            self.report(_row(colon), "after more than two arguments the body begins on its own line")

    def check_arguments(self, node: Node, body: Node | None) -> None:
        """Plain arguments follow each other on a line while they fit and no comment parts them."""
        if body is None or body.type != "function_expression" or any(part.type == "comment" for part in node.children):
            return
        both = [self.lines[_row(part)].strip() for part in (node, body)]
        plain = all(part.child_by_field_name("formals") is None for part in (node, body))
        if plain and len(" ".join(both)) <= self.width and _row(body) == _row(node) + 1:
            self.report(_row(body), "what fits on one line stands on one")

    def check_with_expression(self, node: Node) -> None:
        self.place(node.child_by_field_name("body"), node, 0)

    def check_assert_expression(self, node: Node) -> None:
        body = node.child_by_field_name("body")
        self.place(body, node, 0)
        self.place(node.child_by_field_name("condition"), node, 1)
        if body is not None and not self.first(body):
            self.report(_row(body), "the body of an assert begins its line")

    def check_if_expression(self, node: Node) -> None:
        then, else_ = _child(node, "then"), _child(node, "else")
        condition, yes, no = (node.child_by_field_name(n) for n in ("condition", "consequence", "alternative"))
        chained = no is not None and no.type == "if_expression"
        if _row(node) == _end(node):
            if chained:
                self.report(_row(node), "else if stands on its own line")
            return
        for part, levels in ((condition, 1), (then, 0), (yes, 1), (else_, 0), (no, 1)):
            self.place(part, node, levels)
        if not self.first(else_) or (yes is not None and not self.first(yes)):
            self.report(_row(else_), "else and what follows then begin their lines")
        if no is not None and self.first(no) == chained:
            self.report(_row(no), "what follows else begins its line, but for else if")
        if condition is not None and self.first(condition) != self.first(then):
            self.report(_row(then), "then ends the line of if, or begins its own after a spread condition")

    def check_apply_expression(self, node: Node) -> None:
        if (
            node.parent is not None
            and node.parent.type == "apply_expression"
            and _same(node.parent.child_by_field_name("function"), node)
        ):
            return
        head, *arguments = _chain(node)
        for argument in arguments:
            self.place(argument, head, 1)
        last = arguments[-1]
        if last.type == "parenthesized_expression" and _row(last) != _end(last):
            self.check_last_argument(last)

    def check_last_argument(self, node: Node) -> None:
        """A last argument in parentheses begins beside them if it is a bracket, a function of one plain argument that
        returns one, or a name applied to one; else on the next line.
        """
        inner = node.children[1]
        beside = _absorbable(inner)
        if inner.type == "function_expression" and inner.child_by_field_name("formals") is None:
            body = inner.child_by_field_name("body")
            beside = body is not None and _absorbable(body)
        elif inner.type == "apply_expression":
            head, *arguments = _chain(inner)
            beside = head.type == "variable_expression" and len(arguments) == 1 and _absorbable(arguments[0])
        if any(part.type == "comment" for part in (*node.children, *inner.children)):
            return
        if beside and self.first(inner):
            self.report(_row(inner), "a function or call that ends in a bracket begins beside its parenthesis")
        if not beside and not self.first(inner):
            self.report(_row(inner), "a last argument in parentheses begins on the line below them")

    def check_binary_expression(self, node: Node) -> None:
        left, operator, right = (node.child_by_field_name(name) for name in ("left", "operator", "right"))
        if left is None or operator is None or right is None:
            return
        top = node
        while top.parent is not None and top.parent.type == node.type and _operator(top.parent) == _operator(node):
            top = top.parent
        self.place(operator, _leftmost(top), 0)
        self.place(right, operator, 1)
        if _row(right) != _row(operator) and not self.first(operator):
            self.report(_row(operator), "an operator begins a line and does not end one")

    def check_select_expression(self, node: Node) -> None:
        for child in node.children[1:]:
            deeper = child.type == "or" and self.indent(_row(child)) > self.indent(_row(node))
            self.place(child, node, 1 if deeper else 0)  # nixfmt prints `or` at either level

    def check_parenthesized_expression(self, node: Node) -> None:
        opening, inner, closing = node.children[0], node.children[1:-1], node.children[-1]
        for child in inner:
            self.place(child, opening, 1)
        self.place(closing, opening, 0)
        code = [child for child in inner if child.type != "comment"]
        if code and self.first(closing) and not self.first(code[0]) and _row(code[0]) == _end(code[0]):
            self.report(_row(closing), "a closing parenthesis ends the line of what it closes")

    def check_interpolation(self, node: Node) -> None:
        for child in node.children[1:-1]:
            self.place(child, node, 1)
        self.place(node.children[-1], node, 0)

    def check_indented_string_expression(self, node: Node) -> None:
        """The text is one level deeper than the line on which the string begins, and the quotes close at its
        level.
        """
        first, last = _row(node), _end(node)
        if first == last:
            if not any(special in _text(node)[2:-2] for special in ('"', "\\")):
                self.report(first, "a string of one line stands in plain quotes")
            return
        if self.lines[first].encode()[node.start_point[1] + 2 :].strip():
            self.report(first, "a string of several lines begins on the line below its quotes")
            return
        code = {
            row
            for child in _walk(node)
            if child.type == "interpolation"
            for row in range(_row(child) + 1, _end(child) + 1)
        }
        rows = [row for row in range(first + 1, last + 1) if row not in code]
        closing_alone = self.lines[last].encode()[: node.end_point[1]].strip() == b"''"
        text = [row for row in rows if self.lines[row].strip() and not (closing_alone and row == last)]
        wanted = self.indent(first) + 2
        if text and min(self.indent(row) for row in text) != wanted:
            self.report(text[0], f"the text of a string is indented by {wanted}")
        if closing_alone and self.indent(last) != wanted - 2:
            self.report(last, f"the closing quotes are indented by {wanted - 2}")

    # --- what fits on a line is on one ---

    def check_fits(self, node: Node) -> None:
        kinds = (
            "apply_expression",
            "binary_expression",
            "if_expression",
            "parenthesized_expression",
            "binding",
        )
        if node.type not in kinds or _row(node) == _end(node):
            return
        parent = node.parent
        if parent is not None and node.type == parent.type:
            same = _operator(node) == _operator(parent) if node.type == "binary_expression" else True
            if same and node.type != "parenthesized_expression":
                return  # part of a chain, which is judged as a whole
        flat = self.flat(node)
        if flat is None:
            return
        before = self.lines[_row(node)].encode()[: node.start_point[1]].decode().lstrip()
        after = self.lines[_end(node)].encode()[node.end_point[1] :].decode()
        if len(before) + len(flat) + len(after.split(" #")[0].rstrip()) <= self.width:
            self.report(_row(node), "what fits on one line stands on one")

    def flat(self, node: Node) -> str | None:
        """The code on one line; None where something in it must or may be spread."""
        for part in _walk(node):
            spread = _row(part) != _end(part)
            if part.type in ("comment", "let_expression", "assert_expression", "inherit", "inherit_from"):
                return None
            if spread and part.type in (*_BRACKETS, *_STRINGS, "interpolation"):
                return None
            if part.type == "if_expression" and "else if" in _text(part):
                return None
            if spread and part.type == "function_expression":
                return None
        words = []
        for left, right in itertools.pairwise([*_sequence(node), None]):
            assert left is not None
            words.append(_text(left) + ("" if right is None or _tight(left, right) else " "))
        return "".join(words)


# --- the tree ---


def _row(node: Node) -> int:
    return node.start_point[0]


def _end(node: Node) -> int:
    return node.end_point[0]


def _text(node: Node) -> str:
    return (node.text or b"").decode()


def _label(node: Node) -> str:
    text = _text(node)
    return (
        "a comment" if node.type == "comment" else f"`{text if len(text) < 20 else text[:17] + '…'}`".replace("\n", " ")
    )


def _walk(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from _walk(child)


def _first_error(node: Node) -> int:
    return next((_row(part) for part in _walk(node) if part.is_error or part.is_missing), _row(node))


def _same(a: Node | None, b: Node) -> bool:
    return a is not None and a.id == b.id


def _child(node: Node, kind: str) -> Node:
    return next(child for child in node.children if child.type == kind)


def _items(node: Node) -> list[Node]:
    """What stands between the brackets, comments included."""
    inner = [child for child in node.children if child.type not in ("{", "}", "[", "]", ",", "rec", "let")]
    return [item for child in inner for item in (child.children if child.type == "binding_set" else [child])]


def _chain(node: Node) -> list[Node]:
    """The application `f a b` as [f, a, b]."""
    arguments: list[Node] = []
    while node.type == "apply_expression":
        function, argument = node.child_by_field_name("function"), node.child_by_field_name("argument")
        assert function is not None
        assert argument is not None
        arguments.insert(0, argument)
        node = function
    return [node, *arguments]


def _operator(node: Node) -> str:
    operator = node.child_by_field_name("operator")
    return "" if operator is None else _text(operator)


def _leftmost(node: Node) -> Node:
    while node.type == "binary_expression":
        left = node.child_by_field_name("left")
        assert left is not None
        node = left
    return node


def _rightmost(node: Node) -> Node:
    while node.type == "binary_expression":
        right = node.child_by_field_name("right")
        assert right is not None
        node = right
    return node


def _parameters(node: Node) -> int:
    """How many plain arguments end with the one of this function: 3 for the innermost of `a: b: c: …`."""
    count = 1
    while node.parent is not None and node.parent.type == "function_expression":
        node = node.parent
        if node.child_by_field_name("formals") is not None:
            break
        count += 1
    return count


def _absorbable(node: Node) -> bool:
    """Whether it may begin on the line of what it belongs to and go on below."""
    if node.type == "parenthesized_expression":
        return _absorbable(node.children[1])
    if node.type == "indented_string_expression":
        return _row(node) != _end(node)
    return node.type in ("list_expression", *_SETS) and bool(_items(node))


def _is_value(node: Node) -> bool:
    """Whether it is the right side of a binding, also behind `with …;`."""
    parent = node.parent
    while parent is not None and parent.type == "with_expression":
        parent = parent.parent
    return parent is not None and parent.type == "binding"


def _simple(node: Node) -> bool:
    if node.type == "parenthesized_expression":
        return _simple(node.children[1])
    if node.type == "apply_expression":
        return len(_chain(node)) <= 3 and all(_simple(part) for part in _chain(node))
    if node.type == "select_expression":
        return "or" not in [_text(child) for child in node.children]
    return node.type in (*_STRINGS, *_PATHS, "variable_expression", "integer_expression", "float_expression")


def _may_stay(node: Node, items: list[Node]) -> bool:
    """A list of up to six simple items may stay on a line as an argument that is not the last, or beside a
    last list.
    """
    parent = node.parent
    if parent is None or parent.type != "apply_expression" or len(items) > 6 or not all(map(_simple, items)):
        return False
    while (
        parent.parent is not None
        and parent.parent.type == "apply_expression"
        and _same(parent.parent.child_by_field_name("function"), parent)
    ):
        parent = parent.parent
    chain = _chain(parent)
    return not _same(chain[-1], node) or (len(chain) > 2 and chain[-2].type == "list_expression")


# --- tokens ---


def _sequence(node: Node) -> list[Node]:
    """The tokens of an expression; a string or path is one."""
    if not node.children or node.type in (*_STRINGS, *_PATHS):
        return [node]
    return [token for child in node.children for token in _sequence(child)]


def _sequences(root: Node) -> Iterator[list[Node]]:
    """The tokens of the file, and those of each interpolation in a string."""
    yield _sequence(root)
    for node in _walk(root):
        if node.type == "interpolation" and node.parent is not None and node.parent.type in (*_STRINGS, *_PATHS):
            yield [token for child in node.children for token in _sequence(child)]


def _leaves(root: Node) -> Iterator[Node]:
    for sequence in _sequences(root):
        yield from sequence


def _tight(left: Node, right: Node) -> bool:
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
