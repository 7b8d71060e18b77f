"""Read the user's settings in pyproject.toml or nixpy.toml.

They are in `[tool.nixpy]`, or in nixpy.toml if there is no pyproject.toml.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, NoReturn

from packaging.utils import InvalidName, NormalizedName, canonicalize_name

from nixpy.core import address
from nixpy.core.errors import ArgumentError, NixpyError, ProjectError, SettingError, nearest
from nixpy.core.target import SYSTEMS
from nixpy.core.toml_file import toml_line
from nixpy.libraries.match import Rules, user_entries
from nixpy.nixpkgs.expression import attributes

PYPROJECT = "pyproject.toml"
NIXPY_TOML = "nixpy.toml"
# A nixpkgs branch, tag or revision that is valid in a flake reference.
_REF = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*")
# A part of a path that needs no quotes in Nix (`import ./nix/nixpy.nix`) and in a shell.
_PART = re.compile(r"[A-Za-z0-9_+-][A-Za-z0-9._+-]*")
_TAKEN = {"flake.nix", "shell.nix", "default.nix"}
# Nix decides whether a flake reference is valid. It has no control characters, and no blanks around it.
_SOURCE = re.compile(r"(?!\s)[^\x00-\x1f\x7f]+(?<!\s)")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The validated settings of one project.

    Returns None if the user leaves the choice to nixpy.
    """

    style: str | None = None
    """How Python finds the libraries. `nixpy init` writes the style that you name, or the one that it recommends."""
    python: str | None = None
    """The Python version, such as `"3.13"`. Default: the one in `.python-version`, else the default of nixpkgs if the
    project admits it.
    """
    nixpkgs: str | None = None
    """A branch of nixpkgs, such as `"nixos-26.05"`, or a revision. Default: the current stable branch."""
    systems: tuple[str, ...] = ()
    """The systems that nixpy analyses and generates files for. Default: `x86_64-linux`, `aarch64-linux` and, if the
    style supports macOS, `aarch64-darwin`.
    """
    lock: str | None = None
    """The lock file to read, if there are several or it is in another folder."""
    requirements: tuple[str, ...] = ()
    """The requirements files to read, if they do not have the usual names."""
    extras: tuple[NormalizedName, ...] = ()
    """The extras of the project to install."""
    groups: tuple[NormalizedName, ...] | None = None
    """The dependency groups to install. Default: those that the tool of the lock installs by default."""
    members: tuple[NormalizedName, ...] = ()
    """The members of the uv workspace to analyse and install, for the project in the folder of the workspace. Default:
    all members.
    """
    features: tuple[str, ...] = ()
    """The features to add to the style; see the page on features."""
    manager: str | None = None
    """The program that installs into `.venv` when you enter the shell: `"uv"`, `"pip"`, `"poetry"` or `"pdm"`. With
    `"none"`, you install yourself. Default: the one that matches the lock of the project.
    """
    venv_copies: bool = False
    """`true` creates `.venv` with `python -m venv --copies`."""
    relax: tuple[NormalizedName, ...] | Literal[True] = ()
    """For style application: the packages of which every version is accepted; `true` for all packages."""
    packages: tuple[str, ...] = ()
    """Packages for the shell, as attributes of nixpkgs, such as `"git"` or `"nodejs"`."""
    versions: Literal["nixpkgs", "locked"] = "nixpkgs"
    """Which version to use if both nixpkgs and the lock have a package, for styles that take packages from nixpkgs:
    `"nixpkgs"` or `"locked"`.
    """
    allow_marked: tuple[NormalizedName, ...] = ()
    """The Python packages to take from nixpkgs although nixpkgs marks them insecure or unfree, such as `["ecdsa"]`. For
    other packages, nixpkgs refuses as it does without nixpy.
    """
    env: Mapping[str, str] = field(default_factory=dict)
    """Environment variables to set in the shell."""
    shell_hook: str = ""
    """Shell commands to run when you enter the shell."""
    library: Literal["vendored", "input"] = "vendored"
    """Where the Nix functions that the generated file calls are: with `"vendored"`, in the generated file itself, below
    the facts; with `"input"`, in the flake input `nixpy`.
    """
    source: str | None = None
    """The address of the flake input `nixpy`, for `library = "input"`: a flake reference."""
    file: str = "nixpy.nix"
    """The path of the generated Nix file. nixpy writes nixpy.lock into the same folder."""
    libraries: Rules = field(default_factory=Rules)
    external: Mapping[str, str] = field(default_factory=dict)
    """Which packages of nixpkgs supply the dependencies of `[external]`: in `map`, an attribute or expression for each
    identifier, such as `{ "dep:generic/foo" = "foo" }`.
    """


