"""A package on several indexes: nixpy chooses the files that the installer of the project takes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import uv

from nixpy.core.errors import NetworkError
from nixpy.core.target import Target
from nixpy.index import pip_order
from nixpy.index.config_files import PipIndexes, UvIndexes
from nixpy.index.resolve import resolve
from nixpy.locks.model import ExtrasAndGroups
from nixpy.locks.pylock import PyLock
from nixpy.locks.requirements import RequirementsOptions, read
from nixpy.locks.select import select
from smallindex import SmallIndex, build_sdist, build_wheel

LINUX = "cp313-cp313-manylinux_2_28_x86_64"
WINDOWS = "cp313-cp313-win_amd64"
PURE = "py3-none-any"
# The versions and tags of each package on the first index and on the extra one.
PACKAGES: dict[str, tuple[Mapping[str, str], Mapping[str, str]]] = {
    "here-linux": ({"1.0": LINUX}, {"1.0": WINDOWS}),
    "there-linux": ({"1.0": WINDOWS}, {"1.0": LINUX}),
    "here-better": ({"1.0": LINUX}, {"1.0": PURE}),
    "there-better": ({"1.0": PURE}, {"1.0": LINUX}),
    "here-newer": ({"2.0": PURE}, {"1.0": PURE}),
    "there-newer": ({"1.0": PURE}, {"2.0": PURE}),
    "same": ({"1.0": PURE}, {"1.0": PURE}),
    "here-only": ({"1.0": LINUX}, {}),
    "there-only": ({}, {"1.0": LINUX}),
}


@pytest.fixture(scope="module")
def indexes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SmallIndex, SmallIndex]]:
    folders = [tmp_path_factory.mktemp(name) for name in ("first", "extra")]
    for name, places in PACKAGES.items():
        for folder, files in zip(folders, places, strict=True):
            for version, tag in files.items():
                build_wheel(folder, name, version, tag, files={f"{name}.py": folder.name})
    # A version of which one index has only an sdist.
    sdist = build_sdist(folders[1], "here-wheel", "1.0", files={"here_wheel-1.0/setup.py": b"raise SystemExit(1)"})
    assert sdist.exists()
    build_wheel(folders[0], "here-wheel", "1.0", LINUX)
    with SmallIndex(folders[0]) as first, SmallIndex(folders[1]) as extra:
        yield first, extra


@pytest.fixture(autouse=True)
def no_settings(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings of this machine, and a cache and a home of its own."""
    for name in list(os.environ):
        if name.startswith(("PIP_", "UV_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("UV_NO_SYSTEM_CONFIG", "1")
    monkeypatch.setenv("UV_PYTHON_DOWNLOADS", "never")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    monkeypatch.setenv("PATH", f"{Path(uv.find_uv_bin()).parent}{os.pathsep}{os.environ['PATH']}")


def project(folder: Path, indexes: tuple[SmallIndex, SmallIndex], names: list[str]) -> Path:
    """Write a requirements file with both indexes and return it."""
    path = folder / "requirements.txt"
    first, extra = indexes
    path.write_text("\n".join([f"--index-url {first.url}", f"--extra-index-url {extra.url}", *names]) + "\n")
    return path


def by_nixpy(path: Path, **options: Any) -> dict[str, str]:
    """Return the address of the wheel of each package that nixpy selects on x86_64-linux."""
    text = resolve([read(path)], root=path.parent, python="3.13", **options)
    target = Target(system="x86_64-linux", python="3.13.5", glibc=(2, 42))
    locked = select(PyLock.parse(text, path.with_name("pylock.toml")), [target], ExtrasAndGroups())
    assert locked.unavailable == ()
    return {wheel.name: wheel.file.url or "" for wheel in locked.wheels}


def by_pip(path: Path) -> dict[str, str]:
    """Return the address of the wheel of each package that pip installs there."""
    options = ["--dry-run", "--ignore-installed", "--quiet", "--report=-", "--only-binary=:all:"]
    system = ["--target", str(path.parent / "none"), "--python-version=3.13", "--platform=manylinux_2_28_x86_64"]
    command = [sys.executable, "-m", "pip", "install", *options, *system, "-r", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)["install"]
    return {one["metadata"]["name"]: one["download_info"]["url"] for one in found}


def by_uv(path: Path) -> dict[str, str]:
    """Return the version of each package that uv installs there."""
    system = ["--python-version=3.13", "--python-platform=x86_64-manylinux_2_28", "--only-binary=:all:"]
    command = [uv.find_uv_bin(), "pip", "compile", "-q", "--no-header", "--no-annotate", *system, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=path.parent)
    return dict(line.split("==") for line in done.stdout.split())


@pytest.mark.slow
def test_pip_joins_its_indexes(tmp_path: Path, indexes: tuple[SmallIndex, SmallIndex]) -> None:
    """With pip, the selected files are those that pip installs, also if each index has only some files of a version."""
    path = project(tmp_path, indexes, [*PACKAGES, "here-wheel"])
    assert by_nixpy(path, merge_indexes=True) == by_pip(path)


@pytest.mark.slow
def test_uv_takes_the_first_index(
    tmp_path: Path, indexes: tuple[SmallIndex, SmallIndex], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With uv, the versions are those that uv installs from the first index with the package, or with another
    `index-strategy` those of all indexes.
    """
    path = project(tmp_path, indexes, [name for name in PACKAGES if name != "here-linux"])
    newer = {}
    for strategy in ("first-index", "unsafe-best-match"):
        (tmp_path / "uv.toml").write_text(f'index-strategy = "{strategy}"\n')
        found = {name: url.rpartition("/")[2].split("-")[1] for name, url in by_nixpy(path).items()}
        assert found == by_uv(path)
        newer[strategy] = found["here-newer"]
    assert newer == {"first-index": "1.0", "unsafe-best-match": "2.0"}


@pytest.mark.slow
def test_an_index_that_refuses_access_is_named(tmp_path: Path, indexes: tuple[SmallIndex, SmallIndex]) -> None:
    """Uv skips an index that refuses access if it reads several; a package that is then not found is no misspelling."""
    with SmallIndex(tmp_path, auth=("user", "word")) as guarded:
        path = project(tmp_path, (indexes[0], guarded), ["elsewhere"])
        with pytest.raises(NetworkError, match="401") as error:
            by_nixpy(path, merge_indexes=True)
        assert guarded.url.split("/")[2] in str(error.value)


def options(*, index_url: str | None = None, extra: tuple[str, ...] = (), no_index: bool = False) -> Any:
    return RequirementsOptions(index_url=index_url, extra_index_urls=extra, no_index=no_index)


PYPI = "https://pypi.org/simple"
A, AB = PipIndexes(index_url="a"), PipIndexes(index_url="a", extra_index_urls=("b",))
ABC = PipIndexes(index_url="a", extra_index_urls=("b", "c"))


@pytest.mark.parametrize(
    ("pip", "uv_default", "files", "orders"),
    [
        (PipIndexes(), None, [], []),
        (PipIndexes(find_links=("/wheels",)), None, [options()], []),
        (A, None, [], [["a"]]),
        (ABC, "u", [], [["c", "b", "a"], ["b", "a", "c"], ["a", "c", "b"]]),
        (PipIndexes(extra_index_urls=("b",)), "u", [], [["b", "u"], ["u", "b"]]),
        (PipIndexes(), None, [options(extra=("b",))], [["b", PYPI], [PYPI, "b"]]),
        (AB, None, [options(index_url="c"), options(extra=("d",))], [["d", "c"], ["c", "d"]]),
        (PipIndexes(index_url="a", extra_index_urls=("a",)), None, [], [["a"]]),
        (A, None, [options(no_index=True)], []),
    ],
)  # fmt: skip
def test_orders_of_indexes(
    pip: PipIndexes, uv_default: str | None, files: list[RequirementsOptions], orders: list[list[str]]
) -> None:
    """The first order begins with the index that pip prefers for equal files, and each index is once the first."""
    found = pip_order.environments(pip, UvIndexes(default=uv_default), files)
    assert [[*one["UV_INDEX"].split(), one["UV_DEFAULT_INDEX"]] for one in found] == orders
    assert {one["UV_INDEX_STRATEGY"] for one in found} <= {"unsafe-best-match" if len(found) > 1 else "first-index"}


def test_files_are_joined_by_version() -> None:
    """Files of another version, of an address and of the same name are left out; an sdist is added if there is none."""
    one, two, third = {"url": "https://one/a-1-x.whl"}, {"url": "https://two/a-1-x.whl"}, {"path": "/b/a-1-y.whl"}
    sdist = {"url": "https://two/a-1.zip"}
    package: dict[str, Any] = {"name": "a", "version": "1", "wheels": [one]}
    other = {"name": "a", "version": "1", "sdist": sdist, "wheels": [two, third]}
    assert pip_order.with_files([package], [[package], [other]]) == [{**other, "wheels": [one, third]}]
    assert pip_order.with_files([package], [[other], [package]]) == [other]
    for untouched in ({**package, "version": "2"}, {**package, "archive": one}):
        assert pip_order.with_files([untouched], [[untouched], [other]]) == [untouched]


def test_each_version_is_pinned() -> None:
    """Every version of a package is pinned; a package of an address is not."""
    packages: list[dict[str, Any]] = [
        {"name": "a", "version": "1", "marker": "sys_platform == 'linux'"},
        {"name": "a", "version": "2", "marker": "sys_platform != 'linux'"},
        {"name": "c", "version": "1", "vcs": {}},
    ]
    assert pip_order.pins(packages) == ("a==1", "a==2")


@pytest.mark.slow
def test_forks_get_the_files_of_all_indexes(tmp_path: Path, indexes: tuple[SmallIndex, SmallIndex]) -> None:
    """Of two versions for different systems, each has the files of both indexes."""
    forks = ["here-better==1.0 ; sys_platform == 'linux'", "here-newer==2.0 ; sys_platform == 'linux'"]
    path = project(tmp_path, indexes, [*forks, "here-newer==1.0 ; sys_platform != 'linux'"])
    assert by_nixpy(path, merge_indexes=True) == by_pip(path)
