"""The styles whose Nix code is other people's: what they must find, and what is known to break in them."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
import uv

import shop
import vendored
from builderlocks import lock
from nixos.realnix import CURRENT, evaluate, lock_flake, warnings
from nixos.rfc166 import violations
from nixpy.files.reconcile import parts
from nixpy.nixpkgs.releases import current, releases
from nixpy.styles.styles import find, recommend, styles
from runner import Nixpy, Ran
from smallindex import SmallIndex, build_wheel

BUILDERS = [style.name for style in styles() if style.inputs]


def codes(ran: Ran) -> list[str]:
    return [problem["code"] for problem in ran.project["problems"]]


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def refused(nixpy: Nixpy, project: Path, *options: str) -> str:
    """What init says when it refuses: it exits with 2 and leaves the folder as it was."""
    before = files(project)
    ran = nixpy("init", project, *options)
    assert ran.status == 2
    assert files(project) == before
    return ran.err


def test_they_are_never_recommended() -> None:
    """Whatever the wheels and systems, another style is recommended."""
    for programs in ((), ("ruff",)):
        for systems in (("x86_64-linux",), ("x86_64-linux", "aarch64-darwin")):
            assert recommend(programs, systems)[0].name not in BUILDERS


@pytest.mark.parametrize(("style", "remedy"), [("uv2nix", "uv lock"), ("poetry2nix", "poetry lock")])
def test_without_its_lock_a_style_is_refused(style: str, remedy: str, tmp_path: Path, nixpy: Nixpy) -> None:
    """A project that has not the lock that the style reads is told how to make it."""
    said = refused(nixpy, shop.project(tmp_path / "demo", "gamma"), "--style", style)
    assert "and this project has none" in said
    assert f"Run `{remedy}`" in said


def test_another_lock_than_its_own_is_refused(tmp_path: Path, nixpy: Nixpy, index: SmallIndex) -> None:
    """With uv.lock, poetry2nix wants its own, and tells the setting that chooses between them."""
    project = shop.project(tmp_path / "demo", "gamma")
    lock(project, find("uv2nix"), index)
    said = refused(nixpy, project, "--style", "poetry2nix")
    assert "but this project installs from uv.lock" in said
    assert 'set lock = "poetry.lock"' in said


def test_a_workspaces_lock_is_refused_in_a_member(tmp_path: Path, nixpy: Nixpy, index: SmallIndex) -> None:
    """In a member of a workspace uv2nix cannot see the lock, which lies outside of the flake."""
    root = tmp_path / "all"
    member = shop.project(root / "packages/demo", "gamma")
    (root / "pyproject.toml").write_text('[tool.uv.workspace]\nmembers = ["packages/*"]\n')
    lock(root, find("uv2nix"), index)
    assert "but this lock belongs to a workspace" in refused(nixpy, member, "--style", "uv2nix")


def test_pyproject_nix_wants_dependencies_that_it_can_read(tmp_path: Path, nixpy: Nixpy, index: SmallIndex) -> None:
    """Dependencies that only a lock tells are none to pyproject.nix; requirements files will do."""
    project = shop.project(tmp_path / "demo", "gamma")
    lock(project, find("poetry2nix"), index)
    assert "this project has neither" in refused(nixpy, project, "--style", "pyproject-nix")
    for name in ("poetry.lock", "pyproject.toml"):
        (project / name).unlink()
    (project / "requirements.txt").write_text("weasyprint\n")
    assert nixpy("init", project, "--style", "pyproject-nix").status == 0
    assert "requirements-files = [ ./requirements.txt ];" in (project / "nixpy.nix").read_text()


@pytest.mark.parametrize("style", BUILDERS)
def test_without_a_flake_they_are_refused(style: str, tmp_path: Path, nixpy: Nixpy) -> None:
    """There are no inputs without a flake."""
    project = shop.project(tmp_path / "demo", "weasyprint")
    said = refused(nixpy, project, "--style", style, "--no-flake")
    assert "from flake inputs" in said
    assert "Use --flake" in said


def test_a_flake_without_the_inputs_is_noticed(tmp_path: Path, nixpy: Nixpy, index: SmallIndex) -> None:
    """NIX206 names each input that the user's flake lacks, in init and check, and init prints the lines for them."""
    project = shop.project(tmp_path / "demo", "gamma")
    lock(project, find("uv2nix"), index)
    assert nixpy("init", project, "--style", "loader").status == 0
    ran = nixpy("init", project, "--style", "uv2nix", "--format", "json")
    (told,) = [problem for problem in ran.project["problems"] if problem["code"] == "NIX206"]
    assert told["message"].endswith("pyproject-nix, uv2nix, pyproject-build-systems")
    for name in find("uv2nix").inputs:
        assert f'url = "{name.url}"' in ran.project["lines"]
    assert "{ inherit pkgs inputs; }" in ran.project["lines"]
    assert "NIX206" in [
        problem["code"] for problem in nixpy("check", project, "--format", "json").json["projects"][0]["problems"]
    ]
    (project / "flake.nix").unlink()
    assert "NIX206" not in codes(nixpy("init", project, "--style", "uv2nix", "--format", "json"))
    assert nixpy("init", project, "--style", "uv2nix", "--format", "json").project["lines"] is None


