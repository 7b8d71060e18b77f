"""Hostile files end at the limits of their readers: one error with the file, and with the line where there is one."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from nixpy import scan
from nixpy.core import limits
from nixpy.core.errors import NixpyError
from nixpy.core.read_file import read_bytes, read_lossy
from nixpy.core.toml_file import load_toml
from runner import Nixpy


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a = 1\nx = " + "[" * 20_000, None),
        ("x = " + "{a = " * 20_000, None),
        ("\na.b" + ".c" * 20_000 + " = 1\n", 2),
        ("\n[" + r'"\"a=" . ' * 20_000 + "b]\n", 2),
        ("x = " + "[" * 150 + "]" * 150, None),
        ("a = 1\nx = " + "9" * 5_000, 2),
        ('a = 1\n\nx = "1.' + "9" * 5_000 + '"', 3),
        ("x = " + "9_9" * 5_000, None),
        ('x = ["six; ' + "(" * 5_000 + '"]', None),
        ('x = "six; ' + r"\u0028" * 5_000 + '"', None),
        ('x = "1.' + r"\u0039" * 5_000 + '"', None),
    ],
    ids=[
        *("lists", "tables", "dotted keys", "quoted keys", "lists that Python can read", "number", "text"),
        *("underscores", "brackets", "escaped brackets", "escaped number"),
    ],
)
def test_toml_past_a_limit(tmp_path: Path, text: str, line: int | None) -> None:
    """TOML that is too deep, or has a number that is too long, is one error."""
    path = tmp_path / "x.toml"
    path.write_text(text)
    with pytest.raises(NixpyError) as caught:
        load_toml(path)
    assert (caught.value.path, caught.value.line) == (path, line)
    assert caught.value.hint


@pytest.mark.parametrize("text", ["[" * 20_000, "[" * 150 + "]" * 150, '{"a":' * 20_000, "9" * 5_000])
def test_json_past_a_limit(text: str) -> None:
    """JSON that is too deep, or has a number that is too long, is a ValueError, as all that is no JSON."""
    with pytest.raises(ValueError, match=r"."):
        limits.parse_json(text)


def test_honest_depth() -> None:
    """JSON with as many levels as the limit allows is read."""
    text = "[" * limits.DEPTH + "1" + "]" * limits.DEPTH
    assert limits.parse_json(text)[0][0]


@pytest.mark.parametrize("before", [0, 1, 999, 1000, 1001, 2500])
@pytest.mark.parametrize(("digits", "long"), [(999, False), (1000, False), (1001, True), (1999, True), (5000, True)])
def test_long_number_is_found_wherever_it_stands(before: int, digits: int, long: bool) -> None:
    """Only a run of more digits than the limit is found, with its place."""
    found = limits.long_number("x" * before + "7" * digits + "y" * 1500)
    assert (found is not None) == long
    assert found is None or found >= before


def test_fifos_and_devices_are_refused(tmp_path: Path) -> None:
    """What is no regular file is an error at once; nothing waits for a process that writes to a FIFO."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    for path in (fifo, Path("/dev/zero")):
        for reader in (read_bytes, read_lossy, load_toml):
            with pytest.raises(NixpyError, match="not a regular file") as caught:
                reader(path)
            assert (caught.value.path, bool(caught.value.hint)) == (path, True)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
        with pytest.raises(OSError, match="No such device"):
            read_bytes(tmp_path / "socket")


def test_named_device_is_read_up_to_the_limit() -> None:
    """A device that the user names is read, and its end is the limit."""
    assert read_bytes(Path(os.devnull), named=True) == b""
    with pytest.raises(NixpyError, match="more than 1,000 bytes"):
        read_bytes(Path("/dev/zero"), named=True, limit=1_000)


def test_folder_and_missing_file(tmp_path: Path) -> None:
    """They are the errors of the system, as ever."""
    with pytest.raises(IsADirectoryError) as caught:
        read_bytes(tmp_path)
    assert caught.value.filename == str(tmp_path)
    with pytest.raises(FileNotFoundError):
        read_bytes(tmp_path / "gone")


def test_long_message() -> None:
    """A message with a long text of others lacks the middle of each long line."""
    error = NixpyError("`" + "a" * 100_000 + "` is long", details="short\n" + "b" * 2_001)
    assert [len(line) for line in str(error).split("\n")] == [2_000, 5, 2_000]
    assert str(error).split("\n")[0].endswith("a` is long")


ARGUMENTS = {
    "name": "a" * 100_000,
    "digits": "six==" + "1" * 2_000,
    "brackets": "six ; " + "(" * 200 + "python_version > '3'" + ")" * 200,
    "path": "./" + "a/" * 30_000,
    "blanks": "six" + " " * 100_000 + "x",
    "secret": "six @ https://user:password@index.test/" + "x" * 5_000,
}


@pytest.mark.parametrize("argument", ARGUMENTS.values(), ids=ARGUMENTS)
@pytest.mark.parametrize("command", ["init", "sync", "check", "scan", "doctor", "package", "patch", "styles", "new"])
def test_argument_past_a_limit(command: str, argument: str, nixpy: Nixpy) -> None:
    """A command whose argument passes a limit is one error that has the beginning of the argument."""
    ran = nixpy(command, argument)
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.startswith("error[NIX702]: `" + argument[:11])
    assert "is not read" in ran.err
    assert len(ran.err) < 200
    assert "password" not in ran.err


def test_requirements_past_a_limit(tmp_path: Path) -> None:
    """The functions for Python refuse them as well; names that are too long for a file may be requirements."""
    for argument in ARGUMENTS.values():
        with pytest.raises(NixpyError, match="is not read"):
            limits.check_argument(argument)
        with pytest.raises(NixpyError, match="is not read"):
            scan([argument], offline=True)
    for target in ("a" * 300 + "/", "a" * 300 + "!"):
        with pytest.raises(NixpyError, match="neither a file, nor a folder, nor a requirement"):
            scan([target], offline=True)


@pytest.mark.parametrize("command", ["scan", "package"])
def test_requirement_with_a_secret(command: str, nixpy: Nixpy) -> None:
    """An argument that is not understood is shown without the credentials in it."""
    ran = nixpy(command, "six @ https://user:password@index.test/a?token=b !")
    assert ran.status == 2
    assert "https://index.test/a" in ran.err
    assert "password" not in ran.err + ran.out
    assert "token" not in ran.err + ran.out
