"""Set up every project of a repository for `nixpy init --all`.

One flake then has a shell for each project.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from packaging.utils import canonicalize_name

from nixpy.analysis.analysis_options import AnalysisOptions
from nixpy.commands.init import plan_files
from nixpy.commands.next_steps import Step, host_steps, ignore_steps, repository_step
from nixpy.commands.plan import Plan
from nixpy.core.errors import NixpyError
from nixpy.core.fault import as_error
from nixpy.core.read_file import read_lossy
from nixpy.core.text import shell_word
from nixpy.diagnostics.diagnostic import shorten
from nixpy.environment.options import Options
from nixpy.files import library_input, render
from nixpy.files.projects_flake import is_named
from nixpy.files.reconcile import Comparison, OutputFile, reconcile
from nixpy.project import flake
from nixpy.project.discover import declared_name
from nixpy.project.project import read

ROOT = "default"  # the name of the project in the folder of the flake: the shell of `nix develop`
FOLDER = "NIXPY_FOLDER"  # the variable by which the flake names the folder of a project to the hook of its shell


@dataclass(frozen=True, slots=True, kw_only=True)
class SetUp:
    """The result for one project: its plan and its compared files, or an error.

    `name` is the name of its shell in the flake of the repository.
    """

    folder: Path
    name: str
    plan: Plan | None = None
    comparisons: tuple[Comparison, ...] = ()
    error: NixpyError | None = None


def shell_names(root: Path, folders: Sequence[Path]) -> dict[Path, str]:
    """Return a name for the shell of each project, which Nix takes as an attribute.

    It is the name in `[project]`, else that of the folder. Projects with the same name get the names of their folders
    from `root` on. The project in `root` itself is `default`.
    """
    parts = {folder: folder.relative_to(root).parts for folder in folders}
    short = {folder: _attribute(declared_name(folder) or names[-1]) for folder, names in parts.items() if names}
    often = Counter((ROOT, *short.values()))
    found: dict[Path, str] = {}
    for folder, names in parts.items():
        name = ROOT if not names else short[folder] if often[short[folder]] == 1 else _attribute("-".join(names))
        number, plain = 2, name
        while name in found.values() or (names and name == ROOT):
            name, number = f"{plain}-{number}", number + 1
        found[folder] = name
    return found


def _attribute(text: str) -> str:
    """Return a name that `nix develop .#NAME` takes as one attribute.

    A dot, for example, would separate two attributes.
    """
    return re.sub("[^a-z0-9-]+", "-", canonicalize_name(text)).strip("-") or "project"


def set_up(
    root: Path,
    folder: Path,
    name: str,
    options: Options,
    analysis_options: AnalysisOptions,
    *,
    write: bool,
    force: bool = False,
    follow_links: bool = False,
) -> SetUp:
    """Set up one project of a repository, without a flake of its own.

    Args:
        root: The folder of the repository's flake.
        folder: The folder of the project.
        name: The name of its shell, as `shell_names` returns it.
        options: The options of the command line, which hold for all projects.
        analysis_options: How its wheels are analysed.
        write: Write the files.
        force: Overwrite files that were edited.
        follow_links: Write through links that leave the project.

    Returns:
        The result. Every exception except BrokenPipeError is its error, so that the other projects are set up, too.
    """
    try:
        if options.flake:
            above = "/".join(".." for _ in folder.relative_to(root).parts) or "."
            options = replace(options, reference=f"{above}#{name}")
        project = read(folder)
        plan = plan_files(project, options, replace(analysis_options, root=folder), user_files=True)
        comparisons = reconcile(plan.files, write=write, force=force, root=folder, follow_links=follow_links)
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001
        found = as_error(error, command="nixpy init --all", path=folder)
        found.path = found.path or folder
        return SetUp(folder=folder, name=name, error=found)
    return SetUp(folder=folder, name=name, plan=plan, comparisons=comparisons)


def root_flake(root: Path, done: Iterable[SetUp]) -> tuple[OutputFile | None, str | None]:
    """Return the flake.nix with a shell for each project, or lines for it.

    Args:
        root: The folder of the flake.
        done: The projects; those with an error are left out.

    Returns:
        The file, if there is none yet, and the lines, if the file is there and has not all projects.
    """
    plans = {one.name: one.plan for one in done if one.plan}
    path = root / "flake.nix"
    text = read_lossy(path) if path.is_file() else None
    if text is not None:
        plans = {name: plan for name, plan in plans.items() if not is_named(text, root, plan.project.rendered)}
    if not plans:
        return None, None
    env = _facts(root, plans)
    if text is None:
        return OutputFile(path=path, text=render.render("flake/projects.nix.jinja", env), generated=False), None
    where = "`projects`"
    if f"{FOLDER} = project.folder" not in text:  # another flake than the one of the template
        parts = "perSystem = { pkgs, ... }: { devShells = { … }; }"
        place = parts if flake.kind(root) == "flake-parts" else "devShells.${system} = { … }"
        where = f"`{place}`, with the packages and the inputs of the flake"
        env["projects"] = {name: {"nix": _shell(root, plan)} for name, plan in plans.items()}
    return None, render.render("flake/projects-lines.jinja", {**env, "where": where})


def next_steps(root: Path, done: Sequence[SetUp], *, here: Path, in_git: bool) -> Iterator[Step]:
    """Yield the next steps of the user, in their order.

    Args:
        root: The folder of the repository.
        done: The projects, of which at least one has a plan.
        here: The current folder.
        in_git: Whether `root` is in a git repository.
    """
    made = [(one, one.plan) for one in done if one.plan]
    styles = [plan.environment.style for _, plan in made]
    yield from dict.fromkeys(step for style in styles for step in host_steps(style))
    if root.resolve() != here.resolve():
        yield Step(f"cd {shell_word(str(root))}")
    without_flake = made[0][1].entry is not None
    if not in_git and not without_flake:
        yield repository_step(next((style.folder for style in styles if style.folder), ""))
    if not without_flake:
        files = sorted({f"'*{item.path.name}'" for one, _ in made for item in one.comparisons})
        yield Step(f"git add -N flake.nix {' '.join(files)}", "a flake sees only files that git tracks")
    if in_git or not without_flake:
        yield from dict.fromkeys(
            step for style in styles for step in ignore_steps(root / ".gitignore", ".gitignore", style)
        )
    if without_flake:
        yield Step("nix-shell", "in the folder of a project")
        return
    first, *others = (one.name for one, _ in made)
    text = "nix develop" if first == ROOT else f"nix develop .#{first}"
    yield Step(text, f"or {shorten([f'.#{name}' for name in others])}" if others else "")


def _facts(root: Path, plans: Mapping[str, Plan]) -> dict[str, Any]:
    """Return the facts for the templates.

    The flake has the nixpkgs of most projects, and further inputs for the others.
    """
    branches = [branch for branch, _ in Counter(plan.resolved.nixpkgs for plan in plans.values()).most_common()]
    first = flake.followed(root) or branches[0]
    others = {branch: f"nixpkgs-{_attribute(branch)}" for branch in branches if branch != first}
    systems = sorted({system for plan in plans.values() for system in plan.resolved.systems})
    inputs = {
        one.name: one
        for plan in plans.values()
        for one in library_input.flake_inputs(plan.environment.style, plan.project.settings)
    }
    return {
        "description": "Development environments",
        "file": "the nixpy.nix of each project",
        "nixpkgs": first,
        "flake_inputs": [
            *(
                {"name": name, "url": f"github:NixOS/nixpkgs/{branch}", "follows": ()}
                for branch, name in others.items()
            ),
            *map(asdict, inputs.values()),
        ],
        "systems": systems,
        "projects": {name: _project(root, plan, systems, others) for name, plan in plans.items()},
        "folder": FOLDER,
    }


def _project(root: Path, plan: Plan, systems: list[str], others: Mapping[str, str]) -> dict[str, Any]:
    """Return the path of a project's generated file, or a set if the flake needs more."""
    folder, file = _folder(root, plan), _file(root, plan)
    expression = {"nix": render.nix_path(file)}
    more: dict[str, Any] = {}
    if file.parent != folder or folder == PurePosixPath():
        more["folder"] = str(folder)
    if sorted(plan.resolved.systems) != systems:
        more["systems"] = sorted(plan.resolved.systems)
    if plan.resolved.nixpkgs in others:
        more["nixpkgs"] = {"nix": f"inputs.{others[plan.resolved.nixpkgs]}"}
    return {"file": expression, **more} if more else expression


def _shell(root: Path, plan: Plan) -> str:
    """Return the expression of a project's shell.

    In it, `pkgs` and `inputs` are those of the flake.
    """
    path = render.nix_path(_file(root, plan))
    path = f"({path})" if " " in path else path
    folder = render.nix_string(str(_folder(root, plan)))
    return f"(import {path} {{ inherit pkgs inputs; }}).shell.overrideAttrs {{ {FOLDER} = {folder}; }}"


def _folder(root: Path, plan: Plan) -> PurePosixPath:
    return PurePosixPath(plan.project.root.relative_to(root))


def _file(root: Path, plan: Plan) -> PurePosixPath:
    return PurePosixPath(plan.project.rendered.relative_to(root))
