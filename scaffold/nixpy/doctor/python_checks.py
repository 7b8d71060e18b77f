"""Check the Python: which one runs, and the interpreter and packages of a `.venv`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from nixpy.core.text import shell_word
from nixpy.diagnostics.diagnostic import shorten
from nixpy.doctor.facts import Facts, ObservedProject, OnPath, PackagesCall, Program, Venv, in_store
from nixpy.doctor.machine_diagnostic import MachineDiagnostic
from nixpy.doctor.remedies import PREFER_SYSTEM, by_shell, create_again, fill, init
from nixpy.doctor.venv_checks import to_replace
from nixpy.project.managers import FOLDER
from nixpy.styles import features, styles

_VERSION = re.compile(r"python(3\.\d+)")


def missing_packages(facts: Facts) -> Iterator[MachineDiagnostic]:
    """Yield NIX401: packages that the project installs are not in its environment."""
    project, venv = facts.project, facts.venv
    if project is None:
        return
    if not project.folder:
        yield from _not_in_shell(facts, project)
        return
    if project.folder != FOLDER:
        return  # the environment of another tool, which has its own commands to inspect it
    wanted = project.packages if project.locked is None else project.locked
    if venv is None:
        if wanted:
            entered = by_shell(facts, facts.venv_folder)
            yield MachineDiagnostic(
                code="NIX401",
                message=f"there is no virtual environment at {facts.venv_folder}, so no package of "
                f"{project.source} can be imported",
                command=project.enter if entered else fill(project, facts.venv_folder, new=True),
            )
        return
    missing = sorted(wanted - venv.packages - _inherited(facts, venv))
    if missing and not to_replace(facts):
        verb = "is" if len(missing) == 1 else "are"
        yield MachineDiagnostic(
            code="NIX401",
            message=f"{shorten(missing)} of {project.source} {verb} not installed in {venv.folder}"
            + _elsewhere(facts, frozenset(missing)),
            command=fill(project, venv.folder),
            packages=tuple(missing),
        )


def missing_modules(facts: Facts) -> Iterator[MachineDiagnostic]:
    """Yield NIX432: the Python lacks a module that a feature adds."""
    project, venv = facts.project, facts.venv
    if venv is None or (project and project.folder != FOLDER) or to_replace(facts):
        return
    for name, who in facts.importing.items():
        enable = f"nixpy init --feature {name}"
        enabled = project is not None and name in project.features
        if project and in_store(venv.python.file):  # the shell links .venv to its Python
            again = project.enter
        elif project and not project.uses_nixpy:
            again = f"rm -r {shell_word(str(venv.folder))} && {project.enter}"
        else:
            again = create_again(facts, venv)
        verb = "imports" if len(who) == 1 else "import"
        yield MachineDiagnostic(
            code="NIX432",
            message=f"{shorten(who)} {verb} {features.find(name).modules[0]}, which the Python of {venv.folder} lacks",
            command=again if enabled else f"{enable} && {again}" if project else init(facts, enable),
            packages=tuple(one for one in who if one in venv.packages),
            level="warning",
        )


def _inherited(facts: Facts, venv: Venv) -> frozenset[str]:
    """Return the packages outside a virtual environment that it can import."""
    return venv.system_packages | facts.user_packages if venv.inherits else frozenset()


def _not_in_shell(facts: Facts, project: ObservedProject) -> Iterator[MachineDiagnostic]:
    """Yield a diagnostic if the shell's environment lacks packages."""
    of_nixpkgs = project.style is not None and styles.find(project.style).from_nixpkgs
    wanted = {name for name in project.packages if not of_nixpkgs or _is_judged(name, project)}
    missing = sorted(wanted - facts.shell.packages) if facts.shell else []
    if facts.shell and missing:
        yield MachineDiagnostic(
            code="NIX401",
            message=f"{shorten(missing)} of {project.source} {'is' if len(missing) == 1 else 'are'} not in the shell's "
            f"{facts.shell.program.path}",
            command=project.enter,
            packages=tuple(missing),
        )


