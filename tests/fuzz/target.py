"""One reader under atheris: libFuzzer chooses the bytes by the lines of Python that they reach.

    python -m fuzz.target READER FINDINGS [LIBFUZZER-OPTION…] [CORPUS…]

`run.py` starts it. An exception that a reader must not raise is saved in FINDINGS, once for each place, and the run
goes on; an input that takes too long or too much memory ends it, and libFuzzer saves that input.
"""

from __future__ import annotations

import hashlib
import sys
import warnings
from pathlib import Path

import atheris

# Of the standard library and others: what is applied to foreign text and is written in Python.
OTHERS = (
    "argparse",
    "configparser",
    "email",
    "netrc",
    "packaging",
    "shlex",
    "tarfile",
    "tomlkit",
    "tomllib",
    "zipfile",
)
with atheris.instrument_imports(include=["nixpy", *OTHERS], enable_loader_override=False):
    from fuzz import readers

EVERY = 500
"""Runs after which the caches are emptied."""


def main(name: str, findings: Path, options: list[str]) -> None:
    """Run one reader until libFuzzer ends it."""
    warnings.simplefilter("ignore")  # Python warns of escapes in a setup.py
    seen: set[str] = set()
    runs = 0
    with readers.folder_of(readers.READERS[name]) as folder:

        def run(data: bytes) -> None:
            nonlocal runs
            runs += 1
            if runs % EVERY == 0:
                readers.forget()
            error = readers.read(name, data, folder)
            if error is not None and (where := readers.place(error)) not in seen:
                seen.add(where)
                findings.joinpath(hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)
                print(f"\nFOUND {where}", file=sys.stderr, flush=True)

        # libFuzzer starts itself by the first word where it merges inputs.
        atheris.Setup([f"{sys.executable} -m fuzz.target {name} {findings}", *options], run)
        atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])
