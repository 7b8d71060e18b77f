"""A uv.lock that uv refuses is an error with a line; what uv reads, nixpy reads."""

from __future__ import annotations

import os
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from lockdamage import changed, document_of, places
from nixpy.core.errors import NixpyError
from nixpy.locks import formats, uv_rules
from nixpy.locks.validate import DamagedError
from realuv import RealUv
from runner import Nixpy

BASE = (Path(__file__).parent / "refused/uv.lock").read_text()
DOCUMENT = tomllib.loads(BASE)
PYPROJECT = '[project]\nname = "root"\nversion = "0.1"\nrequires-python = ">=3.11"\n'
REMOVED = None
SHA = "sha256:" + 64 * "a"
LEAF = ("package", 2)
WHEEL = (*LEAF, "wheels", 0)
EDGE = ("package", 8, "dependencies", 0)
SPECIFIER = ("package", 8, "metadata", "requires-dist", 0, "specifier")
GIT = ("package", 6, "source", "git")

# The place of a value, and other values for it. The real uv says which of them are right.
CASES: list[tuple[tuple[str | int, ...], list[Any]]] = [
    (("version",), [True, 1.0, "1"]),
    (("revision",), [99, "3", -1, True]),
    (("requires-python",), [REMOVED, "", "x", "^3.11", "3.11", "==3.11.*", "~=3.11", ">=3.11;", ">=3.11 , <4"]),
    (("resolution-markers", 0), ["", "x", "sys_platform == 'linux", 1]),
    (("conflicts", 0), [[], [{"package": "root", "extra": "more"}]]),
    (("conflicts", 0, 0), [{"package": "root", "extra": "a", "group": "b"}, {"package": "a b"}, {"extra": "more"}]),
    (("options", "exclude-newer"), ["2026-01-01", "x", 1]),
    (("manifest", "members", 0), ["a b", 1]),
    (("manifest", "constraints", 0), [{}, {"name": "leaf", "specifier": "1"}, "leaf"]),
    (("manifest", "dependency-metadata", 0), [{"name": "leaf", "version": "x"}, {"name": "a", "unknown": 1}, {}]),
    ((*LEAF, "name"), ["leaf-", "leaf[x]", "other", 1, REMOVED]),
    ((*LEAF, "version"), ["1.0.0", "v1.0", " 1.0", "1.0+x", "1.0.post1", "x", "", 1.0, REMOVED]),
    ((*LEAF, "source"), [{}, {"folder": "x"}, "registry+https://x", {"registry": 1}, REMOVED]),
    ((*LEAF, "source", "editable"), ["x", 3]),
    ((*WHEEL, "hash"), [SHA.upper(), SHA.replace("a", "A", 3), SHA[:-1], "sha256:ab", "sha1:" + 40 * "a", REMOVED, ""]),
    ((*WHEEL, "hash"), ["sha512:" + 128 * "a", "sha384:" + 96 * "a", "blake2b:" + 64 * "a", "sha256:" + 64 * "g"]),
    ((*WHEEL, "size"), [0, -1, True, "7", 2.5, REMOVED]),
    (
        (*WHEEL, "upload-time"),
        ["2024-08-29", "2024-08-29T15:43:11", "2024-08-29 15:43:11+02:00", "2024-13-29T15:43:11Z"],
    ),
    ((*WHEEL, "url"), [REMOVED, "", "https://x.example/leaf.whl", "https://x.example/leaf-2.0-py3-none-any.whl"]),
    (
        (*WHEEL, "url"),
        [
            f"https://x.example/{name}"
            for name in (
                "other-1.0-py3-none-any.whl",
                "leaf-1.0.0-py3-none-any.whl",
                "leaf-1.0%2Blocal-py3-none-any.whl",
                "leaf-1.0-x-py3-none-any.whl",
                "leaf--1.0-py3-none-any.whl",
                "leaf-1.0-py3-none-a b.whl",
                "leaf-1.0-py3-none-any.zip",
                "le-af-1.0-py3-none-any.whl",
                "le__af-1.0-py3-none-any.whl",
                "leaf-one-py3-none-any.whl",
            )
        ],
    ),
    (("package", 1, "wheels", 0, "path"), ["", "forked-2.0.whl", REMOVED]),
    (("package", 3, "wheels", 0, "hash"), [REMOVED]),
    (("package", 4, "wheels", 0, "filename"), ["by_path-4.0-py3-none-any.whl", "x", REMOVED]),
    (("package", 4, "wheels", 0, "hash"), [REMOVED]),
    (
        GIT,
        [
            f"{address}{commit}"
            for address in ("https://g.example/t?rev=x", "ssh://git@g.example/t", "git+https://g.example/t", "t")
            for commit in ("#" + 40 * "0", "#" + 40 * "A", "#" + 7 * "0", "")
        ],
    ),
    (
        ("package", 6, "wheels"),
        [[{"url": "https://x.example/tree-0.5-py3-none-any.whl"} | one] for one in ({}, {"hash": SHA})],
    ),
    ((*EDGE, "name"), ["nothing", "a b"]),
    ((*EDGE, "version"), ["1.0", "1.0.0", "9", "x"]),
    ((*EDGE, "source"), [{"registry": "https://index.example/simple"}, {"registry": "https://else.example"}, {}]),
    (
        (*EDGE, "marker"),
        ["", "x", "sys_platform == linux", "extra == 'extra-4-root-more'", "sys_platform == 'linux' and"],
    ),
    ((*EDGE, "extra"), [["unknown"], ["a b"], "deep"]),
    (("package", 8, "dependencies", 3, "source"), [REMOVED]),
    (("package", 8, "dependencies", 3, "version"), [REMOVED, "2.0"]),
    (("package", 8, "dependencies", 1), [{"name": "by-path"}]),
    (("package", 8, "default-groups"), [["dev"], "all", 3]),
    (SPECIFIER, ["", ">= 1", "==1.*", "===1.0", "===x", ">=1,", "~=1", "1", "<1.*", "*", ">=1;", ">=1 <2"]),
    (("package", 8, "metadata", "provides-extras", 0), ["a b", 1]),
    (("package", 8, "metadata", "requires-dist", 1, "git"), ["x", 1]),
    (("unknown",), [1]),
]


