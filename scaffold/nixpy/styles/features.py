"""Read the features, which add to a style.

Each is a folder of `templates/features` with a `feature.toml`.

A Nix file of the same name in `templates/nix/features` changes the shell or the interpreter. A feature that only
changes facts of a project has none.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from nixpy.core import templates
from nixpy.core.errors import ArgumentError, nearest


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """One feature, as its feature.toml describes it."""

    name: str
    title: str
    summary: str
    cost: str
    document: str  # empty if none describes it
    packages: tuple[str, ...]  # Nix expressions: programs and hooks for the shell
    inputs: tuple[str, ...]  # Nix expressions: the inputs of the hooks of the packages
    styles: frozenset[str]  # the styles that it works with; empty for all
    driver: bool  # the host's driver is found even if no wheel names a driver library
    replaces_executables: bool  # programs of nixpkgs replace those in wheels
    answers_find_library: bool  # ctypes.util.find_library finds the libraries of the project
    modules: tuple[str, ...]  # modules of the standard library that the Python of nixpkgs has only with it
    reason: str  # why a package of run-time.csv fails without it; empty if the table has the reason
    for_wheels: tuple[tuple[str, Mapping[str, str]], ...]  # variables of the shell if a wheel of that name is used

    @property
    def has_nix(self) -> bool:
        """Whether it has a Nix file."""
        return templates.path("nix", "features", f"{self.name}.nix").is_file()

    def works_with(self, style: str) -> bool:
        """Return whether it works with the style of this name."""
        return not self.styles or style in self.styles

    def variables(self, wheels: Collection[str]) -> dict[str, str]:
        """Return the variables of the shell for a project with these wheels."""
        return {name: text for wheel, found in self.for_wheels if wheel in wheels for name, text in found.items()}


def features() -> tuple[Feature, ...]:
    """Return every feature, sorted by name."""
    return _in(templates.path("features"))


@cache
def _in(folder: Path) -> tuple[Feature, ...]:
    return tuple(_read(path) for one in sorted(folder.iterdir()) if (path := one / "feature.toml").is_file())


def find(name: str) -> Feature:
    """Return the feature `name`.

    Raises NixpyError, with the nearest name, if it does not exist.
    """
    known = {feature.name: feature for feature in features()}
    if feature := known.get(name):
        return feature
    near = nearest(name, known)
    hint = f"Did you mean `{near}`? " if near else ""
    raise ArgumentError(f"there is no feature `{name}`", hint=f"{hint}The features are {', '.join(known)}.")


def with_property(of: Callable[[Feature], bool]) -> Feature:
    """Return the first feature for which `of` is true; StopIteration if there is none."""
    return next(filter(of, features()))


def extension_modules() -> tuple[str, ...]:
    """Return the extension modules that some feature adds to the Python of nixpkgs."""
    return tuple(name for feature in features() for name in feature.modules if name.startswith("_"))


def select(names: Collection[str], style: str | None) -> tuple[Feature, ...]:
    """Return the features with these names, sorted.

    Raises NixpyError for one that does not work with `style`, if given.
    """
    found = tuple(find(name) for name in sorted(set(names)))
    for feature in found:
        if style and not feature.works_with(style):
            raise ArgumentError(
                f"feature `{feature.name}` does not work with style `{style}`",
                hint=f"Remove it from `features`, or choose one of the styles {', '.join(sorted(feature.styles))}.",
            )
    return found


def _read(path: Path) -> Feature:
    data = tomllib.loads(path.read_text("utf-8"))
    return Feature(
        name=path.parent.name,
        title=data["title"],
        summary=data["summary"],
        cost=data["cost"],
        document=data["document"],
        packages=tuple(data.get("packages", ())),
        inputs=tuple(data.get("inputs", ())),
        styles=frozenset(data.get("styles", ())),
        driver=data.get("driver", False),
        replaces_executables=data.get("replaces-executables", False),
        answers_find_library=data.get("answers-find-library", False),
        modules=tuple(data.get("modules", ())),
        reason=data.get("reason", ""),
        for_wheels=tuple((item["name"], item["variables"]) for item in data.get("wheels", ())),
    )
