"""The stand-in nixpkgs keeps nixpkgs' own rules, one test a rule, each named with the file of nixpkgs that
has it.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from nixos import realnix
from nixos.realnix import NixError

ATTRIBUTES = """\
attribute,24.11,25.05,25.11,26.05,unstable
zlib,has,has,has,has,has
postgresql,has,has,has,has,has
postgresql.lib,has,has,has,has,has
libx11,-,-,has,has,has
xorg.libX11,has,has,has,warns,throws
libGL,has,has,has,has,has
systemd,has,has,has,has,has
"""
PYTHON_ATTRIBUTES = """\
attribute,24.11,25.05,25.11,26.05,unstable
numpy,has,has,has,has,has
insecure,insecure,insecure,insecure,insecure,insecure
unfree,unfree,unfree,unfree,unfree,unfree
broken,broken,broken,broken,broken,broken
unsupported,unsupported,unsupported,unsupported,unsupported,unsupported
disabled,disabled,disabled,disabled,disabled,disabled
old,has,warns,throws,-,-
"""


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two small tables of attributes that no change of the real ones can reach."""
    folder = tmp_path_factory.mktemp("tables")
    (folder / "attributes.csv").write_text(ATTRIBUTES)
    (folder / "python.csv").write_text(PYTHON_ATTRIBUTES)
    return {"attributes": folder / "attributes.csv", "python_attributes": folder / "python.csv"}


FUNCTIONS = {
    "buildFHSEnv",
    "mkShell",
    "mkShellNoCC",
    "runCommand",
    "symlinkJoin",
    "writeShellApplication",
    "writeShellScriptBin",
}


class Pkgs:
    """Evaluates expressions over `pkgs` and `lib` of the stand-in."""

    def __init__(self, tables: dict[str, Path]) -> None:
        self.tables = tables

    def run(self, expression: str, release: str, system: str) -> tuple[Any, str]:
        """The value, and what was written to stderr."""
        path = realnix.stand_in(release, **self.tables)
        text = f'let pkgs = import {path} {{ system = "{system}"; }}; inherit (pkgs) lib; in {expression}'
        done = realnix.CURRENT.run("nix-instantiate", "--eval", "--strict", "--json", "-", stdin=text)
        return json.loads(done.stdout), done.stderr

    def __call__(self, expression: str, release: str = "26.05", system: str = "x86_64-linux") -> Any:
        """The value alone."""
        return self.run(expression, release, system)[0]

    def fails(self, expression: str, release: str = "26.05", system: str = "x86_64-linux") -> str:
        """The message with which the evaluation fails."""
        with pytest.raises(NixError) as failure:
            self(expression, release, system)
        return str(failure.value)

    def warnings(self, expression: str, release: str = "26.05") -> list[str]:
        """What the evaluation warned of."""
        return realnix.warnings(self.run(expression, release, "x86_64-linux")[1])


@pytest.fixture(scope="module")
def pkgs(tables: dict[str, Path]) -> Pkgs:
    """`pkgs("pkgs.zlib.name")` evaluates against the stand-in."""
    return Pkgs(tables)


