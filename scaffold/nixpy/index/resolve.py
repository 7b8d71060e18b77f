"""Resolve a project without a lock file with uv.

The result is a `pylock.toml` (PEP 751).

uv builds and runs nothing without permission, and reads only the settings that `uv_config.py` passes to it. With
`--no-build` it chooses the newest version that has a wheel, and refuses a package without wheels. nixpy looks up the
sdist of such a package and gives uv its address: then uv reads its static metadata (PEP 643). If that has no
dependencies, nixpy leaves the package out, so that uv continues and finds all such packages. One error names them.
"""

from __future__ import annotations

import os
import re
import tempfile
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from packaging.requirements import Requirement

from nixpy.core.errors import BuildNeededError, NixpyError, ResolutionError
from nixpy.core.toml_text import inline
from nixpy.index.uv_config import is_of_an_index, read_uv_config
from nixpy.index.uv_input import UvInput, uv_input_for
from nixpy.index.uv_tool import Compiler, Failure, Uv, find_uv
from nixpy.locks.model import ExtrasAndGroups
from nixpy.locks.requirements import RequirementsFile
from nixpy.project.dependencies import Dependencies

__all__ = ["BuildNeededError", "Uv", "find_uv", "resolve"]

_ADDRESS = re.compile(r"https?://[^\s'\"]+")
_Package = dict[str, Any]
_DIRECT = ("archive", "directory", "vcs")


def resolve(
    source: Dependencies | Sequence[RequirementsFile | Requirement],
    *,
    root: Path,
    python: str,
    extras_and_groups: ExtrasAndGroups = ExtrasAndGroups(),  # noqa: B008  # frozen
    no_deps: bool = False,
    preferences: Mapping[str, str] = MappingProxyType({}),
    offline: bool = False,
    allow_build: bool = False,
    look_up: bool = False,
    index: str | None = None,
) -> str:
    """Return the text of a `pylock.toml` for `source`.

    It is valid on every system from Python `python` on.

    Packages that have only an sdist are in the result with it. Local paths in the result are absolute. Hashes in
    requirements files leave only files with these hashes; `--no-binary` leaves no wheel.

    Args:
        source: The project's dependencies, or requirements files and requirements.
        root: The folder of the project; its settings of uv and pip apply.
        python: `3.13` or `3.13.9`; it need not be installed.
        extras_and_groups: The extras and dependency groups to resolve.
        no_deps: Leave out the dependencies of the packages; then no build is needed.
        preferences: Versions to keep if they fit.
        offline: Use only the cache of uv.
        allow_build: Let uv build a package to find its requirements, and prefer a newer sdist to an older wheel, as
            pip does.
        look_up: Return all files of the named packages, also sdists, without dependencies. Nothing is built.
        index: The only index to use.

    Raises:
        NixpyError: uv cannot resolve the requirements; the message has its reason, without credentials.
        BuildNeededError: Only a build shows the requirements of some packages; the message names them all.
    """
    from nixpy.index.settings import IndexSettings  # not needed for a project with a lock

    config = read_uv_config(root, allow_build=allow_build)
    uv_input = uv_input_for(source, extras_and_groups, allow_build=allow_build)
    uv_input = replace(uv_input, no_binary=uv_input.no_binary | config.no_binary)
    if config.environments:
        uv_input = uv_input.under(config.environments)
    if not uv_input.lines and not uv_input.sources:
        return _text([])  # uv treats that as a usage error
    settings = IndexSettings.load(root)
    known = settings.with_urls([*_ADDRESS.findall(" ".join(uv_input.index)), *([index] if index else [])])
    compiler = Compiler(
        uv=find_uv(project=root),
        root=root,
        python=python,
        config=config,
        allow_build=allow_build,
        environment={**settings.uv_environment(), **(_only(index) if index else {})},
        conceal=lambda text: known.redact(uv_input.conceal(text)),
        offline=offline,
    )
    options = ["--no-build"] * (not allow_build and not look_up) + ["--no-deps"] * (no_deps or look_up)
    with tempfile.TemporaryDirectory(prefix="nixpy-") as folder:  # mode 0700
        conversation = _Conversation(
            compiler,
            uv_input,
            options,
            preferences,
            Path(folder).resolve(),
            no_deps=no_deps or look_up,
            lock=_lock_command(source),
        )
        packages = conversation.packages()
        if not allow_build and not look_up:
            packages = conversation.with_sdists(packages)
    return _text([_admitted(package, uv_input) for package in packages])


def _lock_command(source: Dependencies | Sequence[RequirementsFile | Requirement]) -> str:
    """Return the command that makes a lock of `source`."""
    if isinstance(source, Dependencies):
        return "uv lock"
    names = [str(item.path) for item in source if isinstance(item, RequirementsFile)]
    return " ".join(["uv pip compile --universal", *names, "-o pylock.toml"])


