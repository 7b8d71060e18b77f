"""Plan the files of `init` and `sync`.

They are the generated files and, for `init`, those that nixpy writes once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from nixpy.analysis.analysis_options import AnalysisOptions
from nixpy.commands import fitting_systems
from nixpy.commands.plan import Plan, lock_of, plan, with_suggested_features
from nixpy.core.errors import ProjectError, ResolutionError
from nixpy.core.read_file import is_file, read_bytes
from nixpy.core.target import LINUX_SYSTEMS
from nixpy.core.text import shell_word
from nixpy.environment import lang2nix
from nixpy.environment.options import Options, ResolvedOptions, resolve_options, with_features
from nixpy.files import envrc, flake_imports, library_input, projects_flake, render, shell_lines
from nixpy.files.reconcile import OutputFile
from nixpy.project import config, flake
from nixpy.project.project import NIXPY_LOCK, Project
from nixpy.styles import styles


def plan_files(project: Project, options: Options, analysis_options: AnalysisOptions, *, user_files: bool) -> Plan:
    """Plan the files of `sync`, and with `user_files` those of `init`.

    Raises ProjectError if the settings name no style and `user_files` is false, since `sync` does not choose a style.
    """
    project = with_features(project, options)
    resolved = resolve_options(project, options)
    analysis_options = replace(analysis_options, other_pythons=True)
    if not user_files:
        if resolved.style is None:
            raise ProjectError(
                "nixpy does not manage this project yet", path=project.root, hint="Run `nixpy init` first."
            )
        library_input.refuse(project)
        made = _planned(project, resolved, options, analysis_options, may_leave_out=False)
        return replace(made, diagnostics=(*made.diagnostics, *flake_imports.unused(project)))
    style = styles.find(resolved.style) if resolved.style else None
    inputs = project.settings.library == "input" or bool(style and style.inputs)
    entry = _entry(project, True if inputs and options.flake is None else options.flake)
    options = replace(options, flake=entry == project.flake)
    library_input.refuse(project, flake_comes=options.flake)
    if style:
        lang2nix.refuse(project, style, flake=entry == project.flake)
    made = _planned(project, resolved, options, analysis_options, may_leave_out=True)
    if made.resolved.systems != resolved.systems:
        options = replace(options, systems=made.resolved.systems)
    if project.settings.style is None:  # later the settings decide
        made = with_suggested_features(made)
        options = replace(options, features=made.project.settings.features)
    return _with_user_files(made, options, entry)


def _planned(
    project: Project,
    resolved: ResolvedOptions,
    options: Options,
    analysis_options: AnalysisOptions,
    *,
    may_leave_out: bool,
) -> Plan:
    """Return the plan of the project.

    If it `may_leave_out` systems, the plan lacks those for which uv finds no versions.

    Raises ResolutionError if uv finds none for a system that the user named, or for any. Without `may_leave_out`, its
    hint names the other systems. Raises ProjectError if the style does not work with the chosen nixpkgs.
    """
    lang2nix.refuse_nixpkgs(project, resolved)
    try:
        return plan(project, resolved, analysis_options)
    except ResolutionError as error:
        if error.no_wheel or fitting_systems.are_named(project, options):
            raise
        lock_for = partial(lock_of, project, before=None, analysis_options=analysis_options)
        systems = fitting_systems.fitting_systems(resolved, lock_for)
        if not systems:
            raise
        if not may_leave_out:
            error.hint = fitting_systems.remedy(systems)
            raise
    return plan(project, fitting_systems.only(resolved, systems), analysis_options)


def _entry(project: Project, flake: bool | None) -> Path:
    """Return the project's flake.nix, shell.nix or default.nix that has the shell.

    The file may not exist. A project that has a shell.nix or default.nix and no flake.nix gets none, unless `flake` is
    True, as for a style with flake inputs.
    """
    shell, default = project.root / flake_imports.SHELL, project.root / flake_imports.DEFAULT
    if not is_file(shell) and is_file(default) and shell_lines.place(default, project).found:
        shell = default  # nix-shell reads it if there is no shell.nix
    if flake is None and projects_flake.reference(project):
        flake = True
    elif flake is None and is_file(project.flake):
        flake = flake_imports.leads(project.flake, project) or not flake_imports.leads(shell, project)
    elif flake is None:
        flake = not is_file(shell) and not is_file(default)
    return project.flake if flake else shell


def _with_user_files(plan: Plan, options: Options, entry: Path) -> Plan:
    """Return the plan with the files that `init` writes once.

    These are the settings, and the `entry` if it is missing: flake.nix, or shell.nix.

    Without a flake, these are shell.nix and, for a style that builds the project, default.nix.
    """
    project, resolved = plan.project, plan.resolved
    style = plan.environment.style
    reference = options.reference or (projects_flake.reference(project) if options.flake else None)
    env: dict[str, Any] = {
        "style": style.name,
        "python": resolved.python,
        "nixpkgs": resolved.nixpkgs,
        "file": project.settings.file,
        "nixpy_lock": str(PurePosixPath(project.settings.file).with_name(NIXPY_LOCK)),
        "flake_inputs": list(map(asdict, library_input.flake_inputs(style, project.settings))),
        "use": "flake" if options.flake else "nix",
        "systems": list(resolved.systems),
        "read": [shell_word(name) for name in envrc.read(project)],
        **({"reference": reference} if reference else {}),
    }
    pin = None if options.flake else flake.pin(project.root, resolved.nixpkgs)
    env["pin"] = pin and pin.as_dict()
    extra = [_settings_output(project, resolved, options), *_once(plan, env)]
    if options.direnv and not (direnv := project.root / envrc.NAME).exists():
        extra.append(OutputFile(path=direnv, text=render.render("flake/envrc.jinja", env), generated=False))
    if reference:
        return replace(plan, files=(*extra, *plan.files), enter=f"nix develop {reference}")
    lines = None
    there = entry.exists()
    if there:
        lacking = (*flake.input_diagnostics(project.root, style), *library_input.diagnostics(project))
        if not flake_imports.leads(entry, project) or lacking:
            env["place"] = shell_lines.place(entry, project, handed=bool(env["flake_inputs"])).as_dict()
            lines = render.render("flake/lines.jinja", env)
    else:
        extra.append(OutputFile(path=entry, text=render.render(f"flake/{entry.name}.jinja", env), generated=False))
        if not options.flake:
            why = f"at {pin.revision[:12]}" if pin else "a branch, which moves on; pin it with `--nixpkgs REVISION`"
            resolved = replace(resolved, reasons={**resolved.reasons, "nixpkgs": why})
    default = project.root / "default.nix"
    if not options.flake and plan.environment.style.builds and not default.exists():
        extra.append(OutputFile(path=default, text=render.render("flake/default.nix.jinja", env), generated=False))
    unused = () if there is False else flake_imports.unused(project)
    diagnostics = (*plan.diagnostics, *unused)
    return replace(
        plan, resolved=resolved, files=(*extra, *plan.files), diagnostics=diagnostics, entry=entry, lines=lines
    )


def _once(plan: Plan, env: dict[str, Any]) -> Iterator[OutputFile]:
    """Yield the missing files, besides the flake, that the style needs."""
    style = plan.environment.style
    for name in style.once:
        if not (path := plan.project.root / name).exists():
            # Such styles are only for Linux.
            linux = [target for target in plan.resolved.targets() if target.system in LINUX_SYSTEMS]
            names = {**env, "requirements": list(map(str, plan.project.direct_requirements(linux)))}
            template = f"once/{name}.jinja"
            yield OutputFile(path=path, text=render.render(template, names), generated=False)


def _settings_output(project: Project, resolved: ResolvedOptions, options: Options) -> OutputFile:
    chosen: dict[str, str | list[str]] = {
        "style": str(resolved.style),
        "python": resolved.python,
        "nixpkgs": resolved.nixpkgs,
    }
    if options.features:
        chosen["features"] = list(project.settings.features)
    if options.manager:
        chosen["manager"] = resolved.manager
    if options.systems:
        chosen["systems"] = list(resolved.systems)
    path = project.settings_path
    text = read_bytes(path).decode() if path.is_file() else ""
    return OutputFile(path=path, text=config.updated(path, text, chosen), generated=False)
