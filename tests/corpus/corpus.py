"""Ask four ways what real wheels need: our reader, readelf, pyelftools, and `wheels.json`. All must agree.

`wheels.json` was made apart from nixpy, by other tools; each wheel is fixed by its hash. Its fields are
compared one by one (`external`: the sonames that neither glibc nor the wheel supplies); where they differ,
the difference is printed and the exit status is 1.

    python tests/corpus/corpus.py            # all, about 130 MB once
    python tests/corpus/corpus.py --small    # those below 400 kB
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from elftools.elf.dynamic import DynamicSegment
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection
from elftools.elf.segments import InterpSegment
from packaging.utils import NormalizedName, parse_wheel_filename

from nixpy.needs.derive import format_glibc, needs_of
from nixpy.needs.dlopen import curated
from nixpy.needs.model import Needs, WheelFacts
from nixpy.needs.roots import is_extension
from nixpy.wheels.elf_files import inspect
from nixpy.wheels.local import LocalWheel

FACTS = Path(__file__).with_name("wheels.json")
SMALL = 400_000  # bytes
X86_64 = 62
PYTHON = "3.12"

# Written down once more, so that the comparison does not lean on the product's own list.
GLIBC = re.compile(
    r"lib(c|m|mvec|pthread|dl|rt|util|resolv|anl|nsl|thread_db|BrokenLocale)\.so\.\d|ld-linux-x86-64\.so\.2"
)


class Linking(NamedTuple):
    """What one tool says of one file; `glibc` is the highest version needed."""

    needed: tuple[str, ...]
    soname: str | None
    interpreter: str | None
    glibc: tuple[int, ...] | None


def highest(versions: Sequence[str]) -> tuple[int, ...] | None:
    """Return the highest of the `GLIBC_x.y` among symbol versions."""
    numbers = [v.removeprefix("GLIBC_").split(".") for v in versions if re.fullmatch(r"GLIBC_[0-9.]+", v)]
    return max((tuple(map(int, n)) for n in numbers), default=None)


def by_readelf(files: Mapping[str, Path]) -> dict[str, Linking]:
    """Ask readelf, one process for all files."""
    if not files:
        return {}
    command = ["readelf", "-dlVW", *map(str, files.values())]
    output = subprocess.run(
        command, capture_output=True, text=True, check=True, env={**os.environ, "LC_ALL": "C"}
    ).stdout
    blocks = re.split(r"^File: .*\n", output, flags=re.MULTILINE)
    texts = blocks[1:] if len(files) > 1 else blocks
    return {path: parse_readelf(text) for path, text in zip(files, texts, strict=True)}


def parse_readelf(text: str) -> Linking:
    """Read the output for one file."""
    soname = re.search(r"\(SONAME\) +Library soname: \[(.*)\]", text)
    interpreter = re.search(r"\[Requesting program interpreter: (.*)\]", text)
    needs = text.partition("Version needs section")[2]
    return Linking(
        needed=tuple(re.findall(r"\(NEEDED\) +Shared library: \[(.*)\]", text)),
        soname=soname[1] if soname else None,
        interpreter=interpreter[1] if interpreter and interpreter[1] else None,
        glibc=highest(re.findall(r"Name: (\S+) +Flags:", needs)),
    )


def by_pyelftools(path: Path) -> Linking:
    """Ask pyelftools."""
    with path.open("rb") as stream:
        elf = ELFFile(stream)
        segments = list(elf.iter_segments())
        # DynamicTag gets `needed` and `soname` at run time, which its types do not tell.
        tags: list[Any] = [t for s in segments if isinstance(s, DynamicSegment) for t in s.iter_tags()]
        interpreters = [s.get_interp_name() for s in segments if isinstance(s, InterpSegment)]
        versions = [
            auxiliary.name
            for section in elf.iter_sections()
            if isinstance(section, GNUVerNeedSection)
            for _, auxiliaries in section.iter_versions()
            for auxiliary in auxiliaries
        ]
        return Linking(
            needed=tuple(t.needed for t in tags if t.entry.d_tag == "DT_NEEDED"),
            soname=next((t.soname for t in tags if t.entry.d_tag == "DT_SONAME"), None),
            interpreter=next((i for i in interpreters if i), None),
            glibc=highest(versions),
        )


def modules(files: Mapping[str, Path]) -> set[str]:
    """Return the files that define `PyInit_…`, the mark of an extension module, as nm sees it."""
    found = set()
    for path, file in files.items():
        if ".so" in path:
            symbols = subprocess.run(
                ["nm", "-D", "--defined-only", str(file)], capture_output=True, text=True, check=True
            ).stdout
            if re.search(r" PyInit(U)?_\w+$", symbols, re.MULTILINE):
                found.add(path)
    return found


def summary(files: Mapping[str, Linking], extensions: set[str]) -> dict[str, Any]:
    """Sum the files of a wheel up in the words of `wheels.json`."""
    suppliers: dict[str, list[str]] = {}
    for path, file in files.items():
        for name in {path.rpartition("/")[2], file.soname or ""}:
            suppliers.setdefault(name, []).append(path)

    def external(paths: set[str]) -> list[str]:
        reached: set[str] = set()
        while paths - reached:
            reached |= paths
            paths = {p for path in reached for name in files[path].needed for p in suppliers.get(name, ())}
        needed = {name for path in reached for name in files[path].needed}
        return sorted(name for name in needed if name not in suppliers and not GLIBC.fullmatch(name))

    programs = {p for p, f in files.items() if f.interpreter and not re.search(r"/lib[^/]*\.so", p)}
    by_extensions, by_executables = external(extensions), external(programs)
    everything = external(set(files))
    glibc = max((f.glibc for f in files.values() if f.glibc), default=None)
    return {
        "external": everything,
        "by_extensions": by_extensions,
        "by_executables": by_executables,
        "by_others_only": sorted({*everything} - {*by_extensions, *by_executables}),
        "executables": {p: files[p].interpreter for p in sorted(programs)},
        "static_executables": sorted(
            p for p, f in files.items() if not f.interpreter and not f.needed and ".so" not in p
        ),
        "elf_count": len(files),
        "glibc": format_glibc(glibc) if glibc else None,
    }


def differences(wheel: Path, facts: Mapping[str, Any]) -> Iterator[str]:
    """Yield what the four answers about one wheel disagree on, one line each."""
    with (
        tempfile.TemporaryDirectory() as folder,
        contextlib.closing(LocalWheel(wheel, facts["sha256"])) as archive,
    ):
        files = unpack(wheel, Path(folder))
        readelf = by_readelf(files)
        pyelftools = {path: by_pyelftools(file) for path, file in files.items()}
        extensions = modules(files)
        found = inspect(archive)
    ours = {f.path: Linking(f.needed, f.soname, f.interpreter, f.glibc) for f in found}
    for path in sorted(files.keys() | ours.keys()):
        answers = [tool.get(path) for tool in (ours, readelf, pyelftools)]
        if not answers[0] == answers[1] == answers[2]:
            yield f"{path}: nixpy {answers[0]}, readelf {answers[1]}, pyelftools {answers[2]}"
    for tool, answer in (("nixpy", ours), ("readelf", readelf), ("pyelftools", pyelftools)):
        for key, value in summary(answer, extensions).items():
            if value != facts[key]:
                yield f"{key}: {tool} says {value}, {FACTS.name} {facts[key]}"
    first = {s: p for p in sorted(readelf, reverse=True) for s in readelf[p].needed}
    name = parse_wheel_filename(wheel.name)[0]
    needs = needs_of(name, WheelFacts(files=found, known="sha256"), X86_64)
    for soname, path in needs.sonames:
        if path != first[soname]:
            yield f"{soname}: needs_of names {path}, readelf {first[soname]} as the first that needs it"
    yield from derived(needs, name, facts, extensions)


def derived(needs: Needs, name: NormalizedName, facts: Mapping[str, Any], extensions: set[str]) -> Iterator[str]:
    """Yield where `needs_of` disagrees with the facts and with the symbols."""
    told = {key: facts[key] for key in ("external", "glibc")} | {"executables": [*facts["executables"]]}
    derived = {
        "external": [soname for soname, _ in needs.sonames],
        "executables": [*needs.executables],
        "glibc": format_glibc(needs.glibc) if needs.glibc else None,
    }
    # Curated patterns, and wheels that hold no module at all, have a rule of their own.
    if extensions and not any(row.kind.endswith("-files") for row in curated(name).rows):
        told["optional"], derived["optional"] = facts["by_others_only"], [*needs.optional]
    for key, value in derived.items():
        if value != told[key]:
            yield f"{key}: needs_of says {value}, {FACTS.name} {told[key]}"
    for path in sorted(extensions):
        if not is_extension(path):
            yield f"{path}: exports PyInit_, but is_extension does not know it"


def unpack(wheel: Path, folder: Path) -> dict[str, Path]:
    """Write every ELF member, told by its first bytes alone, to a numbered file; return them by path."""
    files = {}
    with zipfile.ZipFile(wheel) as archive:
        for number, member in enumerate(sorted(archive.namelist())):
            data = archive.read(member)
            if data.startswith(b"\x7fELF"):
                files[member] = folder / str(number)
                files[member].write_bytes(data)
    return files


def cache() -> Path:
    """Return the folder where wheels are kept between runs."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(os.environ.get("NIXPY_TEST_CACHE") or Path(home, "nixpy-tests"), "wheels")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def bring(wheels: Sequence[Mapping[str, Any]]) -> Path:
    """Download what the cache lacks, with pip, by hash; return the folder."""
    folder = cache()
    missing = [w for w in wheels if not intact(folder / w["wheel"], w["sha256"])]
    if not missing:
        return folder
    platforms = {platform for w in missing for platform in w["wheel"][:-4].rpartition("-")[2].split(".")}
    with tempfile.TemporaryDirectory(dir=folder) as fresh:
        wanted = Path(fresh, "requirements.txt")
        wanted.write_text("".join(requirement(w) for w in missing))
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
        command += ["--only-binary=:all:", "--implementation=cp", f"--python-version={PYTHON}"]
        command += [f"--abi={abi}" for abi in ("cp" + PYTHON.replace(".", ""), "abi3", "none")]
        command += [f"--platform={platform}" for platform in sorted(platforms)]
        subprocess.run([*command, f"--dest={fresh}", f"--requirement={wanted}"], check=True)
        for w in missing:
            Path(fresh, w["wheel"]).replace(folder / w["wheel"])
    return folder


