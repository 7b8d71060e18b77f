"""uv.lock: damage, versions, choices and staleness; what it means is compared with uv in test_against_uv."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import NormalizedName

from nixpy.core.errors import NixpyError
from nixpy.core.target import Target
from nixpy.locks import formats
from nixpy.locks.model import Declared, ExtrasAndGroups
from nixpy.locks.uv import UvLock
from samplelocks import UV_LOCK as LOCK

LINUX = Target(system="x86_64-linux", python="3.12.4", glibc=(2, 40))
MAC = Target(system="aarch64-darwin", python="3.12.4", glibc=(2, 40))


def extras_and_groups(extras: str = "", groups: str | None = None) -> ExtrasAndGroups:
    return ExtrasAndGroups(
        extras=frozenset(map(NormalizedName, extras.split())),
        groups=None if groups is None else frozenset(map(NormalizedName, groups.split())),
    )


def write(folder: Path, text: str = LOCK, pyproject: str | None = None) -> Path:
    (folder / "uv.lock").write_text(text)
    if pyproject is not None:
        (folder / "pyproject.toml").write_text(pyproject)
    return folder / "uv.lock"


def names(lock: UvLock, chosen: ExtrasAndGroups) -> list[str]:
    return [package.name for package in lock.packages(LINUX, chosen)]


def test_files_and_kinds(tmp_path: Path) -> None:
    """Names are percent-decoded, hashes are sha256 or none, credentials stay out of sight, kinds are told apart."""
    lock = UvLock.read(write(tmp_path))
    leaf, root, tree = lock.packages(LINUX, ExtrasAndGroups())
    assert (leaf.sdist, leaf.local, root.local, tree.sdist, tree.local, tree.wheels) == (
        True,
        False,
        True,
        True,
        False,
        (),
    )
    remote, local = leaf.wheels
    assert (remote.filename, remote.sha256, remote.path) == ("leaf-1.0+x-py3-none-any.whl", 32 * "ab", None)
    assert "secret" not in repr((lock, leaf))
    assert (local.filename, local.sha256, local.url) == ("leaf-1.0-1-py3-none-any.whl", None, None)


@pytest.mark.parametrize(
    ("pyproject", "expected"),
    [
        (None, ["leaf", "root", "tree"]),
        ("[tool.uv]\ndefault-groups = []\n", ["leaf", "root"]),
        ("[tool.uv]\ndefault-groups = ['lint']\n", ["leaf", "root"]),
        ("[tool.uv]\ndefault-groups = 'all'\n", ["leaf", "root", "tree"]),
    ],
)
def test_default_groups(tmp_path: Path, pyproject: str | None, expected: list[str]) -> None:
    """Without a choice the groups are those of `tool.uv.default-groups`, else `dev`."""
    assert names(UvLock.read(write(tmp_path, pyproject=pyproject)), ExtrasAndGroups()) == expected


def test_unknown_choices_are_refused_with_the_known_ones(tmp_path: Path) -> None:
    """An extra or group that the lock lacks is named beside those that exist, empty ones included."""
    lock = UvLock.read(write(tmp_path))
    assert names(lock, extras_and_groups("empty", "lint")) == ["leaf", "root"]
    with pytest.raises(NixpyError, match="no extra `moer`: there are all, empty, more"):
        names(lock, extras_and_groups("moer"))
    with pytest.raises(NixpyError, match="no group `docs`: there are dev, lint"):
        names(lock, extras_and_groups("", "docs"))
    with pytest.raises(NixpyError, match="no group `gone`"):
        names(UvLock.read(write(tmp_path, pyproject="[tool.uv]\ndefault-groups = ['gone']\n")), ExtrasAndGroups())


def test_other_targets_are_refused(tmp_path: Path) -> None:
    """A Python that the lock excludes and a system outside tool.uv.environments are errors that name the file."""
    path = write(
        tmp_path, LOCK.replace("[[package]]", "supported-markers = [\"sys_platform == 'linux'\"]\n[[package]]", 1)
    )
    lock = UvLock.read(path)
    old = Target(system="x86_64-linux", python="3.10.1", glibc=(2, 40))
    for target, words in ((old, "for Python >=3.11, not 3.10.1"), (MAC, "not for aarch64-darwin")):
        with pytest.raises(NixpyError, match=words) as caught:
            lock.packages(target, ExtrasAndGroups())
        assert caught.value.path == path


def test_a_newer_version_asks_for_a_newer_nixpy(tmp_path: Path) -> None:
    """Version 2 is refused with the file and the line; a newer revision is read."""
    with pytest.raises(NixpyError, match="version 2") as caught:
        UvLock.read(write(tmp_path, LOCK.replace("version = 1\n", "# a comment\nversion = 2\n", 1)))
    assert (caught.value.path, caught.value.line) == (tmp_path / "uv.lock", 2)
    assert "Update nixpy" in str(caught.value.hint)
    assert names(UvLock.read(write(tmp_path, LOCK.replace("revision = 3", "revision = 99"))), extras_and_groups("", ""))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("revision = 3", "revision = ", "not valid TOML"),
        ("version = 1\n", "", "it has no `version` that is a number"),
        ('name = "leaf"\nversion', "version", "package 0: it has no `name`"),
        ('source = { editable = "." }', 'source = "."', "root: `source`"),
        (
            'dependencies = [{ name = "leaf" }]',
            'dependencies = ["leaf"]',
            "root: an item of `dependencies` is not a table",
        ),
        ("size = 7", 'size = "7"', "leaf: `wheels.size`"),
        ('">=3.11"', '">=three"', "three"),
        (
            '[{ name = "leaf" }]',
            '[{ name = "leef" }]',
            "root: an item of `dependencies` has no package in the lock: leef",
        ),
        ('[{ name = "leaf" }]', '[{ name = "leaf", version = "9" }]', "no package in the lock: leaf 9"),
        ('[{ name = "leaf" }]', '[{ name = "leaf", marker = "os_name = 1" }]', "a marker: `os_name = 1`"),
        ('{ editable = "." }', '{ editable = "elsewhere" }', "no project in the folder"),
    ],
)
def test_damage_is_one_clear_error(tmp_path: Path, old: str, new: str, words: str) -> None:
    """Each kind of damage is a NixpyError that names the file and says what is wrong."""
    assert old in LOCK
    with pytest.raises(NixpyError, match=words) as caught:
        UvLock.read(write(tmp_path, LOCK.replace(old, new, 1))).packages(LINUX, ExtrasAndGroups())
    assert caught.value.path == tmp_path / "uv.lock"


NOW = {
    "dependencies": ["Leaf<3,>=1; python_version >= '3.9'"],
    "extra more": ["tree>=0.1; sys_platform == 'linux'"],
    "extra empty": [],
    "extra all": ["root[more]"],
    "group dev": ["tree==0.5"],
    "group lint": [],
}


def declared(lists: Mapping[str, list[str]]) -> Declared:
    def named(kind: str) -> dict[NormalizedName, tuple[Requirement, ...]]:
        return {
            NormalizedName(key.removeprefix(f"{kind} ")): tuple(map(Requirement, lines))
            for key, lines in lists.items()
            if key.startswith(kind)
        }

    dependencies = tuple(map(Requirement, lists["dependencies"]))
    return Declared(dependencies=dependencies, extras=named("extra"), groups=named("group"))


@pytest.mark.parametrize(
    ("change", "target", "expected"),
    [
        ({}, LINUX, ()),
        ({"dependencies": ["leaf>=1,<3"]}, LINUX, ()),
        ({"dependencies": ["leaf>=1"]}, LINUX, ("leaf",)),
        ({"dependencies": ["leaf[x]>=1,<3"]}, LINUX, ("leaf",)),
        ({"dependencies": ["leaf>=1,<3", "new"]}, LINUX, ("new",)),
        ({"dependencies": ["leaf>=1,<3", "new; sys_platform == 'darwin'"]}, LINUX, ()),
        ({"dependencies": ["leaf>=1,<3", "new; sys_platform == 'darwin'"]}, MAC, ("new",)),
        ({"dependencies": []}, LINUX, ("leaf",)),
        # from git: uv records no specifier, any will do; but the package must still be asked for
        ({"extra more": ["tree==7; sys_platform == 'linux'"]}, LINUX, ()),
        ({"extra more": []}, LINUX, ("tree",)),
        ({"extra more": []}, MAC, ()),
        ({"extra more": ["tree"]}, MAC, ("tree",)),
        ({"extra all": []}, LINUX, ("root",)),
        ({"extra all": ["root[empty]"]}, LINUX, ("root",)),
        ({"group dev": ["tree==0.6"]}, LINUX, ("tree",)),
        # a package that moves from one list to another
        ({"group dev": [], "group lint": ["tree==0.5"]}, LINUX, ("tree",)),
    ],
)
def test_differences_from_pyproject(
    tmp_path: Path, change: dict[str, list[str]], target: Target, expected: tuple[str, ...]
) -> None:
    """A requirement added, changed or removed since is named, in any list; spelling, and what does not apply here, is
    not.
    """
    lock = UvLock.read(write(tmp_path))
    assert lock.differences(declared(NOW | change), target) == expected


def test_markers_about_conflicts_take_linear_time(tmp_path: Path) -> None:
    """Each marker is evaluated with the extras that it names, not with all that are active."""
    number = 2500
    source = 'version = "1"\nsource = { registry = "https://index.example/simple" }\n'
    marker = "extra != 'extra-4-root-a' or extra == 'extra-2-p0-e'"
    packages = (
        f'[[package]]\nname = "p{i}"\n{source}[package.optional-dependencies]\n'
        f'e = [{{ name = "p{i + 1}", extra = ["e"], marker = "{marker}" }}]\n'
        for i in range(number)
    )
    text = (
        'version = 1\nrequires-python = ">=3.11"\n'
        'conflicts = [[{ package = "root", extra = "a" }, { package = "root", extra = "b" }]]\n'
        '[[package]]\nname = "root"\nversion = "1"\nsource = { virtual = "." }\n'
        f'dependencies = [{{ name = "p0", extra = ["e"] }}]\n{"".join(packages)}'
        f'[[package]]\nname = "p{number}"\n{source}[package.optional-dependencies]\ne = []\n'
    )
    lock = UvLock.read(write(tmp_path, text))
    start = time.process_time()
    assert len(lock.packages(LINUX, ExtrasAndGroups())) == number + 2
    assert time.process_time() - start < 10


def test_differences_take_linear_time(tmp_path: Path) -> None:
    """A project may ask for itself with extras many times."""
    own = '    { name = "root", extras = ["more"], marker = "extra == \'all\'" },\n'
    lock = UvLock.read(
        write(tmp_path, LOCK.replace(own, "").replace("requires-dist = [\n", "requires-dist = [\n" + own * 9000))
    )
    start = time.process_time()
    assert lock.differences(declared(NOW | {"extra more": []}), LINUX) == ("tree",)
    assert time.process_time() - start < 10


def test_differences_unknown_where_the_lock_does_not_tell(tmp_path: Path) -> None:
    """Without the project's metadata in the lock, whether pyproject.toml changed is unknown, not `no`."""
    head, _, _ = LOCK.partition("[package.metadata]")
    assert UvLock.read(write(tmp_path, head)).differences(declared(NOW), LINUX) is None


