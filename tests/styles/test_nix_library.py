"""The text of the Nix library in templates/nix: no Jinja, a comment that says what it is for, no paths, the format."""

from __future__ import annotations

import ast
import inspect
import json
import re
import shutil
from pathlib import Path

import jinja2
import pytest
import yaml
from tree_sitter import Node

from nixos.nixlint import unused
from nixos.nixtree import PATHS, code_of, items_of, parse, row_of, selections, shell_parts, walk
from nixos.rfc166 import violations
from nixpy.environment import facts
from nixpy.environment.facts import COMMON
from nixpy.files.reconcile import parts
from nixpy.files.render import _jinja
from nixpy.styles.features import features
from nixpy.styles.styles import Style, styles
from runner import Nixpy

TOP = Path(__file__).parents[2]
LIBRARY = TOP / "templates/nix"
FILES = sorted(LIBRARY.rglob("*.nix"))
PROGRAMS = sorted(path for path in (LIBRARY / "programs").iterdir() if path.suffix == ".py")
FUNCTIONS = [path for path in FILES if path.name != "default.nix"]
ENVIRONMENTS = {
    "nixpy": _jinja(),
    "copier": jinja2.Environment(**yaml.safe_load((TOP / "copier.yml").read_text())["_envops"]),  # noqa: S701
}


def name(path: Path) -> str:
    """Return the name of a test's case: the path in the library."""
    return str(path.relative_to(TOP if path.is_relative_to(TOP / "examples") else LIBRARY))


def no_data(text: str, environment: jinja2.Environment) -> list[str]:
    """Return what Jinja finds in a text besides plain data."""
    marks = [mark for mark in ("{{", "{%", "{#") if mark in text]
    try:
        tokens = [kind for _, kind, _ in environment.lexer.tokeniter(text, None)]
    except jinja2.TemplateSyntaxError as error:
        return [*marks, str(error)]
    return marks + (tokens if tokens != ["data"] else [])


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("path", FILES + PROGRAMS, ids=name)
def test_no_file_has_jinja_in_it(path: Path, environment: str) -> None:
    """Nixpy and copier include each file, which Jinja reads as one token of data and gives back as it is."""
    text = path.read_text()
    jinja = ENVIRONMENTS[environment]
    assert no_data(text, jinja) == []
    assert jinja.from_string(text).render() == text


@pytest.mark.parametrize("text", ["a {{ b }}", "{% if a %}{% endif %}", "echo ${#names[@]}", "f'{{literal}}'"])
def test_jinja_is_found(text: str) -> None:
    """Jinja in a file is found, also where a shell or Python means something else by it."""
    assert no_data(text, ENVIRONMENTS["nixpy"]) != []


def test_the_library_has_only_nix_and_programs() -> None:
    """No file lies in the library that these tests do not read."""
    assert sorted(path for path in LIBRARY.rglob("*") if path.is_file() and path.suffix != ".pyc") == sorted(
        FILES + PROGRAMS
    )
    assert {path.stem for path in (LIBRARY / "styles").iterdir()} == {style.name for style in styles()}
    # A feature that is only packages, variables or a choice of programs has no function.
    assert {path.stem for path in (LIBRARY / "features").iterdir()} < {feature.name for feature in features()}


def first_comment(text: str) -> str:
    """Return the comment with which a text starts, without its signs."""
    lines = re.match(r"(?:#.*\n)*", text)
    return "" if lines is None else re.sub(r"^# ?", "", lines[0], flags=re.MULTILINE)


@pytest.mark.parametrize("path", FUNCTIONS, ids=name)
def test_a_function_says_what_it_takes_and_returns(path: Path) -> None:
    """The comment at the start of each file has one sentence about each; a function that always fails throws."""
    comment = first_comment(path.read_text())
    assert re.search(r"\bTakes\b", comment), comment
    assert re.search(r"\b[Rr]eturns\b|\bThrows\b", comment), comment


def test_the_entry_says_what_it_is() -> None:
    """default.nix, which is no function, starts with a comment too."""
    assert first_comment((LIBRARY / "default.nix").read_text())


def paths_in(text: str) -> list[str]:
    """Return the paths in Nix code, and each use of `import`, as "LINE: text"; comments and strings are no code."""
    found = [
        node
        for node in walk(parse(text.encode()))
        if node.type in PATHS or (node.type == "variable_expression" and code_of(node) in ("import", "scopedImport"))
    ]
    return [f"{row_of(node) + 1}: {code_of(node)}" for node in found]


@pytest.mark.parametrize("path", FUNCTIONS, ids=name)
def test_files_come_by_self(path: Path) -> None:
    """No file names another by its path, as a generated file holds their text; only default.nix reads the folder."""
    assert paths_in(path.read_text()) == []


