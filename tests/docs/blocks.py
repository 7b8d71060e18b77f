"""The fenced blocks of a Markdown page, by what the tests do with them.

```console            the commands are run, and what they print is compared with what is shown
```console box        the same in the box, with real Nix and no /lib
```console host       not run: wants what the tests do not have; docs/not-run.csv says what, of each command
```console fails      the last command of the block ends with a status that is not 0; after `box` too
```toml pyproject.toml    a file, written before what follows is run
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

TOP = Path(__file__).parents[2]
PLACES = frozenset({"box", "host"})
_WORDS = PLACES | {"fails"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One block; `file` is the name of the file that it is, if it is one."""

    page: Path
    line: int
    language: str
    words: frozenset[str]
    file: str | None
    text: str

    @property
    def where(self) -> str:
        """The block's place, as an editor takes it."""
        return f"{self.page.relative_to(TOP)}:{self.line}"

    def steps(self) -> list[tuple[str, list[str]]]:
        """The commands of a session, each with the lines that it is shown to print."""
        found: list[tuple[str, list[str]]] = []
        for line in self.text.splitlines():
            if line.startswith("$ "):
                found.append((line[2:], []))
            elif found and found[-1][0].endswith("\\") and not found[-1][1]:
                found[-1] = (f"{found[-1][0]}\n{line}", [])
            else:
                assert found, f"{self.where}: a session begins with a command, `$ ...`"
                found[-1][1].append(line.rstrip())
        return found


def blocks(page: Path) -> Iterator[Block]:
    """Yield the fenced blocks of a page, also those in lists."""
    for token in MarkdownIt().parse(page.read_text("utf-8")):
        if token.type == "fence" and token.map:
            language, *words = token.info.split() or ["text"]
            known = frozenset(words) & _WORDS if language == "console" else frozenset()
            names = [word for word in words if word not in known]
            assert len(names) <= 1, (page, token.info)
            yield Block(
                page=page,
                line=token.map[0] + 1,
                language=language,
                words=known,
                file=names[0] if names else None,
                text=token.content,
            )


def pages() -> list[Path]:
    """Every page that is written by hand, the README among them."""
    tops = ("README.md", "CONTRIBUTING.md", "examples/README.md")
    return [*(TOP / name for name in tops), *sorted((TOP / "docs").rglob("*.md"))]


def agrees(shown: list[str], printed: str) -> bool:
    """Tell whether what was printed is what is shown; a line `...` stands for any lines, in a line for any text."""
    import re

    lines = [line for line in shown if line or len(shown) > 1]
    parts = [
        "(?:.*\n)*?" if line.strip() == "..." else re.escape(line).replace(r"\.\.\.", ".*") + "\n" for line in lines
    ]
    text = "".join(f"{line.rstrip()}\n" for line in printed.strip("\n").splitlines())
    return re.fullmatch("".join(parts).removesuffix("\n") + "\n*", text) is not None
