"""Each setting of uv that chooses packages holds: nixpy's answer has the versions of plain `uv pip compile`."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import uv

from nixpy.core.toml_file import load_toml
from nixpy.index import config_files
from nixpy.index.resolve import resolve
from nixpy.project.dependencies import Dependencies
from smallindex import SmallIndex, build_sdist, build_wheel

pytestmark = pytest.mark.slow  # each case runs uv twice

LATER = "2030-01-01T00:00:00Z"
EARLIER = "2020-01-01T00:00:00Z"
ORDINARY = {"app": "1.0", "base": "2.0"}

# Settings below [tool.uv]; {extra} and {guarded} are further indexes, the latter with a login, {house} is a folder.
SETTINGS = {
    "constraint-dependencies": 'constraint-dependencies = ["base<2"]',
    "override-dependencies": 'override-dependencies = ["base==0.5"]',
    "exclude-dependencies": 'exclude-dependencies = ["base"]',
    "exclude-newer": 'exclude-newer = "2025-01-01"',
    "exclude-newer-package": 'exclude-newer-package = { base = "2025-01-01" }',
    "prerelease": 'prerelease = "allow"',
    "pip.prerelease": 'pip.prerelease = "allow"',
    "prerelease-package": 'prerelease-package = { base = "allow" }',
    "resolution": 'resolution = "lowest"',
    "pip.resolution": 'pip.resolution = "lowest"',
    "find-links": 'find-links = ["house"]',
    "pip.find-links": 'pip.find-links = ["./house"]',
    "no-index": 'no-index = true\nfind-links = ["house"]',
    "index": 'index = [{ url = "{extra}" }]',
    "index-with-login": 'index = [{ url = "{login}" }]',
    "index-with-login-of-variables": 'index = [{ name = "guarded", url = "{guarded}" }]',
    "index-of-links": 'index = [{ url = "house", format = "flat" }]',
    "explicit-index": 'index = [{ name = "more", url = "{extra}", explicit = true }]\nsources.base.index = "more"',
    "explicit-index-that-no-source-names": (
        'index = [{ name = "more", url = "{extra}", explicit = true }]\nconstraint-dependencies = ["base<2"]'
    ),
    "extra-index-url": 'extra-index-url = ["{extra}"]',
    "pip.extra-index-url": 'pip.extra-index-url = ["{extra}"]',
    "index-strategy": 'index = [{ url = "{low}" }]\nindex-strategy = "unsafe-best-match"\nresolution = "lowest"',
    "sources": 'sources.base.path = "house/base-2.5-py3-none-any.whl"',
    "sources-by-marker": (
        "sources.base = [{ path = 'house/base-2.5-py3-none-any.whl', marker = \"sys_platform == 'linux'\" }]"
    ),
    "workspace": 'workspace.members = ["member"]\nsources.base.workspace = true',
    "no-sources": (
        'sources.base.path = "house/base-2.5-py3-none-any.whl"\nno-sources = true\nconstraint-dependencies = ["base<2"]'
    ),
    "no-sources-package": (
        'sources.base.path = "house/base-2.5-py3-none-any.whl"\nno-sources-package = ["base"]\n'
        'constraint-dependencies = ["base<2"]'
    ),
    "dependency-metadata": (
        'override-dependencies = ["base", "app", "source"]\nconstraint-dependencies = ["base<2"]\n'
        'dependency-metadata = [{ name = "source", version = "1.0", requires-dist = ["more"] }]'
    ),
}
CASES = [
    (name, file)
    for name, text in SETTINGS.items()
    for file in ("pyproject.toml", "uv.toml", "user")
    # Elsewhere uv does not read sources; of the others those stand for all that have paths or need care.
    if file == "pyproject.toml" or name in {"find-links", "pip.find-links", "index-of-links", "dependency-metadata"}
]
VARIABLES = {
    "UV_INDEX": "{extra}",
    "UV_EXTRA_INDEX_URL": "{extra}",
    "UV_FIND_LINKS": "house",
    "UV_PRERELEASE": "allow",
    "UV_RESOLUTION": "lowest",
    "UV_EXCLUDE_NEWER": "2025-01-01",
}
DEFAULT_INDEX = ['index-url = "{main}"', 'pip.index-url = "{main}"', 'index = [{ url = "{main}", default = true }]']


@pytest.fixture(scope="module")
def indexes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, SmallIndex]]:
    """The index of most packages, one with a newer and one with an older version of a package, one with a login."""
    folder = tmp_path_factory.mktemp("served")
    wheels = [build_wheel(folder / "main", "base", version) for version in ("0.5", "1.0", "2.0", "3.0a1")]
    wheels += [
        build_wheel(folder / "main", "app", "1.0", requires=["base>=1"]),
        build_wheel(folder / "main", "more", "1.0"),
    ]
    wheels.append(build_sdist(folder / "main", "source", "1.0", fields=["Dynamic: Requires-Dist"], pyproject=""))
    for name, version in (("extra", "4.0"), ("low", "1.0"), ("guarded", "5.0")):
        build_wheel(folder / name, "base", version)
    times = {path.name: LATER if "2.0" in path.name else EARLIER for path in wheels}
    with (
        SmallIndex(folder / "main", uploaded=times) as main,
        SmallIndex(folder / "extra") as extra,
        SmallIndex(folder / "low") as low,
        SmallIndex(folder / "guarded", auth=("user", "hunter2")) as guarded,
    ):
        yield {"main": main, "extra": extra, "low": low, "guarded": guarded}


@pytest.fixture(autouse=True)
def shut_in(indexes: dict[str, SmallIndex], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings of this machine, and one index unless the settings name more."""
    for name in list(os.environ):
        if name.startswith(("PIP_", "UV_")):
            monkeypatch.delenv(name)
    monkeypatch.setattr(config_files, "_SYSTEM", Path("/nonexistent"))
    for name, value in {
        "UV_DEFAULT_INDEX": indexes["main"].url,
        "UV_INDEX_GUARDED_USERNAME": "user",
        "UV_INDEX_GUARDED_PASSWORD": "hunter2",
        "UV_CACHE_DIR": str(tmp_path / "cache"),
        "HOME": str(tmp_path / "home"),
        "XDG_CONFIG_DIRS": str(tmp_path / "xdg"),
        "PIP_CONFIG_FILE": os.devnull,
        "PATH": f"{Path(uv.find_uv_bin()).parent}{os.pathsep}{os.environ['PATH']}",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)


