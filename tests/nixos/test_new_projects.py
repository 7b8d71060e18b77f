"""What `nixpy new` makes, given to real Nix."""

from __future__ import annotations

import json
from pathlib import Path

from newprojects import COMBINATIONS, NewProjects
from nixos.realnix import SYSTEMS, VERSIONS, Nix, evaluate, stand_in, stub, warnings
from nixos.rfc166 import violations
from nixpy.commands import new
from nixpy.styles.styles import styles

INPUTS = sorted({item.name for style in styles() for item in style.inputs})


def test_any_description_is_that_of_the_flake(tmp_path: Path) -> None:
    """To Nix, the description of the flake is what was answered, whatever Nix reads in such characters elsewhere."""
    description = """It's "50 %" \\n ${x} $${y} '' ü {{ 7 * 7 }}"""
    new.create(tmp_path / "demo", {"description": description}, ask=False)
    for version in VERSIONS:
        expression = f"(import {tmp_path}/demo/flake.nix).description"
        done = Nix(version).run("nix-instantiate", "--eval", "--strict", "--json", "-E", expression)
        assert json.loads(done.stdout) == description


def test_every_style_with_every_manager_evaluates(new_projects: NewProjects) -> None:
    """Shell, packages, checks and apps of every style with every manager evaluate with both Nixes, for every system,
    without a warning; so does each flake.nix that differs from the others; and each file is formatted.
    """
    folders = [new_projects.at(style, manager) for style, manager in COMBINATIONS]
    for folder in folders:
        for name in ("flake.nix", "nixpy.nix"):
            assert violations((folder / name).read_text()) == [], folder / name
    files = " ".join(str(folder / "nixpy.nix") for folder in folders)
    nixpkgs, stubs = stand_in("26.05"), {name: stub(name) for name in INPUTS}
    derivations = f"""
      let
        outputs = place: others: (import (place + "/flake.nix")).outputs (others // {{ self.outPath = place; }});
        inputs = {{ nixpkgs = outputs {nixpkgs} {{ }}; }} // builtins.mapAttrs (_: place: outputs place inputs) {{
          {" ".join(f"{name} = {place};" for name, place in stubs.items())}
        }};
        paths = file: system:
          let
            made = import file {{ inherit inputs; pkgs = import {nixpkgs} {{ inherit system; }}; }};
            values = builtins.attrValues;
          in
          map (output: output.drvPath) ([ made.shell ] ++ values made.packages ++ values made.checks)
          ++ map (app: app.program) (values made.apps);
      in
      map (file: map (paths file) [ {" ".join(map(json.dumps, SYSTEMS))} ]) [ {files} ]
    """
    for version in VERSIONS:
        done = Nix(version).run("nix-instantiate", "--eval", "--strict", "--json", "-E", derivations)
        found = json.loads(done.stdout)
        assert len(found) == len(COMBINATIONS)
        assert all(len(paths) > 2 for systems in found for paths in systems)
        assert warnings(done.stderr) == [], version
    for folder in {(folder / "flake.nix").read_bytes(): folder for folder in folders}.values():
        for version, said in evaluate(folder, "26.05").items():
            assert warnings(said) == [], version
