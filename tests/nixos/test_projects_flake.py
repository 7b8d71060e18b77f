"""The flake of `init --all`, evaluated by real Nix: a shell, packages and checks for each project."""

from __future__ import annotations

from pathlib import Path

import pytest

import shop
from nixos.realnix import CURRENT, RELEASES, evaluate, lock_flake, warnings
from nixos.rfc166 import violations
from runner import Nixpy

QUOTED = '"path:{}"'


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a project at the top, two below, and a third one with settings of its own."""
    root = shop.project(tmp_path / "repository", "gamma")
    shop.project(root / "services/api", "alpha", "beta")
    for folder, file in (("services/web", "requirements.txt"), ("od d/pro$ject", "requirements.in")):
        (root / folder).mkdir(parents=True)
        (root / folder / file).write_text("gamma\n")
    (root / "services/web/nixpy.toml").write_text(
        'style = "fhs"\nsystems = ["x86_64-linux"]\nnixpkgs = "nixos-25.11"\nfile = "nix/nixpy.nix"\n'
    )
    monkeypatch.chdir(root)
    return root


def test_it_evaluates_on_every_release(repository: Path, nixpy: Nixpy) -> None:
    """The flake evaluates silently with both Nixes, for all systems, and is formatted; each project has its outputs on
    its own systems.
    """
    assert nixpy("init", "--all", "--python", "3.13").status == 0
    assert violations((repository / "flake.nix").read_text()) == []
    for release in RELEASES:
        for version, said in evaluate(repository, release).items():
            assert warnings(said) == [], (release, version)
    lock_flake(repository, "26.05")
    shown = CURRENT.flake_show(repository)
    names = {"default", "demo", "pro-ject"}
    assert shown["devShells"]["aarch64-darwin"].keys() == names
    assert shown["devShells"]["x86_64-linux"].keys() == {*names, "web"}
    libraries = {f"{name}-libraries" for name in names}
    assert shown["packages"]["aarch64-linux"].keys() == names | libraries
    assert shown["checks"]["x86_64-linux"].keys() >= {*libraries, "web-libraries"}
    assert shown["apps"]["x86_64-linux"].keys() == {"web-fhs"}
    folders = CURRENT.eval_json(
        f"let shells = (builtins.getFlake {QUOTED.format(repository)}).devShells.x86_64-linux; in "
        "builtins.mapAttrs (_: shell: shell.NIXPY_FOLDER) shells"
    )
    assert folders == {"default": ".", "demo": "services/api", "web": "services/web", "pro-ject": "od d/pro$ject"}


@pytest.mark.parametrize("parts", [False, True])
def test_lines_for_an_existing_flake_evaluate(parts: bool, repository: Path, nixpy: Nixpy) -> None:
    """What is printed for a flake.nix of the user, written where the comment says, gives the shells."""
    devshells = "devShells = {\nLINES};" if parts else "devShells.${system} = {\nLINES};"
    text = """{
  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-26.05"; # KIND
  outputs = { nixpkgs, ... }@inputs: let
    system = "x86_64-linux";
    pkgs = nixpkgs.legacyPackages.${system};
    perSystem = { pkgs, ... }: { DEVSHELLS };
  in PERSYSTEM;
}
"""
    persystem = (
        "{ devShells.${system} = (perSystem { inherit pkgs; }).devShells; }" if parts else "perSystem { inherit pkgs; }"
    )
    text = text.replace("KIND", "flake-parts" if parts else "").replace("DEVSHELLS", devshells)
    text = text.replace("PERSYSTEM", persystem)
    (repository / "flake.nix").write_text(text)
    (repository / "services/web/nixpy.toml").unlink()
    lines = nixpy("init", "--all", "-q", "--style", "loader").out
    (repository / "flake.nix").write_text(text.replace("LINES", lines))
    lock_flake(repository, "26.05")
    shells = f"(builtins.getFlake {QUOTED.format(repository)}).devShells.x86_64-linux"
    folders = f"builtins.mapAttrs (_: shell: builtins.seq shell.drvPath shell.NIXPY_FOLDER) {shells}"
    assert CURRENT.eval_json(folders) == {
        "default": ".",
        "demo": "services/api",
        "web": "services/web",
        "pro-ject": "od d/pro$ject",
    }
