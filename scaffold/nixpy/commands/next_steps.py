"""List the steps of the user after `init`.

These are settings of the host, commands for git, and the command that enters the shell.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nixpy.commands.plan import Plan
from nixpy.core.text import shell_word
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
    if flake and in_git:
        names = " ".join(shell_word(str(file.path.relative_to(root))) for file in plan.files)
        yield Step(f"git add -N {names}", "a flake sees only files that git tracks")
    if in_git and style.folder:
        above = plan.project.workspace if style.folder == managers.FOLDER else None
        gitignore = (above or root) / ".gitignore"
        yield from ignore_steps(gitignore, managers.relative(plan.project, gitignore), style)
    yield from _enter(root, plan.enter or ("nix develop" if flake else "nix-shell"), flake=flake)
    if plan.environment.own_package:
        yield Step("nix build" if flake else "nix-build", "build the project itself, as `result`")


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


def _enter(root: Path, command: str, *, flake: bool) -> Iterator[Step]:
    needs = [f"with {one.setting} in {one.where}" for one in host.find(host.FLAKES).settings[-1:]] if flake else []
    if (root / ".envrc").is_file():
        yield Step("direnv allow", "; ".join((f"or {command}", *needs)))
    else:
        yield Step(command, "".join(needs))
