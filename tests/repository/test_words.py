"""The texts use plain words: none of the private words in words.csv, and messages and hints have one form.

Texts for users are messages, help, settings, styles, codes and pages; docstrings and comments use the same words.
"""

from __future__ import annotations

import ast
import csv
import io
import re
import tokenize
import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import groupby
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

TOP = Path(__file__).parents[2]
PACKAGE = TOP / "scaffold/nixpy"
WORDS = Path(__file__).with_name("words.csv")

FOLDERS = (
    "analysis",
    "cli",
    "commands",
    "diagnostics",
    "doctor",
    "core",
    "environment",
    "external",
    "files",
    "index",
    "libraries",
    "locks",
    "needs",
    "nixpkgs",
    "package",
    "project",
    "sdists",
    "styles",
    "wheels",
)
MODULES = sorted(path for folder in FOLDERS for path in (PACKAGE / folder).glob("*.py"))
# Files of which users read every line: what nixpy generates or copies, the files that define CI, and the examples.
WHOLE = sorted(
    path
    for pattern in (
        ".pre-commit-hooks.yaml",
        "action.yml",
        "copier.yml",
        "flake.nix",
        "examples/demo",
        "examples/**/*.md",
        "examples/**/*.nix",
        "examples/**/*.py",
        "examples/**/*.toml",
        "examples/**/*.yml",
        "scaffold/nixpy/environment/facts.py",
        "scaffold/nixpy/package/entries.py",
        "templates/*.jinja",
        "templates/*.json",
        "templates/**/*.jinja",
        "templates/**/*.nix",
        "templates/**/*.py",
        "templates/**/*.toml",
        "templates/**/*.yml",
    )
    for path in TOP.glob(pattern)
    if "LICENSE" not in path.name and not {".venv", "result"} & {*path.relative_to(TOP).parts}
)
SOURCES = sorted(PACKAGE.rglob("*.py"))
# The pages as they are written; `docs/generate.py` adds tables that the tests above read at their sources.
PAGES = sorted(path for pattern in ("*.md", "docs/**/*.md") for path in TOP.glob(pattern))
# Keys of style.toml and feature.toml that users read as sentences.
KEYS = ("title", "summary", "how", "cost")
TABLES = sorted((TOP / "templates").glob("*/*/style.toml")) + sorted((TOP / "templates").glob("*/*/feature.toml"))
CODES = PACKAGE / "diagnostics/codes.csv"
# Columns of other tables that messages quote.
QUOTED_COLUMNS = (
    ("index/uv-settings.csv", "reason"),
    ("libraries/notes.csv", "hint"),
    ("libraries/notes.csv", "note"),
    ("libraries/patterns.csv", "note"),
    ("libraries/sonames.csv", "note"),
)
# Text that is an identifier: a state in JSON, or the name of a check.
IDENTIFIERS = {"never analysed", "older library"}
# Where docstrings are, and what of them is no prose: code spans, quoted values, examples.
SCOPES = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
QUOTED = re.compile(r'``.*?``|`[^`]*`|"[^"]*"')
EXAMPLE = re.compile(r">>> (?s:.)*")
# Names with which a message may begin, and the calls that a message is the first argument of.
NAMES = {"Python", "Nix", "LD_LIBRARY_PATH"}
FAILING = ("Error", "self.fail", "self._fail", "self._error", "at.error", "where.error")


@cache
def patterns() -> dict[str, re.Pattern[str]]:
    """Return the patterns of words.csv, each as whole words, by the column `pattern`."""
    with WORDS.open(newline="") as table:
        rows = list(csv.DictReader(table))
    return {row["pattern"]: re.compile(rf"(?<![\w.-])(?:{row['pattern']})(?![\w-])", re.IGNORECASE) for row in rows}


def text_of(node: ast.expr) -> str:
    """Return a string literal, with `{}` in place of each expression of an f-string."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        return "".join(text_of(part) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    return ""


def literals(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield the string literals with a space in them, and the docstrings of commands, each with its line.

    Other docstrings, regular expressions and parts of f-strings are left out.
    """
    skipped: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            is_command = isinstance(node, ast.FunctionDef) and any(
                "click.command" in ast.unparse(one) for one in node.decorator_list
            )
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and not is_command:
                skipped.add(id(first.value))
        elif isinstance(node, ast.Call) and ast.unparse(node.func).startswith("re."):
            skipped.update(id(part) for one in node.args for part in ast.walk(one))
        elif isinstance(node, ast.JoinedStr):
            skipped.update(id(part) for part in node.values if isinstance(part, ast.Constant))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant | ast.JoinedStr) and id(node) not in skipped:
            text = text_of(node)
            if " " in text.strip() and text not in IDENTIFIERS:
                yield node.lineno, text


