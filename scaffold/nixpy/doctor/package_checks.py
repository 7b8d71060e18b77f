"""Check the content of an environment: the packages and their files."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from packaging.specifiers import SpecifierSet

from nixpy.core.read_file import is_folder
from nixpy.core.text import shell_word
from nixpy.diagnostics.diagnostic import counted, shorten
from nixpy.doctor.facts import Facts, InstalledPackage, MissingVersion, UnreadableFile, folders, in_store
from nixpy.doctor.library_checks import supply
from nixpy.doctor.machine_diagnostic import MachineDiagnostic
from nixpy.doctor.remedies import create_again, fill, in_environment
from nixpy.needs.derive import is_grafted
from nixpy.needs.glibc import is_glibc
from nixpy.nixpkgs import releases
from nixpy.project import managers

_MOST = 5  # packages that are installed again one by one; above that, a new environment is simpler


def damaged_files(facts: Facts) -> Iterator[MachineDiagnostic]:
    """Yield NIX418: files of a package are missing or cut off."""
    broken = [package for package in facts.installed if package.damaged and not package.metadata]
    if len(broken) > _MOST:
        path, words = broken[0].damaged[0]
        yield MachineDiagnostic(
            code="NIX418",
            message=f"files of {shorten([package.name for package in broken])} in {facts.venv_folder} are damaged: "
            f"{path} of {broken[0].name} {words}",
            command=_again(facts, broken),
            packages=tuple(package.name for package in broken),
        )
        return
    for package in broken:
        path, words = package.damaged[0]
        name = f"{package.name} {package.version}" if package.version else package.name
        more = len(package.damaged) - 1
        if package.lost:
            message = f"{path} of {name} {words}, nor does any other file of it; only {package.folders[0].name} is left"
        else:
            message = f"{path} of {name} {words}"
            message += f"; {counted(more, 'more file')} of it {'is' if more == 1 else 'are'} damaged" if more else ""
        yield MachineDiagnostic(
            code="NIX418", message=message, command=_again(facts, [package]), packages=(package.name,)
        )
    yield from _lost_libraries(facts)


def _lost_libraries(facts: Facts) -> Iterator[MachineDiagnostic]:
    """Yield NIX418 for a library that is part of a wheel and that no RECORD lists."""
    said = {package.name for package in facts.installed if package.damaged or package.metadata}
    for one in facts.unfound:
        if is_grafted(one.soname) and not one.optional and one.wheel not in said:
            package = next((package for package in facts.installed if package.name == one.wheel), None)
            yield MachineDiagnostic(
                code="NIX418",
                message=f"{one.soname}, which {one.wheel} itself contains, does not exist; {shorten(one.files)} "
                f"{'needs' if len(one.files) == 1 else 'need'} it",
                command=_again(facts, [package]) if package else fill(facts.project, facts.venv_folder),
                packages=(one.wheel,),
            )


def broken_metadata(facts: Facts) -> Iterator[MachineDiagnostic]:
    """Yield NIX419: the dist-info folder of a package lacks a file, or there are two."""
    for package in facts.installed:
        if package.metadata:
            yield MachineDiagnostic(
                code="NIX419",
                message=f"{package.name} is not installed properly: {package.metadata}",
                command=_again(facts, [package], forget=True),
                packages=(package.name,),
            )


def unfit_wheels(facts: Facts) -> Iterator[MachineDiagnostic]:
    """Yield NIX420: a wheel is for another system, C library or Python."""
    unfit = [package for package in facts.installed if package.unfit]
    if len(unfit) > _MOST:
        yield MachineDiagnostic(
            code="NIX420",
            message=f"the wheels of {shorten([package.name for package in unfit])} in {facts.venv_folder} do not fit "
            f"this machine: {unfit[0].name} {unfit[0].unfit}",
            command=_again(facts, unfit),
            packages=tuple(package.name for package in unfit),
        )
        return
    for package in unfit:
        yield MachineDiagnostic(
            code="NIX420",
            message=f"the wheel of {package.name} {package.version} in {facts.venv_folder} {package.unfit}",
            command=_again(facts, [package]),
            packages=(package.name,),
        )


def lost_sources(facts: Facts) -> Iterator[MachineDiagnostic]:
    """Yield NIX421: the source of an editable package does not exist."""
    for package in facts.installed:
        if package.editable is None:
            continue
        command = _source_again(facts, package, package.editable)
        yield MachineDiagnostic(
            code="NIX421",
            message=f"{package.name} is installed as editable from {package.editable}, which does not exist, so it "
            "cannot be imported" + ("" if command else "; restore the folder, or remove the package"),
            command=command or _remove(facts, package),
            packages=(package.name,),
        )


def unreadable_files(facts: Facts) -> Iterator[MachineDiagnostic]:
    """Yield NIX422: a file of a package cannot be read, so it was not checked."""
    for file in facts.unreadable:
        yield MachineDiagnostic(
            code="NIX422",
            message=f"{file.path} of {file.package} cannot be read ({file.reason}), so Python cannot load it and "
            "nixpy does not check it",
            command=_allow(facts, file),
            packages=(file.package,),
        )


def unreadable_elf_files(facts: Facts) -> Iterator[MachineDiagnostic]:
    """Yield NIX104: nixpy cannot read what an ELF file of a package links to.

    Files that are known to be damaged are left out: NIX418 reports them.
    """
    packages = {package.name: package for package in facts.installed}
    for name, paths in sorted(facts.unreadable_elf.items()):
        package = packages.get(name)
        damaged = {path for path, _ in package.damaged} if package else set()
        if lost := [path for path in paths if path not in damaged]:
            yield MachineDiagnostic(
                code="NIX104",
                message=f"nixpy cannot read {_files(lost)} of {name}, so it does not check the libraries that "
                f"{'it needs' if len(lost) == 1 else 'they need'}",
                command=_again(facts, [package]) if package else fill(facts.project, facts.venv_folder),
                packages=(name,),
                level="warning",
            )


def _files(paths: Sequence[Path]) -> str:
    return f"the ELF file {paths[0]}" if len(paths) == 1 else f"{counted(len(paths), 'ELF file')} such as {paths[0]}"


def missing_versions(facts: Facts) -> Iterator[MachineDiagnostic]:
    """Yield NIX423: the library that the loader finds is too old for a file."""
    found: dict[tuple[str, str], list[MissingVersion]] = defaultdict(list)
    for one in facts.versions:
        found[one.wheel, one.soname].append(one)
    for (wheel, soname), lacking in sorted(found.items()):
        first = lacking[0]
        names = sorted({one.version for one in lacking})
        newest = f" with {first.newest} as the newest version" if first.newest else ""
        yield MachineDiagnostic(
            code="NIX423",
            message=f"{first.file} of {wheel} needs {shorten(names)} of {soname}; the loader finds {first.library}"
            f"{newest} and refuses to load the file",
            command=_newer(facts, wheel, lacking),
            packages=(wheel,),
        )


def other_versions(facts: Facts) -> Iterator[MachineDiagnostic]:
    """Yield NIX424: packages have other versions than the project requires."""
    project, venv = facts.project, facts.venv
    if project is None or venv is None or project.folder != managers.FOLDER:
        return
    other = _other(facts, facts.wanted)
    if other:
        yield _of_versions(facts, project.source, other, fill(project, venv.folder))
    changed = [one for one in _other(facts, facts.recorded) if one not in other]
    if changed:
        versions = [f"{package.name}{facts.recorded[package.name]}" for package in changed]
        command = managers.install(project.manager, versions)
        yield _of_versions(facts, "nixpy.lock", changed, in_environment(command, project, venv.folder))


def _other(facts: Facts, wanted: Mapping[str, str]) -> list[InstalledPackage]:
    """Return the packages with a version that a specifier excludes."""
    return [
        package
        for package in facts.installed
        if package.version
        and (specifier := wanted.get(package.name))
        and not SpecifierSet(specifier).contains(package.version, prereleases=True)
    ]


def _of_versions(facts: Facts, source: str, other: Sequence[InstalledPackage], command: str) -> MachineDiagnostic:
    wanted = facts.recorded if source == "nixpy.lock" else facts.wanted
    words = []
    for package in other:
        specifier = wanted[package.name]
        shown = specifier.removeprefix("==") if "," not in specifier else specifier
        words.append(f"{package.name} {package.version} instead of {shown}")
    return MachineDiagnostic(
        code="NIX424",
        message=f"{facts.venv_folder} has other versions than {source}: {shorten(words)}",
        command=command,
        packages=tuple(package.name for package in other),
    )


def _is_of_project(facts: Facts, package: InstalledPackage) -> bool:
    """Return whether the command of the project's manager installs a package."""
    project = facts.project
    if project is None or project.folder != managers.FOLDER:
        return False
    return package.name in ((project.packages if project.locked is None else project.locked) | project.local)


