"""Every reader reads every kept input, and changed ones, with no exception but NixpyError and with bounded means.

`make fuzz` finds inputs; those that it found before are kept in `corpus` and read here, without any randomness.
"""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path
from typing import cast

import pytest

from fuzz import figures, readers, replay
from nixpy.core.errors import NixpyError
from nixpy.locks import formats

TESTS = Path(__file__).parents[1]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::SyntaxWarning", "ignore::DeprecationWarning")  # of a setup.py, by Python itself
@pytest.mark.parametrize("name", readers.READERS)
def test_a_reader_survives(name: str) -> None:
    """Kept inputs and changed ones are read or refused with a NixpyError, each in bounded time."""
    assert list(replay.faults(name, (path.read_bytes() for path in replay.kept(name)))) == []
    assert list(replay.faults(name, replay.changed(name))) == []


@pytest.mark.parametrize("name", readers.READERS)
def test_a_reader_accepts_one_of_its_inputs(name: str) -> None:
    """A harness that refused everything would find nothing."""
    with readers.folder_of(readers.READERS[name]) as folder:
        assert any(_is_accepted(name, path.read_bytes(), folder) for path in replay.kept(name))


def _is_accepted(name: str, data: bytes, folder: Path) -> bool:
    try:
        readers.READERS[name].read(data, folder)
    except readers.ALLOWED:
        return False
    return True


def test_the_kept_inputs_are_those_of_the_readers() -> None:
    """Each reader has a folder, also that of a lock format that is new, and no folder is without a reader."""
    assert {one.name for one in formats.FORMATS} <= readers.READERS.keys()
    assert {path.name for path in replay.CORPUS.iterdir()} == {*readers.READERS}


def test_the_figures_have_a_row_for_each_reader() -> None:
    """The page in docs/ shows every reader, with the runs that it had."""
    with figures.FIGURES.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["reader"] for row in rows] == list(readers.READERS)
    assert all(row["left"] == "0" for row in rows)


def test_figures_are_sums() -> None:
    """A reader that never ran has none; places that were found twice count once."""
    common = {"date": "2026-01-01", "python": "3.13.1", "atheris": "3.0.0", "nixpy": "0.1.0"}
    one = {"reader": "elf", "runs": "5", "seconds": "1", "found": "A in b; C in d", "megabytes": "60", **common}
    rows = {row["reader"]: row for row in figures.figures([one, {**one, "found": "A in b", "megabytes": "70"}])}
    assert rows.keys() == readers.READERS.keys()
    shown = ("runs", "seconds", "found", "megabytes", "date")
    assert [rows["elf"][column] for column in shown] == [10, 2, 2, 70, "2026-01-01"]
    assert [rows["wheel"][column] for column in shown] == [0, 0, 0, 0, ""]


def test_faults_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception of another kind and an input that takes too long are faults; an error of nixpy is none."""

    def read(data: bytes, folder: Path) -> None:
        if data == b"refused":
            raise NixpyError("no")
        if data == b"wrong":
            raise KeyError(data)

    monkeypatch.setitem(cast("dict[str, readers.Reader]", readers.READERS), "toy", readers.Reader(read=read))
    (fault,) = replay.faults("toy", iter((b"", b"refused", b"wrong")))
    assert fault.startswith("KeyError in ")
    monkeypatch.setattr(replay, "SECONDS", -1.0)
    assert len(list(replay.faults("toy", iter((b"", b"refused"))))) == 2


def test_the_kept_inputs_are_small() -> None:
    """They are read with every run of the tests."""
    sizes = [path.stat().st_size for path in replay.CORPUS.rglob("*") if path.is_file()]
    assert max(sizes) <= 16 << 10
    assert sum(sizes) <= 1500 << 10


def test_memory_stays_bounded() -> None:
    """All kept inputs are read, one after the other, by a process that may take 1 GiB at most."""
    environ = {**os.environ, "PYTHONPATH": f"{TESTS}{os.pathsep}{TESTS / 'helpers'}"}
    done = subprocess.run(
        (sys.executable, "-m", "fuzz.replay"), env=environ, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert int(done.stdout) < 256  # MB
