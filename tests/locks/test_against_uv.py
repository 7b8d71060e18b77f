"""What we select from a lock is what the real uv installs from it, also for machines that are not this one."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from packaging.utils import NormalizedName

from nixpy.core.errors import NixpyError
from nixpy.core.target import Target
from nixpy.locks import formats
from nixpy.locks.model import ExtrasAndGroups, Lock, Locked
from nixpy.locks.pylock import PyLock
from nixpy.locks.select import select
from realuv import RealUv, file_keys
from smallindex import SmallIndex, build_sdist, build_wheel

pytestmark = pytest.mark.slow  # uv runs for each case

TARGETS = [
    Target(system=system, python=python, glibc=glibc)
    for system, glibc in (("x86_64-linux", (2, 28)), ("aarch64-linux", (2, 40)), ("aarch64-darwin", (2, 40)))
    for python in ("3.11.9", "3.13.2")
]
NAMES = [f"{target.system}-{target.short_python}" for target in TARGETS]

BINARY_TAGS = [
    "cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64",
    "cp311-cp311-manylinux_2_34_x86_64",
    "cp311-cp311-manylinux_2_28_aarch64",
    "cp311-cp311-manylinux_2_34_aarch64",
    "cp311-cp311-musllinux_1_2_x86_64",
    "cp311-cp311-win_amd64",
    "cp311-abi3-manylinux_2_28_x86_64",
    "cp310-abi3-manylinux_2_17_aarch64",
    "cp39-cp39-manylinux1_x86_64",
    "cp313-cp313t-manylinux_2_28_x86_64",
    "cp313-cp313-macosx_11_0_arm64",
    "cp313-cp313-macosx_14_0_arm64",
    "cp313-cp313-macosx_26_0_arm64",
    "cp311-cp311-macosx_10_9_universal2",
    "cp311-cp311-macosx_10_9_x86_64",
    "py3-none-any",
]


def build_packages(folder: Path) -> None:
    for tag in BINARY_TAGS:
        build_wheel(folder, "binary", "1.0", tag, requires=["helper", "nested[deep]>=1"])
    build_sdist(folder, "binary", "1.0", ["helper", "nested[deep]>=1"])
    for tag in ("linux_x86_64", "manylinux_2_17_x86_64", "manylinux_2_5_x86_64", "any"):
        build_wheel(folder, "homemade", "1.0", f"py3-none-{tag}")
    for build in ("", "1", "2", "10", "9b"):
        build_wheel(folder, "rebuilt", "1.0", "py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64", build=build)
    for build in ("", "3"):
        build_wheel(folder, "rebuilt", "1.0", build=build)
    build_wheel(
        folder,
        "nested",
        "1.0",
        requires=["leaf; extra == 'deep'", "nested[deeper]; extra == 'deep'", "bottom; extra == 'deeper'"],
        extras=["deep", "deeper"],
    )
    build_wheel(
        folder,
        "helper",
        "1.0",
        requires=[
            "only-linux; sys_platform == 'linux'",
            "only-mac; platform_system == 'Darwin' and platform_machine == 'arm64'",
            "only-arm; platform_machine == 'aarch64'",
            "backport; python_version < '3.12'",
            "modern; python_full_version >= '3.13.0' and implementation_name == 'cpython'",
            "windows; os_name == 'nt'",
        ],
    )
    for name in ("leaf", "bottom", "only-linux", "only-mac", "only-arm", "backport", "modern", "windows", "tool"):
        build_wheel(folder, name, "1.0")
    for version in ("1.0", "2.0", "3.0"):
        build_wheel(folder, "forked", version, requires=["leaf" if version == "1.0" else "bottom"])
        build_wheel(folder, "wrap", version, requires=["forked"])
    build_wheel(folder, "torch", "1.0+cpu")
    build_wheel(folder, "torch", "1.0", requires=["leaf"])
    build_wheel(folder, "vision", "1.0", requires=["torch"])


def project(name: str, body: str) -> str:
    return f'[project]\nname = "{name}"\nversion = "0.1"\nrequires-python = ">=3.11"\n{body}'


PROJECTS: dict[str, dict[str, str]] = {
    "plain": {
        "pyproject.toml": project(
            "plain",
            """
