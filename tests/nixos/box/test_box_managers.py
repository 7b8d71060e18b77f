"""The shell fills `.venv` by itself, by each manager: at first, when the lock changed, and not without need."""

from __future__ import annotations

import fcntl
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from nixos.box.managed import FLAKE, MORE, OPTIONS, SETTINGS_OF_THE_BOX, WORK, Managed, make, upload
from nixos.box.shells import wheelhouse
from smallindex import SmallIndex

# What is run in which style, and whether the interpreter is copied into `.venv`.
WAYS = {
    "uv": ("uv", "loader", False),
    "pip": ("pip", "loader", False),
    "pip, copies": ("pip", "wrapped-python", True),
    "pip, copies of a script": ("pip", "nix-ld", True),
    "uv, copies": ("uv", "loader", True),
    "uv, fhs": ("uv", "fhs", False),
    "pip, fhs, copies": ("pip", "fhs", True),
    "poetry": ("poetry", "loader", False),
    "pdm": ("pdm", "loader", False),
    "poetry, fhs": ("poetry", "fhs", False),
    "pdm, copies": ("pdm", "wrapped-python", True),
}
FILLS = {
    "uv": "nixpy: uv sync --frozen",
    "poetry": "nixpy: poetry install --no-interaction",
    "pdm": "nixpy: pdm --non-interactive sync",
    "pip": "nixpy: .venv/bin/python -m pip install --no-input -r requirements.txt -c CONSTRAINTS",
}
IMPORT = "import PIL.Image, sys; print(PIL.Image.__file__, sys.prefix, sep='|')"
_CONSTRAINTS = re.compile(r"/nix/store/[a-z0-9]+-nixpy-constraints\.txt")


def said(done: subprocess.CompletedProcess[str]) -> list[str]:
    """Return the lines on stderr, in which the file with constraints has no hash."""
    return _CONSTRAINTS.sub("CONSTRAINTS", done.stderr).splitlines()


@pytest.fixture(scope="session")
def house() -> SmallIndex:
    """The wheelhouse as an index, on this machine."""
    return wheelhouse()


@pytest.fixture(scope="module", params=WAYS)
def managed(request: pytest.FixtureRequest, house: SmallIndex, tmp_path_factory: pytest.TempPathFactory) -> Managed:
    """The project of each way, before its shell was entered."""
    manager, style, copies = WAYS[request.param]
    return make(tmp_path_factory.mktemp("managed"), house, manager, style, copies=copies)


def test_the_shell_fills_and_refreshes_the_venv(managed: Managed) -> None:
    """Entered for the first time the shell makes and fills .venv, which is active and imports Pillow with nixpy's
    libraries; entered again it does nothing; when the lock changed it fills again; and without the list the same
    import fails on a soname of it.
    """
    fills = FILLS[managed.manager]
    first = managed.enter(f'python -c "{IMPORT}"')
    module, prefix = first.stdout.splitlines()[-1].split("|")
    assert module.startswith(f"{WORK}/.venv/lib/")
    assert prefix == f"{WORK}/.venv"
    assert fills in said(first)
    assert "that failed" not in first.stderr, first.stderr

    stamp = (managed.venv / "nixpy-filled").stat().st_mtime_ns
    again = managed.enter(f'echo "$VIRTUAL_ENV"; python -c "{IMPORT}"', network=False)
    assert again.stdout.splitlines()[-2:] == [f"{WORK}/.venv", f"{module}|{prefix}"]
    assert "nixpy: " not in again.stderr
    assert (managed.venv / "nixpy-filled").stat().st_mtime_ns == stamp

    managed.ask_for(MORE)
    managed.nixpy("sync")
    changed = managed.enter("python -c 'import typing_extensions as t; print(t.__file__)'")
    assert fills in said(changed)
    assert changed.stdout.splitlines()[-1].startswith(f"{WORK}/.venv/lib/")

    managed.ignore(["libz.so.1"])
    without = managed.enter(f'python -c "{IMPORT}"', check=False, network=False)
    assert "nixpy: " not in without.stderr
    assert "libz.so.1: cannot open shared object file" in without.stderr
    managed.ignore([])
    assert managed.enter(f'python -c "{IMPORT}"', network=False).stdout.splitlines()[-1] == f"{module}|{prefix}"


