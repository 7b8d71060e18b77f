"""The checks of the content of an environment, on made facts: what each says, which command it names, and when it says
nothing.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from doctor.world import PROJECT, ROOT, STARTED, SUPPLIERS, VENV, codes, diagnostics, only
from nixpy.doctor.facts import InstalledPackage, MissingLibrary, MissingVersion, StartedPython, UnreadableFile

SITE = ROOT / ".venv/lib/python3.13/site-packages"
INFO = SITE / "numpy-2.1.0.dist-info"
CORE = SITE / "numpy/core.so"
NUMPY = InstalledPackage(name="numpy", version="2.1.0", folders=(INFO,), installer="uv", requirement="numpy==2.1.0")
DAMAGED = replace(NUMPY, damaged=((CORE, "is empty"),))
TOOL = replace(DAMAGED, name="tool", folders=(SITE / "tool-1.dist-info",), requirement="tool==1", version="1")
GLIBC = StartedPython(
    version="3.13.5",
    base_prefix=Path("/usr"),
    loader=Path("/lib64/ld-linux-x86-64.so.2"),
    loaded=frozenset(),
    search=(),
    cached=frozenset(),
)


def packages(number: int, **changes: Any) -> dict[str, Any]:
    """Facts with so many packages of the project that are like this."""
    names = [f"p{i}" for i in range(number)]
    found = tuple(replace(NUMPY, name=name, requirement=f"{name}==1", **changes) for name in names)
    venv = replace(VENV, packages=frozenset(names))
    return {"installed": found, "project": replace(PROJECT, locked=frozenset(names)), "venv": venv}


def test_healthy_packages() -> None:
    """Packages with their files, a project that has their versions, and no finding."""
    assert codes(installed=(NUMPY, replace(NUMPY, name="other", version=None)), wanted={"numpy": "==2.1.0"}) == []


# --- files ---


def test_damaged_files() -> None:
    """The first file is named, the number of the others is, and so is a package of which nothing is left."""
    found = only(installed=(DAMAGED,))
    assert (found.code, found.packages) == ("NIX418", ("numpy",))
    assert found.message == f"{CORE} of numpy 2.1.0 is empty"
    assert found.command == "uv sync --reinstall-package=numpy"
    found = only(installed=(replace(DAMAGED, damaged=DAMAGED.damaged * 3),))
    assert found.message.endswith("is empty; 2 more files of it are damaged")
    lost = replace(NUMPY, damaged=((CORE, "does not exist"),), lost=True)
    assert only(installed=(lost,)).message == (
        f"{CORE} of numpy 2.1.0 does not exist, nor does any other file of it; only numpy-2.1.0.dist-info is left"
    )


def test_many_damaged_packages() -> None:
    """A new environment is one command."""
    assert len(diagnostics(**packages(5, damaged=DAMAGED.damaged))) == 5
    found = only(**packages(6, damaged=DAMAGED.damaged))
    assert found.message.startswith(f"files of p0, p1, p2 and 3 more in {VENV.folder} are damaged: {CORE} of p0 is")
    assert found.command == f"rm -r {VENV.folder} && uv sync"


@pytest.mark.parametrize(
    ("manager", "install", "command"),
    [
        ("uv", "uv sync --frozen", "uv sync --frozen --reinstall-package=numpy"),
        ("uv", "uv pip install -r a.txt", "uv pip install -r a.txt --reinstall-package=numpy"),
        (
            "pip",
            "p",
            ".venv/bin/python -m pip install --no-input --force-reinstall --no-deps numpy==2.1.0",
        ),
        ("pdm", "pdm --non-interactive sync", "pdm --non-interactive sync --reinstall"),
        ("poetry", "poetry install", f"rm -r {INFO} && poetry install"),
        ("none", "pipenv sync --dev", f"rm -r {INFO} && pipenv sync --dev"),
    ],
)
def test_each_manager_installs_again(manager: str, install: str, command: str) -> None:
    """With its own command; one that has none takes a package without dist-info for missing."""
    project = replace(PROJECT, manager=manager, install=install)
    assert only(installed=(DAMAGED,), project=project).command == command


@pytest.mark.parametrize("project", [None, PROJECT])
def test_a_package_that_the_project_does_not_list(project: object) -> None:
    """It is installed again alone, by its installer, and pip needs to be there."""
    well = {"project": project, "installed": (TOOL,)}
    path = ".venv" if project else f"{VENV.folder}"
    assert only(**well).command.endswith("uv pip install --reinstall --no-deps tool==1")
    with_pip = replace(VENV, packages=frozenset({"pip", "numpy"}))
    assert only(**well, venv=with_pip).command.endswith("uv pip install --reinstall --no-deps tool==1")
    well["installed"] = (replace(TOOL, installer="pip"),)
    assert only(**well, venv=with_pip).command == (
        f"{path}/bin/python -m pip install --no-input --force-reinstall --no-deps tool==1"
    )


def test_a_library_that_the_wheel_itself_contains() -> None:
    """Without a RECORD only the file that needs it shows that it is missing; nixpy init would not help."""
    missing = MissingLibrary(soname="libopenblas-0a1b2c3d.so", wheel="numpy", files=("numpy/core.so",), optional=False)
    facts: dict[str, Any] = {"unfound": (missing,), "suppliers": {missing.soname: SUPPLIERS["libfoo.so.1"]}}
    found = only(**facts, installed=(NUMPY,))
    assert (found.code, found.command) == ("NIX418", "uv sync --reinstall-package=numpy")
    assert "which numpy itself contains, does not exist; numpy/core.so needs it" in found.message
    assert only(**facts, installed=(replace(NUMPY, metadata="RECORD does not exist"),)).code == "NIX419"
    libs = SITE / "numpy.libs/libopenblas-0a1b2c3d.so"
    assert len(diagnostics(**facts, installed=(replace(NUMPY, damaged=((libs, "does not exist"),)),))) == 1


# --- metadata ---


def test_broken_metadata() -> None:
    """The folder is removed first, since no installer can remove the package."""
    found = only(installed=(replace(DAMAGED, metadata="RECORD does not exist"),))
    assert (found.code, found.message) == ("NIX419", "numpy is not installed properly: RECORD does not exist")
    assert found.command == f"rm -r {INFO} && uv sync --reinstall-package=numpy"


# --- tags ---


def test_wheels_that_do_not_fit() -> None:
    """The cause is the wheel, and the command installs it again, with no library and no nixpy init."""
    found = only(installed=(replace(NUMPY, unfit="is for musl"),))
    assert (found.code, found.command) == ("NIX420", "uv sync --reinstall-package=numpy")
    assert found.message == f"the wheel of numpy 2.1.0 in {VENV.folder} is for musl"
    found = only(**packages(6, unfit="is for macOS"))
    assert "p0, p1, p2 and 3 more" in found.message
    assert found.command == f"rm -r {VENV.folder} && uv sync"


# --- editable packages ---


@pytest.mark.parametrize(
    ("lost", "listed", "command"),
    [
        (ROOT / "lib", True, "uv remove numpy"),
        (ROOT.parent / "lib", True, "uv remove numpy"),
        (Path("/old/place/demo/lib"), True, "uv sync --reinstall-package=numpy"),
        (ROOT / "lib", False, "uv pip uninstall numpy"),
    ],
)
def test_an_editable_package_without_its_source(lost: Path, listed: bool, command: str) -> None:
    """Only if the project was moved, the folder that the lock names exists."""
    package = replace(NUMPY, editable=lost, requirement=f"--editable={lost}")
    project = PROJECT if listed else replace(PROJECT, locked=frozenset(), packages=frozenset())
    found = only(installed=(package,), project=project)
    assert (found.code, found.command) == ("NIX421", command)
    assert found.message.startswith(f"numpy is installed as editable from {lost}, which does not exist")


def test_an_editable_package_with_another_layout(tmp_path: Path) -> None:
    """Its folder exists, and the folder below it from which it was imported does not."""
    package = replace(NUMPY, editable=tmp_path / "src", requirement=f"--editable={tmp_path}")
    project = replace(PROJECT, locked=frozenset())
    command = only(installed=(package,), project=project).command
    assert command == f"uv pip install --reinstall --no-deps --editable={tmp_path}"


def test_what_pip_requires_is_removed_by_hand() -> None:
    """A line of a requirements file has no command that removes it."""
    project = replace(PROJECT, manager="pip", source="requirements.txt")
    package = replace(NUMPY, editable=ROOT / "lib", requirement="")
    assert only(installed=(package,), project=project).command == "${EDITOR:-vi} requirements.txt"


# --- files that cannot be read ---


@pytest.mark.parametrize(
    ("changes", "command"),
    [
        ({}, f"chmod u+rX {CORE}"),
        ({"own": False}, f"sudo chmod a+rX {CORE}"),
        ({"permission": False}, "uv sync --reinstall-package=numpy"),
        ({"permission": False, "package": "stray"}, f"rm {CORE}"),
    ],
)
def test_unreadable_files(changes: dict[str, Any], command: str) -> None:
    """The mode is corrected, by the owner; a file on a broken disk is installed again."""
    file = UnreadableFile(path=CORE, package="numpy", reason="Permission denied", permission=True, own=True)
    found = only(unreadable=(replace(file, **changes),), installed=(NUMPY,))
    assert (found.code, found.command) == ("NIX422", command)
    assert f"{CORE} of " in found.message
    assert "Permission denied" in found.message


def test_unreadable_elf_files() -> None:
    """A warning names the first file and how many there are; those that are known to be damaged are left out."""
    found = only(unreadable_elf={"numpy": (CORE, CORE.with_name("tool"))}, installed=(NUMPY,))
    assert (found.code, found.level, found.packages) == ("NIX104", "warning", ("numpy",))
    assert found.command == "uv sync --reinstall-package=numpy"
    assert found.message == (
        f"nixpy cannot read 2 ELF files such as {CORE} of numpy, so it does not check the libraries that they need"
    )
    one = only(unreadable_elf={"numpy": (CORE,)})
    assert "cannot read the ELF file " in one.message
    assert one.message.endswith("that it needs")
    assert codes(unreadable_elf={"numpy": (CORE,)}, installed=(DAMAGED,)) == ["NIX418"]


# --- symbol versions ---


def lacking(soname: str, *versions: str, library: str = "/usr/lib/libx.so") -> tuple[MissingVersion, ...]:
    return tuple(
        MissingVersion(
            wheel="numpy", file="numpy/core.so", soname=soname, version=one, library=Path(library), newest="X_1"
        )
        for one in versions
    )


def test_a_glibc_that_is_too_old() -> None:
    """A Python from Nix gets a newer nixpkgs if there is one; else another wheel must do."""
    found = only(versions=lacking("libc.so.6", "GLIBC_2.99", "GLIBC_2.98"), installed=(NUMPY,))
    assert (found.code, found.command) == ("NIX423", "uv sync --reinstall-package=numpy")
    assert found.message == (
        "numpy/core.so of numpy needs GLIBC_2.98, GLIBC_2.99 of libc.so.6; the loader finds /usr/lib/libx.so "
        "with X_1 as the newest version and refuses to load the file"
    )
    found = only(versions=lacking("libc.so.6", "GLIBC_2.38"), installed=(NUMPY,))
    assert found.command.startswith("nixpy init --nixpkgs ")
    found = only(versions=lacking("libc.so.6", "GLIBC_2.38"), installed=(NUMPY,), started=GLIBC)
    assert found.command == "uv sync --reinstall-package=numpy"


def test_a_runtime_that_is_too_old() -> None:
    """One of LD_LIBRARY_PATH is not searched after `unset`; instead of the host's one, nixpy supplies another."""
    well: dict[str, Any] = {"suppliers": SUPPLIERS, "installed": (NUMPY,)}
    versions = lacking("libstdc++.so.6", "GLIBCXX_3.4.99", library="/opt/old/libstdc++.so.6")
    assert only(**well, versions=versions).command == "nixpy sync && nix develop"
    assert "nixpy init" in only(**well, versions=versions, project=None).command
    found = diagnostics(**well, versions=versions, environ={"LD_LIBRARY_PATH": "/opt/old"}, pythons=())
    assert [one.command for one in found] == ["unset LD_LIBRARY_PATH"]
    sibling = lacking("libtorch.so.1", "TORCH_2")
    assert only(**well, versions=sibling).command == "uv sync --reinstall-package=numpy"


