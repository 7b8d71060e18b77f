"""Give the programs and libraries in a virtual environment what they lack on NixOS, whenever an installer is done.

A program gets glibc's loader from the store for its interpreter. A file that needs a library of the project gets the
link .nixpy-patched/lib on its run path, behind what stands there: other libraries mean another link, not other files.
A file that needs the graphics driver gets the host's folder, last. Every file gets its own, as DT_RUNPATH is not
inherited; where there was no run path it becomes a DT_RPATH, since a DT_RUNPATH would switch off the one inherited.

No file is written to. Its copy is changed and takes its place by rename(2), and the original, which may be a hard link
into an installer's cache, stays in .nixpy-patched/originals until it is put back. What a new file will be is recorded
before it takes its place, so whenever this is stopped, each file is the old or the new one and the next run goes on.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import mmap
import os
import re
import shutil
import stat
import struct
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

FOLDER = ".nixpy-patched"
DRIVER = "/run/opengl-driver/lib"  # a link, not followed: it points to another driver after the next reboot
PRELOAD = "nixpy-preload.pth"
TEXT = (".py", ".pyc", ".pyi", ".h", ".txt")
LIBRARY = re.compile(r".+\.so(\.[^/]+)?")


class PatchError(Exception):
    """Nothing was changed, for the reason that is the message; `hint` is what to do, where the message has it not."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class DamagedError(Exception):
    """The file calls itself ELF and contradicts the specification."""


class RefusedError(Exception):
    """The file cannot be changed, for the reason that is the message."""


@dataclass(frozen=True)
class Settings:
    """What the shell hands over: places in the store, and sonames that it knows to be special."""

    libraries: str  # a folder with exactly the sonames it supplies
    loader: str
    patchelf: str
    driver: list[str]  # sonames that the host's graphics driver supplies
    opened: list[str]  # sonames that packages open by name at run time


@dataclass(frozen=True)
class Elf:
    """What a file says of its linking; a run path or interpreter that it does not have is empty."""

    machine: int
    needed: list[str]
    tag: int  # DT_RPATH (15) or DT_RUNPATH (29)
    run_path: str
    interpreter: str


@dataclass(frozen=True)
class Entry:
    """One recorded file. `status` is inode, size and mtime in ns of what is in place, `elf` is about the original.

    `form` is the run path and interpreter of what is in place, `before` what was in place until this was recorded.
    """

    status: list[int]
    elf: Elf
    needs: list[str]  # needed, and not found by the run path that the original has
    form: list[str]
    before: list[str]

    @property
    def original(self) -> list[str]:
        """The form that the installer left."""
        return [self.elf.run_path, self.elf.interpreter]

    @property
    def patched(self) -> bool:
        """Whether another file than the original is in place."""
        return self.form != self.original


@dataclass
class Report:
    """What was done: paths in the virtual environment, sorted; sonames that are preloaded, or cannot be."""

    venv: str
    patched: list[str] = field(default_factory=list)
    restored: list[str] = field(default_factory=list)
    left: dict[str, str] = field(default_factory=dict)  # left alone, and why
    preloaded: list[str] = field(default_factory=list)
    not_served: list[str] = field(default_factory=list)


def read_elf(path: Path) -> Elf | None:
    """Return what a file says of its linking, None where it is no dynamic 64-bit little-endian ELF file.

    Source: System V gABI, chapters 4 and 5. Only what a loader reads counts, so sections do not. Raises DamagedError.
    """
    with path.open("rb") as stream:
        if stream.read(4) != b"\x7fELF":
            return None
        with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
            try:
                return _elf(data)
            except (struct.error, ValueError, StopIteration):
                raise DamagedError("it calls itself an ELF file and is damaged") from None


