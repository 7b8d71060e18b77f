"""No command writes where a link of the project leads to: neither outside of it nor into another project."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import patch_venv
import pytest

import shop
from nixpy.core.errors import NixpyError
from nixpy.files import place
from nixpy.files.reconcile import OutputFile, reconcile
from runner import Nixpy

NAMES = ("nixpy.nix", "nixpy.lock", "flake.nix", "shell.nix", "default.nix", ".envrc", "environment.yml")


def tree(folder: Path) -> dict[str, bytes | str | None]:
    """Every file, link and folder below `folder`."""
    return {
        str(path.relative_to(folder)): str(path.readlink())
        if path.is_symlink()
        else path.read_bytes()
        if path.is_file()
        else None
        for path in folder.rglob("*")
    }


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project without wheels, beside a folder that is not part of it."""
    (tmp_path / "out").mkdir()
    return shop.project(tmp_path / "demo")


def linked(name: str, target: str) -> Callable[[Path], None]:
    def link(project: Path) -> None:
        (project / name).symlink_to(target)

    return link


def moved(project: Path) -> None:
    """Replace pyproject.toml by a link to a file outside."""
    (project / "pyproject.toml").rename(project.parent / "out/pyproject.toml")
    (project / "pyproject.toml").symlink_to("../out/pyproject.toml")


def below(target: str) -> Callable[[Path], None]:
    """Let nixpy.nix go to a folder that is a link."""

    def link(project: Path) -> None:
        with (project / "pyproject.toml").open("a") as file:
            file.write('[tool.nixpy]\nfile = "nix/deep/nixpy.nix"\n')
        (project / "nix").symlink_to(target)

    return link


OUTSIDE = {
    **{f"{name} to nothing": linked(name, f"../out/deep/new/{name}") for name in NAMES},
    "absolute": linked("nixpy.nix", "/nonexistent-folder/nixpy.nix"),
    "over a link": lambda project: [
        linked("nixpy.nix", "middle")(project),
        linked("middle", "../out/nixpy.nix")(project),
    ],
    "settings": moved,
    "folder": below("../out"),
    "folder that is not there": below("../out/new"),
}
OPTIONS = {
    "shell.nix": ["--no-flake"],
    "default.nix": ["--no-flake", "--style", "application"],
    "environment.yml": ["--style", "micromamba"],
    ".envrc": ["--direnv"],
}


@pytest.mark.parametrize("kind", OUTSIDE)
def test_a_link_out_of_the_project_is_one_error(kind: str, project: Path, nixpy: Nixpy) -> None:
    """The error names the file and where it leads to; nothing is changed, neither there nor in the project. In a git
    repository the hint is --follow-links, with which init writes there.
    """
    OUTSIDE[kind](project)
    options = OPTIONS.get(kind.partition(" ")[0], [])
    before = tree(project.parent)
    ran = nixpy("init", project, "--offline", *options)
    assert ran.status == 2
    assert ran.err.startswith(f"error[NIX712]: {project}/")
    assert "points to /" in ran.err
    assert "nixpy does not write outside the project" in ran.err
    assert "--follow-links" not in ran.err
    assert nixpy("init", project, "--offline", *options, "--follow-links").status == 2
    assert tree(project.parent) == before
    subprocess.run(["git", "init", "--quiet", project.parent], check=True)
    before = tree(project.parent)
    ran = nixpy("init", project, "--offline", *options)
    assert ran.status == 2
    assert ("--follow-links" in ran.err) == (kind != "absolute")
    assert tree(project.parent) == before
    ran = nixpy("init", project, "--offline", *options, "--follow-links")
    assert ran.status == (2 if kind == "absolute" else 0), ran.err
    if kind != "absolute":
        assert tree(project.parent / "out") != {}
        assert all(path.readlink() for path in project.rglob("*") if path.is_symlink())
        assert nixpy("sync", project, "--offline", "--follow-links").status == 0


def test_another_repository_is_outside(project: Path, nixpy: Nixpy) -> None:
    """--follow-links does not lead into a repository inside the repository, nor out of it, nor into the data of git."""
    linked("nixpy.nix", "../out/nixpy.nix")(project)
    for folder in (project.parent, project.parent / "out"):
        subprocess.run(["git", "init", "--quiet", folder], check=True)
    before = tree(project.parent)
    ran = nixpy("init", project, "--offline", "--follow-links")
    assert ran.status == 2
    assert "outside the repository" in ran.err
    for target in ("../.git/nixpy.nix", "../../elsewhere.nix"):
        (project / "nixpy.nix").unlink()
        (project / "nixpy.nix").symlink_to(target)
        assert nixpy("init", project, "--offline", "--follow-links").status == 2
    (project / "nixpy.nix").unlink()
    linked("nixpy.nix", "../out/nixpy.nix")(project)
    assert tree(project.parent) == before


