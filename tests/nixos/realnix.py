"""Real Nix for the tests: Debian's own (2.8) and a current one, offline, with a store of their own.

`make setup` brings both. Each call runs in bubblewrap with a plain folder of the cache bound over `/nix` and
without a network, so that nothing of the machine's own Nix is read or written and an evaluation that wants to
download fails.

Import it as `nixos.realnix`: `tests/` is on pytest's path and `nixos` a namespace package.
"""

from __future__ import annotations

import functools
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from suite.access import ACCESS

HERE = Path(__file__).parent
CACHE = Path(
    os.environ.get("NIXPY_TEST_CACHE")
    or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "nixpy-tests"
)
ROOT = CACHE / "nix-root"  # what a call sees as /nix

VERSIONS = {"debian": Path("/usr/bin"), "current": CACHE / "nix-current/bin"}
SYSTEMS = ("x86_64-linux", "aarch64-linux", "aarch64-darwin")

# Nothing is lost with the machine that `make setup` does not make again: so no write waits for the disk.
CONFIGURATION = """\
experimental-features = nix-command flakes
sandbox = false
build-users-group =
substituters =
flake-registry =
warn-dirty = false
fsync-metadata = false
download-attempts = 1
"""


class NixError(Exception):
    """What Nix said when it failed."""


@dataclass(frozen=True, slots=True)
class Nix:
    """One version of Nix, `debian` or `current`."""

    version: str

    def run(
        self,
        *command: str | Path,
        cwd: Path | None = None,
        check: bool = True,
        stdin: str | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """The finished run of `nix …` or `nix-instantiate …`; NixError with its stderr if `check` and it
        failed.
        """
        ACCESS.demand("nix", "box")
        programs = VERSIONS[self.version]
        for tool in (programs / str(command[0]), shutil.which("bwrap"), Path("/nix")):
            if tool is None or not Path(tool).exists():
                raise NixError(f"{tool or 'bwrap'} is missing: run `make setup`")
        (ROOT / "home").mkdir(parents=True, exist_ok=True)
        settings = {
            "HOME": "/nix/home",
            "LANG": "C.UTF-8",
            "NIX_BIN_DIR": str(programs),
            "NIX_CONFIG": CONFIGURATION,
            "NIX_CONF_DIR": "/nix/no-configuration",
            "PATH": f"{programs}:/usr/bin:/bin",
            "XDG_CACHE_HOME": f"/nix/home/cache-{self.version}",
            **(environment or {}),
        }
        sandbox = ["bwrap", "--dev-bind", "/", "/", "--bind", str(ROOT), "/nix", "--unshare-net", "--"]
        done = subprocess.run(
            [*sandbox, *map(str, command)],
            cwd=cwd,
            env=settings,
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            check=False,
        )
        if check and done.returncode != 0:
            raise NixError(f"{self.version} Nix, {' '.join(map(str, command))}:\n{done.stderr.strip()}")
        return done

    def parse(self, text: str) -> str:
        """The expression as Nix understands it; NixError where it is no Nix or uses an unknown variable."""
        return self.run("nix-instantiate", "--parse", "-", stdin=text).stdout

    def eval_json(self, expression: str, *, environment: Mapping[str, str] | None = None) -> Any:
        """The value of an expression, through JSON. It may read the store and the machine (it is
        not pure).
        """
        command = ("nix-instantiate", "--eval", "--strict", "--json", "-")
        return json.loads(self.run(*command, stdin=expression, environment=environment).stdout)

    def eval_strings(self, expressions: Sequence[str]) -> list[str]:
        """The values of many string expressions, in one call."""
        values = self.eval_json("[\n" + "\n".join(f"(\n{text}\n)" for text in expressions) + "\n]")
        assert len(values) == len(expressions)
        return [str(value) for value in values]

    def flake_check(self, folder: Path, *, all_systems: bool = False) -> subprocess.CompletedProcess[str]:
        """`nix flake check` of the locked flake in `folder`, which evaluates every output and
        builds nothing.
        """
        options = ["--all-systems"] if all_systems else []
        return self.run("nix", "flake", "check", "--offline", "--no-build", *options, f"path:{folder}")

    def flake_show(self, folder: Path) -> Any:
        """The outputs of the locked flake in `folder`, as `nix flake show --json` has them."""
        return json.loads(self.run("nix", "flake", "show", "--offline", "--json", f"path:{folder}").stdout)

    def add(self, folder: Path) -> Path:
        """The store path of a copy of `folder`, under its own name."""
        return Path(self.run("nix-store", "--add", folder).stdout.strip())


CURRENT = Nix("current")

# --- the stand-in for nixpkgs ------------------------------------------------------------
#
# `tables` (attributes, python_attributes) are other tables than the two beside this file.

# The tables of wheels that lie in the wheelhouse, and that packages of the stand-in are made of.
WHEELS = ("wheels.csv", "backends.csv", "own.csv", "examples.csv")
RELEASES = ("24.11", "25.05", "25.11", "26.05", "unstable")


# What the set-up of the box put into the store; its table differs from ours where Debian has newer versions by now.
RESOLVED_DEBS = ROOT / "box/debs.csv"


@functools.cache
def stand_in(
    release: str,
    attributes: Path = HERE / "attributes.csv",
    python_attributes: Path = HERE / "python-attributes.csv",
) -> Path:
    """The store path of the stand-in nixpkgs for one release, with what the two tables say of that
    release.
    """
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch, "source")
        shutil.copytree(HERE / "nixpkgs", source)
        (source / "release").write_text(release + "\n")
        shutil.copyfile(attributes, source / "attributes.csv")
        shutil.copyfile(python_attributes, source / "python-attributes.csv")
        tables = [(HERE / "box" / name).read_text().partition("\n") for name in WHEELS]
        (source / "wheels.csv").write_text(tables[0][0] + "\n" + "".join(rows for _, _, rows in tables))
        shutil.copyfile(RESOLVED_DEBS if RESOLVED_DEBS.exists() else HERE / "box/debs.csv", source / "debs.csv")
        return CURRENT.add(source)


