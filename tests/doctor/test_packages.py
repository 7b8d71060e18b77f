"""Installed packages compared with their own metadata: what is broken is found, and what is only unusual is not."""

from __future__ import annotations

import base64
import errno
import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from elfbuild import elf
from nixpy.doctor import packages
from nixpy.doctor.facts import InstalledPackage
from nixpy.doctor.packages import read_packages, unreadable_file, without_record

LIBRARY = elf(needed=["libnobody.so.7"])
FILES = {
    "demo/__init__.py": b"x = 1\n" * 50,
    "demo/core.abi3.so": LIBRARY,
    "demo/data.json": b"{}",
    "demo/types.pyi": b"x: int\n",
    "demo/tests/test_demo.py": b"pass\n",
    "../../../bin/demo": b"#!/bin/sh\n",
    "../../../share/man/man1/demo.1": b"manual",
}


def site_of(venv: Path) -> Path:
    return venv / "lib/python3.11/site-packages"


def install(
    venv: Path,
    name: str = "demo",
    version: str = "1.0",
    files: dict[str, bytes] = FILES,
    *,
    installer: str | None = "pip",
    record: str | None = None,
    metadata: dict[str, str] | None = None,
) -> Path:
    """Write an installed package, and return its dist-info folder; `record` are more lines of RECORD."""
    site = site_of(venv)
    info = site / f"{name}-{version}.dist-info"
    info.mkdir(parents=True)
    lines = []
    for path, data in files.items():
        file = Path(os.path.normpath(site / path))
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
        lines.append(f"{path},sha256=x,{len(data)}\n")
    texts = {"METADATA": f"Name: {name}\nVersion: {version}\n", "WHEEL": "Tag: py3-none-any\n", **(metadata or {})}
    texts |= {"INSTALLER": f"{installer}\n"} if installer else {}
    for file_name, text in texts.items():
        (info / file_name).write_text(text)
    own = "".join(f"{info.name}/{one},,\n" for one in (*texts, "RECORD"))
    (info / "RECORD").write_text("".join(lines) + (record or "") + own)
    return info


def one(venv: Path, name: str = "demo") -> InstalledPackage:
    found = {package.name: package for package in read_packages(venv).installed}
    return found[name]


def damaged(venv: Path, name: str = "demo") -> dict[str, str]:
    """The damaged files of a package, by their path in site-packages."""
    return {os.path.relpath(path, site_of(venv)): words for path, words in one(venv, name).damaged}


# --- healthy ---


def bytecode(venv: Path) -> None:
    """RECORD lists the bytecode that pip compiles, and Python removes it for a newer source."""
    install(venv, record="demo/__pycache__/__init__.cpython-311.pyc,,\ndemo/old.pyc,sha256=x,20\n")


def quotes(venv: Path) -> None:
    """A name with a comma or a quote is quoted, one with blanks is not."""
    files = {'demo/a,"b".py': b"1\n", "demo/with blanks.py": b"2\n"}
    info = install(venv, files=files)
    lines = (info / "RECORD").read_text().replace('demo/a,"b".py', '"demo/a,""b"".py"')
    (info / "RECORD").write_text(lines)


def windows(venv: Path) -> None:
    """Wheels that were built on Windows may have its separators, and ends of lines."""
    info = install(venv)
    text = (info / "RECORD").read_text().replace("demo/core", "demo\\core").replace("\n", "\r\n")
    (info / "RECORD").write_bytes(text.encode())


def folders(venv: Path) -> None:
    """Some wheels list their folders."""
    install(venv, record="demo/,,\ndemo/tests,,0\n")


def stripped(venv: Path) -> None:
    """`strip` and a new compression make a library shorter, and it stays complete."""
    info = install(venv)
    size = len(LIBRARY)
    text = (info / "RECORD").read_text().replace(f"core.abi3.so,sha256=x,{size}", f"core.abi3.so,sha256=x,{size * 2}")
    (info / "RECORD").write_text(text)


