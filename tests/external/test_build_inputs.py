"""From [external] to what is rendered, told and checked."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

import shop
import vendored
from nixpy.commands.plan import read_nixpy_lock
from nixpy.environment.assemble import environment_of
from nixpy.environment.facts import facts
from nixpy.environment.model import Environment
from nixpy.environment.options import resolve_options
from nixpy.files import render
from nixpy.files.reconcile import parts
from nixpy.project import project
from runner import Nixpy

pytestmark = pytest.mark.slow  # each test runs uv or several commands


def asking(folder: Path, *dependencies: str, key: str = "dependencies", more: str = "") -> Path:
    listed = "".join(f"  {text!r},\n" for text in dependencies)
    return shop.project(folder, "gamma", extra=f"[external]\n{key} = [\n{listed}]\n{more}")


def env_of(folder: Path) -> Environment:
    found = project.read(folder)
    nixpy_lock = read_nixpy_lock(found)
    assert nixpy_lock is not None
    return environment_of(found, resolve_options(found), nixpy_lock)


def facts_of(folder: Path) -> dict[str, Any]:
    return facts(env_of(folder))


def problems(nixpy: Nixpy, folder: Path, *options: str) -> dict[str, dict[str, str]]:
    done = nixpy("init", folder, "--style", "loader", "--format", "json", *options)
    assert done.status == 0, done.err
    return {problem["code"]: problem for problem in done.project["problems"]}


def test_a_project_without_sees_nothing_of_it(tmp_path: Path, nixpy: Nixpy) -> None:
    """A project that asks for nothing beside wheels has no word of it in its file."""
    folder = shop.project(tmp_path / "one", "gamma")
    assert nixpy("init", folder, "--style", "loader").status == 0
    text = (folder / "nixpy.nix").read_text()
    assert "external" not in parts(text)[0]
    assert "external" not in vendored.files(text)
    assert "external" not in facts_of(folder)


def test_each_need_is_where_it_belongs(tmp_path: Path, nixpy: Nixpy) -> None:
    """Tools of the build, libraries to link to and what runs are told apart, each with who asks; two that are one
    package stand once.
    """
    folder = asking(tmp_path / "one", "dep:virtual/compiler/c", "dep:virtual/compiler/cxx", key="build-requires")
    settings = folder / "pyproject.toml"
    settings.write_text(
        settings.read_text()
        + 'host-requires = ["dep:generic/zlib"]\ndependencies = ["dep:generic/git", "dep:generic/python"]\n'
    )
    assert problems(nixpy, folder) == {}
    roles = facts_of(folder)["external"]
    both = "dep:virtual/compiler/c, dep:virtual/compiler/cxx"
    assert roles["build"] == {"parts": [{"when": None, "value": [{"nix": "pkgs.stdenv.cc", "comment": both}]}]}
    assert roles["host"] == {"parts": [{"when": None, "value": [{"nix": "pkgs.zlib", "comment": "dep:generic/zlib"}]}]}
    assert roles["run"] == {"parts": [{"when": None, "value": [{"nix": "pkgs.git", "comment": "dep:generic/git"}]}]}
    shell = vendored.files((folder / "nixpy.nix").read_text())["dev-shell"]
    assert re.search(r"\bnativeBuildInputs = [^;]*\bexternal\.build\b[^;]*\bexternal\.run\b", shell)
    assert re.search(r"\bbuildInputs = [^;]*\bexternal\.host\b", shell)


def test_a_library_is_supplied_as_those_of_wheels_are(tmp_path: Path, nixpy: Nixpy) -> None:
    """What is opened at run time is found on macOS too and loaded in advance where no run path helps; what is linked
    to is found on Linux; a tool of the build brings no library.
    """
    folder = asking(tmp_path / "one", "dep:generic/libpq")
    settings = folder / "pyproject.toml"
    settings.write_text(settings.read_text() + 'host-requires = ["dep:generic/zlib"]\n')
    settings.write_text(settings.read_text() + 'build-requires = ["dep:generic/openssl"]\n')
    assert problems(nixpy, folder) == {}
    linux, darwin = facts_of(folder)["sonames"]["parts"]
    assert linux == {
        "when": "isLinux",
        "value": {
            "libpq.so.5": {"nix": "(pkgs.libpq or pkgs.postgresql.lib)", "comment": "[external]"},
            "libz.so.1": {"nix": "pkgs.zlib", "comment": "[external]"},
        },
    }
    assert darwin["when"] == '(system == "aarch64-darwin")'
    assert list(darwin["value"]) == ["libpq.so.5"]
    assert env_of(folder).opened == ("libpq.so.5",)
    assert facts_of(folder)["external"]["opened"] == ["libpq.so.5"]


def test_a_marker_tells_the_systems(tmp_path: Path, nixpy: Nixpy) -> None:
    """What a marker excludes is not there, whichever machine nixpy runs on."""
    folder = asking(
        tmp_path / "one",
        'dep:generic/libxcb; sys_platform == "linux"',
        'dep:generic/git; platform_machine == "x86_64"',
        'dep:generic/pandoc; sys_platform == "win32"',
        'dep:generic/nowhere; sys_platform == "win32"',
    )
    assert problems(nixpy, folder) == {}
    run = facts_of(folder)["external"]["run"]["parts"]
    assert [(part["when"], [package["nix"] for package in part["value"]]) for part in run] == [
        ("isLinux", ["(pkgs.libxcb or pkgs.xorg.libxcb)"]),
        ('(system == "x86_64-linux")', ["pkgs.git"]),
    ]


def test_the_users_map_decides(tmp_path: Path, nixpy: Nixpy) -> None:
    """A package that the user names takes the place of nixpy's, for its libraries too, and answers for the unknown;
    what is to be told where nixpkgs lacks it is rendered and not shown.
    """
    more = '[tool.nixpy.external]\nmap = { "dep:generic/libpq" = "postgresql.lib", "dep:generic/foo" = "foo" }\n'
    folder = asking(tmp_path / "one", "dep:generic/libpq@>=17", "dep:generic/foo", more=more)
    done = nixpy("init", folder, "--style", "loader", "--format", "json")
    assert {one["expression"] for one in done.project["external"]} == {"pkgs.foo", "pkgs.postgresql.lib"}
    found = facts_of(folder)
    (part,) = found["external"]["run"]["parts"]
    foo, libpq = '(pkgs.foo or (lacking "foo"))', '(pkgs.postgresql.lib or (lacking "postgresql.lib"))'
    assert [package["nix"] for package in part["value"]] == [foo, libpq]
    expressions = {library["nix"] for group in found["sonames"]["parts"] for library in group["value"].values()}
    assert expressions == {libpq}


def test_what_nobody_knows_is_told(tmp_path: Path, nixpy: Nixpy) -> None:
    """It is a problem that names the setting, the overlay to write, and a name that is near; the rest is rendered."""
    folder = asking(tmp_path / "one", "dep:generic/XCB", "dep:generic/git")
    told = problems(nixpy, folder)
    assert set(told) == {"NIX601"}
    assert told["NIX601"]["message"] == "dep:generic/XCB is not known to be in nixpkgs"
    hint = told["NIX601"]["hint"]
    assert "Did you mean dep:generic/libxcb?" in hint
    assert '[tool.nixpy.external] map = { "dep:generic/XCB" = "XCB" }' in hint
    assert "extend (final: previous: { XCB = final.callPackage ./XCB.nix { }; })" in hint
    assert "pkgs.git # dep:generic/git" in (folder / "nixpy.nix").read_text()


def test_a_python_package_is_none_of_it(tmp_path: Path, nixpy: Nixpy) -> None:
    """Who asks for a package of the index is told where that belongs."""
    told = problems(nixpy, asking(tmp_path / "one", "dep:pypi/numpy"))
    assert "add it to [project]" in told["NIX601"]["hint"]


def test_the_version_of_an_interface_is_not_checked(tmp_path: Path, nixpy: Nixpy) -> None:
    """That nobody can tell it is told; and the name for C++ of an example in PEP 725 is read as the registry has it."""
    told = problems(nixpy, asking(tmp_path / "one", "dep:virtual/interface/lapack@>=3.7.1", "dep:virtual/compiler/cpp"))
    assert set(told) == {"NIX602", "NIX603"}
    external = env_of(tmp_path / "one").external
    assert external is not None
    assert all(not one.version for one in external.inputs)
    assert "versions" not in facts_of(tmp_path / "one")["external"]


@pytest.mark.parametrize(
    ("version", "condition"),
    [
        (">=3.0", 'lib.versionAtLeast version "3"'),
        ("3.10.0", 'version == "3.10"'),
        (">1,<=2", 'lib.versionOlder "1" version && lib.versionAtLeast "2" version'),
        ("<10", 'lib.versionOlder version "10"'),
    ],
)
def test_versions_become_conditions(tmp_path: Path, nixpy: Nixpy, version: str, condition: str) -> None:
    """Each operator is Nix's comparison, and zeros at the end do not count."""
    folder = asking(tmp_path / "one", f"dep:generic/zlib@{version}", key="host-requires")
    assert problems(nixpy, folder) == {}
    text = (folder / "nixpy.nix").read_text()
    assert f"holds = version: {condition};" in parts(text)[0]
    assert '"nixpy-external-check"' in vendored.files(text)["external"]
    assert "external.checks" in vendored.files(text)["project"]