# --- versions ---


@pytest.mark.parametrize(
    ("installed", "wanted", "shown"),
    [
        ("2.1.0", "==2.1.0", None),
        ("2.1", "==2.1.0", None),
        ("2.1.0+cu128", "==2.1.0", None),
        ("2.0rc1", ">=2", ">=2"),
        ("2.1.0rc1", ">=2.1.0rc1", None),
        ("1.26.4", "==2.1.0", "2.1.0"),
        ("1.26.4", ">=2,<3", ">=2,<3"),
        (None, "==2.1.0", None),
    ],
)
def test_versions_of_the_lock(installed: str | None, wanted: str, shown: str | None) -> None:
    """The package, both versions, and the command of the manager; a local version is one of extras."""
    package = replace(NUMPY, version=installed)
    found = diagnostics(installed=(package,), wanted={"numpy": wanted})
    if shown is None:
        assert found == ()
        return
    assert [(one.code, one.command) for one in found] == [("NIX424", "uv sync")]
    assert found[0].message == f"{VENV.folder} has other versions than uv.lock: numpy {installed} instead of {shown}"


@pytest.mark.parametrize(
    ("manager", "command"),
    [
        ("uv", "uv pip install numpy==2.1.0"),
        ("pip", ".venv/bin/python -m pip install --no-input numpy==2.1.0"),
        ("none", "uv pip install numpy==2.1.0"),
    ],
)
def test_versions_of_nixpy_lock(manager: str, command: str) -> None:
    """Without a lock, the shell installs the versions that were analysed; the requirements may allow others."""
    package = replace(NUMPY, version="2.0")
    recorded = {"numpy": "==2.1.0"}
    project = replace(PROJECT, manager=manager, source="pyproject.toml", locked=None)
    found = only(installed=(package,), wanted={"numpy": ">=2"}, recorded=recorded, project=project)
    assert (found.code, found.command) == ("NIX424", command)
    assert found.message == f"{VENV.folder} has other versions than nixpy.lock: numpy 2.0 instead of 2.1.0"
    found = only(installed=(package,), wanted={"numpy": ">=3"}, recorded=recorded, project=project)
    assert "than pyproject.toml: numpy 2.0 instead of >=3" in found.message


def test_an_environment_of_another_tool() -> None:
    """The lock says nothing about it."""
    changed = {"installed": (replace(NUMPY, version="1.0"),), "wanted": {"numpy": "==2.1.0"}}
    assert codes(**changed, project=None, started=STARTED) == []
    assert "NIX424" not in codes(**changed, project=replace(PROJECT, style="micromamba"))
