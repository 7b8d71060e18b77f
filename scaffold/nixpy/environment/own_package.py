"""Read the name, version, build system and programs of a project for its build.

No code of it is run.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from packaging.metadata import RawMetadata
from packaging.utils import NormalizedName, canonicalize_name

from nixpy.core.errors import ProjectError
from nixpy.core.read_file import is_file
from nixpy.core.target import Target
from nixpy.core.toml_file import read_text
from nixpy.diagnostics.diagnostic import Diagnostic, shorten
from nixpy.nixpkgs import python_packages
from nixpy.nixpkgs.requirements import SETUPTOOLS, VERSION_VARIABLES, Needed, needed_requirements
from nixpy.project import setup_files
from nixpy.project.config import PYPROJECT
from nixpy.project.dependencies import Reader
from nixpy.project.project import Project, holding
from nixpy.project.setup_files import Setup
from nixpy.sdists.metadata import homepage

_UNKNOWN_VERSION = "0"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnPackage:
    """The package that a build of the project produces.

    `scripts` are the programs that it installs, in the order of the file, `modules` the modules that they import, and
    `requires` the packages that it needs at run time. `name` and `version` are None if they are not literal. `hidden`
    are packages in install_requires that are not in the requirements file `instead`, which takes precedence.
    """

    name: NormalizedName | None
    version: str | None
    description: str | None
    homepage: str | None
    build: tuple[Needed, ...]
    names_build: bool  # False: it names no build system, so setuptools builds it
    requires: tuple[NormalizedName, ...]
    scripts: tuple[str, ...]
    modules: tuple[str, ...]
    folder: str  # the name of its folder
    hidden: tuple[NormalizedName, ...]
    instead: str

    def as_dict(self, relax: Collection[NormalizedName] | Literal[True] = ()) -> dict[str, Any]:
        """Return the arguments of `templates/nix/own.nix`.

        Every version of the packages in `relax` is accepted.
        """
        name = self.name or canonicalize_name(self.folder)
        attributes = {need.attribute for need in self.build}
        return {
            "name": name,
            "version": self.version or _UNKNOWN_VERSION,
            "description": self.description,
            "homepage": self.homepage,
            "build-system": [python_packages.spelled(need.name) for need in self.build] if self.names_build else None,
            "variables": [variable for package, variable in VERSION_VARIABLES.items() if package in attributes],
            "requires": list(self.requires),
            "scripts": list(self.scripts),
            "main": next((script for script in self.scripts if script == name), next(iter(self.scripts), None)),
            "modules": list(self.modules),
            "relax": relax is True or [name for name in relax if name in self.requires],
            "relax-build": any(relax is True or need.name in relax for need in self.build),
        }

    def diagnostics(self, *, application: bool) -> Iterator[Diagnostic]:
        """Yield diagnostics about its build and unread values.

        An `application` must have programs.
        """
        if self.version is None:
            yield Diagnostic(
                code="NIX321",
                message=f"the version of the project is computed during its build, so Nix gets {_UNKNOWN_VERSION}",
                hint="Write a fixed `version` into pyproject.toml; Nix builds the project without its git history.",
            )
        if self.name is None:
            yield Diagnostic(
                code="NIX322",
                message="setup.py computes the name of the project, so nixpy uses the name of its folder: "
                f"{self.folder}",
                hint="Write it as `name` into [project] of pyproject.toml.",
            )
        for need in self.build:
            if not need.known:
                yield Diagnostic(
                    code="NIX323",
                    package=need.name,
                    message=f"the build system {need.name} of the project is not known to be in nixpkgs",
                    hint=python_packages.unknown_package(need.name),
                )
        if self.hidden:
            yield Diagnostic(
                code="NIX325",
                package=self.hidden[0],
                message=f"{self.instead} decides what is installed with the project, and lacks "
                f"{shorten(self.hidden)}, which install_requires names",
                hint=f"Add the missing packages to {self.instead}.",
            )
        if application and not self.scripts:
            yield Diagnostic(
                code="NIX324",
                message="the project defines no program, so `nix run` has nothing to start",
                hint="Add one to [project.scripts] of pyproject.toml.",
            )


def is_packaged(project: Project) -> bool:
    """Return whether the tool of a project installs the project itself.

    It needs a build system or a setup.py, and no `package = false` in `[tool.uv]` or its like.
    """
    data = project.pyproject
    if project.only_dependencies:
        return False
    if "project" in data or "poetry" in Reader(data, project.root / PYPROJECT).table("tool"):
        return "build-system" in data
    return (project.root / setup_files.SETUP_PY).is_file()


def read(project: Project, targets: Sequence[Target]) -> OwnPackage:
    """Return the package that a build of the project produces.

    The Python is that of `targets`.

    Raises ProjectError if the project has no build system and, with the line, for an invalid value.
    """
    pyproject = project.root / PYPROJECT
    reader = Reader(project.pyproject, pyproject)
    hidden: set[NormalizedName] = set()
    if reader.table("project") or reader.table("tool", "poetry"):
        found = _of_pyproject(reader, project.root)
    elif setup := setup_files.read(project.root):
        found, hidden = _of_setup(setup, project.root), _hidden(setup, project, targets)
    else:
        raise ProjectError(
            "no file states the name of the project and how to build it",
            path=pyproject,
            hint="Write [project] with a name and a version, and [build-system]; or choose a style for development.",
        )
    names_build = "requires" in reader.table("build-system")
    build = reader.requirements("build-system", "requires") if names_build else SETUPTOOLS
    return OwnPackage(
        **found,
        build=needed_requirements(build, "", frozenset(), targets[0]),
        names_build=names_build,
        requires=project.direct_names(targets, groups=False),
        folder=project.root.resolve().name,
        hidden=tuple(sorted(hidden)),
        instead=project.source.name,
    )


def _of_pyproject(reader: Reader, root: Path) -> dict[str, Any]:
    table = reader.table("project") or reader.table("tool", "poetry")
    where = ("project",) if reader.table("project") else ("tool", "poetry")
    if not isinstance(name := table.get("name"), str):
        raise reader.error("the project has no name", *where, hint='Write name = "…".')
    entries = {**reader.table(*where, "scripts"), **reader.table(*where, "gui-scripts")}
    version, description = table.get("version"), table.get("description")
    return {
        "name": canonicalize_name(name),
        "version": version if isinstance(version, str) else _dynamic_version(reader, root),
        "description": description if isinstance(description, str) else None,
        "homepage": homepage(RawMetadata(project_urls=_texts(reader.table(*where, "urls")))),
        "scripts": tuple(entries),
        "modules": _modules(entries.values()),
    }


def _of_setup(setup: Setup, root: Path) -> dict[str, Any]:
    name, points = setup.text("name"), setup.table("entry_points") or {}
    lines = [line for kind in ("console_scripts", "gui_scripts") for line in points.get(kind, ())]
    entries = {key.strip(): value.strip() for key, _, value in (line.partition("=") for line in lines)}
    files = [Path(path).name for path in setup.lines("scripts") or ()]
    urls = RawMetadata(home_page=setup.text("url") or "")
    return {
        "name": canonicalize_name(name) if name else None,
        "version": setup.text("version") or _literal_version(root, setup.elsewhere.get("version", "")),
        "description": setup.text("description"),
        "homepage": homepage(urls),
        "scripts": (*entries, *files),
        "modules": _modules(entries.values()),
    }


def _hidden(setup: Setup, project: Project, targets: Sequence[Target]) -> set[NormalizedName]:
    """Return packages of install_requires that requirements files do not name.

    Only a literal install_requires counts.
    """
    lines = (setup.lines("install_requires") or ()) if project.requirements else ()
    asked = {canonicalize_name(one.name) for one in holding(setup.requirements(lines), targets)}
    return asked - {*project.direct_names(targets)}


def _dynamic_version(reader: Reader, root: Path) -> str | None:
    """Return the version that a backend reads from a file of the project.

    Returns None if it needs git or runs code.
    """
    for tool in ("hatch", "pdm"):
        table = reader.table("tool", tool, "version")
        if isinstance(path := table.get("path"), str) and "pattern" not in table:
            return _assigned(root / path)
    told = reader.table("tool", "setuptools", "dynamic").get("version")
    (kind, value), *_ = [*told.items()] if isinstance(told, dict) and told else [("", "")]
    return _literal_version(root, f"{kind}: {value}") if isinstance(value, str) else None


def _literal_version(root: Path, text: str) -> str | None:
    """Return the version in setuptools' `attr: package.name` or `file: NAME`.

    Nothing is imported.
    """
    kind, _, value = (part.strip() for part in text.partition(":"))
    if kind == "file":
        return _read(root / value).strip() or None
    module, _, name = value.rpartition(".")
    if kind != "attr" or not module:
        return None
    stem = Path(*module.split("."))
    places = (root / top / path for top in ("", "src") for path in (stem.with_suffix(".py"), stem / "__init__.py"))
    return next((found for path in places if (found := _assigned(path, name))), None)


def _assigned(path: Path, *names: str) -> str | None:
    return setup_files.assigned(_read(path), *(names or ("__version__", "VERSION", "version")))


def _read(path: Path) -> str:
    return read_text(path) if is_file(path) else ""


def _modules(references: Iterable[object]) -> tuple[str, ...]:
    """Return the modules of entry points, `package.module:function`.

    Poetry also writes them as a table.
    """
    texts = (item.get("reference") if isinstance(item, Mapping) else item for item in references)
    modules = {text.partition(":")[0].strip() for text in texts if isinstance(text, str)}
    return tuple(sorted(module for module in modules if all(map(str.isidentifier, module.split(".")))))


def _texts(table: Mapping[str, Any]) -> dict[str, str]:
    return {key: value for key, value in table.items() if isinstance(value, str)}
