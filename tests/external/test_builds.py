"""Packages without a wheel: what their sdists say, and what the shell has to build them."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import uv
from packaging.utils import canonicalize_name

import shop
import vendored
from nixpy.diagnostics.diagnostic import order
from nixpy.external.builds import unavailable_diagnostics
from nixpy.files.reconcile import parts
from nixpy.locks.model import SdistFacts, Unavailable
from nixpy.sdists.sdist import read_sdist
from runner import Nixpy
from smallindex import SmallIndex, build_sdist

NATIVE = {"native.c": "int x;"}


def sdist(folder: Path, name: str, requires: list[str] | None, files: dict[str, str] | None = None) -> Path:
    """An sdist of version 1.0 with these build requirements (None: no pyproject.toml) and files."""
    stem = f"{name}-1.0"
    content = {"PKG-INFO": f"Metadata-Version: 2.2\nName: {name}\nVersion: 1.0\n", "setup.py": "", **(files or {})}
    if requires is not None:
        content["pyproject.toml"] = f"[build-system]\nrequires = {json.dumps(requires)}\n"
    return build_sdist(folder, name, "1.0", files={f"{stem}/{key}": text.encode() for key, text in content.items()})


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("house")
    sdist(folder, "native", None, NATIVE)
    sdist(folder, "rusty", ["maturin>=1,<2"], {"src/lib.rs": ""})
    sdist(folder, "scikit", ["scikit-build-core", "CMake>=3.20"], {"a.cpp": ""})
    sdist(folder, "psycopg2", ["setuptools"], {"psycopg/a.c": ""})
    sdist(folder, "pure", ["hatchling"], {"tests/cases/a.c": "", "docs/b.c": ""})
    return folder


@pytest.fixture
def index(house: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmallIndex]:
    with SmallIndex(house) as index:
        monkeypatch.setenv("UV_DEFAULT_INDEX", index.url)
        yield index


def unavailable(project: Path) -> dict[str, dict[str, Any]]:
    nixpy_lock = json.loads((project / "nixpy.lock").read_text())
    return {item["name"]: item for item in nixpy_lock["systems"]["x86_64-linux"]["unavailable"]}


def hints(nixpy: Nixpy, command: str, project: Path, *options: str) -> dict[str, str]:
    done = nixpy(command, project, "--format", "json", *options)
    assert done.status == 0, done.err
    return {problem["package"]: problem.get("hint") or "" for problem in done.project["problems"]}


@pytest.mark.usefixtures("index")
def test_what_sdists_say_is_recorded_and_rendered(tmp_path: Path, nixpy: Nixpy) -> None:
    """Build requirements and whether there is anything to compile are read without running anything; the shell has a
    compiler, the tools of the build system and the libraries known for the package, and for pure Python nothing.
    """
    project = shop.project(tmp_path / "one", "native", "rusty", "scikit", "psycopg2", "pure")
    said = hints(nixpy, "init", project, "--style", "loader", "--system", "x86_64-linux")
    found = {name: (item["build"], item["compiled"]) for name, item in unavailable(project).items()}
    assert found == {
        "native": (["setuptools"], True),
        "rusty": (["maturin"], True),
        "scikit": (["cmake", "scikit-build-core"], True),
        "psycopg2": (["setuptools"], True),
        "pure": (["hatchling"], False),
    }
    text = (project / "nixpy.nix").read_text()
    for line in (
        "pkgs.cargo # rusty",
        "pkgs.cmake # scikit",
        "pkgs.ninja # scikit",
        "pkgs.pkg-config # native, psycopg2, rusty and scikit".replace(" and", ","),
        "(pkgs.libpq or pkgs.postgresql) # psycopg2",
        "(pkgs.libpq.pg_config or pkgs.postgresql) # psycopg2",
        '"libpq.so.5" = (pkgs.libpq or pkgs.postgresql.lib); # psycopg2',
    ):
        assert line in text, line
    assert "pure" not in text
    assert "It is pure Python" in said["pure"]
    assert "`packages` in [tool.nixpy]" in said["native"]
    assert "`packages`" not in said["psycopg2"]
    assert "Its build starts cmake from wheels, which do not start under style loader" in said["scikit"]
    assert nixpy("check", project).status == 0


@pytest.mark.usefixtures("index")
def test_programs_of_wheels_start_under_some_styles(tmp_path: Path, nixpy: Nixpy) -> None:
    """Where programs in wheels start, the build's do too, but for those outside of .venv that nobody patches."""
    project = shop.project(tmp_path / "one", "scikit")
    said = {style: hints(nixpy, "init", project, "--style", style)["scikit"] for style in ("nix-ld", "patched-venv")}
    assert "do not start" not in said["nix-ld"]
    assert "do not start under style patched-venv" in said["patched-venv"]


