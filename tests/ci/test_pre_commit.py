"""The hooks, run by the real pre-commit, which installs nixpy as it does for its users."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from ci import repository
from ci.repository import git
from runner import Nixpy

HOOKS = yaml.safe_load((repository.TOP / ".pre-commit-hooks.yaml").read_text())


def test_both_hooks_look_at_the_same_files() -> None:
    """What makes a check worthwhile makes a sync so: every kind of file nixpy reads, and no others."""
    first, second = (re.compile(hook["files"]) for hook in HOOKS)
    assert first == second
    for name in (
        "pyproject.toml",
        "web/uv.lock",
        "pylock.dev.toml",
        "poetry.lock",
        "pdm.lock",
        "Pipfile.lock",
        "requirements.txt",
        "requirements/base.in",
        "dev-requirements.txt",
        "constraints.txt",
        "nixpy.toml",
        "nix/nixpy.nix",
        "nix/nixpy.lock",
        "flake.nix",
        ".python-version",
    ):
        assert first.search(name), name
    for name in ("main.py", "README.md", "data/notes.txt", "Cargo.lock", "package.toml"):
        assert not first.search(name), name


def test_the_hook_brings_the_uv_that_nixpy_wants() -> None:
    """What nixpy-sync installs besides nixpy is what nixpy's own extra for uv says."""
    extras = tomllib.loads((repository.TOP / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert [hook.get("additional_dependencies") for hook in HOOKS] == [None, extras["uv"]]


@pytest.mark.usefixtures("network")
def test_a_commit_is_held_until_the_files_are_right(tmp_path: Path, nixpy: Nixpy) -> None:
    """With the hook installed, a commit that leaves a project stale fails and says why; nixpy-sync mends it, though
    the project has no lock, and this machine no uv.
    """
    source = repository.copy_of_nixpy(tmp_path / "source")
    git(source, "init", "--quiet")
    revision = repository.commit(source)
    repo = repository.make(tmp_path / "repo", nixpy)
    hooks = [{"id": "nixpy-check"}, {"id": "nixpy-sync", "stages": ["manual"]}]
    configuration = {"repos": [{"repo": str(source), "rev": revision, "hooks": hooks}]}
    (repo / ".pre-commit-config.yaml").write_text(yaml.safe_dump(configuration))
    repository.commit(repo)
    assert shutil.which("uv", path=repository.without_uv()) is None
    assert not list(repo.glob("**/uv.lock"))
    environment = {
        **{name: value for name, value in os.environ.items() if name != "PIP_CONFIG_FILE"},
        **repository.OWN,
        **repository.IDENTITY,
        "PATH": repository.without_uv(),
        "PRE_COMMIT_HOME": str(tmp_path / "pre-commit"),
        "GIT_CONFIG_GLOBAL": "/dev/null",
    }

    def run(*command: str) -> tuple[bool, str]:
        done = subprocess.run(command, cwd=repo, env=environment, check=False, capture_output=True, text=True)
        return done.returncode == 0, done.stdout + done.stderr

    pre_commit = (sys.executable, "-m", "pre_commit")
    assert run(*pre_commit, "install")[0]
    fine, said = run(*pre_commit, "run", "--all-files")
    assert fine, said

    repository.ask_for(repo / "services" / "web", "delta")
    git(repo, "add", "--all")
    fine, said = run("git", "commit", "-m", "more")
    assert not fine
    assert "services/web: out of date" in said
    fine, said = run(*pre_commit, "run", "nixpy-sync", "--hook-stage", "manual", "--all-files")
    assert not fine
    assert "files were modified by this hook" in said
    git(repo, "add", "--all")
    fine, said = run("git", "commit", "-m", "more")
    assert fine, said
    (repo / "main.py").write_text("")
    git(repo, "add", "--all")
    assert "no files to check" in run("git", "commit", "-m", "code alone")[1]