def texts(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the texts for users in a module, a style, a feature or the table of codes, each with its line."""
    if path.suffix == ".py":
        yield from literals(ast.parse(path.read_text()))
    elif path.suffix == ".csv":
        with path.open(newline="") as table:
            for row in csv.DictReader(table):
                yield from ((int(row["code"][3:]), row[key]) for key in ("meaning", "remedy"))
    else:
        data = tomllib.loads(path.read_text())
        lists = data.get("tradeoffs", {})
        for text in (*(data[key] for key in KEYS if key in data), *lists.get("good", ()), *lists.get("bad", ())):
            yield 0, text


def paragraphs(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the paragraphs of a file, each in one line and with the number of its first line.

    Paragraphs end at an empty line, and where comments begin or end. The marks of comments are left out.
    """
    lines = [(number, line.strip()) for number, line in enumerate(path.read_text().splitlines(), 1)]
    for _, group in groupby(lines, key=lambda one: one[1][:1] == "#" if one[1] else None):
        numbers, text = zip(*group, strict=True)
        yield numbers[0], " ".join(line.lstrip("# ") for line in text)


def named(path: Path) -> str:
    return str(path.relative_to(TOP))


def private(path: Path, read: Iterable[tuple[int, str]], without: tuple[str, ...] = ()) -> list[str]:
    """Return the words of words.csv in texts, each with its place, except those that the patterns `without` find."""
    return [
        f"{named(path)}:{line}: {match[0]!r} in {text!r}"
        for line, text in read
        for name, pattern in patterns().items()
        if name not in without
        for match in pattern.finditer(text)
    ]


@pytest.mark.parametrize("path", [*MODULES, *TABLES, CODES], ids=named)
def test_no_private_word(path: Path) -> None:
    """No text for users has a word of words.csv."""
    found = private(path, texts(path))
    assert not found, "\n".join(found)


@pytest.mark.parametrize(("table", "column"), QUOTED_COLUMNS)
def test_no_private_word_in_a_table_that_messages_quote(table: str, column: str) -> None:
    """No note and no reason that a message quotes has a word of words.csv."""
    with (PACKAGE / table).open(newline="") as opened:
        rows = [(number, row[column]) for number, row in enumerate(csv.DictReader(opened), 2)]
    assert any(text for _, text in rows)
    found = private(PACKAGE / table, rows)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("path", WHOLE, ids=named)
def test_no_private_word_in_a_generated_file(path: Path) -> None:
    """No line of a file that nixpy generates, of a template or of an example has a word of words.csv."""
    found = private(path, paragraphs(path))
    assert not found, "\n".join(found)


def test_comments_are_read_across_lines(tmp_path: Path) -> None:
    """A comment of several lines is one paragraph; code next to it is another."""
    (tmp_path / "a.nix").write_text("# Who asks\n# for it.\n{ a = 1; } # one\n\n# Two\n")
    assert [*paragraphs(tmp_path / "a.nix")] == [(1, "Who asks for it."), (3, "{ a = 1; } # one"), (4, ""), (5, "Two")]


def test_each_row_has_an_example_that_it_finds() -> None:
    """Each pattern finds its own example, so that no row of the table is idle."""
    with WORDS.open(newline="") as table:
        for row in csv.DictReader(table):
            assert patterns()[row["pattern"]].search(row["example"]), row
            assert row["instead"], row


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (PACKAGE / "cli/new.py", "there is no terminal to ask questions on"),
        (PACKAGE / "cli/check.py", "The exit status is 0 if all files are up to date"),
        (PACKAGE / "project/config.py", "The extras of the project to install."),
        (PACKAGE / "doctor/setting_checks.py", "{} is {}: {}"),
        (CODES, "Lock again, then run `nixpy sync`."),
        (TOP / "templates/styles/loader/style.toml", "on Linux, child processes inherit no variable"),
        (TOP / "templates/features/qt/feature.toml", "nothing is compiled"),
    ],
    ids=lambda value: named(value) if isinstance(value, Path) else "",
)
def test_the_texts_are_read(path: Path, text: str) -> None:
    """A message, a help text, a setting, a code, a style and a feature are among the texts that are checked."""
    assert any(text in one for _, one in texts(path))


def branches(node: ast.expr) -> Iterator[ast.expr]:
    """Yield what an expression can be: both sides of a conditional, else the expression itself."""
    if isinstance(node, ast.IfExp):
        yield from branches(node.body)
        yield from branches(node.orelse)
    else:
        yield node


def given(tree: ast.Module, name: str) -> Iterator[tuple[int, str]]:
    """Yield the literals that are passed as the argument `name`, or assigned to a variable of that name."""
    for node in ast.walk(tree):
        values: list[ast.expr] = []
        if isinstance(node, ast.Call):
            values = [one.value for one in node.keywords if one.arg == name]
        elif isinstance(node, ast.Assign) and [ast.unparse(one) for one in node.targets] == [name]:
            values = [node.value]
        for value in (one for each in values for one in branches(each)):
            if text := text_of(value):
                yield value.lineno, text


