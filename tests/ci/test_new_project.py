"""The CI of a new project: its steps run as GitHub's runners run them, its jobs as GitLab's, and zizmor reads it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from ci import repository
from ci.actionrunner import Runner, Uses
from ci.repository import zizmor
from runner import Nixpy

pytestmark = pytest.mark.slow  # each step is a process

ADDRESS = "git+https://git.example/nixpy@v1"
WORKFLOW = ".github/workflows/check.yml"
NAMESPACES = {"fhs", "micromamba", "conda"}
# Stand-ins. `nix develop -c` runs in the project's folder, where the real shell would have its code on the path.
PROGRAMS = {
    "pipx": f"""[ "$*" = "run --spec {ADDRESS} nixpy check" ] && shift 3 && exec {sys.executable} -m "$@" """,
    "nixpy": f"""[ -e "$INSTALLED" ] && exec {sys.executable} -m nixpy "$@" """,
    "python": f"""
if [ "$*" = "-I -m pip install --quiet {ADDRESS}" ]; then touch "$INSTALLED"; else exec {sys.executable} "$@"; fi""",
    "sudo": 'echo "sudo $*"',
    "nix": """case "$1 $2" in
"flake check") ! [ -e broken-nix ] ;;
"develop -c") shift 2; PYTHONPATH=src exec "$@" ;;
*) exit 3 ;;
esac""",
}


def make(folder: Path, nixpy: Nixpy, ci: str, style: str = "loader", address: str = ADDRESS) -> Path:
    """A new project whose CI knows where nixpy is."""
    answers = ("--data", f"ci={ci}", "--data", f"nixpy={address}", "--style", style)
    assert nixpy("new", folder, "--defaults", *answers).status == 0
    return folder


def run(folder: Path, ci: str, tmp_path: Path) -> tuple[bool, str]:
    """Whether the project's CI is green, and what it wrote."""
    programs = tmp_path / "bin"
    programs.mkdir(exist_ok=True)
    for name, text in PROGRAMS.items():
        (programs / name).write_text(f"#!/bin/bash\n{text}\n")
        (programs / name).chmod(0o755)
    environment = {
        **repository.nixpys(),
        "PATH": f"{programs}:{os.environ['PATH']}",
        "INSTALLED": str(tmp_path / "installed"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    if ci == "github":
        uses: dict[str, Uses] = {"actions/checkout": lambda _: {}, "cachix/install-nix-action": lambda _: {}}
        ran = Runner(folder, tmp_path, uses, environment).job(folder / WORKFLOW, "check")
        return ran.status == 0, ran.log
    green, log = True, ""
    for job in yaml.safe_load((folder / ".gitlab-ci.yml").read_text()).values():
        (tmp_path / "installed").unlink(missing_ok=True)
        script = ["bash", "-eo", "pipefail", "-c", "\n".join(job["script"])]
        settings = {**environment, **job.get("variables", {})}
        done = subprocess.run(script, cwd=folder, env=settings, check=False, capture_output=True, text=True)
        green, log = green and done.returncode == 0, log + done.stdout + done.stderr
    return green, log


@pytest.mark.parametrize("ci", ["github", "gitlab"])
def test_it_is_green_until_something_is_wrong(ci: str, tmp_path: Path, nixpy: Nixpy) -> None:
    """The CI of a new project passes; it fails where nixpy.nix was edited, `nix flake check` does, or a test does."""
    folder = make(tmp_path / "demo", nixpy, ci)
    green, log = run(folder, ci, tmp_path)
    assert green, log
    assert "demo: up to date" in log or ".: up to date" in log
    assert "Ran 1 test" in log
    code, generated = folder / "src/demo/__init__.py", folder / "nixpy.nix"
    for path, text in {
        code: code.read_text().replace("Hello", "Goodbye"),
        generated: generated.read_text() + "\n",
        folder / "broken-nix": "",
    }.items():
        before = path.read_text() if path.exists() else None
        path.write_text(text)
        assert not run(folder, ci, tmp_path)[0], path
        if before is not None:
            path.write_text(before)
    (folder / "broken-nix").unlink()
    assert run(folder, ci, tmp_path)[0]


@pytest.mark.parametrize("style", ["loader", "fhs"])
def test_zizmor_finds_nothing(style: str, tmp_path: Path, nixpy: Nixpy) -> None:
    """The workflow passes zizmor, with and without a known nixpy; it would not if git's password were kept."""
    for name, address in {"known": ADDRESS, "unknown": ""}.items():
        workflow = make(tmp_path / name, nixpy, "github", style, address) / WORKFLOW
        done = zizmor("auditor", workflow)
        assert done.returncode == 0, done.stdout
    workflow.write_text(workflow.read_text().replace("persist-credentials: false", "persist-credentials: true"))
    assert "artipacked" in zizmor("auditor", workflow).stdout


@pytest.mark.parametrize("style", ["loader", *sorted(NAMESPACES)])
def test_user_namespaces_are_allowed_where_a_style_wants_them(style: str, tmp_path: Path, nixpy: Nixpy) -> None:
    """Where the shell is a root of its own, Ubuntu is told to let it be one before Nix runs, and nowhere else."""
    folder = make(tmp_path / "demo", nixpy, "github", style)
    told = "sudo sysctl --ignore --write kernel.apparmor_restrict_unprivileged_userns=0\n"
    assert (told in run(folder, "github", tmp_path)[1]) == (style in NAMESPACES)


def test_what_is_rendered_is_pinned(tmp_path: Path, nixpy: Nixpy) -> None:
    """Every action is named by a commit, one commit an action in all files of nixpy's; every image by a version."""
    workflow = make(tmp_path / "github", nixpy, "github") / WORKFLOW
    files = [workflow, repository.TOP / "action.yml", *(repository.TOP / "templates/ci").glob("github-*.yml")]
    used = set(
        re.findall(r"uses: (\S+)@([0-9a-f]{40}) # (v[\d.]+)$", "\n".join(map(Path.read_text, files)), re.MULTILINE)
    )
    named = re.findall(r"uses: (?!\./)", "\n".join(map(Path.read_text, files)))
    assert len(named) == 5
    assert {name for name, _, _ in used} == {"actions/checkout", "actions/cache", "cachix/install-nix-action"}
    assert len(used) == 3
    jobs = yaml.safe_load((make(tmp_path / "gitlab", nixpy, "gitlab") / ".gitlab-ci.yml").read_text())
    versions = [job["image"].partition(":")[2] for job in jobs.values()]
    assert all(version[:1].isdecimal() for version in versions)
