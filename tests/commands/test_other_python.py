"""`init` and `sync` name the newest other Python for which every package has a wheel, only if there is one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from nixpy.cli.common import PlainProgress
from runner import Nixpy
from smallindex import SmallIndex, build_sdist, build_wheel

pytestmark = pytest.mark.slow  # uv resolves for several Pythons

LINUX = "manylinux_2_17_x86_64"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallIndex]:
    """An index with packages that have wheels for some Pythons of nixos-26.05, which has 3.11 to 3.14."""
    folder = tmp_path_factory.mktemp("served")
    for python in ("311", "312"):
        build_wheel(folder, "native", "1.0", f"cp{python}-cp{python}-{LINUX}")
        build_wheel(folder, "wheels-only", "1.0", f"cp{python}-cp{python}-{LINUX}")
    build_sdist(folder, "native", "1.0")
    build_wheel(folder, "only-311", "1.0", f"cp311-cp311-{LINUX}")
    build_sdist(folder, "only-311", "1.0")
    build_sdist(folder, "no-wheel", "1.0")
    build_wheel(folder, "pure", "1.0")
    build_wheel(folder, "two-versions", "1.0")
    build_sdist(folder, "two-versions", "2.0")
    with SmallIndex(folder) as running:
        yield running


@pytest.fixture
def project(served: SmallIndex, tmp_path: Path, nixpy: Nixpy, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project, with the index for uv."""
    assert nixpy
    monkeypatch.setenv("UV_DEFAULT_INDEX", served.url)
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    (tmp_path / "project").mkdir()
    return tmp_path / "project"


INIT = ("init", "--style", "loader", "--system", "x86_64-linux", "--python", "3.13")


@pytest.mark.parametrize(
    ("requirements", "named", "but"),
    [
        ("native\npure\n", "3.12", ""),
        ("native\nonly-311\n", "3.11", ""),
        ("native\nno-wheel\n", "3.12", " but no-wheel, which no Python has a wheel of"),
        ("no-wheel\n", None, ""),
        ("pure\n", None, ""),
    ],
)
def test_without_a_lock(requirements: str, named: str | None, but: str, project: Path, nixpy: Nixpy) -> None:
    """For the other Pythons of the release uv runs again; the newest for which all have a wheel is NIX218.

    A package without any wheel does not count.
    """
    (project / "requirements.txt").write_text(requirements)
    ran = nixpy(*INIT, cwd=project)
    assert ran.status == 0, ran.err
    said = f"warning[NIX218]: Python {named} of nixos-26.05 has wheels for all packages{but}\n"
    assert (said in ran.out) == (named is not None)
    assert ("NIX218" in ran.out) == (named is not None)
    number = len(requirements.split())  # also those that have only an sdist
    assert f"{number} package{'s'[: number > 1]}, " in ran.out
    if named:
        assert f'Set `python = "{named}"` in nixpy.toml, or run `nixpy init --python {named}`.' in ran.out
        assert f"resolving for Python {named}" in ran.err  # the progress
        assert nixpy(*INIT[:-1], named, cwd=project).status == 0
        assert ("NIX201" in nixpy("sync", cwd=project).out) == bool(but)


def test_a_python_with_older_versions(project: Path, nixpy: Nixpy) -> None:
    """The message names the requirements that have an older version for the other Python."""
    (project / "requirements.txt").write_text("two-versions\ntwo-versions<2; python_version < '3.13'\npure\n")
    ran = nixpy(*INIT, cwd=project)
    named = "warning[NIX218]: Python 3.12 of nixos-26.05 has wheels for all packages"
    assert f"{named}, in older versions (two-versions 1.0)\n" in ran.out


def test_without_a_lock_and_without_an_answer(project: Path, nixpy: Nixpy) -> None:
    """If uv finds no versions for this Python, the hint of the error names the other one."""
    (project / "requirements.txt").write_text("wheels-only\npure\n")
    ran = nixpy(*INIT, cwd=project)
    assert ran.status == 2
    assert "hint: Python 3.12 of nixos-26.05 has wheels for all packages." in ran.err
    assert 'Set `python = "3.12"`' in ran.err
    (project / "requirements.txt").write_text("wheels-only\nno-wheel\n")
    ran = nixpy(*INIT, cwd=project)
    assert ran.status == 2
    assert "has wheels for all packages" not in ran.err


def test_a_python_that_the_project_excludes(project: Path, nixpy: Nixpy) -> None:
    """The Python must satisfy `requires-python`."""
    (project / "pyproject.toml").write_text(
        '[project]\nname = "p"\nversion = "1"\nrequires-python = "!=3.12.*"\ndependencies = ["native"]\n'
    )
    ran = nixpy(*INIT, cwd=project)
    assert "warning[NIX218]: Python 3.11 of" in ran.out
    assert "in pyproject.toml" in ran.out


@pytest.mark.parametrize(("wheels", "named"), [(("312", "311"), "3.12"), (("310",), None)])
def test_with_a_lock(wheels: tuple[str, ...], named: str | None, project: Path, nixpy: Nixpy) -> None:
    """The tags of the wheels in the lock decide, and uv does not run."""
    files = "".join(
        f'[[packages.wheels]]\npath = "native-1.0-cp{python}-cp{python}-{LINUX}.whl"\n'
        f'hashes = {{ sha256 = "{"0" * 64}" }}\n'
        for python in wheels
    )
    (project / "pylock.toml").write_text(
        f'lock-version = "1.0"\ncreated-by = "x"\n[[packages]]\nname = "native"\nversion = "1.0"\n{files}'
        f'[packages.sdist]\npath = "native-1.0.tar.gz"\nhashes = {{ sha256 = "{"0" * 64}" }}\n'
    )
    ran = nixpy(*INIT, "--offline", cwd=project)
    assert ran.status == 0, ran.err
    assert "NIX201" in ran.out
    assert ("NIX218" in ran.out) == (named is not None)
    if named:
        assert f"Python {named} of nixos-26.05" in ran.out
        assert f"Python {named} of nixos-26.05" in nixpy("sync", "--offline", cwd=project).out


def test_the_progress_counts_no_pythons(capsys: pytest.CaptureFixture[str]) -> None:
    """The names of Pythons are printed, and the wheels after them are counted from 0."""
    progress = PlainProgress()
    progress.start(0)
    progress.step("Python 3.12", "resolving")
    progress.start(2)
    progress.step("numpy", "cache")
    assert capsys.readouterr().err == "resolving for Python 3.12\nopening 2 wheel files\n"
