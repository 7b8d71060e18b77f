"""init, check and sync as a person meets them, on a project whose wheels come from the small index."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import uv

import shop
import vendored
from builderlocks import lock
from nixpy.files.reconcile import parts
from nixpy.needs import dlopen
from nixpy.styles.styles import find, styles
from othernixpy import first_format, newer_format, older_library
from runner import Nixpy
from smallindex import SmallIndex

# Of those that read poetry.lock, test_builders.py sees the same.
STYLES = [style.name for style in styles() if style.reads != "poetry.lock"]
EXAMPLES = sorted(Path(__file__).parents[2].glob("examples/*/nixpy.nix"))
PACKAGES = ("alpha", "beta", "gamma")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return shop.project(tmp_path / "demo", *PACKAGES)


@pytest.fixture
def made(project: Path, nixpy: Nixpy) -> Path:
    """A project with its files, in style loader."""
    assert nixpy("init", project, "--style", "loader").status == 0
    return project


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.slow
@pytest.mark.parametrize("style", STYLES)
def test_check_notices_every_kind_of_change(style: str, project: Path, nixpy: Nixpy, index: SmallIndex) -> None:
    """A byte of nixpy.nix, a dependency, and any field of nixpy.lock: each alone makes check exit with 1."""
    lock(project, find(style), index)
    assert nixpy("init", project, "--style", style).status == 0
    assert nixpy("check", project).status == 0
    for name in ("nixpy.nix", "nixpy.lock"):
        file = project / name
        before = file.read_bytes()
        for at in (0, len(before) // 2, len(before) - 2):
            file.write_bytes(before[:at] + bytes([before[at] ^ 1]) + before[at + 1 :])
            assert nixpy("check", project).status == 1, (name, at)
        file.write_bytes(before)
    pyproject = project / "pyproject.toml"
    before = pyproject.read_bytes()
    pyproject.write_bytes(before.replace(b'  "gamma",', b'  "gamma",\n  "delta",'))
    stale = nixpy("check", project)
    assert stale.status == 1
    assert "out of date" in stale.out
    assert "nixpy sync" in stale.out
    pyproject.write_bytes(before)
    assert nixpy("check", project).status == 0


def fields(value: object, path: tuple[object, ...] = ()) -> list[tuple[tuple[object, ...], object]]:
    if isinstance(value, dict):
        return [item for key, inner in value.items() for item in fields(inner, (*path, key))]
    if isinstance(value, list):
        return [item for at, inner in enumerate(value) for item in fields(inner, (*path, at))]
    return [(path, value)]


def test_every_field_of_the_lock_is_guarded(made: Path, nixpy: Nixpy) -> None:
    """Whichever single value of nixpy.lock is changed, check exits with 1 and says that it was edited by hand."""
    lock = made / "nixpy.lock"
    text = lock.read_text()
    for path, value in fields(json.loads(text)):
        data = json.loads(text)
        inner = data
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = "other" if isinstance(value, str) else None if value else True
        lock.write_text(json.dumps(data, indent=1) + "\n")
        result = nixpy("check", made, "--format", "json")
        assert result.status == 1, path
        assert result.json["projects"][0]["state"] == "edited"


def test_sync_heals_what_check_found(made: Path, nixpy: Nixpy) -> None:
    """After a dependency was added, sync writes what init would have, and check is content."""
    shop.project(made, *PACKAGES, "delta", "epsilon", extra=settings(made))
    assert nixpy("check", made).status == 1
    assert nixpy("sync", made).status == 0
    assert nixpy("check", made).status == 0
    assert "delta" in (made / "nixpy.lock").read_text()
    before = contents(made)
    assert nixpy("sync", made).status == 0
    assert contents(made) == before


def settings(project: Path) -> str:
    return "[tool.nixpy]" + (project / "pyproject.toml").read_text().partition("[tool.nixpy]")[2]


def test_check_needs_no_index(made: Path, nixpy: Nixpy, monkeypatch: pytest.MonkeyPatch) -> None:
    """Check works without uv, cache or a network: what was found is recorded."""
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:1/simple/")
    monkeypatch.setenv("NIXPY_CACHE_DIR", "/nonexistent")
    monkeypatch.setenv("PATH", "/nonexistent")
    assert nixpy("check", made).status == 0


def test_states_have_their_own_words_and_status(made: Path, nixpy: Nixpy) -> None:
    """Never analysed, edited, foreign, newer and of an older library are told apart, with what to do."""
    rendered, lock = made / "nixpy.nix", made / "nixpy.lock"
    nix, facts = rendered.read_text(), lock.read_text()

    def state() -> tuple[str, int]:
        result = nixpy("check", made, "--format", "json")
        return result.json["projects"][0]["state"], result.status

    rendered.unlink()
    assert state() == ("never analysed", 1)
    rendered.write_text("{ pkgs }: pkgs.hello\n")
    assert state() == ("foreign", 2)
    rendered.write_text(newer_format(nix))
    assert state() == ("newer", 2)
    rendered.write_text(nix + "# mine\n")
    assert state() == ("edited", 1)
    rendered.write_text(older_library(nix))
    assert state() == ("older library", 0)
    rendered.write_text(older_library(nix) + "# mine\n")
    assert state() == ("edited", 1)
    rendered.write_text(nix)
    lock.write_text(newer_lock(facts))
    assert state() == ("newer", 2)
    lock.write_text("{}")
    assert state() == ("foreign", 2)
    lock.write_text(facts.replace('"format": 1,', '"format": 1,\n<<<<<<< HEAD'))
    assert state() == ("merge conflict", 1)
    lock.write_text(facts.replace('"format": 1,', '"format": 1,\n<<<'))
    assert state() == ("edited", 1)
    lock.unlink()
    assert state() == ("never analysed", 1)


def newer_lock(text: str) -> str:
    """The same for nixpy.lock, whose digest is over its other values."""
    data = json.loads(text) | {"format": 9, "new": "field"}
    del data["digest"]
    digest = hashlib.sha256(json.dumps(data, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
    return json.dumps({"digest": digest, **data})


def test_edits_and_foreign_files_are_only_overwritten_by_force(made: Path, nixpy: Nixpy) -> None:
    """Sync refuses a file that was edited or is not nixpy's with exit 2, writes nothing, and obeys --force."""
    rendered = made / "nixpy.nix"
    for text in (rendered.read_text() + "# mine\n", "{ pkgs }: pkgs.hello\n"):
        rendered.write_text(text)
        before = contents(made)
        refused = nixpy("sync", made)
        assert refused.status == 2
        assert "nixpy.nix" in refused.err
        assert "--force" in refused.err
        assert contents(made) == before
        assert nixpy("sync", made, "--force").status == 0
        assert nixpy("check", made).status == 0


