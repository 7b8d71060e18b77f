"""action.yml and the workflows beside it, their steps run as a job of GitHub's runs them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from ci import repository
from ci.actionrunner import Runner
from ci.repository import git, zizmor
from nixpy.nixpkgs.releases import releases
from runner import Nixpy, oasis
from smallindex import SmallIndex

pytestmark = pytest.mark.slow  # each step is a process

TOP = Path(__file__).parents[2]
CI = TOP / "templates" / "ci"


@pytest.fixture
def repo(tmp_path: Path, nixpy: Nixpy) -> Path:
    return repository.make(tmp_path / "repo", nixpy)


@pytest.fixture
def runner(repo: Path, tmp_path: Path) -> Runner:
    """A runner whose cache holds nixpy already: that of this environment."""

    def cache(given: Mapping[str, str]) -> dict[str, str]:
        assert given["key"].startswith("nixpy-Linux-X64-")
        program = Path(given["path"]) / "bin" / "nixpy"
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(f'#!/bin/sh\nexec {sys.executable} -m nixpy "$@"\n')
        program.chmod(0o755)
        return {"cache-hit": "true"}

    temp = tmp_path / "temp"
    temp.mkdir()
    return Runner(repo, temp, {"actions/cache": cache}, repository.nixpys())


def test_a_fresh_repository_passes(runner: Runner) -> None:
    """Where all is right there is no annotation, and the summary names every project."""
    ran = runner.action(TOP)
    assert (ran.status, ran.annotations) == (0, []), ran.log
    assert "| . | up to date |" in runner.summary.read_text()
    assert "| services/web | up to date |" in runner.summary.read_text()


def test_a_stale_project_is_shown_at_its_line(runner: Runner, repo: Path) -> None:
    """A dependency more in one project fails the job, with an annotation where its dependencies stand."""
    line = repository.ask_for(repo / "services" / "web", "delta")
    ran = runner.action(TOP)
    assert ran.status == 1
    (found,) = ran.annotations
    assert (found.kind, found.file, found.line) == ("error", "services/web/pyproject.toml", line)
    assert found.title == "nixpy: stale"
    assert "nixpy sync" in found.message
    assert "| services/web | out of date | run `nixpy sync` |" in runner.summary.read_text()


def test_an_edit_is_shown_where_it_is(runner: Runner, repo: Path) -> None:
    """The annotation stands on the edited line, and tells what it should be; the summary has the difference."""
    path = repo / "nixpy.nix"
    text = path.read_text()
    path.write_text(text.replace("pkgs.zlib", "pkgs.zlib-ng"))
    ran = runner.action(TOP)
    (found,) = ran.annotations
    assert (found.file, found.title) == ("nixpy.nix", "nixpy: edited")
    assert found.line is not None
    assert "pkgs.zlib-ng" in path.read_text().split("\n")[found.line - 1]
    assert '"libz.so.1" = pkgs.zlib;' in found.message
    summary = runner.summary.read_text()
    assert "-" + path.read_text().split("\n")[found.line - 1] in summary
    assert "+" + text.split("\n")[found.line - 1] in summary


def test_the_projects_that_are_named(runner: Runner, repo: Path) -> None:
    """With `projects` only those are looked at, whatever their names look like; the SARIF file holds the findings."""
    repository.ask_for(repo, "gamma")
    assert runner.action(TOP, {"projects": "services/web\n\n"}).status == 0
    ran = runner.action(TOP, {"projects": "services/web\n.\n", "sarif": "out.sarif"})
    assert ran.status == 1
    found = json.loads((repo / "out.sarif").read_text())
    oasis().validate(found)
    (result,) = found["runs"][0]["results"]
    assert result["ruleId"] == "stale"
    odd = runner.action(TOP, {"projects": "--all\n$(touch pwned)\n; touch pwned\n"})
    assert odd.status == 2
    assert not (repo / "pwned").exists()


def test_a_python_that_is_too_old(runner: Runner, tmp_path: Path) -> None:
    """It is said as an annotation, with the way out."""
    old = tmp_path / "python"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    ran = runner.action(TOP, {"python": str(old)})
    assert ran.status == 1
    assert "actions/setup-python" in ran.annotations[0].message


@pytest.mark.parametrize("isolated", [True, False])
def test_no_module_of_the_checkout_is_imported(tmp_path: Path, *, isolated: bool) -> None:
    """The checkout is the working folder, and has modules by the names of those that the steps run.

    The Python makes environments without pip, so that the step that installs fails at once: it finds no other pip.
    Without `-I` the modules are imported, so that this test would notice it.
    """
    trap, repo, action, temp = (tmp_path / name for name in ("trap", "repo", "action", "temp"))
    for folder in (repo, action, temp, action / "scaffold", action / "templates"):
        folder.mkdir()
    for name in ("copier.yml", "pyproject.toml"):
        (action / name).touch()
    for name in ("venv", "pip"):
        (repo / name).mkdir()
        (repo / name / "__init__.py").write_text(f"open({str(trap)!r}, 'w').close()\n")
        (repo / name / "__main__.py").touch()
    for name in ("sitecustomize", "usercustomize", "runpy", "ensurepip", "logging"):
        (repo / f"{name}.py").write_text(f"open({str(trap)!r}, 'w').close()\n")
    python = tmp_path / "python"
    without_pip = f'case "$*" in *"-m venv"*) exec {sys.executable} "$@" --without-pip;; esac'
    python.write_text(f'#!/bin/sh\n{without_pip}\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    text = (TOP / "action.yml").read_text()
    (action / "action.yml").write_text(text if isolated else text.replace(" -I -m", " -m"))
    ran = Runner(repo, temp, {"actions/cache": lambda _: {}}).action(action, {"python": str(python)})
    assert trap.exists() is not isolated
    if isolated:
        assert ran.status == 1
        assert ran.log.strip().endswith("No module named pip")


@pytest.mark.parametrize("file", [TOP / "action.yml", *sorted(CI.iterdir())], ids=lambda path: path.name)
def test_python_is_isolated_in_every_step(file: Path) -> None:
    """No step starts a module or a piece of Python without `-I`, with which the working folder is not searched."""
    assert re.findall(r"python\S*\"? (?!-I )-[mc].*", file.read_text(), re.IGNORECASE) == []


@pytest.mark.usefixtures("network")
def test_it_installs_itself(repo: Path, tmp_path: Path) -> None:
    """Without a cache the action installs nixpy from its own files, with the uv that projects without a lock want, and
    the key of the cache is made of those files.
    """
    action = repository.copy_of_nixpy(tmp_path / "action")
    keys = []

    def cache(given: Mapping[str, str]) -> dict[str, str]:
        keys.append(given["key"])
        return {"cache-hit": "true" if Path(given["path"]).exists() else ""}

    temp = tmp_path / "temp"
    temp.mkdir()
    runner = Runner(repo, temp, {"actions/cache": cache}, {**repository.OWN, "PATH": repository.without_uv()})
    ran = runner.action(action, {"python": sys.executable})
    assert (ran.status, ran.annotations) == (0, []), ran.log
    assert Path(ran.outputs["nixpy"]).is_relative_to(temp)
    # What the update does next, in projects without a lock.
    settings = {**repository.nixpys(), "PATH": repository.without_uv()}
    synced = subprocess.run([ran.outputs["nixpy"], "sync", "--all", "--upgrade"], cwd=repo, env=settings, check=False)
    assert synced.returncode == 0
    assert not list(repo.glob("**/uv.lock"))
    assert runner.action(action, {"python": sys.executable}).status == 0
    (action / "scaffold" / "nixpy" / "more.py").write_text("")
    assert runner.action(action, {"python": sys.executable}).status == 0
    assert keys[0] == keys[1] != keys[2]


def stub_of_gh(folder: Path, log: Path) -> Path:
    """Write a stand-in for GitHub's `gh`: it lists no pull request until it was asked to create one."""
    path = folder / "gh"
    path.write_text(
        f"""#!/bin/sh
echo "$@" >> {log}
case "$1 $2" in
  "pr list") grep -c "^pr create" {log} || true ;;
  "pr create" | "pr edit" | "auth setup-git") ;;
  *) exit 3 ;;
esac
"""
    )
    path.chmod(0o755)
    return path


