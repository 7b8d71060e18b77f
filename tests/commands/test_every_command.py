"""Each command, on a project whose every file is hostile: it runs no code of the project, of an sdist or of a wheel.

The commands of the pre-commit hooks and of the action's last step are taken from their files. The project has no lock,
or one; the network may be used, or not. What a command starts, contacts and writes is seen from outside of nixpy: by
Python's audit events, by stand-ins for the programs, and by a proxy to which all goes that is not for the index.
"""

from __future__ import annotations

import inspect
import os
import re
import select
import shlex
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import pytest
import uv
import yaml

from hostile import BACKEND, SYSTEM, TRAP, hostile_sdist
from nixpy import api
from nixpy.cli.main import group
from nixpy.index import config_files
from runner import Nixpy
from smallindex import SmallIndex, build_wheel, sha256
from watch import watch

pytestmark = pytest.mark.slow  # each case runs a command under watch, and mostly uv

TOP = Path(__file__).parents[2]
PROJECT = f"""\
[project]
name = "p"
version = "1"
requires-python = ">=3.11"
dependencies = ["evilsd", "honest"]
{SYSTEM}[tool.uv]
no-binary-package = ["evilsd"]
no-build = false
[tool.nixpy]
style = "loader"
systems = ["x86_64-linux"]
"""
# Without it what the sdist requires is known by a build alone, and there is no `init`.
METADATA = '[[dependency-metadata]]\nname = "evilsd"\nversion = "1.0"\n'
MODULES = (
    "evil",
    "setup",
    "sitecustomize",
    "usercustomize",
    "conftest",
    "honest",
    "nixpy",
    "click",
    "uv",
    "copier",
    "yaml",
)
PROGRAMS = (
    "uv",
    "git",
    "nix",
    "python",
    "python3",
    "pip",
    "keyring",
    "nvidia-smi",
    "direnv",
    "ldconfig",
    "uname",
    "sh",
)


@dataclass(frozen=True, slots=True)
class Machine:
    """A hostile project in `root`, an index with its packages, and what is seen of programs."""

    folder: Path
    index: SmallIndex
    proxy: socket.socket

    @property
    def trap(self) -> Path:
        """The file that foreign code makes."""
        return self.folder / "trap"

    @property
    def started(self) -> Path:
        """The log of the stand-ins: a name a line, also of what another program started."""
        return self.folder / "started"

    def contacted(self) -> bool:
        """Tell whether anything but the index was contacted by a program that respects proxies."""
        try:
            self.proxy.accept()[0].close()
        except BlockingIOError:
            return False
        return True


