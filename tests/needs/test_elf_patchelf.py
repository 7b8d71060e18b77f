"""Programs and libraries that patchelf rewrites; `make patchelf` tries every release of it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from corpus.patchelf import KINDS, build, compare, differences


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A file of each kind, made by gcc."""
    return build(tmp_path_factory.mktemp("files"))


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_rewritten_files(files: dict[str, Path], kind: str, tmp_path: Path) -> None:
    """After each step, nixpy, readelf and patchelf itself read the same."""
    assert list(differences(Path(str(shutil.which("patchelf"))), kind, files[kind], tmp_path)) == []


@pytest.mark.slow
def test_a_difference_is_shown(files: dict[str, Path], tmp_path: Path) -> None:
    """The comparison can fail: a file with a damaged name is reported."""
    damaged = tmp_path / "damaged"
    damaged.write_bytes(files["library"].read_bytes().replace(b"\0libz.so.1\0", b"\0libz.so.\n\0"))
    (line,) = compare(Path(str(shutil.which("patchelf"))), damaged)
    assert line.startswith("nixpy None, readelf ")