def test_the_update_opens_a_pull_request_once(
    runner: Runner, repo: Path, nixpy: Nixpy, index: SmallIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the index has newer versions by now, the update's job pushes what sync wrote, and opens one pull request
    that tells which versions and libraries moved; else nothing.
    """
    own = tmp_path / "index"
    own.mkdir()
    for path in index.folder.glob("*.whl"):
        if not path.name.startswith("alpha-1.1"):
            shutil.copy(path, own)
    origin, log, programs = tmp_path / "origin.git", tmp_path / "gh.log", tmp_path / "bin"
    programs.mkdir()
    stub_of_gh(programs, log)
    with SmallIndex(own) as moving:
        runner.uses = {
            **runner.uses,
            "actions/checkout": lambda _: {},
            "./.nixpy": lambda given: runner.action(TOP, given).outputs,
        }
        programs_first = f"{programs}:{os.environ['PATH']}"
        runner.environment = {**runner.environment, "PATH": programs_first, "UV_DEFAULT_INDEX": moving.url}
        runner.github = {"token": "t0ken"}
        workflow = CI / "github-update.yml"
        monkeypatch.setenv("UV_DEFAULT_INDEX", moving.url)
        for project in (repo, repo / "services" / "web"):
            assert nixpy("sync", project, "--upgrade").status == 0
        repository.commit(repo)
        git(repo, "clone", "--quiet", "--bare", repo, origin)
        git(repo, "remote", "add", "origin", origin)

        ran = runner.job(workflow, "update")
        assert (ran.status, log.exists()) == (0, False), ran.log
        assert '"version": "1.0"' in (repo / "nixpy.lock").read_text()

        for path in index.folder.glob("alpha-1.1*.whl"):
            shutil.copy(path, own)
        for _ in range(2):
            git(repo, "switch", "--quiet", "main")
            ran = runner.job(workflow, "update")
            assert ran.status == 0, ran.log
    changed = git(origin, "diff", "--name-only", "main", "nixpy-update").split()
    assert {"nixpy.lock", "services/web/nixpy.lock"} <= set(changed)
    assert '"version": "1.1"' in git(origin, "show", "nixpy-update:services/web/nixpy.lock")
    created = [line for line in log.read_text().splitlines() if line.startswith("pr create")]
    assert len(created) == 1
    assert "--head nixpy-update" in created[0]
    body = (runner.temp / "why.md").read_text()
    assert f"--body-file {runner.temp / 'why.md'}" in created[0]
    assert body.partition("```diff\n")[2].split("\n")[:2] == ["- alpha-1.0", "+ alpha-1.1"]


def test_gitlab_gets_its_report(repo: Path, runner: Runner, tmp_path: Path) -> None:
    """The job's script leaves the report that it promises, and fails as the check does."""
    job = yaml.safe_load((CI / "gitlab.yml").read_text())["nixpy"]
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "python").write_text("#!/bin/sh\n")  # a stand-in that installs nothing
    (programs / "nixpy").write_text(f'#!/bin/sh\nexec {sys.executable} -m nixpy "$@"\n')
    for program in programs.iterdir():
        program.chmod(0o755)

    def run() -> tuple[int, list[dict[str, object]]]:
        environment = {**runner.environment, "PATH": f"{programs}:{os.environ['PATH']}", "NIXPY": "nixpy"}
        script = ["bash", "-eo", "pipefail", "-c", "\n".join(job["script"])]
        done = subprocess.run(script, cwd=repo, env=environment, check=False, capture_output=True)
        return done.returncode, json.loads((repo / job["artifacts"]["reports"]["codequality"]).read_text())

    assert run() == (0, [])
    line = repository.ask_for(repo, "gamma")
    status, (finding,) = run()
    assert status == 1
    assert finding["location"] == {"path": "pyproject.toml", "lines": {"begin": line}}
    assert {"description", "check_name", "fingerprint", "severity"} < set(finding)


