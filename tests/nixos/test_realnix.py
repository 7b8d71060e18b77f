"""Both Nixes run, and a flake is evaluated as it is, for every system, without a network."""

from __future__ import annotations

import json
import subprocess
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nixos import realnix
from nixos.realnix import Nix, NixError

FLAKE = """\
{
  description = "What a project's flake looks like";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-26.05";

  outputs =
    { nixpkgs, ... }:
    let
      inherit (nixpkgs) lib;
      systems = [
        "x86_64-linux"
        "aarch64-linux"
        "aarch64-darwin"
      ];
      forAllSystems =
        f:
        lib.genAttrs systems (
          system: f (import ./nixpy.nix { pkgs = nixpkgs.legacyPackages.${system}; })
        );
    in
    {
      devShells = forAllSystems (nixpy: {
        default = nixpy.shell;
      });
      packages = forAllSystems (nixpy: {
        default = nixpy.python;
      });
      checks = forAllSystems (nixpy: {
        inherit (nixpy) libraries;
      });
    };
}
"""
NIXPY = """\
{ pkgs }:
let
  inherit (pkgs) lib;
  libraries = pkgs.runCommand "libraries" { } ''
    mkdir -p $out/lib
    ln -s ${lib.getLib pkgs.zlib}/lib/libz.so.1 $out/lib
  '';
  python = pkgs.symlinkJoin {
    name = "python-with-libraries";
    paths = [ pkgs.python3 ];
    nativeBuildInputs = [ pkgs.makeWrapper ];
    meta.mainProgram = "python3";
    postBuild = ''
      wrapProgram $out/bin/${pkgs.python3.executable} --prefix LD_LIBRARY_PATH : ${libraries}/lib
    '';
  };
in
{
  inherit libraries python;
  shell = pkgs.mkShell { inputsFrom = [ (pkgs.mkShell { packages = [ python ]; }) ]; };
}
"""
SHELL = """\
{
  pkgs ? import <nixpkgs> { },
}:
(import ./nixpy.nix { inherit pkgs; }).shell
"""


TABLE = "attribute,24.11,25.05,25.11,26.05,unstable\nzlib,has,has,has,has,has\n"


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Tables of attributes that hold no more than what these flakes use."""
    table = tmp_path_factory.mktemp("tables") / "table.csv"
    table.write_text(TABLE)
    return {"attributes": table, "python_attributes": table}


@pytest.fixture
def flake(tmp_path: Path) -> Path:
    """A folder with a flake that is locked nowhere."""
    (tmp_path / "flake.nix").write_text(FLAKE)
    (tmp_path / "nixpy.nix").write_text(NIXPY)
    (tmp_path / "shell.nix").write_text(SHELL)
    return tmp_path


def test_both_nixes_are_there(nix: Nix) -> None:
    """Debian's is older than 2.10 and the current one newer than 2.25, so that both ends are tested."""
    major, minor = map(int, nix.run("nix", "--version").stdout.split()[-1].split(".")[:2])
    assert major == 2
    assert minor < 10 if nix.version == "debian" else minor > 25


def test_a_missing_nix_says_what_to_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without its programs a call fails and names `make setup`; it is never passed over."""
    monkeypatch.setitem(realnix.VERSIONS, "current", tmp_path)
    with pytest.raises(NixError, match="make setup"):
        realnix.CURRENT.run("nix", "--version")


def test_the_store_is_our_own(nix: Nix) -> None:
    """What is added is found under the cache folder, not in the machine's /nix."""
    path = nix.add(realnix.HERE / "nixpkgs")
    assert (realnix.ROOT / path.relative_to("/nix")).is_dir()


def test_there_is_no_network(nix: Nix) -> None:
    """A call does not even reach a server on this machine's loopback interface, which answers others."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        with urllib.request.urlopen(f"{address}/from-outside", timeout=5):
            pass
        expression = f'builtins.fetchurl "{address}/from-inside"'
        assert nix.run("nix-instantiate", "--eval", "-E", expression, check=False).returncode != 0
        server.shutdown()
    assert asked == ["/from-outside"]


def test_what_is_no_nix_is_refused(nix: Nix) -> None:
    """`parse` accepts an expression and names the fault of what is none."""
    assert "a = 1" in nix.parse("{ a = 1; }")
    with pytest.raises(NixError, match="syntax error"):
        nix.parse("{ a = 1 }")


# No control characters, which JSON and Nix escape each in its own way, and no lone surrogates, which are no text.
TEXTS = st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=60)


@settings(max_examples=10)
@given(st.lists(TEXTS, max_size=40))
def test_strings_come_back_in_order(texts: list[str]) -> None:
    """`eval_strings` gives each expression's value, whatever is in it, in one call."""
    literals = [json.dumps(text, ensure_ascii=False).replace("${", "\\${") for text in texts]
    assert realnix.CURRENT.eval_strings(literals) == texts


