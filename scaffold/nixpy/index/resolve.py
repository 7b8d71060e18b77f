"""Resolve a project without a lock file with uv.

The result is a `pylock.toml` (PEP 751).

The versions must be those that an installer takes, also where a package has only an sdist. With `--no-build`, uv would
step back to an older version that has a wheel. So uv may build, but in an environment in which no Python starts
(`uv_tool.py`): it reads metadata that is static (PEP 643), and fails with the name of the package if only a build
shows the requirements. nixpy then runs uv again without the requirements of this package. In this way it finds all
such packages of the result, and one error names them. The build of a package that the user allows by its name starts a
Python that works; no other does. uv reads no settings but those that `uv_config.py` passes on.
"""

from __future__ import annotations

import os
import re
import shlex
import tempfile
import tomllib
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from nixpy.core.errors import BuildNeededError, NixpyError, ResolutionError
from nixpy.core.target import Target
from nixpy.core.toml_text import inline
from nixpy.index import pip_order
from nixpy.index.config_files import pip_indexes, uv_indexes
from nixpy.index.uv_config import read_uv_config
from nixpy.index.uv_input import UvInput, uv_input_for
from nixpy.index.uv_tool import Compiler, Failure, Uv, find_uv
from nixpy.locks.model import ExtrasAndGroups
from nixpy.locks.requirements import RequirementsFile
from nixpy.project.dependencies import Dependencies

__all__ = ["BuildNeededError", "Uv", "find_uv", "resolve"]

_ADDRESS = re.compile(r"https?://[^\s'\"]+")
_Package = dict[str, Any]
_FILES = {"archive", "directory", "sdist", "vcs", "wheels"}
# A package that uv tries to build, as its error names it.
_PINNED = re.compile(r"(?P<name>[A-Za-z0-9._-]+)==(?P<version>\S+)")
_NAMED = re.compile(r"(?P<name>[A-Za-z0-9._-]+) @ .+")


