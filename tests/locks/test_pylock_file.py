"""pylock.toml (PEP 751): markers, groups, file names and damage; packaging's own selection is the measure."""

from __future__ import annotations

import itertools
import tomllib
from pathlib import Path

import pytest
from packaging.markers import Environment
from packaging.pylock import Pylock
from packaging.requirements import Requirement
from packaging.utils import NormalizedName

from nixpy.core.errors import NixpyError
from nixpy.core.target import Target
from nixpy.locks.model import Declared, ExtrasAndGroups
from nixpy.locks.pylock import PyLock
from nixpy.locks.select import select
from samplelocks import PYLOCK as LOCK

TARGETS = [
    Target(system=system, python=python, glibc=(2, 35))
    for system in ("x86_64-linux", "aarch64-linux", "aarch64-darwin")
    for python in ("3.11.2", "3.13.0")
]
LINUX = TARGETS[0]
PATH = Path("/project/pylock.toml")

CHOICES = [
    (frozenset(map(NormalizedName, extras)), groups)
    for extras in ([], ["fast"], ["slow"], ["fast", "slow"])
    for groups in (None, frozenset({NormalizedName("docs")}))
]


@pytest.mark.parametrize(("target", "chosen"), list(itertools.product(TARGETS, CHOICES)))
def test_installs_what_packaging_selects(
    target: Target, chosen: tuple[frozenset[NormalizedName], frozenset[NormalizedName] | None]
) -> None:
    """For every extra, group and target the packages and their wheels are those of packaging's own selection."""
    extras, groups = chosen
    lock = PyLock.parse(LOCK, PATH)
    environment: Environment = target.marker_environment()  # type: ignore[assignment]
    theirs = {
        (package.name, getattr(file, "filename", None))
        for package, file in Pylock.from_dict(tomllib.loads(LOCK)).select(
            environment=environment,
            tags=target.tags(),
            extras=extras,
            # Ours come beside the default ones, which stand for the project's own dependencies.
            dependency_groups=None if groups is None else groups | {"dev", "main"},
        )
    }
    locked = select(lock, [target], ExtrasAndGroups(extras=extras, groups=groups))
    ours = {(wheel.name, wheel.file.filename) for wheel in locked.wheels if wheel.name != "by-address"}
    assert ours == {(name, filename) for name, filename in theirs if filename}
    assert {package.name for package in lock.packages(target, ExtrasAndGroups(extras=extras, groups=groups))} == {
        name for name, _ in theirs
    }


def test_files_and_kinds() -> None:
    """Names follow PEP 751, relative paths start at the lock, each source family is told apart."""
    packages = {package.name: package for package in PyLock.parse(LOCK, PATH).packages(LINUX, EXTRA_SLOW)}
    first, second = packages[NormalizedName("always")].wheels
    assert (first.sha256, second.sha256, second.filename) == ("aa", None, "always-1.0-py3-none-any.whl")
    accel = packages[NormalizedName("accel")]
    assert (accel.version, accel.wheels[0].path, accel.wheels[0].url) == (
        "1.0",
        Path("/project/wheels/accel-1.0-py3-none-any.whl"),
        None,
    )
    own = packages[NormalizedName("project-own")]
    assert own.wheels[0].path == Path("/srv/with space/project_own-3-py3-none-any.whl")
    direct = packages[NormalizedName("by-address")]
    assert (direct.sdist, [wheel.filename for wheel in direct.wheels]) == (False, ["by_address-1.0-py3-none-any.whl"])
    kinds = {name: (package.sdist, package.local) for name, package in packages.items() if not package.wheels}
    assert kinds == {
        "by-path": (True, False),
        "from-git": (True, False),
        "itself": (True, True),
        "beside": (True, True),
        "vendored": (True, False),
    }


EXTRA_SLOW = ExtrasAndGroups(extras=frozenset({NormalizedName("slow")}))


def test_escaped_version_in_a_file_name() -> None:
    """`%2B` in an address is the `+` of the file's name."""
    locked = select(PyLock.parse(LOCK, PATH), [LINUX], ExtrasAndGroups(extras=frozenset({NormalizedName("fast")})))
    assert {wheel.version: wheel.file.filename for wheel in locked.wheels if wheel.name == "accel"} == {
        "2.0+cu130": "accel-2.0+cu130-py3-none-any.whl"
    }


def test_names_to_come_do_not_spoil_the_lock() -> None:
    """A variant wheel (PEP 817) or an old kind of sdist is passed over; a package of such files alone is reported."""
    variant = (
        'wheels = [{ url = "https://index.example/NAME-1-cp311-cp311-manylinux_2_17_x86_64-cu12.whl", '
        'hashes = { sha256 = "14" } }, '
    )
    text = LOCK.replace("wheels = [", variant.replace("NAME", "linter"), 1).replace(
        "always-1.0.tar.gz", "always-1.0.tar.bz2"
    )
    text += f'\n[[packages]]\nname = "odd"\nversion = "1"\n{variant.replace("NAME", "odd")}]\n'
    locked = select(PyLock.parse(text, PATH), [LINUX], ExtrasAndGroups())
    assert {wheel.name for wheel in locked.wheels} == {"always", "linter", "project-own", "by-address"}
    assert ("odd", False) in {(package.name, package.sdist) for package in locked.unavailable}


