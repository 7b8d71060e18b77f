"""Find the place in the user's Nix files where nixpy's shell belongs.

nixpy never changes these files. `templates/flake/lines.jinja` makes the lines of the result.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from nixpy.files.nix_sources import NixSource, absolute, read_sources
from nixpy.project.project import Project

Kind = Literal["shell", "flake-parts", "flake-utils", "plain"]

_OUTPUTS = ("packages", "checks", "apps")
_MKSHELL = re.compile(
    r"\bmkShell(?:NoCC)?\b(?:\.override[ \n]{1,9}\{[^{}]{0,200}\}[ \n]{0,9}\))?\s{0,99}(?:rec\s{1,9})?\{"
)
_BEFORE = re.compile(r"""[\w'."${}()-]{1,120}\.$""")
_DEFAULT = re.compile(
    r"\bdefault\s{0,9}=(?:\s{0,99}with\s[\w.]{1,60};|\s{0,99}let\s.{0,200}?\sin\s)?[^;]{0,200}$", re.DOTALL
)
_FOREIGN = re.compile(r"devenv|devshell")  # shells that are not made by the mkShell of nixpkgs
_BRACKET = re.compile(r"[{}]")
_JOINED = re.compile(r"\binputsFrom\s{0,9}=")
_PER_SYSTEM = re.compile(r"\bperSystem\s{0,9}=\s{0,99}(?P<arguments>\w{1,40}(?=\s{0,9}:)|\{[^{}]{0,999}\})?")
_PARTS = re.compile(r"\bflake-parts\b")
_EACH = re.compile(
    r"\b(?P<name>each(?:Default)?System(?:Map|PassThrough)?)\b[^:;=]{0,200}?\(\s{0,9}(?P<system>\w{1,40})\s{0,9}:"
)
_ASSIGNED = re.compile(r"=\s{0,20}[\w.-]{0,60}$")
_KEY = re.compile(r"""\bdevShells\.(?P<key>\$\{[^{}\n]{1,40}\}|"[^"\n]{1,40}"|[\w-]{1,40})\.[\w-]{1,40}\s{0,9}=""")
_PKGS = re.compile(r"(?<![\w.'-])pkgs\b(?!\s{0,9}')")
_ARGUMENTS = re.compile(
    r"\boutputs\s{0,9}=\s{0,99}(?:(?P<before>\w{1,40})\s{0,9}@\s{0,9})?"
    r"(?:\{(?P<names>[^{}]{0,999})\}|(?P<one>\w{1,40}))(?:\s{0,9}@\s{0,9}(?P<after>\w{1,40}))?\s{0,9}:"
)
_NIXPKGS = re.compile(r"(?<![\w-])nixpkgs(?![\w-])")
_INPUT = re.compile(r"(?<![\w-])nixpkgs\s{0,9}(?:\.\s{0,9}url\b|=)")
_LITERAL = re.compile(r"[\w./+-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The place of nixpy's shell.

    It is in the arguments of a `mkShell`, or else in outputs of its own. `expression` is the import of the generated
    file with the `pkgs` of that place, and `of_system` the one in a function of `system`, or for the system `key`.
    `note` is a condition on the file in words.
    """

    kind: Kind
    where: str
    expression: str
    of_system: str = ""
    found: bool = False  # there is a `mkShell` of nixpkgs
    joined: bool = False  # it has `inputsFrom`
    note: str = ""
    shell: str = "default"  # the name of the shell, another one if the flake has a shell of another kind
    per_system: bool = False  # the flake has a `perSystem`
    key: str = ""  # the system in `devShells.<system>.<name>`, as the flake writes it
    nixpkgs: str = "nixpkgs"  # the input, in the outputs
    has_nixpkgs: bool = True
    outputs: tuple[str, ...] = ()  # the outputs besides the shell that the flake does not have yet

    @property
    def line(self) -> str:
        """The line for the arguments of `mkShell`, or for their `inputsFrom`."""
        shell = f"({self.expression}).shell"
        return f"({shell})" if self.joined else f"inputsFrom = [ {shell} ];"

    def as_dict(self) -> dict[str, Any]:
        """Return the data for the template."""
        return {**asdict(self), "line": self.line}


def place(entry: Path, project: Project, *, handed: bool = False) -> Place:
    """Return the place for nixpy's shell in `entry` and the files that it names.

    `entry` exists. With `handed`, the generated file needs the inputs of the flake.
    """
    file, root = absolute(project.rendered), project.root.resolve()
    sources = read_sources(entry, without=file) or (NixSource(absolute(entry), ""),)
    first, here = sources[0], sources[0].path.parent

    def at(source: NixSource, offset: int) -> str:
        return f"{os.path.relpath(source.path, root)}:{source.line(offset)}"

    if first.path.name != "flake.nix":
        found = Place(kind="shell", where="the arguments of `mkShell`", expression=_import(file, here, handed=handed))
    else:
        found = _of_flake(sources, at, lambda folder, pkgs: _import(file, folder, pkgs, handed=handed))
    shell = _mk_shell(sources)
    if shell is None:
        return found
    source, start, end = shell
    pkgs, note = _pkgs_at(source, start)
    joined = any(_depth(source.code, end, match.start()) == 0 for match in _JOINED.finditer(source.code, end))
    where = "the list `inputsFrom`" if joined else "the arguments of `mkShell`"
    return replace(
        found,
        found=True,
        joined=joined,
        where=f"{where} in {at(source, start)}",
        expression=_import(file, source.path.parent, pkgs, handed=handed),
        note=note,
        # The variables of another file are not in the scope of the flake's outputs.
        outputs=found.outputs if found.has_nixpkgs and (source is first or found.kind == "plain") else (),
        has_nixpkgs=True,  # the shell does not need it
    )


def _of_flake(
    sources: Sequence[NixSource], at: Callable[[NixSource, int], str], of: Callable[[Path, str], str]
) -> Place:
    """Return the place in a flake without a `mkShell` of nixpkgs.

    `sources` are its files. `at` returns file and line of an offset, and `of` the import for a folder and its `pkgs`.
    """
    first = sources[0]
    here, nixpkgs = first.path.parent, _nixpkgs(first)
    other = any("devShells" in source.code or _FOREIGN.search(source.code) for source in sources)
    key = found["key"] if (found := _KEY.search(first.text)) else ""
    same: dict[str, Any] = {
        "shell": "nixpy" if other else "default",
        "outputs": _missing(sources),
        "nixpkgs": nixpkgs,
        "has_nixpkgs": _INPUT.search(first.text) is not None or _has_argument(first),
        "of_system": of(here, f"pkgs = {nixpkgs}.legacyPackages.{key or '${system}'}"),
    }
    parts = [(source, match) for source in sources if (match := _PER_SYSTEM.search(source.code))]
    if parts:
        source, match = parts[0]
        note = "" if _PKGS.search(match["arguments"] or "") else "with `pkgs` among the arguments of `perSystem`"
        where = f"`perSystem` in {at(source, match.start())}"
        expression = of(source.path.parent, "inherit pkgs")
        return Place(kind="flake-parts", where=where, expression=expression, per_system=True, note=note, **same)
    if _PARTS.search(first.text):
        return Place(kind="flake-parts", where="the module", expression=of(here, "inherit pkgs"), **same)
    if call := _each(first):
        own = _PKGS.search(first.code)
        pkgs = "inherit pkgs" if own else f"pkgs = {nixpkgs}.legacyPackages.${{{call['system']}}}"
        where = f"`{call['name']}` in {at(first, call.start())}"
        return Place(kind="flake-utils", where=where, expression=of(here, pkgs), **same)
    beside = other and not key and _PKGS.search(first.code)
    expression = of(here, "inherit pkgs") if beside else same["of_system"]
    return Place(kind="plain", where="the outputs", expression=expression, key=key, **same)


def _each(source: NixSource) -> re.Match[str] | None:
    """Return the call of a function of flake-utils that makes all outputs.

    If the result is one output, as in `devShells = eachSystem (…)`, the function is the flake's own.
    """
    calls = _EACH.finditer(source.code)
    return next(
        (call for call in calls if not _ASSIGNED.search(source.code, max(0, call.start() - 80), call.start())), None
    )


def _missing(sources: Iterable[NixSource]) -> tuple[str, ...]:
    """Return the outputs that no file sets.

    `packages = [ … ]` is not an output but an argument of mkShell.
    """
    return tuple(
        name
        for name in _OUTPUTS
        if not any(
            re.search(rf"(?<![\w-]){name}\s{{0,9}}(?:\.|=(?!\s{{0,99}}(?:with\s[^;]{{0,99}};\s{{0,99}})?\[))", one.code)
            for one in sources
        )
    )


def _mk_shell(sources: Sequence[NixSource]) -> tuple[NixSource, int, int] | None:
    """Return the `mkShell` of the default shell, else the first one.

    One in the entry comes first, then one in a file that is named after a shell. The result is its source, its start,
    and the end of its `{`.
    """
    found = [
        (source, match.start(), match.end())
        for source in sources
        for match in _MKSHELL.finditer(source.code)
        if not _FOREIGN.search(source.text, max(0, match.start() - 60), match.start())
    ]

    def rank(one: tuple[NixSource, int, int]) -> tuple[bool, bool, bool]:
        source, start, _ = one
        default = _DEFAULT.search(source.code, max(0, start - 300), start)
        return (source is not sources[0], "shell" not in source.path.name.lower(), default is None)

    return min(found, key=rank, default=None)


def _pkgs_at(source: NixSource, at: int) -> tuple[str, str]:
    """Return the Nix code for `pkgs` at a `mkShell`, and its condition in words."""
    before = _BEFORE.search(source.text[max(0, at - 121) : at])
    of = before[0].removesuffix(".").strip("()") if before else ""
    if of == "pkgs" or (not of and _PKGS.search(source.code)):
        return "inherit pkgs", ""
    if not of or of.count("{") != of.count("}") or "(" in of or ")" in of:
        return "inherit pkgs", "with `pkgs` in scope there"
    return f"pkgs = {of}", ""


def _depth(code: str, start: int, end: int) -> int:
    """Return the number of brackets that are open at `end`.

    It is -1 if the bracket around `start` is closed there.
    """
    depth = 0
    for match in _BRACKET.finditer(code, start, end):
        depth += 1 if match[0] == "{" else -1
        if depth < 0:
            return -1
    return depth


def _import(file: Path, folder: Path, pkgs: str = "inherit pkgs", *, handed: bool) -> str:
    path = Path(os.path.relpath(file, folder)).as_posix()
    path = path if path.startswith("../") else f"./{path}"
    literal = path if _LITERAL.fullmatch(path) else f'(./. + "/{path}")'
    inputs = "" if not handed else " inputs" if pkgs.startswith("inherit") else "; inherit inputs"
    return f"import {literal} {{ {pkgs}{inputs}; }}"


def _has_argument(first: NixSource) -> bool:
    match = _ARGUMENTS.search(first.code)
    return match is not None and _NIXPKGS.search(match["names"] or "") is not None


def _nixpkgs(first: NixSource) -> str:
    """Return how the outputs of a flake name the input nixpkgs."""
    match = _ARGUMENTS.search(first.code)
    if match is None or _has_argument(first):
        return "nixpkgs"
    name = match["before"] or match["after"] or match["one"]
    return f"{name}.nixpkgs" if name and name != "_" else "nixpkgs"
