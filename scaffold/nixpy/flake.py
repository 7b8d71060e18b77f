"""What the user's own flake.nix and flake.lock say; nixpy reads them and never writes to them."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from nixpy.config import nixpkgs_ref
from nixpy.errors import NixpyError
from nixpy.generated import State, own_state
from nixpy.problems import Problem
from nixpy.styles import Style

_IMPORT = re.compile(r"\./([A-Za-z0-9._+/-]+\.nix)")
_REVISION = re.compile(r"[0-9a-f]{40}")
_HASH = re.compile(r"sha256-[A-Za-z0-9+/]{43}=")
_GITHUB = re.compile(r"github:NixOS/nixpkgs/([^\"?#]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """A revision of nixpkgs, and the hash of its tree (SRI) where it is known."""

    revision: str
    hash: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return it as the templates take it."""
        return asdict(self)


def pin(root: Path, nixpkgs: str) -> Pin | None:
    """Return the revision that `nixpkgs` means: what flake.lock has for it, or itself; None for a branch not locked."""
    if followed(root) == nixpkgs:
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
            nodes = json.loads((root / "flake.lock").read_text("utf-8"))["nodes"]
            locked = nodes[nodes["root"]["inputs"]["nixpkgs"]]["locked"]
            place = (locked["type"], locked["owner"].lower(), locked["repo"].lower())
            if place == ("github", "nixos", "nixpkgs") and _REVISION.fullmatch(locked["rev"]):
                known = str(locked.get("narHash", ""))
                return Pin(revision=locked["rev"], hash=known if _HASH.fullmatch(known) else None)
    return Pin(revision=nixpkgs) if _REVISION.fullmatch(nixpkgs) else None


def followed(root: Path) -> str | None:
    """Return the branch or revision of nixpkgs that the flake in `root` follows, where that can be told."""
    try:
        nodes = json.loads((root / "flake.lock").read_text("utf-8"))["nodes"]
        original = nodes[nodes["root"]["inputs"]["nixpkgs"]]["original"]
        return nixpkgs_ref(str(original.get("ref") or original["rev"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, NixpyError):
        pass
    try:
        match = _GITHUB.search(_text(root))
        return nixpkgs_ref(match[1]) if match else None
    except NixpyError:
        return None


def other_nixpkgs(root: Path, nixpkgs: str) -> Iterator[Problem]:
    """Yield a problem where the flake follows another nixpkgs than the one the project was analysed for."""
    there = followed(root)
    if there and there != nixpkgs:
        yield Problem(
            code="NIX204",
            message=f"flake.nix follows nixpkgs {there}, but {nixpkgs} was analysed",
            hint="change `inputs.nixpkgs.url` in flake.nix, or `nixpkgs` in the settings of nixpy",
        )


def imports(entry: Path, file: str) -> bool:
    """Tell whether a flake.nix or shell.nix names the generated `file`, as a path from its own folder."""
    return f"./{file}" in entry.read_text("utf-8", "replace")


def left_behind(root: Path, file: str) -> Iterator[Problem]:
    """Yield a problem where a flake.nix or shell.nix in `root` takes another file that nixpy once made."""
    for entry in (root / "flake.nix", root / "shell.nix"):
        if not entry.is_file() or imports(entry, file):
            continue
        named = dict.fromkeys(_IMPORT.findall(entry.read_text("utf-8", "replace")))
        for other in (name for name in named if own_state(root / name) not in (State.MISSING, State.FOREIGN)):
            yield Problem(
                code="NIX205",
                message=f"{entry.name} imports ./{other}, but the generated file is {file}",
                hint=f"write ./{file} there, and remove the old file and its nixpy.lock",
            )


def lacking(root: Path, style: Style) -> Iterator[Problem]:
    """Yield a problem where the flake in `root` does not name an input that the style takes its code from."""
    text = _text(root)
    names = [item.name for item in style.inputs if not re.search(rf"\b{re.escape(item.name)}\s*(=|\.url\b)", text)]
    if text and names:
        yield Problem(
            code="NIX206",
            message=f"style {style.name} needs inputs that flake.nix does not have: {', '.join(names)}",
            hint="`nixpy init` prints the lines for them, to be added by hand",
        )


def kind(root: Path) -> Literal["flake-parts", "flake-utils", "plain"]:
    """Return with which library the flake in `root` is written."""
    text = _text(root)
    if "flake-parts" in text:
        return "flake-parts"
    return "flake-utils" if "flake-utils" in text else "plain"


def _text(root: Path) -> str:
    path = root / "flake.nix"
    return path.read_text("utf-8", "replace") if path.is_file() else ""