def test_what_is_rendered_is_the_same_without_the_lock(tmp_path: Path, nixpy: Nixpy, index: SmallIndex) -> None:
    """A lock that went away since is a problem that check and sync tell, and no change of the files."""
    project = shop.project(tmp_path / "demo", "alpha", "gamma")
    lock(project, find("uv2nix"), index)
    assert nixpy("init", project, "--style", "uv2nix").status == 0
    before = files(project)
    (project / "uv.lock").unlink()
    (verdict,) = nixpy("check", project, "--format", "json").json["projects"]
    assert verdict["state"] == "fresh"
    assert [problem["code"] for problem in verdict["problems"]] == ["NIX207"]
    assert "NIX207" in codes(nixpy("sync", project, "--format", "json"))
    del before["uv.lock"]
    assert files(project) == before


def test_check_notices_a_change_of_poetry_lock(tmp_path: Path, nixpy: Nixpy, index: SmallIndex) -> None:
    """A lock with another version than was analysed makes the files stale."""
    project = shop.project(tmp_path / "demo", "alpha")
    lock(project, find("poetry2nix"), index)
    assert nixpy("init", project, "--style", "poetry2nix").status == 0
    assert nixpy("check", project).status == 0
    path = project / "poetry.lock"
    path.write_text(path.read_text().replace("1.1", "1.0"))
    assert nixpy("check", project).status == 1


@pytest.mark.parametrize(
    "nixpkgs", [current(), "nixos-unstable", "github:NixOS/nixpkgs/nixos-26.05-small", "nixos-27.05"]
)
def test_a_nixpkgs_on_which_it_fails_is_refused(nixpkgs: str, tmp_path: Path, nixpy: Nixpy, index: SmallIndex) -> None:
    """On each branch after the last that works, init, sync and check exit with 2. The error names the reason, the
    branch that works, other styles, and the line of the setting.
    """
    project, style = shop.project(tmp_path / "demo", "alpha"), find("poetry2nix")
    lock(project, style, index)
    assert nixpy("init", project, "--style", style.name).status == 0
    said = refused(nixpy, project, "--nixpkgs", nixpkgs.rpartition("/")[2])
    for words in ("does not work with", "since April 2026", "lib.licenses", "nixos-25.11", "uv2nix or wheel-env"):
        assert words in said
    path = project / "pyproject.toml"
    path.write_text(path.read_text().replace("nixos-25.11", nixpkgs.rpartition("/")[2]))
    line = path.read_text()[: path.read_text().index("nixpkgs =")].count("\n") + 1
    for command in ("sync", "check"):
        ran = nixpy(command, project)
        assert (ran.status, f"pyproject.toml:{line}: style poetry2nix does not work" in ran.err) == (2, True)


def test_a_nixpkgs_that_cannot_be_judged_is_told(tmp_path: Path, nixpy: Nixpy, index: SmallIndex) -> None:
    """NIX314 reports a revision, and an address in flake.nix that names no branch; a branch that works is not
    reported.
    """
    project, style = shop.project(tmp_path / "demo", "alpha"), find("poetry2nix")
    lock(project, style, index)
    assert codes(nixpy("init", project, "--style", style.name, "--format", "json")) == []
    (found,) = nixpy("init", project, "--nixpkgs", "0" * 40, "--format", "json").project["problems"][-1:]
    assert found["code"] == "NIX314"
    assert f"how old nixpkgs {'0' * 40} is" in found["message"]
    flake = project / "flake.nix"
    flake.write_text(flake.read_text().replace("github:NixOS/nixpkgs/nixos-25.11", "git+https://example.org/mine"))
    assert nixpy("init", project, "--nixpkgs", "nixos-25.11").status == 0
    (found,) = nixpy("check", project, "--format", "json").json["projects"][0]["problems"]
    assert (found["code"], "which nixpkgs flake.nix takes" in found["message"]) == ("NIX314", True)


