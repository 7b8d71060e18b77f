"""Read the file of a Python, through wrappers, and start it.

It prints facts about itself.
"""

from __future__ import annotations

import filecmp
import json
import mmap
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from nixpy.core import programs
from nixpy.doctor import cache
from nixpy.doctor.facts import OnPath, Program, StartedPython, folders
from nixpy.needs import elf
from nixpy.needs.model import ElfFile
from nixpy.styles import features

_ASK = Path(__file__).with_name("ask.py")
_NAMES = ("python", "python3")
_MOST_LINKS = 40  # as many as Linux follows
_MOST = 1 << 20  # bytes; a wrapper is smaller, a statically linked interpreter is larger
_PATIENCE = 20  # seconds

_STORE_PATH = rb"/nix/store/[0-9a-z]{32}-[A-Za-z0-9+._?=-]+"
_INTERPRETER = re.compile(_STORE_PATH + rb"/bin/python3(?:\.\d+t?)?")
_PYTHON = re.compile(r"python|pypy|graalpy")
# ELF, a script, and Mach-O for one machine or several (mach-o/loader.h, mach-o/fat.h).
_PROGRAMS = (elf.MAGIC, b"#!", bytes.fromhex("cffaedfe"), bytes.fromhex("cafebabe"))
_OURS = re.compile(rb"/nix/store/[0-9a-z]{32}-nixpy-")


def read_program(path: Path) -> Program:
    """Return the Python at `path`, which need not exist."""
    links = tuple(_links(path))
    file = links[-1]
    if not file.is_file():
        return Program(path=path, links=links, exists=False)
    try:
        with file.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
            magic = data[:4]
            facts = _elf_file(data, file)
            is_whole = magic != elf.MAGIC or elf.is_complete(data)
            text = data[:_MOST] if len(data) <= _MOST else b""
    except (OSError, ValueError) as error:  # an empty file, one without permission, a damaged ELF file
        broken = "is empty" if file.stat().st_size == 0 else f"cannot be read: {getattr(error, 'strerror', error)}"
        return Program(path=path, links=links, exists=True, broken=broken)
    wrapped = (Path(os.fsdecode(match[0])) for match in _INTERPRETER.finditer(text))
    return Program(
        path=path,
        links=links,
        exists=True,
        broken=_broken(file, magic if is_whole else b""),
        # Its own name may be in it as well.
        wraps=next((other for other in wrapped if other.parent != file.parent), None),
        ours=_OURS.search(text) is not None,
        loader=Path(facts.interpreter) if facts and facts.interpreter else None,
    )


def _elf_file(data: mmap.mmap, path: Path) -> ElfFile | None:
    """Return the facts of an ELF file, or None if nixpy cannot read them."""
    try:
        return elf.read(data, str(path))
    except elf.UnreadableError:
        return None


def _broken(file: Path, magic: bytes) -> str:
    """Return the reason why the system cannot start this file, or an empty text."""
    if not os.access(file, os.X_OK):
        return "is not executable"
    return "" if magic.startswith(_PROGRAMS) else "is not a program"


def _links(path: Path) -> Iterator[Path]:
    for _ in range(_MOST_LINKS):
        yield path
        if not path.is_symlink():
            return
        path = Path(os.path.normpath(path.parent / path.readlink()))


def pythons_on_path(environ: Mapping[str, str]) -> tuple[OnPath, ...]:
    """Return the Python of each entry of PATH that has one, each file once.

    The order is that of PATH.
    """
    found: dict[Path, OnPath] = {}
    for entry in folders(environ.get("PATH", "")):
        path = next((Path(entry) / name for name in _NAMES if os.access(Path(entry) / name, os.X_OK)), None)
        if path is not None and path.absolute() not in found:
            program = read_program(path.absolute())
            found[path] = OnPath(program=program, packages=packages_of(program.path.parent.parent))
    return tuple(found.values())


def packages_of(prefix: Path) -> frozenset[str]:
    """Return the names of the distributions in the site-packages of a prefix.

    The names are normalised.
    """
    return packages_in(prefix.glob("lib/python3*/site-packages"))


def packages_in(sites: Iterable[Path]) -> frozenset[str]:
    """Return the names of the distributions in these folders.

    The names are normalised. A distribution is `<name>-<version>.dist-info`.
    """
    from packaging.utils import canonicalize_name

    found = set()
    for site in sites:
        for entry in site.glob("*.*-info"):
            if entry.suffix in {".dist-info", ".egg-info"}:
                found.add(canonicalize_name(entry.stem.partition("-")[0]))
    return frozenset(found)


def outside(python: Path, home: str | None, inside: Sequence[Path]) -> Path:
    """Return the real path of a virtual environment's Python.

    It can be started without code of the project.

    `home` is that of pyvenv.cfg: a Python reads its standard library from there. For a copy, as `python -m venv
    --copies` makes it, return the same file in `home`. Raises ValueError, with the reason, if one of the two is in one
    of the folders `inside`, or if the program is not a Python.
    """
    real = Path(os.path.realpath(python))
    prefix = Path(os.path.realpath(python.parent.parent / home)) if home else None
    if prefix and any(real.is_relative_to(folder) for folder in inside):
        real = next(filter(partial(_same, real), _pythons(prefix)), real)
    places = {"Python": real, "home": prefix}
    for what, path in places.items():
        for folder in inside:
            if path and path.is_relative_to(folder):
                raise ValueError(f"nixpy does not start {python}: its {what} is {path}, in the project's own files")
    if not _PYTHON.search(real.name):
        raise ValueError(f"nixpy does not start {python}: it leads to {real}, which is not named like a Python")
    return real


def _pythons(folder: Path) -> Iterator[Path]:
    return (Path(os.path.realpath(path)) for path in sorted(folder.glob("python3*")))


def _same(one: Path, other: Path) -> bool:
    """Return whether two files have the same content."""
    try:
        return other.is_file() and one.stat().st_size == other.stat().st_size and filecmp.cmp(one, other, shallow=False)
    except OSError:
        return False


def start(python: Path, environ: Mapping[str, str], *, project: Path) -> StartedPython:
    """Start an interpreter, and return its facts.

    It runs isolated and without site, so that no code of a project runs.

    Raises OSError if it does not start, and ValueError, with its output, if it fails.
    """
    command = ["-I", "-S", "-c", _ASK.read_text("utf-8"), *features.extension_modules()]
    done = programs.run("python", python, command, project=project, environ=environ, timeout=_PATIENCE)
    if done.returncode != 0:
        said = done.stderr.strip().splitlines()
        raise ValueError(said[0] if said else f"exit status {done.returncode}")
    told = json.loads(done.stdout.splitlines()[-1])
    mapped = [Path(path) for path in told["mapped"]]
    loader = next((path for path in mapped if path.name.startswith(("ld-linux", "ld-2", "ld.so", "ld64"))), None)
    search = told["search"]
    cached = cache.of_loader(loader) if loader else {}
    loaded = {name: path for path in mapped for name in _sonames(path)}
    return StartedPython(
        version=told["version"],
        base_prefix=Path(told["base_prefix"]),
        loader=loader,
        loaded=frozenset(loaded),
        search=None if search is None else tuple(map(Path, search)),
        cached=frozenset(cached),
        libraries={**cached, **loaded},
        lacks=frozenset(told["lacks"]),
    )


def _sonames(path: Path) -> Iterator[str]:
    """Yield the file name and soname of a mapped library."""
    try:
        with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
            facts = _elf_file(data, path)
    except (OSError, ValueError):
        return
    if facts:
        yield path.name
        if facts.soname:
            yield facts.soname
