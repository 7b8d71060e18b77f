"""The settings: what is accepted, and how each mistake is told."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
import tomlkit
from hypothesis import given
from hypothesis import strategies as st

from nixpy.core.errors import NixpyError
from nixpy.project import config
from nixpy.styles import styles

PATH = Path("pyproject.toml")


def parsed(text: str) -> config.Settings:
    document = f"[tool.nixpy]\n{text}\n"
    table = tomllib.loads(document)["tool"]["nixpy"]
    return config.parse(table, PATH, document, ("tool", "nixpy"))


def test_everything_at_once() -> None:
    """Every setting is read as its documentation says."""
    settings = parsed(
        """
        style = "nix-ld"
        python = "3.13"
        nixpkgs = "nixos-26.05"
        systems = ["x86_64-linux", "aarch64-linux"]
        lock = "pylock.dev.toml"
        requirements = ["requirements.txt"]
        extras = ["Fast_IO"]
        groups = ["dev"]
        packages = ["git", "nodePackages.npm"]
        env = { A = "b" }
        shell-hook = "echo"
        file = "nix/nixpy.nix"
        [tool.nixpy.libraries]
        mode = "manylinux"
        optional = true
        add = ["libz.so.1"]
        ignore = ["libodbc.so.2"]
        map = { "libfoo.so.1" = "foo" }
        [tool.nixpy.external]
        map = { "dep:generic/foo" = "foo", "pkg:github/A/B" = "(pkgs.a or pkgs.b)" }
        """
    )
    assert settings.external == {"dep:generic/foo": "pkgs.foo", "dep:github/a/b": "(pkgs.a or pkgs.b)"}
    assert settings.systems == ("aarch64-linux", "x86_64-linux")
    assert settings.extras == ("fast-io",)
    assert settings.libraries.map == {"libfoo.so.1": "foo"}
    assert settings.libraries.add == ("libz.so.1",)
    assert parsed('libraries = "manylinux"').libraries.mode == "manylinux"
    assert parsed("") == config.Settings()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('pyhton = "3.13"', "unknown setting `tool.nixpy.pyhton`"),
        ("external = 3", "`tool.nixpy.external` must be a table"),
        ("external = { mapp = {} }", "unknown setting `tool.nixpy.external.mapp`"),
        ("external.map = { x = 3 }", "`tool.nixpy.external.map` must be a table of strings"),
        ('external.map = { foo = "foo" }', "`foo` is not an external dependency"),
        ('external.map = { "dep:generic/foo@1" = "foo" }', "`dep:generic/foo@1` must have no version and no marker"),
        ('external.map = { "dep:generic/foo" = "a b" }', "`a b` is not an attribute path of nixpkgs"),
        ('python = "3"', "must be a version like"),
        ("python = 3.13", "must be a version like"),
        ('systems = ["x86_64-darwin"]', "unknown system `x86_64-darwin`"),
        ('packages = ["git; rm"]', "is not an attribute"),
        ('nixpkgs = "a b"', "must be a branch"),
        ('env = { "A B" = "c" }', "is not a valid name of an environment variable"),
        ("env = { A = 1 }", "must be a table of strings"),
        ('file = "../nixpy.nix"', "must be a path in the project"),
        ('file = "nixpy.txt"', "must be a path in the project"),
        ('file = "x${y}.nix"', "must be a path in the project"),
        ('file = "a b.nix"', "must be a path in the project"),
        ('file = "flake.nix"', "is your own file"),
        ('packages = ["with"]', "is not an attribute"),
        ('shell-hook = "\\u0000"', "without a NUL"),
        ('groups = "dev"', "must be a list of strings"),
        ('allow-marked = "ecdsa"', "`tool.nixpy.allow-marked` must be a list of strings"),
        ('allow-marked = ["a b"]', "`a b` is not the name of a package"),
        ('libraries = "all"', 'must be "exact" or "manylinux"'),
        ('libraries = { mode = ["exact"] }', 'must be "exact" or "manylinux"'),
        ('libraries.runtime = "possible"', 'must be "likely", "certain" or "none"'),
        ("libraries.runtime = false", 'must be "likely", "certain" or "none"'),
        ('libraries = { ad = ["libz.so.1"] }', "unknown setting `tool.nixpy.libraries.ad`"),
        ("libraries = { optional = 1 }", "must be true or false"),
        ('libraries = { map = { "libz.so.1" = "builtins.exec [ ]" } }', "is not an attribute path"),
        ('libraries = { add = ["libc.so.6"] }', "part of glibc"),
    ],
)
def test_mistakes_name_their_line(text: str, message: str) -> None:
    """Each mistake is one error with the file, the line and what is wrong."""
    with pytest.raises(NixpyError) as caught:
        parsed(text)
    assert message in str(caught.value)
    assert caught.value.path == PATH
    assert caught.value.line == 2


TEXT = """# first
[project]  # here
name = "x"

