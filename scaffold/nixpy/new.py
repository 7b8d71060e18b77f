"""A new project, from the copier template that lies in nixpy itself.

copier is imported here and nowhere else: it is large, and what most runs of nixpy do needs none of it.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from nixpy import __version__
from nixpy.errors import NixpyError
from nixpy.styles import template_root

CONFIG = "copier.yml"
ANSWERS = ".copier-answers.yml"
_LABELS = ("repository", "source", "source code")


def create(folder: Path, answers: Mapping[str, str], *, ask: bool) -> tuple[Path, ...]:
    """Make a new project in `folder` and return its files, sorted; what `answers` leave open is asked, or defaults.

    The answers file names where the template is published, never where it lies on this machine, so that
    `copier update` works anywhere. Raises NixpyError, and leaves nothing behind, where copier is not installed, the
    folder has files already, or an answer cannot be.
    """
    try:
        import copier
        import yaml
        from copier.errors import CopierAnswersInterrupt, CopierError
    except ImportError:
        raise NixpyError(
            "`nixpy new` needs copier, which is not installed with nixpy unasked",
            hint="install nixpy[new] instead of nixpy",
        ) from None
    if folder.exists() and (not folder.is_dir() or any(item.name != ".git" for item in folder.iterdir())):
        raise NixpyError(
            "a new project wants a folder that is empty or not there yet",
            path=folder,
            hint="`nixpy init` adds Nix files to a project that is there already",
        )
    config = template_root() / CONFIG
    questions = yaml.safe_load(config.read_text("utf-8"))
    asked = [name for name, how in questions.items() if not name.startswith("_") and how.get("when") is not False]
    if unknown := sorted(set(answers) - set(asked)):
        raise NixpyError(f"nobody asks for `{unknown[0]}`", hint=f"known are {', '.join(asked)}")
    with tempfile.TemporaryDirectory(prefix="nixpy-new-") as scratch:
        # Not the files themselves: those of the Nix store are read-only, and copier hands that on.
        template = Path(scratch, "template")
        shutil.copytree(template_root() / "templates", template / "templates", copy_function=shutil.copyfile)
        shutil.copyfile(config, template / CONFIG)
        try:
            copier.run_copy(
                str(template),
                folder,
                data={**answers, "source": source(), "nixpy": f"nixpy=={__version__}"},
                defaults=not ask,
                quiet=True,
            )
        except CopierAnswersInterrupt:
            raise KeyboardInterrupt from None
        except (CopierError, ValueError) as error:
            raise NixpyError(str(error).removeprefix("Validation error for question ")) from error
    files = (path for path in folder.rglob("*") if path.is_file() and ".git" not in path.relative_to(folder).parts[:1])
    return tuple(sorted(files))


def source() -> dict[str, str]:
    """Return where the template is published, as copier remembers it: `_src_path` and `_commit`.

    That is the git repository nixpy was installed from, at its commit (`direct_url.json`, PEP 610); else the one its
    metadata name, at the tag of this version. Empty where neither is known.
    """
    try:
        ours = distribution("nixpy")
    except PackageNotFoundError:
        return {}
    direct = json.loads(ours.read_text("direct_url.json") or "{}")
    if commit := direct.get("vcs_info", {}).get("commit_id"):
        return {"_src_path": direct["url"], "_commit": commit}
    for entry in ours.metadata.get_all("Project-URL") or ():
        label, _, url = entry.partition(",")
        if label.strip().lower() in _LABELS:
            return {"_src_path": url.strip(), "_commit": f"v{__version__}"}
    return {}