@pytest.mark.parametrize("text", ["import ./a.nix", "./a", "../a", "~/a", "<a>", "/a/b", "let\n  f = import;\nin\nf a"])
def test_paths_are_found(text: str) -> None:
    """Each kind of path is found in code, and none in comments and strings."""
    assert paths_in(text)
    assert paths_in("# {}\n1".format(text.replace("\n", " "))) == []
    assert paths_in(f'"{text}"') == []


def siblings(text: str) -> set[str]:
    """Return the files that a function takes from `self`: `self.NAME`, `self."FOLDER/NAME"`, and those it inherits."""
    return {names[1] for names in selections(parse(text.encode())) if names[0] == "self"}


@pytest.mark.parametrize("path", FUNCTIONS, ids=name)
def test_the_siblings_exist(path: Path) -> None:
    """What a file takes from `self` is a file of the library, or one of the five things that belong to nixpkgs."""
    known = {name(file).removesuffix(file.suffix) for file in FUNCTIONS + PROGRAMS}
    given = {"inputs", "isLinux", "lib", "pkgs", "system"}
    # What an interpolation chooses is a file of a folder, by a name of the facts.
    chosen = {"styles/${project.style}", "features/${name}"}
    assert siblings(path.read_text()) <= known | given | chosen


def test_every_file_is_used() -> None:
    """Each file but those of styles and features is taken by another, or is `project`, which all begin with."""
    taken = {sibling for path in FUNCTIONS for sibling in siblings(path.read_text())}
    others = {name(path).removesuffix(path.suffix) for path in FUNCTIONS + PROGRAMS}
    others = {other for other in others if not other.startswith(("styles/", "features/"))}
    # The template names `lacking` in the facts.
    assert others - taken == {"project", "lacking"}


def arguments(node: Node) -> list[tuple[str, Node]]:
    """Return the arguments of a function and of those that it returns: each as it is written, and its node."""
    found = []
    while node.type == "function_expression":
        part = node.child_by_field_name("formals") or node.child_by_field_name("universal")
        assert part is not None
        at = any(child.type == "@" for child in node.children)
        found.append((code_of(node) if at else code_of(part), part))
        body = node.child_by_field_name("body")
        assert body is not None
        node = body
    return found


@pytest.mark.parametrize("style", styles(), ids=lambda style: style.name)
def test_a_style_is_a_function_with_named_arguments(style: Style) -> None:
    """A style is `self: project: { … }:`, without `...` and `@`, so that Nix refuses what it does not know."""
    path = LIBRARY / "styles" / f"{style.name}.nix"
    root = parse(path.read_text().encode()).child_by_field_name("expression")
    assert root is not None
    first, second, third = arguments(root)
    assert (first[0], second[0]) == ("self", "project")
    assert third[1].type == "formals"
    assert third[0].startswith("{")
    assert "ellipses" not in {child.type for child in third[1].children}


@pytest.mark.parametrize("path", FILES, ids=name)
def test_no_function_takes_anything(path: Path) -> None:
    """No function of the library has `...`, so that a misspelt name is an error everywhere. project.nix hands all facts
    that it does not know to the style, which refuses them.
    """
    nodes = walk(parse(path.read_text().encode()))
    rows = [row_of(node) + 1 for node in nodes if node.type == "ellipses"]
    assert len(rows) == (1 if path.name == "project.nix" else 0)


def common_facts() -> set[str]:
    """Return the names in `common` of project.nix: the facts of every style."""
    for node in walk(parse((LIBRARY / "project.nix").read_text().encode())):
        if node.type == "binding" and code_of(node.named_children[0]) == "common":
            value = node.child_by_field_name("expression")
            assert value is not None
            return {
                name
                for item in items_of(value)
                if item.named_children
                for name in code_of(item.named_children[0]).split()
            }
    raise AssertionError("project.nix has no `common`")


def test_nixpy_and_the_library_have_the_same_common_facts() -> None:
    """The facts that nixpy has for every style are those that project.nix takes."""
    assert common_facts() == COMMON


def test_every_fact_has_its_place() -> None:
    """The table of facts, without which the template leaves one out, has each that a style takes, and no others."""
    about = json.loads((TOP / "templates/facts.json").read_text())
    assert about.keys() == COMMON.union(*(style.facts for style in styles()))


def test_every_part_of_the_shell_is_read() -> None:
    """Each part of the fact `shell`, which is no function's argument, is read by the library under the name that nixpy
    has for it, and there are no others.
    """
    source = ast.parse(inspect.getsource(facts._shell))
    (rendered,) = (
        node.value
        for node in ast.walk(source)
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "shell"
    )
    assert isinstance(rendered, ast.Dict)
    names = {key.value for key in rendered.keys if isinstance(key, ast.Constant)}
    assert shell_parts(LIBRARY) == names