def _only(index: str) -> dict[str, str]:
    """Return the environment variables that make uv use only this index.

    They override the settings of uv.
    """
    others = ("UV_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS")
    return {**dict.fromkeys(others, ""), "UV_DEFAULT_INDEX": os.path.expandvars(index)}


class _Conversation:
    """The runs of uv for one resolution, in a private folder."""

    def __init__(
        self,
        compiler: Compiler,
        uv_input: UvInput,
        options: Sequence[str],
        preferences: Mapping[str, str],
        folder: Path,
        *,
        no_deps: bool,
        lock: str,
    ) -> None:
        self._compiler = compiler
        self._input = uv_input
        self._options = options
        self._preferences = preferences
        self._folder = folder
        self._no_deps = no_deps
        self._lock = lock
        self._known: dict[str, _Package] = {}  # packages without a wheel, as uv lists them
        self._looked_up: dict[str, _Package | None] = {}
        self._left_out: set[str] = set()  # packages that uv cannot resolve without a build

    def packages(self) -> list[_Package]:
        """Return the packages of the resolution; those without a wheel have their sdist."""
        first: Failure | None = None
        while isinstance(answer := self._ask(), Failure):
            first = first or answer
            wheelless = answer.sdist_only - self._known.keys()
            dynamic = answer.dynamic - self._left_out
            found = {name: package for name in sorted(wheelless) if (package := self._look_up(name))}
            if not found and not dynamic:
                break
            self._known |= found
            # uv reads the metadata of an sdist with an address even if its requirements are not needed.
            self._left_out |= dynamic | (found.keys() if self._no_deps else set())
        if unknown := self._left_out - (self._known.keys() if self._no_deps else set()):
            raise self._build_needed(sorted(unknown))
        if isinstance(answer, Failure):
            if answer.nameless:
                raise self._name_needed()
            # An address leaves uv only one version. If another is needed, the error of uv before that is the right one.
            raise (first if first and self._is_about_addresses(answer) else answer).error()
        listed = [self._listed(package) for package in answer]
        return listed + [self._listed(self._known[name]) for name in sorted(self._left_out)]

    def _is_about_addresses(self, failure: Failure) -> bool:
        named = (re.search(rf"\b{name}\b", failure.text) for name in self._known.keys() - self._left_out)
        return "No solution found" in failure.text and any(named)

    def _build_needed(self, names: Sequence[str]) -> NixpyError:
        versions = {name: f" {package['version']}" for name, package in self._known.items()}
        one, several = "has no wheel, and only a build shows what it requires", "have no wheel, and only builds show"
        return BuildNeededError(
            f"{', '.join(name + versions.get(name, '') for name in names)} "
            + (one if len(names) == 1 else f"{several} what they require"),
            hint=f"Allow builds with --allow-build, which runs code of the packages; or lock with `{self._lock}`, "
            "choose versions that have a wheel, or write what they require in `dependency-metadata` of [tool.uv].",
        )

    def _name_needed(self) -> NixpyError:
        lines = ", ".join(f"`{self._compiler.conceal(line)}`" for line in self._input.unnamed())
        return BuildNeededError(
            f"only a build shows the name of the package in {lines}",
            hint="Write it as `name @ URL`, or allow the build with --allow-build.",
        )

    def with_sdists(self, packages: list[_Package]) -> list[_Package]:
        """Add sdists to packages with wheels that may not fit every system.

        With `--no-build` uv leaves them out.

        For exact versions without dependencies, uv needs no metadata and builds nothing.
        """
        lacking = [
            p
            for p in packages
            if not p.keys() & {*_DIRECT, "sdist"}
            and (not _has_universal_wheel(p) or _wants_sdist(self._input, p["name"]))
        ]
        often = Counter(package["name"] for package in lacking)
        pins = [
            f"{p['name']}=={p['version']}" + (f" ; {p['marker']}" if often[p["name"]] > 1 and "marker" in p else "")
            for p in lacking
        ]
        answer = self._compile(lines=pins, options=["--no-deps"]) if pins else []
        # uv may use another index for one package, which these lines do not name. Then the sdist stays unknown.
        listed = [] if isinstance(answer, Failure) else answer
        found = {(p["name"], p.get("version")): {k: p[k] for k in ("sdist", "wheels") if k in p} for p in listed}
        return [found.get((p["name"], p.get("version")), {}) | p for p in packages]

    def _ask(self) -> list[_Package] | Failure:
        return self._compile(
            lines=self._input.lines,
            constraints=(*self._input.constraints, *self._addresses()),
            # An override for no Python removes a package, whichever package requires it.
            overrides=[f"{name} ; python_version < '0'" for name in sorted(self._left_out)],
            sources=self._input.sources,
            options=self._options,
            preferences=self._preferences,
        )

    def _look_up(self, name: str) -> _Package | None:
        """Return the package that uv chooses, without its metadata.

        Returns None if it has more than an sdist.

        uv also names packages that lack wheels only for older versions.
        """
        if name not in self._looked_up:
            # uv needs the metadata of a requirement with an address, and builds it for that.
            lines = tuple(line for line in self._input.lines_for(name) if is_of_an_index(line)) or (name,)
            constraints = tuple(line for line in self._input.constraints if is_of_an_index(line))
            answer = self._compile(lines=lines, constraints=constraints, options=["--no-deps"])
            entries = [] if isinstance(answer, Failure) else [package for package in answer if package["name"] == name]
            one = entries[-1] if entries else {}
            self._looked_up[name] = one if "sdist" in one and not one.get("wheels") else None
        return self._looked_up[name]

    def _addresses(self) -> Iterator[str]:
        """Yield requirements with the addresses of packages without a wheel."""
        for name in sorted(self._known.keys() - self._left_out):
            sdist = self._known[name]["sdist"]
            yield f"{name} @ {sdist['url'] if 'url' in sdist else Path(sdist['path']).as_uri()}"

    def _listed(self, package: _Package) -> _Package:
        """Return a package as the index lists it, if nixpy gave uv its address."""
        known = self._known.get(package["name"])
        if known is None:
            return package
        marker = {"marker": package["marker"]} if "marker" in package else {}
        return {"name": known["name"], "version": known["version"], **marker, "sdist": known["sdist"]}

    def _compile(
        self,
        *,
        lines: Sequence[str],
        constraints: Sequence[str] = (),
        overrides: Sequence[str] = (),
        sources: Sequence[str] = (),
        options: Sequence[str] = (),
        preferences: Mapping[str, str] = MappingProxyType({}),
    ) -> list[_Package] | Failure:
        """Run uv once; paths in the result are absolute."""
        output = self._folder / "pylock.answer.toml"
        # uv keeps the versions that are already in its output file.
        output.write_text(_text([{"name": name, "version": v} for name, v in preferences.items()]), "utf-8")
        arguments = list(sources)
        for name, content in (
            ("requirements", () if sources and not lines else (*self._input.index, *lines)),
            ("constraints", constraints),
            ("overrides", overrides),
        ):
            if content:
                path = self._folder / f"{name}.in"
                path.write_text("\n".join(content) + "\n", "utf-8")
                arguments += [*([] if name == "requirements" else [f"--{name}"]), str(path)]
        sdists = {name: package["version"] for name, package in self._known.items()}
        if failure := self._compiler.compile(arguments, (*self._input.options, *options), output, sdists):
            return failure
        return [_absolute(package, self._folder) for package in tomllib.loads(output.read_text("utf-8"))["packages"]]