def patched(venv: Path) -> None:
    """patchelf, and an editor, make a file longer."""
    install(venv)
    for name in ("core.abi3.so", "__init__.py"):
        with (site_of(venv) / "demo" / name).open("ab") as file:
            file.write(b"\n# more\n")


def slimmed(venv: Path) -> None:
    """People delete tests, type stubs, and manuals, without which a package works."""
    install(venv)
    shutil.rmtree(site_of(venv) / "demo/tests")
    (site_of(venv) / "demo/types.pyi").unlink()
    shutil.rmtree(venv / "share")


def without_scripts(venv: Path) -> None:
    """An environment into which only the packages of another one were copied."""
    install(venv)
    install(venv, "other", files={"other.py": b"", "../../../bin/other": b"#!/bin/sh"})
    shutil.rmtree(venv / "bin")


def shared(venv: Path) -> None:
    """Two packages install the same file, and that of the last one counts."""
    install(venv, files={"tests_of_all/__init__.py": b"# long\n" * 9})
    install(venv, "other", files={"tests_of_all/__init__.py": b""})


def sourced(venv: Path) -> None:
    """An editable package has a path to its source instead of its modules."""
    source = venv.parent / "source"
    (source / "src").mkdir(parents=True)
    direct = f'{{"url": "file://{source}", "dir_info": {{"editable": true}}}}'
    files = {"_demo.pth": f"{source}/src\nimport sys\n".encode()}
    install(venv, files=files, metadata={"direct_url.json": direct})


def copied(venv: Path) -> None:
    """A package that was installed from a folder, and is not editable, does not need the folder any more."""
    install(venv, metadata={"direct_url.json": '{"url": "file:///nowhere", "dir_info": {}}'})


def distribution(venv: Path) -> None:
    """Packages of Debian have no RECORD."""
    (install(venv, installer="debian") / "RECORD").unlink()


def conda(venv: Path) -> None:
    """RECORD is older than the files of conda, which writes its own folder into them."""
    install(venv, installer="conda")
    (site_of(venv) / "demo/__init__.py").write_bytes(b"x = 1\n")


def old(venv: Path) -> None:
    """egg-info, as a folder, as a file, and as a link to a source that exists."""
    install(venv)
    (site_of(venv) / "older.egg-info").mkdir()
    (site_of(venv) / "oldest-1.egg-info").touch()
    (site_of(venv) / "linked.egg-link").write_text(f"{venv}\n.\n")


def removed(venv: Path) -> None:
    """Leftovers of pip, which renames what it removes, and may be stopped."""
    install(venv)
    (site_of(venv) / "~emo-0.9.dist-info").mkdir()
    (site_of(venv) / "~emo").mkdir()
    (site_of(venv) / "~emo/core.abi3.so").write_bytes(LIBRARY)


def outside(venv: Path) -> None:
    """Files outside the environment are not looked at."""
    install(venv, record="/usr/lib/nowhere.py,,1\n../../../../../nowhere.py,,1\n")


def poetry(venv: Path) -> None:
    """Poetry writes its version into INSTALLER."""
    install(venv, installer="Poetry 2.1.0")


HEALTHY = (
    bytecode, quotes, windows, folders, stripped, patched, slimmed, shared, sourced, copied, distribution, conda, old,
    removed, outside, poetry, without_scripts,
)  # fmt: skip


@pytest.mark.parametrize("made", HEALTHY)
def test_healthy(tmp_path: Path, made: Callable[[Path], None]) -> None:
    """Nothing is wrong with it, and every library but those without a RECORD has an owner."""
    made(tmp_path / ".venv")
    found = read_packages(tmp_path / ".venv")
    assert found.unreadable == ()
    for package in found.installed:
        assert (package.damaged, package.lost, package.metadata, package.editable) == ((), False, "", None)
    assert bool(without_record(tmp_path / ".venv", found)) == (made is distribution)


# --- broken ---


