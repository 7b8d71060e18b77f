"""Text of others stays text: no terminal and no CI service obeys what a project's settings, files and names hold."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

import shop
from ci.actionrunner import Ran as Job
from nixpy.cli import formats, markdown, output
from nixpy.cli.formats import FORMATS
from nixpy.core.text import visible
from runner import Nixpy, Ran

# Characters that a terminal obeys, that reorder text, or that some program takes for the end of a line.
ACTING = "".join(map(chr, (*range(1, 9), *range(11, 32), *range(0x7F, 0xA0), 0x200F, 0x2028, 0x2029, 0x202E, 0x2066)))
BLANKS = ["", " ", "\x0b", "\x0c", "\x1c", "\x85", "\xa0", "\u2028", "\u2029", "\u3000"]
_VISIBLE = re.compile(r"[\n\t\x20-\x7e\xa1-\xac\xae-\u02ff…]*")


@pytest.fixture
def managed(tmp_path: Path, nixpy: Nixpy) -> Path:
    """A project with its files, in a repository."""
    (tmp_path / ".git").mkdir()
    project = shop.project(tmp_path / "demo", "alpha")
    assert nixpy("init", project, "--style", "loader").status == 0
    return project


def add(project: Path, text: str) -> None:
    path = project / "pyproject.toml"
    path.write_text(path.read_text() + text)


def commands(ran: Ran) -> list[str]:
    """Return the names of the commands that GitHub's runner obeys in what was printed, but for the annotations."""
    known = ("error", "notice")
    return [one["kind"] for text in (ran.out, ran.err) for one in Job(log=text).commands if one["kind"] not in known]


@pytest.mark.slow
@pytest.mark.parametrize("blank", BLANKS)
def test_no_setting_is_a_command_of_githubs(blank: str, managed: Path, nixpy: Nixpy) -> None:
    """A setting that holds workflow commands stops none of nixpy's own, with and without the difference."""
    value = f"x{blank}::stop-commands::tok##[stop-commands]tok"
    add(managed, f"env = {{ A = {json.dumps(value)} }}\n")
    ran = nixpy("check", managed, "--format", "github")
    assert (ran.status, commands(ran)) == (1, [])
    ran = nixpy("check", managed, "--format", "github", "--diff")
    begin, end = commands(ran)
    assert (begin, re.fullmatch("[0-9a-f]{32}", end) is not None) == ("stop-commands", True)
    assert f"::stop-commands::{end}\n" in ran.out
    for form in ("text", "markdown", "json", "gitlab", "sarif"):
        assert commands(nixpy("check", managed, "--format", form, "--diff")) == []


@pytest.mark.slow
@pytest.mark.parametrize("blank", BLANKS)
def test_no_line_of_a_file_is_a_command(blank: str, managed: Path, nixpy: Nixpy) -> None:
    """A line of an edited file, which a difference shows behind one blank, is no command."""
    path = managed / "nixpy.nix"
    path.write_text(path.read_text().replace("\n", f"\n{blank}::stop-commands::tok\n", 3).replace("zlib", "zlib-ng"))
    assert len(commands(nixpy("check", managed, "--format", "github", "--diff"))) == 2
    for form in ("text", "markdown"):
        assert commands(nixpy("check", managed, "--format", form, "--diff")) == []


FORGED = "x\n\nerror: forged\n  hint: Run `forged`"


@pytest.mark.parametrize(
    "settings",
    [
        f"dependencies = [{json.dumps(FORGED)}]",
        f"[tool.nixpy]\n{json.dumps(FORGED)} = 1",
        f'[dependency-groups]\n{json.dumps(FORGED)} = []\n[tool.nixpy]\ngroups = ["none"]',
        f"[tool.uv]\n{json.dumps(FORGED)} = 1",
    ],
    ids=["message", "setting", "hint", "diagnostic"],
)
def test_no_text_is_an_error_of_its_own(settings: str, tmp_path: Path, nixpy: Nixpy) -> None:
    """A newline in a text of others begins no line that looks like an error or a hint of nixpy."""
    folder = tmp_path / FORGED.replace("/", "")
    folder.mkdir()
    (folder / "pyproject.toml").write_text(f'[project]\nname = "p"\nversion = "1"\n{settings}\n')
    for words in (("scan", folder), ("init", folder, "--style", "loader"), ("check", folder), ("doctor", folder)):
        ran = nixpy(*words)
        lines = f"{ran.out}\n{ran.err}".splitlines()
        assert not [line for line in lines if line.lstrip().startswith(("error: forged", "hint: Run `forged`"))]