def test_copies_are_copies(managed: Managed) -> None:
    """With venv-copies the interpreter lies in .venv as a file of its own, and otherwise as a link."""
    assert (managed.venv / "bin/python").is_symlink() != managed.copies


@pytest.fixture
def unfilled(tmp_path: Path, house: SmallIndex) -> Managed:
    """A project of uv's that was never entered."""
    return make(tmp_path, house, "uv", "loader")


def test_nothing_is_installed_where_that_is_not_wanted(unfilled: Managed) -> None:
    """With NIXPY_INSTALL=0, and in a folder that is not the project's, the shell leaves everything as it is."""
    assert unfilled.enter("echo ${VIRTUAL_ENV-none}", network=False, install=False).stdout == "none\n"
    (unfilled.box.home / "work/uv.lock").unlink()
    assert unfilled.enter("echo ${VIRTUAL_ENV-none}", network=False).stdout == "none\n"
    assert not unfilled.venv.exists()


def test_direnv_fills_it_too(unfilled: Managed) -> None:
    """A folder entered by direnv has a filled, active .venv as well."""
    (unfilled.box.home / "work/.envrc").write_text(f"use flake path:{FLAKE} {' '.join(OPTIONS)}\n")
    unfilled.box.run("direnv", "allow", cwd=WORK)
    done = unfilled.run_with_index(f"direnv exec . python -c '{IMPORT.replace(chr(39), chr(34))}'")
    assert FILLS["uv"] in done.stderr
    assert done.stdout.splitlines()[-1].startswith(f"{WORK}/.venv/lib/")


def test_a_failure_is_told_and_mended_the_next_time(unfilled: Managed) -> None:
    """Where the index cannot be reached the shell says what to run by hand and is entered all the same; once it can be
    reached, the shell fills .venv.
    """
    failed = unfilled.enter("echo entered", network=False)
    assert failed.stdout == "entered\n"
    assert "nixpy: .venv could not be updated; to retry: uv sync --frozen" in failed.stderr
    assert unfilled.enter(f'python -c "{IMPORT}"').stdout.count("|") == 1


