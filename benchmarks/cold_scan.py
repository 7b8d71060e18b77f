"""Measure a cold scan against `uv sync` with a cold cache: time, and bytes that the same index sends.

    make benchmark-scan

The project requires the packages in `cold-scan.txt`, about 330 wheels of 560 MB. uv locks them, and pip downloads the
wheels once into `.benchmark`. A server on loopback serves them and counts the bytes; it is a process of its own. Every
run starts with an empty cache, `uv sync` also without an environment. `--rate` limits what the server sends, in
megabytes a second: loopback is faster than a network.
"""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import os
import re
import shutil
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, ClassVar

import uv

TOP = Path(__file__).parents[1]
HOME = TOP / ".benchmark"
WHEELS = HOME / "wheels"
RUNS = 3
_PIECE = 256 << 10  # bytes
_ADDRESS = re.compile(r'url = "[^"]*/([^/"]+\.whl)"')


class Handler(BaseHTTPRequestHandler):
    """Serves wheels, whole or one range of them, and counts the bytes."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    sent: ClassVar[int] = 0
    requests: ClassVar[int] = 0
    rate: ClassVar[float] = 0  # bytes a second of all connections together; 0 for no limit
    lock: ClassVar[Any] = threading.Lock()
    free_at: ClassVar[float] = 0

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Stay silent."""

    def do_GET(self) -> None:
        """Send a wheel."""
        path = WHEELS / Path(self.path).name
        size = path.stat().st_size
        asked = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range", ""))
        first = 0 if not asked else int(asked[1]) if asked[1] else max(0, size - int(asked[2]))
        last = min(int(asked[2]), size - 1) if asked and asked[1] and asked[2] else size - 1
        self.send_response(206 if asked else 200)
        self.send_header("Content-Length", str(last + 1 - first))
        self.send_header("Accept-Ranges", "bytes")
        if asked:
            self.send_header("Content-Range", f"bytes {first}-{last}/{size}")
        self.end_headers()
        with path.open("rb") as file, contextlib.suppress(ConnectionError):
            while first <= last:
                count = min(_PIECE, last + 1 - first)
                self.wait(count)
                first += os.sendfile(self.connection.fileno(), file.fileno(), first, count)
        with self.lock:
            Handler.requests += 1

    def wait(self, count: int) -> None:
        """Count these bytes, and wait until the link has sent them."""
        with self.lock:
            Handler.sent += count
            if not self.rate:
                return
            Handler.free_at = max(self.free_at, time.monotonic()) + count / self.rate
        time.sleep(max(0.0, self.free_at - time.monotonic()))


def serve(pipe: Connection, rate: float) -> None:
    """Serve until the other end closes; answer each message with the bytes and requests since the last one."""
    Handler.rate = rate
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    pipe.send(server.server_port)
    with contextlib.suppress(EOFError):
        while pipe.recv():
            pipe.send((Handler.sent, Handler.requests))
            Handler.sent = Handler.requests = 0


@contextlib.contextmanager
def index(rate: float) -> Iterator[tuple[str, Callable[[], tuple[int, int]]]]:
    """Yield the address of the wheels, and a function for the bytes and requests since it was called last."""
    here, there = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(there, rate), daemon=True)
    process.start()
    port = here.recv()

    def counted() -> tuple[int, int]:
        here.send(True)
        found: tuple[int, int] = here.recv()
        return found

    try:
        yield f"http://127.0.0.1:{port}", counted
    finally:
        process.terminate()


def prepare() -> None:
    """Lock the project and download its wheels, if that is not done."""
    if (HOME / "uv.lock").is_file() and WHEELS.is_dir():
        return
    WHEELS.mkdir(parents=True, exist_ok=True)
    names = [line for line in (TOP / "benchmarks/cold-scan.txt").read_text().splitlines() if line]
    minor = ".".join(map(str, sys.version_info[:2]))
    lines = "".join(f'  "{name}",\n' for name in names)
    HOME.joinpath("pyproject.toml").write_text(
        f'[project]\nname = "cold-scan"\nversion = "1"\nrequires-python = "=={minor}.*"\ndependencies = [\n{lines}]\n'
    )
    run(uv.find_uv_bin(), "lock", "--python", sys.executable)
    pinned = run(uv.find_uv_bin(), "export", "--frozen", "--no-hashes", "--no-emit-project", "--python", sys.executable)
    (HOME / "requirements.txt").write_text(pinned)
    run(
        *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"),
        *("--dest", str(WHEELS), "--requirement", "requirements.txt"),
    )


def run(*words: str, folder: Path = HOME, **environment: str) -> str:
    """Run a program and return what it prints; its failure ends all with what it says."""
    done = subprocess.run(words, cwd=folder, env=os.environ | environment, check=False, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(words)}\n{done.stdout}{done.stderr}")
    return done.stdout


def project(folder: Path, address: str) -> Path:
    """Make a copy of the project in which every wheel is on the index."""
    folder.mkdir()
    shutil.copy(HOME / "pyproject.toml", folder)
    lock = (HOME / "uv.lock").read_text()
    (folder / "uv.lock").write_text(_ADDRESS.sub(rf'url = "{address}/\1"', lock))
    return folder


def uv_sync(folder: Path) -> None:
    """Install the project as uv does at first."""
    options = ("--frozen", "--no-install-project", "--no-config", "--python", sys.executable)
    run(uv.find_uv_bin(), "sync", *options, "--cache-dir", "cache", folder=folder)


def nixpy_scan(folder: Path) -> None:
    """Scan the project as nixpy does at first."""
    nixpy = str(Path(sys.executable).with_name("nixpy"))
    run(nixpy, "scan", "--system", "x86_64-linux", folder=folder, NIXPY_CACHE_DIR=str(folder / "cache"))


def cpu() -> float:
    """Return the processor time of the programs that have ended."""
    used = os.times()
    return used.children_user + used.children_system


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, default=0, help="megabytes a second that the server sends")
    parser.add_argument("--runs", type=int, default=RUNS)
    options = parser.parse_args()
    prepare()
    seconds: dict[str, list[float]] = {}
    processor: dict[str, list[float]] = {}
    moved: dict[str, tuple[int, int]] = {}
    with index(options.rate * 1e6) as (address, counted):
        for _ in range(options.runs):
            for work in (uv_sync, nixpy_scan):
                scratch = HOME / "scratch"
                shutil.rmtree(scratch, ignore_errors=True)
                folder = project(scratch, address)
                counted()
                start, used = time.perf_counter(), cpu()
                work(folder)
                processor.setdefault(work.__name__, []).append(cpu() - used)
                seconds.setdefault(work.__name__, []).append(time.perf_counter() - start)
                moved[work.__name__] = counted()
    shutil.rmtree(scratch, ignore_errors=True)
    first = statistics.median(seconds["uv_sync"]), moved["uv_sync"][0]
    print(f"{len(list(WHEELS.iterdir()))} wheels on disk; medians of {options.runs} cold runs")
    for name, times in seconds.items():
        time_, (sent, requests) = statistics.median(times), moved[name]
        used = statistics.median(processor[name])
        print(
            f"  {name:12} {time_:7.1f} s  {time_ / first[0]:5.2f} x  {used:7.1f} s of CPU  "
            f"{sent / 1e6:8.1f} MB  {sent / first[1]:6.3f} x  {requests:5} requests"
        )


if __name__ == "__main__":
    main()
