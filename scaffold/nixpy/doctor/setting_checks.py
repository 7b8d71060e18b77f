"""Check variables, settings of uv, and the files that Nix reads."""

from __future__ import annotations

from collections.abc import Iterator

from nixpy.commands.check import in_words
from nixpy.core.text import shell_word
from nixpy.doctor.facts import Facts, in_store
from nixpy.doctor.machine_diagnostic import MachineDiagnostic
from nixpy.files.reconcile import State, remedy

_STEERING = {
    "PYTHONPATH": "Python searches its folders before the packages of every virtual environment",
    "PYTHONHOME": "every Python loads its standard library from there",
    "SOURCE_DATE_EPOCH": "Nix sets it for builds, and wheels and archives that you build here get its date",
}


def steering_variables(facts: Facts) -> Iterator[MachineDiagnostic]:
    """Yield NIX410: a variable affects every Python."""
    for name, effect in _STEERING.items():
        if value := facts.environ.get(name):
            yield MachineDiagnostic(code="NIX410", message=f"{name} is {value}: {effect}", command=f"unset {name}")


def uv_python(facts: Facts) -> Iterator[MachineDiagnostic]:
    """Yield NIX411: UV_PYTHON is an interpreter of the store.

    `uv pip` tries to install into it.
    """
    value = facts.environ.get("UV_PYTHON", "")
    if in_store(value):
        yield MachineDiagnostic(
            code="NIX411",
            message=f"UV_PYTHON is {value}: uv pip would install into the store, which is read-only, and not into "
            "the virtual environment",
            command="unset UV_PYTHON",
        )


def uv_downloads(facts: Facts) -> Iterator[MachineDiagnostic]:
    """Yield NIX413: uv may install its own Python, which does not start on NixOS."""
    if not facts.uv or not facts.uv_downloads or not facts.host or not facts.host.nixos:
        return
    environ = facts.environ
    never = environ.get("UV_PYTHON_DOWNLOADS") in {"never", "false", "0"}
    if never or environ.get("UV_PYTHON_PREFERENCE") == "only-system" or facts.host.at_loader == "nix-ld":
        return
    yield MachineDiagnostic(
        code="NIX413",
        message="uv may download a Python, which does not start on NixOS without nix-ld",
        command="export UV_PYTHON_DOWNLOADS=never",
    )


def untracked(facts: Facts) -> Iterator[MachineDiagnostic]:
    """Yield NIX414: git does not track files of the flake, so Nix does not see them."""
    if facts.git and facts.git.unknown:
        names = " ".join(map(shell_word, facts.git.unknown))
        yield MachineDiagnostic(
            code="NIX414",
            message=f"git does not track {', '.join(facts.git.unknown)}, so the flake does not see "
            f"{'it' if len(facts.git.unknown) == 1 else 'them'}",
            command=f"git add -N {names}",
        )


def open_venv(facts: Facts) -> Iterator[MachineDiagnostic]:
    """Yield NIX415: the .venv is in the git tree and not ignored."""
    if facts.git and facts.git.open_venv:
        yield MachineDiagnostic(
            code="NIX415",
            message=f"git does not ignore {facts.venv_folder}: once it is added, each evaluation copies all of it "
            "into the Nix store",
            command=f"echo {facts.venv_folder.name}/ >> .gitignore",
        )


def stale_files(facts: Facts) -> Iterator[MachineDiagnostic]:
    """Yield NIX416: nixpy.nix or nixpy.lock is out of date."""
    if facts.project is None or not facts.project.uses_nixpy or facts.fresh is None:
        return
    state = State(facts.fresh.state)
    cure = remedy(state, settled=facts.fresh.settled)
    why = f": {facts.fresh.reasons[0]}" if facts.fresh.reasons else ""
    by_hand = "" if cure.command else f"; {cure.words}"
    yield MachineDiagnostic(
        code="NIX416",
        message=f"nixpy.nix and nixpy.lock are {in_words(state)}{why}{by_hand}",
        command=cure.command or "nixpy check",
    )


def unused_files(facts: Facts) -> Iterator[MachineDiagnostic]:
    """Yield NIX220 or NIX221: flake.nix or .envrc does not lead to nixpy's shell."""
    yield from facts.unused


def copied_folder(facts: Facts) -> Iterator[MachineDiagnostic]:
    """Yield NIX222: without git, Nix copies the folder of the flake as it is."""
    if facts.project and facts.project.copied:
        names = " ".join(map(shell_word, facts.project.copied))
        folder = f", {facts.project.folder} included," if facts.project.folder else ""
        yield MachineDiagnostic(
            code="NIX222",
            message=f"{facts.project.root} is not in a git repository: each change makes `nix develop` copy the folder"
            f"{folder} into the Nix store",
            command=f"git init && git add -N {names}",
        )
