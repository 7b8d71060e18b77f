"""The two lint rules for Nix, on small texts."""

from __future__ import annotations

import pytest

from nixos.nixlint import unused

CLEAN = {
    "a binding in the body": "let\n  a = 1;\nin\na",
    "a binding in another": "let\n  a = 1;\n  b = a;\nin\nb",
    "a binding before its definition": "let\n  b = a;\n  a = 1;\nin\nb",
    "recursion from the body": "let\n  f = x: f x;\nin\nf",
    "the head of an attribute path": "let\n  a.b = 1;\n  a.c = 2;\nin\na.b",
    "a name in quotes": 'let\n  "a" = 1;\nin\na',
    "inherited from outside": "x:\nlet\n  inherit x;\nin\nx",
    "inherited from a set": "x:\nlet\n  inherit (x) a;\nin\na",
    "inherited in quotes": 'x:\nlet\n  inherit (x) "a";\nin\na',
    "inherited into a set": "let\n  a = 1;\nin\n{\n  inherit a;\n}",
    "inherited from a binding": "let\n  x.a = 1;\nin\n{\n  inherit (x) a;\n}",
    "inherited from a binding of the same let": "let\n  x.a = 1;\n  inherit (x) a;\nin\na",
    "in an interpolation": 'a: "${a}"',
    "in an indented string": "a: ''\n  ${a}\n''",
    "in a path": "a: ./${a}",
    "in the name of an attribute": "a: {\n  ${a} = 1;\n}",
    "in a part of the name of an attribute": 'a: {\n  "b${a}".c = 1;\n}',
    "in a selection by expression": "a: b: b.${a}",
    "in the alternative of a selection": "a: b: b.c or a",
    "in the question for an attribute": "a: b: b ? ${a}",
    "in the name below a binding": "a:\nlet\n  b.${a} = 1;\nin\nb",
    "under with": "a: b: with b; a",
    "as the set of with": "a: with a; b",
    "in an assertion": "a: assert a; 1",
    "in a default": "{\n  a,\n  b ? a,\n}:\nb",
    "an argument by its set": "{ a }@all: all.a",
    "an argument by its set in quotes": '{ a }@all: all."a"',
    "an argument inherited from its set": "{ a }@all: {\n  inherit (all) a;\n}",
    "all arguments by their set": "{ a, b }@all: f all",
    "all arguments by an expression": "{ a, b }@all: c: all.${c}",
    "all arguments by a name that an expression makes": '{ a, b }@all: c: all."${c}"',
    "all arguments as the alternative of a selection": "{ a, b }@all: c: c.a or all",
    "the value of a name that an expression makes": "a: b: rec {\n  ${a} = b;\n}",
    "a set before its arguments": "all@{ a, ... }: all // a",
    "underscores": "_: _a: { _b, ... }: 1",
    "a rec set refers to itself": "rec {\n  a = 1;\n  b = a;\n}",
    "attributes nobody reads": "rec {\n  a = 1;\n}",
    "a let of old": "let {\n  a = 1;\n  body = a;\n}",
    "an inner name hides an outer one that is used elsewhere": "a: (a: a) a",
    "a rec set inherits what it hides": "a: rec {\n  inherit a;\n}",
    "a let inherits what it hides": "a:\nlet\n  inherit a;\nin\na",
    "a use in an inner let": "a:\nlet\n  b = a;\nin\nb",
    "a use by a plain set that has the name too": "a: {\n  b = a;\n  a = 1;\n}",
    "names of nixpkgs and of Nix": "builtins.map toString pkgs.a",
    "a comment": "let\n  # Why.\n  a = 1; # because\nin\na",
}


@pytest.mark.parametrize("name", CLEAN)
def test_what_is_used_is_accepted(name: str) -> None:
    """Each way to use a name counts as one."""
    assert unused(CLEAN[name]) == []


