"""List the steps of the user after `init`.

These are settings of the host, commands for git, and the command that enters the shell.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nixpy.commands.plan import Plan
from nixpy.core.text import shell_word
from nixpy.files import envrc
from nixpy.project import managers
from nixpy.styles import host
from nixpy.styles.styles import Style


@dataclass(frozen=True, slots=True)
class Step:
    """One step: a command or a setting of the host, and the reason.

    The reason may be empty.
    """

    text: str
    reason: str = ""


def next_steps(plan: Plan, *, here: Path, in_git: bool) -> Iterator[Step]:
    """Yield the next steps of the user, in their order.

    Args:
        plan: The plan; its files are already written.
        here: The current folder.
        in_git: Whether the project is in a git repository.
    """
    root, style = plan.project.root, plan.environment.style
    yield from host_steps(style)
    if root.resolve() != here.resolve():
        yield Step(f"cd {shell_word(str(root))}")
    flake = plan.enter is not None or plan.entry == plan.project.flake
    if flake and not in_git:
        yield repository_step(style.folder)
    if flake:
        files = [str(file.path.relative_to(root)) for file in plan.files]
        if not in_git and plan.project.flake.name not in files:
            files.append(plan.project.flake.name)
        yield Step(f"git add -N {' '.join(map(shell_word, files))}", "a flake sees only files that git tracks")
    if (in_git or flake) and style.folder:
        above = plan.project.workspace if style.folder == managers.FOLDER else None
        gitignore = (above or root) / ".gitignore"
        yield from ignore_steps(gitignore, managers.relative(plan.project, gitignore), style)
    if plan.lines and plan.entry:
        yield Step(f"$EDITOR {plan.entry.name}", "add the lines above")
    yield from _enter(plan, plan.enter or ("nix develop" if flake else "nix-shell"), flake=flake)
    if plan.environment.own_package:
        yield Step("nix build" if flake else "nix-build", "build the project itself, as `result`")


def repository_step(folder: str) -> Step:
    """Return the command that makes a git repository.

    `folder` is the one that the style installs into, or empty.
    """
    included = f", {folder} included," if folder else ""
    return Step(
        "git init", f"without git, each change makes `nix develop` copy this folder{included} into the Nix store"
    )


def host_steps(style: Style) -> Iterator[Step]:
    """Yield the settings of the host that a style needs."""
    for need in style.host:
        for one in need.settings:
            yield Step(one.setting, f"{one.where}: the style needs {need.title}")


def ignore_steps(gitignore: Path, name: str, style: Style) -> Iterator[Step]:
    """Yield the command that lets git ignore the folder of a style.

    Args:
        gitignore: The .gitignore for this folder.
        name: Its path in the command.
        style: The style, with or without such a folder.
    """
    if style.folder and not _is_ignored(gitignore, style.folder):
        yield Step(f"echo {style.folder}/ >> {shell_word(name)}", "or each evaluation copies it into the Nix store")


def _is_ignored(gitignore: Path, folder: str) -> bool:
    return gitignore.is_file() and folder in gitignore.read_text("utf-8", "replace")


def _enter(plan: Plan, command: str, *, flake: bool) -> Iterator[Step]:
    needs = [f"with {one.setting} in {one.where}" for one in host.find(host.FLAKES).settings[-1:]] if flake else []
    if (plan.project.root / envrc.NAME).is_file():
        if plan.entry and not envrc.enters(plan.project, plan.entry):
            yield Step(envrc.command(plan.entry), "it does not enter the shell of nixpy yet")
        yield Step("direnv allow", "; ".join((f"or {command}", *needs)))
    else:
        yield Step(command, "".join(needs))
