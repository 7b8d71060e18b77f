"""The public address of nixpy is in one file, and all texts agree with it."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from nixos.repository import copy_repository
from nixpy.commands import new
from nixpy.core import address, templates

TOP = Path(__file__).parents[2]
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def command() -> ModuleType:
    """Return the maintainer's command as a module."""
    spec = importlib.util.spec_from_file_location("nixpy_address", TOP / "docs/address.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


ADDRESS = command()


def test_all_texts_agree_with_the_address() -> None:
    """`make address` would change nothing, and no line is left to edit by hand."""
    assert ADDRESS.changes(TOP, {"repository": "", "commit": ""}) == {}
    assert [*ADDRESS.by_hand(TOP)] == []


def test_each_row_is_in_its_file() -> None:
    """Each file of the table has the text of its row: the one without an address, or the one with it."""
    spelled = ADDRESS.forms(json.loads((TOP / ADDRESS.FILE).read_text()))
    for row in ADDRESS.rows():
        expected = row["published"].format(**spelled) if address.repository() else row["clone"]
        assert expected in (TOP / row["file"]).read_text(), row


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this repository in git, without an address."""
    folder = tmp_path_factory.mktemp("published") / "nixpy"
    copy_repository(folder)
    if address.repository():
        pytest.skip("nixpy has an address already")
    for arguments in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message=all"]):
        run(folder, "git", "-c", "user.name=me", "-c", "user.email=me@example.org", *arguments)
    return folder


def run(folder: Path, *arguments: str) -> tuple[int, str]:
    """Run a command in a copy, with the package of the copy."""
    environment = {**os.environ, "PYTHONPATH": str(folder / "scaffold"), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(arguments, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def publish(folder: Path, repository: str) -> str:
    """Set an address, and return what `make address` prints."""
    (folder / ADDRESS.FILE).write_text(json.dumps({"repository": repository, "commit": COMMIT}))
    return run(folder, sys.executable, "docs/address.py")[1]


@pytest.mark.slow
def test_an_address_reaches_all_places(copies: Path) -> None:
    """After `make address`, no command uses the clone, each row has the address, and the command has nothing left to
    do; lines for a person to edit are printed. The links of the pages hold, and the tests of this file that compare.
    """
    printed = publish(copies, "https://github.com/example/nixpy")
    assert "wrote README.md" in printed
    readme = (copies / "README.md").read_text()
    assert "nix profile install github:example/nixpy" in readme
    assert "uv tool install git+https://github.com/example/nixpy" in readme
    assert f"uses: example/nixpy@{COMMIT}" in (copies / "templates/ci/github-check.yml").read_text()
    for name, text in ADDRESS.texts(copies).items():
        assert not ADDRESS.COMMAND.search(text), name
        assert "no public" not in text, name
    left = [*ADDRESS.by_hand(copies)]
    assert all(f"edit by hand: {line}" in printed for line in left)
    assert ADDRESS.changes(copies, {"repository": "", "commit": ""}) == {}
    for line in left:  # a person edits these
        name, _, text = line.split(":", 2)
        (copies / name).write_text((copies / name).read_text().replace(text[1:], ""))
    status, output = run(
        copies, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist",
        "tests/docs/test_site.py::test_links_lead_somewhere",
        "tests/repository/test_address.py::test_all_texts_agree_with_the_address",
        "tests/repository/test_address.py::test_each_row_is_in_its_file",
    )  # fmt: skip
    assert status == 0, output


@pytest.mark.slow
def test_a_new_address_replaces_the_old_one(copies: Path) -> None:
    """After a move, the texts name the new repository and commit, and not the old ones."""
    old = {"repository": "https://github.com/example/nixpy", "commit": COMMIT}
    text = f"`nix run {ADDRESS.forms(old)['flake']}`, `{old['repository']}`, uses: example/nixpy@{COMMIT}"
    new_one = {"repository": "https://git.example/nixpy2", "commit": "f" * 40}
    assert ADDRESS.written("x", text, new_one, old) == (
        f"`nix run git+https://git.example/nixpy2`, `https://git.example/nixpy2`, uses: ./.nixpy@{'f' * 40}"
    )


def test_without_an_address_nothing_is_written() -> None:
    """The empty address leaves every text as it is."""
    none = {"repository": "", "commit": ""}
    assert ADDRESS.written("README.md", "uv tool install ~/nixpy", none, none) == "uv tool install ~/nixpy"


def test_programs_take_it_from_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """`nixpy new` of a nixpy from an index or from Nix names the public repository; hints name its flake."""
    found = {"repository": "https://github.com/example/nixpy", "commit": COMMIT}
    monkeypatch.setattr(templates, "data", lambda name: found if name == "address.json" else {})
    assert address.flake() == "github:example/nixpy"

    class Installed:
        """A distribution from an index."""

        def read_text(self, _: str) -> None:
            """Return no direct_url.json."""

    monkeypatch.setattr(new, "distribution", lambda _: Installed())
    assert new._source() == {"_src_path": "git+https://github.com/example/nixpy", "_commit": COMMIT}
    found["repository"] = ""
    assert (address.flake(), new._source()) == (address.CLONE, {})
