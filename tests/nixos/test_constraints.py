"""The constraints that the shell gives to the installer of a project without a lock, made by real Nix."""

from __future__ import annotations

import json
from pathlib import Path

from nixos.realnix import CURRENT, HERE, SYSTEMS, stand_in
from runner import Nixpy
from smallindex import SmallIndex

LIBRARY = HERE.parents[1] / "templates/nix"


def constraints(lock: Path, system: str) -> set[str]:
    """Return the lines of the file for one system."""
    text = CURRENT.eval_json(f"""
        let
          pkgs = import {stand_in("26.05")} {{ system = {json.dumps(system)}; }};
          library = (import {LIBRARY}).functions {{ inherit pkgs; }};
        in
        library."manager/constraints" {lock}""")
    return set(str(text).splitlines())


def test_each_system_gets_its_own_versions(tmp_path: Path, index: SmallIndex, nixpy: Nixpy) -> None:
    """The file has the version of every package for that system, those without a wheel and pure Python ones included,
    and no version of another system. A folder has no version, nor has a package without a file for the system. A system
    that nixpy.lock lacks has no constraints.
    """
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/pyproject.toml").write_text('[project]\nname = "tree"\nversion = "3"\ndependencies = []\n')
    (tmp_path / "requirements.txt").write_text(
        "alpha<1.1 ; sys_platform == 'linux'\nalpha>=1.1 ; sys_platform == 'darwin'\ngamma\nsourceonly\n"
        "beta ; platform_machine == 'x86_64'\nomega\n./tree\n"
    )
    (tmp_path / "nixpy.toml").write_text('requirements = ["requirements.txt"]\n')
    assert nixpy("init", tmp_path, "--style", "loader", "--python", "3.13").status == 0
    common = {"gamma==1.1", "sourceonly==1.0"}
    expected = {
        "x86_64-linux": common | {"alpha==1.0", "beta==1.0", "omega==1.0"},
        "aarch64-linux": common | {"alpha==1.0", "omega==1.0"},
        "aarch64-darwin": common | {"alpha==1.1"},
    }
    assert {system: constraints(tmp_path / "nixpy.lock", system) for system in SYSTEMS} == expected
    assert constraints(tmp_path / "nixpy.lock", "x86_64-darwin") == set()