def test_the_folder_of_a_package_is_gone(tmp_path: Path) -> None:
    """All files that it needs are named, and if none is left, that is known."""
    install(tmp_path)
    shutil.rmtree(site_of(tmp_path) / "demo")
    assert set(damaged(tmp_path)) == {"demo/__init__.py", "demo/core.abi3.so", "demo/data.json"}
    assert not one(tmp_path).lost
    shutil.rmtree(tmp_path / "bin")
    shutil.rmtree(tmp_path / "share")
    assert "../../../bin/demo" in damaged(tmp_path)
    assert one(tmp_path).lost


@pytest.mark.parametrize(
    ("name", "size", "words"),
    [
        ("core.abi3.so", 0, "is empty"),
        ("core.abi3.so", 100, f"is cut off: it has 100 bytes, and RECORD says {len(LIBRARY)}"),
        ("__init__.py", 0, "is empty"),
        ("__init__.py", 7, "is cut off: it has 7 bytes, and RECORD says 300"),
    ],
)  # fmt: skip
def test_a_file_is_cut_off(tmp_path: Path, name: str, size: int, words: str) -> None:
    """Its size is compared with RECORD."""
    install(tmp_path)
    os.truncate(site_of(tmp_path) / "demo" / name, size)
    assert damaged(tmp_path) == {f"demo/{name}": words}


def test_a_library_without_its_content(tmp_path: Path) -> None:
    """After a crash it may have its size, and only zeros; a linker script has another content, and its hash."""
    script = b"INPUT(libdemo.so.1)\n"
    digest = base64.urlsafe_b64encode(hashlib.sha256(script).digest()).rstrip(b"=").decode()
    info = install(tmp_path, files={"demo/libdemo.so": script, "demo/core.so": LIBRARY})
    (info / "RECORD").write_text((info / "RECORD").read_text().replace("sha256=x", f"sha256={digest}"))
    assert damaged(tmp_path) == {}
    for name in ("libdemo.so", "core.so"):
        file = site_of(tmp_path) / "demo" / name
        file.write_bytes(bytes(file.stat().st_size))
    words = "is not a library, and its hash is not the one in RECORD"
    assert damaged(tmp_path) == {"demo/libdemo.so": words, "demo/core.so": words}


def test_a_library_in_another_folder_counts(tmp_path: Path) -> None:
    """A package may install libraries into `lib`."""
    install(tmp_path, files={"../../libdemo.so.1": LIBRARY, "demo.py": b""})
    (tmp_path / "lib/libdemo.so.1").unlink()
    assert damaged(tmp_path) == {"../../libdemo.so.1": "does not exist"}


def test_metadata_is_missing(tmp_path: Path) -> None:
    """Without METADATA no tool knows the package; without RECORD pip and uv cannot remove it."""
    (install(tmp_path / "a") / "METADATA").unlink()
    assert one(tmp_path / "a").metadata.endswith("METADATA does not exist")
    for installer in ("pip", "uv", "Poetry 2.1.0", "pdm"):
        (install(tmp_path / installer, installer=installer) / "RECORD").unlink()
        assert "RECORD does not exist" in one(tmp_path / installer).metadata
    info = install(tmp_path / "b")
    shutil.rmtree(info)
    info.mkdir()
    assert one(tmp_path / "b").metadata


def test_a_package_that_is_installed_twice(tmp_path: Path) -> None:
    """An installer that was stopped leaves the folder of the old version."""
    install(tmp_path)
    install(tmp_path, version="0.9")
    package = one(tmp_path)
    assert "demo-0.9.dist-info and demo-1.0.dist-info" in package.metadata
    assert (package.version, len(package.folders)) == (None, 2)


@pytest.mark.parametrize("gone", ["source", "source/src"])
def test_an_editable_source_is_gone(tmp_path: Path, gone: str) -> None:
    """Its folder, or the folder below it that Python reads."""
    sourced(tmp_path / ".venv")
    shutil.rmtree(tmp_path / gone)
    package = one(tmp_path / ".venv")
    assert package.editable == tmp_path / gone
    assert package.requirement == f"--editable={tmp_path / 'source'}"


