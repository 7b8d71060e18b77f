"""What the stand-in nixpkgs builds obeys nixpkgs' rules, one test a rule, each named with the file of nixpkgs that has
it. What evaluation shows is tested in ../test_standin.py.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from nixos.box.sandbox import HOME, Box
from nixos.box.store import build, in_root
from nixos.realnix import NixError
from smallindex import build_wheel


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
    site-packages to PYTHONPATH, unless dontAddPythonPath is set (python/setup-hook.sh).
    """
    out = build("""
        pkgs.runCommand "n" {
          nativeBuildInputs = [ pkgs.python313 (pkgs.writeTextDir "lib/python3.13/site-packages/mark.py" "") ];
        } "python3 -c 'import mark; print(mark.__file__)' > $out"
    """)
    assert in_root(out).read_text().strip().endswith("/site-packages/mark.py")
    build("""
        pkgs.runCommand "n" { nativeBuildInputs = [ pkgs.python313 ]; dontAddPythonPath = true; } ''
          [ -z "''${PYTHONPATH-}" ] && touch $out
        ''
    """)


@pytest.mark.parametrize(
    ("package", "sonames"),
    [
        ("stdenv.cc.cc.lib", "libstdc++.so.6 libgcc_s.so.1 libgomp.so.1"),
        ("zlib", "libz.so.1"),
        ("libGL", "libGL.so.1 libGLX.so.0 libGLdispatch.so.0"),
        ("libx11", "libX11.so.6"),
        ("libxcursor", "libXcursor.so.1"),
    ],
)
def test_libraries_are_in_the_package_of_nixpkgs(box: Box, built: dict[str, Path], package: str, sonames: str) -> None:
    """A package has the libraries that nixpkgs' has, loads them with what they need from the store, and has no other
    package's (gcc, zlib, libglvnd, libx11).
    """
    folder = build(f"pkgs.{package}") / "lib"
    program = "import ctypes, sys; [ctypes.CDLL(f'{sys.argv[1]}/{name}') for name in sys.argv[2:]]"
    box.run(f"{built['python']}/bin/python3", "-c", program, str(folder), *sonames.split())
    assert not (in_root(folder) / "libc.so.6").exists()


# --- wrappers ---

PRINTS = """
echo "$0"; printf '<%s>' "$@"; echo; echo "A=${A-unset} P=${P-unset} $PWD"
"""
BOTH = ("makeShellWrapper", "makeBinaryWrapper")


def wrapped(maker: str, options: str, program: str = f"${{{script(PRINTS)}}}/bin/program") -> str:
    """A Nix expression for `other`, a wrapper of `program`: of one that prints its name, arguments and environment."""
    return f"""
        pkgs.runCommand "wrapped" {{ nativeBuildInputs = [ pkgs.{maker} ]; }} ''
          {maker} {program} $out/bin/other {options}
        ''
    """


@pytest.mark.parametrize("maker", BOTH)
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
        ("--suffix P : a --set A x --prefix P : c", {}, "A=x P=c:a"),
        ("--set A x --unset A", {}, "A=unset P=unset"),
    ],
)
def test_a_wrapper_changes_the_environment(
    tmp_path: Path, maker: str, options: str, environment: dict[str, str], expected: str
) -> None:
    """The options of both wrappers set, default, unset and extend variables, in their order, and arguments go on
    (setup-hooks/make-wrapper.sh, makeBinaryWrapper/make-binary-wrapper.sh).
    """
    box = Box(home=tmp_path / "home", environment=environment)
    printed = box.run(f"{build(wrapped(maker, options))}/bin/other", "1", "2 3").stdout.splitlines()
    assert printed[0].endswith("/bin/program")
    assert printed[1:] == ["<1><2 3>", f"{expected} /home/user"]