def _elf(data: mmap.mmap) -> Elf | None:
    kind, machine, start, size, count = struct.unpack_from("<HH12xQ14xHH", data, 16)
    if data[4:6] != b"\2\1" or kind not in (2, 3):
        return None
    segments = [struct.unpack_from("<I4xQQ8xQ", data, start + i * size) for i in range(count)]
    string = {kind: data[offset : offset + length] for kind, offset, _, length in segments if kind in (2, 3)}
    interpreter = os.fsdecode(string.get(3, b"").partition(b"\0")[0])
    table = list(struct.iter_unpack("<qQ", string.get(2, b"\0" * 16)))
    entries = table[: next(i for i, (tag, _) in enumerate(table) if tag == 0)]
    tags = dict(entries)
    if 5 not in tags:  # DT_STRTAB: a static program, or debug data taken out of a file
        return Elf(machine, [], 0, "", interpreter) if interpreter else None
    place = next(o + tags[5] - a for k, o, a, n in segments if k == 1 and a <= tags[5] < a + n)
    strings = data[place : place + tags.get(10, 0)]  # DT_STRSZ

    def text(offset: int) -> str:
        return os.fsdecode(strings[offset : strings.index(b"\0", offset)])

    tag = 29 if 29 in tags else 15  # ld.so(8): where both stand, DT_RPATH is not looked at
    run_path = text(tags[tag]) if tag in tags else ""
    return Elf(machine, [text(value) for tag, value in entries if tag == 1], tag, run_path, interpreter)


def read_settings() -> Settings:
    """Return what the shell says in the file that the variable NIXPY_PATCH names. Raises PatchError."""
    path = os.environ.get("NIXPY_PATCH")
    if path is None:
        raise PatchError("NIXPY_PATCH is not set; enter the shell of style patched-venv (nix develop)")
    try:
        return Settings(**json.loads(Path(path).read_text()))
    except (TypeError, ValueError):
        raise PatchError(f"{path} is of another nixpy; `nixpy-patch` is the one it belongs to") from None


def patch(place: Path, settings: Settings) -> Report:
    """Bring each file of a virtual environment to what it should be. Raises PatchError."""
    report = Report(str(place))
    with _locked(place) as (venv, home):
        record = _begin(home)
        machine = _machine(settings.loader)
        supplied = frozenset(path.name for path in Path(settings.libraries).iterdir())
        entries: dict[str, Entry] = {}
        todo: list[tuple[str, Path, Entry]] = []
        for name, status in sorted(_files(venv, report)):
            try:
                entry = _entry(venv / name, _original(home, name), status, record.get(name))
            except (DamagedError, OSError) as error:
                report.left[name] = str(error)
                entries.update({name: record[name]} if name in record else {})  # its original must not be lost
                continue
            if entry is None or entry.elf.machine != machine:
                continue
            entries[name] = entry
            wanted = replace(entry, form=_wanted(name, entry, settings, supplied), before=entry.form)
            if wanted.form == entry.form:
                continue
            if entry.patched and not _original(home, name).exists():
                report.left[name] = "its original is gone; install its package again"
            elif wanted.patched:
                todo.append((name, home / f"new-{os.getpid()}" / str(len(todo)), wanted))
            else:
                _original(home, name).replace(venv / name)
                entries[name] = replace(wanted, status=_status((venv / name).stat()))
                report.restored.append(name)
        for name, new, wanted in todo:
            try:
                entries[name] = _make(venv / name, _original(home, name), new, wanted, settings)
            except RefusedError as error:
                report.left[name] = str(error)
        _record(home, entries)
        _link(home / "lib", settings.libraries)
        for name, new, _ in todo:
            if name not in report.left:
                new.replace(venv / name)
                report.patched.append(name)
        _forget(home, {name for name, entry in entries.items() if entry.patched})
        _preload(venv, settings, supplied, report)
    return report