def parse(table: Mapping[str, Any], path: Path, text: str = "", prefix: tuple[str, ...] = ()) -> Settings:
    """Return the settings in `table`.

    Args:
        table: The table, as tomllib returns it.
        path: The file of the table, for messages.
        text: The text of that file, from which messages get the line.
        prefix: The keys of the table in that file.

    Raises:
        ProjectError: A key is unknown (the hint has the nearest known one), or a value has the wrong type.
    """
    return Settings(**_Reader(table, path, text, prefix).settings())


def nixpkgs_ref(text: str) -> str:
    """Return `text` if it is a valid branch, tag or revision for a flake reference.

    Else raise NixpyError.
    """
    if not _REF.fullmatch(text):
        raise ArgumentError(
            f"`{text}` is not a branch, tag or revision of nixpkgs", hint="Write only its name, such as nixos-26.05."
        )
    return text


class _Reader:
    """Reads one table key by key, so that each error names its key and line."""

    def __init__(self, table: Mapping[str, Any], path: Path, text: str, prefix: tuple[str, ...]) -> None:
        self.table, self.path, self.text, self.prefix = table, path, text, prefix

    def settings(self) -> dict[str, Any]:
        readers: dict[str, Callable[[str, Any], Any]] = {
            "style": self.string,
            "python": lambda key, value: self.matching(key, value, re.compile(r"3\.\d+"), 'a version like "3.13"'),
            "nixpkgs": lambda key, value: self.matching(key, value, _REF, 'a branch like "nixos-26.05"'),
            "systems": self.systems,
            "lock": self.string,
            "requirements": self.strings,
            "extras": self.names,
            "groups": self.names,
            "members": self.members,
            "features": self.features,
            "manager": self.string,
            "venv-copies": self.flag,
            "relax": self.relax,
            "packages": self.packages,
            "versions": self.versions,
            "allow-marked": self.packages_of_index,
            "env": self.env,
            "shell-hook": self.writable,
            "library": self.library,
            "source": lambda key, value: self.matching(
                key, value, _SOURCE, f'a flake reference like "{address.flake()}"'
            ),
            "file": self.file,
            "libraries": self.libraries,
            "external": self.external,
        }
        self.known(self.table, readers)
        return {key.replace("-", "_"): readers[key](key, value) for key, value in self.table.items()}

    def known(self, table: Mapping[str, Any], keys: Mapping[str, Any], *where: str) -> None:
        for key in table:
            if key not in keys:
                near = nearest(key, keys)
                hint = f"Did you mean `{near}`?" if near else f"The settings are {', '.join(sorted(keys))}."
                self.fail(f"unknown setting `{'.'.join((*self.prefix, *where, key))}`", *where, key, hint=hint)

    def fail(self, message: str, *keys: str, hint: str | None = None) -> NoReturn:
        raise SettingError(message, hint=hint, path=self.path, line=toml_line(self.text, *self.prefix, *keys))

    def wrong(self, wanted: str, *keys: str) -> NoReturn:
        self.fail(f"`{'.'.join((*self.prefix, *keys))}` must be {wanted}", *keys)

    def string(self, key: str, value: Any) -> str:
        return value if isinstance(value, str) else self.wrong("a string", key)

    def flag(self, key: str, value: Any) -> bool:
        return value if isinstance(value, bool) else self.wrong("true or false", key)

    def writable(self, key: str, value: Any) -> str:
        if "\0" in self.string(key, value):
            self.wrong("text without a NUL character, which neither Nix nor a shell can hold", key)
        return str(value)

    def matching(self, key: str, value: Any, pattern: re.Pattern[str], wanted: str) -> str:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            self.wrong(wanted, key)
        return value

    def strings(self, key: str, value: Any, *where: str) -> tuple[str, ...]:
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self.wrong("a list of strings", *where, key)
        return tuple(value)

    def relax(self, key: str, value: Any) -> tuple[NormalizedName, ...] | Literal[True]:
        if isinstance(value, bool):
            return value or ()
        return self.names(key, value) if isinstance(value, list) else self.wrong("true or a list of packages", key)

    def names(self, key: str, value: Any) -> tuple[NormalizedName, ...]:
        return tuple(sorted({canonicalize_name(item) for item in self.strings(key, value)}))

    def packages_of_index(self, key: str, value: Any) -> tuple[NormalizedName, ...]:
        for name in self.strings(key, value):
            try:
                canonicalize_name(name, validate=True)
            except InvalidName:
                self.fail(f"`{name}` is not the name of a package", key, hint='Write a name such as "ecdsa".')
        return self.names(key, value)

    def members(self, key: str, value: Any) -> tuple[NormalizedName, ...]:
        return self.names(key, value) or self.wrong("a list with at least one member", key)

    def systems(self, key: str, value: Any) -> tuple[str, ...]:
        chosen = self.strings(key, value)
        for system in chosen:
            if system not in SYSTEMS:
                self.fail(f"unknown system `{system}`", key, hint=f"Use one of {', '.join(SYSTEMS)}.")
        return tuple(sorted(set(chosen)))

    def features(self, key: str, value: Any) -> tuple[str, ...]:
        from nixpy.styles import features

        for name in self.strings(key, value):
            try:
                features.find(name)
            except NixpyError as error:
                self.fail(error.message, key, hint=error.hint)
        return tuple(sorted(set(value)))

    def packages(self, key: str, value: Any) -> tuple[str, ...]:
        for item in self.strings(key, value):
            try:
                attributes(f"pkgs.{item}")
            except ValueError:
                self.fail(
                    f"`{item}` is not an attribute of nixpkgs",
                    key,
                    hint='Write an attribute such as "git" or "nodejs".',
                )
        return tuple(value)

    def versions(self, key: str, value: Any) -> str:
        return str(value) if value in ("nixpkgs", "locked") else self.wrong('"nixpkgs" or "locked"', key)

    def library(self, key: str, value: Any) -> str:
        return str(value) if value in ("vendored", "input") else self.wrong('"vendored" or "input"', key)

    def env(self, key: str, value: Any) -> dict[str, str]:
        if not isinstance(value, Mapping) or not all(isinstance(item, str) for item in value.values()):
            self.wrong("a table of strings", key)
        for name, text in value.items():
            if not _VARIABLE.fullmatch(name):
                self.fail(f"`{name}` is not a valid name of an environment variable", key, name)
            self.writable(key, text)
        return dict(sorted(value.items()))

    def file(self, key: str, value: Any) -> str:
        parts = self.string(key, value).split("/")
        if not value.endswith(".nix") or not all(map(_PART.fullmatch, parts)):
            self.wrong(
                'a path in the project that ends in ".nix" and has only letters, digits, `_`, `+`, `-`, `.` and `/`',
                key,
            )
        if value in _TAKEN:
            self.fail(f"`{value}` is your own file, and nixpy does not generate it", key, hint='Write "nixpy.nix".')
        return "/".join(parts)

    def libraries(self, key: str, value: Any) -> Rules:
        if isinstance(value, str):  # `libraries = "manylinux"` is short for `libraries.mode`
            value = {"mode": value}
        if not isinstance(value, Mapping):
            self.wrong('"exact", "manylinux" or a table', key)
        self.known(value, {rule.name: None for rule in fields(Rules)}, key)
        rules = dict(value)
        if rules.get("mode", "exact") not in ("exact", "manylinux"):
            self.wrong('"exact" or "manylinux"', key)
        if rules.get("runtime", "likely") not in ("likely", "certain", "none"):
            self.wrong('"likely", "certain" or "none"', key, "runtime")
        if not isinstance(rules.get("optional", False), bool):
            self.wrong("true or false", key, "optional")
        for name in ("add", "ignore"):
            rules[name] = self.strings(name, rules.get(name, []), key)
        mapping = rules.setdefault("map", {})
        if not isinstance(mapping, Mapping) or not all(isinstance(item, str) for item in mapping.values()):
            self.wrong('a table of strings, like { "libfoo.so.1" = "foo" }', key, "map")
        chosen = Rules(**{**rules, "add": tuple(rules["add"]), "ignore": tuple(rules["ignore"])})
        try:
            user_entries(chosen)
        except NixpyError as error:
            self.fail(error.message, key, hint=error.hint)
        return chosen

    def external(self, key: str, value: Any) -> dict[str, str]:
        from nixpy.external import depurl, mapping

        if not isinstance(value, Mapping):
            self.wrong("a table", key)
        self.known(value, {"map": None}, key)
        chosen = value.get("map", {})
        if not isinstance(chosen, Mapping) or not all(isinstance(item, str) for item in chosen.values()):
            self.wrong('a table of strings, like { "dep:generic/foo" = "foo" }', key, "map")
        found: dict[str, str] = {}
        for name, text in chosen.items():
            try:
                dependency = depurl.parse(name)
                found[dependency.qualified] = mapping.expression(text)
            except NixpyError as error:
                self.fail(error.message, key, "map", name, hint=error.hint)
            except ValueError:
                hint = "Write one such as zlib, xorg.libX11 or (pkgs.libx11 or pkgs.xorg.libX11)."
                self.fail(f"`{text}` is not an attribute path of nixpkgs", key, "map", name, hint=hint)
            if dependency.version or dependency.marker:
                self.fail(
                    f"`{name}` must have no version and no marker", key, "map", name, hint=f"Write `{dependency.id}`."
                )
        return dict(sorted(found.items()))


