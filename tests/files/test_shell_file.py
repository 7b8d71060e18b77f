"""shell.nix, for those without flakes: which nixpkgs it takes, and that this is said."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

import shop
from nixos.realnix import ROOT, VERSIONS, Nix, NixError, stand_in
from nixos.rfc166 import violations
from runner import Nixpy

REVISION = "0123456789abcdef0123456789abcdef01234567"
HASH = "sha256-" + "A" * 43 + "="
BRANCH = "nixos-26.05"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with neither a flake nor a shell."""
    return shop.project(tmp_path / "one", "gamma")


def lock(project: Path, branch: str = BRANCH, **changes: Any) -> None:
    """Write a flake.lock that has a revision of nixpkgs for that branch."""
    locked = {"type": "github", "owner": "NixOS", "repo": "nixpkgs", "rev": REVISION, "narHash": HASH, **changes}
    original = {"type": "github", "owner": "NixOS", "repo": "nixpkgs", "ref": branch}
    nodes = {"nixpkgs": {"locked": locked, "original": original}, "root": {"inputs": {"nixpkgs": "nixpkgs"}}}
    (project / "flake.lock").write_text(json.dumps({"nodes": nodes, "root": "root", "version": 7}))


def shell(project: Path, nixpy: Nixpy, *options: str) -> tuple[str, str]:
    """The text of the shell.nix that is written, and what `init` says of its nixpkgs."""
    made = nixpy("init", project, "--style", "loader", "--no-flake", *options, "--format", "json")
    text = (project / "shell.nix").read_text()
    assert violations(text) == []
    return text, made.project["reasons"]["nixpkgs"]


def test_the_locked_revision_is_taken(project: Path, nixpy: Nixpy) -> None:
    """With a flake.lock it is the revision that it has for the branch, and its hash."""
    lock(project)
    text, said = shell(project, nixpy)
    assert f"/{REVISION}.tar.gz" in text
    assert f'sha256 = "{HASH}";' in text
    assert said == f"at {REVISION[:12]}"


@pytest.mark.parametrize("damage", [{"narHash": "sha256-x"}, {"narHash": 3}])
def test_a_hash_that_is_none_is_left_out(project: Path, nixpy: Nixpy, damage: dict[str, Any]) -> None:
    """Then the revision alone is written."""
    lock(project, **damage)
    text, _ = shell(project, nixpy)
    assert f"/{REVISION}.tar.gz" in text
    assert "sha256" not in text


def test_a_named_revision_is_taken(project: Path, nixpy: Nixpy) -> None:
    """Without a flake.lock for it, `--nixpkgs REVISION` is what is fetched."""
    lock(project)
    other = REVISION[::-1]
    text, said = shell(project, nixpy, "--nixpkgs", other)
    assert f"/{other}.tar.gz" in text
    assert REVISION not in text
    assert said == f"at {other[:12]}"


@pytest.mark.parametrize("damage", [None, {"rev": "x"}, {"owner": "someone"}, {"type": "path"}, {"rev": None}], ids=str)
def test_a_branch_is_said(project: Path, nixpy: Nixpy, damage: dict[str, Any] | None) -> None:
    """Where no revision of nixpkgs itself is known it is the branch, and both the file and `init` say that it moves."""
    if damage:
        lock(project, **damage)
    text, said = shell(project, nixpy)
    assert f"/{BRANCH}.tar.gz" in text
    assert "which changes" in text
    assert "which moves on" in said


def test_the_lock_of_another_branch_does_not_count(project: Path, nixpy: Nixpy) -> None:
    """A flake.lock for another branch than the chosen one pins nothing."""
    lock(project, branch="nixos-25.11")
    text, _ = shell(project, nixpy, "--nixpkgs", BRANCH)
    assert f"/{BRANCH}.tar.gz" in text


@pytest.mark.usefixtures("real_nix")
@pytest.mark.parametrize("version", VERSIONS)
def test_nix_takes_the_hash_of_a_lock(version: str, project: Path, nixpy: Nixpy, tmp_path: Path) -> None:
    """The hash that a flake.lock has of a tree is what `fetchTarball` wants, and one of another tree fails."""
    tree, nix = stand_in("26.05"), Nix(version)
    place = ROOT / tree.relative_to("/nix")
    archive = tmp_path / "tree.tar.gz"
    subprocess.run(["tar", "-czf", archive, "-C", place.parent, place.name], check=True)
    lock(project, narHash=Nix("current").run("nix", "hash", "path", tree).stdout.strip())
    text, _ = shell(project, nixpy)
    address = f"https://github.com/NixOS/nixpkgs/archive/{REVISION}.tar.gz"
    assert address in text
    evaluate = ("nix-instantiate", "--readonly-mode", project / "shell.nix")
    text = text.replace(address, archive.as_uri())
    (project / "shell.nix").write_text(text)
    assert nix.run(*evaluate).stdout.strip().endswith(".drv")
    (project / "shell.nix").write_text(re.sub('"sha256-....', '"sha256-AAAA', text))
    with pytest.raises(NixError, match="hash mismatch"):
        nix.run(*evaluate)