@pytest.mark.parametrize(
    ("options", "before", "shell", "binary"),
    [
        ("--prefix P : a", "b:a", "a:b", "a:b:a"),
        ("--suffix P : a", "a:b", "a:b", "a:b:a"),
        ("--suffix P : a", "ab:b", "ab:b:a", "ab:b:a"),
        ("--prefix P : a:c", "b", "a:c:b", "a:c:b"),
        ("--prefix P : a", "", "a", "a:"),
    ],
)
def test_a_script_extends_a_list_by_what_is_not_in_it(
    tmp_path: Path, options: str, before: str, shell: str, binary: str
) -> None:
    """A script moves a value to the front or leaves it where it is; a binary wrapper just joins (make-wrapper.sh,
    make-binary-wrapper.sh).
    """
    box = Box(home=tmp_path / "home", environment={"P": before})
    for maker, expected in zip(BOTH, (shell, binary), strict=True):
        printed = box.run(f"{build(wrapped(maker, options))}/bin/other").stdout.splitlines()
        assert printed[2] == f"A=unset P={expected} /home/user", maker


def test_a_wrapper_adds_flags_and_changes_the_folder(tmp_path: Path) -> None:
    """--add-flag goes before the arguments and --append-flag behind, as one word; the plural is split at blanks, and
    expanded in a script alone (make-wrapper.sh, make-binary-wrapper.sh).
    """
    options = "--chdir /tmp --add-flag 'a b' --append-flag 'c d' --add-flags 'e $A' --append-flags 'f g'"
    box = Box(home=tmp_path / "home", environment={"A": "x"})
    for maker, value in zip(BOTH, ("x", "$A"), strict=True):
        printed = box.run(f"{build(wrapped(maker, options))}/bin/other", "1").stdout.splitlines()
        assert printed[1:] == [f"<a b><e><{value}><1><c d><f><g>", "A=x P=unset /tmp"], maker


def test_only_a_script_runs_commands() -> None:
    """--run is a line of the script; makeBinaryWrapper refuses it, and each refuses what it does not know
    (make-wrapper.sh, make-binary-wrapper.sh).
    """
    ran = build(wrapped("makeShellWrapper", "--run 'export A=ran'"))
    assert "\nexport A=ran\n" in in_root(ran / "bin/other").read_text()
    with pytest.raises(NixError, match="--run"):
        build(wrapped("makeBinaryWrapper", "--run 'export A=ran'"))
    for maker in BOTH:
        with pytest.raises(NixError, match="--unknown"):
            build(wrapped(maker, "--unknown"))


@pytest.mark.parametrize("maker", BOTH)
@pytest.mark.parametrize(
    ("options", "name"),
    [
        ("", "{bash}"),
        ("--argv0 own", "own"),
        ("--argv0 own --inherit-argv0", "given"),
        ("--inherit-argv0 --argv0 own", "own"),
    ],
)
def test_a_wrapper_names_the_program_as_asked(
    box: Box, built: dict[str, Path], maker: str, options: str, name: str
) -> None:
    """A program sees its own path for a name, the one given, or with --inherit-argv0 the wrapper's (a script's is its
    path); the last option wins (make-wrapper.sh, make-binary-wrapper.sh).
    """
    bash = f"{built['bash']}/bin/bash"
    program = f"{build(wrapped(maker, options, bash))}/bin/other"
    printed = box.run("/bin/sh", "-c", f"""exec -a given {program} -c 'echo "$0"'""").stdout.strip()
    inherited = program if maker == "makeShellWrapper" else "given"
    assert printed == {"{bash}": bash, "given": inherited}.get(name, name)


def test_a_name_without_a_slash_is_resolved(box: Box, built: dict[str, Path]) -> None:
    """--resolve-argv0 looks a bare name up on PATH and leaves a path alone, also one through a link
    (make-binary-wrapper.sh).
    """
    folder = build(wrapped("makeBinaryWrapper", "--inherit-argv0 --resolve-argv0", f"{built['bash']}/bin/bash")) / "bin"
    printed = box.run(
        *("/bin/sh", "-euc"),
        f"""ln -s {folder} link; link/other -c 'echo "$0"'; PATH={folder}; exec -a other other -c 'echo "$0"'""",
    ).stdout.split()
    assert printed == ["link/other", f"{folder}/other"]