# --- lib ---


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("lib.optionals false [ 1 ]", []),
        ('lib.optionalString true "a"', "a"),
        ("lib.optionalAttrs false { a = 1; }", {}),
        ('lib.genAttrs [ "a" "b" ] (name: name + name)', {"a": "aa", "b": "bb"}),
        ("lib.unique [ 2 1 2 ]", [2, 1]),
        ("lib.subtractLists [ 1 ] [ 1 2 1 3 ]", [2, 3]),
        ("lib.reverseList [ 1 2 3 ]", [3, 2, 1]),
        ("lib.flatten [ 1 [ 2 [ 3 ] ] ]", [1, 2, 3]),
        ("lib.filterAttrs (name: value: value > 1) { a = 1; b = 2; }", {"b": 2}),
        ('lib.attrByPath [ "a" "b" ] 0 { a.b = 1; }', 1),
        ('lib.attrByPath [ "a" "c" ] 0 { a.b = 1; }', 0),
        ("lib.recursiveUpdate { a.b = 1; a.c = 2; } { a.b = 3; }", {"a": {"b": 3, "c": 2}}),
        ('lib.hasInfix "b.c" "ab.cd"', True),
        ('lib.hasInfix "b.c" "abxcd"', False),
        ('lib.splitString "." "a.b..c"', ["a", "b", "", "c"]),
        ('lib.hasSuffix "" "abc"', True),
        ('lib.removeSuffix "ab" "b"', "b"),
        ('lib.versionAtLeast "3.12" "3.9"', True),
        ('lib.versionOlder "3.12" "3.9"', False),
        ('lib.concatMapStringsSep ":" toString [ 1 2 ]', "1:2"),
        ('lib.getName "numpy-1.2"', "numpy"),
        ('lib.trim "  a b \\n"', "a b"),
        ('lib.mapAttrsToList (name: value: name + value) { b = "2"; a = "1"; }', ["a1", "b2"]),
        ('lib.concatMapAttrs (name: value: { ${name + value} = 1; }) { a = "b"; }', {"ab": 1}),
        ("lib.imap1 (i: value: i * value) [ 5 7 ]", [5, 14]),
    ],
)
def test_lib_has_the_documented_values(pkgs: Pkgs, expression: str, value: object) -> None:
    """The examples of lib's own documentation hold (lib/lists.nix, lib/attrsets.nix, lib/strings.nix)."""
    assert pkgs(expression) == value


def test_shell_arguments_are_quoted_only_where_needed(pkgs: Pkgs) -> None:
    """`escapeShellArg` leaves plain words bare and closes the quotes around an apostrophe
    (lib/strings.nix).
    """
    assert pkgs("""lib.escapeShellArgs [ "a/b-1" "it's" "" "$x" ]""") == "a/b-1 'it'\\''s' '' '$x'"


def test_library_path_takes_the_lib_output_first(pkgs: Pkgs) -> None:
    """`makeLibraryPath` takes `lib`, else `out`, drops null, and appends /lib (lib/strings.nix)."""
    path = pkgs("lib.makeLibraryPath [ pkgs.postgresql null pkgs.zlib ]").split(":")
    assert path == [pkgs('"${pkgs.postgresql.lib}/lib"'), pkgs('"${pkgs.zlib}/lib"')]


def test_an_output_that_was_chosen_stays(pkgs: Pkgs) -> None:
    """`getLib` of an output taken by name is that output (lib/attrsets.nix, getOutput)."""
    assert pkgs("(lib.getLib pkgs.postgresql.out).outPath") == pkgs("pkgs.postgresql.out.outPath")
    assert pkgs("(lib.getLib pkgs.postgresql).outPath") == pkgs("pkgs.postgresql.lib.outPath")


def test_main_program(pkgs: Pkgs) -> None:
    """`getExe` takes meta.mainProgram and warns where there is none; getExe' takes no path (lib/meta.nix)."""
    nameless = 'lib.getExe (pkgs.stdenv.mkDerivation { pname = "p"; version = "1"; })'
    assert pkgs("lib.getExe pkgs.python3").endswith("/bin/python3")
    assert pkgs(nameless).endswith("/bin/p")
    assert pkgs.warnings(nameless)
    assert not pkgs.warnings("lib.getExe pkgs.python3")
    pkgs.fails('lib.getExe\' pkgs.python3 "bin/python3"')


# --- mkDerivation ---


def test_a_derivation_needs_a_name(pkgs: Pkgs) -> None:
    """Without name it needs pname and version, joined by a dash (pkgs/stdenv/generic/make-derivation.nix)."""
    assert pkgs('(pkgs.stdenv.mkDerivation { pname = "p"; version = "1"; }).name') == "p-1"
    assert "version" in pkgs.fails('(pkgs.stdenv.mkDerivation { pname = "p"; }).drvPath')


def test_meta_and_passthru_do_not_reach_the_builder(pkgs: Pkgs) -> None:
    """Attributes of passthru stand on the result, and neither they nor meta change its path
    (make-derivation.nix).
    """
    plain = 'pkgs.stdenv.mkDerivation { name = "n"; }'
    rich = 'pkgs.stdenv.mkDerivation { name = "n"; meta.mainProgram = "m"; passthru.extra = 1; }'
    assert pkgs(f"({rich}).extra") == 1
    assert pkgs(f"({rich}).meta.mainProgram") == "m"
    assert pkgs(f"({rich}).drvPath") == pkgs(f"({plain}).drvPath")