def requirement(wheel: Mapping[str, Any]) -> str:
    """Return the line for pip that only this file satisfies."""
    name, version, *_ = parse_wheel_filename(wheel["wheel"])
    return f"{name}=={version} --hash=sha256:{wheel['sha256']}\n"


def intact(path: Path, sha256: str) -> bool:
    """Say whether the file is there and is the right one."""
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == sha256


def main() -> int:
    """Compare; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--all", action="store_true", help="every wheel (the default)")
    size.add_argument("--small", action="store_true", help=f"those below {SMALL} bytes")
    parser.add_argument("--facts", type=Path, default=FACTS, help="another file to compare with")
    options = parser.parse_args()
    wheels = [w for w in json.loads(options.facts.read_text()) if not options.small or w["size"] < SMALL]
    folder = bring(wheels)
    bad = 0
    for wheel in wheels:
        lines = list(differences(folder / wheel["wheel"], wheel))
        bad += bool(lines)
        print(f"{'DIFFERS' if lines else 'equal  '} {wheel['elf_count']:4} {wheel['wheel']}")
        for line in lines:
            print(f"    {line}")
    print(f"{len(wheels) - bad} of {len(wheels)} wheels: nixpy, readelf, pyelftools and the facts agree")
    return 1 if bad or not wheels else 0


if __name__ == "__main__":
    sys.exit(main())
