"""The judge of RFC 166 accepts what nixfmt prints and names each deviation, one sample a rule."""

from __future__ import annotations

from pathlib import Path

import pytest

from nixos.rfc166 import violations

# What nixfmt leaves as it is: the forms of the standard's chapters, put together by hand.
GOOD = {
    "bindings": """\
{
  name = "value";
  long.path."with strings".in.it = 1;
  empty = { };
  none = [ ];
  one = [ 1 ];
  several = [
    1
    2 # why
  ];

  # a comment of its own
  nested = {
    set = true;
  };
  kept = { inherit (lib) a b; };
  call = function {
    argument = 1;
  };
  function = a: b: a + b;
  absorbed = final: previous: {
    x = previous;
  };
  text = ''
    first line
      deeper ${variable}

    last line
  '';
  chosen = with pkgs; [
    a
    b
  ];
  joined = [
    a
  ]
  ++ lib.optionals condition [
    b
    c
  ];
  merged = base // {
    more = 1;
  };
  condition =
    if first then
      1
    else if second then
      2
    else
      3;
  short = if first then 1 else 2;
  scoped =
    let
      x = 1;
    in
    x;
  fallback = (pkgs.libx11 or pkgs.xorg.libX11);
  negative = -1;
  negated = !a && b ? c.d;
}
""",
    "functions": """\
{
  pkgs,
  lib ? pkgs.lib,
  ...
}@arguments:
let
  inherit (lib) genAttrs optionals;
  inherit (pkgs)
    zlib
    openssl
    # the compiler's own
    stdenv
    ;
in
genAttrs [ "a" "b" ] (
  name: value: other:
  name value other
)
""",
    "operators": """\
{ pkgs, ... }:
{
  all =
    first
    && aVeryLongNameThatMakesTheLineMuchTooLongToStandAsOne
    && anotherVeryLongNameThatMakesTheLineMuchTooLong;
  text = ''
    one
  ''
  + optionalString condition ''
    two
  '';
  call =
    runCommand "name"
      {
        nativeBuildInputs = [ pkgs.makeWrapper ];
      }
      ''
        mkdir -p $out
      '';
  asserted =
    assert condition;
    value;
  application = pkgs.stdenv.mkDerivation (finalAttrs: {
    pname = "x";
    path = "${finalAttrs.pname}/${toString (1 + 2)}";
  });
}
""",
    "shell": """\
{
  pkgs ? import <nixpkgs> { },
}:
(import ./nixpy.nix { inherit pkgs; }).shell
""",
}


@pytest.mark.parametrize("name", GOOD)
def test_what_nixfmt_prints_is_accepted(name: str) -> None:
    """The forms of the standard have no violations."""
    assert violations(GOOD[name]) == []


@pytest.mark.parametrize(
    "path", sorted((Path(__file__).parents[1] / "nixos/nixpkgs").rglob("*.nix")), ids=lambda p: "/".join(p.parts[-2:])
)
def test_our_own_nix_is_accepted(path: Path) -> None:
    """The stand-in nixpkgs, some hundred lines a file, is written by the rules."""
    assert violations(path.read_text()) == []


