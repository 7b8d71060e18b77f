"""Compare what two versions of a generated file evaluate to: the oracle for changes of the Nix library.

    python tests/nixos/derivations.py OLD NEW [NAME…]

OLD and NEW are folders of projects, such as `examples` of two checkouts. For each project that both have, the generated
file of OLD and that of NEW are evaluated over the same source tree, the one of NEW, on every release of the stand-in
nixpkgs and every system of the project. The derivation paths of `python`, `libraries`, `shell`, `checks`, `packages`,
the programs of `apps` and the text of both modules must be equal. Each difference is printed; the exit status is 1
where there is one. A file with `library = "input"` takes the Nix functions from the flake of this checkout.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from nixos.realnix import CURRENT, HERE, RELEASES, NixError, stand_in, stub

# What is compared: strings, so that derivations of two files can be told apart and named.
VALUES = """
result:
let
  drv = value: if value ? drvPath then value.drvPath else builtins.toJSON value;
  text = value: if builtins.isFunction value then "a function" else builtins.toJSON value;
  one = prefix: set: builtins.listToAttrs (
    map (name: { name = "${prefix}.${name}"; value = set.${name}; }) (builtins.attrNames set)
  );
in
{
  python = drv result.python;
  libraries = drv result.libraries;
  shell = drv result.shell;
  nixosModule = text result.nixosModule;
  homeModule = text result.homeModule;
  others = builtins.toJSON (
    builtins.attrNames (removeAttrs result [
      "python" "libraries" "shell" "nixosModule" "homeModule" "packages" "checks" "apps"
    ])
  );
}
// one "packages" (builtins.mapAttrs (_: drv) result.packages)
// one "checks" (builtins.mapAttrs (_: drv) result.checks)
// one "apps" (builtins.mapAttrs (_: text) result.apps)
"""


def evaluate(
    files: Mapping[str, Path], systems: list[str], chosen: Sequence[str] = RELEASES
) -> dict[str, dict[str, str]]:
    """Evaluate generated files on the chosen releases and every system.

    Returns {file's key: {"RELEASE SYSTEM output": path or text}}; raises NixError where one fails.
    """
    stubs = {folder.name: str(stub(folder.name)) for folder in sorted((HERE / "stubs").iterdir()) if folder.is_dir()}
    flakes = " ".join(f"{json.dumps(name)} = {path};" for name, path in stubs.items())
    releases = " ".join(f"{json.dumps(release)} = {stand_in(release)};" for release in chosen)
    imported = " ".join(f"{json.dumps(name)} = import {path};" for name, path in files.items())
    expression = f"""
      let
        values = {VALUES};
        flakes = nixpkgs:
          let
            found = builtins.mapAttrs (_: path: (import (path + "/flake.nix")).outputs (found // {{
              self = {{ outPath = path; }};
            }})) {{ {flakes} }} // {{
              nixpkgs = (import (nixpkgs + "/flake.nix")).outputs {{ self = nixpkgs; }};
              nixpy = (import {HERE.parents[1] / "flake.nix"}).outputs {{ inherit (found) nixpkgs; }};
            }};
          in found;
      in
      builtins.mapAttrs (_: file:
        builtins.mapAttrs (_: nixpkgs:
          builtins.listToAttrs (map (system: {{
            name = system;
            value = values (file {{ pkgs = import nixpkgs {{ inherit system; }}; inputs = flakes nixpkgs; }});
          }}) {json.dumps(systems).replace(",", " ")})
        ) {{ {releases} }}
      ) {{ {imported} }}
    """
    found: dict[str, dict[str, dict[str, dict[str, str]]]] = CURRENT.eval_json(expression)
    return {
        name: {
            f"{release} {system} {output}": text
            for release, by_system in by_release.items()
            for system, outputs in by_system.items()
            for output, text in outputs.items()
        }
        for name, by_release in found.items()
    }


def compare(old: Path, new: Path, releases: Sequence[str] = RELEASES) -> tuple[int, list[str]]:
    """Compare the generated files of one project in two states; returns the number of values and the differences."""
    file = generated_file(new)
    with tempfile.TemporaryDirectory() as scratch:
        tree = Path(scratch, "tree")
        shutil.copytree(new, tree, ignore=shutil.ignore_patterns(".venv", ".git", "flake.lock"))
        place = (tree / file).parent
        texts = {"old": (old / generated_file(old)).read_text(), "new": (new / file).read_text()}
        for name, text in texts.items():
            (place / f"{name}-generated.nix").write_text(text)
        systems = sorted(json.loads((place / "nixpy.lock").read_text())["systems"])
        found = evaluate({name: place / f"{name}-generated.nix" for name in texts}, systems, releases)
    keys = sorted(found["old"].keys() | found["new"].keys())
    return len(keys), [key for key in keys if found["old"].get(key) != found["new"].get(key)]


def generated_file(project: Path) -> str:
    """Return where the generated file of a project lies, relative to the project."""
    import tomllib

    path = project / "nixpy.toml"
    data: dict[str, Any] = tomllib.loads((path if path.is_file() else project / "pyproject.toml").read_text())
    settings = data if path.is_file() else data.get("tool", {}).get("nixpy", {})
    return str(settings.get("file", "nixpy.nix"))


def projects(old: Path, new: Path) -> Iterator[tuple[Path, Path]]:
    """Yield the projects that both folders have and that can be evaluated: uv2nix needs its reader's uv.lock."""
    for folder in sorted(new.iterdir()):
        if (folder / "nixpy.lock").is_file() and (old / folder.name / "nixpy.lock").is_file():
            yield old / folder.name, folder


def main(old: str, new: str, *names: str) -> int:
    """Print the differences of all projects; returns the exit status."""
    differing = 0
    for before, after in projects(Path(old), Path(new)):
        if names and after.name not in names:
            continue
        if after.name == "uv2nix" and not (after / "uv.lock").exists():
            print(f"{after.name}: not compared, as it has no uv.lock")
            continue
        try:
            total, different = compare(before, after)
        except NixError as error:
            print(f"{after.name}: {str(error)[-600:]}")
            differing += 1
            continue
        print(f"{after.name}: {total - len(different)} of {total} values are equal")
        for key in different:
            print(f"  differs: {key}")
        differing += len(different)
    return 1 if differing else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Compare the derivations of the projects in two folders.")
    parser.add_argument("old", metavar="OLD")
    parser.add_argument("new", metavar="NEW")
    parser.add_argument("names", nargs="*", metavar="NAME", help="only the projects of these names")
    options = parser.parse_args()
    sys.exit(main(options.old, options.new, *options.names))