def test_check_notices_a_change(tmp_path: Path, nixpy: Nixpy) -> None:
    """The facts are those of the project now, without Nix or network; another spelling or order is no change."""
    folder = asking(tmp_path / "one", "dep:generic/git", "dep:generic/zlib@>=1")
    assert problems(nixpy, folder) == {}
    settings = folder / "pyproject.toml"
    text = settings.read_text()
    settings.write_text(text.replace("dep:generic/zlib@>=1", "dep:generic/zlib@%3E%3D1"))
    assert nixpy("check", folder).status == 0
    settings.write_text(text.replace("dep:generic/zlib@>=1", "dep:generic/zlib@>=2"))
    done = nixpy("check", folder)
    assert done.status == 1
    assert "the requirements in pyproject.toml changed after nixpy.lock was generated" in done.out
    assert nixpy("sync", folder).status == 0
    assert nixpy("check", folder).status == 0
    assert 'lib.versionAtLeast version "2"' in (folder / "nixpy.nix").read_text()


def test_extras_and_groups_may_be_its_own(tmp_path: Path, nixpy: Nixpy) -> None:
    """Extras and groups that [external] alone has are chosen by the same settings, and no installer is told of them."""
    more = (
        '[external.optional-dependencies]\nnat = ["dep:generic/git"]\n'
        '[external.dependency-groups]\nmedia = ["dep:generic/ffmpeg"]\n'
        '[tool.nixpy]\nextras = ["nat"]\ngroups = ["media"]\n'
    )
    folder = asking(tmp_path / "one", more=more)
    assert problems(nixpy, folder) == {}
    text = (folder / "nixpy.nix").read_text()
    assert "pkgs.git # dep:generic/git" in text
    assert "pkgs.ffmpeg # dep:generic/ffmpeg" in text
    assert "--extra" not in text
    assert "nat" not in facts_of(folder)["manager"]["install"]
    settings = folder / "pyproject.toml"
    settings.write_text(settings.read_text().replace('extras = ["nat"]', 'extras = ["gnat"]'))
    done = nixpy("check", folder)
    assert done.status == 2
    assert "there is no extra `gnat`" in done.err


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("", True),
        ("[project.optional-dependencies]\nmedia = []\n", True),
        ("[project.optional-dependencies]\nMe_dai = []\n", False),
        ('[tool.nixpy]\nextras = ["me-dai"]\n', False),
    ],
)
def test_an_extra_that_the_project_does_not_have(more: str, told: bool, tmp_path: Path, nixpy: Nixpy) -> None:
    """It is told by its name, in any of the tables, unless the settings choose it; its spelling does not matter."""
    for key in ("optional-build-requires", "optional-host-requires", "optional-dependencies"):
        folder = asking(tmp_path / key, more=f'[external.{key}]\nme_Dai = ["dep:generic/git"]\n{more}')
        found = problems(nixpy, folder)
        assert found.keys() == ({"NIX604"} if told else set())
        if told:
            assert "names the extra `me-dai`, which the project does not have" in found["NIX604"]["message"]
            assert "[project.optional-dependencies], for example as `me-dai = []`." in found["NIX604"]["hint"]
            assert ("Did you mean `media`?" in found["NIX604"]["hint"]) == ("media" in more)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("", "but it is installed by default"),
        ("[tool.uv]\ndefault-groups = []\n", "so nothing installs it"),
        ("[dependency-groups]\ndeev = []\n", "but it is installed by default"),
        ("[dependency-groups]\nDev = []\n", ""),
        ('[tool.nixpy]\ngroups = ["dev"]\n', ""),
        ("[tool.pdm.dev-dependencies]\ndev = []\n", ""),
        ('outer = [{ include-group = "dev" }]\n[dependency-groups]\nouter = []\n', ""),
    ],
)
def test_a_group_that_the_project_does_not_have(more: str, told: str, tmp_path: Path, nixpy: Nixpy) -> None:
    """It is told, with whether it is taken, unless the settings choose it or another group includes it."""
    folder = asking(tmp_path / "one", more=f'[external.dependency-groups]\nDev = ["dep:generic/git"]\n{more}')
    found = problems(nixpy, folder)
    assert found.keys() == ({"NIX604"} if told else set())
    if told:
        message, hint = found["NIX604"]["message"], found["NIX604"]["hint"]
        assert "names the group `dev`, which the project does not have" in message
        assert message.endswith(told)
        assert ("pkgs.git" in (folder / "nixpy.nix").read_text()) == ("by default" in told)
        assert "[dependency-groups]" in hint
        assert "for example as `dev = []`." in hint
        assert ("Did you mean `deev`?" in hint) == ("deev" in more)


def test_extras_that_only_a_build_knows(tmp_path: Path, nixpy: Nixpy) -> None:
    """Where the project's extras are not written down, none of [external] is said to be lacking among them."""
    folder = asking(tmp_path / "one", more='[external.optional-dependencies]\nmedia = ["dep:generic/git"]\n')
    path = folder / "pyproject.toml"
    path.write_text(path.read_text().replace('name = "demo"\n', 'name = "demo"\ndynamic = ["optional-dependencies"]\n'))
    assert problems(nixpy, folder) == {}


def test_the_template_needs_no_more(tmp_path: Path, nixpy: Nixpy) -> None:
    """What is rendered comes from the environment alone, so that the same facts give the same bytes."""
    folder = asking(tmp_path / "one", "dep:generic/git@>=2")
    assert problems(nixpy, folder) == {}
    assert render.nix_file(facts_of(folder), "vendored") == (folder / "nixpy.nix").read_text()