def test_the_last_release_of_a_style_is_known() -> None:
    """A style names a branch of the table of releases, other styles, and the reason."""
    limited = [style for style in styles() if style.limits and style.limits.last_release]
    assert [style.name for style in limited] == ["poetry2nix"]
    for style in limited:
        assert style.limits is not None
        assert style.limits.last_release in releases().by_branch
        assert style.limits.later_releases
        assert set(style.instead["newer-nixpkgs"]) <= {other.name for other in styles()}


def test_what_breaks_in_poetry2nix_is_told(tmp_path: Path, nixpy: Nixpy) -> None:
    """A pluggy that is too old for hatchling, a wheel for iOS and a project of Poetry 2 are each told, with the remedy;
    what is as it should be is not.
    """
    stock = tmp_path / "stock"
    for version in ("0.13.1", "1.6.0"):
        build_wheel(stock, "pluggy", version)
    project = tmp_path / "demo"
    with SmallIndex(stock) as index:
        shop.project(project, "pluggy")
        lock(project, find("poetry2nix"), index)
        init = ("init", project, "--style", "poetry2nix", "--format", "json", "--offline")
        assert codes(nixpy(*init)) == []
        path = project / "poetry.lock"
        fine, pyproject = path.read_text(), (project / "pyproject.toml").read_text()
        path.write_text(fine.replace("1.6.0", "0.13.1"))
        (old,) = nixpy(*init).project["problems"]
        assert (old["code"], old["package"]) == ("NIX311", "pluggy")
        assert "hatchling needs 1.0.0" in old["message"]
        assert "poetry update pluggy" in old["hint"]
        later = '    {file = "pluggy-1.6.0-cp313-cp313-ios_13_0_arm64_iphoneos.whl", hash = "sha256:00"},'
        path.write_text(fine.replace("files = [", f"files = [\n{later}"))
        assert "NIX313" in codes(nixpy(*init))
        path.write_text(fine)
        (project / "pyproject.toml").write_text(
            pyproject.replace('name = "demo"\n', "").replace('version = "0.1.0"\n', "")
        )
        (new,) = nixpy(*init).project["problems"]
        assert new["code"] == "NIX312"
        assert "no name, no version" in new["message"]


EXTERNAL = '[external]\nbuild-requires = ["dep:generic/cmake"]\ndependencies = ["dep:generic/git"]\n'
SYSTEM = '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
PACKAGE = f'[project.scripts]\nrun = "demo:main"\n{SYSTEM}'


@pytest.mark.parametrize("style", ["application", "wheel-env", "pyproject-nix", "uv2nix"])
def test_what_external_asks_for_builds_the_project_too(
    style: str, tmp_path: Path, nixpy: Nixpy, index: SmallIndex
) -> None:
    """Where a style builds the project, its build has what [external] asks for, and cmake among it does not take the
    build over; its programs find what they start.
    """
    project = shop.project(tmp_path / "one", "alpha", extra=PACKAGE + EXTERNAL)
    lock(project, find(style), index)
    assert nixpy("init", project, "--style", style, "--python", "3.13").status == 0
    text = (project / "nixpy.nix").read_text()
    assert violations(text) == []
    build, run = parts(text)[0].partition("    external = {\n")[2].partition("run =")[::2]
    assert "pkgs.cmake # dep:generic/cmake" in build
    assert "pkgs.git # dep:generic/git" in run
    found = vendored.files(text)
    builds = found["own"] if style in ("application", "wheel-env") else found[f"styles/{style}"]
    assert re.search(r"\bexternal\.(build|inputs)\b", builds)
    assert re.search(r"\bexternal\.(run|wrapperArgs)\b", found[f"styles/{style}"])
    # pyproject.nix's builders, which uv2nix has, configure by a phase of their own.
    assert "dontUseCmakeConfigure = true;" in found["external"]
    assert ("external.inputs" in builds) == (style != "uv2nix")


