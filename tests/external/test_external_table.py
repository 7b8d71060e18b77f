"""[external] of a pyproject.toml: what it asks for, and how each mistake is told."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

import shop
from nixpy.core.errors import NixpyError
from nixpy.external.table import External, read
from runner import Nixpy

TABLE = """\
[external]
build-requires = ["dep:virtual/compiler/c", "dep:generic/ninja"]
host-requires = ["dep:generic/zlib"]
dependencies = ["dep:generic/git"]

[external.optional-host-requires]
Fast_IO = ["dep:generic/lz4"]

[external.optional-dependencies]
fast-io = ["dep:generic/ffmpeg"]

[external.dependency-groups]
dev = ["dep:generic/graphviz", { include-group = "Docs_" }]
docs- = ["dep:generic/pandoc"]
"""


def external(folder: Path, text: str) -> External:
    path = folder / "pyproject.toml"
    path.write_text(text)
    found = read(tomllib.loads(text), path)
    assert found is not None
    return found


def chosen(found: External, extras: list[str], groups: list[str] | None) -> list[str]:
    names = [*extras, *(groups or [])]
    assert names == [name.lower() for name in names]
    return [f"{role} {one}" for role, one in found.select(extras, groups)]  # type: ignore[arg-type]  # normalised


def test_what_is_chosen(tmp_path: Path) -> None:
    """Required ones are always needed, extras where they are asked for, by any spelling, and groups with what they
    include; `dev` unasked.
    """
    found = external(tmp_path, TABLE.replace("docs-", "docs").replace("Docs_", "Docs"))
    always = [
        "build dep:virtual/compiler/c",
        "build dep:generic/ninja",
        "host dep:generic/zlib",
        "run dep:generic/git",
    ]
    dev = ["run dep:generic/graphviz", "run dep:generic/pandoc"]
    assert chosen(found, [], None) == always + dev
    assert chosen(found, [], []) == always
    assert chosen(found, [], ["docs"]) == [*always, "run dep:generic/pandoc"]
    assert chosen(found, ["fast-io", "other"], []) == [*always, "host dep:generic/lz4", "run dep:generic/ffmpeg"]
    assert found.diagnostics == ()


@pytest.mark.parametrize(
    ("setting", "groups"), [("[]", set()), ('["docs"]', {"docs"}), ('"all"', {"dev", "docs"}), ("3", set())]
)
def test_uvs_default_groups_are_the_default(tmp_path: Path, setting: str, groups: set[str]) -> None:
    """What [tool.uv] says of groups that are installed unasked holds here too."""
    text = TABLE.replace("docs-", "docs").replace("Docs_", "Docs") + f"[tool.uv]\ndefault-groups = {setting}\n"
    assert external(tmp_path, text).default_groups == groups


def test_older_drafts_are_read_and_told(tmp_path: Path) -> None:
    """Keys and schemes of older drafts mean what they became, and each is told with today's spelling."""
    found = external(
        tmp_path,
        '[external]\nbuild-host-requires = ["pkg:generic/zlib@1.3"]\nbuild-requires = ["virtual:compiler/c"]\n',
    )
    assert chosen(found, [], None) == ["build dep:virtual/compiler/c", "host dep:generic/zlib@1.3"]
    assert {problem.code for problem in found.diagnostics} == {"NIX602"}
    told = " ".join(problem.message for problem in found.diagnostics)
    assert "called `host-requires`" in told
    assert "is now written dep:generic/zlib@1.3" in told
    assert "is now written dep:virtual/compiler/c" in told


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("external = 3\n", 1, "must be a table"),
        ('[external]\n# no\nbuild-require = ["dep:generic/git"]\n', 3, "is not a key of PEP 725"),
        ('[external]\ndependencies = "dep:generic/git"\n', 2, "must be a list of strings"),
        ("[external]\ndependencies = [3]\n", 2, "must be a list of strings"),
        ('[external]\ndependencies = [\n  "dep:generic/git",\n  "git",\n]\n', 4, "`git` is not an external dependency"),
        ('[external]\noptional-dependencies = ["dep:generic/git"]\n', 2, "must be a table of lists"),
        ('[external.optional-dependencies]\nx = "dep:generic/git"\n', 2, "must be a list of strings"),
        ('[external.optional-dependencies]\nX = []\nx = ["dep:generic/git"]\n', 3, "`x` occurs twice"),
        ("[external]\nhost-requires = []\nbuild-host-requires = []\n", 3, "are two names of one key"),
        ('[external.dependency-groups]\ndev = "x"\n', 2, "must be a list"),
        ("[external.dependency-groups]\ndev = [3]\n", 2, "neither a dependency nor a group"),
        ('[external.dependency-groups]\ndev = [{ include = "x" }]\n', 2, "neither a dependency nor a group"),
        ('[external.dependency-groups]\ndev = [{ include-group = "x" }]\n', 2, "no group `x`"),
        ('[external.dependency-groups]\na = [{ include-group = "b" }]\nb = [{ include-group = "a" }]\n', 2, "itself"),
    ],
)
def test_a_mistake_is_told(tmp_path: Path, text: str, line: int, message: str) -> None:
    """Each is one error that names the file, the line and what to do."""
    with pytest.raises(NixpyError) as caught:
        external(tmp_path, text)
    assert message in caught.value.message
    assert (caught.value.path, caught.value.line) == (tmp_path / "pyproject.toml", line)
    assert caught.value.hint or "must be a list" in message


@pytest.mark.parametrize(("key", "meant"), [("run-requires", "dependencies"), ("host-require", "host-requires")])
@pytest.mark.parametrize("prefix", ["", "optional-"])
def test_a_wrong_key_is_told_with_the_one_that_is_meant(tmp_path: Path, prefix: str, key: str, meant: str) -> None:
    """Of a key that PEP 725 does not have the hint names that of the same use, not of the same look."""
    with pytest.raises(NixpyError) as caught:
        external(tmp_path, f"[external]\n{prefix}{key} = []\n")
    assert caught.value.hint == f"Did you mean `{prefix}{meant}`?"


def test_a_mistake_ends_every_command(tmp_path: Path, nixpy: Nixpy) -> None:
    """init, sync and check exit with 2 and write nothing."""
    project = shop.project(tmp_path / "one", "gamma", extra='[external]\ndependencies = ["git"]\n')
    before = {path: path.read_bytes() for path in project.iterdir()}
    for command in ("init", "sync", "check", "scan"):
        done = nixpy(command, project)
        assert done.status == 2
        assert f"{project}/pyproject.toml:10: `git` is not an external dependency" in done.err
    assert {path: path.read_bytes() for path in project.iterdir()} == before