def restore(place: Path) -> Report:
    """Put every original back that no installer has replaced, and leave nothing behind. Raises PatchError."""
    report = Report(str(place))
    with _locked(place) as (venv, home):
        for name, known in _begin(home).items():
            file, original = venv / name, _original(home, name)
            if known.patched and original.exists() and file.is_file() and not file.is_symlink():
                with suppress(DamagedError):
                    entry = _entry(file, original, file.stat(), known)
                    if entry and entry.patched:
                        original.replace(file)
                        report.restored.append(name)
        for file in venv.glob(f"lib/python*/site-packages/{PRELOAD}"):
            file.unlink()
        shutil.rmtree(home / "originals", ignore_errors=True)
        shutil.rmtree(home)
    return report


@contextmanager
def _locked(place: Path) -> Iterator[tuple[Path, Path]]:
    """Yield the virtual environment and our folder in it, to one process at a time."""
    venv = Path(os.path.realpath(place))
    if not (venv / "pyvenv.cfg").is_file():
        raise PatchError(f"{place} is no virtual environment")
    _refuse_links(place, venv)
    handle = os.open(venv, os.O_RDONLY)
    try:
        with suppress(OSError):  # NFS locks no folder; two at once do no harm, but work twice
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield venv, venv / FOLDER
    finally:
        os.close(handle)


def _refuse_links(place: Path, venv: Path) -> None:
    """Raise PatchError where a link, or a name in the record, would lead a change out of the virtual environment."""
    own, again = place / FOLDER, "make the virtual environment again"
    if place.is_symlink() and not _inside(place, here := Path(os.path.realpath(place.parent))):
        why = f"this leads to {venv}, and nixpy does not write outside {here}; nothing was changed"
        raise PatchError(f"{place}: {why}", "name the virtual environment itself")
    written = [own, own / "originals", own / "record.json", own / "record.json.new", *own.glob("new-*")]
    written += [Path(folder, name) for folder, folders, _ in os.walk(own / "originals") for name in folders]
    for site in place.glob("lib/python*/site-packages"):
        written += [site, site / f"{PRELOAD}.new"]
    for path in written:
        if not _inside(path, venv):
            why = f"this leads to {os.path.realpath(path)}, out of the virtual environment; nothing was changed"
            raise PatchError(f"{path}: {why}", again)
    names: list[str] = []
    with suppress(OSError, ValueError, KeyError, TypeError, RecursionError):  # `_begin` says what is wrong with it
        names += map(str, json.loads((own / "record.json").read_bytes())["files"])
    for name in names:
        # A link in place of the file itself is not followed.
        places = (Path(os.path.normpath(place / name)), place / name, own / "originals" / name)
        if "\0" in name or not all(_inside(path.parent, venv) for path in places):
            why = f"{name!r} is no file of this virtual environment; nothing was changed"
            raise PatchError(f"{own / 'record.json'}: {why}", again)


def _begin(home: Path) -> dict[str, Entry]:
    """Return what is recorded, without what a run that was stopped has left half done."""
    try:
        data = json.loads((home / "record.json").read_text())
        record = {name: Entry(**{**entry, "elf": Elf(**entry["elf"])}) for name, entry in data["files"].items()}
    except FileNotFoundError:
        if (home / "originals").exists():
            raise PatchError(f"{home} has no record of its originals; make the virtual environment anew") from None
        home.mkdir(exist_ok=True)
        _record(home, record := {})
    except (ValueError, KeyError, TypeError):
        raise PatchError(f"{home}/record.json cannot be read; make the virtual environment anew") from None
    for new in home.glob("new-*"):
        shutil.rmtree(new)
    return record


def _record(home: Path, entries: Mapping[str, Entry]) -> None:
    text = json.dumps({"format": 1, "files": {name: asdict(entry) for name, entry in entries.items()}}, indent=1)
    _write(home / "record.json", text)


def _write(path: Path, text: str) -> None:
    """Replace a file as a whole, if its text is another."""
    if not path.exists() or path.read_text() != text:
        new = path.with_name(f"{path.name}.new")
        new.write_text(text)
        new.replace(path)


