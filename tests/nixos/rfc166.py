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

from tree_sitter import Node

from nixos.nixtree import (
    BRACKETS,
    PATHS,
    STRINGS,
    chain_of,
    code_of,
    end_of,
    first_error,
    is_bracket_like,
    is_same,
    is_value,
    items_of,
    label_of,
    leftmost,
    may_stay_on_a_line,
    operator_of,
    parse,
    plain_parameters,
    rightmost,
    row_of,
    tight,
    token_of,
    token_runs,
    tokens_of,
    walk,
)


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
        self.root = parse(self.source)
        self.nodes = list(walk(self.root))
        self.runs = list(token_runs(self.root))
        self.found: set[tuple[int, str]] = set()
        self.expected: dict[int, int] = {}  # line -> the indentation that nesting gives it
        self.in_string: set[int] = set()  # lines that begin inside a string

    def judge(self) -> list[str]:
        if self.root.has_error:
            return [f"{first_error(self.root) + 1}: no Nix that can be parsed"]
        for node in self.nodes:
            if node.type in STRINGS or node.type == "comment":
                self.in_string.update(range(row_of(node) + 1, end_of(node) + 1))
            if node.type == "interpolation":  # its code is code again
                self.in_string.difference_update(range(row_of(node) + 1, end_of(node) + 1))
        self.check_lines()
        for sequence in self.runs:
            self.check_spaces(sequence)
        for node in self.nodes:
            check = getattr(self, f"check_{node.type}", None) if node.is_named else None
            if check is not None:
                check(node)
            elif node.type in BRACKETS:
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
        unbreakable = {
            row_of(leaf) for leaf in itertools.chain(*self.runs) if leaf.type in (*STRINGS, *PATHS, "comment")
        }
        for row, line in enumerate(self.lines):
            if len(line.strip()) > self.width and row not in unbreakable | self.in_string:
                self.report(row, f"code is at most {self.width} columns wide, not counting its indentation")

    # --- spaces ---

    def check_spaces(self, sequence: list[Node]) -> None:
        """Between two tokens of a line stands one space, or none where they belong together."""
        for left, right in itertools.pairwise(sequence):
            if end_of(left) != row_of(right):
                continue
            gap = self.source[left.end_byte : right.start_byte].removeprefix(b",")
            wanted = 0 if tight(left, right) else 1
            if len(gap) != wanted:
                here = f"between {label_of(left)} and {label_of(right)}"
                self.report(row_of(right), f"{'one space' if wanted else 'no space'} {here}")

    def check_comment(self, node: Node) -> None:
        content = code_of(node)
        if content.startswith("/*") and row_of(node) == end_of(node):
            following = node.next_sibling
            if following is None or following.type not in STRINGS or row_of(following) != row_of(node):
                self.report(row_of(node), "a comment of one line begins with #")
        if content.startswith("#") and len(content) > 1 and content[1] not in " #!":
            self.report(row_of(node), "one space after #")

    # --- indentation ---

    def indent(self, row: int) -> int:
        line = self.lines[row]
        return len(line) - len(line.lstrip(" "))

    def first(self, node: Node) -> bool:
        """Whether the node is the first on its line."""
        return not self.lines[row_of(node)].encode()[: node.start_point[1]].strip()

    def place(self, node: Node | None, anchor: Node, levels: int) -> None:
        """`node`, where it begins a line, is indented as the line on which `anchor` begins, and `levels`
        more.
        """
        if node is not None and self.first(node):
            self.expected[row_of(node)] = self.indent(row_of(anchor)) + 2 * levels

    def check_indentation(self) -> None:
        for sequence in self.runs:
            self.place_comments(sequence)
        first_leaves = (leaf for leaf in itertools.chain(*self.runs) if self.first(leaf))
        for leaf in first_leaves:
            row = row_of(leaf)
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
            elif self.first(token) and following is not None and row_of(following) in self.expected:
                closes = following.type in ("}", "]", ")", "in")
                self.expected[row_of(token)] = self.expected[row_of(following)] + (2 if closes else 0)

    def check_source_code(self, node: Node) -> None:
        for child in node.children:
            if self.first(child):
                self.expected[row_of(child)] = 0

    # --- brackets ---

    def check_brackets(self, node: Node) -> None:
        """Sets, lists and formal arguments: spread or not, and how."""
        opening = next(child for child in node.children if child.type in ("{", "["))
        closing = next(child for child in reversed(node.children) if child.type in ("}", "]"))
        items = [item for item in items_of(node) if item.type != "comment"]
        if row_of(opening) == row_of(closing):
            self.check_one_line(node, items)
            return
        self.place(closing, opening, 0)
        if not self.first(closing):
            self.report(row_of(closing), "a closing bracket that is spread begins its line")
        for item in items_of(node):
            self.place(item, opening, 1)
        for item in items:
            if not self.first(item):
                self.report(row_of(item), "one item a line in what is spread")
        if node.type == "formals" and items:
            if items[-1].type == "formal" and self.source[items[-1].end_byte :][:1] != b",":
                self.report(row_of(items[-1]), "a comma after the last argument")
            for child in node.children:
                if child.type == "," and self.first(child):
                    self.report(row_of(child), "a comma ends its line")

    def check_one_line(self, node: Node, items: list[Node]) -> None:
        row = row_of(node)
        if node.type == "formals":
            plain = [item for item in items if item.type == "formal"]
            if len(plain) > 2 or any(len(item.children) > 1 for item in plain):
                self.report(row, "more than two arguments, or defaults, stand one a line")
            if items and self.source[items[-1].end_byte :][:1] == b",":
                self.report(row, "no comma after the last argument on one line")
        elif node.type == "list_expression":
            if len(items) > 1 and not may_stay_on_a_line(node, items):
                self.report(row, "a list of more than one stands one a line")
        elif len(items) > 1:
            self.report(row, "a set of more than one stands one a line")
        elif items and items[0].type == "binding" and is_value(node):
            self.report(row, "a set that is a value is spread")

    # --- expressions ---

    def check_let_expression(self, node: Node) -> None:
        let, in_ = (token_of(node, word) for word in ("let", "in"))
        body = node.child_by_field_name("body")
        if not self.first(let) or not self.first(in_) or (body is not None and not self.first(body)):
            self.report(row_of(node), "let, in and the body begin their lines")
        bindings = [child for child in node.children if child.type in ("binding_set", "comment")]
        for child in bindings:
            if child.start_byte < in_.start_byte:
                for item in child.children if child.type == "binding_set" else [child]:
                    self.place(item, let, 1)
                    if item.type != "comment" and not self.first(item):
                        self.report(row_of(item), "one binding a line")
        self.place(in_, let, 0)
        self.place(body, let, 0)

    def check_binding(self, node: Node) -> None:
        self.check_value(node, node.child_by_field_name("expression"), token_of(node, "="))
        end, value = token_of(node, ";"), node.child_by_field_name("expression")
        if value is not None and row_of(end) != end_of(value):
            self.report(row_of(end), "a semicolon ends the line of the value")

    def check_formal(self, node: Node) -> None:
        if node.child_by_field_name("default") is not None:
            self.check_value(node, node.child_by_field_name("default"), token_of(node, "?"))

    def check_value(self, node: Node, value: Node | None, sign: Node) -> None:
        """What stands right of `=` or `?`."""
        if value is None:
            return
        self.place(value, node, 1)
        if row_of(sign) != end_of(node.children[0]):
            self.report(row_of(sign), f"{code_of(sign)} stands on the line of the name")
        if row_of(value) == row_of(sign) and row_of(value) != end_of(value) and not self.may_follow(value):
            self.report(row_of(value), "what is spread and no bracket begins on the line below the name")

    def may_follow(self, value: Node) -> bool:
        """Whether a value of several lines may begin on the line of its name."""
        if value.type in (*BRACKETS, *STRINGS, *PATHS, "parenthesized_expression"):
            return True
        if value.type == "apply_expression":
            return not any(self.first(argument) for argument in chain_of(value)[1:])
        if value.type in ("with_expression", "function_expression"):
            body = value.child_by_field_name("body")
            return body is not None and not self.first(body) and self.may_follow(body)
        if value.type == "binary_expression":
            left, last = leftmost(value), rightmost(value)
            inline = self.lines[row_of(value)].rstrip().endswith(("{", "[", "''", "("))
            return is_bracket_like(left) or (inline and is_bracket_like(last) and row_of(last) == row_of(value))
        return False

    def check_inherit(self, node: Node) -> None:
        names = [name for child in node.children if child.type == "inherited_attrs" for name in child.children]
        end = token_of(node, ";")
        if row_of(node) == row_of(end):
            if len([name for name in names if name.type != "comment"]) > 3:
                self.report(row_of(node), "more than three inherited names stand one a line")
            return
        for part in (*names, *node.children[1:]):
            self.place(part, node, 1)
        spread = [name for name in names if self.first(name)]
        if len(spread) != len(names) or not self.first(end):
            self.report(row_of(node), "inherited names stand one a line, and the semicolon too")

    check_inherit_from = check_inherit

    def check_function_expression(self, node: Node) -> None:
        body = node.child_by_field_name("body")
        self.place(body, node, 0)
        colon = token_of(node, ":")
        if body is None or self.first(body):
            self.check_arguments(node, body)
            return
        formals = node.child_by_field_name("formals")
        if formals is not None and row_of(formals) != end_of(formals):
            self.report(row_of(body), "the body begins on its own line after arguments that are spread")
        if (
            formals is None
            and plain_parameters(node) > 2
            and not is_bracket_like(body)
            and body.type != "function_expression"
        ):
            self.report(row_of(colon), "after more than two arguments the body begins on its own line")

    def check_arguments(self, node: Node, body: Node | None) -> None:
        """Plain arguments follow each other on a line while they fit and no comment parts them."""
        if body is None or body.type != "function_expression" or any(part.type == "comment" for part in node.children):
            return
        both = [self.lines[row_of(part)].strip() for part in (node, body)]
        plain = all(part.child_by_field_name("formals") is None for part in (node, body))
        if plain and len(" ".join(both)) <= self.width and row_of(body) == row_of(node) + 1:
            self.report(row_of(body), "what fits on one line stands on one")

    def check_with_expression(self, node: Node) -> None:
        self.place(node.child_by_field_name("body"), node, 0)

    def check_assert_expression(self, node: Node) -> None:
        body = node.child_by_field_name("body")
        self.place(body, node, 0)
        self.place(node.child_by_field_name("condition"), node, 1)
        if body is not None and not self.first(body):
            self.report(row_of(body), "the body of an assert begins its line")

    def check_if_expression(self, node: Node) -> None:
        then, else_ = token_of(node, "then"), token_of(node, "else")
        condition, yes, no = (node.child_by_field_name(n) for n in ("condition", "consequence", "alternative"))
        chained = no is not None and no.type == "if_expression"
        if row_of(node) == end_of(node):
            if chained:
                self.report(row_of(node), "else if stands on its own line")
            return
        for part, levels in ((condition, 1), (then, 0), (yes, 1), (else_, 0), (no, 1)):
            self.place(part, node, levels)
        if not self.first(else_) or (yes is not None and not self.first(yes)):
            self.report(row_of(else_), "else and what follows then begin their lines")
        if no is not None and self.first(no) == chained:
            self.report(row_of(no), "what follows else begins its line, but for else if")
        if condition is not None and self.first(condition) != self.first(then):
            self.report(row_of(then), "then ends the line of if, or begins its own after a spread condition")

    def check_apply_expression(self, node: Node) -> None:
        if (
            node.parent is not None
            and node.parent.type == "apply_expression"
            and is_same(node.parent.child_by_field_name("function"), node)
        ):
            return
        head, *arguments = chain_of(node)
        for argument in arguments:
            self.place(argument, head, 1)
        last = arguments[-1]
        if last.type == "parenthesized_expression" and row_of(last) != end_of(last):
            self.check_last_argument(last)

    def check_last_argument(self, node: Node) -> None:
        """A last argument in parentheses begins beside them if it is a bracket, a function of one plain argument that
        returns one, or a name applied to one; else on the next line.
        """
        inner = node.children[1]
        beside = is_bracket_like(inner)
        if inner.type == "function_expression" and inner.child_by_field_name("formals") is None:
            body = inner.child_by_field_name("body")
            beside = body is not None and is_bracket_like(body)
        elif inner.type == "apply_expression":
            head, *arguments = chain_of(inner)
            beside = head.type == "variable_expression" and len(arguments) == 1 and is_bracket_like(arguments[0])
        if any(part.type == "comment" for part in (*node.children, *inner.children)):
            return
        if beside and self.first(inner):
            self.report(row_of(inner), "a function or call that ends in a bracket begins beside its parenthesis")
        if not beside and not self.first(inner):
            self.report(row_of(inner), "a last argument in parentheses begins on the line below them")

    def check_binary_expression(self, node: Node) -> None:
        left, operator, right = (node.child_by_field_name(name) for name in ("left", "operator", "right"))
        if left is None or operator is None or right is None:
            return
        top = node
        while top.parent is not None and top.parent.type == node.type and operator_of(top.parent) == operator_of(node):
            top = top.parent
        self.place(operator, leftmost(top), 0)
        self.place(right, operator, 1)
        if row_of(right) != row_of(operator) and not self.first(operator):
            self.report(row_of(operator), "an operator begins a line and does not end one")

    def check_select_expression(self, node: Node) -> None:
        for child in node.children[1:]:
            deeper = child.type == "or" and self.indent(row_of(child)) > self.indent(row_of(node))
            self.place(child, node, 1 if deeper else 0)  # nixfmt prints `or` at either level

    def check_parenthesized_expression(self, node: Node) -> None:
        opening, inner, closing = node.children[0], node.children[1:-1], node.children[-1]
        for child in inner:
            self.place(child, opening, 1)
        self.place(closing, opening, 0)
        code = [child for child in inner if child.type != "comment"]
        if code and self.first(closing) and not self.first(code[0]) and row_of(code[0]) == end_of(code[0]):
            self.report(row_of(closing), "a closing parenthesis ends the line of what it closes")

    def check_interpolation(self, node: Node) -> None:
        for child in node.children[1:-1]:
            self.place(child, node, 1)
        self.place(node.children[-1], node, 0)

    def check_indented_string_expression(self, node: Node) -> None:
        """The text is one level deeper than the line on which the string begins, and the quotes close at its
        level.
        """
        first, last = row_of(node), end_of(node)
        if first == last:
            if not any(special in code_of(node)[2:-2] for special in ('"', "\\")):
                self.report(first, "a string of one line stands in plain quotes")
            return
        if self.lines[first].encode()[node.start_point[1] + 2 :].strip():
            self.report(first, "a string of several lines begins on the line below its quotes")
            return
        code = {
            row
            for child in walk(node)
            if child.type == "interpolation"
            for row in range(row_of(child) + 1, end_of(child) + 1)
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
        if node.type not in kinds or row_of(node) == end_of(node):
            return
        parent = node.parent
        if parent is not None and node.type == parent.type:
            same = operator_of(node) == operator_of(parent) if node.type == "binary_expression" else True
            if same and node.type != "parenthesized_expression":
                return  # part of a chain, which is judged as a whole
        flat = self.flat(node)
        if flat is None:
            return
        before = self.lines[row_of(node)].encode()[: node.start_point[1]].decode().lstrip()
        after = self.lines[end_of(node)].encode()[node.end_point[1] :].decode()
        if len(before) + len(flat) + len(after.split(" #")[0].rstrip()) <= self.width:
            self.report(row_of(node), "what fits on one line stands on one")

    def flat(self, node: Node) -> str | None:
        """The code on one line; None where something in it must or may be spread."""
        for part in walk(node):
            spread = row_of(part) != end_of(part)
            if part.type in ("comment", "let_expression", "assert_expression", "inherit", "inherit_from"):
                return None
            if spread and part.type in (*BRACKETS, *STRINGS, "interpolation"):
                return None
            if part.type == "if_expression" and "else if" in code_of(part):
                return None
            if spread and part.type == "function_expression":
                return None
        words = []
        for left, right in itertools.pairwise([*tokens_of(node), None]):
            assert left is not None
            words.append(code_of(left) + ("" if right is None or tight(left, right) else " "))
        return "".join(words)
