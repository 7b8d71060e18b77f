"""A poetry.lock and a pdm.lock that their tools refuse are errors; what the tools read, nixpy reads.

`made/make.py` records what the tools do with each case.
"""

from __future__ import annotations

import json
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest

from lockdamage import changed, document_of
from nixpy.core.errors import NixpyError
from nixpy.core.target import Target
from nixpy.locks import formats
from nixpy.locks.model import ExtrasAndGroups

HERE = Path(__file__).parent
SEEN = Target(system="x86_64-linux", python="3.11.7", glibc=(2, 36))  # where make.py ran
CASES = [
    pytest.param(tool, way, value, refused, id=f"{tool} {'.'.join(map(str, way))} {value!r}")
    for tool, cases in json.loads((HERE / "refused/cases.json").read_text()).items()
    for (way, value), refused in zip(cases, json.loads((HERE / "refused/verdicts.json").read_text())[tool], strict=True)
]


@pytest.mark.parametrize(("tool", "way", "value", "refused"), CASES)
def test_the_tool_judges(tmp_path: Path, tool: str, way: list[Any], value: Any, refused: bool) -> None:
    """A value is refused if and only if the tool refuses it; the error names the file and a remedy."""
    shutil.copyfile(HERE / "made" / tool / "pyproject.toml", tmp_path / "pyproject.toml")
    path = tmp_path / f"{tool}.lock"
    document = tomllib.loads((HERE / "made" / tool / f"{tool}.lock").read_text())
    path.write_text(document_of(changed(document, way, value)))
    error = None
    try:
        formats.read(path).packages(SEEN, ExtrasAndGroups())
    except NixpyError as raised:
        error = raised
    assert bool(error) == refused, error
    assert error is None or (error.path == path and error.hint)
