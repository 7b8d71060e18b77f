"""Support styles with third-party Nix code, which reads the project itself.

Such code is uv2nix, poetry2nix and pyproject.nix.

This module checks the files that the code needs, reports its known limits, and computes its arguments.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from nixpy.core.errors import ArgumentError, ProjectError
from nixpy.core.target import Target
from nixpy.diagnostics.diagnostic import Diagnostic, shorten
from nixpy.environment.options import ResolvedOptions
from nixpy.locks import formats
from nixpy.locks.model import Lock
from nixpy.nixpkgs import python_packages, releases
from nixpy.project import flake as flake_file
from nixpy.project.config import PYPROJECT
from nixpy.project.project import Project
from nixpy.styles import styles
from nixpy.styles.styles import Limits, Style


def refuse(project: Project, style: Style, *, flake: bool) -> None:
    """Raise NixpyError if the style's Nix code does not support the project.

    A project without a flake is not supported either.
    """
    if style.inputs and not flake:
        names = ", ".join(item.name for item in style.inputs)
        raise ArgumentError(
            f"style {style.name} takes {names} from flake inputs, so it does not work with shell.nix",
            hint=f"Use --flake, or choose {style.other('no-flake')}.",
        )
    if diagnostic := _unread(project, style):
        raise ProjectError(diagnostic.message, hint=diagnostic.hint, path=project.root)


def refuse_nixpkgs(project: Project, resolved: ResolvedOptions) -> None:
    """Raise ProjectError if the chosen style does not evaluate on the chosen nixpkgs.

    Its Nix code may evaluate on a nixpkgs that nixpy cannot judge; `diagnostics` reports it.
    """
    style, nixpkgs = styles.find(resolved.style) if resolved.style else None, resolved.nixpkgs
    limits = style.limits if style else None
    if not (style and limits and limits.last_release and releases.is_later(nixpkgs, limits.last_release)):
        return
    line = project.setting_line("nixpkgs") if project.settings.nixpkgs == nixpkgs else None
    raise ProjectError(
        f"style {style.name} does not work with {nixpkgs}: {limits.later_releases}",
        hint=f"Run `nixpy init --nixpkgs {limits.last_release}`, or choose {style.other('newer-nixpkgs')}.",
        path=project.settings_path if line else project.root,
        line=line,
    )


def diagnostics(project: Project, style: Style, nixpkgs: str, targets: Sequence[Target]) -> Iterator[Diagnostic]:
    """Yield NIX207 if the style's lock is missing, and known limits of the style."""
    yield from _unjudged(project, style, nixpkgs)
    if diagnostic := _unread(project, style):
        yield diagnostic
    elif style.from_nixpkgs and style.reads:
        for name, attribute in _in_nixpkgs(project, targets).items():
            if attribute is None:
                yield Diagnostic(
                    code="NIX301",
                    package=name,
                    message=f"{name} is not known to be in nixpkgs, and nothing evaluates without it",
                    hint=python_packages.unknown_package(name),
                )
    elif project.locked and style.limits:
        yield from _limits(project, project.locked, style, style.limits, targets)


def _unjudged(project: Project, style: Style, nixpkgs: str) -> Iterator[Diagnostic]:
    """Yield NIX314 if nixpy cannot judge whether the style works with `nixpkgs`."""
    limits = style.limits
    if not limits or not limits.last_release:
        return
    entry = flake_file.nearest_flake(project.root)
    if releases.is_later(nixpkgs, limits.last_release) is None:
        unknown = f"nixpy does not know how old nixpkgs {nixpkgs} is"
    elif entry and flake_file.followed(entry.parent) is None:
        unknown = f"nixpy does not know which nixpkgs {os.path.relpath(entry, project.root.resolve())} takes"
    else:
        return
    yield Diagnostic(
        code="NIX314",
        message=f"{unknown}, so {style.name} may not evaluate: {limits.later_releases}",
        hint=f"Use {limits.last_release}, on which it evaluates.",
    )


def _unread(project: Project, style: Style) -> Diagnostic | None:
    """Return NIX207 if the style reads another file than the project installs from."""
    if style.reads == PYPROJECT and not _says_dependencies(project):
        message = (
            f"style {style.name} reads [project] of pyproject.toml or requirements files, and this project has neither"
        )
        hint = "Write the dependencies into [project]."
        return Diagnostic(code="NIX207", message=message, hint=hint)
    lock_format = formats.by_name(style.reads)
    if lock_format is None:
        return None
    lock = project.lock
    if lock is None or lock.name != style.reads:
        other = f"but this project installs from {lock.name}" if lock else "and this project has none"
        setting = f', and set lock = "{style.reads}" in [tool.nixpy]' if lock else ""
        hint = f"Run `{lock_format.relock}`{setting}."
        return Diagnostic(code="NIX207", message=f"style {style.name} reads {style.reads}, {other}", hint=hint)
    if lock.resolve().parent != project.root.resolve():
        message = f"style {style.name} reads {lock.name} in the project folder, but this lock belongs to a workspace"
        return Diagnostic(code="NIX207", message=message, hint=f"Run nixpy in {os.path.relpath(lock.parent)}.")
    return None


