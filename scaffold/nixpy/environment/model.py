"""What is known of one project before its facts are rendered: everything decided, every name resolved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from nixpy.analysis.nixpylock import NixpyLock
from nixpy.core.target import LINUX_SYSTEMS
from nixpy.diagnostics.diagnostic import Diagnostic
from nixpy.environment.overrides import Override
from nixpy.environment.programs import Programs
from nixpy.environment.python_set import PythonSet
from nixpy.libraries.match import Library
from nixpy.project.config import Settings
from nixpy.project.managers import Manager
from nixpy.styles.features import Feature
from nixpy.styles.styles import Style

if TYPE_CHECKING:
    from nixpy.external.build_inputs import BuildInput, BuildInputs


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """What is rendered: the facts of one project, in the words of the templates."""

    style: Style
    nixpkgs: str
    settings: Settings
    nixpy_lock: NixpyLock
    libraries: tuple[Library, ...]
    opened: tuple[str, ...]  # those of them that a package opens by name at run time on Linux, sorted
    packages: PythonSet | None  # of a style that takes them from nixpkgs
    requirements: tuple[str, ...]  # what the project itself asks for
    own_package: Mapping[str, Any] | None  # the project itself, where the style builds it
    features: tuple[Feature, ...]
    programs: Programs
    manager: Manager | None
    overrides: tuple[Override, ...]
    lang2nix: Mapping[str, Any] | None  # what other people's Nix code is pointed at
    addresses: str | None  # the path from the rendered file to the lock with the address of each wheel
    external: BuildInputs | None  # what is needed besides wheels, if anything is
    external_opened: tuple[str, ...]  # the sonames of it that the project opens by name when it runs
    diagnostics: tuple[Diagnostic, ...]

    @property
    def supplied(self) -> tuple[Library, ...]:
        """The libraries that come from nixpkgs and are rendered: optional ones only where the user asks for them."""
        wanted = self.settings.libraries
        return tuple(
            library
            for library in self.libraries
            if library.provider == "nixpkgs" and (wanted.optional or not library.optional)
        )

    @property
    def rendered(self) -> Iterator[Library]:
        """The supplied libraries with their expressions as they stand in the generated file."""
        for library in self.supplied:
            text = library.expression
            yield replace(library, expression=self.external.rendered(text)) if self.external and text else library

    @property
    def build_inputs(self) -> tuple[BuildInput, ...]:
        """The packages that are needed besides wheels."""
        return self.external.inputs if self.external else ()

    @property
    def unsupplied(self) -> tuple[Library, ...]:
        """What wheels name on Linux and do without: what only optional parts need, and the host's driver."""
        left = (library for library in self.libraries if library.provider == "host-driver" or library.optional)
        return tuple(
            library
            for library in left
            if library.provider != "sibling-wheel"
            and library not in self.supplied
            and not {*library.systems}.isdisjoint(LINUX_SYSTEMS)
        )
