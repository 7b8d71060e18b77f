"""What style patched-venv does to a virtual environment, on small files that gcc made and patchelf changes."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import patch_venv
import pytest
from packaging.utils import canonicalize_name
from patch_venv import DRIVER, FOLDER, PRELOAD, PatchError, Report, Settings, patch, read_elf, restore

from nixos.realnix import SYSTEMS, Nix, stand_in
from nixpy.analysis.nixpylock import NixpyLock, Wheel
from nixpy.environment.assemble import environment_of
from nixpy.environment.facts import facts
from nixpy.environment.options import resolve_options
from nixpy.needs.model import Needs
from nixpy.project import project
from opens import of_table
from runner import Nixpy

pytestmark = pytest.mark.skipif(platform.machine() != "x86_64", reason="its files are for x86-64")

SITE = "lib/python3.13/site-packages"
LOADER = Path("/lib64/ld-linux-x86-64.so.2")
# Path: what it needs, and the options that give it a run path.
RPATH, RUNPATH = "-Wl,--disable-new-dtags,-rpath,$ORIGIN/../pkg.libs", "-Wl,--enable-new-dtags,-rpath,$ORIGIN/sub"
FILES = {
    f"{SITE}/pkg/old.abi3.so": (["libz.so.1"], [RPATH]),
    f"{SITE}/pkg/new.abi3.so": (["libz.so.1"], [RUNPATH]),
    f"{SITE}/pkg.libs/libgrafted-0a1b2c3d.so.1": (["libfoo.so.2"], []),
    f"{SITE}/pkg/gpu.so": (["libcuda.so.1", "libz.so.1"], [RUNPATH]),
    f"{SITE}/pkg/nothing.so": ([], []),
    f"{SITE}/own/uses.so": (["libz.so.1"], ["-Wl,-rpath,$ORIGIN/../own.libs"]),
    f"{SITE}/own.libs/libz.so.1": ([], []),
    "bin/tool": (["libfoo.so.2"], ["PROGRAM"]),
}
PATCHED = sorted([*FILES][i] for i in (0, 1, 2, 3, 7))


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory, real_nix: Nix) -> Path:
    """A folder with `farm`, what is supplied, and `cache`, what an installer has unpacked. gcc and patchelf, which make
    it, come with Nix.
    """
    folder = tmp_path_factory.mktemp("workshop")
    (folder / "farm").mkdir()
    source = folder / "source.c"
    source.write_text("int answer(void) { return 42; }\nint main(void) { return answer(); }\n")

    def build(target: Path, needed: list[str], options: list[str]) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        kind = [] if "PROGRAM" in options else ["-shared", "-fPIC", f"-Wl,-soname,{target.name}"]
        rest = [option for option in options if option != "PROGRAM"]
        libraries = [str(folder / "farm" / name) for name in needed]
        allow = "-Wl,--no-as-needed,--allow-shlib-undefined"
        subprocess.run(["gcc", *kind, "-o", target, source, allow, *libraries, *rest], check=True)

    for name in ("libz.so.1", "libfoo.so.2", "libcuda.so.1"):
        build(folder / "farm" / name, [], [])
    for name, (needed, options) in FILES.items():
        build(folder / "cache" / name, needed, options)
    (folder / "farm/libcuda.so.1").unlink()
    (folder / "cache" / SITE / "pkg/__init__.py").write_text("")
    return folder


@pytest.fixture
def cache(workshop: Path, tmp_path: Path) -> Path:
    """An installer's cache of its own."""
    return shutil.copytree(workshop / "cache", tmp_path / "cache")


@pytest.fixture
def venv(cache: Path, tmp_path: Path) -> Path:
    """A virtual environment whose files are hard links into the cache."""
    return install(cache, tmp_path / "venv")


def install(cache: Path, venv: Path) -> Path:
    """Link every file of the cache into a virtual environment, in place of what is there."""
    for path in cache.rglob("*"):
        target = venv / path.relative_to(cache)
        if path.is_dir():
            target.mkdir(parents=True, exist_ok=True)
        else:
            target.unlink(missing_ok=True)
            target.hardlink_to(path)
    (venv / "pyvenv.cfg").write_text("home = /nowhere\n")
    return venv