def script(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def hostile(root: Path, trap: Path) -> None:
    """Write a project in which all that could be run makes the file `trap`."""
    root.mkdir()
    (root / "pyproject.toml").write_text(PROJECT)
    (root / "uv.toml").write_text('no-binary-package = ["evilsd"]\npip.no-build = false\n')
    for name in MODULES:
        (root / f"{name}.py").write_text(BACKEND.format(trap=str(trap)))
    for folder in (root, root / "bin", root / ".venv/bin"):
        for name in PROGRAMS:
            script(folder / name, f": > '{trap}'")
    (root / ".venv/pyvenv.cfg").write_text(f"home = {root}/bin\n")
    site = root / ".venv/lib/python3.13/site-packages"
    site.mkdir(parents=True)
    (site / "evil.pth").write_text(TRAP.format(trap=str(trap)))
    (root / ".envrc").write_text(f": > '{trap}'\n")
    (root / "flake.nix").write_text("{ }\n")
    (root / "copier.yml").write_text(f"_tasks: [\": > '{trap}'\"]\n_jinja_extensions: [evil.E]\n")
    (root / ".copier-answers.yml").write_text(f"_src_path: {root}\n")
    for command in (["init", "--quiet"], ["config", "core.fsmonitor", f": > '{trap}'; false"]):
        subprocess.run(["git", *command], cwd=root, check=True)


def write_lock(root: Path, form: str, index: SmallIndex) -> None:
    """Write a lock with the hostile sdist and the honest wheel.

    Requirements files are no lock, and poetry.lock has no addresses of files, so that uv looks them up.
    """
    sdist, wheel = (index.folder / name for name in ("evilsd-1.0.tar.gz", "honest-1.0-py3-none-any.whl"))
    files = [(index.file_url(path.name), sha256(path)) for path in (sdist, wheel)]
    if form == "pylock.toml":
        first, second = (f'{{ url = "{url}", hashes = {{ sha256 = "{digest}" }} }}' for url, digest in files)
        (root / form).write_text(
            f"""lock-version = "1.0"
created-by = "x"
packages = [
  {{ name = "evilsd", version = "1.0", sdist = {first} }},
  {{ name = "honest", version = "1.0", wheels = [{second}] }},
]
"""
        )
    elif form == "uv.lock":
        first, second = (f'{{ url = "{url}", hash = "sha256:{digest}" }}' for url, digest in files)
        source = f'source = {{ registry = "{index.url}" }}'
        needs = '[{ name = "evilsd" }, { name = "honest" }]'
        own = f"dependencies = {needs}, metadata.requires-dist = {needs}"
        (root / form).write_text(
            f"""version = 1
revision = 3
requires-python = ">=3.11"
package = [
  {{ name = "evilsd", version = "1.0", {source}, sdist = {first} }},
  {{ name = "honest", version = "1.0", {source}, wheels = [{second}] }},
  {{ name = "p", version = "1", source = {{ editable = "." }}, {own} }},
]
"""
        )
    elif form == "poetry.lock":
        names = [f'[{{ file = "{path.name}", hash = "sha256:{sha256(path)}" }}]' for path in (sdist, wheel)]
        common = 'version = "1.0"\ndescription = ""\noptional = false\npython-versions = ">=3.11"\ngroups = ["main"]\n'
        (root / form).write_text(
            f'[[package]]\nname = "evilsd"\n{common}files = {names[0]}\n'
            f'[[package]]\nname = "honest"\n{common}files = {names[1]}\n'
            f'[metadata]\nlock-version = "2.1"\npython-versions = ">=3.11"\ncontent-hash = "{"0" * 64}"\n'
        )
    elif form == "requirements.txt":
        (root / "pyproject.toml").unlink()
        (root / "nixpy.toml").write_text('style = "loader"\nsystems = ["x86_64-linux"]\n')
        (root / form).write_text("--no-binary evilsd\nevilsd\nhonest\n")


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """The index, the stand-ins and the proxy, which serve all tests of the module."""
    folder = tmp_path_factory.mktemp("machine")
    build_wheel(folder / "served", "honest", "1.0")
    hostile_sdist(folder / "served", folder / "trap")
    real = {"uv": uv.find_uv_bin(), "git": str(shutil.which("git"))}
    for name in PROGRAMS:
        script(folder / "bin" / name, f'echo {name} >> "{folder}/started"\nexec {real.get(name, "/bin/false")} "$@"')
    with SmallIndex(folder / "served") as index, socket.create_server(("127.0.0.1", 0)) as proxy:
        proxy.setblocking(False)
        yield Machine(folder, index, proxy)


@pytest.fixture
def root(
    request: pytest.FixtureRequest, machine: Machine, tmp_path: Path, nixpy: Nixpy, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """The hostile project, which is the working folder and is on PATH."""
    assert nixpy
    for name in list(os.environ):
        if name.startswith(("PIP_", "UV_", "GIT_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    root = tmp_path / "project"
    hostile(root, machine.trap)
    write_lock(root, getattr(request, "param", "none"), machine.index)
    monkeypatch.setattr(config_files, "_SYSTEM", Path("/nonexistent"))
    proxy = "http://{}:{}".format(*machine.proxy.getsockname())
    for name, value in {
        "PATH": os.pathsep.join(["", ".", str(root), str(root / ".venv/bin"), "bin", str(machine.folder / "bin")]),
        "UV_DEFAULT_INDEX": machine.index.url,
        "UV_CACHE_DIR": str(machine.folder / "cache/uv"),
        "NIXPY_CACHE_DIR": str(machine.folder / "cache/nixpy"),
        "HOME": str(tmp_path / "home"),
        "TMPDIR": str(tmp_path),
        "PIP_CONFIG_FILE": os.devnull,
        "HTTP_PROXY": proxy,
        "HTTPS_PROXY": proxy,
        "ALL_PROXY": proxy,
        "NO_PROXY": "127.0.0.1",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.chdir(root)
    machine.started.write_text("")
    machine.trap.unlink(missing_ok=True)
    return root


def hooks() -> dict[str, list[str]]:
    """Return the commands of the pre-commit hooks."""
    rows = yaml.safe_load((TOP / ".pre-commit-hooks.yaml").read_text())
    return {f"hook {row['id']}": shlex.split(row["entry"])[1:] for row in rows}


def action() -> dict[str, list[str]]:
    """Return the commands of nixpy in the action's steps, as they are without inputs."""
    steps = yaml.safe_load((TOP / "action.yml").read_text())["runs"]["steps"]
    text = "\n".join(step.get("run", "") for step in steps)
    found = re.findall(r'"\$NIXPY" (.*?) "\$@"', text)
    assert found
    return {f"action {command}": [*shlex.split(command), "--all"] for command in found}


LOCKS = ("none", "uv.lock", "pylock.toml", "poetry.lock", "requirements.txt")
BOTH = ("none", "uv.lock")
NONE = ("none",)
# The name of a case, its command, and the locks with which it is run: all where the command reads them in its own way.
COMMANDS: dict[str, tuple[list[str], tuple[str, ...]]] = {
    "init": (["init", "--style", "loader", "--direnv", "--force"], LOCKS),
    "scan": (["scan"], LOCKS),
    "scan a requirement": (["scan", "evilsd", "--python", "3.12"], NONE),
    "sync": (["sync", "--force"], LOCKS),
    "sync --upgrade": (["sync", "--upgrade", "--rescan"], BOTH),
    "check": (["check", "--diff", "--strict"], LOCKS),
    "check --rescan": (["check", "--rescan"], BOTH),
    "doctor": (["doctor"], BOTH),
    "patch": (["patch"], NONE),
    "package": (["package", "evilsd"], NONE),
    "styles": (["styles"], NONE),
    "completion": (["completion", "bash"], NONE),
    "new": (["new", "made", "--defaults", "--data", "description={{ ''.__class__ }} $(: > trap) `: > trap`"], NONE),
    **{name: (words, BOTH) for name, words in {**hooks(), **action()}.items()},
}
# What a command may start; uv is started where there is no lock. `package` asks uv where an sdist is.
STARTS = {"init": {"uv"}, "scan": {"uv"}, "sync": {"uv"}, "check": {"uv"}, "package": {"uv"}, "doctor": {"git"}}
WRITES = {"init", "sync", "new"}  # and `patch` and `package -o`, which have nothing to write here
# What a library asks for and does not get, as no program is found: the standard library's `platform.uname`.
TRIES = {"new": {"uname"}}


def may_resolve(words: list[str], root: Path) -> bool:
    """Tell whether a command may start uv: there is no lock that has addresses, or packages are named.

    `check` may only with `--rescan`.
    """
    locked = any((root / name).exists() for name in ("uv.lock", "pylock.toml"))
    return "evilsd" in words or (not locked and (words[0] != "check" or "--rescan" in words))


def may_connect(words: list[str]) -> bool:
    """Tell whether a command may use the network."""
    return "--offline" not in words and (words[0] in {"init", "scan", "sync", "package"} or "--rescan" in words)


def has_option(command: str, option: str) -> bool:
    found = group.get_command(click.Context(group), command)
    assert found
    return any(option in parameter.opts for parameter in found.params)


def cases() -> Iterator[object]:
    """Yield the cases; those of commands that have `--offline` twice."""
    for name, (words, locks) in COMMANDS.items():
        for lock in locks:
            for offline in [[], ["--offline"]] if has_option(words[0], "--offline") and "hook" not in name else [[]]:
                yield pytest.param([*words, *offline], lock, id=f"{' '.join([name, *offline])}, {lock}")


def test_no_command_is_left_out() -> None:
    """The cases below have every command of nixpy."""
    assert {words[0] for words, _ in COMMANDS.values()} == set(group.list_commands(click.Context(group)))


def test_hooks_and_action_allow_no_build() -> None:
    """Three commands and two functions of the API can allow a build; the hooks and the action do not."""
    names = group.list_commands(click.Context(group))
    assert {name for name in names if has_option(name, "--allow-build")} == {"init", "scan", "sync"}
    functions = {name: value for name, value in vars(api).items() if inspect.isfunction(value)}
    assert {name for name, f in functions.items() if "allow_build" in inspect.signature(f).parameters} == {
        "plan",
        "scan",
    }
    assert not [words for words in (*hooks().values(), *action().values()) if "--allow-build" in words]


def below(paths: set[Path], *folders: Path) -> set[Path]:
    return {path for path in paths if any(path.is_relative_to(folder) for folder in folders)}


def initiate(root: Path, nixpy: Nixpy) -> None:
    """Let `init` write its files; the settings of uv are then as they were."""
    settings = root / "uv.toml"
    before = settings.read_text()
    settings.write_text(before + METADATA)
    assert nixpy("init").status == 0
    settings.write_text(before)


@pytest.mark.parametrize(("words", "root"), list(cases()), indirect=["root"])
def test_a_hostile_project(words: list[str], root: Path, machine: Machine, nixpy: Nixpy) -> None:
    """No foreign code runs; only listed programs start; only the index is contacted; only the project is written."""
    command = words[0]
    if command not in {"init", "scan", "new"}:
        initiate(root, nixpy)
        machine.started.write_text("")
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*")}
    with watch() as seen:
        ran = nixpy(*words)
    assert ran.status in {0, 1, 2}
    assert "fault of nixpy" not in ran.err
    # No code.
    assert not machine.trap.exists(), "foreign code was run"
    assert not list(root.rglob("trap"))
    assert below(seen.run, root) == set(), "a Python file of the project was run"
    # Which programs, and from where; those that they start themselves, too.
    may = STARTS.get(command, set()) if command == "doctor" or may_resolve(words, root) else set()
    assert {Path(program).name for program in seen.programs} <= may | TRIES.get(command, set())
    assert below({Path(program) for program in seen.programs}, root) == set()
    assert set(machine.started.read_text().split()) <= may
    # Which hosts.
    address = machine.index.url.partition("://")[2].partition("/")[0]
    assert seen.hosts <= ({address} if may_connect(words) else set())
    assert not machine.contacted(), "uv contacted another host than the index"
    # Which files: those of the project, of the caches and of the folder for temporary files, which the tests put
    # beside it; Python itself keeps the modules that it has compiled.
    folders = (root.parent, machine.folder / "cache", Path(os.devnull))
    assert {path for path in seen.written - below(seen.written, *folders) if "__pycache__" not in path.parts} == set()
    assert set(root.parent.iterdir()) == {root}, "temporary files, or files in the home folder, are left"
    if command not in WRITES:
        assert {path: path.stat().st_mtime_ns for path in root.rglob("*")} == before


@pytest.mark.parametrize(
    "line",
    [
        "evilsd @ git+file://{source}",
        "git+file://{source}#egg=evilsd",
        "evilsd @ file://{source}",
        "./source",
        "-e ./source",
        "evilsd @ file://{served}/evilsd-1.0.tar.gz",
        "evilsd @ {index}/files/evilsd-1.0.tar.gz",
        "--no-binary :all:\nevilsd",
    ],
)
def test_a_hostile_requirement(
    line: str, root: Path, machine: Machine, nixpy: Nixpy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A repository, a folder or an archive that a line of a requirements file names is not built either."""
    monkeypatch.setenv("PATH", os.environ["PATH"] + os.pathsep + os.defpath)  # git starts programs of its own
    (root / "source").mkdir()
    (root / "source/pyproject.toml").write_text(SYSTEM)
    (root / "source/evil.py").write_text(BACKEND.format(trap=str(machine.trap)))
    git = [str(shutil.which("git", path=os.defpath)), "-c", "user.name=a", "-c", "user.email=a@example.org"]
    for words in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message", "first"]):
        subprocess.run([*git, *words], cwd=root / "source", check=True)
    places = {"source": root / "source", "served": machine.index.folder, "index": machine.index.url[: -len("/simple/")]}
    (root / "requirements.txt").write_text(line.format(**places) + "\n")
    for words in (["scan", "requirements.txt"], ["scan", "requirements.txt", "--offline"]):
        ran = nixpy(*words)
        assert not machine.trap.exists(), "foreign code was run"
        assert ran.status == 2
        assert "--allow-build" in ran.err, ran.err


def test_the_traps_work(root: Path, machine: Machine, nixpy: Nixpy, tmp_path: Path) -> None:
    """With `--allow-build` the sdist is built, a program of the working folder is one, and a host is noticed."""
    assert nixpy("scan", "--allow-build").status == 0
    assert machine.trap.exists()
    machine.trap.unlink()
    subprocess.run(["./uv"], check=True)
    assert machine.trap.exists()
    machine.trap.unlink()
    assert not machine.contacted()
    (tmp_path / "in.txt").write_text("honest\n")
    elsewhere = ["--no-cache", "--default-index", "http://index.example/simple"]
    with subprocess.Popen([uv.find_uv_bin(), "pip", "compile", "in.txt", *elsewhere], cwd=tmp_path) as process:
        ready, _, _ = select.select([machine.proxy], [], [], 30)
        process.kill()
    assert ready
    assert machine.contacted()
    (root / "uv.toml").write_text(METADATA)
    with watch() as seen:
        assert nixpy("scan", "--rescan").status == 0
    assert seen.hosts
    assert seen.programs
    assert seen.written