@functools.cache
def stub(name: str) -> Path:
    """The store path of our stub of another project's flake; NixError where there is none."""
    folder = HERE / "stubs" / name
    if not (folder / "flake.nix").exists():
        raise NixError(f"there is neither a stand-in nor a stub for the flake input `{name}`")
    return CURRENT.add(folder)


@functools.cache
def _nar_hash(path: Path) -> str:
    return CURRENT.run("nix", "hash", "path", path).stdout.strip()


@functools.cache
def _inputs_of(flake: str) -> Any:
    """The inputs of a flake.nix with that text, in which Nix wants them literally."""
    return CURRENT.eval_json(f"(\n{flake}\n).inputs or {{ }}")


def lock_flake(folder: Path, release: str, **tables: Path) -> None:
    """Write a flake.lock for the flake in `folder`: its nixpkgs is the stand-in for `release`, other inputs are stubs.

    The lock's `original` is what the flake asks for and its `locked` a path of the store. So every Nix takes
    the flake as it is, offline. An input from a folder of this machine is a copy of that; any other without a stub is
    refused.
    """
    inputs = _inputs_of((folder / "flake.nix").read_text())
    nodes: dict[str, dict[str, Any]] = {"root": {"inputs": {name: name for name in inputs}}}
    for name, wanted in inputs.items():
        if local := re.fullmatch(r"(path:|git\+file://)(/[^?#]+)", wanted["url"]):
            path = _add_copy(Path(local[2]))
            git = {"type": "git", "url": f"file://{local[2]}"}
            original = {"type": "path", "path": local[2]} if local[1] == "path:" else git
        else:
            own = re.fullmatch(r"nixpkgs-nixos-(\d\d)-(\d\d)", name)  # that of one of several projects
            here = f"{own[1]}.{own[2]}" if own else release
            path = stand_in(here, **tables) if own or name == "nixpkgs" else stub(name)
            original = _of_github(wanted["url"])
            if not original:
                raise NixError(
                    f"{folder}/flake.nix: the input `{name}` is not of the form github:OWNER/REPO/REF: {wanted}"
                )
        nodes[name] = {
            "locked": {"type": "path", "path": str(path), "narHash": _nar_hash(path), "lastModified": 1},
            "original": original,
        }
        if follows := {inner: [its["follows"]] for inner, its in wanted.get("inputs", {}).items()}:
            nodes[name]["inputs"] = follows
    (folder / "flake.lock").write_text(json.dumps({"nodes": nodes, "root": "root", "version": 7}, indent=2))


def _of_github(url: str) -> dict[str, str]:
    """What a flake.lock has for an address of the form github:OWNER/REPO/REF; nothing for another."""
    match = re.fullmatch(r"github:(?P<owner>[^/]+)/(?P<repo>[^/]+)(?:/(?P<ref>.+))?", url)
    if match is None:
        return {}
    original = {key: value for key, value in match.groupdict().items() if value}
    if re.fullmatch("[0-9a-f]{40}", original.get("ref", "")):
        original["rev"] = original.pop("ref")
    return {"type": "github", **original}