@pytest.mark.parametrize("maker", BOTH)
def test_a_wrapper_wants_a_program(maker: str) -> None:
    """Both refuse what is no executable file (make-wrapper.sh, make-binary-wrapper.sh)."""
    with pytest.raises(NixError, match="not an executable file"):
        build(wrapped(maker, "", "/nowhere"))


@pytest.mark.parametrize(("hook", "magic"), [("makeWrapper", b"#!"), ("makeBinaryWrapper", b"\x7fELF")])
def test_each_hook_has_the_short_names(hook: str, magic: bytes) -> None:
    """`makeWrapper` and `wrapProgram` are those of the hook that is an input; wrapProgram hides the program as
    .NAME-wrapped, and under the next free name where there is one (make-wrapper.sh, make-binary-wrapper.sh).
    """
    out = build(f"""
        pkgs.runCommand "wrapped" {{ nativeBuildInputs = [ pkgs.{hook} ]; }} ''
          mkdir -p $out/bin && cp ${{pkgs.bash}}/bin/bash $out/bin/
          makeWrapper $out/bin/bash $out/bin/other
          wrapProgram $out/bin/bash --set A x
          wrapProgram $out/bin/bash --set P y
        ''
    """)
    folder = in_root(out / "bin")
    assert sorted(path.name for path in folder.iterdir()) == [".bash-wrapped", ".bash-wrapped_", "bash", "other"]
    starts = {path.name: path.read_bytes()[: len(magic)] for path in folder.iterdir()}
    assert {starts["other"], starts["bash"], starts[".bash-wrapped_"]} == {magic}
    assert starts[".bash-wrapped"] == b"\x7fELF"[: len(magic)]


# --- environments ---

TWO = """
    one = pkgs.runCommand "one" { outputs = [ "out" "extra" ]; } ''
      mkdir -p $out/{bin,share/doc,alone/deep,nix-support} $extra
      echo 1 > $out/bin/one; echo same > $out/share/both; echo 1 > $out/share/doc/one; echo 1 > $out/alone/deep/file
      touch $out/nix-support/setup-hook $extra/extra
    '';
    two = pkgs.runCommand "two" { } ''
      mkdir -p $out/{bin,share/doc}
      echo 2 > $out/bin/two; echo same > $out/share/both; echo 2 > $out/share/doc/two
    '';
    clash = pkgs.writeTextDir "bin/one" "another";
"""


def environment(arguments: str) -> Path:
    """The built `buildEnv` of two packages with these arguments besides."""
    return in_root(build(f'let {TWO} in pkgs.buildEnv ({{ name = "env"; paths = [ one two ]; }} // {{ {arguments} }})'))