def resolve(
    source: Dependencies | Sequence[RequirementsFile | Requirement],
    *,
    root: Path,
    python: str,
    targets: Sequence[Target] = (),
    extras_and_groups: ExtrasAndGroups = ExtrasAndGroups(),  # noqa: B008  # frozen
    no_deps: bool = False,
    preferences: Mapping[str, str] = MappingProxyType({}),
    offline: bool = False,
    refresh: bool = False,
    allow_build: bool | Collection[str] = False,
    index: str | None = None,
    merge_indexes: bool = False,
) -> str:
    """Return the text of a `pylock.toml` for `source`.

    It is valid from Python `python` on, on every system, or if there is no such result on the systems of `targets`.

    Packages that have only an sdist are in the result with it. Local paths in the result are absolute. Hashes in
    requirements files leave only files with these hashes; `--no-binary` leaves no wheel.

    Args:
        source: The project's dependencies, or requirements files and requirements.
        root: The folder of the project; its settings of uv and pip apply.
        python: `3.13` or `3.13.9`; it need not be installed.
        targets: The systems to resolve for if uv finds no versions for every system, or must build a package. uv reads
            the requirements of a pyproject.toml with `tool.uv.sources` itself, and resolves them only for every system.
        extras_and_groups: The extras and dependency groups to resolve.
        no_deps: Leave out the dependencies of the packages; then packages of an index need no build.
        preferences: Versions to keep if they fit.
        offline: Use only the cache of uv.
        refresh: Ask the indexes for new versions, also if the cache of uv has an answer of the last minutes.
        allow_build: Let uv build every package, or those with these names, to find their requirements.
        index: The only index to use.
        merge_indexes: Use the indexes as pip does, which takes a package from all of them together. Otherwise uv takes
            it from the first index that has it, unless `index-strategy` is set.

    Raises:
        NixpyError: uv cannot resolve the requirements; the message has its reason, without credentials.
        BuildNeededError: Only a build shows the requirements of some packages; the message names them all.
    """
    from nixpy.index.settings import IndexSettings  # not needed for a project with a lock

    allowed = frozenset() if isinstance(allow_build, bool) else frozenset(map(canonicalize_name, allow_build))
    allow_build = allow_build is True
    config = read_uv_config(root, allow_build=allow_build)
    uv_input = uv_input_for(source, extras_and_groups, allow_build=allow_build, allowed=allowed)
    uv_input = replace(uv_input, no_binary=uv_input.no_binary | config.no_binary)
    if config.environments:
        uv_input = uv_input.under(config.environments)
    if not uv_input.lines and not uv_input.sources:
        return _text([])  # uv treats that as a usage error
    settings = IndexSettings.load(root)
    known = settings.with_urls([*_ADDRESS.findall(" ".join(uv_input.index)), *([index] if index else [])])
    orders: Sequence[Mapping[str, str]] = ()
    if merge_indexes and not uv_input.sources:
        files = () if isinstance(source, Dependencies) else source
        options_of_files = [one.options for one in files if isinstance(one, RequirementsFile)]
        orders = pip_order.environments(pip_indexes(root, os.environ), uv_indexes(root, os.environ), options_of_files)
    if orders:
        config = config.without_indexes()
        links = tuple(line for line in uv_input.index if line.startswith("--find-links"))
        uv_input = replace(uv_input, index=links)
    compiler = Compiler(
        uv=find_uv(project=root),
        root=root,
        python=python,
        config=config,
        allow_build=allow_build,
        allowed=allowed,
        environment={**settings.uv_environment(), **(_only(index) if index else {})},
        conceal=lambda text: known.redact(uv_input.conceal(text)),
        offline=offline,
    )
    compilers = [replace(compiler, environment={**compiler.environment, **order}) for order in orders] or [compiler]
    whole = not isinstance(source, Dependencies) and all(
        isinstance(one, RequirementsFile) and one.whole for one in source
    )
    options = [*["--no-deps"] * (no_deps or whole), *["--refresh"] * (refresh and not offline)]
    with tempfile.TemporaryDirectory(prefix="nixpy-") as name:  # mode 0700
        folder = Path(name).resolve()
        if not allow_build:
            compiler.check_builds_fail(folder)

        lock = _lock_command(source)

        def conversation(compiler: Compiler, uv_input: UvInput) -> _Conversation:
            return _Conversation(compiler, uv_input, options, preferences, folder, lock=lock)

        def packages(uv_input: UvInput) -> list[_Package]:
            return _of_all_indexes([conversation(one, uv_input) for one in compilers])

        try:
            found = packages(uv_input)
        except (ResolutionError, BuildNeededError) as error:
            if len(orders) > 1:
                # uv ignores an index that refuses access if it reads several together, and says nothing about it.
                strict = {**orders[0], "UV_INDEX_STRATEGY": "first-index"}
                with suppress(ResolutionError, BuildNeededError):
                    conversation(replace(compiler, environment={**compiler.environment, **strict}), uv_input).packages()
            if not targets or uv_input.sources:
                raise
            # A requirement that is only for other systems, or for PyPy, may have no fitting wheel.
            try:
                found = packages(uv_input.under(_marker(targets)))
            except BuildNeededError as of_targets:
                raise of_targets from None
            except NixpyError:
                raise error from None  # its text has no markers that nixpy added
    return _text([_admitted(package, uv_input) for package in found])


def _of_all_indexes(conversations: Sequence[_Conversation]) -> list[_Package]:
    """Return the packages of the first answer, with the files of all conversations.

    Each conversation is with another index before the others. If one index has only an sdist of a version that must be
    built, another one may have a wheel of it.
    """
    needed: BuildNeededError | None = None
    for conversation in conversations:
        try:
            packages = conversation.packages()
        except BuildNeededError as error:
            needed = needed or error
            continue
        pins = pip_order.pins(packages)
        answers = (packages if one is conversation else one.files(pins) for one in conversations)
        return pip_order.with_files(packages, answers) if len(conversations) > 1 else packages
    assert needed  # noqa: S101
    raise needed