GENERATED = sorted(TOP.glob("examples/*/*.nix"))


@pytest.mark.parametrize("path", FILES, ids=name)
def test_the_library_is_formatted(path: Path) -> None:
    """Each file follows RFC 166."""
    assert violations(path.read_text()) == []


@pytest.mark.parametrize("path", [*FILES, TOP / "flake.nix", *GENERATED], ids=lambda path: str(path.relative_to(TOP)))
def test_nothing_is_unused(path: Path) -> None:
    """No `let` binding and no argument is unused, in the library, in our flake and in what the examples have of it."""
    assert unused(path.read_text()) == []


DEMO = TOP / "examples/demo"
BEGIN = "# The rest is the same for every project"


def uv_lock(project: Path) -> str:
    """Return a uv.lock for what nixpy.lock of a project has, as `uv lock` would write it for these packages."""
    files: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for system in json.loads((project / "nixpy.lock").read_text())["systems"].values():
        for wheel in system["wheels"]:
            files.setdefault((wheel["name"], wheel["version"]), set()).add((wheel["filename"], wheel["sha256"]))
    asked = ", ".join(f'{{ name = "{name}" }}' for name, _ in files)
    text = f"""\
version = 1
requires-python = ">=3.11"

[[package]]
name = "contact-sheet"
version = "0.1.0"
source = {{ virtual = "." }}
dependencies = [{asked}]

[package.dev-dependencies]
dev = [{{ name = "ruff" }}]
"""
    for (name, version), wheels in files.items():
        lines = "".join(
            f'  {{ url = "https://index.example/{file}", hash = "sha256:{sha256}" }},\n'
            for file, sha256 in sorted(wheels)
        )
        text += f'\n[[package]]\nname = "{name}"\nversion = "{version}"\n'
        text += f'source = {{ registry = "https://index.example/simple" }}\nwheels = [\n{lines}]\n'
    return text


def test_the_facts_of_the_demo_are_short(tmp_path: Path, nixpy: Nixpy) -> None:
    """What `make demo` renders has at most 60 lines of facts, and its first soname within the first 30."""
    copied = re.search(r"^cp \"\$top\"/(examples/[a-z-]+)/", DEMO.read_text(), re.MULTILINE)
    assert copied is not None
    for name in ("pyproject.toml", "nixpy.lock"):
        shutil.copy(TOP / copied[1] / name, tmp_path)
    (tmp_path / "uv.lock").write_text(uv_lock(tmp_path))
    assert nixpy("init", tmp_path, "--style", "nix-ld", "--offline").status == 0
    lines = (tmp_path / "nixpy.nix").read_text().splitlines()
    assert any("uv sync" in line for line in lines)
    assert next(row for row, line in enumerate(lines) if BEGIN in line) <= 60
    assert next(row for row, line in enumerate(lines, 1) if re.search(r'^ +"lib.*\.so', line)) <= 30


def test_the_page_about_styles_says_how_long_they_are() -> None:
    """Its table has the lines of each function and of the two parts of its example, as they are now."""
    page = (TOP / "docs/how-to/write-a-style.md").read_text()
    rows = re.findall(r"^\| ([a-z0-9-]+) \| (?:\d+|-) \| (\d+) \| (?:\d+|-) \| (\d+) \| (\d+) \|$", page, re.MULTILINE)
    found = []
    for style in styles():
        facts, library, _ = parts((TOP / "examples" / style.name / "nixpy.nix").read_text())
        function = (LIBRARY / "styles" / f"{style.name}.nix").read_text()
        # The line with the second checksum is counted with the facts, the blank one before the library too.
        found.append((style.name, *map(str, (function.count("\n"), facts.count("\n") + 2, library.count("\n") - 1))))
    assert sorted(rows) == sorted(found)


@pytest.mark.parametrize("path", FILES, ids=name)
def test_the_template_finds_each_sibling(path: Path) -> None:
    """Siblings are named as `self.NAME` or `self."FOLDER/NAME"`, as the template looks for them.

    `inherit (self) NAME` is only for what is no file.
    """
    text = path.read_text()
    (pattern,) = re.findall(r"regex_findall\('(self\[\.\].*?)'\)", (TOP / "templates/nixpy.nix.jinja").read_text())
    found = {quoted or bare for quoted, bare in re.findall(pattern, text)}
    named = {names[1] for names in selections(parse(text.encode())) if names[0] == "self" and len(names) > 1}
    # A name that is put together, such as `self."features/${name}"`, is found by the fact that has it.
    named = {one for one in named if "$" not in one}
    assert named - {"inputs", "isLinux", "lib", "pkgs", "system"} == found - {
        "inputs",
        "isLinux",
        "lib",
        "pkgs",
        "system",
    }
