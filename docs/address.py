"""Write the public address of nixpy into the texts that name it: `make address`.

The address is in `templates/address.json`. Without one, nothing changes: the texts use a clone in `~/nixpy`. The first
address replaces that clone in commands, and the texts of `address.csv`, next to this file. A new address replaces the
one of the last commit. Lines that still need an edit by hand are printed.
"""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

TOP = Path(__file__).parents[1]
FILE = "templates/address.json"
TABLE = "docs/address.csv"
TEXTS = (
    "README.md",
    "pyproject.toml",
    "docs/*.md",
    "docs/**/*.md",
    "docs/not-run.csv",
    "examples/*.md",
    "examples/**/*.md",
)
# What comes before the clone in a command: tools that take the address of a git repository, or a flake reference.
GIT = r"(?:uv tool install|pipx install|copier copy)"
FLAKE = r"nix (?:run|shell|profile install|flake init)"
COMMAND = re.compile(rf"(?P<before>(?:(?P<git>{GIT})|{FLAKE})(?:(?!{GIT}|{FLAKE})[^`\n])*?)~/nixpy(?![\w-])")
NONE_YET = re.compile(r"nixpy has no public (?:release|address) yet[^.]*?[.]\s*")
BY_HAND = re.compile(r"~/nixpy|no public (?:release|address)|uses: [.]/[.]nixpy")


def forms(address: Mapping[str, str]) -> dict[str, str]:
    """Return the spellings of an address: for git, for flakes, for `uses:` of GitHub, and the commit."""
    repository = address["repository"]
    name = repository.removeprefix("https://github.com/")
    on_github = name != repository
    return {
        **address,
        "git": f"git+{repository}",
        "flake": f"github:{name}" if on_github else f"git+{repository}",
        "action": name if on_github else "./.nixpy",
    }


def written(name: str, text: str, new: Mapping[str, str], old: Mapping[str, str]) -> str:
    """Return the text of a file with the address; `old` is the one that it may have, empty if it is the first."""
    if not new["repository"]:
        return text
    spelled = forms(new)
    if old["repository"]:
        again = {before: spelled[key] for key, before in forms(old).items() if before}
        longest = sorted(map(re.escape, again), key=len, reverse=True)
        text = re.sub("|".join(longest), lambda match: again[match[0]], text)
    for row in rows():
        published = row["published"].format(**spelled)
        # GitHub runs an action only from a repository at GitHub.
        if row["file"] == name and published not in text and "uses: ./" not in published:
            text = text.replace(row["clone"], published)
    text = COMMAND.sub(lambda match: match["before"] + spelled["git" if match["git"] else "flake"], text)
    return NONE_YET.sub("", text)


def rows() -> list[dict[str, str]]:
    """Return the rows of the table: a file, its text without an address, and its text with one."""
    with (TOP / TABLE).open(newline="") as table:
        return list(csv.DictReader(table))


def texts(top: Path) -> dict[str, str]:
    """Return the texts that may name the address, by their paths below the repository."""
    names = {str(path.relative_to(top)) for pattern in TEXTS for path in top.glob(pattern)}
    names |= {row["file"] for row in rows()}
    return {name: (top / name).read_text() for name in sorted(names) if "/.venv/" not in name}


def changes(top: Path, old: Mapping[str, str]) -> dict[str, str]:
    """Return the texts that do not have the address yet, as they should be."""
    new = json.loads((top / FILE).read_text())
    found = {name: (text, written(name, text, new, old)) for name, text in texts(top).items()}
    return {name: after for name, (before, after) in found.items() if before != after}


def by_hand(top: Path) -> Iterator[str]:
    """Yield the lines that still mention the clone, if there is an address: `FILE:LINE: TEXT`."""
    if json.loads((top / FILE).read_text())["repository"]:
        for name, text in texts(top).items():
            for number, line in enumerate(text.splitlines(), 1):
                if BY_HAND.search(line):
                    yield f"{name}:{number}: {line}"


def main() -> int:
    """Write the texts and print the lines to edit by hand. Return 1 if there are some."""
    git = ["git", "-C", str(TOP), "show", f"HEAD:{FILE}"]
    done = subprocess.run(git, capture_output=True, text=True, check=False)
    old = json.loads(done.stdout) if done.returncode == 0 else {"repository": "", "commit": ""}
    for name, text in changes(TOP, old).items():
        (TOP / name).write_text(text)
        sys.stdout.write(f"wrote {name}\n")
    left = list(by_hand(TOP))
    for line in left:
        sys.stderr.write(f"edit by hand: {line}\n")
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