def test_inputs_are_packages(pkgs: Pkgs) -> None:
    """An input that is no derivation, path, string, null or list of them is refused (make-derivation.nix)."""
    message = pkgs.fails('(pkgs.stdenv.mkDerivation { name = "n"; buildInputs = [ null { } ]; }).drvPath')
    assert "element 2 of buildInputs" in message


def test_the_outputs_to_install_are_programs_and_their_manual(pkgs: Pkgs) -> None:
    """Of a package with outputs an environment takes `bin`, else `out`, else the first, and `man`
    (make-derivation.nix).
    """
    package = '(pkgs.stdenv.mkDerivation {{ name = "n"; outputs = [ {} ]; }}).meta.outputsToInstall'
    assert pkgs(package.format('"out" "bin" "man"')) == ["bin", "man"]
    assert pkgs(package.format('"dev" "out"')) == ["out"]
    assert pkgs(package.format('"lib" "dev"')) == ["lib"]


def test_attributes_are_overridden_in_three_forms(pkgs: Pkgs) -> None:
    """`overrideAttrs` takes a set, `previous: …` and `final: previous: …` (make-derivation.nix)."""
    base = 'pkgs.stdenv.mkDerivation (final: { name = "n"; a = "1"; b = final.a + "!"; })'
    assert pkgs(f'({base}).overrideAttrs {{ a = "2"; }}).b'.replace("(pkgs", "((pkgs", 1)) == "2!"
    assert pkgs(f'(({base}).overrideAttrs (previous: {{ a = previous.a + "0"; }})).b') == "10!"
    assert pkgs(f"(({base}).overrideAttrs (final: previous: {{ c = final.b + previous.a; }})).c") == "1!1"


def test_a_package_of_another_system_is_named_but_not_instantiated(pkgs: Pkgs) -> None:
    """What meta.platforms leaves out can be named and asked for its meta, and throws when used
    (check-meta.nix).
    """
    assert pkgs("pkgs.systemd.meta.available", system="aarch64-darwin") is False
    assert "not available" in pkgs.fails("pkgs.systemd.outPath", system="aarch64-darwin")


# --- the tables ---


def test_the_table_decides_what_a_release_has(pkgs: Pkgs) -> None:
    """`-` is no attribute, `warns` a package with a warning, `throws` an error that tryEval catches."""
    assert pkgs("pkgs ? libx11", "25.05") is False
    assert pkgs("lib.isDerivation pkgs.libx11", "25.11") is True
    assert not pkgs.warnings("pkgs.xorg.libX11.outPath", "25.11")
    assert pkgs.warnings("pkgs.xorg.libX11.outPath", "26.05")
    assert pkgs("(builtins.tryEval pkgs.xorg.libX11).success", "unstable") is False


def test_an_alternative_is_not_looked_at_behind_one_that_exists(pkgs: Pkgs) -> None:
    """`(pkgs.libx11 or pkgs.xorg.libX11)` neither warns nor throws anywhere."""
    for release in realnix.RELEASES:
        assert not pkgs.warnings("(pkgs.libx11 or pkgs.xorg.libX11).outPath", release), release


def test_libgl_is_null_on_darwin(pkgs: Pkgs) -> None:
    """`libGL` is null on Darwin, a package elsewhere (pkgs/top-level/all-packages.nix)."""
    assert pkgs("pkgs.libGL", system="aarch64-darwin") is None
    assert pkgs("lib.isDerivation pkgs.libGL", system="aarch64-linux") is True


@pytest.mark.parametrize(
    ("attribute", "states"),
    [
        ("system", ["ok", "ok", "ok", "warns", "warns"]),
        ("hostPlatform.system", ["ok", "ok", "ok", "warns", "throws"]),
        ("buildFHSUserEnv", ["warns", "warns", "throws", "throws", "throws"]),
    ],
)
def test_old_names_warn_and_throw_when_nixpkgs_began_to(pkgs: Pkgs, attribute: str, states: list[str]) -> None:
    """The old ways to say the system and the old names of tools age as in pkgs/top-level/aliases.nix."""
    for release, state in zip(realnix.RELEASES, states, strict=True):
        expression = f"builtins.seq pkgs.{attribute} true"
        if state == "throws":
            assert "has been removed" in pkgs.fails(expression, release)
        else:
            assert bool(pkgs.warnings(expression, release)) == (state == "warns"), release