def updated(path: Path, text: str, chosen: Mapping[str, str | list[str]]) -> str:
    """Return the TOML `text` of the file `path` with the `chosen` settings in it.

    The rest stays, byte for byte.

    Raises ProjectError, with the lines to write by hand, if the form of the file does not allow that.
    """
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    mark = "\ufeff" if text.startswith("\ufeff") else ""  # some editors write it; tomlkit does not accept it
    before = tomllib.loads(text.removeprefix(mark))
    pyproject = path.name == PYPROJECT
    try:
        document = tomlkit.parse(text.removeprefix(mark))
        table: Any = document
        for key in ("tool", "nixpy") if pyproject else ():
            if key not in table:
                table[key] = tomlkit.table(is_super_table=key == "tool")
            table = table[key]
        for key, value in chosen.items():
            if table.get(key) != value:
                table[key] = value
        new = tomlkit.dumps(document)
        # tomlkit may change tables with dotted keys or in one line to other tables; then nothing is written.
        is_exact = tomllib.loads(new) == _merged(before, chosen, pyproject=pyproject)
    except (TOMLKitError, tomllib.TOMLDecodeError, ValueError, TypeError, AttributeError):
        is_exact = False
    if not is_exact:
        lines = "; ".join(f"{key} = {json.dumps(value)}" for key, value in chosen.items())
        where = "[tool.nixpy]" if pyproject else "the top of the file"
        raise ProjectError(
            "nixpy cannot write its settings into this file", path=path, hint=f"Add to {where}: `{lines}`."
        )
    if "\r\n" in text and text.count("\n") == text.count("\r\n"):
        new = re.sub(r"\r?\n", "\r\n", new)
    return mark + new


def _merged(data: Mapping[str, Any], chosen: Mapping[str, Any], *, pyproject: bool) -> dict[str, Any]:
    if not pyproject:
        return {**data, **chosen}
    tools = data.get("tool", {})
    return {**data, "tool": {**tools, "nixpy": {**tools.get("nixpy", {}), **chosen}}}
