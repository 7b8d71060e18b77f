"""Translate PEP 508 requirements into names of nixpkgs' Python set.

The requirements are those of a build or a package.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from packaging.markers import UndefinedComparison, UndefinedEnvironmentName
from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

from nixpy.core.errors import ArchiveError
from nixpy.core.target import Target
from nixpy.nixpkgs import python_packages

SETUPTOOLS = (Requirement("setuptools"),)  # the build system of a package that names none (PEP 517)
# setuptools-scm (and so hatch-vcs), pdm-backend and poetry-dynamic-versioning get the version from hooks of their
# packages in nixpkgs (their setup-hook.sh); pbr has no hook, so packages in nixpkgs set this variable.
VERSION_VARIABLES = {"pbr": "PBR_VERSION"}
# With a release that has it; the table of packages has only those that are in every release.
_LATER = {"annotated-doc": "26.05", "narwhals": "25.05", "typing-inspection": "25.05", "uv-build": "25.05"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Needed:
    """A package of nixpkgs' Python set, and the required extras.

    Its name is that on the index.
    """

    name: NormalizedName
    extras: tuple[str, ...] = ()

    @property
    def expression(self) -> str | None:
        """The expression over `ps`, or None if the package is not known to be in nixpkgs."""
        if self.name in _LATER:
            return f'(ps.{self.name} or (throw "nixpkgs {_LATER[self.name]} and later have {self.name}"))'
        return python_packages.attribute(self.name)

    @property
    def known(self) -> bool:
        """Whether the package is known to be in nixpkgs."""
        return self.expression is not None

    @property
    def attribute(self) -> str:
        """The newest spelling of its attribute; its own name if none is known."""
        return next(iter(python_packages.spellings(self.name)), python_packages.identifier(self.name))


def needed_requirements(
    requirements: Sequence[Requirement], owner: str, extras: frozenset[str], target: Target
) -> tuple[Needed, ...]:
    """Return the packages that are needed with `extras`, sorted.

    An extra of the package's own is replaced by its requirements. Raises NixpyError for a marker that cannot be
    evaluated.
    """
    found: dict[NormalizedName, set[str]] = {}
    todo, seen = [extras], {extras}
    while todo:
        chosen = todo.pop()
        for requirement in requirements:
            if not _holds(requirement, chosen, target):
                continue
            name = canonicalize_name(requirement.name)
            asked = {canonicalize_name(extra) for extra in requirement.extras}
            if name != owner:
                found.setdefault(name, set()).update(asked)
            elif (more := frozenset(asked)) and more not in seen:
                seen.add(more)
                todo.append(more)
    needs = [Needed(name=name, extras=tuple(sorted(asked))) for name, asked in found.items()]
    return tuple(sorted(needs, key=lambda need: need.attribute))


def _holds(requirement: Requirement, extras: frozenset[str], target: Target) -> bool:
    environment = target.marker_environment()
    try:
        return requirement.marker is None or any(
            requirement.marker.evaluate({**environment, "extra": extra}) for extra in extras or {""}
        )
    except (UndefinedComparison, UndefinedEnvironmentName) as error:
        message = f"the marker of its requirement `{requirement}` cannot be evaluated: {error}"
        raise ArchiveError(message, hint="Choose another version.") from None