def files(folder: Path) -> list[str]:
    """What lies below the folder, links not followed."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir() or path.is_symlink())


def test_an_environment_merges_what_is_shared_and_links_the_rest() -> None:
    """In `buildEnv` a folder of two packages is merged and one of a single package is a link; nix-support stays out;
    files that are the same do not collide (buildenv/builder.pl).
    """
    assert files(environment("")) == ["alone", "bin/one", "bin/two", "share/both", "share/doc/one", "share/doc/two"]


def test_an_environment_has_the_paths_asked_for() -> None:
    """`pathsToLink` leaves out all else, and a folder named there is no link, be it another's alone
    (buildenv/builder.pl).
    """
    assert files(environment('pathsToLink = [ "/share/doc" ];')) == ["share/doc/one", "share/doc/two"]
    assert files(environment('pathsToLink = [ "/alone" ];')) == ["alone/deep"]
    assert (environment('pathsToLink = [ "/none" ];') / "none").is_dir()


def test_files_that_differ_collide() -> None:
    """Two files of one name fail the build, which says both; with `ignoreCollisions` the first stays
    (buildenv/builder.pl).
    """
    with pytest.raises(NixError, match=r"conflicting subpath(?s:.*)-one/bin/one"):
        environment("paths = [ one two clash ];")
    with pytest.raises(NixError, match=r"conflicting subpath(?s:.*)-one/bin/one"):
        environment("paths = [ clash two one ];")
    with pytest.raises(NixError, match="conflicting subpath"):
        environment("checkCollisionContents = false;")
    kept = environment("paths = [ clash one two ]; ignoreCollisions = true;") / "bin/one"
    assert in_root(kept.readlink()).read_text() == "another"


def test_an_environment_takes_more_outputs_and_goes_below_a_prefix() -> None:
    """`extraOutputsToInstall` adds an output where a package has it, `extraPrefix` is where all goes, and postBuild
    runs afterwards and sees $out (buildenv/default.nix).
    """
    assert "extra" in files(environment('extraOutputsToInstall = [ "extra" ];'))
    assert "extra" not in files(environment(""))
    assert files(environment('extraPrefix = "/opt"; pathsToLink = [ "/bin" ];')) == ["opt/bin/one", "opt/bin/two"]
    assert "made" in files(environment("postBuild = ''test -e $out/bin/two && touch $out/made'';"))


# --- mkDerivation and autoPatchelfHook ---


def test_phases_run_in_their_order() -> None:
    """A derivation unpacks its source and goes there; a phase is the text of its attribute, around which the default
    ones run their hooks; those of an array run after the attribute (stdenv/generic/setup.sh).
    """
    out = build("""
        pkgs.stdenv.mkDerivation {
          name = "n";
          src = pkgs.writeTextDir "file" "text";
          postFixup = "echo postFixup >> $out/order";
          preFixup = "postFixupHooks+=('echo array >> $out/order')";
          postInstall = "echo postInstall >> $out/order";
          preInstall = "mkdir $out; cp file $out/";
          buildPhase = "echo build > order; test -e file";
          preBuild = "this is not run";
          dontConfigure = true;
          configurePhase = "nor is this";
          setupHook = builtins.toFile "hook" "MARK=here";
        }
    """)
    folder = in_root(out)
    assert (folder / "order").read_text().split() == ["postInstall", "postFixup", "array"]
    assert (folder / "file").read_text() == "text"
    assert (folder / "nix-support/setup-hook").read_text() == "MARK=here"
    with pytest.raises(NixError, match="should point to the source"):
        build('pkgs.stdenv.mkDerivation { name = "n"; }')


def test_what_is_propagated_is_an_input_of_whom_uses_it() -> None:
    """`propagatedBuildInputs` are written down, and come along with the package (stdenv/generic/setup.sh)."""
    build("""
        let
          inner = pkgs.makeSetupHook { name = "inner"; } (builtins.toFile "inner.sh" "INNER=sourced");
          outer = pkgs.stdenv.mkDerivation {
            name = "outer"; dontUnpack = true; propagatedBuildInputs = [ inner ]; installPhase = "mkdir $out";
          };
        in
        pkgs.runCommand "n" { buildInputs = [ outer ]; } "test $INNER = sourced; touch $out"
    """)


def patched(arguments: str = "", prepare: str = "") -> Path:
    """A package with autoPatchelfHook of a program that needs libtinfo (ncurses), and of a library of its own that
    needs libz, both with nothing of the store in them, on this machine.
    """
    return in_root(
        build(f"""
            pkgs.stdenv.mkDerivation ({{
              name = "patched";
              dontUnpack = true;
              nativeBuildInputs = [ pkgs.autoPatchelfHook pkgs.patchelf ];
              buildInputs = [ pkgs.ncurses pkgs.zlib pkgs.zstd ];
              installPhase = ''
                mkdir -p $out/bin $out/own/libs
                cp ${{pkgs.bash}}/bin/bash $out/bin/program
                cp ${{pkgs.bzip2}}/lib/libbz2.so.1.0 $out/own/libs/libown.so
                chmod +w $out/bin/program $out/own/libs/libown.so
                patchelf --set-interpreter /lib64/ld-linux-x86-64.so.2 --remove-rpath $out/bin/program
                patchelf --add-needed libz.so.1 $out/own/libs/libown.so
                patchelf --add-needed libown.so $out/bin/program
                {prepare}
              '';
            }} // {{ {arguments} }})
        """)
    )


def run_path(file: Path) -> list[str]:
    """The run path of an ELF file."""
    done = subprocess.run(["patchelf", "--print-rpath", file], check=True, capture_output=True, text=True)
    return done.stdout.strip().split(":")


def test_programs_find_loader_and_libraries(box: Box, built: dict[str, Path]) -> None:
    """Each ELF file gets the loader and the folders that hold what it needs, of its own package first, and no other
    (auto-patchelf.py).
    """
    folder = patched()
    out = Path("/nix") / folder.relative_to(in_root(Path("/nix")))
    ncurses = build("pkgs.ncurses")
    assert sorted(run_path(folder / "bin/program")) == sorted([f"{out}/own/libs", f"{ncurses}/lib"])
    assert run_path(folder / "own/libs/libown.so") == [f"{built['zlib']}/lib"]
    assert box.run(f"{out}/bin/program", "-c", "echo started").stdout == "started\n"


def test_what_nobody_has_fails_the_build() -> None:
    """A soname that no input has is named with its file, after all have been looked at; glob patterns in
    autoPatchelfIgnoreMissingDeps let it pass (auto-patchelf.py).
    """
    prepare = "for n in 2 1; do patchelf --add-needed libnone.so.$n $out/bin/program; done"
    with pytest.raises(NixError, match=r"libnone\.so\.1 wanted by (?s:.*)libnone\.so\.2 wanted by \S+/bin/program"):
        patched(prepare=prepare)
    with pytest.raises(NixError, match=r"libnone\.so\.2 wanted by"):
        patched('autoPatchelfIgnoreMissingDeps = [ "libnone.so.1" ];', prepare)
    patched('autoPatchelfIgnoreMissingDeps = [ "libother.*" "libnone.*" ];', prepare)
    patched("autoPatchelfIgnoreMissingDeps = true;", prepare)


def test_more_folders_are_added_and_patching_is_left_out(built: dict[str, Path]) -> None:
    """`runtimeDependencies` come first, and in programs alone, `appendRunpaths` last in all; with dontAutoPatchelf
    nothing is touched (auto-patchelf.py, auto-patchelf.sh).
    """
    folder = patched('runtimeDependencies = [ pkgs.zstd ]; appendRunpaths = [ "/run/opengl-driver/lib" ];')
    program, library = run_path(folder / "bin/program"), run_path(folder / "own/libs/libown.so")
    assert program[0] == f"{built['zstd']}/lib"
    assert program[-1] == library[-1] == "/run/opengl-driver/lib"
    assert f"{built['zstd']}/lib" not in library
    assert run_path(patched("dontAutoPatchelf = true;") / "bin/program") == [""]


# --- Python ---


def test_the_interpreter_is_managed_by_nix(box: Box, built: dict[str, Path]) -> None:
    """Python has pip for virtual environments alone: it is marked as managed from elsewhere (PEP 668), and its modules
    need no folder of Debian's (cpython/default.nix).
    """
    python = str(built["python"] / "bin/python3")
    box.run(python, "-I", "-c", "import ssl, sqlite3, ctypes, lzma, bz2, zlib, readline, curses, uuid")
    assert (in_root(built["python"]) / "lib/python3.13/EXTERNALLY-MANAGED").exists()
    paths = box.run(python, "-I", "-c", "import sys; print(*sys.path)").stdout.split()
    assert all(path.startswith(str(built["python"])) for path in paths)


def test_a_virtual_environment_has_all_of_pip(box: Box, built: dict[str, Path]) -> None:
    """The stand-in's ensurepip copies what CPython's own code made: every file that pip's RECORD lists is there and has
    its checksum, each script starts this environment's Python, and pip can be removed.
    """
    box.run(str(built["python"] / "bin/python3"), "-m", "venv", ".venv")
    program = """if True:
        import base64, hashlib, importlib.metadata
        for file in importlib.metadata.files("pip"):
            data = file.locate().read_bytes()
            made = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
            print("same" if file.hash is None or file.hash.value == made else file.name)
    """
    printed = box.run(".venv/bin/python", "-I", "-c", program).stdout.splitlines()
    scripts = {"pip", "pip3", "pip3.13"}  # name their Python
    assert set(printed) == {"same", *scripts}
    assert len(printed) > 500
    for script in scripts:
        assert f" from {HOME}/.venv/lib/" in box.run(f".venv/bin/{script}", "--version").stdout
    box.run(".venv/bin/pip", "uninstall", "-q", "-y", "pip")
    assert {path.name for path in (box.home / ".venv/bin").iterdir()}.isdisjoint(scripts)


def test_what_is_overridden_on_the_interpreter_runs_at_the_end(box: Box) -> None:
    """`overrideAttrs` { postInstall } runs after nixpkgs' own and with the setup hooks of its inputs, and what is
    compiled stays as it is (cpython/default.nix).
    """
    overridden = """
        (pkgs.python313.overrideAttrs (previous: {
          nativeBuildInputs = previous.nativeBuildInputs or [ ] ++ [ pkgs.makeWrapper ];
          postInstall = previous.postInstall + ''
            wrapProgram $out/bin/python3.13 --set MARK here
          '';
        }))
    """
    python = build(overridden)
    program = "import os, sys; print(os.environ['MARK'], sys.prefix)"
    for name in ("python", "python3", "python3.13"):
        assert box.run(f"{python}/bin/{name}", "-c", program).stdout.split() == ["here", str(python)]
    assert build(f"{overridden}.compiled") == build("pkgs.python313.compiled")


def test_modules_are_found_where_wrappers_say(box: Box, built: dict[str, Path]) -> None:
    """NIX_PYTHONPATH is behind PYTHONPATH and its .pth files count; NIX_PYTHONEXECUTABLE and NIX_PYTHONPREFIX are
    what Python says of itself; what Python starts sees none of them; a virtual environment that sees the system keeps
    its own (python/sitecustomize.py).
    """
    python = built["python"] / "bin/python3"
    text = f"""
        mkdir a b c; echo 'name = "a"' > a/own.py; echo 'name = "b"' > b/own.py; touch b/other.py c/third.py
        echo $HOME/c > b/more.pth
        export NIX_PYTHONPATH=$HOME/b NIX_PYTHONEXECUTABLE=/x/python NIX_PYTHONPREFIX=/x PYTHONPATH=$HOME/a
        program='import os, sys, own, other, third; print(own.name, sys.executable, sys.prefix, sys.base_prefix)
print([name for name in os.environ if name.startswith("NIX_PY")])'
        {python} -c "$program"
        {python} -m venv --without-pip --system-site-packages .venv
        .venv/bin/python -c "$program"
    """
    printed = box.run("/bin/sh", "-euc", text).stdout.splitlines()
    assert printed[:2] == [f"a /x/python /x {built['python']}", "[]"]
    venv = f"{HOME}/.venv"
    assert printed[2:] == [
        f"a {venv}/bin/python {venv} {built['python']}",
        "['NIX_PYTHONEXECUTABLE', 'NIX_PYTHONPREFIX']",
    ]


TELLS = """
import json, os, sys
from importlib.metadata import entry_points, version

def main():
    paths = [os.environ["PATH"].split(":")[0], os.environ.get("PYTHONNOUSERSITE")]
    print(json.dumps([sys.executable, sys.prefix, sys.base_prefix, sys.argv, *paths, version("teller")]))
"""


@pytest.fixture(scope="module")
def teller(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A function over `pkgs`, in Nix, whose package has a console script that prints what its Python says of itself."""
    content = {"teller.py": TELLS, "teller-1.dist-info/entry_points.txt": "[console_scripts]\ntell = teller:main\n"}
    wheel = build_wheel(tmp_path_factory.mktemp("teller"), "teller", "1", files=content)
    return f"""
        (pkgs.python313.pkgs.buildPythonPackage {{
          pname = "teller"; version = "1"; format = "wheel"; src = {wheel}; pythonImportsCheck = [ "teller" ];
        }})
    """


def test_a_wheel_is_installed_with_its_scripts(box: Box, built: dict[str, Path], teller: str) -> None:
    """`buildPythonPackage` of a wheel installs module, metadata and console scripts. A script is a wrapper of
    .NAME-wrapped, which runs on the interpreter and finds its package by itself; its name stays (python/wrap.sh,
    wrap-python.nix, hooks).
    """
    package = build(teller)
    names = {path.name: path.read_text().splitlines() for path in in_root(package / "bin").iterdir()}
    assert set(names) == {"tell", ".tell-wrapped"}
    assert names[".tell-wrapped"][0] == f"#!{built['python']}/bin/python3.13"
    assert "bash" in names["tell"][0]
    told = json.loads(box.run(f"{package}/bin/tell", "x").stdout)
    python = str(built["python"])
    interpreter = [f"{python}/bin/python3.13", python, python]
    assert told == [*interpreter, [f"{package}/bin/tell", "x"], f"{python}/bin", "true", "1"]
    assert (in_root(package) / "nix-support/propagated-build-inputs").read_text().split() == [python]


def test_a_wheel_that_cannot_be_imported_fails(teller: str) -> None:
    """`pythonImportsCheck` names modules that must be importable (python-imports-check-hook.sh)."""
    with pytest.raises(NixError, match="No module named 'none'"):
        build(f'({teller}.overrideAttrs {{ pythonImportsCheck = [ "none" ]; }})')


def test_compiled_packages_are_nixpkgs_own(box: Box, built: dict[str, Path]) -> None:
    """A package of the set, numpy, is found by an interpreter that looks there, and takes its libraries from the
    store, with no search path set (python-packages.nix).
    """
    package = build("pkgs.python313.pkgs.numpy")
    program = "import numpy; print(numpy.__file__, *[line for line in open('/proc/self/maps') if 'stdc++' in line])"
    command = ("env", f"PYTHONPATH={package}/lib/python3.13/site-packages", f"{built['python']}/bin/python3")
    printed = box.run(*command, "-c", program).stdout
    assert printed.startswith(f"{package}/lib/python3.13/")
    assert f"{built['gcc']}/lib/" in printed


def test_an_environment_has_what_its_packages_need(box: Box) -> None:
    """What a package propagates is in the environment too, and libraries of its inputs are found
    (python-packages-base.nix, requiredPythonModules).
    """
    env = build("pkgs.python313.withPackages (ps: [ ps.pandas ps.pyodbc ])")
    program = "import pandas, numpy, pyodbc; print(pandas.__version__, numpy.__version__, pyodbc.version)"
    assert len(box.run(f"{env}/bin/python", "-c", program).stdout.split()) == 3


@pytest.mark.parametrize("release", ["24.11", "25.05", "25.11", "26.05"])
def test_an_environment_wraps_its_programs(box: Box, built: dict[str, Path], teller: str, release: str) -> None:
    """Programs of an environment run on it: a script of a package says the environment's interpreter and prefix.
    Before nixpkgs#442540 (25.11) its interpreter is told the same way and so looks like a virtual environment;
    since then it is one that was started by the environment's name (python/wrapper.nix).
    """
    env = build(f"pkgs.python313.withPackages (_: [ {teller} ])", release)
    python = str(built["python"])
    told = json.loads(box.run(f"{env}/bin/tell").stdout)
    assert told[:3] == [f"{env}/bin/python3.13", str(env), python]
    program = "import sys, teller; print(sys.executable, sys.prefix, sys.base_prefix)"
    folder = in_root(env / "bin")
    fixed = release >= "25.11"
    for name in ("python", "python3", "python3.13"):
        executable = f"{env}/bin/{name if fixed else 'python3.13'}"
        printed = box.run(f"{env}/bin/{name}", "-c", program).stdout.split()
        assert printed == [executable, str(env), str(env) if fixed else python], name
    assert {name: (folder / name).is_symlink() for name in ("python", "python3", "python3.13")} == {
        "python": fixed,
        "python3": fixed,
        "python3.13": False,
    }


# --- roots ---


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
