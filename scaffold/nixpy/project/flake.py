"""Read the user's flake.nix and flake.lock. nixpy never changes them."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from nixpy.core import limits
from nixpy.core.errors import NixpyError
from nixpy.core.read_file import read_lossy
from nixpy.diagnostics.diagnostic import Diagnostic
from nixpy.project.config import nixpkgs_ref
from nixpy.styles.styles import Style

_REVISION = re.compile(r"[0-9a-f]{40}")
_HASH = re.compile(r"sha256-[A-Za-z0-9+/]{43}=")
_GITHUB = re.compile(r"github:NixOS/nixpkgs/([^\"?#]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """A revision of nixpkgs, and the hash of its tree (SRI) if it is known."""

    revision: str
    hash: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the data for the templates."""
        return asdict(self)


def pin(root: Path, nixpkgs: str) -> Pin | None:
    """Return the revision of `nixpkgs`: the one in flake.lock, or itself.

    Returns None for a branch that is not locked.
    """
    if followed(root) == nixpkgs:
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
            nodes = limits.parse_json(read_lossy(root / "flake.lock"))["nodes"]
            locked = nodes[nodes["root"]["inputs"]["nixpkgs"]]["locked"]
            place = (locked["type"], locked["owner"].lower(), locked["repo"].lower())
            if place == ("github", "nixos", "nixpkgs") and _REVISION.fullmatch(locked["rev"]):
                known = str(locked.get("narHash", ""))
                return Pin(revision=locked["rev"], hash=known if _HASH.fullmatch(known) else None)
    return Pin(revision=nixpkgs) if _REVISION.fullmatch(nixpkgs) else None


def followed(root: Path) -> str | None:
    """Return the branch or revision of nixpkgs that the flake in `root` follows.

    Returns None if it is unknown.
    """
    try:
        nodes = limits.parse_json(read_lossy(root / "flake.lock"))["nodes"]
        original = nodes[nodes["root"]["inputs"]["nixpkgs"]]["original"]
        return nixpkgs_ref(str(original.get("ref") or original["rev"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, NixpyError):
        pass
    try:
        match = _GITHUB.search(_text(root))
        return nixpkgs_ref(match[1]) if match else None
    except NixpyError:
        return None


def other_nixpkgs(root: Path, nixpkgs: str) -> Iterator[Diagnostic]:
    """Yield a diagnostic if the flake follows another nixpkgs.

    The project was analysed for `nixpkgs`.
    """
    there = followed(root)
    if there and there != nixpkgs:
        yield Diagnostic(
            code="NIX204",
            message=f"flake.nix follows nixpkgs {there}, but nixpy analyses the project for {nixpkgs}",
            hint=f"Run `nixpy init --nixpkgs {there}`.",
        )


def input_diagnostics(root: Path, style: Style) -> Iterator[Diagnostic]:
    """Yield a diagnostic for each input of the style that the flake lacks.

    The flake is that in `root`.
    """
    text = _text(root)
    names = [item.name for item in style.inputs if not re.search(rf"\b{re.escape(item.name)}\s*(=|\.url\b)", text)]
    if text and names:
        yield Diagnostic(
            code="NIX206",
            message=f"style {style.name} needs inputs that flake.nix does not have: {', '.join(names)}",
            hint="Run `nixpy init`, which prints the lines for them, and add the lines to flake.nix.",
        )


def kind(root: Path) -> Literal["flake-parts", "flake-utils", "plain"]:
    """Return the library that the flake in `root` uses."""
    text = _text(root)
    if "flake-parts" in text:
        return "flake-parts"
    return "flake-utils" if "flake-utils" in text else "plain"


def nearest_flake(root: Path) -> Path | None:
    """Return the flake.nix in `root` or in the nearest parent folder.

    The folder is in the same git repository. Returns None if there is no flake.nix.
    """
    here = root.resolve()
    folders = (here, *here.parents)
    top = next((number for number, folder in enumerate(folders) if (folder / ".git").exists()), 0)
    return next((path for folder in folders[: top + 1] if (path := folder / "flake.nix").is_file()), None)


def _text(root: Path) -> str:
    path = root / "flake.nix"
    return read_lossy(path) if path.is_file() else ""
