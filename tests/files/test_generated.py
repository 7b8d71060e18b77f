"""The one function that writes or compares, and the states of generated files."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

import othernixpy
from nixpy.core.errors import NixpyError
from nixpy.files.reconcile import OutputFile, State, own_state, parts, reconcile
from nixpy.files.render import nix_file

FACTS = {
    "style": "loader",
    "interpreter": {"nix": "pkgs.python313"},
    "sonames": {
        "parts": [{"when": "isLinux", "value": {"libz.so.1": {"nix": "pkgs.zlib", "comment": "pillow, scipy"}}}]
    },
    "shell": {"hook": "echo hello\n"},
    "digest": "0" * 64,
}


class Memory:
    """One file that is in memory, as own_state reads it: 60,000 variants are too many for a disk."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._path = Path("nixpy.nix")
        self._held: dict[Path, bytes] = {}
        monkeypatch.setattr("nixpy.files.reconcile.read_bytes", lambda asked: self._held[asked])

    def state(self, text: bytes | str) -> State | None:
        """Return in which state a generated Nix file with this text is."""
        self._held[self._path] = text if isinstance(text, bytes) else text.encode()
        return own_state(self._path)


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> Memory:
    return Memory(monkeypatch)


@pytest.mark.parametrize("library", ["vendored", "input"])
def test_no_byte_of_a_rendered_file_changes_unseen(library: str, memory: Memory) -> None:
    """Whichever byte is changed, dropped or doubled, the file counts as edited: never as fresh, foreign or newer."""
    text = nix_file(FACTS, library).encode()
    assert memory.state(text) is None
    for at in range(len(text)):
        for changed in (bytes([text[at] ^ 1]), b"", text[at : at + 1] * 2):
            assert memory.state(text[:at] + changed + text[at + 1 :]) is State.EDITED, (at, changed)


@pytest.mark.parametrize("library", ["vendored", "input"])
def test_no_line_of_a_rendered_file_moves_unseen(library: str, memory: Memory) -> None:
    """Wherever a line of the header goes, and whichever two neighbours change places, the file counts as edited."""
    lines = nix_file(FACTS, library).splitlines(keepends=True)
    swapped = [[*lines[:at], lines[at + 1], lines[at], *lines[at + 2 :]] for at in range(len(lines) - 1)]
    header = [at for at, line in enumerate(lines) if line.startswith("# ")]
    assert len(header) == (3 if library == "vendored" else 2)
    for at in header:
        rest = [*lines[:at], *lines[at + 1 :]]
        swapped += [[*rest[:to], lines[at], *rest[to:]] for to in range(len(lines))]
    for moved in swapped:
        assert memory.state("".join(moved)) is (None if moved == lines else State.EDITED)


def test_each_part_has_its_own_checksum() -> None:
    """The checksum of the facts stays where only the library differs, and that of the library where only facts do."""
    text, other = (nix_file({**FACTS, "digest": digit * 64}, "vendored") for digit in "01")
    facts, library, named = parts(text)
    assert named == hashlib.sha256(library.encode()).hexdigest()
    assert facts + library == text.replace(f"# Text of the library below: sha256 {named}\n", "")
    assert parts(other)[0] != facts
    assert parts(other)[1:] == (library, named)
    assert parts(othernixpy.older_library(text))[0] == facts
    alone = nix_file(FACTS, "input")
    assert parts(alone) == (alone, "", None)


def test_the_first_format_is_known(memory: Memory) -> None:
    """A file of the first format, whose one checksum covers everything, is unedited unless a byte of it changed."""
    text = othernixpy.first_format(nix_file(FACTS, "vendored"))
    assert "# nixpy format 1, " in text
    assert memory.state(text) is None
    data = text.encode()
    for at in range(0, len(data), 7):
        assert memory.state(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]) is State.EDITED, at


