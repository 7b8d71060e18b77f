"""TOML files that cannot be read are errors with a line, and keys are found by line."""

from __future__ import annotations

from pathlib import Path

import pytest

from nixpy.core.errors import NixpyError
from nixpy.core.toml_file import load_toml, toml_line

TEXT = """\
# top
title = "x"
[tool.nixpy]
style = "fhs"
"quoted key".inner = 1
systems = [
  "one",
  "two",
]
[[tool.uv.index]]
url = "https://index.example"
[ project . 'optional-dependencies' ]  # note
fast = ["mkl"]
[[package]]
name = "a"
[package.files]
wheels = [
  1,
  2,
]
[[package]]
name = "b"
wheels = [1, 2]
"""


@pytest.mark.parametrize(
    ("keys", "value", "line"),
    [
        (("title",), None, 2),
        (("tool", "nixpy"), None, 3),
        (("tool", "nixpy", "style"), None, 4),
        (("tool", "nixpy", "quoted key", "inner"), None, 5),
        (("tool", "nixpy", "systems"), '"two"', 8),
        (("tool", "nixpy", "systems"), '"three"', 6),
        (("tool", "nixpy", "missing"), None, 3),
        (("tool", "uv", "index", "url"), None, 11),
        (("project", "optional-dependencies", "fast"), None, 13),
        (("nothing",), None, None),
        (("package", "name"), None, 15),
        (("package", 0, "name"), None, 15),
        (("package", 1), None, 21),
        (("package", 1, "name"), None, 22),
        (("package", 0, "files", "wheels", 1), None, 19),
        (("package", 1, "wheels", 1), None, 23),
        (("package", 1, "missing"), None, 21),
        (("tool", "uv", "index", 0, "url"), None, 11),
    ],
)
def test_line_of_a_key(keys: tuple[str | int, ...], value: str | None, line: int | None) -> None:
    """The line is that of the key, of the value's item where one is named, or of the nearest table."""
    assert toml_line(TEXT, *keys, value=value) == line


@pytest.mark.parametrize("header", ['[#"a"]', "[ # ]", "[=]", "[a..b]"])
def test_a_line_inside_a_string_is_no_table(header: str) -> None:
    """A line of a string may look like the header of a table, and have no name that TOML accepts."""
    assert toml_line(f'text = """\n{header}\n"""\nlater = 1\n', "text") == 1


@pytest.mark.parametrize(
    ("raw", "line"),
    [(b"a = 1\nb = \n", 2), (b"a = 1\n[t]\na = 1\n[t]\n", 4), (b"a = [1,\n2", 2), (b"a = 1\n# \xff\n", 2)],
)
def test_damaged_file(tmp_path: Path, raw: bytes, line: int) -> None:
    """Wrong syntax and wrong encoding are errors with file and line."""
    path = tmp_path / "x.toml"
    path.write_bytes(raw)
    with pytest.raises(NixpyError) as caught:
        load_toml(path)
    assert (caught.value.path, caught.value.line) == (path, line)


def test_missing_file(tmp_path: Path) -> None:
    """A missing file is an error that names it; a folder in its place too."""
    with pytest.raises(NixpyError, match="does not exist"):
        load_toml(tmp_path / "x.toml")
    with pytest.raises(NixpyError, match="cannot be read"):
        load_toml(tmp_path)


def test_byte_order_mark(tmp_path: Path) -> None:
    """A file that an editor began with a byte order mark is read."""
    (tmp_path / "x.toml").write_bytes(b"\xef\xbb\xbfa = 1\r\n")
    assert load_toml(tmp_path / "x.toml") == {"a": 1}


def test_a_merge_conflict_is_called_one(tmp_path: Path) -> None:
    """The marker a merge left is not a slip of syntax: the error says what it is, with its line."""
    path = tmp_path / "x.lock"
    path.write_text("a = 1\n<<<<<<< HEAD\nb = 1\n=======\nb = 2\n>>>>>>> other\n")
    with pytest.raises(NixpyError, match="unresolved merge conflict") as caught:
        load_toml(path)
    assert caught.value.line == 2
