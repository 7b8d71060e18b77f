"""The styles: each is a folder of `templates/styles` with a `style.toml`, and a Nix file in `templates/nix/styles`.

Adding one needs no Python: no module compares names of styles, but asks for what a style.toml says.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

from nixpy.core import templates
from nixpy.core.errors import ArgumentError, InternalError, nearest
from nixpy.diagnostics.diagnostic import bring_programs
from nixpy.styles import host
from nixpy.styles.host import HostNeed


class StyleError(InternalError):
    """A style whose files are not as they must be: a fault of who wrote it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FlakeInput:
    """A flake input that a style needs; those named in `follows` are to be the user's own."""

    name: str
    url: str
    follows: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What is known to fail in the Nix code of others that a style hands the project to.

    `table` is the table of pyproject.toml that it reads and `keys` what it needs there. `platforms` is a pattern for
    platform tags of wheels at which it ends with an error. `build_tools` are build systems of nixpkgs that get the
    locked versions of packages, each with the oldest versions that it works with.
    """

    table: tuple[str, ...]
    keys: tuple[str, ...]
    platforms: str
    build_tools: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """One way to hand libraries to Python, as its style.toml describes it."""

    name: str
    title: str
    summary: str
    how: str
    document: str
    aliases: tuple[str, ...]
    order: int
    executables: bool  # programs inside wheels run
    build_programs: bool  # and where an installer builds a package, too
    leak_free: bool  # what Python starts inherits no LD_LIBRARY_PATH, which every program would read
    darwin: bool
    ide: bool | None  # its Python works without the shell, as when an IDE starts it; None where that is not said
    direnv: bool | str | None  # text says by what alone
    all_wheels: bool  # nixpy.lock is to name the pure Python ones too, which matter to no other style
    builds: Literal["", "always", "packaged"]  # the project itself; packaged: where it names a build system
    from_nixpkgs: bool  # Python packages are nixpkgs' own, found by their names
    reads: str  # the lock that its Nix code reads itself, or pyproject.toml; empty where nixpy.nix says it all
    inputs: tuple[FlakeInput, ...]  # of the flake, besides nixpkgs
    opens_libraries: bool  # those of [external] are found by name when the project runs
    builds_sources: bool  # a package without a wheel is built with what nixpy knows of it
    folder: str  # where in the project packages are installed; empty where they are not
    venv_in_root: bool  # .venv is made and used in a root file system of its own, and works in no other place
    host: tuple[HostNeed, ...]  # what the host must have besides Nix
    good: tuple[str, ...]
    bad: tuple[str, ...]
    once: tuple[str, ...]  # files that `init` writes where there are none, each a template in `templates/once`
    instead: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # other styles, by what this one cannot do
    limits: Limits | None = None

    @property
    def uses_nix_ld(self) -> bool:
        """Whether it needs nix-ld on the host."""
        return any(need.name == "nix-ld" for need in self.host)

    def other(self, reason: str) -> str:
        """Return which style to choose where this one cannot do something, in words: `style loader or fhs`."""
        names = self.instead.get(reason)
        return f"style {in_words(names)}" if names else "another style"

    @property
    def facts(self) -> dict[str, bool]:
        """The facts that its Nix function takes besides those of every style, and whether each must be there."""
        return _taken(templates.path("nix", "styles", f"{self.name}.nix"))


# The arguments of a style's function as copier.yml reads them, too: none, or one a line with a comma behind it.
_ARGUMENTS = re.compile(r"^self: project:\n\{(?: |\n(?P<lines>.*?)^)\}:$", re.MULTILINE | re.DOTALL)
_ARGUMENT = re.compile(r"  (?P<name>[a-zA-Z][a-zA-Z0-9-]*)(?P<default> \? .+)?,(?: +#.*)?")


@cache
def _taken(path: Path) -> dict[str, bool]:
    """Return the arguments of a style's function, and whether each is required.

    Raises StyleError where they are written in another way, as they would be taken for none.
    """
    found = _ARGUMENTS.search(path.read_text("utf-8"))
    lines = ((found and found["lines"]) or "").splitlines()
    arguments = [_ARGUMENT.fullmatch(line) for line in lines if not line.lstrip().startswith("#")]
    if found is None or None in arguments:
        raise StyleError(
            f"{path}: a style must be `self: project:`, followed by its facts in braces, one per line, "
            "each with a comma"
        )
    return {item["name"]: item["default"] is None for item in arguments if item}


def styles() -> tuple[Style, ...]:
    """Return every style, in the order in which they are recommended."""
    return _in(templates.path("styles"))


@cache
def _in(folder: Path) -> tuple[Style, ...]:
    found = (_read(path) for one in folder.iterdir() if (path := one / "style.toml").is_file())
    return tuple(sorted(found, key=lambda style: (style.order, style.name)))


def find(name: str) -> Style:
    """Return the style called `name`, by its own name or another spelling (`buildFHSEnv`), in any case.

    Raises NixpyError, with the nearest name, for a style that does not exist.
    """
    spellings = {spelling.lower(): style for style in styles() for spelling in (style.name, *style.aliases)}
    if style := spellings.get(name.lower()):
        return style
    near = nearest(name.lower(), spellings)
    known = ", ".join(style.name for style in styles())
    hint = f"Did you mean `{spellings[near].name}`? " if near else ""
    raise ArgumentError(f"there is no style `{name}`", hint=f"{hint}The styles are {known}; see `nixpy styles`.")


def names(of: Callable[[Style], bool]) -> str:
    """Return the names of the styles for which `of` is true, for a hint: `nix-ld, patched-venv or fhs`."""
    return in_words([style.name for style in styles() if of(style)])


def in_words(names: Collection[str]) -> str:
    """Return names as alternatives: `nix-ld, patched-venv or fhs`."""
    *first, last = names
    return f"{', '.join(first)} or {last}" if first else last


def program(name: str) -> Any:
    """Return the Python program `name` that a style brings along, as a module."""
    from importlib.util import module_from_spec, spec_from_file_location

    path = templates.path("nix", "programs", name)
    spec = spec_from_file_location(path.stem, path)
    assert spec is not None  # noqa: S101  (it is a .py file)
    assert spec.loader is not None  # noqa: S101
    module = module_from_spec(spec)
    sys.modules[path.stem] = module  # where its dataclasses look their names up
    spec.loader.exec_module(module)
    return module


def recommend(programs: Collection[str], systems: Collection[str]) -> tuple[Style, str]:
    """Recommend a style that installs the locked wheels into the project and works on all of `systems`.

    A style that needs nothing of the host comes before one that does; among those, the order of the styles decides.

    Args:
        programs: The wheels with programs that need a loader on Linux.
        systems: The systems that the style must work on.

    Returns:
        The style, and the reason in words with what it assumes of the host.

    >>> style, why = recommend({"ruff"}, {"x86_64-linux"})
    >>> style.name, why
    ('patched-venv', 'ruff contains programs that must start on NixOS; assumes nothing of the host')
    """
    darwin = any(system.endswith("-darwin") for system in systems)
    fitting = [
        style
        for style in styles()
        if style.leak_free and style.folder and (style.darwin or not darwin) and (style.executables or not programs)
    ]
    chosen = min(fitting, key=lambda style: bool(style.host))  # the first of these
    why = (
        f"{bring_programs(sorted(programs))} that must start on NixOS"
        if programs
        else "the default: no wheel contains programs, and child processes inherit nothing"
    )
    return chosen, f"{why}; assumes {host.in_words(chosen.host)} of the host"


def command_for_programs(programs: Collection[str], systems: Collection[str]) -> str:
    """Return the command that chooses a style in which the programs of wheels start: the recommended one.

    >>> command_for_programs({"ruff"}, {"x86_64-linux"})
    'nixpy init --style patched-venv'
    """
    return f"nixpy init --style {recommend(programs, systems)[0].name}"


def _read(path: Path) -> Style:
    data = tomllib.loads(path.read_text("utf-8"))
    promises, tradeoffs = data["promises"], data["tradeoffs"]
    return Style(
        name=path.parent.name,
        title=data["title"],
        summary=data["summary"],
        how=data["how"],
        document=data["document"],
        aliases=tuple(data["aliases"]),
        order=data["order"],
        executables=promises["executables"],
        build_programs=data.get("build-programs", promises["executables"]),
        leak_free=promises["leak-free"],
        darwin=promises["darwin"],
        ide=promises.get("ide"),
        direnv=promises.get("direnv"),
        all_wheels=data.get("wheels") == "all",
        builds=data.get("project", ""),
        from_nixpkgs=data.get("packages") == "nixpkgs",
        reads=data.get("reads", ""),
        inputs=tuple(
            FlakeInput(name=name, url=item["url"], follows=tuple(item["follows"]))
            for name, item in data.get("inputs", {}).items()
        ),
        opens_libraries=data.get("opens-libraries", True),
        builds_sources=data.get("sources", bool(data.get("folder", ".venv"))),
        folder=data.get("folder", ".venv"),
        venv_in_root=data.get("venv-in-root", False),
        host=tuple(map(host.find, promises["host"])),
        good=tuple(tradeoffs["good"]),
        bad=tuple(tradeoffs["bad"]),
        once=tuple(data.get("once", ())),
        instead={reason: tuple(names) for reason, names in data.get("instead", {}).items()},
        limits=_limits(data["limits"]) if "limits" in data else None,
    )


def _limits(data: Mapping[str, Any]) -> Limits:
    return Limits(
        table=tuple(data["table"].split(".")),
        keys=tuple(data["keys"]),
        platforms=data["platforms"],
        build_tools=data["build-tools"],
    )
