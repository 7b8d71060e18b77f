"""Values that every process of a run needs and one of them makes."""

from __future__ import annotations

import fcntl
import os
import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pytest

_Value = TypeVar("_Value")


def folder(factory: pytest.TempPathFactory) -> Path:
    """Return the folder of this run that all its processes share."""
    base = factory.getbasetemp()
    found = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "shared"
    found.mkdir(exist_ok=True)
    return found


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Wait until no other process is in this block with the same path."""
    with path.with_name(f"{path.name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def once(path: Path, make: Callable[[], _Value]) -> _Value:
    """Return the value that `make` returns, which one process of the run calls; it must be one that pickle takes."""
    with alone(path):
        if not path.exists():
            path.write_bytes(pickle.dumps(make()))
        found: _Value = pickle.loads(path.read_bytes())  # noqa: S301 - our own
        return found
