"""Runs inside the box, with the Python of a virtual environment, and prints what it finds there as JSON."""

from __future__ import annotations

import importlib
import json
import multiprocessing
import subprocess
import sys
from pathlib import Path
from typing import Any

MODULES = ("numpy", "pandas", "PIL.Image", "psycopg2", "pydantic_core")


def load(name: str) -> dict[str, str]:
    """Where the module lies, or the last line with which an interpreter fails that imports it alone.

    Each has a process of its own: once Python's zlib is loaded, whatever needs libz.so.1 finds it in there.
    """
    program = "import importlib, sys; print(importlib.import_module(sys.argv[1]).__file__)"
    done = subprocess.run([sys.executable, "-c", program, name], capture_output=True, text=True, check=False)
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
    modules = {name: load(name) for name in MODULES}
    for name, module in modules.items():
        if "file" in module:
            importlib.import_module(name)
    report = {
        "modules": modules,
        "prefix": sys.prefix,
        "base_prefix": sys.base_prefix,
        "executable": sys.executable,
        "maps": mapped_files(),
        "started": run(sys.executable, "-c", "import sys; print(sys.prefix)"),
        "environment": dict(line.split("=", 1) for line in run("env", "-0").split("\0") if "=" in line),
    }
    if "file" in modules["numpy"]:
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            report["spawned"] = pool.map(in_child, [0])[0]
    json.dump(report, sys.stdout)


if __name__ == "__main__":
    main()