def raised(tree: ast.Module, position: int) -> Iterator[tuple[int, str]]:
    """Yield the literals at this position among the arguments of a call that makes an error."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and len(node.args) > position and ast.unparse(node.func).endswith(FAILING):
            for value in branches(node.args[position]):
                if text := text_of(value):
                    yield value.lineno, text


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_a_hint_is_a_sentence(path: Path) -> None:
    """A hint begins with a capital letter or a name in backticks, and ends with a full stop or a question mark."""
    tree = ast.parse(path.read_text())
    for line, text in (*given(tree, "hint"), *raised(tree, 1)):
        assert not text[0].islower(), f"{named(path)}:{line}: {text}"
        assert text.rstrip().endswith((".", "?", "{}")), f"{named(path)}:{line}: {text}"


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_a_message_is_no_sentence(path: Path) -> None:
    """A message begins with a small letter or a name, and has no full stop at its end."""
    tree = ast.parse(path.read_text())
    for line, text in (*given(tree, "message"), *raised(tree, 0)):
        first = text.partition(" ")[0]
        assert not text.endswith("."), f"{named(path)}:{line}: {text}"
        assert first[:1].islower() or not first.isalpha() or first in NAMES, f"{named(path)}:{line}: {text}"


def docstrings(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield the docstrings of modules, classes and functions, and the strings below variables, with their lines."""
    for node in ast.walk(tree):
        for one in getattr(node, "body", ()) if isinstance(node, SCOPES) else ():
            if isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant) and isinstance(one.value.value, str):
                yield one.lineno, one.value.value


def comments(text: str) -> Iterator[tuple[int, str]]:
    """Yield the comments of a module, those on successive lines as one, with the line of the first."""
    found: list[tuple[int, int, str]] = []
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            (line, column), comment = token.start, token.string.lstrip("# ")
            alone = not token.line[:column].strip()
            if alone and found and found[-1][1] == line - 1:
                comment = f"{found[-1][2]} {comment}"
                line = found.pop()[0]
            found.append((line, token.start[0] if alone else -1, comment))
    yield from ((line, comment) for line, _, comment in found)


def prose(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the docstrings and comments of a module without code spans, quoted values and examples."""
    text = path.read_text()
    for line, one in (*docstrings(ast.parse(text)), *comments(text)):
        yield line, " ".join(QUOTED.sub("``", EXAMPLE.sub("", one)).split())


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_no_private_word_in_docstrings_and_comments(path: Path) -> None:
    """No docstring and no comment of the package has a word of words.csv."""
    found = private(path, prose(path))
    assert not found, "\n".join(found)


def test_docstrings_and_comments_are_read(tmp_path: Path) -> None:
    """Docstrings, comments of several lines and those after code are read; quoted words are not."""
    lines = (
        '"""Module `whose`."""',
        "A = 1  # who",
        '"""Below "stale"',
        "",
        ">>> whose",
        '"""',
        "def f():",
        "    # asks",
        "    # for it",
        '    """F."""',
    )
    (tmp_path / "a.py").write_text("\n".join(lines))
    assert sorted(prose(tmp_path / "a.py")) == [
        (1, "Module ``."),
        (2, "who"),
        (3, "Below ``"),
        (8, "asks for it"),
        (10, "F."),
    ]


# On a page, a heading may name its subject, and the reader may want something.
NOT_ON_PAGES = (r"^what\b", "wants?")


def page(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the paragraphs, headings and cells of a page without code, quoted values and addresses of links."""
    for token in MarkdownIt().enable("table").parse(path.read_text()):
        if token.type == "inline":
            kinds = {"code_inline": "``", "softbreak": " ", "hardbreak": " "}
            parts = (kinds.get(one.type, one.content) for one in token.children or ())
            yield (token.map or [0])[0] + 1, QUOTED.sub("``", " ".join("".join(parts).split()))


@pytest.mark.parametrize("path", PAGES, ids=named)
def test_no_private_word_in_a_page(path: Path) -> None:
    """No paragraph of the README, the changelog or the documentation has a word of words.csv."""
    found = private(path, page(path), without=NOT_ON_PAGES)
    assert not found, "\n".join(found)


def test_pages_are_read(tmp_path: Path) -> None:
    """Headings, cells and paragraphs of several lines are read; code, quoted words and addresses are not."""
    lines = (
        "# One",
        "",
        "Text of `whose` [two",
        'lines](whose.md), "whose".',
        "",
        "```console",
        "whose",
        "```",
        "| a |",
        "| --- |",
        "| b |",
    )
    (tmp_path / "a.md").write_text("\n".join(lines))
    assert [*page(tmp_path / "a.md")] == [(1, "One"), (3, "Text of `` two lines, ``."), (9, "a"), (11, "b")]


@pytest.mark.parametrize("path", SOURCES, ids=named)
def test_docstrings_begin_with_a_short_sentence(path: Path) -> None:
    """The first line of a docstring is a sentence of at most 80 characters; help texts of commands may be longer.

    Each public function and class at the top of a module has a docstring.
    """
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if not isinstance(node, SCOPES):
            continue
        text, place = ast.get_docstring(node), f"{named(path)}:{getattr(node, 'lineno', 1)}"
        assert text or node not in tree.body or node.name.startswith("_"), place
        if text and not any("click." in ast.unparse(one) for one in getattr(node, "decorator_list", ())):
            first = text.partition("\n")[0]
            assert len(first) <= 80, f"{place}: {first}"
            assert first.endswith((".", ":")), f"{place}: {first}"