BROKEN = {
    "no Nix": ("{ a = 1 }\n", "1: no Nix"),
    "no newline at the end": ("{ }", "1: the file ends with one newline"),
    "blank line at the end": ("{ }\n\n", "3: the file ends with one newline"),
    "blanks at the end of a line": ("[\n  a \n]\n", "2: no blanks at the end"),
    "carriage return": ("[\r\n  a\r\n]\r\n", "1: no blanks at the end"),
    "tab": ("[\n\ta\n]\n", "2: no tabs"),
    "two blank lines": ("[\n  a\n\n\n  b\n]\n", "4: no two blank lines"),
    "too wide": (f"a.{'b' * 60} {'c' * 60}\n", "1: code is at most 100 columns"),
    "two blanks": ("{ a  = 1; }\n", "1: one space between `a` and `=`"),
    "no blank around =": ("{ a=1; }\n", "1: one space between `a` and `=`"),
    "blank before semicolon": ("{ a = 1 ; }\n", "1: no space between `1` and `;`"),
    "blank before colon": ("a : a\n", "1: no space between `a` and `:`"),
    "no blank after colon": ("{ a }:a\n", "1: one space between `:` and `a`"),
    "blank in parentheses": ("f ( a b)\n", "1: no space between `(` and `a`"),
    "blank in interpolation": ('"${ a }"\n', "1: no space between `${` and `a`"),
    "blank before @": ("{ a } @b: a\n", "1: no space between `}` and `@`"),
    "no blank around operator": ("a+ b\n", "1: one space between `a` and `+`"),
    "blank around dot": ("a .b\n", "1: no space between `a` and `.`"),
    "empty list": ("[]\n", "1: one space between `[` and `]`"),
    "empty set": ("{}\n", "1: one space between `{` and `}`"),
    "brackets without blanks": ("[a]\n", "1: one space between `[` and `a`"),
    "two blanks before comment": ("[\n  a  # b\n]\n", "2: one space between `a` and a comment"),
    "no blank after #": ("#a\n{ }\n", "1: one space after #"),
    "block comment": ("/* a */\n{ }\n", "1: a comment of one line begins with #"),
    "comment indented wrongly": ("[\n    # a\n  b\n]\n", "2: indented by 2"),
    "last comment indented wrongly": ("[\n  b\n# a\n]\n", "3: indented by 2"),
    "four blanks": ("[\n    a\n]\n", "2: indented by 2"),
    "no indentation": ("{\na = 1;\n}\n", "2: indented by 2"),
    "closing bracket indented": ("{\n  a = [\n    b\n    ];\n}\n", "4: indented by 2"),
    "value indented twice": (
        "{\n  a =\n      if b then\n        1\n      else\n        2;\n}\n",
        "3: indented by 4",
    ),
    "let indented": ("let\na = 1;\nin\na\n", "2: indented by 2"),
    "in indented": ("let\n  a = 1;\n  in\na\n", "3: indented by 0"),
    "body of let indented": ("let\n  a = 1;\nin\n  a\n", "4: indented by 0"),
    "body of function indented": ("{ a }:\n  {\n  b = a;\n}\n", "2: indented by 0"),
    "argument not indented": (f"{'f' * 60}\n{'a' * 60}\n", "2: indented by 2"),
    "operator indented": (f"{'f' * 60}\n  ++ {'a' * 60}\n", "2: indented by 0"),
    "then body not indented": (f"if a then\n{'b' * 60}\nelse\n  {'c' * 60}\n", "2: indented by 2"),
    "formals indented wrongly": ("{\n    a,\n}:\na\n", "2: indented by 2"),
    "inherited names indented wrongly": ("{\n  inherit (a)\n  b\n    ;\n}\n", "3: indented by 4"),
    "first item beside bracket": ("[ a\n  b\n]\n", "1: one item a line"),
    "two items on a line": ("[\n  a b\n]\n", "2: one item a line"),
    "closing bracket beside item": ("[\n  a ]\n", "2: a closing bracket that is spread"),
    "list on one line": ("[ a b ]\n", "1: a list of more than one"),
    "last list on one line": ("f [ a b ]\n", "1: a list of more than one"),
    "set on one line": ("{ a = 1; b = 2; }\n", "1: a set of more than one"),
    "set as value on one line": ("{\n  a = { b = 1; };\n}\n", "2: a set that is a value is spread"),
    "set behind with on one line": (
        "{\n  a = with b; { c = 1; };\n}\n",
        "2: a set that is a value is spread",
    ),
    "formals on one line": ("{ a, b, c }: a\n", "1: more than two arguments"),
    "default on one line": ("{ a ? 1 }: a\n", "1: more than two arguments, or defaults"),
    "leading comma": ("{\n  a\n  , b,\n}:\na\n", "3: a comma ends its line"),
    "no comma at the end": ("{\n  a,\n  b\n}:\na\n", "3: a comma after the last argument"),
    "comma at the end on one line": ("{ a, b, }: a\n", "1: no comma after the last argument"),
    "body beside spread formals": ("{\n  a,\n}: {\n  b = a;\n}\n", "3: the body begins on its own line"),
    "body beside three arguments": ("a: b: c: a b c\n", "1: after more than two arguments"),
    "plain arguments below each other": ("a:\nb: a b\n", "2: what fits on one line"),
    "function beside its parenthesis": ("f (a: b: {\n  c = 1;\n})\n", "1: a last argument in parentheses"),
    "function below its parenthesis": ("f (\n  a: {\n    c = 1;\n  }\n)\n", "2: a function or call that ends"),
    "let on one line": ("let a = 1; in a\n", "1: let, in and the body begin their lines"),
    "body beside in": ("let\n  a = 1;\nin a\n", "1: let, in and the body begin their lines"),
    "let beside name": ("{\n  a = let\n    b = 1;\n  in\n  b;\n}\n", "2: what is spread and no bracket"),
    "two bindings on a line": ("let\n  a = 1; b = 2;\nin\na\n", "2: one binding a line"),
    "if beside name": (
        "{\n  a = if b then\n    1\n  else if c then\n    2\n  else\n    3;\n}\n",
        "2: what is spread",
    ),
    "else if on one line": ("if a then b else if c then d else e\n", "1: else if stands on its own line"),
    "else beside value": (f"if a then\n  {'b' * 60} else\n  {'c' * 60}\n", "2: else and what follows then"),
    "value beside else": (f"if a then\n  {'b' * 60}\nelse {'c' * 60}\n", "3: what follows else"),
    "then on its own line": (
        f"if a\nthen\n  {'b' * 60}\nelse\n  {'c' * 60}\n",
        "2: then ends the line of if",
    ),
    "semicolon on its own line": ("{\n  a = [\n    b\n  ]\n  ;\n}\n", "5: a semicolon ends the line"),
    "equals sign below": ("{\n  a\n    = [\n      b\n    ];\n}\n", "3: = stands on the line of the name"),
    "four inherited names on a line": ("{\n  inherit a b c d;\n}\n", "2: more than three inherited names"),
    "inherited names half spread": (
        "{\n  inherit (a) b\n    c\n    ;\n}\n",
        "2: inherited names stand one a line",
    ),
    "semicolon beside inherited name": (
        "{\n  inherit (a)\n    b\n    c;\n}\n",
        "2: inherited names stand one a line",
    ),
    "operator at the end": (f"{'f' * 60} ++\n  {'a' * 60}\n", "1: an operator begins a line"),
    "body beside assert": (f"assert a; [\n  {'b' * 60}\n]\n", "1: the body of an assert"),
    "parenthesis alone": ("f (a\n)\n", "2: a closing parenthesis ends"),
    "string text indented wrongly": (
        "{\n  a = ''\n      b\n  '';\n}\n",
        "3: the text of a string is indented by 4",
    ),
    "closing quotes indented wrongly": (
        "{\n  a = ''\n    b\n    '';\n}\n",
        "4: the closing quotes are indented by 2",
    ),
    "string beside its quotes": ("''a\n  b\n''\n", "1: a string of several lines begins"),
    "short string in two quotes": ("''a''\n", "1: a string of one line"),
    "value below that fits": ("{\n  a =\n    b;\n}\n", "2: what fits on one line"),
    "arguments below that fit": ("f\n  a\n  b\n", "1: what fits on one line"),
    "condition that fits": ("if a then\n  b\nelse\n  c\n", "1: what fits on one line"),
    "operands that fit": ("a\n&& b\n", "1: what fits on one line"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_each_deviation_is_named(name: str) -> None:
    """A text with one thing wrong has a violation that names the line and the rule."""
    text, expected = BROKEN[name]
    assert any(found.startswith(expected) for found in violations(text)), violations(text)


def test_the_width_does_not_count_indentation_or_strings() -> None:
    """A line may be longer by its indentation, and a string is never broken."""
    deep = "{\n  a = {\n    b = {\n      c = {\n" + f"        {'d' * 95} = 1;\n" + "      };\n    };\n  };\n}\n"
    assert violations(deep) == []
    assert violations('{\n  a = "' + "x" * 200 + '";\n}\n') == []


def test_code_in_a_string_is_judged_as_code() -> None:
    """The code of an interpolation follows the rules, the text around it does not."""
    assert violations("''\n  a=b  ${f a}\t{}  \n''\n") == []
    assert violations("''\n  ${f  a}\n''\n") == ["2: one space between `f` and `a`"]