def _again(facts: Facts, packages: Sequence[InstalledPackage], *, forget: bool = False) -> str:
    """Return the command that installs packages again.

    With `forget`, it first removes their dist-info folders, without which an installer takes them for missing.
    """
    project, folder = facts.project, facts.venv_folder
    own = project is not None and all(_is_of_project(facts, package) for package in packages)
    if project and facts.venv and len(packages) > _MOST:
        return create_again(facts, facts.venv)
    names, versions = [package.name for package in packages], [package.requirement for package in packages]
    if project and own:
        command = managers.reinstall(project.manager, project.install, names, versions)
        forget = forget or command is None
        command = command or project.install
    else:
        command = _direct(facts, packages, names, versions)
    command = in_environment(command, project, folder)
    if not forget:
        return command
    gone = " ".join(shell_word(str(path)) for package in packages for path in package.folders)
    return f"rm -r {gone} && {command}"


def _direct(facts: Facts, packages: Sequence[InstalledPackage], names: Sequence[str], versions: Sequence[str]) -> str:
    """Return the command of the installer of packages that the project does not list."""
    by_pip = facts.venv is not None and "pip" in facts.venv.packages and "pip" not in names
    if by_pip and not all(package.installer == "uv" for package in packages):
        return managers.reinstall("pip", "", names, versions) or ""
    return f"uv pip install --reinstall --no-deps {' '.join(map(shell_word, versions))}"


