"""Fuzz the readers, one after the other, and note what was reached.

    python -m fuzz.run [--seconds N] [--runs N] [--total N] [READER…]

Each reader runs for so many seconds or runs, whichever comes first; with `--total` in turns, until it has that many
runs altogether. `.fuzz` keeps what a later run goes on from: the inputs by reader, `findings`, `results.csv`.
`--keep` fuzzes nothing: it chooses the inputs of `corpus` again, few and small, by the lines of nixpy that they reach.
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import importlib.metadata
import os
import platform
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType

from fuzz import readers, replay

TESTS = Path(__file__).parents[1]
HOME = TESTS.parent / ".fuzz"
RESULTS = HOME / "results.csv"
COLUMNS = ("reader", "runs", "seconds", "found", "megabytes", "date", "python", "atheris", "nixpy")
FILES, BYTES = 24, 24 << 10
"""How many inputs of a reader are kept in `corpus`, and how large the largest of them is at most."""

PATIENCE = 20
"""Seconds that one input may take."""

MEMORY = 1024
"""Megabytes that the process may take."""

_WORD = re.compile(rb"[A-Za-z_][\w.-]{2,24}|[=<>!~]=|[\[\]]{2}")


def results() -> list[dict[str, str]]:
    """Return what is noted of all runs."""
    if not RESULTS.is_file():
        return []
    with RESULTS.open(newline="") as file:
        return list(csv.DictReader(file))


def done(name: str) -> int:
    """Return the number of runs of a reader that are noted."""
    return sum(int(row["runs"]) for row in results() if row["reader"] == name)


def fuzz(name: str, seconds: int, runs: int) -> None:
    """Run one reader, and add a row to the results."""
    inputs, findings = HOME / "inputs" / name, HOME / "findings" / name
    for folder in (inputs, findings):
        folder.mkdir(parents=True, exist_ok=True)
    reader = readers.READERS[name]
    with tempfile.NamedTemporaryFile(suffix=".dict") as words:
        words.write(_dictionary(name))
        words.flush()
        options = (
            f"-max_len={reader.longest}",
            f"-dict={words.name}",
            f"-timeout={PATIENCE}",
            f"-rss_limit_mb={MEMORY}",
            f"-artifact_prefix={findings}/",
            "-print_final_stats=1",
            *([f"-max_total_time={seconds}"] if seconds else []),
            *([f"-runs={runs}"] if runs else []),
        )
        log = _target(name, str(findings), *options, str(inputs), str(replay.CORPUS / name))
    HOME.joinpath(f"{name}.log").write_text(log)
    if not (reached := _last(r"number_of_executed_units: *(\d+)|^#(\d+)\t", log)):
        raise SystemExit(f"{name} does not run; its last words are:\n{log[-2000:]}")
    found = sorted({*re.findall(r"^FOUND (.+)$", log, re.MULTILINE), *re.findall(r"ERROR: libFuzzer: ([\w-]+)", log)})
    row = {
        "reader": name,
        "runs": reached,
        "seconds": _last(r"^Done \d+ runs in (\d+) second", log),
        "found": "; ".join(found),
        "megabytes": _last(r"peak_rss_mb: *(\d+)|rss: (\d+)Mb", log),
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "python": platform.python_version(),
        "atheris": importlib.metadata.version("atheris"),
        "nixpy": importlib.metadata.version("nixpy"),
    }
    new = not RESULTS.exists()
    with RESULTS.open("a", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        if new:
            writer.writeheader()
        writer.writerow(row)
    print(
        f"{name}: {row['runs']} runs in {row['seconds']} s, {row['megabytes']} MB, found: {row['found'] or 'nothing'}"
    )


def keep(name: str) -> None:
    """Put the smallest of the inputs that reach other lines of nixpy than all before them into the corpus."""
    corpus = replay.CORPUS / name
    # The inputs that people wrote come first and stay.
    written = [path for path in replay.kept(name) if not re.fullmatch(r"[0-9a-f]{40}", path.name)]
    found = [path for path in (*corpus.iterdir(), *HOME.joinpath("inputs", name).glob("*")) if path not in written]
    chosen: dict[str, bytes] = {}
    with readers.folder_of(readers.READERS[name]) as folder:
        reached = set[tuple[str, int]]()
        for path in (*written, *sorted(found, key=lambda path: path.stat().st_size)):
            data = path.read_bytes()
            lines = _lines(name, data, folder)
            if path not in written and not lines <= reached and len(data) <= BYTES and len(chosen) < FILES:
                chosen[path.name] = data
            reached |= lines
    for path in set(corpus.iterdir()) - set(written):
        path.unlink()
    for file, data in chosen.items():
        corpus.joinpath(file).write_bytes(data)


def _lines(name: str, data: bytes, folder: Path) -> set[tuple[str, int]]:
    """Return the lines of nixpy that an input reaches."""
    lines = set[tuple[str, int]]()

    def trace(frame: FrameType, event: str, _: object) -> object:
        if not frame.f_code.co_filename.startswith(str(readers.PACKAGE)):
            return None
        if event == "line":
            lines.add((frame.f_code.co_filename, frame.f_lineno))
        return trace

    sys.settrace(trace)  # type: ignore[arg-type]
    try:
        readers.read(name, data, folder)
    finally:
        sys.settrace(None)
    return lines


def _target(name: str, *arguments: str) -> str:
    """Return what the fuzzer prints."""
    environ = {**_plain(os.environ), "PYTHONPATH": os.pathsep.join((str(TESTS), os.environ.get("PYTHONPATH", "")))}
    command = (sys.executable, "-m", "fuzz.target", name, *arguments)
    return subprocess.run(
        command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False
    ).stderr.decode("utf-8", "replace")


def _plain(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without settings of uv and pip, which are read as well."""
    return {name: value for name, value in environ.items() if not name.startswith(("PIP_", "UV_"))}


