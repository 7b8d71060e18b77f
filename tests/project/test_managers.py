"""Which manager fills `.venv`, by which command, and who says so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import shop
import vendored
from nixpy.core.errors import NixpyError
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
POETRY = '[metadata]\nlock-version = "2.1"\npython-versions = ">=3.11"\ncontent-hash = "0"\n'
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
    known = {"add", "addresses", "create", "install", "lock", "options", "package", "reads-groups", "variables"}
    assert row.keys() <= known | {"merges-indexes", "without-lock"}


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


def test_a_member_of_a_workspace_is_left_alone(tmp_path: Path) -> None:
    """The .venv of a uv workspace is the workspace's, so a member's shell does not fill one of its own."""
    member = tmp_path / "member"
    member.mkdir()
    (member / "pyproject.toml").write_text(PROJECT)
    (tmp_path / "pyproject.toml").write_text('[tool.uv.workspace]\nmembers = ["member"]\n')
    (tmp_path / "uv.lock").write_text(UV.replace('"."', '"member"').replace("[[", '[manifest]\nmembers = ["demo"]\n[['))
    assert managers.choose(project.read(member), None)[0] == "none"


def test_a_program_of_nixpkgs_goes_before_the_wheels(tmp_path: Path, nixpy: Nixpy) -> None:
    """Where a wheel's program does not start and nixpkgs' is in `packages`, that one is found first."""
    folder = shop.project(tmp_path / "demo", "beta", extra='[tool.nixpy]\npackages = ["beta"]\n')
    assert nixpy("init", folder, "--style", "loader").status == 0
    text = (folder / "nixpy.nix").read_text()
    assert "native = [ pkgs.beta ];" in parts(text)[0]
    manager = vendored.files(text)["manager"]
    (before,) = re.findall(r"export PATH=\$\{(\w+)[^}]*\}\$PWD/\.venv/bin:\$PATH\n", manager)
    assert re.search(rf"\b{before} = [^;]*lib\.makeBinPath", manager)
    assert "project.shell.native" in manager
    assert nixpy("init", folder, "--style", "nix-ld").status == 0
    assert "native" not in parts((folder / "nixpy.nix").read_text())[0]