dependencies = ["binary", "homemade", "rebuilt ; sys_platform != 'win32'"]
[project.optional-dependencies]
extra-one = ["tool"]
all = ["plain[extra-one]", "forked"]
[dependency-groups]
dev = ["wrap<3"]
docs = [{include-group = "dev"}, "nested"]
""",
        )
    },
    "forks": {
        "pyproject.toml": project(
            "forks",
            """
dependencies = [
  "forked<2 ; sys_platform == 'linux'",
  "forked>=2,<3 ; sys_platform == 'darwin' and python_version < '3.12'",
  "forked>=3 ; sys_platform == 'darwin' and python_version >= '3.12'",
  "wrap<2 ; platform_machine == 'aarch64'",
  "wrap>=2 ; platform_machine != 'aarch64'",
]
[dependency-groups]
dev = ["tool"]
test = ["bottom"]
[tool.uv]
default-groups = ["test"]
""",
        )
    },
    "conflicts": {
        "pyproject.toml": project(
            "conflicts",
            """
dependencies = ["vision", "leaf"]
[project.optional-dependencies]
cpu = ["torch==1.0+cpu"]
cuda = ["torch==1.0"]
[dependency-groups]
old = ["forked<2", "wrap==1.0"]
new = ["forked>=3", "wrap==3.0"]
[tool.uv]
conflicts = [[{extra = "cpu"}, {extra = "cuda"}], [{group = "old"}, {group = "new"}]]
default-groups = []
""",
        )
    },
    "workspace": {
        "pyproject.toml": project(
            "top",
            """
dependencies = ["member[fast]"]
[dependency-groups]
dev = ["tool"]
docs = ["bottom"]
[tool.uv.workspace]
members = ["packages/*"]
[tool.uv.sources]
member = {workspace = true}
""",
        ),
        "packages/member/pyproject.toml": project(
            "member",
            """
dependencies = ["forked<3"]
[project.optional-dependencies]
fast = ["binary"]
[dependency-groups]
dev = ["wrap"]
[build-system]
requires = ["no-such-backend"]
build-backend = "no_such_backend"
""",
        ),
        "packages/other/pyproject.toml": project("other", 'dependencies = ["rebuilt"]\n'),
    },
    "virtual": {
        "pyproject.toml": """
[tool.uv.workspace]
members = ["a", "b"]
[dependency-groups]
dev = ["tool"]
more = ["wrap ; platform_machine == 'aarch64'"]
""",
        "a/pyproject.toml": project(
            "a", 'dependencies = ["binary"]\n[project.optional-dependencies]\nx = ["forked"]\n'
        ),
        "b/pyproject.toml": project(
            "b",
            'dependencies = ["leaf"]\n[dependency-groups]\ndev = ["rebuilt"]\nown = ["bottom"]\n'
            '[tool.uv]\ndefault-groups = ["own"]\n',
        ),
    },
    "rivals": {
        "pyproject.toml": """
[tool.uv.workspace]
members = ["a", "b"]
[tool.uv]
conflicts = [[{package = "a"}, {package = "b", extra = "q"}]]
""",
        "a/pyproject.toml": project("a", 'dependencies = ["forked==1.0", "binary"]\n'),
        "b/pyproject.toml": project(
            "b", 'dependencies = ["tool"]\n[project.optional-dependencies]\nq = ["forked==2.0"]\n'
        ),
    },
    "sources": {
        "pyproject.toml": project(
            "sources",
            """