def test_without_a_network_it_is_not_known(tmp_path: Path, nixpy: Nixpy, index: SmallIndex) -> None:
    """Offline the shell has what any build may need, which is told; a rescan reads what was left unread, and what is
    known is not read again.
    """
    project = shop.project(tmp_path / "one", "rusty")
    address = f"{index.url.removesuffix('simple/')}files/rusty-1.0.tar.gz"
    (project / "pylock.toml").write_text(
        'lock-version = "1.0"\ncreated-by = "test"\n[[packages]]\nname = "rusty"\nversion = "1.0"\n'
        f'sdist = {{ url = "{address}", hashes = {{ sha256 = "x" }} }}\n'
    )
    listed = (project / "pylock.toml").read_text()
    said = hints(nixpy, "init", project, "--style", "loader", "--offline")
    assert "build" not in unavailable(project)["rusty"]
    assert "nixpy has not read its source; run `nixpy sync --rescan`" in said["rusty"]
    text = (project / "nixpy.nix").read_text()
    assert "pkgs.stdenv.cc # rusty" in text
    assert "cargo" not in text
    # A hash that is another is no source either.
    assert "not read" in hints(nixpy, "sync", project)["rusty"]
    digest = hashlib.sha256((index.folder / "rusty-1.0.tar.gz").read_bytes()).hexdigest()
    (project / "pylock.toml").write_text(listed.replace('"x"', f'"{digest}"'))
    assert "not read" not in hints(nixpy, "sync", project, "--rescan")["rusty"]
    assert "pkgs.cargo # rusty" in (project / "nixpy.nix").read_text()
    assert nixpy("sync", project, "--offline").status == 0
    assert unavailable(project)["rusty"]["build"] == ["maturin"]


@pytest.mark.usefixtures("index")
def test_a_lock_that_names_files_by_hash_alone(tmp_path: Path, nixpy: Nixpy, house: Path) -> None:
    """Where a lock tells no address, uv is asked for the sdist as it is for wheels."""
    project = shop.project(tmp_path / "one", "rusty")
    digest = hashlib.sha256((house / "rusty-1.0.tar.gz").read_bytes()).hexdigest()
    (project / "poetry.lock").write_text(
        '[[package]]\nname = "rusty"\nversion = "1.0"\noptional = false\npython-versions = "*"\ngroups = ["main"]\n'
        f'files = [{{file = "rusty-1.0.tar.gz", hash = "sha256:{digest}"}}]\n'
        '[metadata]\nlock-version = "2.1"\npython-versions = ">=3.11"\ncontent-hash = "0"\n'
    )
    hints(nixpy, "init", project, "--style", "loader")
    assert unavailable(project)["rusty"]["build"] == ["maturin"]


@pytest.mark.usefixtures("index")
def test_scan_tells_it_too(nixpy: Nixpy, tmp_path: Path) -> None:
    """A requirement that has only an sdist is told with what builds it."""
    done = nixpy("scan", "psycopg2==1.0", cwd=tmp_path)
    assert done.status == 0
    assert "it must be built from its source" in done.out
    assert "(pkgs.libpq.pg_config or pkgs.postgresql)" in done.out


def test_what_is_known_of_a_source_is_no_part_of_which_it_is() -> None:
    """Two are equal by package and system, so that `check` need not read a source."""
    name = canonicalize_name("a")
    one = Unavailable(system="x86_64-linux", name=name, version="1", sdist=True)
    other = replace(one, sdist_facts=SdistFacts(build=(), compiled=False))
    assert one == other
    assert {one} == {other}
    assert one.compiled
    assert not other.compiled


@pytest.mark.parametrize(
    ("path", "compiled"),
    [
        ("src/a.c", True),
        ("a.pyx", True),
        ("deep/er/lib.rs", True),
        ("tests/a.c", False),
        ("pkg/docs/a.c", False),
        ("a.py", False),
        ("c", False),
    ],
)
def test_what_is_compiled(tmp_path: Path, path: str, compiled: bool) -> None:
    """The sources of a compiled language count, wherever they are but where nothing is built."""
    file = sdist(tmp_path, "one", [], {path: "x"})
    with file.open("rb") as opened:
        assert read_sdist(opened, file.name, file.name).compiled == compiled


@pytest.mark.usefixtures("index")
def test_styles_that_build_nothing_in_their_shell(tmp_path: Path, nixpy: Nixpy) -> None:
    """uv2nix is told what builds each package; a style that builds no sources says so, and holds nothing for it."""
    project = shop.project(tmp_path / "one", "psycopg2", "rusty")
    subprocess.run([uv.find_uv_bin(), "lock", "-q"], cwd=project, check=True)
    said = hints(nixpy, "init", project, "--style", "uv2nix", "--system", "x86_64-linux")
    assert said["psycopg2"].startswith("nixpy.nix supplies what its build needs: ")
    text = (project / "nixpy.nix").read_text()
    for line in (
        'psycopg2 = [ "setuptools" ];',
        'rusty = [ "maturin" ];',
        "++ external.build or [ ];",
        "++ external.host;",
    ):
        assert line in text, line
    said = hints(nixpy, "init", project, "--style", "wheel-env")
    assert said["psycopg2"].startswith("Style wheel-env does not build it.")
    text = (project / "nixpy.nix").read_text()
    assert "external" not in parts(text)[0]
    assert "external" not in vendored.files(text)


def test_what_cannot_be_installed_comes_first() -> None:
    """A report that shows only some of the packages has those that no installer installs."""
    names = {"built": True, "closed": False, "made": True}
    items = [
        Unavailable(system="x86_64-linux", name=canonicalize_name(name), version="1.0", sdist=sdist)
        for name, sdist in names.items()
    ]
    found = [one.package for one in sorted(unavailable_diagnostics(items, "3.14"), key=order)]
    assert found == ["closed", "built", "made"]
