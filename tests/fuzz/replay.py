"""The kept inputs of each reader, and changed ones that are the same on every machine.

    python tests/fuzz/replay.py [READER…]

reads the kept inputs in a process whose memory is limited, and prints what was reached in MB.
"""

from __future__ import annotations

import random
import resource
import sys
import time
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

from fuzz import readers

CORPUS = Path(__file__).with_name("corpus")
CHANGED = 400
"""Changed inputs for each reader."""

SECONDS = 5.0
"""Seconds of the processor that one input may take."""

MEMORY = 1 << 30
"""Bytes that the process may take, the interpreter and its libraries included."""

WORDS = (
    b"\0",
    b"\n",
    b"[",
    b"]",
    b'"',
    b"=",
    b"{",
    b"\xff",
    b"9" * 20,
    b"[" * 50,
    b"..",
    b"${TOKEN}",
    b"[[package]]\n",
)


def kept(name: str) -> list[Path]:
    """Return the files with the kept inputs of a reader, sorted."""
    return sorted(CORPUS.joinpath(name).iterdir())


def changed(name: str) -> Iterator[bytes]:
    """Yield the changed inputs of a reader, always the same."""
    chance = random.Random(name)  # noqa: S311
    files = [path.read_bytes() for path in kept(name)]
    for _ in range(CHANGED):
        data = chance.choice(files)
        for _ in range(chance.randint(1, 4)):
            data = _changed(data, files, chance)
        yield data[: readers.READERS[name].longest]


def _changed(data: bytes, files: Sequence[bytes], chance: random.Random) -> bytes:
    first, last = sorted((chance.randint(0, len(data)), chance.randint(0, len(data))))
    match chance.randrange(5):
        case 0:  # another byte
            return data[:first] + bytes([chance.randrange(256)]) + data[first + 1 :]
        case 1:  # a part less
            return data[:first] + data[last:]
        case 2:  # a part twice
            return data[:last] + data[first:]
        case 3:  # a word more
            return data[:first] + chance.choice(WORDS) + data[first:]
        case _:  # the end of another input
            other = chance.choice(files)
            return data[:first] + other[chance.randint(0, len(other)) :]


def faults(name: str, inputs: Iterator[bytes]) -> Iterator[str]:
    """Yield what is wrong: an exception that a reader must not raise, or an input that takes too long."""
    with readers.folder_of(readers.READERS[name]) as folder:
        for data in inputs:
            start = time.process_time()
            error = readers.read(name, data, folder)
            seconds = time.process_time() - start
            if error is not None:
                yield f"{readers.place(error)}: {error} for {data!r}"
            if seconds > SECONDS:
                yield f"{seconds:.1f} s for {data!r}"


def _peak() -> int:
    """Return the most memory that this process ever took, in MB.

    It is not `ru_maxrss`, in which Linux also counts what the parent took when it started this process.
    """
    status = Path("/proc/self/status").read_text("ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) >> 10


def main(names: Sequence[str]) -> int:
    """Read the kept inputs with limited memory; return the exit status."""
    warnings.simplefilter("ignore")
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    found = 0
    for name in names or readers.READERS:
        for fault in faults(name, (path.read_bytes() for path in kept(name))):
            found += 1
            print(f"{name}: {fault}")
    print(_peak())
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