def test_a_link_to_a_source_that_is_gone(tmp_path: Path) -> None:
    """As `setup.py develop` writes it."""
    install(tmp_path)
    (site_of(tmp_path) / "linked.egg-link").write_text("/nowhere/source\n.\n")
    assert one(tmp_path, "linked").editable == Path("/nowhere/source")


def test_requirements_that_install_the_same_again(tmp_path: Path) -> None:
    """By the version, or by the address without its password."""
    commit = '"vcs_info": {"vcs": "git", "commit_id": "abc"}'
    for name, direct, expected in (
        ("a", None, "demo==1.0"),
        ("b", '{"url": "https://user:secret@example.org/demo.whl", "archive_info": {}}', "demo @ https://example.org/demo.whl"),
        ("c", f'{{"url": "https://example.org/demo", {commit}}}', "demo @ git+https://example.org/demo@abc"),
        ("d", "no JSON", "demo==1.0"),
    ):  # fmt: skip
        install(tmp_path / name, metadata={"direct_url.json": direct} if direct else None)
        assert one(tmp_path / name).requirement == expected


# --- files without a RECORD ---


def test_libraries_without_a_record(tmp_path: Path) -> None:
    """They belong to the package without a RECORD that has their name or lists it, or to none."""
    info = install(tmp_path, metadata={"top_level.txt": "_native\n"})
    install(tmp_path, "other", files={"other/x.so": LIBRARY})
    (site_of(tmp_path) / "_native.so").write_bytes(LIBRARY)
    (site_of(tmp_path) / "stray").mkdir()
    (site_of(tmp_path) / "stray/y.so.1").write_bytes(LIBRARY)
    (info / "RECORD").unlink()
    found = without_record(tmp_path, read_packages(tmp_path))
    assert {name: wheel.record for name, wheel in found.items()} == {
        "demo": ("_native.so", "demo/core.abi3.so", "stray/y.so.1")
    }
    shutil.rmtree(info)
    found = without_record(tmp_path, read_packages(tmp_path))
    assert {name: wheel.record for name, wheel in found.items()} == {
        "-native": ("_native.so",),
        "demo": ("demo/core.abi3.so",),
        "stray": ("stray/y.so.1",),
    }


# --- files that cannot be read ---


def test_a_folder_that_cannot_be_entered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It costs its own files only; the others are compared."""
    install(tmp_path)
    install(tmp_path, "other", files={"other/__init__.py": b"12"})
    os.truncate(site_of(tmp_path) / "other/__init__.py", 1)

    def status(path: str) -> os.stat_result:
        if "/demo/" in path:
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return Path(path).stat()

    monkeypatch.setattr(packages, "_status", status)
    found = read_packages(tmp_path)
    assert {file.package for file in found.unreadable} == {"demo"}
    assert [bool(package.damaged) for package in found.installed] == [False, True]


def test_the_folder_that_cannot_be_entered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is named instead of each file in it; the superuser may enter all, so the test denies it."""
    file = tmp_path / "demo/inner/file.py"
    file.parent.mkdir(parents=True)
    error = PermissionError(errno.EACCES, "Permission denied")
    assert unreadable_file(file, "demo", error).path == file
    with monkeypatch.context() as patch:
        patch.setattr(os, "access", lambda folder, _: folder != tmp_path / "demo")
        assert unreadable_file(file, "demo", error).path == tmp_path / "demo"
        assert unreadable_file(file, "demo", OSError(errno.EIO, "Input/output error")).path == file


def test_the_reason_of_an_unreadable_file(tmp_path: Path) -> None:
    """A wrong mode differs from a broken disk, and one's own file from that of another user."""
    (tmp_path / "file").touch()
    found = unreadable_file(tmp_path / "file", "demo", PermissionError(errno.EACCES, "Permission denied"))
    assert (found.reason, found.permission, found.own) == ("Permission denied", True, True)
    found = unreadable_file(tmp_path / "none", "demo", OSError(errno.EIO, "Input/output error"))
    assert (found.reason, found.permission, found.own) == ("Input/output error", False, False)