def _source_again(facts: Facts, package: InstalledPackage, lost: Path) -> str | None:
    """Return the command that installs an editable package from its folder.

    Returns None if the folder does not exist. The lock names the folder relative to the project. If only the project
    was moved, it still exists.
    """
    folder = Path(package.requirement.removeprefix("--editable="))
    if folder.is_absolute() and folder != lost and is_folder(folder):
        return _again(facts, [package])
    project = facts.project
    if project is None or not _is_of_project(facts, package):
        return None
    root = project.root.resolve()
    return None if lost.is_relative_to(root) or root.is_relative_to(lost.parent) else _again(facts, [package])


def _remove(facts: Facts, package: InstalledPackage) -> str:
    """Return the command that removes a package, also from the project."""
    project = facts.project
    if project and _is_of_project(facts, package):
        command = managers.TABLE.get(project.manager, {}).get("remove") if package.name in project.packages else None
        return f"{command} {shell_word(package.name)}" if command else f"${{EDITOR:-vi}} {shell_word(project.source)}"
    by_pip = facts.venv is not None and "pip" in facts.venv.packages and package.installer != "uv"
    command = ".venv/bin/python -m pip uninstall --yes" if by_pip else "uv pip uninstall"
    return in_environment(f"{command} {shell_word(package.name)}", facts.project, facts.venv_folder)


def _allow(facts: Facts, file: UnreadableFile) -> str:
    """Return the command after which a file can be read."""
    path = shell_word(str(file.path))
    if file.permission:
        return f"chmod u+rX {path}" if file.own else f"sudo chmod a+rX {path}"
    package = next((one for one in facts.installed if one.name == file.package), None)
    return _again(facts, [package]) if package else f"rm {path}"


def _newer(facts: Facts, wheel: str, lacking: Sequence[MissingVersion]) -> str:
    """Return the command for a newer library, or for a wheel that needs an older one."""
    library, soname = lacking[0].library, lacking[0].soname
    if any(Path(entry) in library.parents for entry in folders(facts.environ.get("LD_LIBRARY_PATH", ""))):
        return "unset LD_LIBRARY_PATH"
    project = facts.project
    of_nix = facts.started is not None and in_store(facts.started.loader)
    if is_glibc(soname):
        newest = max((_numbers(one.version) for one in lacking), default=())
        release = releases.with_glibc(newest) if of_nix and project and project.uses_nixpy else None
        if release:
            return f"nixpy init --nixpkgs {release.branch}"
    elif soname in facts.suppliers and not in_store(os.path.realpath(library)):
        return supply(facts, [soname])
    package = next((one for one in facts.installed if one.name == wheel), None)
    return _again(facts, [package]) if package else fill(project, facts.venv_folder)


def _numbers(version: str) -> tuple[int, ...]:
    parts = version.removeprefix("GLIBC_").split(".")
    return tuple(map(int, parts)) if all(part.isdecimal() for part in parts) else ()
