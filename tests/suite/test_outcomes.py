"""The tests that judge the others know every outcome, in one process and in several."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

TESTS = Path(__file__).parents[1]
# Another project with our conftest: a proof in two forms, one of which can be made to fail, and its judges.
PROOF = """
import os
import pytest

@pytest.mark.parametrize("form", ["plain", "other"])
def test_proof(form, saw):
    saw("loader", "leak-free", True)
    assert form == "plain" or "FAIL" not in os.environ
"""
JUDGES = """
import pytest

@pytest.mark.last
@pytest.mark.parametrize("proof", ["tests/test_b_proof.py::test_proof[", "tests/test_b_proof.py::test_gone"])
def test_judge(proof, outcomes_of, seen_by):
    assert set(outcomes_of(proof).values()) == {"passed"}
    assert seen_by(proof) == {("loader", "leak-free", True)}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose judges are collected before what they judge."""
    (tmp_path / "tests").mkdir()
    shutil.copyfile(TESTS / "conftest.py", tmp_path / "tests/conftest.py")
    (tmp_path / "tests/test_a_judges.py").write_text(JUDGES)
    (tmp_path / "tests/test_b_proof.py").write_text(PROOF)
    (tmp_path / "pytest.ini").write_text("[pytest]\ntestpaths = tests\nmarkers =\n  last\n  nix\n  box\n  network\n")
    return tmp_path


def outcomes(project: Path, *options: str, fail: bool = False) -> dict[str, str]:
    """Run pytest in the project and return how each of its tests ended."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-rA", "-p", "no:cacheprovider", "--tb=no", "-q", *options],
        cwd=project,
        env={**ours, "PYTHONPATH": f"{TESTS}:{TESTS / 'helpers'}", **({"FAIL": "1"} if fail else {})},
        capture_output=True,
        text=True,
        check=False,
    )
    rows = re.findall(
        r"^(PASSED|FAILED|SKIPPED \[\d+\]|ERROR) tests/\w+\.py(?::\d+|::(\S+))", done.stdout, re.MULTILINE
    )
    assert rows, done.stdout + done.stderr
    return {name or "skipped": outcome.partition(" ")[0] for outcome, name in rows}


KEPT, GONE = "test_judge[tests/test_b_proof.py::test_proof[]", "test_judge[tests/test_b_proof.py::test_gone]"


@pytest.mark.parametrize("fail", [False, True], ids=["passes", "fails"])
@pytest.mark.parametrize("processes", ["1", "2"])
def test_a_proof_is_judged_by_all_its_forms(project: Path, processes: str, fail: bool) -> None:
    """A judge fails where one form of its proof failed, and where the proof is missing from a whole run."""
    if processes == "1":
        found = outcomes(project, "-p", "no:xdist", fail=fail)
    else:
        first = outcomes(project, "-n", "2", "--dist", "loadgroup", "--write-outcomes=outcomes.json", fail=fail)
        assert first.keys() == {"test_proof[plain]", "test_proof[other]"}
        found = first | outcomes(project, "-p", "no:xdist", "--read-outcomes=outcomes.json")
    judged = "FAILED" if fail else "PASSED"
    assert found == {"test_proof[plain]": "PASSED", "test_proof[other]": judged, KEPT: judged, GONE: "FAILED"}


def test_a_part_of_the_tests_proves_nothing(project: Path) -> None:
    """Where options or paths leave tests out, the judge of a proof that is missing is skipped; so are those in several
    processes without a file.
    """
    assert outcomes(project, "-p", "no:xdist", "-k", "judge") == {"skipped": "SKIPPED"}
    assert outcomes(project, "-p", "no:xdist", "tests/test_a_judges.py") == {"skipped": "SKIPPED"}
    assert outcomes(project, "-n", "2", "tests/test_a_judges.py") == {"skipped": "SKIPPED"}
