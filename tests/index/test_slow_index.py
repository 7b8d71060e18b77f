"""An index that never comes to an end does not keep nixpy waiting for good."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from nixpy.core import limits
from nixpy.core.errors import NetworkError
from nixpy.index.resolve import resolve
from wheels.rawserver import raw_server, slowly


@pytest.mark.slow
@pytest.mark.usefixtures("nixpy")
def test_slow_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where an index sends a byte at a time, uv is ended at the limit, and the error tells what to do."""
    monkeypatch.setattr(limits, "RESOLUTION", 3.0)
    start = time.monotonic()
    with raw_server(lambda _: slowly(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100_000)) as server:
        monkeypatch.setenv("UV_DEFAULT_INDEX", f"{server.url}/simple")
        with pytest.raises(NetworkError, match="did not finish within 0 minutes") as caught:
            resolve([Requirement("six")], root=tmp_path, python="3.13")
    assert caught.value.hint
    assert time.monotonic() - start < 60
