"""What keeps uv from downloading a Python: doctor's rules against the real uv."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
import uv

from doctor.world import HOST, codes
from nixpy.doctor.project_folder import uv_settings


@pytest.mark.slow
@pytest.mark.parametrize(
    ("environ", "settings"),
    [
        ({}, {}),
        ({"UV_PYTHON_DOWNLOADS": "manual"}, {}),
        ({"UV_PYTHON_DOWNLOADS": "never"}, {}),
        ({"UV_NO_MANAGED_PYTHON": "1"}, {}),
        ({"UV_NO_MANAGED_PYTHON": "0"}, {}),
        ({"UV_PYTHON_PREFERENCE": "only-system"}, {}),
        ({"UV_PYTHON_PREFERENCE": "system"}, {}),
        ({"UV_OFFLINE": "1"}, {}),
        ({}, {"python-downloads": "manual"}),
        ({}, {"python-preference": "only-system"}),
        ({"UV_PYTHON_DOWNLOADS": "automatic"}, {"python-downloads": "never"}),
        ({"UV_PYTHON_PREFERENCE": "managed"}, {"python-preference": "only-system"}),
        ({"UV_MANAGED_PYTHON": "1"}, {"python-preference": "only-system"}),
    ],
    ids=str,
)
def test_what_keeps_uv_from_downloads(tmp_path: Path, environ: dict[str, str], settings: dict[str, str]) -> None:
    """NIX413 is reported for the settings with which uv tries to download a Python, and for no other."""
    (tmp_path / "uv.toml").write_text("".join(f'{key} = "{value}"\n' for key, value in settings.items()))
    plain = {"PATH": "/nowhere", "HOME": str(tmp_path), "UV_NO_SYSTEM_CONFIG": "1", "UV_HTTP_RETRIES": "0"}
    plain |= {"UV_PYTHON_INSTALL_MIRROR": "http://127.0.0.1:1/", "UV_PYTHON_INSTALL_DIR": str(tmp_path / "own")}
    command = [uv.find_uv_bin(), "venv", "--python", "3.12", "made"]
    done = subprocess.run(
        command, cwd=tmp_path, env={**plain, **environ}, capture_output=True, text=True, check=False, timeout=60
    )
    tried = "http://127.0.0.1:1/" in done.stderr
    assert done.returncode != 0
    host = replace(HOST, at_loader="stub")
    found = codes(host=host, environ=environ, uv_settings=uv_settings(tmp_path, {**plain, **environ}))
    assert found == (["NIX413"] if tried else []), done.stderr
