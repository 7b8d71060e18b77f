"""Patch the programs and libraries in a virtual environment after each install, so that they run on NixOS.

A program gets glibc's loader from the store as its interpreter. If a file needs a library of the project, the link
.nixpy-patched/lib is added to the end of its run path: when the libraries change, only the link changes. If a file
needs the graphics driver, the host's folder comes last. Each file gets its own run path, since DT_RUNPATH is not
inherited. A file without a run path gets a DT_RPATH, since a DT_RUNPATH would switch off an inherited DT_RPATH.

This program never writes to an installed file. It changes a copy, which replaces the file by rename(2). The original,
which may be a hard link into an installer's cache, stays in .nixpy-patched/originals until it is restored. The record
names the new file before the rename. So if this program is stopped at any time, each file is either the old or the new
one, and the next run continues.
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
DRIVER = "/run/opengl-driver/lib"  # a link that is not resolved: after a reboot it may point to another driver
PRELOAD = "nixpy-preload.pth"
AGAIN = "Create the virtual environment again."
TEXT = (".py", ".pyc", ".pyi", ".h", ".txt")
LIBRARY = re.compile(r".+\.so(\.[^/]+)?")


class PatchError(Exception):
    """The reason why nothing was changed; `hint` says what to do."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


class DamagedError(Exception):
    """The file begins as an ELF file and violates the specification."""


class RefusedError(Exception):
    """The reason why a file cannot be changed."""


@dataclass(frozen=True)
class Settings:
    """The settings from the shell: paths in the store, and sonames that need more than a run path."""

    libraries: str  # a folder with exactly the sonames that it supplies
    loader: str
    patchelf: str
    driver: list[str]  # sonames that the host's graphics driver supplies
    opened: list[str]  # sonames that packages open by name at run time


@dataclass(frozen=True)
class Elf:
    """The dynamic section and interpreter of a file; a missing run path or interpreter is empty."""

    machine: int
    needed: list[str]
    tag: int  # DT_RPATH (15) or DT_RUNPATH (29)
    run_path: str
    interpreter: str


@dataclass(frozen=True)
class Entry:
    """One file in the record. `status` is inode, size and mtime (ns) of the file in .venv, `elf` is of the original.

    `form` is the run path and interpreter of the file in .venv, `before` those of the file that it replaced.
    """

    status: list[int]
    elf: Elf
    needs: list[str]  # sonames that the run path of the original does not find
    form: list[str]
    before: list[str]

    @property
    def original(self) -> list[str]:
        """The form of the installed file."""
        return [self.elf.run_path, self.elf.interpreter]

    @property
    def patched(self) -> bool:
        """Whether the file in .venv is not the original."""
        return self.form != self.original


@dataclass
class Report:
    """The result: paths in the virtual environment, sorted; sonames that are preloaded, and those that are missing."""

    venv: str
    patched: list[str] = field(default_factory=list)
    restored: list[str] = field(default_factory=list)
    left: dict[str, str] = field(default_factory=dict)  # files that were not changed, with the reasons
    preloaded: list[str] = field(default_factory=list)
    not_served: list[str] = field(default_factory=list)


def read_elf(path: Path) -> Elf | None:
    """Return the dynamic section and interpreter of a file, None unless it is a dynamic 64-bit little-endian ELF file.

    Source: System V gABI, chapters 4 and 5. It reads segments like a loader, and no sections. Raises DamagedError.
    """
    with path.open("rb") as stream:
        if stream.read(4) != b"\x7fELF":
            return None
        with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
            try:
                return _elf(data)
            except (struct.error, ValueError, StopIteration):
                raise DamagedError("it is a damaged ELF file") from None


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
    if 5 not in tags:  # no DT_STRTAB: a static program, or separate debug data
        return Elf(machine, [], 0, "", interpreter) if interpreter else None
    place = next(o + tags[5] - a for k, o, a, n in segments if k == 1 and a <= tags[5] < a + n)
    strings = data[place : place + tags.get(10, 0)]  # DT_STRSZ

    def text(offset: int) -> str:
        return os.fsdecode(strings[offset : strings.index(b"\0", offset)])

    tag = 29 if 29 in tags else 15  # ld.so(8): if a file has both, the loader ignores DT_RPATH
    run_path = text(tags[tag]) if tag in tags else ""
    return Elf(machine, [text(value) for tag, value in entries if tag == 1], tag, run_path, interpreter)


def read_settings() -> Settings:
    """Return the settings from the file that the variable NIXPY_PATCH names. Raises PatchError."""
    path = os.environ.get("NIXPY_PATCH")
    if path is None:
        raise PatchError("NIXPY_PATCH is not set", "Enter the shell of style patched-venv (nix develop).")
    try:
        return Settings(**json.loads(Path(path).read_text()))
    except (TypeError, ValueError):
        raise PatchError(f"{path} is from another version of nixpy", "Run `nixpy-patch` of this shell.") from None


