"""Define the environment of one project, before Nix is generated.

In it, all choices are decided and all names resolved.
"""

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
from nixpy.libraries.match import Library, left_out
from nixpy.project.config import Settings
from nixpy.project.managers import Manager
from nixpy.styles.features import Feature
from nixpy.styles.styles import Style

if TYPE_CHECKING:
    from nixpy.external.build_inputs import BuildInput, BuildInputs


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """The environment of one project, in the terms of the templates."""

    style: Style
    nixpkgs: str
    settings: Settings
    nixpy_lock: NixpyLock
    libraries: tuple[Library, ...]
    opened: tuple[str, ...]  # those of them that a package opens at run time on Linux, sorted
    packages: PythonSet | None  # for a style that takes packages from nixpkgs
    requirements: tuple[str, ...]  # the requirements of the project itself
    own_package: Mapping[str, Any] | None  # the project itself, if the style builds it
    features: tuple[Feature, ...]
    programs: Programs
    manager: Manager | None
    venv: str  # the path of .venv from the project's folder
    overrides: tuple[Override, ...]
    lang2nix: Mapping[str, Any] | None  # the arguments of third-party Nix code
    addresses: str | None  # the path from the generated file to the lock with the address of each wheel
    external: BuildInputs | None  # the packages that are needed besides wheels
    external_opened: tuple[str, ...]  # its sonames that the project opens at run time
    diagnostics: tuple[Diagnostic, ...]

    @property
    def supplied(self) -> tuple[Library, ...]:
        """The libraries from nixpkgs in the generated file.

        Optional ones only if the settings include them.
        """
        return tuple(library for library in self.libraries if library.provider == "nixpkgs" and library.wanted)

    @property
    def left_out(self) -> tuple[Library, ...]:
        """The libraries that packages open, or may open, and that are not supplied."""
        return left_out(self.libraries)

    @property
    def rendered(self) -> Iterator[Library]:
        """The supplied libraries with their expressions in the generated file."""
        for library in self.supplied:
            text = library.expression
            yield replace(library, expression=self.external.rendered(text)) if self.external and text else library

    @property
    def build_inputs(self) -> tuple[BuildInput, ...]:
        """The packages that are needed besides wheels."""
        return self.external.inputs if self.external else ()

    @property
    def unsupplied(self) -> tuple[Library, ...]:
        """Libraries that files of wheels name on Linux and nixpkgs does not supply.

        These are optional ones, and those of the host's driver.
        """
        left = (
            library
            for library in self.libraries
            if library.provider == "host-driver" or not (library.wanted or library.only_opened)
        )
        return tuple(
            library
            for library in left
            if library.provider != "sibling-wheel"
            and library not in self.supplied
            and not {*library.systems}.isdisjoint(LINUX_SYSTEMS)
        )