def test_finds_the_lock_of_the_workspace(tmp_path: Path) -> None:
    """A member of a workspace is answered from the workspace's lock, a stranger below it is not."""
    text = LOCK.replace("[[package]]", '[manifest]\nmembers = ["member", "root"]\n\n[[package]]', 1)
    member = '\n[[package]]\nname = "member"\nversion = "0.1"\nsource = { virtual = "packages/member" }\n'
    path = write(tmp_path, text + member + 'dependencies = [{ name = "tree" }]\n', pyproject="")
    for folder in ("packages/member", "vendored"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "pyproject.toml").touch()
    assert formats.find(tmp_path / "vendored") is None
    with pytest.raises(NixpyError, match="no project in the folder"):
        formats.read(path, tmp_path / "vendored").packages(LINUX, ExtrasAndGroups())
    found = formats.find(tmp_path / "packages" / "member")
    assert found == path
    packages = formats.read(found, tmp_path / "packages" / "member").packages(LINUX, ExtrasAndGroups())
    assert [package.name for package in packages] == ["member", "tree"]


def test_script_lock(tmp_path: Path) -> None:
    """The lock of a script (PEP 723) has no project: its manifest says what is asked for."""
    lines = (
        'version = 1\nrequires-python = ">=3.11"\n\n[manifest]\nrequirements = [{ name = "leaf", specifier = ">=1" }]\n'
    )
    body = LOCK[LOCK.index("[[package]]") : LOCK.index('[[package]]\nname = "tree"')]
    path = tmp_path / "job.py.lock"
    path.write_text(f"{lines}\n{body}")
    assert [package.name for package in formats.read(path).packages(LINUX, ExtrasAndGroups())] == ["leaf"]


