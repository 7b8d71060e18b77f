"""What uv is configured with: all its keys are known, honest ones hold, and none makes uv build."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import uv
from packaging.requirements import Requirement

from hostile import hostile_sdist
from nixpy.core.errors import NixpyError
from nixpy.index import config_files
from nixpy.index.resolve import resolve
from nixpy.index.uv_config import UvSetting, known, read_uv_config, uv_diagnostics, uv_variables
from nixpy.project.dependencies import Dependencies
from smallindex import build_wheel

TREATMENTS = {"pass", "user", "build", "read", "apply", "refuse", "ignore", "silent", "table"}


@pytest.fixture(autouse=True)
def shut_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings of this machine, and a cache of this test alone, since uv remembers what a build said."""
    for name in list(os.environ):
        if name.startswith(("PIP_", "UV_")):
            monkeypatch.delenv(name)
    monkeypatch.setattr(config_files, "_SYSTEM", Path("/nonexistent"))
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_DIRS", str(tmp_path / "xdg"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PATH", f"{Path(uv.find_uv_bin()).parent}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
def trap(tmp_path: Path) -> Path:
    """The file that the build of `evilsd` makes; beside it lies the project with its folder of sdists."""
    trap = tmp_path / "trap"
    wheelhouse = tmp_path / "project/wh"
    wheelhouse.mkdir(parents=True)
    hostile_sdist(wheelhouse, trap)
    build_wheel(wheelhouse, "honest", "1.0")
    return trap


def ask(root: Path, *names: str, allow_build: bool = False) -> dict[str, str]:
    """Return the versions that uv takes."""
    text = resolve(
        [Requirement(name) for name in names], root=root, python="3.12", offline=True, allow_build=allow_build
    )
    return {package["name"]: package["version"] for package in tomllib.loads(text)["packages"]}


def failure(root: Path) -> NixpyError | None:
    """Return the error that uv ends in when it resolves `evilsd`, None where it lists that."""
    try:
        assert ask(root, "evilsd") == {"evilsd": "1.0"}
    except NixpyError as error:
        return error
    return None


PLACES = 'find-links = ["wh"]\nno-index = true\n'

# Settings that make uv itself run the build of evilsd although it is given --no-build, or could do so.
BUILDS = [
    'no-binary-package = ["evilsd"]\n',
    "no-binary = true\n",
    "no-build = false\n",
    'no-binary-package = ["evilsd"]\nno-build = false\nno-build-isolation = true\n',
    'no-binary-package = ["evilsd"]\nno-build-isolation-package = ["evilsd"]\n',
    'no-binary-package = ["evilsd"]\nextra-build-dependencies = { evilsd = [] }\n',
    'no-binary-package = ["evilsd"]\nextra-build-variables = { evilsd = { A = "1" } }\n',
    'extra-build-variables = { evilsd = { PYTHONHOME = "{python}" } }\n',
    'no-binary-package = ["evilsd"]\nextra-build-variables = { evilsd = { PYTHONHOME = "{python}" } }\n',
    'no-binary-package = ["evilsd"]\nconfig-settings = { a = "1" }\n',
    'no-binary-package = ["evilsd"]\nbuild-constraint-dependencies = ["setuptools<1"]\n',
    'pip.no-binary = ["evilsd"]\n',
    'pip.no-binary = [":all:"]\n',
    "pip.no-build = false\n",
    'pip.no-binary = ["evilsd"]\npip.no-build-isolation = true\n',
    'constraint-dependencies = ["evilsd @ file://{wh}/evilsd-1.0.tar.gz"]\n',
    'override-dependencies = ["evilsd @ file://{wh}/evilsd-1.0.tar.gz"]\n',
]
FILES = ["pyproject.toml", "uv.toml", "user"]


def write(root: Path, file: str, settings: str) -> None:
    """Write settings of uv for the project in `root`."""
    settings = settings.replace("{wh}", str(root / "wh")).replace("{python}", sys.base_prefix)
    if file == "pyproject.toml":
        (root / file).write_text(f'[project]\nname = "p"\nversion = "1"\n[tool.uv]\n{settings}')
    elif file == "uv.toml":
        (root / file).write_text(settings)
    else:
        path = root.parent / "home/.config/uv/uv.toml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(settings.replace('"wh"', f'"{root / "wh"}"'))


