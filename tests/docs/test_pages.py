"""What the pages tell their reader to do is done, and comes out as shown."""

from __future__ import annotations

import csv
import itertools
import re
import shlex
import shutil
import tomllib
from pathlib import Path

import click
import pytest

from docs.blocks import TOP, Block, blocks, pages
from docs.session import Session, published
from nixos.box.shells import wheelhouse
from nixos.realnix import CURRENT
from nixpy.cli.main import group
from nixpy.cli.output import reset
from nixpy.project import config
from nixpy.styles import promises, styles
from smallindex import SmallIndex

PAGES = [TOP / "README.md", *sorted((TOP / "docs").rglob("*.md"))]
EXAMPLES = sorted((TOP / "examples").glob("*/README.md"))
ALL = {page: list(blocks(page)) for page in (*pages(), *EXAMPLES)}
BOXED = [page for page in PAGES if any("box" in block.words for block in ALL[page])]
PLAIN = [page for page in PAGES if page not in BOXED and any(block.language == "console" for block in ALL[page])]
FOLLOWED = [page for page in EXAMPLES if any("box" in block.words for block in ALL[page])]
SHOWN = [block for page in ALL for block in ALL[page]]


def name(page: Path) -> str:
    return str(page.relative_to(TOP))


@pytest.fixture(scope="session")
def house() -> SmallIndex:
    """The wheelhouse as an index."""
    return wheelhouse()


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where nixpy's repository lies for a reader."""
    return published(tmp_path_factory.mktemp("nixpy"))


def follow(page: Path, session: Session) -> None:
    """Read the page from its top to its end; its flakes are evaluated on the way.

    A page on a repository begins with the one in `given`.
    """
    if (given := Path(__file__).parent / "given" / page.stem).is_dir():
        shutil.copytree(given, session.folder, dirs_exist_ok=True)
    for block in ALL[page]:
        session.read(block)
    session.evaluate()
    flakes = [block for block in ALL[page] if block.file == "flake.nix"]
    assert session.evaluated >= len(flakes)


@pytest.mark.usefixtures("real_nix")
@pytest.mark.parametrize("page", PLAIN, ids=name)
def test_a_page_does_what_it_shows(page: Path, tmp_path: Path, house: SmallIndex, address: str) -> None:
    """Every command of the page runs in the order of the page, prints what is shown, and every flake evaluates."""
    follow(page, Session(tmp_path / "home", house, address))


@pytest.mark.usefixtures("real_box")
@pytest.mark.parametrize("page", BOXED, ids=name)
def test_a_page_with_a_shell_does_what_it_shows(page: Path, tmp_path: Path, house: SmallIndex, address: str) -> None:
    """The same where a part of it is done in the box."""
    follow(page, Session(tmp_path / "home", house, address))


def test_what_is_not_run_is_reviewed() -> None:
    """A command that a page shows and nobody runs stands in docs/not-run.csv, with the reason; and no other does."""
    with (TOP / "docs/not-run.csv").open(newline="") as file:
        reasons = {(row["page"], row["command"]): row["why"] for row in csv.DictReader(file)}
    shown = {
        (name(page), command)
        for page in PAGES
        for block in ALL[page]
        if "host" in block.words
        for command, _ in block.steps()
    }
    assert shown == reasons.keys()
    assert all(len(why) > 5 for why in reasons.values())


def test_the_readme_shows_what_is_rendered() -> None:
    """The piece of nixpy.nix in the README is, line by line, the example's of that style."""
    (block,) = (block for block in ALL[TOP / "README.md"] if block.language == "nix")
    assert block.text in (TOP / "examples/nix-ld/nixpy.nix").read_text()


@pytest.mark.usefixtures("real_box")
@pytest.mark.parametrize("page", FOLLOWED, ids=name)
def test_an_example_does_what_it_shows(page: Path, tmp_path: Path, house: SmallIndex, address: str) -> None:
    """Every command of the README runs in a copy of the folder, in the box, and prints what is shown."""
    session = Session(tmp_path / "home", house, address, page.parent)
    for block in ALL[page]:
        session.read(block)


def test_what_is_not_run_of_an_example_has_a_reason() -> None:
    """docs/not-run.md has a row for each example of which something is not run, and for no other."""
    _, _, table = (TOP / "docs/not-run.md").read_text().partition("| example |")
    named = {
        name
        for row in table.splitlines()
        for name in re.findall(r"`([\w-]+)`", row.split("|")[1:2][0] if row[:1] == "|" else "")
    }
    assert named == {page.parent.name for page in EXAMPLES if any("host" in block.words for block in ALL[page])}


@pytest.mark.parametrize("block", [b for b in SHOWN if b.language == "toml"], ids=lambda block: block.where)
def test_settings_that_are_shown_are_valid(block: Block) -> None:
    """What a page shows of settings is TOML, and nixpy takes it."""
    data = tomllib.loads(block.text)
    config.parse(data.get("tool", {}).get("nixpy", {}), block.page)


def test_the_style_that_is_shown_is_one(tmp_path: Path) -> None:
    """The style.toml of the page on writing one is taken by nixpy, which keeps all of it."""
    page = TOP / "docs/how-to/write-a-style.md"
    (text,) = (block.text for block in ALL[page] if block.language == "toml")
    (tmp_path / "house").mkdir()
    (tmp_path / "house/style.toml").write_text(text)
    found = styles._read(tmp_path / "house/style.toml")
    data = tomllib.loads(text)
    assert (found.name, found.title, found.order, found.good) == (
        "house",
        data["title"],
        90,
        tuple(data["tradeoffs"]["good"]),
    )
    promised = {need.name: need.promised(found) for need in promises.NEEDS}
    assert {name: promised[name] for name in promised.keys() & data["promises"].keys()} == {
        name: value for name, value in data["promises"].items() if name != "host"
    }


@pytest.mark.usefixtures("real_nix")
@pytest.mark.parametrize("block", [b for b in SHOWN if b.language == "nix"], ids=lambda block: block.where)
def test_nix_that_is_shown_is_nix(block: Block) -> None:
    """A piece of Nix parses, alone or as a part of an attribute set; a whole flake is evaluated with its page."""
    if block.file != "flake.nix":
        text = block.text.strip()
        attributes = re.match(r"[\w.\"$#{}-]+ (=|\{?$)|#|inherit ", text) is not None and text.endswith(";")
        CURRENT.parse(f"x: with x; {{ {text} }}" if attributes else f"x: with x; ({text})")


def commands() -> list[tuple[str, list[str]]]:
    """Every `nixpy ...` that a page or an example shows, with its place."""
    found = []
    for block in SHOWN:
        for command, _ in block.steps() if block.language == "console" else ():
            tokens = shlex.shlex(command, posix=True, punctuation_chars=True)
            tokens.whitespace_split = True
            for operator, words in itertools.groupby(tokens, lambda token: set(token) <= set("&|;()<>")):
                called = list(words)
                if not operator and called[0] == "nixpy" and not called[1].startswith("-"):
                    found.append((f"{block.where} {shlex.join(called)}", called[1:]))
    return found


@pytest.mark.parametrize("words", [pytest.param(words, id=where) for where, words in commands()])
def test_commands_that_are_shown_exist(words: list[str]) -> None:
    """Also where a command is not run, nixpy has it, with these options."""
    reset()  # the options of the command before
    context = click.Context(group, info_name="nixpy")
    command = group.get_command(context, words[0])
    assert command is not None
    command.make_context(words[0], words[1:], parent=context)