@pytest.mark.parametrize("command", ["init", "sync"])
@pytest.mark.parametrize("name", ["nixpy.nix", "nixpy.lock"])
def test_the_file_of_another_project_stays(command: str, name: str, tmp_path: Path, nixpy: Nixpy) -> None:
    """A link to the generated file of another project is an error, with every option, and the other file stays."""
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    mine, other = shop.project(tmp_path / "mine", extra="[tool.nixpy]\nstyle = 'loader'"), tmp_path / "other"
    shop.project(other)
    assert nixpy("init", other, "--offline", "--style", "fhs").status == 0
    (mine / name).symlink_to(other / name)
    before = tree(tmp_path)
    for options in ([], ["--force"], ["--follow-links"], ["--follow-links", "--force"]):
        ran = nixpy(command, mine, "--offline", *options)
        assert ran.status == 2
        assert ran.err.startswith(f"error[NIX712]: {mine / name}: ")
        assert tree(tmp_path) == before
    assert f"{name} of another project, {other}" in ran.err


def test_a_project_below_keeps_its_file(tmp_path: Path, nixpy: Nixpy) -> None:
    """Also without a link, the generated file of a project in a folder below is not overwritten."""
    top = shop.project(tmp_path / "top", extra='[tool.nixpy]\nstyle = "loader"\nfile = "below/nixpy.nix"')
    assert nixpy("init", shop.project(top / "below"), "--offline", "--style", "fhs").status == 0
    before = tree(top)
    ran = nixpy("sync", top, "--offline")
    assert ran.status == 2
    assert f"another project, {top / 'below'}" in ran.err
    assert tree(top) == before


def test_links_inside_the_project_are_followed(project: Path, nixpy: Nixpy) -> None:
    """A link, or a linked folder, that stays in the project needs no option; a linked project is where it lies."""
    below("real")(project)
    (project / "real").mkdir()
    linked("flake.nix", "real/flake.nix")(project)
    (project.parent / "named").symlink_to("demo")
    assert nixpy("init", project.parent / "named", "--offline").status == 0
    assert {path.name for path in (project / "real").rglob("*.nix")} == {"flake.nix", "nixpy.nix"}
    assert nixpy("check", project).status == 0


def test_sync_of_all_goes_on(project: Path, nixpy: Nixpy) -> None:
    """With --all, a project with a link outwards is an error, and the other projects are written."""
    for folder in (project, project.parent / "other"):
        shop.project(folder, extra="[tool.nixpy]\nstyle = 'loader'")
    linked("nixpy.nix", "../out/nixpy.nix")(project)
    ran = nixpy("sync", project.parent, "--all", "--offline")
    assert ran.status == 2
    assert "does not write outside the project" in ran.err
    assert not (project.parent / "out/nixpy.nix").exists()
    assert (project.parent / "other/nixpy.nix").exists()


def test_two_outputs_are_two_files(tmp_path: Path) -> None:
    """Two files of one command that links make the same file are an error."""
    (tmp_path / "a").symlink_to("b")
    with pytest.raises(NixpyError, match="the same file as") as caught:
        reconcile([OutputFile(path=tmp_path / name, text="new", generated=False) for name in "ba"], write=True)
    assert caught.value.path == tmp_path / "a"
    assert not (tmp_path / "b").exists()


def test_what_is_as_it_should_be_needs_no_place(tmp_path: Path) -> None:
    """A file of the user that does not change may be a link to anywhere, as nothing is written."""
    (tmp_path / "project").mkdir()
    (tmp_path / "text").write_text("text")
    (tmp_path / "project/link").symlink_to("../text")
    output = OutputFile(path=tmp_path / "project/link", text="text", generated=False)
    reconcile([output], write=True)
    with pytest.raises(NixpyError):
        reconcile([OutputFile(path=output.path, text="other", generated=False)], write=True)


@pytest.mark.parametrize(
    "text",
    [
        "[[[",
        "tool = 1",
        "[tool.nixpy]\nfile = 2",
        '[tool.nixpy]\nfile = "a\\u0000b"',
        "[tool.nixpy]\nfile = 1\nx = " + "[" * 20_000,
    ],
)
def test_damaged_settings_of_another_project(text: str, tmp_path: Path) -> None:
    """A project whose settings cannot be read has its nixpy.nix in the usual place."""
    (tmp_path / ".git").mkdir()
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "pyproject.toml").write_text(text)
    (tmp_path / "a/nixpy.nix").symlink_to("../b/nixpy.nix")
    with pytest.raises(NixpyError, match="another project"):
        place.target(tmp_path / "a/nixpy.nix", tmp_path / "a", follow_links=True)


