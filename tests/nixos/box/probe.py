"""Runs inside the box, with the Python of a virtual environment, and prints what it finds there as JSON.

Its first argument is a JSON object of programs by name; each prints where the module lies that it is about. With
`modules` as the second argument it reports these alone.
"""

from __future__ import annotations

import importlib
import json
import multiprocessing
import platform
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

# Printed by a program that ended well: every file that is mapped into its process.
MAPS = "print(*{line.split(maxsplit=5)[5].strip() for line in open('/proc/self/maps') if '/' in line}, sep='\\n')"


def load(program: str) -> tuple[dict[str, str], list[str]]:
    """Return what the program prints, or what it says when it fails, and the files that are mapped into its process.

    Each has a process of its own: once Python's zlib is loaded, whatever needs libz.so.1 finds it in there.
    """
    command = [sys.executable, "-c", f"{program}\n{MAPS}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return {"error": done.stderr.strip()}, []
    file, *maps = done.stdout.splitlines()
    return {"file": file}, maps


def in_child(_: int) -> list[Any]:
    """Where a worker process finds numpy, and what it is."""
    return [str(importlib.import_module("numpy").__file__), sys.prefix, sys.executable]


def run(*command: str) -> str:
    """What a program prints."""
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def main() -> None:
    """Print all."""
    programs: dict[str, str] = json.loads(sys.argv[1])
    environment = dict(line.split("=", 1) for line in run("env", "-0").split("\0") if "=" in line)
    with ThreadPoolExecutor(2) as pool:
        loaded = dict(zip(programs, pool.map(load, programs.values()), strict=True))
    modules = {name: module for name, (module, _) in loaded.items()}
    if sys.argv[2:] == ["modules"]:
        json.dump({"modules": modules, "base_prefix": sys.base_prefix}, sys.stdout)
        return
    report = {
        "modules": modules,
        "version": platform.python_version(),
        "prefix": sys.prefix,
        "base_prefix": sys.base_prefix,
        "executable": sys.executable,
        "maps": sorted({path for _, maps in loaded.values() for path in maps}),
        "started": run(sys.executable, "-c", "import sys; print(sys.prefix)"),
        "environment": environment,
    }
    if "file" in modules["numpy"]:
        with multiprocessing.get_context("spawn").Pool(1) as workers:
            report["spawned"] = workers.map(in_child, [0])[0]
    json.dump(report, sys.stdout)


if __name__ == "__main__":
    main()
