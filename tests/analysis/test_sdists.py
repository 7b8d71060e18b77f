"""What the sdist of a package without a wheel shows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from nixpy.analysis import sdists
from nixpy.analysis.analysis_options import AnalysisOptions
from nixpy.analysis.nixpylock import wheel_needs
from nixpy.analysis.sdists import with_sdist_facts
from nixpy.core import limits
from nixpy.core.target import Target
from nixpy.external.builds import unavailable_diagnostics
from nixpy.locks.model import SdistFacts, Unavailable, WheelFile
from smallindex import build_sdist

INFO = b"Metadata-Version: 2.2\nName: sodium\nVersion: 1.0\n"
SOURCE = b"import ctypes\nimport sys\n\nif sys.platform == 'linux':\n    ctypes.CDLL('libsodium.so.23')\n"
LINUX, MAC = "x86_64-linux", "aarch64-darwin"
TARGETS = [Target(system=system, python="3.13.1", glibc=(2, 42)) for system in (LINUX, MAC)]


def sdist(folder: Path, source: bytes = SOURCE, kind: str = "tar.gz") -> Path:
    """Build an sdist whose package, test and setup.py open libraries."""
    files = {
        "PKG-INFO": INFO,
        "setup.py": b"import ctypes\nctypes.CDLL('libsetup.so.1')\n",
        "src/sodium/__init__.py": source,
        "tests/test_sodium.py": b"import ctypes\nctypes.CDLL('libtest.so.1')\n",
    }
    contents = {f"sodium-1.0/{path}": data for path, data in files.items()}
    return build_sdist(folder, "sodium", "1.0", files=contents, kind=kind)


def packages(path: Path) -> list[Unavailable]:
    file = WheelFile(filename=path.name, path=path)
    return [
        Unavailable(system=system, name=canonicalize_name("sodium"), version="1.0", sdist=True, sdist_file=file)
        for system in (LINUX, MAC)
    ]


@pytest.mark.parametrize("kind", ["tar.gz", "zip"])
def test_sources_of_an_sdist_are_read(tmp_path: Path, kind: str) -> None:
    """The libraries that the package opens are its needs on these systems; setup.py and tests are no part of it."""
    found = with_sdist_facts(packages(sdist(tmp_path, kind=kind)), TARGETS, AnalysisOptions(root=tmp_path))
    assert found[0].sdist_facts == found[1].sdist_facts
    facts = found[0].sdist_facts
    assert facts is not None
    assert facts.opens is not None
    (opened,) = facts.opens
    assert (opened.names, opened.path, opened.line) == (("libsodium.so.23",), "sodium-1.0/src/sodium/__init__.py", 5)
    ((system, needs),) = [(item.system, item.needs) for item in wheel_needs((), found)]
    assert (system, [one.names for one in needs.opens]) == (LINUX, [("libsodium.so.23",)])
    (diagnostic,) = unavailable_diagnostics(found[:1], "3.13")
    assert diagnostic.hint == "It is pure Python; the installer builds it. It opens libsodium.so.23 at run time."
    (diagnostic,) = unavailable_diagnostics(found[:1], "3.13", "loader")
    assert (diagnostic.hint or "").startswith("It is pure Python; the installer builds it.")
    (diagnostic,) = unavailable_diagnostics(found[:1], "3.13", "uv2nix")
    assert (diagnostic.hint or "").startswith("It is pure Python; Nix builds it.")


def test_facts_without_opens_are_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An earlier nixpy did not read sources: its facts hold only if the sdist cannot be read, and say so."""
    path = sdist(tmp_path)
    before = [replace(item, sdist_facts=SdistFacts(build=(), compiled=False)) for item in packages(path)]
    options = AnalysisOptions(root=tmp_path, known_unavailable=tuple(before))
    found = with_sdist_facts(packages(path), TARGETS, options)
    assert all(item.sdist_facts and item.sdist_facts.opens for item in found)
    path.write_bytes(b"")
    found = with_sdist_facts(packages(path), TARGETS, options)
    assert [item.sdist_facts for item in found] == [item.sdist_facts for item in before]
    (diagnostic,) = unavailable_diagnostics(found[:1], "3.13")
    assert "nixpy has not read which libraries it opens" in str(diagnostic.hint)
    monkeypatch.setattr(sdists, "_read", None)
    read = [replace(item, sdist_facts=SdistFacts(build=(), compiled=False, opens=())) for item in packages(path)]
    options = AnalysisOptions(root=tmp_path, known_unavailable=tuple(read))
    assert with_sdist_facts(packages(path), TARGETS, options) == tuple(read)


def test_large_sources_of_an_sdist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sources past the limits are not held in memory."""
    monkeypatch.setattr(limits, "SOURCE", len(SOURCE))
    (found, _) = with_sdist_facts(packages(sdist(tmp_path)), TARGETS, AnalysisOptions(root=tmp_path))
    assert found.sdist_facts
    assert found.sdist_facts.opens
    for name in ("SOURCE", "SOURCES"):
        with monkeypatch.context() as patched:
            patched.setattr(limits, name, len(SOURCE) - 1)
            (found, _) = with_sdist_facts(packages(sdist(tmp_path)), TARGETS, AnalysisOptions(root=tmp_path))
        assert found.sdist_facts
        assert not found.sdist_facts.opens