def _marker(targets: Iterable[Target]) -> Marker:
    """Return a marker that holds only for CPython on the systems of the targets.

    uv does not know that these variables depend on each other.
    """
    environments = (target.marker_environment() for target in targets)
    system = ("sys_platform", "platform_system", "os_name", "platform_machine")
    variables = (*system, "platform_python_implementation", "implementation_name")
    systems = (" and ".join(f"{name} == '{one[name]}'" for name in variables) for one in environments)
    return Marker(" or ".join(dict.fromkeys(f"({system})" for system in systems)))


def _lock_command(source: Dependencies | Sequence[RequirementsFile | Requirement]) -> str:
    """Return the command that makes a lock of `source`.

    The lock of requirements files is next to the first one.
    """
    if isinstance(source, Dependencies):
        return "uv lock"
    paths = [item.path for item in source if isinstance(item, RequirementsFile)]
    lock = paths[0].with_name("pylock.toml") if paths else "pylock.toml"
    return shlex.join(["uv", "pip", "compile", "--universal", *map(str, paths), "-o", str(lock)])


def _only(index: str) -> dict[str, str]:
    """Return the environment variables that make uv use only this index.

    They override the settings of uv.
    """
    others = ("UV_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS")
    return {**dict.fromkeys(others, ""), "UV_DEFAULT_INDEX": os.path.expandvars(index)}


