"""`nixpy new`: a new project by copier, in every style and with every manager, the same as `nixpy init` makes it."""

from __future__ import annotations

import json
import keyword
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import copier
import pytest
import yaml
from copier._vcs import get_repo

from kills import killed
from newprojects import COMBINATIONS, OFFERED, Installed, NewProjects, from_git
from nixpy.analysis.analysis_options import AnalysisOptions
from nixpy.commands import new
from nixpy.commands.init import plan_files
from nixpy.environment.facts import facts
from nixpy.environment.options import Options
from nixpy.files import render
from nixpy.locks.pdm import PdmLock
from nixpy.locks.poetry import PoetryLock
from nixpy.nixpkgs import releases
from nixpy.project import config, managers, project
from nixpy.styles.styles import styles
from runner import Nixpy

pytestmark = pytest.mark.slow  # copier takes its time for each project

TOP = Path(__file__).parents[2]
GENERATED = ("nixpy.nix", "nixpy.lock")
MANAGERS = managers.NAMES
QUESTIONS: Mapping[str, Any] = yaml.safe_load((TOP / "copier.yml").read_text())


@pytest.fixture
def plain(tmp_path: Path, new_projects: NewProjects) -> Path:
    """A new project with all defaults."""
    return new_projects.copy(tmp_path / "plain", "loader", "uv")


