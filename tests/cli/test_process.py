"""nixpy as a process among others: pipes, full disks, closed streams, and how much it loads."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import shop
from runner import Nixpy

RUN = [sys.executable, "-m", "nixpy"]
NOT_FOR_CHECK = {"email.parser", "http.client", "rich", "ssl", "tomlkit", "urllib.request", "urllib3"}


def test_a_reader_that_goes_away_is_no_error() -> None:
    """Behind `| head` nixpy ends as other programs do, silent and with SIGPIPE's status: no verdict of its own."""
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([*RUN, "styles", "fhs"], stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_one_error() -> None:
    """Where results cannot be written, that is one line and exit status 2."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([*RUN, "styles", "fhs"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == f"error[NIX713]: {os.strerror(28)}\n"


def test_closed_output_is_no_error() -> None:
    """`nixpy … >&-` prints nowhere and ends well."""
    done = subprocess.run(
        ["sh", "-c", 'exec "$0" -m nixpy styles >&-', sys.executable], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("command", "clean"), [("script", True), ("isolated", True), ("module", False)])
def test_modules_of_the_working_folder(tmp_path: Path, command: str, *, clean: bool) -> None:
    """The command `nixpy` imports none of them; `python -m` looks there first, unless -I is given."""
    for name in ("nixpy", "click", "jinja2", "sitecustomize", "subprocess", "tomllib"):
        (tmp_path / f"{name}.py").write_text("open('trap', 'w').close()\n")
    words = {
        "script": [str(Path(sys.executable).with_name("nixpy"))],
        "isolated": [sys.executable, "-I", "-m", "nixpy"],
        "module": [sys.executable, "-m", "nixpy"],
    }[command]
    done = subprocess.run([*words, "styles"], cwd=tmp_path, capture_output=True, check=False)
    assert (tmp_path / "trap").exists() is not clean
    assert (done.returncode == 0) >= clean


def test_check_loads_nothing_it_does_not_need(tmp_path: Path, nixpy: Nixpy) -> None:
    """Check reads and compares: neither the network's modules nor those that write settings are imported."""
    folder = shop.project(tmp_path / "demo", "alpha")
    assert nixpy("init", folder, "--style", "loader").status == 0
    code = f"""
import sys
from nixpy.cli.main import main
try:
    main(["check", {str(folder)!r}])
except SystemExit as end:
    assert not end.code
print(sorted({NOT_FOR_CHECK!r} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