@pytest.mark.parametrize("persona", ["regular", "pedantic", "auditor"])
def test_zizmor_finds_nothing(persona: str) -> None:
    """The action, the workflows and the hooks pass zizmor, which finds what it should in a bad one."""
    workflows = [*CI.glob("github-*.yml"), *(TOP / ".github/workflows").iterdir()]
    files = [TOP / "action.yml", *workflows, TOP / ".pre-commit-hooks.yaml"]
    done = zizmor(persona, *files)
    assert done.returncode == 0, done.stdout + done.stderr


def test_zizmor_would_find_it(tmp_path: Path) -> None:
    """The same call fails on an action that puts an input into its script."""
    bad = tmp_path / "action.yml"
    bad.write_text((TOP / "action.yml").read_text().replace('"$NIXPY" check --format github', "${{ inputs.projects }}"))
    assert "template-injection" in zizmor("regular", bad).stdout


def test_the_workflow_checks_each_supported_branch_of_nixpkgs() -> None:
    """It runs `nix flake check` with the branches of releases.toml that are not ended, on machines with KVM."""
    (job,) = yaml.safe_load((TOP / ".github/workflows/nix.yml").read_text())["jobs"].values()
    supported = {release.branch for release in releases().by_branch.values() if release.state != "ended"}
    assert set(job["strategy"]["matrix"]["branch"]) == supported
    install, check = job["steps"][1:]
    assert install["with"]["enable_kvm"] is True
    assert check["run"].split()[:3] == ["nix", "flake", "check"]
    assert check["run"].endswith('--override-input nixpkgs "github:NixOS/nixpkgs/$BRANCH"')