def test_an_older_library_is_no_failure(made: Path, nixpy: Nixpy) -> None:
    """Where only the library text is another nixpy's, check says so and exits with 0, with --strict with 1; sync takes
    this nixpy's text, without --force.
    """
    rendered = made / "nixpy.nix"
    text = rendered.read_text()
    rendered.write_text(older_library(text))
    told = nixpy("check", made)
    assert told.status == 0
    first, *others = told.out.splitlines()
    assert first == f"warning[NIX416]: {made}: older library"
    assert others[-1] == "  hint: Run `nixpy sync` to use the functions of this nixpy."
    assert f"  {rendered}: older library" in told.out.splitlines()
    assert nixpy("check", made, "--strict").status == 1
    diff = nixpy("check", made, "--diff").out
    assert "-# A line that another nixpy has.\n" in diff
    assert nixpy("sync", made).status == 0
    assert rendered.read_text() == text
    assert nixpy("check", made, "--strict").status == 0


def test_an_older_library_excuses_nothing_else(made: Path, nixpy: Nixpy) -> None:
    """Where the project changed as well, the files are stale, with --strict and without."""
    rendered, pyproject = made / "nixpy.nix", made / "pyproject.toml"
    rendered.write_text(older_library(rendered.read_text()))
    pyproject.write_text(pyproject.read_text() + 'shell-hook = "echo hello"\n')
    for options in ((), ("--strict",)):
        stale = nixpy("check", made, "--format", "json", *options)
        assert (stale.json["projects"][0]["state"], stale.status) == ("stale", 1)
    assert nixpy("sync", made).status == 0
    assert nixpy("check", made, "--strict").status == 0


def test_the_first_format_is_stale(made: Path, nixpy: Nixpy) -> None:
    """An unedited file of a nixpy whose files had one checksum is stale, and sync replaces it without --force; an
    edited one is edited.
    """
    rendered = made / "nixpy.nix"
    text = rendered.read_text()
    first = first_format(text)
    rendered.write_text(first.replace("pkgs.zlib", "pkgs.zlib-ng"))
    assert nixpy("check", made, "--format", "json").json["projects"][0]["state"] == "edited"
    assert nixpy("sync", made).status == 2
    rendered.write_text(first)
    stale = nixpy("check", made, "--format", "json")
    assert (stale.json["projects"][0]["state"], stale.status) == ("stale", 1)
    assert nixpy("sync", made).status == 0
    assert rendered.read_text() == text


def test_newer_files_are_never_overwritten(made: Path, nixpy: Nixpy) -> None:
    """Not even --force replaces what a newer nixpy wrote."""
    rendered = made / "nixpy.nix"
    rendered.write_text(newer_format(rendered.read_text()))
    before = contents(made)
    assert nixpy("check", made).status == 2
    assert nixpy("sync", made, "--force").status == 2
    assert contents(made) == before


