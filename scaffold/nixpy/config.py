"""What the user set: `[tool.nixpy]` of pyproject.toml, or the top level of nixpy.toml where there is no pyproject."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn

from packaging.utils import NormalizedName, canonicalize_name

from nixpy.errors import NixpyError
from nixpy.libraries.answer import Rules, user_entries
from nixpy.target import SYSTEMS
from nixpy.toml import toml_line

PYPROJECT = "pyproject.toml"
NIXPY_TOML = "nixpy.toml"
# A nixpkgs branch, tag or revision as it may stand in a flake reference.
_REF = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]*")
_ATTRIBUTE = re.compile(r"[A-Za-z_][\w'-]*(\.[A-Za-z_][\w'-]*)*")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of one project, validated; None where the user left the choice to nixpy."""

    style: str | None = None
    python: str | None = None
    nixpkgs: str | None = None
    systems: tuple[str, ...] = ()
    lock: str | None = None
    requirements: tuple[str, ...] = ()
    extras: tuple[NormalizedName, ...] = ()
    groups: tuple[NormalizedName, ...] | None = None
    packages: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    shell_hook: str = ""
    file: str = "nixpy.nix"
    libraries: Rules = field(default_factory=Rules)


def parse(table: Mapping[str, Any], path: Path, text: str = "", prefix: tuple[str, ...] = ()) -> Settings:
    """Return the settings in `table`; `text` and `prefix` serve to name the line of what is wrong.

    Raises NixpyError for an unknown key (with the nearest known one) and for a value of the wrong kind.
    """
    return Settings(**_Reader(table, path, text, prefix).settings())


def nixpkgs_ref(text: str) -> str:
    """Return `text` if it can stand in a flake reference as a branch, tag or revision; NixpyError otherwise."""
    if not _REF.fullmatch(text):
        raise NixpyError(
            f"`{text}` is no branch, tag or revision of nixpkgs", hint="write it alone, such as nixos-26.05"
        )
    return text


class _Reader:
    """Reads one table key by key, so that each error names its key and line."""

    def __init__(self, table: Mapping[str, Any], path: Path, text: str, prefix: tuple[str, ...]) -> None:
        self.table, self.path, self.text, self.prefix = table, path, text, prefix

    def settings(self) -> dict[str, Any]:
        readers: dict[str, Callable[[str, Any], Any]] = {
            "style": self.string,
            "python": lambda key, value: self.matching(key, value, re.compile(r"3\.\d+"), 'like "3.13"'),
            "nixpkgs": lambda key, value: self.matching(key, value, _REF, 'a branch like "nixos-26.05"'),
            "systems": self.systems,
            "lock": self.string,
            "requirements": self.strings,
            "extras": self.names,
            "groups": self.names,
            "packages": self.packages,
            "env": self.env,
            "shell-hook": self.string,
            "file": self.file,
            "libraries": self.libraries,
        }
        self.known(self.table, readers)
        return {key.replace("-", "_"): readers[key](key, value) for key, value in self.table.items()}

    def known(self, table: Mapping[str, Any], keys: Mapping[str, Any], *where: str) -> None:
        for key in table:
            if key not in keys:
                near = get_close_matches(key, keys, 1)
                hint = f"did you mean `{near[0]}`?" if near else "known are " + ", ".join(sorted(keys))
                self.fail(f"unknown setting `{'.'.join((*self.prefix, *where, key))}`", *where, key, hint=hint)

    def fail(self, message: str, *keys: str, hint: str | None = None) -> NoReturn:
        raise NixpyError(message, hint=hint, path=self.path, line=toml_line(self.text, *self.prefix, *keys))

    def wrong(self, wanted: str, *keys: str) -> NoReturn:
        self.fail(f"`{'.'.join((*self.prefix, *keys))}` must be {wanted}", *keys)

    def string(self, key: str, value: Any) -> str:
        return value if isinstance(value, str) else self.wrong("a string", key)

    def matching(self, key: str, value: Any, pattern: re.Pattern[str], wanted: str) -> str:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            self.wrong(wanted, key)
        return value

    def strings(self, key: str, value: Any, *where: str) -> tuple[str, ...]:
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self.wrong("a list of strings", *where, key)
        return tuple(value)

    def names(self, key: str, value: Any) -> tuple[NormalizedName, ...]:
        return tuple(sorted({canonicalize_name(item) for item in self.strings(key, value)}))

    def systems(self, key: str, value: Any) -> tuple[str, ...]:
        chosen = self.strings(key, value)
        for system in chosen:
            if system not in SYSTEMS:
                self.fail(f"unknown system `{system}`", key, hint="known are " + ", ".join(SYSTEMS))
        return tuple(sorted(set(chosen)))

    def packages(self, key: str, value: Any) -> tuple[str, ...]:
        for item in self.strings(key, value):
            if not _ATTRIBUTE.fullmatch(item):
                self.fail(f"`{item}` is not an attribute of nixpkgs", key, hint='write "git" or "nodePackages.npm"')
        return tuple(value)

    def env(self, key: str, value: Any) -> dict[str, str]:
        if not isinstance(value, Mapping) or not all(isinstance(item, str) for item in value.values()):
            self.wrong("a table of strings", key)
        for name in value:
            if not _VARIABLE.fullmatch(name):
                self.fail(f"`{name}` is not a name for an environment variable", key, name)
        return dict(sorted(value.items()))

    def file(self, key: str, value: Any) -> str:
        text = self.string(key, value)
        parts = Path(text).parts
        if not text.endswith(".nix") or Path(text).is_absolute() or ".." in parts:
            self.wrong('a path inside the project that ends in ".nix"', key)
        return Path(text).as_posix()

    def libraries(self, key: str, value: Any) -> Rules:
        if isinstance(value, str):  # `libraries = "manylinux"` is short for `libraries.mode`
            value = {"mode": value}
        if not isinstance(value, Mapping):
            self.wrong('"exact", "manylinux" or a table', key)
        self.known(value, {rule.name: None for rule in fields(Rules)}, key)
        rules = dict(value)
        if rules.get("mode", "exact") not in {"exact", "manylinux"}:
            self.wrong('"exact" or "manylinux"', key)
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


def updated(text: str, chosen: Mapping[str, str | list[str]], *, pyproject: bool) -> str:
    """Return the TOML `text` with the `chosen` settings in it; comments, order and everything else stay."""
    import tomlkit

    mark = "\ufeff" if text.startswith("\ufeff") else ""  # some editors begin a file with it; tomlkit stumbles
    document = tomlkit.parse(text.removeprefix(mark))
    if not pyproject:
        table: Any = document
    else:
        if "tool" not in document:
            document["tool"] = tomlkit.table(is_super_table=True)
        tool: Any = document["tool"]
        if "nixpy" not in tool:
            tool["nixpy"] = tomlkit.table()
        table = tool["nixpy"]
    for key, value in chosen.items():
        if table.get(key) != value:
            table[key] = value
    new = tomlkit.dumps(document)
    if "\r\n" in text and text.count("\n") == text.count("\r\n"):
        new = re.sub(r"\r?\n", "\r\n", new)
    return mark + new