@pytest.mark.parametrize(("style", "manager"), COMBINATIONS)
def test_it_is_what_init_writes(
    style: str, manager: str, tmp_path: Path, new_projects: NewProjects, nixpy: Nixpy
) -> None:
    """In every style and with every manager a new project is fresh and has no problem, and `init` writes the same bytes
    where its Nix files, and what else `init` writes once, were deleted, but for the description in flake.nix.
    """
    folder = new_projects.copy(tmp_path / "demo", style, manager)
    (verdict,) = nixpy("check", folder, "--format", "json").json["projects"]
    assert (verdict["state"], verdict["problems"]) == ("fresh", [])
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    flake = folder / "flake.nix"
    told, general = b'description = "A Python project"', b'description = "Development environment"'
    assert told in before[flake]
    before[flake] = before[flake].replace(told, general)
    for name in (*GENERATED, "flake.nix", ".envrc", "environment.yml"):
        (folder / name).unlink(missing_ok=True)
    assert nixpy("init", folder, "--direnv", "--offline").status == 0
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize(
    ("style", "manager"), [*((style, "uv") for style in OFFERED), *(("loader", manager) for manager in MANAGERS[1:])]
)
def test_the_value_for_the_templates_is_that_of_init(
    style: str,
    manager: str,
    tmp_path: Path,
    new_projects: NewProjects,
    template: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`facts` and `env` of copier.yml have, key by key, what nixpy computes for such a project, whatever a template
    reads of it.
    """
    folder = new_projects.copy(tmp_path / "demo", style, manager)
    answers = yaml.safe_load((folder / new.ANSWERS).read_text())
    worker = copier.run_copy(str(template), tmp_path / "out", data=answers, defaults=True, quiet=True, pretend=True)
    computed = worker.answers.combined
    envrc = (folder / ".envrc").read_text()
    for name in ("flake.nix", ".envrc", "environment.yml"):
        (folder / name).unlink(missing_ok=True)
    found = project.read(folder)
    passed: dict[str, Any] = {}
    monkeypatch.setattr(render, "render", lambda _template, env: passed.update(env) or "")
    made = plan_files(found, Options(direnv=True), AnalysisOptions(root=folder, offline=True), user_files=True)
    # Through JSON, in which a tuple is a list.
    assert computed["facts"] == json.loads(json.dumps(facts(made.environment)))
    expected = json.loads(json.dumps(passed))
    assert expected.pop("pin") is None  # of shell.nix alone
    # A new project is read from files that .envrc watches in any case.
    assert computed["env"]["read"] == []
    assert set(expected.pop("read")) <= set(envrc.split())
    assert {key: computed["env"].get(key, "lacking") for key in expected} == expected
    # The general flake.nix has none, and `init` lists requirements only for styles that write them.
    assert computed["env"].keys() - expected.keys() <= {"description", "read", "requirements"}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The template apart from the git repository it lies in, which copier would clone."""
    folder = tmp_path_factory.mktemp("template")
    shutil.copytree(TOP / "templates", folder / "templates")
    # Strict about names, which the oldest copier that will do cannot be.
    config = (TOP / "copier.yml").read_text()
    strict = config.replace("_envops:\n", "_envops:\n  undefined: jinja2.StrictUndefined\n")
    assert strict != config
    (folder / "copier.yml").write_text(strict)
    return folder


def values(question: str) -> tuple[str, ...]:
    """The values of its choices, also of those that are not for everybody."""
    choices = QUESTIONS[question]["choices"].values()
    return tuple(choice["value"] if isinstance(choice, dict) else choice for choice in choices)


def test_what_is_asked_is_what_nixpy_knows() -> None:
    """The choices are every style, every manager and the Pythons of the current release, and the rest follows it."""
    current = releases.release(releases.current())
    assert set(values("style")) == {style.name for style in styles()}
    assert values("manager") == managers.NAMES
    assert tuple(QUESTIONS["python"]["choices"]) == tuple(current.pythons)
    assert QUESTIONS["python"]["default"] == current.default
    assert QUESTIONS["nixpkgs"]["default"] == releases.current()


def test_it_needs_no_trust() -> None:
    """The template is data: it runs nothing and loads no code."""
    assert not {"_tasks", "_migrations", "_jinja_extensions", "_external_data"} & QUESTIONS.keys()


@pytest.mark.parametrize("manager", ["uv", "none"])
def test_the_first_uv_lock_changes_nothing(manager: str, tmp_path: Path, nixpy: Nixpy) -> None:
    """`uv lock` finds the lock right, or writes the first, and the project stays fresh."""
    folder = tmp_path / "demo"
    # The uv of the tests has no newer Python.
    assert nixpy("new", folder, "--defaults", "--manager", manager, "--python", "3.11").status == 0
    before = (folder / "uv.lock").read_bytes() if manager == "uv" else None
    subprocess.run([Path(sys.executable).with_name("uv"), "lock", "--quiet", "--offline"], cwd=folder, check=True)
    assert before in {None, (folder / "uv.lock").read_bytes()}
    assert nixpy("check", folder).status == 0


@pytest.mark.parametrize("name", GENERATED)
def test_one_byte_more_is_seen(plain: Path, name: str, nixpy: Nixpy) -> None:
    """A generated file with one byte changed is no longer fresh."""
    path = plain / name
    path.write_text(path.read_text().replace("3.13", "3.12", 1) if name == "nixpy.lock" else path.read_text() + "\n")
    ran = nixpy("check", plain)
    assert ran.status == 1
    assert f"{name}: edited" in ran.out


@pytest.mark.parametrize("manager", MANAGERS)
def test_one_dependency_more_is_seen(manager: str, tmp_path: Path, new_projects: NewProjects, nixpy: Nixpy) -> None:
    """With a dependency added to pyproject.toml the project is stale."""
    folder = new_projects.copy(tmp_path / "demo", "loader", manager)
    pyproject = folder / "pyproject.toml"
    pyproject.write_text(pyproject.read_text().replace("dependencies = []", 'dependencies = ["alpha"]'))
    ran = nixpy("check", folder)
    assert ran.status == 1
    assert "the requirements in pyproject.toml changed" in ran.out


def test_the_locks_are_those_of_their_tools(new_projects: NewProjects) -> None:
    """poetry.lock and pdm.lock carry the hash that their tools compute of this pyproject.toml."""
    poetry = project.read(new_projects.at("loader", "poetry")).locked
    assert isinstance(poetry, PoetryLock)
    pdm = project.read(new_projects.at("loader", "pdm")).locked
    assert isinstance(pdm, PdmLock)
    assert (poetry.fresh(), pdm.fresh()) == (True, True)


def test_its_test_passes(plain: Path) -> None:
    """The project's own test passes, and its command says what the README shows."""

    def ran(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, *arguments]
        settings = {"PYTHONPATH": "src"}
        return subprocess.run(command, cwd=plain, env=settings, check=True, capture_output=True, text=True)

    assert "Ran 1 test" in ran("-m", "unittest", "discover", "tests").stderr
    said = ran("-m", "demo").stdout
    assert said == "Hello, demo!\n"
    assert said in (plain / "README.md").read_text()


@pytest.mark.parametrize(
    ("folder", "name"), [("demo", "demo"), ("json", "my-json"), ("9 lives", "my-9-lives"), ("___", "project")]
)
def test_the_folder_names_it(folder: str, name: str, tmp_path: Path, nixpy: Nixpy) -> None:
    """Unasked, the project has the name of its folder, made into one that Python can import."""
    assert nixpy("new", tmp_path / folder, "--defaults").status == 0
    table = tomllib.loads((tmp_path / folder / "pyproject.toml").read_text())["project"]
    assert table["name"] == name
    assert (tmp_path / folder / "src" / name.replace("-", "_") / "__init__.py").is_file()


NASTY = 'It\'s "50 %" {{ 7 * 7 }} \\n ${x} ü 🎉 """ # done?'


@pytest.mark.parametrize("style", ["loader", "application"])
def test_any_description_survives(style: str, tmp_path: Path, nixpy: Nixpy) -> None:
    """What was answered arrives as it was written, in TOML, in Python, in the answers and in Nix."""
    ran = nixpy("new", tmp_path / "demo", "--defaults", "--style", style, "--data", f"description={NASTY}")
    assert ran.status == 0
    folder = tmp_path / "demo"
    assert tomllib.loads((folder / "pyproject.toml").read_text())["project"]["description"] == NASTY
    assert yaml.safe_load((folder / new.ANSWERS).read_text())["description"] == NASTY
    scope: dict[str, Any] = {}
    exec((folder / "src/demo/__init__.py").read_text(), scope)  # noqa: S102
    assert scope["__doc__"] == NASTY
    assert nixpy("check", folder).status == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--data", "name=json"), "`json` is the name of a module of Python or of a tool"),
        (("--data", "name=test"), "`test` is the name of a module"),
        (("--data", "name=Test"), "`Test` is the name of a module"),
        (("--data", "name=pip"), "`pip` is the name of a module"),
        (("--data", "nixpy=nixpy==0.1.0"), "write git+https://HOST/nixpy@COMMIT, without"),
        (("--data", "nixpy=git+https://git.example/nixpy"), "write git+https://HOST/nixpy@COMMIT, without"),
        (
            ("--data", "nixpy=git+https://h/$(x)@main"),
            "write git+https://HOST/nixpy@COMMIT, without a password, or leave it empty",
        ),
        (("--data", "nixpy=git+https://me:secret@h/nixpy@main"), "without a password"),
        (("--data", "nixpy=git+https://h/nixpy@main\n"), "write git+https://HOST/nixpy@COMMIT"),
        (("--data", "name=demo\n", "--data", "author=me"), "a name begins with a letter"),
        (("--data", "name=a b"), "a name begins with a letter, ends with a letter or digit"),
        (("--data", "name="), "a name begins with a letter"),
        (("--data", "description=a\nb"), "write it in one line"),
        (("--data", "description=a\u2028b"), "write it in one line"),
        (("--data", "author= "), "write a name, in one line"),
        (("--data", "nmae=x"), "unknown answer `nmae`\n  hint: Did you mean `name`?"),
        (("--data", "env={}"), "unknown answer `env`\n  hint: The answers are name, description,"),
        (("--data", "name"), "`name` is not an answer"),
        (("--data", "ci=jenkins"), "'jenkins' is not in ['github', 'gitlab', 'none']"),
        (("--manager", "conda"), "'conda' is not in ['uv', 'pip', 'poetry', 'pdm', 'none']"),
        (("--python", "3.13", "--data", "python=3.12"), "contradict each other"),
        (("--python", "3.7"), "'3.7' is not in"),
        (("--style", "poetry2nix"), "'style': poetry2nix is unmaintained"),
        (("--style", "uv2nix", "--manager", "poetry"), "'manager': style uv2nix reads uv.lock, which only uv writes"),
        (("--style", "fsh"), "Did you mean `fhs`?"),
    ],
)
def test_a_wrong_answer_is_told_and_nothing_is_made(
    arguments: tuple[str, ...], words: str, tmp_path: Path, nixpy: Nixpy
) -> None:
    """Each wrong answer ends in words for people, status 2, and no folder."""
    ran = nixpy("new", tmp_path / "demo", "--defaults", *arguments)
    assert ran.status == 2
    assert words in ran.err
    assert not (tmp_path / "demo").exists()


