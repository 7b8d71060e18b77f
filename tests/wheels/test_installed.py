"""Installed wheels: which ones stand for a locked wheel, and what is read from them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import replace
from mmap import mmap
from pathlib import Path

import pytest
import uv
from packaging.utils import canonicalize_name

from elfbuild import shared_object
from nixpy.wheels import installed
from nixpy.wheels.elf_files import inspect
from nixpy.wheels.installed import InstalledWheel, installed_wheels
from nixpy.wheels.local import LocalWheel
from smallindex import build_wheel
from wheels.samples import locked

THIS = f"cp{sys.version_info[0]}{sys.version_info[1]}"
TAG = f"{THIS}-{THIS}-manylinux_2_17_x86_64.manylinux2014_x86_64"
DEMO = canonicalize_name("demo")


def _run(*command: str, folder: Path) -> None:
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "UV_CACHE_DIR": str(folder / "uv")}
    subprocess.run(command, check=True, capture_output=True, env=environment, cwd=folder)


@pytest.fixture
def venv(tmp_path: Path) -> Path:
    _run(uv.find_uv_bin(), "venv", "--no-config", "--python", sys.executable, "venv", folder=tmp_path)
    return tmp_path / "venv"


def _wheel(folder: Path, tag: str = TAG, build: str = "") -> Path:
    files: dict[str, bytes | str] = {
        "demo/native.so": shared_object(["libz.so.1"]),
        "demo/__init__.py": "",
        "demo-1.0.data/scripts/tool": shared_object(["libm.so.6"], interpreter="/lib64/ld-linux-x86-64.so.2"),
        "demo-1.0.data/data/share/demo/plugin.so": shared_object(["libX11.so.6"]),
    }
    return build_wheel(folder / "wheels", "demo", "1.0", tag, files=files, build=build)


def _install(venv: Path, *what: str) -> None:
    command = [uv.find_uv_bin(), "pip", "install", "--no-config", "--no-index", "--offline", "--no-deps"]
    _run(*command, "--python", str(venv / "bin" / "python"), *what, folder=venv.parent)


def _installed(venv: Path) -> InstalledWheel:
    return installed_wheels(venv)[DEMO]


needs_x86_64 = pytest.mark.skipif("linux" not in sys.platform, reason="installs a Linux wheel")


@needs_x86_64
@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_an_installed_wheel_has_the_facts_of_its_file(venv: Path, installer: str) -> None:
    """What uv or pip has installed matches the locked wheel and tells what the file itself tells, script included."""
    path = _wheel(venv.parent)
    if installer == "uv":
        _install(venv, str(path))
    else:
        pip = [sys.executable, "-m", "pip", "--python", str(venv / "bin" / "python"), "install"]
        _run(*pip, "--no-index", "--no-deps", "--find-links", str(path.parent), "demo", folder=venv.parent)
    installed = _installed(venv)
    assert installed.matches(locked(path))
    archive = LocalWheel(path)
    assert inspect(installed) == inspect(archive)
    assert len(inspect(installed)) == 3
    archive.close()


@needs_x86_64
def test_another_wheel_does_not_match(venv: Path) -> None:
    """Another version, tag, build or system is another wheel, and so is a name no standard knows."""
    path = _wheel(venv.parent)
    _install(venv, str(path))
    installed, wheel = _installed(venv), locked(path)
    assert installed.matches(wheel)
    for filename in (
        f"demo-1.1-{TAG}.whl",
        f"demo-1.0-1-{TAG}.whl",
        f"demo-1.0-{THIS}-{THIS}-manylinux_2_17_x86_64.whl",
        f"demo-1.0-{TAG.replace('x86_64', 'aarch64')}.whl",
        "demo-1.0-py3-none-any.whl",
        f"demo-1.0-{TAG}-variant.whl",
    ):
        assert not installed.matches(replace(wheel, file=replace(wheel.file, filename=filename)))


@needs_x86_64
def test_the_build_number_is_part_of_it(venv: Path) -> None:
    """A wheel with the same build number matches."""
    path = _wheel(venv.parent, build="3")
    _install(venv, str(path))
    assert _installed(venv).matches(locked(path))


@needs_x86_64
def test_another_file_of_the_same_name_does_not_match(venv: Path) -> None:
    """Where the installer recorded the file's hash, it must be the locked one."""
    path = _wheel(venv.parent)
    _install(venv, f"demo @ {path.as_uri()}#sha256={locked(path).file.sha256}")
    direct = next(venv.glob("lib/*/site-packages/demo-1.0.dist-info/direct_url.json"))
    direct.write_text('{"url": "file:///x.whl", "archive_info": {"hashes": {"sha256": "' + "0" * 64 + '"}}}')
    assert not _installed(venv).matches(locked(path))