def test_finding_by_name(tmp_path: Path) -> None:
    """uv.lock comes before pylock.toml, both before the locks of Poetry and PDM; other names are no locks."""
    assert formats.find(tmp_path) is None
    for name in ("pdm.lock", "poetry.lock", "pylock.toml", "uv.lock"):
        (tmp_path / name).touch()
        assert formats.find(tmp_path) == tmp_path / name
        with pytest.raises(NixpyError, match=name):
            formats.read(tmp_path / name)
    assert formats.find(tmp_path / "pylock.toml") == tmp_path / "pylock.toml"
    with pytest.raises(NixpyError, match="by its name"):
        formats.read(tmp_path / "my.lock")


def test_an_empty_lock(tmp_path: Path) -> None:
    """A uv.lock holds nothing for a folder without [project], and nothing for a script without requirements."""
    text = 'version = 1\nrevision = 3\nrequires-python = ">=3.11"\n'
    lock = UvLock.read(write(tmp_path, text))
    with pytest.raises(NixpyError, match="this lock holds no project") as caught:
        lock.packages(LINUX, ExtrasAndGroups())
    assert caught.value.path == lock.path
    (tmp_path / "pyproject.toml").write_text("[tool.poetry]\n")
    with pytest.raises(NixpyError, match=r"there is no \[project\], so uv.lock is empty") as caught:
        lock.packages(LINUX, ExtrasAndGroups())
    assert caught.value.path == tmp_path / "pyproject.toml"
    script = tmp_path / "job.py.lock"
    script.write_text(text)
    assert formats.read(script).packages(LINUX, ExtrasAndGroups()) == ()