def test_diff_shows_and_writes_nothing(project: Path, nixpy: Nixpy) -> None:
    """`init --diff` prints a unified diff and changes nothing; `check --diff` prints the edit."""
    before = contents(project)
    shown = nixpy("init", project, "--style", "loader", "--diff")
    assert shown.status == 0
    assert "+++ " in shown.out
    assert contents(project) == before
    assert nixpy("init", project, "--style", "loader").status == 0
    rendered = project / "nixpy.nix"
    added = "".join(f"+{line}" for line in rendered.read_text().splitlines(keepends=True))
    assert '+    style = "loader";\n' in added
    assert "+self.project facts\n" in added
    assert added in shown.out
    rendered.write_text(rendered.read_text() + "# mine\n")
    assert "-# mine" in nixpy("check", project, "--diff").out


def test_existing_flake_is_left_alone_and_told_what_to_add(project: Path, nixpy: Nixpy) -> None:
    """A flake.nix that is there stays byte for byte, also with --force; the lines to add are printed."""
    flake = project / "flake.nix"
    for text in ("{ outputs = _: { }; }\n", '{ inputs.flake-parts.url = "x"; }', '{ inputs.flake-utils.url = "x"; }'):
        flake.write_text(text)
        for force in ((), ("--force",)):
            result = nixpy("init", project, "--style", "loader", *force)
            assert result.status == 0
            assert "import ./nixpy.nix" in result.out
            assert flake.read_text() == text
    flake.unlink()
    assert nixpy("init", project).status == 0
    assert "is yours" not in nixpy("init", project).err  # the one nixpy wrote needs nothing added


def test_settings_keep_comments_and_order(project: Path, nixpy: Nixpy) -> None:
    """Init adds [tool.nixpy] and changes nothing else of pyproject.toml; a second init changes nothing at all."""
    pyproject = project / "pyproject.toml"
    before = pyproject.read_text()
    assert nixpy("init", project, "--style", "buildFHSEnv").status == 0
    after = pyproject.read_text()
    assert after.startswith(before.rstrip("\n"))
    assert 'style = "fhs"' in after
    assert nixpy("init", project).status == 0
    assert pyproject.read_text() == after


def test_a_requirements_project_gets_its_own_settings_file(tmp_path: Path, nixpy: Nixpy) -> None:
    """Without pyproject.toml the settings go to nixpy.toml."""
    (tmp_path / "requirements.txt").write_text("alpha\n")
    assert nixpy("init", tmp_path, "--style", "withPackages").status == 0
    assert not (tmp_path / "pyproject.toml").exists()
    assert 'style = "with-packages"' in (tmp_path / "nixpy.toml").read_text()
    assert nixpy("check", tmp_path).status == 0
    (tmp_path / "requirements.txt").write_text("# a comment\nalpha   # and space\n")
    assert nixpy("check", tmp_path).status == 0
    (tmp_path / "requirements.txt").write_text("alpha<1.1\n")
    assert nixpy("check", tmp_path).status == 1


def test_a_style_is_recommended_with_the_reason(tmp_path: Path, nixpy: Nixpy) -> None:
    """Programs inside wheels lead to a style that starts them; without any, the one that leaks nothing is taken.

    Linux decides; macOS does too where it is named.
    """
    with_program = nixpy("init", shop.project(tmp_path / "a", "alpha", "beta"), "--format", "json").project
    assert with_program["style"] == "patched-venv"
    assert "beta" in with_program["reasons"]["style"]
    named = ("--system", "x86_64-linux", "--system", "aarch64-darwin")
    project = shop.project(tmp_path / "c", "alpha", "beta")
    (project / "pyproject.toml").write_text(
        (project / "pyproject.toml").read_text().replace('"beta"', "\"beta; sys_platform == 'linux'\"")
    )
    on_macos = nixpy("init", project, *named, "--format", "json").project
    assert on_macos["style"] == "nix-ld"
    assert on_macos["reasons"]["style"].endswith("; assumes nix-ld of the host")
    without = nixpy("init", shop.project(tmp_path / "b", "alpha"), "--format", "json").project
    assert without["style"] == "loader"


def test_what_was_chosen_is_kept(made: Path, nixpy: Nixpy) -> None:
    """Python and nixpkgs, once chosen, stand in the settings and are not chosen again."""
    text = (made / "pyproject.toml").read_text()
    assert 'python = "3.13"' in text
    (made / ".python-version").write_text("3.12\n")
    assert nixpy("sync", made, "--format", "json").project["python"] == "3.13"


@pytest.mark.parametrize(
    ("arguments", "use", "entry"), [((), "flake", "nix develop"), (("--no-flake",), "nix", "nix-shell")]
)
def test_direnv_is_served_where_it_is_asked_for(
    arguments: tuple[str, ...], use: str, entry: str, project: Path, nixpy: Nixpy
) -> None:
    """`--direnv` writes .envrc, which watches what the shell is made of before it is used; one that is there stays."""
    assert nixpy("init", project, *arguments).status == 0
    assert not (project / ".envrc").exists()
    ran = nixpy("init", project, *arguments, "--direnv")
    assert f"direnv allow   # or {entry}" in ran.err
    text = (project / ".envrc").read_text()
    *watching, last = [line.split() for line in text.splitlines() if not line.startswith("#")]
    assert last == ["use", use]
    assert {words[0] for words in watching} == {"watch_file"}
    assert {"nixpy.nix", "nixpy.lock", "pyproject.toml"} < {name for words in watching for name in words[1:]}
    (project / ".envrc").write_text("mine\n")
    assert nixpy("init", project, *arguments, "--direnv").status == 0
    assert (project / ".envrc").read_text() == "mine\n"