def _has_universal_wheel(package: _Package) -> bool:
    return any(str(file.get("url") or file.get("path")).endswith("-any.whl") for file in package.get("wheels", ()))


def _absolute(value: Any, folder: Path) -> Any:
    """Return a value of the result with every `path` absolute.

    Those of uv are relative to its output file.
    """
    if isinstance(value, list):
        return [_absolute(item, folder) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: os.path.normpath(folder / item) if key == "path" else _absolute(item, folder)
        for key, item in value.items()
    }


def _admitted(package: _Package, uv_input: UvInput) -> _Package:
    """Return a package with only the allowed files.

    The hashes and `--no-binary` of requirements files decide.
    """
    name = package["name"]
    files = {key: package[key] for key in ("archive", "sdist", "wheels") if key in package}
    if allowed := uv_input.hashes.get(name):

        def fits(file: Mapping[str, Any]) -> bool:
            return any(f"{kind}:{value}" in allowed for kind, value in file.get("hashes", {}).items())

        files["wheels"] = [wheel for wheel in files.get("wheels", ()) if fits(wheel)]
        files = {key: file for key, file in files.items() if (file if key == "wheels" else fits(file))}
        if not files and not package.keys() & {"directory", "vcs"}:
            raise ResolutionError(
                f"no file of `{name}` {package.get('version', '')} has a hash that the requirements list",
                hint="Correct the hashes; `uv pip compile --generate-hashes` lists those of the index.",
            )
    if _wants_sdist(uv_input, name):
        if files.keys() == {"wheels"}:
            raise ResolutionError(
                f"`--no-binary` requires an sdist of `{name}`, and there is none", hint="Remove the option."
            )
        files.pop("wheels", None)
    return {key: value for key, value in package.items() if key not in {"archive", "sdist", "wheels"}} | files


def _wants_sdist(uv_input: UvInput, name: str) -> bool:
    return name in uv_input.no_binary or (":all:" in uv_input.no_binary and name not in uv_input.only_binary)


def _text(packages: Sequence[_Package]) -> str:
    return f'lock-version = "1.0"\ncreated-by = "nixpy"\npackages = {inline(packages)}\n'
