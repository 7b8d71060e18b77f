"""`copier update` of a project that was made by this template, from one tag to the next."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import copier
import pytest
import yaml
from plumbum import local

from newprojects import Installed, from_git
from nixpy.commands import new
from runner import Nixpy

pytestmark = pytest.mark.slow  # copier and git make each project

TOP = Path(__file__).parents[2]
MINE = "# what I added\n"
ADDRESS = "https://git.example/nixpy"


def git(folder: Path, *arguments: str) -> str:
    """What git prints in that folder, as somebody who may commit."""
    identity = ["-c", "user.name=me", "-c", "user.email=me@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout


def commit(folder: Path, *, tag: str | None = None) -> None:
    """Commit all that is there."""
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message=a step")
    if tag:
        git(folder, "tag", tag)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository of nixpy with two tags: in the second the README is another, and so is nixpkgs."""
    for name, value in {"AUTHOR": "me", "COMMITTER": "me"}.items():
        monkeypatch.setenv(f"GIT_{name}_NAME", value)
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "me@example.org")
    folder = tmp_path / "repository"
    shutil.copytree(TOP / "templates", folder / "templates")
    shutil.copyfile(TOP / "copier.yml", folder / "copier.yml")
    git(folder, "init", "--quiet")
    commit(folder, tag="v0.1.0")
    readme = folder / "templates/project/README.md.jinja"
    readme.write_text(readme.read_text() + "\nA line of the next version.\n")
    config = folder / "copier.yml"
    config.write_text(config.read_text().replace("nixos-26.05", "nixos-unstable"))
    commit(folder, tag="v0.2.0")
    return folder


@pytest.fixture(params=["copier copy", "nixpy new"])
def project(
    request: pytest.FixtureRequest, repository: Path, tmp_path: Path, nixpy: Nixpy, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """A committed project of the first tag, made by copier and by nixpy, with changes of the user's."""
    folder = tmp_path / "demo"
    if request.param == "copier copy":
        answers = {"python": "3.11"}  # as the uv of the tests has no newer one
        copier.run_copy(f"git+file://{repository}", folder, answers, vcs_ref="v0.1.0", defaults=True, quiet=True)
    else:
        # Installed from the commit of that tag.
        installed = Installed(from_git(ADDRESS, git(repository, "rev-parse", "v0.1.0").strip()))
        monkeypatch.setattr(new, "distribution", lambda _: installed)
        assert nixpy("new", folder, "--defaults", "--python", "3.11").status == 0
    assert nixpy("check", "--strict", folder).status == 0
    for name in ("flake.nix", "README.md", "src/demo/__init__.py"):
        path = folder / name
        path.write_text(MINE + path.read_text())
    git(folder, "init", "--quiet")
    commit(folder)
    with published(repository):
        yield folder


@contextmanager
def published(repository: Path) -> Iterator[None]:
    """Let that address be the repository here, to the git that copier runs; its environment is of its import."""
    settings = {"COUNT": "1", "KEY_0": f"url.file://{repository}.insteadOf", "VALUE_0": ADDRESS}
    with local.env(**{f"GIT_CONFIG_{name}": value for name, value in settings.items()}):
        yield


def updated(folder: Path, **answers: str) -> None:
    """Bring the project to the newest tag."""
    copier.run_update(folder, data=answers, defaults=True, overwrite=True, quiet=True)


def changed(folder: Path) -> set[str]:
    """The files that differ from the last commit."""
    return {line[3:] for line in git(folder, "status", "--porcelain").splitlines()}


def test_an_update_keeps_edits_and_leaves_the_generated_files(project: Path, nixpy: Nixpy) -> None:
    """What the template changed arrives beside the user's edits, without a conflict; nixpy.nix, nixpy.lock and the lock
    are as they were; `check` says stale, and `sync` heals.
    """
    updated(project)
    assert changed(project) == {".copier-answers.yml", "README.md", "flake.nix", "pyproject.toml"}
    answers = yaml.safe_load((project / new.ANSWERS).read_text())
    assert answers["_commit"] == "v0.2.0"
    for name, text in {"README.md": "A line of the next version.", "flake.nix": "nixos-unstable"}.items():
        now = (project / name).read_text()
        assert now.startswith(MINE)
        assert text in now
        assert "<<<<<<<" not in now
    stale = nixpy("check", project)
    assert stale.status == 1
    assert "nixpkgs is now nixos-unstable, but nixpy.lock was generated for nixos-26.05" in stale.out
    assert nixpy("sync", project).status == 0
    assert nixpy("check", project).status == 0


@pytest.mark.parametrize("style", ["fhs", "uv2nix"])
def test_another_answer_is_an_update_too(style: str, project: Path, nixpy: Nixpy) -> None:
    """Asked for another style, only the setting and the flake's inputs change until `sync`, which renders what `new`
    would have.
    """
    before = {name: (project / name).read_bytes() for name in ("nixpy.nix", "nixpy.lock", "uv.lock")}
    updated(project, style=style)
    assert {name: (project / name).read_bytes() for name in before} == before
    assert f'style = "{style}"' in (project / "pyproject.toml").read_text()
    assert nixpy("check", project).status == 1
    assert nixpy("sync", project).status == 0
    (verdict,) = nixpy("check", project, "--format", "json").json["projects"]
    assert (verdict["state"], verdict["problems"]) == ("fresh", [])
    assert f", style {style}:" in (project / "nixpy.nix").read_text()


def test_a_dependency_of_the_users_survives(project: Path, nixpy: Nixpy) -> None:
    """A project that has wheels by now keeps its locks, its dependency and its facts."""
    pyproject = project / "pyproject.toml"
    pyproject.write_text(pyproject.read_text().replace("dependencies = []", 'dependencies = ["alpha"]'))
    subprocess.run([Path(sys.executable).with_name("uv"), "lock", "--quiet"], cwd=project, check=True)
    assert nixpy("sync", project).status == 0
    commit(project)
    facts = (project / "nixpy.lock").read_bytes()
    assert b"alpha" in facts
    updated(project)
    assert (project / "nixpy.lock").read_bytes() == facts
    assert 'dependencies = ["alpha"]' in pyproject.read_text()
    assert nixpy("sync", project).status == 0
    assert nixpy("check", project).status == 0


def test_copier_alone_takes_nixpy_from_where_the_template_is(repository: Path, tmp_path: Path) -> None:
    """From an address, CI takes nixpy from there at the very commit; from a clone on this machine, not at all."""
    with published(repository):
        copier.run_copy(f"git+{ADDRESS}", tmp_path / "address", vcs_ref="v0.1.0", defaults=True, quiet=True)
    copier.run_copy(str(repository), tmp_path / "clone", defaults=True, quiet=True)
    commit = git(repository, "rev-parse", "v0.1.0").strip()
    for name, nixpy in {"address": f"git+{ADDRESS}@{commit}", "clone": ""}.items():
        assert yaml.safe_load((tmp_path / name / new.ANSWERS).read_text())["nixpy"] == nixpy
        assert ("pipx" in (tmp_path / name / ".github/workflows/check.yml").read_text()) == bool(nixpy)
        assert (tmp_path / name / ".pre-commit-config.yaml").exists() == bool(nixpy)