def test_no_flake_writes_a_shell(project: Path, nixpy: Nixpy) -> None:
    """`--no-flake` writes shell.nix over the same nixpy.nix, and no flake.nix."""
    assert nixpy("init", project, "--style", "loader", "--no-flake").status == 0
    assert not (project / "flake.nix").exists()
    assert "import ./nixpy.nix" in (project / "shell.nix").read_text()


def test_a_wrong_setting_is_one_error_with_its_line(project: Path, nixpy: Nixpy) -> None:
    """A misspelt setting exits with 2, names file, line and the right spelling, and nothing is written."""
    pyproject = project / "pyproject.toml"
    pyproject.write_text(pyproject.read_text() + '[tool.nixpy]\nstlye = "loader"\n')
    before = contents(project)
    result = nixpy("init", project)
    assert result.status == 2
    line = pyproject.read_text().splitlines().index('stlye = "loader"') + 1
    assert f"pyproject.toml:{line}:" in result.err
    assert "`style`" in result.err
    assert contents(project) == before


def test_nothing_is_written_when_one_file_cannot_be(project: Path, nixpy: Nixpy) -> None:
    """Where one of the files cannot be written, none is."""
    (project / "nixpy.nix").mkdir()
    before = contents(project)
    result = nixpy("init", project, "--style", "loader")
    assert result.status == 2
    assert "nixpy.nix" in result.err
    assert contents(project) == before


def test_the_generated_files_may_live_elsewhere(project: Path, nixpy: Nixpy) -> None:
    """`file` puts nixpy.nix, and nixpy.lock beside it, where the user wants them; flake.nix follows."""
    pyproject = project / "pyproject.toml"
    pyproject.write_text(pyproject.read_text() + '[tool.nixpy]\nfile = "nix/python.nix"\n')
    assert nixpy("init", project, "--style", "loader").status == 0
    assert (project / "nix/python.nix").is_file()
    assert (project / "nix/nixpy.lock").is_file()
    assert "import ./nix/python.nix" in (project / "flake.nix").read_text()
    text = (project / "nix/python.nix").read_text()
    assert '    lock = "nix/nixpy.lock";\n' in parts(text)[0]
    # A shell that fills .venv holds the lock.
    assert "exec 9<${if shared then lib.head files else project.lock}\n" in vendored.files(text)["manager"]
    assert nixpy("check", project).status == 0


def test_libraries_can_be_mapped_added_and_ignored(tmp_path: Path, nixpy: Nixpy) -> None:
    """A soname nobody knows is told with its remedy and does not stop the rendering; each remedy works."""
    project = shop.project(tmp_path, "omega")
    result = nixpy("init", project, "--style", "loader", "--format", "json")
    assert result.status == 0
    codes = {problem["code"] for problem in result.project["problems"] if problem["package"] == "omega"}
    assert "NIX101" in codes
    text = (project / "pyproject.toml").read_text()
    for table, sonames in (
        ('map = { "libnobody.so.7" = "zlib" }', ['"libnobody.so.7" = pkgs.zlib; # omega']),
        ('ignore = ["libnobody.so.7"]', []),
        ('ignore = ["libnobody.so.7"]\nadd = ["libz.so.1"]', ['"libz.so.1" = pkgs.zlib; # [tool.nixpy]']),
    ):
        (project / "pyproject.toml").write_text(f"{text}\n[tool.nixpy.libraries]\n{table}\n")
        assert nixpy("check", project).status == 1
        synced = nixpy("sync", project, "--format", "json")
        assert "NIX101" not in [problem["code"] for problem in synced.project["problems"]]
        facts, _, _ = parts((project / "nixpy.nix").read_text())
        assert [line.strip() for line in facts.splitlines() if ".so." in line] == sonames
        assert ("    sonames = " in facts) == bool(sonames)


def test_manylinux_mode_renders_the_policy_set(made: Path, nixpy: Nixpy) -> None:
    """`libraries = "manylinux"` supplies what the wheels' policy allows, also what no wheel of today needs."""
    pyproject = made / "pyproject.toml"
    pyproject.write_text(pyproject.read_text() + 'libraries = "manylinux"\n')
    assert nixpy("sync", made).status == 0
    text = (made / "nixpy.nix").read_text()
    for soname in ("libX11.so.6", "libglib-2.0.so.0", "libGL.so.1", "libexpat.so.1"):
        assert f'"{soname}" = ' in text
    assert "libc.so.6" not in text


def test_help_reads_well(nixpy: Nixpy) -> None:
    """Every command explains itself, and the group names them all."""
    text = nixpy("--help").out
    for name in ("init", "sync", "check", "scan", "styles"):
        assert name in text
        assert "Usage: nixpy" in nixpy(name, "--help").out
    assert nixpy("--version").out.startswith("nixpy ")
    assert nixpy("chekc").status == 2


