"""What users install: a wheel, and a wheel made of the sdist, each away from the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest
import uv

import shop
from smallindex import SmallIndex

pytestmark = pytest.mark.slow  # wheels are built and installed

TOP = Path(__file__).parents[2]


def built(source: Path, folder: Path, kind: str) -> Path:
    """Build with the backend of this environment, which needs no network."""
    command = [sys.executable, "-m", "build", "--no-isolation", f"--{kind}", "--outdir", str(folder), str(source)]
    subprocess.run(command, check=True, capture_output=True)
    (path,) = folder.glob("*.whl" if kind == "wheel" else "*.tar.gz")
    return path


@pytest.fixture(scope="module", params=["wheel", "sdist"])
def wheel(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel built from the checkout, and the one built from its sdist."""
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "wheel":
        return built(TOP, folder / "out", "wheel")
    with tarfile.open(built(TOP, folder / "sdist", "sdist")) as archive:
        archive.extractall(folder / "source", filter="data")
    (source,) = (folder / "source").iterdir()
    return built(source, folder / "out", "wheel")


def test_it_holds_templates_and_data(wheel: Path) -> None:
    """Every template and table of the checkout is in it, and nothing of the tests."""
    names = set(zipfile.ZipFile(wheel).namelist())
    for path in TOP.joinpath("templates").rglob("*"):
        if path.is_file() and path.parent.name != "__pycache__":
            assert f"nixpy/{path.relative_to(TOP).as_posix()}" in names
    for pattern in ("*.csv", "*.toml", "*.json", "py.typed"):
        for path in TOP.joinpath("scaffold").rglob(pattern):
            assert path.relative_to(TOP / "scaffold").as_posix() in names
    assert "nixpy/copier.yml" in names
    assert not any(name.startswith(("tests", "examples")) for name in names)


def test_it_works_where_there_is_no_checkout(wheel: Path, tmp_path: Path, index: SmallIndex) -> None:
    """Installed into a fresh environment, `nixpy init`, `python -m nixpy check` and `nixpy new` do their work."""
    environment = tmp_path / "venv"
    venv.create(environment, with_pip=False)
    # The dependencies are those of this environment; nixpy itself must be the wheel's.
    site = next(environment.glob("lib/python3*/site-packages"))
    subprocess.run(
        [uv.find_uv_bin(), "pip", "install", "--quiet", "--offline", "--no-deps", "--python", environment, wheel],
        check=True,
        env={**os.environ, "UV_CACHE_DIR": str(tmp_path / "uv")},
    )
    here = [path for path in sys.path if path.endswith("site-packages")]
    (site / "dependencies.pth").write_text("\n".join(here) + "\n")
    project = shop.project(tmp_path / "project", "alpha", "beta")
    settings = {
        "PATH": f"{Path(uv.find_uv_bin()).parent}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "UV_DEFAULT_INDEX": index.url,
        "UV_CACHE_DIR": str(tmp_path / "uv"),
        "NIXPY_CACHE_DIR": str(tmp_path / "cache"),
    }

    def run(*command: str) -> str:
        done = subprocess.run(command, cwd=project, env=settings, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    where = run(str(environment / "bin" / "python"), "-c", "import nixpy; print(nixpy.__file__)").strip()
    assert Path(where).is_relative_to(environment)
    run(str(environment / "bin" / "nixpy"), "init", "--style", "nix-ld")
    assert "up to date" in run(str(environment / "bin" / "python"), "-m", "nixpy", "check")
    assert "zlib" in (project / "nixpy.nix").read_text()
    # What was made from the installed package's template does not name that package's folder.
    run(str(environment / "bin" / "nixpy"), "new", str(tmp_path / "demo"), "--defaults")
    assert "up to date" in run(str(environment / "bin" / "nixpy"), "check", str(tmp_path / "demo"))
    assert "_src_path" not in (tmp_path / "demo/.copier-answers.yml").read_text()
