"""Read literal values from setup.py and setup.cfg.

They are never run: computed values are unknown.

A keyword of `setup()` takes precedence over the key of setup.cfg, as in setuptools (config/setupcfg.py).
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import NormalizedName, canonicalize_name

from nixpy.core import limits
from nixpy.core.conflict import refuse_conflict
from nixpy.core.errors import ProjectError
from nixpy.core.toml_file import read_text
from nixpy.project.dependencies import Dependencies

if TYPE_CHECKING:
    import configparser

SETUP_PY, SETUP_CFG = "setup.py", "setup.cfg"
# The place of each keyword of setup() in setup.cfg, and the separator of its list items.
_PLACES = {
    "name": ("metadata", None),
    "version": ("metadata", None),
    "description": ("metadata", None),
    "url": ("metadata", None),
    "python_requires": ("options", None),
    "install_requires": ("options", ";"),
    "scripts": ("options", ","),
}
_NO_PROGRAM = (SyntaxError, ValueError, MemoryError, RecursionError)
_SPELLINGS = {"home_page": "url", "home-page": "url"}
# Tables: each key is an item.
_SECTIONS = {"extras_require": ("options.extras_require", ";"), "entry_points": ("options.entry_points", "\0")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """The keywords of `setup()` with literal values.

    With them are the names of keywords that are code.
    """

    path: Path  # the file for messages
    values: Mapping[str, Any] = field(default_factory=dict)
    opaque: frozenset[str] = frozenset()
    elsewhere: Mapping[str, str] = field(default_factory=dict)  # `attr: …` and `file: …` of setup.cfg
    all_opaque: bool = False  # there may be other keywords

    def text(self, key: str) -> str | None:
        """Return a literal string, or None."""
        value = self.values.get(key)
        return value.strip() or None if isinstance(value, str) else None

    def lines(self, key: str) -> tuple[str, ...] | None:
        """Return a list of strings; None if only running the file shows it."""
        value = self.values.get(key, None if self.is_opaque(key) else ())
        return _lines(value)

    def table(self, key: str) -> dict[str, tuple[str, ...]] | None:
        """Return lists by their names; None if only running the file shows them."""
        value = self.values.get(key, None if self.is_opaque(key) else {})
        if not isinstance(value, Mapping):
            return None
        found = {str(name): lines for name, item in value.items() if (lines := _lines(item)) is not None}
        return found if len(found) == len(value) else None

    def is_opaque(self, key: str) -> bool:
        """Whether the value is code, so that reading the file does not show it."""
        return key in self.opaque or key in self.elsewhere or (self.all_opaque and key not in self.values)

    def dependencies(self) -> Dependencies:
        """Return the dependencies in the form of those in pyproject.toml.

        Raises ProjectError if they are not literal, or not valid requirements.
        """
        lines, extras = self.lines("install_requires"), self.table("extras_require")
        if lines is None or extras is None:
            raise ProjectError(
                "only setuptools can compute these dependencies",
                path=self.path,
                hint=f"Let uv write them into a file: `uv pip compile --universal {self.path.name} -o "
                "requirements.txt`.",
            )
        name = self.text("name")
        nothing: Mapping[NormalizedName, tuple[object, ...]] = {}
        return Dependencies(
            path=self.path,
            name=canonicalize_name(name) if name else None,
            requires_python=self._requires_python(),
            dependencies=self.requirements(lines),
            optional={canonicalize_name(extra): self.requirements(own) for extra, own in extras.items()},
            groups=nothing,
            default_groups=frozenset(),
            version_known=self.text("version") is not None,
        )

    def requirements(self, lines: tuple[str, ...]) -> tuple[Requirement, ...]:
        """Parse `lines` as requirements; ProjectError, with the line, for an invalid one."""
        found = []
        for line in lines:
            try:
                found.append(Requirement(line))
            except InvalidRequirement as error:
                reason = str(error).partition("\n")[0]
                raise self._wrong(line, f"`{line}` is not a requirement: {reason}") from None
        return tuple(found)

    def _requires_python(self) -> SpecifierSet | None:
        value = self.text("python_requires")
        try:
            return SpecifierSet(value) if value else None
        except InvalidSpecifier:
            raise self._wrong(value or "", f"`python_requires` is not a version specifier: {value!r}") from None

    def _wrong(self, value: str, message: str) -> ProjectError:
        files = (self.path, self.path.with_name(SETUP_CFG))
        texts = [(path, read_text(path).splitlines()) for path in files if path.is_file()]
        path, line = next(
            ((path, number) for path, text in texts for number, line in enumerate(text, start=1) if value in line),
            (self.path, None),
        )
        return ProjectError(message, hint="Write it as in PEP 508 and PEP 440.", path=path, line=line)


def read(root: Path) -> Setup | None:
    """Return the keywords in setup.py and setup.cfg of a folder, or None.

    Returns None if it has neither for setuptools.

    Raises ProjectError, with the line, for a file with a syntax error.
    """
    program, config = root / SETUP_PY, root / SETUP_CFG
    sections = _config(config) if config.is_file() else None
    if not program.is_file() and not (sections and {"metadata", "options"} & {*sections.sections()}):
        return None
    values, opaque, all_opaque = _program(program) if program.is_file() else ({}, frozenset[str](), False)
    said = (
        {key: value for key, value in _keywords(sections) if key not in opaque and not values.get(key)}
        if sections
        else {}
    )
    elsewhere = {key: value for key, value in said.items() if str(value).startswith(("attr:", "file:"))}
    values |= {key: value for key, value in said.items() if key not in elsewhere}
    return Setup(
        path=program if program.is_file() else config,
        values=values,
        opaque=opaque,
        elsewhere=elsewhere,
        all_opaque=all_opaque,
    )


def assigned(text: str, *names: str) -> str | None:
    """Return the literal string that a module assigns to a variable.

    The variable is the first of `names` that the source assigns.
    """
    try:
        constants = _constants(ast.parse(text))
    except _NO_PROGRAM:
        return None
    found = (constants.get(name) for name in names)
    return next((value for value in found if isinstance(value, str)), None)


def _program(path: Path) -> tuple[dict[str, Any], frozenset[str], bool]:
    """Return the keywords of the one call of setup().

    With them are those that are code, and whether there may be others.
    """
    text = read_text(path)
    try:
        tree = ast.parse(text)
    except _NO_PROGRAM as error:
        line = error.lineno if isinstance(error, SyntaxError) else None
        refuse_conflict(text, path)
        raise ProjectError(f"this is not valid Python 3: {error}", hint="Correct it.", path=path, line=line) from None
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and _called(node.func) == "setup"]
    if len(calls) != 1:
        return {}, frozenset(), True
    constants = _constants(tree)
    values: dict[str, Any] = {}
    opaque = set()
    for keyword in calls[0].keywords:
        if keyword.arg is not None:
            try:
                values[keyword.arg] = _literal(keyword.value, constants)
            except ValueError:
                opaque.add(keyword.arg)
    return values, frozenset(opaque), any(keyword.arg is None for keyword in calls[0].keywords)


def _called(node: ast.expr) -> str | None:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else None


def _constants(tree: ast.Module) -> dict[str, Any]:
    """Return the variables that are assigned once, at the top level, to a literal."""
    stored = Counter(
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    )
    found: dict[str, Any] = {}
    for node in tree.body:
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
        for target in targets:
            if isinstance(target, ast.Name) and stored[target.id] == 1 and value is not None:
                try:
                    found[target.id] = _literal(value, found)
                except ValueError:
                    continue
    return found


def _literal(node: ast.expr, constants: Mapping[str, Any]) -> Any:
    if isinstance(node, ast.Name) and node.id in constants:
        return constants[node.id]
    try:
        return ast.literal_eval(node)
    except (TypeError, MemoryError, RecursionError) as error:  # `{[]: 1}`, or deeply nested brackets
        raise ValueError from error


def _config(path: Path) -> configparser.RawConfigParser:
    import configparser  # few projects still have such a file

    parser = configparser.RawConfigParser()
    try:
        text = read_text(path)
        limits.check_blanks(text, path)
        parser.read_string(text)
    except configparser.Error as error:
        line = getattr(error, "lineno", None)
        refuse_conflict(text, path)
        raise ProjectError("this file is not a valid setup.cfg", hint="Correct it.", path=path, line=line) from None
    return parser


def _keywords(sections: configparser.RawConfigParser) -> Iterator[tuple[str, Any]]:
    """Yield the keywords in setup.cfg, in the form of those of setup().

    Values from other files as `file: …`.
    """
    for key, (section, separator) in _PLACES.items():
        items = dict(sections.items(section)) if sections.has_section(section) else {}
        spelled = {_SPELLINGS.get(name, name.replace("-", "_")): value for name, value in items.items()}
        if (value := spelled.get(key)) is not None:
            yield key, value if separator is None or value.startswith("file:") else _split(value, separator)
    for key, (section, separator) in _SECTIONS.items():
        if sections.has_section(section):
            items = dict(sections.items(section))
            outside = next((value for value in items.values() if value.startswith("file:")), None)
            yield key, outside or {name: _split(value, separator) for name, value in items.items()}


def _split(value: str, separator: str) -> list[str]:
    parts = value.splitlines() if "\n" in value else value.split(separator)
    return [part.strip() for part in parts if part.strip() and not part.strip().startswith("#")]


def _lines(value: Any) -> tuple[str, ...] | None:
    if isinstance(value, str):
        value = value.splitlines()
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        return None
    return tuple(item.strip() for item in value if item.strip())
