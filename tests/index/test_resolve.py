"""uv's answer for projects without a lock: complete, for every system, and without building anything unasked."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uv
from packaging.requirements import Requirement

from nixpy.core.errors import BuildNeededError, NixpyError
from nixpy.core.target import Target
from nixpy.core.toml_file import load_toml
from nixpy.core.toml_text import inline
from nixpy.index import resolve as module
from nixpy.index.resolve import find_uv, resolve
from nixpy.locks import pipfile
from nixpy.locks.model import ExtrasAndGroups
from nixpy.locks.pylock import PyLock
from nixpy.locks.requirements import read
from nixpy.project.dependencies import Dependencies
from smallindex import SmallIndex, build_sdist, build_wheel

pytestmark = pytest.mark.slow  # each test runs uv or several commands

LINUX = "cp312-cp312-manylinux_2_17_x86_64"
Packages = dict[str, dict[str, Any]]


def hostile_sdist(folder: Path, name: str, version: str, trap: Path) -> Path:
    """Write an sdist whose metadata is dynamic and whose build, which needs nothing installed, touches `trap`."""
    backend = f"open({str(trap)!r}, 'w').close()\nraise SystemExit(1)\n"
    project = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    info = f"Metadata-Version: 2.2\nName: {name}\nVersion: {version}\nDynamic: Requires-Dist\n"
    members = {"PKG-INFO": info, "pyproject.toml": project, "backend.py": backend}
    files = {f"{name}-{version}/{member}": text.encode() for member, text in members.items()}
    return build_sdist(folder, name, version, files=files)


def backend(name: str, ran: Path) -> str:
    """Return a build back end that touches `ran`, and says that the package requires `old`."""
    return f"""import pathlib
pathlib.Path({str(ran)!r}).touch()
def prepare_metadata_for_build_wheel(folder, settings=None):
    info = pathlib.Path(folder, "{name}-1.0.dist-info")
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\\nName: {name}\\nVersion: 1.0\\nRequires-Dist: old\\n")
    return info.name
get_requires_for_build_wheel = lambda settings=None: []
"""


def built_sdist(folder: Path, name: str, ran: Path, requires: str = "") -> None:
    """Write an sdist whose build requires `requires`, touches `ran` and says that the package requires `old`."""
    project = f'[build-system]\nrequires = [{requires}]\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    info = f"Metadata-Version: 2.2\nName: {name}\nVersion: 1.0\nDynamic: Requires-Dist\n"
    members = {"PKG-INFO": info, "pyproject.toml": project, "backend.py": backend(name, ran)}
    build_sdist(folder, name, "1.0", files={f"{name}-1.0/{member}": text.encode() for member, text in members.items()})


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder behind the index; `trap` beside it must never come to be."""
    folder = tmp_path_factory.mktemp("files") / "served"
    for version in ("1.0", "2.0"):
        extra = 'docs; extra == "fast"'
        requires = ["base>=1", "winonly; sys_platform == 'win32'", extra]
        build_wheel(folder, "app", version, requires=requires, extras=["fast"])
    for version in ("1.0", "2.0"):
        build_wheel(folder, "base", version)
    build_wheel(folder, "base", "2.0", LINUX)
    build_wheel(folder, "base", "3.0a1")
    for name in ("winonly", "docs", "old"):
        build_wheel(folder, name, "1.0")
    build_wheel(folder, "newest", "1.0", requires_python=">=3.14")
    build_wheel(folder, "wants-old-base", "1.0", requires=["base<2"])
    build_sdist(folder, "static", "1.0", requires=["docs"])
    build_wheel(folder, "needs-source", "1.0", requires=["opaque; sys_platform == 'darwin'", "docs"])
    hostile_sdist(folder, "opaque", "1.0", folder.parent / "trap")
    build_wheel(folder, "wants-other", "1.0", requires=["other"])
    hostile_sdist(folder, "other", "2.0", folder.parent / "trap")
    hostile_sdist(folder, "direct", "1.0", folder.parent / "trap")
    build_sdist(folder, "was-source", "1.0")
    build_sdist(folder, "was-source", "2.0", requires=["static"])
    build_wheel(folder, "was-source", "2.0", requires=["static"])
    build_sdist(folder, "static", "0.1")
    build_wheel(folder, "wants-old-static", "1.0", requires=["static<1"])
    build_sdist(folder, "torn", "1.0")
    hostile_sdist(folder, "torn", "2.0", folder.parent / "trap")
    build_wheel(folder, "torn", "2.0", requires=["base>=9"])
    build_wheel(folder, "both", "1.0", "cp312-cp312-win_amd64")
    build_sdist(folder, "both", "1.0")
    build_sdist(folder, "both", "2.0")
    for name, required in (("steps-back", "static"), ("steps-back-far", "opaque")):
        build_wheel(folder, name, "1.0")
        build_wheel(folder, name, "2.0", requires=[required])
    build_wheel(folder, "oldwindows", "1.0", "cp310-cp310-win_amd64")
    for version in ("1.0", "2.0"):
        build_wheel(folder, "windows", version, "cp312-cp312-win_amd64")
    built_sdist(folder, "willing", folder.parent / "willing-ran")
    built_sdist(folder, "wants-opaque", folder.parent / "wants-opaque-ran", '"opaque"')
    build_wheel(folder, "tried", "1.0")
    build_wheel(folder, "tried", "2.0", requires=["opaque", "base<2"])
    return folder