@needs_x86_64
def test_an_incomplete_installation_does_not_match(venv: Path) -> None:
    """When a file is gone, what is left does not stand for the wheel."""
    path = _wheel(venv.parent)
    _install(venv, str(path))
    next(venv.glob("lib/*/site-packages/demo/native.so")).unlink()
    assert not _installed(venv).matches(locked(path))


@needs_x86_64
@pytest.mark.parametrize(
    "direct", ['{"url": "file:///src", "dir_info": {"editable": true}}', '{"url": "x", "vcs_info": {}}', "[]"]
)
def test_what_was_built_here_does_not_match(venv: Path, direct: str) -> None:
    """An editable, a folder or a repository is not the index's wheel."""
    path = _wheel(venv.parent)
    _install(venv, str(path))
    next(venv.glob("lib/*/site-packages/demo-1.0.dist-info")).joinpath("direct_url.json").write_text(direct)
    assert not _installed(venv).matches(locked(path))


@needs_x86_64
def test_paths_that_lead_out_are_ignored(venv: Path) -> None:
    """RECORD cannot make nixpy read a file outside the environment."""
    path = _wheel(venv.parent)
    _install(venv, str(path))
    secret = venv.parent / "secret.so"
    secret.write_bytes(shared_object(["libsecret.so"]))
    record = next(venv.glob("lib/*/site-packages/demo-1.0.dist-info/RECORD"))
    record.write_text(record.read_text() + f"../../../../secret.so,,\n{secret},,\n../../../lib/../../secret.so,,\n")
    assert len(inspect(_installed(venv))) == 3


@needs_x86_64
def test_what_cannot_be_understood_is_passed_over(venv: Path) -> None:
    """Broken metadata, or the same name twice, prove nothing and break nothing."""
    path = _wheel(venv.parent)
    _install(venv, str(path))
    site = next(venv.glob("lib/*/site-packages"))
    info = site / "demo-1.0.dist-info"
    (site / "empty-1.0.dist-info").mkdir()
    for name, metadata in {"odd": "Name: odd\nVersion: ???\n", "none": "Summary: no name\n"}.items():
        folder = site / f"{name}-1.0.dist-info"
        shutil.copytree(info, folder)
        (folder / "METADATA").write_text(metadata)
    assert list(installed_wheels(venv)) == [DEMO]
    shutil.copytree(info, site / "demo-0.9.dist-info")
    assert list(installed_wheels(venv)) == []


def test_no_environment_is_empty(tmp_path: Path) -> None:
    """Where there is no environment nothing is installed."""
    assert installed_wheels(tmp_path / ".venv") == {}


def test_large_files_are_mapped(venv: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Large installed files say the same as small ones."""
    _install(venv, str(_wheel(venv.parent)))
    (small,) = installed_wheels(venv).values()
    facts = inspect(small)
    monkeypatch.setattr(installed, "_MAPPED", 1)
    (large,) = installed_wheels(venv).values()
    assert isinstance(dict(large.read(["demo/native.so"]))["demo/native.so"], mmap)
    assert inspect(large) == facts


@needs_x86_64
def test_hashes_of_sources(venv: Path) -> None:
    """A file with the hash in RECORD is verified; a changed one, and one without a known hash, is not."""
    path = _wheel(venv.parent)
    _install(venv, str(path))
    installed = _installed(venv)
    sources = [member.path for member in installed.members() if member.path.endswith(".so")]
    assert sources
    assert installed.verify(sources)
    assert not installed.verify([*sources, "demo-1.0.dist-info/RECORD"])
    before = installed.fingerprint
    assert _installed(venv).fingerprint == before
    file = installed.file(sources[0])
    content = file.read_bytes()
    file.unlink()
    file.write_bytes(content[:-1] + b"x")
    assert not _installed(venv).verify(sources)
    assert _installed(venv).fingerprint != before
    record = next(venv.glob("lib/*/site-packages/demo-1.0.dist-info/RECORD"))
    record.write_text(record.read_text().replace("sha256=", "md5="))
    assert not _installed(venv).verify(sources[1:])
