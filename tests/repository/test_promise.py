"""The promise of docs/security.md: each of its sentences names tests, which exist and passed in this very run."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

TOP = Path(__file__).parents[2]
PAGE = TOP / "docs/security.md"
# The sections that promise nothing: what a reader should know, what to do, and the list of the tests.
OTHERS = {"Limits", "Report a fault", "The tests"}
_PROOFS = re.compile(r" \[(\d+(?:, \d+)*)\](?=[.,])")
_ROW = re.compile(r"^\| (\d+) \| `(.+)` \|$", re.MULTILINE)
PROOFS = {int(number): proof for number, proof in _ROW.findall(PAGE.read_text("utf-8"))}


def sentences(text: str) -> list[str]:
    """Return the sentences of the sections that promise something; an item of a list is one or more."""
    found: list[str] = []
    section, item = "", False
    tokens = MarkdownIt().parse(text)
    for before, token in zip([None, *tokens], tokens, strict=False):
        if token.type in {"list_item_open", "list_item_close"}:
            item = token.type.endswith("open")
        if token.type != "inline":
            continue
        if before and before.type == "heading_open":
            section = token.content if before.tag == "h2" else ""
        elif section and section not in OTHERS and item:
            found += re.split(r"(?<=\.)\s+", token.content)
    return found


SENTENCES = sentences(PAGE.read_text("utf-8"))


def unproven(found: list[str]) -> list[str]:
    """Return the sentences that end without the number of a test."""
    return [sentence for sentence in found if not re.search(r" \[\d+(, \d+)*\]\.$", sentence)]


def test_each_sentence_has_a_test() -> None:
    """Each ends with numbers of the list, which has no other."""
    assert len(SENTENCES) > 50
    assert unproven(SENTENCES) == []
    named = {
        int(number) for sentence in SENTENCES for numbers in _PROOFS.findall(sentence) for number in numbers.split(",")
    }
    assert named == set(PROOFS)
    assert list(PROOFS) == list(range(1, len(PROOFS) + 1))
    assert len(set(PROOFS.values())) == len(PROOFS)


def test_a_sentence_without_a_test_is_noticed() -> None:
    """The test above can fail, also for the second sentence of an item."""
    text = "## What\n\n- One [1].\n- Two [1]. Three.\n- Four\n  is long [2].\n\nNo item.\n\n## Limits\n\n- Five.\n"
    assert sentences(text) == ["One [1].", "Two [1].", "Three.", "Four\nis long [2]."]
    assert unproven(sentences(text)) == ["Three."]


@pytest.mark.parametrize("proof", PROOFS.values())
def test_each_test_exists(proof: str) -> None:
    """It is a test module, or a function of one."""
    file, _, name = proof.partition("::")
    tree = ast.parse((TOP / file).read_text("utf-8"))
    functions = [node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]
    assert name in functions if name else functions


@pytest.mark.last
@pytest.mark.parametrize("proof", PROOFS.values())
def test_each_test_passed(proof: str, outcomes_of: Callable[[str], dict[str, str]]) -> None:
    """It ran and passed in this run, in each of its forms."""
    found = outcomes_of(proof)
    assert found
    assert set(found.values()) == {"passed"}


@pytest.mark.parametrize("page", ["README.md", "SECURITY.md", "docs/index.md"])
def test_the_page_is_found(page: str) -> None:
    """A reader comes to it from each place where one looks."""
    assert re.search(r"\]\((docs/)?security\.md\)", (TOP / page).read_text("utf-8"))