def _files(venv: Path, report: Report) -> Iterator[tuple[str, os.stat_result]]:
    """Yield what may be a library or program, by its path below `venv`. Links are not followed."""
    for folder, folders, names in os.walk(venv):
        folders[:] = {*folders} - {FOLDER, "__pycache__"}
        for name in (name for name in names if not name.endswith(TEXT)):
            path = f"{folder}/{name}"
            status, place = os.lstat(path), path.removeprefix(f"{venv}/")
            if stat.S_ISREG(status.st_mode) and (".so" in name or status.st_mode & 0o111):
                yield place, status
            elif stat.S_ISLNK(status.st_mode) and LIBRARY.fullmatch(name) and not _inside(path, venv):
                report.left[place] = "it is a link out of here; install with UV_LINK_MODE=copy"


def _entry(file: Path, original: Path, status: os.stat_result, known: Entry | None) -> Entry | None:
    """Return what is in place, without opening it where it is as recorded. None for what is no ELF file."""
    now = _status(status)
    if known and known.status == now:
        return known
    elf = read_elf(file)
    if elf is None:
        return None
    form = [elf.run_path, elf.interpreter]
    if known and form in (known.form, known.before) and form != known.original and original.exists():
        return replace(known, status=now, form=form)  # ours, but copied, or not replaced as the run was stopped
    folders = [folder for folder in elf.run_path.split(":") if folder.startswith(("$ORIGIN", "${ORIGIN}"))]
    own = [f"{file.parent}{folder.replace('{', '').replace('}', '').removeprefix('$ORIGIN')}" for folder in folders]
    needs = [soname for soname in elf.needed if not any(Path(folder, soname).exists() for folder in own)]
    return Entry(now, elf, needs, form, form)


def _wanted(name: str, entry: Entry, settings: Settings, supplied: frozenset[str]) -> list[str]:
    """Return the run path and interpreter that a file should have: its own first, the driver's folder last."""
    folders = [entry.elf.run_path] if entry.elf.run_path else []
    if not supplied.isdisjoint(entry.needs):
        folders.append(f"$ORIGIN/{os.path.relpath(f'{FOLDER}/lib', Path(name).parent)}")
    if not set(settings.driver).isdisjoint(entry.needs):
        folders.append(DRIVER)
    asked = entry.elf.interpreter
    foreign = Path(asked).name == Path(settings.loader).name and not asked.startswith("/nix/store/")
    return [":".join(folders), settings.loader if foreign and not LIBRARY.fullmatch(name) else asked]


def _make(file: Path, original: Path, new: Path, wanted: Entry, settings: Settings) -> Entry:
    """Make the file that is to be in place, keep the one that is, and return the entry. Raises RefusedError."""
    new.parent.mkdir(exist_ok=True)
    if wanted.before == wanted.original and not (original.exists() and original.samefile(file)):
        original.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(file, new)
        except OSError:  # no hard links on this file system
            shutil.copy2(file, new)
        new.replace(original)
    shutil.copyfile(original, new)
    run_path, interpreter = wanted.form
    options = ["--set-interpreter", interpreter] if interpreter != wanted.elf.interpreter else []
    if run_path != wanted.elf.run_path:
        options += ["--set-rpath", run_path, *(["--force-rpath"] if wanted.elf.tag == 15 else [])]
    done = subprocess.run([settings.patchelf, *options, new], capture_output=True, text=True, check=False)
    with suppress(DamagedError):
        if done.returncode == 0 and read_elf(new) == replace(wanted.elf, run_path=run_path, interpreter=interpreter):
            shutil.copymode(original, new)
            return replace(wanted, status=_status(new.stat()))
    raise RefusedError(f"patchelf cannot change it: {done.stderr.strip() or 'it became another'}")


def _original(home: Path, name: str) -> Path:
    return home / "originals" / name


def _status(status: os.stat_result) -> list[int]:
    return [status.st_ino, status.st_size, status.st_mtime_ns]


