"""The setting `library = "input"`: the flake input `nixpy`, what is reported about it, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import nixpy as nixpy_api
import shop
from builderlocks import lock
from nixpy.analysis import nixpylock
from nixpy.core import address
from nixpy.environment.options import resolve_options
from nixpy.project import flake, project
from nixpy.styles.styles import find
from runner import Nixpy, Ran
from smallindex import SmallIndex

SOURCE = "github:someone/nixpy"
INPUT = f'[tool.nixpy]\nlibrary = "input"\nsource = "{SOURCE}"\n'


def made(folder: Path, extra: str = INPUT) -> Path:
    return shop.project(folder / "demo", "alpha", "gamma", extra=extra)


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def problems(ran: Ran) -> list[str]:
    return [problem["message"] for problem in ran.project["problems"] if problem["code"] == "NIX209"]


def refused(nixpy: Nixpy, folder: Path, *words: str) -> str:
    """What a command says that exits with 2 and leaves the folder as it was, in one line."""
    before = files(folder)
    ran = nixpy(words[0], folder, *words[1:])
    assert (ran.status, files(folder)) == (2, before)
    return " ".join(ran.err.split())


def line_of(folder: Path, setting: str = 'library = "input"') -> str:
    """The file with the settings, and the line that has this one."""
    lines = (folder / "pyproject.toml").read_text().split("\n")
    number = lines.index(setting) + 1
    return f"{folder}/pyproject.toml:{number}:"


def test_the_generated_file_has_the_facts_alone(tmp_path: Path, nixpy: Nixpy) -> None:
    """The file holds the facts and a call of `inputs.nixpy.lib.mkProject` with their format, and no library text."""
    folder = made(tmp_path)
    assert nixpy("init", folder, "--style", "loader").status == 0
    text = (folder / "nixpy.nix").read_text()
    assert "The rest is the same for every project" not in text
    assert "Text of the library below" not in text
    assert '"libstdc++.so.6" = pkgs.stdenv.cc.cc.lib; # alpha' in text
    assert text.endswith(f"nixpy.mkProject {{\n  inherit facts inputs pkgs;\n  format = {nixpylock.NIX_FORMAT};\n}}\n")
    assert len(text.splitlines()) < 60


def test_a_new_flake_has_the_input(tmp_path: Path, nixpy: Nixpy) -> None:
    """`init` writes the input with the address of `source`, and its nixpkgs is that of the flake; `check` passes."""
    folder = made(tmp_path)
    ran = nixpy("init", folder, "--style", "loader", "--format", "json")
    assert (problems(ran), ran.project["lines"]) == ([], None)
    text = (folder / "flake.nix").read_text()
    assert f'    nixpy = {{\n      url = "{SOURCE}";\n      inputs.nixpkgs.follows = "nixpkgs";\n    }};\n' in text
    assert "import ./nixpy.nix { inherit pkgs inputs; }" in text
    checked = nixpy("check", folder, "--strict", "--format", "json")
    assert (checked.status, problems(checked)) == (0, [])


def test_the_input_of_a_style_is_there_too(tmp_path: Path, nixpy: Nixpy, index: SmallIndex) -> None:
    """A style with flake inputs of its own has these and `nixpy`."""
    folder = shop.project(tmp_path / "demo", "gamma", extra=INPUT)
    lock(folder, find("uv2nix"), index)
    assert nixpy("init", folder, "--style", "uv2nix").status == 0
    text = (folder / "flake.nix").read_text()
    assert all(f'url = "{item.url}"' in text for item in find("uv2nix").inputs)
    assert f'url = "{SOURCE}"' in text


@pytest.mark.parametrize("style", ["flake-parts", "flake-utils", "plain"])
def test_lines_are_printed_for_an_existing_flake(style: str, tmp_path: Path, nixpy: Nixpy) -> None:
    """`init` leaves a flake.nix alone, and prints the input and how the generated file is imported with it."""
    folder = made(tmp_path)
    text = {
        "flake-parts": "{\n  outputs = inputs: inputs.flake-parts.lib.mkFlake { inherit inputs; } { };\n}\n",
        "flake-utils": "{\n  outputs = { flake-utils, nixpkgs, ... }@inputs: flake-utils.lib.eachDefaultSystem (s:\n"
        "let pkgs = nixpkgs.legacyPackages.${s}; in { });\n}\n",
        "plain": "{\n  outputs = { nixpkgs, ... }@inputs: { };\n}\n",
    }[style]
    (folder / "flake.nix").write_text(text)
    ran = nixpy("init", folder, "--style", "loader", "--format", "json")
    assert [text for text in problems(ran) if not text.startswith("nixpy found no import of nixpy.nix")] == [
        'library = "input" needs the input nixpy, which flake.nix does not have'
    ]
    lines = ran.project["lines"]
    assert (
        f'      nixpy = {{\n        url = "{SOURCE}";\n        inputs.nixpkgs.follows = "nixpkgs";\n      }};\n'
        in lines
    )
    of_system = "import ./nixpy.nix { pkgs = nixpkgs.legacyPackages.${system}; inherit inputs; }"
    assert (of_system if style == "plain" else "import ./nixpy.nix { inherit pkgs inputs; }") in lines
    assert (folder / "flake.nix").read_text() == text


IMPORT = "nixpy = import ./nixpy.nix { inherit pkgs inputs; };"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ("", "needs the input nixpy"),
        ('inputs.my-nixpy.url = "github:someone/nixpy";', "needs the input nixpy"),
        ('inputs.nixpy = { inputs.nixpkgs.follows = "nixpkgs"; };', "needs the input nixpy"),
        (f'inputs.nixpy.url = "{SOURCE}";', ""),
        (f'inputs."nixpy".url = "{SOURCE}";', ""),
        (f'inputs = {{ nixpy = {{ url = "{SOURCE}"; inputs.nixpkgs.follows = "nixpkgs"; }}; }};', ""),
        (f'inputs = {{ nixpy = {{ inputs.nixpkgs.follows = "nixpkgs"; url = "{SOURCE}"; }}; }};', ""),
        ('inputs.nixpy.follows = "other/nixpy";', ""),
        ('inputs.nixpy.url = "path:/elsewhere";', "takes the input nixpy from path:/elsewhere, but `source`"),
        ('inputs = { nixpy = { url = "path:/elsewhere"; }; };', "takes the input nixpy from path:/elsewhere"),
    ],
)
def test_what_an_existing_flake_lacks_is_reported(inputs: str, said: str, tmp_path: Path, nixpy: Nixpy) -> None:
    """NIX209 reports a flake without the input or with another address, in `sync` and `check`; a line that imports
    the generated file is no input. The files are right all the same.
    """
    folder = made(tmp_path)
    assert nixpy("init", folder, "--style", "loader").status == 0
    (folder / "flake.nix").write_text(f"{{\n  {inputs}\n  outputs = inputs: {{ {IMPORT} }};\n}}\n")
    for command in ("sync", "check"):
        ran = nixpy(command, folder, "--format", "json")
        found = problems(ran)
        assert ran.status == 0
        assert (len(found), said in "".join(found)) == (1 if said else 0, True), command


@pytest.mark.parametrize("command", [("init", "--style", "loader"), ("init", "--no-flake"), ("sync",), ("check",)])
def test_a_missing_source_is_an_error(command: tuple[str, ...], tmp_path: Path, nixpy: Nixpy) -> None:
    """Without `source` every command exits with 2, writes nothing, and names the setting with its file and line."""
    folder = made(tmp_path, '[tool.nixpy]\nstyle = "loader"\nlibrary = "input"\n')
    said = refused(nixpy, folder, *command)
    assert f'{line_of(folder)} library = "input" needs `source`' in said
    assert 'set library = "vendored"' in said
    assert f'source = "{address.flake()}"' in said


def test_the_python_api_raises_the_same_error(tmp_path: Path) -> None:
    """`plan`, with and without the files of `init`, and `check` raise ProjectError with the file and the line."""
    folder = made(tmp_path, '[tool.nixpy]\nstyle = "loader"\nlibrary = "input"\n')
    found = nixpy_api.read_project(folder)
    for call in (
        lambda: nixpy_api.plan(found, offline=True),
        lambda: nixpy_api.plan(found, offline=True, user_files=False),
        lambda: nixpy_api.check(found),
    ):
        with pytest.raises(nixpy_api.ProjectError, match="needs `source`") as caught:
            call()
        assert line_of(folder) == f"{caught.value.path}:{caught.value.line}:"


def test_the_file_of_the_settings_is_named(tmp_path: Path, nixpy: Nixpy) -> None:
    """Where the settings stand in nixpy.toml, the error names that file."""
    folder = tmp_path / "demo"
    folder.mkdir()
    (folder / "requirements.txt").write_text("gamma\n")
    (folder / "nixpy.toml").write_text('style = "loader"\nlibrary = "input"\n')
    assert f"{folder}/nixpy.toml:2:" in refused(nixpy, folder, "init")


def test_a_shell_without_a_flake_is_refused(tmp_path: Path, nixpy: Nixpy) -> None:
    """`init --no-flake` is an error that says what else to do."""
    folder = made(tmp_path)
    said = refused(nixpy, folder, "init", "--style", "loader", "--no-flake")
    assert f"{line_of(folder)} library = " in said
    assert "it is not for a shell.nix" in said
    assert "Use --flake" in said


@pytest.mark.slow
@pytest.mark.parametrize("command", [("init",), ("sync",), ("check",), ("check", "--rescan")])
@pytest.mark.parametrize("entry", ["shell.nix", "default.nix"])
def test_a_shell_file_that_hands_on_no_inputs_is_refused(
    command: tuple[str, ...], entry: str, tmp_path: Path, nixpy: Nixpy
) -> None:
    """With a file that imports nixpy.nix without inputs, as `--no-flake` writes one, every command is an error; with
    one that hands them on, none is.
    """
    folder = made(tmp_path)
    assert nixpy("init", folder, "--style", "loader").status == 0
    (folder / entry).write_text("(import ./nixpy.nix { inherit pkgs; }).shell // { inputsFrom = [ ]; }\n")
    said = refused(nixpy, folder, *command)
    assert f"{entry} imports nixpy.nix without these" in said
    assert f'Remove {entry}, or set library = "vendored"' in said
    (folder / entry).write_text("(import ./nixpy.nix { inherit inputs pkgs; }).shell\n")
    (folder / "flake.nix").unlink()
    assert nixpy(*command[:1], folder, *command[1:]).status == 0


@pytest.mark.parametrize("command", ["sync", "check"])
def test_a_project_without_a_flake_is_refused(command: str, tmp_path: Path, nixpy: Nixpy) -> None:
    """Without flake.nix, sync and check are errors; a flake above, in the same repository, is enough."""
    folder = made(tmp_path)
    assert nixpy("init", folder, "--style", "loader").status == 0
    (folder / "flake.nix").rename(tmp_path / "flake.nix")
    said = refused(nixpy, folder, command)
    assert f"{line_of(folder)} library = " in said
    assert "the project has no flake.nix" in said
    assert "Run `nixpy init`, which writes flake.nix" in said
    (tmp_path / ".git").mkdir()
    assert nixpy(command, folder).status == 0


def test_the_flake_of_a_folder_is_the_nearest(tmp_path: Path) -> None:
    """Only flakes up to the top of the repository count, and the nearest first."""
    (inner := tmp_path / "top/a/b").mkdir(parents=True)
    (tmp_path / "flake.nix").touch()
    assert flake.nearest_flake(inner) is None
    (tmp_path / "top/.git").touch()  # a file, as in a worktree
    assert flake.nearest_flake(inner) is None
    for folder in (tmp_path / "top", inner):
        (folder / "flake.nix").touch()
        assert flake.nearest_flake(inner) == folder / "flake.nix"


def test_a_project_may_move_from_one_to_the_other(tmp_path: Path, nixpy: Nixpy) -> None:
    """After `library` changes, `check` finds the file out of date and `sync` writes it; `nixpy.lock` stays the same."""
    folder = made(tmp_path, "")
    assert nixpy("init", folder, "--style", "loader").status == 0
    first = files(folder)
    path = folder / "pyproject.toml"
    vendored = path.read_text()
    path.write_text(vendored.replace("[tool.nixpy]\n", INPUT))
    assert nixpy("check", folder).status == 1
    ran = nixpy("sync", folder, "--format", "json")
    assert (ran.status, len(problems(ran))) == (0, 1)
    assert {name for name, text in files(folder).items() if first[name] != text} == {"pyproject.toml", "nixpy.nix"}
    assert nixpy("check", folder).status == 0
    path.write_text(vendored)
    assert nixpy("sync", folder).status == 0
    assert files(folder) == first


def test_there_is_no_older_library(tmp_path: Path, nixpy: Nixpy) -> None:
    """A file with other facts is out of date, and one that was edited is edited: the library text is not in it."""
    folder = made(tmp_path)
    assert nixpy("init", folder, "--style", "loader").status == 0
    path = folder / "nixpy.nix"
    text = path.read_text()
    path.write_text(text.replace("inherit facts inputs pkgs;", "inherit facts pkgs inputs;"))
    assert "edited" in nixpy("check", folder).out
    path.write_text(text)
    settings = folder / "pyproject.toml"
    settings.write_text(settings.read_text().replace("[tool.nixpy]\n", '[tool.nixpy]\npackages = ["git"]\n'))
    ran = nixpy("check", folder)
    assert (ran.status, "out of date" in ran.out, "older library" in ran.out) == (1, True, False)


def test_the_digest_of_the_inputs_stays(tmp_path: Path) -> None:
    """Neither the default, written out or not, nor the flake input changes what the digest is taken of."""
    found = set()
    for number, extra in enumerate(("", '[tool.nixpy]\nlibrary = "vendored"\n', INPUT)):
        read = project.read(made(tmp_path / str(number), extra))
        found.add(read.canonical(resolve_options(read).targets()))
    assert len(found) == 1


@pytest.mark.parametrize(
    "source", ['path:/a ${b} "c" \\d', "git+https://host/x.git?ref=main&dir=a%20b", "path:./sub/nixpy", "nixpy", "''"]
)
def test_any_address_is_text_to_nix(source: str, tmp_path: Path, nixpy: Nixpy) -> None:
    """The address stands in flake.nix as a quoted string, whatever Nix reads in its characters elsewhere."""
    folder = made(tmp_path, f'[tool.nixpy]\nlibrary = "input"\nsource = {json.dumps(source)}\n')
    assert nixpy("init", folder, "--style", "loader").status == 0
    quoted = source.replace("\\", "\\\\").replace('"', '\\"').replace("${", "\\${")
    assert f'url = "{quoted}";' in (folder / "flake.nix").read_text()
    ran = nixpy("check", folder, "--format", "json")
    assert (ran.status, problems(ran)) == (0, [])


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ('library = "flake"', '`tool.nixpy.library` must be "vendored" or "input"'),
        ("library = true", '`tool.nixpy.library` must be "vendored" or "input"'),
        ("library = [1]", '`tool.nixpy.library` must be "vendored" or "input"'),
        ("source = 1", "`tool.nixpy.source` must be a flake reference"),
        ('source = ""', "`tool.nixpy.source` must be a flake reference"),
        ('source = " github:a/b"', "`tool.nixpy.source` must be a flake reference"),
        ('source = "github:a/b\\n"', "`tool.nixpy.source` must be a flake reference"),
        ('source = "github:a\\u0000b"', "`tool.nixpy.source` must be a flake reference"),
    ],
)
def test_an_invalid_value_is_an_error(setting: str, message: str, tmp_path: Path, nixpy: Nixpy) -> None:
    """A value of the wrong kind is an error with the file and line, in every command."""
    folder = made(tmp_path, f"[tool.nixpy]\n{setting}\n")
    for command in (("init", "--style", "loader"), ("sync",), ("check",)):
        said = refused(nixpy, folder, *command)
        assert message in said
        assert line_of(folder, setting) in said


def test_a_scan_needs_no_source(tmp_path: Path, nixpy: Nixpy) -> None:
    """What the wheels need is told all the same, as nothing is written."""
    folder = made(tmp_path, '[tool.nixpy]\nstyle = "loader"\nlibrary = "input"\n')
    ran = nixpy("scan", folder)
    assert (ran.status, "libstdc++.so.6" in ran.out) == (0, True)
