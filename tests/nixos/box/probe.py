"""Runs inside the box, with the Python of a virtual environment, and prints what it finds there as JSON.

Its first argument is a JSON object of programs by name; each prints where the module lies that it is about. With
`modules` as the second argument it runs these alone, which takes half of the time.
"""

from __future__ import annotations

import importlib
import json
import multiprocessing
import platform
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any


def load(program: str) -> dict[str, str]:
    """What the program prints, or what it says when it fails.

    Each has a process of its own: once Python's zlib is loaded, whatever needs libz.so.1 finds it in there.
    """
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    return {"file": done.stdout.strip()} if done.returncode == 0 else {"error": done.stderr.strip()}


def in_child(_: int) -> list[Any]:
    """Where a worker process finds numpy, and what it is."""
    return [str(importlib.import_module("numpy").__file__), sys.prefix, sys.executable]


def mapped_files() -> list[str]:
    """Every file that is mapped into this process."""
    lines = Path("/proc/self/maps").read_text(encoding="utf-8").splitlines()
    return sorted({line.split(maxsplit=5)[5] for line in lines if "/" in line})


def run(*command: str) -> str:
    """What a program prints."""
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def main() -> None:
    """Print all."""
    programs: dict[str, str] = json.loads(sys.argv[1])
    # Asked first, since OpenCV sets LD_LIBRARY_PATH of its own when it is imported.
    environment = dict(line.split("=", 1) for line in run("env", "-0").split("\0") if "=" in line)
    with ThreadPoolExecutor(2) as pool:
        modules = dict(zip(programs, pool.map(load, programs.values()), strict=True))
    if sys.argv[2:] == ["modules"]:
        json.dump({"modules": modules, "base_prefix": sys.base_prefix}, sys.stdout)
        return
    for name, program in programs.items():
        if "file" in modules[name]:
            exec(program.replace("print(", "str("), {})  # noqa: S102 - the test's own
    report = {
        "modules": modules,
        "version": platform.python_version(),
        "prefix": sys.prefix,
        "base_prefix": sys.base_prefix,
        "executable": sys.executable,
        "maps": mapped_files(),
        "started": run(sys.executable, "-c", "import sys; print(sys.prefix)"),
        "environment": environment,
    }
    if "file" in modules["numpy"]:
        with multiprocessing.get_context("spawn").Pool(1) as workers:
            report["spawned"] = workers.map(in_child, [0])[0]
    json.dump(report, sys.stdout)


if __name__ == "__main__":
    main()