def _dictionary(name: str) -> bytes:
    """Return the words of the kept inputs in the form of libFuzzer, so that it need not find them letter by letter."""
    words = {word for path in replay.kept(name) for word in _WORD.findall(path.read_bytes())}
    return b"".join(b'"' + word.replace(b'"', b'\\"') + b'"\n' for word in sorted(words)[:200])


def _last(pattern: str, log: str) -> int:
    """Return the number that the last match of a pattern has, 0 without one."""
    found = list(re.finditer(pattern, log, re.MULTILINE))
    return int(next(filter(None, found[-1].groups()))) if found else 0


def main(arguments: Sequence[str]) -> None:
    """Fuzz the readers that are named, all by default."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=0, help="seconds for each reader in one turn")
    parser.add_argument("--runs", type=int, default=0, help="runs for each reader in one turn")
    parser.add_argument("--total", type=int, default=0, help="take turns until each reader has so many runs")
    parser.add_argument("--keep", action="store_true", help="choose the inputs of the corpus again")
    parser.add_argument("readers", nargs="*", metavar="READER", help="default: all")
    options = parser.parse_args(arguments)
    names = options.readers or list(readers.READERS)
    if unknown := {*names} - readers.READERS.keys():
        parser.error(f"there is no reader {', '.join(sorted(unknown))}; there are {', '.join(readers.READERS)}")
    if options.keep:
        for name in names:
            keep(name)
        return
    if not (options.seconds or options.runs):
        parser.error("--seconds or --runs says how long a turn is")
    waiting = names
    while waiting:
        for name in waiting:
            missing = max(options.total - done(name), 1) if options.total else 0
            fuzz(name, options.seconds, min(options.runs or missing, missing or options.runs))
        waiting = [name for name in waiting if options.total and done(name) < options.total]


if __name__ == "__main__":
    main(sys.argv[1:])