@pytest.mark.parametrize("example", [path.parent for path in EXAMPLES], ids=lambda path: path.name)
def test_examples_are_fresh(example: Path, nixpy: Nixpy) -> None:
    """Every example holds what nixpy renders today."""
    result = nixpy("check", example, "--diff", "--strict")
    assert result.status == 0, result.out


def locked(project: Path, *options: str) -> None:
    """Lock with the real uv, as a person would."""
    subprocess.run([uv.find_uv_bin(), "lock", "--quiet", *options], cwd=project, check=True)


def test_a_changed_lock_is_told_by_name(project: Path, nixpy: Nixpy) -> None:
    """With a uv.lock, check says which package changed; pure ones that need nothing do not matter."""
    locked(project)
    assert nixpy("init", project, "--style", "loader").status == 0
    assert nixpy("check", project).status == 0
    locked(project, "--upgrade-package", "gamma<1.1")
    assert "gamma" in (project / "uv.lock").read_text()
    assert nixpy("check", project).status == 0
    locked(project, "--upgrade-package", "alpha<1.1")
    stale = nixpy("check", project)
    assert stale.status == 1
    assert "alpha 1.0" in stale.out


def test_a_lock_that_is_behind_is_a_problem(project: Path, nixpy: Nixpy) -> None:
    """When pyproject.toml asks for more than uv.lock holds, sync says so and what to do."""
    locked(project)
    made = nixpy("init", project, "--style", "loader", "--format", "json").project
    assert "NIX202" not in {problem["code"] for problem in made["problems"]}
    pyproject = project / "pyproject.toml"
    pyproject.write_text(pyproject.read_text().replace('"gamma"', '"gamma",\n  "delta"'))
    synced = nixpy("sync", project, "--format", "json").project
    (problem,) = (problem for problem in synced["problems"] if problem["code"] == "NIX202")
    assert "delta" in problem["message"]
    assert "uv lock" in problem["hint"]
    behind = nixpy("check", project)
    assert behind.status == 1
    assert "uv lock" in behind.out


def test_rescan_opens_the_wheels_again(made: Path, nixpy: Nixpy, index: SmallIndex) -> None:
    """Check --rescan asks the index, not the record, and agrees where nothing changed."""
    index.requests.clear()
    assert nixpy("check", made).status == 0
    assert index.requests == []
    assert nixpy("check", made, "--rescan").status == 0
    assert any(request.path.endswith(".whl") for request in index.requests)


def test_the_flake_and_the_settings_agree_on_nixpkgs(project: Path, nixpy: Nixpy) -> None:
    """What an existing flake follows is taken over; another choice is a problem, since flake.nix is not touched."""
    (project / "flake.nix").write_text('{ inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-25.11"; }\n')
    made = nixpy("init", project, "--style", "loader", "--format", "json").project
    assert made["nixpkgs"] == "nixos-25.11"
    assert "NIX204" not in {problem["code"] for problem in made["problems"]}
    moved = nixpy("init", project, "--nixpkgs", "nixos-26.05", "--format", "json").project
    assert moved["nixpkgs"] == "nixos-26.05"
    assert "NIX204" in {problem["code"] for problem in moved["problems"]}


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ('python = "3.99"', "has no Python 3.99"),
        ('style = "loder"', "there is no style `loder`"),
    ],
)
def test_a_setting_that_nixpkgs_or_nixpy_lacks_is_located(
    setting: str, message: str, project: Path, nixpy: Nixpy
) -> None:
    """Settings that are well formed and still wrong are told with file and line; options without them."""
    path = project / "pyproject.toml"
    path.write_text(path.read_text() + f"[tool.nixpy]\n{setting}\n")
    line = path.read_text().split("\n").index(setting) + 1
    result = nixpy("init", project)
    assert result.status == 2
    assert f"{path}:{line}: " in result.err
    assert message in result.err
    key, _, value = setting.partition(" = ")
    path.write_text(path.read_text().replace(f"[tool.nixpy]\n{setting}\n", ""))
    asked = nixpy("init", project, f"--{key}", value.strip('"'))
    assert (asked.status, str(path) in asked.err) == (2, False)


def test_an_option_that_cannot_be_kept_writes_nothing(project: Path, nixpy: Nixpy) -> None:
    """A nixpkgs that would make the settings unreadable is refused before anything is written."""
    before = contents(project)
    result = nixpy("init", project, "--nixpkgs", 'a"b')
    assert (result.status, contents(project)) == (2, before)


