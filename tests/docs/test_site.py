"""The pages as a whole: they build strictly, say all there is to say, and lead nowhere that is not there."""

from __future__ import annotations

import csv
import html
import itertools
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import generate
import pytest
from markdown_it import MarkdownIt

from docs.blocks import TOP, blocks, pages
from nixpy.core import address
from nixpy.diagnostics.codes import explanations
from nixpy.styles.features import features
from nixpy.styles.promises import NEEDS, in_words
from nixpy.styles.styles import styles

EXAMPLES = sorted((TOP / "examples").glob("*/README.md"))
FIGURES = sorted((TOP / "docs").rglob("*.svg"))
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built pages; a warning, such as a link to a page or heading that is not there, is an error."""
    folder = tmp_path_factory.mktemp("site")
    strict = ("--fail-on-warning", "--keep-going", "--nitpicky", "--quiet")
    command = (sys.executable, "-m", "sphinx", *strict, TOP / "docs", folder, "-d", folder.with_name("doctrees"))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


def text(site: Path, page: str) -> str:
    """What a reader sees of a page."""
    article = (site / f"reference/{page}.html").read_text().partition("<article")[2].partition("</article")[0]
    return html.unescape(re.sub("<[^>]+>", "", article))


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    """No page loads a script, style, font or picture from another server."""
    for page in site.rglob("*.html"):
        loaded = re.findall(r'<(?:script|img|link|iframe)\b[^>]*\b(?:src|href)="(?:https?:)?//[^"]+"', page.read_text())
        assert loaded == [], page
    for style in site.rglob("*.css"):
        assert re.findall(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//", style.read_text()) == [], style


@pytest.mark.parametrize(
    ("word", "caption"), [("host", "not run by the tests"), ("box", "run in the box"), ("fails", "not 0")]
)
def test_what_the_tests_do_with_a_block_is_said(site: Path, word: str, caption: str) -> None:
    """Above each block that is not run on the machine of the tests, or not at all, a reader finds that."""
    marked = 0
    for page in (TOP / "docs").rglob("*.md"):
        built = (site / page.relative_to(TOP / "docs").with_suffix(".html")).read_text()
        captions = [re.sub("<[^>]+>", "", text) for text in re.findall(r'"caption-text">(.*?)</div>', built, re.DOTALL)]
        said = sum(caption in text for text in captions)
        assert said == sum(word in block.words for block in blocks(page)), page
        marked += said
    assert marked > 0


def test_every_command_and_option_is_in_the_reference(site: Path) -> None:
    """Each command has a section, with each of its options."""
    shown = text(site, "commands")
    for command, context in generate.all_commands():
        assert context.command_path in shown
        for parameter in command.params:
            assert all(option in shown for option in parameter.opts if option.startswith("-"))
        assert all(option in shown for option in command.get_help_option_names(context))
    assert "-V, --version" in shown


@pytest.mark.parametrize("setting", generate.all_settings(), ids=lambda setting: setting.key)
def test_every_setting_is_explained(site: Path, setting: generate.Setting) -> None:
    """Each setting stands in the reference, and a string below it in the source says what it does."""
    assert f"\n{setting.key}\n" in text(site, "settings")
    assert len(setting.what) > 15, f"write what `{setting.key}` does below it, as a string"


def test_every_code_is_in_the_reference(site: Path) -> None:
    """Each code that the source can report has a section, with what it means, what to do, and a page that tells more;
    and the table of explanations has no other.
    """
    source = "".join(path.read_text() for path in generate.PACKAGE.rglob("*.py"))
    reported = set(re.findall(r"""["'](NIX\d{3})["']""", source))
    codes = {code.name: code for code in generate.all_codes()}
    assert set(codes) == reported == explanations().keys()
    shown = text(site, "codes")
    for name, about in explanations().items():
        section = shown.partition(f"\n{name}")[2].partition("\nNIX")[0]
        for sentence in (about.meaning, about.remedy):
            assert len(sentence) > 9, name
            assert sentence.endswith("."), name
            assert sentence.replace("`", "") in section, name
        assert (TOP / "docs" / about.page).exists(), name


def test_what_a_run_fills_in_has_a_name(site: Path) -> None:
    """A message with places to be filled in says of each what comes there, where the source has a name for it."""
    shown = text(site, "codes")
    assert "<soname> is needed by <names> on <where>, but nixpy does not know which package has it" in shown
    assert re.findall(r"… on …|for Python …", shown) == []


def test_every_style_and_feature_is_in_the_reference(site: Path) -> None:
    """Each has a section that says what it costs."""
    shown = text(site, "styles")
    assert all(f"\n{style.name}" in shown and style.bad[0].replace("`", "") in shown for style in styles())
    shown = text(site, "features")
    assert all(f"\n{feature.name}" in shown and feature.cost.replace("`", "") in shown for feature in features())


# --- what was seen of the styles --------------------------------------------------------------------------------------

PROOFS = generate.csv_rows(generate.PROOFS)


def test_proofs_are_of_promises() -> None:
    """Each row is about a style and a need that exist, and says of it what the style says; none stands twice."""
    promised = {(style.name, need.name): need.promised(style) for style in styles() for need in NEEDS}
    rows = [(row["style"], row["need"]) for row in PROOFS]
    assert len(set(rows)) == len(rows)
    for row in PROOFS:
        assert row["seen"] == in_words(promised[row["style"], row["need"]]), row


@pytest.mark.last
@pytest.mark.parametrize("row", PROOFS, ids=lambda row: f"{row['style']}, {row['need']}")
def test_promises_were_seen(
    row: dict[str, str],
    outcomes_of: Callable[[str], dict[str, str]],
    seen_by: Callable[[str], set[tuple[str, str, bool | str]]],
) -> None:
    """The test of each row passed in this run, in each of its forms, and saw what the row says, and no other."""
    found = outcomes_of(row["proof"])
    assert found
    assert set(found.values()) == {"passed"}
    noted = {(style, need, in_words(served)) for style, need, served in seen_by(row["proof"])}
    assert {seen for *about, seen in noted if about == [row["style"], row["need"]]} == {row["seen"]}


def test_a_promise_without_a_proof_is_marked() -> None:
    """The page does not call seen what no test has shown."""
    known = generate.proofs()
    for style, need in ((style, need) for style in styles() for need in NEEDS if need.promised(style) is not None):
        said = in_words(need.promised(style))
        assert generate._answer(style, need, {}) == f"*claimed: {said}*"
        seen = generate._answer(style, need, known)
        assert seen.startswith("*claimed") != ((style.name, need.name) in known)
        assert said in seen


# --- links ------------------------------------------------------------------------------------------------------------


def links(page: Path) -> Iterator[str]:
    for token in MarkdownIt().enable("table").parse(page.read_text("utf-8")):
        for child in token.children or ():
            target = child.attrGet("href") or child.attrGet("src")
            if target:
                yield str(target)


def slugs(page: Path) -> set[str]:
    """The names of headings, as GitHub makes them."""
    tokens = MarkdownIt().parse(page.read_text("utf-8"))
    titles = [after.content for token, after in itertools.pairwise(tokens) if token.type == "heading_open"]
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


OTHERS = [TOP / "CHANGELOG.md", TOP / "SECURITY.md", *sorted((TOP / "tests").rglob("*.md"))]


@pytest.mark.parametrize("page", [*pages(), *EXAMPLES, *OTHERS], ids=lambda page: str(page.relative_to(TOP)))
def test_links_lead_somewhere(page: Path) -> None:
    """A link inside the repository leads to a file, and to a heading that it has; one out of it is a reviewed one."""
    with Path(__file__).with_name("links.csv").open(newline="") as file:
        reviewed = {row["address"] for row in csv.DictReader(file)}
    for link in links(page):
        if "://" in link:
            own = address.repository()
            known = link in reviewed or (own and link.startswith(own))
            assert known, f"{link}: look at it, then add it to tests/docs/links.csv"
            continue
        place, _, heading = link.partition("#")
        target = page.parent / place if place else page
        assert target.exists(), link
        generated = "<!-- generated" in target.read_text() if target.suffix == ".md" else True
        assert not heading or generated or heading in slugs(target), link


# --- figures and examples ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure.name)
def test_a_figure_is_for_everybody(figure: Path) -> None:
    """It has a title and a description that a screen reader finds, colours for dark pages or a ground of its own, and
    is in a page with a text in its place.
    """
    root = ET.parse(figure).getroot()  # noqa: S314 - our own
    named = [element.get("id") for element in root if element.tag in {f"{SVG}title", f"{SVG}desc"} and element.text]
    assert (root.get("role"), str(root.get("aria-labelledby")).split()) == ("img", named)
    ground = next(root.iter(f"{SVG}rect"))  # a terminal is dark on every page
    covers = f"0 0 {ground.get('width')} {ground.get('height')}" == root.get("viewBox") and ground.get("fill")
    assert covers or "prefers-color-scheme: dark" in figure.read_text()
    links = [(page.read_text(), os.path.relpath(figure, page.parent)) for page in pages()]
    assert any(re.search(rf"!\[[^\]]{{40,}}\]\({re.escape(link)}\)", text) for text, link in links)


def test_every_style_is_in_the_figure_and_the_words() -> None:
    """Where styles hook in is drawn and explained for each, and choosing.md says in words when to take it."""
    folder = TOP / "docs/explanation"
    drawn = ET.parse(folder / "figures/styles.svg").getroot()  # noqa: S314 - our own
    boxes = [element.text for element in drawn.iter(f"{SVG}text") if "code" in element.get("class", "")]
    assert sorted(map(str, boxes)) == sorted(style.name for style in styles())
    for page in (folder / "styles.md", TOP / "docs/choosing.md"):
        words = page.read_text().partition("## In words")[2] or page.read_text()
        assert [style.name for style in styles() if f"`{style.name}`" not in words] == []


@pytest.mark.parametrize("page", EXAMPLES, ids=lambda page: page.parent.name)
def test_an_example_can_be_followed(page: Path) -> None:
    """It says what it is an example of, in a few words why, then how it is known to git and entered, what to run and
    what to expect, and at last how it works.
    """
    lines = page.read_text().splitlines()
    name = page.parent.name
    assert re.fullmatch(r"# [A-Z]\w+ .+: \S.*", lines[0])
    assert lines[1] == ""
    assert len(lines[2]) > 40
    sessions = [block for block in blocks(page) if block.language == "console"]
    steps = [step for block in sessions for step in block.steps()]
    known, entered = (command for command, _ in steps[:2])
    assert known.startswith("git init --quiet && git add ."), name
    assert entered.startswith(("nix develop", "nix build", "nix run", "nix shell")), name
    assert len([line for line in lines if line.startswith("How: ")]) == 1, name
    program = re.compile(r"main\.py|^nix run|^python -c")
    assert any(shown for command, shown in steps if program.search(command)), f"{name}: what does its program print?"
    files = re.findall(r"[\w./-]+\.(?:py|txt|yml)\b", " ".join(command for command, _ in steps))
    assert all((page.parent / file).exists() for file in files if not file.startswith("/"))
