"""Start git, so that the settings of a checkout start no program."""

from __future__ import annotations

import os
from pathlib import Path

from nixpy.core import programs

_PATIENCE = 10  # seconds


def run(folder: Path, *arguments: str) -> programs.CompletedProcess:
    """Run git in a folder, without the settings of the checkout that start programs.

    Args:
        folder: The folder, as for `git -C`.
        arguments: The command of git and its arguments.

    Raises:
        FileNotFoundError: git is not on PATH, or only in the checkout.
        OSError: git does not start, or its status is more than 1.
        SubprocessError: git takes too long.
    """
    path = programs.find("git", project=folder)
    if path is None:
        ignored = programs.left_out("git", project=folder)
        raise FileNotFoundError(f"{ignored} is not started: {programs.OWN}" if ignored else "git is not on PATH")
    # The git settings of the tree are untrusted, and a folder of a clone may be a bare repository with settings.
    # They could name a program that watches files, or one that fetches missing objects.
    options = ["-c", "core.fsmonitor=false", "-c", "safe.bareRepository=explicit", "-C", str(folder)]
    environ = {**os.environ, "GIT_ALLOW_PROTOCOL": "", "GIT_NO_LAZY_FETCH": "1", "GIT_OPTIONAL_LOCKS": "0"}
    done = programs.run("git", path, [*options, *arguments], project=folder, environ=environ, timeout=_PATIENCE)
    if done.returncode > 1:
        raise OSError(done.stderr.strip() or "git failed")
    return done


def is_checkout(folder: Path) -> bool:
    """Return whether the folder is in a git repository."""
    here = folder.resolve()
    return any((parent / ".git").exists() for parent in (here, *here.parents))
