"""Check the flake input `nixpy` for `library = "input"`.

The Nix functions come from it.

In: a project with its settings. Out: the inputs that its flake needs, an error if the project cannot have them, and
diagnostics about a flake.nix that lacks the input.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NoReturn

from nixpy.core import address
from nixpy.core.errors import ProjectError
from nixpy.core.read_file import read_lossy
from nixpy.diagnostics.diagnostic import Diagnostic
from nixpy.files import flake_imports
from nixpy.project import flake
from nixpy.project.config import Settings
from nixpy.project.project import Project
from nixpy.styles.styles import FlakeInput, Style

NAME = "nixpy"

_VENDORED = 'set library = "vendored".'
# `nixpy.url = …` or `nixpy = { … url = … }`, and not `nixpy = import ./nixpy.nix { … }` of the outputs.
_INPUT = re.compile(
    rf'(?<![\w-])(?:{NAME}|"{NAME}")'
    r"(?:\.(?:url|type|follows)\b|\s*=\s*\{[^{}]*?(?<![\w.])(?:url|type|follows)\s*=)"
)
_ADDRESS = re.compile(
    rf'(?<![\w-])(?:{NAME}|"{NAME}")(?:\.url\s*=|\s*=\s*\{{[^{{}}]*?(?<![\w.])url\s*=)\s*"([^"\\$]*)"'
)
# Not `inputsFrom`, which every shell.nix of nixpy has.
_HANDS_ON = re.compile(r"\binputs\b")


def flake_inputs(style: Style, settings: Settings) -> tuple[FlakeInput, ...]:
    """Return the inputs that a flake needs besides nixpkgs.

    These are the inputs of the style and, with `library = "input"`, `nixpy`. Raises AssertionError if `source` is
    not set; call `refuse` first, which reports that.
    """
    if settings.library != "input":
        return style.inputs
    assert settings.source is not None  # noqa: S101  (`refuse` saw to it)
    return (*style.inputs, FlakeInput(name=NAME, url=settings.source, follows=("nixpkgs",)))


def refuse(project: Project, *, flake_comes: bool | None = None) -> None:
    """Raise ProjectError if a project cannot have the input that it needs.

    It needs the input with `library = "input"`.

    Args:
        project: The project with its settings.
        flake_comes: True if nixpy writes a missing flake.nix (`init`), False for a project without a flake
            (`init --no-flake`), None if the flake must exist.
    """
    settings = project.settings
    if settings.library != "input":
        return
    if settings.source is None:
        _fail(
            project,
            f'library = "input" needs `source`, the address of the flake input `{NAME}`, and `source` is not set',
            f'Set source = "{address.flake()}", or any other flake reference; or {_VENDORED}',
        )
    if flake_comes is False:
        _fail(
            project,
            'library = "input" takes the Nix functions from the inputs of a flake, so it is not for a shell.nix',
            f"Use --flake, or {_VENDORED}",
        )
    handed_on = False
    for entry in (project.root / "shell.nix", project.root / "default.nix"):
        if not entry.is_file() or not flake_imports.imports(entry, settings.file):
            continue
        handed_on = _HANDS_ON.search(read_lossy(entry)) is not None
        if not handed_on:
            _fail(
                project,
                f'library = "input" takes the Nix functions from the inputs of a flake, and {entry.name} imports '
                f"{settings.file} without these inputs",
                f"Remove {entry.name}, or {_VENDORED}",
            )
    if flake_comes is None and not handed_on and flake.nearest_flake(project.root) is None:
        _fail(
            project,
            'library = "input" takes the Nix functions from the inputs of a flake, and the project has no flake.nix',
            f"Run `nixpy init`, which writes flake.nix, or {_VENDORED}",
        )


def diagnostics(project: Project) -> Iterator[Diagnostic]:
    """Yield a diagnostic if the flake lacks the input or has another address for it."""
    settings = project.settings
    entry = flake.nearest_flake(project.root) if settings.library == "input" else None
    if entry is None:
        return
    text = read_lossy(entry)
    if not _INPUT.search(text):
        yield Diagnostic(
            code="NIX209",
            message=f'library = "input" needs the input {NAME}, which flake.nix does not have',
            hint="Run `nixpy init` and add the lines that it prints to flake.nix.",
        )
    elif (there := _ADDRESS.search(text)) and there[1] != settings.source:
        yield Diagnostic(
            code="NIX209",
            message=f"flake.nix takes the input {NAME} from {there[1]}, but `source` in the settings is "
            f"{settings.source}",
            hint=f"Write the same address in both places, then run `nix flake update {NAME}`.",
        )


def _fail(project: Project, message: str, hint: str) -> NoReturn:
    raise ProjectError(message, hint=hint, path=project.settings_path, line=project.setting_line("library"))
