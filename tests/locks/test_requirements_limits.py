"""A requirements file that is made to break its reader is one error with file and line."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from pathlib import Path

import pytest

from nixpy.core import limits
from nixpy.core.errors import NixpyError
from nixpy.locks import formats
from nixpy.locks.requirements import read


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        ("six\n-r a\0b\n", "NUL", 2),
        ("-f ./a\0\n", "NUL", 1),
        ("./a\0.whl\n", "NUL", 1),
        ("# coding: undefined\nsix\n", "not undefined", 1),
        ("# coding: idna\nsix\n", "not idna", 1),
        ("# coding: hex\nsix\n", "not hex", 1),
        ("six\n-r /dev/zero\n", "not a regular file", 2),
        ("six\n-r " + "a" * 60_000 + "\n", "cannot be read", 2),
        ("six\nx==1" + "0" * 5_000 + "\n", "digits", 2),
        ("six\nsix; " + "(" * 5_000 + "\n", "brackets", 2),
    ],
    ids=["include", "links", "path", "undefined", "idna", "hex", "device", "long name", "digits", "brackets"],
)
def test_hostile_line(tmp_path: Path, text: str, message: str, line: int | None) -> None:
    """The error names the file, the line and a remedy."""
    path = tmp_path / "requirements.txt"
    path.write_text(text)
    with pytest.raises(NixpyError, match=message) as caught:
        read(path)
    assert caught.value.line == line
    assert caught.value.path
    assert caught.value.hint


def test_path_of_absurd_length(tmp_path: Path) -> None:
    """A local wheel whose name no system allows is as missing as any other."""
    path = tmp_path / "requirements.txt"
    path.write_text("./" + "a" * 60_000 + ".whl\n")
    (line,) = read(path).requirements
    assert line.local is not None


@pytest.mark.parametrize(
    "text",
    [
        "six" + " " * 100_000 + "x",
        "./six" + " " * 100_000 + "x",
        "https://index.example/six" + " " * 100_000 + "; x",
        "six" + " " * 100_000 + "@" + " " * 100_000,
        "six" + "[" * 100_000,
        "six ; " + "a" * 100_000,
        "six" + ">=1," * 30_000 + "x",
        " #" * 50_000 + "\r",
        "://a?" * 20_000,
    ],
)
def test_long_lines_take_linear_time(tmp_path: Path, text: str) -> None:
    """A line of 100,000 characters is read, or refused, within two seconds of this thread."""
    path = tmp_path / "requirements.txt"
    path.write_text(text + "\n")
    start = time.thread_time()
    with contextlib.suppress(NixpyError):
        read(path)
    assert time.thread_time() - start < 2


def test_long_chain_of_includes(tmp_path: Path) -> None:
    """A chain of more files than the limit is an error at the line where it passes the limit."""
    for number in range(2_000):
        (tmp_path / f"{number}.txt").write_text(f"\n-r {number + 1}.txt\n")
    with pytest.raises(NixpyError, match="chain of 100 files") as caught:
        read(tmp_path / "0.txt")
    assert (caught.value.path, caught.value.line) == (tmp_path / f"{limits.CHAIN - 1}.txt", 2)


def test_fifo_that_the_user_names(tmp_path: Path) -> None:
    """The FIFO of `<(uv export)` is read where the user named it, and refused where a file includes it."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    (tmp_path / "requirements.txt").write_text("-r fifo\n")
    with pytest.raises(NixpyError, match="not a regular file"):
        formats.read_requirements(tmp_path / "requirements.txt", tmp_path, named=True)
    writer = threading.Thread(target=fifo.write_text, args=("six==1.17.0\n",))
    writer.start()
    found = formats.read_requirements(fifo, tmp_path, named=True)
    writer.join()
    assert [line.text for line in found.requirements] == ["six==1.17.0"]


@pytest.mark.parametrize("link", [False, True])
@pytest.mark.parametrize(
    "text", ["machine a login b password s3cret", "--s3cret", "-r 's3cret", "-r s3cret", "x==1 --hash=s3cret"]
)
def test_no_message_repeats_a_file_outside_of_the_checkout(tmp_path: Path, text: str, *, link: bool) -> None:
    """A project may include any file of the machine, also by a link: what stands there is not shown."""
    (tmp_path / "netrc").write_text(text + "\n")
    root = tmp_path / "project"
    root.mkdir()
    if link:
        (root / "requirements.txt").symlink_to(tmp_path / "netrc")
    else:
        (root / "requirements.txt").write_text("-r ../netrc\n")
    with pytest.raises(NixpyError) as caught:
        read(root / "requirements.txt", root=root)
    assert caught.value.line == 1
    assert "s3cret" not in f"{caught.value} {caught.value.hint}"


def test_a_message_repeats_another_file_of_the_checkout(tmp_path: Path) -> None:
    """A file beside the project in its git tree, and one that the user names, are shown."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "base.txt").write_text("not one\n")
    root = tmp_path / "project"
    root.mkdir()
    (root / "requirements.txt").write_text("-r ../base.txt\n")
    with pytest.raises(NixpyError, match="not one"):
        read(root / "requirements.txt", root=root)
