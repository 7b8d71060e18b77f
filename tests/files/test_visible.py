"""Generated Nix and .envrc are displayed as they are: no character in them acts, whatever settings and names hold."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest

import shop
from nixos import realnix
from nixpy.core.text import is_visible, shell_word, visible
from nixpy.files import envrc, render
from nixpy.project import project as projects
from runner import Nixpy

ACTING = [chr(code) for code in range(1, 0x110000) if not is_visible(chr(code)) and not 0xD800 <= code < 0xE000]
NAMED = "\x07\x1b[31m\x85\u2028\u202e\u2066\U000e0041"


def written(macro: str, text: str) -> str:
    template = '{% import "templates/_nix.jinja" as nix %}{{ nix.' + macro + "(text) }}"
    return render._jinja().from_string(template).render(text=text)


def toml(text: str) -> str:
    return '"' + "".join(f"\\U{ord(char):08x}" for char in text) + '"'


def test_a_comment_is_one_visible_line() -> None:
    """Every character that acts is an escape in a comment."""
    line = written("comment", "a\n" + "".join(ACTING))
    assert is_visible(line)
    assert "\n" not in line
    assert written("comment", "a\x1b\u202eb") == "a\\u001b\\u202eb"


def test_nix_reads_what_was_written(real_nix: None) -> None:
    """A string with every character that acts has none of them, and Nix reads them all."""
    texts = ["".join(ACTING), 'a"${b}\\n\n\r\t' + NAMED, *ACTING[:40]]
    literals = [written("string", text) for text in texts]
    assert all(map(is_visible, literals))
    assert realnix.CURRENT.eval_strings(literals) == texts


def test_files_of_a_project_are_visible(tmp_path: Path, nixpy: Nixpy) -> None:
    """Settings and names with characters that act leave none in nixpy.nix, flake.nix and .envrc, and are up to date."""
    value = toml(NAMED)
    name = f"more{NAMED[:-1]}'$(touch x).txt"
    extra = f"[tool.nixpy]\nshell-hook = {value}\nrequirements = [{toml(name)}]\nenv = {{ A = {value} }}\n"
    project = shop.project(tmp_path / "demo", extra=extra)
    (project / name).write_text("gamma\n")
    assert nixpy("init", project, "--style", "loader", "--direnv").status == 0
    for file in ("nixpy.nix", "flake.nix", ".envrc"):
        assert is_visible((project / file).read_text()), file
    assert r'${builtins.fromJSON "\"\\u001b\""}' in (project / "nixpy.nix").read_text()
    ran = nixpy("check", project, "--format", "json")
    assert (ran.status, ran.project["problems"]) == (0, [])
    assert list(envrc.unwatched(projects.read(project))) == []


@pytest.mark.parametrize("name", ["plain.txt", "a b.txt", "a'b\x1b.txt", "\u202e.txt", "a\\\n\tb", "é\x85$(x)`y`"])
def test_a_shell_reads_the_name(name: str) -> None:
    """A name is one word of bash, and one visible line."""
    word = shell_word(name)
    assert re.fullmatch(r"[^\n\t]*", word)
    assert is_visible(word)
    done = subprocess.run(["bash", "-c", f"printf %s {word}"], capture_output=True, check=True)
    assert done.stdout.decode() == name
    assert visible(name) != name or "\n" in name or word == shlex.quote(name)