def patch(place: Path, settings: Settings) -> Report:
    """Patch the files of a virtual environment that need it, and restore those that no longer do. Raises PatchError."""
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
                entries.update({name: record[name]} if name in record else {})  # keep its original
                continue
            if entry is None or entry.elf.machine != machine:
                continue
            entries[name] = entry
            wanted = replace(entry, form=_wanted(name, entry, settings, supplied), before=entry.form)
            if wanted.form == entry.form:
                continue
            if entry.patched and not _original(home, name).exists():
                report.left[name] = "the original file is missing; install its package again"
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
    """Restore each original file that no installer has replaced, and remove our own files. Raises PatchError."""
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
        raise PatchError(
            f"{place} is not a virtual environment", "Name the folder of one, or enter the shell, which creates it."
        )
    _refuse_links(place, venv)
    handle = os.open(venv, os.O_RDONLY)
    try:
        with suppress(OSError):  # NFS cannot lock a folder; two runs at once do the work twice, without harm
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield venv, venv / FOLDER
    finally:
        os.close(handle)


def _refuse_links(place: Path, venv: Path) -> None:
    """Raise PatchError if a link, or a name in the record, leads out of the virtual environment."""
    own = place / FOLDER
    if place.is_symlink() and not _inside(place, here := Path(os.path.realpath(place.parent))):
        why = f"this is a link to {venv}, and nixpy does not write outside {here}; nothing was changed"
        raise PatchError(f"{place}: {why}", "Name the virtual environment itself.")
    written = [own, own / "originals", own / "record.json", own / "record.json.new", *own.glob("new-*")]
    written += [Path(folder, name) for folder, folders, _ in os.walk(own / "originals") for name in folders]
    for site in place.glob("lib/python*/site-packages"):
        written += [site, site / f"{PRELOAD}.new"]
    for path in written:
        if not _inside(path, venv):
            why = f"this is {os.path.realpath(path)}, outside the virtual environment; nothing was changed"
            raise PatchError(f"{path}: {why}", AGAIN)
    names: list[str] = []
    with suppress(OSError, ValueError, KeyError, TypeError, RecursionError):  # `_begin` reports a damaged record
        names += map(str, json.loads((own / "record.json").read_bytes())["files"])
    for name in names:
        # If the file itself is a link, it is not followed.
        places = (Path(os.path.normpath(place / name)), place / name, own / "originals" / name)
        if "\0" in name or not all(_inside(path.parent, venv) for path in places):
            why = f"{name!r} is not a file of this virtual environment; nothing was changed"
            raise PatchError(f"{own / 'record.json'}: {why}", AGAIN)


def _begin(home: Path) -> dict[str, Entry]:
    """Return the record, and remove unfinished files of a run that was stopped."""
    try:
        data = json.loads((home / "record.json").read_text())
        record = {name: Entry(**{**entry, "elf": Elf(**entry["elf"])}) for name, entry in data["files"].items()}
    except FileNotFoundError:
        if (home / "originals").exists():
            raise PatchError(f"{home} has no record of its originals", AGAIN) from None
        home.mkdir(exist_ok=True)
        _record(home, record := {})
    except (ValueError, KeyError, TypeError):
        raise PatchError(f"{home}/record.json cannot be read", AGAIN) from None
    for new in home.glob("new-*"):
        shutil.rmtree(new)
    return record


def _record(home: Path, entries: Mapping[str, Entry]) -> None:
    text = json.dumps({"format": 1, "files": {name: asdict(entry) for name, entry in entries.items()}}, indent=1)
    _write(home / "record.json", text)


def _write(path: Path, text: str) -> None:
    """Replace a file by rename, if its text differs."""
    if not path.exists() or path.read_text() != text:
        new = path.with_name(f"{path.name}.new")
        new.write_text(text)
        new.replace(path)


def _files(venv: Path, report: Report) -> Iterator[tuple[str, os.stat_result]]:
    """Yield the files that may be libraries or programs, by their paths below `venv`. Links are not followed."""
    for folder, folders, names in os.walk(venv):
        folders[:] = {*folders} - {FOLDER, "__pycache__"}
        for name in (name for name in names if not name.endswith(TEXT)):
            path = f"{folder}/{name}"
            status, place = os.lstat(path), path.removeprefix(f"{venv}/")
            if stat.S_ISREG(status.st_mode) and (".so" in name or status.st_mode & 0o111):
                yield place, status
            elif stat.S_ISLNK(status.st_mode) and LIBRARY.fullmatch(name) and not _inside(path, venv):
                report.left[place] = "it is a link out of the virtual environment; install with UV_LINK_MODE=copy"


