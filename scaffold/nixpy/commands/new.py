"""Create a new project from the copier template in nixpy.

Only this module imports copier: it is large, and most runs of nixpy do not need it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from nixpy.core import address, programs, templates
from nixpy.core.errors import ArgumentError, OutputError, ProgramError, nearest
from nixpy.files import staging

_CONFIG = "copier.yml"
ANSWERS = ".copier-answers.yml"
_SPELLINGS = {"license": "licence"}
# An address that other machines can clone without a password, and that is plain text for YAML and shells.
_PUBLISHED = re.compile(r"(https://|ssh://[a-z]+@)[\w.~:/%+-]+", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewProject:
    """A new project: its sorted files, and the address of nixpy for its CI.

    The address may be an empty string.
    """

    files: tuple[Path, ...]
    nixpy: str


def create(folder: Path, answers: Mapping[str, str], *, ask: bool) -> NewProject:
    """Create a new project in `folder`.

    With `ask`, questions for missing `answers` are shown; else defaults apply.

    The answers file has the public address of the template and never its path on this machine, so that
    `copier update` works anywhere. Raises NixpyError, and leaves nothing behind, if copier is not installed, the folder
    has files or cannot be created, or an answer is invalid. No program is started.
    """
    with programs.unavailable():  # copier starts git, and a module that it imports starts `uname`
        return _create(folder, answers, ask=ask)


def _create(folder: Path, answers: Mapping[str, str], *, ask: bool) -> NewProject:
    try:
        import copier
        import yaml
        from copier.errors import CopierAnswersInterrupt, CopierError
        from plumbum import local  # with which copier starts programs
    except ImportError:
        raise ProgramError(
            "`nixpy new` needs copier, an optional dependency that is not installed",
            hint="Install `nixpy[new]` instead of `nixpy`.",
        ) from None
    _free(folder)
    config = templates.root() / _CONFIG
    questions = yaml.safe_load(config.read_text("utf-8"))
    asked = [name for name, how in questions.items() if not name.startswith("_") and how.get("when") is not False]
    answers = {_SPELLINGS.get(name, name): answer for name, answer in answers.items()}
    if unknown := sorted(set(answers) - set(asked)):
        near = nearest(unknown[0], asked)
        hint = f"Did you mean `{near}`?" if near else f"The answers are {', '.join(asked)}."
        raise ArgumentError(f"unknown answer `{unknown[0]}`", hint=hint)
    with tempfile.TemporaryDirectory(prefix="nixpy-new-") as scratch:
        # A copy of the files: those in the Nix store are read-only, and copier copies their modes.
        template = Path(scratch, "template")
        shutil.copytree(templates.path(), template / "templates", copy_function=shutil.copyfile)
        shutil.copyfile(config, template / _CONFIG)
        # The questions offer the name of the folder.
        real = Path(os.path.realpath(folder))
        made = Path(scratch, "made", real.name)
        try:
            data = {**answers, "source": _source()}
            with local.env(PATH=os.environ["PATH"]):  # plumbum keeps a copy of it
                worker = copier.run_copy(str(template), made, data=data, defaults=not ask, quiet=True)
        except (CopierAnswersInterrupt, EOFError):  # Ctrl-C, Ctrl-D
            raise KeyboardInterrupt from None
        except (CopierError, ValueError) as error:
            raise ArgumentError(str(error).removeprefix("Validation error for question ")) from error
        names = sorted(path.relative_to(made) for path in made.rglob("*") if path.is_file())
        staging.replace_all(
            staging.Replacement(path=folder / name, target=real / name, text=(made / name).read_bytes().decode())
            for name in names
        )
    return NewProject(files=tuple(folder / name for name in names), nixpy=worker.answers.combined["nixpy"])


def _free(folder: Path) -> None:
    """Raise NixpyError if `folder` is not empty and cannot be created."""
    there = next(path for path in (folder, *folder.parents) if os.path.lexists(path))
    if there == folder and there.exists():
        if not there.is_dir() or any(item.name != ".git" for item in there.iterdir()):
            raise OutputError(
                "the folder of a new project must be empty or not exist yet",
                path=folder,
                hint="To add Nix files to an existing project, use `nixpy init`.",
            )
    elif not there.is_dir():
        what = "this is a file" if there.exists() else "this is a link to something that does not exist"
        raise OutputError(f"{what}, so nixpy cannot create a folder there", path=there, hint="Choose another place.")


def _source() -> dict[str, str]:
    """Return the public address of the template.

    It has the form of copier's answers: `_src_path` and `_commit`.

    It is the git repository from which nixpy was installed, with its commit (`direct_url.json`, PEP 610). An
    installation from an index or by Nix has no such file: then it is the public repository. Empty if there is none, or
    if other machines cannot reach the repository.
    """
    try:
        ours = distribution("nixpy")
    except PackageNotFoundError:
        return {}
    text = ours.read_text("direct_url.json")
    if text is None:
        return {"_src_path": address.git(), "_commit": address.commit()} if address.repository() else {}
    direct = json.loads(text)
    url, commit = direct.get("url", ""), direct.get("vcs_info", {}).get("commit_id")
    if not commit or not _PUBLISHED.fullmatch(url):
        return {}
    # `git+`, since copier treats an address as a folder unless it knows the host, or it ends in `.git`.
    return {"_src_path": f"git+{url}", "_commit": commit}
