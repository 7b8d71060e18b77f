"""Styles that take packages from nixpkgs respect its policy: each kind of package, given to real Nix."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from nixos.derivations import VALUES
from nixos.realnix import HERE, Nix, stand_in, stub, warnings

LIBRARY = HERE.parents[1] / "templates/nix"
TAKING = ("application", "pyproject-nix", "with-packages")  # styles that take packages from nixpkgs
KINDS = ("has", "warns", "throws", "insecure", "unfree", "broken", "unsupported", "disabled")
# nixpkgs' own words, or those of the stand-in for them.
REFUSED = {"insecure": "is marked as insecure", "unfree": "has an unfree license"}


@dataclass(frozen=True)
class Chosen:
    """What was chosen for each kind of package, in several situations, and the warnings of the evaluation."""

    values: Mapping[str, Mapping[str, Any]]
    warned: list[str]


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table of Python packages of which each has the name of its kind."""
    path = tmp_path_factory.mktemp("policy") / "python.csv"
    rows = "".join(f"{kind},{kind}\n" for kind in KINDS)
    path.write_text("attribute,26.05\n" + rows)
    return path


@pytest.fixture(scope="module")
def expression(table: Path) -> str:
    """An expression for all choices: `evaluated` without those that nixpkgs refuses, `of` for one of them."""
    names = json.dumps(KINDS).replace(",", " ")
    return f"""
      let
        pkgs = import {stand_in("26.05", python_attributes=table)} {{ system = "x86_64-linux"; }};
        inherit (pkgs) lib;
        library = (import {LIBRARY}).functions {{ inherit pkgs; }};
        wheel = {{ lockedWheel.name = "wheel"; }};
        plain = pkgs.python313;
        allowed = library.allow-marked [ "nowhere or insecure" "unfree" "broken" ] plain;
        # The user's own overrides stay.
        own = library.allow-marked [ "insecure" ] (plain.override {{ packageOverrides = _: _: {{ mine = 1; }}; }});
        of = python: name: python.pkgs.${{name}};
        # A package that is built or run with one of the kind.
        using = input: python: name: python.pkgs.buildPythonPackage {{
          pname = "user"; version = "1"; format = "other"; ${{input}} = [ python.pkgs.${{name}} ];
        }};
        say = package:
          if package == null then "none"
          else if package ? lockedWheel then "wheel"
          else builtins.seq package.outPath "nixpkgs";
        choose = wheel: take: python: name: say (library.choose name (take python name) wheel);
        every = choose: lib.genAttrs {names} (name:
          let tried = builtins.tryEval (choose name); in if tried.success then tried.value else "refused");
      in
      {{
        evaluated = {{
          direct = every (choose wheel of plain);
          dependency = every (choose wheel (using "dependencies") plain);
          tool = every (choose wheel (using "nativeBuildInputs") plain);
          allowed = every (choose wheel of allowed);
          alone = every (choose null of plain);
          same = {{
            marks = removeAttrs (of allowed "insecure").meta [ "position" ] ? knownVulnerabilities;
            interpreter = allowed.outPath == plain.outPath;
            kept = own.pkgs.mine == 1 && (of own "insecure").outPath == (of allowed "insecure").outPath;
            others = (of allowed "has").outPath == (of plain "has").outPath;
          }};
        }};
        direct = choose wheel of plain;
        missing = choose null of plain;
      }}
    """


@pytest.fixture(scope="module")
def chosen(real_nix: Nix, expression: str) -> Chosen:
    """All choices, evaluated in one call."""
    done = real_nix.run("nix-instantiate", "--eval", "--strict", "--json", "-", stdin=f"(\n{expression}\n).evaluated")
    return Chosen(values=json.loads(done.stdout), warned=warnings(done.stderr))


WITH_WHEEL = {
    "has": "nixpkgs",
    "warns": "nixpkgs",
    "throws": "wheel",
    "insecure": "refused",
    "unfree": "refused",
    "broken": "wheel",
    "unsupported": "wheel",
    "disabled": "wheel",
}