@pytest.mark.parametrize("branch", ["unstable", "nixos-99.99", "nixos-24.05", "a-tag"])
def test_an_unknown_branch_is_doubted(branch: str, tmp_path: Path, nixpy: Nixpy) -> None:
    """NIX224 lists the branches that nixpy knows, in `init`, `sync` and `check`; an error about Python names the
    branch as it was written.
    """
    folder = shop.project(tmp_path / "demo")
    for command in (("init", "--nixpkgs", branch), ("sync",), ("check",)):
        ran = nixpy(*command, folder, "--format", "json")
        found = [one for one in ran.project["problems"] if one["code"] == "NIX224"]
        assert (ran.status, len(found)) == (0, 1)
        assert f"the branch {branch} of nixpkgs" in found[0]["message"]
        assert "nixos-26.05, nixos-unstable" in found[0]["hint"]
    assert f"{branch} (treated as nixos-unstable) has no Python 3.9" in nixpy("init", folder, "--python", "3.9").err


@pytest.mark.parametrize(
    "branch", ["nixos-unstable", "nixpkgs-unstable", "nixos-26.05-small", "26.05", "release-25.11", "0" * 40]
)
def test_a_branch_that_exists_is_not(branch: str, tmp_path: Path, nixpy: Nixpy) -> None:
    """Nor is a revision."""
    folder = shop.project(tmp_path / "demo")
    ran = nixpy("init", folder, "--nixpkgs", branch, "--format", "json")
    assert "NIX224" not in {one["code"] for one in ran.project["problems"]}


def test_a_project_without_dependencies(tmp_path: Path, nixpy: Nixpy) -> None:
    """An empty project is a project: init, check and scan work."""
    folder = shop.project(tmp_path / "empty")
    assert nixpy("init", folder).status == 0
    assert nixpy("check", folder).status == 0
    assert nixpy("scan", folder, "--format", "json").json["wheels"] == []


def test_a_diff_that_only_the_wheels_can_tell(made: Path, nixpy: Nixpy) -> None:
    """Where check cannot render what will be, --diff says who can instead of showing nothing."""
    path = made / "pyproject.toml"
    path.write_text(path.read_text().replace('"alpha"', '"alpha", "omega"'))
    stale = nixpy("check", made, "--diff")
    assert stale.status == 1
    assert "nixpy sync --diff" in stale.out


def test_lines_for_an_existing_shell(project: Path, nixpy: Nixpy) -> None:
    """With --no-flake an existing shell.nix stays as it is, and the line to add is printed."""
    (project / "shell.nix").write_text("{ }\n")
    result = nixpy("init", project, "--no-flake")
    assert result.status == 0
    assert (project / "shell.nix").read_text() == "{ }\n"
    assert "inputsFrom = [ (import ./nixpy.nix { inherit pkgs; }).shell ];" in result.out
    assert "nix-shell" in result.err


def test_git_is_only_spoken_of_where_there_is_one(project: Path, nixpy: Nixpy) -> None:
    """What to tell git is said in a repository, also from a folder inside it; without one, first how to make it, and
    why.
    """
    said = nixpy("init", project).err
    assert said.index("git init") < said.index("git add -N") < said.index(".gitignore")
    assert "each change makes `nix develop` copy this folder, .venv included, into the Nix store" in " ".join(
        said.replace("# ", "").split()
    )
    said = nixpy("init", shop.project(project.parent / "plain", *PACKAGES), "--no-flake").err
    assert "git init" not in said
    assert "git add" not in said
    (project.parent / ".git").mkdir()
    said = nixpy("init", project).err
    assert "git init" not in said
    assert "git add -N" in said
    assert ".gitignore" in said


def test_what_comes_next_is_for_where_one_stands(project: Path, nixpy: Nixpy) -> None:
    """The commands to go on with begin with the way into the project's folder, where one is not there already."""
    assert f"cd {project}\n" in nixpy("init", project).err
    assert "cd " not in nixpy("init", cwd=project).err


def test_a_flake_that_imports_the_old_file_is_told_of(project: Path, nixpy: Nixpy) -> None:
    """After `file` was changed, sync and check say that flake.nix takes a file that is not generated any more."""
    assert nixpy("init", project, "--style", "loader").status == 0
    path = project / "pyproject.toml"
    path.write_text(path.read_text().replace("[tool.nixpy]\n", '[tool.nixpy]\nfile = "nix/nixpy.nix"\n'))
    codes = [problem["code"] for problem in nixpy("sync", project, "--format", "json").project["problems"]]
    assert "NIX205" in codes
    flake = project / "flake.nix"
    told = nixpy("check", project)
    assert (told.status, "flake.nix imports ./nixpy.nix, but the generated file is nix/nixpy.nix" in told.out) == (
        1,
        True,
    )
    flake.write_text(flake.read_text().replace("./nixpy.nix", "./nix/nixpy.nix"))
    assert nixpy("check", project).status == 0
    # And back: the file that was left behind is one that nixpy made.
    path.write_text(path.read_text().replace('file = "nix/nixpy.nix"\n', ""))
    assert nixpy("sync", project).status == 0
    assert "flake.nix imports ./nix/nixpy.nix, but" in nixpy("check", project).out


