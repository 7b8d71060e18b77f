"""Without a lock file uv says which packages are installed; the answer is a `pylock.toml` (PEP 751).

Nothing is built or run without leave. uv reads no settings but those that `uv_config.py` passes on. It is told
`--no-build`, with which it takes the newest version that has a wheel, and refuses a package that has none. Such a
package's sdist is looked up and given to uv as an address: then uv reads its static metadata (PEP 643). Where that
does not tell the dependencies, the answer would lack what the package requires. It is left out, so that uv goes on and
finds all packages of this kind, and one error names them.
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
from nixpy.index.uv_input import UvInput, question
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
    """Return the text of a `pylock.toml` for `source`, valid on every system from Python `python` on.

    `root` is the project's folder, whose uv and pip settings hold; local paths in the result are absolute.
    `python` is `3.13` or `3.13.9` and need not be installed. `preferences` are versions to keep where they
    fit. A package of which there is only an sdist is in the result with it. `allow_build` lets uv build it to find
    out what it requires, and prefer a newer sdist to an older wheel as pip does. Hashes in requirements files leave
    only the files that have them, `--no-binary` leaves no wheel. An `index` that is given is the only one asked. With
    `look_up` the answer has the files of the named packages, sdists too, and nothing of what these require; there
    nothing is built either.

    Raises NixpyError with uv's reason, free of credentials, and BuildNeededError with the names of all packages of
    which only a build tells what they require. With `no_deps` they are not needed, and neither is a build.
    """
    from nixpy.index.settings import IndexSettings  # not needed for a project with a lock

    config = read_uv_config(root, allow_build=allow_build)
    asked = question(source, extras_and_groups, allow_build=allow_build)
    asked = replace(asked, no_binary=asked.no_binary | config.no_binary)
    if config.environments:
        asked = asked.under(config.environments)
    if not asked.lines and not asked.sources:
        return _text([])  # uv takes that for a mistake in its usage
    settings = IndexSettings.load(root)
    known = settings.with_urls([*_ADDRESS.findall(" ".join(asked.index)), *([index] if index else [])])
    compiler = Compiler(
        uv=find_uv(project=root),
        root=root,
        python=python,
        config=config,
        allow_build=allow_build,
        environment={**settings.uv_environment(), **(_only(index) if index else {})},
        conceal=lambda text: known.redact(asked.conceal(text)),
        offline=offline,
    )
    options = ["--no-build"] * (not allow_build and not look_up) + ["--no-deps"] * (no_deps or look_up)
    with tempfile.TemporaryDirectory(prefix="nixpy-") as folder:  # mode 0700
        conversation = _Conversation(
            compiler,
            asked,
            options,
            preferences,
            Path(folder).resolve(),
            no_deps=no_deps or look_up,
            lock=_lock_command(source),
        )
        packages = conversation.packages()
        if not allow_build and not look_up:
            packages = conversation.with_sdists(packages)
    return _text([_admitted(package, asked) for package in packages])


def _lock_command(source: Dependencies | Sequence[RequirementsFile | Requirement]) -> str:
    """Return the command that makes a lock of `source`."""
    if isinstance(source, Dependencies):
        return "uv lock"
    names = [str(item.path) for item in source if isinstance(item, RequirementsFile)]
    return " ".join(["uv pip compile --universal", *names, "-o pylock.toml"])


def _only(index: str) -> dict[str, str]:
    """Return what makes uv ask no other index, whatever its own settings are."""
    others = ("UV_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS")
    return {**dict.fromkeys(others, ""), "UV_DEFAULT_INDEX": os.path.expandvars(index)}


class _Conversation:
    """The runs of uv that lead to one answer, in a private folder."""

    def __init__(
        self,
        compiler: Compiler,
        asked: UvInput,
        options: Sequence[str],
        preferences: Mapping[str, str],
        folder: Path,
        *,
        no_deps: bool,
        lock: str,
    ) -> None:
        self._compiler = compiler
        self._asked = asked
        self._options = options
        self._preferences = preferences
        self._folder = folder
        self._no_deps = no_deps
        self._lock = lock
        self._known: dict[str, _Package] = {}  # packages without a wheel, as uv lists them
        self._looked_up: dict[str, _Package | None] = {}
        self._left_out: set[str] = set()  # packages that uv cannot resolve without a build

    def packages(self) -> list[_Package]:
        """Return the packages of the answer; those without a wheel with their sdist."""
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
            # An address leaves uv one version; where another would be needed, uv's words before that are true.
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
        lines = ", ".join(f"`{self._compiler.conceal(line)}`" for line in self._asked.unnamed())
        return BuildNeededError(
            f"only a build shows the name of the package in {lines}",
            hint="Write it as `name @ URL`, or allow the build with --allow-build.",
        )

    def with_sdists(self, packages: list[_Package]) -> list[_Package]:
        """Add the sdists where wheels may not fit everywhere: with `--no-build` uv leaves them out.

        Asked for exact versions without their dependencies, uv needs no metadata and builds nothing.
        """
        lacking = [
            p
            for p in packages
            if not p.keys() & {*_DIRECT, "sdist"}
            and (not _has_universal_wheel(p) or _wants_sdist(self._asked, p["name"]))
        ]
        often = Counter(package["name"] for package in lacking)
        pins = [
            f"{p['name']}=={p['version']}" + (f" ; {p['marker']}" if often[p["name"]] > 1 and "marker" in p else "")
            for p in lacking
        ]
        answer = self._compile(lines=pins, options=["--no-deps"]) if pins else []
        # uv may know an index for one package alone, which these lines do not name: then it stays unknown.
        listed = [] if isinstance(answer, Failure) else answer
        found = {(p["name"], p.get("version")): {k: p[k] for k in ("sdist", "wheels") if k in p} for p in listed}
        return [found.get((p["name"], p.get("version")), {}) | p for p in packages]

    def _ask(self) -> list[_Package] | Failure:
        return self._compile(
            lines=self._asked.lines,
            constraints=(*self._asked.constraints, *self._addresses()),
            # An override for no Python at all takes a package out, whoever requires it.
            overrides=[f"{name} ; python_version < '0'" for name in sorted(self._left_out)],
            sources=self._asked.sources,
            options=self._options,
            preferences=self._preferences,
        )

    def _look_up(self, name: str) -> _Package | None:
        """Return a package as uv would choose it, without its metadata; None where that is no sdist alone.

        uv also names packages of which only older versions have no wheel.
        """
        if name not in self._looked_up:
            # Of what an address names uv needs the metadata, and builds it for that.
            lines = tuple(line for line in self._asked.lines_for(name) if is_of_an_index(line)) or (name,)
            constraints = tuple(line for line in self._asked.constraints if is_of_an_index(line))
            answer = self._compile(lines=lines, constraints=constraints, options=["--no-deps"])
            entries = [] if isinstance(answer, Failure) else [package for package in answer if package["name"] == name]
            one = entries[-1] if entries else {}
            self._looked_up[name] = one if "sdist" in one and not one.get("wheels") else None
        return self._looked_up[name]

    def _addresses(self) -> Iterator[str]:
        """Yield from where uv shall take the packages without a wheel."""
        for name in sorted(self._known.keys() - self._left_out):
            sdist = self._known[name]["sdist"]
            yield f"{name} @ {sdist['url'] if 'url' in sdist else Path(sdist['path']).as_uri()}"

    def _listed(self, package: _Package) -> _Package:
        """Return a package as an index lists it, where it was given as an address only for uv's sake."""
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
        """Ask uv once; paths in the answer are absolute."""
        output = self._folder / "pylock.answer.toml"
        # uv keeps the versions that its output file names already.
        output.write_text(_text([{"name": name, "version": v} for name, v in preferences.items()]), "utf-8")
        arguments = list(sources)
        for name, content in (
            ("requirements", () if sources and not lines else (*self._asked.index, *lines)),
            ("constraints", constraints),
            ("overrides", overrides),
        ):
            if content:
                path = self._folder / f"{name}.in"
                path.write_text("\n".join(content) + "\n", "utf-8")
                arguments += [*([] if name == "requirements" else [f"--{name}"]), str(path)]
        sdists = {name: package["version"] for name, package in self._known.items()}
        if failure := self._compiler.compile(arguments, (*self._asked.options, *options), output, sdists):
            return failure
        return [_absolute(package, self._folder) for package in tomllib.loads(output.read_text("utf-8"))["packages"]]


