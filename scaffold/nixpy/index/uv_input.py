"""Write the requirements of a project as text for uv.

The text is complete and has absolute paths, and uv builds nothing for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

from packaging.markers import Marker
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from nixpy.core.errors import BuildNeededError, ProjectError
from nixpy.core.read_file import exists
from nixpy.core.requirement import under
from nixpy.core.toml_file import load_toml
from nixpy.core.urls import SHORTEST_WORD, replace_part
from nixpy.locks.model import ExtrasAndGroups
from nixpy.locks.requirements import RequirementLine, RequirementsFile
from nixpy.project.dependencies import Dependencies, Reader


@dataclass(frozen=True, slots=True, kw_only=True)
class UvInput:
    """The input of uv, and the files that may be in its result.

    The texts may contain credentials: they are written to a private folder only.
    """

    lines: tuple[str, ...] = field(default=(), repr=False)
    constraints: tuple[str, ...] = field(default=(), repr=False)
    sources: tuple[str, ...] = ()  # or else a pyproject.toml that uv reads itself, with --extra and --group
    index: tuple[str, ...] = field(default=(), repr=False)  # lines with index options
    options: tuple[str, ...] = ()
    hashes: Mapping[str, frozenset[str]] = field(default_factory=dict)
    no_binary: frozenset[str] = frozenset()
    only_binary: frozenset[str] = frozenset()
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)

    def unnamed(self) -> tuple[str, ...]:
        """Return the lines with an address and no name."""
        return tuple(line for line in self.lines if not line.startswith("-") and not _names_a_package(line))

    def under(self, marker: Marker) -> UvInput:
        """Return the same input with `marker` on each line.

        Lines that only uv can read are unchanged.
        """
        lines = (str(under(Requirement(line), marker)) if _names_a_package(line) else line for line in self.lines)
        return replace(self, lines=tuple(lines))

    def conceal(self, text: str) -> str:
        """Return `text` with each expanded variable replaced by its `${NAME}`.

        The variables are those of requirements files. A short value is also a part of words, so it is replaced only in
        URLs.
        """
        for value in sorted(self.secrets, key=len, reverse=True):
            short = len(value) < SHORTEST_WORD
            text = (replace_part if short else str.replace)(text, value, self.secrets[value])
        return text


def _names_a_package(line: str) -> bool:
    try:
        Requirement(line)
    except InvalidRequirement:
        return False
    return True


def uv_input_for(
    source: Dependencies | Sequence[RequirementsFile | Requirement],
    extras_and_groups: ExtrasAndGroups,
    *,
    allow_build: bool,
    allowed: AbstractSet[str] = frozenset(),
) -> UvInput:
    """Return the input of uv for `source`.

    Raises ProjectError if a local path does not exist and, without `allow_build`, if only a build shows the
    requirements of a source tree that is not one of the `allowed` packages.
    """
    if isinstance(source, Dependencies):
        groups = source.selected_groups(extras_and_groups.groups)
        requirements = source.select(
            extras_and_groups.extras, groups
        )  # also if uv reads the file: the errors of nixpy name lines
        if not source.uv.get("sources"):
            return UvInput(lines=tuple(map(str, requirements)))
        # Only uv can read its own table of sources.
        options = [f"--extra={extra}" for extra in sorted(extras_and_groups.extras)] + [
            f"--group={group}" for group in groups
        ]
        return UvInput(sources=(str(source.path.absolute()), *options))
    files = [item for item in source if isinstance(item, RequirementsFile)]
    lines = [str(item) for item in source if isinstance(item, Requirement)]
    constraints: list[str] = []
    index: list[str] = []
    hashes: dict[str, frozenset[str]] = {}
    for file in files:
        index += _index_lines(file)
        lines += _all_fed(file.requirements, allow_build=allow_build, allowed=allowed)
        constraints += [_constraint(line) for line in file.constraints]
        for line in (*file.requirements, *file.constraints):
            if line.hashes and line.requirement:
                name = canonicalize_name(line.requirement.name)
                hashes[name] = hashes.get(name, frozenset()) | line.hashes
    return UvInput(
        lines=tuple(lines),
        constraints=tuple(constraints),
        index=tuple(index),
        options=tuple(dict.fromkeys(option for file in files for option in _prereleases(file))),
        hashes=hashes,
        no_binary=frozenset().union(*(file.options.no_binary for file in files)),
        only_binary=frozenset().union(*(file.options.only_binary for file in files)),
        secrets={value: name for file in files for value, name in file.secrets.items()},
    )


def _prereleases(file: RequirementsFile) -> Iterator[str]:
    if file.options.pre or ":all:" in file.options.all_releases:
        yield "--prerelease=allow"
    yield from (f"--prerelease-package={name}=allow" for name in sorted(file.options.all_releases - {":all:"}))


def _index_lines(file: RequirementsFile) -> Iterator[str]:
    options = file.options
    if options.index_url:
        yield f"--index-url {options.index_url}"
    yield from (f"--extra-index-url {url}" for url in options.extra_index_urls)
    yield from (f"--find-links {link}" for link in options.find_links)
    if options.no_index:
        yield "--no-index"


def _all_fed(lines: Iterable[RequirementLine], *, allow_build: bool, allowed: AbstractSet[str]) -> list[str]:
    """Return the lines of a requirements file for uv.

    One error names all that must be built.
    """
    texts: list[str] = []
    refused: dict[str, _BuildNeededError] = {}
    for line in lines:
        try:
            named = line.requirement is not None and canonicalize_name(line.requirement.name) in allowed
            texts += _fed(line, allow_build=allow_build or named)
        except _BuildNeededError as error:
            refused[line.text] = error
    if refused:
        (_, first), *others = refused.items()
        if others:
            first.message += f"; so must {', '.join(f'`{text}`' for text, _ in others)}"
        raise first
    return texts


class _BuildNeededError(ProjectError):
    """A line with a package that must be built to find its requirements."""

    code = BuildNeededError.code


def _fed(line: RequirementLine, *, allow_build: bool) -> Iterator[str]:
    """Yield a line of a requirements file for uv.

    It has absolute paths, and a name if it is known.

    uv builds a source tree without a name to find the name, even with `--no-build`.
    """
    if line.local is None and line.url is None:
        yield str(line.requirement)
        return
    if line.local and not exists(line.local):
        raise ProjectError(
            f"`{line.text}`: there is no such file or folder",
            hint="Correct the path; it starts at the project's folder.",
            path=line.path,
            line=line.line,
        )
    address = line.url or (line.local.as_uri() if line.local else "")
    marker = f" ; {line.marker}" if line.marker else ""
    extras = f"[{','.join(sorted(line.extras))}]" if line.extras else ""
    if line.local and line.local.is_dir() and not allow_build:
        yield from _folder(line, f"{extras} @ {address}{marker}")
    elif line.requirement:
        yield ("-e " if line.editable else "") + f"{line.requirement.name}{extras} @ {address}{marker}"
    elif line.editable and not allow_build:
        raise _needs_a_build(line, "its name is not in the line", "Write it as `name @ URL`, or allow the build")
    else:
        yield ("-e " if line.editable else "") + f"{address}{extras}{marker}"


def _constraint(line: RequirementLine) -> str:
    if line.requirement is None or line.editable:
        raise ProjectError(
            f"`{line.text}` is not a constraint: it has no name",
            hint="Write it as `name @ URL`, or include it with -r.",
            path=line.path,
            line=line.line,
        )
    return next(_fed(line, allow_build=True))


def _folder(line: RequirementLine, rest: str) -> Iterator[str]:
    """Yield a source tree with a complete `[project]`.

    Without a static version, yield its requirements instead.

    uv builds a project to find its version, which is not needed here.
    """
    assert line.local  # noqa: S101
    pyproject = line.local / "pyproject.toml"
    data = load_toml(pyproject) if pyproject.is_file() else {}
    told = "project" in data and "dependencies" not in Reader(data, pyproject).strings("project", "dynamic")
    project = Dependencies.from_pyproject(data, pyproject) if told else None
    if project is None or project.name is None:
        raise _needs_a_build(line, "its dependencies are not in a pyproject.toml", "Allow the build")
    if project.version_known:
        yield ("-e " if line.editable else "") + f"{project.name}{rest}"
        return
    yield from (str(under(requirement, line.marker)) for requirement in project.select(line.extras, ()))


def _needs_a_build(line: RequirementLine, reason: str, remedy: str) -> _BuildNeededError:
    option = f"--allow-build-of {canonicalize_name(line.requirement.name)}" if line.requirement else "--allow-build"
    return _BuildNeededError(
        f"`{line.text}` must be built to know what it requires: {reason}",
        hint=f"{remedy} with {option}, which runs its code.",
        path=line.path,
        line=line.line,
    )
