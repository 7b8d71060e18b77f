"""A file of `nixpy package`, built by real Nix and imported where there is no /lib."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from nixos.box.sandbox import Box
from nixos.box.store import build
from nixos.realnix import CURRENT, NixError
from smallindex import SmallIndex, build_wheel

pytestmark = pytest.mark.box


def test_a_package_is_built_and_imported(box: Box, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wheel of pure Python, rendered by its hash, is built and imported from `withPackages`; its imports are checked
    when it is built, so that a module it lacks fails the build.
    """
    wheel = build_wheel(tmp_path / "stock", "tiny", "1.0", files={"tiny/__init__.py": "ANSWER = 42\n"})
    file = tmp_path / "tiny.nix"
    with SmallIndex(wheel.parent) as index:
        monkeypatch.setenv("UV_DEFAULT_INDEX", index.url)
        monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
        command = [sys.executable, "-m", "nixpy", "package", "tiny", "-o", str(file)]
        subprocess.run(command, check=True, cwd=tmp_path, capture_output=True)
    # What fetchPypi would download: by name and hash the store knows that it has it.
    CURRENT.run("nix-store", "--add-fixed", "sha256", wheel)
    expression = """(let python = pkgs.python313.override {{
        self = python;
        packageOverrides = final: previous: {{ tiny = final.callPackage {} {{ }}; }};
      }}; in python.withPackages (ps: [ ps.tiny ]))"""
    env = build(expression.format(file))
    assert box.run(f"{env}/bin/python", "-c", "import tiny; print(tiny.ANSWER)").stdout.split() == ["42"]
    text = file.read_text()
    assert 'pythonImportsCheck = [ "tiny" ];' in text
    file.write_text(text.replace('[ "tiny" ]', '[ "absent" ]'))
    with pytest.raises(NixError, match="No module named 'absent'"):
        build(expression.format(file))