@pytest.mark.parametrize("form", list(FORMATS))
@pytest.mark.parametrize("name", ["##[stop-commands]x", "a\n::stop-commands::x", "\u2028::stop-commands::x"])
def test_no_name_of_a_folder_is_a_command(name: str, form: str, tmp_path: Path, nixpy: Nixpy) -> None:
    """Neither the name of a project that is read nor that of one with an error is a workflow command."""
    (tmp_path / ".git").mkdir()
    project = shop.project(tmp_path / name, "alpha")
    for _ in range(2):
        ran = nixpy("check", name, "--format", form, cwd=tmp_path)
        assert commands(ran) == []
        (project / "pyproject.toml").write_text("[project\n")
    assert ran.status == 2
    for command in ("init", "sync", "scan"):
        assert commands(nixpy(command, name, cwd=tmp_path)) == []


@pytest.mark.parametrize("form", list(FORMATS))
def test_no_control_character_is_printed(form: str, tmp_path: Path, nixpy: Nixpy) -> None:
    """Settings, names of folders and edited files reach the terminal with escapes, which JSON reads back exactly."""
    name = "demo" + ACTING.replace("/", "")
    project = shop.project(tmp_path / name, "alpha")
    assert nixpy("init", project, "--style", "loader").status == 0
    path = project / "nixpy.nix"
    path.write_text(path.read_text().replace("zlib", f"zlib-ng # {ACTING}"))
    ran = nixpy("check", project, "--format", form, "--diff")
    assert ran.status == 1
    for text in (ran.out, ran.err):
        assert _VISIBLE.fullmatch(text), sorted(set(_VISIBLE.sub("", text)))
    if form == "json":
        assert ran.project["folder"] == str(project)
        assert ACTING.replace("\r", "") in ran.project["files"][1]["diff"].replace("\r", "")
    add(project, 'style = "\\u001b[31mred\\u202e"\n')
    for command in ("check", "init", "sync", "scan"):
        ran = nixpy(command, project)
        assert _VISIBLE.fullmatch(ran.out + ran.err)


@pytest.mark.parametrize("form", list(FORMATS))
def test_a_name_that_is_not_utf_8_is_printed(form: str, tmp_path: Path, nixpy: Nixpy) -> None:
    """A folder whose name is no UTF-8 is shown with its bytes as escapes, in each format."""
    project = shop.project(tmp_path / os.fsdecode(b"bad\xff"), "alpha")
    (tmp_path / ".git").mkdir()
    ran = nixpy("check", project, "--format", form)
    assert ran.status in {1, 2}
    assert "bad" in ran.out
    ran.out.encode()
    if form == "sarif":
        (result, *_) = ran.json["runs"][0]["results"]
        uris = [place["physicalLocation"]["artifactLocation"]["uri"] for place in result["locations"]]
        assert all(uri.startswith("bad%FF/") for uri in uris)


def test_a_message_of_sarif_has_no_link(managed: Path, nixpy: Nixpy) -> None:
    """Of a text that looks like a link or a placeholder SARIF's readers make neither (sections 3.11.5 and 3.11.6)."""
    path = managed / "nixpy.nix"
    path.write_text(path.read_text().replace("pkgs.zlib", "pkgs.zlib-ng"))
    add(managed, 'env = { A = "[click](https://evil.example) {0} \\u202e" }\n')
    messages = [
        result["message"]["text"] for result in nixpy("check", managed, "--format", "sarif").json["runs"][0]["results"]
    ]
    assert messages
    written = formats._sarif_text("[click](https://evil.example) {0} {x} \u202e")
    assert written == "\\[click\\](https://evil.example) {{0}} {x} \\u202e"


