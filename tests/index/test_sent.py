"""What an index sees of a user: what nixpy's requests and those of uv hold, and whom a project can make them ask."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from nixpy import __version__
from runner import Nixpy
from smallindex import SmallIndex, build_wheel, sha256
from watch import watch


class Recorder:
    """A server that has nothing, and keeps the headers of each request by its path."""

    def __init__(self) -> None:
        requests: list[tuple[str, dict[str, str]]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                requests.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
                self.send_error(404)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        self.requests = requests
        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    """The server, on loopback."""
    recorder = Recorder()
    thread = threading.Thread(target=recorder.server.serve_forever, args=(0.02,))
    thread.start()
    yield recorder
    recorder.server.shutdown()
    thread.join()
    recorder.server.server_close()


def project(root: Path, requirement: str, more: str = "") -> Path:
    root.mkdir(exist_ok=True)
    (root / "pyproject.toml").write_text(
        f'[project]\nname = "p"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = ["{requirement}"]\n'
        f'{more}[tool.nixpy]\nstyle = "loader"\nsystems = ["x86_64-linux"]\n'
    )
    return root


def test_nixpy_sends_its_name_and_version_alone(recorder: Recorder, tmp_path: Path, nixpy: Nixpy) -> None:
    """A request for a wheel has no header that tells of the user or of the machine."""
    wheel = build_wheel(tmp_path / "wheels", "honest", "1.0", "cp313-cp313-manylinux_2_28_x86_64")
    (project(tmp_path / "p", "honest") / "pylock.toml").write_text(
        'lock-version = "1.0"\ncreated-by = "x"\n[[packages]]\nname = "honest"\nversion = "1.0"\n'
        f'[[packages.wheels]]\nurl = "{recorder.url}/{wheel.name}"\nhashes = {{ sha256 = "{sha256(wheel)}" }}\n'
    )
    assert nixpy("scan", tmp_path / "p").status == 2
    ((path, headers),) = recorder.requests
    assert path == f"/{wheel.name}"
    assert headers.pop("user-agent") == f"nixpy/{__version__}"
    assert headers.keys() <= {"host", "accept-encoding", "range"}


def test_uv_says_which_system_it_runs_on(
    recorder: Recorder, tmp_path: Path, nixpy: Nixpy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What uv sends with each request to an index is uv's own: versions of uv and Python, and the system."""
    monkeypatch.setenv("UV_DEFAULT_INDEX", f"{recorder.url}/simple")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    assert nixpy("scan", project(tmp_path / "p", "honest")).status == 2
    assert recorder.requests
    for path, headers in recorder.requests:
        assert path == "/simple/honest/"
        assert headers["user-agent"].startswith("uv/")
        assert headers.keys() <= {"host", "accept", "accept-encoding", "user-agent"}


def test_a_project_chooses_the_index_and_so_gets_a_login_by_name(
    tmp_path: Path, nixpy: Nixpy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """UV_INDEX_NAME_USERNAME and _PASSWORD are sent to the index that a project calls NAME, wherever it is."""
    monkeypatch.setenv("UV_INDEX_COMPANY_USERNAME", "me")
    monkeypatch.setenv("UV_INDEX_COMPANY_PASSWORD", "secret")
    build_wheel(tmp_path / "served", "honest", "1.0")
    with SmallIndex(tmp_path / "served", auth=("me", "secret")) as index:
        table = f'[[tool.uv.index]]\nname = "company"\nurl = "{index.url}"\ndefault = true\n'
        monkeypatch.delenv("UV_DEFAULT_INDEX")
        assert nixpy("scan", project(tmp_path / "p", "honest", table)).status == 0
    assert any(request.authorization for request in index.requests)


def test_a_requirements_file_can_name_a_variable(
    recorder: Recorder, tmp_path: Path, nixpy: Nixpy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with pip, `${NAME}` in an address of a requirements file is the value of that variable."""
    monkeypatch.setenv("A_SECRET", "s3cret")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("UV_DEFAULT_INDEX")
    file = tmp_path / "requirements.txt"
    file.write_text(f"--index-url {recorder.url}/${{A_SECRET}}/simple\nhonest\n")
    ran = nixpy("scan", file)
    assert {path for path, _ in recorder.requests} == {"/s3cret/simple/honest/"}
    assert "s3cret" not in ran.out + ran.err


def test_a_requirements_file_can_include_a_file_outside(
    recorder: Recorder, tmp_path: Path, nixpy: Nixpy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with pip, `-r` reads any file of the machine, and uv requests the names in it from an index."""
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("UV_DEFAULT_INDEX")
    (tmp_path / "secret").write_text("a-secret\n")
    project = tmp_path / "project"
    project.mkdir()
    (project / "requirements.txt").write_text(f"--index-url {recorder.url}/simple\n-r ../secret\n")
    nixpy("scan", project)
    assert {path for path, _ in recorder.requests} == {"/simple/a-secret/"}


def test_uv_starts_git_for_a_requirement_that_names_a_repository(
    tmp_path: Path, nixpy: Nixpy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The git on PATH fetches it, also without `--allow-build`; nixpy itself starts uv alone."""
    log, program = tmp_path / "log", tmp_path / "bin/git"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$@" >> "{log}"\nexit 1\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", os.pathsep.join([str(program.parent), os.environ["PATH"]]))
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    with watch() as seen:
        ran = nixpy("scan", project(tmp_path / "p", "honest @ git+https://127.0.0.1:1/honest.git"))
    assert ran.status == 2
    assert log.exists()
    assert {Path(started).name for started in seen.programs} == {"uv"}
    assert shutil.which("git") == str(program)
