"""The soname check that nixpy renders, built in the box: it holds, and fails for each row that is made wrong.

Rows that the stand-in lacks are taken out before; that it lacks them is tested here too.
"""

from __future__ import annotations

import csv
import re
import shutil
from pathlib import Path

import pytest

from nixos.box.observe import Observed
from nixos.box.sandbox import HOME, Box
from nixos.box.shells import build_check
from nixos.box.store import RELEASE, SYSTEM, in_root
from nixos.realnix import CURRENT, lock_flake, stand_in
from nixpy.libraries.catalogue import catalogue

EXAMPLES = sorted(path.parent for path in Path(__file__).parents[3].glob("examples/*/nixpy.nix"))
ROW = re.compile(r'^( +)"(?P<soname>[^"]+)" = (?P<package>[^;]+); #', re.MULTILINE)
GROUP = re.compile(r"lib\.optionalAttrs (?P<systems>.+) \{$", re.MULTILINE)

# What examples ask for and the stand-in is without, each with the package of Debian that would bring it.
with Path(__file__).with_name("lacking.csv").open(newline="") as _file:
    LACKING = frozenset(row["soname"] for row in csv.DictReader(_file))


@pytest.fixture(params=EXAMPLES, ids=lambda path: path.name)
def example(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A copy of an example in the home of a box, with its nixpkgs locked to the stand-in."""
    folder = tmp_path / "home/example"
    folder.mkdir(parents=True)
    for name in ("flake.nix", "nixpy.nix", "pyproject.toml"):  # some read the last to know which outputs they have
        if (request.param / name).exists():
            shutil.copyfile(request.param / name, folder / name)
    file = folder / "nixpy.nix"
    file.write_text(ROW.sub(lambda row: "# lacking" if row["soname"] in LACKING else row[0], file.read_text()))
    lock_flake(folder, RELEASE)
    return folder


def test_only_what_is_lacking_is_taken_out() -> None:
    """The stand-in cannot build the package of each, or builds it without that library; and an example asks for it."""
    found = {soname: catalogue().find(soname) for soname in LACKING}
    texts = "".join(f'"{soname}" = {entry.expression};' for soname, entry in found.items() if entry)
    built = CURRENT.eval_json(f"""
        let pkgs = import {stand_in(RELEASE)} {{ system = "{SYSTEM}"; }};
            describe = package: {{ inherit (package) builder; folder = "${{package}}/lib"; }};
        in builtins.mapAttrs (_: package: describe (pkgs.lib.getLib package)) {{ {texts} }}
    """)
    assert set(built) == LACKING
    for soname, package in built.items():
        folder = in_root(Path(package["folder"]))
        assert package["builder"] == "/not-built" or folder.is_dir(), soname
        assert not (folder / soname).exists(), soname
    asked = {row["soname"] for path in EXAMPLES for row in ROW.finditer((path / "nixpy.nix").read_text())}
    assert asked >= LACKING


def test_the_check_of_each_example(example: Path, tmp_path: Path) -> None:
    """It builds as it is, and with each row's soname or package made wrong it fails and names the row."""
    judge(Box(home=tmp_path / "home"), example)


@pytest.mark.parametrize("observed", ["loader"], indirect=True)
def test_the_check_of_the_matrix(observed: Observed) -> None:
    """The same for the project of the matrix, which uses more of the catalogue than any example."""
    judge(observed.shell.box, observed.shell.folder)


def is_for_linux(before: str) -> bool:
    """Whether what follows a text is in a group of rows for the box's system."""
    systems = list(GROUP.finditer(before))[-1]["systems"]
    return systems == "isLinux" or SYSTEM in systems


def judge(box: Box, folder: Path) -> None:
    """Make each row of the rendered file wrong, in both ways."""
    flake = f"{HOME}/{folder.name}"
    file = folder / "nixpy.nix"
    text = file.read_text()
    rows = [row for row in ROW.finditer(text) if is_for_linux(text[: row.start()])]
    facts = text.partition("# The rest is the same for every project")[0]
    assert rows or "sonames =" not in facts
    done = build_check(box, flake)
    assert done.returncode == 0, done.stderr
    try:
        for row in rows:
            soname, package = row["soname"], row["package"]
            for changed, named in (
                (row[0].replace(soname, f"{soname}.7"), f"{soname}.7 is not in /nix/store/"),
                (row[0].replace(package, "pkgs.coreutils"), f"{soname} is not in /nix/store/"),
            ):
                file.write_text(text[: row.start()] + changed + text[row.end() :])
                done = build_check(box, flake)
                assert done.returncode != 0, changed
                assert named in done.stderr, done.stderr
                if "coreutils" in changed:
                    assert re.search(rf"{re.escape(soname)} is not in /nix/store/\S+-coreutils-1", done.stderr)
    finally:
        file.write_text(text)
