"""Read the requirements in the standard tables of pyproject.toml.

Some locks do not record the requirements of their project.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from packaging.dependency_groups import DependencyGroupResolver
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from nixpy.core import limits
from nixpy.locks.validate import DamagedError, Table, strings, typed


def project_requirements(pyproject: Table, extras: AbstractSet[str], groups: AbstractSet[str]) -> list[Requirement]:
    """Return the requirements in `[project]` and `[dependency-groups]`.

    Extras of the project that name other ones include their requirements. Raises DamagedError for an invalid
    requirement.
    """
    project = typed(pyproject, "project", dict, {})
    optional = typed(project, "optional-dependencies", dict, {})
    standard = typed(pyproject, "dependency-groups", dict, {})
    own = canonicalize_name(typed(project, "name", str, ""))
    resolver = DependencyGroupResolver(standard)
    try:
        found = [Requirement(line) for line in strings(project, "dependencies")]
        for group in standard:
            found += resolver.resolve(group) if canonicalize_name(group) in groups else ()
        active = set(extras)
        seen: set[str] = set()
        for _ in range(limits.CHAIN):
            for extra in optional:
                if canonicalize_name(extra) in active - seen:
                    found += map(Requirement, strings(optional, extra))
            seen |= active
            active |= {
                canonicalize_name(name) for one in found if canonicalize_name(one.name) == own for name in one.extras
            }
            if active == seen:
                break
    except (ExceptionGroup, InvalidRequirement) as error:
        raise DamagedError(f"pyproject.toml has an invalid requirement: {error}") from None
    return [one for one in found if canonicalize_name(one.name) != own or not own]
