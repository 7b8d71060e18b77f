"""Find the shell of a project in the flake of its repository.

`nixpy init --all` writes this flake, or prints lines for it.
"""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePosixPath

from nixpy.core.read_file import read_lossy
from nixpy.core.text import shell_word
from nixpy.files.render import nix_path
from nixpy.project import flake
from nixpy.project.project import Project

# An attribute with the path, with a set that begins with the path, or with an import of it.
_ATTRIBUTE = r'(?:([A-Za-z_][\w-]*)|"([^"$\\]+)")\s*=\s*(?:\{{\s*file\s*=\s*|\(import\s+\(?)?{path}(?![\w/.-])'


def is_named(text: str, root: Path, rendered: Path) -> bool:
    """Return whether the text of a flake.nix in `root` names a generated file."""
    return nix_path(PurePosixPath(rendered.relative_to(root))) in text


def reference(project: Project) -> str | None:
    """Return the reference of a project's shell in a flake above, such as `.#api`.

    It is quoted for a shell. `nix develop` finds that flake from the folder of the project, too. Returns None if the
    project has a flake of its own, or if no flake above names its generated file.
    """
    entry = flake.nearest_flake(project.root)
    root = project.root.resolve()
    if entry is None or entry.parent == root:
        return None
    path = nix_path(PurePosixPath(os.path.relpath(root / project.settings.file, entry.parent)))
    found = re.search(_ATTRIBUTE.format(path=re.escape(path)), read_lossy(entry))
    return f".#{shell_word(found[1] or found[2])}" if found else None
