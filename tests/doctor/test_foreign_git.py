"""`nixpy doctor` asks git about a checkout, whose own settings of git start nothing."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from nixpy.doctor import project_folder

IDENTITY = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main")


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *IDENTITY, *arguments], cwd=folder, check=False, capture_output=True, text=True)
    return done.stdout


@pytest.fixture
def trap(tmp_path: Path) -> Iterator[Path]:
    """The file that a program makes which the settings name; after `spring` it is there, and then taken away."""
    path = tmp_path / "trap"
    yield path
    assert not path.exists(), "a program of the checkout was started"


def spring(folder: Path, trap: Path) -> None:
    """Run plain git, which starts that program, so that the test would notice it."""
    git(folder, "ls-files", "--", "flake.nix")
    assert trap.exists()
    trap.unlink()


def ask(folder: Path) -> None:
    found = project_folder.git(folder, folder / ".venv")
    assert found is None or "flake.nix" not in found.unknown


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "tree"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep/file").write_text("x")
    (folder / "flake.nix").write_text("{ }\n")
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "first")
    return folder


def test_a_program_that_watches_files_is_not_started(tree: Path, trap: Path) -> None:
    """`core.fsmonitor` names one."""
    git(tree, "config", "core.fsmonitor", f"touch '{trap}'; false")
    spring(tree, trap)
    ask(tree)


def test_a_program_that_fetches_objects_is_not_started(tree: Path, trap: Path) -> None:
    """A sparse index without its trees makes git fetch them, by a program that the settings name as an address."""
    git(tree, "sparse-checkout", "init", "--cone", "--sparse-index")
    git(tree, "sparse-checkout", "set", "nothing")
    lost = git(tree, "rev-parse", "HEAD:deep").strip()
    (tree / ".git/objects" / lost[:2] / lost[2:]).unlink()
    for key, value in {
        "remote.origin.url": f"ext::touch {trap}",
        "remote.origin.promisor": "true",
        "extensions.partialClone": "origin",
        "core.repositoryFormatVersion": "1",
        "protocol.ext.allow": "always",
    }.items():
        git(tree, "config", key, value)
    spring(tree, trap)
    ask(tree)


def test_a_bare_repository_in_a_clone_is_not_used(tree: Path, trap: Path) -> None:
    """A clone may hold a folder that is a bare repository, with settings of its own."""
    folder = tree / "deep"
    git(folder, "init", "--quiet", "--bare")
    (folder / "flake.nix").write_text("{ }\n")
    git(folder, "config", "core.bare", "false")
    git(folder, "config", "core.worktree", ".")
    git(folder, "config", "core.sshCommand", "false")
    git(folder, "add", "flake.nix")
    git(folder, "config", "core.fsmonitor", f"touch '{trap}'; false")
    spring(folder, trap)
    with pytest.raises(OSError, match="bare repository"):
        project_folder.git(folder, folder / ".venv")
