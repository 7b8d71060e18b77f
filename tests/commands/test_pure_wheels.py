"""Pure Python wheels that nixpy.lock does not list: `check` says if the lock has others than those that nixpy read."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from runner import Nixpy
from smallindex import build_wheel

OPENS = {"sound.py": 'import ctypes\nctypes.CDLL("libasound.so.2")\n'}
PLAIN = {"plain.py": "x = 1\n"}
LINUX = ("--system", "x86_64-linux")


def lock(project: Path, *wheels: Path) -> None:
    """Write a pylock.toml that installs these wheels."""
    text = 'lock-version = "1.0"\nrequires-python = ">=3.11"\ncreated-by = "test"\n'
    for wheel in wheels:
        name, version, *_ = wheel.name.split("-")
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        text += f'\n[[packages]]\nname = "{name}"\nversion = "{version}"\n'
        text += f'wheels = [{{ path = "wheels/{wheel.name}", hashes.sha256 = "{digest}" }}]\n'
    (project / "pylock.toml").write_text(text)


def test_a_new_pure_wheel_may_open_a_library(tmp_path: Path, nixpy: Nixpy) -> None:
    """A package that nixpy has not read makes the files out of date; `sync` reads it."""
    folder = tmp_path / "wheels"
    plain, other = build_wheel(folder, "plain", "1.0", files=PLAIN), build_wheel(folder, "sound", "1.0", files=OPENS)
    lock(tmp_path, plain)
    assert nixpy("init", tmp_path, *LINUX).status == 0
    assert json.loads((tmp_path / "nixpy.lock").read_text())["pure"] == ["plain 1.0"]
    assert nixpy("check", tmp_path).status == 0
    lock(tmp_path, plain, other)
    ran = nixpy("check", tmp_path)
    assert ran.status == 1
    assert "pylock.toml installs sound 1.0, which nixpy has not analysed" in ran.out
    assert nixpy("sync", tmp_path).status == 0
    assert '"libasound.so.2" = pkgs.alsa-lib; # opened by sound, sound.py' in (tmp_path / "nixpy.nix").read_text()
    assert nixpy("check", tmp_path).status == 0


def test_another_version_of_a_pure_wheel_is_noted(tmp_path: Path, nixpy: Nixpy) -> None:
    """The files stay up to date, with a note that ends with the next `sync`."""
    folder = tmp_path / "wheels"
    lock(tmp_path, build_wheel(folder, "plain", "1.0", files=PLAIN))
    assert nixpy("init", tmp_path, *LINUX).status == 0
    lock(tmp_path, build_wheel(folder, "plain", "1.1", files=PLAIN))
    ran = nixpy("check", tmp_path, "-v")
    assert ran.status == 0
    assert "NIX232" in ran.out + ran.err
    assert "than the lock installs now: plain 1.1" in " ".join((ran.out + ran.err).split())
    assert nixpy("sync", tmp_path).status == 0
    assert "NIX232" not in nixpy("check", tmp_path, "-v").out