def test_files_of_other_nixpys(tmp_path: Path) -> None:
    """An unedited file with the same facts is older by its library alone; other facts, another library mode and the
    first format are stale, and a newer format is newer.
    """
    path = tmp_path / "nixpy.nix"
    text = nix_file(FACTS, "vendored")
    other_facts = nix_file({**FACTS, "style": "fhs"}, "vendored")
    states = {
        text: State.FRESH,
        othernixpy.older_library(text): State.OLDER,
        othernixpy.older_library(other_facts): State.STALE,
        othernixpy.first_format(text): State.STALE,
        nix_file(FACTS, "input"): State.STALE,
        othernixpy.newer_format(text): State.NEWER,
        othernixpy.newer_format(nix_file(FACTS, "input")): State.NEWER,
        othernixpy.older_library(text).replace("another nixpy has", "somebody wrote"): State.EDITED,
    }
    output = OutputFile(path=path, text=text)
    for found, state in states.items():
        path.write_text(found)
        (comparison,) = reconcile([output], write=False)
        assert comparison.state is state
        if state in (State.EDITED, State.NEWER):
            with pytest.raises(NixpyError):
                reconcile([output], write=True)
            assert path.read_text() == found
        else:
            reconcile([output], write=True)
            assert path.read_text() == text


def test_all_files_or_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the last of several files cannot be put in its place, those before it are as they were."""
    (tmp_path / "a").write_text("old a")
    outputs = [OutputFile(path=tmp_path / name, text=f"new {name}", generated=False) for name in "abc"]
    replace = Path.replace

    def failing(self: Path, target: Path) -> Path:
        if Path(target).name == "c":
            raise OSError(28, "No space left on device")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", failing)
    with pytest.raises(NixpyError, match="No space left") as caught:
        reconcile(outputs, write=True)
    assert caught.value.path == tmp_path / "c"
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a": "old a"}


def test_an_interrupt_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C between two files puts the first one back and removes what was staged."""

    def interrupted(self: Path, target: Path) -> Path:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        reconcile([OutputFile(path=tmp_path / "a", text="new", generated=False)], write=True)
    assert list(tmp_path.iterdir()) == []


def test_modes_and_links_stay(tmp_path: Path) -> None:
    """A file keeps its mode, a new one gets the usual one, and a link still points where it did."""
    real, link, new = tmp_path / "real", tmp_path / "link", tmp_path / "new"
    real.write_text("old")
    real.chmod(0o640)
    link.symlink_to("real")
    mask = os.umask(0o027)
    try:
        reconcile([OutputFile(path=path, text="new", generated=False) for path in (link, new)], write=True)
    finally:
        os.umask(mask)
    assert link.is_symlink()
    assert (real.read_text(), real.stat().st_mode & 0o777) == ("new", 0o640)
    assert new.stat().st_mode & 0o777 == 0o640


def test_what_is_equal_is_not_written(tmp_path: Path) -> None:
    """A file whose bytes are right is left alone, time stamp and all."""
    path = tmp_path / "file"
    path.write_text("same")
    os.utime(path, (1, 1))
    (comparison,) = reconcile([OutputFile(path=path, text="same")], write=True)
    assert comparison.state is State.FRESH
    assert path.stat().st_mtime == 1


def test_a_file_that_is_no_text_is_foreign(tmp_path: Path) -> None:
    """Bytes that are not UTF-8 are not nixpy's and are not overwritten."""
    path = tmp_path / "nixpy.nix"
    path.write_bytes(b"\xff\xfe@generated by nixpy")
    assert own_state(path) is State.FOREIGN
    with pytest.raises(NixpyError, match="not written by nixpy"):
        reconcile([OutputFile(path=path, text="x")], write=True)


def test_header_with_an_absurd_number(tmp_path: Path) -> None:
    """A format with 5,000 digits is no format of nixpy, even with a right digest."""
    path = tmp_path / "nixpy.nix"
    head = f"# nixpy format {'9' * 5_000}, sha256 "
    path.write_text(f"{head}{hashlib.sha256(f'{head}{chr(10)}'.encode()).hexdigest()}\n")
    assert own_state(path) is State.FOREIGN
