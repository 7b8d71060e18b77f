"""On a terminal nixpy asks before a package is built, and builds only the packages that the user allows."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hostile import hostile_sdist
from runner import Nixpy
from smallindex import SmallIndex
from terminal import Terminal

pytestmark = pytest.mark.slow  # each command runs uv several times

RUN = [sys.executable, "-m", "nixpy"]
ASKED, EVIL = (rf"Build {name} to learn its requirements\? This runs its code\. \[y/N\]" for name in ("asked", "evil"))


@pytest.fixture
def ran(tmp_path: Path, nixpy: Nixpy, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Path, Path]]:
    """The files that the builds of `asked` and of `evil` make. The build of `asked` shows that it requires `evil`."""
    asked, evil = tmp_path / "asked-ran", tmp_path / "evil-ran"
    hostile_sdist(tmp_path / "served", asked, "asked", requires="evil")
    hostile_sdist(tmp_path / "served", evil, "evil")
    assert nixpy
    with SmallIndex(tmp_path / "served") as index:
        monkeypatch.setenv("UV_DEFAULT_INDEX", index.url)
        monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))  # uv remembers what a build said
        monkeypatch.delenv("CI", raising=False)
        (tmp_path / "project").mkdir()
        (tmp_path / "project/requirements.txt").write_text("asked\n")
        yield asked, evil


@pytest.mark.parametrize("command", [["init", "--style", "loader"], ["scan", "requirements.txt"]], ids=" ".join)
def test_yes_holds_for_one_package(command: list[str], tmp_path: Path, ran: tuple[Path, Path]) -> None:
    """After yes for one package and no for another, the first was built, the other was not; nothing is written."""
    asked, evil = ran
    with Terminal([*RUN, *command, "--python", "3.13"], cwd=tmp_path / "project", columns=200) as terminal:
        terminal.wait_for(ASKED)
        assert not asked.exists()
        terminal.press("y\n")
        terminal.wait_for(EVIL)
        assert asked.exists()
        terminal.press("\n")
        assert terminal.ended() == 2
    assert "error[NIX708]: evil 1.0 has no wheel" in terminal.plain
    assert "--allow-build-of evil" in terminal.plain
    assert not evil.exists()
    assert [path.name for path in (tmp_path / "project").iterdir()] == ["requirements.txt"]


def test_yes_for_each(tmp_path: Path, ran: tuple[Path, Path]) -> None:
    """After yes for each package, the command goes on."""
    with Terminal([*RUN, "scan", "requirements.txt"], cwd=tmp_path / "project", columns=200) as terminal:
        for question in (ASKED, EVIL):
            terminal.wait_for(question)
            terminal.press("y\n")
        assert terminal.ended() == 0, terminal.plain
    assert all(path.exists() for path in ran)


@pytest.mark.parametrize("option", ["--format=json", "--quiet", "CI"])
def test_no_question(option: str, tmp_path: Path, ran: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """In CI, in JSON and with `--quiet` the error comes at once."""
    options = [option]
    if option == "CI":
        monkeypatch.setenv("CI", "true")
        options = []
    with Terminal([*RUN, "scan", "requirements.txt", *options], cwd=tmp_path / "project", columns=200) as terminal:
        assert terminal.ended() == 2
    assert "Build asked" not in terminal.plain
    assert "asked 1.0 has no wheel" in terminal.plain
    assert not any(path.exists() for path in ran)


def test_the_option_names_packages(tmp_path: Path, ran: tuple[Path, Path], nixpy: Nixpy) -> None:
    """`--allow-build-of` allows one package; repeated, it allows several. Without a terminal, there is no question."""
    asked, evil = ran
    one = nixpy("scan", "requirements.txt", "--allow-build-of", "Asked", cwd=tmp_path / "project")
    assert one.status == 2
    assert "evil 1.0 has no wheel" in one.err
    assert asked.exists()
    assert not evil.exists()
    both = ["--allow-build-of", "asked", "--allow-build-of=evil"]
    assert nixpy("scan", "requirements.txt", *both, cwd=tmp_path / "project").status == 0
    assert evil.exists()