def test_shells_fill_it_one_after_the_other(unfilled: Managed) -> None:
    """While another shell is at .venv, the shell says so and leaves it alone; then it goes on by itself."""
    with ThreadPoolExecutor() as pool, (unfilled.box.home / "work/nixpy.lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        entering = pool.submit(unfilled.enter, f'python -c "{IMPORT}"')
        with pytest.raises(TimeoutError):
            entering.result(timeout=10)
        assert not unfilled.venv.exists()
        fcntl.flock(lock, fcntl.LOCK_UN)
        done = entering.result()
    lines = said(done)
    assert lines.index("nixpy: waiting for another shell that is updating .venv") < lines.index(FILLS["uv"])
    assert done.stdout.startswith(f"{WORK}/.venv/lib/")


@pytest.mark.parametrize("version", ["3.13.99", "3.12"])
def test_what_python_version_says_does_not_matter(unfilled: Managed, version: str) -> None:
    """A .python-version that names no Python of the shell neither ends the filling nor changes whose .venv it is, nor
    does it keep uv from running in the shell.
    """
    (unfilled.box.home / "work/.python-version").write_text(f"{version}\n")
    done = unfilled.enter(f'python -c "{IMPORT}"; uv run --frozen python -c "import sys; print(sys.prefix)"')
    imported, prefix = done.stdout.splitlines()[-2:]
    assert imported.startswith(f"{WORK}/.venv/lib/python3.13/")
    assert prefix == f"{WORK}/.venv"
    assert "that failed" not in done.stderr


def test_a_venv_that_is_dead_is_told_of(unfilled: Managed) -> None:
    """A filled .venv whose Python is gone is not made active and not touched, and the shell says what to do; once it is
    removed the next entry makes it anew.
    """
    unfilled.enter("true")
    links = [path for path in (unfilled.venv / "bin").iterdir() if path.name.startswith("python")]
    for link in links:
        link.unlink()
        link.symlink_to("/usr/bin/python3.13")
    done = unfilled.enter("echo ${VIRTUAL_ENV-none}", network=False)
    assert done.stdout == "none\n"
    assert "nixpy: .venv was created with another Python; remove .venv and enter the shell again" in done.stderr
    assert {str(link.readlink()) for link in links} == {"/usr/bin/python3.13"}
    unfilled.enter("rm -r .venv", network=False)
    assert unfilled.enter(f'python -c "{IMPORT}"').stdout.count("|") == 1


def test_a_folder_that_is_no_environment_is_told_of(unfilled: Managed) -> None:
    """A .venv that somebody began is left as it is, and the shell says what to do."""
    unfilled.venv.mkdir()
    done = unfilled.enter("echo ${VIRTUAL_ENV-none}", network=False)
    assert done.stdout == "none\n"
    assert "nixpy: .venv was created with another Python; remove .venv and enter the shell again" in done.stderr
    assert list(unfilled.venv.iterdir()) == []


def test_elsewhere_the_shell_says_that_it_is(unfilled: Managed) -> None:
    """Entered below the project's folder, nothing is made there, and one line says why no .venv is active."""
    (unfilled.box.home / "work/below").mkdir()
    done = unfilled.box.nix("develop", *OPTIONS, f"path:{FLAKE}", "-c", "ls", "-A", cwd=f"{WORK}/below")
    assert done.stdout == ""
    assert "nixpy: .venv is neither updated nor active, since this is not the project's folder" in done.stderr


def test_without_a_lock_none_is_written(tmp_path: Path, house: SmallIndex) -> None:
    """A project that has only a pyproject.toml is filled from it and has no other files afterwards, so that what was
    analysed is still what the project is.
    """
    managed = make(tmp_path, house, "uv", "loader")
    for folder in ("flake", "work"):
        (managed.box.home / folder / "uv.lock").unlink()
    managed.nixpy("sync")
    before = {path.name for path in (managed.box.home / "work").iterdir()}
    done = managed.enter(f'python -c "{IMPORT}"; ls -A')
    assert "nixpy: uv pip install -r pyproject.toml -c CONSTRAINTS" in said(done)
    assert {path.name for path in (managed.box.home / "work").iterdir()} - before == {".venv"}
    assert managed.nixpy("check").startswith(".: up to date (")


@pytest.mark.parametrize("manager", ["pip", "uv"])
def test_what_was_analysed_is_installed(tmp_path: Path, house: SmallIndex, manager: str) -> None:
    """Without a lock, the shell installs the versions in nixpy.lock, also after the index got newer ones. After
    `nixpy sync --upgrade`, which takes these, the next shell installs them.
    """
    (tmp_path / "uploads").mkdir()
    with SmallIndex(tmp_path / "uploads") as index:
        managed = make(tmp_path, house, manager, "loader")
        managed = replace(managed, index=index, box=replace(managed.box, environment=SETTINGS_OF_THE_BOX))
        upload(managed, "moving", "1.0")
        for folder in ("flake", "work"):
            (managed.box.home / folder / "uv.lock").unlink(missing_ok=True)
            for name in ("requirements.txt", "pyproject.toml"):
                if (path := managed.box.home / folder / name).exists():
                    path.write_text(re.sub(r"pillow==[0-9.]+", "moving", path.read_text()))
        managed.nixpy("sync")
        upload(managed, "moving", "2.0")
        # Not the module's own: files of both versions may have one size and second, and then share a compiled file.
        show = "python -c 'from importlib.metadata import version; print(version(\"moving\"))'"
        assert managed.enter(show).stdout.splitlines()[-1] == "1.0"
        assert managed.nixpy("check").startswith(".: up to date (")
        managed.nixpy("sync")
        assert "nixpy: " not in managed.enter(show, network=False).stderr
        managed.nixpy("sync", "--upgrade")
        assert managed.enter(show).stdout.splitlines()[-1] == "2.0"
