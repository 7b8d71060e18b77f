"""What the stand-in nixpkgs builds obeys nixpkgs' rules, one test a rule, each named with the file of nixpkgs that has
it. What evaluation shows is tested in ../test_standin.py.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nixos.box.sandbox import Box
from nixos.box.store import build, in_root
from nixos.realnix import NixError

pytestmark = pytest.mark.box


def script(text: str) -> str:
    """A Nix expression for a script with this text."""
    return f'(pkgs.writeShellScriptBin "program" {json.dumps(text).replace("${", chr(92) + "${")})'


def test_a_join_has_the_files_of_all_and_the_first_wins() -> None:
    """`symlinkJoin` merges folders by links to files; of two files the first path's stays (trivial-builders)."""
    out = build("""
        pkgs.symlinkJoin {
          name = "joined";
          paths = [ (pkgs.writeTextDir "a/one" "1") (pkgs.writeTextDir "a/two" "2") (pkgs.writeTextDir "a/one" "3") ];
          postBuild = "touch $out/after";
        }
    """)
    folder = in_root(out)
    assert sorted(path.name for path in folder.rglob("*")) == ["a", "after", "one", "two"]
    assert in_root((folder / "a/one").readlink()).read_text() == "1"
    assert not (folder / "a").is_symlink()


def test_a_script_is_checked_when_it_is_built() -> None:
    """`writeShellScriptBin` fails on what bash cannot parse (trivial-builders)."""
    build(script("echo fine"))
    with pytest.raises(NixError, match="syntax error"):
        build(script("if true; then"))


def test_a_failing_command_fails_the_build() -> None:
    """`runCommand` stops at the first command that fails, says its log, and knows its inputs' programs
    (stdenv/generic/setup.sh).
    """
    build('pkgs.runCommand "n" { nativeBuildInputs = [ pkgs.patchelf ]; } "patchelf --version > $out"')
    with pytest.raises(NixError, match="this is the log"):
        build('pkgs.runCommand "n" { } "touch $out; echo this is the log >&2; false; true"')


def test_hooks_see_every_input() -> None:
    """A setup hook is sourced, and what it gives to addEnvHooks is called with each input; Python's adds
    site-packages to PYTHONPATH (python/setup-hook.sh).
    """
    out = build("""
        pkgs.runCommand "n" {
          nativeBuildInputs = [ pkgs.python313 (pkgs.writeTextDir "lib/python3.13/site-packages/mark.py" "") ];
        } "python3 -c 'import mark; print(mark.__file__)' > $out"
    """)
    assert in_root(out).read_text().strip().endswith("/site-packages/mark.py")


def wrapped(*options: str) -> str:
    """A Nix expression for `program`, which prints its name and environment, in a binary wrapper with these options."""
    words = " ".join(options)
    inner = script('echo "$0 $*"; echo "A=${A-unset} P=${P-unset}"')
    return f"""
        pkgs.runCommand "wrapped" {{ nativeBuildInputs = [ pkgs.makeBinaryWrapper ]; }} ''
          makeBinaryWrapper ${{{inner}}}/bin/program $out/bin/other {words}
        ''
    """


@pytest.mark.parametrize(
    ("options", "environment", "expected"),
    [
        ("--set A x", {"A": "y"}, "A=x P=unset"),
        ("--set-default A x", {"A": "y"}, "A=y P=unset"),
        ("--set-default A x", {}, "A=x P=unset"),
        ("--unset A", {"A": "y"}, "A=unset P=unset"),
        ("--prefix P : a", {"P": "b"}, "A=unset P=a:b"),
        ("--suffix P : a", {"P": "b"}, "A=unset P=b:a"),
        ("--prefix P : a", {}, "A=unset P=a"),
    ],
)
def test_a_binary_wrapper_changes_the_environment(
    tmp_path: Path, options: str, environment: dict[str, str], expected: str
) -> None:
    """`makeBinaryWrapper`'s options set, default, unset and extend variables, and arguments go on
    (makeBinaryWrapper/make-binary-wrapper.sh).
    """
    box = Box(home=tmp_path / "home", environment=environment)
    printed = box.run(f"{build(wrapped(options))}/bin/other", "1", "2 3").stdout.splitlines()
    assert printed[0].endswith("/bin/program 1 2 3")
    assert printed[1] == expected


def test_a_binary_wrapper_keeps_the_callers_name_where_asked(box: Box, built: dict[str, Path]) -> None:
    """With --inherit-argv0 the program sees the wrapper's name, without it its own (make-binary-wrapper.sh)."""
    expression = """
        pkgs.runCommand "wrapped" { nativeBuildInputs = [ pkgs.makeBinaryWrapper ]; } ''
          makeBinaryWrapper ${pkgs.bash}/bin/bash $out/bin/other %s
        ''
    """
    for option, name in (("--inherit-argv0", "given"), ("", f"{built['bash']}/bin/bash")):
        program = build(expression % option)
        printed = box.run("/bin/sh", "-c", f"""exec -a given {program}/bin/other -c 'echo "$0"'""").stdout
        assert printed.strip() == name


def test_a_wrapper_wants_a_program() -> None:
    """`makeBinaryWrapper` refuses what is no executable file (make-binary-wrapper.sh)."""
    with pytest.raises(NixError, match="not an executable file"):
        build("""
            pkgs.runCommand "n" { nativeBuildInputs = [ pkgs.makeBinaryWrapper ]; }
              "makeBinaryWrapper /nowhere $out/bin/x"
        """)


def test_the_interpreter_is_managed_by_nix(box: Box, built: dict[str, Path]) -> None:
    """Python has pip for virtual environments alone: it is marked as managed from elsewhere (PEP 668), and its modules
    need no folder of Debian's (cpython/default.nix).
    """
    python = str(built["python"] / "bin/python3")
    box.run(python, "-I", "-c", "import ssl, sqlite3, ctypes, lzma, bz2, zlib, readline, curses, uuid")
    assert (in_root(built["python"]) / "lib/python3.13/EXTERNALLY-MANAGED").exists()
    paths = box.run(python, "-I", "-c", "import sys; print(*sys.path)").stdout.split()
    assert all(path.startswith(str(built["python"])) for path in paths)


def test_a_root_has_usr_of_its_packages(box: Box) -> None:
    """In `buildFHSEnv` /usr holds the packages, /lib and /bin are links into it, the loader knows /usr/lib, the profile
    is read, and the home is the caller's (build-fhsenv-bubblewrap).
    """
    root = build("""
        pkgs.buildFHSEnv {
          name = "root";
          targetPkgs = pkgs: [ pkgs.zlib pkgs.python313 ];
          profile = "export MARK=here";
          runScript = "bash";
        }
    """)
    text = """
        readlink /lib /bin
        echo "$MARK $(command -v python3) $PWD"
        python3 -c 'import ctypes; ctypes.CDLL("libz.so.1"); ctypes.CDLL("libstdc++.so.6")'
        exit 7
    """
    done = box.run(f"{root}/bin/root", "-c", text, check=False)
    assert done.stdout.split() == ["usr/lib", "usr/bin", "here", "/usr/bin/python3", "/home/user"]
    assert done.returncode == 7, done.stderr