def test_backticks_close_no_fence(managed: Path, nixpy: Nixpy) -> None:
    """An edited file with fences of its own stays inside the fence of the summary, and so does what follows it."""
    path = managed / "nixpy.nix"
    text = "````\n</details>\n`````````\n[click](https://evil.example)\n<img src=x>\n"
    path.write_text(text + path.read_text())
    ran = nixpy("check", managed, "--format", "markdown", "--diff")
    tokens = MarkdownIt("commonmark").enable("table").parse(ran.out)
    (fence,) = [token for token in tokens if token.type == "fence"]
    assert all(f"-{line}\n" in fence.content for line in text.splitlines())
    assert not acting(ran.out)


MARKUP = st.text(alphabet="`\\[]()<>!*_~|&#-+=1. \naé:/@\x1b\u202e", max_size=40)


@given(text=MARKUP)
@example(text="a `b [x](http://evil.example) `c")
@example(text="[x](http://evil.example)")
@example(text="![x](http://evil.example)")
@example(text="<http://evil.example>")
@example(text="# a")
def test_no_text_is_markup(text: str) -> None:
    """In a list, in a table, as code and in a block a Markdown parser reads text and code, and all of the text."""
    for written in (f"- {markdown.sentence(text)}\n", f"| a | b |\n| --- | --- |\n| {markdown.sentence(text)} | c |\n"):
        assert not acting(written)
        cells = [token for token in parsed(written) if token.type == "inline"]
        said = "".join(child.content for cell in cells for child in cell.children or ())
        assert re.sub(r"[`\s\\]", "", visible(text)) in re.sub(r"[`\s\\]", "", said)
    (paragraph,) = [token for token in parsed(f"a {markdown.code(text)} b") if token.type == "inline"]
    assert [child.type for child in paragraph.children or ()] == ["text", "code_inline", "text"] or not text
    (fence,) = parsed(markdown.block(text, "diff"))
    assert (fence.type, fence.content) == ("fence", visible(text) + "\n")
    assert "<" not in markdown.html(text)


def parsed(text: str) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse(text)


def acting(text: str) -> list[str]:
    """Return the kinds of Markdown in the text that do more than display it, but for our own details."""
    plain = {"text", "code_inline", "softbreak"}
    ours = re.compile(r"(paragraph|table|thead|tbody|tr|th|td|bullet_list|list_item|heading)_(open|close)|fence|inline")
    details = re.compile(r"<details><summary>[\w.]+</summary>\n|</details>\n?")
    found = []
    for token in parsed(text):
        if token.type == "html_block" and details.fullmatch(token.content):
            continue
        found += [child.type for child in token.children or () if child.type not in plain]
        found += [token.type] * (not ours.fullmatch(token.type))
        found += [token.markup] * (token.type == "heading_open" and token.markup != "###")
    return found


def test_styles_of_others_are_escaped(capsys: pytest.CaptureFixture[str]) -> None:
    """A text in colour holds no control sequence but that of the colour."""
    text = "\x1b[2Ja"
    output.echo("x\x1b[1m", output.Styled(text, bold=True))
    assert capsys.readouterr().out == visible(f"x\x1b[1m{text}") + "\n"


def test_one_module_prints() -> None:
    """Nothing prints but output.py; completion.py, whose script a shell reads and which has no text of others; and the
    last handler in __main__.py, which has nixpy's own words.
    """
    folder = Path(output.__file__).parents[1]
    printing = re.compile(r"\b(click\.(echo|secho|style)|print)\(|sys\.(stdout|stderr)\.write")
    found = {path.name for path in folder.rglob("*.py") if printing.search(path.read_text())}
    assert found <= {"__main__.py", "output.py", "completion.py", "ask.py"}  # ask.py runs in the environment's Python