def test_new_needs_a_folder_without_links(tmp_path: Path, nixpy: Nixpy) -> None:
    """A folder that has a link, even one to nothing, is not empty: `nixpy new` writes neither there nor behind it."""
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo/flake.nix").symlink_to("../out")
    before = tree(tmp_path)
    assert nixpy("new", tmp_path / "demo", "--defaults").status == 2
    assert tree(tmp_path) == before


def venv(folder: Path, record: object = None) -> Path:
    """Make a virtual environment as far as `nixpy patch` looks at it."""
    (folder / "lib/python3.13/site-packages").mkdir(parents=True)
    (folder / "pyvenv.cfg").touch()
    if record is not None:
        (folder / ".nixpy-patched/originals").mkdir(parents=True)
        (folder / ".nixpy-patched/record.json").write_text(json.dumps({"format": 1, "files": record}))
    return folder


def site_outside(project: Path) -> None:
    folder = venv(project / ".venv") / "lib/python3.13/site-packages"
    folder.rmdir()
    folder.symlink_to(project.parent / "out")


def lib_outside(project: Path) -> None:
    venv(project.parent / "out")
    (project / ".venv").mkdir()
    (project / ".venv/pyvenv.cfg").touch()
    (project / ".venv/lib").symlink_to("../../out/lib")


def own_inside(*parts: str) -> Callable[[Path], None]:
    """Return what makes an environment, patched once, with a link to a folder outside below `.nixpy-patched`."""

    def make(project: Path) -> None:
        link = venv(project / ".venv", {}).joinpath(".nixpy-patched", *parts)
        if link.is_dir():
            link.rmdir()
        link.unlink(missing_ok=True)
        link.symlink_to(project.parent / "out" / link.name if link.suffix else project.parent / "out")

    return make


def recorded(name: str) -> Callable[[Path], None]:
    def make(project: Path) -> None:
        venv(project / ".venv", {name: {}})

    return make


ENVIRONMENTS = {
    "environment": lambda project: [venv(project.parent / "out/env"), linked(".venv", "../out/env")(project)],
    "own folder": lambda project: linked(".venv/.nixpy-patched", "../../out")(venv(project / ".venv").parent),
    "originals": own_inside("originals"),
    "folder of originals": own_inside("originals", "lib"),
    "record": own_inside("record.json"),
    "recorded": recorded("../../out/victim"),
    "recorded from the root": recorded("/usr/bin/env"),
    "no name": recorded("a\0b"),
    "site-packages": site_outside,
    "lib": lib_outside,
}


@pytest.fixture
def shell(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the shell of style patched-venv sets, with one library that packages open by name."""
    folder = tmp_path_factory.mktemp("shell")
    (folder / "libz.so.1").touch()
    settings = {"libraries": str(folder), "loader": sys.executable, "patchelf": "/bin/false", "driver": []}
    (folder / "settings.json").write_text(json.dumps({**settings, "opened": ["libz.so.1"]}))
    monkeypatch.setenv("NIXPY_PATCH", str(folder / "settings.json"))


@pytest.mark.slow
@pytest.mark.usefixtures("shell")
@pytest.mark.parametrize("restore", [[], ["--restore"]])
@pytest.mark.parametrize("kind", ENVIRONMENTS)
def test_patch_stays_in_its_environment(kind: str, restore: list[str], project: Path, nixpy: Nixpy) -> None:
    """`nixpy patch`, and the program that the shell has without nixpy, refuse an environment whose links or record lead
    out of it, and change nothing.
    """
    ENVIRONMENTS[kind](project)
    before = tree(project.parent)
    ran = nixpy("patch", *restore, cwd=project)
    assert ran.status == 2
    assert ran.err.startswith("error[NIX714]: .venv")
    assert "hint: " in ran.err
    assert tree(project.parent) == before
    program = [sys.executable, "-IS", patch_venv.__file__, *restore]
    alone = subprocess.run(program, check=False, cwd=project, capture_output=True, text=True)
    assert (alone.returncode, alone.stdout) == (2, "")
    assert alone.stderr == ran.err
    assert tree(project.parent) == before


@pytest.mark.usefixtures("shell")
def test_patch_follows_links_inside_its_environment(project: Path, nixpy: Nixpy) -> None:
    """An environment that is a link inside the project, and has `lib64` for `lib`, is patched and restored."""
    venv(project / "env")
    (project / "env/lib64").symlink_to("lib")
    (project / ".venv").symlink_to("env")
    before = tree(project.parent)
    assert nixpy("patch", cwd=project).status == 0
    assert list((project / "env").rglob("nixpy-preload.pth"))
    assert nixpy("patch", "--restore", cwd=project).status == 0
    assert tree(project.parent) == before
