"""Read the styles.

Each is a folder of `templates/styles` with a `style.toml`, and a Nix file in `templates/nix/styles`.

A new style needs no Python: no module compares names of styles; modules read the keys of style.toml.
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
    """A style with invalid files: a mistake of its author."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FlakeInput:
    """A flake input that a style needs.

    Its inputs in `follows` follow those of the user's flake.
    """

    name: str
    url: str
    follows: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Known limits of the third-party Nix code that a style uses.

    `table` is the table of pyproject.toml that the code reads, and `keys` are the keys that it needs there. `platforms`
    is a pattern for platform tags of wheels for which it fails. `build_tools` are build systems of nixpkgs that get the
    locked versions of packages, each with the oldest versions that it works with. `last_release` is the last branch of
    nixpkgs on which the code evaluates, empty if it evaluates on all, and `later_releases` says why not on later ones.
    """

    table: tuple[str, ...]
    keys: tuple[str, ...]
    platforms: str
    build_tools: Mapping[str, Mapping[str, str]]
    last_release: str = ""
    later_releases: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """One way to supply libraries to Python, as its style.toml describes it."""

    name: str
    title: str
    summary: str
    how: str
    document: str
    aliases: tuple[str, ...]
    order: int
    executables: bool  # programs inside wheels run
    build_programs: bool  # also when an installer builds a package
    leak_free: bool  # child processes do not inherit LD_LIBRARY_PATH
    darwin: bool
    ide: bool | None  # its Python works without the shell, as when an IDE starts it; None if it does not state that
    direnv: bool | str | None  # a string is the only condition
    all_wheels: bool  # nixpy.lock lists pure Python wheels, too, which no other style needs
    builds: Literal["", "always", "packaged"]  # builds the project itself; packaged: if it has a build system
    from_nixpkgs: bool  # Python packages come from nixpkgs, found by their names
    reads: str  # the lock that its Nix code reads itself, or pyproject.toml; empty if it reads only nixpy.nix
    inputs: tuple[FlakeInput, ...]  # inputs of the flake besides nixpkgs
    opens_libraries: bool  # libraries of [external] are found at run time
    builds_sources: bool  # a package without a wheel is built with the inputs that nixpy knows
    folder: str  # the folder of the project into which packages are installed, or empty
    venv_in_root: bool  # .venv is created in a separate root file system, and works only in that
    host: tuple[HostNeed, ...]  # the requirements on the host besides Nix
    good: tuple[str, ...]
    bad: tuple[str, ...]
    once: tuple[str, ...]  # files that `init` writes if they do not exist, each a template in `templates/once`
    instead: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # other styles, by the limitation of this one
    limits: Limits | None = None

    @property
    def uses_nix_ld(self) -> bool:
        """Whether it needs nix-ld on the host."""
        return any(need.name == "nix-ld" for need in self.host)

    def other(self, reason: str) -> str:
        """Return the styles without a limitation of this one, in words.

        An example is `style loader or fhs`.
        """
        names = self.instead.get(reason)
        return f"style {in_words(names)}" if names else "another style"

    @property
    def facts(self) -> dict[str, bool]:
        """The additional facts of its Nix function, and whether each is required.

        Facts of every style are not among them.
        """
        return _taken(templates.path("nix", "styles", f"{self.name}.nix"))


# The arguments of a style's function, which copier.yml reads in the same way: none, or one per line with a comma.
_ARGUMENTS = re.compile(r"^self: project:\n\{(?: |\n(?P<lines>.*?)^)\}:$", re.MULTILINE | re.DOTALL)
_ARGUMENT = re.compile(r"  (?P<name>[a-zA-Z][a-zA-Z0-9-]*)(?P<default> \? .+)?,(?: +#.*)?")


@cache
def _taken(path: Path) -> dict[str, bool]:
    """Return the arguments of a style's function, and whether each is required.

    Raises StyleError if they are written in another form, since nixpy would then find no arguments.
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
    """Return every style, in the order of recommendation."""
    return _in(templates.path("styles"))


@cache
def _in(folder: Path) -> tuple[Style, ...]:
    found = (_read(path) for one in folder.iterdir() if (path := one / "style.toml").is_file())
    return tuple(sorted(found, key=lambda style: (style.order, style.name)))


def find(name: str) -> Style:
    """Return the style `name`, in upper or lower case.

    It may be another spelling, such as `buildFHSEnv`.

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
    """Return the names of the styles for which `of` is true, for a hint.

    An example is `nix-ld, patched-venv or fhs`.
    """
    return in_words([style.name for style in styles() if of(style)])


def in_words(names: Collection[str]) -> str:
    """Return names as alternatives: `nix-ld, patched-venv or fhs`."""
    *first, last = names
    return f"{', '.join(first)} or {last}" if first else last


def program(name: str) -> Any:
    """Return the Python program `name` of a style as a module."""
    from importlib.util import module_from_spec, spec_from_file_location

    path = templates.path("nix", "programs", name)
    spec = spec_from_file_location(path.stem, path)
    assert spec is not None  # noqa: S101  (it is a .py file)
    assert spec.loader is not None  # noqa: S101
    module = module_from_spec(spec)
    sys.modules[path.stem] = module  # dataclasses look up names there
    spec.loader.exec_module(module)
    return module


def recommend(programs: Collection[str], systems: Collection[str]) -> tuple[Style, str]:
    """Recommend a style that installs locked wheels and works on all `systems`.

    It installs the wheels into the project.

    A style that needs nothing of the host comes before one that does; among those, the order of the styles decides.

    Args:
        programs: The wheels with programs that need a loader on Linux.
        systems: The systems that the style must work on.

    Returns:
        The style, and the reason in words with what it assumes of the host.

    >>> style, why = recommend({"ruff"}, {"x86_64-linux"})
    >>> style.name, why
    ('patched-venv', 'ruff contains programs that must start on NixOS; assumes nothing of the host but Linux')
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
    linux_only = "" if chosen.darwin else " but Linux"
    return chosen, f"{why}; assumes {host.in_words(chosen.host)} of the host{linux_only}"


def command_for_programs(programs: Collection[str], systems: Collection[str]) -> str:
    """Return the command that chooses a style in which programs in wheels start.

    It is the recommended style for these programs and systems.

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
        last_release=data.get("last-release", ""),
        later_releases=data.get("later-releases", ""),
    )