def _is_judged(name: str, project: ObservedProject) -> bool:
    """Return whether a package from nixpkgs or a wheel must exist under its name.

    NIX301 reports packages without a known source. Some replace others, for example psycopg2 psycopg2-binary.
    """
    from nixpy.nixpkgs.python_packages import spellings

    return name in (spellings(name) or project.wheels)


def _elsewhere(facts: Facts, missing: frozenset[str]) -> str:
    """Return other places of the packages, as the end of a sentence."""
    for one in facts.pythons:
        if facts.venv and one.program.folder == facts.venv.python.folder:
            continue
        if found := sorted(missing & one.packages):
            return f"; {shorten(found)} is installed for {one.program.path}, another Python"
    if found := sorted(missing & facts.user_packages):
        return f"; {shorten(found)} is installed for the user, where a virtual environment does not look"
    return ""


def other_python(facts: Facts) -> Iterator[MachineDiagnostic]:
    """Yield NIX402: another Python or virtual environment is active."""
    venv = facts.venv
    active = facts.environ.get("VIRTUAL_ENV")
    if venv and active and Path(active) in venv.other_folders:
        return  # NIX429: `activate` sets it
    if venv and active and Path(active).resolve() != venv.folder.resolve():
        yield MachineDiagnostic(
            code="NIX402",
            message=f"VIRTUAL_ENV is {active}, so packages are installed there and not into {venv.folder}",
            command=f"source {shell_word(str(venv.folder))}/bin/activate",
        )
        return
    if not facts.pythons:
        return
    best = max(facts.pythons, key=lambda one: _rank(facts, one))
    first = facts.pythons[0]
    if best is first:
        return
    yield MachineDiagnostic(
        code="NIX402",
        message=f"`python` is {first.program.path}, because {first.program.folder} comes first on PATH; "
        f"{_whose(facts, best)} is {best.program.path}",
        command=f"export PATH={shell_word(str(best.program.folder))}:$PATH",
    )


def _rank(facts: Facts, one: OnPath) -> tuple[bool, bool, int]:
    """Return the rank of a Python for the project: in its .venv.

    From nixpy; by the number of required packages.
    """
    of_venv = facts.venv is not None and one.program.folder == facts.venv.python.folder
    # If there is a .venv, the packages are in it, and those of other Pythons do not matter.
    wanted = facts.project.packages if facts.project and facts.venv is None else frozenset()
    return of_venv, one.program.ours and not facts.in_root, len(wanted & one.packages)


def _whose(facts: Facts, one: OnPath) -> str:
    of_venv, ours, _ = _rank(facts, one)
    if of_venv:
        return "the Python of the virtual environment"
    return "the Python of nixpy's shell" if ours else "the Python with the project's packages"


def applications(facts: Facts) -> Iterator[MachineDiagnostic]:
    """Yield NIX403: withPackages leaves out a package.

    buildPythonPackage did not build it.
    """
    for found in facts.applied:
        yield MachineDiagnostic(
            code="NIX403",
            message=f"{found.file}:{found.line}: {found.name} is built by {found.builder}, so withPackages "
            "silently leaves it out; buildPythonPackage builds a package that Python can import",
            command=_build_a_module(found),
            packages=(found.name,) if found.name != "a package" else (),
        )


def _build_a_module(found: PackagesCall) -> str:
    """Return the change that makes it a Python module.

    For a plain derivation, its author must add values.
    """
    file = shell_word(str(found.made_in))
    if found.builder == "mkDerivation":
        return f"${{EDITOR:-vi}} +{found.made_at or 1} {file}"
    return f"sed -i '{found.made_at or ''}s/buildPythonApplication/buildPythonPackage/' {file}"


def bypassed_wrapper(facts: Facts) -> Iterator[MachineDiagnostic]:
    """Yield NIX405: the .venv does not use the shell's wrapper.

    It uses the interpreter inside the wrapper, and so lacks the wrapper's settings.
    """
    venv, shell = facts.venv, facts.shell
    if not venv or not shell or not _bypassed(venv, shell.program):
        return
    yield MachineDiagnostic(
        code="NIX405",
        message=f"{venv.python.path} is {venv.python.file}, the unwrapped interpreter; it bypasses the wrapper "
        f"{shell.program.path} of the shell and lacks its libraries and packages",
        command=_relink(venv, shell.program),
    )