def write(root: Path, settings: str, file: str) -> Path:
    """Write a project with settings in a file of its own or of the user, and the folders that they name beside it."""
    root.mkdir()
    requires = '"app", "source"' if "dependency-metadata" in settings else '"app"'
    project = (
        f'[project]\nname = "own"\nversion = "1"\nrequires-python = ">=3.12"\ndependencies = [{requires}, "base"]\n'
    )
    (root / "pyproject.toml").write_text(project + (f"[tool.uv]\n{settings}\n" if file == "pyproject.toml" else ""))
    path = root.parent / "home/.config/uv/uv.toml" if file == "user" else root / file
    if file != "pyproject.toml":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(settings + "\n")
    build_wheel(path.parent / "house", "base", "2.5")
    build_wheel(path.parent / "house", "app", "1.0", requires=["base>=1"])
    member = root / "member/pyproject.toml"
    member.parent.mkdir()
    member.write_text('[project]\nname = "base"\nversion = "9"\nrequires-python = ">=3.12"\n')
    return root


def filled(text: str, indexes: dict[str, SmallIndex]) -> str:
    """Return settings with the addresses of the indexes."""
    for key, index in indexes.items():
        text = text.replace("{" + key + "}", index.url)
    return text.replace("{login}", indexes["guarded"].url_with_credentials)


def versions(text: str) -> dict[str, str]:
    """Return what is installed: the version of each package, or what is there instead."""
    packages = tomllib.loads(text)["packages"]
    return {package["name"]: package.get("version") or " ".join(sorted(package)) for package in packages}


def of_nixpy(root: Path) -> dict[str, str]:
    path = root / "pyproject.toml"
    dependencies = Dependencies.from_pyproject(load_toml(path), path)
    return versions(resolve(dependencies, root=root, python="3.12"))


def of_uv(root: Path) -> dict[str, str]:
    """Return what uv itself answers, which reads the settings by its own rules."""
    output = root.parent / "pylock.toml"
    command = [
        uv.find_uv_bin(),
        "pip",
        "compile",
        "pyproject.toml",
        "--universal",
        "--format",
        "pylock.toml",
        "--quiet",
    ]
    command += ["--python", sys.executable, "--python-version", "3.12", "--output-file", str(output)]
    subprocess.run(command, cwd=root, check=True, capture_output=True)
    return versions(output.read_text())


@pytest.mark.parametrize(("name", "file"), CASES)
def test_setting_holds(name: str, file: str, indexes: dict[str, SmallIndex], tmp_path: Path) -> None:
    """The versions are those of uv, and others than without the setting."""
    root = write(tmp_path / "project", filled(SETTINGS[name], indexes), file)
    answer = of_nixpy(root)
    assert answer == of_uv(root)
    assert answer != ORDINARY


@pytest.mark.parametrize("name", VARIABLES)
def test_variable_holds(
    name: str, indexes: dict[str, SmallIndex], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Variables of uv that choose packages do the same."""
    monkeypatch.setenv(name, filled(VARIABLES[name], indexes))
    root = write(tmp_path / "project", "", "pyproject.toml")
    answer = of_nixpy(root)
    assert answer == of_uv(root)
    assert answer != ORDINARY


@pytest.mark.parametrize("file", ["pyproject.toml", "uv.toml", "user"])
@pytest.mark.parametrize("settings", DEFAULT_INDEX)
def test_default_index_holds(
    settings: str, file: str, indexes: dict[str, SmallIndex], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another default index than PyPI is asked, and nothing but that."""
    monkeypatch.delenv("UV_DEFAULT_INDEX")
    root = write(tmp_path / "project", filled(settings, indexes), file)
    assert of_nixpy(root) == of_uv(root) == ORDINARY


def test_login_of_netrc_holds(indexes: dict[str, SmallIndex], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The login for an index may stand in netrc."""
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login user password hunter2\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    root = write(tmp_path / "project", filled('index = [{ url = "{guarded}" }]', indexes), "pyproject.toml")
    assert of_nixpy(root) == of_uv(root) == {"app": "1.0", "base": "5.0"}


def test_without_settings(tmp_path: Path) -> None:
    """Without settings the answer is the ordinary one, so that the test above can fail."""
    root = write(tmp_path / "project", "", "pyproject.toml")
    assert of_nixpy(root) == of_uv(root) == ORDINARY
