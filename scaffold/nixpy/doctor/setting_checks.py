"""Check variables, settings of uv, and the files that Nix reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from nixpy.commands.check import in_words
from nixpy.core.text import shell_word
from nixpy.doctor.facts import Facts, in_store
from nixpy.doctor.machine_diagnostic import Level, MachineDiagnostic
from nixpy.doctor.remedies import PREFER_SYSTEM
from nixpy.files.reconcile import State, remedy
from nixpy.index.config_files import is_on
from nixpy.project.managers import FOLDER

# Every Nix shell sets SOURCE_DATE_EPOCH, and it only changes dates.
_STEERING: dict[str, tuple[str, Level]] = {
    "PYTHONPATH": ("Python searches its folders before the packages of every virtual environment", "error"),
    "PYTHONHOME": ("every Python loads its standard library from there", "error"),
    "SOURCE_DATE_EPOCH": ("wheels and archives that you build here get its date", "note"),
}


def steering_variables(facts: Facts) -> Iterator[MachineDiagnostic]:
    """Yield NIX410: a variable affects every Python."""
    for name, (effect, level) in _STEERING.items():
        if value := facts.environ.get(name):
            yield MachineDiagnostic(
                code="NIX410", message=f"{name} is {value}: {effect}", command=f"unset {name}", level=level
            )


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
    if not facts.uv or not facts.host or not facts.host.nixos or facts.host.at_loader == "nix-ld":
        return
    if _may_download(facts.uv_settings, facts.environ):
        yield MachineDiagnostic(
            code="NIX413",
            message="uv may download a Python, which does not start on NixOS without nix-ld",
            command=f"export {PREFER_SYSTEM}",
        )


def _may_download(settings: Mapping[str, str], environ: Mapping[str, str]) -> bool:
    """Return whether uv downloads a Python by itself.

    A variable takes precedence over the same setting in a file.
    """
    if is_on(environ.get("UV_NO_MANAGED_PYTHON")) or is_on(environ.get("UV_OFFLINE")):
        return False
    preference = environ.get("UV_PYTHON_PREFERENCE") or settings.get("python-preference")
    if preference == "only-system" and not is_on(environ.get("UV_MANAGED_PYTHON")):
        return False
    downloads = environ.get("UV_PYTHON_DOWNLOADS") or settings.get("python-downloads") or "automatic"
    return downloads not in {"manual", "never", "false", "0"}


def conda(facts: Facts) -> Iterator[MachineDiagnostic]:
    """Yield NIX431: conda is active, and tools prefer it to the virtual environment."""
    prefix, project = facts.environ.get("CONDA_PREFIX"), facts.project
    if not prefix or facts.environ.get("VIRTUAL_ENV") or (project and project.folder != FOLDER):
        return
    if project is None and facts.venv is None:
        return
    first = bool(facts.pythons) and facts.pythons[0].program.folder == Path(prefix) / "bin"
    base = _is_conda_base(Path(prefix), facts.environ.get("CONDA_DEFAULT_ENV"))
    if base and not first:
        return
    effects = [
        *([f"`python` and `pip` are those in {prefix}/bin"] if first else []),
        *([] if base else ["uv pip and other installers prefer it"]),
    ]
    own = facts.venv.folder if facts.venv else facts.venv_folder
    yield MachineDiagnostic(
        code="NIX431",
        message=f"CONDA_PREFIX is {prefix}: {', and '.join(effects)}, and not {own}",
        command=f"source {shell_word(str(own))}/bin/activate" if facts.venv else "conda deactivate",
    )


def _is_conda_base(prefix: Path, name: str | None) -> bool:
    """Return whether uv takes a conda environment for the base environment.

    uv treats that one as a Python of the system.

    See `CondaEnvironmentKind` in uv-python/src/virtualenv.rs of uv.
    """
    if not name:
        return False
    return name in {"base", "root"} or (Path(name) != prefix and name != prefix.name)


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
            level="warning",
        )