def _machine(loader: str) -> int:
    """Return the e_machine of the files that are for here; on macOS none are, and it is 0."""
    elf = read_elf(Path(loader))
    return elf.machine if elf else 0


def _inside(path: str | Path, venv: Path) -> bool:
    return Path(os.path.realpath(path)).is_relative_to(venv)


def _link(link: Path, target: str) -> None:
    if not link.is_symlink() or str(link.readlink()) != target:
        new = link.with_name("lib.new")
        new.unlink(missing_ok=True)
        new.symlink_to(target)
        new.replace(link)


def _forget(home: Path, needed: set[str]) -> None:
    """Drop the originals of what was installed anew, put back or uninstalled."""
    originals = home / "originals"
    for folder, _, names in os.walk(originals, topdown=False):
        for path in (Path(folder, name) for name in names):
            if str(path.relative_to(originals)) not in needed:
                path.unlink()
        with suppress(OSError):  # it is not empty
            Path(folder).rmdir()
    shutil.rmtree(home / f"new-{os.getpid()}", ignore_errors=True)


def _preload(venv: Path, settings: Settings, supplied: frozenset[str], report: Report) -> None:
    """Let Python load at its start, by path, what packages open by name: no run path of theirs is looked at then."""
    lines = []
    for soname in settings.opened:
        place = f"{FOLDER}/lib" if soname in supplied else DRIVER if soname in settings.driver else ""
        (report.preloaded if place else report.not_served).append(soname)
        if place:
            path = f"path = os.path.join(sys.prefix, {f'{place}/{soname}'!r})"
            lines.append(f"import ctypes, os, sys; {path}; os.path.exists(path) and ctypes.CDLL(path)\n")
    for folder in venv.glob("lib/python*/site-packages"):
        if lines:
            _write(folder / PRELOAD, "".join(lines))
        else:
            (folder / PRELOAD).unlink(missing_ok=True)


def told(report: Report) -> Iterator[str]:
    """Yield the lines that tell what was done; the first says all in short."""
    count = len(report.patched)
    back = f", put {len(report.restored)} back" if report.restored else ""
    more = "; not all is served, see `nixpy-patch`" if report.left or report.not_served else ""
    yield f"nixpy: patched {count} file{'' if count == 1 else 's'} of {report.venv}{back}{more}"
    if report.preloaded:
        yield f"  preloaded: {', '.join(report.preloaded)}"
    for name, reason in report.left.items():
        yield f"  left alone: {os.fsencode(name).decode(errors='backslashreplace')}: {reason}"
    for soname in report.not_served:
        yield f"  not served: {soname}, opened at run time and not among the project's libraries"


def main() -> int:
    """Run the command line. Return 0, 1 where something is not served, 2 where nothing was done."""
    parser = argparse.ArgumentParser(prog="nixpy-patch", description="Let what is installed in VENV run on NixOS.")
    parser.add_argument("venv", nargs="?", default=".venv", metavar="VENV", help="default: .venv")
    parser.add_argument("--restore", action="store_true", help="put the originals back")
    parser.add_argument("--quiet", action="store_true", help="one line, and none where nothing was patched")
    parser.add_argument("--format", choices=["text", "json"], default="text")
    options = parser.parse_args()
    try:
        report = restore(Path(options.venv)) if options.restore else patch(Path(options.venv), read_settings())
    except (PatchError, OSError) as error:
        hint = getattr(error, "hint", None)
        sys.stderr.write(f"nixpy-patch: {error}{f'; {hint}' if hint else ''}\n")
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("nixpy-patch: interrupted; the next run goes on\n")
        return 130
    if options.format == "json":
        print(json.dumps({"format": 1, **asdict(report)}, indent=2))
    elif not options.quiet:
        print(*told(report), sep="\n")
    elif report.patched or report.restored:
        print(next(told(report)))
    return 1 if report.left or report.not_served else 0


if __name__ == "__main__":
    sys.exit(main())
