"""Read uv.lock: find what `uv sync` installs on any target."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from packaging.specifiers import SpecifierSet
from packaging.utils import NormalizedName, canonicalize_name

from nixpy.core.errors import LockError
from nixpy.core.target import Target
from nixpy.core.toml_file import load_toml
from nixpy.locks.model import Declared, ExtrasAndGroups, LockDefaults, Package
from nixpy.locks.uv_changes import differences
from nixpy.locks.uv_document import (
    DEPENDENCIES,
    Document,
    Edge,
    Node,
    Section,
    code,
    damaged,
    extra_section,
    group_section,
    read_document,
)
from nixpy.locks.validate import DamagedError, holds

_Step = tuple[Node, Section]
_NAME = "uv.lock"  # other names are those of scripts, which may have no requirements
_QUOTED = re.compile(r"""["']([^"']*)["']""")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Roots:
    """The projects that uv installs."""

    nodes: tuple[Node, ...]
    top: Node  # the project in the folder of the lock, or the manifest
    single: bool  # it is one project, with its own groups


@dataclass(frozen=True, kw_only=True)
class UvLock(LockDefaults):
    """A uv.lock of the project in the folder `root`.

    If that is the folder of the lock, it is the lock of all members.
    """

    path: Path
    root: Path
    document: Document = field(repr=False)  # its addresses may contain credentials

    @classmethod
    def read(cls, path: Path, root: Path | None = None) -> Self:
        """Return the lock in `path`.

        `root` is the folder of the project, by default that of the lock.

        Raises LockError if the file is not a uv.lock, is damaged, or has a version that this nixpy does not read.
        """
        return cls(path=path, root=root or path.parent, document=read_document(path))

    @property
    def requires_python(self) -> SpecifierSet | None:
        """The Python versions that the lock is for."""
        return self.document.requires_python

    def packages(self, target: Target, extras_and_groups: ExtrasAndGroups) -> tuple[Package, ...]:
        """Return the packages that `uv sync` installs on `target`.

        They are sorted by name, each name once.

        These are the direct and indirect dependencies of the project and of its chosen extras and groups, if their
        markers are true. For the root of a workspace, it is `uv sync --all-packages`, or with `--package` for each
        named member. Raises LockError for a member, extra or group that the lock lacks, for some that exclude each
        other, and for a target that the lock was not made for.
        """
        self._admit(target)
        roots = self._roots(extras_and_groups)
        extras, groups = self._extras(extras_and_groups, roots), self._groups(extras_and_groups, roots)
        starts: list[_Step] = [(self.document.manifest, DEPENDENCIES)]
        active: set[str] = set()
        for node in roots.nodes:
            own_extras, own_groups = sorted(extras & node.extras), sorted(groups & node.groups)
            active.add(code("project", node.name))
            active.update(code("extra", node.name, name) for name in own_extras)
            active.update(code("group", node.name, name) for name in own_groups)
            starts.append((node, DEPENDENCIES))
            starts += [(node, extra_section(name)) for name in own_extras]
            starts += [(node, group_section(name)) for name in own_groups]
        groups_of_top = _groups_of_top(roots, groups)
        active.update(code("group", roots.top.name, name) for name in groups_of_top)
        starts += [(roots.top, group_section(name)) for name in groups_of_top]
        if self.document.conflicts:
            # Markers about conflicts depend on all active extras and groups, so nixpy first collects those, as uv does.
            active |= self._walk(starts, target, active, grow=True)[1]
            self._refuse_conflicts(active)
        nodes, _ = self._walk(starts, target, active, grow=False)
        return self._once(nodes)

    def differences(self, declared: Declared, target: Target, folder: Path | None = None) -> tuple[str, ...] | None:
        """Return the packages with requirements that changed after locking.

        They are sorted by name.

        `declared` are the current requirements of the project in `folder`, by default `root`. nixpy compares both sides
        on `target`. Returns None if the lock does not record the old ones, which uv may leave out.
        """
        folder, manifest = (folder or self.root).resolve(), self.document.manifest
        found = self._by_folder.get(folder)
        if found is None and folder == self.path.parent.resolve() and (self.members or manifest.groups):
            found = manifest
        if found is None or found.metadata is None:
            return None

        def holds(marker: str | None, active: AbstractSet[str]) -> bool:
            return self.holds(marker, target, active)

        return differences(self.path, found, declared, holds)

    @property
    def members(self) -> Mapping[NormalizedName, Path]:
        """The members of the workspace, with their folders.

        Empty if the lock is for one project.
        """
        return {node.name: node.folder for node in self.document.nodes if node.member and node.folder}

    def has_project(self) -> bool:
        """Return whether `root` itself is a project of this lock.

        It may be only a folder below or above one.
        """
        return self.root.resolve() in self._by_folder

    def is_empty(self) -> bool:
        """Return whether the lock holds neither packages nor requirements."""
        return not self.document.nodes and not self.document.manifest.sections

    def groups(self, extras_and_groups: ExtrasAndGroups) -> frozenset[str]:
        """Return the groups in `extras_and_groups`, those of uv by default.

        Raises LockError if the lock lacks one.
        """
        return self._groups(extras_and_groups, self._roots(extras_and_groups))

    def _roots(self, extras_and_groups: ExtrasAndGroups) -> _Roots:
        """Return the projects to install.

        This is the project in `root`. If `root` is the folder of a workspace, it is the named members, by default all.
        """
        here, above = self.root.resolve(), self.path.parent.resolve()
        top = self._by_folder.get(above, self.document.manifest)
        if (known := self.members) and here == above:
            named = extras_and_groups.members
            self._refuse_unknown("member", named or (), known.keys())
            nodes = tuple(node for node in self.document.nodes if node.member and (not named or node.name in named))
            return _Roots(nodes=nodes, top=top, single=named is not None and len(named) == 1)
        project = (self._by_folder[here],) if here in self._by_folder else ()
        if not project and not self.document.manifest.sections and self.path.name == _NAME:
            raise self._no_project()
        return _Roots(nodes=project, top=top, single=bool(project))

    def _no_project(self) -> LockError:
        pyproject = self.root / "pyproject.toml"
        if self.is_empty() and pyproject.is_file() and "project" not in load_toml(pyproject):
            # Another `uv lock` writes the same.
            message, hint = "there is no [project], so uv.lock is empty", "Add [project], then run `uv lock`."
            return LockError(message, hint=hint, path=pyproject)
        message, hint = (
            f"this lock holds no project in the folder {self.root}",
            "Run `uv lock` in the project's folder.",
        )
        return LockError(message, hint=hint, path=self.path)

    def _extras(self, extras_and_groups: ExtrasAndGroups, roots: _Roots) -> frozenset[str]:
        known: frozenset[str] = frozenset().union(*(node.extras for node in roots.nodes))
        self._refuse_unknown("extra", extras_and_groups.extras, known)
        return frozenset(extras_and_groups.extras)

    def _groups(self, extras_and_groups: ExtrasAndGroups, roots: _Roots) -> frozenset[str]:
        if (named := extras_and_groups.groups) is None:
            return self._default_groups(roots)
        # uv takes a group that a single member lacks from the root of the workspace.
        nodes = (*roots.nodes, roots.top) if roots.single else (*roots.nodes, self.document.manifest)
        self._refuse_unknown("group", named, frozenset().union(*(node.groups for node in nodes)))
        return frozenset(named)

    def holds(self, marker: str | None, target: Target, active: AbstractSet[str]) -> bool:
        """Return whether a marker of the lock is true on `target`.

        `active` are the extras that it may test.
        """
        # Only those that the marker names: locks have thousands of markers and active extras.
        words = _QUOTED.findall(marker) if marker and "extra" in marker else ()
        named = frozenset(name for word in words for name in (word, canonicalize_name(word)) if name in active)
        try:
            return holds(marker, target, named)
        except DamagedError as error:
            raise damaged(self.path, error) from None

    @cached_property
    def _by_folder(self) -> dict[Path, Node]:
        return {node.folder.resolve(): node for node in self.document.nodes if node.folder}

    @cached_property
    def _by_name(self) -> dict[str, list[Node]]:
        found: dict[str, list[Node]] = {}
        for node in self.document.nodes:
            found.setdefault(node.name, []).append(node)
        return found

    def _walk(
        self, starts: Iterable[_Step], target: Target, active: AbstractSet[str], *, grow: bool
    ) -> tuple[list[Node], set[str]]:
        """Return every package reached from `starts`, and `active`.

        With `grow`, also the extras on the way.
        """
        active = set(active)
        queue = deque(starts)
        seen = set(queue)
        while queue:
            node, section = queue.popleft()
            for edge in node.sections.get(section, ()):
                own = {code("project", edge.name), *(code("extra", edge.name, name) for name in edge.extras)} - active
                if grow:
                    active |= own
                if not self.holds(edge.marker, target, active):
                    active -= own if grow else set()
                    continue
                found = self._find(edge, target)
                steps = ((found, DEPENDENCIES), *((found, extra_section(name)) for name in edge.extras))
                queue.extend(step for step in steps if step not in seen)
                seen.update(steps)
        return list({node: None for node, _ in seen}), active

    def _find(self, edge: Edge, target: Target) -> Node:
        found = self._by_name.get(edge.name, [])
        if edge.version is not None:
            found = [node for node in found if node.version == edge.version]
        if edge.source is not None:
            found = [node for node in found if node.source == edge.source]
        if len(found) > 1:
            found = [
                node
                for node in found
                if not node.environments or any(self.holds(one, target, set()) for one in node.environments)
            ]
        if len(found) != 1:
            count = "several packages" if found else "no package"
            raise damaged(self.path, f"it has {count} for {edge.name} {edge.version or ''}".rstrip())
        return found[0]

    def _once(self, nodes: Iterable[Node]) -> tuple[Package, ...]:
        found: dict[str, Package] = {}
        for node in nodes:
            if node is self.document.manifest:
                continue
            if node.name in found:
                raise LockError(
                    f"the lock installs {node.name} twice: {found[node.name].version} and {node.version}",
                    hint="Choose extras and groups that go together.",
                    path=self.path,
                )
            found[node.name] = node.package
        return tuple(found[name] for name in sorted(found))

    def admits(self, target: Target) -> bool:
        """Return whether an environment of the lock holds on `target`."""
        environments = self.document.environments
        return not environments or any(self.holds(one, target, set()) for one in environments)

    def _admit(self, target: Target) -> None:
        required = self.document.requires_python
        if not required.contains(target.python):
            raise LockError(
                f"this lock is for Python {required}, not {target.python}",
                hint="Choose a Python that the lock allows, or change requires-python and run `uv lock`.",
                path=self.path,
            )
        if not self.admits(target):
            raise LockError(
                f"this lock is not for {target.system} with Python {target.python}",
                hint="Choose another system or Python, or add this one to tool.uv.environments and run `uv lock`.",
                path=self.path,
            )

    def _default_groups(self, roots: _Roots) -> frozenset[str]:
        """Return the groups that `uv sync` installs by default.

        They are those in `tool.uv.default-groups`, else `dev`. A single project has its own, several have those of the
        root of the workspace.
        """
        nodes = roots.nodes if roots.single else (*roots.nodes, self.document.manifest)
        known: frozenset[str] = frozenset().union(*(node.groups for node in nodes))
        decider = roots.nodes[0] if roots.single else roots.top
        pyproject = (decider.folder or self.path.parent) / "pyproject.toml"
        default = _default(decider, pyproject)
        if default is None:
            return known & {"dev"}
        if default == "all":
            return known
        if not isinstance(default, list) or not all(isinstance(name, str) for name in default):
            raise LockError(
                '`tool.uv.default-groups` must be a list of names, or "all"',
                hint="Correct the value.",
                path=pyproject,
            )
        chosen = frozenset(canonicalize_name(name) for name in default)
        if roots.single:
            self._refuse_unknown("group", chosen, known)
        return chosen & known

    def _refuse_unknown(self, kind: str, chosen: Iterable[str], known: AbstractSet[str]) -> None:
        if unknown := sorted(set(chosen) - known):
            there = f"there are {', '.join(sorted(known))}" if known else f"there is no {kind} at all"
            raise LockError(
                f"the lock has no {kind} `{unknown[0]}`: {there}",
                hint=f"Correct the name; if the {kind} is new, run `uv lock`.",
                path=self.path,
            )

    def _refuse_conflicts(self, active: AbstractSet[str]) -> None:
        for conflict in self.document.conflicts:
            both = [label for name, label in conflict.items() if name in active]
            if len(both) > 1:
                raise LockError(
                    f"the lock says that these exclude each other: {', '.join(both)}",
                    hint="Choose one of them.",
                    path=self.path,
                )


def _groups_of_top(roots: _Roots, groups: frozenset[str]) -> list[str]:
    """Return those of `groups` that uv takes from the root of the workspace.

    The root itself is not installed. A single project takes a group from the root if it lacks the group itself. Several
    projects take groups from a root without [project].
    """
    if roots.top in roots.nodes or (roots.top.name and not roots.single):
        return []
    own = roots.nodes[0].groups if roots.single else frozenset()
    return sorted((groups & roots.top.groups) - own)


def _default(node: Node, pyproject: Path) -> object:
    """Return the default groups in pyproject.toml, else those in the lock.

    Newer versions of uv record them in the lock.
    """
    data: Any = load_toml(pyproject) if pyproject.is_file() else {}
    for key in ("tool", "uv", "default-groups"):
        data = data.get(key) if isinstance(data, dict) else None
    return node.table.get("default-groups") if data is None else data