def read(folder: Path) -> NixpyError | None:
    try:
        formats.read(folder / "uv.lock", folder)
    except NixpyError as error:
        return error
    return None


def disagreement(folder: Path, way: tuple[str | int, ...], value: object) -> str | None:
    """Return where nixpy reads a lock that uv refuses, or the reverse."""
    folder.mkdir()
    (folder / "pyproject.toml").write_text(PYPROJECT)
    (folder / "uv.lock").write_text(document_of(changed(DOCUMENT, way, value)))
    uv = RealUv(folder=folder, index_url="http://127.0.0.1:9/simple/", cache=folder.parent / "cache")
    done = uv.attempt("export", "--frozen", "--offline", "--quiet")
    error = read(folder)
    if bool(done.returncode) == bool(error):
        return None
    return f"{way} = {value!r}\nuv: {done.stderr.strip()[-300:]}\nnixpy: {error}"


@pytest.mark.slow
def test_uv_judges_each_case(tmp_path: Path) -> None:
    """A value is refused if and only if the real uv does."""
    cases = [(way, value) for way, values in CASES for value in values]
    with ThreadPoolExecutor(max(2, os.cpu_count() or 2)) as pool:
        found = list(pool.map(lambda at: disagreement(tmp_path / str(at), *cases[at]), range(len(cases))))
    assert not any(found), "\n\n".join(filter(None, found))


ODD: list[Any] = ["", "x", "1.0", "a b", "sha256:ab", "extra == 'x", -1, 2.5, True, [1], {}, {"a": 1}, REMOVED]


@pytest.mark.slow
def test_any_value_of_another_type() -> None:
    """Any value replaced by a wrong one is accepted, or an error with its place."""
    for way in places(DOCUMENT):
        for value in ODD:
            document = changed(DOCUMENT, way, value)
            try:
                uv_rules.check(document)
            except DamagedError as error:
                if not error.keys and len(way) > 1:
                    raise AssertionError(way) from error


@pytest.mark.parametrize(
    ("old", "new", "words", "line"),
    [
        ("version = 1\n", "version = true\n", "`version`", "version = true"),
        ('requires-python = ">=3.11"\n', "", "no `requires-python`", None),
        ('leaf-1.0-py3-none-any.whl", hash = "sha256:aaaa', None, "hash", "leaf-1.0-py3-none"),
        ('"0.5"\nsource = { git =', '"x.5"\nsource = { git =', "package tree: `version`", 'version = "x.5"'),
        ('{ path = "forked-2.0-py3-none-any.whl" }', "{ size = 1 }", "neither `url` nor", "{ size = 1 }"),
        ('{ directory = "libs/folder" }\n', '{ folder = "x" }\n', "package folder: `source` has none", "{ folder ="),
        ('    { name = "folder" },\n', '    { name = "older" },\n', "no package in the lock: older", '"older"'),
    ],
)
def test_the_error_names_the_line(
    tmp_path: Path, nixpy: Nixpy, old: str, new: str | None, words: str, line: str | None
) -> None:
    """`init` ends with exit status 2 and one error, which has the line; it writes nothing, also offline."""
    assert old in BASE
    text = BASE.replace(old, old[:-1] if new is None else new, 1)
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    (tmp_path / "uv.lock").write_text(text)
    done = nixpy("init", tmp_path, "--offline", "--style", "loader")
    assert done.status == 2
    assert words in done.err
    if line:
        number = next(number for number, content in enumerate(text.splitlines(), 1) if line in content)
        assert f"uv.lock:{number}: " in done.err
    assert "Run `uv lock`" in done.err
    assert {path.name for path in tmp_path.iterdir()} == {"pyproject.toml", "uv.lock"}