@pytest.mark.slow
@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("settings", BUILDS)
def test_no_setting_makes_uv_build(trap: Path, settings: str, file: str) -> None:
    """Whatever uv's settings say and wherever they are, no build is run: the package is listed or named."""
    root = trap.parent / "project"
    write(root, file, PLACES + settings)
    error = failure(root)
    assert error is None or ("evilsd" in error.message and "--allow-build" in (error.hint or ""))
    assert not trap.exists(), "a build was run"


def test_the_trap_works(trap: Path) -> None:
    """With `allow_build` the same build is run, so that the tests above would notice one."""
    root = trap.parent / "project"
    write(root, "uv.toml", PLACES)
    assert ask(root, "evilsd", allow_build=True) == {"evilsd": "1.0"}
    assert trap.exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("UV_NO_BINARY", "1"),
        ("UV_NO_BINARY_PACKAGE", "evilsd"),
        ("UV_NO_BUILD", "0"),
        ("UV_NO_BUILD_ISOLATION", "1"),
        ("UV_CONSTRAINT", "{root}/more.txt"),
        ("UV_OVERRIDE", "{root}/more.txt"),
        ("UV_EXCLUDE", "{root}/more.txt"),
        ("UV_CONFIG_FILE", "{root}/other.toml"),
        ("UV_ENV_FILE", "{root}/other.env"),
        ("UV_PROJECT", "{root}"),
    ],
)
def test_no_variable_makes_uv_build(trap: Path, name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable of uv does either, nor a file that one names."""
    root = trap.parent / "project"
    write(root, "uv.toml", PLACES)
    (root / "more.txt").write_text(f"--no-binary evilsd\nevilsd @ file://{root}/wh/evilsd-1.0.tar.gz\n")
    (root / "other.toml").write_text(PLACES + 'no-binary-package = ["evilsd"]\n')
    (root / "other.env").write_text("UV_NO_BINARY=1\n")
    monkeypatch.setenv(name, value.format(root=root))
    error = failure(root)
    assert error is None or "--allow-build" in (error.hint or "")
    assert not trap.exists(), "a build was run"


def test_an_address_is_not_built_when_files_are_looked_up(trap: Path) -> None:
    """A line with an address for another system does not take part when the sdist of the same name is looked up."""
    root = trap.parent / "project"
    write(root, "uv.toml", PLACES)
    address = f"evilsd @ file://{root}/wh/evilsd-1.0.tar.gz"
    with pytest.raises(NixpyError, match="evilsd"):
        ask(root, "evilsd; sys_platform == 'linux'", f"{address} ; sys_platform == 'darwin'")
    assert not trap.exists(), "a build was run"


@pytest.mark.parametrize("file", FILES)
def test_honest_settings_hold(trap: Path, file: str) -> None:
    """A wheel in `find-links` is found; a relative path starts at the folder of the file that has it."""
    root = trap.parent / "project"
    write(root, file, PLACES)
    assert ask(root, "honest") == {"honest": "1.0"}
    (root / "below").mkdir()
    assert ask(root / "below", "honest") == {"honest": "1.0"}


def test_no_binary_is_applied_without_a_build(trap: Path) -> None:
    """`no-binary-package` leaves the sdist of a package that has a wheel as well."""
    root = trap.parent / "project"
    write(root, "uv.toml", PLACES + 'no-binary-package = ["Evil_SD"]\n')
    assert read_uv_config(root).no_binary == {"evil-sd"}
    assert read_uv_config(root, allow_build=True).no_binary == frozenset()
    assert "no-binary-package" in read_uv_config(root, allow_build=True).text()


def test_files_are_merged_as_uv_merges_them(trap: Path) -> None:
    """The project's value comes first; lists and tables are joined; what a file of the user alone may say is passed."""
    root = trap.parent / "project"
    keyring = 'keyring-provider = "subprocess"\n'
    write(root, "uv.toml", f'resolution = "lowest"\nfind-links = ["wh"]\n{keyring}pip.{keyring}')
    write(root, "user", 'resolution = "highest"\nfind-links = ["x"]\n')
    table = tomllib.loads(read_uv_config(root).text())
    assert table["resolution"] == "lowest"
    assert table["find-links"] == [str(root / "wh"), str(root.parent / "home/.config/uv/x")]
    assert "keyring-provider" not in read_uv_config(root).text()
    write(root, "user", f"{keyring}pip.{keyring}")
    table = tomllib.loads(read_uv_config(root).text())
    assert (table["keyring-provider"], table["pip"]["keyring-provider"]) == ("subprocess", "subprocess")


@pytest.mark.parametrize("key", ["http-proxy", "https-proxy"])
def test_a_project_chooses_no_proxy(trap: Path, key: str) -> None:
    """A proxy sees the logins that netrc has for a server: only the user chooses one."""
    root = trap.parent / "project"
    write(root, "pyproject.toml", f'{key} = "http://proxy.example"\nno-proxy = ["index.example"]\n')
    assert read_uv_config(root).text() == ""
    assert read_uv_config(root, allow_build=True).text() == ""
    found = [diagnostic.message for diagnostic in uv_diagnostics(root)]
    assert len(found) == 2
    assert all("is not passed on: a proxy sees" in message for message in found)
    write(root, "user", f'{key} = "http://proxy.example"\n')
    assert tomllib.loads(read_uv_config(root).text()) == {key: "http://proxy.example"}


def test_environments_limit_the_answer(trap: Path) -> None:
    """Uv refuses the key in a uv.toml: nixpy resolves each requirement for the project's environments alone."""
    root = trap.parent / "project"
    environments = "environments = [\"sys_platform == 'linux'\", \"python_full_version >= '3.14'\"]\n"
    write(root, "pyproject.toml", 'find-links = ["wh"]\nno-index = true\n' + environments)
    wanted = ["honest ; sys_platform == 'linux'", "nowhere ; sys_platform == 'darwin' and python_version < '3.14'"]
    assert ask(root, *wanted) == {"honest": "1.0"}
    assert "environments" not in tomllib.loads(read_uv_config(root).text())
    write(root, "pyproject.toml", 'find-links = ["wh"]\nno-index = true\n')
    with pytest.raises(NixpyError, match="nowhere"):
        ask(root, *wanted)


def test_environments_that_are_no_markers_are_refused(trap: Path) -> None:
    """The error names the file and the line."""
    root = trap.parent / "project"
    for value in ('["linux"]', "[1]", "1", '[""]'):
        write(root, "pyproject.toml", f"environments = {value}\n")
        with pytest.raises(NixpyError, match="environments") as error:
            read_uv_config(root)
        assert (error.value.path, error.value.line) == (root / "pyproject.toml", 5)


def test_environments_beside_sources_are_reported(trap: Path) -> None:
    """Where uv itself reads the requirements nixpy cannot limit them, and says so."""
    root = trap.parent / "project"
    environments = "environments = [\"sys_platform == 'linux'\"]\n"
    write(root, "pyproject.toml", environments)
    assert not list(uv_diagnostics(root))
    write(root, "pyproject.toml", environments + '[tool.uv.sources]\nx = { path = "x" }\n')
    assert ["environments" in diagnostic.message for diagnostic in uv_diagnostics(root)] == [True]


def test_what_is_not_passed_on_is_reported(trap: Path) -> None:
    """Unknown keys and those that nixpy decides are diagnostics, which name the file and the line."""
    root = trap.parent / "project"
    write(root, "pyproject.toml", 'find-link = ["wh"]\n[tool.uv.pip]\nextra = ["a"]\nno-such = 1\n')
    messages = [diagnostic.message for diagnostic in uv_diagnostics(root)]
    assert [message.partition(": ")[0] for message in messages] == [
        "pyproject.toml:5",
        "pyproject.toml:7",
        "pyproject.toml:8",
    ]
    assert [re.findall("`([^`]+)`", message)[0] for message in messages] == ["find-link", "pip.extra", "pip.no-such"]


def test_a_value_that_starts_programs_is_refused(trap: Path) -> None:
    """`torch-backend = "auto"` is an error of its line; another value is passed on."""
    root = trap.parent / "project"
    write(root, "uv.toml", 'torch-backend = "cpu"\n')
    assert "cpu" in read_uv_config(root).text()
    write(root, "uv.toml", '\ntorch-backend = "auto"\n')
    with pytest.raises(NixpyError, match="torch-backend") as error:
        read_uv_config(root)
    assert error.value.line == 2
    with pytest.raises(NixpyError, match="UV_TORCH_BACKEND"):
        uv_variables({"UV_TORCH_BACKEND": "auto"}, allow_build=False)


def test_variables_of_uv_are_known_or_left_out() -> None:
    """Only variables with a row reach uv, those about builds with `--allow-build` alone; others stay as they are."""
    environ = {"PATH": "/bin", "UV_PYTHON": "x", "UV_NEW": "1", "UV_NO_BINARY": "1", "UV_INDEX_MY_ONE_PASSWORD": "y"}
    kept = {"PATH": "/bin", "UV_INDEX_MY_ONE_PASSWORD": "y"}
    assert uv_variables(environ, allow_build=False) == kept
    assert uv_variables(environ, allow_build=True) == {**kept, "UV_NO_BINARY": "1"}


@pytest.mark.parametrize("table", ["top", "pip"])
def test_every_key_of_the_installed_uv_has_a_row(tmp_path: Path, table: str) -> None:
    """Uv itself lists its keys where it meets one that it does not know; each of them has a row."""
    path = tmp_path / "uv.toml"
    path.write_text("no-such-key = 1\n" if table == "top" else "[pip]\nno-such-key = 1\n")
    command = [uv.find_uv_bin(), "pip", "compile", os.devnull, "--config-file", str(path)]
    text = subprocess.run(command, capture_output=True, text=True, check=False).stderr
    keys = set(re.findall("`([a-z0-9-]+)`", text.partition("expected one of")[2]))
    assert {"resolution", "no-binary"} <= keys
    assert keys == {row.key for row in known().values() if row.table == table}


@pytest.mark.slow
def test_uv_takes_every_passed_key_in_a_file(tmp_path: Path) -> None:
    """Some keys are for a pyproject.toml alone: uv refuses them in the file that nixpy writes."""
    path = tmp_path / "uv.toml"
    refused = set()
    for row in known().values():
        if row.table != "top" or row.treatment not in {"pass", "user", "build", "read"}:
            continue
        for value in ("[]", "true", "{}", '"1"'):  # with the right type uv looks at the key
            path.write_text(f"{row.key} = {value}\n")
            command = [uv.find_uv_bin(), "pip", "compile", os.devnull, "--config-file", str(path)]
            text = subprocess.run(command, capture_output=True, text=True, check=False).stderr
            if "not allowed in a `uv.toml`" in text:
                refused.add(row.key)
    assert refused == set()


def test_rows_say_what_is_done() -> None:
    """Each row has a treatment of the list, and one that a message repeats has a reason."""
    rows: list[UvSetting] = list(known().values())
    assert {row.treatment for row in rows} <= TREATMENTS
    assert all(row.reason for row in rows if row.treatment in {"ignore", "user"} or row.refused)


def test_sources_of_pyproject_hold(trap: Path) -> None:
    """What `[tool.uv.sources]` names is read by uv itself, and not built."""
    root = trap.parent / "project"
    write(root, "pyproject.toml", PLACES + 'no-binary-package = ["evilsd"]\n')
    path = root / "pyproject.toml"
    path.write_text(
        path.read_text().replace('version = "1"\n', 'version = "1"\ndependencies = ["evilsd", "honest"]\n')
        + '[tool.uv.sources]\nevilsd = { path = "wh/evilsd-1.0.tar.gz" }\n'
    )
    dependencies = Dependencies.from_pyproject(tomllib.loads(path.read_text()), path)
    with pytest.raises(NixpyError, match="evilsd") as error:
        resolve(dependencies, root=root, python="3.12", offline=True)
    assert "--allow-build" in (error.value.hint or "")
    assert not trap.exists(), "a build was run"


def test_settings_of_the_user_are_reported_where_asked_for(trap: Path) -> None:
    """With `of_user` the diagnostics name the whole path of the user's file, and those of the project come first."""
    root = trap.parent / "project"
    write(root, "pyproject.toml", 'find-link = ["wh"]\n')
    write(root, "user", "\nno-such = 1\nkeyring-provider = 'disabled'\npip.universal = true\nenvironments = []\n")
    user = trap.parent / "home/.config/uv/uv.toml"
    assert len(list(uv_diagnostics(root))) == 1
    messages = [diagnostic.message for diagnostic in uv_diagnostics(root, of_user=True)]
    assert [message.partition(": ")[0] for message in messages] == [
        "pyproject.toml:5",
        *(f"{user}:{line}" for line in (2, 4, 5)),
    ]
    assert not list(uv_diagnostics(root, {"UV_NO_CONFIG": "1"}, of_user=True))


@pytest.mark.parametrize(
    ("value", "on"),
    [
        *((value, True) for value in ("1", "true", "TRUE", "t", "yes", "Y", "on")),
        *((value, False) for value in (None, "", "0", "false", "f", "no", "N", "off", "2", "enabled")),
    ],
)
def test_boolean_variables(value: str | None, on: bool) -> None:
    """A boolean variable is read by uv's rule; uv itself reports a value that is neither true nor false."""
    assert config_files.is_on(value) is on