dependencies = ["by-path", "by-address", "in-folder", "in-flat", "leaf"]
[tool.uv]
find-links = ["../flat"]
[tool.uv.sources]
by-path = {path = "../wheels/by_path-1.0-cp311-abi3-manylinux_2_17_x86_64.whl"}
by-address = {url = "ADDRESS"}
in-folder = {index = "folder"}
[[tool.uv.index]]
name = "folder"
url = "../folder"
format = "flat"
explicit = true
""",
        )
    },
}

CASES = [
    # folder, extras, groups (None: the default ones), and the same in uv's words
    ("plain", "", None, ""),
    ("plain", "all", None, "--extra all"),
    ("plain", "", "", "--no-default-groups"),
    ("plain", "extra-one", "docs", "--extra extra-one --no-default-groups --group docs"),
    ("forks", "", None, ""),
    ("conflicts", "", None, ""),
    ("conflicts", "cpu", None, "--extra cpu"),
    ("conflicts", "cuda", "old", "--extra cuda --group old"),
    ("conflicts", "", "new", "--group new"),
    ("workspace", "", None, "--all-packages"),
    ("workspace/packages/member", "fast", None, "--extra fast"),
    ("workspace/packages/other", "", None, ""),
    ("virtual", "", None, ""),
    ("virtual", "x", "more", "--extra x --no-default-groups --group more"),
    ("rivals", "", None, ""),
    ("rivals/a", "", None, ""),
    ("rivals/b", "q", None, "--extra q"),
]

# The same for workspaces: a folder may be followed by the members that are chosen.
MEMBERS = [
    ("workspace", "", None, "--all-packages"),
    ("workspace", "fast", "docs", "--all-packages --extra fast --no-default-groups --group docs"),
    ("workspace:top", "", None, ""),
    ("workspace:top", "", None, "--package top"),
    ("workspace:member", "", None, "--package member"),
    ("workspace:other", "", "docs", "--package other --no-default-groups --group docs"),
    ("workspace:member other", "", None, "--package member --package other"),
    ("workspace/packages/member", "", None, ""),
    ("workspace/packages/other", "", None, ""),
    ("workspace/packages/other", "", "dev docs", "--no-default-groups --group dev --group docs"),
    ("workspace/packages/member", "", "dev docs", "--no-default-groups --group dev --group docs"),
    ("virtual", "", None, ""),
    ("virtual", "", None, "--all-packages"),
    ("virtual:a", "", None, "--package a"),
    ("virtual:b", "", None, "--package b"),
    ("virtual:a b", "x", None, "--package a --package b --extra x"),
    ("virtual:a", "", "dev", "--package a --no-default-groups --group dev"),
    ("virtual:b", "", "dev more", "--package b --no-default-groups --group dev --group more"),
    ("virtual/a", "", None, ""),
    ("virtual/b", "", None, ""),
    ("virtual/b", "", "own more", "--no-default-groups --group own --group more"),
]


def names(text: str | None) -> frozenset[NormalizedName] | None:
    return None if text is None else frozenset(map(NormalizedName, text.split()))


def extras_and_groups(extras: str, groups: str | None, members: str | None = None) -> ExtrasAndGroups:
    return ExtrasAndGroups(extras=names(extras) or frozenset(), groups=names(groups), members=names(members))


@dataclass(frozen=True)
class World:
    """An index that is being served, with the projects that real uv locked against it."""

    index: SmallIndex
    root: Path

    def uv(self, name: str) -> RealUv:
        """Return uv in the folder of a project."""
        return RealUv(folder=self.root / name, index_url=self.index.url, cache=self.root / "cache")

    def lock(self, name: str) -> Lock:
        """Return the lock that nixpy finds for a project or member."""
        path = formats.find(self.root / name)
        assert path is not None
        return formats.read(path, self.root / name)

    def keys(self, locked: Locked) -> frozenset[str]:
        """Return what tells the selected wheels from all others, read from the files themselves."""
        assert not locked.unavailable
        files = (
            path for folder in ("index", "wheels", "flat", "folder") for path in (self.root / folder).glob("*.whl")
        )
        by_file = file_keys(files)
        return frozenset(by_file[wheel.file.filename] for wheel in locked.wheels)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    root = tmp_path_factory.mktemp("world")
    build_packages(root / "index")
    build_wheel(root / "wheels", "by-path", "1.0", "cp311-abi3-manylinux_2_17_x86_64", requires=["tool"])
    build_wheel(root / "index", "by-address", "1.0+local.1", "cp311-cp311-manylinux_2_17_x86_64")
    for name in ("in-folder", "in-flat"):
        for tag in ("py3-none-any", "cp311-cp311-manylinux_2_17_x86_64"):
            build_wheel(root / name.removeprefix("in-"), name, "1.0", tag)
    with SmallIndex(root / "index") as index:
        world = World(index, root)
        for name, files in PROJECTS.items():
            for path, text in files.items():
                (root / name / path).parent.mkdir(parents=True, exist_ok=True)
                address = index.file_url("by_address-1.0+local.1-cp311-cp311-manylinux_2_17_x86_64.whl")
                (root / name / path).write_text(text.replace("ADDRESS", address))
            world.uv(name).run("lock")
        yield world


@pytest.mark.parametrize(("name", "extras", "groups", "arguments"), CASES)
def test_uv_lock_selects_what_uv_installs(
    world: World, name: str, extras: str, groups: str | None, arguments: str
) -> None:
    """For every choice of extras and groups, on every target, we take the very wheels that uv installs there."""
    lock, wanted = world.lock(name), extras_and_groups(extras, groups)
    requirements = world.uv(name).export(*arguments.split())
    for target in TARGETS:
        ours = world.keys(select(lock, [target], wanted))
        assert ours == world.uv(name).installed(requirements, target), target


@pytest.mark.parametrize(("name", "extras", "groups", "arguments"), CASES)
def test_exported_pylock_selects_the_same(
    world: World, name: str, extras: str, groups: str | None, arguments: str
) -> None:
    """The pylock.toml that uv exports for a choice means to us what the uv.lock means."""
    text = world.uv(name).run("export", "--frozen", "--format", "pylock.toml", *arguments.split())
    pylock = PyLock.parse(text, world.root / name / "pylock.toml")
    expected = select(world.lock(name), TARGETS, extras_and_groups(extras, groups))
    assert world.keys(select(pylock, TARGETS, ExtrasAndGroups())) == world.keys(expected)


def test_files_from_elsewhere(world: World) -> None:
    """Wheels from a path, an address, a folder and a flat index are selected, and lie where uv took them from."""
    target = Target(system="x86_64-linux", python="3.11.9", glibc=(2, 28))
    uv = world.uv("sources")
    locked = select(world.lock("sources"), [target], ExtrasAndGroups())
    folders = ("--find-links", "../flat", "--find-links", "../folder")
    assert world.keys(locked) == uv.installed(uv.export(), target, *folders)
    places = {str(wheel.name): wheel.file.path or wheel.file.url for wheel in locked.wheels}
    assert {name for name, place in places.items() if isinstance(place, Path)} == {"by-path", "in-folder", "in-flat"}
    assert all(place.is_file() for place in places.values() if isinstance(place, Path))
    assert f"by-address @ {places['by-address']}" in uv.export()


def test_universal_resolution_selects_what_uv_installs(world: World) -> None:
    """What uv resolves for all systems at once, without a project, means the same to us as to uv."""
    uv = world.uv("plain")
    asked = (
        "binary\nforked<3; sys_platform == 'linux'\nforked; sys_platform != 'linux'\nrebuilt; sys_platform != 'win32'"
    )
    text = uv.run("pip", "compile", "--universal", "--format", "pylock.toml", "-", text=asked)
    pylock = PyLock.parse(text, uv.folder / "pylock.toml")
    requirements = uv.run("pip", "compile", "--universal", "--generate-hashes", "-", text=asked)
    for target in TARGETS:
        assert world.keys(select(pylock, [target], ExtrasAndGroups())) == uv.installed(requirements, target), target


@pytest.mark.parametrize(
    ("name", "extras", "groups", "arguments"), [("plain", "", None, ""), ("forks", "", None, ""), *MEMBERS]
)
def test_this_machine_agrees_with_uv_sync(
    world: World, name: str, extras: str, groups: str | None, arguments: str
) -> None:
    """On this machine's own Python we name the packages and versions that `uv sync` would install, also for members of
    a workspace with the groups of each.
    """
    name, _, members = name.partition(":")
    result = world.uv(name).attempt("sync", "--frozen", "--dry-run", *arguments.split())
    planned = {line[3:].replace("==", " ") for line in result.stderr.splitlines() if line.startswith(" + ")}
    here = Target(system=f"{platform.machine()}-linux", python=platform.python_version(), glibc=(2, 28))
    packages = world.lock(name).packages(here, extras_and_groups(extras, groups, members or None))
    installed = {one for one in planned if "@" not in one}
    assert installed
    assert {f"{one.name} {one.version}" for one in packages if not one.local} == installed


def test_refused_as_uv_refuses(world: World) -> None:
    """Extras that exclude each other are refused by uv and by us, and our message names both."""
    assert world.uv("conflicts").attempt("export", "--frozen", "--extra", "cpu", "--extra", "cuda").returncode
    with pytest.raises(NixpyError, match="extra `cpu` of conflicts, extra `cuda` of conflicts"):
        world.lock("conflicts").packages(TARGETS[0], extras_and_groups("cpu cuda", None))
