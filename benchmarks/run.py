"""How fast nixpy is, as ratios against what one would otherwise run; all in one run on one machine.

    make benchmark

`check` on a locked project is held against starting Python, `uv lock --check` (which also reads the lock) and, where
Nix is here, evaluating the flake. The ELF reader is held against readelf and pyelftools on the same files.
"""

from __future__ import annotations

import contextlib
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import uv

from nixpy.needs import elf

TOP = Path(__file__).parents[1]
RUNS = 7


def median(work: Callable[[], object]) -> float:
    """Return the median time of several runs, in seconds; the first, which warms caches, does not count."""
    times = []
    for _ in range(RUNS + 1):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:])


def table(title: str, rows: dict[str, Callable[[], object]]) -> None:
    """Print each row's time, and how many times the first row's it is."""
    print(f"\n{title}")
    first = None
    for name, work in rows.items():
        seconds = median(work)
        first = first or seconds
        print(f"  {name:34} {seconds * 1000:8.1f} ms  {seconds / first:6.2f} x")


def command(*words: str | Path, cwd: Path) -> Callable[[], object]:
    """Return a run of a command, whose output is of no interest."""
    return lambda: subprocess.run([str(word) for word in words], cwd=cwd, check=True, capture_output=True)


def check(folder: Path) -> None:
    """`nixpy check` on the example, against its neighbours."""
    for name in ("pyproject.toml", "main.py"):
        (folder / name).write_bytes((TOP / "examples/nix-ld" / name).read_bytes())
    python = Path(sys.executable)
    nixpy, uv_bin = python.with_name("nixpy"), uv.find_uv_bin()
    command(uv_bin, "lock", "--python", python, cwd=folder)()
    command(nixpy, "init", "--style", "nix-ld", "--system", "x86_64-linux", cwd=folder)()
    table(
        "telling whether the Nix files still match (lower is better)",
        {
            "nixpy check": command(nixpy, "check", cwd=folder),
            "python -c pass": command(python, "-c", "pass", cwd=folder),
            "uv lock --check --offline": command(
                uv_bin, "lock", "--check", "--offline", "--python", python, cwd=folder
            ),
            "nixpy check --rescan (opens wheels)": command(nixpy, "check", "--rescan", cwd=folder),
        },
    )


def readers() -> None:
    """The ELF reader, on every shared object of this environment's standard library and packages."""
    from elftools.elf.elffile import ELFFile

    roots = {Path(sysconfig.get_path("stdlib")), Path(sysconfig.get_path("platlib"))}
    files = [path for root in roots for path in root.rglob("*.so") if path.is_file()]

    def ours() -> None:
        for path in files:
            with contextlib.suppress(elf.UnreadableError):
                elf.read(path.read_bytes(), path.name)

    def pyelftools() -> None:
        for path in files:
            with path.open("rb") as stream:
                for segment in ELFFile(stream).iter_segments("PT_DYNAMIC"):
                    [tag.needed for tag in segment.iter_tags("DT_NEEDED")]

    def readelf() -> None:
        for path in files:
            subprocess.run(["readelf", "-dW", path], check=True, capture_output=True)

    table(
        f"reading what {len(files)} ELF files need (lower is better)",
        {
            "nixpy's reader": ours,
            "readelf, one process for all": lambda: subprocess.run(
                ["readelf", "-dW", *files], check=True, capture_output=True
            ),
            "pyelftools": pyelftools,
            "readelf, a process for each": readelf,
        },
    )


if __name__ == "__main__":
    readers()
    with tempfile.TemporaryDirectory() as scratch:
        check(Path(scratch))