@pytest.fixture
def settings(workshop: Path, tmp_path: Path) -> Settings:
    """What a shell would hand over; patchelf notes each of its calls in `calls`."""
    patchelf = tmp_path / "patchelf"
    patchelf.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/calls\nexec {shutil.which("patchelf")} "$@"\n')
    patchelf.chmod(0o755)
    farm = shutil.copytree(workshop / "farm", tmp_path / "farm")
    loader = os.path.realpath(LOADER)
    return Settings(str(farm), f"{loader}", str(patchelf), ["libcuda.so.1"], [])


def tree(folder: Path, *, inodes: bool = False) -> dict[str, tuple[object, ...]]:
    """Every file outside of our folder: content, mode, and with `inodes` its inode and when it was written.

    The time is needed too, as a new file may get the inode of a deleted one.
    """
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if not name.startswith(FOLDER) and path.is_file() and path.name != PRELOAD:
            status = path.stat()
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            found[name] = (digest, status.st_mode, *([status.st_ino, status.st_mtime_ns] if inodes else []))
    return found


def dynamic(path: Path) -> str:
    """What readelf, which knows nothing of ours, says of a file."""
    command = ["readelf", "-d", "-l", "--wide", str(path)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def opens(library: Path) -> bool:
    """Whether a fresh process can open a library."""
    program = f"import ctypes; ctypes.CDLL({str(library)!r})"
    return subprocess.run([sys.executable, "-c", program], check=False, capture_output=True).returncode == 0


def calls(settings: Settings) -> int:
    log = Path(settings.patchelf).with_name("calls")
    return len(log.read_text().splitlines()) if log.exists() else 0


# --- what each file gets ---


def test_only_files_that_need_something_are_patched(venv: Path, settings: Settings) -> None:
    """Patched are those that need a supplied library and the program; not what needs nothing, and not what finds the
    library beside itself.
    """
    before = tree(venv)
    assert patch(venv, settings).patched == PATCHED
    after = tree(venv)
    assert sorted(name for name in before if before[name] != after[name]) == PATCHED


def test_the_kind_of_run_path_is_kept_and_its_own_come_first(venv: Path, settings: Settings) -> None:
    """RPATH stays RPATH and RUNPATH stays RUNPATH, with the folders of the wheel in front; where there was none it is
    an RPATH, so that what the loader of a library hands down is still looked at.
    """
    patch(venv, settings)
    old, new, grafted = (dynamic(venv / name) for name in [*FILES][:3])
    up = f"$ORIGIN/../../../../{FOLDER}/lib"
    assert f"(RPATH)              Library rpath: [$ORIGIN/../pkg.libs:{up}]" in old
    assert f"(RUNPATH)            Library runpath: [$ORIGIN/sub:{up}]" in new
    assert f"(RPATH)              Library rpath: [{up}]" in grafted
    assert "RUNPATH" not in old + grafted
    assert "(RPATH)" not in new


def test_a_run_path_handed_down_is_still_looked_at(tmp_path: Path, settings: Settings) -> None:
    """A library without run path, which needs a supplied library and a sibling that only the RPATH of its own loader
    finds, as old auditwheel left it, is opened afterwards. With a RUNPATH of its own it would not be.
    """
    venv = tmp_path / "venv"
    libs = venv / SITE / "x.libs"
    libs.mkdir(parents=True)
    (venv / "pyvenv.cfg").touch()
    source = tmp_path / "x.c"
    source.write_text("int x;")

    def build(target: Path, *needed: Path, options: str = "") -> Path:
        gcc = ["gcc", "-shared", "-fPIC", str(source), "-Wl,--no-as-needed,--allow-shlib-undefined" + options]
        subprocess.run([*gcc, "-o", target, f"-Wl,-soname,{target.name}", *needed], check=True)
        return target

    inner = build(libs / "libinner-00.so")
    outer = build(libs / "libouter-00.so", inner, Path(settings.libraries, "libz.so.1"))
    module = build(venv / SITE / "x.so", outer, options=",--disable-new-dtags,-rpath,$ORIGIN/x.libs")
    assert patch(venv, settings).patched == [str(outer.relative_to(venv))]
    assert opens(module)
    subprocess.run(["patchelf", "--set-rpath", settings.libraries, outer], check=True)
    assert not opens(module)


def test_the_driver_comes_last_and_only_where_it_is_needed(venv: Path, settings: Settings) -> None:
    """The host's folder stands unresolved behind all others in the one file that needs the driver."""
    patch(venv, settings)
    found = {name: read_elf(venv / name) for name in FILES}
    having = [name for name, elf in found.items() if elf and DRIVER in elf.run_path]
    assert having == [f"{SITE}/pkg/gpu.so"]
    gpu = found[having[0]]
    assert gpu is not None
    assert gpu.run_path.split(":")[-1] == DRIVER


def test_libraries_are_found_and_programs_start(venv: Path, settings: Settings) -> None:
    """Modules can be opened and the program starts with the loader of the settings; before, and with another set of
    libraries that lacks theirs, neither.
    """
    old, _, grafted = (venv / name for name in [*FILES][:3])
    tool = venv / "bin/tool"

    def works() -> tuple[bool, bool, int]:
        return opens(old), opens(grafted), subprocess.run([tool], check=False, capture_output=True).returncode

    grafted_needs_foo = (True, False, 127)  # the test's machine has a libz.so.1 of its own
    assert works() == grafted_needs_foo
    patch(venv, settings)
    assert works() == (True, True, 42)
    assert f"program interpreter: {settings.loader}]" in dynamic(tool)
    assert tool.stat().st_mode & 0o111
    (Path(settings.libraries) / "libfoo.so.2").unlink()
    patch(venv, settings)
    assert works() == grafted_needs_foo


def test_other_libraries_touch_no_file(venv: Path, settings: Settings, tmp_path: Path) -> None:
    """When all libraries come from elsewhere, the link says so and every file stays as it is."""
    patch(venv, settings)
    before = tree(venv, inodes=True)
    other = shutil.copytree(settings.libraries, tmp_path / "other")
    (other / "libnew.so.3").touch()
    shutil.rmtree(settings.libraries)
    assert not opens(venv / [*FILES][2])
    report = patch(venv, replace(settings, libraries=str(other)))
    assert (report.patched, report.restored) == ([], [])
    assert tree(venv, inodes=True) == before
    assert opens(venv / [*FILES][2])


# --- again and again ---


def test_a_second_run_does_nothing(venv: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """It opens no file of the virtual environment, calls patchelf for none, and changes nothing."""
    patch(venv, settings)
    before, count = tree(venv, inodes=True), calls(settings)
    record = (venv / FOLDER / "record.json").stat()
    opened: list[Path] = []

    def note(path: Path) -> patch_venv.Elf | None:
        opened.append(path)
        return read_elf(path)

    monkeypatch.setattr(patch_venv, "read_elf", note)
    assert patch(venv, settings) == Report(str(venv))
    assert opened == [Path(settings.loader)]
    assert calls(settings) == count == len(PATCHED)
    assert tree(venv, inodes=True) == before
    assert (venv / FOLDER / "record.json").stat() == record


def test_only_what_is_new_is_patched(venv: Path, cache: Path, settings: Settings) -> None:
    """A file installed anew, and one that was not there, are patched; the others are not touched. An uninstalled one
    leaves nothing behind.
    """
    patch(venv, settings)
    first, second, third = (venv / name for name in PATCHED[:3])
    before = tree(venv, inodes=True)
    first.unlink()
    shutil.copy(cache / PATCHED[0], first)
    second.unlink()
    shutil.copy(cache / PATCHED[1], third.with_name("added.so"))
    report = patch(venv, settings)
    assert report.patched == sorted([PATCHED[0], str(third.with_name("added.so").relative_to(venv))])
    after = tree(venv, inodes=True)
    assert {name for name in before if before[name] != after.get(name)} == {PATCHED[0], PATCHED[1]}
    assert not (venv / FOLDER / "originals" / PATCHED[1]).exists()


def test_the_cache_is_not_touched(venv: Path, cache: Path, settings: Settings, tmp_path: Path) -> None:
    """What the installer linked keeps its bytes, mode and inode in the cache and in another virtual environment."""
    other = install(cache, tmp_path / "other")
    before = tree(cache, inodes=True), tree(other, inodes=True)
    patch(venv, settings)
    assert (tree(cache, inodes=True), tree(other, inodes=True)) == before
    originals = venv / FOLDER / "originals"
    assert all((originals / name).samefile(cache / name) for name in PATCHED)


def test_restore_puts_back_byte_for_byte(venv: Path, settings: Settings) -> None:
    """Afterwards every file is the very inode it was, and nothing else is there; what was installed since stays."""
    before = tree(venv, inodes=True)
    patch(venv, replace(settings, opened=["libz.so.1"]))
    assert tree(venv, inodes=True) != before
    assert restore(venv).restored == PATCHED
    assert tree(venv, inodes=True) == before
    assert not (venv / FOLDER).exists()
    assert not list(venv.rglob(PRELOAD))
    patch(venv, settings)
    (venv / PATCHED[0]).unlink()
    (venv / PATCHED[0]).write_text("another")
    assert restore(venv).restored == PATCHED[1:]
    assert (venv / PATCHED[0]).read_text() == "another"


def test_a_copied_venv_knows_its_files(venv: Path, settings: Settings, tmp_path: Path) -> None:
    """In a copy, where every inode is another, nothing is patched twice, and restore brings the originals."""
    before = tree(venv)
    patch(venv, settings)
    copy = shutil.copytree(venv, tmp_path / "copy", symlinks=True)
    assert patch(copy, settings).patched == []
    restore(copy)
    assert tree(copy) == before


def test_no_hard_links(venv: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a file system without hard links the originals are copies, and restore brings the same bytes."""

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(1, "no hard links here")

    before = tree(venv)
    monkeypatch.setattr(os, "link", refuse)
    assert patch(venv, settings).patched == PATCHED
    assert restore(venv).restored == PATCHED
    assert tree(venv) == before


# --- stopped ---

WRITES = {"os.rename", "os.link", "os.mkdir", "os.remove", "os.rmdir", "os.symlink", "os.chmod", "subprocess.Popen"}


def stopped(step: int, work: Callable[[], object]) -> bool:
    """Do the work in a process that is killed before its change number `step` to the disk; whether it was."""
    child = os.fork()
    if child == 0:
        left = step

        def hook(event: str, arguments: tuple[object, ...]) -> None:
            nonlocal left
            flags = arguments[2] if event == "open" else 0
            writes = isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
            if event in WRITES or writes:
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(hook)
        work()
        os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def first(venv: Path, _cache: Path, settings: Settings, _tmp: Path) -> Callable[[], object]:
    """The first run of all."""
    return partial(patch, venv, settings)


def later(venv: Path, cache: Path, settings: Settings, tmp: Path) -> Callable[[], object]:
    """A run after the loader and the libraries changed, a file was installed anew and one was uninstalled."""
    patch(venv, replace(settings, opened=["libz.so.1"]))
    (venv / PATCHED[1]).unlink()
    shutil.copyfile(cache / PATCHED[1], venv / PATCHED[1])
    (venv / PATCHED[2]).unlink()
    loader, farm = tmp / "elsewhere" / LOADER.name, tmp / "fewer"
    if not farm.exists():
        loader.parent.mkdir()
        shutil.copy(settings.loader, loader)
        farm.mkdir()
        (farm / "libz.so.1").symlink_to(f"{settings.libraries}/libz.so.1")
    return partial(patch, venv, replace(settings, loader=str(loader), libraries=str(farm)))


def undo(venv: Path, cache: Path, settings: Settings, tmp: Path) -> Callable[[], object]:
    """Restoring, after both."""
    later(venv, cache, settings, tmp)()
    return partial(restore, venv)


@pytest.mark.parametrize("scenario", [first, later, undo])
def test_killed_at_any_moment(
    cache: Path,
    settings: Settings,
    tmp_path: Path,
    scenario: Callable[[Path, Path, Settings, Path], Callable[[], object]],
) -> None:
    """Killed before any of its changes, each file is as it was or as it shall be, and the cache is whole; the next run
    ends where one that was not stopped ends, leaves nothing lying about, and can be undone.
    """
    step, killed = 0, True
    cached = tree(cache, inodes=True)
    goal: dict[str, tuple[object, ...]] = {}
    while killed:
        venv = install(cache, tmp_path / f"venv{step}")
        work = scenario(venv, cache, settings, tmp_path)
        before = tree(venv)
        if step:
            killed = stopped(step, work)
            between = tree(venv)
            assert between.keys() == before.keys()
            for name, state in between.items():
                assert state in (before[name], goal[name]), (step, name)
        work()
        goal = goal or tree(venv)
        assert tree(venv) == goal, step
        places = {path.name for path in (venv / FOLDER).glob("*")}
        assert places == (set() if scenario is undo else {"record.json", "originals", "lib"}), step
        restore(venv)
        assert all(state[0] == cached[name][0] for name, state in tree(venv).items() if name in cached), step
        assert tree(cache, inodes=True) == cached
        shutil.rmtree(venv)
        step += 1
    assert step > 10


# --- what is not as it should be ---


@pytest.mark.parametrize(
    "damage", [lambda data: data[:5], lambda data: data[:40], lambda data: data[:700], lambda data: data[:64]]
)
def test_a_damaged_file_is_left_alone(
    venv: Path, cache: Path, settings: Settings, damage: Callable[[bytes], bytes]
) -> None:
    """A file that is cut off is reported and stays as it is; the others are patched."""
    file = venv / PATCHED[1]
    data = damage(file.read_bytes())
    file.unlink()
    file.write_bytes(data)
    strange = Path(os.fsdecode(os.fsencode(venv) + b"/\xff\n.so"))
    shutil.copy(cache / PATCHED[1], strange)
    assert strange.name in patch(venv, settings).patched
    strange.write_bytes(data)
    assert r"not changed: \xff" in "".join(patch_venv.lines(patch(venv, settings)))
    strange.unlink()
    assert restore(venv).restored == sorted({*PATCHED} - {PATCHED[1]})
    report = patch(venv, settings)
    assert report.left == {PATCHED[1]: "it is a damaged ELF file"}
    assert file.read_bytes() == data
    assert len(report.patched) == len(PATCHED) - 1
    assert (cache / PATCHED[1]).stat().st_size > len(data)


def test_what_patchelf_refuses_is_left_alone(venv: Path, cache: Path, settings: Settings, tmp_path: Path) -> None:
    """Where patchelf fails, or makes something else than was asked, the file stays, with the reason in the report."""
    for script, reason in (("echo no >&2; exit 1", "no"), ("exit 0", "it changed other parts of the file")):
        patchelf = tmp_path / "broken"
        patchelf.write_text(f"#!/bin/sh\n{script}\n")
        patchelf.chmod(0o755)
        report = patch(venv, replace(settings, patchelf=str(patchelf)))
        assert report.patched == []
        assert report.left == dict.fromkeys(PATCHED, f"patchelf cannot change it: {reason}")
        assert all((venv / name).samefile(cache / name) for name in FILES)
        assert not (venv / FOLDER / "originals").exists()


def test_what_cannot_be_read_keeps_its_original(
    venv: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A patched file that fails to be read is reported, and can still be restored afterwards."""
    before = tree(venv, inodes=True)
    patch(venv, settings)
    file = venv / PATCHED[1]
    os.utime(file, (0, 0))

    def fail(path: Path) -> patch_venv.Elf | None:
        if path == file:
            raise OSError(5, "Input/output error")
        return read_elf(path)

    with monkeypatch.context() as patched:
        patched.setattr(patch_venv, "read_elf", fail)
        assert "Input/output error" in patch(venv, settings).left[PATCHED[1]]
    assert patch(venv, settings) == Report(str(venv))
    restore(venv)
    assert tree(venv, inodes=True) == before


def test_a_read_only_file_is_patched_and_stays_so(venv: Path, settings: Settings) -> None:
    """Its mode is the same afterwards, and after restore."""
    file = venv / PATCHED[1]
    file.chmod(0o444)
    assert PATCHED[1] in patch(venv, settings).patched
    assert file.stat().st_mode & 0o777 == 0o444
    restore(venv)
    assert file.stat().st_mode & 0o777 == 0o444


def test_links_are_not_followed(venv: Path, cache: Path, settings: Settings, tmp_path: Path) -> None:
    """What a link out of the virtual environment points to is not changed; that a library is one is reported."""
    inner, outer = venv / PATCHED[1], tmp_path / "outer.so"
    shutil.copy(cache / PATCHED[1], outer)
    inner.unlink()
    inner.symlink_to(outer)
    folder = shutil.copytree(cache / SITE / "pkg", tmp_path / "folder")
    (venv / SITE / "linked").symlink_to(folder)
    (venv / "lib64").symlink_to("lib")
    before = outer.read_bytes(), tree(folder, inodes=True)
    report = patch(venv, settings)
    assert report.left == {PATCHED[1]: "it is a link out of the virtual environment; install with UV_LINK_MODE=copy"}
    assert report.patched == sorted({*PATCHED} - {PATCHED[1]})
    assert (outer.read_bytes(), tree(folder, inodes=True)) == before


def test_files_for_other_machines_are_left_alone(venv: Path, settings: Settings) -> None:
    """A file of another machine, and a program for another libc, stay as they are and are nothing to report."""
    file, tool = venv / PATCHED[1], venv / "bin/tool"
    data = bytearray(file.read_bytes())
    data[18] = 183  # e_machine: AArch64
    file.unlink()
    file.write_bytes(data)
    data = bytearray(tool.read_bytes())
    tool.unlink()
    tool.write_bytes(data.replace(b"/lib64/ld-linux-x86-64.so.2", b"/lib/ld-musl-x86_64.so.1\0\0\0"))
    tool.chmod(0o755)
    report = patch(venv, settings)
    assert report.left == {}
    assert "ld-musl" in dynamic(tool)
    assert file.read_bytes()[18] == 183


@pytest.mark.parametrize("text", ["", "{", "[]", '{"files": {"a": {}}}'])
def test_a_record_that_is_gone_or_damaged_ends_it(venv: Path, settings: Settings, text: str) -> None:
    """Without it patched files would be taken for originals; so nothing is done and the error says what to do."""
    patch(venv, settings)
    before, record = tree(venv, inodes=True), venv / FOLDER / "record.json"
    record.write_text(text) if text else record.unlink()
    for work in (partial(patch, venv, settings), partial(restore, venv)):
        with pytest.raises(PatchError, match="record") as error:
            work()
        assert error.value.hint == "Create the virtual environment again."
    assert tree(venv, inodes=True) == before


# --- names opened at run time ---


def test_names_opened_at_run_time_are_preloaded(tmp_path: Path, settings: Settings) -> None:
    """In a real virtual environment, a supplied library that no ELF file needs is in the process by its name when
    Python has started; a missing file is no error; one that is not supplied is reported.
    """
    venv = tmp_path / "real"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    python = str(venv / "bin/python")
    program = [python, "-c", "import ctypes; print(ctypes.CDLL('libfoo.so.2').answer())"]
    assert subprocess.run(program, check=False, capture_output=True).returncode != 0
    opened = ["libcuda.so.1", "libfoo.so.2", "libnobody.so.1"]
    report = patch(venv, replace(settings, opened=opened))
    assert (report.preloaded, report.not_served) == (opened[:2], opened[2:])
    done = subprocess.run(program, check=True, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("42\n", "")
    (Path(settings.libraries) / "libfoo.so.2").unlink()
    done = subprocess.run([python, "-c", ""], check=True, capture_output=True, text=True)
    assert done.stderr == ""
    patch(venv, settings)
    assert not list(venv.rglob(PRELOAD))


def test_the_lock_says_which_names_are_opened(tmp_path: Path) -> None:
    """Rendered are the names that packages of the lock open on Linux, sorted, and those of the graphics driver; not
    what another wheel ships or makes needless, what macOS alone opens, or what is ignored.
    """

    def wheel(name: str, *opened: str, system: str = "x86_64-linux", **others: tuple[object, ...]) -> Wheel:
        needs = Needs(opens=of_table(*opened, system=system), known="sha256", **others)  # type: ignore[arg-type]
        filename = f"{name}-1-py3-none-any.whl"
        return Wheel(
            system=system, name=canonicalize_name(name), version="1", filename=filename, sha256=None, needs=needs
        )

    wheels = (
        wheel("numba", "libcuda.so.1"),
        wheel("python-magic", "libmagic.so.1", "libignored.so.1"),
        wheel("psycopg", "libpq.so.5"),
        wheel("psycopg-binary"),
        wheel("cairocffi", "libcairo.so.2"),
        wheel("brings-cairo", provides=("libcairo.so.2",)),
        wheel("pyusb", "libusb-1.0.so.0", system="aarch64-darwin"),
        wheel("linked", sonames=(("libnvidia-ml.so.1", "a.so"), ("libz.so.1", "a.so"))),
    )
    record = NixpyLock(
        python="3.13",
        release="26.05",
        inputs="",
        systems=("aarch64-darwin", "x86_64-linux"),
        wheels=wheels,
        unavailable=(),
    )
    asking = '[tool.nixpy]\nstyle = "patched-venv"\nlibraries.ignore = ["libignored.so.1"]\n'
    (tmp_path / "pyproject.toml").write_text(f"[project]\n{asking}")
    own = project.read(tmp_path)
    found = facts(environment_of(own, resolve_options(own), record))
    assert found["openedSonames"] == ["libcuda.so.1", "libmagic.so.1"]
    assert found["hostSonames"] == ["libcuda.so.1", "libnvidia-ml.so.1"]


# --- the commands ---


@pytest.fixture
def shell(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The variable that a shell of the style sets."""
    file = tmp_path / "settings.json"
    file.write_text(json.dumps(vars(settings)))
    monkeypatch.setenv("NIXPY_PATCH", str(file))
    return settings


def test_nixpy_patch_is_the_same(venv: Path, shell: Settings, nixpy: Nixpy) -> None:
    """`nixpy patch` patches, tells it as JSON and as text, and restores; 1 stands for something that is not served."""
    before = tree(venv, inodes=True)
    done = nixpy("patch", venv, "--format", "json")
    assert done.status == 0
    assert done.json["format"] == 1
    assert done.json["patched"] == PATCHED
    assert nixpy("patch", venv).out == f"nixpy: patched 0 files in {venv}\n"
    (venv / PATCHED[1]).write_bytes(b"\x7fELF")
    done = nixpy("patch", venv)
    assert done.status == 1
    assert f"not changed: {PATCHED[1]}: " in done.out
    (venv / PATCHED[1]).unlink()
    assert nixpy("patch", venv, "--restore").out == f"nixpy: patched 0 files in {venv}, restored 4\n"
    assert tree(venv, inodes=True) == {name: state for name, state in before.items() if name != PATCHED[1]}


def test_the_program_alone_is_the_same(venv: Path, shell: Settings) -> None:
    """The file needs nothing but Python, says one line when something was patched and with --quiet else none."""

    def run(*arguments: str) -> tuple[int, str]:
        command = [sys.executable, "-IS", patch_venv.__file__, *arguments, str(venv)]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    assert run("--quiet") == (0, f"nixpy: patched 5 files in {venv}\n")
    assert run("--quiet") == (0, "")
    assert run() == (0, f"nixpy: patched 0 files in {venv}\n")
    (venv / PATCHED[0]).write_bytes(b"\x7fELF")
    shutil.copy(venv / PATCHED[1], venv / "lib/added.so")
    subprocess.run(["patchelf", "--remove-rpath", venv / "lib/added.so"], check=True)
    more = "1 could not be patched or found: for details run `nixpy-patch`"
    assert run("--quiet") == (1, f"nixpy: patched 1 file in {venv}; {more}\n")
    assert f"  not changed: {PATCHED[0]}: " in run()[1]
    restored = json.loads(run("--restore", "--format", "json")[1])["restored"]
    assert restored == sorted([*PATCHED[1:], "lib/added.so"])
    (venv / "pyvenv.cfg").unlink()
    assert run() == (
        2,
        (
            f"error[NIX714]: {venv} is not a virtual environment\n"
            "  hint: Name the folder of one, or enter the shell, which creates it.\n"
        ),
    )


def test_outside_of_the_shell_it_says_where_to_go(
    venv: Path, nixpy: Nixpy, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Without the shell's settings, or with those of another nixpy, nothing is done: exit status 2 and a way out."""
    monkeypatch.delenv("NIXPY_PATCH", raising=False)
    done = nixpy("patch", venv)
    assert (done.status, done.out) == (2, "")
    assert "Enter the shell of style patched-venv (nix develop)" in done.err
    other = tmp_path / "other.json"
    other.write_text('{"libraries": "/nowhere", "future": 1}')
    monkeypatch.setenv("NIXPY_PATCH", str(other))
    assert nixpy("patch", venv).status == 2
    assert not (venv / FOLDER).exists()


def test_ctrl_c_ends_it_cleanly(
    venv: Path, shell: Settings, nixpy: Nixpy, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Interrupted while patchelf works, both commands say so in one line and exit with 130; no file has changed."""
    before = tree(venv, inodes=True)
    patchelf = tmp_path / "interrupts"
    patchelf.write_text("#!/bin/sh\nkill -INT $PPID\nsleep 0.5\nexit 1\n")
    patchelf.chmod(0o755)
    file = tmp_path / "interrupting.json"
    file.write_text(json.dumps(vars(replace(shell, patchelf=str(patchelf)))))
    monkeypatch.setenv("NIXPY_PATCH", str(file))
    for command, message in (
        ([sys.executable, "-IS", patch_venv.__file__], "nixpy-patch: interrupted; run it again to continue\n"),
        ([sys.executable, "-m", "nixpy", "patch"], "nixpy: interrupted; run it again to continue\n"),
    ):
        done = subprocess.run([*command, venv], check=False, capture_output=True, text=True)
        assert done.returncode == 130
        assert done.stderr == message
        assert tree(venv, inodes=True) == before


def test_the_rendered_file_brings_the_very_program(tmp_path: Path, nixpy: Nixpy, real_nix: Nix) -> None:
    """Nix reads back from nixpy.nix the bytes of patch_venv.py, and settings that it understands."""
    import shop

    project = shop.project(tmp_path / "demo", "alpha", "weasyprint")
    assert nixpy("init", project, "--style", "patched-venv").status == 0
    text = (project / "nixpy.nix").read_text()
    outputs = "  python = interpreter;\n"  # of the style, which may have others too
    assert text.count(outputs) == 1
    text = text.replace(outputs, f"{outputs}  inherit patcher settings;\n")
    (project / "opened.nix").write_text(text)
    pkgs = f'(import {stand_in("26.05")} {{ system = "{SYSTEMS[0]}"; }}) // {{ writeText = name: text: text; }}'
    opened = f"(import {project / 'opened.nix'} {{ pkgs = {pkgs}; }})"
    program, handed = real_nix.eval_strings([f"{opened}.patcher", f"{opened}.settings"])
    assert program == Path(patch_venv.__file__).read_text()
    assert "libpango-1.0.so.0" in Settings(**json.loads(handed)).opened
