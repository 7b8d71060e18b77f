"""60 requirement sets of real packages: the recorded answers of nixpy, uv and pip agree, and nixpy repeats its own.

`compare.py` records the answers. Here uv resolves each set again, for nixpy, from the recorded candidates.
"""

from __future__ import annotations

import csv
import os
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import uv

from sets import index, model
from sets.model import RequirementSet

KINDS = {
    "pure",
    "scientific",
    "web",
    "sdist",
    "sdist only",
    "extras",
    "markers",
    "old pins",
    "pre-releases",
    "conflict",
}


@pytest.fixture(scope="module")
def recorded() -> Iterator[index.RecordedIndex]:
    """The index with the recorded candidates."""
    with index.RecordedIndex(index.load()) as running:
        yield running


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache for all sets, since they share packages."""
    return tmp_path_factory.mktemp("cache")


@pytest.mark.slow
@pytest.mark.parametrize("requirements", model.sets(), ids=lambda one: one.name)
def test_nixpy_repeats_its_answer(
    requirements: RequirementSet,
    recorded: index.RecordedIndex,
    cache: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The names and versions, or the packages that an error names, are those that nixpy found on the real index."""
    for name in [name for name in os.environ if name.startswith(("PIP_", "UV_"))]:
        monkeypatch.delenv(name)
    for name, value in {
        "HOME": str(tmp_path),
        "PATH": f"{Path(uv.find_uv_bin()).parent}{os.pathsep}{os.environ['PATH']}",
        "PIP_CONFIG_FILE": os.devnull,
        "UV_CACHE_DIR": str(cache),
        "UV_DEFAULT_INDEX": recorded.url,
        "UV_EXCLUDE_NEWER": model.DATE,
        "UV_NO_SYSTEM_CONFIG": "1",
    }.items():
        monkeypatch.setenv(name, value)
    found, _ = model.by_nixpy(requirements, f"{requirements.python}.0", tmp_path)
    assert found == model.load()[requirements.name]["nixpy"]


def test_the_results_are_those_of_the_answers() -> None:
    """`results.csv` has the judgement of each set; none differs from uv and pip for a reason of nixpy's own."""
    answers = model.load()
    with model.RESULTS.open(newline="") as file:
        results = {row["set"]: row["result"] for row in csv.DictReader(file)}
    assert results == {one.name: model.judge(**answers[one.name]) for one in model.sets()}
    counts = Counter(re.split("[:;]", result)[0] for result in results.values())
    table = re.findall(r"^\| (\d+) \| ([a-z ]+)", (model.HERE / "README.md").read_text(), re.MULTILINE)
    assert {kind.strip(): int(count) for count, kind in table} == {**counts, "different": 0}


def test_there_are_60_sets_of_every_kind() -> None:
    """No kind is left out, and conflicts and packages that must be built are among them."""
    kinds = Counter(one.kind for one in model.sets())
    assert kinds.total() == len(model.load()) == 60
    assert kinds.keys() == KINDS
    assert min(kinds.values()) >= 3
    errors = Counter(tools["nixpy"].error for tools in model.load().values())
    assert errors[model.BUILD] >= 5
    assert errors[model.NO_SOLUTION] >= 2


@pytest.mark.parametrize("path", [model.ANSWERS, model.CANDIDATES], ids=lambda path: path.name)
def test_the_recording_names_no_server(path: Path) -> None:
    """It has names, versions, tags and requirements, and no address."""
    text = path.read_text()
    assert "://" not in text
    assert "/packages/" not in text