def test_no_module_of_python_can_be_a_name() -> None:
    """Every module and keyword of this Python, those of its own tests included, and what a .venv begins with, is
    among the names that are refused.
    """
    library = Path(os.__file__).parent
    folders = {path.name for path in library.iterdir() if path.is_dir() and path.name.isidentifier()}
    modules = {path.stem for path in library.glob("*.py")}
    names = {*sys.stdlib_module_names, *sys.builtin_module_names, *folders, *modules, *map(str.lower, keyword.kwlist)}
    names |= {"test", "idlelib", "pip", "site_packages"}
    refused = (TOP / "templates/project-names.txt").read_text().split()
    assert {name for name in names if not name.startswith("_")} <= set(refused)


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("", "the folder is missing"),
        ("file", "file: the folder of a new project must be empty"),
        ("file/demo", "file: this is a file, so nixpy cannot create a folder there"),
        ("file/deep/demo", "file: this is a file, so nixpy cannot create a folder there"),
        ("link", "link: this is a link to something that does not exist, so nixpy cannot create a folder"),
        ("link/demo", "link: this is a link to something that does not exist, so nixpy cannot create a folder"),
    ],
)
def test_a_place_that_cannot_be_is_told(place: str, words: str, tmp_path: Path, nixpy: Nixpy) -> None:
    """Where no folder can be made, one error says why, and nothing is there that was not before."""
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to("nowhere")
    ran = nixpy("new", place, "--defaults", cwd=tmp_path)
    assert ran.status == 2
    code = "NIX712" if place else "NIX702"
    assert ran.err.startswith(f"error[{code}]: {words}")
    assert {path.name for path in tmp_path.iterdir()} == {"file", "link"}


