"""Sources of packages are read by `init`, once, and never by `check`; what they open is supplied."""

from __future__ import annotations

from pathlib import Path

import pytest

import shop
from nixpy.needs.sources import read
from runner import Nixpy
from smallindex import SmallIndex, build_sdist, build_wheel

pytestmark = pytest.mark.slow  # each test runs uv or several commands


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The first source of each package that nixpy reads."""
    names: list[str] = []
    own = read.read_sources

    def read_sources(sources: dict[str, bytes], *rest: object) -> object:
        names.append(min(sources, default=""))
        return own(sources, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr("nixpy.wheels.python_files.read_sources", read_sources)
    monkeypatch.setattr("nixpy.analysis.sdists.read_sources", read_sources)
    return names


def test_sources_are_read_once(tmp_path: Path, nixpy: Nixpy, monkeypatch: pytest.MonkeyPatch, asked: list[str]) -> None:
    """A wheel and an sdist that open libraries by name need them, and no command but the first reads their sources."""
    source = "import ctypes\n\nctypes.CDLL('{}')\n"
    folder = tmp_path / "wheels"
    build_wheel(folder, "turbo", "1.0", files={"turbo.py": source.format("libturbojpeg.so.0")})
    info = b"Metadata-Version: 2.2\nName: opuslib\nVersion: 1.0\n"
    files = {"opuslib-1.0/PKG-INFO": info, "opuslib-1.0/opuslib/__init__.py": source.format("libopus.so.0").encode()}
    build_sdist(folder, "opuslib", "1.0", files=files)
    with SmallIndex(folder) as index:
        monkeypatch.setenv("UV_DEFAULT_INDEX", index.url)
        project = shop.project(tmp_path / "demo", "turbo", "opuslib")
        shown = nixpy("init", project, "--style", "nix-ld", "--system", "x86_64-linux")
        assert shown.status == 0, shown.err
        assert "It opens libopus.so.0 at run time." in shown.out + shown.err
        assert sorted(asked) == ["opuslib-1.0/opuslib/__init__.py", "turbo.py"]
        text = (project / "nixpy.nix").read_text()
        assert "libjpeg" in text
        assert "libopus" in text
        asked.clear()
        requests = len(index.requests)
        assert nixpy("check", project).status == 0
        assert len(index.requests) == requests
    assert nixpy("sync", project, "--offline").status == 0
    assert asked == []