@pytest.mark.parametrize("release", realnix.RELEASES)
def test_a_flake_is_evaluated_as_it_is(flake: Path, tables: dict[str, Path], release: str) -> None:
    """Every output evaluates on every release with both Nixes, without a warning, and the folder stays as it
    was.
    """
    before = sorted(path.name for path in flake.iterdir())
    said = realnix.evaluate(flake, release, **tables)
    assert set(said) == {"debian", "current"}
    assert [realnix.warnings(text) for text in said.values()] == [[], []]
    assert sorted(path.name for path in flake.iterdir()) == before


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("pkgs.zlib", "pkgs.no-such-library", "no-such-library"),
        ("pkgs.zlib", '(throw "broken here")', "broken here"),
        ('name = "python-with-libraries";', "", "symlinkJoin requires"),
        ("inherit libraries python;", "inherit python; libraries = null;", "not a derivation|null"),
    ],
)
def test_a_broken_flake_fails_in_both(flake: Path, tables: dict[str, Path], old: str, new: str, message: str) -> None:
    """A missing attribute, a throw, a builder's rule broken and an output that is no derivation are each
    found.
    """
    assert old in NIXPY
    (flake / "nixpy.nix").write_text(NIXPY.replace(old, new))
    realnix.lock_flake(flake, "26.05", **tables)
    for version in realnix.VERSIONS:
        with pytest.raises(NixError, match=message):
            Nix(version).flake_check(flake)


def test_the_other_systems_are_evaluated_too(flake: Path, tables: dict[str, Path]) -> None:
    """An error that only Darwin's branch has is found by `--all-systems`."""
    fault = 'if pkgs.stdenv.hostPlatform.isDarwin then throw "only here" else pkgs.zlib'
    (flake / "nixpy.nix").write_text(NIXPY.replace("pkgs.zlib", f"({fault})"))
    with pytest.raises(NixError, match="only here"):
        realnix.evaluate(flake, "26.05", **tables)


def test_a_warning_is_seen(flake: Path, tables: dict[str, Path]) -> None:
    """What nixpkgs warns about reaches the caller, from both Nixes."""
    (flake / "nixpy.nix").write_text(NIXPY.replace("pkgs.zlib", '(lib.warn "old name" pkgs.zlib)'))
    for text in realnix.evaluate(flake, "26.05", **tables).values():
        assert any("old name" in line for line in realnix.warnings(text))


def test_outputs_are_shown(nix: Nix, flake: Path, tables: dict[str, Path]) -> None:
    """`flake_show` names the outputs of each system."""
    realnix.lock_flake(flake, "26.05", **tables)
    shown = nix.flake_show(flake)
    assert shown["packages"]["x86_64-linux"]["default"]["name"] == "python-with-libraries"


@pytest.mark.parametrize("url", ["github:NixOS/nixpkgs/" + 40 * "a", "github:NixOS/nixpkgs"])
def test_any_branch_or_revision_is_locked(flake: Path, tables: dict[str, Path], url: str) -> None:
    """The lock answers for whatever the input names: a branch, a revision, or nothing."""
    (flake / "flake.nix").write_text(FLAKE.replace("github:NixOS/nixpkgs/nixos-26.05", url))
    realnix.evaluate(flake, "unstable", **tables)


def test_an_input_without_stand_in_is_refused(flake: Path, tables: dict[str, Path]) -> None:
    """A second input is an error that names it, before any Nix looks for it."""
    more = FLAKE.replace("  outputs =", '  inputs.other.url = "github:a/b";\n\n  outputs =')
    (flake / "flake.nix").write_text(more)
    with pytest.raises(NixError, match="other"):
        realnix.lock_flake(flake, "26.05", **tables)


def test_a_shell_without_a_flake(flake: Path, tables: dict[str, Path]) -> None:
    """A shell.nix over <nixpkgs> evaluates with both, alone and for each system; a fault in it is found."""
    said = realnix.evaluate_shell(flake / "shell.nix", "26.05", **tables)
    assert [realnix.warnings(text) for text in said.values()] == [[], []]
    (flake / "shell.nix").write_text(SHELL.replace(").shell", ").no-shell"))
    with pytest.raises(NixError, match="no-shell"):
        realnix.evaluate_shell(flake / "shell.nix", "26.05", **tables)


def test_states_of_a_catalogue(tmp_path: Path) -> None:
    """Each expression is judged by the table, per release: there, warned about, thrown, missing, with
    alternatives.
    """
    table = tmp_path / "table.csv"
    table.write_text(
        "attribute,24.11,25.05,25.11,26.05,unstable\nnew,-,-,has,has,has\nold.Name,has,has,has,warns,throws\n"
    )
    states = realnix.catalogue_states(
        ["pkgs.new", "pkgs.old.Name", "(pkgs.new or pkgs.old.Name)", "pkgs.old", "pkgs.stdenv.cc.cc.lib"],
        attributes=table,
        python_attributes=table,
    )
    assert {text: list(by_release.values()) for text, by_release in states.items()} == {
        "pkgs.new": ["missing", "missing", "ok", "ok", "ok"],
        "pkgs.old.Name": ["ok", "ok", "ok", "warns", "throws"],
        "(pkgs.new or pkgs.old.Name)": ["ok"] * 5,
        "pkgs.old": ["missing"] * 5,
        "pkgs.stdenv.cc.cc.lib": ["ok"] * 5,
    }
    with pytest.raises(ValueError, match="not of the form"):
        realnix.catalogue_states(["pkgs.new; evil"], attributes=table, python_attributes=table)


def test_setup_is_done_in_a_moment() -> None:
    """Run again, the setup script only looks that all is there."""
    done = subprocess.run([realnix.HERE / "setup"], capture_output=True, text=True, timeout=5, check=True)
    assert "installing" not in done.stderr
    assert "bringing" not in done.stderr