def _add_copy(folder: Path) -> Path:
    """The store path of a flake from a folder of this machine, without what is not of the flake."""
    with tempfile.TemporaryDirectory() as scratch:
        return CURRENT.add(_copy(folder, Path(scratch)))


def evaluate(folder: Path, release: str, **tables: Path) -> dict[str, str]:
    """Evaluate all outputs of the flake in `folder`, as it is, with both Nixes; what each wrote to stderr.

    The current Nix evaluates every system's outputs. The folder itself is left alone. NixError if either
    fails.
    """
    with tempfile.TemporaryDirectory() as scratch:
        copy = _copy(folder, Path(scratch))
        lock_flake(copy, release, **tables)
        before = (copy / "flake.lock").read_text()
        said = {
            version: Nix(version).flake_check(copy, all_systems=version == "current").stderr for version in VERSIONS
        }
        assert (copy / "flake.lock").read_text() == before, "Nix found the lock wanting and wrote another"
        return said


def evaluate_shell(file: Path, release: str, **tables: Path) -> dict[str, str]:
    """Evaluate a `shell.nix` of the form `{ pkgs ? import <nixpkgs> { } }: …` with both Nixes, as it is and
    for each system; what each wrote to stderr. NixError if either fails.
    """
    search = {"NIX_PATH": f"nixpkgs={stand_in(release, **tables)}"}
    said = {}
    for version in VERSIONS:
        nix = Nix(version)
        plain = nix.run("nix-instantiate", "--readonly-mode", file, environment=search)
        every = nix.run(
            *("nix-instantiate", "--readonly-mode", "-E"),
            f"builtins.map (system: import {file} {{ pkgs = import <nixpkgs> {{ inherit system; }}; }}) "
            f"[ {' '.join(json.dumps(system) for system in SYSTEMS)} ]",
            environment=search,
        )
        said[version] = plain.stderr + every.stderr
    return said


def warnings(stderr: str) -> list[str]:
    """The lines in which an evaluation warned or traced something."""
    # Two are outputs that not every Nix knows, as 2.8 does not know `lib`; the last happens while another process
    # evaluates.
    noise = (
        "you did not specify '--add-root'",
        "unknown flake output 'homeModules'",
        "unknown flake output 'lib'",
        "db.sqlite' is busy",
    )
    return [
        line
        for line in stderr.splitlines()
        if re.search(r"\bwarning\b|^trace:", line) and not any(words in line for words in noise)
    ]


def catalogue_states(
    expressions: Sequence[str], *, releases: Sequence[str] = RELEASES, **tables: Path
) -> dict[str, dict[str, str]]:
    """What each release makes of each expression: {expression: {release: "ok" | "warns" | "missing" |
    "throws"}}.

    An expression is `pkgs.a.b` or `(pkgs.a.b or pkgs.c.d)`; "ok" is a package whose library output has a
    path. All is evaluated in one call, on x86_64-linux. Nix can catch a `throw`, but no selection of what
    does not exist: so each expression is given one more alternative, a mark, before it is evaluated.
    """
    packages = {release: f'import {stand_in(release, **tables)} {{ system = "x86_64-linux"; }}' for release in releases}
    table = "\n".join(f"{json.dumps(text)} = {_with_alternative(text)};" for text in expressions)
    states = CURRENT.eval_json(
        f"""
        let
          missing.isMissing = true;
          state =
            package:
            if package.isMissing or false then
              "missing"
            else if !(package ? outPath) then
              "missing"
            else
              builtins.seq (package.lib or package.out or package).outPath
                (if package.warnsHere or false then "warns" else "ok");
          caught = value: let tried = builtins.tryEval (state value); in
            if tried.success then tried.value else "throws";
        in
        builtins.mapAttrs (_: pkgs: builtins.mapAttrs (_: caught) {{ {table} }})
          {{ {" ".join(f'"{release}" = {text};' for release, text in packages.items())} }}
        """
    )
    return {text: {release: states[release][text] for release in releases} for text in expressions}


_PATH = r"pkgs(?:\.[A-Za-z_][A-Za-z0-9_'-]*)+"


def _with_alternative(expression: str) -> str:
    if not re.fullmatch(rf"{_PATH}|\({_PATH}(?: or {_PATH})+\)", expression):
        raise ValueError(f"not of the form pkgs.a or (pkgs.a or pkgs.b): {expression}")
    return f"({expression.strip('()')} or missing)"


def _copy(folder: Path, scratch: Path) -> Path:
    ignored = shutil.ignore_patterns(".git", ".venv", ".direnv", "flake.lock", "__pycache__")
    return Path(shutil.copytree(folder, scratch / "flake", ignore=ignored))