def _says_dependencies(project: Project) -> bool:
    if project.requirements:
        return all(formats.format_of(path) is None for path in project.requirements)
    table = _table(project.pyproject, "project")
    dynamic = table.get("dynamic", [])
    return bool(table) and "dependencies" not in (dynamic if isinstance(dynamic, list) else [])


def _limits(
    project: Project, lock: Lock, style: Style, limits: Limits, targets: Sequence[Target]
) -> Iterator[Diagnostic]:
    """Yield diagnostics about known limits of the style.

    These are missing keys of the project, unsupported wheels, and old build tools.
    """
    own: Mapping[str, Any] = project.pyproject
    for key in limits.table:
        own = _table(own, key)
    table = ".".join(limits.table)
    if lacking := [key for key in limits.keys if key not in own]:
        yield Diagnostic(
            code="NIX312",
            message=f"{style.name} reads only [{table}], which has no {', no '.join(lacking)}; it fails without a "
            "name, and does not install the dependencies of [project]",
            hint=f"Write them into [{table}] as in Poetry 1.",
        )
    locked = {
        package.name: package for target in targets for package in lock.packages(target, project.extras_and_groups)
    }
    later = re.compile(rf"-({limits.platforms})_[^-]*\.whl")
    stopping = {
        name for name, package in locked.items() if any(later.search(wheel.filename) for wheel in package.wheels)
    }
    if stopping:
        yield Diagnostic(
            code="NIX313",
            message=f"{style.name} fails at wheels for platforms that it does not know, and {lock.path.name} "
            f"lists such wheels for {shorten(sorted(stopping))}",
            hint=f"Remove their lines from the lock: `sed -i -E '/{later.pattern}/d' {lock.path.name}`.",
        )
    floors = ((tool, name, floor) for tool, oldest in limits.build_tools.items() for name, floor in oldest.items())
    for tool, name, floor in floors:
        found = locked.get(canonicalize_name(name))
        if found and found.version and Version(found.version) < Version(floor):
            yield Diagnostic(
                code="NIX311",
                package=found.name,
                message=f"{name} {found.version} is locked, and the build tools of nixpkgs get this version too; "
                f"{tool} needs {floor}, so under {style.name} no package builds with {tool}",
                hint=f"Run `poetry update {name}`. Packages with a wheel are not built, so they are not affected.",
            )


def _in_nixpkgs(project: Project, targets: Sequence[Target]) -> dict[NormalizedName, str | None]:
    """Return the expression over `ps`, or None, for each required package.

    Packages of the build system are among them.
    """
    names = set(project.direct_names(targets))
    if not project.requirements:
        names |= set(_build_requires(project.pyproject))
    return {name: python_packages.attribute(name) for name in sorted(names)}


def _build_requires(pyproject: Mapping[str, Any]) -> Iterator[NormalizedName]:
    requires = _table(pyproject, "build-system").get("requires", [])
    for text in requires if isinstance(requires, list) else []:
        try:
            yield canonicalize_name(Requirement(str(text)).name)
        except InvalidRequirement:
            continue  # the build has a better message


def facts(project: Project, style: Style, targets: Sequence[Target]) -> dict[str, Any] | None:
    """Return the arguments of the style's Nix code; None if it reads no files.

    Paths are relative to the generated file. `extras` and `groups` are the analysed ones. `aliases` are packages that
    nixpkgs has under another name, with their expression over `ps`; `unmapped` are packages not known to be in nixpkgs.
    """
    if not style.reads:
        return None
    extras_and_groups, known = project.extras_and_groups, project.dependencies
    groups: Iterable[str] = extras_and_groups.groups or ()
    if project.locked and (known is None or style.reads == project.locked.path.name):
        groups = project.locked.groups(extras_and_groups)
    elif known is not None:
        groups = known.selected_groups(extras_and_groups.groups)
    mapped = _in_nixpkgs(project, targets) if style.from_nixpkgs else {}
    return {
        "aliases": {
            name: text.replace("ps.", "").strip("()") for name, text in mapped.items() if text and text != f"ps.{name}"
        },
        "unmapped": [name for name, text in mapped.items() if text is None],
        "source": {"nix": _path(project, project.root)},
        "requirements-files": [{"nix": _path(project, path)} for path in project.requirements if style.from_nixpkgs],
        "extras": sorted(extras_and_groups.extras),
        "groups": sorted(groups),
        "members": sorted(project.settings.members),
    }


def _path(project: Project, path: Path) -> str:
    """Return a path for Nix, relative to the generated file.

    Examples are `./.`, `../.` and `./requirements.txt`.
    """
    relative = os.path.relpath(path.resolve(), project.rendered.parent.resolve())
    return {".": "./.", "..": "../."}.get(relative) or (relative if relative.startswith("../") else f"./{relative}")


def _table(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = data.get(key, {})
    return value if isinstance(value, dict) else {}