@pytest.mark.parametrize(
    ("old", "new", "words", "line"),
    [
        ('"1.0"', '"2.0"', "version 2.0 is not supported", 1),
        ('"1.0"', "1.0", "lock-version", None),
        ('created-by = "hand"', "created-by = ", "not valid TOML", 2),
        ('name = "always"', 'name = "Always"', r"packages\[0\]", None),
        ('hashes = { sha256 = "11" }', "hashes = {}", r"packages\[0\].sdist", None),
        ("'fast' in extras", "fast in extras", r"packages\[1\].marker", None),
        ("[[packages]]", "[packages]", "TOML|packages", None),
        ('path = "wheels/accel', 'nowhere = "wheels/accel', r"packages\[2\]\.wheels\[0\]", None),
    ],
)
def test_damage_is_one_clear_error(old: str, new: str, words: str, line: int | None) -> None:
    """What the standard forbids is a NixpyError with the file and the place in it, as packaging found it."""
    assert old in LOCK
    with pytest.raises(NixpyError, match=words) as caught:
        PyLock.parse(LOCK.replace(old, new, 1), PATH)
    assert caught.value.path == PATH
    if line:
        assert caught.value.line == line


def test_a_newer_minor_version_is_read() -> None:
    """lock-version 1.7, with a key we do not know, means what it meant."""
    lock = PyLock.parse(LOCK.replace('"1.0"', '"1.7"', 1) + "\n[novelty]\na = 1\n", PATH)
    assert lock.packages(LINUX, ExtrasAndGroups()) == PyLock.parse(LOCK, PATH).packages(LINUX, ExtrasAndGroups())


def test_what_the_lock_cannot_answer() -> None:
    """Unknown extras and groups, Pythons, systems and ambiguous packages are refused, with what there is."""
    lock = PyLock.parse(LOCK, PATH)
    with pytest.raises(NixpyError, match="no extra `quick`: there are fast, slow"):
        lock.packages(LINUX, ExtrasAndGroups(extras=frozenset({NormalizedName("quick")})))
    with pytest.raises(NixpyError, match="no group `test`: there are dev, docs, main"):
        lock.packages(LINUX, ExtrasAndGroups(groups=frozenset({NormalizedName("test")})))
    with pytest.raises(NixpyError, match=r"for Python >=3\.11, not 3\.10\.4"):
        lock.packages(Target(system="x86_64-linux", python="3.10.4", glibc=(2, 35)), ExtrasAndGroups())
    only_mac = LOCK.replace("\"sys_platform == 'linux'\", ", "")
    with pytest.raises(NixpyError, match="not for x86_64-linux"):
        PyLock.parse(only_mac, PATH).packages(LINUX, ExtrasAndGroups())
    twice = LOCK + '\n[[packages]]\nname = "from-git"\ndirectory = { path = "x" }\n'
    with pytest.raises(NixpyError, match="from-git twice"):
        PyLock.parse(twice, PATH).packages(LINUX, ExtrasAndGroups())
    late = LOCK.replace('name = "always"', 'name = "always"\nrequires-python = ">=3.12"')
    with pytest.raises(NixpyError, match=r"always is locked for Python >=3\.12"):
        PyLock.parse(late, PATH).packages(LINUX, ExtrasAndGroups())


def test_missing_file(tmp_path: Path) -> None:
    """A file that is not there is an error that names it."""
    with pytest.raises(NixpyError, match="does not exist"):
        PyLock.read(tmp_path / "pylock.toml")


def test_requirements_that_the_lock_lacks(tmp_path: Path) -> None:
    """The standard records no requirements, but a lock without a required package, or with an old one, is old."""
    text = 'lock-version = "1.0"\ncreated-by = "x"\n' + "".join(
        f'[[packages]]\nname = "{name}"\nversion = "1.0"\n'
        f'[packages.sdist]\nurl = "https://index.example/{name}-1.0.tar.gz"\nhashes = {{ sha256 = "{"0" * 64}" }}\n'
        for name in ("kept", "old")
    )
    lines = ("Kept[extra]>=1", "old>=2", "new", "other; sys_platform == 'win32'")
    declared = Declared(dependencies=tuple(map(Requirement, lines)))
    lock = PyLock.parse(text, tmp_path / "pylock.toml")
    assert lock.differences(declared, LINUX) == lock.differences(declared, LINUX, tmp_path) == ("new", "old")
    assert lock.differences(declared, LINUX, tmp_path / "member") is None
    assert PyLock.parse(text, tmp_path / "pylock.docs.toml").differences(declared, LINUX) is None


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ('version = "2.0+cu130"', 'version = "x"', 'version = "x"'),
        ('hashes = { sha256 = "dd" }', "size = 1", "accel-1.0-py3-none-any.whl"),
        ("marker = \"'main' in dependency_groups\"", 'marker = "x"', 'marker = "x"'),
    ],
)
def test_the_error_names_the_line(tmp_path: Path, old: str, new: str, line: str) -> None:
    """An error of the validation has the line of the value that it is about."""
    assert old in LOCK
    path, text = tmp_path / "pylock.toml", LOCK.replace(old, new, 1)
    with pytest.raises(NixpyError, match=r"not a valid pylock\.toml") as caught:
        PyLock.parse(text, path)
    assert line in text.splitlines()[(caught.value.line or 0) - 1]