class _Conversation:
    """The runs of uv that lead to one answer, in a private folder."""

    def __init__(
        self,
        compiler: Compiler,
        uv_input: UvInput,
        options: Sequence[str],
        preferences: Mapping[str, str],
        folder: Path,
        *,
        lock: str,
    ) -> None:
        self._compiler = compiler
        self._input = uv_input
        self._options = options
        self._preferences = preferences
        self._folder = folder
        self._lock = lock
        self._unknown: set[tuple[str, str]] = set()  # names and versions with requirements that only a build shows
        self._left_out: set[str] = set()  # the same, for packages that an address names

    def packages(self) -> list[_Package]:
        """Return the packages of the answer.

        Raises BuildNeededError if it depends on a build.
        """
        while isinstance(answer := self._ask(self._input, self._options), Failure):
            if self._compiler.allow_build:
                raise answer.error()
            if answer.nameless:
                raise self._name_needed()
            others = [build for build in answer.builds if _name(build) not in self._compiler.allowed]
            if len(others) < len(answer.builds):  # an allowed build failed, or requires a package without a wheel
                raise self._build_needed([build.replace("==", " ") for build in others]) if others else answer.error()
            if not self._note(answer.builds):
                # An address in the settings of uv stays, also if its package is left out.
                raise self._build_needed([*self._left_out]) if answer.builds else answer.error()
        # uv may also have read the metadata of versions that it then did not choose.
        unknown = self._unknown & {(package["name"], package.get("version", "")) for package in answer}
        if unknown or self._left_out:
            raise self._build_needed([*(f"{name} {version}" for name, version in unknown), *self._left_out])
        return answer if all(package.keys() & _FILES for package in answer) else self._with_files(answer)

    def files(self, pins: Iterable[str]) -> list[_Package]:
        """Return the packages of `pins` with their files, without those that uv fails for.

        A pin is `NAME==VERSION`. Each run of uv lists one version of a name.
        """
        found: list[_Package] = []
        left = list(dict.fromkeys(pins))
        while left:
            batch = {_name(pin): pin for pin in left}
            left = [pin for pin in left if batch[_name(pin)] != pin]
            lines = tuple(batch.values())
            answer = self._ask(replace(self._input, lines=lines, sources=(), constraints=()), ["--no-deps"])
            found += [] if isinstance(answer, Failure) else answer
        return found

    def _with_files(self, packages: list[_Package]) -> list[_Package]:
        """Add the files of packages of which uv lists none.

        None of their files fits the marker of the package. Raises ResolutionError if there is no file at all.
        """
        lacking = [(one["name"], one["version"]) for one in packages if "version" in one and not one.keys() & _FILES]
        listed = self.files(f"{name}=={version}" for name, version in lacking)
        files = {(one["name"], one["version"]): {key: one[key] for key in _FILES if key in one} for one in listed}
        if missing := [f"{name} {version}" for name, version in lacking if not files.get((name, version))]:
            raise ResolutionError(
                f"the index has no file of {', '.join(missing)} that an installer takes",
                hint="Choose another version, or make a lock with `uv lock`.",
            )
        return [one | files.get((one["name"], one.get("version", "")), {}) for one in packages]

    def _note(self, builds: Iterable[str]) -> bool:
        """Note the packages that uv tried to build; return whether one of them is new."""
        before = len(self._unknown) + len(self._left_out)
        for build in builds:
            if pinned := _PINNED.fullmatch(build):
                self._unknown.add((canonicalize_name(pinned["name"]), pinned["version"]))
            elif named := _NAMED.fullmatch(build):
                self._left_out.add(canonicalize_name(named["name"]))
        return len(self._unknown) + len(self._left_out) > before

    def _build_needed(self, packages: Sequence[str]) -> NixpyError:
        packages = sorted(packages)
        names = list(dict.fromkeys(_name(package) for package in packages))
        reason = (
            "has no wheel, and only a build shows what it requires"
            if len(packages) == 1
            else "have no wheel, and only builds show what they require"
        )
        options = " ".join(f"--allow-build-of {name}" for name in names)
        code = "its code" if len(names) == 1 else "their code"
        remedies = [f"allow it with `{options}`, which runs {code} (--allow-build allows all builds)"]
        # A project with sources of uv is installed by uv, which builds what it locks.
        remedies.insert(0 if self._input.sources else 1, f"lock with `{self._lock}`")
        remedies.append("choose versions that have a wheel")
        remedies.append(f"write what {'it requires' if len(names) == 1 else 'they require'} in `dependency-metadata`")
        hint = f"{'; '.join(remedies[:-1])}; or {remedies[-1]} of [tool.uv]."
        return BuildNeededError(f"{', '.join(packages)} {reason}", hint=f"{hint[0].upper()}{hint[1:]}", packages=names)

    def _name_needed(self) -> NixpyError:
        lines = ", ".join(f"`{self._compiler.conceal(line)}`" for line in self._input.unnamed())
        return BuildNeededError(
            f"only a build shows the name of the package in {lines}",
            hint="Write it as `name @ URL`, or allow the build with --allow-build.",
        )

    def _ask(self, uv_input: UvInput, options: Sequence[str]) -> list[_Package] | Failure:
        """Run uv once; paths in the result are absolute."""
        output = self._folder / "pylock.answer.toml"
        # uv keeps the versions that are already in its output file.
        output.write_text(_text([{"name": name, "version": v} for name, v in self._preferences.items()]), "utf-8")
        arguments = list(uv_input.sources)
        for name, content in (
            ("requirements", () if uv_input.sources and not uv_input.lines else (*uv_input.index, *uv_input.lines)),
            ("constraints", uv_input.constraints),
            # An override for no Python removes a package, whichever package requires it.
            ("overrides", [f"{name} ; python_version < '0'" for name in sorted(self._left_out)]),
        ):
            if content:
                path = self._folder / f"{name}.in"
                path.write_text("\n".join(content) + "\n", "utf-8")
                arguments += [*([] if name == "requirements" else [f"--{name}"]), str(path)]
        if failure := self._compiler.compile(arguments, (*uv_input.options, *options), output, self._unknown):
            return failure
        return [_absolute(package, self._folder) for package in tomllib.loads(output.read_text("utf-8"))["packages"]]


def _name(build: str) -> str:
    """Return the name in `NAME==VERSION`, `NAME VERSION` or `NAME @ URL`."""
    return canonicalize_name(re.split("==| ", build, maxsplit=1)[0])


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
    # A branch of a repository moves, and a build may name another version.
    left_out = {"archive", "sdist", "wheels", *(["version"] if "vcs" in package else [])}
    return {key: value for key, value in package.items() if key not in left_out} | files


def _wants_sdist(uv_input: UvInput, name: str) -> bool:
    return name in uv_input.no_binary or (":all:" in uv_input.no_binary and name not in uv_input.only_binary)


def _text(packages: Sequence[_Package]) -> str:
    return f'lock-version = "1.0"\ncreated-by = "nixpy"\npackages = {inline(packages)}\n'
