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
    for need in style.host:
        for one in need.settings:
            yield Step(one.setting, f"{one.where}: the style needs {need.title}")
    if root.resolve() != here.resolve():
        yield Step(f"cd {shell_word(str(root))}")
    flake = plan.entry == plan.project.flake
    if flake and not in_git:
        folder = f", {style.folder} included," if style.folder else ""
        why = f"without git, each change makes `nix develop` copy this folder{folder} into the Nix store"
        yield Step("git init", why)
    if flake:
        files = [str(file.path.relative_to(root)) for file in plan.files]
        if not in_git and plan.project.flake.name not in files:
            files.append(plan.project.flake.name)
        names = " ".join(map(shell_word, files))
        yield Step(f"git add -N {names}", "a flake sees only files that git tracks")
    above = plan.project.workspace if style.folder == managers.FOLDER else None
    gitignore = (above or root) / ".gitignore"
    if (in_git or flake) and style.folder and not _is_ignored(gitignore, style.folder):
        place = shell_word(managers.relative(plan.project, gitignore))
        yield Step(f"echo {style.folder}/ >> {place}", "or each evaluation copies it into the Nix store")
    if plan.lines and plan.entry:
        yield Step(f"$EDITOR {plan.entry.name}", "add the lines above")
    yield from _enter(plan, flake=flake)
    if plan.environment.own_package:
        yield Step("nix build" if flake else "nix-build", "build the project itself, as `result`")


def _is_ignored(gitignore: Path, folder: str) -> bool:
    return gitignore.is_file() and folder in gitignore.read_text("utf-8", "replace")


def _enter(plan: Plan, *, flake: bool) -> Iterator[Step]:
    command = "nix develop" if flake else "nix-shell"
    needs = [f"with {one.setting} in {one.where}" for one in host.find(host.FLAKES).settings[-1:]] if flake else []
    if (plan.project.root / envrc.NAME).is_file():
        if plan.entry and not envrc.enters(plan.project, plan.entry):
            yield Step(envrc.command(plan.entry), "it does not enter the shell of nixpy yet")
        yield Step("direnv allow", "; ".join((f"or {command}", *needs)))
    else:
        yield Step(command, "".join(needs))