@pytest.fixture(scope="module")
def index(files: Path) -> Iterator[SmallIndex]:
    with SmallIndex(files) as running:
        yield running


@pytest.fixture(autouse=True)
def shut_in(
    index: SmallIndex,
    files: Path,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[None]:
    """Only our index, our cache and no settings of this machine; and after every test, nothing was built."""
    for name in list(os.environ):
        if name.startswith(("PIP_", "UV_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("UV_DEFAULT_INDEX", index.url)
    monkeypatch.setenv("UV_CACHE_DIR", str(files.parent / "cache"))
    monkeypatch.setenv("UV_NO_SYSTEM_CONFIG", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    monkeypatch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv("PATH", f"{Path(uv.find_uv_bin()).parent}{os.pathsep}{os.environ['PATH']}")
    yield
    assert not (files.parent / "trap").exists(), "a build was run"


def ask(root: Path, *requirements: str, python: str = "3.12", **options: Any) -> Packages:
    return parsed(resolve([Requirement(text) for text in requirements], root=root, python=python, **options))


def ask_file(root: Path, text: str, **options: Any) -> Packages:
    path = root / "requirements.txt"
    path.write_text(text)
    return parsed(resolve([read(path)], root=root, python="3.12", **options))


def parsed(text: str) -> Packages:
    """Return the packages by name, after the standard's own validation of the whole."""
    PyLock.parse(text, Path("/nowhere/pylock.toml"))
    return {package["name"]: package for package in tomllib.loads(text)["packages"]}


def versions(packages: Packages) -> dict[str, str]:
    return {name: package["version"] for name, package in packages.items()}


def filenames(package: dict[str, Any]) -> set[str]:
    return {wheel["url"].rpartition("/")[2] for wheel in package.get("wheels", ())}


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def put_before_uv(folder: Path, monkeypatch: pytest.MonkeyPatch, commands: str) -> None:
    """Make the uv on PATH a script that runs shell commands before the real one."""
    script = folder / "bin/uv"
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\n{commands}\nexec {uv.find_uv_bin()} "$@"\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(script.parent))


def test_every_system_in_one_answer(tmp_path: Path, files: Path) -> None:
    """The answer holds what each system installs, markers telling which, and every wheel with its true hash."""
    text = resolve([Requirement("app")], root=tmp_path, python="3.12")
    packages = parsed(text)
    assert versions(packages) == {"app": "2.0", "base": "2.0", "winonly": "1.0"}
    assert filenames(packages["base"]) == {"base-2.0-py3-none-any.whl", f"base-2.0-{LINUX}.whl"}
    for package in packages.values():
        for wheel in package["wheels"]:
            assert wheel["hashes"]["sha256"] == sha256(files / wheel["url"].rpartition("/")[2])
    target = Target(system="aarch64-linux", python="3.12.4", glibc=(2, 40))
    lock = PyLock.parse(text, tmp_path / "pylock.toml")
    assert [package.name for package in lock.packages(target, ExtrasAndGroups())] == ["app", "base"]


def test_extras_and_markers(tmp_path: Path) -> None:
    """Extras bring their dependencies, and a requirement's marker holds for what it brings."""
    packages = ask(tmp_path, "app[fast]; sys_platform == 'linux'")
    assert versions(packages) == {"app": "2.0", "base": "2.0", "docs": "1.0"}
    assert {package["marker"] for package in packages.values()} == {"sys_platform == 'linux'"}


def test_without_dependencies(tmp_path: Path) -> None:
    """`no_deps` resolves the named packages alone."""
    assert versions(ask(tmp_path, "app==1.0", no_deps=True)) == {"app": "1.0"}


def test_pipfile_lock_is_whole(tmp_path: Path) -> None:
    """Pipenv installs the packages of its lock without their dependencies, so none contradicts it or must be built."""
    path = tmp_path / "Pipfile.lock"
    pins = {"wants-old-base": "1.0", "base": "2.0", "opaque": "1.0"}
    packages = {name: {"version": f"=={version}"} for name, version in pins.items()}
    path.write_text(json.dumps({"_meta": {"pipfile-spec": 6}, "default": packages}))
    assert versions(parsed(resolve([pipfile.read(path)], root=tmp_path, python="3.12"))) == pins


def test_python_that_is_not_installed(tmp_path: Path) -> None:
    """A Python that exists nowhere on the machine is resolved for all the same, with its patch level or without."""
    assert versions(ask(tmp_path, "newest", python="3.14")) == {"newest": "1.0"}
    assert versions(ask(tmp_path, "newest", python="3.99.7")) == {"newest": "1.0"}
    with pytest.raises(NixpyError, match=r"newest.*Python"):
        ask(tmp_path, "newest", python="3.12")


def test_uv_is_kept_from_downloading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Downloads of Python are forbidden to uv, which runs with nixpy's own Python, though PATH holds none."""
    put_before_uv(tmp_path, monkeypatch, f'echo "$UV_PYTHON_DOWNLOADS" "$@" >> {tmp_path}/log')
    monkeypatch.setenv("UV_PYTHON_DOWNLOADS", "automatic")
    (tmp_path / "project").mkdir()
    (tmp_path / "project/.python-version").write_text("3.99\n")
    assert ask(tmp_path / "project", "newest", python="3.14")
    _, *runs = (tmp_path / "log").read_text().splitlines()
    assert runs
    for run in runs:
        assert run.startswith("never pip compile")
        assert f"--python {sys.executable} " in run


def test_preferences_are_kept(tmp_path: Path) -> None:
    """Known versions stay when the requirements grow, unless they no longer fit."""
    assert versions(ask(tmp_path, "app", "docs", preferences={"app": "1.0"}))["app"] == "1.0"
    assert versions(ask(tmp_path, "app>1", preferences={"app": "1.0", "gone": "7"}))["app"] == "2.0"


def test_constraints_and_prereleases(tmp_path: Path) -> None:
    """Constraint files limit versions without asking for packages; `--pre` lets pre-releases in."""
    (tmp_path / "c.txt").write_text("base<2\ndocs==7\n")
    assert versions(ask_file(tmp_path, "-c c.txt\napp\n"))["base"] == "1.0"
    assert versions(ask_file(tmp_path, "--pre\nbase\n")) == {"base": "3.0a1"}
    assert versions(ask_file(tmp_path, "--all-releases base\nbase\n")) == {"base": "3.0a1"}


def test_hashes_are_enforced(tmp_path: Path, files: Path) -> None:
    """Only files whose hash is listed stay; where none does, that is an error that names the package."""
    wanted = sha256(files / f"base-2.0-{LINUX}.whl")
    packages = ask_file(tmp_path, f"base==2.0 --hash=sha256:{wanted} --hash=sha256:{'0' * 64}\n")
    assert filenames(packages["base"]) == {f"base-2.0-{LINUX}.whl"}
    with pytest.raises(NixpyError, match="base"):
        ask_file(tmp_path, f"base==2.0 --hash=sha256:{'0' * 64}\n")


def test_no_binary_leaves_no_wheel(tmp_path: Path) -> None:
    """With `--no-binary` an installer builds: the wheels go; without an sdist that is an error."""
    packages = ask_file(tmp_path, "--no-binary both\nboth==1.0\nbase\n")
    assert "wheels" not in packages["both"]
    assert "sdist" in packages["both"]
    assert "wheels" in packages["base"]
    with pytest.raises(NixpyError, match="base"):
        ask_file(tmp_path, "--no-binary :all:\nbase\n")


def test_local_wheels_and_folders(tmp_path: Path, index: SmallIndex) -> None:
    """Local wheels, editables and addresses come out where they lie, with what they need."""
    build_wheel(tmp_path / "wheel house", "mine", "1.0", requires=["docs"])
    (tmp_path / "src").mkdir()
    (tmp_path / "src/pyproject.toml").write_text(
        '[project]\nname = "Own_Name"\nversion = "1"\ndependencies = ["base<2"]\n'
        '[project.optional-dependencies]\nx = ["old"]\n'
    )
    text = f"./wheel house/mine-1.0-py3-none-any.whl\n-e ./src[x]\n{index.file_url('winonly-1.0-py3-none-any.whl')}\n"
    packages = ask_file(tmp_path, text)
    assert packages.keys() == {"mine", "docs", "own-name", "base", "old", "winonly"}
    assert packages["mine"]["archive"]["path"] == str(tmp_path / "wheel house/mine-1.0-py3-none-any.whl")
    assert packages["own-name"]["directory"] == {"path": str(tmp_path / "src"), "editable": True}
    assert packages["winonly"]["archive"]["url"] == index.file_url("winonly-1.0-py3-none-any.whl")
    assert packages["base"]["version"] == "1.0"


def test_folder_with_dynamic_version(tmp_path: Path) -> None:
    """A project whose version only its build knows counts with its dependencies, under the line's marker."""
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "own"\ndynamic = ["version"]\ndependencies = ["base"]\n'
    )
    packages = ask_file(tmp_path, "own @ . ; sys_platform == 'linux'\n")
    assert versions(packages) == {"base": "2.0"}
    assert packages["base"]["marker"] == "sys_platform == 'linux'"


@pytest.mark.parametrize(
    "line", ["-e ./legacy", "./legacy", "name @ ./legacy", "./dynamic", "-e git+https://index.example/legacy.git"]
)
def test_folder_that_must_be_built(tmp_path: Path, files: Path, line: str) -> None:
    """A source tree that only setup.py describes is refused with its line, and setup.py is not run."""
    (tmp_path / "legacy").mkdir()
    (tmp_path / "dynamic").mkdir()
    (tmp_path / "dynamic/pyproject.toml").write_text('[project]\nname = "dynamic"\ndynamic = ["dependencies"]\n')
    (tmp_path / "legacy/setup.py").write_text(f"open({str(files.parent / 'trap')!r}, 'w').close()\n")
    with pytest.raises(NixpyError, match="must be built") as caught:
        ask_file(tmp_path, f"base\n{line}\n")
    assert (caught.value.path, caught.value.line) == (tmp_path / "requirements.txt", 2)
    assert "--allow-build" in str(caught.value.hint)
    with pytest.raises(NixpyError, match=r"so must `other @ ./legacy`") as caught:
        ask_file(tmp_path, f"base\n{line}\nother @ ./legacy\n")
    assert caught.value.line == 2


def test_missing_local_file(tmp_path: Path) -> None:
    """A path to nothing is an error with its line."""
    with pytest.raises(NixpyError, match="no such file") as caught:
        ask_file(tmp_path, "base\n./gone-1.0-py3-none-any.whl\n")
    assert caught.value.line == 2


def test_git_repository_has_no_version(tmp_path: Path) -> None:
    """The version of a package from a git repository is left out: a branch moves, and a build may name another."""
    tree = tmp_path / "tree"
    tree.mkdir()
    tree.joinpath("pyproject.toml").write_text('[project]\nname = "tree"\nversion = "1.5"\ndependencies = ["docs"]\n')
    author = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    for words in (("init", "-q"), ("add", "."), (*author, "commit", "-q", "-m", "first")):
        subprocess.run(["git", *words], cwd=tree, check=True)
    packages = ask(tmp_path, f"tree @ git+{tree.as_uri()}")
    assert packages["tree"].keys() == {"name", "vcs"}
    assert packages["docs"]["version"] == "1.0"


def test_sdist_with_static_metadata(tmp_path: Path) -> None:
    """A package of which there is only an sdist is listed with it, and its static dependencies are followed."""
    packages = ask(tmp_path, "static")
    assert versions(packages) == {"static": "1.0", "docs": "1.0"}
    assert packages["static"]["sdist"]["url"].endswith("static-1.0.tar.gz")
    assert not packages["static"].keys() & {"wheels", "archive"}


def test_sdist_that_must_be_built(tmp_path: Path) -> None:
    """An sdist with dynamic metadata is an error, since what it requires is not known; nothing of it is run."""
    with pytest.raises(NixpyError, match=r"^opaque 1\.0 has no wheel, and only a build") as caught:
        ask(tmp_path, "needs-source", "app")
    for remedy in ("--allow-build", "dependency-metadata"):
        assert remedy in (caught.value.hint or "")
    asked = dependencies(tmp_path, '[project]\nname = "own"\nversion = "1"\ndependencies = ["opaque"]\n')
    with pytest.raises(NixpyError, match=r"^opaque 1\.0 has no wheel") as caught:
        resolve(asked, root=tmp_path, python="3.12")
    assert "`uv lock`" in (caught.value.hint or "")
    with pytest.raises(NixpyError, match=r"^opaque 1\.0 has no wheel") as caught:
        ask_file(tmp_path, "opaque\n")
    assert f"`uv pip compile --universal {tmp_path}/requirements.txt -o {tmp_path}/pylock.toml`" in (
        caught.value.hint or ""
    )


def test_all_packages_that_must_be_built_are_named_at_once(tmp_path: Path, index: SmallIndex) -> None:
    """Whoever requires them, and whether an index or an address has them."""
    address = f"direct @ {index.file_url('direct-1.0.tar.gz')}"
    with pytest.raises(NixpyError, match=r"^direct, opaque 1\.0, other 2\.0 have no wheel") as caught:
        ask(tmp_path, "needs-source", "wants-other", address)
    assert "--allow-build" in (caught.value.hint or "")
    with pytest.raises(NixpyError, match=r"^direct has no wheel"):
        ask(tmp_path, address, no_deps=True)
    with pytest.raises(NixpyError, match=r"(?s)no version of opaque|opaque.*unsatisfiable"):
        ask(tmp_path, "opaque==1.0", "opaque==2.0")


def test_an_older_sdist_that_others_require(tmp_path: Path) -> None:
    """The sdist of an older version is the result if others require this version."""
    assert versions(ask(tmp_path, "wants-old-static")) == {"wants-old-static": "1.0", "static": "0.1"}


def test_no_older_version_because_it_has_a_wheel(tmp_path: Path) -> None:
    """The newest version that fits is the result, even if it or a dependency has only an sdist."""
    assert versions(ask(tmp_path, "both; sys_platform == 'linux'")) == {"both": "2.0"}
    assert versions(ask(tmp_path, "steps-back")) == {"steps-back": "2.0", "static": "1.0", "docs": "1.0"}
    with pytest.raises(NixpyError, match=r"^opaque 1\.0 has no wheel"):
        ask(tmp_path, "steps-back-far")
    assert versions(ask(tmp_path, "steps-back-far<2")) == {"steps-back-far": "1.0"}


def test_only_the_systems_of_the_project(tmp_path: Path) -> None:
    """A requirement for another system may have no wheel for this Python; without it, the rest is resolved."""
    target = Target(system="x86_64-linux", python="3.12.4", glibc=(2, 40))
    windows = "oldwindows==1.0; sys_platform == 'win32'"
    with pytest.raises(NixpyError, match="oldwindows"):
        ask(tmp_path, "base", windows)
    packages = ask(tmp_path, "base", windows, "docs; sys_platform == 'darwin'", targets=[target])
    assert versions(packages) == {"base": "2.0"}  # docs would be only for macOS
    both = [target, Target(system="aarch64-darwin", python="3.12.4", glibc=(2, 40))]
    packages = ask(tmp_path, "base", windows, "docs; sys_platform == 'darwin'", targets=both)
    assert versions(packages) == {"base": "2.0", "docs": "1.0"}
    assert ask_file(tmp_path, f"{windows}\n", targets=[target]) == {}


def test_versions_without_a_fitting_file(tmp_path: Path) -> None:
    """Two versions of a package, none with a file that fits its marker, are listed with the files that they have."""
    lines = ("windows==1.0; sys_platform == 'linux'", "windows==2.0; sys_platform == 'darwin'", "base")
    packages = tomllib.loads(resolve([Requirement(line) for line in lines], root=tmp_path, python="3.12"))["packages"]
    assert [(one["name"], one["version"], filenames(one)) for one in packages if one["name"] == "windows"] == [
        ("windows", version, {f"windows-{version}-cp312-cp312-win_amd64.whl"}) for version in ("1.0", "2.0")
    ]


def test_a_build_only_for_others(tmp_path: Path) -> None:
    """A package with dynamic metadata that only other systems or PyPy need is no error; one for a target is."""
    target = Target(system="x86_64-linux", python="3.12.4", glibc=(2, 40))
    lines = ("base", "opaque; implementation_name == 'pypy'", "other; platform_system == 'Windows'")
    assert versions(ask(tmp_path, *lines, targets=[target])) == {"base": "2.0"}
    with pytest.raises(BuildNeededError, match=r"^opaque 1\.0, other 2\.0 have no wheel"):
        ask(tmp_path, *lines)
    with pytest.raises(BuildNeededError, match=r"^opaque 1\.0 has no wheel"):
        ask(tmp_path, *lines, "opaque", targets=[target])


def test_one_version_from_two_places(tmp_path: Path, index: SmallIndex) -> None:
    """An address for one system and the index for the others are two wheels of the same version."""
    address = index.file_url(f"base-2.0-{LINUX}.whl")
    lines = (f"base @ {address} ; sys_platform == 'linux'", "base==2.0 ; sys_platform != 'linux'")
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "own"\nversion = "1"\ndependencies = ["base==2.0"]\n'
        f"[tool.uv.sources]\nbase = {{ url = {address!r}, marker = \"sys_platform == 'linux'\" }}\n"
    )
    path = tmp_path / "pyproject.toml"
    asked = Dependencies.from_pyproject(load_toml(path), path)
    for source in ([Requirement(line) for line in lines], asked):
        lock = PyLock.parse(resolve(source, root=tmp_path, python="3.12"), tmp_path / "pylock.toml")
        for system, files in (("x86_64-linux", {f"base-2.0-{LINUX}.whl"}), ("aarch64-darwin", None)):
            target = Target(system=system, python="3.12.4", glibc=(2, 40))
            (package,) = lock.packages(target, ExtrasAndGroups())
            found = {wheel.filename for wheel in package.wheels}
            assert found == files if files else "base-2.0-py3-none-any.whl" in found


def test_a_build_that_is_not_part_of_the_result(tmp_path: Path) -> None:
    """A version with dynamic metadata that does not fit for another reason is no error."""
    assert versions(ask(tmp_path, "tried", "base>=2")) == {"tried": "1.0", "base": "2.0"}


def test_no_variable_of_python_makes_a_build_run(tmp_path: Path, files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A standard library in PYTHONPATH, as in the checkout, does not let the Python of a build start."""
    (tmp_path / "lib/encodings").mkdir(parents=True)
    (tmp_path / "lib/encodings/__init__.py").write_text(f"open({str(files.parent / 'trap')!r}, 'w').close()\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "lib"))
    monkeypatch.setenv("PYTHONHOME", sys.base_prefix)
    with pytest.raises(NixpyError, match=r"^opaque 1\.0 has no wheel"):
        ask(tmp_path, "opaque")


def test_a_uv_that_builds_nevertheless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A uv that removes PYTHONHOME is refused before it reads any package."""
    put_before_uv(tmp_path, monkeypatch, f'unset PYTHONHOME; echo "$@" >> {tmp_path}/log')
    (tmp_path / "project").mkdir()
    with pytest.raises(NixpyError, match=r"cannot prevent uv [\d.]+ from building"):
        ask(tmp_path / "project", "opaque", allow_build=["willing"])
    with pytest.raises(NixpyError, match=r"cannot prevent uv [\d.]+ from building") as caught:
        ask(tmp_path / "project", "opaque")
    assert "uv lock" in str(caught.value.hint)
    assert "opaque" not in (tmp_path / "log").read_text()


def test_no_build_is_needed_where_no_dependencies_are_asked_for(tmp_path: Path) -> None:
    """With `no_deps` an sdist with dynamic metadata is listed with its marker; not built."""
    packages = ask(tmp_path, "opaque; sys_platform == 'darwin'", "static", "base", no_deps=True)
    assert versions(packages) == {"opaque": "1.0", "static": "1.0", "base": "2.0"}
    assert packages["opaque"].keys() == {"name", "version", "marker", "sdist"}
    assert packages["opaque"]["marker"] == "sys_platform == 'darwin'"
    assert versions(ask(tmp_path, "opaque", no_deps=True)) == {"opaque": "1.0"}


def test_dependency_metadata_replaces_a_build(tmp_path: Path) -> None:
    """What uv's setting `dependency-metadata` says of an sdist is followed."""
    (tmp_path / "uv.toml").write_text(
        '[[dependency-metadata]]\nname = "opaque"\nversion = "1.0"\nrequires-dist = ["old"]\n'
    )
    packages = ask(tmp_path, "opaque")
    assert versions(packages) == {"opaque": "1.0", "old": "1.0"}
    assert packages["opaque"]["sdist"]["url"].endswith("opaque-1.0.tar.gz")
    for table in ("tool.uv", "tool.uv.pip"):  # without a version it holds for each
        (tmp_path / "uv.toml").unlink(missing_ok=True)
        (tmp_path / "pyproject.toml").write_text(f'[[{table}.dependency-metadata]]\nname = "Opaque"\n')
        assert versions(ask(tmp_path, "opaque")) == {"opaque": "1.0"}


def test_a_package_of_which_old_versions_lack_a_wheel_keeps_its_wheels(tmp_path: Path) -> None:
    """Of the packages that uv names beside one without a wheel, only that one is taken from its sdist."""
    packages = ask(tmp_path, "was-source")
    assert versions(packages) == {"was-source": "2.0", "static": "1.0", "docs": "1.0"}
    assert filenames(packages["was-source"]) == {"was_source-2.0-py3-none-any.whl"}
    # The older version is an sdist with static metadata.
    assert versions(ask(tmp_path, "torn")) == {"torn": "1.0"}


def test_an_address_without_a_name_must_be_built(tmp_path: Path) -> None:
    """Where only a build tells the name of a package, the error has the line and says to write the name."""
    repository = tmp_path / "repository"
    repository.mkdir()
    (repository / "setup.py").write_text("raise SystemExit('built')\n")
    identity = {f"GIT_{who}_{what}": "a@b" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "x"]):
        subprocess.run(["git", "-C", repository, *command], check=True, env=os.environ | identity)
    with pytest.raises(NixpyError, match=r"name of the package in `git\+file:///") as caught:
        ask_file(tmp_path, f"base\ngit+file://{repository}\n")
    assert "--allow-build" in (caught.value.hint or "")
    with pytest.raises(NixpyError, match=r"^legacy has no wheel"):
        ask_file(tmp_path, f"base\nlegacy @ git+file://{repository}\n")


def test_built_with_leave(tmp_path: Path, files: Path) -> None:
    """`allow_build` runs the build, whose failure is then uv's to tell."""
    with pytest.raises(NixpyError, match="Failed to build `opaque==1"):
        ask(tmp_path, "opaque", allow_build=True)
    (files.parent / "trap").unlink()


def test_the_build_of_one_package_is_allowed(tmp_path: Path, files: Path) -> None:
    """The build of the package that the user names runs; that of another package in the same resolution does not."""
    ran = files.parent / "willing-ran"
    with pytest.raises(BuildNeededError, match=r"^opaque 1\.0, willing 1\.0 have no wheel") as caught:
        ask(tmp_path, "willing", "opaque")
    assert caught.value.packages == ("opaque", "willing")
    assert "`--allow-build-of opaque --allow-build-of willing`" in str(caught.value.hint)
    assert not ran.exists()
    with pytest.raises(BuildNeededError, match=r"^opaque 1\.0 has no wheel") as caught:
        ask(tmp_path, "willing", "opaque", allow_build=["Willing"])
    assert caught.value.packages == ("opaque",)
    assert ran.exists()
    assert versions(ask(tmp_path, "willing", allow_build=["willing"])) == {"willing": "1.0", "old": "1.0"}


def test_an_allowed_build_that_requires_another(tmp_path: Path, files: Path) -> None:
    """What the build of an allowed package requires is not built; the error names it."""
    with pytest.raises(BuildNeededError, match=r"^opaque 1\.0 has no wheel"):
        ask(
            tmp_path, "wants-opaque", "direct @ " + (files / "direct-1.0.tar.gz").as_uri(), allow_build=["wants-opaque"]
        )
    assert not (files.parent / "wants-opaque-ran").exists()
    with pytest.raises(NixpyError, match="Failed to build `opaque==1"):
        ask(tmp_path, "opaque", allow_build=["opaque"])  # its build fails
    (files.parent / "trap").unlink()


def test_a_folder_whose_build_is_allowed(tmp_path: Path) -> None:
    """A source tree with a name in its line is built if the user allows it by this name."""
    (tmp_path / "legacy").mkdir()
    (tmp_path / "legacy/pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    )
    (tmp_path / "legacy/backend.py").write_text("raise SystemExit('it ran')\n")
    with pytest.raises(NixpyError, match="must be built"):
        ask_file(tmp_path, "legacy @ ./legacy\n", allow_build=["other"])
    with pytest.raises(NixpyError, match="it ran"):
        ask_file(tmp_path, "legacy @ ./legacy\n", allow_build=["legacy"])


def test_sdist_next_to_wheels_that_do_not_fit(tmp_path: Path) -> None:
    """The sdist of a version is part of the result, for systems that its wheels do not fit."""
    packages = ask(tmp_path, "both==1.0; sys_platform == 'linux'")
    assert packages["both"]["version"] == "1.0"
    assert packages["both"]["sdist"]["url"].endswith("both-1.0.tar.gz")


def dependencies(root: Path, text: str) -> Dependencies:
    path = root / "pyproject.toml"
    path.write_text(text)
    return Dependencies.from_pyproject(load_toml(path), path)


def test_pyproject(tmp_path: Path) -> None:
    """Dependencies, chosen extras and default groups are asked for; the project itself is no part of the answer."""
    asked = dependencies(
        tmp_path,
        '[project]\nname = "own"\nversion = "1"\ndependencies = ["base"]\n'
        '[project.optional-dependencies]\nx = ["own[y]"]\ny = ["old"]\n[dependency-groups]\ndev = ["docs"]\n',
    )
    plain = parsed(resolve(asked, root=tmp_path, python="3.12"))
    assert plain.keys() == {"base", "docs"}
    extras_and_groups = ExtrasAndGroups(extras=frozenset({"x"}), groups=frozenset())  # type: ignore[arg-type]
    assert parsed(resolve(asked, root=tmp_path, python="3.12", extras_and_groups=extras_and_groups)).keys() == {
        "base",
        "old",
    }


def test_pyproject_with_sources(tmp_path: Path) -> None:
    """`[tool.uv.sources]` hold: a dependency comes from the folder that the table names."""
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib/pyproject.toml").write_text('[project]\nname = "base"\nversion = "9"\ndependencies = ["old"]\n')
    asked = dependencies(
        tmp_path,
        '[project]\nname = "own"\ndynamic = ["version"]\ndependencies = ["base"]\n[dependency-groups]\ndev = ["docs"]\n'
        '[tool.uv.sources]\nbase = { path = "lib" }\n',
    )
    packages = parsed(resolve(asked, root=tmp_path, python="3.12"))
    assert packages.keys() == {"base", "old", "docs"}
    assert packages["base"]["directory"]["path"] == str(tmp_path / "lib")


def test_a_path_dependency_that_must_be_built(tmp_path: Path) -> None:
    """Only uv reads its sources, so the first remedy is its lock. Elsewhere it is the build of this package."""
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib/pyproject.toml").write_text(
        '[project]\nname = "lib"\nversion = "1"\ndynamic = ["dependencies"]\n'
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    )
    (tmp_path / "lib/backend.py").write_text(backend("lib", tmp_path / "ran"))
    text = '[project]\nname = "own"\nversion = "1"\ndependencies = ["lib", "opaque"]\n'
    source = dependencies(tmp_path, text + '[tool.uv.sources]\nlib = { path = "lib" }\n')
    with pytest.raises(BuildNeededError, match=r"^opaque 1\.0 has no wheel"):
        resolve(source, root=tmp_path, python="3.12", allow_build=["lib"])
    assert (tmp_path / "ran").exists()
    (tmp_path / "ran").unlink()
    (tmp_path / "lib/backend.py").write_text(f"{backend('lib', tmp_path / 'ran')}\n")  # uv builds what changed
    with pytest.raises(BuildNeededError, match=r"^lib, opaque 1\.0 have no wheel") as caught:
        resolve(source, root=tmp_path, python="3.12")
    assert not (tmp_path / "ran").exists()
    assert str(caught.value.hint).startswith(
        "Lock with `uv lock`; allow it with `--allow-build-of lib --allow-build-of"
    )
    with pytest.raises(BuildNeededError) as caught:
        ask(tmp_path, "opaque")
    assert str(caught.value.hint).startswith("Allow it with `--allow-build-of opaque`, which runs its code")


def test_project_settings_of_uv_hold(tmp_path: Path) -> None:
    """Constraints in `[tool.uv]` limit what is chosen."""
    asked = dependencies(
        tmp_path,
        '[project]\nname = "own"\nversion = "1"\ndependencies = ["app"]\n'
        '[tool.uv]\nconstraint-dependencies = ["base<2"]\n',
    )
    assert versions(parsed(resolve(asked, root=tmp_path, python="3.12")))["base"] == "1.0"


def test_index_options_of_the_file(tmp_path: Path, files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A requirements file's own index and links are used, and `--no-index` leaves links alone."""
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:9/simple")
    packages = ask_file(tmp_path, f"--no-index\n--find-links {files}\nbase<2\nstatic\n")
    assert versions(packages) == {"base": "1.0", "static": "1.0", "docs": "1.0"}


def test_index_with_credentials(tmp_path: Path, files: Path) -> None:
    """Credentials in a file's index URL are used, and no error shows them, expanded or written."""
    with SmallIndex(files, auth=("user", "hunter2")) as guarded:
        assert versions(ask_file(tmp_path, f"-i {guarded.url_with_credentials}\ndocs\n")) == {"docs": "1.0"}
        wrong = guarded.url.replace("http://", "http://user:${TOKEN}@")
        (tmp_path / "requirements.txt").write_text(f"-i {wrong}\nold\nx @ {wrong}x-1.0-py3-none-any.whl\n")
        file = read(tmp_path / "requirements.txt", environ={"TOKEN": "s3cret"})
        with pytest.raises(NixpyError) as caught:
            resolve([file], root=tmp_path, python="3.12")
    assert "s3cret" not in f"{caught.value}{caught.value.hint}"
    assert caught.value.hint
    assert "credentials" in caught.value.hint


def test_short_credentials_are_hidden_in_addresses_only(tmp_path: Path, index: SmallIndex) -> None:
    """A user and a password of one letter are hidden where they are in an address, and the letters of words stay."""
    address = index.url.replace("http://", "http://${U}:${P}@")
    (tmp_path / "requirements.txt").write_text(f"-i {address}\nnothere\n")
    file = read(tmp_path / "requirements.txt", environ={"U": "a", "P": "e"})
    with pytest.raises(NixpyError) as caught:
        resolve([file], root=tmp_path, python="3.12")
    assert "nothere was not found in the package registry" in str(caught.value)
    assert "a:e@" not in str(caught.value)
    assert "${" not in str(caught.value).replace("${U}", "").replace("${P}", "")


@pytest.mark.parametrize("address", ["//user:hunter2@host.example/links", "//hunter2@host.example/links"])
@pytest.mark.parametrize("place", ["uv.toml", "requirements.txt"])
def test_login_without_a_scheme(tmp_path: Path, address: str, place: str) -> None:
    """A login in an address without a scheme, which uv reads as a folder, is in no error."""
    (tmp_path / "requirements.txt").write_text("base\n" + f"--find-links {address}\n" * (place == "requirements.txt"))
    if place == "uv.toml":
        (tmp_path / place).write_text(f'find-links = ["{address}"]\n')
    with pytest.raises(NixpyError) as caught:
        resolve([read(tmp_path / "requirements.txt")], root=tmp_path, python="3.12")
    assert "***@host.example/links" in str(caught.value)
    assert "hunter2" not in f"{caught.value}{caught.value.hint}"


def test_unsatisfiable(tmp_path: Path) -> None:
    """Requirements that exclude each other are an error with uv's reason, and nothing about warnings."""
    with pytest.raises(NixpyError, match=r"wants-old-base") as caught:
        ask(tmp_path, "wants-old-base", "base>=2")
    assert caught.value.hint
    assert "warning" not in caught.value.message
    target = Target(system="x86_64-linux", python="3.12.4", glibc=(2, 40))
    for targets in ([], [target]):
        with pytest.raises(NixpyError, match=r"nowhere-to-be-found\b(?!\{)") as caught:
            ask(tmp_path, "nowhere-to-be-found", targets=targets)
        assert "spelling" in str(caught.value.hint)


def test_offline(tmp_path: Path, index: SmallIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    """Offline, uv asks no server: what the cache holds is resolved, the rest is an error that says so."""
    ask(tmp_path, "docs")
    before = len(index.requests)
    assert versions(ask(tmp_path, "docs", offline=True)) == {"docs": "1.0"}
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "empty"))
    with pytest.raises(NixpyError) as caught:
        ask(tmp_path, "docs", offline=True)
    assert "--offline" in str(caught.value.hint)
    assert len(index.requests) == before


def test_no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that does not answer is told from requirements that do not fit."""
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "empty"))
    with pytest.raises(NixpyError) as caught:
        ask(tmp_path, "docs")
    assert "network" in str(caught.value.hint)


def script(folder: Path, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / "uv"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_which_uv(tmp_path: Path) -> None:
    """The uv on PATH is taken where it starts and is new enough, else the one of the extra."""
    project = tmp_path / "project"
    good = script(tmp_path / "good", "echo 'uv 99.1.2 (abc 2030-01-01)'")
    assert find_uv({"PATH": str(good.parent)}, project=project).path == good
    packaged = Path(uv.find_uv_bin())
    for text in ("exit 127", "echo 'uv 0.4.1'", "echo what"):
        assert find_uv({"PATH": str(script(tmp_path / "bad", text).parent)}, project=project).path == packaged
    (tmp_path / "bad/uv").write_bytes(b"\x7fELF, but not for here")
    assert find_uv({"PATH": str(tmp_path / "bad")}, project=project).path == packaged
    assert find_uv({}, project=project).path == packaged


def test_no_uv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any uv the error says how to get one, and why one that is there will not do."""
    monkeypatch.setitem(sys.modules, "uv", None)
    old = script(tmp_path / "old", "echo 'uv 0.4.1'")
    with pytest.raises(NixpyError, match=r"uv 0\.4\.1") as caught:
        find_uv({"PATH": str(old.parent)}, project=tmp_path / "project")
    assert "nixpkgs#uv" in str(caught.value.hint)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NixpyError, match="no uv"):
        ask(tmp_path, "base")