@pytest.mark.parametrize(("table", "prefix"), [("attributes", "pkgs."), ("python-attributes", "pkgs.python3Packages.")])
def test_the_real_tables_are_what_evaluates(table: str, prefix: str) -> None:
    """Each package of the two tables is in each release what its row says, also where this folder
    has a hand in it.
    """
    states = {"has": "ok", "-": "missing"}
    with (realnix.HERE / f"{table}.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["attribute"] not in FUNCTIONS]
    assert len(rows) > 300
    expected = {
        prefix + row["attribute"]: {release: states.get(row[release], row[release]) for release in realnix.RELEASES}
        for row in rows
    }
    assert realnix.catalogue_states(list(expected)) == expected


def test_functions_are_in_every_release(pkgs: Pkgs) -> None:
    """The functions of the tables, which no state fits, are functions everywhere."""
    for release in realnix.RELEASES:
        for name in sorted(FUNCTIONS):
            assert pkgs(f"lib.isFunction pkgs.{name} || lib.isFunction pkgs.{name}.__functor", release) is True, name


# --- stdenv ---


def test_the_platform_is_described(pkgs: Pkgs) -> None:
    """`hostPlatform` tells system, operating system and processor; the loader is glibc's own
    (lib/systems).
    """
    for system, linux in (("x86_64-linux", True), ("aarch64-linux", True), ("aarch64-darwin", False)):
        assert pkgs("pkgs.stdenv.hostPlatform.system", system=system) == system
        assert pkgs("pkgs.stdenv.hostPlatform.isLinux", system=system) is linux
        assert pkgs("pkgs.stdenv.hostPlatform.isDarwin", system=system) is not linux
        assert pkgs("lib.isDerivation pkgs.stdenv.cc.cc.lib", system=system)
    loader = "pkgs.stdenv.cc.bintools.dynamicLinker"
    assert pkgs(loader).startswith(pkgs('"${pkgs.glibc}/lib/ld-linux-x86-64.so.2"'))
    assert pkgs(loader, system="aarch64-linux").endswith("/lib/ld-linux-aarch64.so.1")


# --- builders ---


def test_shell_inputs_are_merged_and_other_attributes_dropped(pkgs: Pkgs) -> None:
    """`mkShell` passes on the inputs and hooks of inputsFrom and nothing else
    (pkgs/build-support/mkshell).
    """
    shell = """
      pkgs.mkShell {
        packages = [ pkgs.postgresql ];
        buildInputs = [ pkgs.bash ];
        inputsFrom = [
          (pkgs.mkShell { packages = [ pkgs.coreutils ]; buildInputs = [ pkgs.libx11 ]; VARIABLE = "lost"; })
        ];
      }
    """
    names = "map (package: package.pname)"
    assert pkgs(f"{names} ({shell}).nativeBuildInputs") == ["postgresql", "coreutils"]
    assert pkgs(f"{names} ({shell}).buildInputs") == ["bash", "libx11"]
    assert pkgs(f"({shell}) ? VARIABLE") is False
    assert pkgs('(pkgs.mkShell { VARIABLE = "kept"; }).VARIABLE') == "kept"


def test_inputs_are_their_dev_outputs(pkgs: Pkgs) -> None:
    """Of an input with headers of their own these are taken, which lead to the rest (make-derivation.nix)."""
    names = "map (package: package.pname)"
    inputs = "{ buildInputs = [ pkgs.zlib ]; nativeBuildInputs = [ pkgs.zlib.dev pkgs.bash ]; }"
    assert pkgs(f"{names} (pkgs.mkShell {inputs}).buildInputs") == ["zlib-dev"]
    assert pkgs(f"{names} (pkgs.mkShell {inputs}).nativeBuildInputs") == ["zlib-dev", "bash"]


def test_shell_hooks_run_from_the_last_to_the_first_and_then_ones_own(pkgs: Pkgs) -> None:
    """`mkShell` joins the hooks of the reversed inputsFrom and then its own, with newlines
    (mkshell/default.nix).
    """
    shells = '(map (hook: pkgs.mkShell { shellHook = hook; }) [ "first" "second" ])'
    hook = pkgs(f'(pkgs.mkShell {{ inputsFrom = {shells}; shellHook = "own"; }}).shellHook')
    assert hook.split() == ["second", "first", "own"]
    assert "\n" in hook


def test_text_files_know_their_program(pkgs: Pkgs) -> None:
    """`writeShellScriptBin` NAME is /bin/NAME with that mainProgram; a plain text has none
    (trivial-builders).
    """
    assert pkgs('lib.getExe (pkgs.writeShellScriptBin "hello" "echo")').endswith("-hello/bin/hello")
    assert pkgs('(pkgs.writeShellApplication { name = "app"; text = ""; }).meta.mainProgram') == "app"
    assert pkgs('(pkgs.writeText "a" "b").meta ? mainProgram') is False


def test_an_application_is_strict_and_finds_its_inputs(pkgs: Pkgs) -> None:
    """`writeShellApplication` sets errexit, nounset, pipefail and puts runtimeInputs first on PATH
    (trivial-builders).
    """
    text = pkgs('(pkgs.writeShellApplication { name = "a"; text = "b"; runtimeInputs = [ pkgs.zlib ]; }).text')
    assert text.startswith("#!")
    assert all(f"set -o {option}" in text for option in ("errexit", "nounset", "pipefail"))
    assert f'PATH="{pkgs("lib.makeBinPath [ pkgs.zlib ]")}:$PATH"' in text
    pkgs.fails('(pkgs.writeShellApplication { name = "a"; text = "b"; unknown = 1; }).drvPath')


def test_run_command_is_a_derivation_with_its_attributes(pkgs: Pkgs) -> None:
    """`runCommand` NAME ATTRS SCRIPT keeps ATTRS; the local one is built here (trivial-builders)."""
    assert pkgs('(pkgs.runCommand "n" { a = "1"; } "touch $out").a') == "1"
    assert pkgs('(pkgs.runCommandLocal "n" { } "touch $out").preferLocalBuild') is True


def test_a_join_needs_a_name_and_keeps_passthru(pkgs: Pkgs) -> None:
    """`symlinkJoin` takes name, or pname and version; other attributes go on (trivial-builders)."""
    assert pkgs('(pkgs.symlinkJoin { pname = "p"; version = "1"; paths = [ pkgs.zlib ]; }).name') == "p-1"
    assert pkgs('(pkgs.symlinkJoin { name = "n"; paths = [ ]; meta.mainProgram = "m"; }).meta.mainProgram') == "m"
    pkgs.fails("(pkgs.symlinkJoin { paths = [ ]; }).drvPath")


def test_build_env_takes_no_unknown_argument(pkgs: Pkgs) -> None:
    """`buildEnv`'s arguments are a closed set (pkgs/build-support/buildenv)."""
    assert pkgs('(pkgs.buildEnv { name = "n"; paths = [ pkgs.zlib ]; }).name') == "n"
    assert "unknown" in pkgs.fails('(pkgs.buildEnv { name = "n"; paths = [ ]; unknown = 1; }).name')


def test_fhs_env_needs_a_name_or_a_version(pkgs: Pkgs) -> None:
    """`buildFHSEnv` throws on a pname without a version, has `.env`, and is for Linux
    (build-fhsenv-bubblewrap).
    """
    named = 'pkgs.buildFHSEnv { name = "fhs"; targetPkgs = ps: [ ps.zlib ps.python3 ]; runScript = "bash"; }'
    assert pkgs(f"lib.getExe ({named})").endswith("-fhs/bin/fhs")
    assert pkgs(f"({named}).env ? shellHook") is True
    assert pkgs('(pkgs.buildFHSEnv { pname = "fhs"; version = "1"; }).meta.mainProgram') == "fhs"
    assert "version is missing" in pkgs.fails('(pkgs.buildFHSEnv { pname = "fhs"; }).drvPath')
    assert "not available" in pkgs.fails(f"({named}).drvPath", system="aarch64-darwin")


def test_conda_is_a_root_that_takes_more_packages(pkgs: Pkgs) -> None:
    """`conda` is the program conda-shell of a root, with `extraPkgs` and a place to install to
    (tools/package-management/conda).
    """
    assert pkgs('lib.getExe\' pkgs.conda "conda-shell"').endswith("/bin/conda-shell")
    assert pkgs("pkgs.conda.drvPath != (pkgs.conda.override { extraPkgs = [ pkgs.zlib ]; }).drvPath") is True
    assert pkgs('pkgs.conda.drvPath != (pkgs.conda.override { installationPath = "~/other"; }).drvPath') is True
    assert "not available" in pkgs.fails("pkgs.conda.drvPath", system="aarch64-darwin")


def test_poetry_stands_on_the_interpreter_it_is_given(pkgs: Pkgs) -> None:
    """`poetry` takes its interpreter as `python3` (by-name/po/poetry)."""
    assert pkgs("pkgs.poetry.drvPath != (pkgs.poetry.override { python3 = pkgs.python312; }).drvPath") is True


def test_hooks_are_packages(pkgs: Pkgs) -> None:
    """Wrappers and hooks are derivations for nativeBuildInputs; the driver link is NixOS's
    (add-driver-runpath).
    """
    for hook in ("makeWrapper", "makeBinaryWrapper", "autoPatchelfHook"):
        assert pkgs(f"lib.isDerivation pkgs.{hook}") is True, hook
    assert pkgs("pkgs.addDriverRunpath.driverLink") == "/run/opengl-driver"
    assert "not available" in pkgs.fails("pkgs.autoPatchelfHook.outPath", system="aarch64-darwin")


def test_a_download_needs_a_hash(pkgs: Pkgs) -> None:
    """`fetchurl` and fetchPypi want a hash (pkgs/build-support/fetchurl)."""
    wheel = 'pname = "p"; version = "1"; format = "wheel";'
    assert pkgs(f'(pkgs.fetchPypi {{ {wheel} hash = "{"sha256-" + 43 * "A" + "="}"; }}).drvPath')
    assert "hash" in pkgs.fails(f"(pkgs.fetchPypi {{ {wheel} }}).drvPath")
    tags = 'python = "cp313"; abi = "cp313"; platform = "linux_x86_64"; dist = "cp313";'
    found = pkgs(f'(pkgs.fetchPypi {{ {wheel} {tags} sha256 = "{64 * "0"}"; }}).name')
    assert found == "p-1-cp313-cp313-linux_x86_64.whl"


def test_an_image_is_a_derivation(pkgs: Pkgs) -> None:
    """`buildLayeredImage` takes a name and no argument it does not know (pkgs/build-support/docker)."""
    image = 'pkgs.dockerTools.buildLayeredImage { name = "app"; contents = [ pkgs.zlib ];'
    assert pkgs(f'({image} config.Cmd = [ "/bin/sh" ]; }}).name') == "app.tar.gz"
    assert "unknown" in pkgs.fails(f"({image} unknown = 1; }}).name")


# --- Python ---


@pytest.mark.parametrize(
    ("release", "default"),
    [("24.11", "3.12"), ("25.05", "3.12"), ("25.11", "3.13"), ("26.05", "3.13"), ("unstable", "3.14")],
)
def test_each_release_has_its_default_python(pkgs: Pkgs, release: str, default: str) -> None:
    """`python3` is the release's default interpreter (pkgs/top-level/all-packages.nix)."""
    assert pkgs("pkgs.python3.pythonVersion", release) == default
    attribute = "python" + default.replace(".", "")
    assert pkgs(f"pkgs.{attribute}.outPath == pkgs.python3.outPath", release) is True


def test_pythons_come_and_go(pkgs: Pkgs) -> None:
    """`python310` is gone from 26.05 on; before 25.11 python314 was a pre-release."""
    assert [pkgs("pkgs ? python310", release) for release in realnix.RELEASES] == [
        True,
        True,
        True,
        False,
        False,
    ]
    final = [pkgs('builtins.match "[0-9.]+" pkgs.python314.version != null', r) for r in realnix.RELEASES]
    assert final == [False, False, True, True, True]


def test_the_python_that_is_built_is_the_same_everywhere(pkgs: Pkgs) -> None:
    """It is named for its source and is one derivation in every release, and what is compiled of it does not know
    stdenv: neither a release nor a change of setup.sh compiles CPython again.
    """
    found = {pkgs("[ pkgs.python313.version pkgs.python313.drvPath ]", release)[1] for release in realnix.RELEASES}
    assert len(found) == 1
    assert pkgs("pkgs.python313.name") == pkgs("pkgs.python313.compiled.name")
    assert pkgs("pkgs.python313.version", system="aarch64-linux") == "3.13.12"
    assert pkgs('(pkgs.python313.overrideAttrs { mark = "x"; }).mark') == "x"
    expression = f'(import {realnix.stand_in("26.05")} {{ system = "x86_64-linux"; }}).python313.compiled'
    compiled = realnix.CURRENT.run("nix-instantiate", "-", stdin=expression).stdout.strip()
    inputs = realnix.CURRENT.run("nix-store", "--query", "--requisites", compiled).stdout
    assert "-glibc-" in inputs
    assert "-stdenv-" not in inputs
    assert "setup.sh" not in inputs


def test_python_tells_its_places(pkgs: Pkgs) -> None:
    """`executable`, interpreter, sitePackages and libPrefix are passthru (python/passthrufun.nix)."""
    python = pkgs("{ inherit (pkgs.python312) executable sitePackages libPrefix; i = pkgs.python312.interpreter; }")
    assert python["executable"] == python["libPrefix"] == "python3.12"
    assert python["sitePackages"] == "lib/python3.12/site-packages"
    assert python["i"] == pkgs('"${pkgs.python312}/bin/python3.12"')


def test_an_environment_holds_modules_and_what_they_need(pkgs: Pkgs) -> None:
    """`withPackages` joins the interpreter, the modules, their dependencies and an empty /bin (python/wrapper.nix,
    python-packages-base.nix); it is `buildEnv.override { extraLibs }`.
    """
    env = "pkgs.python312.withPackages (ps: [ ps.numpy ])"
    assert pkgs(f"map (path: path.name) ({env}).paths") == pkgs(
        '[ pkgs.python312.name pkgs.python312.pkgs.numpy.name "bin" ]'
    )
    assert pkgs(f"({env}).drvPath") == pkgs(
        "(pkgs.python312.buildEnv.override { extraLibs = [ pkgs.python312.pkgs.numpy ]; }).drvPath"
    )
    changed = f'({env}).override {{ postBuild = "mark"; }}'
    assert pkgs(f"map (path: path.name) ({changed}).paths") == pkgs(f"map (path: path.name) ({env}).paths")
    assert "mark" in pkgs(f"({changed}).postBuild")
    assert pkgs(f"({env}).python.outPath") == pkgs("pkgs.python312.outPath")
    assert pkgs(f"({env}).interpreter") == pkgs(f'"${{{env}}}/bin/python3.12"')
    assert pkgs(f"({env}).meta.mainProgram") == "python3"


def test_environments_keep_the_callers_name_from_25_11(pkgs: Pkgs) -> None:
    """The wrapped interpreter inherits argv0 since nixpkgs#442540, which a template may probe in
    postBuild.
    """
    probe = 'lib.hasInfix "--inherit-argv0" (pkgs.python3.withPackages (_: [ ])).postBuild'
    assert [pkgs(probe, release) for release in realnix.RELEASES] == [False, False, True, True, True]


def test_the_package_set_is_overridden(pkgs: Pkgs) -> None:
    """`override` { packageOverrides } changes the set; `self` ties the changed interpreter to it
    (passthrufun.nix).
    """
    overrides = 'final: previous: { numpy = previous.numpy.overrideAttrs { mark = "x"; }; }'
    assert pkgs(f"(pkgs.python312.override {{ packageOverrides = {overrides}; }}).pkgs.numpy.mark") == "x"


def test_an_overridden_interpreter_reaches_its_packages_through_self(pkgs: Pkgs) -> None:
    """Without `self` the packages and environments stand on the plain interpreter (passthrufun.nix)."""
    alone = "pkgs.python312.override { enableOptimizations = true; }"
    tied = "let self = pkgs.python312.override { inherit self; enableOptimizations = true; }; in self"
    assert pkgs(f"({alone}).outPath != pkgs.python312.outPath") is True
    assert pkgs(f"({alone}).pkgs.python.outPath == pkgs.python312.outPath") is True
    assert pkgs(f"({tied}).pkgs.python.outPath == ({alone}).outPath") is True
    assert pkgs(f"(({tied}).withPackages (_: [ ])).python.outPath == ({alone}).outPath") is True


def test_override_and_override_attrs_go_on_from_each_other(pkgs: Pkgs) -> None:
    """What overrideAttrs changed stays when override is used afterwards (lib/customisation.nix,
    makeOverridable).
    """
    both = '(pkgs.python312.overrideAttrs { mark = "y"; }).override { enableOptimizations = true; }'
    assert pkgs(f"{{ inherit ({both}) mark enableOptimizations; }}") == {
        "mark": "y",
        "enableOptimizations": True,
    }


def test_a_wheel_becomes_a_package(pkgs: Pkgs) -> None:
    """`buildPythonPackage` is named after the interpreter and must be told the format
    (mk-python-derivation.nix).
    """
    wheel = 'pkgs.python312.pkgs.buildPythonPackage { pname = "p"; version = "1"; format = "wheel"; }'
    assert pkgs(f"({wheel}).name") == "python3.12-p-1"
    assert pkgs(f"(pkgs.python312.withPackages (_: [ {wheel} ])).paths == [ ]") is False
    pkgs.fails('(pkgs.python312.pkgs.buildPythonPackage { pname = "p"; version = "1"; }).drvPath')


def test_python_packages_follow_their_own_table(pkgs: Pkgs) -> None:
    """A Python attribute exists, warns, throws or is missing as the second table says."""
    assert pkgs("lib.isDerivation pkgs.python3Packages.old", "24.11") is True
    assert pkgs.warnings("pkgs.python3Packages.old.outPath", "25.05")
    pkgs.fails("pkgs.python3Packages.old.outPath", "25.11")
    assert pkgs("pkgs.python3Packages ? old", "26.05") is False


def test_overlays_see_the_final_set(pkgs: Pkgs) -> None:
    """`import nixpkgs { overlays }` and `pkgs.extend` reach what uses the changed attribute (lib.fix)."""
    changed = "pkgs.extend (final: previous: { bash = previous.zlib; both = [ final.bash final.zlib ]; })"
    assert pkgs(f"map (package: package.pname) ({changed}).both") == ["zlib", "zlib"]


MARKS = {
    "insecure": ("is marked as insecure", 'permittedInsecurePackages = [ "python3.13-insecure-1" ]'),
    "unfree": ("has an unfree license", "allowUnfree = true"),
    "broken": ("is marked as broken", "allowBroken = true"),
    "unsupported": ("is not available on the requested hostPlatform", "allowUnsupportedSystem = true"),
}


@pytest.mark.parametrize("mark", MARKS)
def test_a_marked_package_is_refused_until_config_allows_it(mark: str, pkgs: Pkgs) -> None:
    """Its meta can be read and has the mark; its path is an error with the reason, unless `config` allows it or its
    meta is overridden (pkgs/stdenv/generic/check-meta.nix).
    """
    reason, allowed = MARKS[mark]
    package = f"pkgs.python313.pkgs.{mark}"
    assert pkgs(f"[ {package}.meta.{mark} {package}.meta.available pkgs.python313.pkgs.numpy.meta.{mark} ]") == [
        True,
        False,
        False,
    ]
    assert reason in pkgs.fails(f"{package}.outPath")
    again = f'(import pkgs.path {{ system = "x86_64-linux"; config = {{ {allowed}; }}; }}).python313.pkgs.{mark}'
    assert pkgs(f"({again}).meta.available")
    assert pkgs(f"({again}).outPath == ({package}.overrideAttrs {{ meta = {{ }}; }}).outPath")


def test_a_disabled_package_is_named_but_not_evaluated(pkgs: Pkgs) -> None:
    """It says that it is disabled, and its path is an error (interpreters/python/mk-python-derivation.nix)."""
    assert pkgs("map (package: package.disabled) (with pkgs.python313.pkgs; [ disabled numpy ])") == [True, False]
    assert "not supported for interpreter" in pkgs.fails("pkgs.python313.pkgs.disabled.outPath")