def _entry(file: Path, original: Path, status: os.stat_result, known: Entry | None) -> Entry | None:
    """Return the entry of a file, without opening it if the record is up to date; None unless it is an ELF file."""
    now = _status(status)
    if known and known.status == now:
        return known
    elf = read_elf(file)
    if elf is None:
        return None
    form = [elf.run_path, elf.interpreter]
    if known and form in (known.form, known.before) and form != known.original and original.exists():
        return replace(known, status=now, form=form)  # a patched file that was copied, or that a stopped run left
    folders = [folder for folder in elf.run_path.split(":") if folder.startswith(("$ORIGIN", "${ORIGIN}"))]
    own = [f"{file.parent}{folder.replace('{', '').replace('}', '').removeprefix('$ORIGIN')}" for folder in folders]
    needs = [soname for soname in elf.needed if not any(Path(folder, soname).exists() for folder in own)]
    return Entry(now, elf, needs, form, form)


def _wanted(name: str, entry: Entry, settings: Settings, supplied: frozenset[str]) -> list[str]:
    """Return the run path and interpreter that a file should have: its own folders first, the driver's last."""
    folders = [entry.elf.run_path] if entry.elf.run_path else []
    if not supplied.isdisjoint(entry.needs):
        folders.append(f"$ORIGIN/{os.path.relpath(f'{FOLDER}/lib', Path(name).parent)}")
    if not set(settings.driver).isdisjoint(entry.needs):
        folders.append(DRIVER)
    own = entry.elf.interpreter
    foreign = Path(own).name == Path(settings.loader).name and not own.startswith("/nix/store/")
    return [":".join(folders), settings.loader if foreign and not LIBRARY.fullmatch(name) else own]


def _make(file: Path, original: Path, new: Path, wanted: Entry, settings: Settings) -> Entry:
    """Write the patched file, keep the original, and return the new entry. Raises RefusedError."""
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
    raise RefusedError(f"patchelf cannot change it: {done.stderr.strip() or 'it changed other parts of the file'}")


def _original(home: Path, name: str) -> Path:
    return home / "originals" / name


def _status(status: os.stat_result) -> list[int]:
    return [status.st_ino, status.st_size, status.st_mtime_ns]


def _machine(loader: str) -> int:
    """Return the e_machine of this machine; 0 on macOS, which has no ELF files."""
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
    """Remove the originals of files that were installed again, restored or uninstalled."""
    originals = home / "originals"
    for folder, _, names in os.walk(originals, topdown=False):
        for path in (Path(folder, name) for name in names):
            if str(path.relative_to(originals)) not in needed:
                path.unlink()
        with suppress(OSError):  # the folder is not empty
            Path(folder).rmdir()
    shutil.rmtree(home / f"new-{os.getpid()}", ignore_errors=True)


def _preload(venv: Path, settings: Settings, supplied: frozenset[str], report: Report) -> None:
    """Let Python load at its start, by path, the libraries that packages open by name, which no run path finds."""
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


def lines(report: Report) -> Iterator[str]:
    """Yield the lines of a report; the first is a summary."""
    count = len(report.patched)
    back = f", restored {len(report.restored)}" if report.restored else ""
    failed = len(report.left) + len(report.not_served)
    more = f"; {failed} could not be patched or found: for details run `nixpy-patch`" if failed else ""
    yield f"nixpy: patched {count} file{'' if count == 1 else 's'} in {report.venv}{back}{more}"
    if report.preloaded:
        yield f"  preloaded: {', '.join(report.preloaded)}"
    for name, reason in report.left.items():
        yield f"  not changed: {os.fsencode(name).decode(errors='backslashreplace')}: {reason}"
    for soname in report.not_served:
        yield f"  not found: {soname}, opened at run time and not among the project's libraries"


def main() -> int:
    """Run the command line. Return 0, 1 if a file was not changed or a library not found, 2 if nothing was done."""
    parser = argparse.ArgumentParser(prog="nixpy-patch", description="Patch files in VENV, so that they run on NixOS.")
    parser.add_argument("venv", nargs="?", default=".venv", metavar="VENV", help="default: .venv")
    parser.add_argument("--restore", action="store_true", help="restore the original files")
    parser.add_argument("--quiet", action="store_true", help="print one line, or none if nothing was patched")
    parser.add_argument("--format", choices=["text", "json"], default="text")
    options = parser.parse_args()
    try:
        report = restore(Path(options.venv)) if options.restore else patch(Path(options.venv), read_settings())
    except (PatchError, OSError) as error:
        hint = getattr(error, "hint", None)
        sys.stderr.write(f"error[NIX714]: {error}\n" + (f"  hint: {hint}\n" if hint else ""))
        return 2
    except KeyboardInterrupt:
        sys.stderr.write("nixpy-patch: interrupted; run it again to continue\n")
        return 130
    if options.format == "json":
        print(json.dumps({"format": 1, **asdict(report)}, indent=2))
    elif not options.quiet:
        print(*lines(report), sep="\n")
    elif report.patched or report.restored:
        print(next(lines(report)))
    return 1 if report.left or report.not_served else 0


if __name__ == "__main__":
    sys.exit(main())