def test_an_error_names_the_file_as_it_lies(tmp_path: Path, nixpy: Nixpy, monkeypatch: pytest.MonkeyPatch) -> None:
    """A damaged file of a project that is named from outside has that folder in its path once."""
    monkeypatch.chdir(tmp_path)
    project = shop.project(tmp_path / "sub", *PACKAGES)
    (project / "pdm.lock").write_text("[metadata\n")
    ran = nixpy("init", "sub")
    assert ran.status == 2
    assert "sub/pdm.lock" in ran.err
    assert "sub/sub" not in ran.err


def test_rescan_blames_the_wheels_only_for_what_they_did(made: Path, nixpy: Nixpy) -> None:
    """After a change of the dependencies, --rescan gives the reason that check gives."""
    path = made / "pyproject.toml"
    path.write_text(path.read_text().replace('"alpha"', '"alpha", "omega"'))
    again = nixpy("check", made, "--rescan")
    assert again.status == 1
    assert "the requirements in pyproject.toml changed" in again.out
    assert "what the wheels need" not in again.out


def test_sync_ends_where_init_would(tmp_path: Path, nixpy: Nixpy) -> None:
    """A project that grew step by step has the files of one that was made at once: earlier facts are still whole."""
    grown = shop.project(tmp_path / "grown", "epsilon")
    assert nixpy("init", grown, "--style", "loader").status == 0
    shop.project(grown, "epsilon", "delta", extra=settings(grown))
    synced = nixpy("sync", grown, "--format", "json")
    assert "NIX101" not in {problem["code"] for problem in synced.project["problems"]}
    made = shop.project(tmp_path / "made", "epsilon", "delta")
    assert nixpy("init", made, "--style", "loader").status == 0
    for name in ("nixpy.nix", "nixpy.lock"):
        assert (grown / name).read_text() == (made / name).read_text()


def test_another_nixpkgs_is_another_analysis(made: Path, nixpy: Nixpy) -> None:
    """Without a lock too: a release with another glibc may mean other wheels, so check asks for a sync."""
    pyproject = made / "pyproject.toml"
    pyproject.write_text(pyproject.read_text().replace("nixos-26.05", "nixos-24.11"))
    stale = nixpy("check", made)
    assert stale.status == 1
    assert "nixos-24.11" in stale.out
    assert nixpy("sync", made).status == 0
    assert nixpy("check", made).status == 0


def test_where_only_a_lock_tells(tmp_path: Path, nixpy: Nixpy) -> None:
    """A pylock.toml alone is a project: its packages are what nixpkgs is asked for, and one more makes check fail."""
    source = shop.project(tmp_path / "source", "weasyprint")
    locked(source)
    folder = tmp_path / "project"
    folder.mkdir()
    export = [uv.find_uv_bin(), "export", "--quiet", "--format", "pylock.toml", "--no-emit-project", "-o"]
    subprocess.run([*export, folder / "pylock.toml"], cwd=source, check=True)
    assert nixpy("init", folder, "--style", "with-packages").status == 0
    facts, _, _ = parts((folder / "nixpy.nix").read_text())
    assert '    packages = {\n      weasyprint = "weasyprint";\n    };\n' in facts
    shop.project(source, "weasyprint", "gamma")
    locked(source)
    subprocess.run([*export, folder / "pylock.toml"], cwd=source, check=True)
    assert nixpy("check", folder).status == 1


def test_packages_for_other_machines_are_not_asked_of_nixpkgs(tmp_path: Path, nixpy: Nixpy) -> None:
    """What a marker keeps off every system of the project is neither rendered nor reported."""
    markers = ("sourceonly ; sys_platform == 'win32'", "weasyprint ; sys_platform == 'linux'", "omega")
    project = shop.project(tmp_path, *markers)
    made = nixpy("init", project, "--style", "with-packages", "--format", "json").project
    unknown = {problem["package"] for problem in made["problems"] if problem["code"] == "NIX301"}
    assert unknown == {"omega"}  # has no wheel for macOS
    text = (project / "nixpy.nix").read_text()
    assert '      weasyprint = "weasyprint";\n' in parts(text)[0].partition("\n    packages = {\n")[2]
    assert "sourceonly" not in text


def test_logins_in_requirements_open_wheels(tmp_path: Path, nixpy: Nixpy, monkeypatch: pytest.MonkeyPatch) -> None:
    """An index with a password in a requirements file, written out or as ${VARIABLE}, serves uv and nixpy alike."""
    monkeypatch.delenv("UV_DEFAULT_INDEX")
    monkeypatch.setenv("INDEX_PASSWORD", "s3cr3t")
    stock = shop.stock(tmp_path / "stock")
    with SmallIndex(stock, auth=("user", "s3cr3t")) as private:
        address = private.url.replace("http://", "http://user:${INDEX_PASSWORD}@")
        project = tmp_path / "project"
        project.mkdir()
        (project / "requirements.txt").write_text(f"--index-url {address}\nalpha\n")
        monkeypatch.setenv("NIXPY_CACHE_DIR", str(tmp_path / "cache"))
        scanned = nixpy("scan", project / "requirements.txt")
        assert scanned.status == 0, scanned.err
        monkeypatch.setenv("NIXPY_CACHE_DIR", str(tmp_path / "another"))
        result = nixpy("init", project, "--style", "loader")
        assert result.status == 0, result.err
    for folder in (project, tmp_path / "cache", tmp_path / "another"):
        assert b"s3cr3t" not in b"".join(contents(folder).values())
    assert "s3cr3t" not in scanned.out + scanned.err
    assert "s3cr3t" not in result.out + result.err