def test_a_wheel_replaces_what_nixpkgs_lacks_and_nothing_that_it_refuses(chosen: Chosen) -> None:
    """A package whose attribute throws, that is disabled, broken or unsupported comes from its wheel; one that nixpkgs
    refuses for a mark is refused.
    """
    assert chosen.values["direct"] == WITH_WHEEL


@pytest.mark.parametrize("input_", ["dependency", "tool"])
def test_the_same_holds_for_what_a_package_is_made_of(chosen: Chosen, input_: str) -> None:
    """A package that is run or built with one of these Python packages is chosen in the same way."""
    assert chosen.values[input_] == WITH_WHEEL


def test_allowed_packages_come_from_nixpkgs(chosen: Chosen) -> None:
    """What the setting allows is nixpkgs' package, whichever of its names exists; that it is broken is no mark of this
    kind.
    """
    assert chosen.values["allowed"] == WITH_WHEEL | {"insecure": "nixpkgs", "unfree": "nixpkgs"}


def test_allowing_changes_no_derivation(chosen: Chosen) -> None:
    """Neither the interpreter nor another package becomes another derivation, and overrides of the user stay."""
    assert chosen.values["same"] == {"marks": False, "interpreter": True, "kept": True, "others": True}


def test_without_a_wheel_nixpkgs_has_the_last_word(chosen: Chosen) -> None:
    """A package without a wheel is nixpkgs' own, with nixpkgs' own error."""
    usable = {"has", "warns"}
    assert chosen.values["alone"] == {kind: "nixpkgs" if kind in usable else "refused" for kind in KINDS}


def test_a_wheel_for_what_is_broken_or_unsupported_is_said(chosen: Chosen) -> None:
    """One warning for each such package names it and the wheel; nothing else of nixpy warns."""
    said = [line for line in chosen.warned if "nixpy" in line]
    for kind in ("broken", "unsupported"):
        own = [line for line in said if f"using the wheel of {kind}" in line]
        assert own
        assert all(f"-{kind}-1 broken or unsupported on x86_64-linux" in line for line in own)
    assert not [line for line in said if "broken or unsupported" not in line]


@pytest.mark.parametrize("kind", REFUSED)
def test_the_error_is_that_of_nixpkgs(kind: str, real_nix: Nix, expression: str) -> None:
    """What nixpkgs refuses fails with its own reason, although there is a wheel."""
    command = ("nix-instantiate", "--eval", "--strict", "--json", "-")
    done = real_nix.run(*command, stdin=f'(\n{expression}\n).direct "{kind}"', check=False)
    assert done.returncode != 0
    assert f"because it {REFUSED[kind]}" in done.stderr


def test_every_style_asks_for_the_permission(real_nix: Nix, tmp_path: Path) -> None:
    """Each style that takes packages from nixpkgs fails with an insecure one, and uses it with the permission, also
    where it changes the interpreter itself.
    """
    table = tmp_path / "python.csv"
    header, *rows = (HERE / "python-attributes.csv").read_text().splitlines()
    marked = ["weasyprint" + ",insecure" * header.count(",") if row.startswith("weasyprint,") else row for row in rows]
    table.write_text("\n".join([header, *marked]) + "\n")
    stubs = " ".join(f"{path.name} = {stub(path.name)};" for path in HERE.glob("stubs/*") if path.is_dir())
    found = real_nix.eval_json(f"""
      let
        library = import {HERE}/library/cases.nix {{
          library = {LIBRARY};
          nixpkgs = {stand_in("26.05", python_attributes=table)};
          system = "x86_64-linux";
          stubs = {{ {stubs} }};
          valuesOf = {VALUES};
        }};
        works = facts: (builtins.tryEval (library.valuesOf facts).python).success;
        of = style: let facts = removeAttrs library.cases.${{style}}.full [ "versions" ]; in
          [ (works facts) (works (removeAttrs facts [ "allow-marked" ])) ];
      in
      builtins.listToAttrs (map (name: {{ inherit name; value = of name; }}) {json.dumps(TAKING).replace(",", " ")})
    """)
    assert found == {style: [True, False] for style in TAKING}