@pytest.mark.usefixtures("real_nix")
@pytest.mark.parametrize("style", ["application", "wheel-env", "pyproject-nix", "uv2nix"])
def test_nix_builds_the_project_with_what_external_asks_for(
    style: str, tmp_path: Path, nixpy: Nixpy, index: SmallIndex
) -> None:
    """The derivation of the project itself has cmake, whose hook does not take the build over; that of its programs
    has git on their PATH.
    """
    project = shop.project(tmp_path / "one", "weasyprint", extra=PACKAGE + EXTERNAL)
    lock(project, find(style), index)
    assert nixpy("init", project, "--style", style, "--python", "3.13").status == 0
    lock_flake(project, "26.05")
    app = f"path:{project}#apps.x86_64-linux.run.program"
    names = "program: builtins.attrNames (builtins.getContext program)"
    (program,) = json.loads(CURRENT.run("nix", "eval", "--json", "--apply", names, app).stdout)
    shown = CURRENT.run("nix", "derivation", "show", "--recursive", program).stdout
    derivations = {name: one["env"] for name, one in json.loads(shown)["derivations"].items()}
    assert re.search(r"/nix/store/[a-z0-9]{32}-git-[^/ ]+/bin\b", json.dumps(derivations[Path(program).name]))
    own = [env for env in derivations.values() if env.get("pname") == "demo"]
    assert own != []
    for env in own:
        assert re.search(r"-cmake-[0-9.]+( |$)", env["nativeBuildInputs"])
        assert (env.get("dontUseCmakeConfigure") == "1") == (style != "uv2nix")


@pytest.mark.usefixtures("real_nix")
def test_a_version_that_only_the_build_tells(tmp_path: Path, nixpy: Nixpy) -> None:
    """pyproject.nix knows no such version, so it is given what nixpy reads, or is told that nobody can."""
    project = tmp_path / "one"
    (project / "demo").mkdir(parents=True)
    (project / "demo/__init__.py").write_text('__version__ = "4.2"\n')
    (project / "pyproject.toml").write_text(
        '[project]\nname = "demo"\ndynamic = ["version"]\nrequires-python = ">=3.11"\n'
        '[build-system]\nrequires = ["hatchling"]\n[tool.hatch.version]\npath = "demo/__init__.py"\n'
    )
    assert nixpy("init", project, "--style", "pyproject-nix", "--python", "3.13").status == 0
    assert 'version = "4.2";' in (project / "nixpy.nix").read_text()
    for said in evaluate(project, "26.05").values():
        assert warnings(said) == []


def test_folders_beside_the_project_are_told_of(tmp_path: Path, nixpy: Nixpy) -> None:
    """A member of the workspace is in no environment of wheels or of nixpkgs: NIX305 names it."""
    member = shop.project(tmp_path / "ws/core", extra=SYSTEM) / "pyproject.toml"
    member.write_text(member.read_text().replace('"demo"', '"core"'))
    workspace = '[tool.uv.sources]\ncore.workspace = true\n[tool.uv.workspace]\nmembers = ["core"]\n'
    project = shop.project(tmp_path / "ws", "core", extra=workspace)
    subprocess.run([uv.find_uv_bin(), "lock", "-q"], cwd=project, check=True)
    for style in ("wheel-env", "with-packages"):
        report = nixpy("init", project, "--style", style, "--python", "3.13", "--format", "json").project
        assert [(one["code"], one["package"]) for one in report["problems"]] == [("NIX305", "core")]


@pytest.mark.parametrize("style", BUILDERS)
def test_libraries_that_are_not_found_at_run_time_are_told(
    style: str, tmp_path: Path, nixpy: Nixpy, index: SmallIndex
) -> None:
    """NIX605 names a library of [external] where nothing lets the style's Python find it, and only such: a program, a
    header or a library that the settings leave out is none.
    """
    asked = '\n[external]\nhost-requires = ["dep:generic/zlib"]\ndependencies = ["dep:generic/git"{}]\n'
    ignored = '\n[tool.nixpy]\nlibraries.ignore = ["libusb-1.0.so.0"]\n'
    for number, (more, told) in enumerate((("", False), (', "dep:generic/libusb"', True))):
        for extra in ("", ignored) if told else ("",):
            project = shop.project(tmp_path / f"{number}{len(extra)}", "gamma", extra=asked.format(more) + extra)
            lock(project, find(style), index)
            made = nixpy("init", project, "--style", style, "--python", "3.13", "--format", "json")
            found = {problem["code"]: problem["message"] for problem in made.project["problems"]}
            said = found.get("NIX605", "")
            wanted = told and not extra and style != "pyproject-nix"
            assert said.startswith("libusb-1.0.so.0 of [external] is not found") == wanted
            assert ("NIX605" in found) == wanted