def test_interrupt_ends_uv(tmp_path: Path) -> None:
    """An interrupt of nixpy alone leaves no uv behind, nor the folder with what it was given."""
    # It waits, or the interrupt may come while Python still starts it, and knows of no process to end.
    script(
        tmp_path / "bin",
        f'case "$1" in --version) echo "uv 99.0";; *) sleep 0.5; echo $$ > {tmp_path}/pid; exec sleep 60;; esac',
    )
    (tmp_path / "tmp").mkdir()
    (tmp_path / "project").mkdir()
    program = (
        # In a background job, SIGINT is ignored from birth.
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from pathlib import Path; from packaging.requirements import Requirement\n"
        "from nixpy.index.resolve import resolve\n"
        f"resolve([Requirement('base')], root=Path({str(tmp_path / 'project')!r}), python='3.12')"
    )
    environment = os.environ | {
        "PATH": f"{tmp_path}/bin{os.pathsep}{os.environ['PATH']}",
        "TMPDIR": str(tmp_path / "tmp"),
        "PYTHONPATH": str(Path(module.__file__).parents[1]),
    }
    with subprocess.Popen([sys.executable, "-c", program], env=environment, stderr=subprocess.PIPE) as process:
        wait_for(lambda: (tmp_path / "pid").is_file() and (tmp_path / "pid").read_text().strip().isdigit())
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
    assert b"KeyboardInterrupt" in errors
    child = Path("/proc") / (tmp_path / "pid").read_text().strip()
    assert not child.exists() or "Z" in (child / "stat").read_text()
    assert list((tmp_path / "tmp").iterdir()) == []


def wait_for(condition: Callable[[], bool]) -> None:
    import time

    for _ in range(500):
        if condition():
            return
        time.sleep(0.02)
    pytest.fail("it did not come to that in time")


def test_text_is_toml() -> None:
    """Whatever characters a path holds, the answer is TOML that holds it unchanged."""
    value = {"name": 'q"\\\x7f\x01é😀\n', "list": [1, True, {"a b": "c"}, []]}
    assert tomllib.loads(f"x = {inline(value)}")["x"] == value


def test_nothing_asked_for_is_nothing(tmp_path: Path) -> None:
    """A project without dependencies resolves to an empty lock, without asking uv."""
    text = resolve([], root=tmp_path, python="3.13")
    assert PyLock.parse(text, tmp_path / "pylock.toml").document.packages == []