def test_scan_uses_the_settings_of_what_it_scans(tmp_path: Path, nixpy: Nixpy) -> None:
    """A project scanned from another folder has nothing to do with that folder's uv.toml or .venv."""
    project = shop.project(tmp_path / "project", "alpha")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "uv.toml").write_text("this is [not TOML")
    assert nixpy("scan", "../project", cwd=elsewhere).status == 0
    assert nixpy("scan", project / "pyproject.toml", cwd=elsewhere).status == 0


def test_one_broken_project_does_not_hide_the_others(made: Path, tmp_path: Path, nixpy: Nixpy) -> None:
    """Check tells of every folder it was given, and its status is the worst of all."""
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "pyproject.toml").write_text("[project\n")
    result = nixpy("check", broken, made)
    assert result.status == 2
    assert f"{made}: up to date" in result.out
    assert "broken" in result.err
    states = [project["state"] for project in nixpy("check", broken, made, "--format", "json").json["projects"]]
    assert states == ["error", "fresh"]


def test_windows_line_ends_are_nobodys_edit(made: Path, nixpy: Nixpy) -> None:
    """Files that git checked out with other line ends are still fresh."""
    for name in ("nixpy.nix", "nixpy.lock"):
        path = made / name
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert nixpy("check", made).status == 0


@pytest.mark.slow
def test_bytes_depend_on_the_facts_alone(made: Path, tmp_path: Path, nixpy: Nixpy) -> None:
    """Another hash seed, locale, time zone, umask, terminal and working directory give the same files and reports."""
    before, report = contents(made), nixpy("scan", made, "--format", "json").out
    for seed, locale, zone, umask, cwd in (
        ("1", "C", "UTC", 0o077, made),
        ("4242", "tr_TR.UTF-8", "Pacific/Kiritimati", 0, tmp_path),
    ):
        for name in ("nixpy.nix", "nixpy.lock"):
            (made / name).unlink()
        environment = {**os.environ, "PYTHONHASHSEED": seed, "LC_ALL": locale, "TZ": zone, "COLUMNS": seed}

        def run(
            *arguments: str, cwd: Path = cwd, environment: dict[str, str] = environment, umask: int = umask
        ) -> bytes:
            command = [sys.executable, "-m", "nixpy", *arguments]
            done = subprocess.run(command, cwd=cwd, env=environment, umask=umask, check=True, capture_output=True)
            return done.stdout

        run("init", os.path.relpath(made, cwd))
        assert contents(made) == before
        assert run("scan", os.path.relpath(made, cwd), "--format", "json").decode() == report


def test_a_newer_nixpy_that_knows_more_is_healed_by_sync(
    made: Path, nixpy: Nixpy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the reviewed table gains a row for a recorded wheel, check asks for a sync, and the sync supplies it."""
    row = dlopen.DlopenRow(package="alpha", kind="dlopen", value="libportaudio.so.2")
    monkeypatch.setattr(dlopen, "_by_package", lambda: {"alpha": (row,)})
    assert nixpy("check", made).status == 1
    assert nixpy("sync", made).status == 0
    assert '"libportaudio.so.2" = pkgs.portaudio; # opened by alpha' in (made / "nixpy.nix").read_text()
    assert nixpy("check", made).status == 0


@pytest.mark.parametrize("settings", ['extras = ["fast"]\n', 'groups = ["more"]\n'])
def test_extras_and_groups_are_analysed_without_a_lock_too(tmp_path: Path, nixpy: Nixpy, settings: str) -> None:
    """What the settings choose is among what uv resolves, and so are its libraries."""
    project = shop.project(tmp_path)
    path = project / "pyproject.toml"
    extra = '[project.optional-dependencies]\nfast = ["alpha"]\n[dependency-groups]\nmore = ["alpha"]\n'
    path.write_text(path.read_text() + f"{extra}[tool.nixpy]\n{settings}")
    ran = nixpy("init", project, "--style", "loader", "--system", "x86_64-linux")
    assert ran.status == 0, ran.err
    assert "libz.so.1" in (project / "nixpy.nix").read_text()
    assert nixpy("check", project).status == 0


def test_environment_yml_asks_for_what_the_project_does(tmp_path: Path, nixpy: Nixpy) -> None:
    """Version and extras stand in it as in pyproject.toml, and what is for macOS alone does not."""
    project = shop.project(tmp_path, "alpha>=0.1", "beta; sys_platform == 'darwin'")
    assert nixpy("init", project, "--style", "micromamba").status == 0
    lines = (project / "environment.yml").read_text().splitlines()
    assert lines[-1] == '      - "alpha>=0.1"'