def _has_universal_wheel(package: _Package) -> bool:
    return any(str(file.get("url") or file.get("path")).endswith("-any.whl") for file in package.get("wheels", ()))


def _absolute(value: Any, folder: Path) -> Any:
    """Return a value of the answer with every `path` in it made absolute; uv's start at its output file."""
    if isinstance(value, list):
        return [_absolute(item, folder) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: os.path.normpath(folder / item) if key == "path" else _absolute(item, folder)
        for key, item in value.items()
    }


def _admitted(package: _Package, asked: UvInput) -> _Package:
    """Return a package with the files that the hashes and `--no-binary` of requirements files leave."""
    name = package["name"]
    files = {key: package[key] for key in ("archive", "sdist", "wheels") if key in package}
    if allowed := asked.hashes.get(name):

        def fits(file: Mapping[str, Any]) -> bool:
            return any(f"{kind}:{value}" in allowed for kind, value in file.get("hashes", {}).items())

        files["wheels"] = [wheel for wheel in files.get("wheels", ()) if fits(wheel)]
        files = {key: file for key, file in files.items() if (file if key == "wheels" else fits(file))}
        if not files and not package.keys() & {"directory", "vcs"}:
            raise ResolutionError(
                f"no file of `{name}` {package.get('version', '')} has a hash that the requirements list",
                hint="Correct the hashes; `uv pip compile --generate-hashes` lists those of the index.",
            )
    if _wants_sdist(asked, name):
        if files.keys() == {"wheels"}:
            raise ResolutionError(
                f"`--no-binary` requires an sdist of `{name}`, and there is none", hint="Remove the option."
            )
        files.pop("wheels", None)
    return {key: value for key, value in package.items() if key not in {"archive", "sdist", "wheels"}} | files


def _wants_sdist(asked: UvInput, name: str) -> bool:
    return name in asked.no_binary or (":all:" in asked.no_binary and name not in asked.only_binary)


def _text(packages: Sequence[_Package]) -> str:
    return f'lock-version = "1.0"\ncreated-by = "nixpy"\npackages = {inline(packages)}\n'
