"""Which manager fills `.venv`, by which command, and who says so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import shop
import vendored
from nixpy.core.errors import NixpyError
from nixpy.environment.options import resolve_options
from nixpy.files.reconcile import parts
from nixpy.locks import formats
from nixpy.project import managers, project
from runner import Nixpy

PROJECT = (
    '[project]\nname = "demo"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = []\n'
    "[dependency-groups]\ndev = []\nmore = []\n"
)
FULL = PROJECT.replace(
    "dependencies = []", 'dependencies = ["alpha>=1"]\n[project.optional-dependencies]\nb = ["beta"]'
).replace("dev = []", "dev = [\"tool; python_version > '3.8'\"]")
BUILD = '[build-system]\nrequires = ["hatchling"]\n'
POETRY = 'package = []\n[metadata]\nlock-version = "2.1"\npython-versions = ">=3.11"\ncontent-hash = "0"\n'
PIP = ".venv/bin/python -m pip install --no-input"
UV = 'version = 1\nrequires-python = ">=3.11"\n[[package]]\nname = "demo"\nsource = { virtual = "." }\n'
FILES = {
    "uv": {"pyproject.toml": PROJECT, "uv.lock": UV},
    "poetry": {"pyproject.toml": PROJECT, "poetry.lock": POETRY},
    "pdm": {"pyproject.toml": PROJECT, "pdm.lock": "[metadata]\n"},
    "requirements": {"requirements.txt": "-r more.txt\n", "more.txt": "gamma\n"},
    "pylock": {"pyproject.toml": PROJECT, "pylock.toml": 'lock-version = "1.0"\ncreated-by = "x"\npackages = []\n'},
    "pyproject": {"pyproject.toml": PROJECT},
    "full": {"pyproject.toml": FULL},
    "built": {"pyproject.toml": FULL + BUILD},
}


def write(folder: Path, kind: str, settings: str = "") -> project.Project:
    """A project with the files of that kind, read."""
    for name, text in FILES[kind].items():
        (folder / name).write_text(text)
    if settings:
        path = folder / ("pyproject.toml" if "pyproject.toml" in FILES[kind] else "nixpy.toml")
        head = path.read_text() + "[tool.nixpy]\n" if path.exists() else ""
        path.write_text(head + settings)
    return project.read(folder)


@pytest.mark.parametrize("name", managers.TABLE)
def test_the_row_of_a_manager_agrees_with_the_lock_formats(name: str) -> None:
    """Its own lock has a format from which it installs, and addresses where the format has them; it has a command for
    everything that it installs from.
    """
    row = managers.TABLE[name]
    lock = formats.by_name(row["lock"]) if "lock" in row else None
    if lock:
        assert (lock.tool, name in lock.managers) == (name, True)
        assert row.get("addresses", False) == lock.addresses
    read = [one for one in formats.FORMATS if name in one.managers]
    wanted = {"path" if one.by_path else "lock" for one in read} | ({"packages"} if "without-lock" in row else set())
    assert row["install"].keys() == wanted
    known = {
        "add",
        "addresses",
        "create",
        "install",
        "lock",
        "merges-indexes",
        "options",
        "package",
        "reads-groups",
        "reinstall",
        "remove",
        "variables",
    }
    assert row.keys() <= known | {"without-lock"}


@pytest.mark.parametrize(
    ("kind", "name", "fill", "files"),
    [
        ("uv", "uv", "uv sync --frozen", ("uv.lock", "pyproject.toml")),
        ("pylock", "uv", "uv pip sync pylock.toml", ("pylock.toml", "pyproject.toml")),
        ("pyproject", "uv", "uv pip install -r pyproject.toml --group=dev", ("pyproject.toml",)),
        ("poetry", "poetry", "poetry install --no-interaction", ("poetry.lock", "pyproject.toml")),
        ("pdm", "pdm", "pdm --non-interactive sync", ("pdm.lock", "pyproject.toml")),
        (
            "requirements",
            "pip",
            ".venv/bin/python -m pip install --no-input -r requirements.txt",
            ("requirements.txt", "more.txt"),
        ),
    ],
)
def test_the_manager_is_that_of_the_lock(
    tmp_path: Path, kind: str, name: str, fill: str, files: tuple[str, ...]
) -> None:
    """Unasked, the tool whose lock the project has installs exactly from it, and anew when a file that it reads
    changed.
    """
    found = write(tmp_path, kind)
    chosen, _ = managers.choose(found, None)
    made = managers.manager(found, chosen)
    assert made is not None
    assert (chosen, " ".join(made.fill), made.files) == (name, fill, files)


@pytest.mark.parametrize(
    ("kind", "name", "fill"),
    [
        ("uv", "uv", "uv sync --frozen --no-default-groups --extra=b --group=dev"),
        ("poetry", "poetry", "poetry install --no-interaction --only=main,dev --extras=b"),
        ("pdm", "pdm", "pdm --non-interactive sync --group=b --group=dev"),
        ("full", "uv", "uv pip install -r pyproject.toml --extra=b --group=dev"),
        ("full", "pip", f"{PIP} 'alpha>=1' beta 'tool; python_version > \"3.8\"'"),
        ("built", "uv", "uv pip install -e '.[b]' --group=dev"),
        ("built", "pip", f"{PIP} -e '.[b]' 'tool; python_version > \"3.8\"'"),
    ],
)
def test_extras_and_groups_are_installed_too(tmp_path: Path, kind: str, name: str, fill: str) -> None:
    """What the settings choose of extras and groups is what the manager is told to install."""
    made = managers.manager(write(tmp_path, kind, 'extras = ["b"]\ngroups = ["dev"]\n'), name)
    assert made is not None
    assert made.facts()["install"] == fill


@pytest.mark.parametrize(
    ("text", "uv", "pip"),
    [
        (FULL, "-r pyproject.toml --group=dev", 'alpha>=1 tool; python_version > "3.8"'),
        (FULL + BUILD, "-e . --group=dev", '-e . tool; python_version > "3.8"'),
        (
            f"{FULL}{BUILD}[tool.uv]\npackage = false\n",
            "-r pyproject.toml --group=dev",
            'alpha>=1 tool; python_version > "3.8"',
        ),
        ('[dependency-groups]\ndev = ["tool"]\n', "--group=dev", "tool"),
        ('[dependency-groups]\nother = ["tool"]\n', None, None),
    ],
)
def test_without_a_lock_all_that_was_analysed_is_installed(
    tmp_path: Path, text: str, uv: str | None, pip: str | None
) -> None:
    """The default groups are among it, no lock is written, and where there is nothing to install nobody is to."""
    (tmp_path / "pyproject.toml").write_text(text)
    found = project.read(tmp_path)
    for name, words in (("uv", uv), ("pip", pip)):
        made = managers.manager(found, name)
        command = {"uv": "uv pip install", "pip": PIP}[name]
        assert (made and " ".join(made.fill)) == (words and f"{command} {words}")


@pytest.mark.parametrize(("kind", "name"), [("uv", "poetry"), ("requirements", "pdm"), ("poetry", "pip")])
def test_a_manager_that_cannot_read_the_lock_is_refused(tmp_path: Path, kind: str, name: str) -> None:
    """A manager that does not install from what the project has is an error that says what it reads."""
    with pytest.raises(NixpyError, match=rf"{name} does not install from (uv|poetry|requirements)\.\w+") as error:
        managers.choose(write(tmp_path, kind), name)
    assert "it reads" in str(error.value.hint)


def test_the_settings_name_it_with_a_line(tmp_path: Path, nixpy: Nixpy) -> None:
    """An unknown manager in the settings is an error with file and line, and nothing is written."""
    folder = shop.project(tmp_path / "demo", "gamma", extra='[tool.nixpy]\nmanager = "conda"\n')
    done = nixpy("init", folder)
    assert done.status == 2
    assert "pyproject.toml:10: there is no manager `conda`" in done.err
    assert sorted(path.name for path in folder.iterdir()) == ["pyproject.toml"]


def test_init_writes_what_was_asked_for(tmp_path: Path, nixpy: Nixpy) -> None:
    """`--manager` lands in the settings and in what is rendered; "none" leaves .venv to the user."""
    folder = shop.project(tmp_path / "demo", "gamma")
    assert nixpy("init", folder, "--style", "loader").status == 0
    assert "manager" not in (folder / "pyproject.toml").read_text()
    text = (folder / "nixpy.nix").read_text()
    assert 'install = "uv pip install -r pyproject.toml";\n' in parts(text)[0]
    assert "set -- ${install}${" in vendored.files(text)["manager"]
    assert nixpy("init", folder, "--manager", "none").status == 0
    assert 'manager = "none"' in (folder / "pyproject.toml").read_text()
    assert "nixpy-fill" not in (folder / "nixpy.nix").read_text()
    assert nixpy("check", folder).status == 0


def test_no_manager_where_there_is_no_venv(tmp_path: Path, nixpy: Nixpy) -> None:
    """Style with-packages has no manager, whatever lock there is."""
    folder = shop.project(tmp_path / "demo", "gamma")
    report = nixpy("init", folder, "--style", "with-packages", "--format", "json").project
    assert report["manager"] == "none"
    assert "nixpy-fill" not in (folder / "nixpy.nix").read_text()


def workspace(folder: Path, settings: str = "") -> Path:
    """Write a workspace with the members `demo` (in the folder member) and `other`, and return its folder."""
    for name, project_name in (("member", "demo"), ("other", "other")):
        (folder / name).mkdir(parents=True)
        (folder / name / "pyproject.toml").write_text(PROJECT.replace('"demo"', f'"{project_name}"'))
    (folder / "pyproject.toml").write_text(f'[tool.uv.workspace]\nmembers = ["member", "other"]\n{settings}')
    other = '[[package]]\nname = "other"\nsource = { virtual = "other" }\n'
    text = UV.replace('"."', '"member"').replace("[[", '[manifest]\nmembers = ["demo", "other"]\n[[', 1) + other
    (folder / "uv.lock").write_text(text)
    return folder


@pytest.mark.parametrize(
    ("folder", "settings", "fill", "venv", "files"),
    [
        (".", "", "--all-packages", ".venv", "uv.lock pyproject.toml member/pyproject.toml other/pyproject.toml"),
        (".", 'members = ["Demo"]\n', "--package=demo", ".venv", "uv.lock pyproject.toml member/pyproject.toml"),
        (
            ".",
            'members = ["demo", "other"]\n',
            "--package=demo --package=other",
            ".venv",
            "uv.lock pyproject.toml member/pyproject.toml other/pyproject.toml",
        ),
        ("member", "", "--package=demo", "../.venv", "../uv.lock pyproject.toml"),
    ],
)
def test_a_workspace_has_one_environment(
    tmp_path: Path, folder: str, settings: str, fill: str, venv: str, files: str
) -> None:
    """The root installs all members or the named ones, a member itself, all into the .venv of the workspace."""
    found = project.read(workspace(tmp_path, f"[tool.nixpy]\n{settings}" if settings else "") / folder)
    assert managers.choose(found, None)[0] == "uv"
    made = managers.manager(found, "uv")
    assert made is not None
    assert made.facts()["install"] == f"uv sync --frozen {fill}"
    assert (managers.venv(found), made.create) == (venv, f"uv venv {venv}")
    assert made.files == tuple(files.split())


def test_a_linked_member_finds_the_environment(tmp_path: Path) -> None:
    """A folder that links to a member has the same workspace as the member."""
    workspace(tmp_path / "deep/ws")
    (tmp_path / "link").symlink_to("deep/ws/member")
    found = project.read(tmp_path / "link")
    assert managers.venv(found) == "../.venv"
    assert managers.files(found) == ("../uv.lock", "pyproject.toml")


@pytest.mark.parametrize(
    ("folder", "members", "message", "hint"),
    [
        (".", '["demmo"]', "the workspace has no member `demmo`", "Did you mean `demo`?"),
        (".", '["nothing"]', "the workspace has no member `nothing`", "The members are demo, other."),
        (".", "[]", "`tool.nixpy.members` must be a list with at least one member", None),
        ("member", '["demo"]', "`members` is for the project in the folder of a uv workspace", "Remove the setting"),
    ],
)
def test_members_are_checked(tmp_path: Path, folder: str, members: str, message: str, hint: str | None) -> None:
    """A wrong name in the setting is an error with its line, and the nearest name or all of them."""
    path = workspace(tmp_path) / folder / "pyproject.toml"
    path.write_text(f"{path.read_text()}[tool.nixpy]\nmembers = {members}\n")
    line = len(path.read_text().splitlines())
    with pytest.raises(NixpyError, match=re.escape(message)) as caught:
        resolve_options(project.read(path.parent))
    assert (caught.value.path, caught.value.line) == (path, line)
    assert hint is None or hint in str(caught.value.hint)


def test_a_program_of_nixpkgs_goes_before_the_wheels(tmp_path: Path, nixpy: Nixpy) -> None:
    """Where a wheel's program does not start and nixpkgs' is in `packages`, that one is found first."""
    folder = shop.project(tmp_path / "demo", "beta", extra='[tool.nixpy]\npackages = ["beta"]\n')
    assert nixpy("init", folder, "--style", "loader").status == 0
    text = (folder / "nixpy.nix").read_text()
    assert "native = [ pkgs.beta ];" in parts(text)[0]
    manager = vendored.files(text)["manager"]
    (before,) = re.findall(r"export PATH=\$\{(\w+)[^}]*\}\$VIRTUAL_ENV/bin:\$PATH\n", manager)
    assert re.search(rf"\b{before} = [^;]*lib\.makeBinPath", manager)
    assert "project.shell.native" in manager
    assert nixpy("init", folder, "--style", "nix-ld").status == 0
    assert "native" not in parts((folder / "nixpy.nix").read_text())[0]


@pytest.mark.parametrize(
    ("name", "install", "expected"),
    [
        ("uv", "uv sync --frozen", "uv sync --frozen --reinstall-package=a --reinstall-package=b"),
        ("pip", "", f"{PIP} --force-reinstall --no-deps a==1 'b @ file:///b c'"),
        ("pdm", "pdm sync", "pdm sync --reinstall"),
        ("poetry", "poetry install", None),
        ("none", "pipenv sync", None),
    ],
)
def test_the_command_that_installs_packages_again(name: str, install: str, expected: str | None) -> None:
    """By names or by requirements; Poetry and others have none."""
    assert managers.reinstall(name, install, ["a", "b"], ["a==1", "b @ file:///b c"]) == expected