def _bypassed(venv: Venv, shell: Program) -> bool:
    wrapped = shell.wraps
    # A copy (`--copies`) of the interpreter has no link to another one.
    return wrapped is not None and venv.python.exists and wrapped.resolve() == venv.python.file.resolve()


def _relink(venv: Venv, python: Program) -> str:
    """Return the command that links a .venv to another interpreter.

    The interpreter has the same version.
    """
    link = venv.leaves or venv.python.path
    target = python.folder / python.file.name if _VERSION.fullmatch(python.file.name) else python.path
    return (
        f"ln -sfn {shell_word(str(target))} {shell_word(str(link))} && "
        f'sed -i "s|^home = .*|home = {target.parent}|" {shell_word(str(venv.folder / "pyvenv.cfg"))}'
    )


def stale_venv(facts: Facts) -> Iterator[MachineDiagnostic]:
    """Yield NIX406: the interpreter of .venv is missing or another one.

    It is not the shell's, or it has another version.
    """
    venv, shell = facts.venv, facts.shell
    if venv is None:
        return
    python = venv.python
    if python.missing:
        return  # NIX428
    if not python.exists or (in_store(python.loader) and python.loader and not python.loader.exists()):
        gone = python.file if not python.exists else python.loader
        project = facts.project
        if not facts.in_root and str(gone).startswith("/usr/") and project and project.venv_in_root:
            yield MachineDiagnostic(
                code="NIX406",
                message=f"{python.path} leads to {gone}, which exists only in the root file system of style "
                f"{project.style}",
                command="nixpy-fhs nixpy doctor",
            )
            return
        yield MachineDiagnostic(
            code="NIX406",
            message=f"{python.path} needs {gone}, which does not exist: it was garbage collected, or the virtual "
            "environment was created on another machine",
            command=_renew(facts, venv),
        )
        return
    version = _short(facts.started.version) if facts.started else _version(python)
    if version and venv.versions and version not in venv.versions:
        yield MachineDiagnostic(
            code="NIX406",
            message=f"{python.path} is Python {version}, but the packages in {venv.folder} are installed for "
            f"Python {', '.join(venv.versions)}",
            command=create_again(facts, venv),
        )
    elif to_replace(facts):
        return  # NIX430
    elif shell and in_store(python.file) and not _same(python, shell.program) and not _bypassed(venv, shell.program):
        yield MachineDiagnostic(
            code="NIX406",
            message=f"{python.path} is {python.file}, but the shell's Python is {shell.program.file}",
            command=_renew(facts, venv),
        )


def _same(one: Program, other: Program) -> bool:
    # In the root of style fhs, and through a profile, the same file has several paths.
    return one.file.resolve() == other.file.resolve()


def _renew(facts: Facts, venv: Venv) -> str:
    """Return the command that gives .venv the shell's Python.

    It makes a new link for the same version, else a new .venv.
    """
    shell = facts.shell
    version = _version(shell.program) if shell else None
    if shell and version in venv.versions:
        return _relink(venv, shell.program)
    if shell is None and facts.project and facts.project.uses_nixpy and not facts.project.venv_in_root:
        return facts.project.enter  # its hook links .venv again, or reports why it cannot
    return create_again(facts, venv)


def _version(program: Program) -> str | None:
    found = (_VERSION.fullmatch(link.name) for link in program.links)
    return next((match[1] for match in found if match), None)


def _short(version: str) -> str:
    return ".".join(version.split(".")[:2])


def foreign_python(facts: Facts) -> Iterator[MachineDiagnostic]:
    """Yield NIX412: uv installed a Python that does not start on this host."""
    venv, host = facts.venv, facts.host
    if not venv or not host or not venv.python.exists or host.at_loader not in {"stub", "none"}:
        return
    loader = venv.python.loader
    if loader and not in_store(loader):
        yield MachineDiagnostic(
            code="NIX412",
            message=f"{venv.python.path} is {venv.python.file}, which needs the loader {loader}; without nix-ld "
            "it does not start here",
            command=f"export {PREFER_SYSTEM} && {create_again(facts, venv)}",
        )