@pytest.mark.parametrize(
    ("inside", "commands"), [(False, ["git init --quiet -b main", "git add ."]), (True, ["git add ."])]
)
def test_it_ends_with_commands_that_work(
    inside: bool, commands: list[str], tmp_path: Path, nixpy: Nixpy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it says to do next makes a repository where there is none yet, and there alone; all but what Nix is for runs
    as it stands, and leaves every file known to git.
    """
    if inside:
        subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    said = nixpy("new", "demo", "--defaults", cwd=tmp_path).err.partition("next:\n")[2]
    lines = [line.partition("   #")[0].strip() for line in said.splitlines()]
    assert [line for line in lines if line.startswith("git")] == [*commands, "git add flake.lock"]
    mine = [line for line in lines if not line.startswith("nix ")]
    (tmp_path / "demo/flake.lock").write_text("{}")
    script = "\n".join(["set -e", *mine, "git status --porcelain"]).replace("python -m", "PYTHONPATH=src python3 -m")
    done = subprocess.run(["sh", "-c", script], cwd=tmp_path, check=True, capture_output=True, text=True)
    states = {line[:2] for line in done.stdout.splitlines()}
    assert states == {"A "}


@pytest.mark.parametrize("at", [1, 2, 8])
def test_a_kill_leaves_no_part_of_a_file(at: int, tmp_path: Path) -> None:
    """Wherever `nixpy new` is killed while the files are put in place, those that are there are whole."""
    whole, folder = tmp_path / "whole/demo", tmp_path / "killed/demo"
    new.create(whole, {}, ask=False)

    def write() -> None:
        new.create(folder, {}, ask=False)

    assert killed(write, folder, at, renames=True)
    found = [path for path in folder.rglob("*") if path.is_file() and ".nixpy-" not in path.name]
    assert len(found) == at - 1
    for path in found:
        assert path.read_bytes() == (whole / path.relative_to(folder)).read_bytes()


def test_a_failure_leaves_no_folder(tmp_path: Path, nixpy: Nixpy, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a file cannot be put in place, one error names it, and neither the folder nor those above it are there."""

    def full(path: Path, target: Path) -> NoReturn:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    ran = nixpy("new", tmp_path / "a/b", "--defaults")
    assert ran.status == 2
    assert f"error[NIX712]: {tmp_path}/a/b/" in ran.err
    assert "No space left on device; nothing was changed" in ran.err
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_files_is_left_alone(tmp_path: Path, nixpy: Nixpy) -> None:
    """A folder that is not empty is refused, but for an empty git repository."""
    (tmp_path / ".git").mkdir()
    assert nixpy("new", tmp_path, "--defaults", "--data", "name=demo").status == 0
    before = sorted(tmp_path.rglob("*"))
    again = nixpy("new", tmp_path, "--defaults")
    assert again.status == 2
    assert "the folder of a new project must be empty" in again.err
    assert sorted(tmp_path.rglob("*")) == before


def test_license_is_another_spelling_of_licence(tmp_path: Path, nixpy: Nixpy) -> None:
    """The answer `license` is the answer `licence`."""
    assert nixpy("new", tmp_path / "demo", "--defaults", "--data", "license=none").status == 0
    assert not (tmp_path / "demo/LICENSE").exists()
    assert yaml.safe_load((tmp_path / "demo" / new.ANSWERS).read_text())["licence"] == "none"


def test_without_a_terminal_it_does_not_ask(tmp_path: Path, nixpy: Nixpy) -> None:
    """Where nobody can answer, it says so."""
    ran = nixpy("new", tmp_path / "demo")
    assert ran.status == 2
    assert "--defaults" in ran.err
    assert not (tmp_path / "demo").exists()


def test_without_copier_it_says_what_to_install(tmp_path: Path, nixpy: Nixpy, monkeypatch: pytest.MonkeyPatch) -> None:
    """Copier is an extra of nixpy's: where it is missing the error names it."""
    monkeypatch.setitem(sys.modules, "copier", None)
    ran = nixpy("new", tmp_path / "demo", "--defaults")
    assert ran.status == 2
    assert "nixpy[new]" in ran.err


def test_the_report_names_the_files(tmp_path: Path, nixpy: Nixpy) -> None:
    """As JSON, it is the folder and what was written there."""
    ran = nixpy("new", tmp_path / "demo", "--defaults", "--format", "json")
    report = ran.json
    assert report["folder"] == str(tmp_path / "demo")
    assert set(report["files"]) == {
        str(path.relative_to(tmp_path / "demo")) for path in (tmp_path / "demo").rglob("*") if path.is_file()
    }
    assert {*GENERATED, "uv.lock", "src/demo/__init__.py", ".github/workflows/check.yml"} <= set(report["files"])


@pytest.mark.parametrize(("ci", "file"), [("gitlab", ".gitlab-ci.yml"), ("none", None)])
def test_ci_is_what_was_asked_for(ci: str, file: str | None, tmp_path: Path, nixpy: Nixpy) -> None:
    """Another CI has its own file, and none has none."""
    assert nixpy("new", tmp_path / "demo", "--defaults", "--data", f"ci={ci}", "--data", "licence=none").status == 0
    names = {path.name for path in (tmp_path / "demo").iterdir()}
    assert names & {".github", ".gitlab-ci.yml"} == ({file} if file else set())
    assert "LICENSE" not in names


ASKED = {"author", "ci", "description", "licence", "manager", "name", "nixpy", "python", "style"}


EDITABLE = {"url": "file:///home/me/nixpy", "dir_info": {"editable": True}}


@pytest.mark.parametrize(
    "cloned",
    [
        "https://git.example/nixpy",
        "https://github.com/me/nixpy",
        "https://git.example/nixpy.git",
        "ssh://git@git.example:22/me/nixpy",
    ],
)
def test_the_answers_name_where_the_template_is_published(
    cloned: str, tmp_path: Path, nixpy: Nixpy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That is the git repository nixpy came from, in a form that copier clones; no file holds a path of this machine.
    CI and pre-commit take nixpy from that repository at that commit, if they can without a key.
    """
    commit = "0" * 40
    folder = made_by(Installed(from_git(cloned)), tmp_path, nixpy, monkeypatch)
    answers = yaml.safe_load((folder / new.ANSWERS).read_text())
    assert get_repo(answers["_src_path"]) in {cloned, f"{cloned}.git"}
    assert answers["_commit"] == commit
    assert set(answers) == {"_src_path", "_commit", *ASKED}
    if cloned.startswith("ssh"):
        assert not (folder / ".pre-commit-config.yaml").exists()
        assert checks_in_ci(folder) == []
        return
    hook = yaml.safe_load((folder / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"][0]
    assert hook["additional_dependencies"] == [f"git+{cloned}@{commit}"]
    assert checks_in_ci(folder) == [{"NIXPY": f"git+{cloned}@{commit}"}]


@pytest.mark.parametrize(
    "installed",
    [
        Installed(None),
        Installed(EDITABLE),
        Installed(from_git("file:///home/me/nixpy")),
        Installed(from_git("https://git.example/$(touch x)")),
        Installed(from_git("https://me:secret@git.example/nixpy")),
    ],
    ids=["nothing is said", "editable", "a repository of this machine", "no address", "a password"],
)
def test_where_nobody_knows_it_ci_takes_no_nixpy(
    installed: Installed, tmp_path: Path, nixpy: Nixpy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it is not known where nixpy is published, nothing that was rendered installs anything by that name, which
    may be somebody else's on an index; an answer may tell, and then copier knows it as well.
    """
    folder = made_by(installed, tmp_path, nixpy, monkeypatch)
    assert set(yaml.safe_load((folder / new.ANSWERS).read_text())) == ASKED
    assert not (folder / ".pre-commit-config.yaml").exists()
    assert checks_in_ci(folder) == []
    told = nixpy("new", tmp_path / "gitlab", "--defaults", "--data", "ci=gitlab")
    assert "--data nixpy=git+https://HOST/nixpy@COMMIT" in told.err
    assert yaml.safe_load((tmp_path / "gitlab/.gitlab-ci.yml").read_text()).keys() == {"test"}

    answer = "git+https://git.example/nixpy@v1"
    ran = nixpy("new", tmp_path / "told", "--defaults", "--data", f"nixpy={answer}")
    assert "git+https://HOST" not in ran.err
    assert checks_in_ci(tmp_path / "told") == [{"NIXPY": answer}]
    answers = yaml.safe_load((tmp_path / "told" / new.ANSWERS).read_text())
    assert (get_repo(answers["_src_path"]), answers["_commit"]) == ("https://git.example/nixpy", "v1")


def made_by(installed: Installed, tmp_path: Path, nixpy: Nixpy, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project that such a nixpy made, which holds no path of this machine."""
    monkeypatch.setattr(new, "distribution", lambda _: installed)
    folder = tmp_path / "demo"
    assert nixpy("new", folder, "--defaults").status == 0
    for path in folder.rglob("*"):
        text = path.read_text() if path.is_file() else ""
        assert str(tmp_path) not in text
        assert str(TOP) not in text
        assert "/tmp/" not in text  # noqa: S108
        assert not re.search(r"\bfile:\S", text)
    return folder


def checks_in_ci(folder: Path) -> list[Mapping[str, str]]:
    """The environments of the steps on GitHub that install something from Python's index or elsewhere."""
    workflow = yaml.safe_load((folder / ".github/workflows/check.yml").read_text())
    steps = [step for step in workflow["jobs"]["check"]["steps"] if re.search(r"\bpip|nixpy", step.get("run", ""))]
    return [step["env"] for step in steps]


def test_every_yaml_file_is_one(tmp_path: Path, nixpy: Nixpy) -> None:
    """The files for CI and pre-commit parse, whatever the name of the project."""
    for ci, file in {"github": ".github/workflows/check.yml", "gitlab": ".gitlab-ci.yml"}.items():
        folder = tmp_path / ci
        answers = (f"ci={ci}", "name=Null.x", "nixpy=git+https://git.example/nixpy@v1")
        options = [option for answer in answers for option in ("--data", answer)]
        assert nixpy("new", folder, "--defaults", *options).status == 0
        assert yaml.safe_load((folder / file).read_text())
        assert yaml.safe_load((folder / ".pre-commit-config.yaml").read_text())["repos"]
        assert config.PYPROJECT in {path.name for path in folder.iterdir()}