BROKEN = {
    "a binding": ("let\n  a = 1;\nin\n2", ["2: unused binding a"]),
    "the second of two": ("let\n  a = 1;\n  b = 2;\nin\na", ["3: unused binding b"]),
    "a binding for itself": ("let\n  a = x: a x;\nin\n1", ["2: unused binding a"]),
    "two bindings for each other": ("let\n  a = b;\n  b = a;\nin\n1", ["2: unused binding a", "3: unused binding b"]),
    "a binding for an unused one": ("let\n  a = 1;\n  b = a;\nin\n1", ["2: unused binding a", "3: unused binding b"]),
    "an attribute path": ("let\n  a.b = 1;\n  a.c = 1;\nin\n1", ["2: unused binding a"]),
    "a name in quotes": ('let\n  "a" = 1;\nin\n1', ["2: unused binding a"]),
    "inherited": ("x:\nlet\n  inherit x;\nin\n1", ["3: unused binding x"]),
    "inherited from": ("x:\nlet\n  inherit (x)\n    a\n    b\n    ;\nin\na", ["5: unused binding b"]),
    "inherited from a binding for nothing": (
        "let\n  x = 1;\n  inherit (x) a;\nin\n1",
        ["2: unused binding x", "3: unused binding a"],
    ),
    "an argument": ("a: 1", ["1: unused argument a"]),
    "the first of two": ("a: b: b", ["1: unused argument a"]),
    "an argument in braces": ("{\n  a,\n  b,\n}:\na", ["3: unused argument b"]),
    "with a default": ("{\n  a ? 1,\n}:\n1", ["2: unused argument a"]),
    "with more": ("{ a, ... }: 1", ["1: unused argument a"]),
    "the set of arguments": ("{ a, ... }@all: a", ["1: unused argument all"]),
    "an argument that its set is not asked for": ("{ a, b }@all: all.a", ["1: unused argument b"]),
    "an argument that its set is not asked about": ("{ a, b }@all: all ? a", ["1: unused argument b"]),
    "an argument that is not inherited": ("{ a, b }@all: {\n  inherit (all) a;\n}", ["1: unused argument b"]),
    "an argument in an unused binding is used": ("a:\nlet\n  b = a;\nin\n1", ["3: unused binding b"]),
    "hidden by an argument": ("a: a: a", ["1: unused argument a"]),
    "hidden by a let": ("a:\nlet\n  a = 1;\nin\na", ["1: unused argument a"]),
    "hidden by a rec set": ("a: rec {\n  a = 1;\n  b = a;\n}", ["1: unused argument a"]),
    "hidden by a let of old": ("a: let {\n  a = 1;\n  body = a;\n}", ["1: unused argument a"]),
    "hidden by an inner let": ("let\n  a = 1;\nin\nlet\n  a = 2;\nin\na", ["2: unused binding a"]),
    "hidden by braces": ("a: { a }: a", ["1: unused argument a"]),
    "with does not use it": ("a: with b; c", ["1: unused argument a"]),
    "an attribute of that name does not use it": ("a: b: b.a", ["1: unused argument a"]),
    "a question for that name does not use it": ("a: b: b ? a", ["1: unused argument a"]),
    "a key of that name does not use it": ("a: {\n  a = 1;\n}", ["1: unused argument a"]),
    "inherited from elsewhere does not use it": ("a: b: {\n  inherit (b) a;\n}", ["1: unused argument a"]),
    "a string does not use it": ('a: "a $a \\${a}"', ["1: unused argument a"]),
    "an indented string does not use it": ("a: ''\n  a $a ''${a}\n''", ["1: unused argument a"]),
    "a comment does not use it": ("a: # a\n1", ["1: unused argument a"]),
    "a binding with an underscore": ("let\n  _a = 1;\nin\n1", ["2: unused binding _a"]),
    "in an interpolation": ('"${a: 1}"', ["1: unused argument a"]),
    "in the value of a rec set": ("rec {\n  a = b: a;\n}", ["2: unused argument b"]),
    "in the value of an unused binding": (
        "let\n  a =\n    let\n      b = 1;\n    in\n    2;\nin\n3",
        ["2: unused binding a", "4: unused binding b"],
    ),
    "in a default of its own": ("{\n  a ? b: 1,\n}:\na", ["2: unused argument b"]),
    "no Nix": ("{ a = 1 }", ["1: no Nix that can be parsed"]),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_unused_is_named(name: str) -> None:
    """Each finding has its line, its kind and its name, and there are no others."""
    text, expected = BROKEN[name]
    assert unused(text) == expected
