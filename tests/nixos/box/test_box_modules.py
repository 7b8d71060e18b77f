"""What a rendered file has for whole systems and homes: `wrap`, and the modules."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nixos.box.observe import Observed
from nixos.box.sandbox import HOME, Box
from nixos.box.shells import WORK, Shell
from nixos.box.store import RELEASE, SYSTEM, build, in_root
from nixos.realnix import CURRENT, stand_in

IMPORT = "import numpy, pyodbc, sys; print(numpy.__file__, sys.prefix, sep='|')"


def rendered(shell: Shell) -> str:
    """The rendered file as a Nix value."""
    return f'(import {shell.folder / "nixpy.nix"} {{ pkgs = import {stand_in(RELEASE)} {{ system = "{SYSTEM}"; }}; }})'


@pytest.mark.parametrize("observed", ["nix-ld"], indirect=True)
def test_any_program_can_be_wrapped(observed: Observed) -> None:
    """`wrap` gives every program of a package the libraries; a virtual environment made by a wrapped Python links to
    the wrapper, since it keeps its name. What it starts inherits them, as the comment says.
    """
    shell = observed.shell
    wrapped = build(f"{rendered(shell)}.wrap pkgs.python313")
    names = {path.name for path in in_root(wrapped / "bin").iterdir()}
    assert names >= {"python", "python3", "python3.13", "pydoc3"}
    box, site = shell.box, f"{WORK['venv']}/.venv/lib/python3.13/site-packages"
    box.run(f"{wrapped}/bin/python3", "-m", "venv", "--without-pip", "wrapped")
    (box.home / "wrapped/lib/python3.13/site-packages/all.pth").write_text(site + "\n")
    printed = box.run(f"{HOME}/wrapped/bin/python", "-c", IMPORT).stdout.strip().split("|")
    assert printed == [f"{site}/numpy/__init__.py", f"{HOME}/wrapped"]
    plain = build("pkgs.python313")
    box.run(f"{plain}/bin/python3", "-m", "venv", "--without-pip", "plain")
    (box.home / "plain/lib/python3.13/site-packages/all.pth").write_text(site + "\n")
    done = box.run(f"{HOME}/plain/bin/python", "-c", IMPORT, check=False)
    assert "libstdc++.so.6: cannot open shared object file" in done.stderr
    leak = box.run(f"{HOME}/wrapped/bin/python", "-c", "import os; os.system('echo $LD_LIBRARY_PATH')").stdout
    assert "-nixpy-libraries/lib" in leak


def test_the_modules_bring_the_interpreter_and_nix_ld(observed: Observed) -> None:
    """The NixOS module installs the shell's interpreter and enables nix-ld with the same libraries; the home module
    installs it and puts them before the host's libraries in a list that merges; both only by options
    that NixOS and home-manager have.
    """
    if observed.name in {"fhs", "patched-venv"}:  # their interpreter alone is none of the project's
        assert CURRENT.eval_json(f"{rendered(observed.shell)}.nixosModule") == {}
        return
    value = CURRENT.eval_json(
        f"""
        let
          n = {rendered(observed.shell)};
          options = set: builtins.concatMap (
            a: map (b: a + "." + b) (builtins.attrNames set.${{a}})
          ) (builtins.attrNames set);
        in
        {{
          nixos = options n.nixosModule;
          home = options n.homeModule;
          ld = n.nixosModule.programs.nix-ld.enable;
          libraries = map toString n.nixosModule.programs.nix-ld.libraries;
          packages = map toString (n.nixosModule.environment.systemPackages ++ n.homeModule.home.packages);
          search = n.homeModule.home.sessionSearchVariables;
          says = n.homeModule.home.activation.nixpyNixLd;
          python = toString n.python;
          farm = toString n.libraries;
        }}
        """
    )
    assert value["nixos"] == ["environment.systemPackages", "programs.nix-ld"]
    assert value["home"] == ["home.activation", "home.packages", "home.sessionSearchVariables"]
    assert value["ld"] is True
    assert value["libraries"] == [value["farm"]]
    assert value["packages"] == [value["python"]] * 2
    assert set(value["search"]) == {"NIX_LD_LIBRARY_PATH"}
    ours, host = value["search"]["NIX_LD_LIBRARY_PATH"]["contents"]
    assert ours[0].startswith(f"{value['farm']}/lib")
    assert (host["_type"], host["content"]) == ("order", ["/run/current-system/sw/share/nix-ld/lib"])


@pytest.mark.parametrize("observed", ["loader"], indirect=True)
@pytest.mark.parametrize("host", ["nothing", "stub-ld", "nix-ld"])
def test_a_home_says_when_its_host_has_no_nix_ld(observed: Observed, host: str, tmp_path: Path) -> None:
    """The home's activation script warns exactly where the host has nothing, or the stub, in the loader's place."""
    script = f"{rendered(observed.shell)}.homeModule.home.activation.nixpyNixLd"
    (text,) = CURRENT.eval_strings([script])
    box = Box(home=tmp_path / "home", host_loader=host)  # type: ignore[arg-type]
    said = box.run("bash", "-euc", text).stderr
    assert ("this host has no nix-ld" in said) == (host != "nix-ld"), json.dumps(said)


@pytest.mark.parametrize("observed", ["overridden-python"], indirect=True)
def test_packages_follow_the_overridden_interpreter(observed: Observed) -> None:
    """`python.pkgs` and environments stand on the interpreter with the libraries, through `self`; so does poetry."""
    value = CURRENT.eval_json(
        f"let n = {rendered(observed.shell)}; in [ n.python.outPath n.python.pkgs.python.outPath "
        "(n.python.withPackages (ps: [ ])).python.outPath n.packages.poetry.python3.outPath ]"
    )
    assert len(set(value)) == 1
    plain = build("pkgs.python313")
    assert value[0] != str(plain)
