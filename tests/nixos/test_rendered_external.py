"""What is rendered of [external], given to real Nix: in every style, on every release, and the versions it asks for."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

import shop
from nixos.realnix import CURRENT, RELEASES, NixError, catalogue_states, evaluate, stand_in, warnings
from nixos.rfc166 import violations
from nixpy.external import mapping
from nixpy.styles.styles import styles
from runner import Nixpy

# Of those that read a lock of other tools, the shell alone holds what [external] asks for as all others' do.
STYLES = [style.name for style in styles() if not style.reads]
EXTERNAL = """\
[external]
build-requires = ["dep:virtual/compiler/c", "dep:virtual/compiler/rust", "dep:generic/cmake@>=3.20"]
host-requires = [
  "dep:generic/zlib@>=1.2,<3",
  'dep:generic/libxcb@>=1; sys_platform == "linux"',
  'dep:generic/openssl@>=3; platform_machine == "x86_64"',
]
dependencies = ["dep:generic/libpq@>=15", "dep:generic/ffmpeg", 'dep:generic/git; sys_platform == "darwin"']

[tool.nixpy]
packages = ["ninja"]
"""


def test_the_mapping_names_packages_that_exist() -> None:
    """Every expression of the mapping is a package of each release, and none warns."""
    providers = itertools.chain.from_iterable(mapping.mapping_entries().values())
    expressions = {text for provider in providers for texts in provider.expressions.values() for text in texts}
    states = catalogue_states(sorted(expressions))
    assert {text: found for text, found in states.items() if set(found.values()) != {"ok"}} == {}
    assert len(states) > 80


@pytest.mark.parametrize("style", STYLES)
def test_every_style_evaluates_and_is_formatted(style: str, tmp_path: Path, nixpy: Nixpy) -> None:
    """With needs for all systems and for some, with versions and with a package to compile, every style evaluates
    silently, and is formatted.
    """
    project = shop.project(tmp_path / "one", "gamma", "sourceonly", extra=EXTERNAL)
    assert nixpy("init", project, "--style", style, "--python", "3.13").status == 0
    assert violations((project / "nixpy.nix").read_text()) == []
    for release in RELEASES if style == "loader" else ("26.05",):
        for version, said in evaluate(project, release).items():
            assert warnings(said) == [], (release, version)


@pytest.mark.parametrize("table", ['build-requires = ["dep:generic/git"]', 'host-requires = ["dep:generic/zlib@1"]'])
def test_the_least_is_formatted_too(table: str, tmp_path: Path, nixpy: Nixpy) -> None:
    """One need alone, with a version or without, is formatted in a shell and in a root."""
    project = shop.project(tmp_path / "one", "gamma", extra=f"[external]\n{table}\n")
    for style in ("loader", "fhs"):
        assert nixpy("init", project, "--style", style).status == 0
        assert violations((project / "nixpy.nix").read_text()) == [], style
        assert [warnings(said) for said in evaluate(project, "26.05").values()] == [[], []]


@pytest.mark.parametrize(
    ("mapped", "attribute", "overlay"),
    [
        ("foo", "foo", "{ foo = final.callPackage ./foo.nix { }; }"),
        (
            "(pkgs.xorg.foo or pkgs.foo)",
            "xorg.foo",
            "{ xorg = previous.xorg or { } // { foo = final.callPackage ./foo.nix { }; }; }",
        ),
        (
            "new.at.foo",
            "new.at.foo",
            (
                "{ new = previous.new or { } // "
                "{ at = previous.new.at or { } // { foo = final.callPackage ./foo.nix { }; }; }; }"
            ),
        ),
    ],
)
def test_what_the_map_names_and_nixpkgs_lacks_is_told(
    mapped: str, attribute: str, overlay: str, tmp_path: Path, nixpy: Nixpy
) -> None:
    """Where nixpkgs lacks what the user maps to, Nix says the attribute, the setting and an overlay; with that overlay
    it evaluates, and what else the set holds is still there.
    """
    mapping = f'[tool.nixpy.external]\nmap = {{ "dep:generic/foo" = "{mapped}", "dep:generic/libpq" = "zlib" }}\n'
    asked = '[external]\ndependencies = ["dep:generic/foo@>=1", "dep:generic/libpq"]\n'
    project = shop.project(tmp_path / "one", "gamma", extra=asked + mapping)
    assert nixpy("init", project, "--style", "loader").status == 0
    assert violations((project / "nixpy.nix").read_text()) == []
    with pytest.raises(NixError) as error:
        evaluate(project, "26.05")
    said = str(error.value)
    assert f"this nixpkgs has no {attribute}, which `map` of [tool.nixpy.external] names." in said
    assert "in flake.nix or shell.nix with an overlay:" in said
    assert f"pkgs.extend (final: previous: {overlay})" in said
    (project / "foo.nix").write_text("{ zlib }: zlib\n")
    plain = "pkgs = nixpkgs.legacyPackages.${system};"
    flake = (project / "flake.nix").read_text()
    assert plain in flake
    extended = f"{plain[:-1]}.extend (final: previous: {overlay});"
    (project / "flake.nix").write_text(flake.replace(plain, extended))
    assert [warnings(said) for said in evaluate(project, "26.05").values()] == [[], []]
    kept = f"""
        let
          base = import {stand_in("26.05")} {{ system = "x86_64-linux"; }};
          final = base // overlay final base;
          overlay = final: previous: {overlay.replace("callPackage ./foo.nix { }", "zlib")};
        in
        builtins.all (name: final.xorg ? ${{name}}) (builtins.attrNames base.xorg)
    """
    assert CURRENT.eval_json(kept) is True


@pytest.mark.parametrize(
    ("asked", "mapping", "attribute"),
    [
        ("dep:generic/zlib@>=99", "", "zlib"),
        ("dep:generic/llvm@>=99", "", "llvmPackages.libllvm"),
        ("dep:generic/foo@>=99", '[tool.nixpy.external]\nmap = { "dep:generic/foo" = "xorg.libX11" }\n', "xorg.libX11"),
    ],
)
def test_the_overlay_for_a_version_keeps_its_set(
    asked: str, mapping: str, attribute: str, tmp_path: Path, nixpy: Nixpy
) -> None:
    """With the overlay that the shell names for a version that nixpkgs lacks, that version is there, and all else that
    the set of the package holds; nothing is said any more.
    """
    extra = f'[external]\nhost-requires = ["{asked}"]\n{mapping}'
    project = shop.project(tmp_path / "one", "gamma", extra=extra)
    assert nixpy("init", project, "--style", "loader", "--no-flake").status == 0
    assert violations((project / "nixpy.nix").read_text()) == []
    base = f'(import {stand_in("25.05")} {{ system = "x86_64-linux"; }})'
    hook = f"(import {project}/nixpy.nix {{{{ pkgs = {{}}; }}}}).shell.shellHook"
    said = str(CURRENT.eval_json(hook.format(base)))
    found = re.search(rf"requires {re.escape(asked)}, and .* add an overlay: (\(final: previous: .*….*\))", said)
    assert found
    newer = '(previous.zlib // { version = "100"; name = "newer-100"; })'
    extended = f"({base}.extend {found[1].replace('…', newer)})"
    assert "is asked for" not in str(CURRENT.eval_json(hook.format(extended)))
    head, _, below = attribute.partition(".")
    assert CURRENT.eval_json(f"{extended}.{attribute}.version") == "100"
    if below:
        kept = f"builtins.attrNames BASE.{head}"
        before, after = (CURRENT.eval_json(kept.replace("BASE", one)) for one in (base, extended))
        assert len(before) > 1
        assert after == before


VERSIONS = ("0", "0.5.0", "1", "1.0", "1.0.0", "1.0.1", "1.9", "1.10", "1.10.0", "2", "2.0", "10", "10.0", "100")
ASKED = (">={}", "<={}", ">{}", "<{}", "{}")


def test_versions_are_compared_as_pythons_are(tmp_path: Path, nixpy: Nixpy) -> None:
    """What is rendered of a version is true of exactly those releases that PEP 440 has in it."""
    project = tmp_path / "one"
    rows: dict[SpecifierSet, str] = {}
    for form, asked in itertools.product(ASKED, VERSIONS):
        text = form.format(asked)
        # `>1` and `>1.0` are one dependency.
        rows.setdefault(SpecifierSet(text if text[0] in "<>" else f"=={text}"), text)
    listed = ", ".join(json.dumps(f"dep:generic/zlib@{text}") for text in rows.values())
    shop.project(project, "gamma", extra=f"[external]\nhost-requires = [{listed}]\n")
    assert nixpy("init", project, "--style", "loader").status == 0
    found = CURRENT.eval_json(
        f"""
        let
          base = import {stand_in("26.05")} {{ system = "x86_64-linux"; }};
          saying = version:
            let zlib = base.zlib // {{ inherit version; name = "zlib-${{version}}"; }};
            in (import {project / "nixpy.nix"} {{ pkgs = base // {{ inherit zlib; }}; }}).shell.shellHook;
        in
        base.lib.genAttrs {json.dumps(VERSIONS).replace(",", "")} saying
        """
    )
    for version in VERSIONS:
        wrong = {f"dep:generic/zlib@{text}" for specifier, text in rows.items() if not specifier.contains(version)}
        assert set(re.findall(r"nixpy: the project requires (\S+), and", found[version])) == wrong, version