[tool.ruff]
line-length = 100 # long
[tool.nixpy]
# mine
style = "loader"   # chosen
"""


def test_only_what_was_chosen_changes() -> None:
    """Comments, order and blank lines stay; the same choice again changes nothing."""
    text = config.updated(PATH, TEXT, {"style": "nix-ld", "python": "3.13"})
    assert text.replace('"nix-ld"', '"loader"').replace('python = "3.13"\n', "") == TEXT
    assert config.updated(PATH, text, {"style": "nix-ld", "python": "3.13"}) == text


@given(st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_line_ends_stay(end: str, pyproject: bool) -> None:
    """A file with Windows line ends has no others afterwards."""
    text = 'a = "b"' + end if not pyproject else '[project]\nname = "x"\n'.replace("\n", end)
    changed = config.updated(PATH if pyproject else Path("nixpy.toml"), text, {"style": "fhs"})
    assert tomlkit.parse(changed).unwrap()
    assert changed.startswith(text)


@pytest.mark.parametrize(("name", "style"), [("buildFHSEnv", "fhs"), ("withPackages", "with-packages"), ("FHS", "fhs")])
def test_the_spellings_of_nix_are_styles_too(name: str, style: str) -> None:
    """A style is found by its own name and by the name Nix has for it."""
    assert styles.find(name).name == style


def test_an_unknown_style_has_a_neighbour() -> None:
    """A misspelt style is an error that names the nearest."""
    with pytest.raises(NixpyError) as caught:
        styles.find("nixld2")
    assert "nix-ld" in str(caught.value.hint)


@pytest.mark.parametrize(
    "text", ['tool = "a"\n', "tool = 1\n", "[[tool]]\n", '[tool]\nnixpy = "a"\n', "tool.nixpy = []\n"]
)
def test_settings_are_not_written_into_what_is_no_table(text: str) -> None:
    """If `tool` or `tool.nixpy` is not a table, the error names the lines to write."""
    with pytest.raises(NixpyError, match="cannot write its settings") as caught:
        config.updated(PATH, text, {"style": "fhs"})
    assert 'style = "fhs"' in str(caught.value.hint)


def test_a_byte_order_mark_stays() -> None:
    """A file that an editor began with a byte order mark gets its settings, and keeps the mark and its line ends."""
    text = '\ufeff[project]\r\nname = "x"\r\n'
    new = config.updated(PATH, text, {"style": "loader"})
    assert new.startswith(text)
    assert new.replace("\r\n", "").count("\n") == 0
    assert new.endswith('[tool.nixpy]\r\nstyle = "loader"\r\n')


@pytest.mark.parametrize("ref", ['a"b', "github:NixOS/nixpkgs/nixos-26.05", "", "-x", "a b", "${x}"])
def test_a_reference_is_checked_before_it_is_written(ref: str) -> None:
    """What cannot stand in a flake reference is refused, so that no settings are written that cannot be read."""
    with pytest.raises(NixpyError, match="not a branch, tag or revision"):
        config.nixpkgs_ref(ref)
    assert config.nixpkgs_ref("nixos-26.05") == "nixos-26.05"


@pytest.mark.parametrize(
    "text",
    [
        'tool.uv.package = false\nproject.name = "f"\nproject.version = "1"\n',
        'tool = { uv = { package = false } }\n[project]\nname = "x"\n',
        '[project]\nname = "x"\n[tool]\nuv = { package = false }\n[other]\na = 1\n',
        '[tool.nixpy.libraries]\nadd = ["libz.so.1"]\n[project]\nname = "x"\n',
    ],
)
def test_odd_but_valid_files_are_not_damaged(text: str) -> None:
    """However a file is written, it means the same afterwards plus the choice, or it is refused with what to write."""
    try:
        new = tomllib.loads(config.updated(PATH, text, {"style": "fhs"}))
    except NixpyError as error:
        new, hint = None, str(error.hint)
    if new is None:
        assert 'style = "fhs"' in hint
        return
    assert new["tool"]["nixpy"].pop("style") == "fhs"
    old = tomllib.loads(text)
    old.setdefault("tool", {}).setdefault("nixpy", {})
    assert new == old
